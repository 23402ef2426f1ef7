//! The subcommands of `socklab`, one a file.

mod child;
pub mod claims;
pub mod doctor;
pub mod grade;
pub mod hint;
pub mod lab;
pub mod labs;
pub mod new;
pub mod new_exercise;
pub mod next;
pub mod progress;
pub mod reset;
pub mod soak;
pub mod soak_judge;
pub mod solution;
pub mod start;
mod tally;
pub mod watch;

pub use socklab::course::Mistyped;
use socklab::lab::exit;

/// The exit code for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Mistyped>() { exit::USAGE } else { exit::FAILED }
}
