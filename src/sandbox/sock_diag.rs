//! A host's sockets, as the kernel lists them: `sock_diag(7)`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use crate::netlink;
use crate::probe::{QUESTION, SOCK_DIAG_BY_FAMILY, question_about, state_name};

/// One socket of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSocket {
    pub transport: Transport,
    /// `<net/tcp_states.h>` in words; of a UDP socket `ESTABLISHED` says that it is connected, and `CLOSED` that not.
    pub state: &'static str,
    pub local: SocketAddr,
    /// Its port is 0 if there is nobody.
    pub remote: SocketAddr,
    /// Bytes that wait to be read; of a listening socket connections that wait to be accepted.
    pub recv_queue: u32,
    /// Bytes that are not acknowledged; of a listening socket the most connections that may wait.
    pub send_queue: u32,
    /// What `/proc/PID/fd` calls it; 0 if no process has it open any more.
    /// The user whose it is, as the private host knows users.
    pub owner: u32,
    pub inode: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
}

impl HostSocket {
    /// Whether it takes connections, or datagrams from anybody.
    pub fn is_ready(&self) -> bool {
        match self.transport {
            Transport::Tcp => self.state == "LISTEN",
            Transport::Udp => self.state == "CLOSED",
        }
    }
}

/// All states, as `<linux/inet_diag.h>` wants them.
pub const ALL: u32 = u32::MAX;

/// Those of sockets that wait to be called: `LISTEN` and, of UDP, `CLOSED`. The kernel finds them eight times faster:
/// it need not walk the table of connections, which all hosts share.
pub const WAITING: u32 = LISTEN | 1 << 7;

const LISTEN: u32 = 1 << 10;

/// The sockets in these states of the network namespace in which `kernel` was opened.
pub fn list(kernel: &OwnedFd, states: u32) -> io::Result<Vec<HostSocket>> {
    let mut found = Vec::new();
    for (family, protocol) in [
        (libc::AF_INET, libc::IPPROTO_TCP),
        (libc::AF_INET6, libc::IPPROTO_TCP),
        (libc::AF_INET, libc::IPPROTO_UDP),
        (libc::AF_INET6, libc::IPPROTO_UDP),
    ] {
        let transport = if protocol == libc::IPPROTO_TCP { Transport::Tcp } else { Transport::Udp };
        // With any other bit than LISTEN the kernel walks the table of connections.
        let states = if transport == Transport::Tcp && states == WAITING { LISTEN } else { states };
        let mut question = vec![family as u8, protocol as u8, 0, 0];
        question.extend(states.to_ne_bytes());
        question.resize(QUESTION, 0);
        let take = |row: &[u8]| found.extend(entry(row, transport));
        netlink::ask(kernel, SOCK_DIAG_BY_FAMILY, libc::NLM_F_DUMP, &question, take)?;
    }
    Ok(found)
}

/// What one side of a TCP connection has of what was sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Bytes that have come, read or not: `tcpi_bytes_received` of `<linux/tcp.h>`.
    pub came: u64,
    /// Those of them that wait to be read.
    pub unread: u32,
}

/// The side of `local` of one TCP connection. It is looked up: no table is walked. `None` where there is no such
/// connection, or only the memory of one.
pub fn taken(kernel: &OwnedFd, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Taken>> {
    const INET_DIAG_INFO: u16 = 2;
    let Some(question) = question_about(local, remote, 1 << (INET_DIAG_INFO - 1)) else { return Ok(None) };
    let mut found = None;
    let take = |row: &[u8]| {
        // Where there is no such connection, a listener on that port answers in its place.
        let socket = entry(row, Transport::Tcp).filter(|socket| socket.remote.port() == remote.port());
        let came = attribute(row, INET_DIAG_INFO).and_then(|info| info.get(BYTES_RECEIVED..)?.first_chunk().copied());
        found =
            socket.zip(came).map(|(socket, came)| Taken { came: u64::from_ne_bytes(came), unread: socket.recv_queue });
    };
    match netlink::ask(kernel, SOCK_DIAG_BY_FAMILY, 0, &question, take) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        asked => asked.map(|()| found),
    }
}

/// Where `tcpi_bytes_received` is in `tcp_info`.
const BYTES_RECEIVED: usize = 128;

/// The payload of one attribute behind an `inet_diag_msg`.
fn attribute(row: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = row.get(72..)?;
    while let Some(head) = rest.first_chunk::<4>() {
        let (len, kind) = (u16::from_ne_bytes([head[0], head[1]]), u16::from_ne_bytes([head[2], head[3]]));
        if kind == wanted {
            return rest.get(4..len.into());
        }
        rest = rest.get(usize::from(len).max(4).next_multiple_of(4)..)?;
    }
    None
}

/// `inet_diag_msg` of `<linux/inet_diag.h>`.
fn entry(body: &[u8], transport: Transport) -> Option<HostSocket> {
    let word = |at: usize| body.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
    let port = |at: usize| body.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
    let is_ipv4 = i32::from(*body.first()?) == libc::AF_INET;
    let address = |at: usize| -> Option<IpAddr> {
        let bytes = body.get(at..)?.first_chunk::<16>()?;
        Some(if is_ipv4 {
            Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into()
        } else {
            Ipv6Addr::from(*bytes).into()
        })
    };
    Some(HostSocket {
        transport,
        state: state_name(*body.get(1)?)?,
        local: SocketAddr::new(address(8)?, port(4)?),
        remote: SocketAddr::new(address(24)?, port(6)?),
        recv_queue: word(56)?,
        send_queue: word(60)?,
        owner: word(64)?,
        inode: word(68)?,
    })
}
