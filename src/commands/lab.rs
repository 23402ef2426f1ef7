//! `socklab lab`: plays a lab in this process.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use socklab::course::labs;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number or name: 05, or udp-no-server
    lab: String,
    /// What the lab is to do; `lab 05 --help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Becomes the lab: signals, exit code and terminal are its own.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    Ok(labs::find(&arguments.lab)?.play(arguments.rest))
}
