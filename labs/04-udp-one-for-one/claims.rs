//! What the old texts say about sends and receives that come in pairs.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, Waiting, What};

/// The scenes in which one of the three sends is missing.
const ONE_MISSING: [u32; 3] = [2, 3, 4];

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C12",
            "Comment out any one of the three sends, and the server hangs: as many recvfrom as it has, so many sendto \
             there must be.",
            |trace| {
                let whole = trace.scene(1);
                let scenes = ONE_MISSING.map(|number| trace.scene(number));
                if sent(&whole).len() != 3 || scenes.iter().any(|scene| sent(scene).len() != 2) {
                    return Err(NO_DATAGRAM);
                }
                let ends = whole.clone().role("server").first(Syscall::Close)?;
                let holds = whole.findings().is_empty() && scenes.iter().all(|scene| hang(scene).is_some());
                Verdict::of(holds, [ends.event].into_iter().chain(scenes.iter().filter_map(hang)))
            },
        ),
        Claim::classic("S0-C12", "sendto(b\"\") counts as one of them.", |trace| {
            let scene = trace.scene(5);
            let empty = sent(&scene).into_iter().find(is_empty).ok_or(NO_DATAGRAM)?;
            let received = taken(&scene);
            let counted = received.iter().find(|made| is_empty(made)).copied();
            let all = received.len() == 3 && scene.findings().is_empty();
            let evidence = [empty].into_iter().chain(counted).chain(received.last().copied());
            Verdict::by_calls(all && counted.is_some(), evidence)
        }),
        Claim::classic("S0-C07", "recvfrom waits while nothing is queued.", |trace| {
            // The deadline shows that the call has slept: the kernel gave up after all of that time.
            let server = trace.scene(7).role("server");
            let late = deadline(&server)?;
            let last = taken(&server.before(late.event)).last().copied().ok_or(NO_DATAGRAM)?;
            if last.call.queues.and_then(|queues| queues.recv) != Some(0) {
                return Err(Unseen::because("the queue was not empty"));
            }
            Verdict::by_calls(late.call.after.as_deref() == Some("about 1 s"), [last, late])
        }),
        Claim::ours("Whichever of the three sends is missing, the receive that hangs is the last one.", |trace| {
            let scenes = ONE_MISSING.map(|number| trace.scene(number));
            let received: Vec<Vec<Made<'_>>> = scenes.iter().map(taken).collect();
            if received.iter().any(Vec::is_empty) {
                return Err(NO_DATAGRAM);
            }
            let third = received.iter().all(|calls| calls.len() == 2) && scenes.iter().all(|one| hang(one).is_some());
            Verdict::by_calls(third, received.into_iter().flatten())
        }),
        Claim::ours(
            "A surplus datagram hangs nobody: it is discarded with the server's socket, and its sender gets no error.",
            |trace| {
                let scene = trace.scene(6);
                let (client, server) = (scene.clone().role("client"), scene.clone().role("server"));
                let (sent, received) = (sent(&client), taken(&server));
                let surplus = sent.get(received.len()).ok_or(NO_DATAGRAM)?;
                let closed = server.first(Syscall::Close)?;
                let waited = server.before(closed.event).receive_queues().last().copied();
                let asked = client.after(closed.event).first(Syscall::GetSockOpt)?;
                let in_queue = waited.and_then(|event| event.unread()) == surplus.call.ret;
                let silent = asked.event.errno("optval") == Some(Errno::NONE) && scene.findings().is_empty();
                let evidence = [Some(surplus.event), waited, Some(closed.event), Some(asked.event)];
                Verdict::of(in_queue && silent, evidence.into_iter().flatten())
            },
        ),
        Claim::ours(
            "A deadline shows that one is missing; numbers show which one, as soon as a later one is there.",
            |trace| {
                let late = deadline(&trace.scene(7).role("server"))?;
                let scene = trace.scene(8);
                let asked = sent(&scene.clone().role("server")).first().copied().ok_or(NO_DATAGRAM)?;
                let after = scene.after(asked.event);
                let again = sent(&after.clone().role("client")).first().copied();
                let got = taken(&after.role("server")).first().copied();
                let the_missing_one = again.zip(got).is_some_and(|(again, got)| {
                    got.call.data == again.call.data && got.call.bytes().starts_with(asked.call.bytes())
                });
                Verdict::by_calls(the_missing_one, [late, asked].into_iter().chain(got))
            },
        ),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

/// The calls that sent a datagram.
fn sent<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.sends() && made.call.errno.is_none()).collect()
}

/// The receives that took a datagram.
fn taken<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.name.receives() && made.call.errno.is_none()).collect()
}

/// The receive whose time ran out.
fn deadline<'a>(server: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    let late = server.all_calls().into_iter().find(|made| made.call.name.receives() && made.failed(Errno::EAGAIN));
    late.ok_or(Unseen::because("no deadline ran out"))
}

fn is_empty(made: &Made<'_>) -> bool {
    made.call.ret == Some(0)
}

/// The finding that the server waits in a receive, and nobody is left who could end that.
fn hang<'a>(scene: &Selection<'a>) -> Option<&'a Event> {
    let receives = |waiting: &Waiting| waiting.role == "server" && waiting.call == Syscall::RecvFrom;
    let hangs = |what: &What| matches!(what, What::Finding { waiting, .. } if waiting.iter().any(receives));
    scene.findings().into_iter().find(|event| hangs(&event.what))
}
