//! `work/`: a student's folder for each exercise, and what was achieved so far.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use socklab::judge::{Grade, Verdict};

use super::Mistyped;

/// What the file of progress begins with.
const HEAD: &str = "# What `just grade` has seen. It is yours: change it, and only you are fooled.\n";

/// The best that was achieved in one exercise.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Best {
    pub points: u32,
    pub of: u32,
    pub passed: bool,
    /// How often it was judged.
    pub tries: u32,
    /// How many hints were taken.
    #[serde(default)]
    pub hints: u32,
    /// Whether the solution was looked at before it passed.
    #[serde(default)]
    pub gave_up: bool,
}

/// The folder of all work: `work/` in the project, or where `SOCKLAB_WORK` says.
pub fn root() -> PathBuf {
    env::var_os("SOCKLAB_WORK").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("work"), PathBuf::from)
}

/// The folder of one exercise.
pub fn folder(id: &str) -> PathBuf {
    root().join(id)
}

fn file() -> PathBuf {
    root().join("progress.toml")
}

/// What was achieved, by exercise.
pub fn progress() -> Result<BTreeMap<String, Best>> {
    let file = file();
    match fs::read_to_string(&file) {
        Ok(text) => toml::from_str(&text).map_err(|error| {
            let remedy = "mend it, or move it away to begin anew";
            Mistyped(format!("{}: {error}; {remedy}", file.display())).into()
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

/// Changes what is known of one exercise. The file is there whole at every moment.
pub fn note(id: &str, change: impl FnOnce(&mut Best)) -> Result<()> {
    let mut all = progress()?;
    change(all.entry(id.to_owned()).or_default());
    let (file, new) = (file(), root().join("progress.toml.new"));
    fs::create_dir_all(root()).with_context(|| root().display().to_string())?;
    fs::write(&new, HEAD.to_owned() + &toml::to_string(&all)?).with_context(|| new.display().to_string())?;
    fs::rename(&new, &file).with_context(|| file.display().to_string())
}

/// Keeps a grade, if it is the best one so far.
pub fn remember(id: &str, grade: &Grade) -> Result<()> {
    note(id, |best| {
        best.tries = best.tries.saturating_add(1);
        best.of = grade.of();
        best.points = best.points.max(grade.points().unwrap_or(0));
        best.passed |= grade.verdict() == Verdict::Pass;
    })
}
