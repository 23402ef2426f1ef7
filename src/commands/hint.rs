//! `socklab hint`: one hint at a time, from a nudge to nearly the answer.

use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use clap::Args;
use socklab::course::exercises;
use socklab::course::work::Work;
use socklab::output;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// Show those that were given before, and no new one
    #[arg(long)]
    again: bool,
}

/// Counts the next hint, and prints it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (work, folder) = (Work::of_environment(), exercises::find(&arguments.exercise)?);
    let (id, hints) = (folder.id, folder.hints());
    let given = work.progress()?.get(id).map_or(0, |best| best.hints as usize).min(hints.len());
    let shown = if arguments.again { 0..given } else { given..hints.len().min(given + 1) };
    if !arguments.again && !shown.is_empty() {
        work.note(id, |best| best.hints = shown.end as u32)?;
    }
    let strong = Style::new().bold();
    let mut text = String::new();
    for (number, hint) in (1..).zip(&hints).skip(shown.start).take(shown.len()) {
        text += &format!("{strong}Hint {number} of {}{strong:#}\n\n", hints.len());
        text.extend(hint.lines().map(|line| format!("{}\n", format!("  {line}").trim_end())));
        text.push('\n');
    }
    text += &format!("{}\n", what_next(id, shown.is_empty(), shown.end, hints.len(), arguments.again));
    output::print(&text)?;
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
