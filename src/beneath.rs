//! What lies beneath a folder, opened so that no path leads out of it: `openat2(2)`.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, openat2};
use rustix::io::Errno;

/// How often an opening is tried again that a rename beside it has disturbed (`EAGAIN`).
const TRIES: usize = 100;

/// Whether links are followed, as far as they stay in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// They are.
    Followed,
    /// A link is none of what is looked for.
    Refused,
}

impl Links {
    /// What the kernel is asked for. Where links are refused, those of `/proc` are, too: `openat2(2)`.
    pub fn resolve(self) -> ResolveFlags {
        match self {
            Links::Followed => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
            Links::Refused => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        }
    }
}

/// Opens something beneath a folder. The descriptor is closed on exec.
///
/// # Errors
/// Those of `openat2(2)`: `EXDEV` for a path that leads out, `ELOOP` for a link that is refused.
pub fn open(folder: impl AsFd, inner: &Path, flags: OFlags, mode: Mode, links: Links) -> Result<OwnedFd, Errno> {
    let try_it = || openat2(&folder, inner, flags | OFlags::CLOEXEC, mode, links.resolve());
    for _ in 1..TRIES {
        match try_it() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
    try_it()
}

/// Whether it is a regular file.
pub fn is_file(about: &Stat) -> bool {
    FileType::from_raw_mode(about.st_mode) == FileType::RegularFile
}

/// A file system's object, whatever it is called.
pub type Object = (u64, u64);

/// Which object this is: device and inode.
pub fn object_of(about: &Stat) -> Object {
    (about.st_dev, about.st_ino)
}
