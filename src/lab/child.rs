//! A program that a role starts and does not wait for: it may outlive the role, but not the play.

use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open, setpgid};

use crate::sys::{self, Forked};
use crate::trace::{Call, Wait, recorder};

/// Starts a program and goes on at once, `posix_spawnp(3)`. It inherits each descriptor that is not closed on exec.
///
/// In a demo it is ended with the scene, however that ends. By hand it ends by itself, or its user ends it. It has a
/// parent of its own, which is not this process: that one keeps none of the descriptors.
pub fn start_program(words: &[&str]) -> io::Result<()> {
    let mut call = Call::new("posix_spawnp", None).arg("command", words.join(" "));
    recorder::with(|recorder| recorder.before(&call, Wait::Never));
    let result = start(words);
    match &result {
        Ok(()) => call.ret = Some(0),
        Err(error) => call.failed(error),
    }
    recorder::with(|recorder| recorder.after(call, None));
    result
}

fn start(words: &[&str]) -> io::Result<()> {
    let (held, leash) = pipe_with(PipeFlags::CLOEXEC)?;
    let (report, reports) = pipe_with(PipeFlags::CLOEXEC)?;
    let is_a_play = recorder::with(|recorder| recorder.keep_leash(leash.as_fd())).unwrap_or(false);
    if let Forked::Child = sys::fork()? {
        // By hand nobody keeps the other end, and that means nothing.
        let _ = look_after(words, held, reports, is_a_play);
        sys::exit_now(0);
    }
    drop(reports);
    let mut errno = [0; 4];
    match rustix::io::read(&report, &mut errno)? {
        4 => match i32::from_ne_bytes(errno) {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        },
        _ => Err(io::Error::other("the program was not started")),
    }
}

/// Starts the program, and ends it when whoever holds the leash pulls it or is gone.
fn look_after(words: &[&str], held: OwnedFd, reports: OwnedFd, is_a_play: bool) -> io::Result<()> {
    // Ctrl-C at the server's terminal is not meant for its child.
    let _ = setpgid(None, None);
    // Root's programs get all capabilities back, which a role has not.
    rustix::thread::set_no_new_privs(true)?;
    let started = spawn(words);
    rustix::stdio::dup2_stdin(&held)?;
    rustix::stdio::dup2_stdout(&reports)?;
    let _ = (held.into_raw_fd(), reports.into_raw_fd());
    // A socket that stayed open here would outlive its close.
    sys::close_range(2, i32::MAX)?;
    let errno = started.as_ref().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
    rustix::io::write(rustix::stdio::stdout(), &errno.to_ne_bytes())?;
    let mut child = started?;
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let leash = rustix::stdio::stdin();
    let mut ends = vec![PollFd::new(&pidfd, PollFlags::IN)];
    ends.extend(is_a_play.then(|| PollFd::new(&leash, PollFlags::IN)));
    while poll(&mut ends, None).is_err() {}
    let _ = child.kill();
    child.wait().map(drop)
}

fn spawn(words: &[&str]) -> io::Result<Child> {
    let [program, arguments @ ..] = words else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
