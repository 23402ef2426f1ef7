//! A host's sockets, as the kernel lists them: `sock_diag(7)`.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

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

/// A socket through which this network namespace answers questions, also when it is asked from outside.
pub fn socket() -> io::Result<OwnedFd> {
    let protocol = Protocol::from(libc::NETLINK_SOCK_DIAG);
    let socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::DGRAM.cloexec(), Some(protocol))?;
    // The kernel answers at once; a bound is a bound.
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    Ok(socket.into())
}

/// All states, as `<linux/inet_diag.h>` wants them.
pub const ALL: u32 = u32::MAX;

/// Those of sockets that wait to be called: `LISTEN` and, of UDP, `CLOSED`. The kernel finds them eight times faster: it
/// need not walk the table of connections, which all hosts share.
pub const WAITING: u32 = 1 << 10 | 1 << 7;

/// The sockets in these states of the namespace that `through` was made in.
pub fn list(mut through: &Socket, states: u32) -> io::Result<Vec<HostSocket>> {
    let mut found = Vec::new();
    let mut buffer = [0; 32 * 1024];
    for (family, protocol) in [
        (libc::AF_INET, libc::IPPROTO_TCP),
        (libc::AF_INET6, libc::IPPROTO_TCP),
        (libc::AF_INET, libc::IPPROTO_UDP),
        (libc::AF_INET6, libc::IPPROTO_UDP),
    ] {
        through.write_all(&question(family as u8, protocol as u8, states))?;
        let transport = if protocol == libc::IPPROTO_TCP { Transport::Tcp } else { Transport::Udp };
        loop {
            let len = through.read(&mut buffer)?;
            if answer(&buffer[..len], transport, &mut found)? {
                break;
            }
        }
    }
    Ok(found)
}

/// `nlmsghdr` and `inet_diag_req_v2`, no extras.
fn question(family: u8, protocol: u8, states: u32) -> Vec<u8> {
    // A TCP socket that is closed is in no table; asking for it makes the kernel walk all of them.
    let is_tcp = i32::from(protocol) == libc::IPPROTO_TCP;
    let states = if is_tcp && states == WAITING { 1 << 10 } else { states };
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const LENGTH: usize = 16 + 56;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.extend((LENGTH as u32).to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family, protocol, 0, 0]);
    bytes.extend(states.to_ne_bytes());
    bytes.resize(LENGTH, 0);
    bytes
}

/// Takes the entries of one answer. True when it was the last one.
fn answer(mut bytes: &[u8], transport: Transport, found: &mut Vec<HostSocket>) -> io::Result<bool> {
    while let Some(header) = bytes.first_chunk::<16>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let Some(body) = bytes.get(16..length) else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        match i32::from(u16::from_ne_bytes([header[4], header[5]])) {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => {
                let error = body.first_chunk().map_or(libc::EIO, |bytes| -i32::from_ne_bytes(*bytes));
                return Err(io::Error::from_raw_os_error(error));
            }
            _ => found.extend(entry(body, transport)),
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
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
        inode: word(68)?,
    })
}

/// `<net/tcp_states.h>`.
fn state_name(state: u8) -> Option<&'static str> {
    let names = [
        "ESTABLISHED",
        "SYN-SENT",
        "SYN-RECEIVED",
        "FIN-WAIT-1",
        "FIN-WAIT-2",
        "TIME-WAIT",
        "CLOSED",
        "CLOSE-WAIT",
        "LAST-ACK",
        "LISTEN",
        "CLOSING",
        "SYN-RECEIVED",
    ];
    names.get(usize::from(state).checked_sub(1)?).copied()
}
