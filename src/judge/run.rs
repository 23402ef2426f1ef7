//! All checks of an exercise, applied to one attempt, side by side.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::attempt::Attempt;
use super::choices::{self, Choices, scattered};
use super::diary::Diary;
use super::exercise::{Check, Exercise};
use super::failure::Stop;
use super::grade::{Checked, Grade, Outcome};
use super::ground::Ground;
use super::wrong::{self, Misconception};
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::trace::error_name;

/// So many checks are under way at once. As many of them start their program as there are processors; the others wait
/// for theirs to answer.
const AT_ONCE: usize = 16;

/// So often, and so long, the first failing check is applied again with simpler choices.
const SIMPLER_TRIES: usize = 40;
const SIMPLER_TIME: Duration = Duration::from_millis(1500);

/// What is to be judged, and how.
pub struct Judging<'a> {
    pub id: &'a str,
    pub exercise: &'a Exercise,
    pub wrong: &'a [Misconception],
    /// The program as a person typed it.
    pub typed: Vec<String>,
    /// The same, ready to be executed.
    pub argv: Vec<OsString>,
    /// Its environment, but for HOST and PORT.
    pub env: Vec<(String, String)>,
    pub order: SandboxConfig,
    pub seed: u64,
    /// Apply only this check.
    pub only: Option<&'a str>,
    /// The numbers that the check draws.
    pub case: Option<Vec<u64>>,
    /// Write down what passes on the attempt's host, too.
    pub capture: bool,
    /// Is told how many checks are done.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Applies the checks, each to a program that is started anew.
pub fn judge(judging: &Judging<'_>) -> Grade {
    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let wanted = |check: &&Check| judging.only.is_none_or(|only| only == check.name);
    let checks: Vec<&Check> = judging.exercise.checks.iter().filter(wanted).collect();
    let results: Vec<Mutex<Option<Checked>>> = checks.iter().map(|_| Mutex::new(None)).collect();
    let next = Mutex::new(0..checks.len());
    let starts = Starts::of(thread::available_parallelism().map_or(1, usize::from));
    let done = Mutex::new(0);
    let protection = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..checks.len().min(AT_ONCE) {
            scope.spawn(|| {
                loop {
                    // In the head of a `while let` the lock would be held as long as the check takes.
                    let Some(index) = lock(&next).next() else { break };
                    let one = Applying { judging, check: checks[index], starts: &starts, protection: &protection };
                    *lock(&results[index]) = Some(one.apply_twice_if_it_must(&one.choices()));
                    *lock(&done) += 1;
                    (judging.progress)(*lock(&done));
                }
            });
        }
    });
    let results = results.into_iter().zip(&checks).map(|(result, check)| {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        result.unwrap_or_else(|| faulty(**check, "the check was not applied".to_owned()))
    });
    let mut checks: Vec<Checked> = results.collect();
    // The first failure is the one that is told.
    if let Some(first) = checks.iter_mut().find(|checked| matches!(checked.outcome, Outcome::Failed(_))) {
        let check = first.check;
        let one = Applying { judging, check: &check, starts: &starts, protection: &protection };
        one.simplify(first);
    }
    let whole = judging.only.is_none();
    let like = if whole { wrong::that_behaves_so(judging.wrong, &checks) } else { None };
    let (tier, protection) = lock(&protection).take().unwrap_or((0, "nothing".to_owned()));
    Grade {
        exercise: judging.id.to_owned(),
        program: judging.typed.clone(),
        seed: judging.seed,
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        began_us: u64::try_from(began.as_micros()).unwrap_or(u64::MAX),
        tier,
        protection,
        whole,
        build: None,
        behaves_like: like.map(|like| (like.sentence.clone(), like.name.clone())),
        checks,
    }
}

/// One check, about to be applied.
struct Applying<'a> {
    judging: &'a Judging<'a>,
    check: &'a Check,
    starts: &'a Starts,
    protection: &'a Mutex<Option<(u8, String)>>,
}

impl Applying<'_> {
    /// The numbers that the check is to draw.
    fn choices(&self) -> Choices {
        match &self.judging.case {
            Some(case) => Choices::told(case.clone()),
            None => Choices::of_seed(self.judging.seed ^ scattered(name_as_number(self.check.name), 0)),
        }
    }

    /// Applies a check that fails again, to find the simplest numbers for which it does.
    fn simplify(&self, found: &mut Checked) {
        let began = Instant::now();
        let mut tries = 0..SIMPLER_TRIES;
        'simpler: while matches!(found.outcome, Outcome::Failed(_)) && self.judging.case.is_none() {
            for list in choices::simpler(&found.drawn) {
                if began.elapsed() > SIMPLER_TIME || tries.next().is_none() {
                    return;
                }
                let simpler = self.apply(Choices::told(list));
                if matches!(simpler.outcome, Outcome::Failed(_)) && smaller(&simpler.drawn, &found.drawn) {
                    *found = Checked { shrunk: true, ..simpler };
                    continue 'simpler;
                }
            }
            return;
        }
    }

    /// Our own faults have a second chance.
    fn apply_twice_if_it_must(&self, choices: &Choices) -> Checked {
        let first = self.apply(choices.clone());
        if matches!(first.outcome, Outcome::Fault(_)) { self.apply(choices.clone()) } else { first }
    }

    fn apply(&self, choices: Choices) -> Checked {
        let applied = catch_unwind(AssertUnwindSafe(|| self.apply_here(choices)));
        applied.unwrap_or_else(|_| faulty(*self.check, "the check itself failed: a fault of the judge".to_owned()))
    }

    fn apply_here(&self, choices: Choices) -> Checked {
        let turn = self.starts.take();
        let began = Instant::now();
        let sandbox = match Sandbox::open(&self.judging.order) {
            Ok(sandbox) => sandbox,
            Err(fault) => return faulty(*self.check, fault.to_string()),
        };
        let protected = sandbox.protection();
        lock(self.protection).get_or_insert_with(|| (protected.tier, protected.to_string()));
        let packets = match self.judging.capture.then(|| sandbox.packets()).transpose() {
            Ok(packets) => packets,
            Err(error) => return faulty(*self.check, format!("listen in on the host: {}", error_name(&error))),
        };
        let diary = Diary::open();
        let address = sandbox.address();
        diary.call_it(address, format!("host:{}", self.judging.exercise.port));
        let ground = Rc::new(Ground::new(sandbox, diary.clone(), choices, packets));
        let mut attempt = Attempt::new(Rc::clone(&ground), self.judging.argv.clone(), self.judging.env.clone(), turn);
        let done = (self.check.run)(&mut attempt);
        drop(attempt);
        ground.listen_in();
        let took = began.elapsed();
        let events = diary.close();
        let Some(ground) = Rc::into_inner(ground) else {
            return faulty(*self.check, "a peer outlived its check".to_owned());
        };
        let drawn = ground.choices.into_inner().drawn;
        // What a program did while it was killed says nothing about it; that it could not be killed says much of us.
        let (stopped, outcome) = match (ground.sandbox.into_inner().close(), done) {
            (Err(fault), _) => (0, Outcome::Fault(fault.to_string())),
            (Ok(_), Err(Stop::Fault(fault))) => (0, Outcome::Fault(fault)),
            (Ok(remains), Err(Stop::Failed(failure))) => (remains.stopped, Outcome::Failed(failure)),
            (Ok(remains), Ok(())) => (remains.stopped, Outcome::Passed),
        };
        Checked { check: *self.check, outcome, events, drawn, shrunk: false, took, stopped }
    }
}

fn faulty(check: Check, fault: String) -> Checked {
    let outcome = Outcome::Fault(fault);
    Checked { check, outcome, events: vec![], drawn: vec![], shrunk: false, took: Duration::ZERO, stopped: 0 }
}

fn smaller(one: &[u64], than: &[u64]) -> bool {
    (one.len(), one.iter().sum::<u64>()) < (than.len(), than.iter().sum::<u64>())
}

/// Checks of one seed draw numbers of their own.
fn name_as_number(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many programs may be starting at once.
struct Starts(Arc<(Mutex<usize>, Condvar)>);

/// The right to start a program. It is given back when it is dropped.
pub(super) struct Turn(Arc<(Mutex<usize>, Condvar)>);

impl Starts {
    fn of(count: usize) -> Starts {
        Starts(Arc::new((Mutex::new(count), Condvar::new())))
    }

    fn take(&self) -> Turn {
        let (free, returned) = &*self.0;
        let mut free = returned.wait_while(lock(free), |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Turn(Arc::clone(&self.0))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *lock(&self.0.0) += 1;
        self.0.1.notify_one();
    }
}
