//! What the old texts say about ports and about the function socket, and what a socket can tell.

use socklab::prelude::*;
use socklab::trace::{Calls, Made, Selection, SocketType, bytes_of};

/// When ports below 1024 are closed to a program.
const USUAL_START: &str =
    "net.ipv4.ip_unprivileged_port_start is 1024, its default; the programs here have no capabilities";

/// When the printed call makes a socket.
const NAMED_PROTO: &str =
    "the family has the type; and Python calls the third argument proto: with protocal it raises TypeError";

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C11", "socket(socket_family, socket_type, protocal=0) makes a socket.", |trace| {
            let made = trace.scene(12).role("program").some(Syscall::Socket)?;
            let by_default = made.iter().filter(|made| number(made, "protocol") == Some(0));
            let (strange, usual): (Vec<Made<'_>>, Vec<Made<'_>>) = by_default.partition(|made| is_strange(made));
            if strange.is_empty() || usual.is_empty() {
                return Err(Unseen::because("protocol 0 was not tried for both"));
            }
            Verdict::only_when(
                NAMED_PROTO,
                usual.iter().all(succeeds),
                strange.iter().any(succeeds),
                usual.iter().chain(&strange).map(|made| made.event),
            )
        }),
        Claim::classic("S2-C16", "Ports from 0 to 1024 belong to the system.", |trace| {
            let binds = ["1", "1023", "1024", "0"].map(|port| bind(trace, 4, port));
            let [one, last, above, zero] = binds;
            let all = [one?, last?, above?, zero?];
            Verdict::by_calls(all.iter().all(|made| made.call.errno.is_some()), all)
        }),
        Claim::classic("S3-C01", "Ports below 1024 are taken by the system.", |trace| {
            let usual = [bind(trace, 4, "1")?, bind(trace, 4, "1023")?, bind(trace, 4, "1024")?];
            let lowered = [bind(trace, 5, "79")?, bind(trace, 5, "80")?, bind(trace, 5, "1023")?];
            let refused = |made: &Made<'_>| made.failed(Errno::EACCES);
            Verdict::only_when(
                USUAL_START,
                refused(&usual[0]) && refused(&usual[1]) && succeeds(&usual[2]),
                lowered.iter().all(refused),
                usual.iter().chain(&lowered).map(|made| made.event),
            )
        }),
        Claim::ours("Before bind and connect, a socket's own address is 0.0.0.0:0; a listener has no peer.", |trace| {
            let server = trace.scene(1).role("server");
            let own = [server.first(Syscall::GetSockName)?, trace.scene(1).role("client").first(Syscall::GetSockName)?];
            let peer = server.first(Syscall::GetPeerName)?;
            let none = own.iter().all(|made| address(made) == Some("0.0.0.0:0"));
            Verdict::by_calls(none && peer.failed(Errno::ENOTCONN), own.into_iter().chain([peer]))
        }),
        Claim::ours(
            "A listener on 0.0.0.0 is on 0.0.0.0; its connection is on the address that was called.",
            |trace| {
                let scene = trace.scene(1);
                let [_, listener, connection] = scene.clone().role("server").exactly(Syscall::GetSockName)?;
                let called = scene.role("client").first(Syscall::Connect)?;
                let to = called.call.get_arg("addr").and_then(Value::as_word);
                let holds = address(&listener) == Some("0.0.0.0:8080") && address(&connection) == to;
                Verdict::by_calls(holds && to.is_some(), [listener, called, connection])
            },
        ),
        Claim::classic("S1-C14", "getpeername gives the address of the other end of a connection.", |trace| {
            let client = trace.scene(1).role("client");
            let (called, peer) = (client.first(Syscall::Connect)?, client.last(Syscall::GetPeerName)?);
            let to = called.call.get_arg("addr").and_then(Value::as_word);
            Verdict::by_calls(address(&peer) == to && to.is_some(), [called, peer])
        }),
        Claim::classic(
            "S1-C14",
            "makefile makes a file that belongs to the socket: to read it is to receive.",
            |trace| {
                let server = trace.scene(7).role("server");
                let (taken, then) = (server.first(Syscall::Read)?, server.first(Syscall::Recv)?);
                let sent = trace.scene(7).role("client").some(Calls::Sends)?;
                let same = taken.call.fd == then.call.fd && taken.call.bytes() == bytes_of(&sent);
                Verdict::by_calls(same, sent.into_iter().chain([taken, then]))
            },
        ),
        Claim::ours("Each side's getpeername is the other side's getsockname, and what accept has given.", |trace| {
            let (server, client) = (trace.scene(1).role("server"), trace.scene(1).role("client"));
            let accepted = server.first(Syscall::Accept)?;
            let (own, peer) = (server.last(Syscall::GetSockName)?, server.calls(Syscall::GetPeerName));
            let (its_own, its_peer) = (client.last(Syscall::GetSockName)?, client.last(Syscall::GetPeerName)?);
            let peer = *peer.get(1).ok_or(Unseen::because("the connection was not asked for its peer"))?;
            let holds = address(&peer) == address(&its_own) && address(&its_peer) == address(&own);
            let all = [its_own, its_peer, accepted, own, peer];
            Verdict::by_calls(holds && address(&accepted) == address(&peer) && address(&own).is_some(), all)
        }),
        Claim::ours("The kernel doubles SO_RCVBUF and SO_SNDBUF, and has a minimum: here 2304 and 4608.", |trace| {
            let asked = trace.scene(2).role("program").some(Syscall::GetSockOpt)?;
            let of = |option| asked.iter().filter(move |made| made.call.option() == Some(option)).copied();
            let (receive, send): (Vec<_>, Vec<_>) =
                (of(SocketOption::RcvBuf).collect(), of(SocketOption::SndBuf).collect());
            let values = |of: &[Made<'_>]| of.iter().skip(1).map(value).collect::<Vec<_>>();
            let holds = values(&receive) == [Some(8192), Some(2304)] && values(&send) == [Some(8192), Some(4608)];
            Verdict::by_calls(holds, [receive, send].concat())
        }),
        Claim::ours("SO_TYPE cannot be set, and UDP has no TCP_NODELAY: ENOPROTOOPT.", |trace| {
            let set = trace.scene(2).role("program").calls(Syscall::SetSockOpt);
            let [.., of_type, of_udp] = set[..] else { return Err(Unseen::because("neither was tried")) };
            let refused = [of_type, of_udp].iter().all(|made| made.failed(Errno::ENOPROTOOPT));
            Verdict::by_calls(refused, [of_type, of_udp])
        }),
        Claim::ours("connect makes the send buffer larger, unless it was set; the receive buffer stays.", |trace| {
            let client = trace.scene(3).role("client");
            let [send, receive, _, send_then, receive_then, _] = client.exactly(Syscall::GetSockOpt)?;
            let holds = value(&send) < value(&send_then) && value(&receive) == value(&receive_then);
            let set = trace.scene(3).role("server").first(Syscall::GetSockOpt)?;
            let known = [send, receive, send_then, receive_then].iter().all(|made| value(made).is_some());
            let all = [send, receive, send_then, receive_then, set];
            Verdict::by_calls(holds && known && value(&set) == Some(8192), all)
        }),
        Claim::ours("A connection that accept gives has its listener's options.", |trace| {
            let server = trace.scene(3).role("server");
            let set = server.calls(Syscall::SetSockOpt);
            let [room, nodelay] = server.exactly(Syscall::GetSockOpt)?;
            let holds = value(&room) == Some(8192) && value(&nodelay) == Some(1);
            Verdict::by_calls(holds, set.into_iter().chain([room, nodelay]))
        }),
        Claim::ours("65536, cut to sixteen bits, is port 0, and the kernel chooses: no error says so.", |trace| {
            let program = trace.scene(4).role("program");
            let (bound, name) = (program.last(Syscall::Bind)?, program.last(Syscall::GetSockName)?);
            let zero = bound.call.get_arg("addr").and_then(Value::as_word) == Some("127.0.0.1:0");
            let other = address(&name).is_some_and(|name| !name.ends_with(":0"));
            if zero { Verdict::by_calls(succeeds(&bound) && other, [bound, name]) } else { Err(NOT_TRIED) }
        }),
        Claim::ours("close of one of two descriptors sends no FIN, and the other one goes on.", |trace| {
            let (server, client) = (trace.scene(6).role("server"), trace.scene(6).role("client"));
            let (copied, closed) = (client.first(Syscall::DupFd)?, client.first(Syscall::Close)?);
            let [looked, hello, _] = server.exactly(Syscall::Recv)?;
            let order = copied.event.n < closed.event.n && closed.event.n < looked.event.n;
            let holds = looked.failed(Errno::EAGAIN) && hello.call.bytes() == b"hello";
            Verdict::by_calls(order && holds, [copied, closed, looked, hello])
        }),
        Claim::ours("shutdown sends a FIN, however many descriptors are open.", |trace| {
            let (server, client) = (trace.scene(6).role("server"), trace.scene(6).role("client"));
            let (ended, fin) = (client.first(Syscall::Shutdown)?, server.last(Receives)?);
            let open = client.after(fin.event).calls(Syscall::Close);
            Verdict::by_calls(fin.call.ret == Some(0) && open.len() == 2, [ended, fin].into_iter().chain(open))
        }),
        Claim::ours("What a buffered reader has taken is not there for recv.", |trace| {
            let server = trace.scene(7).role("server");
            let (taken, then) = (server.first(Syscall::Read)?, server.first(Syscall::Recv)?);
            Verdict::by_calls(taken.call.bytes() == b"5\nhello" && then.failed(Errno::EAGAIN), [taken, then])
        }),
        Claim::ours("What a buffered writer has is not sent before flush.", |trace| {
            let server = trace.scene(8).role("server");
            let flushed = trace.scene(8).role("client").first(Syscall::Write)?;
            let [before, after] = server.exactly(Syscall::Recv)?;
            let holds = before.failed(Errno::EAGAIN) && after.call.bytes() == b"5\nhello";
            Verdict::by_calls(holds && before.event.n < flushed.event.n, [before, flushed, after])
        }),
        Claim::ours("A server on 127.0.0.1 refuses a client that tries ::1 first.", |trace| {
            let [ipv6, ipv4] = trace.scene(9).role("client").exactly(Syscall::Connect)?;
            Verdict::by_calls(ipv6.failed(Errno::ECONNREFUSED) && succeeds(&ipv4), [ipv6, ipv4])
        }),
        Claim::ours("With IPV6_V6ONLY 0, one IPv6 listener takes IPv4 clients, too, as ::ffff:127.0.0.1.", |trace| {
            let server = trace.scene(10).role("server");
            let [ipv4, ipv6] = server.exactly(Syscall::Accept)?;
            let from = |made: &Made<'_>, begin| address(made).is_some_and(|from| from.starts_with(begin));
            let holds = from(&ipv4, "[::ffff:127.0.0.1]:") && from(&ipv6, "[::1]:");
            Verdict::by_calls(holds, [server.first(Syscall::SetSockOpt)?, ipv4, ipv6])
        }),
        Claim::ours("With IPV6_V6ONLY 1 it refuses IPv4, whose port is free; with 0 it is taken.", |trace| {
            let connect = trace.scene(11).role("client").first(Syscall::Connect)?;
            let [taken, free] = [10, 11].map(|scene| second_bind(&trace.scene(scene)));
            let (taken, free) = (taken?, free?);
            let holds = taken.failed(Errno::EADDRINUSE) && succeeds(&free);
            Verdict::by_calls(holds && connect.failed(Errno::ECONNREFUSED), [taken, free, connect])
        }),
        Claim::ours("A protocol that is not the type's is refused: EPROTONOSUPPORT.", |trace| {
            let made = trace.scene(12).role("program").calls(Syscall::Socket);
            let wrong = |made: &&Made<'_>| {
                let protocol = made.call.get_arg("protocol").and_then(Value::as_word);
                let pair = (made.call.socket_type(), protocol);
                matches!(
                    pair,
                    (Some(SocketType::Datagram), Some("IPPROTO_TCP")) | (Some(SocketType::Stream), Some("IPPROTO_UDP"))
                )
            };
            let wrong: Vec<_> = made.iter().filter(wrong).copied().collect();
            let refused = wrong.iter().all(|made| made.failed(Errno::EPROTONOSUPPORT));
            if wrong.is_empty() { Err(NOT_TRIED) } else { Verdict::by_calls(refused, wrong) }
        }),
        Claim::ours("select says without waiting whether something can be received.", |trace| {
            let program = trace.scene(13).role("program");
            let [before, after] = program.exactly(Syscall::Select)?;
            let sent = program.first(Syscall::SendTo)?;
            Verdict::by_calls(before.call.ret == Some(0) && after.call.ret == Some(1), [before, sent, after])
        }),
    ]
}

const NOT_TRIED: Unseen = Unseen::because("it was not tried");

/// The bind to this port of 127.0.0.1.
fn bind<'a>(trace: &'a Trace, scene: u32, port: &str) -> Result<Made<'a>, Unseen> {
    let binds = trace.scene(scene).role("program").calls(Syscall::Bind);
    let to = |made: &Made<'_>| made.call.get_arg("addr").and_then(Value::as_word).map(str::to_owned);
    binds.into_iter().find(|made| to(made).is_some_and(|to| to == format!("127.0.0.1:{port}"))).ok_or(NOT_TRIED)
}

/// The bind of the IPv4 socket beside the IPv6 listener.
fn second_bind<'a>(scene: &Selection<'a>) -> Result<Made<'a>, Unseen> {
    let [_, second] = scene.clone().role("server").exactly(Syscall::Bind)?;
    Ok(second)
}

/// Whether the family that was asked for is none, or has no such type.
fn is_strange(made: &Made<'_>) -> bool {
    let domain = made.call.get_arg("domain").and_then(Value::as_word);
    domain == Some("AF_UNSPEC") || made.call.socket_type() == Some(SocketType::Rdm)
}

fn succeeds(made: &Made<'_>) -> bool {
    made.call.ret.is_some_and(|ret| ret >= 0)
}

fn number(made: &Made<'_>, argument: &str) -> Option<i64> {
    made.call.get_arg(argument).and_then(Value::as_number)
}

/// The address that a call wrote.
fn address<'a>(made: &Made<'a>) -> Option<&'a str> {
    made.call.get_out("addr").and_then(Value::as_word)
}

/// The number that getsockopt wrote.
fn value(made: &Made<'_>) -> Option<i64> {
    made.event.number("optval")
}
