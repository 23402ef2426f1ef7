//! Exercises and their checks.

use super::attempt::Attempt;
use super::failure::Done;

/// A task with a contract on the wire: what an attempt is, and what it must do.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// The port of the task. Every attempt has it for itself, on a host of its own.
    pub port: u16,
    /// What an attempt must do, in the order of a report. Their points add up to the best grade.
    pub checks: Vec<Check>,
}

/// One named thing that an attempt must do.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name on the command line: `header-in-pieces`.
    pub name: &'static str,
    /// What the attempt does if it passes: "reads a header that comes in pieces".
    pub claim: &'static str,
    /// What it is worth if it passes.
    pub points: u32,
    /// One thing to think of, for a student whose attempt does not.
    pub hint: &'static str,
    /// Applies it.
    pub run: fn(&mut Attempt) -> Done,
}

impl Exercise {
    /// An exercise without checks.
    pub fn on_port(port: u16) -> Exercise {
        Exercise { port, checks: Vec::new() }
    }

    /// Adds a check: the arguments are the fields of [`Check`].
    #[must_use]
    pub fn check(
        mut self,
        name: &'static str,
        points: u32,
        claim: &'static str,
        hint: &'static str,
        run: fn(&mut Attempt) -> Done,
    ) -> Exercise {
        self.checks.push(Check { name, claim, points, hint, run });
        self
    }

    /// The points of all checks.
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }
}
