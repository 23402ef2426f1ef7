//! What the old texts say about the empty line, and what the queues and the waits say.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C04", "An empty send puts nothing on its way, however often it is repeated.", |trace| {
            let scene = trace.scene(2);
            let sends = empty_sends(&scene.clone().role("client"));
            let first = sends.first().copied().ok_or(Unseen::because("there is no empty send"))?;
            let look = scene.clone().role("server").first(Syscall::Recv)?;
            let arrived = scene.after(first.event).before(look.event).receive_queues();
            let holds = sends.len() > 1 && arrived.is_empty() && look.call.errno == Some(Errno::EAGAIN);
            Verdict::of(holds, sends.iter().map(|made| made.event).chain(arrived).chain([look.event]))
        }),
        Claim::classic("S1-C15", "The hang on an empty line is a recv on an empty buffer.", |trace| {
            let scene = trace.scene(1);
            let last = empty_sends(&scene.clone().role("client"))
                .last()
                .copied()
                .ok_or(Unseen::because("no empty line was sent"))?;
            let waits = scene.waits(Syscall::Recv).into_iter();
            let roles = ["server", "client"];
            let last_waits: Vec<_> =
                roles.iter().filter_map(|role| waits.clone().rfind(|e| e.role.as_deref() == Some(*role))).collect();
            let after = last_waits.iter().any(|wait| wait.n > last.event.n);
            let holds = last_waits.len() == 2 && after && !scene.findings().is_empty();
            Verdict::of(holds, std::iter::once(last.event).chain(last_waits))
        }),
        Claim::classic("S0-C06", "recv waits while the buffer is empty.", |trace| {
            let scene = trace.scene(2);
            let closed = scene.clone().role("client").first(Syscall::Close)?;
            // The server waits in recv, its queue stays empty, and then there is the goodbye. Does the call return?
            let server = scene.role("server");
            let wait = server.waits(Syscall::Recv).last().copied().ok_or(Unseen::because("no role waited in recv"))?;
            let returned = server.after(closed.event).calls(Syscall::Recv).first().copied();
            if returned.is_some_and(|made| made.call.ret != Some(0)) {
                return Err(Unseen::because("the buffer was not empty"));
            }
            let evidence = [wait, closed.event].into_iter().chain(returned.map(|made| made.event));
            Verdict::of(returned.is_none(), evidence)
        }),
        Claim::ours("The peer's goodbye makes recv give 0; an empty send never does.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            let mut empty = 0;
            for number in 1..=4 {
                let scene = trace.scene(number);
                empty += empty_sends(&scene.clone().role("client")).len();
                let zeros = scene.calls(Syscall::Recv).into_iter().filter(|made| made.call.ret == Some(0));
                for zero in zeros {
                    let other = scene.clone().before(zero.event).only(|event| event.role != zero.event.role);
                    let goodbye = other.calls(Syscall::Close).last().copied();
                    holds &= goodbye.is_some();
                    evidence.extend(goodbye);
                    evidence.push(zero);
                }
            }
            if evidence.is_empty() || empty == 0 {
                return Err(Unseen::because("no recv gave 0, or nothing empty was sent"));
            }
            evidence.truncate(4);
            Verdict::by_calls(holds, evidence)
        }),
        Claim::ours("With a newline as end mark, an empty line is a message, and gets its answer.", |trace| {
            let client = trace.scene(4).role("client");
            let sent = client.calls(Syscall::Send).into_iter().find(|made| made.call.bytes() == b"\n");
            let sent = sent.ok_or(Unseen::because("no empty line was sent"))?;
            let answer = client.after(sent.event).calls(Syscall::Recv).first().copied();
            let holds = answer.is_some_and(|made| made.call.bytes() == b"\n");
            Verdict::by_calls(holds, std::iter::once(sent).chain(answer))
        }),
    ]
}

fn empty_sends<'a>(role: &Selection<'a>) -> Vec<Made<'a>> {
    role.calls(Syscall::Send)
        .into_iter()
        .filter(|made| made.call.data.as_ref().is_some_and(|data| data.len == 0))
        .collect()
}
