//! The folder of a student's work, with a folder for each exercise.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Mistyped;
use super::checkout::checkout;
use super::exercises::ExerciseFolder;
use super::tasks;

/// The page of the task, in a student's folder.
pub const TASK: &str = "TASK.md";

/// A folder of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    root: PathBuf,
}

impl Work {
    /// The folder that the variable `SOCKLAB_WORK` names; or else `work/` in the checkout; or else, where there is no
    /// checkout, in the current folder.
    pub fn of_environment() -> Work {
        let root = env::var_os("SOCKLAB_WORK").filter(|root| !root.is_empty()).map(PathBuf::from);
        Work {
            root: root
                .unwrap_or_else(|| checkout().or_else(|| env::current_dir().ok()).unwrap_or_default().join("work")),
        }
    }

    /// Whether somebody works here: the folder is there, or was named, or belongs to a checkout. In any other folder in
    /// which a lab happens to be run, nobody wants one.
    pub fn is_wanted(&self) -> bool {
        self.root.is_dir() || env::var_os("SOCKLAB_WORK").is_some_and(|root| !root.is_empty()) || checkout().is_some()
    }

    /// This folder, which need not be there yet.
    pub fn in_folder(root: &Path) -> Work {
        Work { root: root.to_owned() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of one exercise, which need not be there.
    pub fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// The first of `30.old-1`, `30.old-2` … that is not there.
    pub fn free_name(&self, id: &str) -> PathBuf {
        let mut names = (1..).map(|number: u64| self.root.join(format!("{id}.old-{number}")));
        names.find(|name| fs::symlink_metadata(name).is_err()).unwrap_or_default()
    }

    /// The language that was named, or else that of the student's folder.
    ///
    /// # Errors
    /// There is no starter in it, or none was named and the folder does not show one; `command` is what the message
    /// says to type.
    pub fn language_meant(
        &self,
        exercise: &ExerciseFolder,
        named: Option<&str>,
        command: &str,
    ) -> Result<&'static str, Mistyped> {
        if let Some(language) = named {
            return exercise.language(language);
        }
        self.language_of(exercise).ok_or_else(|| {
            let (id, languages) = (exercise.id, exercise.languages().join(", "));
            Mistyped(format!("in which language? just {command} {id} and one of {languages}"))
        })
    }

    /// The language of the starter whose files are in a student's folder.
    pub fn language_of(&self, exercise: &ExerciseFolder) -> Option<&'static str> {
        let place = self.folder(exercise.id);
        exercise.languages().into_iter().find(|language| {
            let mut files = exercise.below(&format!("starters/{language}"));
            files.all(|(name, _)| place.join(name).is_file())
        })
    }

    /// Makes a student's folder: the starter's files, and the task. A folder that is there already is moved to `aside`.
    ///
    /// # Errors
    /// A file cannot be written, or a folder not be moved; then all is as it was.
    pub fn lay(&self, exercise: &ExerciseFolder, language: &str, aside: Option<&Path>) -> Result<()> {
        let (place, new) = (self.folder(exercise.id), self.root.join(format!(".{}.new", exercise.id)));
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", new.display()))?
            }
            _ => {}
        }
        let task = tasks::page(exercise, language, &place, checkout().as_deref());
        let mut files: Vec<(&str, &[u8])> = exercise.below(&format!("starters/{language}")).collect();
        files.push((TASK, task.as_bytes()));
        let written = files.into_iter().try_for_each(|(name, bytes)| write_below(&new.join(name), bytes));
        written.inspect_err(|_| drop(fs::remove_dir_all(&new)))?;
        if let Some(aside) = aside {
            fs::rename(&place, aside).with_context(|| format!("move {} to {}", place.display(), aside.display()))?;
        }
        fs::rename(&new, &place).with_context(|| format!("make {}", place.display())).inspect_err(|_| {
            if let Some(aside) = aside {
                let _ = fs::rename(aside, &place);
            }
        })
    }
}

/// A folder among the system's temporary files, removed when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder.
    ///
    /// # Errors
    /// Those of `mkdir(2)`.
    pub fn make() -> io::Result<Scratch> {
        let names = (0..1000).map(|number: u32| format!("socklab-{}-{number}", std::process::id()));
        for path in names.map(|name| env::temp_dir().join(name)) {
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Scratch(path)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, and returns the file's path.
    ///
    /// # Errors
    /// The file, or a folder on the way to it, cannot be made.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let file = self.0.join(name);
        write_below(&file, bytes)?;
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A path as a person reads it: from the current folder, if it is below that.
pub fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// Writes a new file, and the folders on the way to it.
fn write_below(file: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::write(file, bytes).with_context(|| format!("write {}", file.display()))
}
