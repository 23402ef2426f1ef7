//! What the old texts say about large sends, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Fate, Proto, Sent, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C21", "If data is longer than the MTU, TCP splits it into several packets.", |trace| {
            let made = trace.scene(1).role("client").first(Syscall::Send)?;
            let segments = segments(trace, 1)?;
            let [first, last] = [segments.first(), segments.last()].map(|sent| sent.ok_or(NO_SEGMENT));
            let [first, last] = [first?, last?];
            let all = lens(&segments).iter().sum::<usize>() == 20_000;
            Verdict::of(
                made.call.ret == Some(20_000) && all && segments.len() > 1,
                [made.event, first.event, last.event],
            )
        }),
        Claim::ours("With an MTU of 1500, 1448 bytes leave in one segment, and 1500 bytes in two.", |trace| {
            let [fitting, other] = trace.scene(4).role("client").exactly(Syscall::Send)?;
            let segments = segments(trace, 4)?;
            let sent = (fitting.call.ret, other.call.ret) == (Some(1448), Some(1500));
            let events = [fitting.event].into_iter().chain(segments.iter().take(1).map(|sent| sent.event));
            let events = events.chain([other.event]).chain(segments.iter().skip(1).map(|sent| sent.event));
            Verdict::of(sent && lens(&segments) == [1448, 1448, 52], events)
        }),
        Claim::ours(
            "While the peer's window is wide open, all segments of a large send but the last are full.",
            |trace| {
                let [wide, narrow] = [segments(trace, 1)?, segments(trace, 2)?];
                let full = |segments: &[Sent<'_>], most: usize| {
                    segments.split_last().is_some_and(|(last, others)| {
                        others.iter().all(|sent| sent.frame.payload.len == most) && last.frame.payload.len <= most
                    })
                };
                let holds = full(&wide, 1500 - HEADERS) && full(&narrow, 576 - HEADERS);
                let shown = [wide, narrow].into_iter().flat_map(|segments| segments.into_iter().rev().take(2).rev());
                Verdict::of(holds, shown.map(|sent| sent.event))
            },
        ),
        Claim::ours("On a new connection ten segments leave. The eleventh waits for an acknowledgement.", |trace| {
            let bursts = [first_burst(trace, 1)?, first_burst(trace, 2)?];
            let ten = bursts.iter().all(|burst| burst.len() == 11);
            let shown = bursts.iter().flat_map(|burst| burst.iter().rev().take(2).rev());
            Verdict::of(ten, shown.map(|sent| sent.event))
        }),
        Claim::ours("A server that reads late gets pieces of 4096 bytes, and not the segments' 1448.", |trace| {
            let segments = segments(trace, 1)?;
            let first = segments.first().ok_or(NO_SEGMENT)?;
            let received = trace.scene(1).role("server").received();
            if received.is_empty() {
                return Err(Unseen::because("the server has received nothing"));
            }
            let same =
                received.iter().any(|made| lens(&segments).contains(&made.call.data.as_ref().map_or(0, |d| d.len)));
            let all: i64 = received.iter().filter_map(|made| made.call.ret).sum();
            Verdict::of(all == 20_000 && !same, [first.event].into_iter().chain(received.iter().map(|made| made.event)))
        }),
        Claim::ours("TCP cuts so that IP need not: no packet of it is longer than the MTU, or a fragment.", |trace| {
            let all = [segments(trace, 1)?, segments(trace, 4)?].concat();
            let longest = all.iter().max_by_key(|sent| sent.frame.bytes.len).ok_or(NO_SEGMENT)?;
            Verdict::of(
                !all.iter().any(Sent::is_fragment) && longest.frame.bytes.len <= ETHERNET + 1500,
                [longest.event],
            )
        }),
        Claim::ours("Over loopback the same 20,000 bytes are one segment.", |trace| {
            let client = trace.scene(3).role("client");
            let made = client.last(Syscall::Send)?;
            let info = client.last(Syscall::GetSockOpt)?;
            let one = info.event.number("tcpi_data_segs_out") == Some(1);
            Verdict::by_calls(made.call.ret == Some(20_000) && one, [made, info])
        }),
        Claim::ours("A large datagram is cut by IP, and one recvfrom gives it whole.", |trace| {
            let calls = trace.scene(5).role("client").all_calls();
            let made = calls.into_iter().find(|made| made.call.sends()).ok_or(Unseen::because("nothing was sent"))?;
            let pieces: Vec<_> = trace.scene(5).frames().into_iter().filter(Sent::is_fragment).collect();
            let received = trace.scene(5).role("server").received();
            let received = *received.first().ok_or(Unseen::because("nothing was received"))?;
            let whole = lens(&pieces) == [1472, 1480, 1048] && received.call.ret == made.call.ret;
            let events = [made.event].into_iter().chain(pieces.iter().map(|sent| sent.event));
            Verdict::of(whole && made.call.ret == Some(4000), events.chain([received.event]))
        }),
        Claim::ours("If one fragment is lost, the whole datagram is, and nobody sends it again.", |trace| {
            let scene = trace.scene(6);
            let lost: Vec<_> = scene.frames().into_iter().filter(|sent| sent.frame.fate == Fate::Dropped).collect();
            let received = scene.clone().role("server").received();
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

/// The bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// The bytes of an IP header, and of a TCP header with timestamps.
const HEADERS: usize = 20 + 32;

/// The segments of a scene that carry data.
fn segments(trace: &Trace, scene: u32) -> Result<Vec<Sent<'_>>, Unseen> {
    let mut frames = trace.scene(scene).frames();
    frames.retain(|sent| matches!(sent.frame.proto, Proto::Tcp(_)) && sent.frame.payload.len > 0);
    if frames.is_empty() { Err(NO_SEGMENT) } else { Ok(frames) }
}

/// The segments with data that leave before anything comes back, and the frame behind them.
fn first_burst(trace: &Trace, scene: u32) -> Result<Vec<Sent<'_>>, Unseen> {
    let frames = trace.scene(scene).frames();
    let has_data = |sent: &Sent<'_>| sent.frame.payload.len > 0;
    let begin = frames.iter().position(has_data).ok_or(NO_SEGMENT)?;
    let length = frames[begin..].iter().take_while(|sent| has_data(sent)).count();
    Ok(frames[begin..].iter().take(length + 1).copied().collect())
}

fn lens(frames: &[Sent<'_>]) -> Vec<usize> {
    frames.iter().map(|sent| sent.frame.payload.len).collect()
}
