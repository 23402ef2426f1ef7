//! What the kernel answered to a question of the stage's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CommandState, Event, TcpState, What};

/// What is new of one socket, and what it holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// The state of its TCP connection.
    State {
        /// The state.
        state: TcpState,
        /// Of a connection that is only remembered: for how long yet, to the nearest ten seconds.
        left: Option<Duration>,
        /// Whether it came into this state before the socket was first looked at, as one that `accept` gives.
        already: bool,
        /// Whether its socket is closed, and the state is that of what is left of its connection.
        closed: bool,
    },
    /// Received and not read yet, in bytes.
    ReceiveQueue {
        /// How many bytes.
        recv: u32,
        /// Of a queue of datagrams, for which the kernel gives the size of the first one only.
        first_datagram: bool,
    },
    /// What a program has handed over and the peer's kernel has not acknowledged.
    SendQueue {
        /// All of it, in bytes: `SIOCOUTQ` of `tcp(7)`.
        send: u32,
        /// The part of it that has not been sent, in bytes: `SIOCOUTQNSD`.
        unsent: u32,
    },
    /// The accept queue of a listener.
    AcceptQueue {
        /// How many connections wait for `accept(2)`: `tcpi_unacked` of a listener's `TCP_INFO`, `tcp_get_info` in
        /// `net/ipv4/tcp.c`.
        waiting: u32,
    },
    /// A pipe from a command that the role has started. The descriptor is the role's.
    Pipe {
        /// How many bytes are in it, unread: `FIONREAD`.
        held: u32,
        /// How many fit in: `F_GETPIPE_SZ` of `fcntl(2)`.
        room: u32,
    },
    /// A command that the role has started, asleep. The descriptor is the command's: the one that it waits on.
    Command {
        /// What it does.
        does: CommandState,
    },
}

impl Event {
    /// What the kernel answered, if that is what happened.
    pub fn probe(&self) -> Option<&Probe> {
        match &self.what {
            What::Probe { probe, .. } => Some(probe),
            _ => None,
        }
    }

    /// The state of a connection that a probe told.
    pub fn state(&self) -> Option<TcpState> {
        match self.probe()? {
            Probe::State { state, .. } => Some(*state),
            _ => None,
        }
    }

    /// For how long a connection is remembered yet, where a probe told it.
    pub fn remembered_for(&self) -> Option<Duration> {
        match self.probe()? {
            Probe::State { left, .. } => *left,
            _ => None,
        }
    }

    /// Whether a probe told the state of a connection whose socket is closed.
    pub fn is_after_close(&self) -> bool {
        matches!(self.probe(), Some(Probe::State { closed: true, .. }))
    }

    /// How many bytes a probe found in a receive queue; in one of datagrams, in the first of them.
    pub fn unread(&self) -> Option<i64> {
        match self.probe()? {
            Probe::ReceiveQueue { recv, .. } => Some((*recv).into()),
            _ => None,
        }
    }

    /// How many bytes a probe found sent and not acknowledged.
    pub fn unacknowledged(&self) -> Option<i64> {
        match self.probe()? {
            Probe::SendQueue { send, .. } => Some((*send).into()),
            _ => None,
        }
    }

    /// How many connections a probe found waiting for `accept`.
    pub fn unaccepted(&self) -> Option<i64> {
        match self.probe()? {
            Probe::AcceptQueue { waiting } => Some((*waiting).into()),
            _ => None,
        }
    }

    /// How many bytes a probe found in a pipe from a command.
    pub fn in_pipe(&self) -> Option<i64> {
        match self.probe()? {
            Probe::Pipe { held, .. } => Some((*held).into()),
            _ => None,
        }
    }

    /// What a probe found a command doing, and on which of its descriptors.
    pub fn command(&self) -> Option<(CommandState, i32)> {
        match self.what {
            What::Probe { probe: Probe::Command { does }, fd } => Some((does, fd)),
            _ => None,
        }
    }
}
