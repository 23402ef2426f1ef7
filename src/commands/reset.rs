//! `socklab reset`: the starter again, and what was there kept aside.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use socklab::output;

use super::{Mistyped, start, work};
use crate::exercises;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    exercise: String,
    /// In which language; the one that it was in where none is named
    language: Option<String>,
}

/// Moves the folder aside, and makes it anew. Nothing is lost.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = exercises::find(&arguments.exercise)?;
    let (id, place) = (folder.id, work::folder(folder.id));
    if !place.exists() {
        return Err(Mistyped(format!("there is no {}: just start {id} makes it", work::shown(&place))).into());
    }
    let language = work::language_meant(folder, arguments.language.as_deref(), "reset")?;
    let aside = free_name(id);
    work::lay(folder, language, Some(&aside))?;
    let kept = format!("What was there is in {}.\n\n", work::shown(&aside));
    output::print(&(kept + &start::told(folder, language)))?;
    Ok(ExitCode::SUCCESS)
}

/// `work/30.old-1`, or the next one that is not there.
fn free_name(id: &str) -> PathBuf {
    let names = (1..).map(|number: u32| work::root().join(format!("{id}.old-{number}")));
    names.into_iter().find(|name| fs::symlink_metadata(name).is_err()).expect("there are numbers enough")
}
