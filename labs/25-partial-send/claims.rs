//! What the old texts say about a buffer that is full, and where the bytes are.

use socklab::prelude::*;
use socklab::trace::{Calls, Event, Made, count_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C25", "send loses what does not fit the buffer.", |trace| {
            let mut evidence = Vec::new();
            let mut lost = false;
            // One send that waits; many that do not; one that its time ends, and one that a signal ends.
            for number in [1, 2, 3, 4] {
                let accepted = trace.scene(number).role("client").some(Calls::Sends)?;
                let received = trace.scene(number).role("server").some(Calls::Receives)?;
                lost |= count_of(&received) < count_of(&accepted);
                evidence.extend([accepted, received].concat().into_iter().filter(|made| made.call.ret > Some(0)));
            }
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(lost, evidence)
        }),
        Claim::classic("S0-C25", "sendall sends in a loop until all is sent.", |trace| {
            let client = trace.scene(5).role("client");
            let [first, short, rest] = client.exactly(Calls::Sends)?;
            let goes_on = short.call.ret < short.asked_for() && rest.call.ret == rest.asked_for();
            let all = short.asked_for().zip(short.call.ret).map(|(all, some)| all - some) == rest.asked_for();
            Verdict::by_calls(goes_on && all, [first, short, rest])
        }),
        Claim::ours("A blocking send returns when the kernel has taken all of it.", |trace| {
            let client = trace.scene(1).role("client");
            let [_, sent] = client.exactly(Calls::Sends)?;
            let waits = client.waits(Calls::Sends);
            let waited = *waits.first().ok_or(Unseen::because("the client's send did not wait"))?;
            let all = sent.call.ret == sent.asked_for();
            Verdict::of(all && waited.n < sent.event.n, [waited, sent.event])
        }),
        Claim::ours(
            "What send accepted was read, or is in the receiver's queue, or was not sent yet: it adds up.",
            |trace| {
                let (client, server) = (trace.scene(2).role("client"), trace.scene(2).role("server"));
                let mut evidence = Vec::new();
                let mut adds_up = true;
                // The server asks after what it has read, and what the client's queue holds then is known from a probe.
                for asked in server.some(Syscall::Ioctl)? {
                    let accepted = count_of(&client.clone().before(asked.event).calls(Calls::Sends));
                    let read = count_of(&server.clone().before(asked.event).calls(Calls::Receives));
                    let queue = client.clone().before(asked.event).send_queues().last().copied();
                    let queue = queue.ok_or(Unseen::because("nobody looked at the client's send queue"))?;
                    let unread = asked.call.get_out("argp").and_then(Value::as_number);
                    adds_up &=
                        unread.zip(queue.unacknowledged()).map(|(unread, kept)| read + unread + kept) == Some(accepted);
                    evidence.extend([queue, asked.event]);
                }
                evidence.sort_by_key(|event| event.n);
                evidence.dedup_by_key(|event| event.n);
                Verdict::of(adds_up, evidence)
            },
        ),
        Claim::ours("A non-blocking send takes what fits; it fails with EAGAIN if nothing does.", |trace| {
            let [_, part, none] = trace.scene(2).role("client").first_few(Calls::Sends)?;
            let asked = part.asked_for();
            let in_part = part.call.ret > Some(0) && part.call.ret < asked;
            Verdict::by_calls(in_part && none.failed(Errno::EAGAIN), [part, none])
        }),
        Claim::ours("Room for 1000 bytes in a full receive queue is not offered: nothing follows.", |trace| {
            let (client, server) = (trace.scene(2).role("client"), trace.scene(2).role("server"));
            let read = server.clone().first(Calls::Receives)?;
            let again = client.after(read.event).first(Calls::Sends)?;
            let asked = server.after(read.event).first(Syscall::Ioctl)?;
            let shrinks = asked.call.get_out("argp").and_then(Value::as_number) == Some(4096 - 1000);
            Verdict::by_calls(shrinks && again.failed(Errno::EAGAIN), [read, asked, again])
        }),
        Claim::ours("When its time is over, send returns what it has taken; EAGAIN, if that is nothing.", |trace| {
            let client = trace.scene(3).role("client");
            let limit = client.first(Syscall::SetSockOpt)?;
            let [_, part, none, _] = client.exactly(Calls::Sends)?;
            let asked = part.asked_for();
            let in_part = part.call.ret > Some(0) && part.call.ret < asked;
            Verdict::by_calls(in_part && none.failed(Errno::EAGAIN), [limit, part, none])
        }),
        Claim::ours("A signal ends a send that has taken something, SA_RESTART or not.", |trace| {
            let client = trace.scene(4).role("client");
            let [_, part, _, _] = client.exactly(Calls::Sends)?;
            let handler = client.before(part.event).last(Syscall::SigAction)?;
            let asked = part.asked_for();
            let in_part = part.call.ret > Some(0) && part.call.ret < asked;
            Verdict::by_calls(in_part && restarts(&handler), [handler, part])
        }),
        Claim::ours("A send that has taken nothing fails with EINTR; with SA_RESTART it goes on.", |trace| {
            let client = trace.scene(4).role("client");
            let [_, _, none, rest] = client.exactly(Calls::Sends)?;
            let plain = client.clone().before(none.event).last(Syscall::SigAction)?;
            let restarting = client.before(rest.event).last(Syscall::SigAction)?;
            let holds = none.failed(Errno::EINTR) && !restarts(&plain) && rest.call.ret > Some(0);
            Verdict::by_calls(holds && restarts(&restarting), [plain, none, restarting, rest])
        }),
        Claim::ours("A program that does not look at the count leaves holes in the stream.", |trace| {
            let sends = trace.scene(6).role("client").some(Calls::Sends)?;
            let asked: i64 = sends.iter().filter_map(|made| made.asked_for()).sum();
            let received = count_of(&trace.scene(6).role("server").some(Calls::Receives)?);
            // All that was accepted has come, and yet it is less than the program meant to send.
            let accepted = count_of(&sends);
            Verdict::by_calls(received == accepted && accepted < asked, sends)
        })
        .about_programs(),
        Claim::ours("write and read on a socket do what send and recv do.", |trace| {
            let [writes, sends] = [7, 2].map(|scene| trace.scene(scene).role("client").first_few::<3>(Calls::Sends));
            let (writes, sends) = (writes?, sends?);
            let same =
                |one: &Made<'_>, other: &Made<'_>| (one.call.ret, one.call.errno) == (other.call.ret, other.call.errno);
            let read = trace.scene(7).role("server").last(Calls::Receives)?;
            let like = writes.iter().zip(&sends).all(|(one, other)| same(one, other));
            let mut evidence: Vec<Made<'_>> = sends.into_iter().chain(writes).chain([read]).collect();
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(like && read.call.ret == Some(0), evidence)
        }),
        Claim::ours("Two programs that both write, and do not read meanwhile, wait for each other.", |trace| {
            let scene = trace.scene(9);
            let gives_up = scene.clone().role("client").last(Calls::Sends)?;
            let before = scene.before(gives_up.event);
            let mut evidence: Vec<&Event> = vec![gives_up.event];
            let mut holds = gives_up.call.ret < gives_up.asked_for();
            for name in ["client", "server"] {
                let role = before.clone().role(name);
                let waits = *role.waits(Calls::Sends).last().ok_or(Unseen::because("a send did not wait"))?;
                let queue = role.clone().receive_queues().last().copied();
                let queue = queue.ok_or(Unseen::because("nobody looked at a receive queue"))?;
                holds &= role.calls(Calls::Receives).is_empty() && queue.unread() > Some(0);
                evidence.extend([waits, queue]);
            }
            evidence.sort_by_key(|event| event.n);
            Verdict::of(holds, evidence)
        }),
        Claim::ours("If one of the two reads while it writes, both come to an end.", |trace| {
            let scene = trace.scene(10);
            let mut evidence = Vec::new();
            let mut whole = true;
            for (sender, receiver) in [("client", "server"), ("server", "client")] {
                let sent = scene.clone().role(sender).some(Calls::Sends)?;
                let asked = 4096 + 10_240;
                let received = scene.clone().role(receiver).some(Calls::Receives)?;
                whole &= (count_of(&sent), count_of(&received)) == (asked, asked);
                evidence.extend(sent.last().copied());
                evidence.extend(received.iter().rfind(|made| made.call.ret > Some(0)).copied());
            }
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(whole, evidence)
        }),
    ]
}

/// Whether a handler is set so that interrupted calls are made again.
fn restarts(handler: &Made<'_>) -> bool {
    handler.call.get_arg("flags").and_then(Value::as_word) == Some("SA_RESTART")
}
