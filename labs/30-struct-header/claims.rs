//! What lab 30 makes of the old texts' sentences on the struct header, and of ours.

use socklab::prelude::*;
use socklab::trace::{Made, What, bytes_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C28", "Header and data go out in one send.", |trace| {
            let sends = trace.scene(1).role("server").some(Syscall::Send)?;
            // The header alone has four bytes.
            Verdict::by_calls(sends[0].call.ret > Some(4), sends)
        })
        .about_programs(),
        Claim::classic("S0-C29", "struct turns a number into bytes of a fixed length.", |trace| {
            // The headers for 6 and for 0.
            let headers = [header(trace, 1)?, header(trace, 2)?];
            Verdict::by_calls(headers.iter().all(|made| made.call.ret == Some(4)), headers)
        })
        .about_programs(),
        Claim::classic(
            "S0-C32",
            "To receive: the length of the header first, then the header, then the data.",
            |trace| {
                let received = trace.scene(6).role("client").received();
                let once = received.first().ok_or(Unseen::because("nothing was received"))?;
                let again = pieces_of_second_header(&received)?;
                let holds = |pieces: &[Made]| bytes_of(pieces).len() == 4;
                let condition = "each step calls recv until its bytes are there";
                let evidence = [once].into_iter().chain(again).map(|made| made.event);
                Verdict::only_when(condition, holds(again), holds(&[*once]), evidence)
            },
        ),
        Claim::ours(
            "A receiver that calls recv until it has four bytes gets all of a header that comes in two pieces.",
            |trace| {
                let received = trace.scene(6).role("client").received();
                let pieces = pieces_of_second_header(&received)?;
                let whole = pieces.len() > 1 && bytes_of(pieces) == 5_i32.to_ne_bytes();
                Verdict::by_calls(whole, pieces.iter().copied())
            },
        ),
        Claim::ours("With a header, an empty answer arrives: the client does not wait forever.", |trace| {
            let header = trace.scene(2).role("client").first(Syscall::Recv)?;
            let waits = trace.scene(2).findings().into_iter().any(|event| event.finds_waiting("client"));
            Verdict::by_calls(header.call.bytes() == [0; 4] && !waits, [header])
        }),
        Claim::ours(
            "The four bytes do not say their order: this machine's 6 is 100663296 in network order.",
            |trace| {
                if cfg!(target_endian = "big") {
                    return Err(Unseen::because("this machine's own order is network order"));
                }
                let received = trace.scene(3).role("client").received();
                let [header, answer] = *received.first_chunk().ok_or(Unseen::because("the answer did not come"))?;
                let holds = answer.call.ret == Some(6)
                    && header.call.bytes() == 6_i32.to_ne_bytes()
                    && header.call.bytes() == 100_663_296_i32.to_be_bytes();
                Verdict::by_calls(holds, [header, answer])
            },
        ),
        Claim::ours("A client that believes any length can be made to wait forever.", |trace| {
            if cfg!(target_endian = "big") {
                return Err(Unseen::because("this machine's own order is network order, so the length is right"));
            }
            let header = trace.scene(3).role("client").first(Syscall::Recv)?;
            let found = trace.scene(3).findings();
            let waits = found.iter().any(|event| event.finds_waiting("client"));
            Verdict::of(waits, [header.event].into_iter().chain(found))
        }),
        Claim::ours("A client with a limit reads the same length, waits for nothing and ends.", |trace| {
            if cfg!(target_endian = "big") {
                return Err(Unseen::because("this machine's own order is network order, so nothing is refused"));
            }
            let client = trace.scene(4).role("client");
            let header = client.first(Syscall::Recv)?;
            let after = client.after(header.event);
            let end = after.events().iter().find_map(|event| match &event.what {
                What::Exit(exit) => Some((*event, exit)),
                _ => None,
            });
            let (event, exit) = end.ok_or(Unseen::because("the client did not end"))?;
            let read = header.call.bytes() == 100_663_296_i32.to_be_bytes();
            let holds = read && exit.is_good() && after.waits(Syscall::Recv).is_empty();
            Verdict::of(holds, [header.event, event])
        }),
    ]
}

/// What the server sends first in a scene.
fn header(trace: &Trace, scene: u32) -> Result<Made<'_>, Unseen> {
    trace.scene(scene).role("server").first(Syscall::Send)
}

/// The receives that brought the second header of scene 6: they stand between the first answer and the second one.
fn pieces_of_second_header<'a, 'b>(received: &'b [Made<'a>]) -> Result<&'b [Made<'a>], Unseen> {
    let mut answers = (0..received.len()).filter(|index| received[*index].asked_for() == Some(5));
    match (answers.next(), answers.next()) {
        (Some(first), Some(second)) if first + 1 < second => Ok(&received[first + 1..second]),
        _ => Err(Unseen::because("no second header was received")),
    }
}
