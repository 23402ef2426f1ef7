//! The roles of a scene as the stage sees them: their processes and channels.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::os::fd::{OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::Pid;

use super::channel::{self, ToRole, ToStage};
use super::closed_connection::ClosedConnection;
use super::limits::Attempted;
use super::loop_detector::LoopDetector;
use super::names::Names;
use super::player::{Player, Received};
use super::watched_socket::WatchedSocket;
use super::{Ending, EventSink, Play, Watch, WhenSlow, role};
use crate::probe::Kernel;
use crate::sys;
use crate::trace::{Call, Exit, Frame, Host, Status, Syscall, Value, What};
use crate::wire::{ADDRESSES, Wire};

/// A role that is playing.
pub(super) struct Actor {
    /// `server`, or `server/1` of the first process or thread that it has made.
    pub name: String,
    /// The role that it belongs to.
    pub(super) role: String,
    /// Which actor has made it, if one has.
    pub(super) parent: Option<usize>,
    /// Whether its parent has waited for it.
    pub(super) is_waited_for: bool,
    /// How many processes and threads it has made.
    made: u32,
    /// The stage's end of a channel, for what it is about to make.
    branch: Option<OwnedFd>,
    /// The actor whose descriptors it has: itself, or of a thread its process.
    pub(super) process: usize,
    /// The number of its host: 0 or, on the far side of a wire, 1.
    pub(super) side: usize,
    /// Its host's address, as its peers see it.
    pub(super) home: IpAddr,
    pub player: Player,
    lines: VecDeque<String>,
    /// Whether its user answers a prompt only when no other role can act.
    pub(super) slow: bool,
    /// Whether it is meant to be killed.
    pub(super) dies: bool,
    /// Duplicates of its process's sockets, by their descriptor numbers; a thread has none of its own. Each is dropped
    /// before the process closes its own: while a duplicate is open, the kernel sends no FIN.
    pub(super) sockets: BTreeMap<RawFd, WatchedSocket>,
    /// Connections whose sockets it has closed, where the scene follows them.
    pub(super) closed: Vec<ClosedConnection>,
}

/// All roles of a scene, and where what they do is reported.
pub(super) struct Roles<'p, 't> {
    pub actors: Vec<Actor>,
    pub patience: Duration,
    /// Where there are two hosts; it is out while it is asked to do something.
    pub(super) wire: Option<Wire>,
    /// Whether there is one host only, without a wire.
    pub(super) on_one_host: bool,
    /// How many times a frame has moved.
    pub(super) frames: u64,
    /// Free-running, the frames that have moved, with their times: they are reported when all is over.
    pub(super) pending_frames: Vec<(u64, Frame)>,
    pub(super) names: Names,
    pub(super) free: bool,
    pub(super) when_slow: WhenSlow,
    /// Whether the machine proved too slow, where the scene goes on all the same.
    pub(super) was_slow: bool,
    /// Whether a connection was closed while bytes of it were on their way.
    pub(super) orphans: bool,
    /// What was done last, where a role is meant to loop for ever.
    loop_detector: Option<LoopDetector>,
    scene: u32,
    host: Host,
    pub watch: Watch,
    /// The kernels of the hosts, where they are to be asked about connections that no process has open.
    pub(super) kernels: Vec<Kernel>,
    sink: &'p mut EventSink<'t>,
}

/// What came from a role.
pub(super) enum Heard {
    Next(channel::Act, u64),
    Done(Call, u64),
    /// Its process is gone, and has not said that it ends.
    Gone,
    /// Nothing yet.
    Silence,
}

/// Why a scene cannot go on.
pub(super) enum Stop {
    Ending(Ending),
    Error(io::Error),
}

pub(super) type Step<T> = Result<T, Stop>;

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Error(error)
    }
}

impl Stop {
    /// The ending, where it is one.
    pub fn ending(self) -> io::Result<Ending> {
        match self {
            Stop::Ending(ending) => Ok(ending),
            Stop::Error(error) => Err(error),
        }
    }
}

impl<'p, 't> Roles<'p, 't> {
    /// Starts a process for each role.
    pub fn assemble(play: Play<'_>, sink: &'p mut EventSink<'t>) -> io::Result<Roles<'p, 't>> {
        let mut names = Names::default();
        names.set_ports(play.endpoint.0, play.endpoint.1);
        let mut roles = Roles {
            actors: Vec::new(),
            patience: play.patience,
            on_one_host: play.wire.is_none(),
            wire: play.wire,
            frames: 0,
            pending_frames: Vec::new(),
            names,
            free: play.free,
            when_slow: play.when_slow,
            was_slow: false,
            orphans: false,
            loop_detector: play.loops_forever.then(LoopDetector::default),
            scene: play.scene,
            host: play.host,
            watch: play.watch,
            kernels: Vec::new(),
            sink,
        };
        if roles.watch.all_states && !roles.free {
            roles.kernels = match &roles.wire {
                Some(wire) => (0..2).map(|side| wire.within(side, Kernel::open)).collect::<io::Result<_>>()?,
                None => vec![Kernel::open()?],
            };
        }
        for one in play.roles {
            let side = usize::from(roles.wire.is_some() && one.name == "server");
            let host = roles.wire.as_ref().map(|wire| wire.host(side));
            let home = if host.is_some() { ADDRESSES[side] } else { Ipv4Addr::LOCALHOST };
            if host.is_some() {
                roles.names.settle(one.name, home.into());
            }
            let player = Player::start(one.name, play.free, host, one.body)?;
            roles.actors.push(Actor {
                name: one.name.to_owned(),
                role: one.name.to_owned(),
                parent: None,
                is_waited_for: false,
                made: 0,
                branch: None,
                process: roles.actors.len(),
                side,
                home: home.into(),
                player,
                lines: one.lines.into(),
                slow: one.slow,
                dies: one.dies,
                sockets: BTreeMap::new(),
                closed: Vec::new(),
            });
        }
        Ok(roles)
    }

    /// Reports that a role did something.
    pub fn emit(&mut self, role: Option<usize>, what: What) -> Step<()> {
        self.note(role, &what);
        self.emit_at(role::now(), role, what)
    }

    /// Notes what a role did, for [`Roles::loops_forever`].
    pub fn note(&mut self, role: Option<usize>, what: &What) {
        if let (Some(detector), Some(role)) = (&mut self.loop_detector, role) {
            detector.note(role, what);
        }
    }

    /// Whether a role does the same for ever, in a scene that means it to.
    pub fn loops_forever(&self, role: usize) -> bool {
        self.loop_detector.as_ref().is_some_and(|detector| detector.loops_forever(role))
    }

    /// Reports that a role did something at a time of its own.
    pub fn emit_at(&mut self, at: u64, role: Option<usize>, what: What) -> Step<()> {
        let actor = role.map(|role| (self.actors[role].role.as_str(), self.actors[role].name.as_str()));
        let host = if role.is_some_and(|role| self.actors[role].side == 1) { Host::B } else { self.host };
        match self.sink.emit(at, self.scene, actor, host, what) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Ending(Ending::Left)),
        }
    }

    /// Reports a frame; free-running, when all is over.
    pub(super) fn emit_frame(&mut self, frame: Frame) -> Step<()> {
        self.frames += 1;
        if !self.free {
            return self.emit(None, What::Frame(frame));
        }
        // Who could act meanwhile is not known, so neither is what a timer did.
        self.pending_frames.push((role::now(), Frame { by_timer: false, after: None, ..frame }));
        Ok(())
    }

    /// Does what is to be done where the machine is too slow for the scene.
    pub(super) fn void(&mut self) -> Step<()> {
        match self.when_slow {
            WhenSlow::Void => return Err(Stop::Ending(Ending::Void)),
            WhenSlow::Report => self.was_slow = true,
            WhenSlow::Ignore => {}
        }
        Ok(())
    }

    /// Waits at most `patience` for a role's next message. Questions about names are answered on the way.
    pub fn hear(&mut self, role: usize, patience: Duration) -> Step<Heard> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (message, descriptor) = match self.actors[role].player.receive(left)? {
                Received::Message(message, descriptor) => (*message, descriptor),
                Received::Gone => return Ok(Heard::Gone),
                Received::Silence => return Ok(Heard::Silence),
            };
            match message {
                ToStage::Next(act, at) => return Ok(Heard::Next(act, at)),
                ToStage::Done(mut call, at) => {
                    self.keep(role, &call, descriptor);
                    self.learn(role, &call);
                    if call.name.makes_an_actor() {
                        self.adopt(role, &call)?;
                    }
                    if self.free {
                        self.guess(role, &call);
                    }
                    if call.name.waits_for_an_actor() {
                        self.note_waited_for(&call);
                    }
                    self.name_all(role, &mut call);
                    return Ok(Heard::Done(call, at));
                }
                ToStage::KillPipe(holder) => {
                    if let Some(pipe) = descriptor {
                        self.actors[role].player.keep_kill_pipe(pipe, holder)?;
                    }
                }
                ToStage::Branch => {
                    self.actors[role].branch = Some(self.actors[role].player.give_channel()?);
                }
                ToStage::Name(address) => {
                    let name = self.names.of(address, self.actors[role].home);
                    self.answer(role, &ToRole::Name(name));
                }
            }
            // One that asks for names without end is not listened to for ever.
            if !patience.is_zero() && Instant::now() >= until {
                return Ok(Heard::Silence);
            }
        }
    }

    /// Takes in the process or the thread that a role has made: one more actor, which has its sockets.
    fn adopt(&mut self, parent: usize, call: &Call) -> io::Result<()> {
        let maker = &mut self.actors[parent];
        let number = match call.get_out("pid").or(call.get_out("thread")) {
            Some(Value::Process(number)) => Pid::from_raw(*number),
            _ => None,
        };
        let Some((number, channel)) = number.zip(maker.branch.take()) else { return Ok(()) };
        maker.made += 1;
        let is_thread = call.name == Syscall::PthreadCreate;
        let process = if is_thread { maker.process } else { self.actors.len() };
        let maker = &self.actors[parent];
        let mut sockets = BTreeMap::new();
        if !is_thread {
            for (number, watched) in &self.actors[maker.process].sockets {
                sockets.insert(*number, watched.copy().attempted("dup")?);
            }
        }
        let player = if is_thread { Player::adopt_thread(number, channel) } else { Player::adopt(number, channel)? };
        let actor = Actor {
            name: format!("{}/{}", maker.name, maker.made),
            role: maker.role.clone(),
            parent: Some(parent),
            is_waited_for: false,
            made: 0,
            branch: None,
            process,
            side: maker.side,
            home: maker.home,
            player,
            lines: VecDeque::new(),
            slow: maker.slow,
            dies: maker.dies,
            sockets,
            closed: Vec::new(),
        };
        self.actors.push(actor);
        Ok(())
    }

    /// Whether a call that waits for a child or a thread would return at once: there is one that has ended, or none.
    pub(super) fn finds_an_end(&self, role: usize, call: &Call) -> bool {
        let wanted = match call.get_arg("pid").or(call.get_arg("thread")) {
            Some(Value::Process(number)) => Some(*number),
            _ => None,
        };
        let all = self.actors.iter().enumerate().filter(|(index, actor)| {
            let is_thread = actor.process != *index;
            let may_be_waited_for = match call.name {
                Syscall::PthreadJoin => is_thread,
                _ => !is_thread && actor.parent == Some(role),
            };
            may_be_waited_for && !actor.is_waited_for && wanted.is_none_or(|number| actor.player.has_number(number))
        });
        let ends: Vec<bool> = all.map(|(_, actor)| actor.player.has_ended()).collect();
        ends.is_empty() || ends.contains(&true)
    }

    /// The sockets of an actor's process.
    pub(super) fn sockets_of(&self, role: usize) -> &BTreeMap<RawFd, WatchedSocket> {
        &self.actors[self.actors[role].process].sockets
    }

    pub(super) fn sockets_of_mut(&mut self, role: usize) -> &mut BTreeMap<RawFd, WatchedSocket> {
        let process = self.actors[role].process;
        &mut self.actors[process].sockets
    }

    /// Whether a role has made a process or a thread. Without any, each socket is one process's.
    pub(super) fn has_children(&self) -> bool {
        self.actors.iter().any(|actor| actor.parent.is_some())
    }

    /// Whether another process has this socket open, too.
    pub(super) fn is_open_elsewhere(&self, watched: &WatchedSocket) -> bool {
        if !self.has_children() {
            return false;
        }
        let inode = watched.inode();
        self.actors.iter().flat_map(|actor| actor.sockets.values()).any(|other| other.inode() == inode)
    }

    /// Whether the kernel has put a role to sleep in a call of its own, rather than in the channel to us.
    pub fn sleeps(&self, role: usize) -> bool {
        self.actors[role].player.sleeps()
    }

    /// Answers a role. One that is gone will be noticed when it is heard next.
    pub fn answer(&self, role: usize, answer: &ToRole) {
        self.actors[role].player.answer(answer);
    }

    /// The next line that the role's user types.
    pub fn line(&mut self, role: usize) -> Option<String> {
        self.actors[role].lines.pop_front()
    }

    /// Waits until any role says something, or any of `sockets` is readable, or the time is over.
    pub fn wait_for_any(&self, sockets: &[(usize, Option<RawFd>)], patience: Duration) -> io::Result<()> {
        let watched = sockets.iter().filter_map(|(role, number)| self.sockets_of(*role).get(number.as_ref()?));
        let mut all: Vec<PollFd<'_>> = watched.map(|watched| PollFd::new(&watched.socket, PollFlags::IN)).collect();
        let channels = self.actors.iter().filter_map(|actor| actor.player.channel());
        all.extend(channels.map(|channel| PollFd::from_borrowed_fd(channel, PollFlags::IN)));
        let ends = self.wire.as_ref().map(Wire::ends);
        all.extend(ends.iter().flatten().map(|end| PollFd::new(end, PollFlags::IN)));
        sys::wait_for(&mut all, Some(patience)).map(drop)
    }

    /// Waits until a role says something or a frame is ready. Whether either came about.
    pub(super) fn speaks_or_sends(&self, role: usize, patience: Duration) -> io::Result<bool> {
        let channel = self.actors[role].player.channel();
        let mut all: Vec<_> =
            channel.into_iter().map(|channel| PollFd::from_borrowed_fd(channel, PollFlags::IN)).collect();
        let ends = self.wire.as_ref().map(Wire::ends);
        all.extend(ends.iter().flatten().map(|end| PollFd::new(end, PollFlags::IN)));
        Ok(sys::wait_for(&mut all, Some(patience))? > 0)
    }

    /// Waits for a role's process, which has closed its channel or is about to, and drops the copies of its sockets.
    /// `None` if it is still running when the stage's patience is over.
    pub fn reap(&mut self, role: usize, error: Option<String>) -> io::Result<Option<Exit>> {
        for (number, watched) in std::mem::take(&mut self.actors[role].sockets) {
            self.forget_copy(role, number, watched);
        }
        let actor = &mut self.actors[role];
        let status = actor.player.wait_for_exit(self.patience)?;
        let has_parent = actor.parent.is_some_and(|parent| !self.actors[parent].player.has_ended());
        let is_zombie = has_parent && self.actors[role].player.is_zombie();
        Ok(status.map(|status| Exit { status, error, is_zombie }))
    }

    /// Whether a role that ended so is one that its scene means to be killed.
    pub fn is_meant_to_be_killed(&self, role: usize, exit: &Exit) -> bool {
        self.actors[role].dies && matches!(exit.status, Status::Signal(_))
    }
}
