//! What lab 28 makes of the old texts' sentence on the receive loop, and of their programs' counter.

use socklab::prelude::*;
use socklab::trace::{Finding, Made, Probe, count_of};

use super::SIZES;

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C26",
            "The cure is to tell the length first, and to receive in a loop until that many bytes are there.",
            |trace| {
                // Scene 8 counts the bytes that came.
                let answers = answers(trace, 8)?;
                let whole = |(size, reads): (&usize, &Vec<Made>)| count_of(reads) == *size as i64;
                let holds = SIZES.iter().zip(&answers).all(whole);
                Verdict::by_calls(holds, answers.iter().filter_map(|reads| reads.last()).copied())
            },
        ),
        Claim::ours(
            "Of an answer that is all in the queue, the old loop takes k reads of 1024, with the least k for which \
             1024·k(k+1)/2 reaches its size.",
            |trace| {
                let answers = answers(trace, 2)?;
                is_in_the_queue(trace)?;
                let takes = |(size, reads): (&usize, &Vec<Made>)| {
                    let count = (1..).find(|k| 1024 * k * (k + 1) / 2 >= *size).unwrap_or(0);
                    count_of(&reads[..count.min(reads.len())]) == (*size).min(1024 * count) as i64
                        && reads.len() == count + usize::from(*size > 1024 * count)
                };
                let holds = SIZES.iter().zip(&answers).all(takes);
                Verdict::by_calls(holds, answers.iter().filter_map(|reads| reads.last()).copied())
            },
        ),
        Claim::ours("An answer of 2,048 bytes is taken whole then; of 2,049 and of 3,073 one byte is left.", |trace| {
            let answers = answers(trace, 2)?;
            is_in_the_queue(trace)?;
            let left = |size: usize| {
                let reads = SIZES.iter().position(|one| *one == size).map(|at| &answers[at]);
                let last = reads.and_then(|reads| reads.last()).and_then(|made| made.call.ret);
                (last, reads.map_or(0, |reads| count_of(reads)) == size as i64)
            };
            let holds =
                left(2048) == (Some(1024), true) && [2049, 3073].iter().all(|size| left(*size) == (Some(1), true));
            Verdict::by_calls(holds, answers[1..5].iter().filter_map(|reads| reads.last()).copied())
        }),
        Claim::ours("Of the same 2,048 bytes in pieces of 512, the loop takes 1,536.", |trace| {
            let pieces = trace.scene(3).role("client").received();
            let [first, second, third, rest] =
                *pieces.first_chunk().ok_or(Unseen::because("four pieces did not come"))?;
            let all = [first, second, third];
            // What is left is received by a call that has room for exactly that.
            let holds = count_of(&all) == 1536 && rest.asked_for() == Some(512);
            Verdict::by_calls(holds, all.into_iter().chain([rest]))
        }),
        Claim::ours("Of three bytes that come one by one, the loop takes two.", |trace| {
            let pieces = trace.scene(3).role("client").received();
            let [first, second, rest] = *pieces.last_chunk().ok_or(Unseen::because("three bytes did not come"))?;
            let holds =
                count_of(&[first, second]) == 2 && first.asked_for() == Some(1024) && rest.asked_for() == Some(1);
            Verdict::by_calls(holds, [first, second, rest])
        }),
        Claim::ours("What the loop left is what the next recv returns: the client takes it for a length.", |trace| {
            let client = trace.scene(1).role("client");
            let asked = client.calls(Sends).into_iter().find(|made| made.call.bytes() == b"echo hello");
            let asked = asked.ok_or(Unseen::because("the client did not ask for the next answer"))?;
            let length = client.after(asked.event).first(Receives)?;
            Verdict::by_calls(length.call.bytes().starts_with(b"70\n2271\n"), [length])
        }),
        Claim::ours(
            "A client that leaves with the rest unread resets the connection: the server's next send fails.",
            |trace| {
                let calls = trace.scene(1).role("server").all_calls();
                let ran = calls.iter().rposition(|made| made.call.name == Syscall::System);
                let next = ran.and_then(|ran| calls.get(ran + 1)).copied();
                let next = next.ok_or(Unseen::because("the server did nothing after the last command"))?;
                Verdict::by_calls(next.failed(Errno::ECONNRESET), [next])
            },
        ),
        Claim::ours(
            "Behind a header in JSON, the rest is taken for the header: four digits of text are a length of 839528503.",
            |trace| {
                if cfg!(target_endian = "big") {
                    return Err(Unseen::because("in this machine's order they are another number"));
                }
                let received = trace.scene(4).role("client").received();
                let last = received.last_chunk().ok_or(Unseen::because("no second header came"))?;
                let [four, header] = *last;
                let holds = four.call.bytes() == 839_528_503_u32.to_le_bytes()
                    && header.call.bytes().starts_with(b"271\n2272\n");
                Verdict::by_calls(holds, [four, header])
            },
        ),
        Claim::ours("A rest that is a number is believed, and both sides wait forever.", |trace| {
            let client = trace.scene(5).role("client");
            let asked = client.calls(Sends).into_iter().find(|made| made.call.bytes() == b"echo hello");
            let asked = asked.ok_or(Unseen::because("the client did not ask for the next answer"))?;
            let length = client.after(asked.event).first(Receives)?;
            let found = trace.scene(5).finding(Finding::EveryoneWaits);
            let holds = length.call.bytes() == b"540\n" && found.is_ok();
            Verdict::of(holds, [length.event].into_iter().chain(found.ok()))
        }),
        Claim::ours("An answer that ends after half of its bytes ends the loop as a whole one does.", |trace| {
            let client = trace.scene(6).role("client");
            let reads: Vec<Made> = client.calls(Receives).into_iter().skip(1).collect();
            let end = client.end()?;
            let last = reads.last().ok_or(Unseen::because("nothing was received"))?;
            let holds = count_of(&reads) == 1500 && last.call.ret == Some(0) && last.call.errno.is_none();
            Verdict::of(holds, reads.iter().map(|made| made.event).chain([end]))
        }),
        Claim::ours("If the answer ends before its first byte, the loop never ends.", |trace| {
            let client = trace.scene(7).role("client");
            let last = client.last(Receives)?;
            let found = trace.scene(7).finding(Finding::RoleGoesRound);
            let holds = last.call.ret == Some(0) && found.is_ok();
            Verdict::of(holds, [last.event].into_iter().chain(found.ok()))
        }),
    ]
}

/// What was received of each answer of `SIZES` in a scene: the reads that gave data after each question.
fn answers(trace: &Trace, scene: u32) -> Result<Vec<Vec<Made<'_>>>, Unseen> {
    let mut answers: Vec<Vec<Made<'_>>> = Vec::new();
    for made in trace.scene(scene).role("client").all_calls() {
        if made.call.name.sends() {
            answers.push(Vec::new());
        } else if made.call.name.receives()
            && let Some(answer) = answers.last_mut()
        {
            answer.push(made);
        }
    }
    let complete = answers.len() == SIZES.len() && answers.iter().all(|reads| !reads.is_empty());
    if complete { Ok(answers) } else { Err(Unseen::because("the client did not ask for all six")) }
}

/// Whether each answer of scene 2 was in the client's queue, all of it, before the client read the first byte.
fn is_in_the_queue(trace: &Trace) -> Result<(), Unseen> {
    let queues = trace.scene(2).role("client").receive_queues();
    let was = |size: &usize| {
        queues
            .iter()
            .any(|event| matches!(event.probe(), Some(Probe::ReceiveQueue { recv, .. }) if *recv as usize == *size))
    };
    if SIZES.iter().all(was) { Ok(()) } else { Err(Unseen::because("an answer was not in the queue as a whole")) }
}
