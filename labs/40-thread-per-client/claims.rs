//! What holds of threads that serve clients.

use socklab::prelude::*;
use socklab::trace::{Made, Probe};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C06", "A process id marks a process or a thread.", |trace| {
            let scene = trace.scene(5);
            let [one, other] = ["server/1", "server/2"].map(|actor| scene.clone().actor(actor).first(Syscall::GetPid));
            let (one, other) = (one?, other?);
            // If it marked a thread, two threads would have two.
            Verdict::by_calls(name(&one) != name(&other), [one, other])
        }),
        Claim::ours("Each thread has a number of its own. That of the first is the process id.", |trace| {
            let scene = trace.scene(5);
            let process = scene.first(Syscall::GetPid)?;
            let asked = scene.exactly::<3>(Syscall::GetTid)?;
            let [main, one, other] = asked.map(|made| name(&made));
            let holds = main == name(&process) && one != main && other != main && one != other;
            Verdict::by_calls(holds, [vec![process], asked.to_vec()].concat())
        }),
        Claim::ours(
            "While one thread waits for a client that does not read, another serves the next client.",
            |trace| {
                let scene = trace.scene(3);
                let waits = scene.clone().actor("server/1").waits(Sends);
                let waits = *waits.first().ok_or(Unseen::because("the first thread did not wait in send"))?;
                let ends = scene.clone().actor("server/1").after(waits).first(Sends)?;
                let served = scene.role("second-client").first(Receives)?;
                let between = waits.n < served.event.n && served.event.n < ends.event.n && served.call.ret > Some(0);
                Verdict::of(between, [waits, served.event, ends.event])
            },
        ),
        Claim::ours("A reset fails the recv of one thread. The other client is served.", |trace| {
            let scene = trace.scene(4);
            let fails = scene.clone().actor("server/1").last(Receives)?;
            let served = scene.role("second-client").first(Receives)?;
            let holds = fails.failed(Errno::ECONNRESET) && served.call.ret > Some(0);
            Verdict::by_calls(holds && fails.event.n < served.event.n, [fails, served])
        }),
        Claim::ours("When no more threads can be made, pthread_create fails with EAGAIN, and that is all.", |trace| {
            let scene = trace.scene(7);
            let [_, _, fails] = scene.clone().role("server").exactly(Syscall::PthreadCreate)?;
            let after = scene.after(fails.event);
            let served = [after.clone().role("client").first(Receives)?, after.role("second-client").first(Receives)?];
            let holds = fails.failed(Errno::EAGAIN) && served.iter().all(|made| made.call.ret > Some(0));
            Verdict::by_calls(holds, [vec![fails], served.to_vec()].concat())
        }),
        Claim::ours("At a pool's bound, connect and send still return: the connection waits in the kernel.", |trace| {
            let scene = trace.scene(8);
            let third = scene.clone().role("third-client");
            let (connected, sent) = (third.first(Syscall::Connect)?, third.first(Sends)?);
            let accepts = scene.clone().calls(Syscall::Accept);
            let before = accepts.iter().filter(|made| made.event.n < sent.event.n).count();
            let queue = scene.after(connected.event).accept_queues().first().copied();
            let queue = queue.ok_or(Unseen::because("nobody looked at the accept queue"))?;
            let waits = queue.probe().is_some_and(|probe| matches!(probe, Probe::AcceptQueue { waiting: 1 }));
            let holds = connected.call.ret == Some(0) && sent.call.ret > Some(0) && before == 2 && waits;
            Verdict::of(holds, [connected.event, queue, sent.event])
        }),
        Claim::ours(
            "Behind a queue of the program's, the connection is accepted, and its bytes wait unread.",
            |trace| {
                let scene = trace.scene(9);
                let sent = scene.clone().role("third-client").first(Sends)?;
                let [_, _, accepted] = scene.clone().role("server").exactly(Syscall::Accept)?;
                let queue = scene.clone().role("server").after(sent.event).receive_queues().first().copied();
                let queue = queue.ok_or(Unseen::because("nobody looked at the receive queue"))?;
                let read = scene.clone().after(sent.event).role("server").received();
                let read = *read.last().ok_or(Unseen::because("nobody read it"))?;
                let waits = accepted.event.n < sent.event.n || accepted.event.n < read.event.n;
                let holds = waits && queue.unread() == sent.call.ret;
                Verdict::of(holds && queue.n < read.event.n, [sent.event, accepted.event, queue, read.event])
            },
        ),
        Claim::ours("What one thread closes is closed for all: the next connection has its number.", |trace| {
            let server = trace.scene(11).role("server");
            let [first, second] = server.exactly(Syscall::Accept)?;
            let closed = server.clone().before(second.event).last(Syscall::Close)?;
            let holds = first.call.ret == second.call.ret && closed.call.fd.map(i64::from) == first.call.ret;
            Verdict::by_calls(holds, [first, closed, second])
        }),
        Claim::ours(
            "close does not end a recv that sleeps in another thread, and no FIN is sent before it.",
            |trace| {
                let (scene, reads) = (trace.scene(11), trace.scene(11).actor("server/1").first(Receives)?);
                let closed = scene.clone().role("server").before(reads.event).last(Syscall::Close)?;
                let sent = scene.clone().role("client").after(closed.event).first(Sends)?;
                let fin = scene.role("client").first(Receives)?;
                let holds = reads.call.ret == Some(5) && sent.event.n < reads.event.n && reads.event.n < fin.event.n;
                Verdict::by_calls(holds && fin.call.ret == Some(0), [closed, sent, reads, fin])
            },
        ),
        Claim::ours("An answer on a number that was left over reaches another client.", |trace| {
            let scene = trace.scene(11);
            let answers = scene.clone().actor("server/1").first(Sends)?;
            let strays = scene.role("second-client").first(Receives)?;
            Verdict::by_calls(strays.call.bytes() == b"SEVEN".as_slice(), [answers, strays])
        }),
        Claim::ours("shutdown ends a recv that sleeps in another thread.", |trace| {
            let scene = trace.scene(12);
            let shut = scene.clone().role("server").first(Syscall::Shutdown)?;
            let ends = scene.clone().actor("server/1").first(Receives)?;
            let joined = scene.role("server").first(Syscall::PthreadJoin)?;
            let holds = ends.call.ret == Some(2) && shut.event.n < ends.event.n && ends.event.n < joined.event.n;
            Verdict::by_calls(holds && joined.call.ret == Some(0), [shut, ends, joined])
        }),
        Claim::ours("A panic ends its thread and that thread's connection, and no other.", |trace| {
            let scene = trace.scene(13);
            let read = scene.clone().actor("server/1").first(Receives)?;
            let fin = scene.clone().role("client").first(Receives)?;
            let served = scene.role("second-client").first(Receives)?;
            let holds = fin.call.ret == Some(0) && served.call.ret > Some(0);
            Verdict::by_calls(holds && fin.event.n < served.event.n, [read, fin, served])
        }),
        Claim::ours("When main returns, the threads end with it, and their clients see FIN.", |trace| {
            let scene = trace.scene(13);
            let [_, _, last] = scene.clone().role("server").exactly(Syscall::Accept)?;
            let [_, fin] = scene.clone().role("second-client").exactly(Receives)?;
            let closes = scene.actor("server/2").calls(Syscall::Close).is_empty();
            Verdict::by_calls(closes && fin.call.ret == Some(0) && last.event.n < fin.event.n, [last, fin])
        }),
        Claim::ours(
            "A threading UDP server answers from all of its threads by one socket, and closes it once.",
            |trace| {
                let server = trace.scene(15).role("server");
                let answers = server.exactly::<2>(Sends)?;
                let closed = server.exactly::<1>(Syscall::Close)?;
                let of_one = answers.iter().all(|made| made.call.fd == closed[0].call.fd && made.call.ret > Some(0));
                let others: Vec<Option<&str>> = answers.iter().map(|made| made.event.actor()).collect();
                let holds = of_one && others[0] != others[1];
                Verdict::by_calls(holds, [answers.to_vec(), closed.to_vec()].concat())
            },
        )
        .about_programs(),
    ]
}

/// Which process or thread a call named.
fn name<'a>(made: &Made<'a>) -> Option<&'a str> {
    made.event.word("pid")
}
