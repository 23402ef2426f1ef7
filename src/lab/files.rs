//! Files that a person names, written with the rights of that person.
//!
//! A stage plays in a user namespace of its own. There an ordinary user may write where that user may not outside, and
//! root may not write what is other users'. So a process that stays outside writes the files.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::output;
use crate::stage::Attempted;
use crate::sys::{self, Forked};

/// A process that writes files, and ends with this one.
pub(super) struct FileWriter(UnixStream);

impl FileWriter {
    /// Starts the process, with the rights and the working directory that this one has now.
    ///
    /// # Errors
    ///
    /// `socketpair(2)` or `fork(2)` failed, or this process has threads.
    pub fn start() -> io::Result<FileWriter> {
        let (ours, theirs) = UnixStream::pair().attempted("socketpair")?;
        match sys::fork().attempted("clone")? {
            Forked::Parent(_) => Ok(FileWriter(ours)),
            Forked::Child => {
                drop(ours);
                let _ = serve(theirs);
                sys::exit_now(0)
            }
        }
    }

    /// Writes one file, as [`output::write_file`] does.
    ///
    /// # Errors
    ///
    /// As there, or the process is gone.
    pub fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        for part in [path.as_os_str().as_bytes(), bytes] {
            self.0.write_all(&(part.len() as u64).to_ne_bytes())?;
            self.0.write_all(part)?;
        }
        let mut errno = [0; 4];
        self.0.read_exact(&mut errno)?;
        match i32::from_ne_bytes(errno) {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// Writes file after file, and answers each with 0 or the number of an error. Ends when nothing more can come: a file
/// of which a part is missing is not written.
fn serve(mut channel: UnixStream) -> io::Result<()> {
    loop {
        let (path, bytes) = (receive(&mut channel)?, receive(&mut channel)?);
        let errno = match output::write_file(Path::new(OsStr::from_bytes(&path)), &bytes) {
            Ok(()) => 0,
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        };
        channel.write_all(&errno.to_ne_bytes())?;
    }
}

fn receive(channel: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut len = [0; 8];
    channel.read_exact(&mut len)?;
    let len = u64::from_ne_bytes(len);
    let mut part = Vec::new();
    channel.take(len).read_to_end(&mut part)?;
    if part.len() as u64 == len { Ok(part) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
