//! `socklab lab`: plays a lab in this process.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use socklab::course::{Mistyped, play};
use socklab::output;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number or name: 05, or udp-no-server; `just labs` lists them
    #[arg(allow_hyphen_values = true)]
    lab: Option<String>,
    /// What to do with it; `just lab 05 --help` lists that
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Becomes the lab: signals, exit code and terminal are its own.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let Some(lab) = arguments.lab else {
        return Err(Mistyped("which lab? just lab 01 is the first one; `just labs` lists all".to_owned()).into());
    };
    if matches!(lab.as_str(), "--help" | "-h") {
        let about = "Run a lab, by its number or name: the demo, or one role by hand";
        let mut help = Arguments::augment_args(clap::Command::new("lab").bin_name("just lab")).about(about);
        output::print(&help.render_help().ansi().to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(play::play(&lab, arguments.rest)?)
}
