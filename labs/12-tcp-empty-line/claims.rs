//! What the old texts say about the empty line, and what the queues and the calls say.

use socklab::prelude::*;
use socklab::trace::{Made, Selection, SocketOption};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S0-C04",
            "An empty send on TCP puts nothing on its way, however often it is repeated.",
            |trace| {
                let scene = trace.scene(2);
                let sends = empty_sends(&scene.clone().role("client"))?;
                let look = first_receive(&scene.clone().role("server"))?;
                let arrived = scene.after(sends[0].event).before(look.event).receive_queues();
                let holds = sends.iter().all(|made| made.call.ret == Some(0))
                    && arrived.iter().all(|queue| queue.unread() == Some(0))
                    && look.failed(Errno::EAGAIN);
                Verdict::of(holds, sends.iter().map(|made| made.event).chain(arrived).chain([look.event]))
            },
        ),
        Claim::classic("S1-C15", "The hang on an empty line is a recv on an empty buffer.", |trace| {
            // Scene 1 hangs for good. In scene 2 the same recv has a time limit, sleeps, and is seen to get nothing.
            let hang = trace.scene(1).findings().first().copied().ok_or(NO_HANG)?;
            let scene = trace.scene(2);
            let sent = *empty_sends(&scene.clone().role("client"))?.last().ok_or(NOTHING_EMPTY)?;
            let slept = limited_recv(&scene.clone().role("server").after(sent.event))?;
            let empty = scene.after(sent.event).before(slept.event).receive_queues();
            let holds = slept.failed(Errno::EAGAIN) && empty.iter().all(|queue| queue.unread() == Some(0));
            Verdict::of(holds, [sent.event].into_iter().chain(empty).chain([slept.event, hang]))
        }),
        Claim::classic("S0-C06", "recv blocks while the buffer is empty.", |trace| {
            let server = trace.scene(2).role("server");
            let slept = limited_recv(&server)?;
            let end = first_receive(&server.clone().after(slept.event))?;
            let look = first_receive(&server)?;
            let fin = server.after(slept.event).comes_into(TcpState::CloseWait)?;
            let events = [look.event, slept.event, fin, end.event];
            let always = !look.failed(Errno::EAGAIN) && end.call.ret != Some(0);
            let condition = "the socket is blocking and the peer has sent no FIN";
            Verdict::only_when(condition, slept.failed(Errno::EAGAIN), always, events)
        }),
        Claim::ours("recv returned 0 after the peer's FIN, and after no empty send.", |trace| {
            let server = trace.scene(2).role("server");
            let fin = server.comes_into(TcpState::CloseWait)?;
            empty_sends(&trace.scene(2).role("client"))?;
            let before = server.clone().before(fin).some(Syscall::Recv)?;
            let after = first_receive(&server.after(fin))?;
            let holds = before.iter().all(|made| made.call.ret != Some(0)) && after.call.ret == Some(0);
            Verdict::of(holds, before.iter().map(|made| made.event).chain([fin, after.event]))
        }),
        Claim::ours("With a newline behind each message, an empty line arrives, and gets its answer.", |trace| {
            let client = trace.scene(4).role("client");
            let sent = client.calls(Syscall::Send).into_iter().find(|made| made.call.bytes() == b"\n");
            let sent = sent.ok_or(NOTHING_EMPTY)?;
            let answer = first_receive(&client.after(sent.event))?;
            Verdict::by_calls(answer.call.bytes() == b"\n", [sent, answer])
        }),
    ]
}

const NO_HANG: Unseen = Unseen::because("the two programs did not hang");
const NOTHING_EMPTY: Unseen = Unseen::because("no empty line was sent");

fn empty_sends<'a>(role: &Selection<'a>) -> Result<Vec<Made<'a>>, Unseen> {
    let mut sends = role.some(Syscall::Send)?;
    sends.retain(|made| made.call.data.as_ref().is_none_or(|data| data.len == 0));
    if sends.is_empty() { Err(NOTHING_EMPTY) } else { Ok(sends) }
}

/// The first recv of a socket with a time limit.
fn limited_recv<'a>(role: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    let mut set = role.some(Syscall::SetSockOpt)?;
    set.retain(|made| made.call.option() == Some(SocketOption::RcvTimeo));
    let limit = set.first().ok_or(Unseen::because("no recv had a time limit"))?;
    first_receive(&role.clone().after(limit.event))
}

/// The first receive, by whatever call.
fn first_receive<'a>(role: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    let first = role.all_calls().into_iter().find(|made| made.call.name.receives());
    first.ok_or(Unseen::because("nothing was received"))
}
