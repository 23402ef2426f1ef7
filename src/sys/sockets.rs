//! What sockets are asked and told beyond what `socket2` offers.

use std::io;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use socket2::{MaybeUninitSlice, MsgHdrMut, SockAddr, SockAddrStorage, Socket};

use super::check;

/// Receives into a buffer, `recv(2)`. Returns how many bytes the kernel says there were.
///
/// # Errors
/// Those of `recv(2)`.
pub fn recv_into(socket: &Socket, buf: &mut [u8], flags: i32) -> io::Result<usize> {
    // SAFETY: the kernel writes initialised bytes only, and `socket2` none.
    socket.recv_with_flags(unsafe { uninit(buf) }, flags)
}

/// Receives into a buffer, and the sender's address, `recvfrom(2)`.
///
/// # Errors
/// Those of `recvfrom(2)`.
pub fn recv_from_into(socket: &Socket, buf: &mut [u8], flags: i32) -> io::Result<(usize, SockAddr)> {
    // SAFETY: the kernel writes initialised bytes only, and `socket2` none.
    socket.recv_from_with_flags(unsafe { uninit(buf) }, flags)
}

/// What `recvmsg(2)` says about a message besides its bytes.
#[derive(Debug)]
pub struct MessageInfo {
    /// Bytes of the message that are in the buffer.
    pub len: usize,
    /// The IPv4 address in `msg_name`.
    pub address: SockAddr,
    /// `MSG_TRUNC`: the message was longer than the buffer.
    pub truncated: bool,
    /// Bytes of the control buffer that were written.
    pub control_len: usize,
}

/// Receives a message and its control messages, `recvmsg(2)`.
///
/// # Errors
/// Those of `recvmsg(2)`.
pub fn recv_message(socket: &Socket, buf: &mut [u8], control: &mut [u8], flags: i32) -> io::Result<MessageInfo> {
    let mut address = SockAddr::from(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    let room = control.len();
    let (len, truncated, control_len) = {
        // SAFETY: the kernel writes initialised bytes only, and `socket2` none.
        let (buf, control) = unsafe { (uninit(buf), uninit(control)) };
        let mut parts = [MaybeUninitSlice::new(buf)];
        let mut message = MsgHdrMut::new().with_addr(&mut address).with_buffers(&mut parts).with_control(control);
        let len = socket.recvmsg(&mut message, flags)?;
        (len, message.flags().is_truncated(), message.control_len())
    };
    Ok(MessageInfo { len, address, truncated, control_len: control_len.min(room) })
}

/// The address of a socket of `unix(7)`, with a name of any length that the largest of all addresses has room for: what
/// the kernel makes of one that is too long is its affair.
///
/// # Errors
/// `InvalidInput` for a longer one.
pub fn unix_address(name: &[u8]) -> io::Result<SockAddr> {
    let mut storage = SockAddrStorage::zeroed();
    let before = mem::offset_of!(libc::sockaddr_un, sun_path);
    // A path ends in NUL; an abstract name is as long as its address says.
    let len = before + name.len() + usize::from(!name.starts_with(&[0]));
    if len > mem::size_of_val(&storage) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name of a socket is too long"));
    }
    // SAFETY: any bytes are a valid `sockaddr_storage`, which has room for more than these: checked above.
    let bytes = unsafe { std::slice::from_raw_parts_mut((&raw mut storage).cast::<u8>(), mem::size_of_val(&storage)) };
    bytes[..before].copy_from_slice(&(libc::AF_UNIX as libc::sa_family_t).to_ne_bytes());
    bytes[before..before + name.len()].copy_from_slice(name);
    // SAFETY: all bytes of the storage are initialised, and `len` of them are the address.
    Ok(unsafe { SockAddr::new(storage, len as libc::socklen_t) })
}

/// A buffer as `socket2` wants it.
///
/// # Safety
/// No uninitialised byte may be written to it.
unsafe fn uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the layouts are the same, and the caller writes initialised bytes only.
    unsafe { &mut *(std::ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) }
}

/// A request of `ioctl(2)` that writes one `int`, the number of bytes in a socket's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntRequest {
    /// What can be read: `SIOCINQ` of `tcp(7)`; of the first datagram, `udp(7)`.
    Unread,
    /// What is not acknowledged, or of UDP not sent yet: `SIOCOUTQ`.
    Unacknowledged,
    /// What TCP has not sent yet: `SIOCOUTQNSD`.
    Unsent,
}

/// Closes a descriptor, `close(2)`, which is gone even where the call fails.
pub fn close(descriptor: OwnedFd) -> io::Result<()> {
    let number = descriptor.into_raw_fd();
    // SAFETY: the descriptor was owned by its caller alone, and nobody owns it any more.
    check(unsafe { libc::close(number) }).map(drop)
}

/// Sets the flags of an open file description, `F_SETFL` of `fcntl(2)`: these and no others.
///
/// # Errors
/// Those of `fcntl(2)`.
pub fn set_status_flags(fd: BorrowedFd<'_>, flags: i32) -> io::Result<()> {
    // SAFETY: the command takes an `int`, and touches no memory.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) }).map(drop)
}

/// What has this number, whoever opened it. It is another's, and not to be closed.
///
/// # Panics
/// The number is negative: no descriptor has one.
pub fn named_by(number: RawFd) -> ManuallyDrop<OwnedFd> {
    assert!(number >= 0, "{number} is no descriptor's number");
    // SAFETY: it is not -1, and nothing is closed through it. Calls on a number that nothing has fail with `EBADF`.
    ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Asks a socket for one number, `ioctl(2)`.
///
/// # Errors
/// `EINVAL` where the socket has no such queue.
pub fn ioctl_int(fd: BorrowedFd<'_>, request: IntRequest) -> io::Result<i32> {
    // SIOCOUTQNSD of <linux/sockios.h>, which no crate defines.
    const SIOCOUTQNSD: libc::Ioctl = 0x894B;
    let request = match request {
        IntRequest::Unread => libc::FIONREAD,
        IntRequest::Unacknowledged => libc::TIOCOUTQ,
        IntRequest::Unsent => SIOCOUTQNSD,
    };
    let mut value: libc::c_int = 0;
    // SAFETY: each of the requests above writes one `int`, which lives through the call.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), request, &mut value) })?;
    Ok(value)
}

/// When the packet that this socket read last was received, by the machine's clock since 1970: `SIOCGSTAMPNS` of
/// `socket(7)`.
///
/// # Errors
/// `ENOENT` before there was one.
pub fn stamp_of_last_packet(socket: BorrowedFd<'_>) -> io::Result<Duration> {
    // SIOCGSTAMPNS_OLD of <linux/sockios.h>, in machines of 64 bits the same as the new one.
    const SIOCGSTAMPNS: libc::Ioctl = 0x8907;
    let mut stamp = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the request writes one `timespec`, which lives through the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSTAMPNS, &mut stamp) })?;
    Ok(Duration::new(stamp.tv_sec.unsigned_abs(), u32::try_from(stamp.tv_nsec).unwrap_or(0)))
}

/// How many packets a packet socket has met since it was made or last asked, those among them for which it had no room:
/// `PACKET_STATISTICS` of `packet(7)`.
///
/// # Errors
/// `ENOPROTOOPT` for a socket of another kind.
pub fn packets_seen(fd: BorrowedFd<'_>) -> io::Result<u32> {
    // The first of them counts both.
    let mut packets_and_drops = [0u32; 2];
    let mut length = mem::size_of_val(&packets_and_drops) as libc::socklen_t;
    let at = packets_and_drops.as_mut_ptr().cast();
    // SAFETY: pointer and length are those of both numbers; the kernel writes at most `length` bytes.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS, at, &mut length) })?;
    Ok(packets_and_drops[0])
}

/// Sets a socket option that is an `int`, `setsockopt(2)`.
///
/// # Errors
/// Those of `setsockopt(2)`.
pub fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    let length = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `value`, which lives through the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), length) }).map(drop)
}

/// What an option that is a number is set to.
///
/// # Errors
/// Those of `getsockopt(2)`.
pub fn option(fd: BorrowedFd<'_>, level: i32, name: i32) -> io::Result<i32> {
    let mut value: libc::c_int = 0;
    let mut length = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `value`; the kernel writes at most `length` bytes.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, (&raw mut value).cast(), &mut length) })?;
    Ok(value)
}

/// The kernel's record of a TCP connection, `TCP_INFO` of `tcp(7)`.
///
/// # Errors
/// `EOPNOTSUPP` for a socket of another kind.
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
///
/// # Errors
/// Those of `getsockopt(2)`.
pub fn memory_info(fd: BorrowedFd<'_>) -> io::Result<[u32; 9]> {
    let mut numbers = [0u32; 9];
    let mut length = mem::size_of_val(&numbers) as libc::socklen_t;
    // SAFETY: pointer and length are those of `numbers`; the kernel writes at most `length` bytes.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO, numbers.as_mut_ptr().cast(), &mut length)
    })?;
    Ok(numbers)
}

/// Sends each buffer as one message, `sendmmsg(2)`; returns how many were sent.
///
/// # Errors
/// That of the first message, if not even that was sent.
pub fn send_many(fd: BorrowedFd<'_>, buffers: &[&[u8]]) -> io::Result<usize> {
    let mut parts: Vec<libc::iovec> = buffers.iter().map(|buf| part(buf.as_ptr().cast_mut(), buf.len())).collect();
    let mut messages: Vec<libc::mmsghdr> = parts.iter_mut().map(message).collect();
    // SAFETY: the messages point to `parts` and these to `buffers`, all of which live through the call; the kernel
    // reads the bytes, and writes only the messages' lengths.
    let sent = check(unsafe { libc::sendmmsg(fd.as_raw_fd(), messages.as_mut_ptr(), count(&parts), 0) })?;
    Ok(sent as usize)
}

/// Receives a message into each buffer until no more are there, `recvmmsg(2)`; returns their lengths.
///
/// # Errors
/// That of the first message, if not even that was received.
pub fn recv_many(fd: BorrowedFd<'_>, buffers: &mut [Vec<u8>], flags: i32) -> io::Result<Vec<usize>> {
    let mut parts: Vec<libc::iovec> = buffers.iter_mut().map(|buf| part(buf.as_mut_ptr(), buf.len())).collect();
    let mut messages: Vec<libc::mmsghdr> = parts.iter_mut().map(message).collect();
    let (fd, flags, never) = (fd.as_raw_fd(), flags as _, std::ptr::null_mut());
    // SAFETY: the messages point to `parts` and these to `buffers`, all of which live through the call and are
    // borrowed for writing.
    let received = check(unsafe { libc::recvmmsg(fd, messages.as_mut_ptr(), count(&parts), flags, never) })?;
    Ok(messages[..received as usize].iter().map(|message| message.msg_len as usize).collect())
}

/// Binds a packet socket to one interface and to all protocols, `bind(2)` as `packet(7)` wants it.
///
/// # Errors
/// `ENODEV` where there is no such interface.
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
