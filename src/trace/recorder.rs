//! Where a role's calls go: to the stage in a demo, nowhere or to the terminal by hand.
//!
//! Invariant: nothing here knows of a stage. A role that was given no recorder runs as a plain program.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use super::{Call, Probe, Wait};

/// Is told of each thing that a role does, in the order in which it does them.
pub trait Recorder {
    /// The role is about to make this call. Returns when it may.
    fn before(&mut self, call: &Call, wait: Wait);
    /// The call has returned; `opened` is the socket that it made, if it made one.
    fn after(&mut self, call: Call, opened: Option<BorrowedFd<'_>>);
    /// The role prints a line for its user.
    fn say(&mut self, text: &str);
    /// The lab's author remarks something.
    fn note(&mut self, text: &str);
    /// The role has asked the kernel about a command that it has started, or a pipe from it, and this is the answer.
    fn found(&mut self, _probe: Probe, _fd: RawFd) {}
    /// The role pauses until `text` holds.
    fn meet(&mut self, text: &str);
    /// The role asks its user for a line; `None` at the end of the input.
    fn prompt(&mut self, prompt: &str) -> Option<String>;
    /// Turns batching on or off: calls are not announced beforehand, and are reported together at the end.
    fn batch(&mut self, _on: bool) {}
    /// Keeps the kill pipe of a program that the role has started: the program ends when the pipe closes. `pid` is the
    /// process that holds the other end. False where nothing keeps it.
    fn keep_kill_pipe(&mut self, _kill_pipe: BorrowedFd<'_>, _pid: i32) -> bool {
        false
    }
    /// The role's user presses Ctrl-C, if the role plays in a demo.
    fn interrupt(&mut self) {}
    /// Makes a recorder for another thread of this role. `None` where a role has one thread.
    fn beside(&self) -> Option<MakeRecorder> {
        None
    }
    /// What a process or a thread that the role is about to make will tell its calls through. `None` where it takes
    /// nothing.
    fn branch(&mut self) -> Option<OwnedFd> {
        None
    }
    /// In a process that the role has just made: from now on it is the one of this number, and tells its calls through
    /// what [`branch`](Recorder::branch) made.
    fn be_child(&mut self, _number: u32, _own: Option<OwnedFd>) {}
    /// Makes a recorder for a thread of the role, its one of this number. What [`branch`](Recorder::branch) made is its
    /// own. `None` where a role has one thread.
    fn for_thread(&self, _number: u32, _own: Option<OwnedFd>) -> Option<MakeRecorder> {
        None
    }
    /// The thread has come to its end: as it should, or with an error in words.
    fn ends(&mut self, _result: Result<(), String>) {}
    /// What an address is called: in a trace, a name that is the same at every run.
    fn name(&mut self, address: SocketAddr) -> String;
}

/// Makes a recorder, in the thread that will have it.
pub type MakeRecorder = Box<dyn FnOnce() -> Box<dyn Recorder> + Send>;

thread_local! {
    static RECORDER: RefCell<Option<Box<dyn Recorder>>> = const { RefCell::new(None) };
}

/// From now on, tells `recorder` of all that this thread does.
pub fn install(recorder: Box<dyn Recorder>) {
    RECORDER.with(|cell| *cell.borrow_mut() = Some(recorder));
}

/// Takes the recorder away again.
pub fn uninstall() {
    RECORDER.with(|cell| *cell.borrow_mut() = None);
}

/// Calls the recorder, or returns `None` where there is none.
pub(crate) fn with<T>(tell: impl FnOnce(&mut dyn Recorder) -> T) -> Option<T> {
    RECORDER.with(|cell| cell.borrow_mut().as_mut().map(|recorder| tell(recorder.as_mut())))
}

/// Makes one call, between the recorder's two questions. `make` notes what the call wrote.
///
/// # Errors
/// That of `make`.
pub(crate) fn traced<T>(call: Call, wait: Wait, make: impl FnOnce(&mut Call) -> io::Result<T>) -> io::Result<T> {
    traced_opening(call, wait, make, |_| None)
}

/// As [`traced`], for the calls that make a socket: `opened` is where it is.
///
/// # Errors
/// That of `make`.
pub(crate) fn traced_opening<T>(
    mut call: Call,
    wait: Wait,
    make: impl FnOnce(&mut Call) -> io::Result<T>,
    opened: impl Fn(&T) -> Option<BorrowedFd<'_>>,
) -> io::Result<T> {
    with(|recorder| recorder.before(&call, wait));
    let result = make(&mut call);
    match &result {
        Ok(_) => call.ret = call.ret.or(Some(0)),
        Err(error) => call.failed(error),
    }
    with(|recorder| recorder.after(call, result.as_ref().ok().and_then(opened)));
    result
}

/// What a role prints, as a trace has it: without the sequences that set a terminal's colours, `ESC [ … m`. Whatever
/// else is in it stays, to be shown as it is: `anstream::adapter::strip_str` would take that out, too.
pub fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain.extend(["\x1b[", part]),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_and_nothing_else() {
        assert_eq!(uncoloured("a \x1b[1;34;43mblue\x1b[0m word"), "a blue word");
        for text in ["", "plain 你好", "\x1b[2J\x1b[", "\u{1}\x1b(B", "\x1b[1;34"] {
            assert_eq!(uncoloured(text), text);
        }
    }
}
