//! What the old texts say about what was not read, and what the queue says.

use socklab::prelude::*;
use socklab::trace::{Data, Made, What, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C18", "What a recv did not read of TCP data stays for the next recv.", |trace| {
            let sends = trace.scene(1).role("client").some(Syscall::Send)?;
            let received = arrived(trace, 1)?;
            let left = trace.scene(1).role("server").receive_queues().get(1).copied();
            let holds = received.len() > 1 && bytes_of(&received) == bytes_of(&sends);
            let evidence = received.iter().map(|made| made.event);
            Verdict::of(holds, evidence.clone().take(1).chain(left).chain(evidence.skip(1)))
        }),
        Claim::classic("S4-C01", "The two pieces are visibly scrambled.", |trace| {
            let mut sends = trace.scene(2).role("client").all_calls();
            sends.retain(|made| made.call.sends());
            let received = arrived(trace, 2)?;
            Verdict::by_calls(bytes_of(&sends) != bytes_of(&received), sends.into_iter().chain(received))
        }),
        Claim::classic("S4-C02", "The two receives give `hello` and `worldSB`.", |trace| {
            let received = arrived(trace, 2)?;
            let given: Vec<&[u8]> = received.iter().map(|made| made.call.bytes()).collect();
            Verdict::by_calls(given == [&b"hello"[..], b"worldSB"], received)
        })
        .about_programs()
        .turned_by("the second recv would have returned worldSB", |trace| {
            let second =
                trace.events.iter_mut().filter(|event| event.scene == 2).find_map(|event| match &mut event.what {
                    What::Call(call) if call.bytes() == b"worldi am ada" => Some(call),
                    _ => None,
                });
            if let Some(call) = second {
                call.ret = Some(7);
                call.data = Some(Data::new(b"worldSB"));
            }
        }),
        Claim::classic("S4-C09", "recv(1024) returns any number of bytes up to 1024.", |trace| {
            let made = large(trace)?;
            Verdict::by_calls(made.call.ret > Some(0) && made.call.ret < Some(1024), [made])
        }),
        Claim::classic("S3-C03", "The number given to recv is an upper limit.", |trace| {
            let server = trace.scene(1).role("server");
            let small = server.first(Syscall::Recv)?;
            let waiting = server.before(small.event).receive_queues().last().copied();
            let limit = small.asked_for();
            let there = waiting.and_then(|event| event.unread());
            if there <= limit {
                return Err(Unseen::because("no more was there than was asked for"));
            }
            Verdict::of(small.call.ret <= limit, waiting.into_iter().chain([small.event]))
        }),
        Claim::classic("S4-C04", "Whoever sends one message and closes has no sticking.", |trace| {
            // Both clients do so. One server calls recv once, the other until it returns 0.
            let client = trace.scene(1).role("client");
            let [sent] = client.exactly(Syscall::Send)?;
            let closed = client.first(Syscall::Close)?;
            let first = *arrived(trace, 1)?.first().ok_or(Unseen::because("the server has received nothing"))?;
            let all_sent = trace.scene(4).role("client").some(Syscall::Send)?;
            let mut received = trace.scene(4).role("server").all_calls();
            received.retain(|made| made.call.name.receives());
            let ended = received.last().is_some_and(|made| made.call.ret == Some(0));
            let to_the_end = ended && bytes_of(&received) == bytes_of(&all_sent);
            let once = first.call.bytes() == sent.call.bytes();
            let calls = [sent, closed, first].into_iter().chain(all_sent).chain(received);
            let evidence = calls.map(|made| made.event);
            Verdict::only_when("the receiver calls recv until it returns 0", to_the_end, to_the_end && once, evidence)
        }),
        Claim::ours("A recv can cut a character: all the bytes are text, and a piece of them is not.", |trace| {
            let received = arrived(trace, 3)?;
            let cut = received.iter().copied().filter(|made| std::str::from_utf8(made.call.bytes()).is_err());
            let whole = std::str::from_utf8(&bytes_of(&received)).is_ok();
            Verdict::by_calls(whole && cut.clone().next().is_some(), cut)
        }),
        Claim::ours("If the bytes of an unfinished character are kept, no character is lost.", |trace| {
            let sent = bytes_of(&trace.scene(4).role("client").some(Syscall::Send)?);
            let text = std::str::from_utf8(&sent).map_err(|_| Unseen::because("what was sent is no text"))?;
            let printed = trace.scene(4).role("server").printed();
            let all = text.chars().all(|c| printed.iter().filter(|(_, line)| line.contains(c)).count() == 1);
            let none_broken = !printed.iter().any(|(_, line)| line.contains('\u{fffd}'));
            let evidence = printed.into_iter().map(|(event, _)| event);
            Verdict::of(!text.is_empty() && all && none_broken, evidence)
        })
        .about_programs(),
    ]
}

/// The receives of a scene's server that brought bytes.
fn arrived(trace: &Trace, scene: u32) -> Result<Vec<Made<'_>>, Unseen> {
    let received = trace.scene(scene).role("server").received();
    if received.is_empty() { Err(Unseen::because("the server has received nothing")) } else { Ok(received) }
}

/// The receive with room for 1024 bytes.
fn large(trace: &Trace) -> Result<Made<'_>, Unseen> {
    let asked = |made: &Made<'_>| made.asked_for() == Some(1024);
    arrived(trace, 2)?.into_iter().find(asked).ok_or(Unseen::because("nothing was received with recv(1024)"))
}
