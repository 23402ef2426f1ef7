//! The time that an attempt may take, and who is to blame for it.
//!
//! Time counts only as far as it is the attempt's own: not while one of its threads, or what looks at it, was ready to
//! run and got no processor because others had them. So an attempt has as much time on a busy machine as on an idle
//! one. Where the attempt itself keeps the processors busy, all time is its own.

use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::semaphore::lock;
use crate::probe::proc::Schedstat;
use crate::sandbox::{Fault, Limits, Sandbox, Tally};

/// The attempt's own time: for its build and all of its checks together, for its build, for one check, for one check
/// that is applied again with simpler numbers, and for one wait in a check.
pub const MAX_ATTEMPT: Duration = Duration::from_secs(80);
pub const MAX_BUILD: Duration = Duration::from_secs(40);
pub const MAX_CHECK: Duration = Duration::from_secs(25);
pub const MAX_SHRINKING: Duration = Duration::from_secs(5);
pub const MAX_WAIT: Duration = Duration::from_secs(10);

/// Time by the clock, for all of an attempt and for one wait: when it is over, the machine is so busy with something
/// else that we cannot tell.
pub const MAX_CLOCK: Duration = Duration::from_secs(600);
pub const MAX_WAIT_CLOCK: Duration = Duration::from_secs(120);

/// Processes and threads that can be started in one wait.
pub const MAX_STARTED: u64 = 2000;

/// How long in one check a disk may keep a program waiting before that is its own time.
const MAX_ON_DISK: Duration = Duration::from_secs(20);

/// Starts of processes or threads in a second that are taken to keep a processor busy: of short-lived ones the kernel
/// may forget what they used.
const STARTS_OF_A_PROCESSOR: f64 = 100.0;

/// The part of the machine's processors from which on the attempt is what keeps them busy.
const MOST_OF_THE_MACHINE: f64 = 0.5;

/// Time is compared with what the processors did since one to two of these ago.
const SPAN: Duration = Duration::from_secs(1);

/// The longest time between two looks that can be the attempt's: our own calls wait no longer. What is longer is a
/// judge that was stopped.
const MAX_BETWEEN: Duration = Duration::from_secs(4);

/// What an attempt has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// By the clock.
    pub wall: Duration,
    /// CPU time of all its processes.
    pub cpu: Duration,
    /// Its own time, of which it has [`MAX_ATTEMPT`].
    pub own: Duration,
}

/// The account of one attempt, which all of its checks share.
pub struct Budget {
    account: Mutex<Account>,
    began: Instant,
    processors: u32,
    /// Whether one of its checks has found that it spins.
    has_spun: AtomicBool,
}

struct Account {
    cost: Cost,
    /// CPU time that was used by it and for it, and what it started.
    busy: Duration,
    started: u64,
    /// How many of its checks are under way.
    running: u32,
    /// The same two numbers a while ago, and since then.
    marks: [Mark; 2],
}

#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    busy: Duration,
    started: u64,
}

/// What came between two looks.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    /// By the clock.
    time: Duration,
    /// The part of it in which the machine had no processor for those who needed one.
    delayed: Duration,
    cpu: Duration,
    looking: Duration,
    started: u64,
}

/// Whether there is time left, and if not, whose fault that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is.
    Within,
    /// The check's own time is over.
    CheckOver,
    /// The attempt's own time is over.
    AttemptOver,
    /// The machine has taken too long.
    MachineOver,
}

impl Budget {
    /// The account of an attempt whose build has cost this.
    pub fn after(build: Cost) -> Arc<Budget> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Budget::of(build, u32::try_from(processors).unwrap_or(1), Instant::now()))
    }

    fn of(cost: Cost, processors: u32, began: Instant) -> Budget {
        let mark = Mark { at: began, busy: Duration::ZERO, started: 0 };
        let account = Account { cost, busy: Duration::ZERO, started: 0, running: 0, marks: [mark; 2] };
        Budget { account: Mutex::new(account), began, processors, has_spun: AtomicBool::new(false) }
    }

    /// What was spent until now.
    pub fn cost(&self) -> Cost {
        let account = lock(&self.account);
        Cost { wall: account.cost.wall + self.began.elapsed(), ..account.cost }
    }

    /// Adds CPU time that no look has seen.
    pub fn add_cpu(&self, cpu: Duration) {
        lock(&self.account).cost.cpu += cpu;
    }

    /// Whether there is time left for the attempt.
    pub fn standing(&self) -> Standing {
        if lock(&self.account).cost.own >= MAX_ATTEMPT {
            Standing::AttemptOver
        } else if self.began.elapsed() >= MAX_CLOCK {
            Standing::MachineOver
        } else {
            Standing::Within
        }
    }

    /// Whether it is the attempt that keeps the processors busy.
    pub fn is_busy_by_itself(&self) -> bool {
        self.share(&lock(&self.account), Instant::now()) >= MOST_OF_THE_MACHINE
    }

    /// The part of what it may use of the machine that the attempt has used of late.
    fn share(&self, account: &Account, now: Instant) -> f64 {
        let since = account.marks[0];
        // Each check's program may use only some of a large machine's processors.
        let most = u32::try_from(Limits::PROCESSORS).unwrap_or(u32::MAX).saturating_mul(account.running.max(1));
        let machine = now.duration_since(since.at).as_secs_f64().max(0.001) * f64::from(self.processors.min(most));
        let busy = (account.busy - since.busy).as_secs_f64();
        let starts = (account.started - since.started) as f64 / STARTS_OF_A_PROCESSOR;
        (busy.max(starts)) / machine
    }

    /// Charges what has passed; returns how much of the time is the attempt's own.
    fn charge(&self, passed: &Passed, now: Instant) -> Duration {
        let mut account = lock(&self.account);
        account.busy += passed.cpu + passed.looking;
        account.started += passed.started;
        if now.duration_since(account.marks[1].at) >= SPAN {
            let mark = Mark { at: now, busy: account.busy, started: account.started };
            account.marks = [account.marks[1], mark];
        }
        let time = passed.time.min(MAX_BETWEEN);
        let by_itself = self.share(&account, now) >= MOST_OF_THE_MACHINE;
        let own = if by_itself { time } else { time.saturating_sub(passed.delayed) };
        // Side by side each check takes a part of the attempt's time; but of processor time there is only so much.
        let part = (own / account.running.max(1)).max(passed.cpu / self.processors);
        account.cost.own += part;
        account.cost.cpu += passed.cpu;
        own
    }
}

/// The time of one check, or of a build.
pub struct Clock {
    budget: Arc<Budget>,
    most: Duration,
    own: Cell<Duration>,
    /// When it was looked at last, what was found, and how long this thread had waited for a processor.
    looked: Cell<Instant>,
    last: Cell<Tally>,
    waited: Cell<Duration>,
    on_disk: Cell<Duration>,
}

/// A look at the time, and at what the program has done.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What the program has done.
    pub tally: Tally,
    /// The check's own time so far.
    pub own: Duration,
    /// CPU time that this look took.
    pub looking: Duration,
    /// Whether there is time left.
    pub standing: Standing,
}

impl Clock {
    /// Starts a clock of this thread's, which allows `most`.
    pub fn start(budget: &Arc<Budget>, most: Duration) -> Clock {
        lock(&budget.account).running += 1;
        Clock {
            budget: Arc::clone(budget),
            most,
            own: Cell::default(),
            looked: Cell::new(Instant::now()),
            last: Cell::default(),
            waited: Cell::new(waited_for_a_processor()),
            on_disk: Cell::default(),
        }
    }

    /// How long ago it was looked at.
    pub fn age(&self) -> Duration {
        self.looked.get().elapsed()
    }

    /// The check's own time, when it was looked at last.
    pub fn own(&self) -> Duration {
        self.own.get()
    }

    /// Notes for all checks that the program spins.
    pub fn note_spin(&self) {
        self.budget.has_spun.store(true, Ordering::Relaxed);
    }

    /// Whether a check has found that the program spins.
    pub fn has_spun(&self) -> bool {
        self.budget.has_spun.load(Ordering::Relaxed)
    }

    /// Whether it is the attempt that keeps the processors busy.
    pub fn is_busy_by_itself(&self) -> bool {
        self.budget.is_busy_by_itself()
    }

    /// Looks at the program and at the time.
    ///
    /// # Errors
    /// What went wrong with the sandbox.
    pub fn look(&self, sandbox: &mut Sandbox) -> Result<Moment, Fault> {
        let tally = sandbox.tally()?;
        let (now, last) = (Instant::now(), self.last.replace(tally));
        let waited = waited_for_a_processor();
        let ours = waited.saturating_sub(self.waited.replace(waited));
        let on_disk = (tally.on_disk.saturating_sub(last.on_disk)).min(MAX_ON_DISK.saturating_sub(self.on_disk.get()));
        self.on_disk.set(self.on_disk.get() + on_disk);
        let theirs = tally.delayed.saturating_sub(last.delayed) + on_disk;
        let looking = tally.looking.saturating_sub(last.looking);
        let passed = Passed {
            time: now.duration_since(self.looked.replace(now)),
            delayed: ours + theirs + tally.looking_delayed.saturating_sub(last.looking_delayed),
            cpu: tally.cpu.saturating_sub(last.cpu),
            looking,
            started: tally.started.saturating_sub(last.started),
        };
        self.own.set(self.own.get() + self.budget.charge(&passed, now));
        let standing = match self.budget.standing() {
            Standing::Within if self.own.get() >= self.most => Standing::CheckOver,
            standing => standing,
        };
        Ok(Moment { tally, own: self.own.get(), looking, standing })
    }

    /// Adds what the program used after the last look, as it was found when all of it was dead.
    pub fn finish(&self, cpu: Duration) {
        self.budget.add_cpu(cpu.saturating_sub(self.last.get().cpu));
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        lock(&self.budget.account).running -= 1;
    }
}

/// How long this thread has been ready to run and got no processor. Zero where the kernel keeps no account of it.
fn waited_for_a_processor() -> Duration {
    let line = fs::read("/proc/thread-self/schedstat").unwrap_or_default();
    Schedstat::read(&line).unwrap_or_default().delayed
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// A budget of a machine with two processors, `checks` of which are under way, and the moment it began.
    fn budget(checks: u32) -> (Budget, Instant) {
        let began = Instant::now();
        let budget = Budget::of(Cost::default(), 2, began);
        lock(&budget.account).running = checks;
        (budget, began)
    }

    /// Charges the same again and again, a second apart.
    fn charge(budget: &Budget, began: Instant, passed: Passed, times: u32) -> Duration {
        (1..=times).map(|second| budget.charge(&passed, began + second * S)).sum()
    }

    #[test]
    fn a_program_that_sleeps_spends_the_time_of_the_clock() {
        let (budget, began) = budget(1);
        assert_eq!(charge(&budget, began, Passed { time: S, ..Passed::default() }, 10), 10 * S);
        assert_eq!(budget.cost().own, 10 * S);
    }

    #[test]
    fn checks_that_are_under_way_together_share_the_time() {
        let (budget, began) = budget(4);
        charge(&budget, began, Passed { time: S, ..Passed::default() }, 8);
        assert_eq!(budget.cost().own, 2 * S);
    }

    #[test]
    fn time_in_which_others_had_the_processors_is_not_the_attempts() {
        let (budget, began) = budget(1);
        let passed = Passed { time: S, delayed: S * 9 / 10, cpu: S / 10, ..Passed::default() };
        assert_eq!(charge(&budget, began, passed, 10), S);
    }

    #[test]
    fn an_attempt_that_keeps_the_processors_busy_itself_has_nobody_to_blame() {
        let (budget, began) = budget(1);
        let passed = Passed { time: S, delayed: S, cpu: 2 * S, ..Passed::default() };
        assert_eq!(charge(&budget, began, passed, 10), 10 * S);
        // Neither has one that starts processes without end, though nobody sees what they use.
        let (budget, began) = self::budget(1);
        let passed = Passed { time: S, delayed: S, started: 500, ..Passed::default() };
        assert_eq!(charge(&budget, began, passed, 10), 10 * S);
        assert!(budget.is_busy_by_itself() || began.elapsed() < S);
    }

    #[test]
    fn a_judge_that_was_stopped_is_not_the_attempts_fault() {
        let (budget, began) = budget(1);
        let own = budget.charge(&Passed { time: 3600 * S, ..Passed::default() }, began + S);
        assert_eq!(own, MAX_BETWEEN);
    }

    #[test]
    fn time_that_a_build_has_taken_is_no_longer_there() {
        let build = Cost { own: MAX_ATTEMPT - S, ..Cost::default() };
        let budget = Budget::of(build, 2, Instant::now());
        assert_eq!(budget.standing(), Standing::Within);
        budget.charge(&Passed { time: S, ..Passed::default() }, Instant::now());
        assert_eq!(budget.standing(), Standing::AttemptOver);
    }
}
