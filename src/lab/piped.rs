//! A command whose outputs a role reads itself, with `read(2)`, from two pipes: as the classic servers do, and so that
//! it can get stuck as they do.
//!
//! It is under the same rule as `run_command`. In a demo the role and its command also take turns, as roles do with the
//! baton: before each read the command goes on until it has ended or sleeps, so that what there is to read, and whether
//! the read must wait, is the same at every run. What the command then waits for is told. By hand nothing waits for it,
//! and it is killed after `LONGEST`, or when `OUTPUT_LIMIT` has been read from either pipe.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::ioctl_fionread;
use rustix::pipe::{PipeFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, Signal, getppid, kill_process};

use super::command::{Group, LONGEST, NOT_PERMITTED, OUTPUT_LIMIT, is_in_demo, may_run};
use crate::probe::{self, proc::Stat};
use crate::sys;
use crate::trace::recorder::traced;
use crate::trace::{Call, CommandState, For, Probe, Syscall, Wait, recorder};

/// The room in each pipe: what Linux gives where pages have 4 KiB, `pipe(7)`.
const ROOM: usize = 65_536;

/// How often in a row, [`LOOK`] apart, a command must be seen in the same sleep.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(1);

/// How long a command of a demo may take to end or to fall asleep.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a command has for its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing: the first read finds its end.
    Nothing,
    /// A pipe that nobody writes to, open as long as the [`StartedCommand`].
    OpenPipe,
}

/// A command that runs, or has ended. When this value goes, so does whatever is left of it.
pub struct StartedCommand {
    /// Its standard output.
    pub stdout: Pipe,
    /// Its standard error.
    pub stderr: Pipe,
    _stdin: Option<OwnedFd>,
    process: Rc<Process>,
}

/// The reading end of a pipe from a command.
pub struct Pipe {
    end: Rc<OwnedFd>,
    process: Rc<Process>,
    /// How much was read from it.
    taken: Cell<usize>,
}

/// The processes of a command, and the ends of its pipes.
struct Process {
    child: RefCell<Child>,
    group: Group,
    ends: [Rc<OwnedFd>; 2],
    in_demo: bool,
    /// What was told of it last.
    told: Cell<Option<Asleep>>,
}

/// What a command that sleeps waits for, on which of its descriptors, and how much is in its two pipes.
type Asleep = (CommandState, RawFd, [u32; 2]);

/// Starts a command with `/bin/sh -c` and two pipes for its outputs, `posix_spawn(3)`. One line of the trace, and what
/// the command does once it sleeps.
///
/// # Errors
///
/// The command could not be started, is not permitted, or is a web browser's request: see `run_command`.
pub fn start_command(text: &str, input: Input) -> io::Result<StartedCommand> {
    let call = Call::new(Syscall::PosixSpawnp, None).arg("command", text.to_owned());
    let started = traced(call, Wait::Never, |call| {
        let started = start(text, input)?;
        if let Some(stdin) = &started._stdin {
            call.wrote("stdin_pipe", stdin.as_raw_fd());
        }
        call.wrote("stdout_pipe", started.stdout.end.as_raw_fd());
        call.wrote("stderr_pipe", started.stderr.end.as_raw_fd());
        Ok(started)
    })?;
    started.process.settle()?;
    Ok(started)
}

fn start(text: &str, input: Input) -> io::Result<StartedCommand> {
    if !may_run(text)? {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, NOT_PERMITTED));
    }
    let in_demo = is_in_demo();
    let group = Group::start((!in_demo).then_some(LONGEST))?;
    let (stdout, its_stdout) = pipe()?;
    let (stderr, its_stderr) = pipe()?;
    let (its_stdin, stdin) = match input {
        Input::Nothing => (Stdio::null(), None),
        Input::OpenPipe => pipe().map(|(its, ours)| (its.into(), Some(ours)))?,
    };
    let child = group.shell(text).stdin(its_stdin).stdout(its_stdout).stderr(its_stderr).spawn()?;
    let ends = [Rc::new(stdout), Rc::new(stderr)];
    let process = Process { child: RefCell::new(child), group, ends: ends.clone(), in_demo, told: Cell::new(None) };
    let process = Rc::new(process);
    let [stdout, stderr] = ends.map(|end| Pipe { end, process: Rc::clone(&process), taken: Cell::new(0) });
    Ok(StartedCommand { stdout, stderr, _stdin: stdin, process })
}

/// A pipe of the same room on every machine. Where pages are larger, or the user has very many pipes, Linux gives
/// another one.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reads, writes) = pipe_with(PipeFlags::CLOEXEC)?;
    if fcntl_getpipe_size(&reads)? != ROOM {
        fcntl_setpipe_size(&reads, ROOM)?;
    }
    Ok((reads, writes))
}

impl Pipe {
    /// Takes what is there, at most as much as fits, `read(2)`; waits for something. 0 is the end: no process has the
    /// other end open any more.
    ///
    /// # Errors
    ///
    /// That of `read(2)`; in a demo, a command that neither ends nor sleeps.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.process.settle()?;
        let left = OUTPUT_LIMIT - self.taken.get();
        if left == 0 {
            self.process.group.kill();
            self.empty()?;
        }
        // Where nothing is left, this read finds the end.
        let asked_for = if left == 0 { buf.len() } else { buf.len().min(left) };
        let buf = &mut buf[..asked_for];
        let call = Call::new(Syscall::Read, Some(self.end.as_raw_fd())).arg("len", buf.len());
        let returns_at_once = self.process.in_demo && probe::ready(self.end.as_fd(), PollFlags::IN);
        let wait = if returns_at_once { Wait::Never } else { Wait::Perhaps(For::Pipe) };
        let len = traced(call, wait, |call| {
            let len = sys::retry_on_intr(|| rustix::io::read(&*self.end, &mut *buf))?;
            call.received(len, buf);
            Ok(len)
        })?;
        self.taken.set((self.taken.get() + len).min(OUTPUT_LIMIT));
        Ok(len)
    }

    /// Throws away what a command that was killed has left in its pipe.
    fn empty(&self) -> io::Result<()> {
        let mut piece = [0; 8192];
        while sys::retry_on_intr(|| rustix::io::read(&*self.end, &mut piece))? > 0 {}
        Ok(())
    }
}

impl Process {
    /// In a demo, lets the command go on until it has ended or all its processes sleep, and tells of what it does then.
    fn settle(&self) -> io::Result<()> {
        if !self.in_demo {
            return Ok(());
        }
        let asleep = self.come_to_rest()?;
        let news = asleep.filter(|asleep| self.told.replace(Some(*asleep)) != Some(*asleep));
        let Some((does, fd, held)) = news else { return Ok(()) };
        if does == CommandState::Writes {
            for (end, held) in self.ends.iter().zip(held).filter(|(_, held)| *held > 0) {
                let room = u32::try_from(fcntl_getpipe_size(end)?).unwrap_or(u32::MAX);
                recorder::with(|recorder| recorder.found(Probe::Pipe { held, room }, end.as_raw_fd()));
            }
        }
        recorder::with(|recorder| recorder.found(Probe::Command { does }, fd));
        Ok(())
    }

    fn come_to_rest(&self) -> io::Result<Option<Asleep>> {
        let until = Instant::now() + PATIENCE;
        let (mut last, mut looks) = (None, 0);
        while Instant::now() < until {
            let all = probe::processes(|stat| self.is_alive(stat));
            if all.is_empty() {
                return Ok(None);
            }
            let sleep: Option<Vec<(i32, u64)>> = all.iter().map(asleep_since).collect();
            looks = if sleep.is_some() && sleep == last { looks + 1 } else { 0 };
            if looks == LOOKS {
                return self.what_it_does(&all).map(Some);
            }
            last = sleep;
            sys::wait_for(&mut [], Some(LOOK))?;
        }
        Err(io::Error::other(format!("the command neither ended nor slept in {} s", PATIENCE.as_secs())))
    }

    /// Whether a process is one of the command's, and has not ended.
    fn is_alive(&self, stat: &Stat) -> bool {
        let guard = self.group.number();
        stat.group == guard && stat.pid != guard && !has_ended(stat)
    }

    fn what_it_does(&self, all: &[Stat]) -> io::Result<Asleep> {
        let shell = self.child.borrow().id() as i32;
        let calls = || all.iter().filter_map(|stat| probe::asleep_in(Pid::from_raw(stat.pid)?));
        let call = |name: &str| calls().find(|(number, _)| probe::call_name(*number) == Some(name));
        let (does, fd) = match (call("write"), call("read")) {
            _ if all.iter().all(|stat| stat.pid != shell) => (CommandState::HasLeftAProgram, 0),
            (Some((_, fd)), _) => (CommandState::Writes, fd),
            (None, Some((_, fd))) => (CommandState::Reads, fd),
            (None, None) => return Err(io::Error::other("the command sleeps, and for no pipe")),
        };
        let [out, err] = &self.ends;
        let held = [ioctl_fionread(&**out)?, ioctl_fionread(&**err)?].map(|held| u32::try_from(held).unwrap_or(0));
        Ok((does, fd, held))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.kill();
        // No dead child is left behind.
        let _ = self.child.borrow_mut().wait();
    }
}

/// Its number, and how often it has left a processor: while it sleeps, that stands. `None` of one that does not sleep,
/// or sleeps for the disk.
fn asleep_since(stat: &Stat) -> Option<(i32, u64)> {
    let pid = Pid::from_raw(stat.pid).filter(|_| stat.state == 'S')?;
    probe::asleep_in(pid)?;
    Some((stat.pid, probe::context_switches(pid)?))
}

fn has_ended(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X')
}

/// Ends, with `SIGTERM`, what the command of another role has left behind, as somebody in another terminal would,
/// `kill(2)`; returns once that has ended.
///
/// # Errors
///
/// That of `kill(2)`; `NotFound` where there is no such role beside this one, as by hand, or nothing that it left.
pub fn end_leftovers(role: &str) -> io::Result<()> {
    let stage = getppid().map_or(0, |stage| stage.as_raw_nonzero().get());
    let all = probe::processes(|stat| !has_ended(stat));
    let is_role = |pid: i32| all.iter().any(|stat| stat.pid == pid && stat.parent == stage && stat.name == role);
    let is_guard = |pid: i32| all.iter().any(|stat| stat.pid == pid && stat.group == pid && is_role(stat.parent));
    let left: Vec<&Stat> = all.iter().filter(|stat| stat.pid != stat.group && is_guard(stat.group)).collect();
    if left.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{role} has left nothing behind here")));
    }
    left.into_iter().try_for_each(end)
}

fn end(stat: &Stat) -> io::Result<()> {
    let call = Call::new(Syscall::Kill, None).arg("pid", stat.name.clone()).arg("sig", "SIGTERM");
    let pid = Pid::from_raw(stat.pid).ok_or(io::ErrorKind::NotFound)?;
    traced(call, Wait::Never, |_| {
        kill_process(pid, Signal::TERM)?;
        wait_for_end(stat)
    })
}

/// Waits until a process has ended: then its descriptors are closed.
fn wait_for_end(wanted: &Stat) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    let is_it = |stat: &Stat| stat.pid == wanted.pid && stat.began == wanted.began && !has_ended(stat);
    while !probe::processes(is_it).is_empty() {
        if Instant::now() >= until {
            return Err(io::Error::other(format!("{} takes no SIGTERM", wanted.name)));
        }
        sys::wait_for(&mut [], Some(LOOK))?;
    }
    Ok(())
}
