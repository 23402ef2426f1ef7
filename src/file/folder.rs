//! A folder that is held open, and what is done beneath it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, openat2};

use super::descriptor::Descriptor;
use super::flags;
use super::names::{plain_name, refused, without_nul};
use super::opened::{File, NEW};
use crate::beneath::{self, Links};
use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Wait};

/// With which files are opened: no FIFO is waited for, and no terminal becomes ours.
const CAREFUL: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

/// A folder, held open: renamed or moved, it stays the same one.
///
/// A path that is opened is resolved beneath it: one that leads out fails with `EXDEV`, one with a symbolic link in it
/// with `ELOOP`. A name that is made, removed or renamed must be one component: see [`plain_name`].
#[derive(Debug)]
pub struct Folder(Descriptor);

/// A regular file in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// How many bytes it has.
    pub size: u64,
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Folder {
    /// Opens a folder that the user of this program has named, wherever that leads: `openat2(2)`.
    ///
    /// # Errors
    /// That of `openat2(2)`: `ENOTDIR` for what is no folder.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Folder> {
        let path = without_nul(path.as_ref())?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let call = Call::new(Syscall::OpenAt2, None).arg("dirfd", "AT_FDCWD").arg("path", shown(path));
        traced(call.arg("flags", flags::opening(flags)), Wait::Never, |call| {
            let fd = openat2(CWD, path, flags | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::empty())?;
            call.ret = Some(fd.as_raw_fd().into());
            Ok(Folder(Descriptor::new(fd)))
        })
    }

    /// Opens a folder beneath it, `openat2(2)`.
    ///
    /// # Errors
    /// That of `openat2(2)`: `EXDEV` for a path that leads out, `ELOOP` for one with a link in it.
    pub fn folder(&self, path: impl AsRef<Path>) -> io::Result<Folder> {
        self.open_beneath(path.as_ref(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).map(Folder)
    }

    /// Opens a regular file beneath it for reading, `openat2(2)` and `fstat(2)`.
    ///
    /// # Errors
    /// Those of the two: `EXDEV` for a path that leads out, `ELOOP` for one with a link in it, `ENOENT`. What is no
    /// regular file is refused: `InvalidInput`.
    pub fn open_file(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.open_regular(path.as_ref(), OFlags::RDONLY | CAREFUL, Mode::empty())
    }

    /// Makes a file beneath it, which must not be there, for reading and writing: `openat2(2)`.
    ///
    /// # Errors
    /// That of `openat2(2)`: `EEXIST` where the name is taken, also by a link; as of [`open_file`](Folder::open_file).
    pub fn create(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        // What did not exist is a regular file.
        self.open_beneath(path.as_ref(), flags, NEW).map(File::of)
    }

    /// Opens a regular file beneath it for reading and writing, and makes it if it is not there: `openat2(2)` and
    /// `fstat(2)`.
    ///
    /// # Errors
    /// As of [`open_file`](Folder::open_file); `EISDIR` for a folder.
    pub fn open_or_create(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.open_regular(path.as_ref(), OFlags::RDWR | OFlags::CREATE | CAREFUL, NEW)
    }

    /// Gives a file in it another name, `renameat2(2)`: in place of a file that has that name, or only if there is
    /// none. Where the file system cannot do the latter, `linkat(2)` and `unlinkat(2)` do it in two steps.
    ///
    /// # Errors
    /// Those of these calls: `EEXIST` where the name is taken. A name that is more than a name is refused.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>, replace: bool) -> io::Result<()> {
        let (from, to) = (plain_name(&from)?, plain_name(&to)?);
        let (flags, name) =
            if replace { (RenameFlags::empty(), "0") } else { (RenameFlags::NOREPLACE, "RENAME_NOREPLACE") };
        let call = self.naming_two(Syscall::RenameAt2, from, to).arg("flags", name);
        let rename = || rustix::fs::renameat_with(&self.0, from, &self.0, to, flags);
        match traced(call, Wait::Never, |_| Ok(rename()?)) {
            Err(error) if !replace && error.raw_os_error() == Some(libc::EINVAL) => self.link_and_unlink(from, to),
            renamed => renamed,
        }
    }

    fn link_and_unlink(&self, from: &Path, to: &Path) -> io::Result<()> {
        let link = || rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty());
        traced(self.naming_two(Syscall::LinkAt, from, to), Wait::Never, |_| Ok(link()?))?;
        self.remove(from)
    }

    /// Takes a name out of it, `unlinkat(2)`: the file goes when it has no other name, and is open nowhere.
    ///
    /// # Errors
    /// That of `unlinkat(2)`: `ENOENT`, `EISDIR` for a folder. A name that is more than a name is refused.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = plain_name(&name)?;
        let unlink = || rustix::fs::unlinkat(&self.0, name, AtFlags::empty());
        traced(self.naming(Syscall::UnlinkAt, name), Wait::Never, |_| Ok(unlink()?))
    }

    /// What a name in it is, and how many bytes are there, `fstatat(2)`; it opens nothing. A link is not followed.
    ///
    /// # Errors
    /// That of `fstatat(2)`: `ENOENT`. A name that is more than a name is refused.
    pub fn about(&self, name: impl AsRef<OsStr>) -> io::Result<(FileType, u64)> {
        let name = plain_name(&name)?;
        traced(self.naming(Syscall::FStatAt, name).arg("flags", "AT_SYMLINK_NOFOLLOW"), Wait::Never, |call| {
            let about = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = FileType::from_raw_mode(about.st_mode);
            call.wrote("st_mode", flags::kind(kind).0);
            call.wrote("st_size", about.st_size);
            Ok((kind, u64::try_from(about.st_size).map_err(io::Error::other)?))
        })
    }

    /// Says who may do what with a name in it, `fchmodat(2)`: `0o600` is reading and writing, for its owner.
    ///
    /// # Errors
    /// That of `fchmodat(2)`: `ENOENT`, `EPERM` for another one's. A name that is more than a name is refused.
    pub fn set_permissions(&self, name: impl AsRef<OsStr>, permissions: u32) -> io::Result<()> {
        let name = plain_name(&name)?;
        let call = self.naming(Syscall::FChmodAt, name).arg("mode", format!("{permissions:04o}"));
        let change = || rustix::fs::chmodat(&self.0, name, Mode::from_raw_mode(permissions), AtFlags::empty());
        traced(call, Wait::Never, |_| Ok(change()?))
    }

    /// Makes a folder in it, `mkdirat(2)`.
    ///
    /// # Errors
    /// That of `mkdirat(2)`: `EEXIST`. A name that is more than a name is refused.
    pub fn make_folder(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = plain_name(&name)?;
        let make = || rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777));
        traced(self.naming(Syscall::MkdirAt, name), Wait::Never, |_| Ok(make()?))
    }

    /// Makes a symbolic link in it that leads to `target`, `symlinkat(2)`.
    ///
    /// # Errors
    /// That of `symlinkat(2)`: `EEXIST`. A name that is more than a name is refused.
    pub fn make_link(&self, target: impl AsRef<Path>, name: impl AsRef<OsStr>) -> io::Result<()> {
        let (target, name) = (without_nul(target.as_ref())?, plain_name(&name)?);
        let call = Call::new(Syscall::SymlinkAt, None)
            .arg("target", shown(target))
            .arg("newdirfd", self.0.as_fd().as_raw_fd())
            .arg("path", shown(name));
        traced(call, Wait::Never, |_| Ok(rustix::fs::symlinkat(target, &self.0, name)?))
    }

    /// Makes a FIFO in it, `mknodat(2)`.
    ///
    /// # Errors
    /// That of `mknodat(2)`: `EEXIST`. A name that is more than a name is refused.
    pub fn make_fifo(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = plain_name(&name)?;
        let make = || rustix::fs::mknodat(&self.0, name, FileType::Fifo, NEW, 0);
        traced(self.naming(Syscall::MknodAt, name).arg("mode", "S_IFIFO"), Wait::Never, |_| Ok(make()?))
    }

    /// Waits until its names are on the disk, `fsync(2)`: those of files that were made in it, renamed or removed.
    ///
    /// # Errors
    /// That of `fsync(2)`: `EIO`.
    pub fn sync(&self) -> io::Result<()> {
        traced(self.0.call(Syscall::FSync), Wait::Never, |_| Ok(rustix::fs::fsync(&self.0)?))
    }

    /// The regular files in it, in the order of their names: `readdir(3)`, one event. Links are left out, too.
    ///
    /// # Errors
    /// Those of `openat(2)`, `getdents64(2)` and `fstatat(2)`.
    pub fn list(&self) -> io::Result<Vec<Entry>> {
        traced(self.0.call(Syscall::ReadDir), Wait::Never, |call| {
            let mut entries = Vec::new();
            for entry in Dir::read_from(&self.0)? {
                let entry = entry?;
                let about = match rustix::fs::statat(&self.0, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                    // It went meanwhile.
                    Err(rustix::io::Errno::NOENT) => continue,
                    about => about?,
                };
                if beneath::is_file(&about) {
                    let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
                    entries.push(Entry { name, size: u64::try_from(about.st_size).map_err(io::Error::other)? });
                }
            }
            entries.sort();
            call.returned(entries.len());
            Ok(entries)
        })
    }

    fn open_regular(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
        let file = File::of(self.open_beneath(path, flags, mode)?);
        match file.about()?.0 {
            FileType::RegularFile => Ok(file),
            other => Err(refused(format!("{path:?} is {}, not a regular file", flags::kind(other).1))),
        }
    }

    fn open_beneath(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<Descriptor> {
        let path = without_nul(path)?;
        let call = self.naming(Syscall::OpenAt2, path);
        let call = call.arg("flags", flags::opening(flags)).arg("resolve", flags::resolving(Links::Refused.resolve()));
        traced(call, Wait::Never, |call| {
            let fd = beneath::open(&self.0, path, flags, mode, Links::Refused)?;
            call.ret = Some(fd.as_raw_fd().into());
            Ok(Descriptor::new(fd))
        })
    }

    /// A call that names something in it.
    fn naming(&self, name: Syscall, path: &Path) -> Call {
        self.0.call(name).arg("path", shown(path))
    }

    /// A call that names two things in it.
    fn naming_two(&self, name: Syscall, from: &Path, to: &Path) -> Call {
        self.0.call(name).arg("oldpath", shown(from)).arg("newpath", shown(to))
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(folder: &Folder, name: &str) -> String {
        let mut buf = [0; 16];
        let len = folder.open_file(name).and_then(|file| file.read(&mut buf)).expect("a file");
        String::from_utf8_lossy(&buf[..len]).into_owned()
    }

    #[test]
    fn two_steps_rename_where_the_file_system_has_no_one_step_and_replace_nothing() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(place.path()).expect("a folder");
        for name in ["new", "old"] {
            folder.create(name).and_then(|file| file.write_all(name.as_bytes())).expect("a file");
        }
        let (new, old, free) = (Path::new("new"), Path::new("old"), Path::new("free"));
        let taken = folder.link_and_unlink(new, old).expect_err("it is taken");
        assert_eq!(taken.raw_os_error(), Some(libc::EEXIST));
        assert_eq!((words(&folder, "new"), words(&folder, "old")), ("new".to_owned(), "old".to_owned()));
        folder.link_and_unlink(new, free).expect("it is free");
        assert_eq!(words(&folder, "free"), "new");
        assert_eq!(folder.list().expect("names").len(), 2);
    }

    #[test]
    fn a_device_is_refused() {
        let devices = Folder::open("/dev").expect("a folder");
        let error = devices.open_file("null").expect_err("a device");
        assert_eq!(error.to_string(), "\"null\" is a character device, not a regular file");
    }

    #[test]
    fn a_folder_is_the_same_one_when_its_path_is_another_folders() {
        let place = tempfile::tempdir().expect("a folder");
        let (path, moved) = (place.path().join("inbox"), place.path().join("moved"));
        std::fs::create_dir(&path).expect("a folder");
        let folder = Folder::open(&path).expect("a folder");
        std::fs::rename(&path, &moved).expect("it moves");
        std::os::unix::fs::symlink("/", &path).expect("a link in its place");
        folder.create("f1").expect("a file");
        assert!(moved.join("f1").exists());
    }

    #[test]
    fn a_socket_and_what_is_not_there_are_errors_of_the_kernels() {
        let place = tempfile::tempdir().expect("a folder");
        let _socket = std::os::unix::net::UnixListener::bind(place.path().join("socket")).expect("a socket");
        let folder = Folder::open(place.path()).expect("a folder");
        assert_eq!(folder.open_file("socket").expect_err("a socket").raw_os_error(), Some(libc::ENXIO));
        assert_eq!(folder.open_file("none").expect_err("nothing").raw_os_error(), Some(libc::ENOENT));
        assert_eq!(
            Folder::open(place.path().join("socket")).expect_err("no folder").raw_os_error(),
            Some(libc::ENOTDIR)
        );
    }
}
