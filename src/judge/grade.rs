//! The results of all checks, and the grade that follows from them.

use std::time::Duration;

use serde::Serialize;

use super::budget::Cost;
use super::exercise::{Check, Exercise};
use super::failure::{Failure, Kind};
use super::gate::Gate;
use super::seed::Seed;
use crate::sandbox::{LeftBehind, Limits};
use crate::trace::Event;

/// The verdict on a check, or on an attempt as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expectation was met.
    Pass,
    /// An expectation was not met, or the attempt could not be built.
    Fail,
    /// Something of ours failed. That is not a zero: there is no grade.
    CannotTell,
}

/// One check, applied.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The check: its name, its points and its code.
    pub check: Check,
    /// How it ended. Of a check that was applied again: how it ended the last time.
    pub outcome: Outcome,
    /// All that happened, in order.
    pub events: Vec<Event>,
    /// The numbers that it drew.
    pub drawn: Vec<u64>,
    /// Whether these numbers were shrunk.
    pub shrunk: bool,
    /// The time from the making of its sandbox to the end of the check. Zero if it was not applied.
    pub took: Duration,
    /// How many processes of the attempt still ran at its end, and were killed.
    pub stopped: u64,
    /// How far its program got.
    pub gate: Gate,
}

/// How a check ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The attempt met every expectation.
    Passed,
    /// The first expectation that the attempt did not meet: the check ended there.
    Failed(Box<Failure>),
    /// Something of ours failed: what, and why.
    Fault(String),
}

/// An attempt, judged.
#[derive(Clone, Debug)]
pub struct Grade {
    /// `30`, `30-client`.
    pub exercise: String,
    /// The attempt and its arguments, as a person typed them.
    pub program: Vec<String>,
    /// Decides the numbers that the checks draw: with the same seed they draw the same.
    pub seed: Seed,
    /// The kernel's release, as in `uname -r`.
    pub kernel: String,
    /// When the judging began: microseconds since 1970.
    pub began_us: u64,
    /// What protected the machine: the sandbox's tier, from 0 (supervised) to 3 (sealed).
    pub tier: u8,
    /// The same in words, and what was missing: `tier 2 (isolated), without cgroup`. `nothing` if no sandbox could be
    /// made.
    pub protection: String,
    /// The most memory that its sandboxes had together at a time, in MiB, where it is known.
    pub memory_mib: Option<u64>,
    /// Whether the judge was told that this machine is a sandbox itself, thrown away after this attempt.
    pub sandboxed_by_caller: bool,
    /// Whether all checks of the exercise were asked for.
    pub whole: bool,
    /// Why no check could be applied, if the attempt could not be built, or holds too much to be taken.
    pub unfit: Option<Unfit>,
    /// What the program must do before any check can be applied, if it does not do that: the first check tells how it
    /// failed, and all others fail without having been applied.
    pub gate: Option<Gate>,
    /// What of the attempt's folder did not come along into the sandbox.
    pub left_behind: LeftBehind,
    /// The checks, applied, in the exercise's order. Only those that were asked for.
    pub checks: Vec<Checked>,
    /// What each of its sandboxes could have.
    pub limits: Limits,
    /// What it has cost.
    pub cost: Cost,
    /// What the attempt seems to get wrong: first that which the story of the first failing check shows, then what else
    /// it seems to get wrong besides.
    pub likely: Vec<Likely>,
}

/// What an attempt seems to get wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likely {
    /// The name of the program that gets the same wrong.
    pub name: String,
    /// What that takes for granted.
    pub sentence: String,
}

/// An attempt to which no check could be applied, by its own doing.
#[derive(Clone, Debug)]
pub struct Unfit {
    /// What is wrong, in one sentence.
    pub what: String,
    /// What its build wrote.
    pub output: String,
    /// As in [`Grade`].
    pub tier: u8,
    /// As in [`Grade`].
    pub protection: String,
}

impl Checked {
    /// A check of which nothing is known but how it came out.
    pub fn unapplied(check: Check, outcome: Outcome) -> Checked {
        Checked {
            check,
            outcome,
            events: Vec::new(),
            drawn: Vec::new(),
            shrunk: false,
            took: Duration::ZERO,
            stopped: 0,
            gate: Gate::Start,
        }
    }

    /// How it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Passed | Outcome::Fault(_) => None,
        }
    }

    /// The verdict on the attempt by this check alone.
    pub fn verdict(&self) -> Verdict {
        match self.outcome {
            Outcome::Passed => Verdict::Pass,
            Outcome::Failed(_) => Verdict::Fail,
            Outcome::Fault(_) => Verdict::CannotTell,
        }
    }

    /// The points that it earned.
    pub fn points(&self) -> u32 {
        if self.verdict() == Verdict::Pass { self.check.points } else { 0 }
    }
}

impl Grade {
    /// The grade of an attempt to which no check could be applied: each of them fails.
    pub fn unfit(id: &str, exercise: &Exercise, program: Vec<String>, seed: Seed, unfit: Unfit) -> Grade {
        let what = &unfit.what;
        let failed = |check: &Check| {
            Checked::unapplied(*check, Outcome::Failed(Box::new(Failure::new(Kind::Ended, what.clone()))))
        };
        Grade {
            exercise: id.to_owned(),
            program,
            seed,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            began_us: 0,
            tier: unfit.tier,
            protection: unfit.protection.clone(),
            memory_mib: None,
            sandboxed_by_caller: false,
            whole: true,
            limits: Limits::default(),
            cost: Cost::default(),
            checks: exercise.checks.iter().map(failed).collect(),
            unfit: Some(unfit),
            gate: None,
            left_behind: LeftBehind::default(),
            likely: Vec::new(),
        }
    }

    /// The verdict on the whole: can't tell if that is the verdict of any check, else fail if any failed.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.checks.iter().any(|checked| checked.verdict() == verdict);
        if any(Verdict::CannotTell) {
            Verdict::CannotTell
        } else if any(Verdict::Fail) || self.checks.is_empty() {
            Verdict::Fail
        } else {
            Verdict::Pass
        }
    }

    /// The points earned; `None` if there is no grade.
    pub fn points(&self) -> Option<u32> {
        let has_grade = self.verdict() != Verdict::CannotTell && self.whole;
        has_grade.then(|| self.checks.iter().map(Checked::points).sum())
    }

    /// All points of the checks that were applied.
    pub fn of(&self) -> u32 {
        self.checks.iter().map(|checked| checked.check.points).sum()
    }
}
