//! What a check and its peers share: sandbox, event log, random choices, and how to wait.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::choices::Choices;
use super::event_log::EventLog;
use super::failure::{Done, Failure, Kind, Stop};
use super::overhearing::Overhearing;
use super::snapshot::{self, ProcessSnapshot};
use crate::sandbox::{Ending, Sandbox};
use crate::view::text;

/// The time between two samples of a program that is waited for.
pub const SAMPLE_EVERY: Duration = Duration::from_millis(10);

/// Samples with every thread asleep after which a program counts as hung: 100 × 10 ms. Time spent runnable does not
/// count.
pub const HANG_SAMPLES: u32 = 100;

/// The CPU time that a program may use until it has started, and in each wait from then on.
const MAX_CPU_TO_START: Duration = Duration::from_secs(3);
const MAX_CPU_TO_ANSWER: Duration = Duration::from_secs(1);

/// The longest wait, however slow the machine is.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// How many bytes of the end of standard error a report keeps.
const MAX_LAST_WORDS: usize = 2000;

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
}

/// What a check and its peers share.
pub struct CheckContext {
    pub sandbox: RefCell<Sandbox>,
    pub log: EventLog,
    pub choices: RefCell<Choices>,
    /// Samples with every thread asleep after which the program counts as hung.
    pub hang_samples: Cell<u32>,
    /// The CPU time that the program may use in one wait.
    max_cpu: Cell<Duration>,
    /// What our peers have still to send, in words; `None` if that is nothing.
    pub unsent: RefCell<Option<String>>,
    /// How many bytes of the program's standard output are in the log.
    output_logged: Cell<usize>,
    ending_logged: Cell<bool>,
    /// Hears every packet on the host, if a capture is wanted.
    packets: Option<Overhearing>,
}

impl CheckContext {
    pub fn new(sandbox: Sandbox, log: EventLog, choices: Choices, packets: Option<Overhearing>) -> CheckContext {
        CheckContext {
            sandbox: RefCell::new(sandbox),
            log,
            choices: RefCell::new(choices),
            hang_samples: Cell::new(HANG_SAMPLES),
            max_cpu: Cell::new(MAX_CPU_TO_START),
            unsent: RefCell::new(None),
            output_logged: Cell::new(0),
            ending_logged: Cell::new(false),
            packets,
        }
    }

    /// The exercise's port, on the attempt's host.
    pub fn address(&self) -> SocketAddr {
        self.sandbox.borrow().address()
    }

    /// Waits until `socket` is ready for `flags` or `done` holds, or the program can no longer bring that about.
    ///
    /// # Errors
    /// A fault of ours, or what `done` returns.
    pub fn wait(
        &self,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        mut done: impl FnMut(&mut Sandbox) -> Done<bool>,
    ) -> Done<WaitOutcome> {
        self.wait_asking_every(SAMPLE_EVERY, socket, &mut done)
    }

    /// As [`wait`](CheckContext::wait), with `interval` as the longest time between two calls of `done`.
    ///
    /// # Errors
    /// As [`wait`](CheckContext::wait).
    pub fn wait_asking_every(
        &self,
        interval: Duration,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        done: &mut dyn FnMut(&mut Sandbox) -> Done<bool>,
    ) -> Done<WaitOutcome> {
        let began = Instant::now();
        let (mut last_sample, mut asleep, mut first) = (began, 0, None::<ProcessSnapshot>);
        let mut written = self.sandbox.borrow().output().total();
        loop {
            let ended = self.sandbox.borrow().ended().is_some();
            let ready = self.poll(socket, if ended { Duration::ZERO } else { interval })?;
            if ready || done(&mut self.sandbox.borrow_mut())? {
                return Ok(WaitOutcome::Ready);
            }
            if ended {
                return Ok(WaitOutcome::Ended);
            }
            if last_sample.elapsed() < SAMPLE_EVERY {
                continue;
            }
            last_sample = Instant::now();
            let snapshot = ProcessSnapshot::take(&mut self.sandbox.borrow_mut())?;
            let before = first.get_or_insert_with(|| snapshot.clone());
            // A program that writes more than a pipe holds sleeps until we have read it.
            let now = self.sandbox.borrow().output().total();
            let writes = std::mem::replace(&mut written, now) != now;
            if snapshot.is_asleep() && !writes {
                asleep += 1;
            }
            if asleep >= self.hang_samples.get() {
                return Ok(WaitOutcome::Asleep(snapshot));
            }
            if snapshot.cpu().saturating_sub(before.cpu()) >= self.max_cpu.get() {
                return Ok(WaitOutcome::Spins(snapshot));
            }
            if began.elapsed() >= MAX_WAIT {
                let what = "the machine gave the program too little processor time to answer";
                return Err(Stop::Fault(format!("{what} within {} s", MAX_WAIT.as_secs())));
            }
        }
    }

    /// Waits until the program sleeps, having done all that it can do by itself; or has ended.
    ///
    /// # Errors
    /// A failure, if it uses CPU without end.
    pub fn settle(&self) -> Done {
        /// Two equal samples would do: no thread has run between them.
        const EQUAL_SAMPLES: u32 = 2;
        const SETTLE_EVERY: Duration = Duration::from_millis(2);
        /// After this time a program that sleeps now is at rest, although it wakes up again and again.
        const RESTLESS: Duration = Duration::from_secs(2);
        let (began, mut equal) = (Instant::now(), 0);
        let (mut first, mut last) = (None::<ProcessSnapshot>, None::<ProcessSnapshot>);
        while equal < EQUAL_SAMPLES {
            self.poll(None, SETTLE_EVERY)?;
            if self.sandbox.borrow().ended().is_some() {
                return Ok(());
            }
            let snapshot = ProcessSnapshot::take(&mut self.sandbox.borrow_mut())?;
            let same = |last: &ProcessSnapshot| last.context_switches() == snapshot.context_switches();
            equal = if snapshot.is_asleep() && last.as_ref().is_some_and(same) { equal + 1 } else { 0 };
            let before = first.get_or_insert_with(|| snapshot.clone());
            if snapshot.cpu().saturating_sub(before.cpu()) >= self.max_cpu.get() {
                return Err(self.failure(Kind::Spins, "it does not come to rest", Some(&snapshot)).into());
            }
            if began.elapsed() >= RESTLESS && snapshot.is_asleep() || began.elapsed() >= MAX_WAIT {
                return Ok(());
            }
            last = Some(snapshot);
        }
        Ok(())
    }

    /// Lets the program run for `time`, or until it ends.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn pass_time(&self, time: Duration) -> Done {
        let until = Instant::now() + time;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() || self.ended().is_some() {
                return Ok(());
            }
            self.poll(None, rest)?;
        }
    }

    /// Lets the program run for at most `time`. Returns whether `socket` is ready.
    fn poll(&self, socket: Option<(BorrowedFd<'_>, PollFlags)>, time: Duration) -> Done<bool> {
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

    /// Logs what the program has printed since the last call, line by line, and its end.
    fn log_output(&self) {
        let sandbox = self.sandbox.borrow();
        let new = sandbox.output().stdout.kept.get(self.output_logged.get()..).unwrap_or_default();
        let whole = match new.iter().rposition(|byte| *byte == b'\n') {
            _ if sandbox.ended().is_some() => new.len(),
            Some(end) => end + 1,
            None => 0,
        };
        for line in new[..whole].split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.log.add_output_line(&text::escaped(line));
        }
        self.output_logged.set(self.output_logged.get() + whole);
        if let Some(ending) = sandbox.ended()
            && !self.ending_logged.replace(true)
        {
            self.log.step(format!("the program {}", snapshot::how_it_ended(ending)));
        }
    }

    /// Notes that a program is being started, perhaps again.
    pub fn note_start(&self) {
        self.max_cpu.set(MAX_CPU_TO_START);
        self.ending_logged.set(false);
        self.output_logged.set(0);
    }

    /// Notes that the program has opened its port, or connected: from now on it has only to answer.
    pub fn note_ready(&self) {
        self.max_cpu.set(MAX_CPU_TO_ANSWER);
    }

    /// A failure with what is known of the program: in `snapshot`, or once it has come to rest.
    pub fn failure(&self, kind: Kind, what: impl Into<String>, snapshot: Option<&ProcessSnapshot>) -> Failure {
        let mut failure = Failure::new(kind, what);
        if snapshot.is_none() {
            // A program that closes its connections because it is ending has ended then.
            let _ = self.settle();
        }
        let mut sandbox = self.sandbox.borrow_mut();
        if let Some(ending) = sandbox.ended().cloned() {
            failure.kind = if ending.limit.is_some() { Kind::Limit } else { Kind::Ended };
            failure.why.push(format!("the program {}", snapshot::how_it_ended(&ending)));
        } else if let Some(snapshot) = snapshot {
            let host = sandbox.sockets().unwrap_or_default();
            failure.why.extend(snapshot.explained(&host, self.unsent.borrow().as_deref()));
        }
        let written = &sandbox.output().stderr.kept;
        failure.last_words = written[written.len().saturating_sub(MAX_LAST_WORDS)..].to_vec();
        failure
    }

    /// The failure of a wait that did not end as it must.
    pub fn unmet(&self, waited: &WaitOutcome, what: impl Into<String>) -> Failure {
        match waited {
            WaitOutcome::Asleep(snapshot) => self.failure(Kind::Hangs, what, Some(snapshot)),
            WaitOutcome::Spins(snapshot) => self.failure(Kind::Spins, what, Some(snapshot)),
            WaitOutcome::Ready | WaitOutcome::Ended => self.failure(Kind::Wrong, what, None),
        }
    }

    /// How the program ended, if it has.
    pub fn ended(&self) -> Option<Ending> {
        self.sandbox.borrow().ended().cloned()
    }
}
