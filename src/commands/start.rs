//! `socklab start`: a folder to work in, with the task and the starter.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::{Mistyped, work};
use crate::exercises;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// In which language: python, rust, c
    language: Option<String>,
}

/// Makes the folder; without a language tells which there are.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = exercises::find(&arguments.exercise)?;
    let (id, place) = (folder.id, work::folder(folder.id));
    let Some(language) = &arguments.language else {
        println!("Exercise {id}, {}, has starters in {}:", folder.title(), folder.languages().join(", "));
        folder.languages().iter().for_each(|language| println!("  just start {id} {language}"));
        println!("Any other language does as well: the task is in {}.", folder.task());
        return Ok(ExitCode::SUCCESS);
    };
    let language = folder.language(language)?;
    if place.exists() {
        let remedy = format!("just grade {id} judges it; just reset {id} begins anew, and keeps it");
        return Err(Mistyped(format!("{} is there already: {remedy}", place.display())).into());
    }
    work::lay(folder, language)?;
    told(folder, language);
    Ok(ExitCode::SUCCESS)
}

/// Says what has been laid down, and what comes next.
pub fn told(folder: &exercises::Folder, language: &str) {
    let (id, place) = (folder.id, work::shown(&work::folder(folder.id)));
    println!("Exercise {id}: {}\n", folder.title());
    println!("  {place}/{:<12} what to build", work::TASK);
    for (name, _) in folder.below(&format!("starters/{language}")) {
        println!("  {place}/{name:<12} your program: change it");
    }
    println!("\nThen: just grade {id}, or just watch {id} beside your editor. Stuck? just hint {id}");
}
