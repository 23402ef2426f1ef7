//! `socklab solution`: ours, for who has passed or has given up.

use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use clap::Args;
use socklab::course::exercises;
use socklab::course::work::Work;
use socklab::output;

use super::Mistyped;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// In which language; the one of your folder where none is named
    language: Option<String>,
    /// Show it although the exercise is not passed; your progress will say so
    #[arg(long)]
    give_up: bool,
}

/// Prints the solution's files.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (work, folder) = (Work::of_environment(), exercises::find(&arguments.exercise)?);
    let id = folder.id;
    let language = work.language_meant(folder, arguments.language.as_deref(), "solution")?;
    let best = work.progress()?.of(id);
    if !best.passed && !best.gave_up && !arguments.give_up {
        let remedy = format!("just hint {id} helps; just solution {id} --give-up shows it all the same");
        return Err(Mistyped(format!("exercise {id} is not passed yet: {remedy}")).into());
    }
    if !best.passed && !best.gave_up {
        work.note(id, |best| best.gave_up = true)?;
    }
    let quiet = Style::new().dimmed();
    for (name, bytes) in folder.below(&format!("solutions/{language}")) {
        // On standard error, so that the program alone goes through a pipe.
        output::complain_in(quiet, format_args!("{}/solutions/{language}/{name}\n", folder.place()));
        output::print(&String::from_utf8_lossy(bytes))?;
    }
    Ok(ExitCode::SUCCESS)
}
