//! What the old texts say about a peer that breaks off, and what each call says of it.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, Status, What, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C11", "Whoever breaks off crashes the other side's program.", |trace| {
            let survivors = [trace.scene(1).role("client"), trace.scene(4).role("server")];
            let told: Vec<_> = survivors.iter().filter_map(|role| breaks(role).first().copied()).collect();
            let ends: Vec<_> = survivors.iter().filter_map(exit).collect();
            if told.len() != 2 || ends.len() != 2 {
                return Err(Unseen::because("no role broke off"));
            }
            let crashed = ends.iter().all(|event| status(event) != Some(Status::Code(0)));
            Verdict::of(crashed, [told[0].event, ends[0], told[1].event, ends[1]])
        }),
        Claim::classic(
            "S2-C17",
            "On Linux a client's leaving is seen by testing for an empty message; ConnectionResetError is for Windows.",
            |trace| {
                let server = trace.scene(4).role("server");
                let close = trace.scene(4).role("client").first(Syscall::Close)?;
                let told = server.after(close.event).first(Syscall::Recv)?;
                Verdict::by_calls(told.call.ret == Some(0), [close, told])
            },
        ),
        Claim::classic("S1-C19", "Without the length test, a client that breaks off makes an endless loop.", |trace| {
            let server = trace.scene(4).role("server");
            let told = breaks(&server);
            let told = told.first().ok_or(Unseen::because("no role broke off, or the server went on"))?;
            let end = exit(&server).ok_or(Unseen::because("no role broke off, or the server went on"))?;
            Verdict::of(told.call.ret == Some(0), [told.event, end])
        }),
        Claim::classic(
            "S3-C07",
            "Each socket has two buffers, and a write returns when its data is copied.",
            |trace| {
                let (sent, received) = (big_send(trace, 8), received(trace, 8));
                let sent = sent.ok_or(Unseen::because("the megabyte was not sent"))?;
                let queue = trace.scene(8).role("client").after(sent.event).receive_queues().first().copied();
                let queue = queue.ok_or(Unseen::because("nothing came"))?;
                // Of what send has taken, the peer's buffer has a part, and its program has read nothing yet.
                let copied = sent.call.ret > queue.unread() && received.iter().all(|made| made.event.n > sent.event.n);
                Verdict::of(copied, [sent.event, queue])
            },
        ),
        Claim::classic("S2-C14", "TCP is safe: what was sent arrives.", |trace| {
            let sent = big_send(trace, 8).ok_or(Unseen::because("the megabyte was not sent"))?;
            let received = received(trace, 8);
            let arrived: i64 = received.iter().filter_map(|made| made.call.ret).filter(|len| *len > 0).sum();
            Verdict::by_calls(Some(arrived) == sent.call.ret, std::iter::once(sent).chain(received))
        }),
        Claim::ours("After the peer's goodbye the first send succeeds, and the next one fails with EPIPE.", |trace| {
            let client = trace.scene(1).role("client");
            let killed = exit(&trace.scene(1).role("server")).ok_or(Unseen::because("the server did not go"))?;
            let sends = client.after(killed).calls(Syscall::Send);
            let holds =
                matches!(&sends[..], [first, second] if first.call.ret > Some(0) && second.failed(Errno::EPIPE));
            Verdict::of(holds, std::iter::once(killed).chain(sends.iter().map(|made| made.event)))
        }),
        Claim::ours("Where SIGPIPE is not ignored, that second send kills its process without a word.", |trace| {
            let client = trace.scene(2).role("client");
            let begun = client.events().iter().rfind(|event| matches!(&event.what, What::Begin(_))).copied();
            let end = exit(&client);
            let begun = begun.ok_or(Unseen::because("the client was not in a call when it ended"))?;
            let end = end.ok_or(Unseen::because("the client was not in a call when it ended"))?;
            let in_send = matches!(&begun.what, What::Begin(call) if call.name == Syscall::Send);
            Verdict::of(in_send && status(end) == Some(Status::Signal(13)), [begun, end])
        }),
        Claim::ours("Who closes a socket in which something is unread sends a reset and no goodbye.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            for (number, who, peer) in [(4, "client", "server"), (7, "server", "client"), (8, "server", "client")] {
                let role = trace.scene(number).role(who);
                let close = role.first(Syscall::Close)?;
                let unread = role.before(close.event).receive_queues().last().copied();
                let state = trace.scene(number).role(peer).after(close.event).states().first().copied();
                holds &= unread.and_then(|event| event.unread()) > Some(0);
                holds &= state.and_then(|event| event.state()) == Some(TcpState::Closed);
                evidence.extend(unread.into_iter().chain([close.event]).chain(state));
            }
            Verdict::of(holds, evidence.into_iter().take(6))
        }),
        Claim::ours("A reset is told once, as ECONNRESET; after that recv gives 0, and send EPIPE.", |trace| {
            let [receives, sends] = [5, 6].map(|number| {
                let calls = trace.scene(number).role("server").all_calls().into_iter();
                calls.filter(|made| matches!(made.call.name, Syscall::Recv | Syscall::Send)).collect::<Vec<_>>()
            });
            let [_, reset, zero, pipe] = exactly(receives, "receives and sends of the server in scene 5")?;
            let [reset_first, pipe_next, _, zero_last] = exactly(sends, "receives and sends of the server in scene 6")?;
            let holds = reset.failed(Errno::ECONNRESET)
                && reset_first.failed(Errno::ECONNRESET)
                && [pipe, pipe_next].iter().all(|made| made.failed(Errno::EPIPE))
                && [zero, zero_last].iter().all(|made| made.call.ret == Some(0));
            Verdict::by_calls(holds, [reset, zero, pipe, reset_first, pipe_next, zero_last])
        }),
        Claim::ours("What had arrived before the reset can still be read after it.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            for (number, role) in [(6, "server"), (7, "client")] {
                let role = trace.scene(number).role(role);
                let reset = role.states().into_iter().find(|event| event.state() == Some(TcpState::Closed));
                let reset = reset.ok_or(Unseen::because("there was no reset"))?;
                let read = role.after(reset).calls(Syscall::Recv).first().copied();
                holds &= read.is_some_and(|made| made.call.ret > Some(0));
                evidence.extend(std::iter::once(reset).chain(read.map(|made| made.event)));
            }
            Verdict::of(holds, evidence)
        }),
        Claim::ours("What send accepted and the peer has not got yet is lost with a reset.", |trace| {
            let sent = big_send(trace, 8).ok_or(Unseen::because("the megabyte was not sent"))?;
            let received = received(trace, 8);
            if received.first().is_some_and(|made| made.event.n < sent.event.n) {
                return Err(Unseen::because("the server's kernel has no room for a megabyte: its send had to wait"));
            }
            let total: i64 = received.iter().filter_map(|made| made.call.ret).filter(|len| *len > 0).sum();
            let lost = Some(total) < sent.call.ret && received.iter().any(|made| made.failed(Errno::ECONNRESET));
            Verdict::by_calls(lost, std::iter::once(sent).chain(received))
        }),
        Claim::ours("With half a goodbye, and all input read before close, nothing is lost.", |trace| {
            let sent = big_send(trace, 9).ok_or(Unseen::because("the megabyte was not sent"))?;
            let received = received(trace, 9);
            let total: i64 = received.iter().filter_map(|made| made.call.ret).sum();
            let ends = received.last().is_some_and(|made| made.call.ret == Some(0));
            Verdict::by_calls(Some(total) == sent.call.ret && ends, std::iter::once(sent).chain(received))
        }),
    ]
}

/// A role's receives that say that the peer is gone, in whatever way.
fn breaks<'a>(role: &Selection<'a>) -> Vec<Made<'a>> {
    let mut made = role.calls(Syscall::Recv);
    made.retain(|made| made.call.ret <= Some(0));
    made
}

fn exit<'a>(role: &Selection<'a>) -> Option<&'a Event> {
    role.events().iter().rfind(|event| matches!(event.what, What::Exit(_))).copied()
}

fn status(event: &Event) -> Option<Status> {
    match &event.what {
        What::Exit(exit) => Some(exit.status),
        _ => None,
    }
}

/// The server's send of the megabyte.
fn big_send(trace: &Trace, number: u32) -> Option<Made<'_>> {
    trace.scene(number).role("server").calls(Syscall::Send).first().copied()
}

/// All that the client received of it.
fn received(trace: &Trace, number: u32) -> Vec<Made<'_>> {
    trace.scene(number).role("client").calls(Syscall::Recv)
}
