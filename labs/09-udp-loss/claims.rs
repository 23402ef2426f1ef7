//! What lab 09 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C23",
            "UDP is not confirmed, so it is unreliable: a send succeeds though its datagram is lost.",
            |trace| {
                let sent = trace.scene(1).role("client").calls(Syscall::SendTo);
                let asked = dropped(&trace.scene(1)).ok_or(NOBODY_ASKED)?;
                let all = sent.iter().all(|made| made.call.ret == Some(5000));
                let some_lost = asked.event.number("drops") > Some(0);
                Verdict::by_calls(all && some_lost, sent.into_iter().take(5).chain([asked]))
            },
        ),
        Claim::classic(
            "S0-C17",
            "UDP is unreliable because what does not fit the receiver's buffer is lost.",
            |trace| {
                // Were that the reason, nothing would be lost where every datagram fits.
                let scene = trace.scene(1);
                let received = scene.clone().role("server").calls(Syscall::RecvMsg);
                let asked = dropped(&scene).ok_or(NOBODY_ASKED)?;
                let fits = |made: &Made<'_>| made.call.ret < made.call.get_arg("len").and_then(Value::as_number);
                let lost_all_the_same = received.iter().all(fits) && asked.event.number("drops") > Some(0);
                Verdict::by_calls(!lost_all_the_same, received.into_iter().take(1).chain([asked]))
            },
        ),
        Claim::classic(
            "S0-C12",
            "sendto and recvfrom come in pairs: three of each, and the server comes to its end.",
            |trace| {
                let sent = trace.scene(4).role("client").some(Syscall::SendTo)?;
                let server = trace.scene(4).role("server");
                let (received, waits) = (server.calls(Syscall::RecvFrom), server.waits(Syscall::RecvFrom));
                let events = sent.iter().chain(&received).map(|made| made.event).chain(waits.last().copied());
                Verdict::of(sent.len() == received.len(), events)
            },
        ),
        Claim::ours("What is kept is what came first, and what is dropped does not come later.", |trace| {
            let client = trace.scene(1).role("client");
            let (first, sixth) = (client.first(Syscall::SendTo)?, client.last(Syscall::SendTo)?);
            let [kept, last] = trace.scene(1).role("server").exactly(Syscall::RecvMsg)?;
            let holds = first.call.data == kept.call.data && sixth.call.data == last.call.data;
            Verdict::by_calls(holds, [first, sixth, kept, last])
        }),
        Claim::ours(
            "The kernel counts what it drops: the socket, its table and the next datagram say the same.",
            |trace| {
                let scene = trace.scene(1);
                let sent = scene.clone().role("client").calls(Syscall::SendTo).len() as i64;
                let received = scene.clone().role("server").calls(Syscall::RecvMsg);
                let asked = dropped(&scene).ok_or(NOBODY_ASKED)?;
                let last = received.last().copied().ok_or(NOBODY_ASKED)?;
                let drops = asked.event.number("drops");
                let said = said(&scene, "lost, says the socket: ");
                let table = said.and_then(|(_, text)| text.rsplit_once("/proc/net/udp: ")?.1.parse::<i64>().ok());
                let holds = drops == Some(sent - received.len() as i64)
                    && table == drops
                    && last.event.number("lost_before") == drops;
                Verdict::of(
                    holds,
                    [Some(asked.event), said.map(|(event, _)| event), Some(last.event)].into_iter().flatten(),
                )
            },
        ),
        Claim::ours("Of a hundred small ones the first ones are kept, in their order and without a gap.", |trace| {
            let scene = trace.scene(2);
            let [sent] = scene.exactly(Syscall::SendMmsg)?;
            let [received] = scene.exactly(Syscall::RecvMmsg)?;
            let fewer = received.call.ret > Some(1) && received.call.ret < sent.call.ret;
            let holds = fewer && sent.call.bytes().starts_with(received.call.bytes());
            Verdict::by_calls(holds, [sent, received])
        }),
        Claim::ours("Kept and dropped together are as many as were sent.", |trace| {
            let scene = trace.scene(2);
            let sent = scene.first(Syscall::SendMmsg)?;
            let (event, text) = said(&scene, "kept and dropped together: ").ok_or(NOBODY_ASKED)?;
            let together = text.rsplit_once(": ").and_then(|(_, number)| number.parse().ok());
            Verdict::of(together.is_some() && together == sent.call.ret, [sent.event, event])
        }),
        Claim::ours("A datagram has at most 65507 bytes of payload; with one more nothing of it is sent.", |trace| {
            let [large, largest] = trace.scene(3).role("client").exactly(Syscall::SendTo)?;
            let [one] = trace.scene(3).role("server").exactly(Syscall::RecvFrom)?;
            let refused = large.call.errno == Some(Errno::EMSGSIZE);
            let holds = refused && largest.call.ret == Some(65507) && one.call.ret == largest.call.ret;
            Verdict::by_calls(holds, [large, largest, one])
        }),
        Claim::ours("Nobody is told of the one that is lost: the next one comes in its place.", |trace| {
            let [hello, world, egon] = trace.scene(4).role("client").exactly(Syscall::SendTo)?;
            let [first, second] = trace.scene(4).role("server").exactly(Syscall::RecvFrom)?;
            let silent = world.call.ret == Some(5) && [first, second].iter().all(|made| made.call.errno.is_none());
            let holds = silent && first.call.data == hello.call.data && second.call.data == egon.call.data;
            Verdict::by_calls(holds, [world, first, second])
        }),
        Claim::ours("With numbers, answers and a deadline every message arrives, and none is taken twice.", |trace| {
            let server = trace.scene(5).role("server");
            let told = server.printed();
            let of = |text: &str| told.iter().filter(|(_, line)| line.ends_with(text)).count();
            let attempts = trace.scene(5).role("client").calls(Syscall::Send);
            let holds = attempts.len() > 3 && ["hello", "world", "egon"].iter().all(|text| of(text) == 1);
            Verdict::of(holds, told.into_iter().map(|(event, _)| event))
        }),
        Claim::ours(
            "Whose answer was lost sends again what had arrived: only the number tells the two apart.",
            |trace| {
                let received = trace.scene(5).role("server").calls(Syscall::RecvFrom);
                let mut pairs = received.iter().zip(received.iter().skip(1));
                let twice = pairs.find(|(a, b)| a.call.bytes().first() == b.call.bytes().first());
                let (first, second) = twice.ok_or(Unseen::because("nothing came twice"))?;
                let same_text = first.call.bytes().get(4..) == second.call.bytes().get(4..);
                let again = said(&trace.scene(5), "number 3 again");
                let events = [Some(first.event), Some(second.event), again.map(|(event, _)| event)];
                Verdict::of(same_text && again.is_some(), events.into_iter().flatten())
            },
        ),
    ]
}

const NOBODY_ASKED: Unseen = Unseen::because("no role asked what was lost");

/// The first answer to the question how many were dropped.
fn dropped<'a>(scene: &Selection<'a>) -> Option<Made<'a>> {
    scene.calls(Syscall::GetSockOpt).into_iter().find(|made| made.event.number("drops").is_some())
}

/// The first line that begins so.
fn said<'a>(scene: &Selection<'a>, begin: &str) -> Option<(&'a Event, &'a str)> {
    scene.printed().into_iter().find(|(_, text)| text.starts_with(begin))
}
