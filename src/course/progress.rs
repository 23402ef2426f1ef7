//! What a student has achieved so far, in a file of the folder of work.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Mistyped;
use super::work::Work;
use crate::judge::{Grade, Verdict};
use crate::output;

/// The file's name.
pub const PROGRESS: &str = "progress.toml";

/// Its first line.
const HEAD: &str = "# What `just grade` has seen. It is yours: change it, and only you are fooled.\n";

/// The best result in one exercise.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Best {
    /// The most points that an attempt had.
    pub points: u32,
    /// The points of all checks, when it was judged last; 0 before.
    pub of: u32,
    /// Whether an attempt has passed.
    pub passed: bool,
    /// How many times it was judged.
    pub tries: u32,
    /// How many hints were given.
    #[serde(default)]
    pub hints: u32,
    /// Whether the solution was shown before an attempt passed.
    #[serde(default)]
    pub gave_up: bool,
}

impl Work {
    /// The best results, by exercise: none where no file has been written.
    ///
    /// # Errors
    /// The file cannot be read, or is not of this form.
    pub fn progress(&self) -> Result<BTreeMap<String, Best>> {
        let file = self.progress_file();
        match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                let remedy = "mend it, or move it away to begin anew";
                let error = error.to_string();
                Mistyped(format!("{}: {}; {remedy}", file.display(), error.trim_end())).into()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    /// Changes what is known of one exercise. The file is whole at every moment, and of two programs that change it one
    /// waits for the other.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not of this form.
    pub fn note(&self, id: &str, change: impl FnOnce(&mut Best)) -> Result<()> {
        let root = self.root();
        fs::create_dir_all(root).with_context(|| format!("make {}", root.display()))?;
        let alone = fs::File::open(root).with_context(|| format!("open {}", root.display()))?;
        // Where a file system has no locks, a try may be lost.
        let _ = rustix::fs::flock(&alone, rustix::fs::FlockOperation::LockExclusive);
        let mut all = self.progress()?;
        change(all.entry(id.to_owned()).or_default());
        let (file, text) = (self.progress_file(), HEAD.to_owned() + &toml::to_string(&all)?);
        output::write_file(&file, text.as_bytes()).with_context(|| format!("write {}", file.display()))
    }

    /// Counts a judgement, and keeps its points if they are the most so far.
    ///
    /// # Errors
    /// As [`Work::note`].
    pub fn remember(&self, id: &str, grade: &Grade) -> Result<()> {
        self.note(id, |best| {
            best.tries = best.tries.saturating_add(1);
            best.of = grade.of();
            best.points = best.points.max(grade.points().unwrap_or(0));
            best.passed |= grade.verdict() == Verdict::Pass;
        })
    }

    fn progress_file(&self) -> PathBuf {
        self.root().join(PROGRESS)
    }
}
