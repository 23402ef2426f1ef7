//! A role: a process of its own, and its side of the channel to the stage.

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, getpid, getppid, kill_process, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use rustix::time::{ClockId, clock_gettime};

use super::channel::{self, Act, LONGEST_TEXT, ToRole, ToStage};
use super::limits::Attempted;
use crate::sys::{self, Forked};
use crate::trace::recorder::{self, MakeRecorder, Recorder, uncoloured};
use crate::trace::{Call, For, Probe, Syscall, Wait, error_name};
use crate::wire;

/// What a role does, from its first call to its last.
pub type RoleBody<'a> = Box<dyn FnOnce() -> io::Result<()> + 'a>;

/// Exit codes of a role's process.
const FAILED: i32 = 1;
const PANICKED: i32 = 101;
/// A role that could not be started: not its own fault, but the machine's.
pub const NOT_STARTED: i32 = 70;

/// Starts a process that plays `body`, and returns it with the stage's end of its channel.
///
/// The process has no capabilities, no descriptors but the standard ones and its channel, an empty standard input and
/// no standard output, and dies with the stage.
/// With `host`, it is in that network namespace from its beginning on.
pub fn spawn(name: &str, free: bool, host: Option<BorrowedFd<'_>>, body: RoleBody<'_>) -> io::Result<(Pid, OwnedFd)> {
    let (ours, theirs) = channel::pair().attempted("socketpair")?;
    let stage = getpid();
    match sys::fork().attempted("clone")? {
        Forked::Parent(pid) => Ok((pid, ours)),
        Forked::Child => match prepare(name, stage, host, theirs) {
            Ok(channel) => play(Link::new(channel, free, name), body),
            Err(error) => {
                // One write: another role may have something to say at the same time.
                let _ = io::stderr().write_all(format!("socklab: {name} could not start: {error}\n").as_bytes());
                sys::exit_now(NOT_STARTED)
            }
        },
    }
}

fn prepare(name: &str, stage: Pid, host: Option<BorrowedFd<'_>>, channel: OwnedFd) -> io::Result<OwnedFd> {
    set_parent_process_death_signal(Some(Signal::KILL)).attempted("prctl(PR_SET_PDEATHSIG)")?;
    if getppid() != Some(stage) {
        sys::exit_now(NOT_STARTED); // the stage died before we asked to die with it
    }
    if let Some(host) = host {
        wire::enter(host).attempted("setns")?;
    }
    let end = channel::role_end();
    let channel = move_to(channel, end).attempted("fcntl(F_DUPFD_CLOEXEC)")?;
    sys::close_inherited(3, end - 1).attempted("close_range")?;
    sys::close_inherited(end + 1, i32::MAX).attempted("close_range")?;
    let nowhere = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())
        .attempted("open(/dev/null)")?;
    rustix::stdio::dup2_stdin(&nowhere).attempted("dup2")?;
    rustix::stdio::dup2_stdout(&nowhere).attempted("dup2")?;
    drop(nowhere);
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .attempted("capset")?;
    set_name(name)?;
    Ok(channel)
}

/// Names this thread, as `ps` shows it: the kernel keeps 15 bytes.
fn set_name(name: &str) -> io::Result<()> {
    let short: Vec<u8> = name.bytes().filter(|byte| *byte != 0).take(15).collect();
    rustix::thread::set_name(&std::ffi::CString::new(short).unwrap_or_default()).attempted("prctl(PR_SET_NAME)")
}

/// Makes a process that a role has just made a party of the play: it has a channel of its own, in the place of its
/// parent's, and dies with the stage, but not with its parent.
fn join_play(name: &str, channel: OwnedFd) -> io::Result<()> {
    // What its parent lives by is not its own.
    sys::close_inherited(channel::first_of_ours(), channel::role_end() - 1).attempted("close_range")?;
    let (lives, kill_pipe) = pipe_with(PipeFlags::CLOEXEC).attempted("pipe2")?;
    let lives =
        rustix::io::fcntl_dupfd_cloexec(&lives, channel::first_of_ours()).attempted("fcntl(F_DUPFD_CLOEXEC)")?;
    sys::die_with(lives.as_fd()).attempted("fcntl(F_SETSIG)")?;
    // It stays open as long as this process lives.
    let _ = lives.into_raw_fd();
    let channel = move_to(channel, channel::role_end()).attempted("fcntl(F_DUPFD_CLOEXEC)")?;
    channel::send(&channel, &ToStage::KillPipe(getpid().as_raw_nonzero().get()), Some(kill_pipe.as_fd()))?;
    // Whoever has the parent's channel has this one: its number is the same.
    let _ = channel.into_raw_fd();
    set_name(name)
}

/// Moves a descriptor to a number. What had that number was inherited from the process that started us, and is no use
/// to a role.
fn move_to(descriptor: OwnedFd, number: RawFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() == number {
        return Ok(descriptor);
    }
    sys::close_inherited(number, number)?;
    let moved = rustix::io::fcntl_dupfd_cloexec(&descriptor, number)?;
    Ok(moved)
}

fn play(link: Link, body: RoleBody<'_>) -> ! {
    // A panic is reported to the stage below, and is not printed.
    std::panic::set_hook(Box::new(|_| ()));
    recorder::install(Box::new(link.clone()));
    if link.pending.is_some() {
        link.hear(); // our turn to start
    }
    let (result, code) = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => (Ok(()), 0),
        Ok(Err(error)) => (Err(error_name(&error)), FAILED),
        Err(panic) => (Err(format!("panicked: {}", panic_text(&*panic))), PANICKED),
    };
    link.act(Act::End(result));
    sys::exit_now(code)
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

/// The role's side of the channel.
#[derive(Clone)]
struct Link {
    channel: Rc<OwnedFd>,
    /// Without the baton: what the role has not told yet. It tells when it is about to wait, so that between two of its
    /// calls there is no third one, to the channel, that would give its peer time.
    pending: Option<Rc<RefCell<Vec<ToStage>>>>,
    /// The calls that were made in a batch, the same one after the other as one.
    batch: Option<Vec<Call>>,
    /// What the process or thread is called.
    name: String,
}

/// So much is kept pending at the most.
const MAX_PENDING: usize = 1000;

impl Link {
    fn new(channel: OwnedFd, free: bool, name: &str) -> Link {
        let name = name.to_owned();
        Link { channel: Rc::new(channel), pending: free.then(Rc::default), batch: None, name }
    }

    /// Tells what comes next, and waits until it may come. Free-running, it waits only where the stage owes an answer.
    fn act(&self, act: Act) -> Option<ToRole> {
        let goes_on = self.pending.is_some()
            && matches!(act, Act::Call(..) | Act::Made(_) | Act::Say(_) | Act::Found(..) | Act::Note(_) | Act::Begin);
        self.send_or_keep(ToStage::Next(act, now()), None);
        if goes_on {
            return None;
        }
        self.flush();
        Some(self.hear())
    }

    /// Tells the stage, or keeps it to be told later.
    fn send_or_keep(&self, message: ToStage, descriptor: Option<BorrowedFd<'_>>) {
        match &self.pending {
            None => self.send(&message, descriptor),
            Some(pending) => {
                pending.borrow_mut().push(message);
                if pending.borrow().len() >= MAX_PENDING {
                    self.flush();
                }
            }
        }
    }

    fn flush(&self) {
        for message in self.pending.iter().flat_map(|pending| pending.take()) {
            self.send(&message, None);
        }
    }

    fn send(&self, message: &ToStage, descriptor: Option<BorrowedFd<'_>>) {
        if channel::send(&*self.channel, message, descriptor).is_err() {
            sys::exit_now(NOT_STARTED); // the stage is gone, and the play with it
        }
    }

    fn hear(&self) -> ToRole {
        match channel::receive(&*self.channel) {
            Ok(Some((answer, _))) => answer,
            _ => sys::exit_now(NOT_STARTED),
        }
    }
}

impl Recorder for Link {
    fn before(&mut self, call: &Call, wait: Wait) {
        if self.batch.is_some() {
            return;
        }
        if self.pending.is_none() {
            self.act(Act::Call(Box::new(call.clone()), wait));
        } else if !matches!(wait, Wait::Never | Wait::Perhaps(For::Room)) {
            self.act(Act::Call(Box::new(call.clone()), wait));
            self.flush();
        }
    }

    fn after(&mut self, call: Call, opened: Option<BorrowedFd<'_>>) {
        if let Some(batch) = &mut self.batch {
            match batch.last_mut() {
                Some(last) if last.is_like(&call) => last.times += 1,
                _ => batch.push(call),
            }
            return;
        }
        if call.name == Syscall::Fork && call.ret == Some(0) {
            // In the child it is the first thing that it tells, in its turn.
            self.act(Act::Made(Box::new(call)));
            return;
        }
        // Free-running nothing is handed over: a copy of the socket in the stage would outlive the role's close.
        self.send_or_keep(ToStage::Done(call, now()), opened);
    }

    fn batch(&mut self, on: bool) {
        let batch = std::mem::replace(&mut self.batch, on.then(Vec::new));
        for call in batch.into_iter().flatten() {
            self.act(Act::Made(Box::new(call)));
        }
    }

    fn say(&mut self, text: &str) {
        self.act(Act::Say(shortened(&uncoloured(text))));
    }

    fn found(&mut self, probe: Probe, fd: RawFd) {
        self.act(Act::Found(probe, fd));
    }

    fn note(&mut self, text: &str) {
        self.act(Act::Note(shortened(text)));
    }

    fn meet(&mut self, text: &str) {
        self.act(Act::Meet(shortened(text)));
    }

    fn prompt(&mut self, prompt: &str) -> Option<String> {
        match self.act(Act::Prompt(shortened(prompt))) {
            Some(ToRole::Line(line)) => line,
            _ => None,
        }
    }

    fn keep_kill_pipe(&mut self, kill_pipe: BorrowedFd<'_>, pid: i32) -> bool {
        self.flush();
        self.send(&ToStage::KillPipe(pid), Some(kill_pipe));
        true
    }

    fn branch(&mut self) -> Option<OwnedFd> {
        // What has not been told yet would be told by both.
        self.flush();
        self.send(&ToStage::Branch, None);
        match channel::receive(&*self.channel) {
            Ok(Some((ToRole::Channel, channel))) => channel,
            _ => sys::exit_now(NOT_STARTED),
        }
    }

    fn be_child(&mut self, number: u32, own: Option<OwnedFd>) {
        self.name = format!("{}/{number}", self.name);
        let joined = own.ok_or_else(|| io::Error::other("the stage gave no channel"));
        if let Err(error) = joined.and_then(|own| join_play(&self.name, own)) {
            let _ = io::stderr().write_all(format!("socklab: {} could not start: {error}\n", self.name).as_bytes());
            sys::exit_now(NOT_STARTED);
        }
    }

    fn for_thread(&self, number: u32, own: Option<OwnedFd>) -> Option<MakeRecorder> {
        let (name, free) = (format!("{}/{number}", self.name), self.pending.is_some());
        let channel = rustix::io::fcntl_dupfd_cloexec(own?, channel::first_of_ours()).ok()?;
        Some(Box::new(move || {
            // The name is for `ps`; without it all is as it is.
            let _ = set_name(&name);
            let link = Link::new(channel, free, &name);
            link.act(Act::Begin);
            Box::new(link)
        }))
    }

    fn ends(&mut self, result: Result<(), String>) {
        self.act(Act::End(result));
    }

    fn interrupt(&mut self) {
        self.flush();
        let _ = kill_process(getpid(), Signal::INT);
    }

    fn name(&mut self, address: SocketAddr) -> String {
        self.send_or_keep(ToStage::Name(address), None);
        self.flush();
        match self.hear() {
            ToRole::Name(name) => name,
            _ => address.to_string(),
        }
    }
}

/// At most [`LONGEST_TEXT`] bytes of a text, cut between two characters.
fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// `CLOCK_MONOTONIC` in nanoseconds: the same clock in all processes.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
