//! What the old texts say about the 5, and what the kernel counts.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S3-C02", "listen(5): five requests at a moment.", |trace| {
            // Nobody is accepted in scene 1, everybody in scene 5.
            let full = full(trace, 1)?;
            let (most, last) = open_at_once(trace, 5)?;
            let about = (full.limit..=full.limit + 1).contains(&full.waiting);
            Verdict::only_when(
                "they are requests that wait for accept; and Linux lets in a sixth",
                about,
                most <= full.limit + 1,
                [full.listen.event, full.most, last],
            )
        }),
        Claim::classic("S3-C02", "listen(5): there may be many more links in all.", |trace| {
            let listen = trace.scene(5).role("server").first(Syscall::Listen)?;
            let (most, last) = open_at_once(trace, 5)?;
            Verdict::of(most > backlog(&listen)? + 1, [listen.event, last])
        }),
        Claim::ours("On Linux one more can wait for accept than listen was given: 1, 2, 6 for 0, 1, 5.", |trace| {
            let scenes = [full(trace, 3)?, full(trace, 2)?, full(trace, 1)?];
            let holds = scenes.iter().all(|full| full.waiting == full.limit + 1);
            Verdict::of(holds, scenes.iter().map(|full| full.most))
        }),
        Claim::ours(
            "A client that finds no room gets no answer: it is in SYN-SENT till the listener closes.",
            |trace| {
                let full = full(trace, 1)?;
                let closed = trace.scene(1).role("server").last(Syscall::Close)?;
                let states = states(&trace.scene(1).role("client").before(closed.event), full.refused.call.fd);
                let state = states.last().copied().ok_or(Unseen::because("nobody looked at its state"))?;
                let holds = state.state() == Some(TcpState::SynSent) && closed.event.n < full.refused.event.n;
                Verdict::of(holds, [state, closed.event, full.refused.event])
            },
        ),
        Claim::ours("The kernel counts the SYN that it drops: ListenOverflows and ListenDrops.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            for scene in [1, 2, 3] {
                let printed = trace.scene(scene).role("server").printed();
                let (said, text) = *printed.first().ok_or(Unseen::because("nobody read the counters"))?;
                let full = full(trace, scene)?;
                holds &= text.starts_with("ListenOverflows +1, ListenDrops +1") && full.waiting == full.limit + 1;
                evidence.push(said);
            }
            Verdict::of(holds, evidence)
        }),
        Claim::ours("A client that waits is let in by the SYN that its kernel repeats.", |trace| {
            let scene = trace.scene(4);
            let accept = scene.clone().role("server").first(Syscall::Accept)?;
            let client = scene.role("second-client");
            let connect = client.first(Syscall::Connect)?;
            let printed = client.printed();
            let (said, again) = *printed.first().ok_or(Unseen::because("nobody counted the SYNs"))?;
            let let_in = connect.event.n > accept.event.n && connect.call.ret == Some(0);
            Verdict::of(let_in && again.starts_with("TCPSynRetrans +1"), [accept.event, connect.event, said])
        }),
    ]
}

/// A listener whose queue was full.
struct Full<'a> {
    listen: Made<'a>,
    /// The number that `listen` was given.
    limit: i64,
    /// How many waited, and the moment when most did.
    waiting: i64,
    most: &'a Event,
    /// The call of connect that found no room.
    refused: Made<'a>,
}

fn full(trace: &Trace, scene: u32) -> Result<Full<'_>, Unseen> {
    let server = trace.scene(scene).role("server");
    let listen = server.first(Syscall::Listen)?;
    let most = server.accept_queues().into_iter().max_by_key(|event| event.unaccepted());
    let most = most.ok_or(Unseen::because("nobody looked at the queue"))?;
    let waiting = most.unaccepted().ok_or(Unseen::because("nobody looked at the queue"))?;
    let refused = trace.scene(scene).role("client").last(Syscall::Connect)?;
    if refused.call.ret == Some(0) {
        return Err(Unseen::because("there was always room"));
    }
    Ok(Full { listen, limit: backlog(&listen)?, waiting, most, refused })
}

/// The number that `listen` was given.
fn backlog(listen: &Made<'_>) -> Result<i64, Unseen> {
    let number = listen.call.get_arg("backlog").and_then(|number| number.as_number());
    number.ok_or(Unseen::because("listen was given no number"))
}

/// How many accepted connections were open at once, and the accept of the last.
fn open_at_once(trace: &Trace, scene: u32) -> Result<(i64, &Event), Unseen> {
    let server = trace.scene(scene).role("server");
    let first_closed = server.first(Syscall::Close)?;
    let accepted = server.before(first_closed.event).some(Syscall::Accept)?;
    let open = accepted.iter().filter(|made| made.call.ret >= Some(0)).count();
    let last = accepted.last().ok_or(Unseen::because("nobody was accepted"))?;
    Ok((i64::try_from(open).unwrap_or(i64::MAX), last.event))
}

/// The states that one socket went through.
fn states<'a>(role: &Selection<'a>, fd: Option<i32>) -> Vec<&'a Event> {
    let mut states = role.states();
    states.retain(|event| matches!(event.what, What::Probe { fd: of, .. } if Some(of) == fd));
    states
}
