//! Where an attempt comes from: a folder, how it is built there, and what is executed; and who has said so.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::checkout::own_folders;
use super::handed_in::{is_archive, is_litter, unpack};
use super::programs::{Commands, Source};
use super::work::Scratch;
use super::{Mistyped, languages, programs};
use crate::sandbox::{Archive, Besides, Folder, Links, Refusal, is_in_every_sandbox, is_installed, is_known};

/// The file beside a program that says how it is built and run.
pub const MANIFEST: &str = "socklab.toml";

/// The largest manifest, in bytes.
const LARGEST_MANIFEST: u64 = 64 << 10;

/// The most names of programs in a message.
const MAX_NAMES: usize = 5;

/// The largest file, in bytes, that is read to find out which one is the program, and how many of them are.
const LARGEST_SOURCE: u64 = 1 << 20;
const MOST_READ: usize = 64;

/// The longest way to a folder with the program, in folders.
const DEEPEST: usize = 64;

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
    /// Whether a person has named one file, and not its folder.
    pub is_one_file: bool,
    /// Where the folder was made for it, and goes with this.
    pub scratch: Option<Arc<Scratch>>,
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
            if index > 0 {
                self.no_word_names_what_stays_outside(word)?;
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

    /// A folder elsewhere does not come along, nor what a part of a word names, as in `-cp lib:/home/me/classes`.
    fn no_word_names_what_stays_outside(&self, word: &OsStr) -> Result<()> {
        let root = fs::canonicalize(self.folder.path()).unwrap_or_default();
        let value = word.as_bytes().rsplit(|byte| *byte == b'=').next().filter(|_| word.as_bytes().starts_with(b"-"));
        for part in value.unwrap_or(word.as_bytes()).split(|byte| *byte == b':') {
            let is_path = part.starts_with(b"/") || part.starts_with(b"..") || part.contains(&b'/');
            let Some(real) =
                is_path.then(|| root.join(OsStr::from_bytes(part))).and_then(|path| path.canonicalize().ok())
            else {
                continue;
            };
            let kind = match real.is_dir() {
                true => "folder",
                // A file that is a word of its own comes along.
                false if part.len() < word.len() => "file",
                false => continue,
            };
            // As a file in it would.
            let is_brought = |inner: &Path| brings(&root, inner) && Archive::brings(&inner.join("file"));
            let inner = real.strip_prefix(&root).ok();
            let comes_along = inner.is_some_and(|inner| inner.as_os_str().is_empty() || is_brought(inner));
            if !comes_along && !is_in_every_sandbox(&real) {
                return Err(Mistyped(format!(
                    "the {kind} {} is not in the sandbox: the folder in which you type comes along, and files that are \
                     words of the command: copy what the program needs into its folder, and judge it there",
                    real.display()
                ))
                .into());
            }
        }
        Ok(())
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
    let has = |above: &Path, mark: &str| folder.join(above).join(mark).exists();
    let environment = |above: &Path| has(above, "pyvenv.cfg") || has(above, "conda-meta");
    let mut above = inner.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    Archive::brings(inner) && !above.any(environment) && !own_folders().iter().any(|own| real.starts_with(own))
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
    let manifest = manifest(&folder, folder.path())?;
    let build = manifest.build.into_iter().map(OsString::from).collect();
    Ok(AttemptSource { folder, build, run: command.to_vec(), author: Author::Typed, is_one_file: false, scratch: None })
}

/// What a person has handed in, whatever it is: a program, a folder with one, or an archive of such a folder.
/// `starters` are the names of the exercise's starters.
///
/// # Errors
/// There is no such file, it holds no program, or several.
pub fn of_path(path: &Path, starters: &[&str]) -> Result<AttemptSource> {
    if path.is_dir() {
        return of_folder(path, starters);
    }
    let (folder, name) = (open(above(path))?, path.file_name().unwrap_or_default());
    if is_archive(path) { of_archive(&folder, Path::new(name), path, starters) } else { of_file_in(&folder, name) }
}

/// The program in a folder: the one that its manifest names; or else the one that is called as a starter, or that no
/// other one takes in, with what belongs to it. A folder that holds none may hold one folder or one archive that does.
///
/// # Errors
/// The folder or its manifest cannot be read, or the folder holds no program, or several.
pub fn of_folder(folder: &Path, starters: &[&str]) -> Result<AttemptSource> {
    in_folder(&open(folder)?, folder, starters, Archives::Taken)
}

/// Whether an archive in a folder is looked into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Archives {
    Taken,
    PassedOver,
}

/// The same, of a folder that is `shown` under another name.
fn in_folder(folder: &Arc<Folder>, shown: &Path, starters: &[&str], archives: Archives) -> Result<AttemptSource> {
    if let Some(source) = at_the_top(folder, shown, starters)? {
        return Ok(source);
    }
    let names = names_in(folder, shown)?;
    let of_persons: Vec<&OsString> = names.iter().filter(|name| !is_litter(name)).collect();
    // A folder that holds nothing but a folder is only a wrapping, as that of an archive is.
    if let [only] = of_persons[..]
        && let Ok(inside) = folder.folder(Path::new(only), Links::Refused)
        && shown.components().count() < DEEPEST
    {
        return in_folder(&Arc::new(inside), &shown.join(only), starters, archives);
    }
    let mut found = Vec::new();
    for name in of_persons {
        let inner = Path::new(name);
        if let Ok(inside) = folder.folder(inner, Links::Refused) {
            let inside = Arc::new(inside);
            found.extend(at_the_top(&inside, &shown.join(inner), starters).transpose().map(|source| (name, source)));
        } else if archives == Archives::Taken && is_archive(inner) && folder.about(inner, Links::Followed).is_ok() {
            found.push((name, of_archive(folder, inner, &shown.join(inner), starters)));
        }
        if found.len() > MAX_NAMES {
            break;
        }
    }
    // Tests of the student's own are none of the programs.
    if found.len() > 1 {
        found.retain(|(name, _)| *name != "test" && *name != "tests");
    }
    let shown = shown.display();
    match found.len() {
        1 => found.remove(0).1,
        0 => Err(Mistyped(format!("{shown} holds no program: {}", why_no_program(folder, &names))).into()),
        _ => {
            let names = list(found.iter().map(|(name, _)| name.as_os_str()));
            Err(Mistyped(format!("{shown} holds several folders with programs ({names}): name one of them")).into())
        }
    }
}

/// The program at the top of a folder, if there is any.
fn at_the_top(folder: &Arc<Folder>, shown: &Path, starters: &[&str]) -> Result<Option<AttemptSource>> {
    let Manifest { build, run } = manifest(folder, shown)?;
    if let Some(run) = run {
        let os = |words: Vec<String>| words.into_iter().map(OsString::from).collect();
        let (build, run) = (os(build), os(run));
        let folder = Arc::clone(folder);
        return Ok(Some(AttemptSource {
            folder,
            build,
            run,
            author: Author::Submitted,
            is_one_file: false,
            scratch: None,
        }));
    }
    let sources = sources(folder, shown, None)?;
    if sources.is_empty() {
        return Ok(None);
    }
    let Some(program) = programs::the_program(&sources, starters) else {
        let names = list(sources.iter().map(|source| source.name.as_os_str()));
        let remedy = format!(
            "type the one that you mean, or name it in a file {MANIFEST} there: run = [\"python3\", \"server.py\"]"
        );
        return Err(Mistyped(format!("{} holds several programs ({names}); {remedy}", shown.display())).into());
    };
    Ok(Some(built_by_its_language(folder, program, &sources)))
}

/// The files at the top of a folder whose endings are those of languages. What is larger than a program is empty here.
fn sources(folder: &Folder, shown: &Path, named: Option<&OsStr>) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for name in names_in(folder, shown)? {
        let Some(language) = languages::of_file(Path::new(&name)).filter(|_| !is_litter(&name)) else { continue };
        if folder.about(Path::new(&name), Links::Followed).is_err() {
            continue;
        }
        let is_read = sources.len() < MOST_READ || named == Some(&*name);
        let bytes = if is_read { folder.read(Path::new(&name), LARGEST_SOURCE) } else { Ok(Vec::new()) };
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        sources.push(Source { name, language, text });
    }
    Ok(sources)
}

fn names_in(folder: &Folder, shown: &Path) -> Result<Vec<OsString>> {
    let shown = shown.display();
    let names = folder.names(MAX_ENTRIES).with_context(|| format!("read {shown}"))?;
    Ok(names.ok_or_else(|| Mistyped(format!("{shown} holds more than {MAX_ENTRIES} names")))?)
}

fn why_no_program(folder: &Folder, names: &[OsString]) -> String {
    let programs = names.iter().map(Path::new).filter(|name| languages::of_file(name).is_some());
    let refused = programs.filter_map(|name| Some((name, folder.about(name, Links::Followed).err()?)));
    if let Some((name, refusal)) = refused.take(1).next() {
        return format!("{}: {refusal}", name.display());
    }
    match names.iter().map(Path::new).find(|name| name.extension().is_some_and(|ending| ending == "txt")) {
        Some(text) => without_ending(text),
        None => "just start makes one".to_owned(),
    }
}

/// What to do with a program that was saved as a text.
fn without_ending(file: &Path) -> String {
    let endings: Vec<&str> = languages::LANGUAGES.iter().map(|language| language.endings[0]).collect();
    format!(
        "{}: a program's language is known by its ending: rename it, to {}.py for example ({})",
        file.display(),
        file.file_stem().unwrap_or_default().display(),
        endings.join(", ")
    )
}

fn list<'a>(names: impl ExactSizeIterator<Item = &'a OsStr>) -> String {
    let more = if names.len() > MAX_NAMES { ", …" } else { "" };
    let names: Vec<String> = names.take(MAX_NAMES).map(|name| name.display().to_string()).collect();
    names.join(", ") + more
}

/// What is in an archive.
fn of_archive(folder: &Folder, inner: &Path, shown: &Path, starters: &[&str]) -> Result<AttemptSource> {
    let refused = |why: String| Mistyped(format!("{}: {why}", shown.display()));
    let (archive, _) = folder.file(inner, Links::Followed).map_err(|refusal| refused(refusal.to_string()))?;
    let scratch = Arc::new(unpack(archive).map_err(refused)?);
    let source = in_folder(&open(scratch.path())?, shown, starters, Archives::PassedOver)?;
    Ok(AttemptSource { scratch: Some(scratch), ..source })
}

/// One program, run as its language is.
///
/// # Errors
/// The file's ending is that of no language, or it is not to be had.
pub fn of_file(file: &Path) -> Result<AttemptSource> {
    of_file_in(&open(above(file))?, file.file_name().unwrap_or_default())
}

fn above(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn of_file_in(folder: &Arc<Folder>, name: &OsStr) -> Result<AttemptSource> {
    let file = folder.path().join(name);
    let opened = folder.file(Path::new(name), Links::Followed);
    let text = file.extension().is_some_and(|ending| ending == "txt").then(|| without_ending(&file));
    if languages::of_file(Path::new(name)).is_none()
        && let Ok((_, about)) = &opened
    {
        if about.st_mode & 0o111 != 0 {
            let (folder, run) = (Arc::clone(folder), vec![Path::new(".").join(name).into()]);
            let (build, author) = (Vec::new(), Author::Submitted);
            return Ok(AttemptSource { folder, build, run, author, is_one_file: true, scratch: None });
        }
        let remedy = "no language has this ending: write the command behind --";
        return Err(Mistyped(text.unwrap_or_else(|| format!("{}: {remedy}", file.display()))).into());
    }
    opened.map_err(|refusal| {
        let remedy = "a command goes behind --: just grade 30 -- python3 server.py";
        match refusal {
            Refusal::Missing => Mistyped(format!("{}: {refusal}; {remedy}", file.display())),
            _ => Mistyped(format!("{}: {refusal}", file.display())),
        }
    })?;
    let sources = sources(folder, folder.path(), Some(name))?;
    let program = sources.iter().find(|source| source.name == name);
    let program = program.ok_or_else(|| Mistyped(format!("{}: it is hidden: rename it", file.display())))?;
    Ok(AttemptSource { is_one_file: true, ..built_by_its_language(folder, program, &sources) })
}

fn built_by_its_language(folder: &Arc<Folder>, program: &Source, sources: &[Source]) -> AttemptSource {
    let has_javac = program.language.name == "java" && is_installed(OsStr::new("javac"));
    let Commands { build, run } = programs::commands(program, sources, has_javac);
    AttemptSource {
        folder: Arc::clone(folder),
        build,
        run,
        author: Author::Submitted,
        is_one_file: false,
        scratch: None,
    }
}

fn open(folder: &Path) -> Result<Arc<Folder>> {
    let opened = Folder::open(folder).map_err(Refusal::Io);
    Ok(Arc::new(opened.map_err(|refusal| Mistyped(format!("{}: {refusal}", folder.display())))?))
}

fn manifest(folder: &Folder, shown: &Path) -> Result<Manifest> {
    let mistyped = |why: String| Mistyped(format!("{}: {why}", shown.join(MANIFEST).display()));
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
