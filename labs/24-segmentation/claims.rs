//! What the old texts say about large sends, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Fate, Made, Proto, Sent, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C21", "Data that is longer than the MTU is split into several packets.", |trace| {
            let made = send(trace, 1).ok_or(NO_SEGMENT)?;
            let segments = segments(trace, 1);
            let first = segments.first().ok_or(NO_SEGMENT)?;
            let last = segments.last().ok_or(NO_SEGMENT)?;
            let all = lens(&segments).iter().sum::<usize>() == 20_000;
            Verdict::of(
                made.call.ret == Some(20_000) && all && segments.len() > 1,
                [made.event, first.event, last.event],
            )
        }),
        Claim::ours("Yet it is not the MTU that decides: 1500 bytes go in two segments, and 1448 in one.", |trace| {
            let [fitting, other] = trace.scene(4).role("client").exactly(Syscall::Send)?;
            let segments = segments(trace, 4);
            let sent = (fitting.call.ret, other.call.ret) == (Some(1448), Some(1500));
            let events = [fitting.event].into_iter().chain(segments.iter().take(1).map(|sent| sent.event));
            let events = events.chain([other.event]).chain(segments.iter().skip(1).map(|sent| sent.event));
            Verdict::of(sent && lens(&segments) == [1448, 1448, 52], events)
        }),
        Claim::ours("All segments of a large send are full, but for the last one.", |trace| {
            let full = |scene, most: usize| {
                let segments = segments(trace, scene);
                let (last, others) = segments.split_last()?;
                let shown = [others.last()?.event, last.event];
                (others.iter().all(|sent| sent.frame.payload.len == most) && last.frame.payload.len <= most)
                    .then_some(shown)
            };
            let shown = [full(1, 1500 - HEADS), full(2, 576 - HEADS)];
            Verdict::of(shown.iter().all(Option::is_some), shown.into_iter().flatten().flatten())
        }),
        Claim::ours("At first ten segments go. The eleventh waits for an acknowledgement.", |trace| {
            let first_burst = |scene| {
                let frames = trace.scene(scene).frames();
                let begin = frames.iter().position(|sent| sent.frame.payload.len > 0)?;
                let burst: Vec<_> =
                    frames[begin..].iter().take_while(|sent| sent.frame.payload.len > 0).copied().collect();
                let then = frames.get(begin + burst.len()).copied()?;
                (burst.len() == 10).then(|| [burst[9].event, then.event])
            };
            let shown = [first_burst(1), first_burst(2)];
            Verdict::of(shown.iter().all(Option::is_some), shown.into_iter().flatten().flatten())
        }),
        Claim::ours("What the receiver's calls return has nothing to do with the segments.", |trace| {
            let segments = segments(trace, 1);
            let first = segments.first().ok_or(NO_SEGMENT)?;
            let received = trace.scene(1).role("server").calls(Syscall::Recv);
            let received: Vec<_> = received.into_iter().filter(|made| made.call.ret > Some(0)).collect();
            let same =
                received.iter().any(|made| lens(&segments).contains(&made.call.data.as_ref().map_or(0, |d| d.len)));
            let all: i64 = received.iter().filter_map(|made| made.call.ret).sum();
            Verdict::of(all == 20_000 && !same, [first.event].into_iter().chain(received.iter().map(|made| made.event)))
        }),
        Claim::ours("TCP cuts, so that IP need not: none of its segments is a fragment.", |trace| {
            let all: Vec<_> = [1, 2, 4].into_iter().flat_map(|scene| segments(trace, scene)).collect();
            let longest = all.iter().max_by_key(|sent| sent.frame.bytes.len).ok_or(NO_SEGMENT)?;
            Verdict::of(!all.iter().any(Sent::is_fragment) && longest.frame.bytes.len <= 14 + 1500, [longest.event])
        }),
        Claim::ours("On the loopback the same 20,000 bytes are one segment.", |trace| {
            let client = trace.scene(3).role("client");
            let made = client.last(Syscall::Send)?;
            let info = client.last(Syscall::GetSockOpt)?;
            let one = info.event.number("tcpi_data_segs_out") == Some(1);
            Verdict::by_calls(made.call.ret == Some(20_000) && one, [made, info])
        }),
        Claim::ours("A large datagram is cut by IP, and one recvfrom gives it whole.", |trace| {
            let made = trace.scene(5).role("client").first(Syscall::SendTo)?;
            let pieces: Vec<_> = trace.scene(5).frames().into_iter().filter(Sent::is_fragment).collect();
            let received = trace.scene(5).role("server").first(Syscall::RecvFrom)?;
            let whole = lens(&pieces) == [1472, 1480, 1048] && received.call.ret == made.call.ret;
            let events = [made.event].into_iter().chain(pieces.iter().map(|sent| sent.event));
            Verdict::of(whole && made.call.ret == Some(4000), events.chain([received.event]))
        }),
        Claim::ours("If one fragment is lost, the whole datagram is, and nobody sends it again.", |trace| {
            let scene = trace.scene(6);
            let lost: Vec<_> = scene.frames().into_iter().filter(|sent| sent.frame.fate == Fate::Dropped).collect();
            let received = scene.clone().role("server").calls(Syscall::RecvFrom);
            let [lost] = exactly(lost, "frames that were dropped")?;
            let small = received.len() == 1 && received[0].call.ret == Some(5);
            let fragments = scene.frames().iter().filter(|sent| sent.is_fragment()).count();
            let waits = scene.findings();
            let events = [lost.event].into_iter().chain(received.iter().map(|made| made.event)).chain(waits);
            Verdict::of(small && fragments == 3, events)
        }),
    ]
}

const NO_SEGMENT: Unseen = Unseen::because("no segment was seen");

/// The bytes of IP's head, and of TCP's with timestamps.
const HEADS: usize = 20 + 32;

/// A scene's first send.
fn send(trace: &Trace, scene: u32) -> Option<Made<'_>> {
    trace.scene(scene).role("client").calls(Syscall::Send).into_iter().next()
}

/// The segments of a scene that carry data.
fn segments(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    let mut frames = trace.scene(scene).frames();
    frames.retain(|sent| matches!(sent.frame.proto, Proto::Tcp(_)) && sent.frame.payload.len > 0);
    frames
}

fn lens(frames: &[Sent<'_>]) -> Vec<usize> {
    frames.iter().map(|sent| sent.frame.payload.len).collect()
}
