//! What the old texts say about the two buffers, and what becomes of the bytes in them.

use socklab::prelude::*;
use socklab::trace::{Calls, Event, Made, count_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C01", "Over TCP, send puts data into one's own buffer.", |trace| {
            let client = trace.scene(1).role("client");
            let sent = client.last(Calls::Sends)?;
            let queue = client.after(sent.event).send_queues().first().copied();
            let queue = queue.ok_or(Unseen::because("nobody looked at the client's send queue"))?;
            Verdict::of(queue.unacknowledged() == sent.call.ret && sent.call.ret > Some(0), [sent.event, queue])
        }),
        Claim::classic("S0-C01", "Over TCP, receive takes data out of one's own buffer.", |trace| {
            let server = trace.scene(6).role("server");
            let read = server.first(Calls::Receives)?;
            let queues = server.receive_queues();
            let before = queues.iter().rfind(|queue| queue.n < read.event.n).copied();
            let after = queues.iter().find(|queue| queue.n > read.event.n).copied();
            let nobody = Unseen::because("nobody looked at the server's receive queue");
            let (before, after) = before.zip(after).ok_or(nobody)?;
            let taken = before.unread().zip(after.unread()).map(|(before, after)| before - after);
            let holds = taken == read.call.ret && read.call.ret > Some(0);
            Verdict::of(holds, [before, read.event, after])
        }),
        Claim::ours(
            "After a close with nothing unread the kernel goes on sending what is in the send queue.",
            |trace| goes_on(trace, 1, |trace| Ok(trace.scene(1).role("client").last(Syscall::Close)?.event)),
        ),
        Claim::ours("It does so after the process was killed, too.", |trace| {
            goes_on(trace, 2, |trace| trace.scene(2).role("client").end())
        }),
        Claim::ours("What the peer's kernel has acknowledged can be lost: its program has not read it.", |trace| {
            let client = trace.scene(3).role("client");
            let sent = client.clone().first(Calls::Sends)?;
            let asked = client.clone().first(Syscall::Ioctl)?;
            let died = trace.scene(3).role("server").end()?;
            let learned = client.last(Calls::Receives)?;
            let reads = trace.scene(3).role("server").calls(Calls::Receives);
            let all = asked.call.get_out("argp").and_then(Value::as_number) == Some(0) && sent.call.ret > Some(0);
            let lost = reads.is_empty() && learned.failed(Errno::ECONNRESET);
            Verdict::of(all && lost, [sent.event, asked.event, died, learned.event])
        }),
        Claim::ours("After a close with unread bytes nobody sends what waits in the peer's send queue.", |trace| {
            let (client, server) = (trace.scene(4).role("client"), trace.scene(4).role("server"));
            let close = server.first(Syscall::Close)?;
            let full = client.clone().before(close.event).send_queues().last().copied();
            let full = full.ok_or(Unseen::because("nobody looked at the client's send queue"))?;
            let reset = client.comes_into(TcpState::Closed)?;
            let left = client.clone().after(reset).first(Syscall::Ioctl)?;
            let next = client.after(left.event).first(Calls::Sends)?;
            let waits = left.call.get_out("argp").and_then(Value::as_number);
            let same = waits == full.unacknowledged() && waits > Some(0);
            Verdict::of(same && next.failed(Errno::ECONNRESET), [full, close.event, reset, left.event, next.event])
        }),
        Claim::ours(
            "A 0 from recv behind a shutdown is the peer's FIN; here the server had read everything before it closed.",
            |trace| {
                let (client, server) = (trace.scene(5).role("client"), trace.scene(5).role("server"));
                let end = client.last(Calls::Receives)?;
                let sent = count_of(&client.some(Calls::Sends)?);
                let reads = server.some(Calls::Receives)?;
                let last = *reads.last().ok_or(Unseen::because("the server has not read"))?;
                let close = server.first(Syscall::Close)?;
                let holds = end.call.ret == Some(0) && count_of(&reads) == sent && close.event.n < end.event.n;
                Verdict::by_calls(holds && last.call.ret == Some(0), [last, close, end])
            },
        ),
        Claim::ours("Only an answer of the peer's program says that it has done something with the data.", |trace| {
            let [with, without] = [6, 7].map(|number| answer_of(trace, number));
            let (with, without) = (with?, without?);
            // Both servers have read the record; only one has stored it.
            let read = trace.scene(7).role("server").first(Calls::Receives)?;
            let holds = with.call.ret == Some(7) && without.call.ret == Some(0) && read.call.ret == Some(7);
            Verdict::by_calls(holds, [with, read, without])
        }),
    ]
}

/// Whether the server gets all that the client had sent before the event `gone`, and then the end of the stream.
fn goes_on(trace: &Trace, number: u32, gone: fn(&Trace) -> Result<&Event, Unseen>) -> Checked {
    let (client, server) = (trace.scene(number).role("client"), trace.scene(number).role("server"));
    let gone = gone(trace)?;
    let sent = count_of(&client.some(Calls::Sends)?);
    let waits = client.before(gone).send_queues().last().copied();
    let waits = waits.ok_or(Unseen::because("nobody looked at the client's send queue"))?;
    let reads = server.after(gone).some(Calls::Receives)?;
    let [first, last] = [reads.first(), reads.last()].map(|made| made.ok_or(Unseen::because("nothing was read")));
    let (first, last) = (first?, last?);
    let all = waits.unacknowledged() > Some(0) && count_of(&reads) == sent && last.call.ret == Some(0);
    Verdict::of(all, [waits, gone, first.event, last.event])
}

/// The last thing that the client received.
fn answer_of(trace: &Trace, number: u32) -> Result<Made<'_>, Unseen> {
    trace.scene(number).role("client").last(Calls::Receives)
}
