//! The course: its labs, and what a person does with them.

pub mod labs;

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
