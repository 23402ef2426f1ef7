//! Exercises and their checks.

use super::{Attempt, Done};

/// A task with a contract on the wire: what an attempt is, and what it must do.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// The classic port, which every attempt has for itself.
    pub port: u16,
    pub checks: Vec<Check>,
}

/// One named thing that an attempt must do.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// How it is called on the command line: `header-in-pieces`.
    pub name: &'static str,
    /// What the attempt does if it passes: "reads a header that comes in pieces".
    pub claim: &'static str,
    pub points: u32,
    /// One thing to think of, for a student whose attempt does not.
    pub hint: &'static str,
    pub run: fn(&mut Attempt) -> Done,
}

impl Exercise {
    /// An exercise without checks.
    pub fn on_port(port: u16) -> Exercise {
        Exercise { port, checks: Vec::new() }
    }

    /// Adds a check.
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

    /// All points that there are.
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }
}
