//! What the old texts say about the price of a frame around the data, and what the frames on the wire say.

use socklab::prelude::*;
use socklab::trace::{Event, Sent};

/// The scenes: each way of framing, on a wire that takes no time and on one of 20 ms.
const LOW: [u32; 2] = [1, 4];
const TWO_SENDS: [u32; 2] = [2, 5];
const ONE_SEND: [u32; 2] = [3, 6];

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C27",
            "The low version is slow: its extra send multiplies the delay of the network.",
            |trace| {
                let [low, one] = [LOW[1], ONE_SEND[1]].map(|scene| exchange(trace, scene, "two"));
                Verdict::of(round_trips(&low) > round_trips(&one), events(low.into_iter().chain(one)))
            },
        ),
        Claim::ours(
            "The header in two sends, which took its place, is no faster: two round trips and a timer.",
            |trace| {
                let [low, two] = [LOW[1], TWO_SENDS[1]].map(|scene| exchange(trace, scene, "two"));
                let slower = round_trips(&two) >= round_trips(&low) && timers(&two) > timers(&low);
                Verdict::of(slower && timers(&low) == 0, events(two))
            },
        ),
        Claim::classic("S0-C28", "Header and data go out in one send.", |trace| {
            let sends = trace.scene(TWO_SENDS[0]).role("server").calls(Syscall::Send);
            let answers = trace.scene(TWO_SENDS[0]).role("client").printed().len();
            Verdict::by_calls(sends.len() == answers, sends)
        }),
        Claim::classic(
            "S2-C18",
            "It saves work to send the parts of an answer as they are, without joining them.",
            |trace| {
                let [two, one] = [TWO_SENDS[0], ONE_SEND[0]].map(|scene| exchange(trace, scene, "two"));
                let saves = timers(&two) == 0 && two.len() <= one.len();
                Verdict::of(saves, events(two.into_iter().chain(one)))
            },
        ),
        Claim::ours("In two sends, every answer but the first waits for a delayed acknowledgement.", |trace| {
            let firsts = TWO_SENDS.map(|scene| exchange(trace, scene, "one"));
            let seconds = TWO_SENDS.map(|scene| exchange(trace, scene, "two"));
            let holds = firsts.iter().all(|first| !first.is_empty() && timers(first) == 0);
            let holds = holds && seconds.iter().all(|second| timers(second) == 1);
            Verdict::of(holds, events(seconds.into_iter().flatten().filter(|sent| sent.frame.by_timer)))
        }),
        Claim::ours("In two sends, even the first answer takes two round trips.", |trace| {
            let first = exchange(trace, TWO_SENDS[1], "one");
            Verdict::of(round_trips(&first) == 2, events(first))
        }),
        Claim::ours("In one send, an answer takes one round trip and waits for nothing else.", |trace| {
            let all: Vec<_> = ONE_SEND.map(|scene| exchange(trace, scene, "two")).into();
            let holds = all.iter().all(|one| round_trips(one) == 1 && timers(one) == 0);
            Verdict::of(holds, events(all.into_iter().flatten()))
        }),
    ]
}

/// The frames from a question to the last one of its answer, which is the same in capital letters.
fn exchange<'a>(trace: &'a Trace, scene: u32, question: &str) -> Vec<Sent<'a>> {
    let answer = question.to_ascii_uppercase();
    let frames = trace.scene(scene).frames();
    let asks = |sent: &Sent<'_>| sent.is_from("client") && sent.frame.payload.bytes == question.as_bytes();
    let answers = |sent: &Sent<'_>| sent.is_from("server") && sent.frame.payload.bytes.ends_with(answer.as_bytes());
    match (frames.iter().position(asks), frames.iter().position(answers)) {
        (Some(first), Some(last)) if first < last => frames[first..=last].to_vec(),
        _ => Vec::new(),
    }
}

/// How often the word has gone from the client to the server and back.
fn round_trips(frames: &[Sent<'_>]) -> usize {
    let from_client: Vec<bool> = frames.iter().map(|sent| sent.is_from("client")).collect();
    from_client.windows(2).filter(|pair| pair[0] && !pair[1]).count()
}

fn timers(frames: &[Sent<'_>]) -> usize {
    frames.iter().filter(|sent| sent.frame.by_timer).count()
}

fn events<'a>(frames: impl IntoIterator<Item = Sent<'a>>) -> Vec<&'a Event> {
    frames.into_iter().map(|sent| sent.event).collect()
}
