//! The claims of lab 02.

use socklab::prelude::*;
use socklab::trace::Made;

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C05", "An empty sendto sends a real datagram.", |trace| {
            let scene = trace.scene(1);
            let sent = scene.clone().role("client").first(Sends)?;
            let received = scene.role("server").first(Receives)?;
            let arrived = sent.call.ret == Some(0) && received.call.ret == Some(0);
            let from_client = received.call.get_out("src_addr").and_then(Value::as_word) == Some("client:port");
            Verdict::by_calls(arrived && from_client, [sent, received])
        }),
        Claim::classic("S1-C17", "Over UDP the user may enter an empty line.", |trace| {
            let client = trace.scene(3).role("client");
            let sent = client.first(Sends)?;
            let answer = client.first(Receives)?;
            Verdict::by_calls(sent.call.ret == Some(0) && answer.call.ret == Some(0), [sent, answer])
        }),
        Claim::classic("S0-C07", "recvfrom waits while nothing is queued.", |trace| {
            // The call really sleeps here: its time limit ends it, and nothing else does.
            let late = second_receive(trace)?;
            Verdict::by_calls(late.failed(Errno::EAGAIN) && late.call.after.as_deref() == Some("about 1 s"), [late])
        }),
        Claim::ours("After recvfrom has returned 0, the next datagram still comes.", |trace| {
            let [empty, next] = trace.scene(1).role("server").first_few(Receives)?;
            Verdict::by_calls(empty.call.ret == Some(0) && next.call.ret > Some(0), [empty, next])
        }),
        Claim::ours("When a UDP client ends, its server gets neither data nor an error.", |trace| {
            let closed = trace.scene(4).role("client").first(Syscall::Close)?;
            let late = second_receive(trace)?;
            let silent = late.failed(Errno::EAGAIN) && late.call.after.is_some();
            Verdict::by_calls(silent, [closed, late])
        }),
        Claim::ours("On Linux, FIONREAD gives 0 for an empty datagram, and for no datagram as well.", |trace| {
            let [look, _, _, last] = trace.scene(2).role("server").exactly(Receives)?;
            let queued = |made: Made<'_>| made.call.queues.and_then(|queues| queues.recv);
            if queued(look).is_none() {
                return Err(Unseen::because("the kernel does not report the length of the queue"));
            }
            let (empty, nothing) = (look.call.ret == Some(0), last.failed(Errno::EAGAIN));
            let same = queued(look) == Some(0) && queued(last) == Some(0);
            Verdict::by_calls(empty && nothing && same, [look, last])
        }),
    ]
}

/// The receive of scene 4 that finds an empty queue, after the client has ended.
fn second_receive(trace: &Trace) -> Result<Made<'_>, Unseen> {
    let [first, second] = trace.scene(4).role("server").exactly(Receives)?;
    let closed = trace.scene(4).role("client").first(Syscall::Close)?;
    if second.event.n < closed.event.n || first.call.ret < Some(0) {
        return Err(Unseen::because("the client was not the first to end"));
    }
    Ok(second)
}
