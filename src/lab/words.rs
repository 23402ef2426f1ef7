//! What a role says, asks and waits for: to its user by hand, to the stage in a demo.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, getppid, kill_process};
use rustix::time::{ClockId, clock_gettime};

use crate::probe::{self, Holder};
use crate::socket::Address;
use crate::sys;
use crate::trace::{TcpState, recorder};

/// Prints a line for the role's user. Use it through `say!`.
pub fn say(text: &str) {
    recorder::with(|recorder| recorder.say(text));
}

/// Remarks something on what just happened. Shown in transcripts only.
pub fn note(text: &str) {
    recorder::with(|recorder| recorder.note(text));
}

/// Pauses until `text` holds: in a demo, until all other roles wait, pause or have ended; by hand, until Enter is
/// pressed. By hand with no terminal to press it on, there is no pause, and the first one that is left out is reported.
pub fn meet(text: &str) {
    recorder::with(|recorder| recorder.meet(text));
}

/// Asks the role's user for a line. `None` when there are no more.
pub fn prompt(text: &str) -> Option<String> {
    recorder::with(|recorder| recorder.prompt(text)).flatten()
}

thread_local! {
    static WORDS: RefCell<Vec<OsString>> = const { RefCell::new(Vec::new()) };
}

/// What a role was told to do by the words behind its name. None in a demo, where it asks its user.
pub fn words() -> Vec<OsString> {
    WORDS.take()
}

/// These are the words of the role of this thread.
pub(super) fn give(words: &[OsString]) {
    WORDS.set(words.to_vec());
}

/// Whether this role is a program in somebody's terminal, and does not play in a demo.
pub fn is_by_hand() -> bool {
    recorder::with(|recorder| recorder.beside().is_some()).unwrap_or(false)
}

/// The most threads that [`beside`] has at once: each may have some open files, of which a user has 1,024.
const MOST_THREADS: usize = 128;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Does something for one client beside the others: by hand on a thread of its own, as long as there are not too many;
/// otherwise here and now. So it is in a demo, where one acts at a time.
///
/// # Errors
///
/// No thread could be made.
pub fn beside(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    /// One thread of those, as long as it lives.
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            THREADS.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let counted = Counted;
    let is_one_too_many = THREADS.fetch_add(1, Ordering::SeqCst) >= MOST_THREADS;
    match recorder::with(|recorder| recorder.beside()).flatten().filter(|_| !is_one_too_many) {
        None => body(),
        Some(recorder) => {
            let with_recorder = move || {
                let _counted = counted;
                recorder::install(recorder());
                body();
            };
            thread::Builder::new().spawn(with_recorder)?;
        }
    }
    Ok(())
}

/// Makes calls as fast as a program by itself would: the stage is not asked before each one, and is told of them when
/// all are made. None of them may open or close a socket, or wait; but in a scene that is left to chance they may wait.
///
/// Returns how often the kernel put this role to sleep meanwhile: `ru_nvcsw` of `getrusage(2)`.
///
/// # Errors
///
/// That of `body`, or of `getrusage(2)`.
pub fn at_full_speed(body: impl FnOnce() -> io::Result<()>) -> io::Result<u64> {
    recorder::with(|recorder| recorder.batch(true));
    let before = sys::voluntary_switches();
    let result = body();
    let after = sys::voluntary_switches();
    recorder::with(|recorder| recorder.batch(false));
    result.and(Ok(after?.saturating_sub(before?)))
}

/// The processor time of this role so far: `CLOCK_PROCESS_CPUTIME_ID` of `clock_gettime(2)`.
///
/// # Errors
///
/// The kernel's answer is no duration.
pub fn processor_time() -> io::Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).map_err(io::Error::other)
}

/// Ends this role as `kill -9` does: it closes nothing, says nothing, and does not come back.
///
/// # Errors
///
/// Those of `kill(2)`.
pub fn be_killed() -> io::Result<()> {
    kill_process(getpid(), Signal::KILL)?;
    Ok(())
}

/// Ends this role as Ctrl-C does, in a demo. By hand it goes on: its user presses the keys.
///
/// # Errors
///
/// Those of `sigaction(2)`.
pub fn be_interrupted() -> io::Result<()> {
    // A program that was started in the background may be one that ignores the signal.
    sys::default_action(libc::SIGINT)?;
    recorder::with(|recorder| recorder.interrupt());
    Ok(())
}

/// What the kernel has on a port of this host, and which process holds it: `LISTEN, sleep`, or `TIME-WAIT, no process`.
/// From `/proc/net/tcp` and `/proc/PID/fd`, `proc(5)`, which `ss -tanp` reads, too.
pub fn port_owner(address: &Address) -> String {
    let Some(address) = address.as_socket() else { return "no port".to_owned() };
    let states: Vec<&str> = probe::states_on(address.port()).into_iter().map(TcpState::name).collect();
    let states = states.join(" and ");
    // In a demo, our parent is the stage, which has copies of its roles' sockets.
    match probe::holder_of(address.port(), "tcp", getppid()) {
        _ if states.is_empty() => "nobody".to_owned(),
        Holder::Process(_, name) => format!("{states}, {name}"),
        Holder::ClosedConnection => format!("{states}, no process"),
        Holder::Hidden => format!("{states}, a process that we may not look at"),
    }
}

/// From now on this role is a process as C knows it: `SIGPIPE` ends it, `signal(7)`. Rust programs, as Python's, ignore
/// that signal.
///
/// # Errors
///
/// Those of `sigaction(2)`.
pub fn obey_sigpipe() -> io::Result<()> {
    sys::default_action(libc::SIGPIPE)
}
