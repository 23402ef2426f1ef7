//! What the old texts say about what was not read, and what the queue says.

use socklab::prelude::*;
use socklab::trace::{Made, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C18", "What a recv did not read of TCP data stays for the next recv.", |trace| {
            let sends = trace.scene(1).role("client").calls(Syscall::Send);
            let received = arrived(trace, 1);
            let left = trace.scene(1).role("server").receive_queues().get(1).copied();
            let holds = received.len() > 1 && bytes_of(&received) == bytes_of(&sends);
            let evidence = received.iter().map(|made| made.event);
            Verdict::of(holds, evidence.clone().take(1).chain(left).chain(evidence.skip(1)))
        }),
        Claim::classic("S4-C01", "The two pieces are scrambled.", |trace| {
            let sends = trace.scene(2).role("client").calls(Syscall::Send);
            let received = arrived(trace, 2);
            if received.is_empty() {
                return Err(Unseen::because("nothing was received"));
            }
            Verdict::by_calls(bytes_of(&sends) != bytes_of(&received), sends.into_iter().chain(received))
        }),
        Claim::classic("S4-C02", "The two receives give \"hello\" and \"worldSB\".", |trace| {
            let received = arrived(trace, 2);
            let given: Vec<&[u8]> = received.iter().map(|made| made.call.bytes()).collect();
            Verdict::by_calls(given == [&b"hello"[..], b"worldSB"], received)
        }),
        Claim::classic("S0-C24", "recv(1024) takes 1024 bytes.", |trace| match large(trace) {
            Some(made) => Verdict::by_calls(made.call.ret == Some(1024), [made]),
            None => Err(Unseen::because("nothing was received with recv(1024)")),
        }),
        Claim::classic("S4-C09", "recv(1024) returns any number of bytes up to 1024.", |trace| match large(trace) {
            Some(made) => Verdict::by_calls(made.call.ret > Some(0) && made.call.ret < Some(1024), [made]),
            None => Err(Unseen::because("nothing was received with recv(1024)")),
        }),
        Claim::classic("S3-C03", "The number that recv is given is an upper limit.", |trace| {
            let server = trace.scene(1).role("server");
            let small = server.first(Syscall::Recv)?;
            let waiting = server.before(small.event).receive_queues().last().copied();
            let limit = small.call.get_arg("len").and_then(Value::as_number);
            let there = waiting.and_then(|event| event.unread());
            if there <= limit {
                return Err(Unseen::because("no more was there than was asked for"));
            }
            Verdict::of(small.call.ret <= limit, waiting.into_iter().chain([small.event]))
        }),
        Claim::classic("S4-C04", "Whoever sends one message and closes has no trouble with its edges.", |trace| {
            let client = trace.scene(1).role("client");
            let [sent] = client.exactly(Syscall::Send)?;
            let closed = client.first(Syscall::Close)?;
            let first = trace.scene(1).role("server").after(closed.event).first(Syscall::Recv)?;
            Verdict::by_calls(first.call.bytes() == sent.call.bytes(), [sent, closed, first])
        }),
        Claim::ours(
            "One message and a close: the receiver has all of it if it calls recv until that gives 0.",
            |trace| {
                let sent = trace.scene(4).role("client").calls(Syscall::Send);
                let received = trace.scene(4).role("server").calls(Syscall::Recv);
                let ended = received.last().is_some_and(|made| made.call.ret == Some(0));
                let whole = sent.len() == 1 && bytes_of(&received) == bytes_of(&sent);
                Verdict::by_calls(ended && whole, sent.into_iter().chain(received))
            },
        ),
        Claim::ours("A recv can cut a character: all the bytes are text, and a piece of them is not.", |trace| {
            let received = arrived(trace, 3);
            let cut = received.iter().copied().filter(|made| std::str::from_utf8(made.call.bytes()).is_err());
            let whole = std::str::from_utf8(&bytes_of(&received)).is_ok();
            Verdict::by_calls(whole && cut.clone().next().is_some(), cut)
        }),
        Claim::ours("If the bytes of an unfinished character are kept, no character is lost.", |trace| {
            let sent = bytes_of(&trace.scene(4).role("client").calls(Syscall::Send));
            let text = std::str::from_utf8(&sent).map_err(|_| Unseen::because("what was sent is no text"))?;
            let printed = trace.scene(4).role("server").printed();
            let all = text.chars().all(|c| printed.iter().filter(|(_, line)| line.contains(c)).count() == 1);
            let none_broken = !printed.iter().any(|(_, line)| line.contains('\u{fffd}'));
            let evidence = printed.into_iter().map(|(event, _)| event);
            Verdict::of(!text.is_empty() && all && none_broken, evidence)
        }),
    ]
}

/// The receives of a scene's server that brought bytes.
fn arrived(trace: &Trace, scene: u32) -> Vec<Made<'_>> {
    trace.scene(scene).role("server").received()
}

/// The receive with 1024 bytes of room.
fn large(trace: &Trace) -> Option<Made<'_>> {
    let asked = |made: &Made<'_>| made.call.get_arg("len").and_then(Value::as_number) == Some(1024);
    arrived(trace, 2).into_iter().find(asked)
}
