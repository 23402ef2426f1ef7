//! An open file.

use std::io::{self, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::pipe::SpliceFlags;

use super::descriptor::Descriptor;
use super::flags;
use super::names::without_nul;
use super::pipe::SplicePipe;
use crate::beneath::{self, Object};
use crate::socket::{Passed, Socket};
use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Wait};

/// What a new file is readable and writable for, before the umask takes its share: `0o666`.
pub(super) const NEW: Mode = Mode::from_raw_mode(0o666);

/// An open file. Dropping it closes it.
#[derive(Debug)]
pub struct File {
    descriptor: Descriptor,
    /// Which file it is, as far as that was asked.
    object: OnceLock<Object>,
}

impl File {
    pub(super) fn of(descriptor: Descriptor) -> File {
        File { descriptor, object: OnceLock::new() }
    }

    /// Opens whatever a path leads to for reading, as `open(path, "rb")` does in Python: `openat(2)`. It is for a path
    /// that the user of this program has named; what a peer names is a [`Folder`](super::Folder)'s affair.
    ///
    /// # Errors
    /// That of `openat(2)`.
    pub fn open_path(path: impl AsRef<Path>) -> io::Result<File> {
        File::open_anywhere(path.as_ref(), OFlags::RDONLY)
    }

    /// Opens whatever a path leads to for writing, made if it is not there, emptied if it is, as `open(path, "wb")`
    /// does in Python: `openat(2)`. The classic servers do it with a name that their client sends.
    ///
    /// # Errors
    /// That of `openat(2)`.
    pub fn create_path(path: impl AsRef<Path>) -> io::Result<File> {
        File::open_anywhere(path.as_ref(), OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC)
    }

    fn open_anywhere(path: &Path, flags: OFlags) -> io::Result<File> {
        let path = without_nul(path)?;
        let call = Call::new(Syscall::OpenAt, None)
            .arg("dirfd", "AT_FDCWD")
            .arg("path", path.display().to_string())
            .arg("flags", flags::opening(flags));
        traced(call, Wait::Never, |call| {
            let fd = rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, NEW)?;
            call.ret = Some(fd.as_raw_fd().into());
            Ok(File::of(Descriptor::new(fd)))
        })
    }

    /// The open file that came over a socket, `SCM_RIGHTS` of `unix(7)`.
    pub fn passed(passed: Passed) -> File {
        File::of(Descriptor::new(passed.into_descriptor()))
    }

    /// Reads bytes from where the last read or write ended, `read(2)`: at most as many as fit; 0 at its end.
    ///
    /// # Errors
    /// That of `read(2)`.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let call = self.descriptor.call(Syscall::ReadFile).arg("len", buf.len());
        traced(call, Wait::Never, |call| {
            let len = rustix::io::read(&self.descriptor, &mut *buf)?;
            call.received(len, buf);
            Ok(len)
        })
    }

    /// Reads bytes from this place, `pread(2)`: at most as many as fit; 0 at its end. Where the next read begins stays.
    ///
    /// # Errors
    /// That of `pread(2)`.
    pub fn read_at(&self, buf: &mut [u8], place: u64) -> io::Result<usize> {
        let call = self.descriptor.call(Syscall::PRead).arg("len", buf.len());
        traced(call.arg("offset", i64::try_from(place).unwrap_or(i64::MAX)), Wait::Never, |call| {
            let len = rustix::io::pread(&self.descriptor, &mut *buf, place)?;
            call.received(len, buf);
            Ok(len)
        })
    }

    /// Writes bytes behind the last ones, `write(2)`. The kernel may take fewer than all: a full disk is met so first.
    ///
    /// # Errors
    /// That of `write(2)`: `ENOSPC` on a full disk, `EFBIG`, `EDQUOT`, `EIO`.
    pub fn write(&self, buf: &[u8]) -> io::Result<usize> {
        traced(self.descriptor.call(Syscall::WriteFile).sending(buf), Wait::Never, |call| {
            let len = rustix::io::write(&self.descriptor, buf)?;
            call.returned(len);
            Ok(len)
        })
    }

    /// Writes all bytes: [`write`](File::write) until none is left.
    ///
    /// # Errors
    /// That of `write(2)`; what was written before it stays written.
    pub fn write_all(&self, mut buf: &[u8]) -> io::Result<()> {
        while !buf.is_empty() {
            let len = self.write(buf)?;
            if len == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            buf = &buf[len..];
        }
        Ok(())
    }

    /// How many bytes it has now, `fstat(2)`.
    ///
    /// # Errors
    /// That of `fstat(2)`: not to be expected of an open file.
    pub fn size(&self) -> io::Result<u64> {
        self.about().map(|(_, size)| size)
    }

    /// Whether the two are one file, whatever names they were opened by: as `fstat(2)` told of each when it was opened,
    /// or at its last [`size`](File::size).
    pub fn is_same_as(&self, other: &File) -> bool {
        self.object.get().is_some_and(|object| other.object.get() == Some(object))
    }

    /// Of which type it is, and how many bytes it has.
    pub(super) fn about(&self) -> io::Result<(FileType, u64)> {
        traced(self.descriptor.call(Syscall::FStat), Wait::Never, |call| {
            let about = rustix::fs::fstat(&self.descriptor)?;
            self.object.get_or_init(|| beneath::object_of(&about));
            let kind = FileType::from_raw_mode(about.st_mode);
            call.wrote("st_mode", flags::kind(kind).0);
            if kind == FileType::RegularFile {
                call.wrote("st_size", about.st_size);
            }
            Ok((kind, u64::try_from(about.st_size).map_err(io::Error::other)?))
        })
    }

    /// Goes to another place in it, `lseek(2)`; gives the place, in bytes from its beginning.
    ///
    /// # Errors
    /// That of `lseek(2)`: `EINVAL` for a place before its beginning.
    pub fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        let (offset, whence) = match to {
            SeekFrom::Start(offset) => (i64::try_from(offset).unwrap_or(i64::MAX), "SEEK_SET"),
            SeekFrom::Current(offset) => (offset, "SEEK_CUR"),
            SeekFrom::End(offset) => (offset, "SEEK_END"),
        };
        let call = self.descriptor.call(Syscall::LSeek).arg("offset", offset).arg("whence", whence);
        traced(call, Wait::Never, |call| {
            let place = rustix::fs::seek(&self.descriptor, kernels(to))?;
            call.ret = i64::try_from(place).ok();
            Ok(place)
        })
    }

    /// Makes it so long, `ftruncate(2)`: what is behind that is gone, what is missing is a hole, which reads as zeros.
    ///
    /// # Errors
    /// That of `ftruncate(2)`: `EINVAL` for a file that is open for reading only, `EFBIG`.
    pub fn truncate(&self, len: u64) -> io::Result<()> {
        let call = self.descriptor.call(Syscall::FTruncate).arg("length", i64::try_from(len).unwrap_or(i64::MAX));
        traced(call, Wait::Never, |_| Ok(rustix::fs::ftruncate(&self.descriptor, len)?))
    }

    /// Waits until its bytes are on the disk, `fsync(2)`. Its name is its folder's: see
    /// [`Folder::sync`](super::Folder::sync).
    ///
    /// # Errors
    /// That of `fsync(2)`: `EIO`, `ENOSPC` and `EDQUOT` for bytes that an earlier write seemed to have stored.
    pub fn sync(&self) -> io::Result<()> {
        traced(self.descriptor.call(Syscall::FSync), Wait::Never, |_| Ok(rustix::fs::fsync(&self.descriptor)?))
    }

    /// Locks it for this descriptor, `flock(2)`, without waiting; gives whether it is locked. The lock goes with the
    /// descriptor. It keeps off those only who ask for one, too.
    ///
    /// # Errors
    /// That of `flock(2)` but `EAGAIN`.
    pub fn lock(&self) -> io::Result<bool> {
        let call = self.descriptor.call(Syscall::FLock).arg("operation", "LOCK_EX|LOCK_NB");
        let locks = || rustix::fs::flock(&self.descriptor, FlockOperation::NonBlockingLockExclusive);
        match traced(call, Wait::Never, |_| Ok(locks()?)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends at most `len` bytes from where the last read ended, and goes on behind them: `sendfile(2)`, by which no
    /// byte passes through this program. The socket may take fewer than all; 0 is the end of the file.
    ///
    /// # Errors
    /// That of `sendfile(2)`: as of `Socket::send`, and `EIO`.
    pub fn send_file(&self, socket: &Socket, len: usize) -> io::Result<usize> {
        let to = socket.descriptor();
        let call = Call::new(Syscall::Sendfile, Some(to.as_raw_fd()))
            .arg("in_fd", self.descriptor.as_fd().as_raw_fd())
            .arg("count", len);
        traced(call, socket.wait_to_send(0), |call| {
            let sent = rustix::fs::sendfile(to, &self.descriptor, None, len)?;
            call.returned(sent);
            Ok(sent)
        })
    }

    /// Writes what is in a pipe behind the last bytes, at most `len` of it: `splice(2)`.
    ///
    /// # Errors
    /// That of `splice(2)`: as of [`write`](File::write).
    pub fn take_from(&self, pipe: &mut SplicePipe, len: usize) -> io::Result<usize> {
        let call =
            pipe.reads.call(Syscall::SpliceToFile).arg("fd_out", self.descriptor.as_fd().as_raw_fd()).arg("len", len);
        let taken = traced(call, Wait::Never, |call| {
            let taken = rustix::pipe::splice(&pipe.reads, None, &self.descriptor, None, len, SpliceFlags::empty())?;
            call.returned(taken);
            Ok(taken)
        })?;
        pipe.holds -= taken.min(pipe.holds);
        Ok(taken)
    }

    /// Writes all that is in a pipe behind the last bytes: [`take_from`](File::take_from) until it is empty.
    ///
    /// # Errors
    /// That of `splice(2)`; what is left in the pipe is [`SplicePipe::holds`].
    pub fn take_all_from(&self, pipe: &mut SplicePipe) -> io::Result<()> {
        while pipe.holds() > 0 {
            if self.take_from(pipe, pipe.holds())? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

fn kernels(to: SeekFrom) -> rustix::fs::SeekFrom {
    match to {
        SeekFrom::Start(offset) => rustix::fs::SeekFrom::Start(offset),
        SeekFrom::Current(offset) => rustix::fs::SeekFrom::Current(offset),
        SeekFrom::End(offset) => rustix::fs::SeekFrom::End(offset),
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
