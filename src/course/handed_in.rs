//! A zip or a tar.gz that somebody has handed in, laid into a folder of its own.
//!
//! It is a stranger's: whatever it says of itself, only so many bytes come out of it, nothing is laid outside of the
//! folder, and nothing but regular files is made.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::work::Scratch;

/// The most bytes of an archive.
const LARGEST_ARCHIVE: u64 = 64 << 20;
/// The most bytes of a tar that are looked at, what is passed over included.
const MOST_BYTES: u64 = 256 << 20;
/// The most bytes of the files that are laid down, and how many there may be: what a sandbox takes.
const MOST_KEPT: u64 = 64 << 20;
const MOST_FILES: usize = 4096;
/// The most entries that are looked at.
const MOST_ENTRIES: usize = 65_536;
/// The most folders above a file, and the file itself.
const DEEPEST: usize = 32;

/// What tools and systems leave in a folder, and nobody has written.
const LITTER: [&str; 7] = ["__MACOSX", "__pycache__", "node_modules", "target", "venv", ".DS_Store", "Thumbs.db"];

/// Whether this is the name of a folder, or of a file, that no program is in.
pub(super) fn is_litter(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".") || LITTER.iter().any(|litter| name == *litter)
}

/// Whether a file's ending is that of an archive that is taken.
pub(super) fn is_archive(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().as_bytes().to_ascii_lowercase();
    [&b".zip"[..], b".tar.gz", b".tgz", b".tar"].iter().any(|ending| name.ends_with(ending))
}

/// Lays what is in an archive into a new folder, which goes with what is returned.
///
/// # Errors
/// In words: it is no archive, or a part of it is not taken.
pub(super) fn unpack(archive: File) -> Result<Scratch, String> {
    let about = archive.metadata().map_err(|error| error.to_string())?;
    if about.len() > LARGEST_ARCHIVE {
        return Err(format!("it is larger than {} MiB", LARGEST_ARCHIVE >> 20));
    }
    let scratch = Scratch::make().map_err(|error| format!("make a folder for what is in it: {error}"))?;
    let mut laid = Laid { root: scratch.path().to_owned(), files: 0, entries: 0, kept: 0 };
    let mut archive = BufReader::new(archive);
    let mut head = [0; 4];
    let len = archive.read(&mut head).map_err(|error| error.to_string())?;
    archive.rewind().map_err(|error| error.to_string())?;
    match &head[..len] {
        [b'P', b'K', ..] => zip(archive, &mut laid)?,
        [0x1f, 0x8b, ..] => tar(MultiGzDecoder::new(archive), &mut laid)?,
        _ => tar(archive, &mut laid)?,
    }
    Ok(scratch)
}

fn zip(archive: impl Read + Seek, laid: &mut Laid) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(archive).map_err(no_archive)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(no_archive)?;
        let (path, mode) = (PathBuf::from(entry.name().replace('\\', "/")), entry.unix_mode());
        if entry.is_file() {
            laid.file(&path, mode.is_some_and(|mode| mode & 0o100 != 0), &mut entry)?;
        } else {
            laid.count()?;
        }
    }
    Ok(())
}

fn tar(archive: impl Read, laid: &mut Laid) -> Result<(), String> {
    // What is passed over is read as well.
    let mut archive = tar::Archive::new(archive.take(MOST_BYTES));
    for entry in archive.entries().map_err(no_archive)? {
        let mut entry = entry.map_err(no_archive)?;
        let path = entry.path().map_err(no_archive)?.into_owned();
        if entry.header().entry_type().is_file() {
            let is_program = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
            laid.file(&path, is_program, &mut entry)?;
        } else {
            laid.count()?;
        }
    }
    if laid.entries == 0 { Err("there is nothing in it".to_owned()) } else { Ok(()) }
}

fn no_archive(error: impl std::fmt::Display) -> String {
    format!("it is no zip and no tar.gz that can be unpacked ({error}): unpack it, and name the folder")
}

/// What has been laid down so far.
struct Laid {
    root: PathBuf,
    files: usize,
    entries: usize,
    kept: u64,
}

impl Laid {
    fn count(&mut self) -> Result<(), String> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES { Err(format!("it has more than {MOST_ENTRIES} entries")) } else { Ok(()) }
    }

    /// Lays a regular file, unless it is litter.
    fn file(&mut self, path: &Path, is_program: bool, bytes: &mut impl Read) -> Result<(), String> {
        self.count()?;
        let mut inner = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => inner.push(name),
                Component::CurDir => {}
                _ => return Err(format!("it names {path:?}, which lies outside of it")),
            }
        }
        let depth = inner.components().count();
        if inner.components().any(|part| is_litter(part.as_os_str())) {
            return Ok(());
        }
        if depth == 0 || depth > DEEPEST || path.as_os_str().as_bytes().contains(&0) {
            return Err(format!("it names {path:?}, which is no path of a file"));
        }
        if self.files == MOST_FILES {
            return Err(format!("it holds more than {MOST_FILES} files"));
        }
        let named = |error: io::Error| format!("it names {path:?}, which cannot be laid down: {error}");
        let file = self.root.join(&inner);
        fs::create_dir_all(file.parent().unwrap_or(&self.root)).map_err(named)?;
        let mode = if is_program { 0o700 } else { 0o600 };
        let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(&file);
        // What it says of a file's length is not believed.
        let left = MOST_KEPT - self.kept;
        let copied = io::copy(&mut bytes.take(left + 1), &mut made.map_err(named)?);
        let copied = copied.map_err(|error| format!("{path:?} in it cannot be read: {error}"))?;
        self.kept += copied;

        if copied > left {
            return Err(format!("its files have more than {} MiB together", MOST_KEPT >> 20));
        }
        self.files += 1;
        Ok(())
    }
}
