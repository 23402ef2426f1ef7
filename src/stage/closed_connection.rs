//! Connections whose sockets are closed: the kernel has yet to send or receive a FIN, or remembers them in TIME-WAIT.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::time::{Duration, Instant};

use crate::probe::{self, Connection, Kernel};
use crate::sys;
use crate::trace::{Probe, TcpState};

/// The addresses of a connection, its own host's first.
pub(super) type Pair = (SocketAddr, SocketAddr);

/// How often one that is settling is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// Reported once the kernel no longer knows the connection.
const NOTHING: TcpState = TcpState::Closed;

/// A connection whose socket was closed.
pub(super) struct ClosedConnection {
    /// The descriptor number that its role knew it by.
    pub fd: RawFd,
    pub pair: Pair,
    /// The state that was last reported.
    pub state: Option<TcpState>,
}

impl ClosedConnection {
    /// What is to be reported of it now, if that is news.
    ///
    /// # Errors
    /// Those of asking the kernel over netlink.
    pub fn change(&mut self, kernel: &mut Kernel) -> io::Result<Option<Probe>> {
        let found = self.settled(kernel)?;
        let left = found.as_ref().and_then(left_of);
        let state = found.map_or(NOTHING, |found| found.state);
        let is_news = Some(state) != self.state;
        self.state = Some(state);
        Ok(is_news.then_some(Probe::State { state, left, already: false, closed: true }))
    }

    /// Whether its state is about to change, and only the kernel has something to do: its FIN has come to the other
    /// side, on the same host, and is not acknowledged yet; or it is, and the kernel has yet to limit the time in
    /// FIN-WAIT-2, the last step of `tcp_close()` in `net/ipv4/tcp.c`, which its process may still be in.
    fn is_settling(&self, own: &Connection, kernel: &mut Kernel) -> io::Result<bool> {
        Ok(match own.state {
            TcpState::FinWait1 => {
                let peer = kernel.connection(self.pair.1, self.pair.0)?;
                peer.is_some_and(|peer| peer.state == TcpState::CloseWait)
            }
            TcpState::FinWait2 => !own.has_timer,
            _ => false,
        })
    }

    /// What the kernel knows of it, once it is not settling any more; or after 1 s.
    ///
    /// # Errors
    /// Those of asking the kernel over netlink.
    pub fn settled(&self, kernel: &mut Kernel) -> io::Result<Option<Connection>> {
        const LONGEST: Duration = Duration::from_secs(1);
        let until = Instant::now() + LONGEST;
        loop {
            let found = kernel.connection(self.pair.0, self.pair.1)?;
            match &found {
                Some(own) if self.is_settling(own, kernel)? && Instant::now() < until => {}
                _ => return Ok(found),
            }
            sys::wait_for(&mut [], Some(LOOK))?;
        }
    }

    pub fn is_over(&self) -> bool {
        self.state == Some(NOTHING)
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

/// For how long a connection is remembered yet, to the nearest ten seconds.
pub(super) fn left_of(found: &Connection) -> Option<Duration> {
    let tens = (found.forgotten_in? + 5_000) / 10_000;
    Some(Duration::from_secs(u64::from(tens) * 10))
}
