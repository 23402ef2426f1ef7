//! Waiting for descriptors, and calls that go on after a signal.

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Makes a call again for as long as a signal interrupts it (`EINTR`).
pub use rustix::io::retry_on_intr;

/// Waits until one of the descriptors is ready, at most `at_most`, or without a bound for `None`: `poll(2)`, made again
/// for the rest of the time after a signal. Returns how many are ready, 0 when the time is over.
///
/// # Errors
/// Those of `poll(2)` but `EINTR`.
pub fn wait_for(fds: &mut [PollFd<'_>], at_most: Option<Duration>) -> io::Result<usize> {
    let until = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
    let mut left = at_most;
    loop {
        let time = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(fds, time.as_ref()) {
            Err(Errno::INTR) => left = until.map(|until| until.saturating_duration_since(Instant::now())),
            result => return Ok(result?),
        }
    }
}

/// Whether a descriptor is readable or at its end now, `select(2)` with a time of 0.
///
/// # Errors
/// Those of `select(2)`; `InvalidInput` for a descriptor that a set has no bit for, from `FD_SETSIZE` on.
pub fn select_readable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let number = fd.as_raw_fd();
    if usize::try_from(number).is_ok_and(|number| number >= libc::FD_SETSIZE) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: all-zero bytes are the empty set.
    let mut set: libc::fd_set = unsafe { mem::zeroed() };
    let mut now = libc::timeval { tv_sec: 0, tv_usec: 0 };
    // SAFETY: `set` has a bit for this descriptor, and it and `now` live through the call; there are no other sets.
    let ready = unsafe {
        libc::FD_SET(number, &mut set);
        libc::select(number + 1, &mut set, ptr::null_mut(), ptr::null_mut(), &mut now)
    };
    if ready < 0 { Err(io::Error::last_os_error()) } else { Ok(ready > 0) }
}

/// Waits until a descriptor is readable or at its end, at most `at_most`. Returns whether it is.
///
/// # Errors
/// Those of [`wait_for`].
pub fn wait_until_readable(fd: impl AsFd, at_most: Duration) -> io::Result<bool> {
    Ok(wait_for(&mut [PollFd::new(&fd, PollFlags::IN)], Some(at_most))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_readable_and_silence_ends_with_the_time() {
        let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
        assert!(!wait_until_readable(&reader, Duration::from_millis(1)).expect("a poll"));
        drop(writer);
        assert!(wait_until_readable(&reader, Duration::MAX).expect("a poll"));
    }
}
