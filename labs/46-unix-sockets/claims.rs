//! What the old texts say about AF_UNIX, and what is in the file.

use socklab::prelude::*;
use socklab::trace::{Made, bytes_of, count_of};

pub fn all() -> Vec<Claim> {
    vec![
        Claim::classic("S1-C08", "AF_UNIX moves its data through the file system.", |trace| {
            let server = trace.scene(2).role("server");
            let unread = server.first(Syscall::Ioctl)?;
            let [looked, last] = server.exactly(Syscall::FStatAt)?;
            let received = count_of(&server.some(Receives)?);
            if unread.event.number("argp") < Some(1) || received < 1024 * 1024 {
                return Err(Unseen::because("not much went through the socket"));
            }
            // Bytes would be in the file while they are under way, or when all have come.
            let has_bytes = [looked, last].iter().any(|made| made.event.number("st_size") > Some(0));
            Verdict::by_calls(has_bytes, [unread, looked, last])
        }),
        Claim::classic("S2-C15", "AF_UNIX is for processes of one machine.", |trace| {
            let scene = trace.scene(10);
            let (client, server) = (scene.clone().role("client"), scene.role("server"));
            let connected = client.last(Syscall::Connect)?;
            let (of_server, of_client) = (client.first(Syscall::GetSockOpt)?, server.first(Syscall::GetSockOpt)?);
            // Each end is a process that this kernel knows by its number; the address says no host.
            let is = |made: &Made<'_>, role: &str| {
                made.event.word("optval").is_some_and(|peer| peer.starts_with(&format!("{{pid={role},")))
            };
            let both = is(&of_client, "client") && is(&of_server, "server");
            Verdict::by_calls(both, [connected, of_client, of_server])
        }),
        Claim::ours("The name is a socket of no bytes, and opening it fails with ENXIO.", |trace| {
            let server = trace.scene(2).role("server");
            let (looked, opened) = (server.first(Syscall::FStatAt)?, server.first(Syscall::OpenAt)?);
            let is_socket = looked.event.word("st_mode") == Some("S_IFSOCK");
            let is_empty = looked.event.number("st_size") == Some(0);
            Verdict::by_calls(is_socket && is_empty && opened.failed(Errno::ENXIO), [looked, opened])
        }),
        Claim::ours("A conversation goes on when its name is removed; a new connect fails with ENOENT.", |trace| {
            let scene = trace.scene(3);
            let server = scene.clone().role("server");
            let removed = server.first(Syscall::UnlinkAt)?;
            let after = server.after(removed.event).first(Receives)?;
            let late = scene.clone().role("late-client").first(Syscall::Connect)?;
            let answered = scene.role("client").last(Receives)?;
            let goes_on = after.call.bytes() == b"after" && answered.call.bytes() == b"AFTER";
            let is_gone = removed.call.errno.is_none() && late.failed(Errno::ENOENT);
            Verdict::by_calls(goes_on && is_gone, [removed, late, after, answered])
        }),
        Claim::ours("The name outlives its socket: a connect to it fails with ECONNREFUSED.", |trace| {
            let closed = trace.scene(4).role("server").first(Syscall::Close)?;
            let refused = trace.scene(4).role("client").first(Syscall::Connect)?;
            let outlives = refused.failed(Errno::ECONNREFUSED) && closed.event.n < refused.event.n;
            Verdict::by_calls(outlives, [closed, refused])
        }),
        Claim::ours("Until it is removed, bind fails with EADDRINUSE, also with SO_REUSEADDR.", |trace| {
            let next = trace.scene(4).role("next-server");
            let option = next.first(Syscall::SetSockOpt)?;
            let [taken, free] = next.exactly(Syscall::Bind)?;
            let holds = taken.failed(Errno::EADDRINUSE) && free.call.errno.is_none();
            Verdict::by_calls(holds, [option, taken, free])
        }),
        Claim::ours("A stream has no edges; datagrams and seqpacket keep them, and cut what does not fit.", |trace| {
            let received = trace.scene(5).role("server").some(Receives)?;
            let seen: Vec<&[u8]> = received.iter().map(|made| made.call.bytes()).collect();
            let wanted: [&[u8]; 9] = [b"he", b"llofeng", b"", b"he", b"feng", b"", b"he", b"feng", b""];
            Verdict::by_calls(seen == wanted, received)
        }),
        Claim::ours(
            "An empty send is a message of its own on datagram and seqpacket, and nothing on a stream.",
            |trace| {
                let received = trace.scene(5).role("server").some(Receives)?;
                let last = received.chunks(3).filter_map(|three| three.get(2)).copied().collect::<Vec<_>>();
                let [stream, datagram, packet] = last[..] else { return Err(Unseen::because("a receive is missing")) };
                let arrives = datagram.call.ret == Some(0) && packet.call.ret == Some(0);
                Verdict::by_calls(stream.failed(Errno::EAGAIN) && arrives, [stream, datagram, packet])
            },
        ),
        Claim::ours("A datagram from a socket without a name says nobody who could be answered.", |trace| {
            let [unnamed, named] = trace.scene(6).role("server").exactly(Syscall::RecvFrom)?;
            let is = |made: &Made<'_>, from: &str| made.event.word("src_addr") == Some(from);
            let holds = is(&unnamed, "unnamed") && is(&named, "lab-46-client.sock");
            Verdict::by_calls(holds, [unnamed, named])
        }),
        Claim::ours("A datagram to nobody fails at once: ECONNREFUSED, and ENOENT without the name.", |trace| {
            let client = trace.scene(6).role("client");
            let received = client.first(Receives)?;
            let [closed, removed] = client.after(received.event).exactly(Sends)?;
            let holds = closed.failed(Errno::ECONNREFUSED) && removed.failed(Errno::ENOENT);
            Verdict::by_calls(holds, [closed, removed])
        }),
        Claim::ours("A full queue makes the sender of a datagram wait, and nothing is lost.", |trace| {
            let (client, server) = (trace.scene(7).role("client"), trace.scene(7).role("server"));
            let full = client.some(Sends)?.into_iter().find(|made| made.failed(Errno::EAGAIN));
            let full = full.ok_or(Unseen::because("the queue was never full"))?;
            let sent = client.some(Sends)?.into_iter().filter(|made| made.call.ret > Some(0)).collect::<Vec<_>>();
            let waits = *client.waits(Sends).first().ok_or(Unseen::because("no send waited"))?;
            let last = client.last(Sends)?;
            let received = server.received();
            let taken = server.first(Receives)?;
            let waited = waits.n < taken.event.n && taken.event.n < last.event.n;
            let all = bytes_of(&sent) == bytes_of(&received);
            let evidence = [full.event, waits, taken.event, last.event];
            Verdict::of(waited && all && received.len() == sent.len(), evidence)
        }),
        Claim::ours("Who is passed an open file reads it, though it may not open it.", |trace| {
            let client = trace.scene(8).role("client");
            let refused = client.some(Syscall::OpenAt2)?;
            let refused = refused.last().copied().ok_or(Unseen::because("it opened nothing"))?;
            let [passed, read] = [client.first(Syscall::RecvMsg)?, client.first(Syscall::ReadFile)?];
            let reads = passed.event.number("SCM_RIGHTS").is_some() && read.call.bytes() == b"nobody ";
            Verdict::by_calls(refused.failed(Errno::EACCES) && reads, [refused, passed, read])
        }),
        Claim::ours("Both descriptors are one open file: where one has read, the other goes on.", |trace| {
            let read = trace.scene(8).role("client").first(Syscall::ReadFile)?;
            let rest = trace.scene(8).role("server").first(Syscall::ReadFile)?;
            let together = [read.call.bytes(), rest.call.bytes()].concat();
            let goes_on = read.event.n < rest.event.n && together == b"nobody may open this";
            Verdict::by_calls(goes_on, [read, rest])
        }),
        Claim::ours("A TCP connection that is passed on stays open when its first owner closes it.", |trace| {
            let scene = trace.scene(9);
            let passed = scene.clone().role("server").first(Syscall::SendMsg)?;
            let closed = scene.clone().role("server").after(passed.event).first(Syscall::Close)?;
            let answered = scene.clone().role("worker").first(Sends)?;
            let [answer, end] = scene.role("client").exactly(Receives)?;
            let in_order = closed.event.n < answer.event.n && answer.event.n < end.event.n;
            let holds = in_order && answer.call.bytes() == b"HELLO" && end.call.ret == Some(0);
            Verdict::by_calls(holds, [passed, closed, answered, answer, end])
        }),
        Claim::ours("connect takes the permission to write to the name, and no other.", |trace| {
            let client = trace.scene(10).role("client");
            let [reading, writing] = trace.scene(10).role("server").exactly(Syscall::FChmodAt)?;
            let [refused, connected] = client.exactly(Syscall::Connect)?;
            let holds = refused.failed(Errno::EACCES) && connected.call.errno.is_none();
            Verdict::by_calls(holds, [reading, refused, writing, connected])
        }),
        Claim::ours(
            "A pair has no name: a child that inherits one end talks to its parent, who sees its end.",
            |trace| {
                let server = trace.scene(11).role("server");
                let (pair, sent) = (server.first(Syscall::SocketPair)?, server.first(Sends)?);
                let [received, end] = server.exactly(Receives)?;
                let all = bytes_of(&[sent]) == bytes_of(&[received]) && sent.event.actor != received.event.actor;
                Verdict::by_calls(all && end.call.ret == Some(0), [pair, sent, received, end])
            },
        ),
        Claim::ours("An abstract name is gone with its socket, and can be bound again at once.", |trace| {
            let scene = trace.scene(11);
            let [first, again] = scene.clone().role("server").exactly(Syscall::Bind)?;
            let [connected, refused, anew] = scene.role("client").exactly(Syscall::Connect)?;
            let bound = first.call.errno.is_none() && again.call.errno.is_none();
            let holds = bound && refused.failed(Errno::ECONNREFUSED) && anew.call.errno.is_none();
            Verdict::by_calls(holds, [first, connected, refused, again, anew])
        }),
        Claim::ours("A name of 107 bytes is taken, and one of 108, with its NUL, fails with EINVAL.", |trace| {
            let [taken, long] = trace.scene(12).role("server").exactly(Syscall::Bind)?;
            Verdict::by_calls(taken.call.errno.is_none() && long.failed(Errno::EINVAL), [taken, long])
        }),
    ]
}
