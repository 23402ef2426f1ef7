//! The `socklab` program: finds labs, runs them, checks their claims, tells what this machine allows.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Tell what this machine allows
    Doctor,
    /// Make a new lab that compiles, with its page and its row in the table of contents
    New(commands::new::Arguments),
    /// Run labs many times and count their different transcripts
    Soak(commands::soak::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = socklab::sandbox::keeper() {
        return code;
    }
    let done = match Arguments::parse().command {
        Command::Lab(arguments) => commands::lab::run(&arguments),
        Command::Labs(arguments) => commands::labs::run(&arguments),
        Command::Claims(arguments) => commands::claims::run(&arguments),
        Command::Doctor => commands::doctor::run(),
        Command::New(arguments) => commands::new::run(&arguments),
        Command::Soak(arguments) => commands::soak::run(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("socklab: {error:#}");
            ExitCode::from(commands::exit_code(&error))
        }
    }
}
