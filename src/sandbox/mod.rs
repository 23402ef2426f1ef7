//! A sandbox: a private host on which one stranger's program runs.
//!
//! Its owner talks to it through a channel; two processes of ours stand between the owner and the program:
//!
//! ```text
//! owner      any process, threads or not; holds what the program must not see
//! └ keeper   a fresh program that leaves for namespaces of its own
//!   └ init   the first process there: builds the file system, makes sockets, starts, looks, kills, reports
//!     └ the program, and whatever it starts
//! ```
//!
//! Invariants: nothing that a program writes is read as anything but its output; what goes wrong with a sandbox is a
//! [`Fault`], never an [`Ending`]; every wait has a bound; when the owner dies, however it dies, all of it dies.
//! `docs/threat-model.md` says what is promised and what is not.

mod archive;
mod beneath;
mod cgroup;
mod config;
mod fault;
mod identity;
mod init;
mod init_channel;
mod inside;
mod keeper;
mod leaving;
mod message;
mod outputs;
mod own;
mod proc;
mod protection;
mod resolve;
mod restrictions;
mod root;
mod sock_diag;
mod socket_watch;
mod tally;
mod toolchain;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

pub use crate::beneath::Links;
pub use archive::{
    Archive, ArchiveError, Besides, Excess, LARGEST as LARGEST_ARCHIVE, LeftBehind,
    MOST_FILES as MOST_FILES_IN_AN_ARCHIVE,
};
pub use beneath::{Folder, Refusal};
pub use cgroup::SharedGroup;
pub use config::{Input, Layer, Layers, Limits, Program, SandboxConfig};
pub use fault::Fault;
pub use keeper::keeper;
pub use message::{MOST_BYTES_OF_WORDS, MOST_WORDS};
pub use outputs::{Output, Stream};
pub use proc::{Look, Process, Thread};
pub use protection::{Missing, Protection, tier_of_this_machine};
pub use resolve::{NotFound, Resolved, is_installed, resolve, resolve_asking, resolve_submitted, resolve_toolchain};
pub use sock_diag::{Closed, HostSocket, Taken, Transport};
pub use tally::Tally;
pub use toolchain::{is_in_every_sandbox, is_known, to_try};

// For `fuzzing`.
pub(crate) use archive::{new_archive, unpack};
pub(crate) use message::{FromInit, read as read_message};

use cgroup::Group;
use fault::Step;
use init_channel::InitChannel;
use message::{GroupPlan, Note, Plan, Received, SocketKind, ToInit};
use outputs::Pipes;

use crate::stage::host;
use crate::sys;

/// How a program ended, and what it used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// By itself, or by a signal.
    pub how: How,
    /// The limit that it met, if it met one.
    pub limit: Option<Limit>,
    /// CPU time of all its processes that have ended.
    pub cpu: Duration,
    /// From its start to its end.
    pub wall: Duration,
    /// The most memory that its first process had at a time, in KiB.
    pub peak_kib: u64,
}

/// How a program's first process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// With this code.
    Exited(i32),
    /// By a signal, `SIGSEGV` for example.
    Killed(String),
}

/// A limit that a program can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// [`Limits::wall`].
    Wall,
    /// [`Limits::cpu`].
    Cpu,
    /// [`Limits::memory_mib`].
    Memory,
    /// [`Limits::socket_mib`].
    SocketMemory,
    /// [`Limits::sockets`].
    Sockets,
    /// [`Limits::output_mib`].
    Output,
    /// [`Limits::file_mib`].
    FileSize,
}

/// What was still there when everything was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remains {
    /// How many processes were stopped.
    pub stopped: u64,
    /// CPU time of every process that ever ran in the sandbox.
    pub cpu: Duration,
}

/// A private host for one program.
pub struct Sandbox {
    init: InitChannel,
    /// Answers questions about the host's sockets.
    questions: OwnedFd,
    protection: Protection,
    port: Port,
    /// Whether the host's packets may be asked for.
    capture: bool,
    limits: Limits,
    pipes: Pipes,
    output: Output,
    ended: Option<Ending>,
    /// The kernel's count of processes killed for want of memory, when the last program ended.
    kills: u64,
}

impl Sandbox {
    /// Makes a host as configured. Nothing runs on it yet.
    ///
    /// # Errors
    /// Never the program's: see [`Fault`].
    pub fn open(config: &SandboxConfig) -> Result<Sandbox, Fault> {
        let private = config.layers.has(Layer::Network);
        let is_own = private || !config.may_borrow_port;
        let port = if is_own { Port::Own(config.port) } else { Port::borrow()? };
        let init = InitChannel::open(config)?;
        let plan = Plan {
            layers: config.layers,
            limits: config.limits.clone(),
            visible: config.visible.iter().map(|path| path.clone().into_os_string()).collect(),
            hidden: config.hidden.iter().map(|path| path.clone().into_os_string()).collect(),
            scratch: init.scratch().map(|folder| folder.as_os_str().to_owned()),
            archive: config.archive.descriptor().map(|_| config.archive.bytes()),
            port: port.number(),
            capture: config.capture && private,
            group: init.group().map(|group| GroupPlan {
                folder: group.folder().as_os_str().to_owned(),
                version: group.version(),
                has_keep: group.keep().is_some(),
            }),
        };
        let group = init.group().into_iter().flat_map(|group| [Some(group.entry()), group.keep()]).flatten();
        let files: Vec<BorrowedFd<'_>> = config.archive.descriptor().into_iter().chain(group).collect();
        let (answer, mut sockets) = init.ask(&ToInit::Prepare(Box::new(plan)), &files)?;
        let (FromInit::Ready(mut notes), Some(questions)) = (answer, sockets.pop()) else {
            return Err(not_an_answer());
        };
        notes.extend(init.group().map(|group| Note { layer: Layer::Cgroup, why: group.described().to_owned() }));
        Ok(Sandbox {
            init,
            questions,
            protection: Protection::of(config.layers, notes, protection::why_not),
            port,
            capture: config.capture && private,
            limits: config.limits.clone(),
            pipes: Pipes::default(),
            output: Output::default(),
            ended: None,
            kills: 0,
        })
    }

    /// Which walls are up.
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Where the exercise's port is: as configured on a private host, and a free one where there is none.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.number()))
    }

    /// A new IPv4 socket on the host, `SOCK_STREAM` or `SOCK_DGRAM`. Any thread may use it, as any other socket.
    ///
    /// # Errors
    /// `Unsupported` for another type.
    pub fn socket(&self, kind: socket2::Type) -> io::Result<socket2::Socket> {
        match kind {
            socket2::Type::STREAM => self.new_socket(SocketKind::Stream),
            socket2::Type::DGRAM => self.new_socket(SocketKind::Datagram),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The socket that hears every IPv4 packet of the host from its making on, with its Ethernet head. Where there is
    /// no private host it is refused: the sandbox must not hear this machine's own traffic.
    ///
    /// # Errors
    /// `Unsupported` without a private host, or if [`SandboxConfig::capture`] did not ask for it; a fault at the second
    /// time.
    pub fn packets(&self) -> io::Result<socket2::Socket> {
        if !self.capture {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let socket = self.new_socket(SocketKind::Packets)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    fn new_socket(&self, kind: SocketKind) -> io::Result<socket2::Socket> {
        let (answer, mut sockets) = self.ask(&ToInit::Socket(kind), &[]).map_err(io::Error::other)?;
        match (answer, sockets.pop()) {
            (FromInit::Socket, Some(socket)) => Ok(socket.into()),
            _ => Err(io::Error::other(not_an_answer())),
        }
    }

    /// Starts a program, and returns when its process has become it. Only one at a time; when it has ended, the next
    /// may be started on the same host. The output of the one before is dropped.
    ///
    /// # Errors
    /// A program that cannot be executed, and what went wrong with the sandbox: see [`Fault`].
    pub fn start(&mut self, program: &Program) -> Result<(), Fault> {
        self.take_ends()?;
        self.output = Output::default();
        self.ended = None;
        let (pipes, theirs) = Pipes::open(&program.input)?;
        self.pipes = pipes;
        let question = ToInit::Start { argv: program.argv.clone(), env: program.env.clone() };
        let files: Vec<BorrowedFd<'_>> = theirs.iter().map(AsFd::as_fd).collect();
        match self.ask(&question, &files)?.0 {
            FromInit::Started => {}
            _ => return Err(not_an_answer()),
        }
        self.pipes.feed();
        Ok(())
    }

    /// Waits until one of `sockets` is ready, the program has written something or has ended, or the time is over.
    /// What the poll found of `sockets` is in them.
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn wait(&mut self, sockets: &mut [PollFd<'_>], for_at_most: Duration) -> Result<(), Fault> {
        let until = Instant::now() + for_at_most;
        loop {
            let (was_ended, before) = (self.ended.is_some(), self.output.total());
            let ready = self.poll(sockets, until.saturating_duration_since(Instant::now()))?;
            self.take_ends()?;
            self.take_output()?;
            let grew = self.output.total() > before || self.ended.is_some() != was_ended;
            if ready || grew || Instant::now() >= until {
                return Ok(());
            }
        }
    }

    /// One poll of theirs and ours. True when one of theirs is ready.
    fn poll(&mut self, sockets: &mut [PollFd<'_>], at_most: Duration) -> Result<bool, Fault> {
        if self.init.has_ends() {
            return Ok(false);
        }
        let mut all: Vec<PollFd<'_>> = sockets.to_vec();
        all.push(PollFd::new(self.init.channel(), PollFlags::IN));
        all.extend(self.pipes.polled());
        sys::wait_for(&mut all, Some(at_most)).step("poll")?;
        let is_theirs = all.iter().take(sockets.len()).any(|polled| !polled.revents().is_empty());
        drop(all);
        self.pipes.feed();
        if !sockets.is_empty() {
            // What the poll found is wanted in theirs, not in our copies.
            sys::wait_for(sockets, Some(Duration::ZERO)).step("poll")?;
        }
        Ok(is_theirs)
    }

    /// What the program has written since it was started, as far as [`wait`](Self::wait) has read it.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// How the program ended, if it has, as far as [`wait`](Self::wait) has noticed.
    pub fn ended(&self) -> Option<&Ending> {
        self.ended.as_ref()
    }

    /// The processes of the program, as far as one message takes them. Looking does not touch them.
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn look(&mut self) -> Result<Look, Fault> {
        match self.ask(&ToInit::Look, &[])?.0 {
            FromInit::Look(look) => Ok(look),
            _ => Err(not_an_answer()),
        }
    }

    /// What all processes of the sandbox's programs have done so far. Takes less time than a [`look`](Self::look).
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`]. That a program runs and is to be seen nowhere is a fault, too.
    pub fn tally(&mut self) -> Result<Tally, Fault> {
        let FromInit::Tally(tally) = self.ask(&ToInit::Tally, &[])?.0 else { return Err(not_an_answer()) };
        // A control group of version 2 forgets nobody.
        let of_group = self.init.group().and_then(Group::cpu).unwrap_or_default();
        Ok(Tally { cpu: tally.cpu.max(of_group), ..tally })
    }

    /// All TCP and UDP sockets of the host, ours among them. Where there is no private host: of this machine.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn sockets(&mut self) -> Result<Vec<HostSocket>, Fault> {
        sock_diag::list(&self.questions, sock_diag::ALL).step("list the host's sockets")
    }

    /// Those of the host's sockets that wait to be called, as [`sockets`](Self::sockets) lists them: listening ones,
    /// and UDP sockets that are not connected. Takes an eighth of the time: for callers that poll.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn waiting_sockets(&mut self) -> Result<Vec<HostSocket>, Fault> {
        sock_diag::list(&self.questions, sock_diag::WAITING).step("list the host's sockets")
    }

    /// What the side of `local` of one TCP connection has received and not read: quicker still.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn taken(&self, local: SocketAddr, remote: SocketAddr) -> Result<Option<Taken>, Fault> {
        sock_diag::taken(&self.questions, local, remote).step("look a connection up")
    }

    /// Whether a socket of the host that we have closed is still held by a child of ours that is just being started: it
    /// is open as long.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn is_held(&self, socket: &Closed) -> Result<bool, Fault> {
        sock_diag::is_held(&self.questions, socket).step("look a socket up")
    }

    /// How many processes of the program the kernel has killed for want of memory, as far as it has not ended itself.
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn killed_for_memory(&self) -> Result<u64, Fault> {
        let kills = self.init.group().map_or(Ok(0), |group| group.kills())?;
        Ok(kills.saturating_sub(self.kills))
    }

    /// Sends a signal to the program's first process, if that has not ended.
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn signal(&mut self, signal: Signal) -> Result<(), Fault> {
        self.ask(&ToInit::Signal(signal.as_raw()), &[]).map(drop)
    }

    /// Kills the program and everything that it started. The host stays, with its sockets that are still closing.
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn kill_program(&mut self) -> Result<Remains, Fault> {
        self.kill(None)
    }

    fn kill(&mut self, limit: Option<Limit>) -> Result<Remains, Fault> {
        let (answer, _) = self.ask(&ToInit::Kill(limit), &[])?;
        self.take_ends()?;
        self.pipes.drain(&mut self.output);
        match answer {
            FromInit::Remains(remains) => Ok(remains),
            _ => Err(not_an_answer()),
        }
    }

    /// What is in the scratch folder now, after a build for example. Kills what still runs.
    ///
    /// Regular files, folders and links between them, as [`Archive::of_folder`] has them, but for hidden folders alone.
    /// An [`Excess`] where they are too many or too large for an [`Archive`].
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn pack(&mut self) -> Result<Result<Archive, Excess>, Fault> {
        let archive = archive::new_archive().step("make room for an archive")?;
        let (answer, _) = self.ask(&ToInit::Pack, &[archive.as_fd()])?;
        self.take_ends()?;
        match answer {
            FromInit::Packed(Ok(bytes)) => Ok(Ok(Archive::sealed(archive, bytes).step("seal the archive")?)),
            FromInit::Packed(Err(excess)) => Ok(Err(excess)),
            _ => Err(not_an_answer()),
        }
    }

    /// Kills everything, and returns how much there was to kill.
    ///
    /// # Errors
    /// What went wrong with the sandbox: see [`Fault`].
    pub fn close(self) -> Result<Remains, Fault> {
        match self.ask(&ToInit::Close, &[])?.0 {
            FromInit::Remains(remains) => {
                self.init.detach();
                Ok(remains)
            }
            _ => Err(not_an_answer()),
        }
    }

    fn ask(&self, question: &ToInit, files: &[BorrowedFd<'_>]) -> Result<Received<FromInit>, Fault> {
        self.init.ask(question, files)
    }

    /// Takes an end that init has reported.
    fn take_ends(&mut self) -> Result<(), Fault> {
        let Some(ending) = self.init.take_end()? else { return Ok(()) };
        let kills = self.init.group().map_or(Ok(0), |group| group.kills())?;
        let limit = if kills > self.kills { Some(Limit::Memory) } else { None };
        self.kills = kills;
        self.ended = Some(Ending { limit: ending.limit.or(limit), ..ending });
        // All that it wrote is in the pipes now.
        self.take_output()
    }

    fn take_output(&mut self) -> Result<(), Fault> {
        self.pipes.drain(&mut self.output);
        let too_much = self.output.total() > self.limits.output_mib << 20;
        if too_much && !self.output.cut {
            self.output.cut = true;
            self.kill(Some(Limit::Output))?;
        }
        Ok(())
    }
}

/// The port of an exercise.
enum Port {
    /// The one that was configured.
    Own(u16),
    /// On this machine's loopback it is one that no other sandbox of this process has.
    Borrowed(u16),
}

static BORROWED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

impl Port {
    fn borrow() -> Result<Port, Fault> {
        let mut borrowed = BORROWED.lock().unwrap_or_else(PoisonError::into_inner);
        let port = host::free_ports().find(|port| !borrowed.contains(port));
        let port = port.ok_or_else(|| Fault::new("find a free port", "all between 20000 and 32000 are taken"))?;
        borrowed.insert(port);
        Ok(Port::Borrowed(port))
    }

    fn number(&self) -> u16 {
        match self {
            Port::Own(port) | Port::Borrowed(port) => *port,
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Port::Borrowed(port) = self {
            BORROWED.lock().unwrap_or_else(PoisonError::into_inner).remove(port);
        }
    }
}

fn not_an_answer() -> Fault {
    Fault::new("ask init", "it answers something else")
}
