//! Files on their way into a sandbox or out of it: an archive in memory.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, memfd_create};

/// The most bytes that the files of an archive have together.
pub const LARGEST: u64 = 64 << 20;
/// The most files and folders in an archive.
pub const MOST_FILES: u64 = 4096;

/// Folders of these names hold what tools have made, not what a person has written.
const LEFT_OUT: [&str; 2] = ["target", "node_modules"];

/// Regular files and their folders, in memory. A clone shares the memory, which is sealed: it cannot be changed.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    archive: Option<Arc<OwnedFd>>,
    bytes: u64,
}

/// Why there is no archive.
#[derive(Debug)]
pub enum ArchiveError {
    /// The files have more than [`LARGEST`] bytes.
    TooLarge,
    /// There are more than [`MOST_FILES`].
    TooMany,
    /// A file could not be read.
    Io {
        /// The file, or the folder that holds it.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveError::TooLarge => {
                write!(f, "the files are larger than {} MiB together: move what is not needed away", LARGEST >> 20)
            }
            ArchiveError::TooMany => write!(f, "there are more than {MOST_FILES} files: move what is not needed away"),
            ArchiveError::Io { path, error } => {
                write!(f, "{}: {}", path.display(), crate::trace::error_name(error))
            }
        }
    }
}

impl std::error::Error for ArchiveError {}

impl Archive {
    /// The regular files of a folder, and `also` these files, which come to lie beside them.
    ///
    /// Links are left out, and so are hidden folders, `target` and `node_modules`.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn of_folder(folder: &Path, also: &[PathBuf]) -> Result<Archive, ArchiveError> {
        Archive::pack(folder, also, &brings_folder)
    }

    /// Whether a file at this path of a folder comes along with it.
    pub fn brings(path: &Path) -> bool {
        let folders = path.parent().into_iter().flat_map(Path::components);
        folders.into_iter().all(|part| brings_folder(&part.as_os_str().to_string_lossy()))
    }

    /// The same, with those folders that `wanted` names. What is in the folder may be hostile.
    pub(super) fn pack(
        folder: &Path,
        also: &[PathBuf],
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Archive, ArchiveError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| ArchiveError::Io { path, error }
        };
        let memory = new_archive().map_err(at(folder))?;
        let bytes = write_archive(folder, also, wanted, &memory)?;
        Archive::sealed(memory, bytes).map_err(at(folder))
    }

    /// Takes over an archive that is complete, and seals it against changes.
    ///
    /// # Errors
    /// Those of `F_ADD_SEALS`, `fcntl(2)`: `EBUSY` while it is mapped for writing.
    pub(super) fn sealed(archive: File, bytes: u64) -> io::Result<Archive> {
        fcntl_add_seals(&archive, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(Archive { archive: Some(Arc::new(archive.into())), bytes })
    }

    /// The bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.archive.as_deref().map(AsFd::as_fd)
    }
}

fn brings_folder(name: &str) -> bool {
    !name.starts_with('.') && !LEFT_OUT.contains(&name)
}

/// Room for an archive: an empty file in memory, `memfd_create(2)`.
///
/// # Errors
/// `EMFILE` at the limit of descriptors.
pub fn new_archive() -> io::Result<File> {
    Ok(memfd_create("archive", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into())
}

/// Writes the files of a folder to an archive, and returns how many bytes they have.
///
/// # Errors
/// See [`ArchiveError`].
pub fn write_archive(
    folder: &Path,
    also: &[PathBuf],
    wanted: &dyn Fn(&str) -> bool,
    archive: &File,
) -> Result<u64, ArchiveError> {
    let (mut bytes, mut files) = (0, 0);
    let mut builder = tar::Builder::new(BufWriter::new(archive));
    // Folders yet to be looked into, by their path from `folder`.
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        let path = folder.join(&inner);
        let at = |error| ArchiveError::Io { path: path.clone(), error };
        let mut entries = fs::read_dir(&path).map_err(at)?.collect::<Result<Vec<_>, _>>().map_err(at)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = inner.join(entry.file_name());
            let kind = entry.file_type().map_err(at)?;
            if kind.is_dir() && wanted(&entry.file_name().to_string_lossy()) {
                files += 1;
                add_folder(&mut builder, &name).map_err(at)?;
                folders.push(name);
            } else if kind.is_file() {
                files += 1;
                bytes += add_file(&mut builder, &entry.path(), &name, LARGEST - bytes)?;
            }
            if files > MOST_FILES {
                return Err(ArchiveError::TooMany);
            }
        }
    }
    for path in also {
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        bytes += add_file(&mut builder, path, &name, LARGEST - bytes)?;
    }
    let at = |error| ArchiveError::Io { path: folder.to_owned(), error };
    builder.into_inner().and_then(|mut writer| writer.flush()).map_err(at)?;
    Ok(bytes)
}

fn add_folder(to: &mut tar::Builder<impl Write>, name: &Path) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    to.append_data(&mut header, name, io::empty())
}

/// Adds a regular file of at most `at_most` bytes, and returns how many it has: none if it has become something else
/// meanwhile.
fn add_file(to: &mut tar::Builder<impl Write>, path: &Path, name: &Path, at_most: u64) -> Result<u64, ArchiveError> {
    let at = |error: io::Error| ArchiveError::Io { path: path.to_owned(), error };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|error| at(error.into()))?;
    let file = File::from(file);
    let about = file.metadata().map_err(at)?;
    if !about.is_file() {
        return Ok(0);
    }
    if about.len() > at_most {
        return Err(ArchiveError::TooLarge);
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(if about.mode() & 0o100 == 0 { 0o644 } else { 0o755 });
    header.set_size(about.len());
    // A file that shrinks meanwhile is filled up with zeros: the header has been promised.
    let bytes = (&file).chain(io::repeat(0)).take(about.len());
    to.append_data(&mut header, name, bytes).map_err(at)?;
    Ok(about.len())
}

/// Lays the files of an archive into a folder.
///
/// The archive may have been written in another sandbox: whatever names it has, nothing is laid elsewhere, and nothing
/// but regular files and folders. The folder must be empty.
///
/// # Errors
/// An archive that is malformed, and what the file system refuses.
pub fn unpack(archive: BorrowedFd<'_>, folder: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(64 << 10, FromStart { archive, at: 0 }));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        if !name.components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let path = folder.join(name);
        match entry.header().entry_type() {
            tar::EntryType::Directory => fs::create_dir(&path)?,
            tar::EntryType::Regular => {
                let mode = Mode::from_raw_mode(entry.header().mode()? & 0o755);
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mut file = File::from(rustix::fs::openat(CWD, &path, flags, mode)?);
                io::copy(&mut entry, &mut file)?;
            }
            _ => continue,
        }
        if let Some((user, group)) = owner {
            std::os::unix::fs::lchown(&path, Some(user), Some(group))?;
        }
    }
    Ok(())
}

/// Reads a file from its start, wherever others that have it open are.
struct FromStart<'a> {
    archive: BorrowedFd<'a>,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = rustix::io::pread(self.archive, buf, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
