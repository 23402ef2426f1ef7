//! The judge: runs an attempt against peers of ours, and says what it does right and what it does wrong.
//!
//! An [`Exercise`] is a list of checks. For each check the attempt is started anew on a private host of its own. The
//! check is a function over [`Attempt`]: our peers connect, send and expect, and each step is logged. The first
//! expectation that is not met ends the check with a [`Failure`], which shows what the kernel knew of the program at
//! that moment.
//!
//! Invariants: nothing that an attempt prints, writes or returns is read as a verdict. What goes wrong on our side,
//! a panic in a check as well, is [`Verdict::CannotTell`], never a zero; what an attempt can bring about by itself
//! never is. A check that was not applied cannot be part of a grade. Time in which the machine let an attempt wait
//! fails none: a hang is counted in samples at which every thread slept, and the time that an attempt has is its own.

mod attempt;
mod budget;
mod building;
mod choices;
mod context;
mod event_log;
mod evidence;
mod exercise;
mod failure;
mod gate;
mod grade;
mod hints;
mod last_words;
mod misdirected;
mod overhearing;
mod panics;
mod peer;
pub mod report;
mod run;
mod seed;
mod semaphore;
mod snapshot;
mod waiting;
mod wrong;

pub use attempt::Attempt;
pub use budget::Cost;
pub use building::{Building, watch};
pub use choices::read as read_case;
pub use exercise::{Check, Exercise};
pub use failure::{Done, Failure, Kind, Shown, Stop};
pub use gate::Gate;
pub use grade::{Checked, Grade, Likely, Outcome, Unfit, Verdict};
pub use hints::{NOT_BUILT, hint};
pub use last_words::JAVA_OPTIONS;
pub use peer::{Arrival, Connection, InTime, Listener, UdpPeer};
pub use run::{Judging, judge};
pub use seed::{SECRET_BYTES, Seed, read as read_seed};
pub use wrong::{GATE, Misconception};
