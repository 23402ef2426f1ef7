//! The `socklab` program: finds labs, runs them, checks their claims, reports what this machine allows.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod commands;

use std::error::Error;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use socklab::course::play;
use socklab::lab::exit;
use socklab::output;
use socklab::trace::error_name;

/// Learn sockets by watching real programs use them.
#[derive(Debug, Parser)]
#[command(version, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a lab, by its number or name: the demo, or one role by hand
    #[command(disable_help_flag = true)]
    Lab(commands::lab::Arguments),
    /// List the labs by chapter
    Labs(commands::labs::Arguments),
    /// Check the claims of a lab, or of all
    Claims(commands::claims::Arguments),
    /// Begin an exercise: a folder with the task and a starter
    Start(commands::start::Arguments),
    /// Judge an attempt at an exercise
    Grade(commands::grade::Arguments),
    /// Judge an attempt again at each save, and show what is wrong first
    Watch(commands::watch::Arguments),
    /// Give the next hint of an exercise
    Hint(commands::hint::Arguments),
    /// Say what to do next: a lab to run, or an exercise to pass
    Next,
    /// Show which exercises are done, and how many labs were run
    Progress,
    /// Put an exercise's starter back; what was there is kept
    Reset(commands::reset::Arguments),
    /// Show the solution of an exercise that is passed, or given up
    Solution(commands::solution::Arguments),
    /// Show what this machine allows
    Doctor(commands::doctor::Arguments),
    /// Make a new lab that compiles, with its page and its row in the table of contents
    New(commands::new::Arguments),
    /// Make a new exercise that runs, for a lab
    NewExercise(commands::new_exercise::Arguments),
    /// Run labs many times and count their different transcripts
    Soak(commands::soak::Arguments),
    /// Judge the exercises' own programs many times and count their different verdicts
    SoakJudge(commands::soak_judge::Arguments),
}

fn main() -> ExitCode {
    // This program is also what keeps each sandbox.
    if let Some(code) = socklab::sandbox::keeper() {
        return code;
    }
    // Started through a link that has a lab's name, it is that lab.
    let mut words = std::env::args_os();
    let name = words.next().map(PathBuf::from).unwrap_or_default();
    if let Some(code) = name.file_name().and_then(OsStr::to_str).and_then(|name| play::play_as(name, words)) {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { exit::USAGE } else { exit::OK };
            return ended(output::print_clap(&error).map(|_| ExitCode::from(code)).map_err(Into::into));
        }
    };
    ended(run(arguments.command))
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Lab(arguments) => commands::lab::run(arguments),
        Command::Labs(arguments) => commands::labs::run(&arguments),
        Command::Claims(arguments) => commands::claims::run(&arguments),
        Command::Grade(arguments) => commands::grade::run(&arguments),
        Command::Start(arguments) => commands::start::run(&arguments),
        Command::Watch(arguments) => commands::watch::run(&arguments),
        Command::Hint(arguments) => commands::hint::run(&arguments),
        Command::Next => commands::next::run(),
        Command::Progress => commands::progress::run(),
        Command::Reset(arguments) => commands::reset::run(&arguments),
        Command::Solution(arguments) => commands::solution::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::New(arguments) => commands::new::run(&arguments),
        Command::NewExercise(arguments) => commands::new_exercise::run(&arguments),
        Command::Soak(arguments) => commands::soak::run(&arguments),
        Command::SoakJudge(arguments) => commands::soak_judge::run(&arguments),
    }
}

/// The exit code of a command; an error is reported.
fn ended(done: Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        output::complain(format_args!("socklab: {}", with_causes(&error)));
        ExitCode::from(commands::exit_code(&error))
    })
}

/// An error and its causes, the kernel's with their names: `make work/30: EACCES: Permission denied (os error 13)`.
fn with_causes(error: &anyhow::Error) -> String {
    let named = |cause: &(dyn Error + 'static)| {
        let error = cause.downcast_ref::<io::Error>().filter(|error| error.raw_os_error().is_some());
        error.map_or_else(|| cause.to_string(), |error| format!("{}: {error}", error_name(error)))
    };
    error.chain().map(named).collect::<Vec<_>>().join(": ")
}
