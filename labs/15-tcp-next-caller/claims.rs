//! What is said about the second client, and about catching whatever goes wrong.

use socklab::prelude::*;
use socklab::trace::{Calls, Finding, Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S2-C17",
            "The test for an empty message suits Linux; catching ConnectionResetError suits Windows.",
            |trace| {
                // One client leaves with an answer unread, one when it has read all.
                let (rude, polite) = (left(trace, 5, "rude-client")?, left(trace, 5, "client")?);
                let server = trace.scene(5).role("server");
                let rude_left = server.clone().after(rude.event).first(Calls::Receives)?;
                let polite_left = server.after(polite.event).last(Calls::Receives)?;
                Verdict::only_when(
                    "the client leaves by a FIN; after a RST recv fails on Linux, too",
                    polite_left.call.ret == Some(0),
                    rude_left.call.ret == Some(0),
                    [rude, rude_left, polite, polite_left].map(|made| made.event),
                )
            },
        ),
        Claim::ours("A client that waits for accept is connected, and can send.", |trace| {
            let second = trace.scene(2).role("second-client");
            let connected = second.first(Syscall::Connect)?;
            let [sent] = second.exactly(Calls::Sends)?;
            let queue = trace.scene(2).after(connected.event).accept_queues().first().copied();
            let queue = queue.ok_or(Unseen::because("nobody looked at the queue of the listener"))?;
            let taken = accepted(&trace.scene(2), "second-client")?;
            let holds = connected.call.ret == Some(0)
                && sent.call.ret > Some(0)
                && queue.unaccepted() >= Some(1)
                && sent.event.n < taken.event.n;
            Verdict::of(holds, [connected.event, queue, sent.event, taken.event])
        }),
        Claim::ours("What it has sent by then is in the receive queue when accept returns.", |trace| {
            let scene = trace.scene(2);
            let [sent] = scene.clone().role("second-client").exactly(Calls::Sends)?;
            let taken = accepted(&scene, "second-client")?;
            let server = scene.role("server").after(taken.event);
            let queue = server.receive_queues().first().copied();
            let queue = queue.ok_or(Unseen::because("nobody looked at the receive queue"))?;
            let holds = sent.event.n < taken.event.n && queue.unread() == sent.call.ret;
            Verdict::of(holds, [sent.event, taken.event, queue])
        }),
        Claim::ours("This server serves the second client when the first has left, and not before.", |trace| {
            let scene = trace.scene(2);
            let (taken, first) = (accepted(&scene, "second-client")?, left(trace, 2, "client")?);
            let zero = scene.clone().role("server").before(taken.event).last(Calls::Receives)?;
            let answer = scene.role("second-client").first(Calls::Receives)?;
            let holds = first.event.n < zero.event.n && zero.call.ret == Some(0) && answer.call.ret > Some(0);
            Verdict::by_calls(holds, [first, zero, taken, answer])
        })
        .about_programs(),
        Claim::ours("A listener that is closed resets the connections that nobody has accepted.", |trace| {
            let scene = trace.scene(1);
            let closed = scene.clone().role("server").last(Syscall::Close)?;
            let second = scene.role("second-client");
            let (connected, learned) = (second.first(Syscall::Connect)?, second.first(Calls::Receives)?);
            let holds =
                connected.call.ret == Some(0) && closed.event.n < learned.event.n && learned.failed(Errno::ECONNRESET);
            Verdict::by_calls(holds, [connected, closed, learned])
        }),
        Claim::ours("A send to a client that has closed its socket succeeds.", |trace| {
            let closed = left(trace, 2, "client")?;
            let answer = trace.scene(2).role("server").after(closed.event).first(Calls::Sends)?;
            Verdict::by_calls(answer.call.ret == Some(1), [closed, answer])
        }),
        Claim::ours(
            "A server that swallows all errors hides its own: its client gets a FIN, its user nothing.",
            |trace| {
                let scene = trace.scene(3);
                let taken = accepted(&scene, "foreign-client")?;
                let server = scene.clone().role("server").after(taken.event);
                let (received, closed) = (server.first(Calls::Receives)?, server.first(Syscall::Close)?);
                let learned = scene.role("foreign-client").first(Calls::Receives)?;
                let printed = server.printed().into_iter().filter(|(_, text)| !text.contains(":port")).count();
                let holds = received.call.ret > Some(0)
                    && server.calls(Calls::Sends).is_empty()
                    && printed == 0
                    && learned.call.ret == Some(0);
                Verdict::by_calls(holds, [received, closed, learned])
            },
        )
        .about_programs(),
        Claim::ours("Around accept that makes an endless loop, if the error is one that stays.", |trace| {
            let scene = trace.scene(4);
            let failed = scene.clone().role("server").some(Syscall::Accept)?;
            let round = scene.finding(Finding::RoleGoesRound)?;
            let stays = failed.iter().all(|made| made.failed(Errno::EINVAL));
            Verdict::of(stays, [failed[0].event, round])
        })
        .about_programs(),
        Claim::ours("A server that reports what it catches goes on, and says of each client how it left.", |trace| {
            let scene = trace.scene(5);
            let server = scene.clone().role("server");
            let ends = ["rude-client:port broke", "foreign-client:port is sent away", "client:port has left"];
            let said = |text: &str| server.printed().into_iter().find(|(_, line)| line.starts_with(text));
            let reported: Vec<_> = ends.iter().filter_map(|text| said(text)).map(|(event, _)| event).collect();
            let served = scene.role("client").first(Calls::Receives)?;
            let holds = reported.len() == ends.len() && served.call.ret > Some(0);
            Verdict::of(holds, reported.into_iter().chain([served.event]))
        })
        .about_programs(),
    ]
}

/// The accept that took a role's connection.
fn accepted<'a>(scene: &Selection<'a>, role: &str) -> Result<Made<'a>, Unseen> {
    let peer = format!("{role}:port");
    let accepts = scene.calls(Syscall::Accept);
    let taken = accepts.into_iter().find(|made| made.event.word("addr") == Some(&peer));
    taken.ok_or(Unseen::because("the server did not accept it"))
}

/// The call with which a client left.
fn left<'a>(trace: &'a Trace, scene: u32, role: &str) -> Result<Made<'a>, Unseen> {
    trace.scene(scene).role(role).first(Syscall::Close)
}
