//! What the old texts say about sends and receives that come in pairs.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, Waiting, What};

/// The scenes in which one of the three sends is missing.
const ONE_MISSING: [u32; 3] = [2, 3, 4];

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C12", "Comment out any one of the three sends, and the server hangs.", |trace| {
            let scenes = ONE_MISSING.map(|number| trace.scene(number));
            let sent: Vec<_> = scenes.iter().flat_map(|scene| scene.calls(Syscall::SendTo)).collect();
            // Which of the three are left is another pair in each scene.
            if sent.len() != 6 || scenes.iter().any(|scene| scene.calls(Syscall::SendTo).len() != 2) {
                return Err(NO_DATAGRAM);
            }
            let hangs = scenes.iter().all(|scene| hang(scene).is_some());
            Verdict::of(hangs, scenes.iter().filter_map(hang))
        }),
        Claim::classic("S0-C12", "That is because sends and receives must be equal in number.", |trace| {
            let scene = trace.scene(6);
            let (sent, received) = (scene.clone().role("client").calls(Syscall::Send), scene.calls(Syscall::RecvFrom));
            if sent.len() <= received.len() {
                return Err(Unseen::because("there was no surplus send"));
            }
            let nobody_hangs = scene.findings().is_empty();
            let surplus = sent[received.len()];
            let ends = scene.clone().role("server").calls(Syscall::Close);
            Verdict::by_calls(!nobody_hangs, [surplus].into_iter().chain(received.last().copied()).chain(ends))
        }),
        Claim::classic("S0-C12", "sendto(b\"\") counts as one of them.", |trace| {
            let scene = trace.scene(5);
            let sent = scene.calls(Syscall::SendTo).into_iter().find(is_empty).ok_or(NO_DATAGRAM)?;
            let received = scene.calls(Syscall::RecvFrom);
            let taken = received.iter().find(|made| is_empty(made)).copied();
            let all = received.len() == 3 && scene.findings().is_empty();
            Verdict::by_calls(all && taken.is_some(), [sent].into_iter().chain(taken).chain(received.last().copied()))
        }),
        Claim::classic("S0-C07", "recvfrom waits while nothing is queued.", |trace| {
            let scene = trace.scene(3);
            let server = scene.clone().role("server");
            let last = server.last(Syscall::RecvFrom)?;
            let ended = scene.clone().role("client").first(Syscall::Close)?;
            let waits = server.after(last.event).waits(Syscall::RecvFrom);
            Verdict::of(!waits.is_empty(), [ended.event, last.event].into_iter().chain(waits))
        }),
        Claim::ours(
            "Whichever send is missing, it is the last receive that hangs, not the one in its place.",
            |trace| {
                let scenes = ONE_MISSING.map(|number| trace.scene(number).role("server"));
                let received: Vec<Vec<Made<'_>>> =
                    scenes.iter().map(|server| server.calls(Syscall::RecvFrom)).collect();
                if received.iter().any(Vec::is_empty) {
                    return Err(NO_DATAGRAM);
                }
                let two_each = received.iter().all(|calls| calls.len() == 2);
                Verdict::by_calls(two_each, received.into_iter().flatten())
            },
        ),
        Claim::ours("What nobody received is thrown away with the socket, and its sender is not told.", |trace| {
            let scene = trace.scene(6);
            let (client, server) = (scene.clone().role("client"), scene.role("server"));
            let (sent, received) = (client.calls(Syscall::Send), server.calls(Syscall::RecvFrom));
            let surplus = sent.get(received.len()).ok_or(NO_DATAGRAM)?;
            let closed = server.first(Syscall::Close)?;
            let waited = server.before(closed.event).receive_queues().last().copied();
            let asked = client.after(closed.event).first(Syscall::GetSockOpt)?;
            let in_queue = waited.and_then(|event| event.unread()) == surplus.call.ret;
            let silent = asked.event.errno("optval") == Some(Errno::NONE);
            let evidence = [Some(surplus.event), waited, Some(closed.event), Some(asked.event)];
            Verdict::of(in_queue && silent, evidence.into_iter().flatten())
        }),
        Claim::ours("A deadline tells that one is missing; a number in each message tells which.", |trace| {
            let received = trace.scene(7).role("server").calls(Syscall::RecvFrom);
            let late = received.into_iter().find(|made| made.call.errno == Some(Errno::EAGAIN));
            let late = late.ok_or(Unseen::because("no deadline ran out"))?;
            let scene = trace.scene(8);
            let asked = scene.clone().role("server").first(Syscall::SendTo)?;
            let after = scene.after(asked.event);
            let sent = after.clone().role("client").calls(Syscall::SendTo).first().copied();
            let got = after.role("server").calls(Syscall::RecvFrom).first().copied();
            let the_missing_one = sent.zip(got).is_some_and(|(sent, got)| {
                got.call.data == sent.call.data && got.call.bytes().starts_with(asked.call.bytes())
            });
            Verdict::by_calls(the_missing_one, [late, asked].into_iter().chain(got))
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

fn is_empty(made: &Made<'_>) -> bool {
    made.call.ret == Some(0)
}

/// The finding that the server waits in a receive for ever.
fn hang<'a>(scene: &Selection<'a>) -> Option<&'a Event> {
    let receives = |waiting: &Waiting| waiting.role == "server" && waiting.call == Syscall::RecvFrom;
    let hangs = |what: &What| matches!(what, What::Finding { waiting, .. } if waiting.iter().any(receives));
    scene.findings().into_iter().find(|event| hangs(&event.what))
}
