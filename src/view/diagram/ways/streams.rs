//! Connections: who accepted whom, and which bytes, ends and resets went from which call to which.

use super::sockets::{Moved, Socket, is_called, is_peer};
use super::{Kind, Way, are_alike, bytes, role_of};
use crate::trace::Errno;

pub(super) fn ways(sockets: &[Socket]) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut accepted = vec![false; sockets.len()];
    for server in 0..sockets.len() {
        let Some(client) = client_of(sockets, server) else { continue };
        accepted[client] = true;
        ways.extend(connection(sockets, client, server).filter(|_| !sockets[server].passed));
        for (from, to) in [(client, server), (server, client)] {
            if !sockets[from].unclear && !sockets[to].unclear {
                ways.extend(data(sockets, from, to));
                ways.extend(end(sockets, from, to));
            }
        }
    }
    for (index, socket) in sockets.iter().enumerate().filter(|(_, socket)| socket.stream && !socket.unclear) {
        if let Some(twin) = socket.twin.filter(|twin| *twin < sockets.len()) {
            ways.extend(data(sockets, index, twin));
            ways.extend(end(sockets, index, twin));
        }
        // One that is connected to its own address reads what it sends.
        let own = socket.local.as_ref().map(|(local, _)| local);
        if socket.connected.is_some() && socket.peers.last().map(|(peer, _)| peer) == own {
            ways.extend(data(sockets, index, index));
        }
    }
    for (client, accepted) in accepted.iter().enumerate() {
        ways.extend(refusal(sockets, client));
        if !accepted {
            ways.extend(never_accepted(sockets, client));
        }
    }
    ways
}

/// The socket that a role connected with, of one that was accepted: the only one with the name that accept gave.
fn client_of(sockets: &[Socket], server: usize) -> Option<usize> {
    let (listener, name, at) = sockets[server].accepted.as_ref()?;
    let listens_at = sockets[*listener].local.as_ref().map(|(local, _)| local.as_str())?;
    if sockets[server].unix {
        return unix_client_of(sockets, *listener, *at, listens_at);
    }
    let mut those = (0..sockets.len()).filter(|index| {
        let socket = &sockets[*index];
        socket.stream
            && socket.accepted.is_none()
            && socket.local.as_ref().is_some_and(|(local, _)| is_peer(name, local))
            && socket.connected.is_some_and(|(began, _)| began < *at)
            && socket.peers.last().is_some_and(|(peer, _)| is_called(listens_at, peer))
    });
    those.next().filter(|_| those.next().is_none())
}

/// The same of sockets of `unix(7)`, whose clients have no name: a listener's connections are accepted in their order.
fn unix_client_of(sockets: &[Socket], listener: usize, at: usize, path: &str) -> Option<usize> {
    let is_of_it =
        |socket: &&Socket| socket.accepted.as_ref().is_some_and(|(of, _, then)| *of == listener && *then < at);
    let before = sockets.iter().filter(is_of_it).count();
    let listens = sockets[listener].listens?;
    let mut those: Vec<(usize, usize)> = (0..sockets.len())
        .filter(|index| sockets[*index].unix && sockets[*index].stream)
        .filter(|index| sockets[*index].peers.last().is_some_and(|(peer, _)| peer == path))
        .filter_map(|index| sockets[index].connected.map(|(_, connected)| (connected, index)))
        .filter(|(connected, _)| listens < *connected && *connected < at)
        .collect();
    those.sort_unstable();
    those.get(before).map(|(_, client)| *client)
}

fn connection(sockets: &[Socket], client: usize, server: usize) -> Option<Way> {
    let (began, returned) = sockets[client].connected?;
    let (listener, _, at) = sockets[server].accepted.as_ref()?;
    Some(Way {
        from: Some(sockets[client].role.to_owned()),
        to: Some(sockets[server].role.to_owned()),
        begins: if returned < *at { returned } else { began },
        arrives: vec![*at],
        queue: *listener,
        kind: Kind::Control,
        label: "connection".to_owned(),
    })
}

/// Each send's bytes, to the calls that read them.
fn data(sockets: &[Socket], from: usize, to: usize) -> Vec<Way> {
    let (sender, receiver) = (&sockets[from], &sockets[to]);
    if sender.records {
        return records(sender, receiver, to);
    }
    let Some(read) = positions(&sender.sends, &receiver.receives) else { return Vec::new() };
    let mut begin = 0;
    let ways = sender.sends.iter().filter(|send| send.len > 0).map(|send| {
        let end = begin + send.len;
        let taken = |part: &&(usize, usize, usize)| part.0 < end && part.1 > begin;
        let count = |part: &(usize, usize, usize)| part.1.min(end) - part.0.max(begin);
        let parts: Vec<_> = read.iter().filter(taken).collect();
        let count: usize = parts.iter().map(|part| count(part)).sum();
        let arrives: Vec<usize> = parts.iter().map(|part| part.2).collect();
        begin = end;
        let label = match count {
            0 => format!("{}, never read", bytes(send.len)),
            count if count < send.len => format!("{count} of {} read", bytes(send.len)),
            _ => bytes(send.len),
        };
        let early = arrives.first().is_some_and(|first| *first < send.at);
        Way {
            from: Some(sender.role.to_owned()),
            to: Some(receiver.role.to_owned()),
            begins: if early { send.began } else { send.at },
            arrives,
            queue: to,
            kind: Kind::Data,
            label,
        }
    });
    ways.collect()
}

/// Each record, to the call that took it: in their order, and cut where there was no room.
fn records(sender: &Socket, receiver: &Socket, to: usize) -> Vec<Way> {
    let taken = receiver.receives.iter().map(Some).chain(std::iter::repeat(None));
    let way = |(send, taken): (&Moved, Option<&Moved>)| Way {
        from: Some(sender.role.to_owned()),
        to: Some(receiver.role.to_owned()),
        begins: send.at,
        arrives: taken.iter().map(|taken| taken.at).collect(),
        queue: to,
        kind: Kind::Data,
        label: match taken {
            None => format!("{}, never read", bytes(send.len)),
            Some(taken) if taken.len < send.len => format!("{} of {} received", taken.len, bytes(send.len)),
            Some(_) => bytes(send.len),
        },
    };
    sender.sends.iter().zip(taken).map(way).collect()
}

/// Where in the stream each receive's bytes lie: from, to, and the event. `None`, if they are not those that were sent.
fn positions(sends: &[Moved], receives: &[Moved]) -> Option<Vec<(usize, usize, usize)>> {
    let mut at = 0;
    let mut all = Vec::new();
    for receive in receives {
        let end = at + receive.len;
        let mut begin = 0;
        let mut sent = 0;
        for send in sends {
            // The part that both have, where both show it.
            let (first, last) = (at.max(begin), end.min(begin + send.len));
            if first < last {
                let of = |bytes: &[u8], skipped: usize| bytes.get(skipped..).unwrap_or_default().to_vec();
                let (one, other) = (of(send.bytes, first - begin), of(receive.bytes, first - at));
                let len = last - first;
                if !are_alike(&one[..one.len().min(len)], &other[..other.len().min(len)]) {
                    return None;
                }
            }
            begin += send.len;
            if send.began < receive.at {
                sent += send.len;
            }
        }
        if end > sent {
            return None;
        }
        all.push((at, end, receive.at));
        at = end;
    }
    Some(all)
}

/// How the stream from one socket to another ended, where a call learned of it: by a reset or by FIN.
fn end(sockets: &[Socket], from: usize, to: usize) -> Vec<Way> {
    let (sender, receiver) = (&sockets[from], &sockets[to]);
    let way = |begins, at, kind, label: &str| Way {
        from: Some(sender.role.to_owned()),
        to: Some(receiver.role.to_owned()),
        begins,
        arrives: vec![at],
        queue: to,
        kind,
        label: label.to_owned(),
    };
    let reset = reset(sender, receiver);
    let learned = reset.and_then(|reset| learns(receiver, reset).map(|at| (reset, at)));
    let finished = [sender.shut_write, sender.closed].into_iter().flatten().min();
    let fin = finished.filter(|at| reset != Some(*at));
    let seen = fin.and_then(|fin| {
        let mut ends = receiver.ends.iter().copied().filter(|at| *at > fin);
        let first = ends.next()?;
        let is_shut = receiver.shut_read.is_some_and(|at| at < first);
        let is_reset = learned.is_some_and(|(_, at)| at < first);
        let label = if sender.unix { "end" } else { "FIN" };
        (!is_shut && !is_reset).then(|| way(fin, first, Kind::Control, label))
    });
    // Who has seen the FIN may learn of a reset later, which answers what was sent then.
    let label = if sender.unix { "reset" } else { "RST" };
    let refused = learned.map(|(reset, at)| way(reset, at, Kind::Refusal, label));
    seen.into_iter().chain(refused).collect()
}

/// The event in which the kernel of a socket's sent its peer a reset.
fn reset(sender: &Socket, receiver: &Socket) -> Option<usize> {
    let closed = sender.closed?;
    let sum = |moved: &[Moved]| moved.iter().filter(|one| one.at < closed).map(|one| one.len).sum::<usize>();
    if sender.lingers_not || sum(&receiver.sends) > sum(&sender.receives) {
        return Some(closed);
    }
    // What arrives where nobody can read it any more.
    receiver.sends.iter().find(|send| send.began > closed && send.len > 0).map(|send| send.at)
}

/// The first call that reports a reset.
fn learns(receiver: &Socket, reset: usize) -> Option<usize> {
    let is_told = |(at, errno): &&(usize, Errno)| match *errno {
        Errno::ECONNRESET => *at > reset,
        Errno::EPIPE => *at > reset && receiver.shut_write.is_none_or(|shut| shut > *at),
        _ => false,
    };
    receiver.errors.iter().find(is_told).map(|(at, _)| *at)
}

/// A connect that nobody listened to.
fn refusal(sockets: &[Socket], client: usize) -> Vec<Way> {
    let socket = &sockets[client];
    let Some((peer, _)) = socket.peers.last().filter(|_| socket.stream) else { return Vec::new() };
    let refused = |begins| Way {
        from: Some(socket.role.to_owned()),
        to: role_of(peer),
        begins,
        arrives: Vec::new(),
        queue: client,
        kind: Kind::Refusal,
        label: "refused".to_owned(),
    };
    if let Some(at) = socket.refused {
        return vec![refused(at)];
    }
    let Some((_, connected)) = socket.connected else { return Vec::new() };
    let Some((at, _)) = socket.errors.iter().find(|(_, errno)| *errno == Errno::ECONNREFUSED) else {
        return Vec::new();
    };
    let back = Way {
        from: role_of(peer),
        to: Some(socket.role.to_owned()),
        begins: connected,
        arrives: vec![*at],
        queue: client,
        kind: Kind::Refusal,
        label: "RST".to_owned(),
    };
    vec![refused(connected), back]
}

/// The reset of a connection that waited to be accepted when its listener was closed.
fn never_accepted(sockets: &[Socket], client: usize) -> Option<Way> {
    let socket = &sockets[client];
    let (_, connected) = socket.connected.filter(|_| socket.stream)?;
    let peer = &socket.peers.last()?.0;
    let is_it = |one: &&Socket| one.has(peer, connected) && one.listens.is_some_and(|at| at < connected);
    let mut listeners = sockets.iter().filter(is_it);
    let listener = listeners.next().filter(|_| listeners.next().is_none())?;
    let closed = listener.closed?;
    Some(Way {
        from: Some(listener.role.to_owned()),
        to: Some(socket.role.to_owned()),
        begins: closed,
        arrives: vec![learns(socket, closed)?],
        queue: client,
        kind: Kind::Refusal,
        label: "RST".to_owned(),
    })
}
