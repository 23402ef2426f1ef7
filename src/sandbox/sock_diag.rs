//! A host's sockets, as the kernel lists them: `sock_diag(7)`.

use std::io;
use std::mem::offset_of;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

use socket2::{SockRef, Type};

use crate::netlink::{self, inet_diag};
use crate::trace::TcpState;

/// One socket of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSocket {
    /// Its protocol.
    pub transport: Transport,
    /// Its state: of a UDP socket [`TcpState::Established`] says that it is connected, [`TcpState::Closed`] that it is
    /// not.
    pub state: TcpState,
    /// Its own address.
    pub local: SocketAddr,
    /// Its peer's address; port 0 if it has no peer.
    pub remote: SocketAddr,
    /// Bytes that wait to be read; of a listening socket connections that wait to be accepted.
    pub recv_queue: u32,
    /// Bytes that are not acknowledged; of a listening socket the most connections that may wait.
    pub send_queue: u32,
    /// The user whose it is, as the private host knows users.
    pub owner: u32,
    /// What `/proc/PID/fd` calls it; 0 if no process has it open any more.
    pub inode: u32,
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `tcp(7)`.
    Tcp,
    /// `udp(7)`.
    Udp,
}

impl Transport {
    /// `IPPROTO_…` of `<netinet/in.h>`.
    fn protocol(self) -> i32 {
        match self {
            Transport::Tcp => libc::IPPROTO_TCP,
            Transport::Udp => libc::IPPROTO_UDP,
        }
    }
}

impl HostSocket {
    /// Whether it takes connections, or datagrams from any peer.
    pub fn is_ready(&self) -> bool {
        match self.transport {
            Transport::Tcp => self.state == TcpState::Listen,
            Transport::Udp => self.state == TcpState::Closed,
        }
    }
}

/// All states.
pub const ALL: u32 = inet_diag::ANY_STATE;

/// Those of sockets that wait to be called: `LISTEN` and, of UDP, `CLOSED`. The kernel finds them eight times faster:
/// it need not walk the table of connections, which all hosts share.
pub const WAITING: u32 = LISTEN | CLOSED;

/// `TCP_LISTEN` and `TCP_CLOSE` of `<net/tcp_states.h>`.
const LISTEN: u32 = 1 << 10;
const CLOSED: u32 = 1 << 7;

/// The sockets in these states of the network namespace in which `kernel` was opened.
///
/// # Errors
/// Those of [`netlink::ask`].
pub fn list(kernel: &OwnedFd, states: u32) -> io::Result<Vec<HostSocket>> {
    let mut found = Vec::new();
    for (family, transport) in [
        (libc::AF_INET, Transport::Tcp),
        (libc::AF_INET6, Transport::Tcp),
        (libc::AF_INET, Transport::Udp),
        (libc::AF_INET6, Transport::Udp),
    ] {
        // With any other bit than LISTEN the kernel walks the table of connections.
        let states = if transport == Transport::Tcp && states == WAITING { LISTEN } else { states };
        let take = |row: &inet_diag::Row<'_>| found.extend(socket(row, transport));
        each(kernel, &inet_diag::list(family, transport.protocol(), states), take)?;
    }
    Ok(found)
}

/// Asks for a list, and takes each of its rows that can be read.
fn each(kernel: &OwnedFd, question: &[u8], mut take: impl FnMut(&inet_diag::Row<'_>)) -> io::Result<()> {
    let take = |row: &[u8]| inet_diag::Row::read(row).iter().for_each(&mut take);
    netlink::ask(kernel, inet_diag::SOCK_DIAG_BY_FAMILY, libc::NLM_F_DUMP, question, take)
}

/// One of our sockets of IPv4, by which it is found when our descriptor is closed.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    transport: Transport,
    local: SocketAddr,
    /// Of a connection.
    remote: Option<SocketAddr>,
    inode: u32,
}

impl Closed {
    /// The socket that will have been closed. `None` of one that has no address: nothing can come to it.
    ///
    /// # Errors
    /// Those of `fstat(2)` and `getsockname(2)`.
    pub fn later(socket: BorrowedFd<'_>) -> io::Result<Option<Closed>> {
        let inode = u32::try_from(rustix::fs::fstat(socket)?.st_ino).map_err(io::Error::other)?;
        let socket = SockRef::from(&socket);
        let Some(local) = socket.local_addr()?.as_socket().filter(|local| local.port() != 0) else { return Ok(None) };
        let transport = if socket.r#type()? == Type::STREAM { Transport::Tcp } else { Transport::Udp };
        let remote = socket.peer_addr().ok().and_then(|remote| remote.as_socket());
        Ok(Some(Closed { transport, local, remote, inode }))
    }
}

/// Whether a process has a descriptor of that socket still: one of our children has a copy of each of ours from its
/// `fork(2)` on, until the program that it becomes has begun.
///
/// # Errors
/// Those of [`netlink::ask`].
pub fn is_held(kernel: &OwnedFd, socket: &Closed) -> io::Result<bool> {
    let states = match (socket.transport, socket.remote) {
        (Transport::Tcp, Some(remote)) => {
            return Ok(taken(kernel, socket.local, remote)?.is_some_and(|taken| taken.inode == socket.inode));
        }
        (Transport::Tcp, None) => LISTEN,
        (Transport::Udp, _) => ALL,
    };
    let mut is_held = false;
    let question = inet_diag::list(libc::AF_INET, socket.transport.protocol(), states);
    each(kernel, &question, |row| is_held |= row.inode == socket.inode)?;
    Ok(is_held)
}

/// What one side of a TCP connection has of what was sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Bytes that have come, read or not: `tcpi_bytes_received` of `<linux/tcp.h>`.
    pub came: u64,
    /// Those of them that wait to be read.
    pub unread: u32,
    /// What `/proc/PID/fd` calls the socket; 0 if no process has it open: it was not accepted yet, or is closed.
    pub inode: u32,
    /// Whether the other side has said that it will send nothing more.
    pub has_fin: bool,
}

/// The side of `local` of one TCP connection. It is looked up: no table is walked. `None` where there is no such
/// connection, or only the memory of one.
///
/// # Errors
/// Those of [`netlink::ask`].
pub fn taken(kernel: &OwnedFd, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Taken>> {
    const BYTES_RECEIVED: usize = offset_of!(libc::tcp_info, tcpi_bytes_received);
    let info = 1 << (inet_diag::INET_DIAG_INFO - 1);
    let Some(question) = inet_diag::connection(local, remote, info) else { return Ok(None) };
    let mut found = None;
    let take = |row: &[u8]| {
        // Where there is no such connection, a listener on that port answers in its place.
        let row = inet_diag::Row::read(row).ok().filter(|row| row.remote.port() == remote.port());
        found = row.and_then(|row| {
            let came = row.attribute(inet_diag::INET_DIAG_INFO)?.get(BYTES_RECEIVED..)?.first_chunk()?;
            Some(Taken {
                came: u64::from_ne_bytes(*came),
                unread: row.recv_queue,
                inode: row.inode,
                has_fin: has_fin(row.state),
            })
        });
    };
    match netlink::ask(kernel, inet_diag::SOCK_DIAG_BY_FAMILY, 0, &question, take) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        asked => asked.map(|()| found),
    }
}

/// Whether FIN has come from the other side of a connection in this state.
fn has_fin(state: u8) -> bool {
    use TcpState::{CloseWait, Closed, Closing, LastAck, TimeWait};
    TcpState::of_kernel(state).is_none_or(|state| matches!(state, CloseWait | LastAck | Closing | TimeWait | Closed))
}

/// `None` in a state that has no name.
fn socket(row: &inet_diag::Row<'_>, transport: Transport) -> Option<HostSocket> {
    Some(HostSocket {
        transport,
        state: TcpState::of_kernel(row.state)?,
        local: row.local,
        remote: row.remote,
        recv_queue: row.recv_queue,
        send_queue: row.send_queue,
        owner: row.owner,
        inode: row.inode,
    })
}
