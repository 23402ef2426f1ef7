//! The link: an Ethernet interface in each of two hosts, and the two descriptors at which we hold what goes between.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::rtnetlink;
use crate::sys::{self, Setting};

/// How a link is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// TAP interfaces, by `/dev/net/tun`.
    Tap,
    /// Pairs of virtual interfaces, `veth(4)`, and packet sockets at their ends.
    Veth,
}

/// The addresses of the two hosts.
pub const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];

const HARDWARE: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 0x0a], [2, 0, 0, 0, 0, 0x0b]];

/// The name of the interface, in either host.
const INTERFACE: &str = "eth0";

/// Of veth pairs, the names of the ends that stay with us.
const OURS: [&str; 2] = ["wire-a", "wire-b"];

/// The largest frame that an interface takes with the largest MTU that it can have, in bytes.
pub const LARGEST_FRAME: usize = 65_535 + 14;

/// A link between two hosts. Both hosts end with it, and with the last process in them.
pub struct Link {
    pub kind: LinkKind,
    ends: [File; 2],
    hosts: [OwnedFd; 2],
    /// The hosts' tables of TCP connections, opened where they are.
    tables: [File; 2],
}

impl Link {
    /// Makes two hosts, each given its settings by `settle_in`, and a link between them. With `needs_arp` neither knows
    /// the other one's hardware address.
    ///
    /// This process must be in a network namespace of its own, and be allowed to make more; it is back in it after.
    pub fn lay(kind: LinkKind, mtu: u16, needs_arp: bool, settle_in: &dyn Fn() -> io::Result<()>) -> io::Result<Link> {
        let here = namespace()?;
        let laid = Link::lay_from(&here, kind, mtu, needs_arp, settle_in);
        enter(here.as_fd())?;
        laid
    }

    fn lay_from(
        here: &OwnedFd,
        kind: LinkKind,
        mtu: u16,
        needs_arp: bool,
        settle_in: &dyn Fn() -> io::Result<()>,
    ) -> io::Result<Link> {
        let make = |index: usize| -> io::Result<(OwnedFd, File, File)> {
            sys::unshare(libc::CLONE_NEWNET)?;
            settle_in()?;
            let host = namespace()?;
            let end = match kind {
                LinkKind::Tap => tap()?,
                LinkKind::Veth => {
                    enter(here.as_fd())?;
                    let end = veth(index, host.as_fd())?;
                    enter(host.as_fd())?;
                    end
                }
            };
            configure(kind, index, mtu)?;
            if !needs_arp {
                sys::set_neighbour(INTERFACE, ADDRESSES[1 - index], HARDWARE[1 - index])?;
            }
            Ok((host, end, File::open("/proc/thread-self/net/tcp")?))
        };
        let (host_a, end_a, table_a) = make(0)?;
        let (host_b, end_b, table_b) = make(1)?;
        if kind == LinkKind::Veth {
            enter(here.as_fd())?;
            OURS.into_iter().try_for_each(wait_for_carrier)?;
        }
        Ok(Link { kind, ends: [end_a, end_b], hosts: [host_a, host_b], tables: [table_a, table_b] })
    }

    /// A host's network namespace.
    pub fn host(&self, index: usize) -> BorrowedFd<'_> {
        self.hosts[index].as_fd()
    }

    /// Does something in a host's network namespace, and comes back.
    pub fn within<T>(&self, index: usize, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let here = namespace()?;
        enter(self.host(index))?;
        let done = act();
        enter(here.as_fd())?;
        done
    }

    /// Where a host's frames come out: readable when there is one.
    pub fn end(&self, index: usize) -> BorrowedFd<'_> {
        self.ends[index].as_fd()
    }

    /// The next frame that a host has sent, if there is one. Never waits.
    pub fn take(&mut self, index: usize, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.ends[index].read(buffer) {
            Ok(len) => Ok(Some(len)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Hands a frame to a host. It has taken it in when this returns, or thrown it away.
    pub fn give(&mut self, index: usize, frame: &[u8]) -> io::Result<()> {
        match self.ends[index].write(frame) {
            // No room, or an interface that takes none: lost, as on any wire.
            Err(error) if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS | libc::EIO)) => Err(error),
            _ => Ok(()),
        }
    }

    /// A host's table of TCP connections, as `/proc/net/tcp` shows it.
    pub fn connections(&mut self, index: usize) -> io::Result<String> {
        use std::io::Seek;
        let mut text = String::new();
        self.tables[index].rewind()?;
        self.tables[index].read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Goes into a network namespace, `setns(2)`.
///
/// # Errors
/// That of `setns(2)`: `EPERM` without `CAP_SYS_ADMIN` in the namespace's user namespace.
pub fn enter(host: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_link_name_space(host, Some(LinkNameSpaceType::Network))?)
}

fn namespace() -> io::Result<OwnedFd> {
    Ok(open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

fn tap() -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let tun = open("/dev/net/tun", flags, Mode::empty())?;
    // It goes with the namespace: to take it away at once would make us wait for the kernel.
    sys::make_tap(tun.as_fd(), INTERFACE, true)?;
    Ok(File::from(tun))
}

/// A pair of interfaces: one goes to the host, the other one stays here, with a packet socket that reads and writes it.
///
/// The kernel takes a VLAN tag off a frame before a packet socket reads it. No role has the right to send one.
fn veth(index: usize, host: BorrowedFd<'_>) -> io::Result<File> {
    let ours = OURS[index];
    rtnetlink::make_veth(ours, INTERFACE, host)?;
    sys::set_interface(ours, Setting::Up)?;
    let socket = socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW.nonblocking(), None)?;
    let number = rustix::net::netdevice::name_to_index(&socket, ours)?;
    // What we write there ourselves is not for us to read.
    const PACKET_IGNORE_OUTGOING: i32 = 23;
    sys::set_option(socket.as_fd(), libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    socket.set_recv_buffer_size(4 << 20)?;
    sys::bind_packet(socket.as_fd(), number)?;
    Ok(File::from(OwnedFd::from(socket)))
}

/// Gives the interface of this host its addresses.
fn configure(kind: LinkKind, index: usize, mtu: u16) -> io::Result<()> {
    if kind == LinkKind::Veth {
        // ETHTOOL_STXCSUM, _SSG, _STSO, _SGSO, _SGRO of <linux/ethtool.h>. Frames come out as they would on a cable:
        // checksums filled in, and no larger than the MTU.
        for offload in [0x17, 0x19, 0x1f, 0x24, 0x2c] {
            let _ = sys::set_interface(INTERFACE, Setting::Ethtool(offload));
        }
    }
    sys::set_interface(INTERFACE, Setting::Hardware(HARDWARE[index]))?;
    sys::set_interface(INTERFACE, Setting::Mtu(i32::from(mtu)))?;
    sys::set_interface(INTERFACE, Setting::Address(ADDRESSES[index]))?;
    sys::set_interface(INTERFACE, Setting::Netmask(Ipv4Addr::new(255, 255, 255, 0)))?;
    // Frames go out as they come, in one queue: other disciplines have timers of their own.
    rtnetlink::queue_first_in_first_out(INTERFACE)?;
    rtnetlink::segments_one_by_one(INTERFACE)?;
    sys::set_interface(INTERFACE, Setting::Up)?;
    wait_for_carrier(INTERFACE)
}

/// Makes the kernel take note that the other end of a link is up. It does so at its leisure otherwise, and throws away
/// what is sent before.
fn wait_for_carrier(interface: &str) -> io::Result<()> {
    const ETHTOOL_GLINK: u32 = 0x0a;
    sys::set_interface(interface, Setting::Ethtool(ETHTOOL_GLINK))
}
