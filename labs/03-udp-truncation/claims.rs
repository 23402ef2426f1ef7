//! The claims of lab 03.

use libc::MSG_TRUNC;
use socklab::prelude::*;
use socklab::trace::{Made, MessageFlags};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S4-C06", "UDP keeps the boundaries between messages.", |trace| {
            let (sent, received) = conversation(trace, 1);
            // The first message was read in part: a stream would continue with the rest of it.
            let (sent, received) = sent.get(1).zip(received.get(1)).ok_or(NO_DATAGRAM)?;
            let begins = !received.call.bytes().is_empty() && sent.call.bytes().starts_with(received.call.bytes());
            Verdict::by_calls(begins, [*sent, *received])
        }),
        Claim::classic(
            "S0-C16",
            "One recvfrom(x) takes one sendto(y); if y is more than x, the rest is lost.",
            |trace| {
                let (sent, received) = conversation(trace, 1);
                let pairs: Vec<_> = sent.into_iter().zip(received).collect();
                let cut = |(sent, received): &(Made<'_>, Made<'_>)| {
                    received.call.ret < sent.call.ret && sent.call.bytes().starts_with(received.call.bytes())
                };
                let two = pairs.get(..2).ok_or(NO_DATAGRAM)?;
                Verdict::by_calls(pairs.iter().all(cut), two.iter().flat_map(|(sent, received)| [*sent, *received]))
            },
        ),
        Claim::classic("S0-C17", "The rest is lost, and therefore UDP is unreliable.", arrived_whole),
        Claim::classic("S3-C03", "The number given to recv is an upper limit.", |trace| {
            let received = trace.scene(2).role("server").some(Syscall::RecvMsg)?;
            let holds = received.iter().all(|made| made.call.ret <= made.asked_for());
            Verdict::by_calls(holds, received)
        }),
        Claim::ours(
            "A datagram is cut without an error; recvmsg sets MSG_TRUNC for those that were cut, and only for those.",
            |trace| {
                let (sent, received) = conversation(trace, 2);
                if received.is_empty() {
                    return Err(NO_DATAGRAM);
                }
                let marked =
                    |made: &Made<'_>| made.call.get_out("msg_flags") == Some(&Value::Flags(MessageFlags(MSG_TRUNC)));
                let right = sent.iter().zip(&received).all(|(sent, received)| {
                    received.call.errno.is_none() && marked(received) == (received.call.ret < sent.call.ret)
                });
                let both = received.iter().any(marked) && !received.iter().all(marked);
                Verdict::by_calls(right && both, received)
            },
        ),
        Claim::ours(
            "On Linux, recv with MSG_TRUNC returns the datagram's length, however small the buffer is.",
            |trace| {
                let (sent, received) = conversation(trace, 3);
                let asked: Vec<_> = received.into_iter().filter(|made| has_trunc(*made)).collect();
                let right = asked.iter().zip(&sent).all(|(asked, sent)| asked.call.ret == sent.call.ret);
                if asked.is_empty() { Err(NO_DATAGRAM) } else { Verdict::by_calls(right, asked) }
            },
        ),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

/// What the client of a scene sent, and what its server received, by whichever calls.
fn conversation(trace: &Trace, scene: u32) -> (Vec<Made<'_>>, Vec<Made<'_>>) {
    let calls_of = |role: &str| trace.scene(scene).role(role).all_calls();
    let sent = calls_of("client").into_iter().filter(|made| made.call.sends()).collect();
    (sent, calls_of("server").into_iter().filter(|made| made.call.name.receives()).collect())
}

fn has_trunc(made: Made<'_>) -> bool {
    made.call.flags().contains(MSG_TRUNC)
}

/// The network delivered all of each datagram: the queue held it whole, and a receiver with room for it gets it whole.
fn arrived_whole(trace: &Trace) -> Checked {
    let (sent, received) = conversation(trace, 3);
    let (first, second) = sent.first().zip(sent.get(1)).ok_or(NO_DATAGRAM)?;
    let queued = trace.scene(3).role("server").receive_queues().first().copied().ok_or(NO_DATAGRAM)?;
    let whole = received.iter().find(|made| !has_trunc(**made)).ok_or(NO_DATAGRAM)?;
    let came = queued.unread() == first.call.ret && whole.call.data == second.call.data;
    Verdict::of(!came, [first.event, queued, received[0].event, whole.event])
}
