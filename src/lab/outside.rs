//! Work that is done when a demo is over, in a process that has stayed outside of its hosts.
//!
//! A stage plays in a user namespace of its own, with other rights than its user's: see `files.rs`.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use crate::stage::Attempted;
use crate::sys::{self, Forked};

/// A process that waits to do something, and ends with this one.
pub(super) struct Outside(UnixStream);

impl Outside {
    /// Starts the process, with the rights and the working directory that this one has now.
    ///
    /// # Errors
    ///
    /// `socketpair(2)` or `fork(2)` failed, or this process has threads.
    pub fn start(work: impl FnOnce() -> String) -> io::Result<Outside> {
        let (ours, mut theirs) = UnixStream::pair().attempted("socketpair")?;
        match sys::fork().attempted("clone")? {
            Forked::Parent(_) => Ok(Outside(ours)),
            Forked::Child => {
                drop(ours);
                if theirs.read_exact(&mut [0]).is_ok() {
                    // Who does not read the answer any more does not need it.
                    let _ = theirs.write_all(work().as_bytes());
                }
                sys::exit_now(0)
            }
        }
    }

    /// Has the work done, and gives what came of it.
    ///
    /// # Errors
    ///
    /// The process is gone, or its answer is no text.
    pub fn finish(mut self) -> io::Result<String> {
        self.0.write_all(&[1])?;
        self.0.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        self.0.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
