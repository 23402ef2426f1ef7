//! What the old texts say about a peer that breaks off, and what each call reports of it.

use socklab::prelude::*;
use socklab::trace::{Calls, Event, Made, Selection, Status, What};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S0-C11", "Whoever breaks off crashes the other side's program.", |trace| {
            // What an exception in the old programs would be: a call that fails. After a FIN there is none.
            let (fin, rst) = (after_fin(trace)?, after_rst(trace)?);
            Verdict::only_when(
                "it breaks off by a RST, and the program does not handle the error; after a FIN recv returns 0",
                rst.learned.call.ret == Some(-1),
                fin.learned.call.ret == Some(-1),
                [fin.gone, fin.learned.event, rst.gone, rst.learned.event],
            )
        })
        .about_programs(),
        Claim::classic(
            "S2-C17",
            "The test for an empty message suits Linux; catching ConnectionResetError suits Windows.",
            |trace| {
                let (fin, rst) = (after_fin(trace)?, after_rst(trace)?);
                Verdict::only_when(
                    "the peer leaves by a FIN; after a RST recv fails on Linux, too",
                    fin.learned.call.ret == Some(0),
                    rst.learned.call.ret == Some(0),
                    [fin.gone, fin.learned.event, rst.gone, rst.learned.event],
                )
            },
        ),
        Claim::classic("S1-C19", "Without the length test, a client that breaks off makes an endless loop.", |trace| {
            // The loop goes on while recv does not fail: lab 13 shows it after a FIN, and here is the RST.
            let (fin, rst) = (after_fin(trace)?, after_rst(trace)?);
            let end = trace.scene(4).role("server").end()?;
            Verdict::only_when(
                "it leaves by a FIN; after a RST recv fails, and the loop ends",
                fin.learned.call.ret == Some(0),
                rst.learned.call.ret == Some(0),
                [fin.learned.event, rst.gone, rst.learned.event, end],
            )
        }),
        Claim::classic(
            "S3-C07",
            "Each socket has two buffers, and a write returns when its data is copied.",
            |trace| {
                let sent = big_send(trace, 8)?;
                let queue = trace.scene(8).role("client").after(sent.event).receive_queues().first().copied();
                let queue = queue.ok_or(Unseen::because("nobody looked at the client's receive queue"))?;
                // What send has taken is in two buffers, and no program has read any of it.
                let received = trace.scene(8).role("client").first(Calls::Receives)?;
                let copied = sent.call.ret > queue.unread() && received.event.n > sent.event.n;
                Verdict::of(copied, [sent.event, queue, received.event])
            },
        ),
        Claim::classic("S2-C14", "TCP's safety is high.", |trace| {
            let (cut, whole) = (big_send(trace, 8)?, big_send(trace, 9)?);
            let (lost, kept) = (received(trace, 8)?, received(trace, 9)?);
            Verdict::only_when(
                "it means that bytes arrive whole and in order, and no RST comes in between; it keeps nothing secret",
                Some(kept.total) == whole.call.ret,
                Some(lost.total) == cut.call.ret,
                [whole.event, kept.last.event, cut.event, lost.last.event],
            )
        }),
        Claim::ours(
            "After the peer's FIN a send succeeds; when its RST has come, the next fails with EPIPE.",
            |trace| {
                let killed = trace.scene(1).role("server").end()?;
                let client = trace.scene(1).role("client");
                let [first, second] = client.clone().after(killed).exactly(Calls::Sends)?;
                let reset = client.comes_into(TcpState::Closed)?;
                let holds = first.call.ret > Some(0) && reset.n < second.event.n && second.failed(Errno::EPIPE);
                Verdict::of(holds, [killed, first.event, reset, second.event])
            },
        ),
        Claim::ours("Where SIGPIPE has its default, that send kills the process.", |trace| {
            let client = trace.scene(2).role("client");
            let begun = client.events().iter().rfind(|event| matches!(&event.what, What::Begin(_))).copied();
            let begun = begun.ok_or(Unseen::because("the client was not in a call when it ended"))?;
            let end = client.end()?;
            let in_send = matches!(&begun.what, What::Begin(call) if call.name.sends());
            let by_signal = matches!(&end.what, What::Exit(exit) if exit.status == Status::Signal(13));
            Verdict::of(in_send && by_signal, [begun, end])
        }),
        Claim::ours("Closing a socket with unread data in it sends RST and no FIN.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            for (number, who, peer) in [(4, "client", "server"), (7, "server", "client"), (8, "server", "client")] {
                let role = trace.scene(number).role(who);
                let close = role.first(Syscall::Close)?;
                let unread = role.before(close.event).receive_queues().last().copied();
                let unread = unread.ok_or(Unseen::because("nobody looked at the receive queue"))?;
                let state = trace.scene(number).role(peer).after(close.event).states().first().copied();
                let state = state.ok_or(Unseen::because("nobody looked at the peer's state"))?;
                holds &= unread.unread() > Some(0) && state.state() == Some(TcpState::Closed);
                evidence.extend([unread, close.event, state]);
            }
            Verdict::of(holds, evidence)
        }),
        Claim::ours("A RST that no FIN preceded is reported once, as ECONNRESET; then recv gives 0.", |trace| {
            // The server receives first in scene 5, and sends first in scene 6.
            let receives = trace.scene(5).role("server").exactly::<3>(Calls::Receives)?;
            let sends = trace.scene(6).role("server").exactly::<2>(Calls::Sends)?;
            let last = trace.scene(6).role("server").last(Calls::Receives)?;
            let [_, reset, zero] = receives;
            let [first, second] = sends;
            let holds = [reset, first].iter().all(|made| made.failed(Errno::ECONNRESET))
                && [zero, last].iter().all(|made| made.call.ret == Some(0))
                && second.failed(Errno::EPIPE);
            Verdict::by_calls(holds, [reset, zero, first, second, last])
        }),
        Claim::ours("On Linux what had arrived before the RST can still be read after it.", |trace| {
            let mut evidence = Vec::new();
            let mut holds = true;
            for (number, role) in [(6, "server"), (7, "client")] {
                let role = trace.scene(number).role(role);
                let reset = role.comes_into(TcpState::Closed)?;
                let read = role.after(reset).first(Calls::Receives)?;
                holds &= read.call.ret > Some(0);
                evidence.extend([reset, read.event]);
            }
            Verdict::of(holds, evidence)
        }),
        Claim::ours("What send accepted and the peer's kernel has not got yet is lost with a RST.", |trace| {
            let sent = big_send(trace, 8)?;
            let received = received(trace, 8)?;
            if received.first.event.n < sent.event.n {
                return Err(Unseen::because("the server's kernel has no room for a megabyte: its send had to wait"));
            }
            let lost = Some(received.total) < sent.call.ret && received.last.failed(Errno::ECONNRESET);
            Verdict::by_calls(lost, [sent, received.first, received.last])
        }),
        Claim::ours("With shutdown, and all input read before close, nothing is lost.", |trace| {
            let (sent, received) = (big_send(trace, 9)?, received(trace, 9)?);
            let holds = Some(received.total) == sent.call.ret && received.last.call.ret == Some(0);
            Verdict::by_calls(holds, [sent, received.first, received.last])
        }),
    ]
}

/// How a peer left, and the first call that learned of it.
struct Left<'a> {
    gone: &'a Event,
    learned: Made<'a>,
}

/// Scene 1: the server is killed, and the client has read everything.
fn after_fin(trace: &Trace) -> Result<Left<'_>, Unseen> {
    let client = trace.scene(1).role("client");
    let fin = client.comes_into(TcpState::CloseWait)?;
    // The first receive gives what came before the FIN.
    let [_, learned] = client.after(fin).first_few(Calls::Receives)?;
    Ok(Left { gone: fin, learned })
}

/// Scene 4: the client leaves with its answer unread.
fn after_rst(trace: &Trace) -> Result<Left<'_>, Unseen> {
    let server: Selection<'_> = trace.scene(4).role("server");
    let rst = server.comes_into(TcpState::Closed)?;
    let learned = server.after(rst).first(Calls::Receives)?;
    Ok(Left { gone: rst, learned })
}

/// The server's send of the megabyte.
fn big_send(trace: &Trace, number: u32) -> Result<Made<'_>, Unseen> {
    trace.scene(number).role("server").first(Calls::Sends)
}

/// All that the client received of it.
struct Received<'a> {
    first: Made<'a>,
    last: Made<'a>,
    total: i64,
}

fn received(trace: &Trace, number: u32) -> Result<Received<'_>, Unseen> {
    let client = trace.scene(number).role("client");
    let total = client.calls(Calls::Receives).iter().filter_map(|made| made.call.ret).filter(|len| *len > 0).sum();
    Ok(Received { first: client.first(Calls::Receives)?, last: client.last(Calls::Receives)?, total })
}
