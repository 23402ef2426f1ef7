//! What a program of this house prints, and the files that it writes.
//!
//! Invariant: nothing else in `src/` prints on standard output or standard error, but roles, whose output is a stage's,
//! and what draws on a terminal. `println!` and its kin panic where a write fails; nothing here does.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anstyle::Style;
use rustix::fs::Access;

use crate::trace::error_name;
use crate::view::text::harmless_lines;

/// Whether anything still reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// What was printed has been taken.
    There,
    /// The reader has gone, as `| head` does: it has seen enough, and printing more is useless but no error.
    Gone,
}

/// Standard output did not take what was to be printed: a disk is full, for instance.
#[derive(Debug)]
pub struct Unwritten(io::Error);

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write to standard output: {}: {}", error_name(&self.0), self.0)
    }
}

impl std::error::Error for Unwritten {}

/// Prints a text on standard output, with its colours if they are wanted there, and flushes it.
///
/// # Errors
///
/// [`Unwritten`] for any error of `write(2)` but `EPIPE`, which is [`Reader::Gone`].
pub fn print(text: &str) -> Result<Reader, Unwritten> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Unwritten(error)),
    }
}

/// Prints a message on standard error, escaped but for the ends of its lines: names of files, and what others wrote,
/// may stand in it. An error is ignored: there is no other place to report it.
pub fn complain(message: impl fmt::Display) {
    complain_in(Style::new(), message);
}

/// The same in a style of ours.
pub fn complain_in(style: Style, message: impl fmt::Display) {
    let message = harmless_lines(&message.to_string());
    let _ = anstream::stderr().write_all(format!("{style}{message}{style:#}\n").as_bytes());
}

/// Prints what clap has to say: help and versions on standard output, complaints on standard error. A complaint quotes
/// what was typed, which may be a file's name: where that would move the cursor it is escaped, and all in one colour.
///
/// # Errors
///
/// As [`print()`].
pub fn print_clap(error: &clap::Error) -> Result<Reader, Unwritten> {
    if error.use_stderr() {
        let plain = error.render().to_string();
        if harmless_lines(&plain) == plain {
            let _ = error.print();
        } else {
            complain(plain.trim_end());
        }
        return Ok(Reader::There);
    }
    print(&error.render().ansi().to_string())
}

/// Writes a file that a person has named. It is there whole, or as it was before: the bytes go to a temporary file in
/// the same folder, which is then renamed.
///
/// What is no regular file, such as a pipe or `/dev/stdout`, is written to directly; so is a file in a folder in which
/// none can be made.
///
/// # Errors
///
/// Those of `open(2)`, `write(2)` and `rename(2)`. No temporary file is left behind.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A symbolic link goes on pointing to the file.
    let real = fs::canonicalize(path);
    let path = real.as_deref().unwrap_or(path);
    let before = fs::metadata(path).ok();
    if before.as_ref().is_some_and(|file| !file.is_file()) {
        return fs::write(path, bytes);
    }
    let (new, mut file) = match temporary_beside(path) {
        Err(error) if before.is_some() && error.kind() != io::ErrorKind::StorageFull => {
            return fs::write(path, bytes).map_err(|_| error);
        }
        made => made?,
    };
    let written = file
        .write_all(bytes)
        .and_then(|()| before.map_or(Ok(()), |before| file.set_permissions(before.permissions())))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Whether a file that a person has named can be written, as far as that can be seen beforehand: it is no folder, and
/// it is there or its folder takes a new one.
///
/// # Errors
///
/// Those of `stat(2)` and `access(2)`; `EISDIR` for a folder.
pub fn can_be_written(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => Err(io::Error::from_raw_os_error(libc::EISDIR)),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}

/// Makes a new file in the folder of another one.
fn temporary_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let new = path.with_file_name(format!(".socklab-{}-{number}.new", std::process::id()));
        match File::create_new(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (new, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode_and_its_links() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("grade.xml"), folder.path().join("link.xml"));
        fs::write(&file, "old").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("its mode");
        std::os::unix::fs::symlink("grade.xml", &link).expect("a link");
        write_file(&link, b"new").expect("it is written");
        assert_eq!(fs::read(&file).expect("the file"), b"new");
        assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2, "nothing else is left");
    }

    #[test]
    fn what_is_no_file_is_written_to() {
        write_file(Path::new("/dev/null"), b"gone").expect("it takes everything");
        let error = write_file(Path::new("/dev/full"), b"lost").expect_err("it takes nothing");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_file_in_no_folder_is_an_error() {
        let error = write_file(Path::new("/nowhere/at/all.xml"), b"").expect_err("no such folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
