//! Network interfaces: `netdevice(7)`, `arp(7)` and TAP.

use std::io;
use std::mem;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// A setting of an interface of this network namespace, `netdevice(7)`.
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    /// The flag `IFF_UP`, added to the flags that are set.
    Up,
    Address(Ipv4Addr),
    Netmask(Ipv4Addr),
    /// The Ethernet address.
    Hardware([u8; 6]),
    /// The largest packet, in bytes.
    Mtu(i32),
    /// A command `ETHTOOL_…` of `<linux/ethtool.h>` with the value zero: one that turns something off, or asks.
    Ethtool(u32),
}

/// Changes an interface of this network namespace, `SIOCSIF…` of `netdevice(7)`.
///
/// Three calls at most: `socket(2)` for a socket to ask through, `SIOCGIFFLAGS` for the flags that [`Setting::Up`] adds
/// to, and the request itself.
///
/// # Errors
/// `ENODEV` where there is no such interface, `EPERM` without `CAP_NET_ADMIN`, `ENAMETOOLONG` for a name of more than
/// 15 bytes.
pub fn set_interface(name: &str, setting: Setting) -> io::Result<()> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    let mut request = interface_request(name)?;
    // `struct ethtool_value` of <linux/ethtool.h>: the command and its value.
    let mut ethtool: [u32; 2] = [0, 0];
    let number = match setting {
        Setting::Up => {
            // SAFETY: `request` is an `ifreq` that lives through the call; the kernel fills in its flags.
            check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &mut request) })?;
            // SAFETY: the call above wrote the flags.
            unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
            libc::SIOCSIFFLAGS
        }
        Setting::Address(address) => {
            request.ifr_ifru.ifru_addr = internet_address(address);
            libc::SIOCSIFADDR
        }
        Setting::Netmask(mask) => {
            request.ifr_ifru.ifru_netmask = internet_address(mask);
            libc::SIOCSIFNETMASK
        }
        Setting::Hardware(address) => {
            request.ifr_ifru.ifru_hwaddr = hardware_address(address);
            libc::SIOCSIFHWADDR
        }
        Setting::Mtu(mtu) => {
            request.ifr_ifru.ifru_mtu = mtu;
            libc::SIOCSIFMTU
        }
        Setting::Ethtool(command) => {
            ethtool[0] = command;
            request.ifr_ifru.ifru_data = (&raw mut ethtool).cast();
            libc::SIOCETHTOOL
        }
    };
    // SAFETY: `request`, and `ethtool` that it may point to, live through the call; the kernel reads the member that
    // was set above.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), number, &mut request) }).map(drop)
}

/// Adds a permanent entry to this network namespace's table of neighbours, `SIOCSARP` of `arp(7)`, through a socket of
/// its own.
///
/// # Errors
/// As those of [`set_interface`].
pub fn set_neighbour(interface: &str, address: Ipv4Addr, hardware: [u8; 6]) -> io::Result<()> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    // SAFETY: all-zero bytes are a valid `arpreq`.
    let mut request: libc::arpreq = unsafe { mem::zeroed() };
    request.arp_pa = internet_address(address);
    request.arp_ha = hardware_address(hardware);
    request.arp_flags = libc::ATF_PERM | libc::ATF_COM;
    request.arp_dev = interface_request(interface)?.ifr_name;
    // SAFETY: `request` is an `arpreq` that lives through the call; the kernel only reads.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSARP, &request) }).map(drop)
}

/// Makes a TAP interface of an open `/dev/net/tun`, in the network namespace in which that was opened.
///
/// Two calls, `TUNSETIFF` and `TUNSETPERSIST` of `ioctl(2)`: with `stays`, the interface lasts as long as its namespace
/// rather than as long as the descriptor.
///
/// # Errors
/// `EPERM` without `CAP_NET_ADMIN`, `EBUSY` where there is an interface of that name.
pub fn make_tap(tun: BorrowedFd<'_>, name: &str, stays: bool) -> io::Result<()> {
    let mut request = interface_request(name)?;
    request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: `request` is an `ifreq` that lives through the call.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as libc::Ioctl, &mut request) })?;
    // SAFETY: the argument is a number.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETPERSIST as libc::Ioctl, libc::c_ulong::from(stays)) })
        .map(drop)
}

fn interface_request(name: &str) -> io::Result<libc::ifreq> {
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    Ok(request)
}

/// An IPv4 address as `sockaddr_in` lays it out: two bytes of port, then the four of the address.
fn internet_address(address: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data[2..6].iter_mut().zip(address.octets()) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::AF_INET as u16, sa_data: data }
}

fn hardware_address(address: [u8; 6]) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data.iter_mut().zip(address) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::ARPHRD_ETHER, sa_data: data }
}
