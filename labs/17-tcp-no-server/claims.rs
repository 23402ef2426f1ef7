//! What the old texts say about a client that is alone, and which call tells it so.

use socklab::prelude::*;
use socklab::trace::{Made, SocketOption, exactly};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C10", "A TCP client that is started alone fails.", |trace| {
            let tried: Vec<_> =
                [1, 2, 3].iter().filter_map(|number| connects(trace, *number).first().copied()).collect();
            let tried: [_; 3] = exactly(tried, "scenes in which a role tried")?;
            // Where connect does not wait, the answer comes later.
            let asked = trace.scene(3).calls(Syscall::GetSockOpt).first().copied();
            let told = asked.is_some_and(|made| made.event.errno("optval") == Some(Errno::ECONNREFUSED));
            let refused = tried[0].failed(Errno::ECONNREFUSED) && tried[1].failed(Errno::ECONNREFUSED);
            Verdict::by_calls(refused && told, tried.into_iter().chain(asked))
        }),
        Claim::classic("S1-C18", "TCP needs the server first (also S2-C08).", |trace| {
            let [early, late] = exactly(connects(trace, 7), "calls of connect in scene 7")?;
            let listens = trace.scene(7).role("server").first(Syscall::Listen)?;
            let (before, after) = (early.event.n < listens.event.n, late.event.n > listens.event.n);
            let holds = before && after && early.failed(Errno::ECONNREFUSED) && late.call.ret == Some(0);
            Verdict::by_calls(holds, [early, listens, late])
        }),
        Claim::classic("S1-C12", "connect_ex gives an error number in place of raising an error.", |trace| {
            // So the program goes on: its next call is made on the socket that was refused.
            let calls = trace.scene(2).role("client").all_calls();
            let at = calls
                .iter()
                .position(|made| made.call.name == Syscall::Connect)
                .ok_or(Unseen::because("no role tried"))?;
            let next = calls.get(at + 1).copied();
            let goes_on = next.is_some_and(|made| made.call.name == Syscall::Send && made.call.fd == calls[at].call.fd);
            Verdict::by_calls(calls[at].failed(Errno::ECONNREFUSED) && goes_on, [calls[at]].into_iter().chain(next))
        }),
        Claim::ours("Who does not look at connect's result is told by send, and of something else: EPIPE.", |trace| {
            let tried = connects(trace, 2).first().copied().ok_or(Unseen::because("no role tried"))?;
            let sent = trace.scene(2).first(Syscall::Send)?;
            Verdict::by_calls(tried.failed(Errno::ECONNREFUSED) && sent.failed(Errno::EPIPE), [tried, sent])
        }),
        Claim::ours("A connect that does not wait says EINPROGRESS, whether somebody is there or not.", |trace| {
            let tried: Vec<_> = [3, 4].iter().filter_map(|number| connects(trace, *number).first().copied()).collect();
            let holds = tried.len() == 2 && tried.iter().all(|made| made.failed(Errno::EINPROGRESS));
            Verdict::by_calls(holds, tried)
        }),
        Claim::ours("Then POLLOUT comes for success and for failure alike; SO_ERROR says which, once.", |trace| {
            let polls: Vec<_> = [3, 4].iter().filter_map(|number| first_poll(trace, *number)).collect();
            let polls: [_; 2] = exactly(polls, "scenes in which a role asked with poll")?;
            let [refused, again] = trace.scene(3).exactly(Syscall::GetSockOpt)?;
            let none = trace.scene(4).first(Syscall::GetSockOpt)?;
            let ready = polls.iter().all(|made| made.call.ready().contains(libc::POLLOUT));
            let said = [refused, again, none].map(|made| made.event.errno("optval"))
                == [Some(Errno::ECONNREFUSED), Some(Errno::NONE), Some(Errno::NONE)];
            Verdict::by_calls(ready && said, [polls[0], refused, again, polls[1], none])
        }),
        Claim::ours("A server whose queue is full says nothing at all: only a deadline ends the wait.", |trace| {
            let poll = first_poll(trace, 5);
            let error = trace.scene(5).calls(Syscall::GetSockOpt).first().copied();
            let poll = poll.ok_or(Unseen::because("no role waited"))?;
            let error = error.ok_or(Unseen::because("no role waited"))?;
            let nothing = poll.call.ret == Some(0);
            Verdict::by_calls(nothing && error.event.errno("optval") == Some(Errno::NONE), [poll, error])
        }),
        Claim::ours(
            "A connect that waits and has a deadline fails with EINPROGRESS, too, and not ETIMEDOUT.",
            |trace| {
                let timed = |made: &Made<'_>| made.call.option() == Some(SocketOption::SndTimeo);
                let set = trace.scene(5).calls(Syscall::SetSockOpt).into_iter().find(timed);
                let tried = connects(trace, 5).last().copied();
                let set = set.ok_or(Unseen::because("no role waited"))?;
                let tried = tried.ok_or(Unseen::because("no role waited"))?;
                let holds =
                    tried.call.fd == set.call.fd && tried.call.after.is_some() && tried.failed(Errno::EINPROGRESS);
                Verdict::by_calls(holds, [set, tried])
            },
        ),
        Claim::ours(
            "Whoever tries again, later each time, finds a server that is late, and gives up on none.",
            |trace| {
                let (in_vain, found) = (connects(trace, 6), connects(trace, 7));
                let pauses = trace.scene(6).calls(Syscall::Poll);
                let times: Vec<_> = pauses.iter().filter_map(|made| made.call.timeout()).collect();
                let gives_up = in_vain.len() == 3 && in_vain.iter().all(|made| made.failed(Errno::ECONNREFUSED));
                let finds = found.last().is_some_and(|made| made.call.ret == Some(0));
                let answered = trace.scene(7).role("client").calls(Syscall::Recv).last().copied();
                let holds = gives_up && times == [500, 1000].map(Duration::from_millis) && finds && answered.is_some();
                Verdict::by_calls(holds, pauses.into_iter().chain(found).chain(answered))
            },
        ),
    ]
}

fn connects(trace: &Trace, number: u32) -> Vec<Made<'_>> {
    trace.scene(number).role("client").calls(Syscall::Connect)
}

fn first_poll(trace: &Trace, number: u32) -> Option<Made<'_>> {
    trace.scene(number).role("client").calls(Syscall::Poll).first().copied()
}
