//! Connections whose sockets are closed: the kernel has a goodbye to say yet, or remembers them for a while.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};

use crate::probe::{self, Connection, Kernel};
use crate::trace::{Value, Word};

/// The addresses of a connection, its own host's first.
pub(super) type Pair = (SocketAddr, SocketAddr);

/// The state of a connection of which nothing is left.
const NOTHING: &str = "CLOSED";

/// A connection whose socket was closed.
pub(super) struct ClosedConnection {
    /// The number that its role knew it by.
    pub fd: RawFd,
    pub pair: Pair,
    /// The state that was last told.
    pub state: Word,
}

impl ClosedConnection {
    /// What is to be told of it now, if that is news.
    pub fn change(&mut self, kernel: &mut Kernel) -> io::Result<Option<Vec<(Word, Value)>>> {
        let found = kernel.connection(self.pair.0, self.pair.1)?;
        let mut values = values_of(found.as_ref());
        values.push(("closed".into(), true.into()));
        let state = found.map_or(NOTHING.into(), |found| found.state);
        let is_news = state != self.state;
        self.state = state;
        Ok(is_news.then_some(values))
    }

    /// Whether its own side has said goodbye, and the other side, on the same host, knows it and has not said so yet.
    pub fn waits_for_an_acknowledgement(&self, kernel: &mut Kernel) -> io::Result<bool> {
        let is_in = |found: Option<Connection>, state: &str| found.is_some_and(|found| found.state == state);
        Ok(is_in(kernel.connection(self.pair.0, self.pair.1)?, "FIN-WAIT-1")
            && is_in(kernel.connection(self.pair.1, self.pair.0)?, "CLOSE-WAIT"))
    }

    pub fn is_over(&self) -> bool {
        self.state == NOTHING
    }
}

/// The addresses of a socket's connection, once it stands. The kernel must know of it by them: one that does not
/// answer such questions would seem to forget everything.
pub(super) fn pair_of(socket: &OwnedFd, kernel: &mut Kernel) -> io::Result<Option<Pair>> {
    let Some(pair) = probe::own_address(socket).zip(probe::peer_address(socket)) else { return Ok(None) };
    match kernel.connection(pair.0, pair.1)? {
        Some(_) => Ok(Some(pair)),
        None => Err(io::Error::other("the kernel tells nothing of a connection that stands: it lacks tcp_diag")),
    }
}

/// What a probe tells of a connection.
pub(super) fn values_of(found: Option<&Connection>) -> Vec<(Word, Value)> {
    let state = found.map_or(NOTHING.into(), |found| found.state.clone());
    let left = found.and_then(|found| found.forgotten_in).map(|millis| ("left".into(), Value::Word(roughly(millis))));
    [("state".into(), Value::Word(state))].into_iter().chain(left).collect()
}

/// A time that the kernel counts down, to the nearest ten seconds.
fn roughly(millis: u32) -> Word {
    match (millis + 5_000) / 10_000 {
        6 => "about a minute".into(),
        tens => format!("about {tens}0 s").into(),
    }
}
