//! The few system calls that no crate of ours wraps.
//!
//! Invariant: this is the only module with `unsafe`. Each function makes one call and has a safe signature.

pub mod children;
mod signals;
mod wait;

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::process::Pid;

pub use signals::signals_to_read;
pub use wait::{retry_on_intr, wait_for, wait_until_readable};

/// What `fork` returned, seen from either side.
pub enum Forked {
    Child,
    Parent(Pid),
}

/// Splits this process in two, `fork(2)`.
///
/// Sound only while the process has one thread, so that no lock can be held by a thread that the child lacks: a process
/// with more gets `EINVAL`.
pub fn fork() -> io::Result<Forked> {
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: there is one thread, checked above, so the child inherits no lock that is held elsewhere.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(Pid::from_raw(pid).expect("fork returned a positive process id"))),
    }
}

/// Ends this process at once, without unwinding and without destructors, `_exit(2)`.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` may be called at any time; it does not return.
    unsafe { libc::_exit(code) }
}

/// How often this thread has gone to sleep by itself, `ru_nvcsw` of `getrusage(2)`.
pub fn voluntary_switches() -> io::Result<u64> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one `rusage`, for which there is room.
    check(unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) })?;
    // SAFETY: it was written, and zeroes are one, too.
    Ok(unsafe { usage.assume_init() }.ru_nvcsw as u64)
}

/// Gives a signal back what it does to a process that says nothing about it, `SIG_DFL` of `signal(2)`.
pub fn default_action(signal: i32) -> io::Result<()> {
    // SAFETY: no handler of ours is called: there is none.
    if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Leaves namespaces for new ones, `unshare(2)` with the `CLONE_NEW…` flags.
pub fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: namespaces are no part of what Rust keeps track of; no caller passes CLONE_FILES or CLONE_VM.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// Closes all descriptors from `first` to `last`, both included, `close_range(2)` (Linux 5.9).
///
/// The caller must not own any of them in a Rust value.
pub fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // SAFETY: closing cannot touch memory.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } as i32).map(drop)
}

/// Something to be changed in an interface of this network namespace, `netdevice(7)`.
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    Up,
    Address(Ipv4Addr),
    Netmask(Ipv4Addr),
    Hardware([u8; 6]),
    Mtu(i32),
    /// A command `ETHTOOL_…` of `<linux/ethtool.h>` with the value zero: one that turns something off, or asks.
    Ethtool(u32),
}

/// Changes an interface of this network namespace, `SIOCSIF…` of `netdevice(7)`.
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

/// Tells this network namespace for good which hardware address a neighbour has, `SIOCSARP` of `arp(7)`.
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
/// With `stays`, the interface goes with its namespace rather than with the descriptor.
pub fn make_tap(tun: BorrowedFd<'_>, name: &str, stays: bool) -> io::Result<()> {
    let mut request = interface_request(name)?;
    request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: `request` is an `ifreq` that lives through the call.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as libc::Ioctl, &mut request) })?;
    // SAFETY: the argument is a number.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETPERSIST as libc::Ioctl, libc::c_ulong::from(stays)) })
        .map(drop)
}

/// Binds a packet socket to one interface and to all protocols, `packet(7)`.
pub fn bind_packet(socket: BorrowedFd<'_>, interface: u32) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = interface as i32;
    let length = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `address`, which lives through the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) }).map(drop)
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

/// Asks a descriptor for one number, `ioctl(2)` with a pointer to an `int`.
pub fn ioctl_int(fd: BorrowedFd<'_>, request: libc::Ioctl) -> io::Result<i32> {
    let mut value: libc::c_int = 0;
    // SAFETY: the requests that this crate passes write one `int`, which lives through the call.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), request, &mut value) })?;
    Ok(value)
}

/// When the packet that this socket read last was received, by the machine's clock since 1970: `SIOCGSTAMPNS` of
/// `socket(7)`.
pub fn stamp_of_last_packet(socket: BorrowedFd<'_>) -> io::Result<Duration> {
    // SIOCGSTAMPNS_OLD of <linux/sockios.h>, in machines of 64 bits the same as the new one.
    const SIOCGSTAMPNS: libc::Ioctl = 0x8907;
    let mut stamp = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the request writes one `timespec`, which lives through the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSTAMPNS, &mut stamp) })?;
    Ok(Duration::new(stamp.tv_sec.unsigned_abs(), u32::try_from(stamp.tv_nsec).unwrap_or(0)))
}

/// Sets a socket option that is an `int`, `setsockopt(2)`.
pub fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    let length = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `value`, which lives through the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), length) }).map(drop)
}

/// The kernel's record of a TCP connection, `TCP_INFO` of `tcp(7)`.
pub fn tcp_info(fd: BorrowedFd<'_>) -> io::Result<libc::tcp_info> {
    // SAFETY: all-zero bytes are a valid `tcp_info`, a record of numbers.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = mem::size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `info`; the kernel writes at most `length` bytes.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &mut length)
    })?;
    Ok(info)
}

/// What the kernel holds for a socket and what it dropped, `SO_MEMINFO`: the numbers `SK_MEMINFO_…` of
/// <linux/sock_diag.h>, in their order. An older kernel leaves the last ones 0.
pub fn memory_info(fd: BorrowedFd<'_>) -> io::Result<[u32; 9]> {
    let mut numbers = [0u32; 9];
    let mut length = mem::size_of_val(&numbers) as libc::socklen_t;
    // SAFETY: pointer and length are those of `numbers`; the kernel writes at most `length` bytes.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO, numbers.as_mut_ptr().cast(), &mut length)
    })?;
    Ok(numbers)
}

/// Sends each buffer as one message, `sendmmsg(2)`; returns how many went.
pub fn send_many(fd: BorrowedFd<'_>, buffers: &[&[u8]]) -> io::Result<usize> {
    let mut parts: Vec<libc::iovec> = buffers.iter().map(|buf| part(buf.as_ptr().cast_mut(), buf.len())).collect();
    let mut messages: Vec<libc::mmsghdr> = parts.iter_mut().map(message).collect();
    // SAFETY: the messages point to `parts` and these to `buffers`, all of which live through the call; the kernel
    // reads the bytes, and writes only the messages' lengths.
    let sent = check(unsafe { libc::sendmmsg(fd.as_raw_fd(), messages.as_mut_ptr(), count(&parts), 0) })?;
    Ok(sent as usize)
}

/// Receives a message into each buffer until no more are there, `recvmmsg(2)`; returns their lengths.
pub fn recv_many(fd: BorrowedFd<'_>, buffers: &mut [Vec<u8>], flags: i32) -> io::Result<Vec<usize>> {
    let mut parts: Vec<libc::iovec> = buffers.iter_mut().map(|buf| part(buf.as_mut_ptr(), buf.len())).collect();
    let mut messages: Vec<libc::mmsghdr> = parts.iter_mut().map(message).collect();
    let (fd, flags, never) = (fd.as_raw_fd(), flags as _, std::ptr::null_mut());
    // SAFETY: the messages point to `parts` and these to `buffers`, all of which live through the call and are
    // borrowed for writing.
    let received = check(unsafe { libc::recvmmsg(fd, messages.as_mut_ptr(), count(&parts), flags, never) })?;
    Ok(messages[..received as usize].iter().map(|message| message.msg_len as usize).collect())
}

fn part(base: *mut u8, len: usize) -> libc::iovec {
    libc::iovec { iov_base: base.cast(), iov_len: len }
}

fn message(part: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: all-zero bytes are a valid `mmsghdr`: no address, no buffers, no control data.
    let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
    message.msg_hdr.msg_iov = part;
    message.msg_hdr.msg_iovlen = 1;
    message
}

fn count(parts: &[libc::iovec]) -> libc::c_uint {
    libc::c_uint::try_from(parts.len()).unwrap_or(libc::c_uint::MAX)
}

/// A buffer as `socket2` wants it.
pub fn uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the layouts are the same, and `socket2` promises to write no uninitialised byte into it.
    unsafe { &mut *(std::ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) }
}

fn check(returned: i32) -> io::Result<i32> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}
