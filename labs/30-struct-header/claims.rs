//! What lab 30 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Made, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C28", "Header and data go out in one send.", |trace| {
            let sends = trace.scene(1).role("server").calls(Syscall::Send);
            let first = sends.first().ok_or(Unseen::because("nothing was sent"))?;
            Verdict::by_calls(first.call.bytes().len() > 4, sends)
        }),
        Claim::classic("S0-C29", "struct turns a number into bytes of a fixed length.", |trace| {
            // The headers for 6 and for 0.
            let headers = [first_send(trace, 1), first_send(trace, 2)].into_iter().flatten();
            let headers: Vec<Made> = headers.collect();
            Verdict::by_calls(headers.len() == 2 && headers.iter().all(|made| made.call.ret == Some(4)), headers)
        }),
        Claim::classic("S0-C32", "To receive: recv(4) for the length, then the data.", |trace| {
            let received = trace.scene(6).role("client").calls(Syscall::Recv);
            let first = received.first().ok_or(Unseen::because("nothing was received"))?;
            Verdict::by_calls(first.call.ret == Some(4), received.into_iter().take(2))
        }),
        Claim::ours(
            "A receiver that calls recv until it has four bytes gets all of a header that comes in two pieces.",
            |trace| {
                let client = trace.scene(6).role("client");
                // The first header, the rest of it and its answer took three calls.
                let received: Vec<Made> = client.calls(Syscall::Recv).into_iter().skip(3).collect();
                let answer = received
                    .iter()
                    .position(|made| asked_for(made) == Some(5))
                    .ok_or(Unseen::because("no second header was received"))?;
                let pieces = &received[..answer];
                let header: Vec<u8> = pieces.iter().flat_map(|made| made.call.bytes()).copied().collect();
                let said = client.printed().into_iter().find(|(_, text)| *text == "a header of 4 bytes: 5");
                let whole = pieces.len() > 1 && header == 5_i32.to_ne_bytes() && said.is_some();
                Verdict::of(whole, pieces.iter().map(|made| made.event).chain(said.map(|(event, _)| event)))
            },
        ),
        Claim::ours("With a header an answer of no bytes arrives: the client does not wait for ever.", |trace| {
            let client = trace.scene(2).role("client");
            let header = client.calls(Syscall::Recv);
            let ended = client.events().iter().any(|event| matches!(event.what, What::Exit(_)));
            Verdict::by_calls(ended && header.first().is_some_and(|made| made.call.bytes() == [0; 4]), header)
        }),
        Claim::ours("The order of the four bytes is the sender's own: in network order its 6 is 100663296.", |trace| {
            if cfg!(target_endian = "big") {
                return Err(Unseen::because("this machine's own order is network order"));
            }
            let sent = first_send(trace, 3).map(|made| made.event);
            let read = trace.scene(3).role("client").printed().into_iter().find(|(_, text)| *text == "i32 100663296");
            Verdict::of(read.is_some(), sent.into_iter().chain(read.map(|(event, _)| event)))
        }),
        Claim::ours("A client that believes any length can be made to wait for ever.", |trace| {
            if cfg!(target_endian = "big") {
                return Err(Unseen::because("this machine's own order is network order, so the length is right"));
            }
            let found = trace.scene(3).findings();
            Verdict::of(found.iter().any(|event| client_waits(&event.what)), found)
        }),
        Claim::ours("A client that states a limit refuses the same length, and ends.", |trace| {
            if cfg!(target_endian = "big") {
                return Err(Unseen::because("this machine's own order is network order, so nothing is refused"));
            }
            let client = trace.scene(4).role("client");
            let refused: Vec<_> = client.printed().into_iter().filter(|(_, text)| text.ends_with("refused")).collect();
            let ends: Vec<_> =
                client.events().iter().filter(|event| matches!(event.what, What::Exit(_))).copied().collect();
            let holds = !refused.is_empty() && !ends.is_empty();
            Verdict::of(holds, refused.into_iter().map(|(event, _)| event).chain(ends))
        }),
    ]
}

/// How many bytes a receive had room for.
fn asked_for(made: &Made) -> Option<i64> {
    made.call.get_arg("len").and_then(Value::as_number)
}

fn client_waits(what: &What) -> bool {
    matches!(what, What::Finding { waiting, .. } if waiting.iter().any(|one| one.role == "client"))
}

fn first_send(trace: &Trace, scene: u32) -> Option<Made<'_>> {
    trace.scene(scene).role("server").calls(Syscall::Send).first().copied()
}
