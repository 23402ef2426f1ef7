//! A pipe through which bytes go from a socket to a file, without passing through this program.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};

use super::descriptor::Descriptor;
use crate::socket::Socket;
use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Wait};

/// A pipe, and how much is in it. Dropping it closes both ends.
#[derive(Debug)]
pub struct SplicePipe {
    pub(super) reads: Descriptor,
    writes: Descriptor,
    room: usize,
    pub(super) holds: usize,
}

impl SplicePipe {
    /// The most room that a user without rights gets, unless this machine says otherwise: `pipe-max-size` of `proc(5)`.
    pub const MOST_ROOM: usize = 1 << 20;

    /// A pipe with at least so much room, `pipe2(2)` and `F_SETPIPE_SZ` of `fcntl(2)`; with the usual room where this
    /// user has too many pipes for more.
    ///
    /// # Errors
    /// That of `pipe2(2)`: `EMFILE` with too many open files.
    pub fn with_room(room: usize) -> io::Result<SplicePipe> {
        let call = Call::new(Syscall::Pipe2, None).arg("flags", "O_CLOEXEC");
        let (reads, writes) = traced(call, Wait::Never, |call| {
            let (reads, writes) = pipe_with(PipeFlags::CLOEXEC)?;
            call.wrote("read_end", reads.as_raw_fd());
            call.wrote("write_end", writes.as_raw_fd());
            Ok((reads, writes))
        })?;
        let (reads, writes) = (Descriptor::new(reads), Descriptor::new(writes));
        let call = writes.call(Syscall::Fcntl).arg("cmd", "F_SETPIPE_SZ").arg("arg", room);
        let enlarged = traced(call, Wait::Never, |call| {
            let room = fcntl_setpipe_size(&writes, room)?;
            call.returned(room);
            Ok(room)
        });
        let room = match enlarged {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => fcntl_getpipe_size(&writes)?,
            enlarged => enlarged?,
        };
        Ok(SplicePipe { reads, writes, room, holds: 0 })
    }

    /// How much it can hold, in bytes.
    pub fn room(&self) -> usize {
        self.room
    }

    /// How much is in it, in bytes.
    pub fn holds(&self) -> usize {
        self.holds
    }

    /// Receives at most `len` bytes into it, as many as there is room for: `splice(2)`; waits for some. 0 once the
    /// peer's FIN is the next in the queue.
    ///
    /// # Errors
    /// That of `splice(2)`: as of `Socket::recv`.
    pub fn fill_from(&mut self, socket: &Socket, len: usize) -> io::Result<usize> {
        let from = socket.descriptor();
        let len = len.min(self.room - self.holds);
        let call = Call::new(Syscall::Splice, Some(from.as_raw_fd()))
            .arg("fd_out", self.writes.as_fd().as_raw_fd())
            .arg("len", len);
        let received = traced(call, socket.wait_to_receive(0), |call| {
            let received = rustix::pipe::splice(from, None, &self.writes, None, len, SpliceFlags::empty())?;
            call.returned(received);
            Ok(received)
        })?;
        self.holds += received;
        Ok(received)
    }
}
