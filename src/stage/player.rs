//! What plays a role: a process, and how the stage hears it, lets it go on and ends it.
//!
//! The rest of the stage knows a role's process only through the methods of [`Player`], so that a program which is not
//! ours, watched from outside, could stand behind the same type.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, getpid, kill_process, pidfd_open,
    pidfd_send_signal, waitid, waitpid,
};

use super::channel::{self, ToRole, ToStage};
use super::limits::Attempted;
use super::role::{self, RoleBody};
use crate::probe;
use crate::sys;
use crate::trace::{Call, Status, Syscall};

/// How long a process that was killed may take to end. One that takes longer is left to init.
const KILL_PATIENCE: Duration = Duration::from_secs(1);

/// Whose child a process is, if it is one.
enum Kind {
    /// Ours.
    OurChild,
    /// A role's, which has made it; without a descriptor for one that had been waited for before we knew
    /// of it. Once that role has ended, it is ours, too.
    RolesChild(Option<OwnedFd>),
    /// It is a thread of a process that another player stands for.
    Thread,
}

/// A role's process, or a process or thread that a role has made.
pub(super) struct Player {
    kind: Kind,
    pid: Pid,
    channel: OwnedFd,
    /// What ends the programs that it has started, and the processes at the other ends.
    kill_pipes: Vec<(OwnedFd, Option<Pid>)>,
    /// Whether its process has been waited for.
    reaped: bool,
    /// How it has ended, by its parent.
    told: Option<Status>,
}

/// What a process said.
pub(super) enum Received {
    /// A message, and the descriptor that came with it.
    Message(Box<ToStage>, Option<OwnedFd>),
    /// It has closed its channel, so it has ended or is about to.
    Gone,
    /// Nothing in the time that was given.
    Silence,
}

impl Player {
    /// Starts a process that plays `body`, in the network namespace `host` if there is one.
    ///
    /// # Errors
    /// Those of `socketpair(2)` and `fork(2)`.
    pub fn start(name: &str, free: bool, host: Option<BorrowedFd<'_>>, body: RoleBody<'_>) -> io::Result<Player> {
        let (pid, channel) = role::spawn(name, free, host, body)?;
        Ok(Player { kind: Kind::OurChild, pid, channel, kill_pipes: Vec::new(), reaped: false, told: None })
    }

    /// A process that a role has just made.
    ///
    /// # Errors
    /// That of `pidfd_open(2)`.
    pub fn adopt(pid: Pid, channel: OwnedFd) -> io::Result<Player> {
        let kind = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => Kind::RolesChild(None),
            pidfd => Kind::RolesChild(Some(pidfd?)),
        };
        Ok(Player { kind, pid, channel, kill_pipes: Vec::new(), reaped: false, told: None })
    }

    /// A thread that a role has just started.
    pub fn adopt_thread(tid: Pid, channel: OwnedFd) -> Player {
        Player { kind: Kind::Thread, pid: tid, channel, kill_pipes: Vec::new(), reaped: false, told: None }
    }

    /// Whether it has this number.
    pub fn has_number(&self, number: i32) -> bool {
        self.pid.as_raw_nonzero().get() == number
    }

    /// Whether it has ended, and the stage has taken leave of it.
    pub fn has_ended(&self) -> bool {
        self.reaped
    }

    /// Its parent has waited for it, and knows how it has ended.
    pub fn has_ended_with(&mut self, status: Status) {
        self.told = Some(status);
    }

    /// Its process has ended, and it with that.
    pub fn ends_with_its_process(&mut self) {
        self.reaped = true;
    }

    /// Whether it has ended, and its parent has not waited for it.
    pub fn is_zombie(&self) -> bool {
        matches!(self.kind, Kind::RolesChild(_)) && probe::stat(self.pid).is_some_and(|stat| stat.state == 'Z')
    }

    /// Waits at most `patience` for its next message.
    ///
    /// # Errors
    /// Those of `recvmsg(2)`, and a message that is none of ours.
    pub fn receive(&self, patience: Duration) -> io::Result<Received> {
        if !sys::wait_until_readable(&self.channel, patience)? {
            return Ok(Received::Silence);
        }
        Ok(match channel::receive::<ToStage>(&self.channel)? {
            Some((message, descriptor)) => Received::Message(Box::new(message), descriptor),
            None => Received::Gone,
        })
    }

    /// Answers it. That it is gone, or takes no answers, shows when it is heard next.
    pub fn answer(&self, answer: &ToRole) {
        let _ = channel::send_at_once(&self.channel, answer, None);
    }

    /// Gives it a channel for what it is about to make, and returns the stage's end.
    ///
    /// # Errors
    /// Those of `prctl(2)` and `socketpair(2)`.
    pub fn give_channel(&self) -> io::Result<OwnedFd> {
        // Once its parent has ended, it is ours to wait for, PR_SET_CHILD_SUBREAPER of prctl(2).
        rustix::process::set_child_subreaper(Some(getpid()))?;
        let (ours, theirs) = channel::pair().attempted("socketpair")?;
        let _ = channel::send_at_once(&self.channel, &ToRole::Channel, Some(theirs.as_fd()));
        Ok(ours)
    }

    /// What `poll(2)` reports as readable once it has said something; nothing of one that has ended.
    pub fn channel(&self) -> Option<BorrowedFd<'_>> {
        (!self.reaped).then(|| self.channel.as_fd())
    }

    /// Whether the kernel has put it to sleep in a call of its own, rather than in the channel to us.
    pub fn sleeps(&self) -> bool {
        self.asleep_in().is_some_and(|(_, descriptor)| !channel::is_ours(descriptor))
    }

    /// Whether it is neither asleep nor over.
    pub fn runs(&self) -> bool {
        !self.reaped && self.asleep_in().is_none()
    }

    /// Whether the kernel has put it to sleep in this call, or in a send: free-running, sends are not announced.
    ///
    /// Asleep in anything else, say in `wait4(2)` for a program that it has started, it will go on by itself.
    pub fn sleeps_in(&self, call: &Call) -> bool {
        let Some((number, first)) = self.asleep_in() else { return false };
        match probe::call_name(number) {
            Some("poll" | "ppoll") => call.name == Syscall::Poll,
            Some("epoll_wait" | "epoll_pwait" | "epoll_pwait2") => call.name == Syscall::EpollWait,
            Some("wait4") => call.name == Syscall::WaitPid,
            Some("futex") => matches!(call.name, Syscall::PthreadJoin | Syscall::SemWait),
            Some("sendto" | "sendmsg") => !channel::is_ours(first),
            Some(_) => probe::call_acts_on_descriptor(number) && call.fd == Some(first),
            None => false,
        }
    }

    /// Which system call the kernel has put it to sleep in: its number and its first argument. `None` of a process that
    /// was stopped: what it waits for may have come meanwhile, and it sees that when it is continued, `signal(7)`.
    fn asleep_in(&self) -> Option<(i64, RawFd)> {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let is_stopped = matches!(waitid(WaitId::Pid(self.pid), options), Ok(Some(_)));
        if is_stopped { None } else { probe::asleep_in(self.pid) }
    }

    /// How often it has left a processor. While it sleeps, the number stands; each wait adds one.
    pub fn context_switches(&self) -> u64 {
        probe::context_switches(self.pid).unwrap_or(0)
    }

    /// What it is doing, in words: "asleep in recvfrom(3, …)", "running, in no system call".
    pub fn describe(&self) -> String {
        probe::describe(self.pid)
    }

    /// Takes charge of a program that it has started: `holder` ends it when the pipe is written to or closes.
    ///
    /// # Errors
    /// Those of `prctl(2)`.
    pub fn keep_kill_pipe(&mut self, pipe: OwnedFd, holder: i32) -> io::Result<()> {
        // The holder will outlive its parent, and then it is ours to wait for, PR_SET_CHILD_SUBREAPER of prctl(2).
        rustix::process::set_child_subreaper(Some(getpid()))?;
        // A process that holds its own is waited for as the player that it is.
        let holder = Pid::from_raw(holder).filter(|holder| *holder != self.pid);
        self.kill_pipes.push((pipe, holder));
        Ok(())
    }

    /// Waits at most `patience` for its process to end. `None` if it still runs then.
    ///
    /// # Errors
    /// Those of `pidfd_open(2)` and `waitpid(2)`.
    pub fn wait_for_exit(&mut self, patience: Duration) -> io::Result<Option<Status>> {
        let status = match &self.kind {
            Kind::OurChild => wait_for_exit(self.pid, patience)?.map(|status| Status::of_kernel(status.as_raw())),
            Kind::RolesChild(None) => Some(self.told.unwrap_or(Status::Code(0))),
            Kind::RolesChild(Some(pidfd)) if !sys::wait_until_readable(pidfd, patience)? => None,
            Kind::RolesChild(Some(pidfd)) => Some(self.exit_of_roles_child(pidfd)?),
            Kind::Thread => matches!(self.receive(patience)?, Received::Gone).then_some(Status::Code(0)),
        };
        self.reaped = status.is_some();
        Ok(status)
    }

    /// How a role's child has ended. Where its parent has waited for it meanwhile and has not told yet, or ignores
    /// `SIGCHLD`, nobody can say any more: then it counts as one that ended by itself.
    fn exit_of_roles_child(&self, pidfd: &OwnedFd) -> io::Result<Status> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if let Ok(Some(ended)) = sys::retry_on_intr(|| waitid(WaitId::PidFd(pidfd.as_fd()), options)) {
            return Ok(match (ended.exit_status(), ended.terminating_signal()) {
                (_, Some(signal)) => Status::Signal(signal),
                (code, None) => Status::Code(code.unwrap_or(0)),
            });
        }
        let of_zombie = probe::stat(self.pid).and_then(|stat| stat.exit_status).map(Status::of_kernel);
        Ok(of_zombie.or(self.told).unwrap_or(Status::Code(0)))
    }
}

/// No process outlives its scene.
impl Drop for Player {
    fn drop(&mut self) {
        match &self.kind {
            // It ends with its process.
            Kind::Thread | Kind::RolesChild(None) => {}
            Kind::OurChild if self.reaped => {}
            Kind::OurChild => {
                let _ = kill_process(self.pid, Signal::KILL);
                let _ = self.wait_for_exit(KILL_PATIENCE);
            }
            Kind::RolesChild(Some(pidfd)) => {
                // Its parent may have ended after it, and then its exit status is ours to take.
                let _ = pidfd_send_signal(pidfd, Signal::KILL);
                let _ = self.wait_for_exit(KILL_PATIENCE);
            }
        }
        self.kill_pipes.drain(..).for_each(|(pipe, holder)| kill_via(&pipe, holder));
    }
}

/// Ends a program that a role has started, and waits until it is gone: at most twice [`KILL_PATIENCE`].
fn kill_via(pipe: &OwnedFd, holder: Option<Pid>) {
    let _ = rustix::io::write(pipe, b"!");
    // A pipe that nothing can read from any more is in error, `poll(2)`: its holder has ended, or is about to.
    let closed = sys::wait_for(&mut [PollFd::new(pipe, PollFlags::empty())], Some(KILL_PATIENCE));
    if let (Ok(1..), Some(holder)) = (closed, holder) {
        let _ = wait_for_exit(holder, KILL_PATIENCE);
    }
}

/// Waits at most `patience` for a child to end, and takes its status. `None` if it still runs then.
fn wait_for_exit(child: Pid, patience: Duration) -> io::Result<Option<WaitStatus>> {
    let ended = || sys::retry_on_intr(|| waitpid(Some(child), WaitOptions::NOHANG)).map(|ended| ended.map(|(_, s)| s));
    // Most have ended already: no descriptor is needed for them.
    if let Some(status) = ended()? {
        return Ok(Some(status));
    }
    let pidfd = pidfd_open(child, PidfdFlags::empty())?;
    sys::wait_until_readable(&pidfd, patience)?;
    Ok(ended()?)
}
