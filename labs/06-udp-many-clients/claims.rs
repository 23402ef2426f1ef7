//! What the old texts say about many clients at one datagram socket.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C16", "UDP clients are served concurrently.", |trace| {
            let scene = trace.scene(1);
            let server = scene.clone().role("server");
            let first = server.first(Syscall::RecvFrom)?;
            if scene.before(first.event).calls(Syscall::SendTo).len() < 2 {
                return Err(Unseen::because("there was never more than one request to serve"));
            }
            // Concurrent would be: a request is taken while another one has no answer yet.
            let calls: Vec<_> = server.all_calls().into_iter().filter(|made| moves(made)).collect();
            let concurrent = calls.windows(2).any(|two| two.iter().all(|made| made.call.name == Syscall::RecvFrom));
            Verdict::by_calls(concurrent, calls)
        }),
        Claim::classic("S2-C13", "UDP does not stick because it is one-to-many.", |trace| {
            let scene = trace.scene(5);
            let client = scene.clone().role("client");
            let connected = client.first(Syscall::Connect)?;
            let received = client.calls(Syscall::RecvFrom);
            let first = received.first().ok_or(NO_DATAGRAM)?;
            let [sent, _] = scene.role("server").before(first.event).first_few(Syscall::SendTo)?;
            // One to one now; if the reason were right, the first receive would bring more than the first send.
            let stuck = first.call.bytes().len() > sent.call.bytes().len();
            Verdict::by_calls(stuck, [connected].into_iter().chain(received))
        }),
        Claim::ours(
            "Requests of several clients wait in one queue; each answer goes where its request came from.",
            |trace| {
                let server = trace.scene(1).role("server");
                let (asked, answered) = (server.calls(Syscall::RecvFrom), server.calls(Syscall::SendTo));
                let from = |made: &Made<'_>| made.call.get_out("src_addr").cloned();
                let mut senders: Vec<_> = asked.iter().filter_map(from).map(|value| format!("{value:?}")).collect();
                senders.dedup();
                if senders.len() < 3 {
                    return Err(Unseen::because("there were no three clients"));
                }
                let there = asked.iter().zip(&answered).all(|(asked, answered)| {
                    from(asked).as_ref() == answered.call.get_arg("dest_addr") && asked.call.fd == answered.call.fd
                });
                let first_answer = answered.first().map_or(u64::MAX, |made| made.event.n);
                let sent =
                    trace.scene(1).only(|event| event.n < first_answer && event.role.as_deref() != Some("server"));
                let together = sent.calls(Syscall::SendTo).len() == 3;
                Verdict::by_calls(
                    there && together,
                    asked.iter().zip(&answered).flat_map(|(asked, answered)| [*asked, *answered]),
                )
            },
        ),
        Claim::ours("A server that waits for one client lets all others wait: a slow one delays them.", |trace| {
            let scene = trace.scene(2);
            let answer = slow_answer(&scene).ok_or(NO_DATAGRAM)?;
            let others = ["second-client", "third-client"].map(|role| scene.clone().role(role));
            let heard = others.iter().filter_map(|other| other.calls(Syscall::RecvFrom).first().copied());
            let heard: Vec<_> = heard.collect();
            let after = heard.len() == 2 && heard.iter().all(|made| made.event.n > answer.event.n);
            let waits = others.iter().filter_map(|other| other.waits(Syscall::RecvFrom).first().copied());
            Verdict::of(after, waits.chain([answer.event]).chain(heard.iter().map(|made| made.event)))
        }),
        Claim::ours("With a note of each client under its address, a slow one delays nobody.", |trace| {
            let scene = trace.scene(3);
            let answer = slow_answer(&scene).ok_or(NO_DATAGRAM)?;
            let others = ["second-client", "third-client"].map(|role| scene.clone().role(role));
            let served = others.iter().filter_map(|other| other.calls(Syscall::RecvFrom).get(1).copied());
            let served: Vec<_> = served.collect();
            let before = served.len() == 2 && served.iter().all(|made| made.event.n < answer.event.n);
            Verdict::by_calls(before, served.into_iter().chain([answer]))
        }),
        Claim::ours("An unconnected socket takes a datagram from anybody who knows its port.", |trace| {
            let scene = trace.scene(4);
            let foreign = foreign(&scene).ok_or(NO_DATAGRAM)?;
            let taken = first_taken(&scene).ok_or(NO_DATAGRAM)?;
            Verdict::by_calls(foreign.call.data == taken.call.data, [foreign, taken])
        }),
        Claim::ours(
            "A connected one hears only its peer; a stranger's datagram is refused like one to no socket.",
            |trace| {
                let scene = trace.scene(5);
                let foreign = foreign(&scene).ok_or(NO_DATAGRAM)?;
                let taken = first_taken(&scene).ok_or(NO_DATAGRAM)?;
                let client = scene.clone().role("client");
                let unheard = client.calls(Syscall::RecvFrom).iter().all(|made| made.call.data != foreign.call.data);
                let told = scene.role("server").calls(Syscall::GetSockOpt).first().copied();
                let refused = told.is_some_and(|made| made.event.errno("optval") == Some(Errno::ECONNREFUSED));
                Verdict::by_calls(unheard && refused, [foreign, taken].into_iter().chain(told))
            },
        ),
        Claim::ours("What came before the socket was connected is received after it, from whomever it is.", |trace| {
            let scene = trace.scene(6);
            let foreign = foreign(&scene).ok_or(NO_DATAGRAM)?;
            let taken = first_taken(&scene).ok_or(NO_DATAGRAM)?;
            let connected = scene.role("client").calls(Syscall::Connect).first().copied();
            let between = connected.is_some_and(|made| made.event.n > foreign.event.n && made.event.n < taken.event.n);
            let same = foreign.call.data == taken.call.data;
            Verdict::by_calls(between && same, [Some(foreign), connected, Some(taken)].into_iter().flatten())
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

/// Whether a call moves a datagram.
fn moves(made: &Made<'_>) -> bool {
    matches!(made.call.name, Syscall::RecvFrom | Syscall::SendTo)
}

/// The slow client's answer: what it sent after its pause.
fn slow_answer<'a>(scene: &Selection<'a>) -> Option<Made<'a>> {
    let client = scene.clone().role("client");
    let pause: &Event = client.events().iter().find(|event| matches!(event.what, What::Meet { .. }))?;
    client.clone().after(pause).calls(Syscall::SendTo).first().copied()
}

/// What the stranger's socket sent: it is the connected one of the server's two.
fn foreign<'a>(scene: &Selection<'a>) -> Option<Made<'a>> {
    scene.clone().role("server").calls(Syscall::Send).first().copied()
}

fn first_taken<'a>(scene: &Selection<'a>) -> Option<Made<'a>> {
    scene.clone().role("client").calls(Syscall::RecvFrom).first().copied()
}
