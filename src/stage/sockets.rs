//! What the stage asks of its copies of the roles' sockets: what has changed in any, which calls would return at once.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::net::sockopt::{Timeout, socket_timeout};

use super::closed_connection::Pair;
use super::roles::{Roles, Step};
use super::watched_socket::WatchedSocket;
use crate::probe;
use crate::sys;
use crate::trace::{Call, Syscall, Value, What};

impl Roles<'_, '_> {
    /// Keeps the socket that a call made.
    pub(super) fn keep(&mut self, role: usize, call: &Call, opened: Option<OwnedFd>) {
        let passed = call.get_out("SCM_RIGHTS").and_then(Value::as_number);
        let number = passed.or(call.ret).and_then(|fd| RawFd::try_from(fd).ok());
        // What comes over a socket may be any open file.
        let opened = opened.filter(|opened| passed.is_none() || probe::is_socket(opened));
        if let (Some(number), Some(socket)) = (number, opened) {
            // A connection that accept gives has a history: its state is news, though nothing changes now.
            let state = if call.name == Syscall::Accept { None } else { probe::tcp_state(&socket) };
            self.sockets_of_mut(role).insert(number, WatchedSocket::new(socket, state));
        }
    }

    /// Drops the copy of a socket that the role is about to close.
    pub fn let_go(&mut self, role: usize, number: Option<RawFd>) {
        if let Some((number, watched)) = number.and_then(|number| self.sockets_of_mut(role).remove_entry(&number)) {
            self.orphans |= watched.is_sending();
            self.forget_copy(role, number, watched);
        }
    }

    /// Drops a copy. If no other process has the socket, its connection is followed beyond its close.
    pub(super) fn forget_copy(&mut self, role: usize, number: RawFd, watched: WatchedSocket) {
        if !self.is_open_elsewhere(&watched) {
            self.actors[role].closed.extend(watched.into_closed(number));
        }
    }

    /// Which actor the news of a socket are told of, by the socket's inode, where several processes have it open: of a
    /// listener the one that had it first, of a connection the last one that was given it.
    fn reporters(&self) -> HashMap<u64, usize> {
        let mut reporters = HashMap::new();
        if self.has_children() {
            for (role, actor) in self.actors.iter().enumerate() {
                for watched in actor.sockets.values() {
                    let Some(inode) = watched.inode() else { continue };
                    if probe::listens(watched.socket.as_fd()) {
                        reporters.entry(inode).or_insert(role);
                    } else {
                        reporters.insert(inode, role);
                    }
                }
            }
        }
        reporters
    }

    /// The addresses of a socket's connection.
    pub(super) fn connection_of(&self, role: usize, number: Option<RawFd>) -> Option<Pair> {
        let watched = self.sockets_of(role).get(&number?)?;
        probe::own_address(&watched.socket).zip(probe::peer_address(&watched.socket))
    }

    /// Whether a call that waits until its socket is readable would return at once.
    pub fn returns_at_once(&self, role: usize, call: &Call) -> bool {
        if call.name.waits_for_an_actor() {
            return self.finds_an_end(role, call);
        }
        let socket = call.fd.and_then(|number| self.sockets_of(role).get(&number));
        // For an unknown descriptor let the kernel decide. `accept` without `listen`, and `recv` on a listener, fail at
        // once whatever poll(2) says.
        socket.is_none_or(|watched| {
            probe::listens(watched.socket.as_fd()) != (call.name == Syscall::Accept)
                || probe::ready(watched.socket.as_fd(), PollFlags::IN)
        })
    }

    /// How long a call may wait, where it has a limit: a poll's own, or its socket's, `SO_RCVTIMEO` and `SO_SNDTIMEO`
    /// of `socket(7)`.
    pub fn limit(&self, role: usize, call: &Call) -> Option<Duration> {
        if call.name.polls() {
            return call.timeout();
        }
        let receives = call.name.receives() || call.name == Syscall::Accept;
        let which = if receives { Timeout::Recv } else { Timeout::Send };
        socket_timeout(&self.sockets_of(role).get(&call.fd?)?.socket, which).ok()?
    }

    /// Fills in the queues of the socket that a call was made on.
    pub fn look_at(&mut self, role: usize, call: &mut Call) {
        // An epoll descriptor is kept as sockets are, and has no queues.
        let number = call.fd.filter(|_| !call.name.is_of_epoll());
        let watched = number.and_then(|number| self.sockets_of_mut(role).get_mut(&number));
        call.queues = watched.map(|watched| probe::queues(watched.socket.as_fd()));
    }

    /// Tells of every change in the sockets that the scene watches.
    pub fn look_around(&mut self) -> Step<()> {
        if !self.watch.anything() {
            return Ok(());
        }
        self.wait_for_settled_connections()?;
        self.wait_for_settled_queues()?;
        let reporters = self.reporters();
        for role in 0..self.actors.len() {
            let mut changes = Vec::new();
            let actor = &mut self.actors[role];
            let mut kernel = self.kernels.get_mut(actor.side);
            for (number, watched) in &mut actor.sockets {
                let kept = match &mut kernel {
                    Some(kernel) => watched.follow(kernel)?,
                    None => None,
                };
                let news = watched.changes(self.watch, kept);
                if !reporters.is_empty() && watched.inode().and_then(|inode| reporters.get(&inode)) != Some(&role) {
                    continue;
                }
                changes.extend(news.into_iter().map(|probe| (probe, *number)));
            }
            if let Some(kernel) = kernel {
                for closed in &mut actor.closed {
                    changes.extend(closed.change(kernel)?.map(|probe| (probe, closed.fd)));
                }
                actor.closed.retain(|closed| !closed.is_over());
            }
            for (probe, fd) in changes {
                self.emit(Some(role), What::Probe { probe, fd })?;
            }
        }
        Ok(())
    }

    /// On a single host, waits (at most 1 s) until closed connections have left FIN-WAIT-1, and the kernel has limited
    /// their time in FIN-WAIT-2. The peer has our FIN, but its ACK may be delayed by 40 ms; waiting removes that
    /// difference between runs.
    fn wait_for_settled_connections(&mut self) -> Step<()> {
        let [kernel] = &mut self.kernels[..] else { return Ok(()) };
        for closed in self.actors.iter().flat_map(|actor| &actor.closed) {
            closed.settled(kernel)?;
        }
        Ok(())
    }

    /// On a single host, where a scene asks for it, waits (at most 1 s) until what was sent is acknowledged, and who
    /// was woken by that sleeps again. A receiver may delay its ACK by 40 ms; waiting removes that difference between
    /// runs.
    fn wait_for_settled_queues(&self) -> Step<()> {
        const LONGEST: Duration = Duration::from_secs(1);
        const LOOK: Duration = Duration::from_millis(1);
        if !self.watch.acknowledged || !self.on_one_host || self.free {
            return Ok(());
        }
        let began = Instant::now();
        let mut quiet = 0;
        // Twice in a row: between the two looks nobody has been woken by what the first one saw.
        while quiet < 2 && began.elapsed() < LONGEST {
            let sockets = self.actors.iter().flat_map(|actor| actor.sockets.values());
            let in_flight = sockets.into_iter().any(WatchedSocket::has_bytes_in_flight);
            quiet = if in_flight || self.actors.iter().any(|actor| actor.player.runs()) { 0 } else { quiet + 1 };
            if quiet < 2 {
                sys::wait_for(&mut [], Some(LOOK))?;
            }
        }
        Ok(())
    }

    /// Whether a timer of the kernel's runs for a connection of ours, which may yet move a role.
    pub fn timers_run(&mut self) -> bool {
        let ports = self.names.numbers();
        if let Some(wire) = &mut self.wire {
            return wire.any_host_asks() || wire.any_table(|table| probe::timers_run_in(table, &ports));
        }
        // The kernel's table takes milliseconds to read, and is not needed where nothing is on its way.
        let sending = self.actors.iter().flat_map(|actor| actor.sockets.values()).any(WatchedSocket::is_sending);
        (sending || self.orphans || self.free) && probe::timers_run(&ports)
    }
}
