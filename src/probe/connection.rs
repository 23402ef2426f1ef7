//! What a host's kernel knows of one TCP connection, whether or not any process has it open: `sock_diag(7)`.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use crate::netlink::{self, inet_diag};
use crate::trace::TcpState;

/// Asks the kernel of the network namespace in which it was opened.
pub struct Kernel(OwnedFd);

/// A connection, as its kernel has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its state.
    pub state: TcpState,
    /// Of one that is only remembered: for how long yet, in milliseconds.
    pub forgotten_in: Option<u32>,
    /// Whether any timer of the kernel's runs for it.
    pub has_timer: bool,
}

impl Connection {
    /// One in this state that is not forgotten by itself.
    pub fn in_state(state: TcpState) -> Connection {
        Connection { state, forgotten_in: None, has_timer: false }
    }
}

impl Kernel {
    /// Opens the kernel of this network namespace to questions.
    ///
    /// # Errors
    /// That of `socket(2)`: `EPROTONOSUPPORT` on a kernel without `sock_diag(7)`.
    pub fn open() -> io::Result<Kernel> {
        netlink::open(libc::NETLINK_SOCK_DIAG).map(Kernel)
    }

    /// The connection between these two addresses, of which the first is this host's; `None` where there is none.
    ///
    /// It is looked up, and not searched for: what else the machine has costs nothing.
    ///
    /// # Errors
    /// The kernel's answer to the question, `sock_diag(7)`, or `InvalidData` for an answer that is cut. Not `ENOENT`:
    /// that is `None`.
    pub fn connection(&mut self, own: SocketAddr, peer: SocketAddr) -> io::Result<Option<Connection>> {
        let Some(question) = inet_diag::connection(own, peer, 0) else { return Ok(None) };
        let mut answer = Ok(None);
        match netlink::ask(&self.0, inet_diag::SOCK_DIAG_BY_FAMILY, 0, &question, |body| answer = read(body, peer)) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            asked => asked.and(answer),
        }
    }
}

fn read(answer: &[u8], peer: SocketAddr) -> io::Result<Option<Connection>> {
    const TIME_WAIT_TIMER: u8 = 3;
    let inet_diag::Row { state, timer, expires, remote, .. } = inet_diag::Row::read(answer)?;
    // Where there is no such connection, a listener on that port answers in its place: it has no peer.
    if remote.port() != peer.port() {
        return Ok(None);
    }
    Ok(Some(Connection {
        state: TcpState::of_kernel(state).ok_or_else(netlink::is_cut)?,
        forgotten_in: (timer == TIME_WAIT_TIMER).then_some(expires),
        has_timer: timer != 0,
    }))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_found_from_both_ends_and_one_that_never_was_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let here = listener.local_addr().expect("an address");
        let client = TcpStream::connect(here).expect("a connection");
        let own = client.local_addr().expect("an address");
        let mut kernel = Kernel::open().expect("a netlink socket");
        let established = Connection::in_state(TcpState::Established);
        assert_eq!(kernel.connection(own, here).expect("an answer"), Some(established));
        assert!(kernel.connection(here, own).expect("an answer").is_some());
        // The listener is there, the connection is not.
        let stranger = SocketAddr::new(own.ip(), 1);
        assert_eq!(kernel.connection(here, stranger).expect("an answer"), None);
        assert_eq!(kernel.connection(stranger, own).expect("an answer"), None);
    }
}
