//! The three requests that only rtnetlink takes, `rtnetlink(7)`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{Domain, Socket, Type};

use crate::netlink;

/// `VETH_INFO_PEER` of `<linux/veth.h>`.
const VETH_INFO_PEER: u16 = 1;

/// Makes a pair of virtual interfaces: `ours` in this network namespace, `theirs` in `host`.
pub fn make_veth(ours: &str, theirs: &str, host: BorrowedFd<'_>) -> io::Result<()> {
    let mut peer = vec![0; 16]; // an empty ifinfomsg
    attribute(&mut peer, libc::IFLA_IFNAME, &terminated(theirs));
    attribute(&mut peer, libc::IFLA_NET_NS_FD, &host.as_raw_fd().to_ne_bytes());
    let mut data = Vec::new();
    attribute(&mut data, VETH_INFO_PEER, &peer);
    let mut info = Vec::new();
    attribute(&mut info, libc::IFLA_INFO_KIND, b"veth");
    attribute(&mut info, libc::IFLA_INFO_DATA, &data);
    let mut body = vec![0; 16];
    attribute(&mut body, libc::IFLA_IFNAME, &terminated(ours));
    attribute(&mut body, libc::IFLA_LINKINFO, &info);
    ask(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &body)
}

/// Gives an interface of this network namespace the simplest queue that there is, `tc-bfifo(8)`.
pub fn queue_first_in_first_out(interface: &str) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    let number = rustix::net::netdevice::name_to_index(&socket, interface)?;
    // tcmsg of <linux/rtnetlink.h>: family, interface, handle, parent, info.
    let mut body = vec![0; 4];
    body.extend(number.to_ne_bytes());
    body.extend(0u32.to_ne_bytes());
    body.extend(0xFFFF_FFFFu32.to_ne_bytes()); // TC_H_ROOT
    body.extend(0u32.to_ne_bytes());
    attribute(&mut body, libc::TCA_KIND, b"pfifo\0");
    ask(libc::RTM_NEWQDISC, libc::NLM_F_CREATE | libc::NLM_F_REPLACE, &body)
}

/// Makes the kernel hand segments to an interface one by one. It passes several down in one piece otherwise, and cuts
/// that just before the interface; how many depends on the round trips that it has measured (`tcp_tso_autosize`).
pub fn segments_one_by_one(interface: &str) -> io::Result<()> {
    const IFLA_GSO_MAX_SEGS: u16 = 40;
    let mut body = vec![0; 16]; // an empty ifinfomsg
    attribute(&mut body, libc::IFLA_IFNAME, &terminated(interface));
    attribute(&mut body, IFLA_GSO_MAX_SEGS, &1u32.to_ne_bytes());
    ask(libc::RTM_NEWLINK, 0, &body)
}

/// Sends one request, and learns whether the kernel did it.
fn ask(kind: u16, flags: libc::c_int, body: &[u8]) -> io::Result<()> {
    netlink::ask(&netlink::open(libc::NETLINK_ROUTE)?, kind, libc::NLM_F_ACK | flags, body, |_| {})
}

/// Adds an attribute: length, kind, payload, and zeros up to the next multiple of four.
fn attribute(to: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    to.extend((4 + payload.len() as u16).to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(payload);
    to.resize(to.len().next_multiple_of(4), 0);
}

fn terminated(name: &str) -> Vec<u8> {
    [name.as_bytes(), b"\0"].concat()
}
