//! What lab 39 confirms and refutes.

use socklab::prelude::*;
use socklab::trace::{Event, Finding, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::ours("A child has its parent's connection, under the same number.", |trace| {
            let accepted = trace.scene(1).actor("server").first(Syscall::Accept)?;
            let received = trace.scene(1).actor("server/1").first(Receives)?;
            let same = received.call.fd.map(i64::from) == accepted.call.ret;
            Verdict::by_calls(same && received.call.ret == Some(5), [accepted, received])
        }),
        Claim::ours(
            "A child that does not look for 0 goes round for ever, and the other clients are served.",
            |trace| {
                let scene = trace.scene(1);
                let zero = scene.clone().actor("server/1").last(Receives)?;
                let round = scene.finding(Finding::RoleGoesRound)?;
                let served = scene.role("second-client").first(Receives)?;
                let holds = zero.call.ret == Some(0) && served.call.ret > Some(0);
                Verdict::of(holds, [zero.event, round, served.event])
            },
        )
        .about_programs(),
        Claim::ours("While a second process has a connection open, a close in the first one sends no FIN.", |trace| {
            let scene = trace.scene(2);
            let closed = scene.clone().actor("server/1").first(Syscall::Close)?;
            let waits = scene.finding(Finding::EveryoneWaits)?;
            let client = scene.role("client");
            let learned = client.clone().after(closed.event).calls(Receives).is_empty();
            let no_fin = !client.states().iter().any(|event| event.state() == Some(TcpState::CloseWait));
            let holds = closed.call.ret == Some(0) && learned && no_fin && waits.finds_waiting("client");
            Verdict::of(holds, [closed.event, waits])
        }),
        Claim::ours("The old parent closes its copy when the next client comes, and not before.", |trace| {
            let scene = trace.scene(3);
            let server = scene.clone().actor("server");
            let [_, next] = server.exactly(Syscall::Accept)?;
            let closed = server.first(Syscall::Close)?;
            let learned = scene.role("client").first(Receives)?;
            let in_order = next.event.n < closed.event.n && closed.event.n < learned.event.n;
            Verdict::by_calls(in_order && learned.call.ret == Some(0), [next, closed, learned])
        })
        .about_programs(),
        Claim::ours("Where the parent has closed its copy, the child's close ends the connection.", |trace| {
            let scene = trace.scene(4);
            let parents = scene.clone().actor("server").first(Syscall::Close)?;
            let childs = scene.clone().actor("server/1").last(Syscall::Close)?;
            let learned = scene.role("client").last(Receives)?;
            let in_order = parents.event.n < childs.event.n && childs.event.n < learned.event.n;
            Verdict::by_calls(in_order && learned.call.ret == Some(0), [parents, childs, learned])
        }),
        Claim::ours("A child that has ended and that nobody waits for is a zombie.", |trace| {
            let ends = children(trace, 5)?;
            let holds = ends.iter().all(|event| is_zombie(event));
            let waited = trace.scene(5).calls(Syscall::WaitPid).is_empty();
            Verdict::of(holds && waited, ends)
        }),
        Claim::ours("A grandchild whose parent has ended is no zombie of the server's.", |trace| {
            let ends = children(trace, 6)?;
            let grand: Vec<&Event> =
                ends.into_iter().filter(|event| event.actor().is_some_and(|name| name.ends_with("/1/1"))).collect();
            let waited = trace.scene(6).actor("server").first(Syscall::WaitPid)?;
            let holds = grand.len() == 1 && !is_zombie(grand[0]) && waited.call.errno.is_none();
            Verdict::of(holds, grand.into_iter().chain([waited.event]))
        }),
        Claim::ours("A child goes on when its parent has been killed.", |trace| {
            let end = trace.scene(7).actor("server").end()?;
            let answer = trace.scene(7).actor("server/1").after(end).last(Sends)?;
            Verdict::of(answer.call.ret > Some(0), [end, answer.event])
        }),
        Claim::ours("A child that has the listener keeps the port taken, in spite of SO_REUSEADDR.", |trace| {
            let second = trace.scene(7).role("second-server");
            let (option, bound) = (second.first(Syscall::SetSockOpt)?, second.first(Syscall::Bind)?);
            Verdict::by_calls(option.call.ret == Some(0) && bound.failed(Errno::EADDRINUSE), [option, bound])
        }),
        Claim::ours("Who connects then is connected, and nobody accepts it; the child's end resets it.", |trace| {
            let caller = trace.scene(7).role("caller");
            let (connected, learned) = (caller.first(Syscall::Connect)?, caller.first(Receives)?);
            let holds = connected.call.ret == Some(0) && learned.failed(Errno::ECONNRESET);
            Verdict::by_calls(holds, [connected, learned])
        }),
        Claim::ours(
            "Where the child has closed the listener, the server starts again while the child lives.",
            |trace| {
                let scene = trace.scene(8);
                let bound = scene.clone().role("second-server").first(Syscall::Bind)?;
                let end = scene.actor("server/1").end()?;
                Verdict::of(bound.call.ret == Some(0) && bound.event.n < end.n, [bound.event, end])
            },
        ),
        Claim::ours("A reset is one child's affair: another one answers after it.", |trace| {
            let scene = trace.scene(12);
            let reset = scene.clone().actor("server/1").last(Receives)?;
            let answer = scene.actor("server/2").after(reset.event).first(Sends)?;
            Verdict::by_calls(reset.failed(Errno::ECONNRESET) && answer.call.ret > Some(0), [reset, answer])
        }),
    ]
}

/// How the children of a scene's server ended.
fn children(trace: &Trace, scene: u32) -> Result<Vec<&Event>, Unseen> {
    let scene = trace.scene(scene);
    let is_child = |event: &&&Event| event.actor().is_some_and(|name| name.contains('/'));
    let ends = |event: &&&Event| matches!(event.what, What::Exit(_));
    let all: Vec<&Event> = scene.events().iter().filter(is_child).filter(ends).copied().collect();
    if all.is_empty() { Err(Unseen::because("no child has ended")) } else { Ok(all) }
}

fn is_zombie(event: &Event) -> bool {
    matches!(&event.what, What::Exit(exit) if exit.is_zombie)
}
