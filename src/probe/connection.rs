//! What a host's kernel knows of one TCP connection, whether or not any process has it open: `sock_diag(7)`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use super::state_name;
use crate::netlink;
use crate::trace::Word;

/// `SOCK_DIAG_BY_FAMILY` of `<linux/sock_diag.h>`.
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// Sizes of `inet_diag_req_v2` and `inet_diag_msg`.
pub const QUESTION: usize = 56;
const ANSWER: usize = 72;

/// Asks the kernel of the network namespace in which it was opened.
pub struct Kernel(OwnedFd);

/// A connection, as its kernel has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its state, in the words of RFC 9293.
    pub state: Word,
    /// Of one that is only remembered: for how long yet, in milliseconds.
    pub forgotten_in: Option<u32>,
}

impl Connection {
    /// One in this state that is not forgotten by itself.
    pub fn in_state(state: Word) -> Connection {
        Connection { state, forgotten_in: None }
    }
}

impl Kernel {
    /// Opens the kernel of this network namespace to questions.
    pub fn open() -> io::Result<Kernel> {
        netlink::open(libc::NETLINK_SOCK_DIAG).map(Kernel)
    }

    /// The connection between these two addresses, of which the first is this host's; `None` where there is none.
    ///
    /// It is looked up, and not searched for: what else the machine has costs nothing.
    pub fn connection(&mut self, own: SocketAddr, peer: SocketAddr) -> io::Result<Option<Connection>> {
        let Some(question) = question_about(own, peer, 0) else { return Ok(None) };
        let mut answer = Ok(None);
        match netlink::ask(&self.0, SOCK_DIAG_BY_FAMILY, 0, &question, |body| answer = read(body, peer)) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            asked => asked.and(answer),
        }
    }
}

/// The question about one connection, in any state, that the kernel answers by looking it up; only for IPv4. `more` are
/// the bits of what else is asked for, `1 << (INET_DIAG_… - 1)`.
pub fn question_about(own: SocketAddr, peer: SocketAddr, more: u8) -> Option<Vec<u8>> {
    let (IpAddr::V4(own_ip), IpAddr::V4(peer_ip)) = (own.ip(), peer.ip()) else { return None };
    let mut question = Vec::with_capacity(QUESTION);
    question.extend([libc::AF_INET as u8, libc::IPPROTO_TCP as u8, more, 0]);
    question.extend(u32::MAX.to_ne_bytes()); // in any state
    question.extend(own.port().to_be_bytes());
    question.extend(peer.port().to_be_bytes());
    for ip in [own_ip, peer_ip] {
        question.extend(ip.octets());
        question.extend([0; 12]); // the room that an IPv6 address would take
    }
    question.extend(0u32.to_ne_bytes()); // on any interface
    question.extend([0xFF; 8]); // INET_DIAG_NOCOOKIE
    Some(question)
}

fn read(answer: &[u8], peer: SocketAddr) -> io::Result<Option<Connection>> {
    let answer = answer.get(..ANSWER).ok_or_else(netlink::is_cut)?;
    // Where there is no such connection, a listener on that port answers in its place: it has no peer.
    if answer[6..8] != peer.port().to_be_bytes() {
        return Ok(None);
    }
    let (state, timer) = (answer[1], answer[2]);
    const TIME_WAIT_TIMER: u8 = 3;
    let expires = netlink::number(answer, 52)?;
    Ok(Some(Connection {
        state: state_name(state).ok_or_else(netlink::is_cut)?.into(),
        forgotten_in: (timer == TIME_WAIT_TIMER).then_some(expires),
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
        let established = Connection { state: "ESTABLISHED".into(), forgotten_in: None };
        assert_eq!(kernel.connection(own, here).expect("an answer"), Some(established));
        assert!(kernel.connection(here, own).expect("an answer").is_some());
        // The listener is there, the connection is not.
        let stranger = SocketAddr::new(own.ip(), 1);
        assert_eq!(kernel.connection(here, stranger).expect("an answer"), None);
        assert_eq!(kernel.connection(stranger, own).expect("an answer"), None);
    }
}
