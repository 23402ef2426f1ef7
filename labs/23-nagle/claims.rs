//! What the old texts say about a sender that collects, and what the frames say.

use socklab::prelude::*;
use socklab::trace::{Event, Sent, What, bytes_of, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C15",
            "The sender causes it: TCP often collects enough data before it sends, and usually joins small sends.",
            |trace| {
                let [fresh, slow] = [left(trace, 1)?, left(trace, 2)?];
                let [waited, at_once] = [slow.len() < 3, payloads(&fresh) == [b"hellofeng"]];
                let evidence = fresh.into_iter().chain(slow).map(|sent| sent.event);
                Verdict::only_when(UNACKNOWLEDGED, waited, at_once, evidence)
            },
        ),
        Claim::classic("S2-C09", "The sender joins small sends that follow each other closely.", |trace| {
            let [fresh, slow] = [left(trace, 1)?, left(trace, 3)?];
            let [waited, at_once] = [slow.len() < 3, fresh.len() < 2];
            let evidence = fresh.into_iter().chain(slow).map(|sent| sent.event);
            Verdict::only_when(UNACKNOWLEDGED, waited, at_once, evidence)
        }),
        Claim::classic("S0-C20", "The sender waits until its buffer is full (also S4-C07).", |trace| {
            let left = left(trace, 3)?;
            let joined = left.get(1).ok_or(Unseen::because("the sender has joined nothing"))?;
            let before = trace.scene(3).before(joined.event).frames().pop();
            let full = joined.frame.payload.len >= FULL;
            Verdict::of(full, before.into_iter().chain([*joined]).map(|sent| sent.event))
        })
        .turned_by("the second segment would have been a full one", |trace| {
            let of_client = |event: &&mut Event| event.scene == 3;
            let frames = trace.events.iter_mut().filter(of_client).filter_map(|event| match &mut event.what {
                What::Frame(frame) if frame.payload.bytes == b"BC" => Some(frame),
                _ => None,
            });
            frames.for_each(|frame| frame.payload.len = FULL);
        }),
        Claim::classic(
            "S3-C08",
            "What is written may be sent at once, or be merged and sent later. The program does not control it.",
            |trace| {
                let [fresh, slow, apart, joined] = [left(trace, 1)?, left(trace, 2)?, left(trace, 5)?, left(trace, 6)?];
                let either = payloads(&fresh) == [&b"hello"[..], b"feng"] && payloads(&slow) == [&b"A"[..], b"BC"];
                let controlled = payloads(&apart) == [b"A", b"B", b"C"] && payloads(&joined) == [b"ABC"];
                let condition = "the program does not ask for TCP_NODELAY, TCP_CORK or MSG_MORE";
                let evidence = [fresh, slow, apart, joined].concat();
                Verdict::only_when(condition, either, either && !controlled, evidence.iter().map(|sent| sent.event))
            },
        ),
        Claim::ours(
            "While a small segment is unacknowledged, small sends wait. Its acknowledgement lets them leave together.",
            |trace| {
                let scenes = [(left(trace, 2)?, released(trace, 2)), (left(trace, 3)?, released(trace, 3))];
                let holds = scenes.iter().all(|(left, by)| payloads(left) == [&b"A"[..], b"BC"] && by.is_some());
                let mut all: Vec<Sent<'_>> =
                    scenes.into_iter().flat_map(|(left, by)| left.into_iter().chain(by)).collect();
                all.sort_by_key(|sent| sent.event.n);
                Verdict::of(holds, all.into_iter().map(|sent| sent.event))
            },
        ),
        Claim::ours(
            "Write, write, read, and a server that answers at once: the second question waits for a timer, the first \
             does not.",
            |trace| {
                trace.pinned("ipv4/tcp_pingpong_thresh")?;
                let [_, _, header, body] = exactly(left(trace, 4)?, "headers and bodies that left by themselves")?;
                let between =
                    |from: &Sent<'_>, to: &Sent<'_>| trace.scene(4).after(from.event).before(to.event).frames();
                let timers = |frames: Vec<Sent<'_>>| frames.iter().filter(|sent| sent.frame.by_timer).count();
                let at_once = timers(trace.scene(4).before(header.event).frames()) == 0;
                let by_timer: Vec<Sent<'_>> = between(&header, &body);
                let evidence = [header].into_iter().chain(by_timer.clone()).chain([body]).map(|sent| sent.event);
                Verdict::of(at_once && timers(by_timer) == 1, evidence)
            },
        ),
        Claim::ours(
            "With TCP_NODELAY three small sends leave as three segments, before any acknowledgement.",
            |trace| {
                let left = left(trace, 5)?;
                let last = left.last().ok_or(NOTHING_LEFT)?;
                let acknowledged = trace.scene(5).before(last.event).frames();
                let acknowledged =
                    acknowledged.iter().any(|sent| sent.is_from("server") && sent.frame.ack > left[0].frame.seq);
                let holds = payloads(&left) == [b"A", b"B", b"C"] && !acknowledged;
                Verdict::of(holds, left.iter().map(|sent| sent.event))
            },
        ),
        Claim::ours("With TCP_CORK, MSG_MORE or one sendmsg, three small parts leave as one segment.", |trace| {
            let all = [left(trace, 6)?, left(trace, 7)?, left(trace, 8)?];
            let one = all.iter().all(|left| payloads(left) == [b"ABC"]);
            Verdict::of(one, all.iter().flatten().map(|sent| sent.event))
        }),
        Claim::ours("However the bytes travel, the server receives the same three.", |trace| {
            let scenes = [2, 3, 5, 6, 7, 8].map(|scene| trace.scene(scene).role("server").received());
            if scenes.iter().all(Vec::is_empty) {
                return Err(Unseen::because("the server has received nothing"));
            }
            let same = scenes.iter().all(|received| bytes_of(received) == b"ABC");
            Verdict::by_calls(same, scenes.concat())
        }),
    ]
}

const UNACKNOWLEDGED: &str = "earlier data is not acknowledged yet";

const NOTHING_LEFT: Unseen = Unseen::because("no data left the client");

/// What a full segment holds on this wire: 1500 bytes less two headers of 20, and 12 of timestamps.
const FULL: usize = 1448;

/// The frames with data that a scene's client sent.
fn left(trace: &Trace, scene: u32) -> Result<Vec<Sent<'_>>, Unseen> {
    let mut frames = trace.scene(scene).frames();
    frames.retain(|sent| sent.is_from("client") && sent.frame.payload.len > 0);
    if frames.is_empty() { Err(NOTHING_LEFT) } else { Ok(frames) }
}

fn payloads<'a>(frames: &[Sent<'a>]) -> Vec<&'a [u8]> {
    frames.iter().map(|sent| &sent.frame.payload.bytes[..]).collect()
}

/// The acknowledgement right behind which the last data of a scene's client left.
fn released(trace: &Trace, scene: u32) -> Option<Sent<'_>> {
    let last = left(trace, scene).ok()?.pop()?;
    let before = trace.scene(scene).before(last.event).frames().pop()?;
    (before.is_from("server") && before.frame.payload.len == 0).then_some(before)
}
