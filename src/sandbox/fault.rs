//! What went wrong with a sandbox itself: never a verdict on the program in it.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::config::Layer;

/// A fault of ours, or of the machine: which step, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What was attempted, as "pivot_root" or "start the keeper".
    pub step: String,
    /// The wall that was being put up, if it was one.
    pub layer: Option<Layer>,
    /// The number of the system's error, if it was one.
    pub errno: Option<i32>,
    /// The reason in words.
    pub why: String,
}

impl Fault {
    pub(super) fn new(step: impl Into<String>, why: impl Into<String>) -> Fault {
        Fault { step: step.into(), layer: None, errno: None, why: why.into() }
    }

    /// Whether a program could not be executed, for a reason that lies in its own file or in its words.
    pub fn is_unexecutable(&self) -> bool {
        const OURS: [i32; 6] = [libc::EPERM, libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE, libc::EIO];
        self.step.starts_with("execve") && !self.errno.is_some_and(|errno| OURS.contains(&errno))
    }

    /// The same in words that say what may be done.
    pub fn why_unexecutable(&self) -> String {
        let more = match self.errno {
            Some(libc::ENOENT) => ": it is not there, or the interpreter that it names is not",
            Some(libc::EACCES) => ": it is no file that may be executed (chmod +x makes it one)",
            Some(libc::ENOEXEC) => ": it is no program of this machine, and names no interpreter",
            _ => "",
        };
        format!("{}{more}", self.why)
    }

    /// Whether the machine does not have this, or does not allow it: it makes no sense to try again.
    pub(super) fn is_lack(&self) -> bool {
        const LACK: [i32; 8] = [
            libc::EPERM,
            libc::EACCES,
            libc::ENOSYS,
            libc::EINVAL,
            libc::ENOSPC,
            libc::EOPNOTSUPP,
            libc::EROFS,
            libc::ENODEV,
        ];
        self.errno.is_some_and(|errno| LACK.contains(&errno))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sandbox: {}: {}", self.step, self.why)?;
        match self.errno {
            Some(libc::EMFILE) => write!(f, ": too few descriptors, which ulimit -n counts: 256 are enough"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Names the step that a result belongs to.
pub(super) trait Step<T> {
    fn step(self, step: &str) -> Result<T, Fault>;
    /// The same for a step by which a wall is put up.
    fn of(self, layer: Layer, step: &str) -> Result<T, Fault>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, step: &str) -> Result<T, Fault> {
        self.map_err(|error| {
            let error = error.into();
            let why = crate::trace::error_name(&error);
            Fault { step: step.to_owned(), layer: None, errno: error.raw_os_error(), why }
        })
    }

    fn of(self, layer: Layer, step: &str) -> Result<T, Fault> {
        self.step(step).map_err(|fault| Fault { layer: Some(layer), ..fault })
    }
}
