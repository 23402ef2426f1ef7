//! The course: its labs and exercises, attempts at them and their grades, and a student's progress.
//!
//! It prints nothing: `src/commands` is the face of it.

pub mod attempt_source;
pub mod checkout;
pub mod exercises;
pub mod grading;
pub mod guide;
mod handed_in;
pub mod hints;
mod java;
pub mod labs;
pub mod languages;
pub mod lessons;
pub mod play;
mod programs;
pub mod progress;
mod setup;
mod tasks;
pub mod work;

use std::fmt;

/// An error that the person at the keyboard can mend by typing something else.
#[derive(Debug)]
pub struct Mistyped(pub String);

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistyped {}
