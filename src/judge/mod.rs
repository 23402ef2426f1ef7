//! The judge: runs an attempt against peers of ours, and says what it does right and what it does wrong.
//!
//! An [`Exercise`] is a list of checks. For each check the attempt is started anew on a private host of its own, and
//! the check is a plain function over [`Attempt`]: our peers connect, send and expect, and each step is written down.
//! The first expectation that is not met ends the check with a [`Failure`], which tells what the kernel knew of the
//! program at that moment.
//!
//! Invariants: nothing that an attempt prints, writes or returns is read as a verdict. What goes wrong on our side is
//! [`Verdict::CannotTell`], never a zero. A check that was not applied cannot be part of a grade. Time alone fails
//! nobody: only looks at which the program was asleep are counted against its patience.

mod attempt;
mod choices;
mod diary;
mod exercise;
mod failure;
mod grade;
mod ground;
mod peer;
pub mod report;
mod run;
mod sight;
mod wrong;

pub use attempt::Attempt;
pub use choices::read as read_case;
pub use exercise::{Check, Exercise};
pub use failure::{Done, Failure, Kind, Shown, Stop};
pub use grade::{Checked, Grade, Outcome, Verdict};
pub use peer::{Connection, Datagrams, Listener};
pub use run::{Judging, judge};
pub use wrong::Misconception;
