//! What a check and its peers share: sandbox, clock, event log and random choices.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::budget::Clock;
use super::choices::Choices;
use super::event_log::EventLog;
use super::failure::{Done, Failure, Kind, Stop};
use super::gate::Gate;
use super::last_words;
use super::overhearing::Overhearing;
use super::snapshot::{self, ProcessSnapshot};
use crate::sandbox::{Ending, HostSocket, Layer, Sandbox};
use crate::view::text;

/// The time between two samples of a program that is waited for.
pub const SAMPLE_EVERY: Duration = Duration::from_millis(10);

/// The time between two questions about what is to come at once.
pub const ASK_EVERY: Duration = Duration::from_micros(200);

/// Samples with every thread asleep after which a program counts as hung: 100 × 10 ms. Time spent runnable does not
/// count.
pub const HANG_SAMPLES: u32 = 100;

/// The CPU time that a program may use in a wait without getting on: until it has started, and from then on.
const MAX_CPU_TO_START: Duration = Duration::from_secs(3);
const MAX_CPU_TO_ANSWER: Duration = Duration::from_secs(1);

/// The same for a program that was seen to spin in another check.
const MAX_CPU_OF_A_SPINNER: Duration = Duration::from_millis(400);

/// How many bytes of the end of what it has printed are evidence.
const MAX_PRINTED: usize = 2000;

/// How a wait ended.
pub enum WaitOutcome {
    /// What was waited for is true.
    Ready,
    /// The program ended before.
    Ended,
    /// The program hangs: it sleeps, and nothing that is still to come will wake it.
    Asleep(ProcessSnapshot),
    /// The program uses CPU without end.
    Spins(ProcessSnapshot),
    /// The program neither rests nor gets anywhere: how we know.
    Busy(ProcessSnapshot, String),
}

/// What a check and its peers share.
pub struct CheckContext {
    pub sandbox: RefCell<Sandbox>,
    pub clock: Clock,
    pub log: EventLog,
    pub choices: RefCell<Choices>,
    /// Samples with every thread asleep after which the program counts as hung.
    pub hang_samples: Cell<u32>,
    /// Whether the program has gone on waiting for more than a second when a part had come: then it need not prove
    /// again that it does, where it sleeps in no call on its socket.
    pub is_patient: Cell<bool>,
    /// How long after a question the slowest answer of ours was sent, since the program was started.
    pub slowest_answer: Cell<Duration>,
    /// The CPU time that the program may use in one wait without getting on.
    max_cpu: Cell<Duration>,
    /// What our peers have still to send, in words; `None` if that is nothing.
    pub unsent: RefCell<Option<String>>,
    /// How far the program has got.
    gate: Cell<Gate>,
    /// Set when the first check has shown that the program does not get through the gate.
    is_closed: Arc<AtomicBool>,
    /// What a peer of ours waits for right now, if that is certain bytes.
    pub wanted: RefCell<Option<Vec<u8>>>,
    /// Whether what was not as it must be was expected on standard output.
    pub is_about_output: Cell<bool>,
    /// What of the program's standard output and standard error is in the log.
    logged: [Logged; 2],
    ending_logged: Cell<bool>,
    /// Hears every packet on the host, if a capture is wanted.
    packets: Option<Overhearing>,
    /// What stopped us when nobody could be told.
    trouble: RefCell<Option<Stop>>,
}

/// Bytes of a stream that the program writes.
#[derive(Default)]
struct Logged {
    /// How many are in the log: whole lines.
    logged: Cell<usize>,
    /// In how many a line's end was looked for.
    seen: Cell<usize>,
}

impl Logged {
    /// The lines that have come since the last call, without their ends. The last one may be unfinished if the stream
    /// `has_ended`.
    fn new_lines<'a>(&self, kept: &'a [u8], has_ended: bool) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (logged, seen) = (self.logged.get(), self.seen.replace(kept.len()));
        // A line that never ends is not looked through again at each call.
        let whole = match kept.get(seen..).unwrap_or_default().iter().rposition(|byte| *byte == b'\n') {
            _ if has_ended => kept.len(),
            Some(end) => seen + end + 1,
            None => logged,
        };
        self.logged.set(whole);
        let lines = kept.get(logged..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }
}

impl CheckContext {
    pub fn new(
        sandbox: Sandbox,
        clock: Clock,
        log: EventLog,
        choices: Choices,
        packets: Option<Overhearing>,
        is_closed: Arc<AtomicBool>,
    ) -> CheckContext {
        CheckContext {
            sandbox: RefCell::new(sandbox),
            clock,
            log,
            choices: RefCell::new(choices),
            hang_samples: Cell::new(HANG_SAMPLES),
            is_patient: Cell::new(false),
            slowest_answer: Cell::default(),
            max_cpu: Cell::new(MAX_CPU_TO_START),
            unsent: RefCell::new(None),
            gate: Cell::new(Gate::Start),
            is_closed,
            wanted: RefCell::new(None),
            is_about_output: Cell::new(false),
            logged: Default::default(),
            ending_logged: Cell::new(false),
            packets,
            trouble: RefCell::default(),
        }
    }

    /// Notes what stops the check where it cannot be told at once. The first counts.
    pub fn note_trouble(&self, stop: Stop) {
        self.trouble.borrow_mut().get_or_insert(stop);
    }

    /// What was noted so.
    pub fn take_trouble(&self) -> Option<Stop> {
        self.trouble.take()
    }

    /// The exercise's port, on the attempt's host.
    pub fn address(&self) -> SocketAddr {
        self.sandbox.borrow().address()
    }

    /// Whether no other program of this machine can have the host's ports.
    pub fn has_private_host(&self) -> bool {
        self.sandbox.borrow().protection().layers.has(Layer::Network)
    }

    /// Lets the program run for at most `time`. Returns whether `socket` is ready.
    pub fn poll(&self, socket: Option<(BorrowedFd<'_>, PollFlags)>, time: Duration) -> Done<bool> {
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        if let Some((fd, flags)) = socket {
            fds.push(PollFd::from_borrowed_fd(fd, flags));
        }
        self.sandbox.borrow_mut().wait(&mut fds, time)?;
        self.log_packets();
        self.log_output();
        Ok(fds.iter().any(|fd| !fd.revents().is_empty()))
    }

    /// Logs the packets that have passed on the host since the last call, if a capture is wanted.
    fn log_packets(&self) {
        if let Some(packets) = &self.packets {
            packets.log(&self.log, self.address());
        }
    }

    /// Logs the last packets, and how many are not kept.
    pub fn finish_packets(&self) {
        if let Some(packets) = &self.packets {
            packets.finish(&self.log, self.address());
        }
    }

    /// Logs what the program has written since the last call, line by line, and its end.
    fn log_output(&self) {
        let sandbox = self.sandbox.borrow();
        self.log_lines(&sandbox, sandbox.ended().is_some());
        if let Some(ending) = sandbox.ended()
            && !self.ending_logged.replace(true)
        {
            self.log.step(format!("the program {}", snapshot::how_it_ended(ending)));
        }
    }

    fn log_lines(&self, sandbox: &Sandbox, has_ended: bool) {
        let (output, [printed, complained]) = (sandbox.output(), &self.logged);
        for line in printed.new_lines(&output.stdout.kept, has_ended) {
            self.log.add_output_line(&text::readable(line));
        }
        let complaints = complained.new_lines(&output.stderr.kept, has_ended);
        for line in complaints.filter(|line| !last_words::is_ours(line)) {
            self.log.add_error_line(&text::readable(line));
        }
    }

    /// Logs the lines that the program has not ended: nothing more is read of it.
    pub fn finish_output(&self) {
        self.log_lines(&self.sandbox.borrow(), true);
    }

    /// Notes that a program is being started, perhaps again.
    pub fn note_start(&self) {
        self.max_cpu.set(MAX_CPU_TO_START);
        self.slowest_answer.set(Duration::ZERO);
        self.ending_logged.set(false);
        for stream in &self.logged {
            stream.logged.set(0);
            stream.seen.set(0);
        }
    }

    /// Notes what the program must do to get through the gate, unless it is through.
    pub fn await_at_gate(&self, gate: Gate) {
        if self.gate.get() != Gate::Passed {
            self.gate.set(gate);
        }
    }

    /// Notes that the program has opened its port, or come to our server: from now on it has only to answer.
    pub fn note_ready(&self) {
        self.gate.set(Gate::Passed);
        self.max_cpu.set(MAX_CPU_TO_ANSWER);
    }

    /// The CPU time that the program may use in one wait without getting on.
    pub fn max_cpu(&self) -> Duration {
        let most = self.max_cpu.get();
        if most == MAX_CPU_TO_ANSWER && self.clock.has_spun() { MAX_CPU_OF_A_SPINNER } else { most }
    }

    /// How far the program has got.
    pub fn gate(&self) -> Gate {
        self.gate.get()
    }

    /// Whether nothing that this check could find counts any more.
    pub fn is_needless(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// A failure with what is known of the program in `snapshot`, and of its end if it has ended.
    pub fn failure_at(&self, kind: Kind, what: impl Into<String>, snapshot: Option<&ProcessSnapshot>) -> Failure {
        let mut failure = Failure::new(kind, what);
        let mut sandbox = self.sandbox.borrow_mut();
        if let Some(ending) = sandbox.ended().cloned() {
            failure.seen.ending = Some(ending.how.clone());
            failure.kind = if ending.limit.is_some() { Kind::Limit } else { Kind::Ended };
            failure.why.push(format!("the program {}", snapshot::how_it_ended(&ending)));
        } else if let Some(snapshot) = snapshot {
            let host = sandbox.sockets().unwrap_or_default();
            failure.seen.sleeps = snapshot.sleeps();
            failure.seen.unread = Some(snapshot.has_unread(&host));
            failure.why.extend(snapshot.explained(&host, self.unsent.borrow().as_deref()));
        }
        match sandbox.killed_for_memory() {
            Ok(0) => {}
            Ok(killed) => {
                failure.kind = Kind::Limit;
                let what = "of its processes were killed, because together they took more memory than they may";
                failure.why.push(format!("{killed} {what}"));
            }
            Err(fault) => failure.why.push(fault.to_string()),
        }
        let output = sandbox.output();
        failure.seen.printed = [end_of(&output.stdout.kept), end_of(&output.stderr.kept)].concat();
        failure.last_words = last_words::excerpt(&output.stderr.kept);
        failure
    }

    /// The sockets of the program's host; where that is this machine itself, only those that the program has open.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn sockets_of_program(&self) -> Done<Vec<HostSocket>> {
        let mut all = self.sandbox.borrow_mut().sockets()?;
        if !self.has_private_host() {
            let look = self.sandbox.borrow_mut().look()?;
            let inodes: Vec<u64> =
                look.processes.iter().flat_map(|process| process.sockets.iter().map(|(_, inode)| *inode)).collect();
            all.retain(|socket| inodes.contains(&u64::from(socket.inode)));
        }
        Ok(all)
    }

    /// How the program ended, if it has.
    pub fn ended(&self) -> Option<Ending> {
        self.sandbox.borrow().ended().cloned()
    }
}

/// The end of what a program wrote.
fn end_of(written: &[u8]) -> &[u8] {
    &written[written.len().saturating_sub(MAX_PRINTED)..]
}
