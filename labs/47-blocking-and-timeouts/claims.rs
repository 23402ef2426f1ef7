//! What the old texts say about calls that wait, and what ends them.

use socklab::prelude::*;
use socklab::trace::{Calls, Event, Finding, Made, Selection, Sent, SocketOption, TcpFlags, bytes_of, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C14", "setblocking sets whether the calls of a socket wait.", |trace| {
            let client = client(trace, 1);
            let off = client.last(Syscall::Ioctl)?;
            let off = client.clone().before(off.event).last(Syscall::Ioctl)?;
            let fails = client.after(off.event).first(Calls::Receives)?;
            // The second scene's socket waits again when the flag is taken away.
            let two = self::client(trace, 2);
            let on = two.first(Syscall::Ioctl)?;
            let waits = two.after(on.event).waits(Calls::Receives);
            let waits = *waits.first().ok_or(Unseen::because("no receive waited in scene 2"))?;
            Verdict::of(
                fails.failed(Errno::EAGAIN) && fails.call.after.is_none() && on.call.ret == Some(0),
                [off.event, fails.event, on.event, waits],
            )
        }),
        Claim::classic("S1-C14", "settimeout sets a time limit for the calls that wait.", |trace| {
            // In Python, settimeout is the request FIONBIO, and a receive with a limit begins with a poll.
            let client = client(trace, 1);
            let set = client.first(Syscall::Ioctl)?;
            let ends = client.clone().after(set.event).first(Syscall::Poll)?;
            let answered = client.after(ends.event).first(Syscall::Poll)?;
            let holds = ends.call.ret == Some(0) && answered.call.ready().contains(libc::POLLIN);
            Verdict::by_calls(holds && ends.call.timeout() < answered.call.timeout(), [set, ends, answered])
        }),
        Claim::ours("MSG_DONTWAIT is one call's: the flags of the open file description stay.", |trace| {
            let client = client(trace, 2);
            let once = client.first(Calls::Receives)?;
            let [flags, ..] = flags(&client)?;
            let holds = once.call.flags().contains(libc::MSG_DONTWAIT) && once.failed(Errno::EAGAIN);
            Verdict::by_calls(holds && !waits_never(&flags), [once, flags])
        }),
        Claim::ours("O_NONBLOCK is the open file description's: two descriptors share it.", |trace| {
            let client = client(trace, 2);
            let [before, _, set, after] = flags(&client)?;
            let made = client.first(Syscall::DupFd)?;
            let tried = client.clone().after(set.event).first(Calls::Receives)?;
            // Each is asked on the descriptor on which it was not set.
            let other = before.call.fd == set.call.fd && tried.call.fd == set.call.fd && set.call.fd != after.call.fd;
            let holds = !waits_never(&before) && waits_never(&set) && !waits_never(&after);
            Verdict::by_calls(other && holds && tried.failed(Errno::EAGAIN), [made, before, set, tried, after])
        }),
        Claim::ours("SO_RCVTIMEO is the socket's: it ends a receive on its other descriptor, with EAGAIN.", |trace| {
            let client = client(trace, 2);
            let set = option(&client, SocketOption::RcvTimeo)?;
            let ended = client.after(set.event).first(Calls::Receives)?;
            let other = ended.call.fd != set.call.fd;
            Verdict::by_calls(other && ended.failed(Errno::EAGAIN) && ended.call.after.is_some(), [set, ended])
        }),
        Claim::ours("A connection gets SO_RCVTIMEO from its listener, and here not O_NONBLOCK.", |trace| {
            let server = trace.scene(2).role("server");
            let set = option(&server, SocketOption::RcvTimeo)?;
            let (accepted, flags) = (server.first(Syscall::Accept)?, server.first(Syscall::Fcntl)?);
            let asked = server.first(Syscall::GetSockOpt)?;
            let same = asked.call.get_out("optval") == set.call.get_arg("optval");
            Verdict::by_calls(same && !waits_never(&flags), [set, accepted, flags, asked])
        }),
        Claim::ours("SO_RCVTIMEO ends accept, too, with EAGAIN.", |trace| {
            let server = trace.scene(2).role("server");
            let ended = server.last(Syscall::Accept)?;
            let set = option(&server, SocketOption::RcvTimeo)?;
            Verdict::by_calls(ended.failed(Errno::EAGAIN) && ended.call.after.is_some(), [set, ended])
        }),
        Claim::ours("SO_SNDTIMEO ends a connect, and not SO_RCVTIMEO: EINPROGRESS, and EALREADY again.", |trace| {
            let client = client(trace, 3);
            let (receive, send) = (option(&client, SocketOption::RcvTimeo)?, option(&client, SocketOption::SndTimeo)?);
            let [first, second] = exactly(client.after(send.event).calls(Syscall::Connect), "attempts with a limit")?;
            // The one limit is 50 ms, the other 300.
            let late = |made: &Made<'_>| made.call.after.as_deref() == Some("about 400 ms");
            let holds = first.failed(Errno::EINPROGRESS) && second.failed(Errno::EALREADY);
            Verdict::by_calls(holds && late(&first) && late(&second), [receive, send, first, second])
        }),
        Claim::ours("While a connect goes on, another says EALREADY; once it is done, 0, and then EISCONN.", |trace| {
            let client = client(trace, 4);
            let [_, begun, pending, done, more] = exactly(client.calls(Syscall::Connect), "connects in scene 4")?;
            let ready = client.clone().before(done.event).last(Syscall::Poll)?;
            let before = begun.failed(Errno::EINPROGRESS) && pending.failed(Errno::EALREADY);
            let after = done.call.ret == Some(0) && more.failed(Errno::EISCONN);
            let holds = before && after && ready.call.ready().contains(libc::POLLOUT);
            Verdict::by_calls(holds, [begun, pending, ready, done, more])
        }),
        Claim::ours(
            "Before there is a connection, send and recv fail with EAGAIN here, and poll finds nothing.",
            |trace| {
                let client = client(trace, 4);
                let (sent, received) = (client.first(Calls::Sends)?, client.first(Calls::Receives)?);
                let poll = client.first(Syscall::Poll)?;
                let holds = sent.failed(Errno::EAGAIN) && received.failed(Errno::EAGAIN) && poll.call.ret == Some(0);
                Verdict::by_calls(holds, [sent, received, poll])
            },
        ),
        Claim::ours(
            "After a refusal the next connect reports it, SO_ERROR then 0; a third one begins anew.",
            |trace| {
                let client = client(trace, 5);
                let [_, reports, anew] = exactly(client.calls(Syscall::Connect), "connects in scene 5")?;
                let (ready, asked) = (client.first(Syscall::Poll)?, client.first(Syscall::GetSockOpt)?);
                let none = asked.event.errno("optval") == Some(Errno::NONE);
                let holds = reports.failed(Errno::ECONNREFUSED) && none && anew.failed(Errno::EINPROGRESS);
                Verdict::by_calls(holds && ready.call.ready().contains(libc::POLLERR), [ready, reports, asked, anew])
            },
        ),
        Claim::ours("A receive that its time ends takes nothing out of the stream.", |trace| {
            let client = client(trace, 7);
            let ended = client.calls(Calls::Receives).into_iter().find(|made| made.failed(Errno::EAGAIN));
            let ended = ended.ok_or(Unseen::because("no receive was ended by its time"))?;
            let received = client.received();
            let between = received.first().is_some_and(|made| made.event.n < ended.event.n)
                && received.last().is_some_and(|made| made.event.n > ended.event.n);
            let sent = bytes_of(&trace.scene(7).role("server").some(Calls::Sends)?);
            let whole = bytes_of(&received) == sent;
            let mut evidence: Vec<Made<'_>> = received.into_iter().chain([ended]).collect();
            evidence.sort_by_key(|made| made.event.n);
            Verdict::by_calls(between && whole, evidence)
        }),
        Claim::ours("A program that forgets what it had then reads the rest as a message of its own.", |trace| {
            let client = client(trace, 6);
            let ended = client.calls(Calls::Receives).into_iter().find(|made| made.failed(Errno::EAGAIN));
            let ended = ended.ok_or(Unseen::because("no receive was ended by its time"))?;
            let next = client.after(ended.event).received();
            let next = *next.first().ok_or(Unseen::because("nothing was received afterwards"))?;
            let sent = bytes_of(&trace.scene(6).role("server").some(Calls::Sends)?);
            // The first message is sent[..5], the second sent[5..].
            let whole =
                next.asked_for() == Some(5) && (next.call.bytes() == &sent[..5] || next.call.bytes() == &sent[5..]);
            Verdict::by_calls(next.asked_for() == Some(5) && !whole, [ended, next])
        })
        .about_programs(),
        Claim::ours("A limit for each call does not limit a message that comes in several.", |trace| {
            let client = client(trace, 8);
            let set = option(&client, SocketOption::RcvTimeo)?;
            let received = client.some(Calls::Receives)?;
            // Between them the peer has slept longer than the limit is.
            let slept = trace.scene(8).role("server").some(Syscall::Poll)?;
            let slept: Vec<&Made<'_>> = slept.iter().filter(|made| made.call.ret == Some(0)).collect();
            let all: std::time::Duration = slept.iter().filter_map(|made| made.call.timeout()).sum();
            let limit = match set.call.get_arg("optval") {
                Some(Value::Time(limit)) => *limit,
                _ => return Err(Unseen::because("the limit is no time")),
            };
            let whole = received.iter().all(|made| made.call.ret > Some(0));
            Verdict::by_calls(all > limit && whole, [set].into_iter().chain(received))
        }),
        Claim::ours("A poll for what is left of a deadline limits the message.", |trace| {
            let client = client(trace, 9);
            let polls = client.some(Syscall::Poll)?;
            let ended = *polls.last().ok_or(Unseen::because("there was no poll"))?;
            let less = polls.windows(2).all(|two| two[1].call.timeout() < two[0].call.timeout());
            Verdict::by_calls(polls.len() > 1 && less && ended.call.ret == Some(0), polls)
        }),
        Claim::ours("While nothing is sent, the program is not told here that its peer is gone.", |trace| {
            let (scene, lost) = (trace.scene(10), lost(trace, 10));
            let lost = lost.first().ok_or(Unseen::because("nothing was lost"))?;
            let finding = scene.finding(Finding::NobodyIsLeft)?;
            let waits = finding.finds_waiting("client") && scene.role("client").calls(Calls::Receives).is_empty();
            Verdict::of(waits, [lost.event, finding])
        }),
        Claim::ours("With SO_KEEPALIVE the kernel asks; when no answer comes, recv fails with ETIMEDOUT.", |trace| {
            let client = client(trace, 11);
            let times = option(&client, SocketOption::KeepCnt)?;
            let asked: Vec<Sent<'_>> = lost(trace, 11).into_iter().filter(is_probe).collect();
            let ended = client.first(Calls::Receives)?;
            let count = i64::try_from(asked.len()).ok();
            let as_often = count == times.call.get_arg("optval").and_then(Value::as_number);
            let evidence = [times.event].into_iter().chain(asked.iter().map(|sent| sent.event)).chain([ended.event]);
            Verdict::of(as_often && ended.failed(Errno::ETIMEDOUT), evidence)
        }),
        Claim::ours("The peer's kernel answers a probe, even if its program sleeps.", |trace| {
            let (client, frames) = (client(trace, 12), trace.scene(12).frames());
            let asked: Vec<&Sent<'_>> = frames.iter().filter(|sent| is_probe(sent)).collect();
            let ended = client.first(Calls::Receives)?;
            let first = *asked.first().ok_or(Unseen::because("no probe was sent"))?;
            let answer = frames.iter().find(|sent| sent.event.n > first.event.n && !from_client(sent));
            let answer = answer.ok_or(Unseen::because("nothing came back"))?;
            let next = asked.get(1).is_none_or(|next| answer.event.n < next.event.n);
            let pure = answer.frame.payload.len == 0 && answer.frame.flags() == TcpFlags::ACK;
            let evidence: Vec<&Event> = vec![first.event, answer.event, ended.event];
            Verdict::of(next && pure && ended.call.ret > Some(0), evidence)
        }),
        Claim::ours("TCP_USER_TIMEOUT ends a connection whose data is not acknowledged: ETIMEDOUT.", |trace| {
            let client = client(trace, 13);
            let set = option(&client, SocketOption::UserTimeout)?;
            let (sent, ended) = (client.first(Calls::Sends)?, client.first(Calls::Receives)?);
            let again: Vec<Sent<'_>> = lost(trace, 13).into_iter().filter(|sent| sent.frame.by_timer).collect();
            let evidence = [set.event, sent.event].into_iter().chain(again.iter().map(|sent| sent.event));
            let holds = sent.call.ret > Some(0) && !again.is_empty() && ended.failed(Errno::ETIMEDOUT);
            Verdict::of(holds, evidence.chain([ended.event]))
        }),
    ]
}

fn client(trace: &Trace, scene: u32) -> Selection<'_> {
    trace.scene(scene).role("client")
}

/// The first time that this option was set, and a limit with it.
fn option<'a>(role: &Selection<'a>, option: SocketOption) -> Result<Made<'a>, Unseen> {
    let sets = |made: &Made<'_>| made.call.option() == Some(option);
    role.calls(Syscall::SetSockOpt).into_iter().find(sets).ok_or(Unseen::because("the option was not set"))
}

/// The four times that scene 2's client asks for the flags of the open file description.
fn flags<'a>(client: &Selection<'a>) -> Result<[Made<'a>; 4], Unseen> {
    let asked = client.calls(Syscall::Fcntl).into_iter().filter(|made| made.call.status_flags().is_some());
    exactly(asked.collect(), "questions for the flags in scene 2")
}

fn waits_never(asked: &Made<'_>) -> bool {
    asked.call.status_flags().is_some_and(|flags| flags.contains(libc::O_NONBLOCK))
}

fn from_client(sent: &Sent<'_>) -> bool {
    sent.frame.is_from("client")
}

/// The frames that did not pass the wire.
fn lost(trace: &Trace, scene: u32) -> Vec<Sent<'_>> {
    let lost = |sent: &Sent<'_>| sent.frame.fate == socklab::trace::Fate::Dropped;
    trace.scene(scene).frames().into_iter().filter(lost).collect()
}

/// A question whether the peer is there: an acknowledgement without data that a timer of the client's has sent, with
/// the number before the next one.
fn is_probe(sent: &Sent<'_>) -> bool {
    from_client(sent) && sent.frame.by_timer && sent.frame.flags() == TcpFlags::ACK && sent.frame.seq == Some(0)
}
