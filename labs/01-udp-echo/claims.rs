//! The claims of lab 01.

use socklab::prelude::*;
use socklab::trace::{Event, Made};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C03", "UDP is a service of datagrams.", |trace| {
            // Two clients' datagrams are in one queue, and each receive takes one of them, whole.
            let scene = trace.scene(2);
            let received = scene.clone().role("server").calls(Receives);
            let first = received.first().ok_or(NO_DATAGRAM)?;
            let clients = scene.before(first.event).only(|event| event.role.as_deref() != Some("server"));
            let sent = clients.calls(Sends);
            let same = |(sent, received): (&Made<'_>, &Made<'_>)| sent.call.data == received.call.data;
            let whole = sent.len() > 1 && received.len() >= sent.len() && sent.iter().zip(&received).all(same);
            let evidence: Vec<_> = sent.iter().chain(received.iter().take(sent.len())).copied().collect();
            Verdict::by_calls(whole, evidence)
        }),
        Claim::classic("S0-C02", "TCP uses send and recv, UDP uses sendto and recvfrom.", |trace| {
            // The same call, send, before and after the socket was connected.
            let client = trace.scene(5).role("client");
            let connected = client.first(Syscall::Connect)?;
            let [before, after] = client.exactly(Sends)?;
            if before.event.n > connected.event.n || after.event.n < connected.event.n {
                return Err(NO_DATAGRAM);
            }
            let is_refused = |made: Made<'_>| made.call.ret == Some(-1);
            Verdict::only_when(
                "an unconnected socket sends",
                is_refused(before),
                is_refused(after),
                [before.event, connected.event, after.event],
            )
        }),
        Claim::classic("S3-C06", "With sendto the client must carry its own address.", |trace| {
            // The address that the server is given is in no argument of the client's: the kernel chose it.
            let scene = trace.scene(4);
            let client = scene.clone().role("client");
            let [before, after] = client.first_few(Syscall::GetSockName)?;
            let sent = client.first(Sends)?;
            let server = scene.role("server");
            let received = server.first(Receives)?;
            let seen = received.call.get_out("src_addr");
            let gave = client.before(received.event).all_calls();
            let given = |seen| gave.iter().any(|made| made.call.args.iter().any(|(_, value)| value == seen));
            let answers = server.calls(Sends);
            let is_answered = answers.iter().any(|made| seen.is_some() && made.call.get_arg("dest_addr") == seen);
            Verdict::by_calls(seen.is_none_or(given) || !is_answered, [before, sent, after, received])
        }),
        Claim::classic("S0-C01", "Receive takes data out of one's own buffer.", |trace| {
            let (sent, arrived, received) = in_between(trace)?;
            let kept = arrived.unread() == sent.call.ret && arrived.role == received.event.role;
            let taken = received.call.data == sent.call.data;
            Verdict::of(kept && taken, [sent.event, arrived, received.event])
        }),
        Claim::classic("S0-C01", "Send puts data into one's own buffer.", |trace| {
            let (sent, ..) = in_between(trace)?;
            match sent.call.queues.and_then(|queues| queues.send) {
                Some(left) if left > 0 => Verdict::by_calls(true, [sent]),
                _ => Err(Unseen::because("a datagram has left that buffer before one can look")),
            }
        }),
        Claim::classic("S1-C20", "Only bytes can be sent.", |trace| {
            // A line with letters of more than one byte: what the kernel counts and delivers are the bytes.
            let scene = trace.scene(1);
            let text = |made: &Made<'_>| std::str::from_utf8(made.call.bytes()).is_ok_and(|text| !text.is_ascii());
            let sent = scene.clone().role("client").calls(Sends).into_iter().find(text).ok_or(NO_DATAGRAM)?;
            let received = scene.after(sent.event).role("server").first(Receives)?;
            let bytes = Some(sent.call.bytes().len() as i64);
            let counted = sent.call.ret == bytes && received.call.ret == bytes;
            Verdict::by_calls(counted && received.call.data == sent.call.data, [sent, received])
        }),
        Claim::ours(
            "On one machine a datagram is in the receiver's queue before the receiver acts, and nothing of it stays \
             with the sender.",
            |trace| {
                let (sent, arrived, received) = in_between(trace)?;
                let left = sent.call.queues.and_then(|queues| queues.send).ok_or(NO_DATAGRAM)?;
                let holds = left == 0 && arrived.unread() == sent.call.ret && arrived.n < received.event.n;
                Verdict::of(holds, [sent.event, arrived, received.event])
            },
        ),
        Claim::ours(
            "What does not fit the receiver's buffer is lost: the call does not fail, and the rest \
             does not come later.",
            |trace| {
                let scene = trace.scene(3);
                let [long, short] = scene.clone().role("client").first_few(Sends)?;
                let [cut, next] = scene.role("server").first_few(Receives)?;
                let is_cut = cut.call.ret < long.call.ret && cut.call.errno.is_none();
                Verdict::by_calls(is_cut && next.call.data == short.call.data, [long, cut, short, next])
            },
        ),
        Claim::ours("One socket serves two clients: each answer arrives where its question came from.", |trace| {
            let scene = trace.scene(2);
            let server = scene.clone().role("server");
            let [first, second] = server.first_few(Receives)?;
            let from = |made: Made<'_>| made.call.get_out("src_addr").cloned();
            let answered = |asked: Made<'_>| {
                let role = from(asked)?.as_word()?.split(':').next()?.to_owned();
                let answer = *scene.clone().role(&role).calls(Receives).first()?;
                Some(answer).filter(|answer| answer.call.bytes().eq_ignore_ascii_case(asked.call.bytes()))
            };
            let (one, other) = (answered(first), answered(second));
            let there = one.is_some() && other.is_some() && from(first) != from(second);
            Verdict::by_calls(there, [Some(first), Some(second), one, other].into_iter().flatten())
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

/// A send, what the kernel reported of the receiver's queue before the receiver acted, and the receive.
fn in_between(trace: &Trace) -> Result<(Made<'_>, &Event, Made<'_>), Unseen> {
    let scene = trace.scene(4);
    let sent = scene.clone().role("client").first(Sends)?;
    let arrived = *scene.clone().after(sent.event).role("server").receive_queues().first().ok_or(NO_DATAGRAM)?;
    let received = scene.role("server").first(Receives)?;
    Ok((sent, arrived, received))
}
