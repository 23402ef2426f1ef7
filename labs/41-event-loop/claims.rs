//! What lab 41 finds of event loops.

use socklab::prelude::*;
use socklab::trace::{Finding, bytes_of, count_of};

use super::ROUNDS;

pub fn all() -> Vec<Claim> {
    vec![
        Claim::ours("While one client does not read, the same thread answers another one.", |trace| {
            let answer = trace.scene(3).role("second-client").first(Receives)?;
            let late = trace.scene(3).role("client").first(Receives)?;
            let holds = answer.call.bytes() == b"HELLO" && answer.event.n < late.event.n;
            Verdict::by_calls(holds, [answer, late])
        }),
        Claim::ours("A send takes a part; epoll_wait reports EPOLLOUT when there is room for the rest.", |trace| {
            let server = trace.scene(3).role("server");
            let sends = server.some(Sends)?;
            let part = sends.iter().rfind(|made| made.call.ret > Some(0) && made.call.ret < made.asked_for());
            let part = *part.ok_or(Unseen::because("no send took a part"))?;
            let later = server.after(part.event);
            let told = later.calls(Syscall::EpollWait).into_iter().find(|made| {
                made.call.reported().iter().any(|ready| Some(ready.fd) == part.call.fd && ready.is(libc::EPOLLOUT))
            });
            let told = told.ok_or(Unseen::because("no room was reported"))?;
            let rest = later.after(told.event).first(Sends)?;
            let left = part.asked_for().zip(part.call.ret).map(|(all, some)| all - some);
            Verdict::by_calls(rest.call.ret == left && told.call.ret == Some(1), [part, told, rest])
        }),
        Claim::ours("The slow client gets all of its answers, though the server keeps one at most.", |trace| {
            let client = trace.scene(3).role("client");
            let (sent, received) = (client.some(Sends)?, client.some(Receives)?);
            let mut evidence = [sent.clone(), received.clone()].concat();
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(count_of(&sent) == count_of(&received), evidence)
        }),
        Claim::ours("A reset is reported as EPOLLERR and EPOLLHUP; then recv fails with ECONNRESET.", |trace| {
            let server = trace.scene(4).role("server");
            let failed = server.calls(Receives).into_iter().find(|made| made.call.ret == Some(-1));
            let failed = failed.ok_or(Unseen::because("no recv failed"))?;
            let told = server.before(failed.event).last(Syscall::EpollWait)?;
            let both = libc::EPOLLERR | libc::EPOLLHUP;
            let is_told = told.call.reported().iter().any(|ready| ready.is(both) && Some(ready.fd) == failed.call.fd);
            Verdict::by_calls(is_told && failed.failed(Errno::ECONNRESET), [told, failed])
        }),
        Claim::ours("Level-triggered, epoll_wait reports again what was left unread.", |trace| {
            let server = trace.scene(5).role("server");
            let [first, again, _] = server.first_few(Syscall::EpollWait)?;
            let [sent] = trace.scene(5).role("client").exactly(Sends)?;
            let read = server.first(Receives)?;
            let is_told =
                [first, again].iter().all(|made| made.call.reported().iter().any(|one| one.is(libc::EPOLLIN)));
            let in_part = read.call.ret < sent.call.ret;
            Verdict::by_calls(is_told && in_part, [sent, first, read, again])
        }),
        Claim::ours("Edge-triggered, epoll_wait does not report it again; it reports new bytes.", |trace| {
            let scene = trace.scene(6);
            let server = scene.clone().role("server");
            let [_, nudge] = scene.clone().role("client").exactly(Sends)?;
            let [first, after] = server.exactly(Syscall::EpollWait)?;
            let queue = *server.receive_queues().last().ok_or(Unseen::because("no queue was looked at"))?;
            let finding = scene.finding(Finding::EveryoneWaits)?;
            let told = [first, after].iter().all(|made| made.call.reported().iter().any(|one| one.is(libc::EPOLLIN)));
            let in_order = first.event.n < nudge.event.n && nudge.event.n < after.event.n;
            let holds = told && in_order && queue.unread() > Some(0) && finding.finds_waiting("server");
            Verdict::of(holds, [first.event, nudge.event, after.event, queue, finding])
        }),
        Claim::ours("Edge-triggered, a server that reads until EAGAIN gets everything.", |trace| {
            let server = trace.scene(7).role("server");
            let reads = server.some(Receives)?;
            let empty = reads.iter().position(|made| made.failed(Errno::EAGAIN));
            let empty = empty.ok_or(Unseen::because("no recv failed with EAGAIN"))?;
            let all = bytes_of(&reads[..empty]);
            Verdict::by_calls(all == b"hello world", reads[..=empty].iter().copied())
        }),
        Claim::ours("Watched for EPOLLOUT, a connection with room is reported at each epoll_wait.", |trace| {
            let told = trace.scene(8).role("server").first(Syscall::EpollWait)?;
            let writable = told.call.reported().iter().all(|ready| ready.is(libc::EPOLLOUT));
            let holds = told.call.times == ROUNDS as u64 && told.call.ret == Some(1) && writable;
            Verdict::by_calls(holds, [told])
        }),
        Claim::ours("Without a free descriptor accept fails, and the listener is reported again and again.", |trace| {
            let scene = trace.scene(9);
            let server = scene.clone().role("server");
            let (told, failed) = (server.last(Syscall::EpollWait)?, server.last(Syscall::Accept)?);
            let round = scene.finding(Finding::RoleGoesRound)?;
            let is_told = told.call.reported().iter().any(|ready| Some(ready.fd) == failed.call.fd);
            Verdict::of(is_told && failed.failed(Errno::EMFILE), [told.event, failed.event, round])
        }),
        Claim::ours("The connection waits in the listener's queue until a descriptor is free.", |trace| {
            let server = trace.scene(10).role("server");
            let [_, failed, late] = server.exactly(Syscall::Accept)?;
            let closed = server.before(late.event).last(Syscall::Close)?;
            let freed = late.call.ret == closed.call.fd.map(i64::from) && closed.call.ret == Some(0);
            Verdict::by_calls(failed.failed(Errno::EMFILE) && freed, [failed, closed, late])
        }),
        Claim::ours("With a spare descriptor, a server can accept one client too many, and close.", |trace| {
            let server = trace.scene(11).role("server");
            let [_, failed, spare] = server.exactly(Syscall::Accept)?;
            let told = trace.scene(11).role("second-client").first(Receives)?;
            let accepted = spare.call.ret >= Some(0);
            Verdict::by_calls(
                failed.failed(Errno::EMFILE) && accepted && told.call.ret == Some(0),
                [failed, spare, told],
            )
        }),
    ]
}
