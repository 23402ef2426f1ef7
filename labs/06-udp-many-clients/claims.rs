//! What the old texts say about many clients at one datagram socket.

use socklab::prelude::*;
use socklab::trace::{Event, Made, Selection, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C16", "UDP clients can be served concurrently.", |trace| {
            let scene = trace.scene(1);
            let server = scene.clone().role("server");
            let (asked, answered) = (taken(&server), sends(&server));
            let closes = scene.clone().only(|event| event.role.as_deref() != Some("server")).calls(Syscall::Close);
            let first_end = closes.first().ok_or(Unseen::because("no client ended"))?;
            if asked.len() < 3 {
                return Err(Unseen::because("there were no three clients"));
            }
            let to = |made: &Made<'_>| made.call.get_arg("dest_addr").cloned();
            let is_answered = |asked: &Made<'_>| {
                answered.iter().any(|answer| {
                    to(answer).as_ref() == asked.call.get_out("src_addr")
                        && answer.call.errno.is_none()
                        && answer.event.n < first_end.event.n
                })
            };
            let together = asked.iter().all(is_answered);
            Verdict::only_when(
                "it means that no client must end before the next is served: the server handles one datagram at a time",
                together,
                false,
                answered.iter().map(|made| made.event).chain([first_end.event]),
            )
        }),
        Claim::classic("S2-C13", "UDP does not stick because it is one-to-many.", |trace| {
            let scene = trace.scene(5);
            let client = scene.clone().role("client");
            let connected = client.first(Syscall::Connect)?;
            let received = taken(&client);
            let first = received.first().ok_or(NO_DATAGRAM)?;
            let sent = scene.role("server").before(first.event);
            let sent = sends(&sent).into_iter().filter(|made| made.call.get_arg("dest_addr").is_some());
            let first_sent = sent.into_iter().next().ok_or(NO_DATAGRAM)?;
            // One to one here: if the reason were right, the first receive would bring more than the first send.
            let stuck = first.call.bytes().len() > first_sent.call.bytes().len();
            Verdict::by_calls(stuck, [connected].into_iter().chain(received))
        }),
        Claim::ours(
            "Requests of several clients wait in one queue; each answer goes where its request came from.",
            |trace| {
                let server = trace.scene(1).role("server");
                let (asked, answered) = (taken(&server), sends(&server));
                let from = |made: &Made<'_>| made.call.get_out("src_addr").cloned();
                let mut senders: Vec<_> = asked.iter().filter_map(from).map(|value| format!("{value:?}")).collect();
                senders.dedup();
                if senders.len() < 3 || answered.len() < 3 {
                    return Err(Unseen::because("there were no three clients"));
                }
                let there = asked.iter().zip(&answered).all(|(asked, answered)| {
                    from(asked).as_ref() == answered.call.get_arg("dest_addr") && asked.call.fd == answered.call.fd
                });
                let first_answer = answered[0].event.n;
                let sent =
                    trace.scene(1).only(|event| event.n < first_answer && event.role.as_deref() != Some("server"));
                let together = sends(&sent).len() == 3;
                let evidence = asked.iter().zip(&answered).flat_map(|(asked, answered)| [*asked, *answered]);
                Verdict::by_calls(there && together, evidence)
            },
        ),
        Claim::ours("A server that waits for one client keeps all others waiting.", |trace| {
            let scene = trace.scene(2);
            let answer = slow_answer(&scene).ok_or(NO_DATAGRAM)?;
            let others = ["second-client", "third-client"].map(|role| scene.clone().role(role));
            let heard: Vec<_> = others.iter().filter_map(|other| taken(other).first().copied()).collect();
            let [second, third] = heard[..] else { return Err(NO_DATAGRAM) };
            let after = second.event.n > answer.event.n && third.event.n > answer.event.n;
            let waits = others.iter().filter_map(|other| other.waits(Syscall::RecvFrom).first().copied());
            Verdict::of(after, waits.chain([answer.event, second.event, third.event]))
        }),
        Claim::ours("With a note of each client under its address, a slow client delays nobody.", |trace| {
            let scene = trace.scene(3);
            let answer = slow_answer(&scene).ok_or(NO_DATAGRAM)?;
            let others = ["second-client", "third-client"].map(|role| scene.clone().role(role));
            let served: Vec<_> = others.iter().filter_map(|other| taken(other).get(1).copied()).collect();
            let [second, third] = served[..] else { return Err(NO_DATAGRAM) };
            let before = second.event.n < answer.event.n && third.event.n < answer.event.n;
            Verdict::by_calls(before, [second, third, answer])
        }),
        Claim::ours("An unconnected socket takes a datagram from anybody who knows its port.", |trace| {
            let scene = trace.scene(4);
            let foreign = foreign(&scene)?;
            let taken = first_taken(&scene)?;
            Verdict::by_calls(foreign.call.data == taken.call.data, [foreign, taken])
        }),
        Claim::ours(
            "A connected one takes datagrams only from its peer; the kernel refuses a stranger's \
             as if nobody had the port.",
            |trace| {
                let scene = trace.scene(5);
                let foreign = foreign(&scene)?;
                let first = first_taken(&scene)?;
                let all = taken(&scene.clone().role("client"));
                let unheard = all.iter().all(|made| made.call.data != foreign.call.data);
                let shown = scene.role("server").first(Syscall::GetSockOpt)?;
                let refused = shown.event.errno("optval") == Some(Errno::ECONNREFUSED);
                Verdict::by_calls(unheard && refused, [foreign, first, shown])
            },
        ),
        Claim::ours("A datagram that came before connect stays in the queue, whoever sent it.", |trace| {
            let scene = trace.scene(6);
            let foreign = foreign(&scene)?;
            let taken = first_taken(&scene)?;
            let connected = scene.role("client").first(Syscall::Connect)?;
            if connected.event.n < foreign.event.n {
                return Err(Unseen::because("the socket was connected first"));
            }
            let same = foreign.call.data == taken.call.data && connected.event.n < taken.event.n;
            Verdict::by_calls(same, [foreign, connected, taken])
        }),
    ]
}

const NO_DATAGRAM: Unseen = Unseen::because("no datagram was exchanged in this scene");

/// The calls that were to send a datagram.
fn sends<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.sends()).collect()
}

/// The receives that took a datagram.
fn taken<'a>(some: &Selection<'a>) -> Vec<Made<'a>> {
    some.all_calls().into_iter().filter(|made| made.call.name.receives() && made.call.errno.is_none()).collect()
}

/// The slow client's answer: what it sent after its pause.
fn slow_answer<'a>(scene: &Selection<'a>) -> Option<Made<'a>> {
    let client = scene.clone().role("client");
    let pause: &Event = client.events().iter().find(|event| matches!(event.what, What::Meet { .. }))?;
    sends(&client.clone().after(pause)).first().copied()
}

/// What the stranger's socket sent: it is the connected one of the server's two.
fn foreign<'a>(scene: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    let server = scene.clone().role("server");
    let connected = server.first(Syscall::Connect)?;
    sends(&server).into_iter().find(|made| made.call.fd == connected.call.fd).ok_or(NO_DATAGRAM)
}

fn first_taken<'a>(scene: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    taken(&scene.clone().role("client")).first().copied().ok_or(NO_DATAGRAM)
}
