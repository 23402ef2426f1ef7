//! `socklab start`: a folder to work in, with the task and the starter.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use socklab::course::exercises::{self, ExerciseFolder};
use socklab::course::work::{TASK, Work, shown};
use socklab::output;
use unicode_width::UnicodeWidthStr;

use super::{Mistyped, progress};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client; without it all are listed
    exercise: Option<String>,
    /// In which language: python, rust, c
    language: Option<String>,
}

/// Makes the folder; without a language says which there are.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let work = Work::of_environment();
    let Some(exercise) = &arguments.exercise else {
        output::print(&list(&work)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let folder = exercises::find(exercise)?;
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
        let anew = match work.language_of(folder) {
            Some(there) if there == language => format!("just reset {id}"),
            _ => format!("just reset {id} {language}"),
        };
        let remedy = format!("just grade {id} judges it; {anew} begins anew in {language}, and keeps what is there");
        return Err(Mistyped(format!("{} is there already: {remedy}", shown(&place))).into());
    }
    work.lay(folder, language, None)?;
    output::print(&told(&work, folder, language))?;
    Ok(ExitCode::SUCCESS)
}

/// All exercises: what each asks for, in which languages it has starters, and how far it is.
fn list(work: &Work) -> Result<String> {
    let known = work.progress()?;
    let rows: Vec<[String; 4]> = exercises::all()
        .iter()
        .map(|folder| {
            let best = known.of(folder.id);
            let state = progress::state(&best, &work.folder(folder.id));
            [folder.id.to_owned(), folder.title().to_owned(), folder.languages().join(", "), state]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths = [0, 1, 2].map(width);
    let mut text = String::new();
    for row in &rows {
        let cells: String =
            (0..3).map(|at| format!("{}{}  ", row[at], " ".repeat(widths[at] - row[at].width()))).collect();
        text += &format!("{}\n", (cells + &row[3]).trim_end());
    }
    let first = exercises::all().first().map(|folder| folder.id).unwrap_or_default();
    Ok(text + &format!("\nBegin one: just start {first} python\n"))
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
