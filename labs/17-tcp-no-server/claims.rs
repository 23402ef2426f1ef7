//! What the old texts say about a client that is alone, and from which call it learns that.

use socklab::prelude::*;
use socklab::trace::{Calls, Made, Selection, SocketOption};

/// When a client that is alone is connected all the same.
const BUT_TO_ITSELF: &str = "the client's own port is not the one that it calls: then it is connected to itself";

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C10", "A TCP client that is started alone fails.", |trace| {
            let (alone, itself) = (connect(trace, 1)?, connect(trace, 8)?);
            // Where connect does not wait, the error comes later.
            let (tried, asked) = (connect(trace, 3)?, client(trace, 3).first(Syscall::GetSockOpt)?);
            let refused = alone.failed(Errno::ECONNREFUSED) && asked.event.errno("optval") == Some(Errno::ECONNREFUSED);
            Verdict::only_when(
                BUT_TO_ITSELF,
                refused,
                itself.call.ret == Some(-1),
                [alone, tried, asked, itself].map(|made| made.event),
            )
        }),
        Claim::classic("S1-C18", "TCP needs the server first (also S2-C08).", |trace| {
            let [early, late] = client(trace, 7).exactly(Syscall::Connect)?;
            let listens = trace.scene(7).role("server").first(Syscall::Listen)?;
            let itself = connect(trace, 8)?;
            let in_order = early.event.n < listens.event.n && listens.event.n < late.event.n;
            Verdict::only_when(
                BUT_TO_ITSELF,
                in_order && early.failed(Errno::ECONNREFUSED) && late.call.ret == Some(0),
                itself.call.ret == Some(-1),
                [early, listens, late, itself].map(|made| made.event),
            )
        }),
        Claim::classic("S1-C12", "connect_ex returns an error number in place of raising an exception.", |trace| {
            // So the program goes on: its next call is made on the socket that was refused.
            let (tried, sent) = (connect(trace, 2)?, client(trace, 2).first(Calls::Sends)?);
            let goes_on = tried.event.n < sent.event.n && sent.call.fd == tried.call.fd;
            Verdict::by_calls(tried.failed(Errno::ECONNREFUSED) && goes_on, [tried, sent])
        })
        .about_programs(),
        Claim::ours("A client that does not look at connect's result learns from send, and only EPIPE.", |trace| {
            let (tried, sent) = (connect(trace, 2)?, client(trace, 2).first(Calls::Sends)?);
            Verdict::by_calls(tried.failed(Errno::ECONNREFUSED) && sent.failed(Errno::EPIPE), [tried, sent])
        }),
        Claim::ours("A connect that does not wait fails with EINPROGRESS, with a server and without.", |trace| {
            let tried = [connect(trace, 3)?, connect(trace, 4)?];
            Verdict::by_calls(tried.iter().all(|made| made.failed(Errno::EINPROGRESS)), tried)
        }),
        Claim::ours("Then POLLOUT comes after success and after failure; SO_ERROR says which, once.", |trace| {
            let polls = [client(trace, 3).first(Syscall::Poll)?, client(trace, 4).first(Syscall::Poll)?];
            let [refused, again] = client(trace, 3).exactly(Syscall::GetSockOpt)?;
            let none = client(trace, 4).first(Syscall::GetSockOpt)?;
            let ready = polls.iter().all(|made| made.call.ready().contains(libc::POLLOUT));
            let said = [refused, again, none].map(|made| made.event.errno("optval"))
                == [Some(Errno::ECONNREFUSED), Some(Errno::NONE), Some(Errno::NONE)];
            Verdict::by_calls(ready && said, [polls[0], refused, again, polls[1], none])
        }),
        Claim::ours("A server whose queue is full answers nothing: after 300 ms there is no error either.", |trace| {
            let tried = client(trace, 5).calls(Syscall::Connect);
            let tried = tried.into_iter().find(|made| made.failed(Errno::EINPROGRESS));
            let tried = tried.ok_or(Unseen::because("nobody called a server whose queue is full"))?;
            let (poll, error) = (client(trace, 5).first(Syscall::Poll)?, client(trace, 5).first(Syscall::GetSockOpt)?);
            let holds = poll.call.ret == Some(0) && error.event.errno("optval") == Some(Errno::NONE);
            Verdict::by_calls(holds, [tried, poll, error])
        }),
        Claim::ours("On Linux a connect with a deadline fails with EINPROGRESS, and not with ETIMEDOUT.", |trace| {
            let timed = |made: &Made<'_>| made.call.option() == Some(SocketOption::SndTimeo);
            let set = client(trace, 5).calls(Syscall::SetSockOpt).into_iter().find(timed);
            let set = set.ok_or(Unseen::because("nobody set a deadline"))?;
            let tried = client(trace, 5).after(set.event).first(Syscall::Connect)?;
            Verdict::by_calls(tried.failed(Errno::EINPROGRESS) && tried.call.after.is_some(), [set, tried])
        }),
        Claim::ours("A client that tries again finds a server that starts late.", |trace| {
            let [early, late] = client(trace, 7).exactly(Syscall::Connect)?;
            let slept = client(trace, 7).first(Syscall::Poll)?;
            let answered = client(trace, 7).first(Calls::Receives)?;
            let holds = early.failed(Errno::ECONNREFUSED) && late.call.ret == Some(0) && answered.call.ret > Some(0);
            Verdict::by_calls(holds, [early, slept, late, answered])
        }),
        Claim::ours("A socket that connects to its own address is connected to itself.", |trace| {
            let (tried, sent) = (connect(trace, 8)?, client(trace, 8).first(Calls::Sends)?);
            let received = client(trace, 8).first(Calls::Receives)?;
            let holds = tried.call.ret == Some(0) && received.call.bytes() == sent.call.bytes();
            Verdict::by_calls(holds, [tried, sent, received])
        }),
    ]
}

fn client(trace: &Trace, scene: u32) -> Selection<'_> {
    trace.scene(scene).role("client")
}

/// The client's first call of connect in a scene.
fn connect(trace: &Trace, scene: u32) -> Result<Made<'_>, Unseen> {
    client(trace, scene).first(Syscall::Connect)
}
