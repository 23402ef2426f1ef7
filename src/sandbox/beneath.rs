//! What lies in a stranger's folder, opened so that it can be nothing else.
//!
//! All of a submission is opened through a [`Folder`]: the kernel keeps each path beneath the folder, whatever links
//! lie there (`openat2(2)`), only regular files are opened, and a file's size is known before a byte of it is read.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Mode, OFlags, Stat, fstat};
use rustix::io::Errno;

use crate::beneath::{self, Links, is_file, object_of};
use crate::trace::error_name;

/// A folder that a stranger may have filled, held open.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// Why something of a folder is not to be had.
#[derive(Debug)]
pub enum Refusal {
    /// There is nothing of this name.
    Missing,
    /// A link, or `..`, leads out of the folder, or links lead to each other.
    LeadsOut,
    /// It is a folder, a pipe, a device or a socket.
    NotAFile,
    /// It has more bytes than this.
    TooLarge(u64),
    /// The kernel refuses for another reason.
    Io(io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Missing => f.write_str("there is no such file"),
            Refusal::LeadsOut => f.write_str("it leads out of the folder"),
            Refusal::NotAFile => f.write_str("it is no regular file"),
            Refusal::TooLarge(most) => write!(f, "it is larger than {} KiB", most >> 10),
            Refusal::Io(error) => f.write_str(&told(error)),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Whether it is the folder's own doing, and no want of this machine or of ours.
    pub fn is_theirs(&self) -> bool {
        match self {
            Refusal::Io(error) => [libc::EACCES, libc::EPERM, libc::ETXTBSY, libc::EWOULDBLOCK, libc::ENAMETOOLONG]
                .iter()
                .any(|errno| error.raw_os_error() == Some(*errno)),
            _ => true,
        }
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> io::Error {
        match refusal {
            Refusal::Io(error) => error,
            other => io::Error::other(other.to_string()),
        }
    }
}

/// An error of the kernel's in words.
pub fn told(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => "openat2: ENOSYS: it takes Linux 5.6 or later".to_owned(),
        _ => error_name(error),
    }
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Refusal {
        match error {
            Errno::NOENT | Errno::NOTDIR => Refusal::Missing,
            // EXDEV is the kernel's word for a path that leaves the folder; ELOOP stands for magic links, too.
            Errno::XDEV | Errno::LOOP => Refusal::LeadsOut,
            error => Refusal::Io(error.into()),
        }
    }
}

impl Folder {
    /// Opens a folder that the user of this program has named: a link to it is followed.
    ///
    /// # Errors
    /// Those of `open(2)`; `ENOTDIR` for what is no folder.
    pub fn open(path: &Path) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Folder { fd, path: path.to_owned() })
    }

    /// The folder's path as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it.
    ///
    /// # Errors
    /// A [`Refusal`]; a link is refused, unless links are followed.
    pub fn folder(&self, inner: &Path, links: Links) -> Result<Folder, Refusal> {
        let fd = self.open_beneath(inner, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK, links)?;
        Ok(Folder { fd, path: self.path.join(inner) })
    }

    /// A regular file in it, opened for reading, and what is known of it.
    ///
    /// # Errors
    /// A [`Refusal`]. A pipe or a device is not opened, also not for a moment.
    pub fn file(&self, inner: &Path, links: Links) -> Result<(File, Stat), Refusal> {
        self.about(inner, links)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.open_beneath(inner, flags, links)?;
        // It may be another one by now.
        let about = fstat(&fd)?;
        is_file(&about).then(|| (File::from(fd), about)).ok_or(Refusal::NotAFile)
    }

    /// What is known of a regular file in it, which is not opened.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn about(&self, inner: &Path, links: Links) -> Result<Stat, Refusal> {
        let about = self.about_any(inner, links)?;
        if is_file(&about) { Ok(about) } else { Err(Refusal::NotAFile) }
    }

    /// What is known of anything in it, which is not opened.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn about_any(&self, inner: &Path, links: Links) -> Result<Stat, Refusal> {
        Ok(fstat(self.open_beneath(inner, OFlags::PATH, links)?)?)
    }

    /// A whole file of at most this many bytes.
    ///
    /// # Errors
    /// A [`Refusal`]: a larger one is not read.
    pub fn read(&self, inner: &Path, at_most: u64) -> Result<Vec<u8>, Refusal> {
        let (file, about) = self.file(inner, Links::Followed)?;
        let mut bytes = Vec::new();
        if u64::try_from(about.st_size).is_ok_and(|size| size <= at_most) {
            // It may grow meanwhile.
            file.take(at_most + 1).read_to_end(&mut bytes).map_err(Refusal::Io)?;
            if bytes.len() as u64 <= at_most {
                return Ok(bytes);
            }
        }
        Err(Refusal::TooLarge(at_most))
    }

    /// The names in it, in their order: at most so many, or `None` if there are more.
    ///
    /// # Errors
    /// Those of `getdents64(2)`.
    pub fn names(&self, at_most: usize) -> io::Result<Option<Vec<OsString>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." {
                continue;
            }
            if names.len() == at_most {
                return Ok(None);
            }
            names.push(name);
        }
        names.sort();
        Ok(Some(names))
    }

    /// Whether a path of this machine is the folder, or lies in it.
    pub fn holds(&self, path: &Path) -> bool {
        let Ok(ours) = fstat(&self.fd) else { return true };
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_it = |above: &Path| rustix::fs::stat(above).is_ok_and(|about| object_of(&about) == object_of(&ours));
        real.ancestors().any(is_it)
    }

    fn open_beneath(&self, inner: &Path, flags: OFlags, links: Links) -> Result<OwnedFd, Errno> {
        let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
        beneath::open(&self.fd, inner, flags, Mode::empty(), links)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
