//! A folder in which files appear whole, or not at all.

use std::io;

use rustix::fs::fstatvfs;

use super::digest::{Algorithm, Digest};
use super::error::TransferError;
use super::message::Sums;
use super::{Progress, body};
use crate::file::{File, Folder};
use crate::socket::Socket;

/// How the name of an unfinished file begins. No name from outside may begin so.
const PART: &str = ".part-";

/// The longest name, in bytes: NAME_MAX of limits.h(0p).
const LONGEST_NAME: usize = 255;

/// The most transfers of one name at once.
const MOST_AT_ONCE: u32 = 1000;

/// How often a part is looked for again that another transfer has just finished.
const TRIES: usize = 100;

/// A file that is coming in.
pub(super) struct Incoming<'a> {
    folder: &'a Folder,
    pub(super) file: File,
    /// What it is called meanwhile; nothing once it has its name.
    part: Option<String>,
    name: String,
    /// The bytes that an earlier transfer has left.
    pub(super) offset: u64,
    replace: bool,
    /// Whether a later transfer finds what this one leaves.
    resumable: bool,
}

/// Whether a name from the network can be a file's in a folder: one step, in UTF-8, with nothing in it that a terminal
/// obeys.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let wrong = match name {
        "" => "a file name of no characters",
        "." | ".." => "the name of a folder",
        _ if name.contains('/') => "a path, and not a name",
        _ if name.contains('\0') => "a file name with a NUL",
        _ if name.chars().any(char::is_control) => "a file name with a control character",
        _ if name.len() > LONGEST_NAME => "a file name of more than 255 bytes",
        _ if name.starts_with(PART) => "the name of an unfinished file",
        _ => return Ok(()),
    };
    Err(format!("{}: {wrong}", shown(name)))
}

/// A name for a message, however long it is, and whatever is in it.
fn shown(name: &str) -> String {
    let most = 60;
    let begin: String = name.chars().take(most).collect();
    let rest = if begin.len() < name.len() { "…" } else { "" };
    format!("\"{}{rest}\"", begin.escape_debug())
}

impl<'a> Incoming<'a> {
    /// Begins a file, or goes on with what an earlier transfer of its name has left. Where another one of this name is
    /// under way, this one has a part of its own, which nobody can resume.
    pub(super) fn begin(folder: &'a Folder, name: &str, replace: bool, resume: bool) -> Result<Self, TransferError> {
        check_name(name).map_err(TransferError::Unwilling)?;
        let here = |error| TransferError::Here(format!("{} cannot be begun", shown(name)), error);
        let hash = &blake3::hash(name.as_bytes()).to_hex()[..32];
        for number in u32::from(!resume)..MOST_AT_ONCE {
            let resumable = number == 0;
            let part = if resumable { format!("{PART}{hash}") } else { format!("{PART}{hash}-{number}") };
            let Some(file) = lock(folder, &part).map_err(here)? else { continue };
            let offset = file.size().map_err(here)?;
            let (part, name) = (Some(part), name.to_owned());
            let mut incoming = Incoming { folder, file, part, name, offset, replace, resumable };
            if !resumable && offset > 0 {
                incoming.start_afresh()?;
            }
            return Ok(incoming);
        }
        Err(TransferError::Unwilling(format!("{} is sent by {MOST_AT_ONCE} clients already", shown(name))))
    }

    /// Forgets what an earlier transfer has left: it is no beginning of this file.
    pub(super) fn start_afresh(&mut self) -> Result<(), TransferError> {
        self.offset = 0;
        self.file.truncate(0).map_err(|error| self.cannot("be begun afresh", error))
    }

    /// Whether there is room for so many bytes, so that nobody sends what cannot be stored. Others may take it
    /// meanwhile.
    pub(super) fn check_room(&self, size: u64) -> Result<(), TransferError> {
        let about = fstatvfs(&self.file).map_err(|error| self.cannot("be begun", error.into()))?;
        let (free, missing) = (about.f_bavail.saturating_mul(about.f_frsize), size.saturating_sub(self.offset));
        if missing > free {
            let why = format!("{}: no room: {missing} bytes are to come, and {free} are free", shown(&self.name));
            return Err(TransferError::Unwilling(why));
        }
        Ok(())
    }

    /// Receives the rest of a file of `size` bytes, and computes the digest of all of them.
    pub(super) fn fill(
        &mut self,
        conn: &Socket,
        size: u64,
        algorithm: Algorithm,
        progress: Progress<'_>,
    ) -> Result<Sums, TransferError> {
        let mut digest = Digest::new(algorithm);
        match body::receive(conn, &self.file, (self.offset, size), &mut digest, progress) {
            Ok(()) => Ok(Sums::of(algorithm, digest.finish())),
            Err(error) => {
                // What has no room takes none away from the others.
                self.resumable &= !matches!(error, TransferError::Here(..));
                Err(error)
            }
        }
    }

    /// The file is whole: puts it on the disk, and then under its name.
    pub(super) fn finish(mut self) -> Result<(), TransferError> {
        let part = self.part.take().unwrap_or_default();
        let stored = self.file.sync().and_then(|()| self.folder.rename(&part, &self.name, self.replace));
        if let Err(error) = stored {
            self.part = Some(part);
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(self.cannot("be stored", error));
            }
            self.resumable = false;
            return Err(TransferError::Unwilling(format!(
                "{} has come from somebody else meanwhile",
                shown(&self.name)
            )));
        }
        self.folder.sync().map_err(|error| self.cannot("be put on the disk", error))
    }

    /// Throws it away: it is not what it should be.
    pub(super) fn discard(mut self) {
        self.resumable = false;
    }

    /// Throws it away, since its digest is another one than was promised.
    pub(super) fn refuse(self) -> TransferError {
        let why = format!("{}: what came has another digest than it should, and was thrown away", self.name);
        self.discard();
        TransferError::Unwilling(why)
    }

    /// The name that it will have.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn cannot(&self, what: &str, error: io::Error) -> TransferError {
        TransferError::Here(format!("{} cannot {what}", shown(&self.name)), error)
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        let is_of_use = self.resumable && !self.file.size().is_ok_and(|size| size == 0);
        if let Some(part) = self.part.take().filter(|_| !is_of_use) {
            // What cannot be removed is in nobody's way: no file from outside can have this name.
            let _ = self.folder.remove(part);
        }
    }
}

/// The digest of the first `size` bytes of a file that has just been opened.
pub(super) fn digest_of(file: &File, size: u64, algorithm: Algorithm) -> Result<Sums, TransferError> {
    let mut digest = Digest::new(algorithm);
    let read = digest.read(file, size);
    read.map_err(|error| TransferError::Here("the file cannot be read".to_owned(), error))?;
    Ok(Sums::of(algorithm, digest.finish()))
}

/// Opens an unfinished file, and makes it if there is none, for this transfer alone. `None` where another one has it.
fn lock(folder: &Folder, part: &str) -> io::Result<Option<File>> {
    for _ in 0..TRIES {
        let file = folder.open_or_create(part)?;
        if !file.lock()? {
            return Ok(None);
        }
        // Whoever had the lock before may have given the file its name, or have thrown it away.
        match folder.open_file(part) {
            Ok(there) if there.is_same_as(&file) => return Ok(Some(file)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}
