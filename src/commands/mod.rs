//! The subcommands of `socklab`, one a file.

mod attempts;
mod checkout;
pub mod claims;
pub mod doctor;
pub mod grade;
pub mod hint;
pub mod lab;
pub mod labs;
pub mod new;
pub mod new_exercise;
pub mod progress;
pub mod reset;
pub mod soak;
pub mod soak_judge;
pub mod solution;
pub mod start;
mod tally;
pub mod watch;
mod work;

use std::io::Write;

pub use socklab::course::Mistyped;
use socklab::lab::exit;

/// Prints a text, with colours where they are wanted. A reader that has gone, `| head`, has seen enough.
pub fn say(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// The exit code for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Mistyped>() { exit::USAGE } else { exit::FAILED }
}
