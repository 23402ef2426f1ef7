//! What lab 32 makes of the old texts' sentences on receiving a header, and of ours.

use serde_json::Value as Json;
use socklab::prelude::*;
use socklab::trace::{Calls, Made, bytes_of};

/// The header's length, the header, and the body.
const MESSAGE: &[u8] = b"\x10\0\0\0{\"data_size\": 6}hello\n";

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C32",
            "To receive: the length of the header first, then the header, then the data.",
            |trace| {
                let (once, exact) = (received(trace, 1)?, received(trace, 2)?);
                // With one receive for each, the first is the length, the second the header.
                let works_once = pieces(&once).iter().all(|pieces| {
                    pieces[0].call.ret == Some(4) && pieces.get(1).is_some_and(|made| made.call.ret == Some(16))
                });
                let works_exact = pieces(&exact).iter().all(|pieces| bytes_of(pieces) == MESSAGE);
                let evidence = once.iter().chain(&exact).map(|made| made.event);
                Verdict::only_when("each step calls recv until its bytes are there", works_exact, works_once, evidence)
            },
        ),
        Claim::classic("S4-C10", "A header as JSON solves it rather well.", |trace| {
            let (once, exact) = (received(trace, 1)?, received(trace, 2)?);
            // Cut somewhere in the JSON.
            let (once_pieces, exact_pieces) = (pieces(&once), pieces(&exact));
            let [once_cut, exact_cut] = [&once_pieces, &exact_pieces].map(|all| all.get(4..19));
            let (Some(once_cut), Some(exact_cut)) = (once_cut, exact_cut) else {
                return Err(Unseen::because("there are fewer messages"));
            };
            let is_header = |bytes: &[u8]| {
                serde_json::from_slice::<Json>(bytes).is_ok_and(|header| header["data_size"].as_u64() == Some(6))
            };
            let works_once =
                once_cut.iter().all(|pieces| pieces.get(1).is_some_and(|made| is_header(made.call.bytes())));
            let works_exact = exact_cut.iter().all(|pieces| bytes_of(pieces).get(4..20).is_some_and(is_header));
            let evidence = once_cut.iter().chain(exact_cut).flatten().map(|made| made.event);
            Verdict::only_when("the header is received in a loop, too", works_exact, works_once, evidence)
        }),
        Claim::ours("A recv(4) returns fewer than four bytes if the stream is cut in the first four.", |trace| {
            let once = received(trace, 1)?;
            let firsts: Vec<Made<'_>> = pieces(&once).iter().map(|pieces| pieces[0]).collect();
            let expected = (1..=20).map(|cut| Some(cut.min(4)));
            Verdict::by_calls(firsts.iter().map(|made| made.call.ret).eq(expected), firsts.iter().copied())
        }),
        Claim::ours(
            "A cut between the length and the header, or between the header and the body, harms nobody.",
            |trace| {
                let once = received(trace, 1)?;
                let pieces = pieces(&once);
                let (Some(before), Some(behind)) = (pieces.get(3), pieces.get(19)) else {
                    return Err(Unseen::because("there are fewer messages"));
                };
                let holds = [before, behind].iter().all(|pieces| {
                    let lengths: Vec<Option<i64>> = pieces.iter().map(|made| made.call.ret).collect();
                    lengths == [Some(4), Some(16), Some(6)]
                });
                Verdict::by_calls(holds, before.iter().chain(behind).copied())
            },
        ),
        Claim::ours("Called until its bytes are there, recv gives the whole message, one byte at a time.", |trace| {
            let received = received(trace, 3)?;
            let holds = bytes_of(&received) == MESSAGE && received.iter().all(|made| made.call.ret == Some(1));
            Verdict::by_calls(holds, received)
        }),
        Claim::ours("With MSG_WAITALL, one call gives the four bytes that come in two pieces.", |trace| {
            let first = trace.scene(4).role("server").first(Calls::Sends)?;
            let length = trace.scene(4).role("client").first(Calls::Receives)?;
            let holds = first.call.ret == Some(2) && length.call.bytes() == &MESSAGE[..4];
            Verdict::by_calls(holds, [first, length])
        }),
        Claim::ours(
            "MSG_WAITALL gives fewer bytes when the peer leaves, or the time is over, or it must not wait.",
            |trace| {
                let received = trace.scene(5).role("client").exactly::<3>(Calls::Receives)?;
                Verdict::by_calls(received.iter().all(|made| made.call.ret == Some(2)), received)
            },
        ),
    ]
}

/// What the client received in a scene.
fn received(trace: &Trace, scene: u32) -> Result<Vec<Made<'_>>, Unseen> {
    let received = trace.scene(scene).role("client").received();
    if received.is_empty() { Err(Unseen::because("nothing was received")) } else { Ok(received) }
}

/// The receives of each message: all messages are equally long.
fn pieces<'a>(received: &[Made<'a>]) -> Vec<Vec<Made<'a>>> {
    let mut messages: Vec<Vec<Made<'a>>> = Vec::new();
    let mut have = 0;
    for made in received {
        if have % MESSAGE.len() == 0 {
            messages.push(Vec::new());
        }
        have += made.call.bytes().len();
        if let Some(last) = messages.last_mut() {
            last.push(*made);
        }
    }
    messages
}
