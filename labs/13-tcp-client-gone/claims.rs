//! What the old texts say about a client that leaves, and what its server's calls return.

use socklab::prelude::*;
use socklab::trace::{Event, Finding, Made, Selection, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C19", "Without the length test, a client that breaks off makes an endless loop.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            for number in [1, 3] {
                let scene = trace.scene(number);
                let round = scene.finding(Finding::RoleGoesRound).ok();
                let left = scene.clone().role("client").only(|event| matches!(event.what, What::Exit(_)));
                holds &= round.is_some() && zeros(&scene).len() > 1;
                evidence.extend(left.events().iter().copied());
                evidence.extend(zeros(&scene).first().map(|made| made.event));
                evidence.extend(round);
            }
            Verdict::of(holds, evidence)
        }),
        Claim::classic("S0-C06", "recv waits while the buffer is empty.", |trace| {
            let zero = zeros(&trace.scene(2)).first().copied().ok_or(Unseen::because("the peer did not leave"))?;
            let server = trace.scene(2).role("server").before(zero.event);
            let queue = server.receive_queues().last().copied();
            if queue.and_then(|event| event.unread()) != Some(0) {
                return Err(Unseen::because("the buffer was not empty"));
            }
            Verdict::of(false, queue.into_iter().chain([zero.event]))
        }),
        Claim::classic("S0-C11", "Whoever breaks off crashes the other side's program.", |trace| {
            let crashed = |number: u32| {
                let server = trace.scene(number).role("server");
                server
                    .only(|event| matches!(&event.what, What::Exit(exit) if !exit.is_good()))
                    .events()
                    .first()
                    .copied()
            };
            let left = |number: u32| {
                let client = trace.scene(number).role("client");
                client.only(|event| matches!(event.what, What::Exit(_))).events().first().copied()
            };
            let ended = left(1).ok_or(Unseen::because("no role left"))?;
            let killed = left(3).ok_or(Unseen::because("no role left"))?;
            let after = |event: &Event, number| zeros(&trace.scene(number).after(event)).first().map(|made| made.event);
            let evidence = [Some(ended), crashed(1).or(after(ended, 1)), Some(killed), crashed(3).or(after(killed, 3))];
            Verdict::of(crashed(1).is_some() && crashed(3).is_some(), evidence.into_iter().flatten())
        }),
        Claim::ours("After the goodbye recv gives 0 as often as it is called, and does not sleep once.", |trace| {
            let server = trace.scene(2).role("server");
            let zero = zeros(&trace.scene(2)).first().copied().ok_or(Unseen::because("recv did not give 0"))?;
            let said = server.printed().into_iter().find(|(_, text)| text.contains("asleep"));
            let asleep =
                said.and_then(|(_, text)| text.rsplit_once("asleep ")?.1.split(' ').next()?.parse::<u64>().ok());
            let holds = zero.call.times == 10_000 && asleep == Some(0);
            Verdict::of(holds, [zero.event].into_iter().chain(said.map(|(event, _)| event)))
        }),
        Claim::ours("Ten thousand such calls take more than twice the processor time of 200 ms asleep.", |trace| {
            let server = trace.scene(2).role("server");
            let slept = server.calls(Syscall::Poll).last().copied().filter(|made| made.call.ret == Some(0));
            let zero = zeros(&trace.scene(2))
                .first()
                .copied()
                .ok_or(Unseen::because("recv did not give 0, or no role slept"))?;
            let slept = slept.ok_or(Unseen::because("recv did not give 0, or no role slept"))?;
            let said = server.printed().into_iter().find(|(_, text)| text.starts_with("processor time"));
            let holds = said.is_some_and(|(_, text)| text.contains("more than twice"));
            let said = said.map(|(event, _)| event);
            Verdict::of(holds, [zero.event, slept.event].into_iter().chain(said))
        }),
        Claim::ours("An empty send to a peer that has left never fails.", |trace| {
            let gone = [1, 3].map(|number| {
                let scene = trace.scene(number);
                let first = zeros(&scene).first().copied();
                first.map_or_else(Vec::new, |zero| scene.role("server").after(zero.event).calls(Syscall::Send))
            });
            let sends = gone.concat();
            let holds = sends.len() > 2 && sends.iter().all(|made| made.call.ret == Some(0));
            Verdict::by_calls(holds, sends.first().copied())
        }),
        Claim::ours("A killed client's kernel says goodbye for it: its server cannot tell the difference.", |trace| {
            // What the server's calls return from the first 0 on.
            let [left, killed] = [1, 3].map(|number| {
                let scene = trace.scene(number);
                let first = zeros(&scene).first().map_or(u64::MAX, |made| made.event.n);
                scene.role("server").only(|event| event.n >= first).all_calls()
            });
            let what = |made: &Made<'_>| (made.call.name, made.call.fd, made.call.ret);
            let same = left.len() > 3 && left.iter().map(what).eq(killed.iter().map(what));
            let died = trace.scene(3).role("client").only(|event| matches!(event.what, What::Exit(_)));
            let evidence = died.events().iter().copied().chain(killed.iter().take(2).map(|made| made.event));
            Verdict::of(same, evidence)
        }),
        Claim::ours("While a server goes round, the next client has its connection, and is not served.", |trace| {
            let caller = trace.scene(1).role("next-caller");
            let connected = caller.calls(Syscall::Connect).first().copied();
            let wait = caller.waits(Syscall::Recv).first().copied();
            let finding = trace.scene(1).finding(Finding::RoleGoesRound).ok();
            let open = connected.is_some_and(|made| made.call.ret == Some(0));
            let holds = open && wait.is_some() && finding.is_some() && caller.calls(Syscall::Recv).is_empty();
            Verdict::of(holds, connected.map(|made| made.event).into_iter().chain(wait))
        }),
        Claim::ours("With the test for 0 the server is back in accept, and serves whoever comes next.", |trace| {
            let server = trace.scene(4).role("server");
            let goodbyes = zeros(&trace.scene(4));
            let taken = |zero: &Made<'_>| server.clone().after(zero.event).calls(Syscall::Accept).first().copied();
            let next = goodbyes.iter().filter_map(taken);
            let answered = trace.scene(4).role("next-caller").calls(Syscall::Recv).first().copied();
            let holds = goodbyes.len() == 3
                && next.clone().count() == 2
                && answered.is_some_and(|made| made.call.ret > Some(0));
            let mut evidence: Vec<_> = goodbyes.iter().copied().chain(next).chain(answered).collect();
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(holds, evidence)
        }),
    ]
}

/// The server's receives that gave 0.
fn zeros<'a>(scene: &Selection<'a>) -> Vec<Made<'a>> {
    let mut made = scene.clone().role("server").calls(Syscall::Recv);
    made.retain(|made| made.call.ret == Some(0));
    made
}
