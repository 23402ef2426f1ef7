//! Labs as they are played for a person: with a guide that knows the course.

use std::ffi::OsString;
use std::process::ExitCode;

use super::Mistyped;
use super::guide;
use super::labs::find;
use crate::lab::exit;
use crate::output;

/// Plays the lab that a person means by `word`, as these arguments ask for.
///
/// # Errors
/// There is no such lab.
pub fn play(word: &str, arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode, Mistyped> {
    Ok(find(word)?.with_guide(guide::after).play(arguments))
}

/// Plays a lab as the program of this name does: `lab-05-udp-no-server`, or `lab-05`. `None` for any other name.
pub fn play_as(program: &str, arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    Some(play(program.strip_prefix("lab-")?, arguments).unwrap_or_else(|error| {
        output::complain(format_args!("{program}: {error}"));
        ExitCode::from(exit::USAGE)
    }))
}

/// The `main` of a numbered program, which plays the lab of its name.
#[macro_export]
macro_rules! program {
    () => {
        fn main() -> std::process::ExitCode {
            let arguments = std::env::args_os().skip(1);
            $crate::course::play::play_as(env!("CARGO_BIN_NAME"), arguments).expect("a program named after its lab")
        }
    };
}
