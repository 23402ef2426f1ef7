//! A socket whose every system call is written down.
//!
//! The names and arguments are those of [`socket2`], and one method is one system call. There is no `Deref`: a call
//! that is not here cannot be made untraced. `Drop` makes `close`, and records what it returned.
//!
//! Sends carry no flag of their own: Rust programs ignore `SIGPIPE`, so that a send to a peer that is gone fails with
//! `EPIPE`.
//!
//! Invariant: nothing here probes, retries or polls. What `strace` shows of a role is what its trace says.

mod address;
mod epoll;
mod error_queue;
mod filter;
mod local;
mod message;
mod options;
mod signals;

use std::fmt;
use std::io::{self, IoSlice};
use std::mem::ManuallyDrop;
use std::net::{Shutdown, SocketAddr};
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::FdFlags;
use rustix::net::{SocketFlags, acceptfrom_with};

pub use address::Address;
pub use epoll::Epoll;
pub use error_queue::Report;
pub use filter::Instruction;
pub use local::Passed;
pub use signals::{catch_signal, set_alarm, signals_caught};
pub use socket2::{Domain, Protocol, Type};

use socket2::SockFilter;

use crate::sys::{self, IntRequest};
use crate::trace::recorder::{traced, traced_opening};
use crate::trace::{
    Call, Errno, For, MessageFlags, PollEvents, SocketOption, SocketType, StatusFlags, Syscall, Value, Wait,
};

/// An open socket. Dropping it closes it.
pub struct Socket {
    inner: Open,
    stream: bool,
    /// Of a socket of `unix(7)`: its type.
    local: Option<Type>,
    waiting: Arc<Waiting>,
}

/// How calls on a socket wait: known to all descriptors of it, as to the kernel.
#[derive(Debug, Default)]
struct Waiting {
    /// Whether receiving has a deadline.
    receiving_ends: AtomicBool,
    /// Whether sending has one.
    sending_ends: AtomicBool,
    /// Whether no call waits.
    never: AtomicBool,
}

impl Waiting {
    fn never(&self) -> bool {
        self.never.load(Ordering::Relaxed)
    }

    fn receiving_ends(&self) -> bool {
        self.receiving_ends.load(Ordering::Relaxed)
    }

    fn sending_ends(&self) -> bool {
        self.sending_ends.load(Ordering::Relaxed)
    }

    /// How it is of a connection that this listener gives: it gets the deadlines, and `O_NONBLOCK` where it is asked
    /// for.
    fn of_a_connection(&self, never: bool) -> Waiting {
        Waiting {
            receiving_ends: self.receiving_ends().into(),
            sending_ends: self.sending_ends().into(),
            never: never.into(),
        }
    }
}

/// What `recvmsg(2)` gave.
#[derive(Debug)]
pub struct Received {
    /// How many bytes are in the buffer.
    pub len: usize,
    /// Whether the datagram was longer than the buffer, `MSG_TRUNC`.
    pub truncated: bool,
    /// Its sender's address.
    pub from: Address,
    /// How many datagrams the socket had lost when this one was queued, if it was asked to tell: `SO_RXQ_OVFL`.
    pub lost_before: u32,
}

/// Some of what `TCP_INFO` of `tcp(7)` tells.
#[derive(Clone, Copy, Debug)]
pub struct TcpInfo {
    /// How many segments with data have been sent, `tcpi_data_segs_out`.
    pub data_segs_out: u32,
}

impl Socket {
    /// Makes a socket, `socket(2)`, with `SOCK_CLOEXEC`.
    ///
    /// # Errors
    /// That of `socket(2)`: `EMFILE` with too many open files, `EPERM` or `EACCES` for a raw socket without the
    /// capability; `EAFNOSUPPORT`, `ESOCKTNOSUPPORT` or `EPROTONOSUPPORT` for what the kernel has not, or not together.
    pub fn new(domain: Domain, ty: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
        let call = Call::new(Syscall::Socket, None)
            .arg("domain", domain_name(domain))
            .arg("type", type_name(ty))
            .arg("protocol", protocol_name(protocol));
        let mut made = opening(call, Wait::Never, ty == Type::STREAM, |_| socket2::Socket::new(domain, ty, protocol))?;
        made.local = (domain == Domain::UNIX).then_some(ty);
        Ok(made)
    }

    /// A socket that was made elsewhere and handed to this process, as `SCM_RIGHTS` of `unix(7)` does. It stands in the
    /// trace as if it had been made here.
    pub fn given(inner: socket2::Socket, ty: Type) -> Socket {
        let mut given = Some(inner);
        let call = Call::new(Syscall::Socket, None)
            .arg("domain", domain_name(Domain::IPV4))
            .arg("type", type_name(ty))
            .arg("protocol", 0);
        let made =
            opening(call, Wait::Never, ty == Type::STREAM, |_| given.take().ok_or_else(io::Error::last_os_error));
        made.expect("a socket that is there is there")
    }

    /// The number of its descriptor, by which an epoll reports it; `fileno` in Python. No call is made.
    pub fn number(&self) -> RawFd {
        self.inner.as_raw_fd()
    }

    /// The stream socket that has this number at each call, whoever opened it: as C and Python programs keep one. It is
    /// not closed when this is dropped; where nothing has the number, calls fail with `EBADF`.
    pub fn of_number(number: RawFd) -> ManuallyDrop<Socket> {
        let named = ManuallyDrop::into_inner(sys::named_by(number));
        ManuallyDrop::new(Socket::from_inner(named.into(), true))
    }

    /// Its descriptor, to be passed on or for questions that change nothing.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }

    /// Takes a connection that has come, `accept4(2)` with `SOCK_CLOEXEC`; waits for one.
    ///
    /// # Errors
    /// That of `accept(2)`: `EINVAL` without `listen`; `EAGAIN` after its deadline, or at once on a non-blocking
    /// socket.
    pub fn accept(&self) -> io::Result<(Socket, Address)> {
        let mut from = None;
        let mut conn = opening(self.call(Syscall::Accept), self.wait_to_accept(), self.stream, |call| {
            let (inner, peer) = self.inner.accept()?;
            let peer = Address::from(peer);
            call.wrote("addr", peer.value());
            from = Some(peer);
            Ok(inner)
        })?;
        conn.local = self.local;
        conn.waiting = Arc::new(self.waiting.of_a_connection(false));
        Ok((conn, from.expect("accept gives an address with each connection")))
    }

    /// Another descriptor of the same socket, `F_DUPFD_CLOEXEC` of `fcntl(2)`, which does what `dup(2)` does. Both
    /// refer to one open file description: `O_NONBLOCK` of one is that of the other.
    ///
    /// # Errors
    /// That of `fcntl(2)`: `EMFILE` with too many open files.
    pub fn duplicate(&self) -> io::Result<Socket> {
        let call = self.call(Syscall::DupFd).arg("cmd", "F_DUPFD_CLOEXEC").arg("arg", 0);
        let mut same = opening(call, Wait::Never, self.stream, |_| self.inner.try_clone())?;
        same.local = self.local;
        same.waiting = Arc::clone(&self.waiting);
        Ok(same)
    }

    /// Takes a connection that has come, `accept4(2)` with `SOCK_NONBLOCK` and `SOCK_CLOEXEC`: no call on it waits. For
    /// IP.
    ///
    /// # Errors
    /// That of `accept(2)`: `EAGAIN` on a non-blocking socket where none has come, `EMFILE` with too many open files.
    pub fn accept_nonblocking(&self) -> io::Result<(Socket, Address)> {
        let mut from = None;
        let call = self.call(Syscall::Accept).arg("flags", "SOCK_NONBLOCK");
        let mut conn = opening(call, self.wait_to_accept(), true, |call| {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let (inner, peer) = acceptfrom_with(&*self.inner, flags)?;
            let peer = peer.ok_or(rustix::io::Errno::AFNOSUPPORT)?;
            let peer = Address::from(SocketAddr::try_from(peer)?);
            call.wrote("addr", peer.value());
            from = Some(peer);
            Ok(inner.into())
        })?;
        conn.waiting = Arc::new(self.waiting.of_a_connection(true));
        Ok((conn, from.expect("accept gives an address with each connection")))
    }

    /// Gives the socket its own address, `bind(2)`.
    ///
    /// # Errors
    /// That of `bind(2)`: `EADDRINUSE` for an address that is taken, `EADDRNOTAVAIL` for one that is not this host's,
    /// `EACCES` for a privileged port. Of `unix(7)`: `EADDRINUSE` for a name that is there already, `EINVAL` for one
    /// that is too long, `EACCES` and others of the folder's.
    pub fn bind(&self, address: &Address) -> io::Result<()> {
        let call = self.call(Syscall::Bind).arg("addr", address.value());
        traced(call, Wait::Never, |_| self.inner.bind(address.as_sock_addr()))
    }

    /// Names the peer, `connect(2)`. On a stream: opens a connection to it and waits until it is open.
    ///
    /// # Errors
    /// That of `connect(2)`: `ECONNREFUSED` where nothing listens, `ETIMEDOUT` where nothing answers, `EINPROGRESS` on
    /// a non-blocking socket or after its deadline. Of `unix(7)`: `ENOENT` where there is no such name, `EACCES`
    /// without permission to write to it, `EPROTOTYPE` for a socket of another type, `EAGAIN` for a full queue.
    pub fn connect(&self, address: &Address) -> io::Result<()> {
        let call = self.call(Syscall::Connect).arg("addr", address.value());
        let waits = self.is_connected_to() && !self.waiting.never();
        let what = if self.local.is_some() { For::PeerRoom } else { For::Handshake };
        let wait = if waits { self.perhaps(what) } else { Wait::Never };
        traced(call, wait, |_| self.inner.connect(address.as_sock_addr()))
    }

    /// Lets peers connect, `listen(2)`.
    ///
    /// # Errors
    /// That of `listen(2)`: `EOPNOTSUPP` for a datagram socket, `EADDRINUSE` if another socket listens on its port.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        traced(self.call(Syscall::Listen).arg("backlog", backlog), Wait::Never, |_| self.inner.listen(backlog))
    }

    /// The socket's own address, `getsockname(2)`.
    ///
    /// # Errors
    /// That of `getsockname(2)`: not to be expected of an open socket.
    pub fn local_addr(&self) -> io::Result<Address> {
        traced(self.call(Syscall::GetSockName), Wait::Never, |call| {
            let address = Address::from(self.inner.local_addr()?);
            call.wrote("addr", address.value());
            Ok(address)
        })
    }

    /// The peer's address, `getpeername(2)`.
    ///
    /// # Errors
    /// That of `getpeername(2)`: `ENOTCONN` without a peer.
    pub fn peer_addr(&self) -> io::Result<Address> {
        traced(self.call(Syscall::GetPeerName), Wait::Never, |call| {
            let address = Address::from(self.inner.peer_addr()?);
            call.wrote("addr", address.value());
            Ok(address)
        })
    }

    /// Receives bytes, `recv(2)`: at most as many as fit, at least one; 0 once the peer's FIN is the next in the queue.
    ///
    /// # Errors
    /// As [`recv_with_flags`](Socket::recv_with_flags).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_with_flags(buf, 0)
    }

    /// Receives with flags: `libc::MSG_PEEK`, `libc::MSG_TRUNC`, `libc::MSG_DONTWAIT`.
    ///
    /// With `MSG_TRUNC` on a datagram it returns the true length, which may be more than the buffer holds.
    ///
    /// # Errors
    /// That of `recv(2)`: `ECONNRESET` after a RST, `ECONNREFUSED` after an ICMP port unreachable, `ENOTCONN` on a
    /// stream without a connection; `EAGAIN` where it must not wait, or no longer.
    pub fn recv_with_flags(&self, buf: &mut [u8], flags: i32) -> io::Result<usize> {
        let call = self.call(Syscall::Recv).arg("len", buf.len()).arg("flags", MessageFlags(flags));
        traced(call, self.wait_to_receive(flags), |call| {
            let len = sys::recv_into(&self.inner, buf, flags)?;
            call.received(len, buf);
            Ok(len)
        })
    }

    /// Receives a datagram and its sender's address, `recvfrom(2)`.
    ///
    /// # Errors
    /// As [`recv_from_with_flags`](Socket::recv_from_with_flags).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, Address)> {
        self.recv_from_with_flags(buf, 0)
    }

    /// Receives a datagram and its sender's address with flags: `libc::MSG_PEEK`, `libc::MSG_DONTWAIT`.
    ///
    /// # Errors
    /// That of `recvfrom(2)`: `EAGAIN` where it must not wait, or no longer; `ECONNREFUSED` on a connected socket after
    /// an ICMP port unreachable.
    pub fn recv_from_with_flags(&self, buf: &mut [u8], flags: i32) -> io::Result<(usize, Address)> {
        let call = self.call(Syscall::RecvFrom).arg("len", buf.len()).arg("flags", MessageFlags(flags));
        traced(call, self.wait_to_receive(flags), |call| {
            let (len, from) = sys::recv_from_into(&self.inner, buf, flags)?;
            let from = Address::from(from);
            call.received(len, buf);
            call.wrote("src_addr", from.value());
            Ok((len, from))
        })
    }

    /// Receives a datagram with what the kernel says about it, `recvmsg(2)`.
    ///
    /// # Errors
    /// That of `recvmsg(2)`: as [`recv_from`](Socket::recv_from).
    pub fn recv_msg(&self, buf: &mut [u8]) -> io::Result<Received> {
        let call = self.call(Syscall::RecvMsg).arg("len", buf.len()).arg("flags", MessageFlags(0));
        traced(call, self.wait_to_receive(0), |call| {
            let got = message::receive(&self.inner, buf)?;
            call.received(got.len, buf);
            call.wrote("msg_name", got.from.value());
            call.wrote("msg_flags", MessageFlags(if got.truncated { libc::MSG_TRUNC } else { 0 }));
            if got.lost_before > 0 {
                call.wrote("lost_before", i64::from(got.lost_before));
            }
            Ok(got)
        })
    }

    /// Receives the datagrams that are there, at most `most` of at most `len` bytes: `recvmmsg(2)` with `MSG_DONTWAIT`.
    ///
    /// # Errors
    /// That of `recvmmsg(2)`: `EAGAIN` where no datagram is there.
    pub fn recv_many(&self, most: usize, len: usize) -> io::Result<Vec<Vec<u8>>> {
        let call = self
            .call(Syscall::RecvMmsg)
            .arg("vlen", most)
            .arg("len", len)
            .arg("flags", MessageFlags(libc::MSG_DONTWAIT));
        traced(call, Wait::Never, |call| {
            let mut datagrams = vec![vec![0; len]; most];
            let lengths = sys::recv_many(self.inner.as_fd(), &mut datagrams, libc::MSG_DONTWAIT)?;
            datagrams.truncate(lengths.len());
            datagrams.iter_mut().zip(&lengths).for_each(|(datagram, len)| datagram.truncate(*len));
            let bytes = datagrams.concat();
            call.received(bytes.len(), &bytes);
            call.returned(datagrams.len());
            if datagrams.len() < most {
                // How many of small datagrams fit a queue is the kernel's book-keeping.
                call.wrote("how_many", "some");
            }
            Ok(datagrams)
        })
    }

    /// Takes a report off the socket's error queue, `recvmsg(2)` with `MSG_ERRQUEUE`, `IP_RECVERR` of `ip(7)`.
    ///
    /// `buf` receives the payload of the datagram that the report is about. Never waits.
    ///
    /// # Errors
    /// That of `recvmsg(2)`: `EAGAIN` where the queue is empty.
    pub fn recv_error(&self, buf: &mut [u8]) -> io::Result<Report> {
        let call = self.call(Syscall::RecvMsg).arg("len", buf.len()).arg("flags", MessageFlags(libc::MSG_ERRQUEUE));
        traced(call, Wait::Never, |call| {
            let report = error_queue::receive(&self.inner, buf)?;
            call.received(report.len, buf);
            call.wrote("msg_name", report.destination.value());
            call.wrote("ee_errno", Errno(report.errno));
            call.wrote("ee_origin", report.origin_name());
            call.wrote("ee_type", i32::from(report.kind));
            call.wrote("ee_code", i32::from(report.code));
            Ok(report)
        })
    }

    /// Sends bytes to the connected peer, `send(2)`. A stream may take fewer than all.
    ///
    /// # Errors
    /// As [`send_with_flags`](Socket::send_with_flags).
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send_with_flags(buf, 0)
    }

    /// Sends with flags: `libc::MSG_MORE`, `libc::MSG_DONTWAIT`.
    ///
    /// # Errors
    /// That of `send(2)`: `EPIPE` on a stream whose sending has ended, `ECONNRESET` after a RST, `ECONNREFUSED` after
    /// an ICMP port unreachable, `EMSGSIZE` for too long a datagram; `EAGAIN` where it must not wait, or no longer.
    pub fn send_with_flags(&self, buf: &[u8], flags: i32) -> io::Result<usize> {
        let call = self.call(Syscall::Send).sending(buf).arg("flags", MessageFlags(flags));
        traced(call, self.wait_to_send(flags), |call| {
            let len = self.inner.send_with_flags(buf, flags)?;
            call.returned(len);
            Ok(len)
        })
    }

    /// Receives bytes as from any descriptor, `read(2)`: `recv` without flags.
    ///
    /// # Errors
    /// As [`recv_with_flags`](Socket::recv_with_flags).
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let call = self.call(Syscall::Read).arg("len", buf.len());
        traced(call, self.wait_to_receive(0), |call| {
            let len = rustix::io::read(&*self.inner, &mut *buf)?;
            call.received(len, buf);
            Ok(len)
        })
    }

    /// Sends bytes as to any descriptor, `write(2)`: `send` without flags. A stream may take fewer than all.
    ///
    /// # Errors
    /// As [`send_with_flags`](Socket::send_with_flags).
    pub fn write(&self, buf: &[u8]) -> io::Result<usize> {
        traced(self.call(Syscall::Write).sending(buf), self.wait_to_send(0), |call| {
            let len = rustix::io::write(&*self.inner, buf)?;
            call.returned(len);
            Ok(len)
        })
    }

    /// Sends the bytes of several buffers, one behind the other, `sendmsg(2)`. A stream may take fewer than all.
    ///
    /// # Errors
    /// That of `sendmsg(2)`: as [`send`](Socket::send).
    pub fn send_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let parts: Vec<&[u8]> = buffers.iter().map(|buffer| &buffer[..]).collect();
        let call = self.call(Syscall::SendMsg).sending_all(&parts).arg("flags", MessageFlags(0));
        traced(call, self.wait_to_send(0), |call| {
            let len = self.inner.send_vectored(buffers)?;
            call.returned(len);
            Ok(len)
        })
    }

    /// Sends a datagram to an address, `sendto(2)`.
    ///
    /// # Errors
    /// That of `sendto(2)`: `EMSGSIZE` for too long a datagram, `ENETUNREACH` without a route, or the error that waits
    /// on the socket.
    pub fn send_to(&self, buf: &[u8], address: &Address) -> io::Result<usize> {
        let call =
            self.call(Syscall::SendTo).sending(buf).arg("flags", MessageFlags(0)).arg("dest_addr", address.value());
        traced(call, self.wait_to_send(0), |call| {
            let len = self.inner.send_to(buf, address.as_sock_addr())?;
            call.returned(len);
            Ok(len)
        })
    }

    /// Sends datagrams to the connected peer, `sendmmsg(2)`; returns how many went.
    ///
    /// # Errors
    /// That of `sendmmsg(2)`, if not even the first datagram went: as [`send`](Socket::send).
    pub fn send_many(&self, datagrams: &[&[u8]]) -> io::Result<usize> {
        let call = self
            .call(Syscall::SendMmsg)
            .sending(&datagrams.concat())
            .arg("vlen", datagrams.len())
            .arg("flags", MessageFlags(0));
        traced(call, self.wait_to_send(0), |call| {
            let count = sys::send_many(self.inner.as_fd(), datagrams)?;
            call.returned(count);
            Ok(count)
        })
    }

    /// How many datagrams that had come for this socket the kernel has thrown away: `SK_MEMINFO_DROPS` of `SO_MEMINFO`.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: `ENOPROTOOPT` before Linux 4.12.
    pub fn drops(&self) -> io::Result<u32> {
        let call = self.asking(SocketOption::MemInfo);
        traced(call, Wait::Never, |call| {
            let drops = sys::memory_info(self.inner.as_fd())?[8];
            call.wrote("drops", i64::from(drops));
            Ok(drops)
        })
    }

    /// Has `recv_msg` tell how many datagrams were lost, `SO_RXQ_OVFL` of `socket(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an open socket.
    pub fn set_overflow_report(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::RxqOvfl, on, || {
            sys::set_option(self.inner.as_fd(), libc::SOL_SOCKET, libc::SO_RXQ_OVFL, on.into())
        })
    }

    /// Asks for room in the receive queue, `SO_RCVBUF` of `socket(7)`: the kernel doubles it, and has limits.
    ///
    /// # Errors
    /// That of `setsockopt(2)`. Not for a size beyond `net.core.rmem_max`: the kernel takes the maximum.
    pub fn set_recv_buffer_size(&self, size: usize) -> io::Result<()> {
        self.set(SocketOption::RcvBuf, size, || self.inner.set_recv_buffer_size(size))
    }

    /// How much room the receive queue has, `SO_RCVBUF` of `socket(7)`.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: not to be expected of an open socket.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        let call = self.asking(SocketOption::RcvBuf);
        traced(call, Wait::Never, |call| {
            let size = self.inner.recv_buffer_size()?;
            call.wrote("optval", size);
            Ok(size)
        })
    }

    /// Asks for room in the send queue, `SO_SNDBUF` of `socket(7)`: the kernel doubles it, and has limits.
    ///
    /// # Errors
    /// That of `setsockopt(2)`. Not for a size beyond `net.core.wmem_max`: the kernel takes the maximum.
    pub fn set_send_buffer_size(&self, size: usize) -> io::Result<()> {
        self.set(SocketOption::SndBuf, size, || self.inner.set_send_buffer_size(size))
    }

    /// How many bytes have come and were not read yet, `FIONREAD` of `ioctl(2)`, which `tcp(7)` also calls `SIOCINQ`.
    ///
    /// # Errors
    /// That of `ioctl(2)`: `EINVAL` on a listener.
    pub fn unread(&self) -> io::Result<usize> {
        self.count(IntRequest::Unread, "FIONREAD")
    }

    /// How many bytes the kernel holds that the peer's kernel has not acknowledged, `SIOCOUTQ` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `ioctl(2)`: `EINVAL` on a listener.
    pub fn unacknowledged(&self) -> io::Result<usize> {
        self.count(IntRequest::Unacknowledged, "SIOCOUTQ")
    }

    /// How many of those it has not even sent, `SIOCOUTQNSD` of `<linux/sockios.h>`.
    ///
    /// # Errors
    /// That of `ioctl(2)`: `EINVAL` on a listener.
    pub fn unsent(&self) -> io::Result<usize> {
        self.count(IntRequest::Unsent, "SIOCOUTQNSD")
    }

    /// Has the kernel run a program on each datagram that arrives, `SO_ATTACH_FILTER` of `socket(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `EINVAL` for a program that the kernel cannot accept.
    pub fn attach_filter(&self, program: impl IntoIterator<Item = Instruction>) -> io::Result<()> {
        let program: Vec<SockFilter> = program.into_iter().map(|instruction| instruction.0).collect();
        let value = format!("{} instructions", program.len());
        self.set(SocketOption::AttachFilter, value, || self.inner.attach_filter(&program))
    }

    /// Asks for reports on what became of datagrams, `IP_RECVERR` of `ip(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `ENOPROTOOPT` or `EOPNOTSUPP` where it is not an IP socket.
    pub fn set_recv_error(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::RecvErr, on, || {
            sys::set_option(self.inner.as_fd(), libc::IPPROTO_IP, libc::IP_RECVERR, on.into())
        })
    }

    /// Lets the address be taken while an old connection lingers in TIME-WAIT, `SO_REUSEADDR` of `socket(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an open socket.
    pub fn set_reuse_address(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::ReuseAddr, on, || self.inner.set_reuse_address(on))
    }

    /// Shares the address with other sockets of the same user that ask for it too, `SO_REUSEPORT` of `socket(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an IP socket.
    pub fn set_reuse_port(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::ReusePort, on, || self.inner.set_reuse_port(on))
    }

    /// Switches Nagle's algorithm off, `TCP_NODELAY` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `EOPNOTSUPP` or `ENOPROTOOPT` where it is not a TCP socket.
    pub fn set_tcp_nodelay(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::NoDelay, on, || self.inner.set_tcp_nodelay(on))
    }

    /// Keeps back every segment that is not full, and lets what is there go when switched off, `TCP_CORK` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`, as of [`set_tcp_nodelay`](Socket::set_tcp_nodelay).
    pub fn set_cork(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::Cork, on, || self.inner.set_tcp_cork(on))
    }

    /// Acknowledges at once from now on, or after a delay; the kernel changes it again as it sees fit,
    /// `TCP_QUICKACK` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`, as of [`set_tcp_nodelay`](Socket::set_tcp_nodelay).
    pub fn set_quick_ack(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::QuickAck, on, || self.inner.set_tcp_quickack(on))
    }

    /// How long a receive or an accept waits at most, `SO_RCVTIMEO` of `socket(7)`: then it fails with `EAGAIN`.
    /// `None`: for ever. The kernel counts in ticks of a few milliseconds.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an open socket.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set(SocketOption::RcvTimeo, limit(timeout), || self.inner.set_read_timeout(timeout))?;
        self.waiting.receiving_ends.store(timeout.is_some(), Ordering::Relaxed);
        Ok(())
    }

    /// How long a receive or an accept waits at most, `SO_RCVTIMEO` of `socket(7)`. `None`: for ever.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: not to be expected of an open socket.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        traced(self.asking(SocketOption::RcvTimeo), Wait::Never, |call| {
            let timeout = self.inner.read_timeout()?;
            call.wrote("optval", limit(timeout));
            Ok(timeout)
        })
    }

    /// How long a send or a connect waits at most, `SO_SNDTIMEO` of `socket(7)`: then it fails with `EAGAIN`, or
    /// `EINPROGRESS`. `None`: for ever.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an open socket.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set(SocketOption::SndTimeo, limit(timeout), || self.inner.set_write_timeout(timeout))?;
        self.waiting.sending_ends.store(timeout.is_some(), Ordering::Relaxed);
        Ok(())
    }

    /// Has the kernel ask a peer that says nothing whether it is still there, `SO_KEEPALIVE` of `socket(7)`. One that
    /// does not answer ends the connection with `ETIMEDOUT`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an open socket.
    pub fn set_keepalive(&self, on: bool) -> io::Result<()> {
        self.set(SocketOption::KeepAlive, on, || self.inner.set_keepalive(on))
    }

    /// How long nothing must have come before the kernel asks, `TCP_KEEPIDLE` of `tcp(7)`, in whole seconds.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `EINVAL` for less than a second, or more than 32,767.
    pub fn set_keepalive_time(&self, time: Duration) -> io::Result<()> {
        self.set_option(SocketOption::KeepIdle, number(time.as_secs())?)
    }

    /// How long it waits for each answer, `TCP_KEEPINTVL` of `tcp(7)`, in whole seconds.
    ///
    /// # Errors
    /// As of [`set_keepalive_time`](Socket::set_keepalive_time).
    pub fn set_keepalive_interval(&self, time: Duration) -> io::Result<()> {
        self.set_option(SocketOption::KeepIntvl, number(time.as_secs())?)
    }

    /// How often it asks before it gives up, `TCP_KEEPCNT` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `EINVAL` for 0, or more than 127.
    pub fn set_keepalive_retries(&self, times: u32) -> io::Result<()> {
        self.set_option(SocketOption::KeepCnt, number(times)?)
    }

    /// How long what was sent may stay unacknowledged before the connection ends with `ETIMEDOUT`, `TCP_USER_TIMEOUT`
    /// of `tcp(7)`. `None`: as long as the system has it.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `EOPNOTSUPP` or `ENOPROTOOPT` where it is not a TCP socket.
    pub fn set_tcp_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        let millis = timeout.map_or(0, |timeout| timeout.as_millis());
        self.set_option(SocketOption::UserTimeout, number(millis)?)
    }

    /// How long close waits for what is not sent yet, `SO_LINGER` of `socket(7)`, in whole seconds: with 0 it throws it
    /// away, and sends RST in place of FIN. `None`: it does not wait, and the kernel goes on sending.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: not to be expected of an open socket.
    pub fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        self.set(SocketOption::Linger, options::linger_value(time), || self.inner.set_linger(time))
    }

    /// Whether a program that this process starts is to find the descriptor closed, `F_SETFD` of `fcntl(2)`.
    ///
    /// Each `Socket` begins so (`SOCK_CLOEXEC`), as Rust's and Python's do, and C's do not.
    ///
    /// # Errors
    /// That of `fcntl(2)`: not to be expected of an open socket.
    pub fn set_cloexec(&self, on: bool) -> io::Result<()> {
        let call = self.call(Syscall::Fcntl).arg("cmd", "F_SETFD").arg("arg", if on { "FD_CLOEXEC" } else { "0" });
        let flags = if on { FdFlags::CLOEXEC } else { FdFlags::empty() };
        traced(call, Wait::Never, |_| Ok(rustix::io::fcntl_setfd(&*self.inner, flags)?))
    }

    /// From now on no call on this socket waits, `FIONBIO` of `ioctl(2)`: one that would fails with `EAGAIN`, and a
    /// connect with `EINPROGRESS`, while it goes on.
    ///
    /// # Errors
    /// That of `ioctl(2)`: not to be expected of an open socket.
    pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        let call = self.call(Syscall::Ioctl).arg("request", "FIONBIO").arg("argp", on);
        traced(call, Wait::Never, |_| Ok(rustix::io::ioctl_fionbio(&*self.inner, on)?))?;
        self.waiting.never.store(on, Ordering::Relaxed);
        Ok(())
    }

    /// The flags of the open file description, `F_GETFL` of `fcntl(2)`: `libc::O_NONBLOCK`, and `libc::O_RDWR`, which
    /// every socket has.
    ///
    /// # Errors
    /// That of `fcntl(2)`: not to be expected of an open socket.
    pub fn status_flags(&self) -> io::Result<i32> {
        traced(self.call(Syscall::Fcntl).arg("cmd", "F_GETFL"), Wait::Never, |call| {
            let flags = rustix::fs::fcntl_getfl(&*self.inner)?.bits() as i32;
            call.ret = Some(flags.into());
            call.wrote("status", StatusFlags(flags));
            Ok(flags)
        })
    }

    /// Sets those of the flags that can be changed, `F_SETFL` of `fcntl(2)`. With `libc::O_NONBLOCK`, no call on any
    /// descriptor of this open file description waits.
    ///
    /// # Errors
    /// That of `fcntl(2)`: not to be expected of an open socket.
    pub fn set_status_flags(&self, flags: i32) -> io::Result<()> {
        let call = self.call(Syscall::Fcntl).arg("cmd", "F_SETFL").arg("arg", StatusFlags(flags));
        traced(call, Wait::Never, |_| sys::set_status_flags(self.inner.as_fd(), flags))?;
        self.waiting.never.store(flags & libc::O_NONBLOCK != 0, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until the socket is ready for one of these events, but no longer than this, `poll(2)`: `libc::POLLIN`,
    /// `libc::POLLOUT`. Returns what it is ready for, 0 when the time is over; errors and a peer that has left are
    /// reported without being asked for.
    ///
    /// # Errors
    /// That of `poll(2)`; `InvalidInput` for a time that the kernel cannot count.
    pub fn poll(&self, events: i16, timeout: Duration) -> io::Result<i16> {
        let call = self.call(Syscall::Poll).arg("events", PollEvents(events)).arg("timeout", timeout);
        traced(call, Wait::PerhapsUntil(For::Readiness), |call| {
            let mut ready = [PollFd::new(&*self.inner, PollFlags::from_bits_retain(events as u16))];
            call.returned(poll(&mut ready, Some(&timespec(timeout)?))?);
            let events = ready[0].revents().bits() as i16;
            if events != 0 {
                call.wrote("revents", PollEvents(events));
            }
            Ok(events)
        })
    }

    /// Whether something can be received now, `select(2)` with a time of 0: data, a connection, or the end.
    ///
    /// # Errors
    /// That of `select(2)`; `InvalidInput` for a descriptor from 1024 on, for which a set has no bit.
    pub fn select_now(&self) -> io::Result<bool> {
        let set = format!("[{}]", self.number());
        let call = Call::new(Syscall::Select, None)
            .arg("nfds", self.number() + 1)
            .arg("readfds", set.clone())
            .arg("writefds", "NULL")
            .arg("exceptfds", "NULL")
            .arg("timeout", Duration::ZERO);
        traced(call, Wait::Never, |call| {
            let ready = sys::select_readable(self.inner.as_fd())?;
            call.returned(ready.into());
            if ready {
                call.wrote("readfds", set);
            }
            Ok(ready)
        })
    }

    /// Ends sending (with a FIN), receiving, or both, `shutdown(2)`.
    ///
    /// # Errors
    /// That of `shutdown(2)`: `ENOTCONN` without a connection.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let name = match how {
            Shutdown::Read => "SHUT_RD",
            Shutdown::Write => "SHUT_WR",
            Shutdown::Both => "SHUT_RDWR",
        };
        traced(self.call(Syscall::Shutdown).arg("how", name), Wait::Never, |_| self.inner.shutdown(how))
    }

    /// Asks which error is waiting and clears it, `SO_ERROR` of `socket(7)`.
    ///
    /// # Errors
    /// That of `getsockopt(2)` itself. The waiting error is the result.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        let call = self.asking(SocketOption::Error);
        traced(call, Wait::Never, |call| {
            let error = self.inner.take_error()?;
            call.wrote("optval", error.as_ref().map_or(Errno::NONE, Errno::of));
            Ok(error)
        })
    }

    /// How many bytes of data a segment may carry, `TCP_MAXSEG` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: `EOPNOTSUPP` or `ENOPROTOOPT` where it is not a TCP socket.
    pub fn tcp_mss(&self) -> io::Result<u32> {
        let call = self.asking(SocketOption::MaxSeg);
        traced(call, Wait::Never, |call| {
            let mss = self.inner.tcp_mss()?;
            call.wrote("optval", i64::from(mss));
            Ok(mss)
        })
    }

    /// What the kernel tells of a TCP connection, `TCP_INFO` of `tcp(7)`.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: `EOPNOTSUPP` or `ENOPROTOOPT` where it is not a TCP socket.
    pub fn tcp_info(&self) -> io::Result<TcpInfo> {
        let call = self.asking(SocketOption::Info);
        traced(call, Wait::Never, |call| {
            let info = sys::tcp_info(self.inner.as_fd())?;
            call.wrote("tcpi_data_segs_out", i64::from(info.tcpi_data_segs_out));
            Ok(TcpInfo { data_segs_out: info.tcpi_data_segs_out })
        })
    }

    fn from_inner(inner: socket2::Socket, stream: bool) -> Socket {
        Socket { inner: Open(Some(inner)), stream, local: None, waiting: Arc::default() }
    }

    fn call(&self, name: Syscall) -> Call {
        Call::new(name, Some(self.inner.as_raw_fd()))
    }

    fn asking(&self, option: SocketOption) -> Call {
        self.call(Syscall::GetSockOpt).arg("level", option.level()).arg("optname", option)
    }

    fn count(&self, request: IntRequest, name: &'static str) -> io::Result<usize> {
        traced(self.call(Syscall::Ioctl).arg("request", name), Wait::Never, |call| {
            let bytes = usize::try_from(sys::ioctl_int(self.inner.as_fd(), request)?).map_err(io::Error::other)?;
            call.wrote("argp", bytes);
            Ok(bytes)
        })
    }

    fn set(
        &self,
        option: SocketOption,
        value: impl Into<Value>,
        make: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let call = self.call(Syscall::SetSockOpt).arg("level", option.level()).arg("optname", option);
        traced(call.arg("optval", value), Wait::Never, |_| make())
    }

    /// Whether, and for what, a call may wait that receives with these flags.
    pub(crate) fn wait_to_receive(&self, flags: i32) -> Wait {
        let what = match self.local {
            Some(_) if self.is_connected_to() => For::LocalData,
            _ if self.stream => For::Data,
            _ => For::Datagram,
        };
        // A receive of urgent data never blocks.
        match flags & (libc::MSG_DONTWAIT | libc::MSG_OOB) {
            0 => self.wait_until_readable(what),
            _ => Wait::Never,
        }
    }

    /// The same of an accept.
    fn wait_to_accept(&self) -> Wait {
        self.wait_until_readable(For::Connection)
    }

    fn wait_until_readable(&self, what: For) -> Wait {
        match (self.waiting.never(), self.waiting.receiving_ends()) {
            (true, _) => Wait::Never,
            (_, true) => Wait::Until(what),
            _ => Wait::Readable(what),
        }
    }

    /// The same of one that sends.
    pub(crate) fn wait_to_send(&self, flags: i32) -> Wait {
        match flags & libc::MSG_DONTWAIT {
            _ if self.waiting.never() => Wait::Never,
            0 if self.local == Some(Type::DGRAM) => self.perhaps(For::PeerRoom),
            0 if self.is_connected_to() => self.perhaps(For::Room),
            _ => Wait::Never,
        }
    }

    /// Whether its peers connect to it: a stream, or `SOCK_SEQPACKET`.
    fn is_connected_to(&self) -> bool {
        self.stream || self.local == Some(Type::SEQPACKET)
    }

    fn perhaps(&self, what: For) -> Wait {
        if self.waiting.sending_ends() { Wait::PerhapsUntil(what) } else { Wait::Perhaps(what) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let call = self.call(Syscall::Close);
        if let Some(inner) = self.inner.0.take() {
            // What close returns stands in the trace; the descriptor is gone in any case, close(2).
            let _ = traced(call, Wait::Never, |_| sys::close(inner.into()));
        }
    }
}

/// The socket itself, which only its drop takes away.
struct Open(Option<socket2::Socket>);

impl Deref for Open {
    type Target = socket2::Socket;

    fn deref(&self) -> &socket2::Socket {
        self.0.as_ref().expect("a socket is open until it is dropped")
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("fd", &self.inner.as_raw_fd()).field("stream", &self.stream).finish()
    }
}

/// Makes a call that makes a socket.
fn opening(
    call: Call,
    wait: Wait,
    stream: bool,
    make: impl FnOnce(&mut Call) -> io::Result<socket2::Socket>,
) -> io::Result<Socket> {
    let opened = |call: &mut Call| {
        let inner = make(call)?;
        call.ret = Some(inner.as_raw_fd().into());
        Ok(inner)
    };
    traced_opening(call, wait, opened, |inner| Some(inner.as_fd())).map(|inner| Socket::from_inner(inner, stream))
}

/// Waits for nothing but the end of this time, `poll(2)` with no descriptor.
///
/// # Errors
/// That of `poll(2)`; `InvalidInput` for a time that the kernel cannot count.
pub fn pause(time: Duration) -> io::Result<()> {
    let call = Call::new(Syscall::Poll, None).arg("fds", "NULL").arg("timeout", time);
    traced(call, Wait::Until(For::Time), |call| {
        call.returned(poll(&mut [], Some(&timespec(time)?))?);
        Ok(())
    })
}

/// A number as an option takes it.
fn number(value: impl TryInto<i32>) -> io::Result<i32> {
    value.try_into().map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn timespec(time: Duration) -> io::Result<Timespec> {
    time.try_into().map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn domain_name(domain: Domain) -> &'static str {
    match domain {
        Domain::IPV4 => "AF_INET",
        Domain::IPV6 => "AF_INET6",
        Domain::UNIX => "AF_UNIX",
        other if i32::from(other) == libc::AF_UNSPEC => "AF_UNSPEC",
        _ => "another domain",
    }
}

fn protocol_name(protocol: Option<Protocol>) -> Value {
    match protocol {
        None => 0.into(),
        Some(Protocol::TCP) => "IPPROTO_TCP".into(),
        Some(Protocol::UDP) => "IPPROTO_UDP".into(),
        Some(other) => i32::from(other).into(),
    }
}

fn type_name(ty: Type) -> SocketType {
    match ty {
        Type::STREAM => SocketType::Stream,
        Type::DGRAM => SocketType::Datagram,
        Type::SEQPACKET => SocketType::SeqPacket,
        Type::RAW => SocketType::Raw,
        other if i32::from(other) == libc::SOCK_RDM => SocketType::Rdm,
        _ => SocketType::Other,
    }
}

/// A limit of time as `setsockopt(2)` takes it: 0 is none.
fn limit(time: Option<Duration>) -> Value {
    time.map_or_else(|| "0".into(), Value::Time)
}
