//! Commands that came over the network: what the remote-command labs execute, and what keeps that harmless.
//!
//! In a demo only the commands of the scene itself are executed, on the private stage. By hand they are executed only
//! after `--allow-commands`, for clients of this machine's loopback, and never for a web browser. Their time and output
//! are limited. `run_command` reads a command's output as one should; `piped.rs` leaves that to the role.

use std::cell::RefCell;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, getppid, kill_process_group, pidfd_open, setpgid, waitpid,
};

use super::browser::is_browser_request;
use crate::sys::{self, Forked};
use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Wait};

/// How long a command may take.
pub const LONGEST: Duration = Duration::from_secs(5);

/// How much it may write to each of its two outputs, in bytes.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;

/// What is said of a web browser's request.
const BROWSER_REFUSED: &str = "refused: this is a web browser's request, not a command: a web page may be trying to \
    execute commands on this machine. Nothing was executed, and the server has ended: start it again, away from that \
    page";

/// What is said of bytes that no shell takes.
const BINARY_REFUSED: &str = "refused: a command has no NUL byte in it: another protocol is spoken to this port. \
    Nothing was executed, and the server has ended";

/// What is said of a command that is not permitted.
pub(super) const NOT_PERMITTED: &str = "this command is not one of the demo's";

/// The outputs of a command.
#[derive(Debug)]
pub struct Ran {
    /// What it wrote to standard output, at most 1 MiB.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, at most 1 MiB.
    pub stderr: Vec<u8>,
}

/// Which commands may be executed.
pub(super) enum Permission {
    /// None.
    Nothing,
    /// Those of the scene.
    Only(Vec<String>),
    /// Any: the person at the keyboard said so.
    Anything,
}

thread_local! {
    static PERMISSION: RefCell<Permission> = const { RefCell::new(Permission::Nothing) };
}

/// Permits commands to this role from now on.
pub(super) fn permit(permission: Permission) {
    PERMISSION.with(|cell| *cell.borrow_mut() = permission);
}

/// Executes a command with `/bin/sh -c`, as the classic servers do, and waits for it. One line of the trace,
/// `system(3)`.
///
/// One that takes longer than `LONGEST` or writes more than `OUTPUT_LIMIT` is killed, and with it all that it
/// started in its process group, as it is when this process dies; what it wrote until then is its output. One that is
/// not permitted is not executed, and its standard error says so. What leaves the group (`setsid`) escapes all this:
/// the limits are against accidents, not against malice, which is why a person must permit commands.
///
/// # Errors
///
/// The command could not be started, or is a web browser's request. After that nothing more is executed: the rest of
/// the request, its body, is what the page would have executed.
pub fn run_command(text: &str) -> io::Result<Ran> {
    let call = Call::new(Syscall::System, None).arg("command", text.to_owned());
    traced(call, Wait::Never, |call| {
        let (ran, code) = if may_run(text)? { execute(text)? } else { (refusal(), 126) };
        call.ret = Some(code.into());
        call.wrote("stdout", ran.stdout.len());
        call.wrote("stderr", ran.stderr.len());
        Ok(ran)
    })
}

/// Whether a command may be executed.
///
/// # Errors
///
/// It is what a web page can make a browser send, or no text. From then on nothing is executed any more: what comes
/// next, on whichever connection, may be the rest of it.
pub(super) fn may_run(text: &str) -> io::Result<bool> {
    let refused = if is_browser_request(text) {
        BROWSER_REFUSED
    } else if text.contains('\0') {
        BINARY_REFUSED
    } else {
        return Ok(permitted(text));
    };
    permit(Permission::Nothing);
    Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))
}

/// Whether this role plays in a demo, where only the scene's commands are executed.
pub(super) fn is_in_demo() -> bool {
    PERMISSION.with(|cell| matches!(&*cell.borrow(), Permission::Only(_)))
}

fn permitted(text: &str) -> bool {
    PERMISSION.with(|cell| match &*cell.borrow() {
        Permission::Nothing => false,
        Permission::Only(commands) => commands.iter().any(|command| command == text),
        Permission::Anything => true,
    })
}

fn refusal() -> Ran {
    Ran { stdout: Vec::new(), stderr: format!("{NOT_PERMITTED}\n").into() }
}

fn execute(text: &str) -> io::Result<(Ran, i32)> {
    let group = Group::start(None)?;
    let mut child = group.shell(text).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let ran = collect(&mut child);
    // Whatever of the group is still there has used up its time.
    group.kill();
    // Waited for in any case, so that no dead child is left behind.
    let status = child.wait()?;
    Ok((ran?, status.code().unwrap_or(-1)))
}

/// The process group of a command, and one process in it, its guard, which kills the group when this process dies,
/// however that happens. All of the group is killed when this value goes.
pub(super) struct Group(Pid);

impl Group {
    /// Starts the guard. With a limit, it kills the group after this time.
    pub fn start(limit: Option<Duration>) -> io::Result<Group> {
        start_guard(limit).map(Group)
    }

    /// The shell that is to execute a command, in this group.
    pub fn shell(&self, text: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", text]).env("LC_ALL", "C").process_group(self.number());
        // In a demo, a folder of the PATH that is closed to this user shall make no difference.
        if is_in_demo() {
            command.env("PATH", "/usr/bin:/bin");
        }
        command
    }

    /// The group's number, which is its guard's.
    pub fn number(&self) -> i32 {
        self.0.as_raw_nonzero().get()
    }

    /// Kills all of the group; its guard is of the group.
    pub fn kill(&self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = waitpid(Some(self.0), WaitOptions::empty());
    }
}

fn start_guard(limit: Option<Duration>) -> io::Result<Pid> {
    let us = getpid();
    match sys::fork()? {
        Forked::Parent(guard) => {
            // Parent and child both make the group: it must exist whichever of them runs first.
            let _ = setpgid(Some(guard), Some(guard));
            Ok(guard)
        }
        Forked::Child => {
            let _ = setpgid(None, None);
            // A socket that stayed open here would outlive its close.
            let _ = sys::close_inherited(0, i32::MAX);
            if let Ok(pidfd) = pidfd_open(us, PidfdFlags::empty())
                && getppid() == Some(us)
            {
                let _ = sys::wait_for(&mut [PollFd::new(&pidfd, PollFlags::IN)], limit);
            }
            let _ = kill_process_group(getpid(), Signal::KILL);
            sys::exit_now(0)
        }
    }
}

/// Reads both outputs side by side: a command that fills one pipe while we read the other would hang, and we with it.
fn collect(child: &mut Child) -> io::Result<Ran> {
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("the command has no pipes"));
    };
    let mut ran = Ran { stdout: Vec::new(), stderr: Vec::new() };
    let (mut out_open, mut err_open) = (true, true);
    let until = Instant::now() + LONGEST;
    while (out_open || err_open) && ran.stdout.len() < OUTPUT_LIMIT && ran.stderr.len() < OUTPUT_LIMIT {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let (out_ready, err_ready) = ready(&stdout, out_open, &stderr, err_open, left)?;
        if out_ready {
            out_open = take(&mut stdout, &mut ran.stdout)?;
        }
        if err_ready {
            err_open = take(&mut stderr, &mut ran.stderr)?;
        }
    }
    Ok(ran)
}

/// Which of the pipes that are still open have something to read, or have come to their end; waits at most `left`.
fn ready(out: &impl AsFd, out_open: bool, err: &impl AsFd, err_open: bool, left: Duration) -> io::Result<(bool, bool)> {
    // One that has come to its end is not asked again: poll(2) would answer for it at once, every time.
    let open = [(out.as_fd(), out_open), (err.as_fd(), err_open)].into_iter().filter(|(_, open)| *open);
    let mut pipes: Vec<PollFd<'_>> = open.map(|(pipe, _)| PollFd::from_borrowed_fd(pipe, PollFlags::IN)).collect();
    sys::wait_for(&mut pipes, Some(left))?;
    let mut answers = pipes.iter().map(|pipe| !pipe.revents().is_empty());
    Ok((out_open && answers.next() == Some(true), err_open && answers.next() == Some(true)))
}

/// Takes what is there; whether there can be more.
fn take(pipe: &mut impl Read, to: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 8192];
    let count = pipe.read(&mut piece)?;
    to.extend_from_slice(&piece[..count.min(OUTPUT_LIMIT - to.len())]);
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_was_closed_early_does_not_keep_us_busy() {
        let (out, _still_written) = rustix::pipe::pipe().expect("a pipe");
        let (err, closed) = rustix::pipe::pipe().expect("a pipe");
        drop(closed);
        let (began, left) = (Instant::now(), Duration::from_millis(30));
        assert_eq!(ready(&out, true, &err, false, left).expect("poll"), (false, false));
        assert!(began.elapsed() >= left, "poll returned after {:?}, for a pipe that is at its end", began.elapsed());
        assert_eq!(ready(&out, true, &err, true, left).expect("poll"), (false, true));
    }
}
