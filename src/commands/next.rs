//! `socklab next`: the one next step.

use std::process::ExitCode;

use anyhow::Result;
use socklab::course::guide::{Step, command_for, next_lab, next_step};
use socklab::course::lessons;
use socklab::course::work::Work;
use socklab::output;

/// Prints what to do next.
pub fn run() -> Result<ExitCode> {
    let work = Work::of_environment();
    let progress = work.progress()?;
    let text = match next_step(&progress) {
        None => "You have run all labs and passed all exercises.\n".to_owned(),
        Some(Step::Lab(row)) => {
            let command = format!("just lab {:02}", row.number);
            let minutes = lessons::of(&row.folder()).ok().flatten().map(|lesson| lesson.minutes);
            let minutes = minutes.map_or_else(String::new, |minutes| format!(", {minutes} minutes"));
            format!("Run lab {:02}: {}\n  {command}\n  {}{minutes}\n", row.number, row.question, row.page())
        }
        Some(Step::Exercise(folder)) => {
            let lab = folder.lab.split('-').next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
            let lab_behind = next_lab(&progress, lab);
            let without = lab_behind.map(|row| format!("Or go on without it: just lab {:02}\n", row.number));
            let (command, title) = (command_for(&work, folder), folder.title());
            let task = folder.task();
            format!("Do exercise {}: {title}\n  {command}\n  {task}\n{}", folder.id, without.unwrap_or_default())
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
