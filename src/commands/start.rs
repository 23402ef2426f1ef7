//! `socklab start`: a folder to work in, with the task and the starter.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use socklab::course::exercises::{self, ExerciseFolder};
use socklab::course::work::{TASK, Work, shown};
use socklab::output;

use super::Mistyped;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// In which language: python, rust, c
    language: Option<String>,
}

/// Makes the folder; without a language tells which there are.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (work, folder) = (Work::of_environment(), exercises::find(&arguments.exercise)?);
    let (id, place) = (folder.id, work.folder(folder.id));
    let Some(language) = &arguments.language else {
        let languages = folder.languages();
        let mut text = format!("Exercise {id}, {}, has starters in {}:\n", folder.title(), languages.join(", "));
        text.extend(languages.iter().map(|language| format!("  just start {id} {language}\n")));
        text += &format!("Any other language does as well: the task is in {}.\n", folder.task());
        output::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    let language = folder.language(language)?;
    if place.exists() {
        let remedy = format!("just grade {id} judges it; just reset {id} begins anew, and keeps what is there");
        return Err(Mistyped(format!("{} is there already: {remedy}", shown(&place))).into());
    }
    work.lay(folder, language, None)?;
    output::print(&told(&work, folder, language))?;
    Ok(ExitCode::SUCCESS)
}

/// What has been laid down, and what comes next.
pub fn told(work: &Work, folder: &ExerciseFolder, language: &str) -> String {
    let (id, place) = (folder.id, shown(&work.folder(folder.id)));
    let files = folder.below(&format!("starters/{language}"));
    let files: String = files.map(|(name, _)| format!("  {place}/{name:<12} your program: change it\n")).collect();
    format!(
        "Exercise {id}: {}\n\n  {place}/{:<12} what to build\n{files}\n\
         Then: just grade {id}, or just watch {id} beside your editor. Stuck? just hint {id}\n",
        folder.title(),
        TASK
    )
}
