//! Where an attempt comes from: a folder, how it is built there, and what is executed; and who has said so.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::checkout::own_folders;
use super::{Mistyped, languages};
use crate::sandbox::{Archive, Besides, Folder, Links, Refusal, is_known};

/// The file beside a program that says how it is built and run.
pub const MANIFEST: &str = "socklab.toml";

/// The largest manifest, in bytes.
const LARGEST_MANIFEST: u64 = 64 << 10;

/// The most names of programs in a message.
const MAX_NAMES: usize = 5;

/// The most names that are looked at in a folder of which the program is looked for.
const MAX_ENTRIES: usize = 65_536;

/// Who has written a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Who runs the judge: the words may name any file.
    Typed,
    /// Whose program is judged: the words name what lies in the folder, or an installed program by its bare name.
    Submitted,
}

/// A program that is to be judged.
#[derive(Clone, Debug)]
pub struct AttemptSource {
    /// The folder that is copied; the copy is the current folder of what is executed.
    pub folder: Arc<Folder>,
    /// The command that is executed first, once; empty where there is nothing to build. It is always a submitted one.
    pub build: Vec<OsString>,
    /// The command that is judged.
    pub run: Vec<OsString>,
    /// Who has written `run`.
    pub author: Author,
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
    /// The command with its files named as they lie in the copy of the folder, and the files that come along besides.
    ///
    /// Only typed words have any: files that lie elsewhere, or in a part of the folder that is left out. Of a submitted
    /// command the program alone comes along from such a part. With `is_strangers` the links of the folder are
    /// a stranger's, also where a typed word names them: they lead nowhere else.
    ///
    /// # Errors
    /// A word names a link that leads out of a stranger's folder.
    pub fn laid_out(&self, is_strangers: bool) -> Result<(Vec<OsString>, Vec<Besides>)> {
        let mut run = self.run.clone();
        let mut besides: Vec<Besides> = Vec::new();
        if self.author == Author::Submitted {
            besides.extend(run.first().and_then(|program| self.left_out_program(program)));
            return Ok((run, besides));
        }
        for (index, word) in run.iter_mut().enumerate() {
            let path = PathBuf::from(&*word);
            // A bare first word is looked for in PATH.
            if index == 0 && !word.as_bytes().contains(&b'/') {
                continue;
            }
            let named = match self.named(&path, is_strangers)? {
                Some(named) => named,
                None => continue,
            };
            let is_toolchains = path.file_name().and_then(OsStr::to_str).is_some_and(is_known);
            let name = match named {
                Named::Inside(inner) => inner,
                // An installed program is shown where it is.
                Named::Elsewhere(_) if index == 0 && path.is_absolute() => continue,
                Named::Elsewhere(_) if index == 0 && is_toolchains && !is_strangers => {
                    *word = std::path::absolute(self.folder.path().join(&path))?.into();
                    continue;
                }
                Named::Elsewhere(file) => match besides.iter().find(|one| one.from == file) {
                    Some(known) => known.name.clone(),
                    None => {
                        let is_inside = false;
                        besides.push(Besides { name: self.free_name(&file, &besides), from: file, is_inside });
                        besides.last().map(|one| one.name.clone()).unwrap_or_default()
                    }
                },
            };
            *word = if index == 0 { Path::new(".").join(name).into() } else { name.into() };
        }
        Ok((run, besides))
    }

    /// The program that a submission names in a part of its folder that does not come along.
    fn left_out_program(&self, program: &OsStr) -> Option<Besides> {
        let inner = inside(Path::new(program)).filter(|_| program.as_bytes().contains(&b'/'))?;
        if Archive::brings(&inner) || self.folder.about(&inner, Links::Followed).is_err() {
            return None;
        }
        Some(Besides { from: inner.clone(), is_inside: true, name: inner })
    }

    /// The file that a typed word names; `None` if it names none.
    fn named(&self, path: &Path, is_strangers: bool) -> Result<Option<Named>> {
        let root = self.folder.path();
        let below = path.strip_prefix(root).ok().filter(|_| path.is_absolute() && root.is_absolute());
        let inner = inside(below.unwrap_or(path)).filter(|_| below.is_some() || path.is_relative());
        if let Some(inner) = inner {
            match self.folder.about(&inner, Links::Followed) {
                Ok(_) if brings(root, &inner) => return Ok(Some(Named::Inside(inner))),
                Ok(_) => {}
                Err(Refusal::LeadsOut) if is_strangers => {
                    let why = "this link leads out of the folder: type the file that you mean";
                    return Err(Mistyped(format!("{}: {why}", path.display())).into());
                }
                Err(_) if is_strangers => return Ok(None),
                Err(_) => {}
            }
        }
        let file = fs::canonicalize(root.join(path)).ok().filter(|file| file.is_file());
        Ok(file.map(|file| {
            let real = fs::canonicalize(root).unwrap_or_default();
            let inner = file.strip_prefix(&real).ok().filter(|inner| brings(root, inner));
            inner.map_or_else(|| Named::Elsewhere(file.clone()), |inner| Named::Inside(inner.to_owned()))
        }))
    }

    /// A name for a file from elsewhere that nothing in the folder has, and no other such file.
    fn free_name(&self, file: &Path, besides: &[Besides]) -> PathBuf {
        let name = PathBuf::from(file.file_name().unwrap_or_default());
        let folders = (1..).map(|number: u32| Path::new(&number.to_string()).join(&name));
        let is_free = |name: &PathBuf| {
            let missing = |path: &Path| matches!(self.folder.about_any(path, Links::Followed), Err(Refusal::Missing));
            let first: PathBuf = name.components().take(1).collect();
            missing(&first) && !besides.iter().any(|one| one.name == *name)
        };
        std::iter::once(name.clone()).chain(folders).find(is_free).unwrap_or(name)
    }
}

/// Whether a file of a folder comes along with it when a command is typed there.
fn brings(folder: &Path, inner: &Path) -> bool {
    let real = fs::canonicalize(folder.join(inner)).unwrap_or_default();
    Archive::brings(inner) && !own_folders().iter().any(|own| real.starts_with(own))
}

/// What a typed word names.
enum Named {
    /// A file that comes along with the folder, at this path in it.
    Inside(PathBuf),
    /// A file that does not.
    Elsewhere(PathBuf),
}

/// A relative path as it is written, without its `.` and `..`, if it does not climb out.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inner = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inner.push(name),
            Component::CurDir => {}
            Component::ParentDir if inner.pop() => {}
            _ => return None,
        }
    }
    Some(inner).filter(|inner| !inner.as_os_str().is_empty())
}

/// A command that a person typed, to be executed in a folder, after what its manifest says to build.
///
/// # Errors
/// The folder's manifest cannot be read.
pub fn of_command(folder: &Path, command: &[OsString]) -> Result<AttemptSource> {
    let folder = open(folder)?;
    let manifest = manifest(&folder)?;
    let build = manifest.build.into_iter().map(OsString::from).collect();
    Ok(AttemptSource { folder, build, run: command.to_vec(), author: Author::Typed })
}

/// The program in a folder: the one that its manifest names, or its only one, run by the ending of its name.
///
/// # Errors
/// The folder or its manifest cannot be read, or the folder holds no program, or several.
pub fn of_folder(folder: &Path) -> Result<AttemptSource> {
    let folder = open(folder)?;
    let Manifest { build, run } = manifest(&folder)?;
    if let Some(run) = run {
        let os = |words: Vec<String>| words.into_iter().map(OsString::from).collect();
        return Ok(AttemptSource { folder, build: os(build), run: os(run), author: Author::Submitted });
    }
    let shown = folder.path().display();
    let names = folder.names(MAX_ENTRIES).with_context(|| format!("read {shown}"))?;
    let names = names.ok_or_else(|| Mistyped(format!("{shown} holds more than {MAX_ENTRIES} names")))?;
    let programs = names.into_iter().filter(|name| languages::of_file(Path::new(name)).is_some());
    let (files, others): (Vec<_>, Vec<_>) = programs
        .map(|name| (folder.about(Path::new(&name), Links::Followed), name))
        .partition(|(about, _)| about.is_ok());
    match &files[..] {
        [(_, file)] => of_file_in(&folder, file),
        [] => {
            let why = others.into_iter().find_map(|(about, name)| Some((name, about.err()?)));
            let why = why.map_or_else(
                || "just start makes one".to_owned(),
                |(name, refusal)| format!("{}: {refusal}", Path::new(&name).display()),
            );
            Err(Mistyped(format!("{shown} holds no program: {why}")).into())
        }
        _ => {
            let names: Vec<&str> = files.iter().filter_map(|(_, name)| name.to_str()).collect();
            let first = names.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
            let more = if names.len() > MAX_NAMES { ", …" } else { "" };
            let remedy = format!("name one in a file {MANIFEST} there: run = [\"python3\", \"server.py\"]");
            Err(Mistyped(format!("{shown} holds several programs ({first}{more}); {remedy}")).into())
        }
    }
}

/// One program, run as its language is.
///
/// # Errors
/// The file's ending is that of no language, or it is not to be had.
pub fn of_file(file: &Path) -> Result<AttemptSource> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    of_file_in(&open(folder)?, file.file_name().unwrap_or_default())
}

fn of_file_in(folder: &Arc<Folder>, name: &OsStr) -> Result<AttemptSource> {
    let file = folder.path().join(name);
    let unknown = || Mistyped(format!("{}: no language has this ending: write the command behind --", file.display()));
    let language = languages::of_file(Path::new(name)).ok_or_else(unknown)?;
    let opened = folder.file(Path::new(name), Links::Followed);
    opened.map_err(|refusal| Mistyped(format!("{}: {refusal}", file.display())))?;
    // A name that begins as an option does is no option.
    let word = if name.as_bytes().starts_with(b"-") { Path::new(".").join(name).into() } else { name.to_owned() };
    let named = |words: &[&str]| {
        let word = |one: &&str| if *one == "{file}" { word.clone() } else { OsString::from(one) };
        words.iter().map(word).collect()
    };
    let (build, run) = (named(language.build), named(language.run));
    Ok(AttemptSource { folder: Arc::clone(folder), build, run, author: Author::Submitted })
}

fn open(folder: &Path) -> Result<Arc<Folder>> {
    let opened = Folder::open(folder).map_err(Refusal::Io);
    Ok(Arc::new(opened.map_err(|refusal| Mistyped(format!("{}: {refusal}", folder.display())))?))
}

fn manifest(folder: &Folder) -> Result<Manifest> {
    let mistyped = |why: String| Mistyped(format!("{}: {why}", folder.path().join(MANIFEST).display()));
    let bytes = match folder.read(Path::new(MANIFEST), LARGEST_MANIFEST) {
        Ok(bytes) => bytes,
        // A link that leads nowhere is a manifest that is not to be had.
        Err(Refusal::Missing) if folder.about_any(Path::new(MANIFEST), Links::Refused).is_err_and(is_missing) => {
            return Ok(Manifest::default());
        }
        Err(refusal) => return Err(mistyped(refusal.to_string()).into()),
    };
    let text = String::from_utf8(bytes).map_err(|_| mistyped("it is not UTF-8".to_owned()))?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error| mistyped(error.to_string()))?;
    if manifest.run.as_ref().is_some_and(Vec::is_empty) {
        return Err(mistyped("run names no program".to_owned()).into());
    }
    Ok(manifest)
}

fn is_missing(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Missing)
}
