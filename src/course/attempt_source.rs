//! Where an attempt comes from: a folder, how it is built there, and what is executed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Mistyped, languages};
use crate::sandbox::Archive;

/// The file beside a program that says how it is built and run.
pub const MANIFEST: &str = "socklab.toml";

/// The most names of programs in a message.
const MAX_NAMES: usize = 5;

/// A program that is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptSource {
    /// The folder that is copied; the copy is the current folder of what is executed.
    pub folder: PathBuf,
    /// The command that is executed first, once; empty where there is nothing to build.
    pub build: Vec<OsString>,
    /// The command that is judged.
    pub run: Vec<OsString>,
}

/// `socklab.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(default)]
    build: Vec<String>,
    run: Option<Vec<String>>,
}

impl AttemptSource {
    /// The same with files named as they lie in the copy of the folder. With it the files that the command names and
    /// that are not copied with the folder: they lie elsewhere, or among build products.
    pub fn laid_out(mut self) -> (AttemptSource, Vec<PathBuf>) {
        let mut besides = Vec::new();
        let Ok(folder) = fs::canonicalize(&self.folder) else { return (self, besides) };
        for (index, word) in self.run.iter_mut().enumerate() {
            let path = Path::new(&*word);
            // A bare first word is looked for in PATH; an absolute one is shown where it is.
            if index == 0 && (path.components().count() == 1 && !path.starts_with(".") || path.is_absolute()) {
                continue;
            }
            let Some(file) = fs::canonicalize(folder.join(path)).ok().filter(|path| path.is_file()) else { continue };
            let brought = file.strip_prefix(&folder).ok().filter(|inner| Archive::brings(inner));
            let name = brought.or(file.file_name().map(Path::new)).unwrap_or(path).to_owned();
            if brought.is_none() {
                besides.push(file);
            }
            *word = if index == 0 { Path::new(".").join(name).into() } else { name.into() };
        }
        besides.dedup();
        (self, besides)
    }
}

/// A command that a person typed, to be executed in a folder, after what its manifest says to build.
///
/// # Errors
/// The folder's manifest cannot be read.
pub fn of_command(folder: &Path, command: &[OsString]) -> Result<AttemptSource> {
    let manifest = manifest(folder)?;
    let build = manifest.build.into_iter().map(OsString::from).collect();
    Ok(AttemptSource { folder: folder.to_owned(), build, run: command.to_vec() })
}

/// The program in a folder: the one that its manifest names, or its only one, run by the ending of its name.
///
/// # Errors
/// The folder or its manifest cannot be read, or the folder holds no program, or several.
pub fn of_folder(folder: &Path) -> Result<AttemptSource> {
    let Manifest { build, run } = manifest(folder)?;
    if let Some(run) = run {
        let os = |words: Vec<String>| words.into_iter().map(OsString::from).collect();
        return Ok(AttemptSource { folder: folder.to_owned(), build: os(build), run: os(run) });
    }
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("read {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && languages::of_file(path).is_some())
        .collect();
    files.sort();
    match &files[..] {
        [file] => of_file(file),
        [] => Err(Mistyped(format!("{} holds no program: just start makes one", folder.display())).into()),
        _ => {
            let names: Vec<String> =
                files.iter().filter_map(|file| file.file_name()?.to_str().map(str::to_owned)).collect();
            let shown = names.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if names.len() > MAX_NAMES { ", …" } else { "" };
            let remedy = format!("name one in a file {MANIFEST} there: run = [\"python3\", \"server.py\"]");
            Err(Mistyped(format!("{} holds several programs ({shown}{more}); {remedy}", folder.display())).into())
        }
    }
}

/// One program, run as its language is.
///
/// # Errors
/// The file's ending is that of no language.
pub fn of_file(file: &Path) -> Result<AttemptSource> {
    let unknown = || Mistyped(format!("{}: no language has this ending: write the command behind --", file.display()));
    let language = languages::of_file(file).ok_or_else(unknown)?;
    let name = file.file_name().ok_or_else(unknown)?;
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = |words: &[&str]| {
        let word = |word: &&str| if *word == "{file}" { name.to_owned() } else { OsString::from(word) };
        words.iter().map(word).collect()
    };
    Ok(AttemptSource { folder: folder.to_owned(), build: named(language.build), run: named(language.run) })
}

fn manifest(folder: &Path) -> Result<Manifest> {
    let file = folder.join(MANIFEST);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(error) => return Err(error).with_context(|| format!("read {}", file.display())),
    };
    let manifest: Manifest = toml::from_str(&text).map_err(|error| Mistyped(format!("{}: {error}", file.display())))?;
    if manifest.run.as_ref().is_some_and(Vec::is_empty) {
        return Err(Mistyped(format!("{}: run names no program", file.display())).into());
    }
    Ok(manifest)
}
