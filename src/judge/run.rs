//! All checks of an exercise, applied to one attempt, side by side.

use std::ffi::OsString;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::attempt::Attempt;
use super::budget::{Budget, Clock, Cost, MAX_CHECK, MAX_CLOCK, MAX_SHRINKING, Standing};
use super::choices::{self, Choices};
use super::context::CheckContext;
use super::event_log::Recording;
use super::exercise::{Check, Exercise};
use super::failure::{Done, Failure, Kind, Stop};
use super::gate::{self, Gate};
use super::grade::{Checked, Grade, Outcome};
use super::misdirected;
use super::overhearing::Overhearing;
use super::panics;
use super::seed::Seed;
use super::semaphore::{Semaphore, lock};
use super::waiting;
use super::wrong::{self, Misconception};
use crate::sandbox::{LARGEST_ARCHIVE, LeftBehind, Limits, Sandbox, SandboxConfig};

/// The most checks under way at once. Of these at most as many start their program as there are processors; the others
/// wait for theirs to answer. So many may all have what one may have.
const MAX_CHECKS_AT_ONCE: usize = 8;

// What they may have together is never what ends one of them: else a verdict would depend on the others.
const _: () = {
    let unpacked = LARGEST_ARCHIVE.div_ceil(1 << 20);
    let each = Limits::MEMORY_MIB + unpacked + Limits::BESIDES_MIB;
    assert!(MAX_CHECKS_AT_ONCE as u64 * each <= Limits::ATTEMPT_MIB);
};

/// What the log calls the exercise's port on the attempt's host.
const HOST_AND_PORT: &str = "HOST:PORT";

/// How often the first failing check is applied again at most, to shrink its choices.
const MAX_SHRINK_TRIES: usize = 40;

/// How long that may take at most, and until when since the judging began it may: a person waits for the report.
const MAX_SHRINK_TIME: Duration = Duration::from_millis(1500);
const MAX_SHRINK_END: Duration = Duration::from_millis(2500);

/// What is to be judged, and how.
pub struct Judging<'a> {
    /// `30`, `30-client`.
    pub id: &'a str,
    /// Its checks, and the port on which an attempt listens or to which it connects.
    pub exercise: &'a Exercise,
    /// The misconceptions with which the result is compared.
    pub wrong: &'a [Misconception],
    /// The program as a person typed it.
    pub typed: Vec<String>,
    /// The program and its arguments, ready to be executed.
    pub argv: Vec<OsString>,
    /// Its environment, without `HOST` and `PORT`.
    pub env: Vec<(String, String)>,
    /// The sandbox of each check. If it captures, the packets on the attempt's host are logged, too.
    pub sandbox: SandboxConfig,
    /// What the attempt has cost already: its build.
    pub built: Cost,
    /// Decides the numbers that the checks draw.
    pub seed: Seed,
    /// Apply only this check.
    pub only: Option<&'a str>,
    /// The numbers that the check draws, in place of those of the seed.
    pub case: Option<Vec<u64>>,
    /// Called with the number of checks that are done.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Applies the checks side by side, each to a program that is started anew.
pub fn judge(judging: &Judging<'_>) -> Grade {
    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (starts, protection) =
        (Semaphore::new(thread::available_parallelism().map_or(1, usize::from)), Mutex::new(None));
    let (budget, is_closed) = (Budget::after(judging.built), Arc::new(AtomicBool::new(false)));
    let port = port_of(&judging.seed, judging.id);
    let sandbox = SandboxConfig { port, ..judging.sandbox.clone() };
    let wanted = judging.exercise.checks.iter().filter(|check| judging.only.is_none_or(|only| only == check.name));
    let applying: Vec<Applying<'_>> = wanted
        .enumerate()
        .map(|(index, check)| Applying {
            judging,
            check,
            is_first: index == 0,
            told_port: None,
            sandbox: &sandbox,
            budget: &budget,
            starts: &starts,
            protection: &protection,
            is_closed: &is_closed,
        })
        .collect();
    let mut checks = apply_side_by_side(&applying, judging.progress);
    // The first failure is the one that a report shows.
    let failed = |checked: &Checked| checked.failure().is_some();
    let gate = checks.first().filter(|first| is_at_gate(first)).map(|first| first.gate);
    match gate {
        Some(_) => applying[0].tell_of_default_port(&mut checks[0]),
        None => {
            if let Some(index) = checks.iter().position(failed) {
                applying[index].shrink(&mut checks[index]);
            }
        }
    }
    if let (Some(gate), Some((first, others))) = (gate, checks.split_first_mut()) {
        let kind = first.failure().map_or(Kind::Wrong, |failure| failure.kind);
        let what = format!("not applied: the program must get so far that it {}", gate.claim());
        for other in others {
            let failure = Failure::new(kind, what.clone());
            *other = Checked::unapplied(other.check, Outcome::Failed(Box::new(failure)));
        }
    }
    let whole = judging.only.is_none();
    let (tier, protection) = lock(&protection).take().unwrap_or((0, "nothing".to_owned()));
    let grade = Grade {
        exercise: judging.id.to_owned(),
        program: judging.typed.clone(),
        seed: judging.seed.clone(),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        began_us: u64::try_from(began.as_micros()).unwrap_or(u64::MAX),
        tier,
        protection,
        memory_mib: None,
        sandboxed_by_caller: false,
        whole,
        unfit: None,
        gate,
        left_behind: LeftBehind::default(),
        limits: judging.sandbox.limits.clone(),
        cost: budget.cost(),
        likely: Vec::new(),
        checks,
    };
    let likely = if whole { wrong::likely(judging.wrong, &grade) } else { Vec::new() };
    Grade { likely, ..grade }
}

/// What `PORT` says on a host of the program's own: never a default port, and one that no connection gets by chance.
fn port_of(seed: &Seed, exercise: &str) -> u16 {
    const PORTS: std::ops::Range<u64> = 20_000..32_000;
    let drawn = seed.numbers(exercise, "PORT").at(0) % (PORTS.end - PORTS.start);
    (PORTS.start + drawn) as u16
}

/// Whether a check failed because its program did not get through the gate.
fn is_at_gate(checked: &Checked) -> bool {
    checked.gate != Gate::Passed && checked.took > Duration::ZERO && checked.failure().is_some()
}

/// Applies the checks, at most [`MAX_CHECKS_AT_ONCE`] at once, and reports how many are done. The results are in the
/// order of the checks. If the first one finds that the program does not get through the gate, the others are ended.
fn apply_side_by_side(applying: &[Applying<'_>], progress: &(dyn Fn(usize) + Sync)) -> Vec<Checked> {
    let results: Vec<Mutex<Option<Checked>>> = applying.iter().map(|_| Mutex::new(None)).collect();
    let (next, done) = (Mutex::new(applying.iter().zip(&results)), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..applying.len().min(MAX_CHECKS_AT_ONCE) {
            scope.spawn(|| {
                loop {
                    // In the head of a `while let` the lock would be held as long as the check takes.
                    let Some((one, result)) = lock(&next).next() else { break };
                    *lock(result) = Some(one.apply_with_second_chance(&one.choices()));
                    *lock(&done) += 1;
                    progress(*lock(&done));
                }
            });
        }
    });
    let results = results.into_iter().zip(applying).map(|(result, one)| {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        result.unwrap_or_else(|| Checked::unapplied(*one.check, Outcome::Fault("the check was not applied".to_owned())))
    });
    results.collect()
}

/// One check, about to be applied.
struct Applying<'a> {
    judging: &'a Judging<'a>,
    check: &'a Check,
    is_first: bool,
    /// What `PORT` says, if that is not where the host's port is.
    told_port: Option<u16>,
    sandbox: &'a SandboxConfig,
    budget: &'a Arc<Budget>,
    starts: &'a Semaphore,
    protection: &'a Mutex<Option<(u8, String)>>,
    /// Whether the program is known not to get through the gate: nothing else need be applied.
    is_closed: &'a Arc<AtomicBool>,
}

impl Applying<'_> {
    /// The numbers that the check is to draw.
    fn choices(&self) -> Choices {
        match &self.judging.case {
            Some(case) => Choices::replay(case.clone()),
            None => Choices::of_seed(&self.judging.seed, self.judging.id, self.check.name),
        }
    }

    /// Applies a failing check again and again, to find the simplest numbers for which it fails.
    fn shrink(&self, found: &mut Checked) {
        let began = Instant::now();
        let mut tries = 0..MAX_SHRINK_TRIES;
        'simpler: while found.failure().is_some() && self.judging.case.is_none() {
            for list in choices::shrink(&found.drawn) {
                // A try takes about as long as that which has failed; the simplest one of what did not hang is quick.
                let is_quick = tries.start == 0
                    && !found.failure().is_some_and(|failure| matches!(failure.kind, Kind::Hangs | Kind::Spins));
                let took = if is_quick { Duration::ZERO } else { found.took };
                let since = self.budget.cost().wall.saturating_sub(self.judging.built.wall);
                let over = began.elapsed() + took > MAX_SHRINK_TIME || !is_quick && since + took > MAX_SHRINK_END;
                let over = over || self.budget.standing() != Standing::Within;
                if over || tries.next().is_none() {
                    return;
                }
                let (simpler, _) = self.apply(Choices::replay(list), MAX_SHRINKING);
                if simpler.failure().is_some() && is_smaller(&simpler.drawn, &found.drawn) {
                    *found = Checked { shrunk: true, ..simpler };
                    continue 'simpler;
                }
            }
            return;
        }
    }

    /// Finds out whether a program that does not get through the gate at `PORT` would at the default port, and tells it
    /// so. Where it has no host of its own and somebody else has that port, nobody knows.
    fn tell_of_default_port(&self, found: &mut Checked) {
        let Outcome::Failed(failure) = &mut found.outcome else { return };
        let default = self.judging.exercise.port;
        let there = SandboxConfig { port: default, may_borrow_port: false, ..self.sandbox.clone() };
        let is_closed = Arc::new(AtomicBool::new(false));
        let told_port = Some(self.sandbox.port);
        let (again, _) = Applying { sandbox: &there, told_port, is_closed: &is_closed, is_first: false, ..*self }
            .apply(Choices::replay(found.drawn.clone()), MAX_SHRINKING);
        if again.gate == Gate::Passed {
            failure.why.insert(0, gate::default_port_is_not_it(default));
        }
    }

    /// Applies the check; once more if that comes to a fault of ours that may not come again.
    fn apply_with_second_chance(&self, choices: &Choices) -> Checked {
        let (first, may_go_away) = self.apply(choices.clone(), MAX_CHECK);
        if may_go_away { self.apply(choices.clone(), MAX_CHECK).0 } else { first }
    }

    /// Applies the check for at most this time. The second value says whether it came to a fault that another try may
    /// not meet.
    fn apply(&self, choices: Choices, time: Duration) -> (Checked, bool) {
        let applied = panics::catch(|| self.apply_here(choices, time));
        let panicked = |message| Err(Stop::Fault(format!("the check itself panicked: {message}")));
        applied.unwrap_or_else(panicked).unwrap_or_else(|stop| {
            let (outcome, may_go_away) = outcome_of(Err(stop));
            (Checked::unapplied(*self.check, outcome), may_go_away)
        })
    }

    fn apply_here(&self, choices: Choices, time: Duration) -> Result<(Checked, bool), Stop> {
        let permit = self.starts.acquire();
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Stop::Needless);
        }
        match self.budget.standing() {
            Standing::AttemptOver => return Err(Failure::new(Kind::Limit, waiting::over()).into()),
            Standing::MachineOver => return Err(waiting::too_busy(MAX_CLOCK)),
            Standing::Within | Standing::CheckOver => {}
        }
        let (began, clock) = (Instant::now(), Clock::start(self.budget, time));
        let sandbox = Sandbox::open(self.sandbox)?;
        let protected = sandbox.protection();
        lock(self.protection).get_or_insert_with(|| (protected.tier, protected.told()));
        let packets = self.sandbox.capture.then(|| sandbox.packets()).transpose();
        let packets = packets.map_err(|error| Stop::ours("listen in on the host", &error))?.map(Overhearing::new);
        let recording = Recording::start();
        let (log, address) = (recording.log(), sandbox.address());
        log.name_address(address, HOST_AND_PORT.to_owned());
        let is_closed = Arc::clone(self.is_closed);
        let context = Rc::new(CheckContext::new(sandbox, clock, log, choices, packets, is_closed));
        let (argv, env) = (self.judging.argv.clone(), self.judging.env.clone());
        let mut attempt = Attempt::new(Rc::clone(&context), argv, env, self.told_port, permit);
        let done = (self.check.run)(&mut attempt);
        drop(attempt);
        let done = context.take_trouble().map_or(done, Err);
        if self.is_first && context.gate() != Gate::Passed && matches!(done, Err(Stop::Failed(_))) {
            self.is_closed.store(true, Ordering::Relaxed);
        }
        context.finish_packets();
        context.finish_output();
        let took = began.elapsed();
        let events = recording.finish();
        let done = done.map_err(|stop| misdirected::told(stop, &context, &events));
        let Some(context) = Rc::into_inner(context) else {
            return Err(Stop::Fault("a peer outlived its check".to_owned()));
        };
        let gate = context.gate();
        let drawn = context.choices.into_inner().drawn;
        // A sandbox that cannot be closed is a fault of ours, whatever the check says.
        let (stopped, (outcome, may_go_away)) = match context.sandbox.into_inner().close() {
            Ok(remains) => {
                context.clock.finish(remains.cpu);
                (remains.stopped, outcome_of(done))
            }
            Err(fault) => (0, outcome_of(Err(fault.into()))),
        };
        Ok((Checked { check: *self.check, outcome, events, drawn, shrunk: false, took, stopped, gate }, may_go_away))
    }
}

/// How a check ended, and whether that is a fault that another try may not meet.
fn outcome_of(done: Done) -> (Outcome, bool) {
    match done {
        Ok(()) => (Outcome::Passed, false),
        Err(Stop::Failed(failure)) => (Outcome::Failed(failure), false),
        Err(Stop::Fault(fault)) => (Outcome::Fault(fault), true),
        Err(Stop::TooBusy(fault)) => (Outcome::Fault(fault), false),
        Err(Stop::Needless) => (Outcome::Fault("the first check has shown all".to_owned()), false),
    }
}

/// Whether one list is simpler than the other.
fn is_smaller(one: &[u64], than: &[u64]) -> bool {
    (one.len(), one.iter().sum::<u64>()) < (than.len(), than.iter().sum::<u64>())
}
