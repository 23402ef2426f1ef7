//! `socklab lab`: hands over to the lab's own program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Error, Result};
use clap::Args;

use super::{contents, programs};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number or name: 05, or udp-no-server
    lab: String,
    /// What the lab is to do; `lab 05 --help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Becomes the lab's program: signals, exit code and terminal are its own.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let program = contents::find(&arguments.lab)?.program();
    let folder = programs::build(std::slice::from_ref(&program))?;
    let error = Command::new(folder.join(&program)).args(&arguments.rest).exec();
    Err(Error::new(error).context(program))
}
