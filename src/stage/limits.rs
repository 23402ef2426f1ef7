//! What a stage needs of the machine, and what to do about a call of the stage's own that fails.

use std::io;
use std::os::fd::RawFd;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::trace::error_name;

/// The descriptor of a role's end of its channel, where the limit on descriptors allows it. `strace` shows what passes
/// here under this number, and nothing of a lab is ever there: a role may have hundreds of sockets, and most machines
/// allow 1024 descriptors.
pub(super) const PREFERRED_ROLE_END: RawFd = 1000;

/// The fewest descriptors with which a scene can be played: a role's own, and in the stage, a channel and a copy of
/// each socket for every role, and the wire's.
const FEWEST_DESCRIPTORS: u64 = 32;

/// Raises this process's soft limit on descriptors, `RLIMIT_NOFILE`, to what a stage and its roles use, or to the hard
/// limit where that is lower. Roles inherit it.
///
/// # Errors
///
/// The hard limit is too low to play anything.
pub fn make_room() -> io::Result<()> {
    let wanted = PREFERRED_ROLE_END as u64 + 1;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < FEWEST_DESCRIPTORS {
        return Err(io::Error::other(format!(
            "a demo takes {FEWEST_DESCRIPTORS} descriptors, and this process may have no more than {most}: \
             raise the limit, ulimit -n"
        )));
    }
    if limit.current.is_some_and(|current| current < wanted.min(most)) {
        let raised = Rlimit { current: Some(wanted.min(most)), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).attempted("setrlimit(RLIMIT_NOFILE)")?;
    }
    Ok(())
}

/// An error of the stage's own, with the call that was attempted and one remedy: `clone: EAGAIN: …: ulimit -u`.
pub trait Attempted<T> {
    /// Names the call that failed. An error that was named before keeps its name.
    ///
    /// # Errors
    /// The error, named.
    fn attempted(self, call: &str) -> io::Result<T>;
}

impl<T, E: Into<io::Error>> Attempted<T> for Result<T, E> {
    fn attempted(self, call: &str) -> io::Result<T> {
        self.map_err(|error| {
            let error = error.into();
            match error.raw_os_error() {
                None => error,
                Some(_) => io::Error::new(error.kind(), format!("{call}: {}", explained(&error))),
            }
        })
    }
}

/// An error's name, and what to do about it: `EMFILE: too many open descriptors: raise the limit, ulimit -n`.
pub fn explained(error: &io::Error) -> String {
    let name = error_name(error);
    let remedy = match error.raw_os_error() {
        None => return name,
        Some(libc::EAGAIN) => "too many processes, or threads, of this user: end some, or raise the limit, ulimit -u",
        Some(libc::EMFILE) => "too many open descriptors: raise the limit, ulimit -n",
        Some(libc::ENFILE) => "the machine has too many open files: end some programs, or raise fs.file-max",
        Some(libc::ENOMEM | libc::ENOBUFS) => "not enough memory: end some programs, or raise the limit, ulimit -v",
        Some(_) => "`socklab doctor` tells what this machine allows",
    };
    format!("{name}: {remedy}")
}
