//! What lab 02 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::Made;

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C05", "An empty sendto sends a real datagram, which arrives.", |trace| {
            let scene = trace.scene(1);
            let sent = scene.clone().role("client").first(Syscall::SendTo)?;
            let received = scene.role("server").first(Syscall::RecvFrom)?;
            let arrived = sent.call.ret == Some(0) && received.call.ret == Some(0);
            let from_client = received.call.get_out("src_addr").and_then(Value::as_word) == Some("client:port");
            Verdict::by_calls(arrived && from_client, [sent, received])
        }),
        Claim::classic("S1-C17", "Over UDP the user may enter an empty line, and gets its answer.", |trace| {
            let client = trace.scene(3).role("client");
            let sent = client.first(Syscall::SendTo)?;
            let answer = client
                .first(Syscall::RecvFrom)
                .ok()
                .filter(|answer| sent.call.ret == Some(0) && answer.call.ret == Some(0));
            Verdict::by_calls(answer.is_some(), [sent].into_iter().chain(answer))
        }),
        Claim::classic("S0-C07", "recvfrom waits while nothing is queued.", |trace| {
            let server = trace.scene(1).role("server");
            let waits = server.waits(Syscall::RecvFrom);
            let wait = waits.first().ok_or(NO_DATAGRAM)?;
            let received = server.first(Syscall::RecvFrom)?;
            let sent = trace.scene(1).role("client").before(received.event).calls(Syscall::SendTo);
            let Some(sent) = sent.first() else { return Verdict::by_calls(false, [received]) };
            let waited = wait.n < sent.event.n && sent.event.n < received.event.n;
            Verdict::of(waited, [*wait, sent.event, received.event])
        }),
        Claim::ours("0 from recvfrom is no goodbye: the next datagram still comes.", |trace| {
            let received = trace.scene(1).role("server").calls(Syscall::RecvFrom);
            let empty = received.iter().find(|made| made.call.ret == Some(0)).ok_or(NO_DATAGRAM)?;
            let next = received.iter().find(|made| made.event.n > empty.event.n && made.call.ret > Some(0));
            Verdict::by_calls(next.is_some(), [*empty].into_iter().chain(next.copied()))
        }),
        Claim::ours("When a UDP client ends, its server is not told: it goes on waiting.", |trace| {
            let scene = trace.scene(1);
            let (client, server) = (scene.clone().role("client"), scene.clone().role("server"));
            let closed = client.first(Syscall::Close)?;
            let not_told = server.calls(Syscall::RecvFrom).len() == client.calls(Syscall::SendTo).len();
            let waits = server.after(closed.event).waits(Syscall::RecvFrom);
            Verdict::of(not_told && !waits.is_empty(), [closed.event].into_iter().chain(waits))
        }),
        Claim::ours("\"0 bytes in the queue\" (FIONREAD) does not mean that no datagram is there.", |trace| {
            let [look, last] = trace.scene(2).role("server").exactly(Syscall::Recv)?;
            let queued = |made: Made<'_>| made.call.queues.and_then(|queues| queues.recv);
            if queued(look).is_none() {
                return Err(Unseen::because("the kernel does not tell the length of the queue"));
            }
            let (empty, nothing) = (look.call.ret == Some(0), last.call.errno == Some(Errno::EAGAIN));
            let same = queued(look) == Some(0) && queued(last) == Some(0);
            Verdict::by_calls(empty && nothing && same, [look, last])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");
