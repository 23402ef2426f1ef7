//! Files on their way into a sandbox or out of it: an archive in memory.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, FileType, MemfdFlags, Mode, OFlags, SealFlags, Stat, chownat, fcntl_add_seals, memfd_create, mkdirat,
    openat, symlinkat,
};
use rustix::process::{Gid, Uid};
use serde::{Deserialize, Serialize};

use super::beneath::{self, Folder, Refusal};
use super::own;
use crate::beneath::{Links, Object, is_file, object_of};

/// The most bytes that the files of an archive have together.
pub const LARGEST: u64 = 64 << 20;
/// The most files and folders in an archive.
pub const MOST_FILES: u64 = 4096;
/// The longest path in an archive, in bytes: with what comes before it, it must be one that the kernel takes.
const LONGEST_PATH: usize = 3900;
/// The most names that are looked at in all folders together, whatever they are the names of.
const MOST_NAMES: usize = 65_536;
/// The most names of what was left behind that are kept.
const MOST_TOLD: usize = 5;

/// Folders of these names hold what tools have made, not what a person has written.
const LEFT_OUT: [&str; 2] = ["target", "node_modules"];

/// Regular files and their folders, and links between them, in memory. A clone shares the memory, which is sealed: it
/// cannot be changed.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    archive: Option<Arc<OwnedFd>>,
    bytes: u64,
    left_behind: LeftBehind,
}

/// What of a folder did not come along, though a person may have meant it to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// How much it is.
    pub count: u64,
    /// The first of it, with the reason in words.
    pub first: Vec<(PathBuf, &'static str)>,
}

impl LeftBehind {
    fn add(&mut self, path: &Path, why: &'static str) {
        self.count += 1;
        if self.first.len() < MOST_TOLD {
            self.first.push((path.to_owned(), why));
        }
    }
}

/// A file that comes along besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Besides {
    /// Where it lies: in the folder, though in a part that is left out; or elsewhere, where a person has named it.
    pub from: PathBuf,
    /// Whether it lies in the folder, and `from` is its path there.
    pub is_inside: bool,
    /// Its path in the archive.
    pub name: PathBuf,
}

/// Files that are not for an archive: why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Excess {
    /// They have more than [`LARGEST`] bytes.
    Bytes,
    /// There are more than [`MOST_FILES`], or a great many names of other things.
    Files,
    /// A path is too long.
    Path,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Excess::Bytes => write!(f, "files of more than {} MiB together", LARGEST >> 20),
            Excess::Files => write!(f, "more than {MOST_FILES} files"),
            Excess::Path => write!(f, "paths of more than {LONGEST_PATH} bytes"),
        }
    }
}

/// Why there is no archive.
#[derive(Debug)]
pub enum ArchiveError {
    /// The files are too many or too large.
    Excess(Excess),
    /// A file or a folder could not be read, or the archive not be written.
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
            ArchiveError::Excess(excess) => write!(f, "it holds {excess}: move what is not needed away"),
            ArchiveError::Io { path, error } => {
                write!(f, "{}: {}", path.display(), beneath::told(error))
            }
        }
    }
}

impl std::error::Error for ArchiveError {}

impl Archive {
    /// The regular files of a folder, and `besides` these files.
    ///
    /// Of a link to a file in the folder the content comes along; a link to a folder that comes along is a link. What
    /// leads elsewhere is left behind, and told. Hidden folders, `target` and `node_modules` are left out.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn of_folder(folder: &Folder, besides: &[Besides]) -> Result<Archive, ArchiveError> {
        Archive::of_folder_but(folder, besides, &[])
    }

    /// The same without what is in these folders, and nothing at all of a folder that lies in one of them.
    ///
    /// # Errors
    /// See [`ArchiveError`].
    pub fn of_folder_but(folder: &Folder, besides: &[Besides], without: &[PathBuf]) -> Result<Archive, ArchiveError> {
        let at = |error| ArchiveError::Io { path: folder.path().to_owned(), error };
        let memory = new_archive().map_err(at)?;
        let written = write_archive(folder, besides, Some(without), &brings_folder, &memory)?;
        let archive = Archive::sealed(memory, written.bytes).map_err(at)?;
        Ok(Archive { left_behind: written.left_behind, ..archive })
    }

    /// Whether a file at this path of a folder comes along with it.
    pub fn brings(path: &Path) -> bool {
        let folders = path.parent().into_iter().flat_map(Path::components);
        folders.into_iter().all(|part| brings_folder(part.as_os_str()))
    }

    /// Takes over an archive that is complete, and seals it against changes.
    ///
    /// # Errors
    /// Those of `F_ADD_SEALS`, `fcntl(2)`: `EBUSY` while it is mapped for writing.
    pub(super) fn sealed(archive: File, bytes: u64) -> io::Result<Archive> {
        fcntl_add_seals(&archive, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(Archive { archive: Some(Arc::new(archive.into())), bytes, left_behind: LeftBehind::default() })
    }

    /// The bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What of the folder did not come along.
    pub fn left_behind(&self) -> &LeftBehind {
        &self.left_behind
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.archive.as_deref().map(AsFd::as_fd)
    }
}

/// Whether a folder is an environment of Python's, or of conda's: what is installed there lies beside the program.
fn is_environment(folder: &Folder) -> bool {
    let has = |name: &str| folder.about_any(Path::new(name), Links::Refused).is_ok();
    has("pyvenv.cfg") || has("conda-meta")
}

fn brings_folder(name: &OsStr) -> bool {
    !name.as_bytes().starts_with(b".") && !LEFT_OUT.iter().any(|one| name == *one)
}

/// Room for an archive: an empty file in memory, `memfd_create(2)`.
///
/// # Errors
/// `EMFILE` at the limit of descriptors.
pub fn new_archive() -> io::Result<File> {
    Ok(memfd_create("archive", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into())
}

/// What was written.
pub struct Written {
    /// The bytes of the files.
    pub bytes: u64,
    /// What did not come along.
    pub left_behind: LeftBehind,
}

/// Writes the files of a folder to an archive. `wanted` says which folders come along, by their names. `without` are
/// folders of a person's that do not; there neither do environments of Python's. `None`: a program has made it all.
///
/// # Errors
/// See [`ArchiveError`].
pub fn write_archive(
    folder: &Folder,
    besides: &[Besides],
    without: Option<&[PathBuf]>,
    wanted: &dyn Fn(&OsStr) -> bool,
    archive: &File,
) -> Result<Written, ArchiveError> {
    let mut packer = Packer {
        folder,
        builder: tar::Builder::new(BufWriter::new(archive)),
        bytes: 0,
        names: HashSet::new(),
        leaves_environments: without.is_some(),
        without: without
            .unwrap_or_default()
            .iter()
            .filter_map(|path| Some(object_of(&rustix::fs::stat(path).ok()?)))
            .collect(),
        folders: HashMap::new(),
        left_behind: LeftBehind::default(),
    };
    packer.add_all(besides, wanted)?;
    let at = |error| ArchiveError::Io { path: folder.path().to_owned(), error };
    packer.builder.into_inner().and_then(|mut writer| writer.flush()).map_err(at)?;
    Ok(Written { bytes: packer.bytes, left_behind: packer.left_behind })
}

/// An archive that is being written.
struct Packer<'a> {
    folder: &'a Folder,
    builder: tar::Builder<BufWriter<&'a File>>,
    bytes: u64,
    /// What is in the archive: a folder that is changed meanwhile may tell of a name twice.
    names: HashSet<PathBuf>,
    /// Folders that are left out, whatever they are called.
    without: HashSet<Object>,
    /// Whether environments of Python's are.
    leaves_environments: bool,
    /// The folders that come along, and where they lie.
    folders: HashMap<Object, PathBuf>,
    left_behind: LeftBehind,
}

impl Packer<'_> {
    fn add_all(&mut self, besides: &[Besides], wanted: &dyn Fn(&OsStr) -> bool) -> Result<(), ArchiveError> {
        let mut names_left = MOST_NAMES;
        // Links to no file, which may be links to folders: only in the end it is known which of those come along.
        let mut links = Vec::new();
        // Folders yet to be looked into, by their path from the folder itself.
        let mut folders = if self.is_in_what_is_left_out() { Vec::new() } else { vec![PathBuf::new()] };
        while let Some(inner) = folders.pop() {
            let opened = match self.folder.folder(&inner, Links::Refused) {
                Ok(opened) => opened,
                Err(refusal) if inner.as_os_str().is_empty() || !refusal.is_theirs() => return Err(self.io(refusal)),
                Err(_) => {
                    self.left_behind.add(&inner, "cannot be read");
                    continue;
                }
            };
            let at = |error| ArchiveError::Io { path: opened.path().to_owned(), error };
            if self.leaves_environments && !inner.as_os_str().is_empty() && is_environment(&opened) {
                continue;
            }
            if let Ok(about) = rustix::fs::fstat(&opened) {
                self.folders.insert(object_of(&about), inner.clone());
            }
            let names = opened.names(names_left).map_err(at)?.ok_or(ArchiveError::Excess(Excess::Files))?;
            names_left -= names.len();
            for name in names {
                let path = inner.join(&name);
                if path.as_os_str().len() > LONGEST_PATH {
                    return Err(ArchiveError::Excess(Excess::Path));
                }
                let Ok(about) = rustix::fs::statat(&opened, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
                match FileType::from_raw_mode(about.st_mode) {
                    FileType::Directory if wanted(&name) && !self.without.contains(&object_of(&about)) => {
                        self.add_folder(&path)?;
                        folders.push(path);
                    }
                    FileType::RegularFile => self.add_file(&path, &path, Links::Refused)?,
                    FileType::Symlink => match self.folder.about_any(&path, Links::Followed) {
                        Ok(about) if is_file(&about) => self.add_file(&path, &path, Links::Followed)?,
                        Ok(about) => links.push((path, about)),
                        Err(Refusal::Missing) => self.left_behind.add(&path, "leads nowhere"),
                        Err(refusal) if !refusal.is_theirs() => return Err(self.io(refusal)),
                        Err(_) => self.left_behind.add(&path, "leads out of the folder"),
                    },
                    _ => {}
                }
            }
        }
        for (path, about) in links {
            self.add_link(&path, &about)?;
        }
        for one in besides {
            self.add_folders_above(&one.name)?;
            if one.is_inside {
                self.add_file(&one.from, &one.name, Links::Followed)?;
            } else {
                self.add_file_from_elsewhere(&one.from, &one.name)?;
            }
        }
        Ok(())
    }

    fn is_in_what_is_left_out(&self) -> bool {
        let real = std::fs::canonicalize(self.folder.path()).unwrap_or_default();
        let object = |path: &Path| rustix::fs::stat(path).map(|about| object_of(&about)).ok();
        real.ancestors().filter_map(object).any(|above| self.without.contains(&above))
    }

    fn io(&self, refusal: Refusal) -> ArchiveError {
        ArchiveError::Io { path: self.folder.path().to_owned(), error: refusal.into() }
    }

    /// Counts a new name. False for one that is there already.
    fn is_new(&mut self, name: &Path) -> Result<bool, ArchiveError> {
        if !self.names.insert(name.to_owned()) {
            return Ok(false);
        }
        if self.names.len() as u64 > MOST_FILES { Err(ArchiveError::Excess(Excess::Files)) } else { Ok(true) }
    }

    fn add_folder(&mut self, name: &Path) -> Result<(), ArchiveError> {
        if !self.is_new(name)? {
            return Ok(());
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        let at = |error| ArchiveError::Io { path: name.to_owned(), error };
        self.builder.append_data(&mut header, name, io::empty()).map_err(at)
    }

    /// Adds the folders on the way to a file in a part of the folder that is left out.
    fn add_folders_above(&mut self, name: &Path) -> Result<(), ArchiveError> {
        let mut above: Vec<&Path> = name.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        above.into_iter().try_for_each(|folder| self.add_folder(folder))
    }

    /// Adds a regular file of the folder; leaves it behind if it cannot be read, or has become something else.
    fn add_file(&mut self, inner: &Path, name: &Path, links: Links) -> Result<(), ArchiveError> {
        match self.folder.file(inner, links) {
            Ok((_, about)) if own::is_this_program(&about) => {
                self.left_behind.add(inner, "is the judge");
                Ok(())
            }
            Ok((file, about)) => self.add_opened(file, &about, inner, name),
            Err(refusal) if !refusal.is_theirs() => Err(self.io(refusal)),
            Err(_) => {
                self.left_behind.add(inner, "cannot be read");
                Ok(())
            }
        }
    }

    /// Adds a file that a person has named, wherever it lies.
    fn add_file_from_elsewhere(&mut self, path: &Path, name: &Path) -> Result<(), ArchiveError> {
        let at = |error: io::Error| ArchiveError::Io { path: path.to_owned(), error };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|error| at(error.into()))?);
        let about = rustix::fs::fstat(&file).map_err(|error| at(error.into()))?;
        if !is_file(&about) {
            return Err(at(io::Error::other("it is no regular file")));
        }
        self.add_opened(file, &about, path, name)
    }

    fn add_opened(&mut self, file: File, about: &Stat, path: &Path, name: &Path) -> Result<(), ArchiveError> {
        if !self.is_new(name)? {
            return Ok(());
        }
        let size = u64::try_from(about.st_size).unwrap_or(u64::MAX);
        if size > LARGEST - self.bytes {
            return Err(ArchiveError::Excess(Excess::Bytes));
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(if about.st_mode & 0o100 == 0 { 0o644 } else { 0o755 });
        header.set_size(size);
        // A file that shrinks meanwhile is filled up with zeros: the header has been promised.
        let bytes = file.chain(io::repeat(0)).take(size);
        let at = |error| ArchiveError::Io { path: path.to_owned(), error };
        self.builder.append_data(&mut header, name, bytes).map_err(at)?;
        self.bytes += size;
        Ok(())
    }

    /// Adds a link to a folder, if that comes along. It is written anew: on its own way it might pass what does not.
    fn add_link(&mut self, path: &Path, to: &Stat) -> Result<(), ArchiveError> {
        let Some(target) = self.folders.get(&object_of(to)) else {
            self.left_behind.add(path, "leads to what does not come along");
            return Ok(());
        };
        let up = path.components().skip(1).map(|_| Component::ParentDir);
        let target: PathBuf = up.chain(target.components()).collect();
        let target = if target.as_os_str().is_empty() { PathBuf::from(".") } else { target };
        if !self.is_new(path)? {
            return Ok(());
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        let at = |error| ArchiveError::Io { path: path.to_owned(), error };
        self.builder.append_link(&mut header, path, target).map_err(at)
    }
}

/// Lays the files of an archive into a folder.
///
/// The archive may have been written in another sandbox: whatever names it has, nothing is laid elsewhere, and nothing
/// but regular files, folders, and links that climb no higher than the folder. No link is there before all the rest
/// is. The folder must be empty.
///
/// # Errors
/// An archive that is malformed, and what the file system refuses.
pub fn unpack(archive: BorrowedFd<'_>, folder: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    let root = Folder::open(folder)?;
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(64 << 10, FromStart { archive, at: 0 }));
    let mut links = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let Some(name) = path.file_name() else { continue };
        let above = above(&root, &path)?;
        let above = above.as_ref().unwrap_or(&root);
        match entry.header().entry_type() {
            tar::EntryType::Directory => mkdirat(above, name, Mode::from_raw_mode(0o755))?,
            tar::EntryType::Regular => {
                let mode = Mode::from_raw_mode(entry.header().mode()? & 0o755);
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mut file = File::from(openat(above, name, flags, mode)?);
                io::copy(&mut entry, &mut file)?;
            }
            tar::EntryType::Symlink => {
                links.extend(entry.link_name()?.map(|target| (path, target.into_owned())));
                continue;
            }
            _ => continue,
        }
        give(above, name, owner)?;
    }
    for (path, target) in links {
        let Some(name) = path.file_name() else { continue };
        let up = target.components().filter(|part| *part == Component::ParentDir).count();
        if target.is_absolute() || up >= path.components().count() {
            continue;
        }
        let above = above(&root, &path)?;
        let above = above.as_ref().unwrap_or(&root);
        symlinkat(&target, above, name)?;
        give(above, name, owner)?;
    }
    Ok(())
}

/// The folder that a path of an archive lies in; `None` where that is the root.
fn above(root: &Folder, path: &Path) -> io::Result<Option<Folder>> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    Ok(above.map(|above| root.folder(above, Links::Refused)).transpose()?)
}

fn give(above: &Folder, name: &OsStr, owner: Option<(u32, u32)>) -> io::Result<()> {
    let Some((user, group)) = owner else { return Ok(()) };
    let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
    Ok(chownat(above, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?)
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
