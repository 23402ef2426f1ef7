//! `socklab hint`: one hint at a time, from a nudge to nearly the answer.

use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use clap::Args;
use socklab::course::exercises;
use socklab::course::hints::{self, Next};
use socklab::course::work::Work;
use socklab::output;
use socklab::view::text::wrapped;

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
    let (id, all) = (folder.id, folder.hints());
    let before = hints::given(&work, folder)?;
    let given = if arguments.again { Next::Nothing } else { hints::next(&work, folder)? };
    let strong = Style::new().bold();
    let mut text = String::new();
    let shown = match given {
        Next::ToFailure(hint) => {
            text += &format!("{strong}To what failed last{strong:#}\n\n{}\n", indented(&hint));
            text += &format!("{} more: just hint {id}\n", all.len() - before);
            output::print(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        Next::Numbered(number) => before..number,
        Next::Nothing if arguments.again => 0..before,
        Next::Nothing => before..before,
    };
    for (number, hint) in (1..).zip(&all).skip(shown.start).take(shown.len()) {
        text += &format!("{strong}Hint {number} of {}{strong:#}\n\n{}\n", all.len(), indented(hint));
    }
    text += &format!("{}\n", what_next(id, shown.is_empty(), shown.end, all.len(), arguments.again));
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn indented(hint: &str) -> String {
    let lines = hint.lines().flat_map(|line| wrapped(line, 96));
    lines.map(|line| format!("{}\n", format!("  {line}").trim_end())).collect()
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
