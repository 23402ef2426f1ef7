//! Datagrams: each to the call that took it, in the order in which a socket got them.

use std::collections::VecDeque;

use super::sockets::{Moved, Socket};
use super::{Kind, Way, are_alike, bytes, role_of};
use crate::trace::Errno;

/// A datagram on its way: the socket that sent it, and where it went.
struct Sent<'a> {
    from: usize,
    to: &'a str,
    moved: &'a Moved<'a>,
}

pub(super) fn ways(sockets: &[Socket]) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut queues: Vec<Vec<Sent>> = sockets.iter().map(|_| Vec::new()).collect();
    // Of sockets that share an address, any may get what is sent there.
    let mut shared = vec![false; sockets.len()];
    let mut to_any: Vec<(Sent, Vec<usize>)> = Vec::new();
    for (from, sender) in sockets.iter().enumerate().filter(|(_, sender)| !sender.stream) {
        let mut nobody_there = Vec::new();
        for moved in &sender.sends {
            let Some(to) = moved.other.or_else(|| sender.peer(moved.at)) else { continue };
            let sent = Sent { from, to, moved };
            let takers: Vec<usize> = (0..sockets.len()).filter(|index| takes(sockets, *index, &sent)).collect();
            match takers[..] {
                [] => {
                    nobody_there.push(moved.at);
                    ways.push(lost(sockets, &sent, "no socket there"));
                }
                [taker] => queues[taker].push(sent),
                _ => {
                    takers.iter().for_each(|index| shared[*index] = true);
                    to_any.push((sent, takers));
                }
            }
        }
        ways.extend(refusals(sender, from, nobody_there));
    }
    for (to, mut queue) in queues.into_iter().enumerate() {
        if shared[to] {
            to_any.extend(queue.into_iter().map(|sent| (sent, vec![to])));
        } else {
            queue.sort_by_key(|sent| sent.moved.at);
            ways.extend(taken(sockets, to, &queue));
        }
    }
    to_any.sort_by_key(|(sent, _)| sent.moved.at);
    ways.extend(taken_by_any(sockets, &shared, to_any));
    ways
}

/// Whether a datagram goes into this socket's queue.
fn takes(sockets: &[Socket], index: usize, sent: &Sent) -> bool {
    let socket = &sockets[index];
    let from = sockets[sent.from].local.as_ref().map(|(name, _)| name.as_str());
    let is_from_peer = socket.peer(sent.moved.at).is_none_or(|peer| Some(peer) == from);
    !socket.stream && is_from_peer && (socket.has(sent.to, sent.moved.at) || is_own(sockets, index, sent))
}

/// Whether a socket sends to itself: it has its name by this call.
fn is_own(sockets: &[Socket], index: usize, sent: &Sent) -> bool {
    index == sent.from && sockets[index].local.as_ref().is_some_and(|(name, _)| name == sent.to)
}

/// The ways of what was sent to one socket. An order-preserving assignment of receives to sends must take the first
/// that fits, or the last; where both agree there is no other.
fn taken(sockets: &[Socket], to: usize, queue: &[Sent]) -> Vec<Way> {
    let receives = &sockets[to].receives;
    let fits = |receive: &Moved, sent: &Sent| fits(sockets, receive, sent);
    let mut first = Vec::new();
    let mut next = 0;
    for receive in receives {
        let Some(at) = (next..queue.len()).find(|at| fits(receive, &queue[*at])) else { return Vec::new() };
        first.push(at);
        next = at + 1;
    }
    let mut last = Vec::new();
    let mut end = queue.len();
    for receive in receives.iter().rev() {
        let Some(at) = (0..end).rev().find(|at| fits(receive, &queue[*at])) else { return Vec::new() };
        last.push(at);
        end = at;
    }
    last.reverse();
    let mut ways = Vec::new();
    for (at, sent) in queue.iter().enumerate() {
        let may = |index: usize| first[index] <= at && at <= last[index] && fits(&receives[index], sent);
        let takers: Vec<usize> = (0..receives.len()).filter(|index| may(*index)).collect();
        match takers[..] {
            [] => ways.push(lost(sockets, sent, "never received")),
            [index] if first[index] == last[index] => {
                ways.push(arrival(sockets, sent, to, &receives[index]));
            }
            _ => {}
        }
    }
    ways
}

/// The ways to sockets that share an address: as long as each receive can have taken one datagram only.
fn taken_by_any(sockets: &[Socket], shared: &[bool], mut sent: Vec<(Sent, Vec<usize>)>) -> Vec<Way> {
    let mut ways = Vec::new();
    let those = (0..sockets.len()).filter(|index| shared[*index]);
    let mut receives: Vec<(usize, &Moved)> =
        those.flat_map(|to| sockets[to].receives.iter().map(move |receive| (to, receive))).collect();
    receives.sort_by_key(|(_, receive)| receive.at);
    for (to, receive) in receives {
        let is_it = |(sent, takers): &(Sent, Vec<usize>)| takers.contains(&to) && fits(sockets, receive, sent);
        let candidates: Vec<usize> = (0..sent.len()).filter(|index| is_it(&sent[*index])).collect();
        let [index] = candidates[..] else { return ways };
        let (sent, _) = sent.remove(index);
        ways.push(arrival(sockets, &sent, to, receive));
    }
    ways.extend(sent.iter().map(|(sent, _)| lost(sockets, sent, "never received")));
    ways
}

/// Whether a receive may have taken this datagram.
fn fits(sockets: &[Socket], receive: &Moved, sent: &Sent) -> bool {
    let name = sockets[sent.from].local.as_ref().map(|(name, _)| name.as_str());
    let is_cut = receive.len == receive.room && receive.len < sent.moved.len;
    sent.moved.began < receive.at
        && (receive.len == sent.moved.len || is_cut)
        && (receive.other.is_none() || receive.other == name.or(sockets[sent.from].unix.then_some("unnamed")))
        && are_alike(receive.bytes, sent.moved.bytes)
}

/// The way of a datagram to the call that took it.
fn arrival(sockets: &[Socket], sent: &Sent, to: usize, received: &Moved) -> Way {
    let moved = sent.moved;
    let is_early = received.at < moved.at;
    Way {
        to: Some(sockets[to].role.to_owned()),
        begins: if is_early { moved.began } else { moved.at },
        arrives: vec![received.at],
        queue: to,
        label: match received.len {
            len if len < moved.len => format!("{len} of {} taken", bytes(moved.len)),
            _ => bytes(moved.len),
        },
        ..lost(sockets, sent, "")
    }
}

/// A datagram that no call took.
fn lost(sockets: &[Socket], sent: &Sent, why: &str) -> Way {
    Way {
        from: Some(sockets[sent.from].role.to_owned()),
        to: role_of(sent.to),
        begins: sent.moved.at,
        arrives: Vec::new(),
        queue: sent.from,
        kind: Kind::Data,
        label: format!("{}, {why}", bytes(sent.moved.len)),
    }
}

/// The kernel's answers to datagrams that found no socket, to the calls that reported them.
fn refusals(sender: &Socket, from: usize, nobody_there: Vec<usize>) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut pending = None;
    let mut queue = VecDeque::new();
    let mut sent = nobody_there.into_iter().peekable();
    let errors = sender.errors.iter().filter(|(_, errno)| *errno == Errno::ECONNREFUSED).map(|(at, _)| (*at, false));
    let mut learned: Vec<(usize, bool)> = errors.chain(sender.reports.iter().map(|at| (*at, true))).collect();
    learned.sort_unstable();
    for (at, is_report) in learned {
        while let Some(begins) = sent.next_if(|begins| *begins < at) {
            if sender.asks_for_errors || sender.peer(begins).is_some() {
                pending.get_or_insert(begins);
                queue.push_back(begins);
            }
        }
        let begins = if is_report { queue.pop_front() } else { pending.take() };
        if is_report && queue.is_empty() {
            pending = None;
        }
        let Some(begins) = begins else { continue };
        ways.push(Way {
            from: sender.peer(begins).and_then(role_of),
            to: Some(sender.role.to_owned()),
            begins,
            arrives: vec![at],
            queue: from,
            kind: Kind::Refusal,
            label: "ICMP port unreachable".to_owned(),
        });
    }
    ways
}
