//! How a check waits for the program, and how a wait ends that brings nothing: by the program's own doing, as far as
//! that is to be known.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::budget::{MAX_ATTEMPT, MAX_CHECK, MAX_CLOCK, MAX_STARTED, MAX_WAIT, MAX_WAIT_CLOCK, Moment, Standing};
use super::context::{CheckContext, SAMPLE_EVERY, WaitOutcome};
use super::failure::{Done, Failure, Kind, Stop};
use super::snapshot::ProcessSnapshot;
use crate::sandbox::{HostSocket, Sandbox, Tally};

/// The longest time that passes without a look, in waits that all end soon.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The longest time between two questions about what is to come soon.
const SLOWEST_ASK: Duration = Duration::from_millis(2);

/// Looks take at most one part of this many of a processor.
const PART_TO_LOOK: u32 = 4;

/// Written output excuses a program that sleeps only if it is as much as the smallest pipe holds: then it may have
/// waited for us to read it.
const PIPE: u64 = 4096;

impl CheckContext {
    /// Waits until `socket` is ready for `flags` or `done` holds, or the program can no longer bring that about.
    ///
    /// # Errors
    /// A fault of ours, a failure if the attempt's time is over, or what `done` returns.
    pub fn wait(
        &self,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        mut done: impl FnMut(&mut Sandbox) -> Done<bool>,
    ) -> Done<WaitOutcome> {
        self.wait_asking_every(SAMPLE_EVERY, socket, &mut done)
    }

    /// As [`wait`](CheckContext::wait), with `interval` as the time between the first two calls of `done`. It grows:
    /// what has not come at once is asked for less and less often.
    ///
    /// # Errors
    /// As [`wait`](CheckContext::wait).
    pub fn wait_asking_every(
        &self,
        interval: Duration,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        done: &mut dyn FnMut(&mut Sandbox) -> Done<bool>,
    ) -> Done<WaitOutcome> {
        self.look_if_due()?;
        let mut wait = Wait::begin(self);
        let (mut asleep, mut written) = (0, self.sandbox.borrow().output().total());
        let (mut last_sample, mut every) = (Instant::now(), SAMPLE_EVERY);
        let mut pause = interval;
        loop {
            let ended = self.sandbox.borrow().ended().is_some();
            let ready = self.poll(socket, if ended { Duration::ZERO } else { pause })?;
            pause = pause.max((pause * 3 / 2).min(SLOWEST_ASK));
            if ready || done(&mut self.sandbox.borrow_mut())? {
                return Ok(WaitOutcome::Ready);
            }
            if ended {
                return Ok(WaitOutcome::Ended);
            }
            if last_sample.elapsed() < every {
                continue;
            }
            let moment = self.look()?;
            (last_sample, every) = (Instant::now(), SAMPLE_EVERY.max(moment.looking * PART_TO_LOOK));
            // A program that writes more than a pipe holds sleeps until we have read it.
            let now = self.sandbox.borrow().output().total();
            let writes_much = now - std::mem::replace(&mut written, now) >= PIPE;
            if moment.tally.asleep && !writes_much {
                asleep += 1;
            }
            if asleep >= self.hang_samples.get() {
                return Ok(WaitOutcome::Asleep(self.snapshot()?));
            }
            let most = MAX_WAIT.max(2 * self.hang_samples.get() * SAMPLE_EVERY);
            match wait.excess(self, &moment, most)?.1 {
                None => {}
                Some(Excess::Cpu) => return Ok(WaitOutcome::Spins(self.snapshot()?)),
                Some(excess) => return Ok(WaitOutcome::Busy(self.snapshot()?, excess.in_words(most))),
            }
            wait.is_bounded()?;
        }
    }

    /// Waits until the program sleeps, having done all that it can do by itself; or has ended.
    ///
    /// # Errors
    /// A failure, if it does not come to rest.
    pub fn settle(&self) -> Done {
        /// Two equal samples would do: no thread has run between them.
        const EQUAL_SAMPLES: u32 = 2;
        const SETTLE_EVERY: Duration = Duration::from_millis(2);
        /// After this time a program that sleeps now is at rest, although it wakes up again and again for a little.
        const RESTLESS: Duration = Duration::from_secs(2);
        let (mut wait, mut equal, mut last) = (Wait::begin(self), 0, None::<Tally>);
        while equal < EQUAL_SAMPLES {
            self.poll(None, SETTLE_EVERY)?;
            if self.sandbox.borrow().ended().is_some() {
                return Ok(());
            }
            let moment = self.look()?;
            let same = last.is_some_and(|last| last.activity == moment.tally.activity);
            equal = if moment.tally.asleep && same { equal + 1 } else { 0 };
            last = Some(moment.tally);
            let used = self.restless(&mut wait, &moment)?;
            if used.own >= RESTLESS && moment.tally.asleep && used.is_light() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits until the program has used next to no CPU for a second; or has ended.
    ///
    /// # Errors
    /// A failure, if it goes on using CPU.
    pub fn rest(&self) -> Done {
        const REST: Duration = Duration::from_secs(1);
        /// It is the whole second that counts.
        const LOOK_AT_REST: Duration = Duration::from_millis(50);
        self.settle()?;
        let (mut whole, mut second) = (Wait::begin(self), Wait::begin(self));
        while self.ended().is_none() {
            self.poll(None, LOOK_AT_REST)?;
            if self.clock.age() < LOOK_AT_REST || self.ended().is_some() {
                continue;
            }
            let moment = self.look()?;
            self.restless(&mut whole, &moment)?;
            let used = second.so_far(&moment);
            if used.own >= REST {
                if used.is_light() {
                    return Ok(());
                }
                second = Wait::begin(self);
            }
        }
        Ok(())
    }

    /// What the program has done in a wait for its rest.
    ///
    /// # Errors
    /// A failure, if that is too much.
    fn restless(&self, wait: &mut Wait, moment: &Moment) -> Done<SoFar> {
        let (used, excess) = wait.excess(self, moment, MAX_WAIT)?;
        let Some(excess) = excess else {
            wait.is_bounded()?;
            return Ok(used);
        };
        let mut failure = self.failure_at(Kind::Spins, "it does not come to rest", Some(&self.snapshot()?));
        failure.why.insert(0, excess.in_words(MAX_WAIT));
        Err(failure.into())
    }

    /// Lets the program run for `time`, or until it ends.
    ///
    /// # Errors
    /// A fault of ours, or a failure if the attempt's time is over.
    pub fn pass_time(&self, time: Duration) -> Done {
        let until = Instant::now() + time;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() || self.ended().is_some() {
                return Ok(());
            }
            self.poll(None, rest.min(LOOK_EVERY))?;
            self.look_if_due()?;
        }
    }

    /// A failure with what is known of the program: in `snapshot`, or once it has come to rest.
    pub fn failure(&self, kind: Kind, what: impl Into<String>, snapshot: Option<&ProcessSnapshot>) -> Failure {
        if snapshot.is_none() {
            // A program that closes its connections because it is ending has ended then. If it does not come to rest,
            // it has failed already.
            let _ = self.settle();
        }
        self.failure_at(kind, what, snapshot)
    }

    /// The failure of a wait that did not end as it must.
    pub fn unmet(&self, waited: &WaitOutcome, what: impl Into<String>) -> Failure {
        match waited {
            WaitOutcome::Asleep(snapshot) => self.failure(Kind::Hangs, what, Some(snapshot)),
            WaitOutcome::Spins(snapshot) => self.failure(Kind::Spins, what, Some(snapshot)),
            WaitOutcome::Busy(snapshot, why) => {
                let mut failure = self.failure(Kind::Spins, what, Some(snapshot));
                failure.why.insert(0, why.clone());
                failure
            }
            WaitOutcome::Ready | WaitOutcome::Ended => self.failure(Kind::Wrong, what, None),
        }
    }

    /// What ends a check in which our side was late: the attempt's fault, if it keeps the processors busy.
    pub fn late(&self, what: String) -> Stop {
        if !self.clock.is_busy_by_itself() {
            return Stop::Fault(format!("the machine let {what}"));
        }
        self.failure(Kind::Spins, format!("it keeps the machine so busy that it let {what}"), None).into()
    }

    /// Looks at the program and at the time.
    fn look(&self) -> Done<Moment> {
        if self.is_needless() {
            return Err(Stop::Needless);
        }
        let moment = self.clock.look(&mut self.sandbox.borrow_mut())?;
        let over = match moment.standing {
            Standing::Within => return Ok(moment),
            Standing::CheckOver => format!("the {} s of time that each check has are over", MAX_CHECK.as_secs()),
            Standing::AttemptOver => over(),
            Standing::MachineOver => return Err(too_busy(MAX_CLOCK)),
        };
        let mut failure = self.failure_at(Kind::Limit, over, Some(&self.snapshot()?));
        failure.kind = Kind::Limit;
        Err(failure.into())
    }

    fn look_if_due(&self) -> Done {
        if self.clock.age() >= LOOK_EVERY && self.ended().is_none() { self.look().map(drop) } else { Ok(()) }
    }

    /// What the program changes as it gets on.
    fn progress(&self) -> Done<Progress> {
        Ok((self.sockets_of_program()?, self.sandbox.borrow().output().total()))
    }

    fn snapshot(&self) -> Done<ProcessSnapshot> {
        ProcessSnapshot::take(&mut self.sandbox.borrow_mut())
    }
}

/// What a failure says when the whole attempt's time is over.
pub fn over() -> String {
    format!("the {} s of time that the whole attempt has are over", MAX_ATTEMPT.as_secs())
}

/// The stop of a wait that the machine has made too long.
pub fn too_busy(time: Duration) -> Stop {
    Stop::TooBusy(format!(
        "the machine was busy with something else: it gave the program too little processor time within {} s",
        time.as_secs()
    ))
}

/// One wait, since its beginning.
struct Wait {
    began: Instant,
    own: Duration,
    /// What the program had done at the first look.
    first: Option<Tally>,
    /// What had been done when it had last got on, as far as is known.
    got_on: Option<Tally>,
    /// What there was to see of its getting on, when it had used a part of its processor time.
    seen: Option<Progress>,
}

/// What a program that gets on changes: its host's sockets, with their queues, and how much it has printed.
type Progress = (Vec<HostSocket>, u64);

/// What came in a wait so far.
#[derive(Clone, Copy)]
struct SoFar {
    own: Duration,
    cpu: Duration,
    started: u64,
}

/// What a program did too much of.
#[derive(PartialEq, Eq)]
enum Excess {
    Cpu,
    Starts,
    Time,
}

impl Wait {
    fn begin(context: &CheckContext) -> Wait {
        Wait { began: Instant::now(), own: context.clock.own(), first: None, got_on: None, seen: None }
    }

    fn so_far(&mut self, moment: &Moment) -> SoFar {
        let first = self.first.get_or_insert(moment.tally);
        SoFar {
            own: moment.own.saturating_sub(self.own),
            cpu: moment.tally.cpu.saturating_sub(first.cpu),
            started: moment.tally.started.saturating_sub(first.started),
        }
    }

    /// What came in this wait so far, and what of it is too much. Processor time is too much only if the program has
    /// got nowhere with it: one that reads a large message byte by byte is slow, and does not spin.
    fn excess(&mut self, context: &CheckContext, moment: &Moment, max_own: Duration) -> Done<(SoFar, Option<Excess>)> {
        /// Of the processor time that it may use without getting on, the part after which it is looked at.
        const PART: u32 = 4;
        let (used, most) = (self.so_far(moment), context.max_cpu());
        let in_vain = moment.tally.cpu.saturating_sub(self.got_on.get_or_insert(moment.tally).cpu);
        let mut cpu = Duration::ZERO;
        if in_vain >= most / PART {
            let now = context.progress()?;
            match &self.seen {
                None => self.seen = Some(now),
                Some(seen) if *seen == now => cpu = in_vain,
                Some(_) => (self.got_on, self.seen) = (Some(moment.tally), None),
            }
        }
        let excess = SoFar { cpu, ..used }.verdict(most, max_own);
        if excess == Some(Excess::Cpu) {
            context.clock.note_spin();
        }
        Ok((used, excess))
    }

    /// The longest wait, however slow the machine is.
    fn is_bounded(&self) -> Done {
        if self.began.elapsed() >= MAX_WAIT_CLOCK { Err(too_busy(MAX_WAIT_CLOCK)) } else { Ok(()) }
    }
}

impl SoFar {
    /// What the program did too much of, if anything.
    fn verdict(&self, max_cpu: Duration, max_own: Duration) -> Option<Excess> {
        if self.cpu >= max_cpu {
            Some(Excess::Cpu)
        } else if self.started >= MAX_STARTED {
            Some(Excess::Starts)
        } else {
            (self.own >= max_own).then_some(Excess::Time)
        }
    }

    /// Whether a program that did no more than this may be called at rest.
    fn is_light(&self) -> bool {
        self.cpu * 5 < self.own && u128::from(self.started) * 20 < self.own.as_millis()
    }
}

impl Excess {
    fn in_words(&self, time: Duration) -> String {
        match self {
            Excess::Cpu => {
                "its processes have used too much processor time, those that have ended among them".to_owned()
            }
            Excess::Starts => format!("it has started {MAX_STARTED} processes and threads meanwhile"),
            Excess::Time => format!(
                "it has neither come to rest nor got on for {} s, without the time in which the machine let it wait",
                time.as_secs()
            ),
        }
    }
}
