//! What lab 22 makes of the old texts' sentences on sticking, where requests stick; and of ours.

use socklab::prelude::*;
use socklab::trace::{Made, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S4-C08",
            "As long as what is sent fits recv's argument, nothing sticks; beyond it, it surely does.",
            |trace| {
                let sent = requests(trace, 1)?;
                let received = trace.scene(1).role("server").received();
                let first = *received.first().ok_or(Unseen::because("the server has received nothing"))?;
                let asked = first.asked_for();
                let length = i64::try_from(bytes_of(&sent).len()).ok();
                let fits = length <= asked;
                let apart = sent.iter().any(|one| one.call.bytes() == first.call.bytes());
                if !fits {
                    return Err(Unseen::because("the two requests do not fit"));
                }
                Verdict::by_calls(apart, sent.into_iter().chain([first]))
            },
        ),
        Claim::classic("S0-C20", "Second case: the receiver reads late, and gets several at once.", |trace| {
            let sent = requests(trace, 1)?;
            let received = trace.scene(1).role("server").received();
            let first = *received.first().ok_or(Unseen::because("the server has received nothing"))?;
            let late = sent.iter().all(|one| one.event.n < first.event.n);
            Verdict::by_calls(late && first.call.bytes() == bytes_of(&sent), sent.into_iter().chain([first]))
        }),
        Claim::classic("S0-C14", "They stick because the receiver does not know where a message ends.", |trace| {
            // Both servers look late. In one of the two queues it stands where each message ends.
            let (plain, framed) = (requests(trace, 1)?, requests(trace, 4)?);
            let run = [commands(trace, 1)?, commands(trace, 4)?];
            let stuck = run[0].len() < plain.len();
            let apart = run[1].len() == framed.len();
            Verdict::by_calls(stuck && apart, run.into_iter().flatten())
        }),
        Claim::ours("Two requests that are in the queue when the server looks are run as one command.", |trace| {
            let sent = requests(trace, 1)?;
            let received = trace.scene(1).role("server").received();
            let ran = commands(trace, 1)?;
            let one = received.first().is_some_and(|made| made.call.bytes() == bytes_of(&sent));
            let holds = sent.len() == 2 && one && ran.len() == 1;
            Verdict::by_calls(holds, sent.into_iter().chain(received.into_iter().take(1)).chain(ran))
        }),
        Claim::ours("Then the client waits forever for the second answer.", |trace| {
            let answers = trace.scene(1).role("client").received();
            if answers.is_empty() {
                return Err(Unseen::because("the client received nothing"));
            }
            let found = trace.scene(1).findings();
            let hang = found.iter().any(|event| event.finds_waiting("client"));
            let evidence = answers.iter().map(|made| made.event).chain(found.iter().copied());
            Verdict::of(answers.len() == 1 && hang, evidence)
        }),
        Claim::ours("If the server has read the first request before the second is sent, it runs two.", |trace| {
            let sent = requests(trace, 2)?;
            let received = trace.scene(2).role("server").received();
            let ran = commands(trace, 2)?;
            let same = sent.iter().zip(&received).all(|(one, other)| one.call.bytes() == other.call.bytes());
            let holds = same && sent.len() == received.len() && ran.len() == 2;
            Verdict::by_calls(holds, received.into_iter().chain(ran))
        }),
        Claim::ours("A request that is longer than recv's buffer is run as two commands.", |trace| {
            let sent = trace.scene(3).role("client").first(Sends)?;
            let received = trace.scene(3).role("server").received();
            let Some(pieces) = received.get(..2) else {
                return Err(Unseen::because("there were not two receives"));
            };
            let ran = commands(trace, 3)?;
            let Some(both) = ran.get(..2) else {
                return Err(Unseen::because("there were not two commands"));
            };
            let cut = bytes_of(pieces) == sent.call.bytes() && pieces.iter().all(|made| made.call.ret < sent.call.ret);
            Verdict::by_calls(cut, [sent].into_iter().chain(pieces.iter().chain(both).copied()))
        }),
        Claim::ours(
            "With a length in front of each, three requests in one queue are run as three commands.",
            |trace| {
                let sent = requests(trace, 4)?;
                let received = trace.scene(4).role("server").received();
                let first = *received.first().ok_or(Unseen::because("the server has received nothing"))?;
                let late = sent.iter().all(|made| made.event.n < first.event.n);
                let ran = commands(trace, 4)?;
                let answers = trace.scene(4).role("server").some(Sends)?;
                let holds = late && sent.len() == 3 && ran.len() == 3 && answers.len() == 3;
                Verdict::by_calls(holds, sent.into_iter().chain([first]).chain(ran))
            },
        ),
    ]
}

/// What a scene's client sent.
fn requests(trace: &Trace, scene: u32) -> Result<Vec<Made<'_>>, Unseen> {
    trace.scene(scene).role("client").some(Sends)
}

/// What a scene's server ran.
fn commands(trace: &Trace, scene: u32) -> Result<Vec<Made<'_>>, Unseen> {
    trace.scene(scene).role("server").some(Syscall::System)
}
