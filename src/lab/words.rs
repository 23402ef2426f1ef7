//! What a role says, asks and waits for: to its user by hand, to the stage in a demo.

use std::io;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use rustix::time::{ClockId, clock_gettime};

use crate::sys;
use crate::trace::recorder;

/// Prints a line for the role's user. Use it through `say!`.
pub fn say(text: &str) {
    recorder::with(|recorder| recorder.say(text));
}

/// Remarks something on what just happened. Shown in transcripts only.
pub fn note(text: &str) {
    recorder::with(|recorder| recorder.note(text));
}

/// Pauses until `text` holds: in a demo, until all other roles wait, pause or have ended; by hand, until Enter is
/// pressed.
pub fn meet(text: &str) {
    recorder::with(|recorder| recorder.meet(text));
}

/// Asks the role's user for a line. `None` when there are no more.
pub fn prompt(text: &str) -> Option<String> {
    recorder::with(|recorder| recorder.prompt(text)).flatten()
}

/// Makes calls as fast as a program by itself would: the stage is not asked before each one, and is told of them when
/// all are made. None of them may wait, or open or close a socket.
///
/// Returns how often the kernel put this role to sleep meanwhile: `ru_nvcsw` of `getrusage(2)`.
pub fn at_full_speed(part: impl FnOnce() -> io::Result<()>) -> io::Result<u64> {
    recorder::with(|recorder| recorder.hurry(true));
    let before = sys::sleeps();
    let result = part();
    let after = sys::sleeps();
    recorder::with(|recorder| recorder.hurry(false));
    result.and(Ok(after?.saturating_sub(before?)))
}

/// How much of a processor's time this role has had so far: `CLOCK_PROCESS_CPUTIME_ID` of `clock_gettime(2)`.
pub fn processor_time() -> io::Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).map_err(io::Error::other)
}

/// Ends this role as `kill -9` does: it closes nothing, says nothing, and does not come back.
pub fn be_killed() -> io::Result<()> {
    kill_process(getpid(), Signal::KILL)?;
    Ok(())
}

/// From now on this role is a process as C knows it: `SIGPIPE` ends it, `signal(7)`. Rust programs, as Python's, ignore
/// that signal.
pub fn obey_sigpipe() -> io::Result<()> {
    sys::default_action(libc::SIGPIPE)
}
