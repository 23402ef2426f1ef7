//! The stage: hosts, roles, and the rule of who acts next.
//!
//! Invariant: the stage reports what happens, event by event, to an [`EventSink`], and knows of no view, no lab
//! and no judge.

mod baton;
mod carrier;
mod channel;
mod closed_connection;
mod findings;
mod free;
pub(crate) mod host;
mod limits;
mod loop_detector;
mod names;
mod naming;
mod one_processor;
mod player;
mod role;
mod role_state;
mod roles;
mod sockets;
mod watched_socket;
mod wired;

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

pub use channel::LONGEST_TEXT;
pub use host::{Choice, Hosts, NoPrivateHost};
pub use limits::{Attempted, explained, make_room};
pub use role::{NOT_STARTED, RoleBody, panic_text};

use crate::trace::{Event, Host, Status, Waiting, What};
use crate::wire::Wire;

/// How long the stage waits for a role that neither waits nor comes back.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// One scene, ready to be played.
pub struct Play<'a> {
    /// The scene's number.
    pub scene: u32,
    /// The roles, in the order of declaration.
    pub roles: Vec<RolePlay<'a>>,
    /// The address that all roles know, and the number that its port has in the lab.
    pub endpoint: (SocketAddr, u16),
    /// Where events happen that are not on the second of two hosts.
    pub host: Host,
    /// The wire, where there are two hosts: the role called `server` is on the second one.
    pub wire: Option<Wire>,
    /// What to look at after each call.
    pub watch: Watch,
    /// Whether a role is meant to go round for ever: it is left when that is clear.
    pub loops_forever: bool,
    /// How long a role may be away.
    pub patience: Duration,
    /// Whether the roles run as they would by themselves, without the baton.
    pub free: bool,
    /// What to do where the machine proves too slow for the scene.
    pub when_slow: WhenSlow,
}

/// One role of a scene.
pub struct RolePlay<'a> {
    /// Its name, unique in the scene. `server` is on the wire's second host.
    pub name: &'a str,
    /// The lines that its user types.
    pub lines: Vec<String>,
    /// Whether its user answers a prompt only when no other role can act.
    pub slow: bool,
    /// Whether it is meant to be killed.
    pub dies: bool,
    /// What its process runs.
    pub body: RoleBody<'a>,
}

/// Which changes of sockets the stage reports, whichever role caused them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    /// How many bytes wait in a receive queue.
    pub receive_queues: bool,
    /// How many bytes are sent and not acknowledged, or not sent yet.
    pub send_queues: bool,
    /// Nothing of these: on one host, what was sent is acknowledged before the scene goes on.
    pub acknowledged: bool,
    /// The state of a TCP connection.
    pub states: bool,
    /// The same also between two frames, and after a socket has been closed: until nothing is left of its connection.
    pub all_states: bool,
    /// How many connections wait for `accept`.
    pub accept_queues: bool,
    /// Which options the first segments carry.
    pub options: bool,
    /// The roles whose segments say how much more they can take.
    pub windows_of: &'static [&'static str],
    /// Which frames to take apart byte by byte, by their numbers.
    pub bytes_of: &'static [u32],
    /// Whether to take all of them apart.
    pub bytes: bool,
}

impl Watch {
    /// Whether there is anything to look at.
    fn anything(self) -> bool {
        self.receive_queues || self.send_queues || self.acknowledged || self.states || self.accept_queues
    }
}

/// What to do in a scene on a wire where the machine is so slow that the kernel may do something else than at every
/// other run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenSlow {
    /// End the scene at once, as void.
    Void,
    /// Play it to its end, which is void.
    Report,
    /// Play it to its end: a person sets the pace, or nothing does.
    Ignore,
}

/// How a scene ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every role came to its end by itself.
    Done,
    /// The roles that are left wait so, and nothing will ever move them.
    Waiting(Vec<Waiting>),
    /// A role does the same for ever and never waits, and no role is left that could stop it.
    LoopsForever,
    /// The roles that are left wait, and the kernel's timers were still at it when the stage's patience was over.
    Endless,
    /// A role ended with an error, or died of a signal or a panic.
    Failed {
        /// The role.
        role: String,
        /// Its exit status: never 0.
        status: Status,
    },
    /// A role neither waited nor came back.
    Hung {
        /// The role.
        role: String,
        /// What its process was at when the stage gave up, in words.
        doing: String,
    },
    /// The sink wants no more events.
    Left,
    /// The machine was so slow that a timer of the kernel's went off while a role could act, or nearly so. What the
    /// kernel does after that may not be what it does otherwise: it acknowledges at once what it would have delayed.
    Void,
}

/// Numbers events and hands them on.
pub struct EventSink<'a> {
    began: u64,
    count: u64,
    /// What is held until it is known whether it counts.
    held: Option<Vec<Event>>,
    tell: &'a mut dyn FnMut(&Event) -> ControlFlow<()>,
}

impl<'a> EventSink<'a> {
    /// Tells a new run to `tell`, which may break it off.
    pub fn new(tell: &'a mut dyn FnMut(&Event) -> ControlFlow<()>) -> EventSink<'a> {
        EventSink { began: role::now(), count: 0, held: None, tell }
    }

    /// Tells one thing that is no role's.
    pub fn announce(&mut self, scene: u32, host: Host, what: What) -> ControlFlow<()> {
        self.emit(role::now(), scene, None, host, what)
    }

    /// `actor` is a role, and which of its processes or threads.
    fn emit(&mut self, at: u64, scene: u32, actor: Option<(&str, &str)>, host: Host, what: What) -> ControlFlow<()> {
        self.count += 1;
        let (role, actor) = actor.map(|(role, actor)| (role.to_owned(), actor.to_owned())).unzip();
        let at_ns = at.saturating_sub(self.began);
        let event = Event { n: self.count, at_ns, scene, actor, role, host, what };
        match &mut self.held {
            Some(held) => {
                held.push(event);
                ControlFlow::Continue(())
            }
            None => (self.tell)(&event),
        }
    }

    /// From now on, keeps what happens to itself.
    pub fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Tells what it has kept to itself.
    pub fn release(&mut self) -> ControlFlow<()> {
        self.held.take().unwrap_or_default().iter().try_for_each(|event| (self.tell)(event))
    }

    /// Forgets what it has kept to itself.
    pub fn forget(&mut self) {
        let forgotten = self.held.take().unwrap_or_default();
        self.count -= forgotten.len() as u64;
    }
}

/// Plays one scene, and ends all its processes.
///
/// # Errors
/// A step of the stage's own that failed. How the roles ended, with or without an error, is the result.
pub fn play(play: Play<'_>, sink: &mut EventSink<'_>) -> io::Result<Ending> {
    let free = play.free;
    let _one_processor = (!free).then(one_processor::OneProcessor::new);
    let roles = roles::Roles::assemble(play, sink)?;
    if free { free::run(roles) } else { baton::run(roles) }
}
