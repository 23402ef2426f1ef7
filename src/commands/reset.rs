//! `socklab reset`: the starter again, and what was there kept aside.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use socklab::course::exercises;
use socklab::course::work::{Work, shown};
use socklab::output;

use super::{Mistyped, start};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// In which language; the one that it was in where none is named
    language: Option<String>,
}

/// Moves the folder aside, and makes it anew. Nothing is lost.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (work, folder) = (Work::of_environment(), exercises::find(&arguments.exercise)?);
    let (id, place) = (folder.id, work.folder(folder.id));
    if !place.exists() {
        return Err(Mistyped(format!("there is no {}: just start {id} python makes it", shown(&place))).into());
    }
    let language = work.language_meant(folder, arguments.language.as_deref(), "reset")?;
    let aside = work.free_name(id);
    work.lay(folder, language, Some(&aside))?;
    let kept = format!("What was there is in {}.\n\n", shown(&aside));
    output::print(&(kept + &start::told(&work, folder, language)))?;
    Ok(ExitCode::SUCCESS)
}
