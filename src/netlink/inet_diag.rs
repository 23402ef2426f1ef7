//! Questions about TCP and UDP sockets and what answers them, `sock_diag(7)`: the structures of `<linux/inet_diag.h>`.

use std::io;
use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{attribute, is_cut, number_at};

/// The kind of these messages, in `<linux/sock_diag.h>`.
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// Sockets in any state.
pub const ANY_STATE: u32 = u32::MAX;

/// The attribute with a `tcp_info`.
pub const INET_DIAG_INFO: u16 = 2;

/// The attribute with what the socket holds in memory, the numbers of `SK_MEMINFO_…`.
pub const INET_DIAG_SKMEMINFO: u16 = 7;

/// The bytes before the attributes of an answer.
pub const HEAD: usize = size_of::<Message>();

/// `inet_diag_sockid`: two ends. Ports and addresses are in network order; an IPv4 address takes the first four bytes.
#[repr(C)]
struct SockId {
    local_port: [u8; 2],
    remote_port: [u8; 2],
    local: [u8; 16],
    remote: [u8; 16],
    interface: u32,
    cookie: [u32; 2],
}

/// `inet_diag_req_v2`.
#[repr(C)]
struct Question {
    family: u8,
    protocol: u8,
    extensions: u8,
    padding: u8,
    states: u32,
    id: SockId,
}

/// `inet_diag_msg`.
#[repr(C)]
struct Message {
    family: u8,
    state: u8,
    timer: u8,
    retransmits: u8,
    id: SockId,
    expires: u32,
    recv_queue: u32,
    send_queue: u32,
    owner: u32,
    inode: u32,
}

/// The question for all sockets of a family and protocol in these states, bits `1 << TCP_…` of `<net/tcp_states.h>`: to
/// be asked with `NLM_F_DUMP`.
pub fn list(family: libc::c_int, protocol: libc::c_int, states: u32) -> Vec<u8> {
    list_with(family, protocol, states, 0)
}

/// The same with `attributes`, the bits of what else is asked for: `1 << (INET_DIAG_… - 1)`.
pub fn list_with(family: libc::c_int, protocol: libc::c_int, states: u32, attributes: u8) -> Vec<u8> {
    let mut question = head(family, protocol, attributes, states);
    question.resize(size_of::<Question>(), 0);
    question
}

/// The question about the TCP connection between two addresses, in any state, that the kernel answers by looking it up.
/// Where there is none, a listener on `own` answers in its place: its remote port is 0.
///
/// `attributes` are the bits of what else is asked for, `1 << (INET_DIAG_… - 1)`. `None` for IPv6.
pub fn connection(own: SocketAddr, peer: SocketAddr, attributes: u8) -> Option<Vec<u8>> {
    const INET_DIAG_NOCOOKIE: u32 = u32::MAX;
    let (IpAddr::V4(own_ip), IpAddr::V4(peer_ip)) = (own.ip(), peer.ip()) else { return None };
    let mut question = head(libc::AF_INET, libc::IPPROTO_TCP, attributes, ANY_STATE);
    question.extend(own.port().to_be_bytes());
    question.extend(peer.port().to_be_bytes());
    for ip in [own_ip, peer_ip] {
        question.extend(ip.octets());
        question.extend([0; 12]); // an IPv6 address is that much longer
    }
    question.extend(0u32.to_ne_bytes()); // on any interface
    question.extend([INET_DIAG_NOCOOKIE; 2].map(u32::to_ne_bytes).as_flattened());
    Some(question)
}

/// A question without its `SockId`.
fn head(family: libc::c_int, protocol: libc::c_int, attributes: u8, states: u32) -> Vec<u8> {
    let mut head = Vec::with_capacity(size_of::<Question>());
    head.extend([family as u8, protocol as u8, attributes, 0]);
    head.extend(states.to_ne_bytes());
    head
}

/// One socket, as the kernel describes it.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its state, `<net/tcp_states.h>`.
    pub state: u8,
    /// Which timer runs: 3 is that of TIME-WAIT.
    pub timer: u8,
    /// When that timer ends, in milliseconds.
    pub expires: u32,
    /// Its own address.
    pub local: SocketAddr,
    /// Its peer's address; port 0 if it has no peer.
    pub remote: SocketAddr,
    /// Bytes that wait to be read; of a listening socket connections that wait to be accepted.
    pub recv_queue: u32,
    /// Bytes that are not acknowledged; of a listening socket the most connections that may wait.
    pub send_queue: u32,
    /// The user whose it is, as the namespace of the question knows users.
    pub owner: u32,
    /// What `/proc/PID/fd` calls it; 0 if no process has it open any more.
    pub inode: u32,
    attributes: &'a [u8],
}

impl Row<'_> {
    /// Reads an `inet_diag_msg` and what follows it.
    ///
    /// # Errors
    /// `UnexpectedEof` where it is cut short.
    pub fn read(bytes: &[u8]) -> io::Result<Row<'_>> {
        const ID: usize = offset_of!(Message, id);
        let byte = |at: usize| bytes.get(at).copied().ok_or_else(is_cut);
        let is_ipv4 = libc::c_int::from(byte(offset_of!(Message, family))?) == libc::AF_INET;
        let address = |ip: usize, port: usize| {
            let ip = bytes.get(ID + ip..).and_then(|rest| rest.first_chunk::<16>()).ok_or_else(is_cut)?;
            let port = bytes.get(ID + port..).and_then(|rest| rest.first_chunk()).ok_or_else(is_cut)?;
            let ip = match ip.first_chunk::<4>() {
                Some(ipv4) if is_ipv4 => IpAddr::from(Ipv4Addr::from(*ipv4)),
                _ => IpAddr::from(Ipv6Addr::from(*ip)),
            };
            io::Result::Ok(SocketAddr::new(ip, u16::from_be_bytes(*port)))
        };
        Ok(Row {
            state: byte(offset_of!(Message, state))?,
            timer: byte(offset_of!(Message, timer))?,
            expires: number_at(bytes, offset_of!(Message, expires))?,
            local: address(offset_of!(SockId, local), offset_of!(SockId, local_port))?,
            remote: address(offset_of!(SockId, remote), offset_of!(SockId, remote_port))?,
            recv_queue: number_at(bytes, offset_of!(Message, recv_queue))?,
            send_queue: number_at(bytes, offset_of!(Message, send_queue))?,
            owner: number_at(bytes, offset_of!(Message, owner))?,
            inode: number_at(bytes, offset_of!(Message, inode))?,
            attributes: bytes.get(size_of::<Message>()..).unwrap_or_default(),
        })
    }

    /// The payload of one attribute.
    pub fn attribute(&self, wanted: u16) -> Option<&[u8]> {
        attribute(self.attributes, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_have_the_sizes_that_the_kernel_gives_them() {
        assert_eq!((size_of::<SockId>(), size_of::<Question>(), size_of::<Message>()), (48, 56, 72));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        assert_eq!(connection(any, any, 0).expect("a question").len(), size_of::<Question>());
    }
}
