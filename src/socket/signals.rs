//! Signals that a program catches, and the timer that sends one: `sigaction(2)`, `setitimer(2)`.

use std::io;
use std::time::Duration;

use super::traced;
use crate::sys;
use crate::trace::{Call, Syscall, Wait, signal_name};

/// From now on this signal runs a handler, which counts it, `sigaction(2)`. A call that waits then fails with `EINTR`;
/// with `restart` (`SA_RESTART`) the kernel makes most of them again.
///
/// # Errors
/// That of `sigaction(2)`: `EINVAL` for `SIGKILL`, `SIGSTOP` and what is no signal.
pub fn catch_signal(signal: i32, restart: bool) -> io::Result<()> {
    let call = Call::new(Syscall::SigAction, None)
        .arg("signum", signal_name(signal))
        .arg("sa_handler", "count")
        .arg("flags", if restart { "SA_RESTART" } else { "0" });
    traced(call, Wait::Never, |_| sys::catch_signal(signal, restart))
}

/// Has the kernel send `SIGALRM` after this time, once, `setitimer(2)`.
///
/// # Errors
/// That of `setitimer(2)`: not to be expected.
pub fn set_alarm(after: Duration) -> io::Result<()> {
    let call = Call::new(Syscall::SetITimer, None).arg("which", "ITIMER_REAL").arg("it_value", after);
    traced(call, Wait::Never, |_| sys::set_alarm(after))
}

/// How many signals the handler has counted.
pub fn signals_caught() -> u32 {
    sys::signals_caught()
}
