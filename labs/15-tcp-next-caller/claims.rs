//! What is said about the second client, and about catching whatever goes wrong.

use socklab::prelude::*;
use socklab::trace::{Event, Finding, Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S2-C17",
            "That a peer leaves is a 0 on Linux; ConnectionResetError is the way of Windows.",
            |trace| {
                let server = trace.scene(5).role("server");
                let left: Vec<_> =
                    server.calls(Syscall::Recv).into_iter().filter(|made| made.call.ret <= Some(0)).collect();
                let reset = left.iter().copied().find(|made| made.call.errno == Some(Errno::ECONNRESET));
                let zero = left.iter().copied().find(|made| made.call.ret == Some(0));
                if zero.is_none() {
                    return Err(Unseen::because("no role said goodbye"));
                }
                Verdict::by_calls(reset.is_none(), reset.into_iter().chain(zero))
            },
        ),
        Claim::ours("Who waits for accept is connected, and can send.", |trace| {
            let second = trace.scene(2).role("second-client");
            let (connected, sent) = (second.first(Syscall::Connect)?, second.first(Syscall::Send)?);
            let queue = trace.scene(2).after(connected.event).accept_queues().first().copied();
            let taken = accepted(&trace.scene(2), "second-client");
            let before = taken.is_some_and(|made| made.event.n > sent.event.n);
            let holds = before && sent.call.ret > Some(0) && queue.and_then(|event| event.unaccepted()) >= Some(1);
            let evidence = [Some(connected.event), queue, Some(sent.event), taken.map(|made| made.event)];
            Verdict::of(holds, evidence.into_iter().flatten())
        }),
        Claim::ours("The second client is served when the first one has left, and not before.", |trace| {
            let scene = trace.scene(2);
            let first_left =
                scene.clone().role("server").calls(Syscall::Recv).into_iter().find(|made| made.call.ret == Some(0));
            let taken = accepted(&scene, "second-client");
            let answer = scene.role("second-client").calls(Syscall::Recv).first().copied();
            let left =
                first_left.ok_or(Unseen::because("the first one did not leave, or the second one was not served"))?;
            let taken =
                taken.ok_or(Unseen::because("the first one did not leave, or the second one was not served"))?;
            let answer =
                answer.ok_or(Unseen::because("the first one did not leave, or the second one was not served"))?;
            let holds = left.event.n < taken.event.n && taken.event.n < answer.event.n && answer.call.ret > Some(0);
            Verdict::by_calls(holds, [left, taken, answer])
        }),
        Claim::ours("A server that ends resets those who wait in its queue, though they were connected.", |trace| {
            let scene = trace.scene(1);
            let closed = scene.clone().role("server").calls(Syscall::Close).last().copied();
            let second = scene.role("second-client");
            let connected = second.calls(Syscall::Connect).first().copied();
            let told = second.calls(Syscall::Recv).first().copied();
            let holds = connected.is_some_and(|made| made.call.ret == Some(0))
                && told.is_some_and(|made| made.call.errno == Some(Errno::ECONNRESET));
            Verdict::by_calls(holds, connected.into_iter().chain(closed).chain(told))
        }),
        Claim::ours("The answer to q goes to somebody who has left, and the send succeeds.", |trace| {
            let scene = trace.scene(2);
            let closed = scene.clone().role("client").calls(Syscall::Close).first().copied();
            let answer = scene.role("server").calls(Syscall::Send).into_iter().find(|made| made.call.bytes() == b"Q");
            let closed = closed.ok_or(Unseen::because("no role sent q"))?;
            let answer = answer.ok_or(Unseen::because("no role sent q"))?;
            Verdict::by_calls(closed.event.n < answer.event.n && answer.call.ret == Some(1), [closed, answer])
        }),
        Claim::ours("Where all errors are swallowed, neither side learns of the server's own.", |trace| {
            let scene = trace.scene(3);
            let taken = accepted(&scene, "foreign-client").ok_or(Unseen::because("no role came"))?;
            let server = scene.clone().role("server").after(taken.event);
            let received = server.calls(Syscall::Recv).first().copied();
            let closed = server.calls(Syscall::Close).first().copied();
            let said = server.printed().into_iter().filter(|(_, text)| !text.contains(":port")).count();
            let told = scene.role("foreign-client").calls(Syscall::Recv).first().copied();
            let silent = said == 0 && server.calls(Syscall::Send).is_empty();
            let goodbye = told.is_some_and(|made| made.call.ret == Some(0));
            let holds = silent && goodbye && received.is_some_and(|made| made.call.ret > Some(0));
            Verdict::by_calls(holds, received.into_iter().chain(closed).chain(told))
        }),
        Claim::ours("Around accept, swallowing all errors makes an endless loop of one that stays.", |trace| {
            let scene = trace.scene(4);
            let failed = scene.clone().role("server").calls(Syscall::Accept);
            let round = scene.finding(Finding::RoleGoesRound).ok();
            let holds = round.is_some() && failed.iter().all(|made| made.call.errno == Some(Errno::EINVAL));
            Verdict::of(holds, failed.first().map(|made| made.event).into_iter().chain(round))
        }),
        Claim::ours("A server that tells what it catches serves on, and says of each client how it left.", |trace| {
            let scene = trace.scene(5);
            let printed = scene.clone().role("server").printed();
            let ends = ["rude-client:port left without", "foreign-client:port is sent away", "client:port has left"];
            let told =
                ends.map(|text| printed.iter().find(|(_, line)| line.starts_with(text)).map(|(event, _)| *event));
            let served = scene.role("client").calls(Syscall::Recv).first().copied();
            let holds = told.iter().all(Option::is_some) && served.is_some_and(|made| made.call.ret > Some(0));
            let evidence = told.into_iter().flatten().chain(served.map(|made| made.event));
            let mut evidence: Vec<&Event> = evidence.collect();
            evidence.sort_by_key(|event| event.n);
            Verdict::of(holds, evidence)
        }),
    ]
}

/// The accept that took a role's connection.
fn accepted<'a>(scene: &Selection<'a>, role: &str) -> Option<Made<'a>> {
    let peer = format!("{role}:port");
    scene.calls(Syscall::Accept).into_iter().find(|made| made.event.word("addr") == Some(&peer))
}
