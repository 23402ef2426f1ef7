//! `work/`: a student's folder for each exercise, and what was achieved so far.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use socklab::judge::{Grade, Verdict};
use socklab::output;

use super::Mistyped;
use crate::exercises::Folder;

/// The page of the task, in a student's folder.
pub const TASK: &str = "TASK.md";

/// The file of what was achieved.
pub const PROGRESS: &str = "progress.toml";

/// What it begins with.
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

/// A path as a person reads it: from the folder in which they are, if it is below that.
pub fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// What the checks are worth, as the task's last section: from the checks themselves.
fn points(folder: &Folder) -> String {
    let checks = (folder.exercise)().checks;
    let rows = checks.iter().map(|check| format!("| `{}` | {} | {} |\n", check.name, check.points, check.claim));
    format!("\n## Points\n\n| check | points | your program … |\n|---|--:|---|\n{}", rows.collect::<String>())
}

/// The language that was named, or else the one of the student's folder.
pub fn language_meant(folder: &Folder, named: Option<&str>, command: &str) -> Result<&'static str> {
    if let Some(language) = named {
        return folder.language(language);
    }
    language_of(folder).ok_or_else(|| {
        let (id, languages) = (folder.id, folder.languages().join(", "));
        Mistyped(format!("in which language? just {command} {id} and one of {languages}")).into()
    })
}

/// Makes a student's folder: the starter's files, and the task. What is there already is moved to `aside`. The folder is
/// there whole, or all is as it was.
pub fn lay(folder: &Folder, language: &str, aside: Option<&Path>) -> Result<()> {
    let (place, new) = (self::folder(folder.id), root().join(format!(".{}.new", folder.id)));
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| new.display().to_string())?
        }
        _ => {}
    }
    let task = with_links_from(&place, &folder.place(), folder.file("README.md").unwrap_or_default()) + &points(folder);
    let mut files: Vec<(&str, &[u8])> = folder.below(&format!("starters/{language}")).collect();
    files.push((TASK, task.as_bytes()));
    for (name, bytes) in files {
        let file = new.join(name);
        fs::create_dir_all(file.parent().unwrap_or(&new)).with_context(|| new.display().to_string())?;
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    if let Some(aside) = aside {
        fs::rename(&place, aside).with_context(|| format!("move {} to {}", place.display(), aside.display()))?;
    }
    fs::rename(&new, &place).with_context(|| format!("make {}", place.display())).inspect_err(|_| {
        if let Some(aside) = aside {
            let _ = fs::rename(aside, &place);
        }
    })
}

/// A folder in the system's place for such, removed in the end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn make() -> io::Result<Scratch> {
        let names = (0..1000).map(|number: u32| format!("socklab-{}-{number}", std::process::id()));
        for path in names.map(|name| env::temp_dir().join(name)) {
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Scratch(path)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Writes a file in it, and says where that is.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let file = self.0.join(name);
        let folder = file.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The language of the starter whose files are in a student's folder.
fn language_of(folder: &Folder) -> Option<&'static str> {
    let place = self::folder(folder.id);
    folder.languages().into_iter().find(|language| {
        let mut files = folder.below(&format!("starters/{language}"));
        files.all(|(name, _)| place.join(name).is_file())
    })
}

/// A page of the project, moved: its links lead where they led.
fn with_links_from(place: &Path, home: &str, page: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    // From a folder inside of the project a link goes up and down; from elsewhere it names the whole way.
    let up = place.strip_prefix(project).map(|inside| "../".repeat(inside.components().count())).ok();
    let mut parts = page.split("](");
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        moved.push_str("](");
        let Some((target, rest)) = part.split_once(')') else {
            moved.push_str(part);
            continue;
        };
        let mut way: Vec<&str> = home.split('/').collect();
        for step in target.split('/') {
            match step {
                "." => {}
                ".." => drop(way.pop()),
                down => way.push(down),
            }
        }
        moved.push_str(&match &up {
            _ if target.contains("://") || target.starts_with(['#', '/']) => target.to_owned(),
            Some(up) => format!("{up}{}", way.join("/")),
            None => project.join(way.join("/")).display().to_string(),
        });
        moved.push(')');
        moved.push_str(rest);
    }
    moved
}

fn file() -> PathBuf {
    root().join(PROGRESS)
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

/// Changes what is known of one exercise. The file is there whole at every moment, and who comes second waits.
pub fn note(id: &str, change: impl FnOnce(&mut Best)) -> Result<()> {
    fs::create_dir_all(root()).with_context(|| root().display().to_string())?;
    let alone = fs::File::open(root()).with_context(|| root().display().to_string())?;
    // Where a file system has no locks, two at once may lose a try.
    let _ = rustix::fs::flock(&alone, rustix::fs::FlockOperation::LockExclusive);
    let mut all = progress()?;
    change(all.entry(id.to_owned()).or_default());
    let (file, text) = (file(), HEAD.to_owned() + &toml::to_string(&all)?);
    output::write_file(&file, text.as_bytes()).with_context(|| format!("write {}", file.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_pages_links_lead_where_they_led() {
        let page = "# A\n[lab](../../../docs/labs/30.md#top), [web](https://a.b/c), [below](#x) [odd](";
        let home = "labs/98-some-lab/exercise";
        let inside = with_links_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("work/30"), home, page);
        assert_eq!(inside, "# A\n[lab](../../docs/labs/30.md#top), [web](https://a.b/c), [below](#x) [odd](");
        let outside = with_links_from(Path::new("/elsewhere/30"), home, "[lab](../../../docs/labs/30.md)");
        assert_eq!(outside, format!("[lab]({}/docs/labs/30.md)", env!("CARGO_MANIFEST_DIR")));
    }
}
