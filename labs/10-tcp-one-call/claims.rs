//! What the old texts say about one conversation, and what the calls and states of ours say.

use socklab::prelude::*;
use socklab::trace::Selection;

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic(
            "S1-C10",
            "The server calls bind, listen and accept, which blocks; the client connect, send, recv, close.",
            |trace| {
                let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
                let in_order = starts_with(
                    &server,
                    &[
                        Syscall::Socket,
                        Syscall::Bind,
                        Syscall::Listen,
                        Syscall::Accept,
                        Syscall::Recv,
                        Syscall::Send,
                        Syscall::Close,
                    ],
                ) && starts_with(
                    &client,
                    &[Syscall::Socket, Syscall::Connect, Syscall::Send, Syscall::Recv, Syscall::Close],
                );
                let waits = server.waits(Syscall::Accept);
                let accepted = server.calls(Syscall::Accept).into_iter().map(|made| made.event);
                let connected = client.calls(Syscall::Connect).into_iter().map(|made| made.event);
                Verdict::of(
                    in_order && !waits.is_empty(),
                    waits.first().copied().into_iter().chain(connected).chain(accepted),
                )
            },
        ),
        Claim::classic("S2-C10", "When the handshake is over, both sides are ESTABLISHED.", |trace| {
            let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
            let (accepted, connected) =
                (server.comes_into(TcpState::Established).ok(), client.comes_into(TcpState::Established).ok());
            Verdict::of(accepted.is_some() && connected.is_some(), connected.into_iter().chain(accepted))
        }),
        Claim::classic("S2-C11", "The side that is told goodbye goes to CLOSE-WAIT.", |trace| {
            let scene = trace.scene(1);
            let goodbye = scene.clone().role("server").first(Syscall::Close)?;
            let told = scene.role("client").after(goodbye.event).comes_into(TcpState::CloseWait).ok();
            Verdict::of(told.is_some(), std::iter::once(goodbye.event).chain(told))
        }),
        Claim::classic("S2-C12", "When the goodbye is over, the side that said it first is closed.", |trace| {
            let closes = trace.scene(1).calls(Syscall::Close);
            let first = closes.first().ok_or(Unseen::because("no role said goodbye"))?;
            let last = closes.last().ok_or(Unseen::because("no role said goodbye"))?;
            // The program has no descriptor any more. Its kernel is asked by the connection's addresses.
            let kept = trace.scene(1).role("server").after(first.event).states();
            let end = kept
                .into_iter()
                .rfind(|event| event.is_after_close())
                .ok_or(Unseen::because("what is left of the connection was not looked at"))?;
            let is_closed = end.state() == Some(TcpState::Closed);
            Verdict::of(is_closed, [first.event, last.event, end])
        }),
        Claim::classic("S3-C04", "connect opens a connection with the client.", |trace| {
            let connects = trace.scene(1).calls(Syscall::Connect);
            let to_client = connects.iter().any(|made| {
                made.call.get_arg("addr").and_then(Value::as_word).is_some_and(|addr| addr.starts_with("client"))
            });
            Verdict::by_calls(to_client, connects)
        }),
        Claim::classic(
            "S0-C10",
            "A TCP client that is alone fails; TCP needs the server first (also S1-C18).",
            |trace| {
                let connects = trace.scene(3).role("client").calls(Syscall::Connect);
                let refused = connects.iter().any(|made| made.call.errno == Some(Errno::ECONNREFUSED));
                Verdict::by_calls(refused, connects)
            },
        ),
        Claim::classic("S1-C12", "connect_ex gives the error as a number, and the program goes on.", |trace| {
            let client = trace.scene(3).role("client");
            let refused = client
                .calls(Syscall::Connect)
                .into_iter()
                .find(|made| made.call.ret == Some(-1))
                .ok_or(Unseen::because("the client's connect did not fail"))?;
            let sends = client.after(refused.event).calls(Syscall::Send);
            Verdict::by_calls(!sends.is_empty(), std::iter::once(refused).chain(sends))
        }),
        Claim::ours("A server can be bound to an address of its own machine, and to no other.", |trace| {
            let [foreign, own] = trace.scene(4).role("server").exactly(Syscall::Bind)?;
            let refused = foreign.call.errno == Some(Errno::EADDRNOTAVAIL);
            Verdict::by_calls(refused && own.call.ret == Some(0), [foreign, own])
        }),
        Claim::ours("A connection stands, and takes data, before the server has called accept.", |trace| {
            let scene = trace.scene(2);
            let accept = scene.clone().role("server").first(Syscall::Accept)?;
            let before = scene.clone().role("client").before(accept.event);
            let sent: Vec<_> = before.calls(Syscall::Send).into_iter().filter(|made| made.call.ret > Some(0)).collect();
            let queue = scene.role("server").after(accept.event).receive_queues().first().copied();
            let connected = before.comes_into(TcpState::Established).ok();
            let taken = !sent.is_empty() && queue.and_then(|event| event.unread()) > Some(0);
            let holds = connected.is_some() && taken;
            let sent = sent.into_iter().map(|made| made.event);
            Verdict::of(holds, connected.into_iter().chain(sent).chain([accept.event]).chain(queue))
        }),
        Claim::ours("Bytes that came before the goodbye can still be read after it.", |trace| {
            let client = trace.scene(1).role("client");
            let told = client
                .comes_into(TcpState::CloseWait)
                .ok()
                .ok_or(Unseen::because("the client was not told goodbye"))?;
            let read = client.after(told).calls(Syscall::Recv);
            let whole = read.iter().any(|made| made.call.bytes() == b"LINHAIFENG NB");
            Verdict::of(whole, std::iter::once(told).chain(read.into_iter().map(|made| made.event)))
        }),
    ]
}

fn starts_with(role: &Selection<'_>, names: &[Syscall]) -> bool {
    let made: Vec<Syscall> = role.all_calls().iter().map(|made| made.call.name).collect();
    made.starts_with(names)
}
