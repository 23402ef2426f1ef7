//! Starting programs, a few at a time, and waiting for them: always within a bound.

use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// How long a program of these tests may take: a bound, not a measure.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How many programs run at a time. A lab needs a processor for a fifth of its time: together they keep one busy. With
/// more of them beside other work, scenes are late for want of one.
pub const AT_A_TIME: usize = 5;

/// A program that ends with its test, however that ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A right to run a program, given back at its end; there are [`AT_A_TIME`].
struct Turn;

static FREE: Mutex<usize> = Mutex::new(AT_A_TIME);
static GIVEN_BACK: Condvar = Condvar::new();

impl Turn {
    fn take() -> Turn {
        let free = FREE.lock().expect("the turns");
        *GIVEN_BACK.wait_while(free, |free| *free == 0).expect("the turns") -= 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE.lock().expect("the turns") += 1;
        GIVEN_BACK.notify_one();
    }
}

/// Runs a command with no input, when its turn has come: at most [`AT_A_TIME`] run at once.
pub fn run(command: &mut Command) -> Output {
    let _turn = Turn::take();
    start_and_finish(command)
}

fn start_and_finish(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Closes a program's standard input and takes what it prints until it ends, whoever else holds its output then. One
/// that does not end within [`PATIENCE`] is killed, and the test fails.
pub fn finish(child: Child) -> Output {
    finish_within(child, PATIENCE)
}

fn finish_within(mut child: Child, patience: Duration) -> Output {
    drop(child.stdin.take());
    let (mut stdout, mut stderr) = (Stream::new(child.stdout.take()), Stream::new(child.stderr.take()));
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("a pidfd");
    let until = Instant::now() + patience;
    let mut has_ended = false;
    while !has_ended {
        let pipes = [&stdout.pipe, &stderr.pipe].into_iter().flatten();
        let mut fds: Vec<PollFd> = pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
        fds.push(PollFd::new(&pidfd, PollFlags::IN));
        let ready = poll(&mut fds, Some(&timespec(until.saturating_duration_since(Instant::now())))).expect("poll");
        has_ended = fds.last().is_some_and(|fd| !fd.revents().is_empty());
        // What it printed before it ended is in the pipe by then.
        stdout.take_what_is_there();
        stderr.take_what_is_there();
        if ready == 0 {
            let _ = child.kill().and_then(|()| child.wait());
            panic!("no end within {patience:?}; until then: {}", String::from_utf8_lossy(&stdout.bytes));
        }
    }
    let status = child.wait().expect("a status");
    Output { status, stdout: stdout.bytes, stderr: stderr.bytes }
}

/// One stream of a program, as far as it was read.
struct Stream {
    /// `None` at its end.
    pipe: Option<Box<dyn Pipe>>,
    bytes: Vec<u8>,
}

trait Pipe: Read + AsFd {}

impl<T: Read + AsFd> Pipe for T {}

impl Stream {
    fn new(pipe: Option<impl Pipe + 'static>) -> Stream {
        if let Some(pipe) = &pipe {
            let flags = fcntl_getfl(pipe).expect("its flags");
            fcntl_setfl(pipe, flags | OFlags::NONBLOCK).expect("a pipe that does not block");
        }
        Stream { pipe: pipe.map(|pipe| Box::new(pipe) as Box<dyn Pipe>), bytes: Vec::new() }
    }

    fn take_what_is_there(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.read_to_end(&mut self.bytes) {
            Ok(_) => self.pipe = None,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "the program's output: {error}"),
        }
    }
}

/// Waits for what only a look at `/proc` tells: looks every few milliseconds, and sleeps in between.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        poll(&mut [], Some(&timespec(Duration::from_millis(5)))).expect("a timer");
    }
}

/// Whether a process ends within `patience`.
pub fn has_ended(pidfd: impl AsFd, patience: Duration) -> bool {
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timespec(patience))).expect("poll") > 0
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
}

#[test]
fn a_grandchild_that_holds_the_output_keeps_nobody_waiting() {
    let began = Instant::now();
    let output = run(Command::new("sh").args(["-c", "sleep 60 & echo $!; exec echo done"]));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (grandchild, rest) = text.split_once('\n').expect("two lines");
    let _ = run(Command::new("kill").arg(grandchild));
    assert_eq!(rest, "done\n");
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
}

#[test]
fn a_program_that_does_not_end_is_killed_and_what_it_printed_is_told() {
    let mut endless = Command::new("sh");
    endless.args(["-c", "echo begun; sleep 60 & exec sleep 60"]).stdout(Stdio::piped());
    let child = endless.spawn().expect("sh starts");
    let failed = std::panic::catch_unwind(|| finish_within(child, Duration::from_millis(300)));
    let words = *failed.expect_err("it fails").downcast::<String>().expect("words");
    assert!(words.contains("until then: begun"), "{words}");
}
