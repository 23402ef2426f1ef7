//! The roles of a scene as the stage sees them: processes, channels, copies of their sockets.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{Timeout, socket_timeout};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

use super::channel::{self, ROLE_END, ToRole, ToStage};
use super::names::Names;
use super::past::{self, Pair, Past};
use super::rounds::Rounds;
use super::{Ending, Play, Teller, Watch, role};
use crate::probe::{self, Connection, Kernel};
use crate::trace::{Call, Exit, For, Frame, Host, Status, Value, Wait, Waiting, What, Word};
use crate::wire::{ADDRESSES, Wire};

/// How often a state that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// A role that is playing.
pub(super) struct Actor {
    pub name: String,
    /// The number of its host: 0 or, on the far side of a wire, 1.
    pub(super) side: usize,
    /// Its host's address, as its peers see it.
    pub(super) home: IpAddr,
    pub pid: Pid,
    channel: OwnedFd,
    lines: VecDeque<String>,
    /// Whether its user takes longer to type than anybody else to act.
    pub(super) slow: bool,
    /// Whether it is meant to be killed.
    pub(super) dies: bool,
    /// Copies of its sockets, by the numbers that it knows them by. One is dropped before the role closes its own, so
    /// that a close is a close.
    sockets: BTreeMap<RawFd, Looked>,
    /// Connections whose sockets it has closed, where the scene follows them.
    past: Vec<Past>,
    /// What ends the programs that it has started, and the processes at the other ends.
    leashes: Vec<(OwnedFd, Option<Pid>)>,
    /// Whether its process has been waited for.
    reaped: bool,
}

/// A copy of a role's socket, and what it was last seen to hold.
struct Looked {
    socket: OwnedFd,
    receive: u32,
    send: (u32, u32),
    state: Word,
    accept: u32,
    /// The addresses of its connection, where the scene follows it beyond its close.
    pair: Option<Pair>,
}

/// All roles of a scene, and whom to tell of what they do.
pub(super) struct Troupe<'p, 't> {
    pub actors: Vec<Actor>,
    pub patience: Duration,
    pub(super) wire: Option<Wire>,
    /// How many times a frame has moved.
    pub(super) frames: u64,
    /// Free-running, the frames that have moved, with their times: they are told when all is over.
    pub(super) untold: Vec<(u64, Frame)>,
    pub(super) names: Names,
    pub(super) free: bool,
    pub(super) voids: bool,
    /// Whether a connection was closed while bytes of it were on their way.
    orphans: bool,
    /// What was done last, where a role is meant to go round.
    rounds: Option<Rounds>,
    scene: u32,
    host: Host,
    pub watch: Watch,
    /// The kernels of the hosts, where they are to be asked about connections that nobody has open.
    kernels: Vec<Kernel>,
    teller: &'p mut Teller<'t>,
}

/// What came from a role.
pub(super) enum Heard {
    Next(channel::Act, u64),
    Done(Call, u64),
    /// Its process is gone, without a goodbye.
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

impl<'p, 't> Troupe<'p, 't> {
    /// Starts a process for each role.
    pub fn assemble(play: Play<'_>, teller: &'p mut Teller<'t>) -> io::Result<Troupe<'p, 't>> {
        let mut names = Names::default();
        names.set_ports(play.endpoint.0, play.endpoint.1);
        let mut troupe = Troupe {
            actors: Vec::new(),
            patience: play.patience,
            wire: play.wire,
            frames: 0,
            untold: Vec::new(),
            names,
            free: play.free,
            voids: play.voids,
            orphans: false,
            rounds: play.goes_round.then(Rounds::default),
            scene: play.scene,
            host: play.host,
            watch: play.watch,
            kernels: Vec::new(),
            teller,
        };
        if troupe.watch.all_states && !troupe.free {
            troupe.kernels = match &troupe.wire {
                Some(wire) => (0..2).map(|side| wire.within(side, Kernel::open)).collect::<io::Result<_>>()?,
                None => vec![Kernel::open()?],
            };
        }
        for one in play.roles {
            let side = usize::from(troupe.wire.is_some() && one.name == "server");
            let host = troupe.wire.as_ref().map(|wire| wire.host(side));
            let home = if host.is_some() { ADDRESSES[side] } else { Ipv4Addr::LOCALHOST };
            if host.is_some() {
                troupe.names.settle(one.name, home.into());
            }
            let (pid, channel) = role::spawn(one.name, play.free, host, one.part)?;
            troupe.actors.push(Actor {
                name: one.name.to_owned(),
                side,
                home: home.into(),
                pid,
                channel,
                lines: one.lines.into(),
                slow: one.slow,
                dies: one.dies,
                sockets: BTreeMap::new(),
                past: Vec::new(),
                leashes: Vec::new(),
                reaped: false,
            });
        }
        Ok(troupe)
    }

    /// Tells that a role did something.
    pub fn tell(&mut self, role: Option<usize>, what: What) -> Step<()> {
        self.note(role, &what);
        self.tell_at(role::now(), role, what)
    }

    /// Notes what a role did, for [`Troupe::goes_round`].
    pub fn note(&mut self, role: Option<usize>, what: &What) {
        if let (Some(rounds), Some(role)) = (&mut self.rounds, role) {
            rounds.note(role, what);
        }
    }

    /// Whether a role does the same for ever, in a scene that means it to.
    pub fn goes_round(&self, role: usize) -> bool {
        self.rounds.as_ref().is_some_and(|rounds| rounds.are_of(role))
    }

    /// Tells that a role did something at a time of its own.
    pub fn tell_at(&mut self, at: u64, role: Option<usize>, what: What) -> Step<()> {
        let name = role.map(|role| self.actors[role].name.as_str());
        let host = if role.is_some_and(|role| self.actors[role].side == 1) { Host::B } else { self.host };
        match self.teller.tell(at, self.scene, name, host, what) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Ending(Ending::Left)),
        }
    }

    /// Waits at most `patience` for a role's next message. Questions about names are answered on the way.
    pub fn hear(&mut self, role: usize, patience: Duration) -> Step<Heard> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if !wait_for(&self.actors[role].channel, left)? {
                return Ok(Heard::Silence);
            }
            match channel::receive::<ToStage>(&self.actors[role].channel)? {
                None => return Ok(Heard::Gone),
                Some((ToStage::Next(act, at), _)) => return Ok(Heard::Next(act, at)),
                Some((ToStage::Done(mut call, at), opened)) => {
                    self.keep(role, &call, opened);
                    self.learn(role, &call);
                    if self.free {
                        self.guess(role, &call);
                    }
                    self.name_all(role, &mut call);
                    return Ok(Heard::Done(call, at));
                }
                Some((ToStage::Leash(pid), leash)) => {
                    // It will outlive its parent, and then it is ours to wait for, prctl(2).
                    rustix::process::set_child_subreaper(Some(getpid())).map_err(io::Error::from)?;
                    self.actors[role].leashes.extend(leash.map(|leash| (leash, Pid::from_raw(pid))));
                }
                Some((ToStage::Name(address), _)) => {
                    let name = self.names.of(address, self.actors[role].home);
                    self.answer(role, &ToRole::Name(name));
                }
            }
        }
    }

    /// Whether the kernel has put a role to sleep in a call of its own, rather than in the channel to us.
    pub fn sleeps(&self, role: usize) -> bool {
        probe::asleep_in(self.actors[role].pid).is_some_and(|(_, descriptor)| descriptor != ROLE_END)
    }

    /// Answers a role. One that is gone will be noticed when it is heard next.
    pub fn answer(&self, role: usize, answer: &ToRole) {
        let _ = channel::send(&self.actors[role].channel, answer, None);
    }

    /// The next line that the role's user types.
    pub fn line(&mut self, role: usize) -> Option<String> {
        self.actors[role].lines.pop_front()
    }

    /// Puts names in the place of the addresses in a role's call.
    pub fn name_all(&self, role: usize, call: &mut Call) {
        for (_, value) in &mut call.args {
            if let Value::Address(address) = value {
                *value = self.names.of_given(*address).into();
            }
        }
        for (_, value) in &mut call.out {
            if let Value::Address(address) = value {
                *value = self.names.of(*address, self.actors[role].home).into();
            }
        }
    }

    /// Keeps the socket that a call made.
    fn keep(&mut self, role: usize, call: &Call, opened: Option<OwnedFd>) {
        let number = call.ret.and_then(|fd| RawFd::try_from(fd).ok());
        if let (Some(number), Some(socket)) = (number, opened) {
            // A connection that accept gives has a past: its state is news, though nothing changes now.
            let state = if call.name == "accept" { None } else { probe::tcp_state(&socket) }.unwrap_or("".into());
            self.actors[role]
                .sockets
                .insert(number, Looked { socket, receive: 0, send: (0, 0), state, accept: 0, pair: None });
        }
    }

    /// Learns the address that a call gave to a socket.
    fn learn(&mut self, role: usize, call: &Call) {
        let actor = &self.actors[role];
        let number = if call.name == "accept" { call.ret.map(|fd| fd as RawFd) } else { call.fd };
        if let Some(address) =
            number.and_then(|number| actor.sockets.get(&number)).and_then(|looked| own_address(&looked.socket))
        {
            self.names.learn(address, &actor.name, actor.home);
        }
    }

    /// Free-running there are no copies of sockets to ask. A peer that a call names can only be another role's.
    fn guess(&mut self, role: usize, call: &Call) {
        let others: Vec<&str> = self.actors.iter().map(|actor| actor.name.as_str()).collect();
        let other = if others.len() == 2 { others[1 - role] } else { "another" };
        for (_, value) in &call.out {
            if let Value::Address(address) = value
                && address.ip().is_loopback()
            {
                self.names.learn(*address, other, address.ip());
            }
        }
    }

    /// Drops the copy of a socket that the role is about to close.
    pub fn let_go(&mut self, role: usize, number: Option<RawFd>) {
        if let Some(looked) = number.and_then(|number| self.actors[role].sockets.remove(&number)) {
            self.orphans |= looked.is_sending();
            self.actors[role].past.extend(number.and_then(|number| looked.past(number)));
        }
    }

    /// The addresses of a socket's connection.
    pub(super) fn connection_of(&self, role: usize, number: Option<RawFd>) -> Option<Pair> {
        let looked = self.actors[role].sockets.get(&number?)?;
        own_address(&looked.socket).zip(past::peer_of(&looked.socket))
    }

    /// Whether a call that waits until its socket is readable would return at once.
    pub fn returns_at_once(&self, role: usize, call: &Call) -> bool {
        let socket = call.fd.and_then(|number| self.actors[role].sockets.get(&number));
        // One that we do not know, the kernel will judge. Connections come only where somebody listens, and data only
        // where nobody does: elsewhere such a call is refused at once, whatever a poll says.
        socket.is_none_or(|looked| {
            probe::listens(looked.socket.as_fd()) != (call.name == "accept")
                || probe::ready(looked.socket.as_fd(), PollFlags::IN)
        })
    }

    /// How long a call may wait, where it has a limit: a poll's own, or its socket's, `SO_RCVTIMEO` and `SO_SNDTIMEO`
    /// of `socket(7)`.
    pub fn limit(&self, role: usize, call: &Call) -> Option<Duration> {
        if call.name == "poll" {
            let millis = call.get_arg("timeout")?.as_word()?.strip_suffix(" ms")?.parse().ok()?;
            return Some(Duration::from_millis(millis));
        }
        let receives = call.name.starts_with("recv") || call.name == "accept";
        let which = if receives { Timeout::Recv } else { Timeout::Send };
        socket_timeout(&self.actors[role].sockets.get(&call.fd?)?.socket, which).ok()?
    }

    /// Fills in the queues of the socket that a call was made on.
    pub fn look_at(&mut self, role: usize, call: &mut Call) {
        let looked = call.fd.and_then(|number| self.actors[role].sockets.get_mut(&number));
        call.queues = looked.map(|looked| probe::queues(looked.socket.as_fd()));
    }

    /// Tells of every change in the sockets that the scene watches.
    pub fn look_around(&mut self) -> Step<()> {
        if !self.watch.anything() {
            return Ok(());
        }
        self.wait_for_acknowledged_goodbyes()?;
        for role in 0..self.actors.len() {
            let mut changes = Vec::new();
            let actor = &mut self.actors[role];
            let mut kernel = self.kernels.get_mut(actor.side);
            for (number, looked) in &mut actor.sockets {
                let kept = match &mut kernel {
                    Some(kernel) => looked.follow(kernel)?,
                    None => None,
                };
                let news = looked.changes(self.watch, kept);
                changes.extend(news.into_iter().map(|(probe, values)| (probe, *number, values)));
            }
            if let Some(kernel) = kernel {
                for past in &mut actor.past {
                    changes.extend(past.change(kernel)?.map(|values| ("state", past.fd, values)));
                }
                actor.past.retain(|past| !past.is_over());
            }
            for (probe, fd, values) in changes {
                self.tell(Some(role), What::Probe { probe: probe.into(), fd, values })?;
            }
        }
        Ok(())
    }

    /// Waits until what is left of closed connections is out of FIN-WAIT-1, where one host has both sides: the other
    /// side has the goodbye, and the kernel delays the acknowledgement, by 40 ms or not at all. After a second, the
    /// state is told as it is.
    fn wait_for_acknowledged_goodbyes(&mut self) -> Step<()> {
        const LONGEST: Duration = Duration::from_secs(1);
        let [kernel] = &mut self.kernels[..] else { return Ok(()) };
        let until = Instant::now() + LONGEST;
        for past in self.actors.iter().flat_map(|actor| &actor.past) {
            while past.waits_for_an_acknowledgement(kernel)? && Instant::now() < until {
                retry_poll(&mut [], LOOK)?;
            }
        }
        Ok(())
    }

    /// Whether a timer of the kernel's runs for a connection of ours, which may yet move somebody.
    pub fn timers_run(&mut self) -> bool {
        let ports = self.names.numbers();
        if let Some(wire) = &mut self.wire {
            return wire.any_host_asks() || wire.any_table(|table| probe::timers_run_in(table, &ports));
        }
        // The kernel's table takes milliseconds to read, and is not needed where nothing is on its way.
        let sending = self.actors.iter().flat_map(|actor| actor.sockets.values()).any(Looked::is_sending);
        (sending || self.orphans || self.free) && probe::timers_run(&ports)
    }

    /// Waits until any role says something, or any of `sockets` is readable, or the time is over.
    pub fn wait_for_any(&self, sockets: &[(usize, Option<RawFd>)], patience: Duration) -> io::Result<()> {
        let watched = sockets.iter().filter_map(|(role, number)| self.actors[*role].sockets.get(number.as_ref()?));
        let mut all: Vec<PollFd<'_>> = watched.map(|looked| PollFd::new(&looked.socket, PollFlags::IN)).collect();
        let playing = self.actors.iter().filter(|actor| !actor.reaped);
        all.extend(playing.map(|actor| PollFd::new(&actor.channel, PollFlags::IN)));
        let ends = self.wire.as_ref().map(Wire::ends);
        all.extend(ends.iter().flatten().map(|end| PollFd::new(end, PollFlags::IN)));
        retry_poll(&mut all, patience).map(drop)
    }

    /// Waits until a role says something or a frame is ready. Whether either came about.
    pub(super) fn speaks_or_sends(&self, role: usize, patience: Duration) -> io::Result<bool> {
        let mut all = vec![PollFd::new(&self.actors[role].channel, PollFlags::IN)];
        let ends = self.wire.as_ref().map(Wire::ends);
        all.extend(ends.iter().flatten().map(|end| PollFd::new(end, PollFlags::IN)));
        retry_poll(&mut all, patience)
    }

    /// Waits for a role's process, which has closed its channel or is about to.
    pub fn reap(&mut self, role: usize, error: Option<String>) -> Step<Exit> {
        let actor = &mut self.actors[role];
        let sockets = std::mem::take(&mut actor.sockets);
        actor.past.extend(sockets.into_iter().filter_map(|(number, looked)| looked.past(number)));
        Ok(Exit { status: actor.reap()?, error })
    }

    /// Whether a role that ended so is one that its scene means to be killed.
    pub fn is_meant_to_be_killed(&self, role: usize, exit: &Exit) -> bool {
        self.actors[role].dies && matches!(exit.status, Status::Signal(_))
    }

    /// Who waits, in which call, for what.
    pub fn waiting(&self, role: usize, call: &Call, wait: Wait) -> Option<Waiting> {
        let waits_for = match wait {
            Wait::Never => return None,
            Wait::Readable(what) | Wait::Perhaps(what) | Wait::Until(what @ For::Time) => what.text().into(),
            Wait::Until(what) | Wait::PerhapsUntil(what) => format!("{}, or the end of its time", what.text()).into(),
        };
        let role = self.actors[role].name.clone();
        Some(Waiting { role, call: call.name.clone(), fd: call.fd, waits_for })
    }

    /// Tells that those who are left wait for ever.
    pub fn find_waiting(&mut self, waiting: Vec<Waiting>) -> Step<()> {
        let (finding, text) = match waiting.len() {
            1 => ("nobody is left", "nobody is left who could end this wait"),
            _ => ("everyone waits", "everyone waits; nobody will ever move"),
        };
        self.tell(None, What::Finding { finding: finding.into(), waiting, text: text.into() })
    }

    /// Tells that a role goes round for ever.
    pub fn find_going_round(&mut self, role: usize, waiting: Vec<Waiting>) -> Step<()> {
        let name = &self.actors[role].name;
        let text = format!("{name} does the same again and again and never waits; nobody is left who could stop it");
        self.tell(None, What::Finding { finding: "a role goes round".into(), waiting, text })
    }

    /// Tells that the kernel's timers go on and nobody is moved, and that this is not waited for any longer.
    pub fn find_endless(&mut self, waiting: Vec<Waiting>) -> Step<()> {
        let patience = self.patience.as_secs();
        let text = format!("a timer of the kernel's still runs; after {patience} s it is not waited for any longer");
        self.tell(None, What::Finding { finding: "a timer runs".into(), waiting, text })
    }
}

impl Actor {
    /// Whether a socket of its has this address, as its peers see it.
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        let own = |looked: &Looked| own_address(&looked.socket).is_some_and(|own| own.port() == address.port());
        address.port() != 0 && self.home == address.ip() && self.sockets.values().any(own)
    }

    /// Waits for the process, which has closed its channel or is about to.
    fn reap(&mut self) -> io::Result<Status> {
        self.reaped = true;
        let status = loop {
            match waitpid(Some(self.pid), WaitOptions::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                waited => break waited?,
            }
        };
        Ok(match status {
            Some((_, status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Status::Code(code),
                (_, Some(signal)) => Status::Signal(signal),
                _ => Status::Code(0),
            },
            None => Status::Code(0),
        })
    }
}

/// No process outlives its scene.
impl Drop for Actor {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.reap();
        }
        self.leashes.drain(..).for_each(|(leash, holder)| pull(&leash, holder));
    }
}

/// Ends a program that a role has started, and waits until it is gone. One that cannot be ended within a second is left
/// to whoever looks after it.
fn pull(leash: &OwnedFd, holder: Option<Pid>) {
    let _ = rustix::io::write(leash, b"!");
    // A pipe that nobody can read from any more is in error, `poll(2)`: its holder has ended, or is about to.
    let gone = retry_poll(&mut [PollFd::new(leash, PollFlags::empty())], Duration::from_secs(1));
    if let (Ok(true), Some(holder)) = (gone, holder) {
        let _ = waitpid(Some(holder), WaitOptions::empty());
    }
}

impl Looked {
    /// Whether a TCP connection has something on its way: a first SYN, or bytes that are not acknowledged.
    fn is_sending(&self) -> bool {
        probe::tcp_state(&self.socket).is_some_and(|state| {
            state == "SYN-SENT" || probe::queues(self.socket.as_fd()).send.is_some_and(|bytes| bytes > 0)
        })
    }

    /// Learns which connection it is, and asks what is left of one that the socket has no part in any more: both sides
    /// have said goodbye, and nobody has closed it yet.
    fn follow(&mut self, kernel: &mut Kernel) -> io::Result<Option<Connection>> {
        let Some(state) = probe::tcp_state(&self.socket) else { return Ok(None) };
        if self.pair.is_none() {
            self.pair = past::pair_of(&self.socket, kernel)?;
        }
        match self.pair.filter(|_| state == "CLOSED") {
            Some((own, peer)) => kernel.connection(own, peer),
            None => Ok(None),
        }
    }

    /// What is left to follow once the socket with this number is closed.
    fn past(self, fd: RawFd) -> Option<Past> {
        self.pair.map(|pair| Past { fd, pair, state: self.state })
    }

    /// What is new of it. `kept` is what its kernel keeps of its connection, where the socket has no part in it.
    fn changes(&mut self, watch: Watch, kept: Option<Connection>) -> Vec<(&'static str, Vec<(Word, Value)>)> {
        let mut changes = Vec::new();
        if watch.states
            && let Some(connection) = kept.or_else(|| probe::tcp_state(&self.socket).map(Connection::in_state))
            && connection.state != self.state
        {
            let mut values = past::values_of(Some(&connection));
            values.push(("already".into(), self.state.is_empty().into()));
            changes.push(("state", values));
            self.state = connection.state;
        }
        if watch.accept_queues
            && let Some(waiting) = probe::accept_queue(&self.socket)
            && waiting != self.accept
        {
            changes.push(("accept queue", vec![("waiting".into(), i64::from(waiting).into())]));
            self.accept = waiting;
        }
        if !(watch.receive_queues || watch.send_queues) {
            return changes;
        }
        let queues = probe::queues(self.socket.as_fd());
        let receive = queues.recv.unwrap_or(0);
        if watch.receive_queues && receive != self.receive {
            // Of datagrams the kernel tells the size of the first one only.
            let of = if probe::tcp_state(&self.socket).is_some() { "all" } else { "first datagram" };
            changes.push(("receive queue", vec![("recv".into(), i64::from(receive).into()), ("of".into(), of.into())]));
        }
        self.receive = receive;
        let send = (queues.send.unwrap_or(0), queues.unsent.unwrap_or(0));
        if watch.send_queues && send != self.send {
            let values = vec![("send".into(), i64::from(send.0).into()), ("unsent".into(), i64::from(send.1).into())];
            changes.push(("send queue", values));
        }
        self.send = send;
        changes
    }
}

pub(super) fn own_address(socket: &OwnedFd) -> Option<SocketAddr> {
    rustix::net::getsockname(socket).ok()?.try_into().ok()
}

/// Waits until a descriptor is readable or its other end is gone.
fn wait_for(descriptor: &OwnedFd, patience: Duration) -> io::Result<bool> {
    retry_poll(&mut [PollFd::new(descriptor, PollFlags::IN)], patience)
}

fn retry_poll(all: &mut [PollFd<'_>], patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(all, Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
