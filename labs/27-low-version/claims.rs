//! What lab 27 makes of the old texts' sentences on the low version, and of ours.

use socklab::prelude::*;
use socklab::trace::{Made, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C26",
            "The cure is to tell the length first, and to receive in a loop until that many bytes are there.",
            |trace| {
                // The longest answer: its length, and the pieces that came after it.
                let received = trace.scene(1).role("client").received();
                let announced = received.iter().position(|made| made.call.bytes() == b"1892");
                let announced = announced.ok_or(Unseen::because("no answer of 1892 bytes was announced"))?;
                let pieces = &received[announced + 1..];
                let sum: i64 = pieces.iter().take(2).filter_map(|piece| piece.call.ret).sum();
                // One recv cannot bring more than 1024 bytes: without the loop there is no whole answer.
                let holds = sum == 1892 && pieces.iter().all(|piece| piece.call.ret < Some(1892));
                Verdict::by_calls(holds, received[announced..].iter().take(3).copied())
            },
        ),
        Claim::classic(
            "S0-C27",
            "The low version is low because its extra send for the length multiplies the delay of the network.",
            |_| Err(Unseen::because("this host has no network with a delay; lab 33 has one")),
        ),
        Claim::classic("S0-C14", "Messages stick because the receiver does not know where they end.", |trace| {
            let client = sends(trace, 3, "client")?;
            let server = trace.scene(3).role("server").received();
            let two_in_one = |one: &&Made| {
                client.windows(2).any(|two| one.call.bytes() == [two[0].call.bytes(), two[1].call.bytes()].concat())
            };
            let stuck = server.iter().find(two_in_one).copied();
            Verdict::by_calls(stuck.is_some(), client.iter().copied().skip(1).chain(stuck))
        }),
        Claim::ours("Each answer takes two exchanges: the client waits for the length, then for the data.", |trace| {
            let client = trace.scene(1).role("client");
            let asked = sends(trace, 1, "client")?[0];
            let data = client.received().into_iter().find(|made| made.call.bytes() == b"hello\n");
            let data = data.ok_or(Unseen::because("the first answer did not come"))?;
            let waits = client.after(asked.event).before(data.event).waits(Syscall::Recv);
            Verdict::of(waits.len() == 2, waits)
        }),
        Claim::ours("Without the acknowledgement, length and answer can come in one piece.", |trace| {
            let sends = sends(trace, 2, "server")?;
            let received = trace.scene(2).role("client").received();
            let first = received.first().ok_or(Unseen::because("the client received nothing"))?;
            let both = sends.iter().flat_map(|made| made.call.bytes()).copied().collect::<Vec<_>>();
            let holds = sends.len() == 2 && first.call.bytes() == both;
            Verdict::by_calls(holds, sends.iter().copied().chain([*first]))
        }),
        Claim::ours("With it, a command right behind an empty answer can leave both sides waiting forever.", |trace| {
            let server = trace.scene(3).role("server").received();
            let last = server.last().ok_or(Unseen::because("the server received nothing"))?;
            let found = trace.scene(3).findings();
            let all_wait = |what: &What| matches!(what, What::Finding { waiting, .. } if waiting.len() == 2);
            let holds = found.iter().any(|event| all_wait(&event.what));
            Verdict::of(holds, [last.event].into_iter().chain(found))
        }),
    ]
}

/// What a role sent in a scene, by whichever call: once at least.
fn sends<'a>(trace: &'a Trace, scene: u32, role: &str) -> Result<Vec<Made<'a>>, Unseen> {
    let mut calls = trace.scene(scene).role(role).all_calls();
    calls.retain(|made| made.call.name.sends());
    if calls.is_empty() { Err(Unseen::because("nothing was sent")) } else { Ok(calls) }
}
