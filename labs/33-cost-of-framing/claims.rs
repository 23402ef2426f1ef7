//! What the old texts say about the price of a frame around the data, and what the frames on the wire say.

use socklab::prelude::*;
use socklab::trace::{Event, Sent};

/// The scenes: each way of framing, on a wire that takes no time and on one of 20 ms.
const LOW: [u32; 2] = [1, 4];
const TWO_SENDS: [u32; 2] = [2, 5];
const ONE_SEND: [u32; 2] = [3, 6];

/// Which answer waits for a delayed acknowledgement depends on it.
const THRESHOLD: &str = "ipv4/tcp_pingpong_thresh";

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C27",
            "The low version is low because its extra send for the length multiplies the delay of the network.",
            |trace| {
                let multiplies = |low: &[Sent], one: &[Sent]| is_held(low) && round_trips(low) > round_trips(one);
                let [low, one] = [exchange(trace, LOW[1], "two")?, exchange(trace, ONE_SEND[1], "two")?];
                let [near_low, near_one] = [exchange(trace, LOW[0], "two")?, exchange(trace, ONE_SEND[0], "two")?];
                let condition = "the network has a delay: each round trip costs it once more";
                let (with, without) = (multiplies(&low, &one), multiplies(&near_low, &near_one));
                Verdict::only_when(condition, with, without, events(low.into_iter().chain(one)))
            },
        ),
        Claim::classic(
            "S2-C18",
            "In stdout + stderr, the + is a point to optimise: the parts need not be joined.",
            |trace| {
                trace.pinned(THRESHOLD)?;
                let [two, one] = [exchange(trace, TWO_SENDS[0], "two")?, exchange(trace, ONE_SEND[0], "two")?];
                let condition = "the parts still leave together, as with sendmsg (lab 23): two sends cost a timer";
                let (with, without) = (timers(&one) == 0, timers(&two) == 0);
                Verdict::only_when(condition, with, without, events(two.into_iter().chain(one)))
            },
        ),
        Claim::ours(
            "Two sends are no faster than the low version: two round trips, and a timer if the question \
             follows at once.",
            |trace| {
                trace.pinned(THRESHOLD)?;
                let [low, two] = [exchange(trace, LOW[1], "two")?, exchange(trace, TWO_SENDS[1], "two")?];
                let slower = round_trips(&two) >= round_trips(&low) && timers(&two) > timers(&low);
                Verdict::of(slower && timers(&low) == 0, events(two))
            },
        ),
        Claim::ours(
            "In two sends, an answer waits for a delayed acknowledgement if its question follows at once \
             on the last one.",
            |trace| {
                trace.pinned(THRESHOLD)?;
                let [near, far] = [exchange(trace, TWO_SENDS[0], "two")?, exchange(trace, TWO_SENDS[1], "two")?];
                let holds = timers(&near) == 1 && timers(&far) == 1;
                Verdict::of(holds, events(near.into_iter().chain(far).filter(|sent| sent.frame.by_timer)))
            },
        ),
        Claim::ours("The first answer of a connection waits for no timer.", |trace| {
            let [near, far] = [exchange(trace, TWO_SENDS[0], "one")?, exchange(trace, TWO_SENDS[1], "one")?];
            Verdict::of(timers(&near) + timers(&far) == 0, events(near))
        }),
        Claim::ours("In two sends, even the first answer takes two round trips.", |trace| {
            let first = exchange(trace, TWO_SENDS[1], "one")?;
            Verdict::of(round_trips(&first) == 2, events(first))
        }),
        Claim::ours("In one send, an answer takes one round trip and waits for nothing else.", |trace| {
            let [near, far] = [exchange(trace, ONE_SEND[0], "two")?, exchange(trace, ONE_SEND[1], "two")?];
            let holds = [&near, &far].into_iter().all(|one| round_trips(one) == 1 && timers(one) == 0);
            Verdict::of(holds, events(near.into_iter().chain(far)))
        }),
    ]
}

/// The frames from a question to the last one of its answer, which is the same in capital letters.
fn exchange<'a>(trace: &'a Trace, scene: u32, question: &str) -> Result<Vec<Sent<'a>>, Unseen> {
    let answer = question.to_ascii_uppercase();
    let frames = trace.scene(scene).frames();
    let asks = |sent: &Sent<'_>| sent.is_from("client") && sent.frame.payload.bytes == question.as_bytes();
    let answers = |sent: &Sent<'_>| sent.is_from("server") && sent.frame.payload.bytes.ends_with(answer.as_bytes());
    match (frames.iter().position(asks), frames.iter().position(answers)) {
        (Some(first), Some(last)) if first < last => Ok(frames[first..=last].to_vec()),
        _ => Err(Unseen::because("a question or its answer was not on the wire")),
    }
}

/// How often the direction changed from the client to the server and back.
fn round_trips(frames: &[Sent<'_>]) -> usize {
    let from_client: Vec<bool> = frames.iter().map(|sent| sent.is_from("client")).collect();
    from_client.windows(2).filter(|pair| pair[0] && !pair[1]).count()
}

fn timers(frames: &[Sent<'_>]) -> usize {
    frames.iter().filter(|sent| sent.frame.by_timer).count()
}

/// Whether the wire held each of them for a time.
fn is_held(frames: &[Sent<'_>]) -> bool {
    frames.iter().all(|sent| sent.frame.held.is_some())
}

fn events<'a>(frames: impl IntoIterator<Item = Sent<'a>>) -> Vec<&'a Event> {
    frames.into_iter().map(|sent| sent.event).collect()
}
