//! Signals: which ones are read, blocked, or left to their default.

use std::io;
use std::mem;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::check;

/// Blocks these signals in this thread, and returns a descriptor from which they are read as structures of 128 bytes,
/// each with the signal's number in its first four: `sigprocmask(2)` and `signalfd(2)`. A read waits for a signal.
///
/// To be called before there is another thread: a signal goes to any thread that does not block it.
///
/// # Errors
/// `EMFILE` at the limit of descriptors.
pub fn signals_to_read(signals: &[i32]) -> io::Result<OwnedFd> {
    let set = set_of(signals);
    // SAFETY: `set` is a signal set that lives through the call; nothing here depends on the mask.
    check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) })?;
    // SAFETY: the same set, which the kernel only reads; -1 asks for a new descriptor.
    let fd = check(unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC) })?;
    // SAFETY: the call has just made this descriptor, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Blocks no signal any more, `sigprocmask(2)`.
///
/// # Errors
/// None that the kernel gives.
pub fn unblock_signals() -> io::Result<()> {
    let set = set_of(&[]);
    // SAFETY: `set` is a signal set that lives through the call; this process has no handlers.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut()) }).map(drop)
}

/// Gives a signal its default action, `SIG_DFL` of `signal(2)`.
///
/// # Errors
/// `EINVAL` for `SIGKILL`, `SIGSTOP` and what is not the number of a signal.
pub fn default_action(signal: i32) -> io::Result<()> {
    // SAFETY: no handler of ours is called: there is none.
    if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has a signal ignored, `SIG_IGN` of `signal(2)`.
///
/// # Errors
/// `EINVAL` for `SIGKILL`, `SIGSTOP` and what is not the number of a signal.
pub fn ignore_signal(signal: i32) -> io::Result<()> {
    // SAFETY: no handler of ours is called: there is none.
    if unsafe { libc::signal(signal, libc::SIG_IGN) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// How many signals have been caught.
static CAUGHT: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: libc::c_int) {
    CAUGHT.fetch_add(1, Ordering::Relaxed);
}

/// Has a signal counted, `sigaction(2)`; with `restart`, calls that it interrupts are made again, `SA_RESTART`.
///
/// # Errors
/// `EINVAL` for `SIGKILL`, `SIGSTOP` and what is not the number of a signal.
pub fn catch_signal(signal: i32, restart: bool) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = count as extern "C" fn(libc::c_int) as libc::sighandler_t;
    action.sa_flags = if restart { libc::SA_RESTART } else { 0 };
    // SAFETY: the handler only adds to an atomic number, which is safe at any moment (`signal-safety(7)`); `action`
    // lives through the call.
    check(unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) }).map(drop)
}

/// How many signals [`catch_signal`] has counted in this process.
pub fn signals_caught() -> u32 {
    CAUGHT.load(Ordering::Relaxed)
}

/// Has the kernel send this process `SIGALRM` once, after this time, `setitimer(2)`. Until it is caught, it ends the
/// process.
///
/// # Errors
/// `EINVAL` for a time that the kernel cannot count.
pub fn set_alarm(after: Duration) -> io::Result<()> {
    // SAFETY: all fields are numbers, for which zero is a value: the signal comes once.
    let mut timer: libc::itimerval = unsafe { mem::zeroed() };
    timer.it_value.tv_sec = after.as_secs().try_into().map_err(io::Error::other)?;
    timer.it_value.tv_usec = after.subsec_micros().into();
    // SAFETY: `timer` lives through the call; the old value is not asked for.
    check(unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) }).map(drop)
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: all-zero bytes are a valid signal set, and the calls only set bits in it.
    unsafe {
        let mut set = mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in signals {
            libc::sigaddset(&mut set, *signal);
        }
        set
    }
}
