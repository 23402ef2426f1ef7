//! What lab 01 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Event, Made};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C03", "UDP is a service of datagrams: what one call sends, one call receives.", one_for_one),
        Claim::classic("S0-C02", "TCP uses send and recv, UDP uses sendto and recvfrom.", |trace| {
            let calls = trace.scene(5).role("client").all_calls();
            let plain: Vec<_> =
                calls.into_iter().filter(|made| matches!(made.call.name, Syscall::Send | Syscall::Recv)).collect();
            if plain.is_empty() {
                return Err(NO_DATAGRAM);
            }
            let worked = plain.iter().any(|made| made.call.ret > Some(0));
            Verdict::by_calls(!worked, plain)
        }),
        Claim::classic("S3-C06", "With sendto the client must send its own address along.", own_address),
        Claim::classic("S0-C01", "A program receives out of a buffer of its own, which the system fills.", |trace| {
            let (sent, arrived, received) = in_between(trace).ok_or(NO_DATAGRAM)?;
            let kept = arrived.unread() == sent.call.ret && arrived.role == received.event.role;
            Verdict::of(kept, [sent.event, arrived, received.event])
        }),
        Claim::classic("S1-C20", "Only bytes can be sent.", |trace| {
            // A line of letters that are more than one byte each: what is counted and what arrives are its bytes.
            let scene = trace.scene(1);
            let text = |made: &Made<'_>| std::str::from_utf8(made.call.bytes()).is_ok_and(|text| !text.is_ascii());
            let sent = scene.clone().role("client").calls(Syscall::SendTo).into_iter().find(text).ok_or(NO_DATAGRAM)?;
            let received = scene.after(sent.event).role("server").first(Syscall::RecvFrom)?;
            let bytes = sent.call.ret == Some(sent.call.bytes().len() as i64);
            Verdict::by_calls(bytes && received.call.data == sent.call.data, [sent, received])
        }),
        Claim::ours(
            "On one machine, when sendto returns, the datagram is in the receiver's queue and none of it is left here.",
            |trace| {
                let (sent, arrived, _) = in_between(trace).ok_or(NO_DATAGRAM)?;
                let left = sent.call.queues.and_then(|queues| queues.send).ok_or(NO_DATAGRAM)?;
                let next_is_arrival = arrived.n == sent.event.n + 1;
                Verdict::of(left == 0 && next_is_arrival, [sent.event, arrived])
            },
        ),
        Claim::ours(
            "What does not fit the receiver's buffer is lost: no error, and it does not come later.",
            |trace| {
                let scene = trace.scene(3);
                let [long, short] = scene.clone().role("client").first_few(Syscall::SendTo)?;
                let [cut, next] = scene.role("server").first_few(Syscall::RecvFrom)?;
                let is_cut = cut.call.ret < long.call.ret && cut.call.errno.is_none();
                Verdict::by_calls(is_cut && next.call.data == short.call.data, [long, cut, short, next])
            },
        ),
        Claim::ours("One socket serves two clients: each answer goes where its question came from.", |trace| {
            let server = trace.scene(2).role("server");
            let [first, second] = server.first_few(Syscall::RecvFrom)?;
            let [answer, next_answer] = server.first_few(Syscall::SendTo)?;
            let from = |made: Made<'_>| made.call.get_out("src_addr").cloned();
            let goes_back =
                |(asked, answered): (Made<'_>, Made<'_>)| from(asked).as_ref() == answered.call.get_arg("dest_addr");
            let there = [(first, answer), (second, next_answer)].into_iter().all(goes_back);
            let two = from(first) != from(second) && first.call.fd == second.call.fd;
            Verdict::by_calls(two && there, [first, answer, second, next_answer])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

/// Two clients' datagrams wait in one queue, and are taken out one by one.
fn one_for_one(trace: &Trace) -> Checked {
    let scene = trace.scene(2);
    let received = scene.clone().role("server").calls(Syscall::RecvFrom);
    let first = received.first().ok_or(NO_DATAGRAM)?;
    let sent = scene.before(first.event).calls(Syscall::SendTo);
    let same = |(sent, received): (&Made<'_>, &Made<'_>)| sent.call.data == received.call.data;
    let whole = sent.len() > 1 && received.len() >= sent.len() && sent.iter().zip(&received).all(same);
    let evidence: Vec<_> = sent.iter().chain(received.iter().take(sent.len())).copied().collect();
    Verdict::by_calls(whole, evidence)
}

/// The address that the server saw is in no argument of the client's; the kernel chose it while the client sent.
fn own_address(trace: &Trace) -> Checked {
    let scene = trace.scene(4);
    let client = scene.clone().role("client");
    let [before, after] = client.first_few(Syscall::GetSockName)?;
    let sent = client.first(Syscall::SendTo)?;
    let received = scene.role("server").first(Syscall::RecvFrom)?;
    let seen = received.call.get_out("src_addr").ok_or(NO_DATAGRAM)?;
    let given = client.before(received.event).all_calls();
    let carried = given.iter().any(|made| made.call.args.iter().any(|(_, value)| value == seen));
    Verdict::by_calls(carried, [before, sent, after, received])
}

/// A send, what the stage saw of it at once, and the receive that took it.
fn in_between(trace: &Trace) -> Option<(Made<'_>, &Event, Made<'_>)> {
    let scene = trace.scene(4);
    let sent = *scene.clone().role("client").calls(Syscall::SendTo).first()?;
    let arrived = *scene.clone().after(sent.event).role("server").receive_queues().first()?;
    let received = *scene.role("server").calls(Syscall::RecvFrom).first()?;
    (arrived.n < received.event.n).then_some((sent, arrived, received))
}
