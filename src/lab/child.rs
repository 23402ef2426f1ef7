//! A program that a role starts and does not wait for: it may outlive the role, but not the play.

use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open, setpgid};

use crate::sys::{self, Forked};
use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Wait, recorder};

/// What is written to a kill pipe that nothing will keep.
const LET_GO: [u8; 1] = *b"g";

/// Starts a program and goes on at once, `posix_spawnp(3)`. It inherits each descriptor that is not closed on exec.
///
/// In a demo it is ended with the scene, however that ends. By hand it ends by itself, or its user ends it. It has a
/// parent of its own, which is not this process: that one keeps none of the descriptors.
///
/// # Errors
///
/// Those of `fork(2)`, `pipe(2)` and `execve(2)`: `ENOENT` where there is no such program.
pub fn start_program(words: &[&str]) -> io::Result<()> {
    let call = Call::new(Syscall::PosixSpawnp, None).arg("command", words.join(" "));
    traced(call, Wait::Never, |_| start(words))
}

fn start(words: &[&str]) -> io::Result<()> {
    let (held, kill_pipe) = pipe_with(PipeFlags::CLOEXEC)?;
    let (report, reports) = pipe_with(PipeFlags::CLOEXEC)?;
    let holder = match sys::fork()? {
        Forked::Parent(holder) => holder.as_raw_nonzero().get(),
        Forked::Child => {
            drop(kill_pipe);
            let _ = look_after(words, held, reports);
            sys::exit_now(0);
        }
    };
    drop((held, reports));
    if recorder::with(|recorder| recorder.keep_kill_pipe(kill_pipe.as_fd(), holder)) != Some(true) {
        // By hand no stage keeps it; the holder must not take its end for the end of a scene.
        rustix::io::write(&kill_pipe, &LET_GO)?;
    }
    let mut errno = [0; 4];
    match rustix::io::read(&report, &mut errno)? {
        4 => match i32::from_ne_bytes(errno) {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        },
        _ => Err(io::Error::other("the program was not started")),
    }
}

/// Starts the program, and ends it when the kill pipe is written to or closes, unless it was let go of.
fn look_after(words: &[&str], held: OwnedFd, reports: OwnedFd) -> io::Result<()> {
    // Ctrl-C at the server's terminal is not meant for its child.
    let _ = setpgid(None, None);
    // Root's programs get all capabilities back, which a role has not.
    rustix::thread::set_no_new_privs(true)?;
    let started = spawn(words);
    rustix::stdio::dup2_stdin(&held)?;
    rustix::stdio::dup2_stdout(&reports)?;
    let _ = (held.into_raw_fd(), reports.into_raw_fd());
    // A socket that stayed open here would outlive its close.
    sys::close_inherited(2, i32::MAX)?;
    let errno = started.as_ref().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
    rustix::io::write(rustix::stdio::stdout(), &errno.to_ne_bytes())?;
    let mut child = started?;
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let held = rustix::stdio::stdin();
    let mut ends = [PollFd::new(&pidfd, PollFlags::IN), PollFd::new(&held, PollFlags::IN)];
    let polled = sys::wait_for(&mut ends, None).is_ok();
    let mut word = [0; 1];
    if polled && ends[0].revents().is_empty() && rustix::io::read(held, &mut word) == Ok(1) && word == LET_GO {
        return child.wait().map(drop);
    }
    let _ = child.kill();
    child.wait().map(drop)
}

fn spawn(words: &[&str]) -> io::Result<Child> {
    let [program, arguments @ ..] = words else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
