//! What a student has done so far, in a file of the folder of work: which labs were run, and the best grades.
//!
//! A lab counts as run when somebody at a terminal has seen a demo of it to its end. In a pipe, as in tests and in
//! continuous integration, nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Mistyped;
use super::exercises::{self, ExerciseFolder};
use super::languages;
use super::work::Work;
use crate::judge::{self, Grade, Verdict, report};
use crate::output;

/// The file's name.
pub const PROGRESS: &str = "progress.toml";

/// Its first line.
const HEAD: &str = "# The labs that you have run at a terminal, and what `just grade` has seen. \
                    It is yours: change it, and only you are fooled.\n";

/// What a student has done.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Progress {
    /// The numbers of the labs that were run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labs: BTreeSet<u32>,
    /// The best results, by exercise.
    #[serde(flatten)]
    pub exercises: BTreeMap<String, Best>,
}

impl Progress {
    /// Whether an attempt at an exercise has passed.
    pub fn has_passed(&self, id: &str) -> bool {
        self.exercises.get(id).is_some_and(|best| best.passed)
    }

    /// What is known of an exercise: nothing yet, where it was never begun.
    pub fn of(&self, id: &str) -> Best {
        self.exercises.get(id).cloned().unwrap_or_default()
    }
}

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
    /// A hint to what failed first when it was judged last, until it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_to_last: Option<String>,
}

impl Work {
    /// What was done so far: nothing where no file has been written.
    ///
    /// # Errors
    /// The file cannot be read, or is not of this form.
    pub fn progress(&self) -> Result<Progress> {
        let file = self.progress_file();
        match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                let remedy = "mend it, or move it away to begin anew";
                let error = error.to_string();
                Mistyped(format!("{}: {}; {remedy}", file.display(), error.trim_end())).into()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress::default()),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    /// Changes what is known of one exercise.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not of this form.
    pub fn note(&self, id: &str, change: impl FnOnce(&mut Best)) -> Result<()> {
        self.change(|progress| change(progress.exercises.entry(id.to_owned()).or_default()))
    }

    /// Notes that a lab was run, if it is not noted yet.
    ///
    /// # Errors
    /// As [`Work::note`].
    pub fn note_lab(&self, number: u32) -> Result<()> {
        if self.progress()?.labs.contains(&number) {
            return Ok(());
        }
        self.change(|progress| {
            progress.labs.insert(number);
        })
    }

    /// Changes the file, which is whole at every moment: of two programs that change it one waits for the other.
    fn change(&self, change: impl FnOnce(&mut Progress)) -> Result<()> {
        let root = self.root();
        fs::create_dir_all(root).with_context(|| format!("make {}", root.display()))?;
        let alone = fs::File::open(root).with_context(|| format!("open {}", root.display()))?;
        // Where a file system has no locks, a try may be lost.
        let _ = rustix::fs::flock(&alone, rustix::fs::FlockOperation::LockExclusive);
        let mut all = self.progress()?;
        change(&mut all);
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
            let failed = report::stories(grade).into_iter().find(|checked| checked.verdict() == Verdict::Fail);
            let hint = if grade.unfit.is_some() { Some(judge::NOT_BUILT) } else { failed.map(judge::hint) };
            best.hint_to_last = hint.map(str::to_owned);
        })
    }

    /// The exercise to do after this one: the next that is not passed, or else the first that is not.
    ///
    /// # Errors
    /// As [`Work::progress`].
    pub fn next_exercise(&self, after: &ExerciseFolder) -> Result<Option<&'static ExerciseFolder>> {
        let progress = self.progress()?;
        let is_open = |folder: &&ExerciseFolder| folder.id != after.id && !progress.has_passed(folder.id);
        let behind = exercises::all().iter().skip_while(|folder| folder.id != after.id);
        Ok(behind.chain(exercises::all()).find(is_open))
    }

    /// What comes next for somebody whose program has passed, a sentence each.
    pub fn what_next(&self, folder: &ExerciseFolder, is_in_work: bool) -> Vec<String> {
        let solution = format!("The solution may be read now: just solution {}", folder.id);
        let next = match self.next_exercise(folder) {
            Ok(Some(next)) => {
                let language = self.language_for(next, folder);
                format!("Next: {} {}: just start {} {language}", next.id, next.title(), next.id)
            }
            Ok(None) => "All exercises are passed".to_owned(),
            // The file of progress is somebody's to mend, and its own command says so.
            Err(_) => "Next: just progress".to_owned(),
        };
        is_in_work.then_some(solution).into_iter().chain([next]).collect()
    }

    /// The language in which somebody begins an exercise who has done another one.
    pub fn language_for(&self, next: &ExerciseFolder, done: &ExerciseFolder) -> &'static str {
        let known = self.language_meant(done, None, "start").ok();
        let usual = languages::with_starters().next().map(|language| language.name);
        known.or(usual).and_then(|language| next.language(language).ok()).unwrap_or("python")
    }

    fn progress_file(&self) -> PathBuf {
        self.root().join(PROGRESS)
    }
}
