//! What an attempt is: a folder, how it is built, and what is executed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use socklab::sandbox::Archive;

use super::Mistyped;

/// The file beside a program that says how it is built and run.
pub const MANIFEST: &str = "socklab.toml";

/// How programs of a language are built and run: the ending of their files, and two commands in which `{file}` stands
/// for the file.
struct Language {
    ending: &'static str,
    build: &'static [&'static str],
    run: &'static [&'static str],
}

const LANGUAGES: [Language; 7] = [
    Language { ending: "py", build: &[], run: &["python3", "{file}"] },
    Language {
        ending: "rs",
        build: &["rustc", "--edition", "2024", "-O", "-o", "program", "{file}"],
        run: &["./program"],
    },
    Language {
        ending: "c",
        build: &["cc", "-O1", "-Wall", "-pthread", "-o", "program", "{file}"],
        run: &["./program"],
    },
    Language { ending: "js", build: &[], run: &["node", "{file}"] },
    Language { ending: "mjs", build: &[], run: &["node", "{file}"] },
    Language { ending: "go", build: &["go", "build", "-o", "program", "{file}"], run: &["./program"] },
    Language { ending: "java", build: &[], run: &["java", "{file}"] },
];

/// A program that is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// Where it lies; its current folder, when it runs, is a copy of this one.
    pub folder: PathBuf,
    /// What is executed first, once; nothing where there is nothing to build.
    pub build: Vec<OsString>,
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

impl Attempted {
    /// The same with files named as they lie in the scratch folder. With it the files that the command names, and that
    /// are not brought along with the folder: what lies elsewhere, or among what programs have made.
    pub fn laid_out(mut self) -> (Attempted, Vec<PathBuf>) {
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

/// A command that a person typed, to be executed in a folder. What is to be built there is built first.
pub fn of_command(folder: &Path, command: &[OsString]) -> Result<Attempted> {
    let manifest = manifest(folder)?;
    let build = manifest.build.into_iter().map(OsString::from).collect();
    Ok(Attempted { folder: folder.to_owned(), build, run: command.to_vec() })
}

/// What is in a folder: as its manifest says, or its one program by the ending of its name.
pub fn of_folder(folder: &Path) -> Result<Attempted> {
    let Manifest { build, run } = manifest(folder)?;
    if let Some(run) = run {
        let os = |words: Vec<String>| words.into_iter().map(OsString::from).collect();
        return Ok(Attempted { folder: folder.to_owned(), build: os(build), run: os(run) });
    }
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && language(path).is_some())
        .collect();
    files.sort();
    match &files[..] {
        [file] => of_file(file),
        [] => Err(Mistyped(format!("{} holds no program: just start makes one", folder.display())).into()),
        _ => {
            let names: Vec<String> =
                files.iter().filter_map(|file| file.file_name()?.to_str().map(str::to_owned)).collect();
            let (folder, names) = (folder.display(), names.join(", "));
            let remedy = format!("say which: a file {MANIFEST} with  run = [\"python3\", \"…\"]");
            Err(Mistyped(format!("{folder} holds several programs ({names}); {remedy}")).into())
        }
    }
}

/// One program, run as its language is.
pub fn of_file(file: &Path) -> Result<Attempted> {
    let unknown = || Mistyped(format!("{}: how is it run? say it behind --", file.display()));
    let language = language(file).ok_or_else(unknown)?;
    let name = file.file_name().ok_or_else(unknown)?;
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = |words: &[&str]| {
        let word = |word: &&str| if *word == "{file}" { name.to_owned() } else { OsString::from(word) };
        words.iter().map(word).collect()
    };
    Ok(Attempted { folder: folder.to_owned(), build: named(language.build), run: named(language.run) })
}

fn language(file: &Path) -> Option<&'static Language> {
    let ending = file.extension()?;
    LANGUAGES.iter().find(|language| ending == language.ending)
}

fn manifest(folder: &Path) -> Result<Manifest> {
    let file = folder.join(MANIFEST);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    let manifest: Manifest = toml::from_str(&text).map_err(|error| Mistyped(format!("{}: {error}", file.display())))?;
    if manifest.run.as_ref().is_some_and(Vec::is_empty) {
        return Err(Mistyped(format!("{}: run names no program", file.display())).into());
    }
    Ok(manifest)
}
