//! What the old texts say about one conversation, and what its calls and states say.

use socklab::prelude::*;
use socklab::trace::{Made, Selection};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S1-C10",
            "The server calls bind, listen and accept, which blocks; the client connect, send, recv, close.",
            |trace| {
                let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
                let servers = [Syscall::Bind, Syscall::Listen, Syscall::Accept];
                let clients = [Syscall::Connect, Syscall::Send, Syscall::Recv, Syscall::Close];
                let (served, asked) = (in_order(&server, &servers)?, in_order(&client, &clients)?);
                // With a time limit accept is seen to sleep: nobody called.
                let slept = trace.scene(4).role("server").first(Syscall::Accept)?;
                let holds = succeed(&served) && succeed(&asked) && slept.failed(Errno::EAGAIN);
                Verdict::by_calls(holds, served.into_iter().chain(asked).chain([slept]))
            },
        )
        .about_programs(),
        Claim::classic("S2-C10", "When the handshake is over, both sides are ESTABLISHED.", |trace| {
            let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
            let connected = client.first(Syscall::Connect)?;
            let accepted = server.first(Syscall::Accept)?;
            let first = client.after(connected.event).states().first().copied().ok_or(NO_STATE)?;
            let second = server.after(accepted.event).states().first().copied().ok_or(NO_STATE)?;
            let holds = [first, second].iter().all(|end| end.state() == Some(TcpState::Established));
            Verdict::of(holds, [first, second])
        }),
        Claim::classic("S2-C11", "The side that receives the FIN goes to CLOSE-WAIT.", |trace| {
            let scene = trace.scene(1);
            let fin = scene.clone().role("server").first(Syscall::Close)?;
            let next = scene.role("client").after(fin.event).states().first().copied().ok_or(NO_STATE)?;
            Verdict::of(next.state() == Some(TcpState::CloseWait), [fin.event, next])
        }),
        Claim::classic("S2-C12", "When both sides have closed, the side that closed first is CLOSED.", |trace| {
            let closes = trace.scene(1).calls(Syscall::Close);
            let [first, .., last] = closes.as_slice() else { return Err(NO_STATE) };
            // The program has no descriptor any more. The kernel is asked by the connection's addresses.
            let left = trace.scene(1).role("server").after(last.event).states();
            let left = left.into_iter().find(|event| event.is_after_close()).ok_or(NO_STATE)?;
            Verdict::of(left.state() == Some(TcpState::Closed), [first.event, last.event, left])
        }),
        Claim::classic(
            "S0-C10",
            "A TCP client that is alone fails; TCP needs the server first (also S1-C18).",
            |trace| {
                let alone = trace.scene(3).role("client").first(Syscall::Connect)?;
                let itself = trace.scene(5).role("client");
                let itself = [itself.first(Syscall::Connect)?, itself.first(Syscall::Recv)?];
                let events = [alone, itself[0], itself[1]].map(|made| made.event);
                let (refused, always) = (alone.failed(Errno::ECONNREFUSED), itself[0].call.ret != Some(0));
                Verdict::only_when("the client does not call its own port", refused, always, events)
            },
        ),
        Claim::classic("S1-C12", "connect_ex returns the error's number, and the program goes on.", |trace| {
            let client = trace.scene(3).role("client");
            let refused = client.first(Syscall::Connect)?;
            let sent = client.after(refused.event).first(Syscall::Send)?;
            Verdict::by_calls(refused.call.errno.is_some() && sent.failed(Errno::EPIPE), [refused, sent])
        })
        .about_programs(),
        Claim::ours("By default, bind refuses an address that the machine does not have.", |trace| {
            let [foreign, own] = trace.scene(4).role("server").exactly(Syscall::Bind)?;
            Verdict::by_calls(foreign.failed(Errno::EADDRNOTAVAIL) && own.call.ret == Some(0), [foreign, own])
        }),
        Claim::ours("The connection is open, and takes data, before the server calls accept.", |trace| {
            let scene = trace.scene(2);
            let accept = scene.clone().role("server").first(Syscall::Accept)?;
            let before = scene.clone().role("client").before(accept.event);
            let open = before.states().last().copied().ok_or(NO_STATE)?;
            let sent = before.first(Syscall::Send)?;
            let queue = scene.role("server").after(accept.event).receive_queues().first().copied().ok_or(NO_STATE)?;
            let holds = open.state() == Some(TcpState::Established) && sent.call.ret == queue.unread();
            Verdict::of(holds, [open, sent.event, accept.event, queue])
        }),
        Claim::ours("Bytes that arrived before the FIN can still be read after it.", |trace| {
            let client = trace.scene(1).role("client");
            let fin = client.comes_into(TcpState::CloseWait)?;
            let read = client.after(fin).first(Syscall::Recv)?;
            Verdict::of(read.call.bytes() == b"LINHAIFENG NB", [fin, read.event])
        }),
        Claim::ours(
            "A socket that calls its own address and port connects to itself, and reads its own bytes.",
            |trace| {
                let client = trace.scene(5).role("client");
                let bound = client.first(Syscall::Bind)?;
                let connected = client.first(Syscall::Connect)?;
                let (sent, read) = (client.first(Syscall::Send)?, client.first(Syscall::Recv)?);
                let same = bound.call.get_arg("addr") == connected.call.get_arg("addr");
                let holds = same && connected.call.ret == Some(0) && sent.call.bytes() == read.call.bytes();
                Verdict::by_calls(holds, [bound, connected, sent, read])
            },
        ),
    ]
}

const NO_STATE: Unseen = Unseen::because("the states were not looked at");

/// These calls, each the first of its kind behind the one before it.
fn in_order<'a>(role: &Selection<'a>, names: &[Syscall]) -> Result<Vec<Made<'a>>, Unseen> {
    let mut rest = role.clone();
    let mut made = Vec::new();
    for name in names {
        let call = rest.first(*name)?;
        rest = rest.after(call.event);
        made.push(call);
    }
    Ok(made)
}

fn succeed(calls: &[Made<'_>]) -> bool {
    calls.iter().all(|made| made.call.errno.is_none())
}
