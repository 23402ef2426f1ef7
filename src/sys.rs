//! The few system calls that no crate of ours wraps.
//!
//! Invariant: this is the only module with `unsafe`. Each function makes one call and has a safe signature.

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use rustix::process::Pid;

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

/// Brings an interface of this network namespace up, `SIOCSIFFLAGS` of `netdevice(7)`.
pub fn interface_up(name: &str) -> io::Result<()> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    // SAFETY: `request` is an `ifreq` that lives through the call; the kernel fills in its flags.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &mut request) })?;
    // SAFETY: the call above wrote the flags.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: as above; the kernel only reads.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) }).map(drop)
}

/// Asks a descriptor for one number, `ioctl(2)` with a pointer to an `int`.
pub fn ioctl_int(fd: BorrowedFd<'_>, request: libc::Ioctl) -> io::Result<i32> {
    let mut value: libc::c_int = 0;
    // SAFETY: the requests that this crate passes write one `int`, which lives through the call.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), request, &mut value) })?;
    Ok(value)
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

/// A buffer as `socket2` wants it.
pub fn uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the layouts are the same, and `socket2` promises to write no uninitialised byte into it.
    unsafe { &mut *(std::ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) }
}

fn check(returned: i32) -> io::Result<i32> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}
