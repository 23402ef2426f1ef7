//! What the old texts say about a client that leaves, and what its server's calls return.

use socklab::prelude::*;
use socklab::trace::{Calls, Event, Finding, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C19", "Without the length test, a client that breaks off makes an endless loop.", |trace| {
            // Once the client left by itself, once it was killed. Lab 14 has the client that resets the connection.
            let (closed, killed) = (after_fin(trace, 1)?, after_fin(trace, 3)?);
            let rounds = [1, 3].map(|number| trace.scene(number).finding(Finding::RoleGoesRound).ok());
            let holds = rounds.iter().all(Option::is_some) && [closed.zeros(), killed.zeros()].iter().all(|n| *n > 1);
            let evidence = [Some(closed.fin), closed.first(), rounds[0], Some(killed.fin), killed.first(), rounds[1]];
            Verdict::only_when(
                "the client's leaving arrives as a FIN; after a RST recv fails (lab 14)",
                holds,
                false,
                evidence.into_iter().flatten(),
            )
        }),
        Claim::classic("S0-C06", "recv waits while the buffer is empty.", |trace| {
            // While the client is there, the server's recv waits for it; when it has left, the same recv returns.
            let open = trace.scene(1).role("client").waits(Syscall::Recv).first().copied();
            let open = open.ok_or(Unseen::because("no recv had to wait"))?;
            let waited = trace.scene(1).role("client").after(open).first(Calls::Receives)?;
            let zero = trace.scene(2).role("server").last(Calls::Receives)?;
            let queue = trace.scene(2).role("server").before(zero.event).receive_queues().last().copied();
            let queue = queue.ok_or(Unseen::because("the buffer was not looked at"))?;
            if queue.unread() != Some(0) {
                return Err(Unseen::because("the buffer was not empty"));
            }
            let waits = waited.call.ret > Some(0);
            let waits_too = zero.call.ret != Some(0);
            let evidence = [open, waited.event, queue, zero.event];
            Verdict::only_when("the peer may still send; after its FIN recv returns 0", waits, waits_too, evidence)
        }),
        Claim::ours("After the FIN ten thousand receives return 0, and none of them sleeps.", |trace| {
            let server = trace.scene(2).role("server");
            let zero = trace.scene(2).role("server").last(Calls::Receives)?;
            let said = server.printed().into_iter().find(|(_, text)| text.contains("recv, asleep"));
            let (said, text) = said.ok_or(Unseen::because("nobody counted how often it slept"))?;
            let asleep = text.split("asleep ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
            let holds = zero.call.ret == Some(0) && zero.call.times == 10_000 && asleep == Some(0);
            Verdict::of(holds, [zero.event, said])
        }),
        Claim::ours("They take more than twice the processor time of 200 ms asleep.", |trace| {
            let server = trace.scene(2).role("server");
            let (zero, slept) = (trace.scene(2).role("server").last(Calls::Receives)?, server.last(Syscall::Poll)?);
            let said = server.printed().into_iter().find(|(_, text)| text.starts_with("processor time"));
            let (said, text) = said.ok_or(Unseen::because("nobody measured it"))?;
            let compared = zero.call.times == 10_000 && zero.call.ret == Some(0) && slept.call.ret == Some(0);
            Verdict::of(compared && text.contains("more than twice"), [zero.event, slept.event, said])
        }),
        Claim::ours("An empty send to a peer from which only a FIN has come succeeds: it sends nothing.", |trace| {
            let gone = [after_fin(trace, 1)?, after_fin(trace, 3)?];
            let sends: Vec<_> = gone.iter().flat_map(|gone| gone.server.calls(Calls::Sends)).collect();
            let [first, ..] = sends[..] else { return Err(Unseen::because("nobody sent anything after the FIN")) };
            Verdict::by_calls(sends.iter().all(|made| made.call.ret == Some(0)), [first])
        }),
        Claim::ours("A killed client's kernel sends FIN for it: the server's calls return the same.", |trace| {
            let (closed, killed) = (after_fin(trace, 1)?, after_fin(trace, 3)?);
            let returns = |gone: &Gone<'_>| -> Vec<_> {
                gone.server.all_calls().iter().map(|made| (made.call.ret, made.call.errno)).collect()
            };
            let died = trace.scene(3).role("client").end()?;
            let closes = trace.scene(3).role("client").calls(Syscall::Close);
            let holds = closes.is_empty() && returns(&closed) == returns(&killed) && died.n < killed.fin.n;
            Verdict::of(holds, [Some(died), Some(killed.fin), killed.first()].into_iter().flatten())
        }),
        Claim::ours("While the server goes round, the next client is connected, and is not served.", |trace| {
            let caller = trace.scene(1).role("next-caller");
            let connected = caller.first(Syscall::Connect)?;
            let sent = caller.first(Calls::Sends)?;
            let round = trace.scene(1).finding(Finding::RoleGoesRound)?;
            let served = caller.calls(Calls::Receives).first().copied();
            let holds = connected.call.ret == Some(0) && sent.call.ret > Some(0) && served.is_none();
            let evidence = [connected.event, sent.event, served.map_or(round, |made| made.event)];
            Verdict::of(holds, evidence)
        }),
        Claim::ours("With the test for 0 the server is back in accept, and serves the next client.", |trace| {
            let server = trace.scene(4).role("server");
            let zero = server.calls(Calls::Receives).into_iter().find(|made| made.call.ret == Some(0));
            let zero = zero.ok_or(Unseen::because("no client of scene 4 left"))?;
            let [_, killed, next] = server.exactly(Syscall::Accept)?;
            let [answered] = trace.scene(4).role("next-caller").exactly(Calls::Receives)?;
            let holds = zero.event.n < killed.event.n && next.event.n < answered.event.n && answered.call.ret > Some(0);
            Verdict::by_calls(holds, [zero, killed, next, answered])
        }),
    ]
}

/// The server of a scene from the moment at which the client's FIN has come.
struct Gone<'a> {
    fin: &'a Event,
    server: Selection<'a>,
}

fn after_fin(trace: &Trace, number: u32) -> Result<Gone<'_>, Unseen> {
    let server = trace.scene(number).role("server");
    let fin = server.comes_into(TcpState::CloseWait)?;
    Ok(Gone { fin, server: server.after(fin) })
}

impl<'a> Gone<'a> {
    fn first(&self) -> Option<&'a Event> {
        self.server.calls(Calls::Receives).first().map(|made| made.event)
    }

    /// How many receives returned 0.
    fn zeros(&self) -> usize {
        self.server.calls(Calls::Receives).iter().filter(|made| made.call.ret == Some(0)).count()
    }
}
