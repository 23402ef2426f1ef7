//! Names that a peer may give.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A name that is one component of a path, and no more than a name.
///
/// # Errors
/// `InvalidInput` for a name that is empty, is `.` or `..`, or has a slash or a NUL byte in it: the error says which.
pub fn plain_name<N: AsRef<OsStr> + ?Sized>(name: &N) -> io::Result<&Path> {
    let name = name.as_ref();
    let what = match name.as_bytes() {
        b"" => "a name is empty".to_owned(),
        b"." | b".." => format!("{name:?} names a folder, not a file in one"),
        bytes if bytes.contains(&b'/') => format!("the name {name:?} has a slash in it"),
        bytes if bytes.contains(&0) => has_nul(name),
        _ => return Ok(Path::new(name)),
    };
    Err(refused(what))
}

/// A path without a NUL byte: C's strings end there, so the kernel cannot be asked for one with it.
pub(super) fn without_nul(path: &Path) -> io::Result<&Path> {
    match path.as_os_str().as_bytes().contains(&0) {
        true => Err(refused(has_nul(path.as_os_str()))),
        false => Ok(path),
    }
}

fn has_nul(name: &OsStr) -> String {
    format!("the name {name:?} has a NUL byte in it")
}

/// What is refused by this program, and not by the kernel.
pub(super) fn refused(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_one_component_and_nothing_else() {
        let longest = "n".repeat(256);
        // How long a name may be is the file system's affair, and so is what is in it.
        for name in ["f1", "...", ".hidden", "a b", "naïve", "你好", "-rf", "C:\\config", "a\nb", longest.as_str()] {
            assert_eq!(plain_name(name).expect("a name"), Path::new(name));
        }
        for name in ["", ".", "..", "/", "a/b", "a/", "../a", "/etc/passwd", "a\0b"] {
            let error = plain_name(name).expect_err(name);
            assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::InvalidInput, None), "{name:?}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_and_shows_the_name_harmlessly() {
        let error = plain_name("\u{1b}[2J/").expect_err("a slash").to_string();
        assert_eq!(error, "the name \"\\u{1b}[2J/\" has a slash in it");
    }
}
