//! The owner's end: the keeper's process, and the channel to init.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::cgroup::Group;
use super::config::{Layer, SandboxConfig};
use super::fault::{Fault, Step};
use super::leaving::{self, FAREWELL};
use super::message::{self, FromInit, Received, ToInit};
use super::{Ending, keeper};
use crate::sys;

/// The longest that init may take to answer: a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(20);

/// A keeper, and what leads to its init. When it is dropped, all of it is gone.
pub struct InitChannel {
    /// `None` when it was detached.
    child: Option<Child>,
    channel: OwnedFd,
    /// Ends that init has reported and the owner has not taken yet. Locked for as long as a question is unanswered, so
    /// that each answer goes to its question.
    ends: Mutex<VecDeque<Ending>>,
    scratch: Option<Scratch>,
    group: Option<Group>,
}

impl InitChannel {
    /// Starts a keeper.
    ///
    /// # Errors
    /// The step of it that failed: a fault of ours, or of the machine.
    pub fn open(config: &SandboxConfig) -> Result<InitChannel, Fault> {
        let scratch = if config.layers.has(Layer::Files) { None } else { Some(Scratch::make()?) };
        let group = || Group::make(config.shared.as_ref(), &config.limits);
        let group = config.layers.has(Layer::Cgroup).then(group).transpose()?;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).step("socketpair")?;
        let child = Command::new(&config.keeper)
            // The program can read what init is called: not where it lies.
            .arg0("socklab")
            .arg(keeper::ARGUMENT)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .step("start the keeper")?;
        Ok(InitChannel { child: Some(child), channel: ours, ends: Mutex::default(), scratch, group })
    }

    /// The scratch folder, where the sandbox has no files of its own.
    pub fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(|scratch| scratch.0.as_path())
    }

    /// The group that limits the program's memory, if there is one.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// Readable when init tells of an end.
    pub fn channel(&self) -> &OwnedFd {
        &self.channel
    }

    /// Asks init, and waits for the answer, at most [`PATIENCE`].
    ///
    /// # Errors
    /// The fault that init reports, or that it does not answer.
    pub fn ask(&self, question: &ToInit, files: &[BorrowedFd<'_>]) -> Result<Received<FromInit>, Fault> {
        let mut ends = self.lock();
        if let Err(unsent) = message::send(&self.channel, question, files).step("ask init") {
            // Nothing will answer; but an init that has just died may have said why.
            while let Ok(Some((said, _))) = message::receive(&self.channel, Duration::ZERO) {
                match said {
                    FromInit::Ended(ending) => ends.push_back(ending),
                    FromInit::Fault(fault) => return Err(fault),
                    _ => {}
                }
            }
            return Err(unsent);
        }
        loop {
            let received = message::receive(&self.channel, PATIENCE).step("wait for init's answer")?;
            match received {
                Some((FromInit::Ended(ending), _)) => ends.push_back(ending),
                Some((FromInit::Fault(fault), _)) => return Err(fault),
                Some(received) => return Ok(received),
                None => return Err(gone()),
            }
        }
    }

    /// Whether an end was reported that [`take_end`](Self::take_end) has not returned yet.
    pub fn has_ends(&self) -> bool {
        !self.lock().is_empty()
    }

    /// The next end that init has reported. Does not wait.
    ///
    /// # Errors
    /// As those of [`ask`](Self::ask).
    pub fn take_end(&mut self) -> Result<Option<Ending>, Fault> {
        let mut ends = self.lock();
        while sys::wait_until_readable(&self.channel, Duration::ZERO).step("poll")? {
            match message::receive(&self.channel, Duration::ZERO).step("receive")? {
                Some((FromInit::Ended(ending), _)) => ends.push_back(ending),
                Some((FromInit::Fault(fault), _)) => return Err(fault),
                Some(_) => return Err(super::not_an_answer()),
                None => return Err(gone()),
            }
        }
        Ok(ends.pop_front())
    }

    /// Detaches a keeper whose init reports an empty sandbox. Tearing down namespaces is the slowest step and happens
    /// in the background; a later call reaps the child.
    pub fn detach(mut self) {
        let _ = shutdown(&self.channel, Shutdown::Both);
        leaving::detach(self.child.take());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Ending>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InitChannel {
    /// Waits until the keeper is gone, and with it everything: the sandbox was dropped without `close`.
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = end(child, &self.channel);
        }
    }
}

fn end(child: &mut Child, channel: &OwnedFd) -> io::Result<()> {
    // Init sees it, kills everything and ends, and then the keeper does.
    let _ = shutdown(channel, Shutdown::Both);
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    if !sys::wait_until_readable(&pidfd, FAREWELL)? {
        // Init dies with the keeper, and everything with init.
        child.kill()?;
    }
    child.wait().map(drop)
}

fn gone() -> Fault {
    Fault::new("ask init", "it has died")
}

/// A folder of its own among the temporary ones, as long as this lives.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Result<Scratch, Fault> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("socklab-box-{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.step("make a scratch folder").map(|()| Scratch(path)),
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
