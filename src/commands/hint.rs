//! `socklab hint`: one hint at a time, from a nudge to nearly the answer.

use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use clap::Args;

use super::work;
use crate::exercises;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// Show those that were given before, and no new one
    #[arg(long)]
    again: bool,
}

/// Prints the next hint, and counts it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = exercises::find(&arguments.exercise)?;
    let (id, hints) = (folder.id, folder.hints());
    let given = work::progress()?.get(id).map_or(0, |best| best.hints as usize).min(hints.len());
    let shown = if arguments.again { 0..given } else { given..hints.len().min(given + 1) };
    let strong = Style::new().bold();
    for (number, hint) in (1..).zip(&hints).skip(shown.start).take(shown.len()) {
        anstream::println!("{strong}Hint {number} of {}{strong:#}\n", hints.len());
        hint.lines().for_each(|line| println!("{}", if line.is_empty() { String::new() } else { format!("  {line}") }));
        println!();
    }
    if !arguments.again && !shown.is_empty() {
        work::note(id, |best| best.hints = shown.end as u32)?;
    }
    println!("{}", what_next(id, shown.is_empty(), shown.end, hints.len(), arguments.again));
    Ok(ExitCode::SUCCESS)
}

fn what_next(id: &str, nothing: bool, given: usize, all: usize, again: bool) -> String {
    match (nothing, again) {
        (true, true) => format!("No hint has been given: just hint {id}"),
        (true, false) => {
            format!(
                "There are no more hints. just hint {id} --again shows them all; just solution {id} --give-up ends it"
            )
        }
        _ if given == all => format!("That is all of them. just solution {id} --give-up shows the answer"),
        _ => format!("{} more: just hint {id}", all - given),
    }
}
