//! The stage's copies of the roles' sockets: what they hold, what changes in them, which calls would return at once.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::net::sockopt::{Timeout, socket_timeout};

use super::Watch;
use super::closed_connection::{self, ClosedConnection, Pair};
use super::roles::{LOOK, Roles, Step};
use crate::probe::{self, Connection, Kernel};
use crate::sys;
use crate::trace::{Call, Probe, Syscall, TcpState, What};

/// A copy of a role's socket, and what it was last seen to hold.
pub(super) struct WatchedSocket {
    pub socket: OwnedFd,
    receive: u32,
    send: (u32, u32),
    /// `None` before it was seen in any.
    state: Option<TcpState>,
    accept: u32,
    /// The addresses of its connection, where the scene follows it beyond its close.
    pair: Option<Pair>,
    /// Whether the address that the kernel gave it has a name.
    pub(super) named: bool,
}

impl Roles<'_, '_> {
    /// Keeps the socket that a call made.
    pub(super) fn keep(&mut self, role: usize, call: &Call, opened: Option<OwnedFd>) {
        let number = call.ret.and_then(|fd| RawFd::try_from(fd).ok());
        if let (Some(number), Some(socket)) = (number, opened) {
            // A connection that accept gives has a history: its state is news, though nothing changes now.
            let state = if call.name == Syscall::Accept { None } else { probe::tcp_state(&socket) };
            let watched =
                WatchedSocket { socket, receive: 0, send: (0, 0), state, accept: 0, pair: None, named: false };
            self.actors[role].sockets.insert(number, watched);
        }
    }

    /// Drops the copy of a socket that the role is about to close.
    pub fn let_go(&mut self, role: usize, number: Option<RawFd>) {
        if let Some(watched) = number.and_then(|number| self.actors[role].sockets.remove(&number)) {
            self.orphans |= watched.is_sending();
            self.actors[role].closed.extend(number.and_then(|number| watched.into_closed(number)));
        }
    }

    /// The addresses of a socket's connection.
    pub(super) fn connection_of(&self, role: usize, number: Option<RawFd>) -> Option<Pair> {
        let watched = self.actors[role].sockets.get(&number?)?;
        probe::own_address(&watched.socket).zip(probe::peer_address(&watched.socket))
    }

    /// Whether a call that waits until its socket is readable would return at once.
    pub fn returns_at_once(&self, role: usize, call: &Call) -> bool {
        let socket = call.fd.and_then(|number| self.actors[role].sockets.get(&number));
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
        if call.name == Syscall::Poll {
            return call.timeout();
        }
        let receives = call.name.receives() || call.name == Syscall::Accept;
        let which = if receives { Timeout::Recv } else { Timeout::Send };
        socket_timeout(&self.actors[role].sockets.get(&call.fd?)?.socket, which).ok()?
    }

    /// Fills in the queues of the socket that a call was made on.
    pub fn look_at(&mut self, role: usize, call: &mut Call) {
        let watched = call.fd.and_then(|number| self.actors[role].sockets.get_mut(&number));
        call.queues = watched.map(|watched| probe::queues(watched.socket.as_fd()));
    }

    /// Tells of every change in the sockets that the scene watches.
    pub fn look_around(&mut self) -> Step<()> {
        if !self.watch.anything() {
            return Ok(());
        }
        self.wait_for_acknowledged_fins()?;
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

    /// On a single host, waits (at most 1 s) until closed connections have left FIN-WAIT-1. The peer has our FIN, but
    /// its ACK may be delayed by 40 ms; waiting removes that difference between runs.
    fn wait_for_acknowledged_fins(&mut self) -> Step<()> {
        const LONGEST: Duration = Duration::from_secs(1);
        let [kernel] = &mut self.kernels[..] else { return Ok(()) };
        let until = Instant::now() + LONGEST;
        for closed in self.actors.iter().flat_map(|actor| &actor.closed) {
            while closed.waits_for_an_acknowledgement(kernel)? && Instant::now() < until {
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

impl WatchedSocket {
    /// Whether a TCP connection has something on its way: a first SYN, or bytes that are not acknowledged.
    fn is_sending(&self) -> bool {
        probe::tcp_state(&self.socket).is_some_and(|state| {
            state == TcpState::SynSent || probe::queues(self.socket.as_fd()).send.is_some_and(|bytes| bytes > 0)
        })
    }

    /// Learns which connection it is, and asks what is left of one that the socket has no part in any more: both sides
    /// have sent FIN, and it has not been closed yet.
    fn follow(&mut self, kernel: &mut Kernel) -> io::Result<Option<Connection>> {
        let Some(state) = probe::tcp_state(&self.socket) else { return Ok(None) };
        if self.pair.is_none() {
            self.pair = closed_connection::pair_of(&self.socket, kernel)?;
        }
        match self.pair.filter(|_| state == TcpState::Closed) {
            Some((own, peer)) => kernel.connection(own, peer),
            None => Ok(None),
        }
    }

    /// What is left to follow once the socket with this number is closed.
    pub fn into_closed(self, fd: RawFd) -> Option<ClosedConnection> {
        self.pair.map(|pair| ClosedConnection { fd, pair, state: self.state })
    }

    /// What is new of it. `kept` is what its kernel keeps of its connection, where the socket has no part in it.
    fn changes(&mut self, watch: Watch, kept: Option<Connection>) -> Vec<Probe> {
        let mut changes = Vec::new();
        if watch.states
            && let Some(connection) = kept.or_else(|| probe::tcp_state(&self.socket).map(Connection::in_state))
            && Some(connection.state) != self.state
        {
            let (state, left) = (connection.state, closed_connection::left_of(&connection));
            changes.push(Probe::State { state, left, already: self.state.is_none(), closed: false });
            self.state = Some(state);
        }
        if watch.accept_queues
            && let Some(waiting) = probe::accept_queue(&self.socket)
            && waiting != self.accept
        {
            changes.push(Probe::AcceptQueue { waiting });
            self.accept = waiting;
        }
        if !(watch.receive_queues || watch.send_queues) {
            return changes;
        }
        let queues = probe::queues(self.socket.as_fd());
        let receive = queues.recv.unwrap_or(0);
        if watch.receive_queues && receive != self.receive {
            // Of datagrams the kernel tells the size of the first one only.
            let first_datagram = probe::tcp_state(&self.socket).is_none();
            changes.push(Probe::ReceiveQueue { recv: receive, first_datagram });
        }
        self.receive = receive;
        let send = (queues.send.unwrap_or(0), queues.unsent.unwrap_or(0));
        if watch.send_queues && send != self.send {
            changes.push(Probe::SendQueue { send: send.0, unsent: send.1 });
        }
        self.send = send;
        changes
    }
}
