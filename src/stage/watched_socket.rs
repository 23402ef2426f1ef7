//! A copy of one role's socket: what it holds, and what changes in it.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use super::Watch;
use super::closed_connection::{self, ClosedConnection, Pair};
use crate::probe::{self, Connection, Kernel};
use crate::trace::{Probe, TcpState};

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
    pub named: bool,
}

impl WatchedSocket {
    /// A copy of a socket, last seen in `state`, of which nothing else has been reported.
    pub fn new(socket: OwnedFd, state: Option<TcpState>) -> WatchedSocket {
        WatchedSocket { socket, receive: 0, send: (0, 0), state, accept: 0, pair: None, named: false }
    }

    /// A copy for another process that has the socket open, too.
    ///
    /// # Errors
    /// That of `fcntl(2)` with `F_DUPFD_CLOEXEC`.
    pub fn copy(&self) -> io::Result<WatchedSocket> {
        Ok(WatchedSocket { socket: self.socket.try_clone()?, ..*self })
    }

    /// The number by which the kernel tells sockets apart: the same of all copies. `None` of what is none.
    pub fn inode(&self) -> Option<u64> {
        Some(rustix::fs::fstat(&self.socket).ok()?.st_ino)
    }

    /// Whether a TCP connection has something on its way: a first SYN, or bytes that are not acknowledged.
    pub fn is_sending(&self) -> bool {
        probe::tcp_state(&self.socket).is_some_and(|state| {
            state == TcpState::SynSent || probe::queues(self.socket.as_fd()).send.is_some_and(|bytes| bytes > 0)
        })
    }

    /// Whether a TCP connection has sent bytes that are not acknowledged, and waits for no room to send them again.
    pub fn has_bytes_in_flight(&self) -> bool {
        let queues = probe::queues(self.socket.as_fd());
        probe::tcp_state(&self.socket).is_some_and(|state| state != TcpState::Listen) && queues.send > queues.unsent
    }

    /// Learns which connection it is, and asks what is left of one that the socket has no part in any more: both sides
    /// have sent FIN, and it has not been closed yet.
    ///
    /// # Errors
    /// Those of asking the kernel over netlink.
    pub fn follow(&mut self, kernel: &mut Kernel) -> io::Result<Option<Connection>> {
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
    pub fn changes(&mut self, watch: Watch, kept: Option<Connection>) -> Vec<Probe> {
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
            let first_datagram = probe::is_datagram(&self.socket);
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
