//! The subcommands of `socklab`, one a file.

mod attempts;
pub mod claims;
mod contents;
pub mod doctor;
pub mod grade;
pub mod lab;
pub mod labs;
pub mod new;
mod programs;
pub mod soak;
mod work;

use std::fmt;

use socklab::lab::exit;

/// Something that the person at the keyboard can put right by typing something else.
#[derive(Debug)]
pub struct Mistyped(pub String);

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistyped {}

/// The exit code for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Mistyped>() { exit::USAGE } else { exit::FAILED }
}
