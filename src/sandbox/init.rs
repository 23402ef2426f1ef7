//! Init: the first process of a sandbox. It prepares the place, starts the program, answers questions, and when its
//! owner is gone, so is everything.
//!
//! It has one thread and nothing to hide but the channel. Nothing in here reads what the program writes.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use landlock::RulesetCreated;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{
    DumpableBehavior, Pid, Signal, getpid, kill_process, set_child_subreaper, set_dumpable_behavior,
    set_parent_process_death_signal,
};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use seccompiler::BpfProgram;
use socket2::{Domain, Protocol, Socket, Type};

use super::archive::{ArchiveError, Excess};
use super::beneath::Folder;
use super::cgroup::Version;
use super::config::Layer;
use super::fault::{Fault, Step};
use super::identity::Identity;
use super::inside::{self, ChildSetup, Entry};
use super::message::{self, FromInit, Note, Plan, SocketKind, ToInit};
use super::proc::ProcFolder;
use super::root::{self, Root};
use super::socket_watch::SocketWatch;
use super::tally::{Starts, Tallier};
use super::{Ending, How, Limit, Remains, archive, restrictions};
use crate::netlink;
use crate::sys::children::{self, End, Reaped};
use crate::sys::{self, Forked};

/// How long a program's process may take from `fork` to `execve`.
const START: Duration = Duration::from_secs(10);

/// The part of the CPU limit from which on a `SIGKILL` is taken for the kernel's: what it counts may be a little less.
const NEARLY_ALL: f64 = 0.97;

/// Is init, to the end of this process.
pub fn serve(channel: OwnedFd, plan: Plan, files: Vec<OwnedFd>, identity: Identity) -> ! {
    let code = match Init::prepare(&channel, plan, files, identity) {
        Ok((mut init, notes)) => init.attend(notes).map_or_else(|fault| init.complain(fault), |()| 0),
        Err(fault) => {
            let _ = message::send(&channel, &FromInit::Fault(fault), &[]);
            1
        }
    };
    sys::exit_now(code)
}

struct Init<'a> {
    channel: &'a OwnedFd,
    plan: Plan,
    identity: Identity,
    scratch: PathBuf,
    /// The entry of the control group.
    group: Option<OwnedFd>,
    rules: Option<RulesetCreated>,
    filters: Vec<BpfProgram>,
    /// Hears the host's packets, until it is handed out.
    packets: Option<Socket>,
    /// The root of this process and the program's.
    _root: Option<Root>,
    /// Readable when a child has ended.
    ends: OwnedFd,
    tallier: Tallier,
    running: Option<Running>,
    /// Over the host's sockets, where the host is private.
    watch: Option<SocketWatch>,
    /// Whether anything of the program may run.
    has_started: bool,
}

/// The program that was started, until it has ended.
struct Running {
    pid: Pid,
    began: Instant,
    /// CPU time of those that had ended before.
    cpu_before: Duration,
    /// Why we have killed it, if we have.
    limit: Option<Limit>,
}

/// Whether to go on.
enum Next {
    Go,
    End,
}

impl<'a> Init<'a> {
    fn prepare(
        channel: &'a OwnedFd,
        plan: Plan,
        files: Vec<OwnedFd>,
        identity: Identity,
    ) -> Result<(Init<'a>, Vec<Note>), Fault> {
        set_parent_process_death_signal(Some(Signal::KILL)).step("prctl(PR_SET_PDEATHSIG)")?;
        let ends = sys::signals_to_read(&[libc::SIGCHLD]).step("signalfd")?;
        if !plan.layers.has(Layer::Processes) {
            set_child_subreaper(Some(getpid())).step("prctl(PR_SET_CHILD_SUBREAPER)")?;
        }
        let mut files = files.into_iter();
        let archive = plan.archive.and_then(|_| files.next());
        let (group, keep) = (files.next(), files.next());
        if plan.layers.has(Layer::Cgroup) && group.is_none() {
            return Err(Fault::new("enter the memory group", "it did not come along"));
        }
        // What is unpacked from here on counts there.
        if let Some(keep) = keep {
            rustix::io::write(&keep, b"0").of(Layer::Cgroup, "enter the group of inits")?;
        }
        let mut notes = Vec::new();
        let packets = plan.capture.then(hear_packets).transpose().step("listen in on the host")?;
        let mut held = None;
        // The machine's `/proc` is gone soon, and a container may let us have no other.
        let outside = ProcFolder::open();
        let starts = if plan.layers.has(Layer::Processes) { Starts::of_new_namespace()? } else { None };
        let scratch = if plan.layers.has(Layer::Files) {
            let (root, more) = root::change(&plan, identity.ids())?;
            held = Some(root);
            notes.extend(more);
            PathBuf::from(root::BOX)
        } else {
            let folder = PathBuf::from(plan.scratch.clone().ok_or(Fault::new("enter the scratch folder", "none"))?);
            rustix::process::chdir(&folder).step("enter the scratch folder")?;
            folder
        };
        let tallier = Tallier::new(ProcFolder::open().or(outside)?, starts)?;
        if let Some(archive) = archive {
            archive::unpack(archive.as_fd(), &scratch, identity.given).step("unpack the archive")?;
        }
        let mut rules = None;
        if plan.layers.has(Layer::Landlock) {
            let (made, note) = restrictions::landlock(&plan, &scratch)?;
            rules = Some(made);
            notes.extend(note);
        }
        let filters = if plan.layers.has(Layer::Seccomp) { restrictions::seccomp(&plan)? } else { Vec::new() };
        let is_made_there = plan.group.as_ref().is_some_and(|group| group.version == Version::Two);
        // With it the program's process hides the name of its group.
        let besides = if is_made_there { CapabilitySet::SYS_ADMIN } else { CapabilitySet::empty() };
        keep_few_capabilities(besides).step("capset")?;
        // From now on a process of the same user cannot look into this one.
        set_dumpable_behavior(DumpableBehavior::NotDumpable).step("prctl(PR_SET_DUMPABLE)")?;
        let init = Init {
            channel,
            plan,
            identity,
            scratch,
            group,
            rules,
            filters,
            packets,
            _root: held,
            ends,
            tallier,
            running: None,
            watch: None,
            has_started: false,
        };
        Ok((init, notes))
    }

    /// Answers until the owner is gone or says that it is enough.
    fn attend(&mut self, mut notes: Vec<Note>) -> Result<(), Fault> {
        let open = || netlink::open(libc::NETLINK_SOCK_DIAG).step("socket(NETLINK_SOCK_DIAG)");
        let questions = open()?;
        if self.plan.layers.has(Layer::Network) && self.plan.layers.has(Layer::Limits) {
            let (watch, note) = SocketWatch::begin(open()?)?;
            self.watch = Some(watch);
            notes.extend(note);
        }
        self.tell(&FromInit::Ready(notes), Some(questions))?;
        loop {
            let until = self.running.as_ref().map(|running| running.began + self.plan.limits.wall);
            let left = until.map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            let left = self.watch.as_ref().filter(|_| self.has_started).map_or(left, |watch| left.min(watch.rest()));
            let mut fds = [PollFd::new(self.channel, PollFlags::IN), PollFd::new(&self.ends, PollFlags::IN)];
            sys::wait_for(&mut fds, Some(left)).step("poll")?;
            let (asked, ended) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
            if ended {
                // Which signals they were does not matter: all that have ended are looked for.
                let _ = rustix::io::read(&self.ends, &mut [0u8; 1024]);
                self.take_ends()?;
            }
            let is_over = self
                .running
                .as_ref()
                .is_some_and(|running| running.limit.is_none() && running.began.elapsed() >= self.plan.limits.wall);
            if is_over {
                self.kill(Some(Limit::Wall))?;
            }
            if let Some(watch) = self.watch.as_mut().filter(|_| self.has_started)
                && let Some(limit) = watch.look(&self.plan.limits)?
            {
                self.kill(Some(limit))?;
            }
            if asked {
                let Some((question, files)) = message::receive(self.channel, START).step("receive")? else {
                    self.kill(None)?;
                    return Ok(());
                };
                if matches!(self.answer(question, files)?, Next::End) {
                    return Ok(());
                }
            }
        }
    }

    fn answer(&mut self, question: ToInit, files: Vec<OwnedFd>) -> Result<Next, Fault> {
        match question {
            ToInit::Start { argv, env } => {
                let answer = match self.start(&argv, &env, files) {
                    Ok(()) => FromInit::Started,
                    Err(fault) => FromInit::Fault(fault),
                };
                self.tell(&answer, None)?;
            }
            ToInit::Socket(kind) => match self.socket(kind).step("socket") {
                Ok(socket) => self.tell(&FromInit::Socket, Some(socket.into()))?,
                Err(fault) => self.tell(&FromInit::Fault(fault), None)?,
            },
            ToInit::Look => {
                let look = self.tallier.folder().look();
                self.tell(&look.map_or_else(FromInit::Fault, FromInit::Look), None)?;
            }
            ToInit::Tally => {
                let tally = self.tallier.take(self.running.is_some());
                self.tell(&tally.map_or_else(FromInit::Fault, FromInit::Tally), None)?;
            }
            ToInit::Signal(number) => {
                if let (Some(running), Some(signal)) = (&self.running, Signal::from_named_raw(number)) {
                    kill_process(running.pid, signal).step("kill")?;
                }
                self.tell(&FromInit::Done, None)?;
            }
            ToInit::Kill(limit) => {
                let remains = self.kill(limit)?;
                self.tell(&FromInit::Remains(remains), None)?;
            }
            ToInit::Pack => {
                self.kill(None)?;
                match self.pack(files) {
                    Ok(packed) => self.tell(&FromInit::Packed(packed), None)?,
                    Err(fault) => self.tell(&FromInit::Fault(fault), None)?,
                }
            }
            ToInit::Close => {
                let remains = self.kill(None)?;
                self.tell(&FromInit::Remains(remains), None)?;
                return Ok(Next::End);
            }
            ToInit::Prepare(_) => return Err(Fault::new("answer", "it has been prepared already")),
        }
        Ok(Next::Go)
    }

    /// Starts the program, and returns when its process has become it.
    fn start(&mut self, argv: &[OsString], env: &[(String, String)], files: Vec<OwnedFd>) -> Result<(), Fault> {
        if self.running.is_some() {
            return Err(Fault::new("start the program", "the one before has not ended"));
        }
        let standard = <[OwnedFd; 3]>::try_from(files)
            .map_err(|files| Fault::new("start the program", format!("{} descriptors instead of 3", files.len())))?;
        let rules = self.rules.as_ref().map(RulesetCreated::try_clone).transpose().step("dup")?;
        let (trouble, mut troubled) = {
            let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step("pipe")?;
            (File::from(reader), File::from(writer))
        };
        let cpu_before = children::cpu_of_children().step("getrusage")?;
        let began = Instant::now();
        let is_made_there = self.plan.group.as_ref().is_some_and(|group| group.version == Version::Two);
        let forked = match self.group.as_ref().filter(|_| is_made_there) {
            Some(group) => sys::fork_into(group.as_fd()).of(Layer::Cgroup, "make a process in the memory group")?,
            None => sys::fork().step("fork")?,
        };
        self.has_started = true;
        match forked {
            Forked::Child => {
                let setup = ChildSetup {
                    layers: self.plan.layers,
                    limits: &self.plan.limits,
                    identity: self.identity,
                    group: match &self.group {
                        Some(_) if is_made_there => Entry::Made,
                        Some(group) => Entry::ToWrite(group),
                        None => Entry::None,
                    },
                    rules,
                    filters: &self.filters,
                    scratch: &self.scratch,
                    standard,
                };
                let fault = inside::become_the_program(argv, env, setup, &mut troubled);
                let _ = troubled.write_all(&serde_json::to_vec(&fault).unwrap_or_default());
                sys::exit_now(1)
            }
            Forked::Parent(pid) => {
                drop((standard, troubled));
                self.running = Some(Running { pid, began, cpu_before, limit: None });
                match hear(trouble) {
                    Ok(()) => Ok(()),
                    Err(fault) => {
                        // There was no program, so there is no end of one.
                        self.running = None;
                        self.kill(None)?;
                        Err(fault)
                    }
                }
            }
        }
    }

    /// A socket on this host.
    fn socket(&mut self, kind: SocketKind) -> io::Result<Socket> {
        match kind {
            SocketKind::Stream => Socket::new(Domain::IPV4, Type::STREAM, None),
            SocketKind::Datagram => Socket::new(Domain::IPV4, Type::DGRAM, None),
            SocketKind::Packets => self.packets.take().ok_or_else(|| io::ErrorKind::Unsupported.into()),
        }
    }

    /// Takes the ends of all that have ended, without waiting for one; returns how many there were.
    fn take_ends(&mut self) -> Result<u64, Fault> {
        let mut count = 0;
        while let Some(reaped) = no_children(children::reap(false))? {
            count += 1;
            self.note_end(&reaped)?;
        }
        Ok(count)
    }

    /// Tells the owner, if it was the program.
    fn note_end(&mut self, reaped: &Reaped) -> Result<(), Fault> {
        let is_it = |running: &mut Running| running.pid.as_raw_nonzero().get() == reaped.pid;
        let Some(running) = self.running.take_if(is_it) else { return Ok(()) };
        let cpu = children::cpu_of_children().step("getrusage")?.saturating_sub(running.cpu_before);
        let ending = Ending {
            how: match reaped.end {
                End::Exited(code) => How::Exited(code),
                End::Killed(signal) => How::Killed(crate::trace::signal_name(signal)),
            },
            limit: running.limit.or_else(|| self.limit_behind(reaped)),
            cpu,
            wall: running.began.elapsed(),
            peak_kib: reaped.peak_kib,
        };
        self.tell(&FromInit::Ended(ending), None)
    }

    /// The limit that a process has met, if the kernel killed it for one.
    fn limit_behind(&self, reaped: &Reaped) -> Option<Limit> {
        let limits = &self.plan.limits;
        if !self.plan.layers.has(Layer::Limits) {
            return None;
        }
        let used_up = reaped.cpu.as_secs_f64() >= NEARLY_ALL * limits.cpu.as_secs().max(1) as f64;
        match reaped.end {
            End::Killed(libc::SIGXCPU) => Some(Limit::Cpu),
            End::Killed(libc::SIGKILL) if used_up => Some(Limit::Cpu),
            End::Killed(libc::SIGXFSZ) => Some(Limit::FileSize),
            _ => None,
        }
    }

    /// Kills everything, and returns when it is dead.
    fn kill(&mut self, limit: Option<Limit>) -> Result<Remains, Fault> {
        self.take_ends()?;
        if let Some(running) = &mut self.running {
            running.limit = running.limit.or(limit);
        }
        let mut stopped = 0;
        if self.plan.layers.has(Layer::Processes) {
            // ESRCH: there are no processes.
            let _ = children::kill_all(libc::SIGKILL);
            while let Some(reaped) = no_children(children::reap(true))? {
                stopped += 1;
                self.note_end(&reaped)?;
            }
        } else {
            stopped = self.sweep()?;
        }
        self.has_started = false;
        let cpu = children::cpu_of_children().step("getrusage")?;
        Ok(Remains { stopped, cpu })
    }

    /// Kills everything where there is no process namespace. A process that loses its parent becomes our child, so all
    /// are below us; but new ones may start meanwhile, so this is repeated until there are none, at most `ROUNDS`
    /// times.
    fn sweep(&mut self) -> Result<u64, Fault> {
        const ROUNDS: usize = 200;
        let mut stopped = 0;
        for _ in 0..ROUNDS {
            let found = self.tallier.folder().descendants()?;
            if found.is_empty() {
                return Ok(stopped);
            }
            for pid in found.iter().filter_map(|about| Pid::from_raw(about.pid)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            if sys::wait_until_readable(&self.ends, Duration::from_millis(5)).step("poll")? {
                let _ = rustix::io::read(&self.ends, &mut [0u8; 1024]);
            }
            stopped += self.take_ends()?;
        }
        Err(Fault::new("kill all processes", "there are always new ones"))
    }

    fn pack(&self, files: Vec<OwnedFd>) -> Result<Result<u64, Excess>, Fault> {
        let fault = |why: &str| Fault::new("pack the files", why);
        let archive = File::from(files.into_iter().next().ok_or_else(|| fault("no file came along"))?);
        let wanted = |name: &OsStr| !name.as_bytes().starts_with(b".");
        let folder = Folder::open(&self.scratch).step("open the scratch folder")?;
        match archive::write_archive(&folder, &[], None, &wanted, &archive) {
            Ok(written) => Ok(Ok(written.bytes)),
            Err(ArchiveError::Excess(excess)) => Ok(Err(excess)),
            Err(error) => Err(fault(&error.to_string())),
        }
    }

    fn tell(&self, message: &FromInit, descriptor: Option<OwnedFd>) -> Result<(), Fault> {
        let descriptors: Vec<_> = descriptor.iter().map(AsFd::as_fd).collect();
        message::send(self.channel, message, &descriptors).step("answer the owner")
    }

    /// Something went wrong here, so nothing may go on.
    fn complain(&mut self, fault: Fault) -> i32 {
        let _ = self.kill(None);
        let _ = message::send(self.channel, &FromInit::Fault(fault), &[]);
        1
    }
}

/// Gives up all capabilities but those for what is left to do: to start programs as another user, to look at them and
/// at their files, and to kill them. Those `besides` are kept and not in effect.
fn keep_few_capabilities(besides: CapabilitySet) -> std::io::Result<()> {
    let few = CapabilitySet::SETUID
        | CapabilitySet::SETGID
        | CapabilitySet::KILL
        | CapabilitySet::SYS_PTRACE
        | CapabilitySet::DAC_READ_SEARCH;
    let ours = capabilities(None)?.permitted;
    let (effective, permitted) = (ours & few, ours & (few | besides));
    Ok(set_capabilities(None, CapabilitySets { effective, permitted, inheritable: CapabilitySet::empty() })?)
}

/// Waits until the program's process has become the program, or says what was in the way.
fn hear(mut trouble: File) -> Result<(), Fault> {
    let mut told = Vec::new();
    if !sys::wait_until_readable(&trouble, START).step("poll")? {
        return Err(Fault::new("start the program", "its process does not get on"));
    }
    trouble.read_to_end(&mut told).step("read")?;
    if told == inside::PREPARED {
        return Ok(());
    }
    Err(serde_json::from_slice(&told).unwrap_or_else(|_| Fault::new("start the program", "its process died")))
}

/// `ECHILD` says that there are none, which is no error here.
fn no_children(reaped: std::io::Result<Option<Reaped>>) -> Result<Option<Reaped>, Fault> {
    match reaped {
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(None),
        result => result.step("wait4"),
    }
}

/// A socket that hears the packets of this host. It takes a right that init gives up.
fn hear_packets() -> io::Result<Socket> {
    /// What may wait until the owner reads: a burst is not to be missed.
    const ROOM: usize = 4 << 20;
    // Of one protocol only: a socket for all of them hears twice what loopback carries.
    let protocol = i32::from((libc::ETH_P_IP as u16).to_be());
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(protocol)))?;
    // Beyond what everybody may have, which before Linux 5.19 only the machine's root could.
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, ROOM).is_err() {
        socket.set_recv_buffer_size(ROOM)?;
    }
    Ok(socket)
}
