//! Calls of a process that keeps others: their ends, what they are started with, mounts.

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use super::check;

/// How a child ended, and what it used.
#[derive(Clone, Copy, Debug)]
pub struct Reaped {
    /// Its process id.
    pub pid: i32,
    pub end: End,
    /// User and system time of it and of the children that it waited for.
    pub cpu: Duration,
    /// The most memory that it had at a time, in KiB.
    pub peak_kib: u64,
}

/// How a process ended, `wait(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this code.
    Exited(i32),
    /// By the signal of this number.
    Killed(i32),
}

/// Takes the end of one child, if any has ended, `wait4(2)` with `WNOHANG`.
///
/// With `wait`, sleeps until one has ended.
///
/// # Errors
/// `ECHILD` when there are no children at all, `EINTR` after a signal.
pub fn reap(wait: bool) -> io::Result<Option<Reaped>> {
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    let options = if wait { 0 } else { libc::WNOHANG };
    // SAFETY: the kernel writes an `int` and one `rusage`, for which there is room.
    let pid = check(unsafe { libc::wait4(-1, &mut status, options, usage.as_mut_ptr()) })?;
    if pid == 0 {
        return Ok(None);
    }
    // SAFETY: it was written, and zeroes are one, too.
    let usage = unsafe { usage.assume_init() };
    let end = if libc::WIFSIGNALED(status) {
        End::Killed(libc::WTERMSIG(status))
    } else {
        End::Exited(libc::WEXITSTATUS(status))
    };
    Ok(Some(Reaped { pid, end, cpu: time_of(&usage), peak_kib: usage.ru_maxrss.max(0) as u64 }))
}

/// CPU time of all children that have been waited for, and of theirs, `RUSAGE_CHILDREN` of `getrusage(2)`.
///
/// # Errors
/// None that the kernel gives.
pub fn cpu_of_children() -> io::Result<Duration> {
    Ok(time_of(&usage_of(libc::RUSAGE_CHILDREN)?))
}

/// What `who` has used, `RUSAGE_…` of `getrusage(2)`.
pub(super) fn usage_of(who: libc::c_int) -> io::Result<libc::rusage> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one `rusage`, for which there is room.
    check(unsafe { libc::getrusage(who, usage.as_mut_ptr()) })?;
    // SAFETY: it was written, and zeroes are one, too.
    Ok(unsafe { usage.assume_init() })
}

/// User and system time together.
fn time_of(usage: &libc::rusage) -> Duration {
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Sends a signal to every process that this one may signal, but not to itself, `kill(2)` with -1.
///
/// Only the first process of a process namespace may: to it, these are the processes of its namespace.
///
/// # Errors
/// `EINVAL` in any other process, `ESRCH` when there is nothing to kill.
pub fn kill_all(signal: i32) -> io::Result<()> {
    if std::process::id() != 1 {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: signals touch no memory of ours.
    check(unsafe { libc::kill(-1, signal) }).map(drop)
}

/// Makes all descriptors from `first` on close at the next `execve`, `close_range(2)` with `CLOSE_RANGE_CLOEXEC`
/// (Linux 5.11).
///
/// # Errors
/// `EINVAL` on an older kernel.
pub fn close_at_exec(first: i32) -> io::Result<()> {
    // SAFETY: a descriptor's flag is no memory.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, i32::MAX, libc::CLOSE_RANGE_CLOEXEC) }).map(drop)
}

/// Sets attributes `MOUNT_ATTR_…` of a mount, and with `recursive` of those below it, `mount_setattr(2)` (Linux 5.12).
///
/// # Errors
/// `EPERM` for a mount of another namespace's, or one whose attributes are locked.
pub fn set_mount_attributes(mount: BorrowedFd<'_>, attributes: u64, recursive: bool) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    let attributes = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let size = mem::size_of::<libc::mount_attr>();
    // SAFETY: the path is an empty C string, and `attributes` lives through the call, with its size.
    let returned = unsafe {
        libc::syscall(libc::SYS_mount_setattr, mount.as_raw_fd(), c"".as_ptr(), flags, &raw const attributes, size)
    };
    check(returned).map(drop)
}

/// Which version of Landlock the kernel has, `landlock_create_ruleset(2)` with `LANDLOCK_CREATE_RULESET_VERSION`.
///
/// # Errors
/// `ENOSYS` or `EOPNOTSUPP` where the kernel has none.
pub fn landlock_version() -> io::Result<i32> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel wants no pointer and returns a number.
    let returned = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, VERSION) };
    check(returned).map(|version| version as i32)
}
