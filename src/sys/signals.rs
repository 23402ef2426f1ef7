//! Signals that are read instead of being met.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};

/// From now on these signals end nothing: they are read from the descriptor, `signalfd(2)`, as structures of 128 bytes,
/// each with the signal's number in its first four.
///
/// To be called before there is another thread, since a thread that does not block a signal meets it.
pub fn signals_to_read(signals: &[i32]) -> io::Result<OwnedFd> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset makes a set of it, and sigaddset adds to that.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
    }
    // SAFETY: the set is one now; nothing is asked about the mask as it was.
    let error = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: the same set; -1 asks for a descriptor that nobody has.
    let fd = unsafe { libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC) };
    super::check(fd)?;
    // SAFETY: the call has just made it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
