//! What the old texts say about a sender that collects, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Sent, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C15", "The sender does it: TCP collects small data before it sends (Nagle).", |trace| {
            let left = left(trace, 1);
            Verdict::of(payloads(&left) == [b"hellofeng"], left.iter().map(|sent| sent.event))
        }),
        Claim::classic("S2-C09", "The sender joins small sends that follow each other closely.", |trace| {
            // If closeness did it, it would do it in each of these scenes.
            let (fresh, slow) = (left(trace, 1), left(trace, 3));
            let joined = fresh.len() < sends(trace, 1) && slow.len() < sends(trace, 3);
            Verdict::of(joined, fresh.into_iter().chain(slow).map(|sent| sent.event))
        }),
        Claim::classic("S0-C20", "The sender waits until its buffer is full (also S4-C07).", |trace| {
            let left = left(trace, 3);
            let joined = left.get(1).ok_or(Unseen::because("the sender has joined nothing"))?;
            let before = trace.scene(3).before(joined.event).frames().pop();
            let full = joined.frame.payload.len >= FULL;
            Verdict::of(full, before.into_iter().chain([*joined]).map(|sent| sent.event))
        }),
        Claim::ours(
            "While a small segment is not acknowledged, small sends wait, and leave together once it is.",
            |trace| {
                let scenes = [2, 3].map(|scene| (left(trace, scene), released(trace, scene)));
                let holds = scenes.iter().all(|(left, by)| payloads(left) == [&b"A"[..], b"BC"] && by.is_some());
                let evidence = scenes.into_iter().flat_map(|(left, by)| left.into_iter().take(1).chain(by));
                let last = [2, 3].into_iter().filter_map(|scene| left(trace, scene).pop());
                let mut all: Vec<Sent<'_>> = evidence.chain(last).collect();
                all.sort_by_key(|sent| sent.event.n);
                Verdict::of(holds, all.into_iter().map(|sent| sent.event))
            },
        ),
        Claim::ours(
            "Write, write, read: the first question is answered at once, the second waits for a timer.",
            |trace| {
                let [_, _, head, body] = exactly(left(trace, 4), "heads and bodies that left by themselves")?;
                let between =
                    |from: &Sent<'_>, to: &Sent<'_>| trace.scene(4).after(from.event).before(to.event).frames();
                let timers = |frames: Vec<Sent<'_>>| frames.iter().filter(|sent| sent.frame.by_timer).count();
                let at_once = timers(trace.scene(4).before(head.event).frames()) == 0;
                let by_timer: Vec<Sent<'_>> = between(&head, &body);
                let evidence = [head].into_iter().chain(by_timer.clone()).chain([body]).map(|sent| sent.event);
                Verdict::of(at_once && timers(by_timer) == 1, evidence)
            },
        ),
        Claim::ours("With TCP_NODELAY each send is a segment of its own, acknowledged or not.", |trace| {
            let left = left(trace, 5);
            Verdict::of(payloads(&left) == [b"A", b"B", b"C"], left.iter().map(|sent| sent.event))
        }),
        Claim::ours("TCP_CORK, MSG_MORE and sendmsg give one segment, and wait for no acknowledgement.", |trace| {
            let all = [6, 7, 8].map(|scene| left(trace, scene));
            let one = all.iter().all(|left| payloads(left) == [b"ABC"]);
            Verdict::of(one, all.iter().flatten().map(|sent| sent.event))
        }),
        Claim::ours("However the bytes travel, the server has the same three.", |trace| {
            let printed: Vec<_> = (2..=8).flat_map(|scene| trace.scene(scene).role("server").printed()).collect();
            let same = printed.len() == 6 && printed.iter().all(|(_, line)| *line == "ABC");
            Verdict::of(same, printed.into_iter().map(|(event, _)| event))
        }),
    ]
}

/// What a segment holds on this wire, RFC 9293, 3.7.1: 1500 bytes without two heads of 20, and 12 of timestamps.
const FULL: usize = 1448;

/// The frames with data that a scene's client sent.
fn left(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    let mut frames = trace.scene(scene).frames();
    frames.retain(|sent| sent.is_from("client") && sent.frame.payload.len > 0);
    frames
}

fn payloads<'a>(frames: &[Sent<'a>]) -> Vec<&'a [u8]> {
    frames.iter().map(|sent| &sent.frame.payload.bytes[..]).collect()
}

/// How often a scene's client called send.
fn sends(trace: &Trace, scene: u32) -> usize {
    trace.scene(scene).role("client").calls(Syscall::Send).len()
}

/// The acknowledgement right behind which the last data of a scene's client left.
fn released(trace: &Trace, scene: u32) -> Option<Sent<'_>> {
    let last = left(trace, scene).pop()?;
    let before = trace.scene(scene).before(last.event).frames().pop()?;
    (before.is_from("server") && before.frame.payload.len == 0).then_some(before)
}
