//! A process: its start, its end, its namespaces and its descriptors.

use std::fs;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Pid;

use super::check;
use super::children::usage_of;

/// What `fork` returned, seen from either side.
pub enum Forked {
    Child,
    Parent(Pid),
}

/// Whether this process was made by [`fork`] and has executed nothing since.
static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// Splits this process in two, `fork(2)`.
///
/// Sound only while the process has one thread, so that no lock can be held by a thread that the child lacks. That is
/// looked up before, in `/proc/self/task`, or by one more call where there is no `/proc`.
///
/// # Errors
/// `EINVAL` if there are more threads, `EAGAIN` at the limit of processes, and what went wrong if it cannot be found
/// out how many threads there are.
pub fn fork() -> io::Result<Forked> {
    if !has_one_thread()? {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: there is one thread, checked above, so the child inherits no lock that is held elsewhere.
    match check(unsafe { libc::fork() })? {
        0 => {
            IS_FORKED.store(true, Ordering::Relaxed);
            Ok(Forked::Child)
        }
        pid => Ok(Forked::Parent(Pid::from_raw(pid).expect("fork returned a positive process id"))),
    }
}

/// As [`fork`], and the child is in the control group of this folder from the first moment on: `clone3(2)` with
/// `CLONE_INTO_CGROUP` (Linux 5.7). The folder is one of the second version of control groups.
///
/// # Errors
/// As of [`fork`]; `EACCES` for a group that is not this user's, `EBUSY` for one that has groups below it.
pub fn fork_into(group: BorrowedFd<'_>) -> io::Result<Forked> {
    if !has_one_thread()? {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    /// `<linux/sched.h>`; the constant of `libc` has too few bits for it.
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // SAFETY: all fields of it are numbers, for which zero is a value.
    let mut wanted: libc::clone_args = unsafe { mem::zeroed() };
    wanted.flags = CLONE_INTO_CGROUP;
    wanted.exit_signal = libc::SIGCHLD as u64;
    wanted.cgroup = group.as_raw_fd() as u64;
    let size = mem::size_of::<libc::clone_args>();
    // SAFETY: without CLONE_VM and without a stack the child goes on on a copy of ours, as after `fork`: there is one
    // thread, checked above, and the kernel reads `wanted`, which lives through the call, with its size.
    match check(unsafe { libc::syscall(libc::SYS_clone3, &raw const wanted, size) })? {
        0 => {
            IS_FORKED.store(true, Ordering::Relaxed);
            Ok(Forked::Child)
        }
        pid => Ok(Forked::Parent(Pid::from_raw(pid as i32).expect("clone3 returned a positive process id"))),
    }
}

fn has_one_thread() -> io::Result<bool> {
    if let Ok(threads) = fs::read_dir("/proc/self/task") {
        return Ok(threads.count() == 1);
    }
    has_one_thread_without_proc()
}

/// The same where `/proc` is not mounted: `unshare(2)` with `CLONE_THREAD` changes nothing in a process with one
/// thread, and is `EINVAL` in one with more.
fn has_one_thread_without_proc() -> io::Result<bool> {
    match unshare(libc::CLONE_THREAD) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The size of a page of memory in bytes, `sysconf(3)` with `_SC_PAGESIZE`. The C library knows it from the start: no
/// file is read for it, which a process that is not dumpable may be refused.
pub fn page_size() -> u64 {
    // SAFETY: the call takes a number and returns one.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

/// Ends this process at once, without unwinding and without destructors, `_exit(2)`.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` may be called at any time; it does not return.
    unsafe { libc::_exit(code) }
}

/// From now on this process is killed as soon as something can be read from a pipe, or nobody has its other end open
/// any more: `F_SETSIG` of `fcntl(2)` with `SIGKILL`. What it does meanwhile does not matter.
///
/// # Errors
/// Those of `fcntl(2)`: not to be expected.
pub fn die_with(pipe: BorrowedFd<'_>) -> io::Result<()> {
    let fd = pipe.as_raw_fd();
    let set = |command: libc::c_int, value: libc::c_int| {
        // SAFETY: the three commands take a number and change an open descriptor; no memory of ours is touched.
        check(unsafe { libc::fcntl(fd, command, value) }).map(drop)
    };
    set(libc::F_SETOWN, i32::try_from(std::process::id()).map_err(io::Error::other)?)?;
    set(F_SETSIG, libc::SIGKILL)?;
    set(libc::F_SETFL, libc::O_ASYNC)
}

/// `<asm-generic/fcntl.h>`; `libc` has no name for it.
const F_SETSIG: libc::c_int = 10;

/// Voluntary context switches of this thread: how often it went to sleep, `ru_nvcsw` of `getrusage(2)`.
///
/// # Errors
/// None that a kernel since 2.6.26 gives.
pub fn voluntary_switches() -> io::Result<u64> {
    Ok(usage_of(libc::RUSAGE_THREAD)?.ru_nvcsw.unsigned_abs())
}

/// Leaves namespaces for new ones, `unshare(2)` with the `CLONE_NEW…` flags.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`, `ENOSPC` at the limit of namespaces, `EINVAL` where the kernel has none of that
/// kind.
pub fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: the call changes what this process shares with others; no memory of ours is touched.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// Closes the descriptors from `first` to `last`, both included, that a forked process has inherited: `close_range(2)`
/// (Linux 5.9).
///
/// Values of the parent's that own them are in the child's memory, too: they must not be used there afterwards.
///
/// # Errors
/// `EPERM` in a process that [`fork`] has not made: there, every open descriptor may be owned by a value in use.
pub fn close_inherited(first: RawFd, last: RawFd) -> io::Result<()> {
    if !IS_FORKED.load(Ordering::Relaxed) {
        return Err(io::Error::from_raw_os_error(libc::EPERM));
    }
    // SAFETY: closing touches no memory, and the descriptors are copies that this process alone has.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_does_not_fork() {
        // The test harness has a thread for the test, and its first one.
        let error = fork().map(|_| ()).expect_err("there are threads");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        // A container may refuse the question: then there is no fork, either.
        assert!(!matches!(has_one_thread_without_proc(), Ok(true)));
    }

    #[test]
    fn a_process_that_was_not_forked_closes_no_range() {
        let error = close_inherited(1000, 1000).expect_err("it owns its descriptors");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    }
}
