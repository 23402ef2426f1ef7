//! What the old texts say about the 5, and what the kernel counts.

use socklab::prelude::*;
use socklab::trace::{Event, Selection, Trace, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S3-C02", "listen(5): five requests at a moment.", |trace| {
            let (limit, most) = fullest(trace, 1).ok_or(NONE)?;
            Verdict::of(most.unaccepted() == Some(limit), listen(trace, 1).into_iter().chain([most]))
        }),
        Claim::classic("S3-C02", "listen(5): there may be many more links in all.", |trace| {
            let server = trace.scene(5).role("server");
            let accepted = server.calls(Syscall::Accept);
            let closed = server.calls(Syscall::Close).first().copied();
            let last = accepted.last().copied().ok_or(NONE)?;
            let limit = backlog(trace, 5).ok_or(NONE)?;
            // All of them were open at once: none was closed before the last one came.
            let open = accepted.len() as i64;
            let at_once = closed.is_some_and(|closed| closed.event.n > last.event.n);
            let evidence = listen(trace, 5).into_iter().chain([last.event]);
            Verdict::of(at_once && open > limit + 1, evidence.chain(closed.map(|made| made.event)))
        }),
        Claim::ours("Linux lets one more wait for accept than listen was told: 1, 2, 6 for 0, 1, 5.", |trace| {
            let scenes =
                [3, 2, 1].map(|scene| fullest(trace, scene)).into_iter().collect::<Option<Vec<_>>>().ok_or(NONE)?;
            let holds = scenes.iter().all(|(limit, most)| most.unaccepted() == Some(limit + 1));
            Verdict::of(holds, scenes.into_iter().map(|(_, most)| most))
        }),
        Claim::ours("Who finds no room gets no answer: it stays in SYN-SENT as long as the server lives.", |trace| {
            let last = trace.scene(1).role("client").last(Syscall::Connect)?;
            let closed = trace.scene(1).role("server").last(Syscall::Close)?;
            let states = states(&trace.scene(1).role("client").before(closed.event), last.call.fd);
            let state = states.last().copied().ok_or(NONE)?;
            let holds = state.state() == Some(TcpState::SynSent) && closed.event.n < last.event.n;
            Verdict::of(holds, [state, closed.event, last.event])
        }),
        Claim::ours("The kernel counts it: one more in ListenOverflows, and one more in ListenDrops.", |trace| {
            let lines = [1, 2, 3].map(|scene| trace.scene(scene).role("server").printed().first().copied());
            let lines = lines.into_iter().collect::<Option<Vec<_>>>().ok_or(NONE)?;
            let holds = lines.iter().all(|(_, text)| *text == "ListenOverflows +1, ListenDrops +1");
            Verdict::of(holds, lines.into_iter().map(|(event, _)| event))
        }),
        Claim::ours("Who waits is let in by the SYN that its kernel sends again.", |trace| {
            let scene = trace.scene(4);
            let accept = scene.clone().role("server").first(Syscall::Accept)?;
            let client = scene.role("second-client");
            let connect = client.first(Syscall::Connect)?;
            let (said, again) = client.printed().first().copied().ok_or(NONE)?;
            let let_in = connect.event.n > accept.event.n && connect.call.ret == Some(0);
            Verdict::of(let_in && again == "TCPSynRetrans +1", [accept.event, connect.event, said])
        }),
    ]
}

const NONE: Unseen = Unseen::because("the calls that it is about were not made");

/// The call of `listen` in a scene.
fn listen(trace: &Trace, scene: u32) -> Option<&Event> {
    trace.scene(scene).role("server").calls(Syscall::Listen).first().map(|made| made.event)
}

/// The number that `listen` was given in a scene.
fn backlog(trace: &Trace, scene: u32) -> Option<i64> {
    let calls = trace.scene(scene).role("server").calls(Syscall::Listen);
    calls.first()?.call.get_arg("backlog")?.as_number()
}

/// That number, and the moment when most connections waited, if one more was tried and found no room.
fn fullest(trace: &Trace, scene: u32) -> Option<(i64, &Event)> {
    let most = trace.scene(scene).role("server").accept_queues();
    let most = most.into_iter().max_by_key(|event| event.unaccepted())?;
    let calls = trace.scene(scene).role("client").calls(Syscall::Connect);
    let refused = calls.last()?.call.ret == Some(-1);
    refused.then_some((backlog(trace, scene)?, most))
}

/// The states that one socket went through.
fn states<'a>(role: &Selection<'a>, fd: Option<i32>) -> Vec<&'a Event> {
    let mut states = role.states();
    states.retain(|event| matches!(event.what, What::Probe { fd: of, .. } if Some(of) == fd));
    states
}
