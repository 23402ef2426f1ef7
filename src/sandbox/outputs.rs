//! What a program reads and writes: its standard input, output and error, and the owner's ends of them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};

use super::config::Input;
use super::fault::{Fault, Step};

/// The most bytes of each stream that are kept; the rest is only counted.
pub const KEPT: usize = 1 << 20;

/// The most bytes read from one stream per call, so that the other is not starved.
const AT_ONCE: usize = 1 << 20;

/// What a program has written. It may be anything: escape it before you show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its standard output.
    pub stdout: Stream,
    /// Its standard error.
    pub stderr: Stream,
    /// Whether it was killed because it had written too much.
    pub cut: bool,
}

/// What a program has written to one descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The first 1 MiB.
    pub kept: Vec<u8>,
    /// Bytes written, kept or not.
    pub count: u64,
}

impl Output {
    /// Bytes written to both streams.
    pub fn total(&self) -> u64 {
        self.stdout.count + self.stderr.count
    }
}

/// The owner's ends of a program's pipes. Closed ones are `None`.
#[derive(Default)]
pub struct Pipes {
    input: Option<(OwnedFd, Vec<u8>, usize)>,
    output: Option<OwnedFd>,
    errors: Option<OwnedFd>,
}

impl Pipes {
    /// Our ends, and the program's: input, output, error.
    ///
    /// # Errors
    /// A fault at the limit of descriptors.
    pub fn open(input: &Input) -> Result<(Pipes, [OwnedFd; 3]), Fault> {
        let pair = || -> io::Result<(OwnedFd, OwnedFd)> { Ok(pipe_with(PipeFlags::CLOEXEC)?) };
        let (output, their_output) = pair().step("pipe")?;
        let (errors, their_errors) = pair().step("pipe")?;
        let (input, their_input) = match input {
            Input::Nothing => {
                let nowhere = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
                (None, nowhere.step("open /dev/null")?)
            }
            Input::Lines(bytes) => {
                let (theirs, ours) = pair().step("pipe")?;
                (Some((ours, bytes.clone(), 0)), theirs)
            }
        };
        // Only our ends: the program's are file descriptions of their own.
        for fd in [&output, &errors].into_iter().chain(input.as_ref().map(|(fd, ..)| fd)) {
            fcntl_setfl(fd, OFlags::NONBLOCK).step("fcntl")?;
        }
        let pipes = Pipes { input, output: Some(output), errors: Some(errors) };
        Ok((pipes, [their_input, their_output, their_errors]))
    }

    /// What a poll must include for [`feed`](Self::feed) and [`drain`](Self::drain) to be called in time.
    pub fn polled(&self) -> impl Iterator<Item = PollFd<'_>> {
        let input = self.input.as_ref().map(|(fd, ..)| PollFd::new(fd, PollFlags::OUT));
        let outputs = [&self.output, &self.errors].into_iter().flatten();
        input.into_iter().chain(outputs.map(|fd| PollFd::new(fd, PollFlags::IN)))
    }

    /// Writes as much of the input as there is room for, and closes it after the last byte.
    pub fn feed(&mut self) {
        let Some((fd, bytes, done)) = &mut self.input else { return };
        while *done < bytes.len() {
            match rustix::io::write(&*fd, &bytes[*done..]) {
                Ok(written) => *done += written,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                // It reads no more.
                Err(_) => break,
            }
        }
        self.input = None;
    }

    /// Reads what is there, at most [`AT_ONCE`] bytes of each stream. Does not wait.
    pub fn drain(&mut self, to: &mut Output) {
        for (fd, stream) in [(&mut self.output, &mut to.stdout), (&mut self.errors, &mut to.stderr)] {
            if fd.as_ref().is_some_and(|fd| !drain(fd, stream)) {
                *fd = None;
            }
        }
    }
}

/// False when the stream has ended.
fn drain(fd: impl AsFd, stream: &mut Stream) -> bool {
    let mut buffer = [0; 64 * 1024];
    let mut taken = 0;
    while taken < AT_ONCE {
        match rustix::io::read(&fd, &mut buffer) {
            Ok(0) => return false,
            Ok(len) => {
                taken += len;
                stream.count += len as u64;
                let room = KEPT - stream.kept.len();
                stream.kept.extend_from_slice(&buffer[..len.min(room)]);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return true,
            Err(_) => return false,
        }
    }
    true
}
