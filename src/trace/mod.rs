//! What happened in a run: events, in causal order.
//!
//! Invariant: a trace knows of no stage, no socket and no view. It is what all of them have in common.

mod call;
mod errno;
mod frame;
mod layers;
mod names;
mod probe;
mod query;
pub mod recorder;

use std::fmt;
use std::os::fd::RawFd;

use serde::{Deserialize, Serialize};

pub use call::{Call, Credentials, DATA_LIMIT, Data, Queues, Value, Word, hexadecimal};
pub use errno::{Errno, error_name};
pub use frame::{ArpMessage, Fate, Fragment, Frame, Proto, TcpFlags, icmp_meaning};
pub use layers::{Field, Layer};
pub use names::{
    CommandState, EpollEvents, Finding, MessageFlags, PollEvents, Ready, SocketOption, SocketType, StatusFlags,
    Syscall, TcpState, signal_name,
};
pub use probe::Probe;
pub use query::{Calls, Made, Selection, Sent, Unseen, bytes_of, count_of, exactly};

/// The version of the trace's form: it grows when a field changes its meaning.
pub const VERSION: u32 = 1;

/// The events of one run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// In causal order.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number in the run, from 1.
    pub n: u64,
    /// When, in nanoseconds since the run began. Varies from run to run.
    pub at_ns: u64,
    /// The number of its scene, from 1; 0 before the first.
    pub scene: u32,
    /// Whose it is: a role's, or `None` for the stage's own.
    pub role: Option<String>,
    /// Which process or thread of the role: `server`, `server/1`.
    pub actor: Option<String>,
    /// Where it happened.
    pub host: Host,
    /// What it was.
    pub what: What,
}

impl Event {
    /// Whose it is: the name of a role, or of one of its processes and threads.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref().or(self.role.as_deref())
    }
}

/// A host of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The only private host, or the first of two.
    A,
    /// The second of two.
    B,
    /// The machine's own loopback.
    Local,
}

/// What happened, and what is particular to it.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The run begins.
    Start(Start),
    /// A scene begins: descriptors and named ports start anew.
    Scene {
        /// Its title.
        text: String,
        /// Where the lab's port really is: on a machine's own loopback another one stands in for it, which varies.
        port: u16,
    },
    /// A call that did not return at once has begun.
    Begin(Call),
    /// A role would have to wait, or is asleep in its call.
    Wait(Waiting),
    /// A call returned.
    Call(Call),
    /// A line was typed at a prompt.
    Input {
        /// What the role printed before it waited for the line.
        prompt: String,
        /// The line, without its end. `None`: the end of the input.
        text: Option<String>,
    },
    /// A role printed a line.
    Print {
        /// The line, without its end.
        text: String,
    },
    /// A role paused until something holds.
    Meet {
        /// What the role waited for, in the lab's words.
        text: String,
    },
    /// The author's remark.
    Note {
        /// The remark, in whole sentences.
        text: String,
    },
    /// What the kernel answered to a question of the stage's.
    Probe {
        /// The answer.
        probe: Probe,
        /// The socket asked about: its descriptor in the role. Of a closed one: the number that it had.
        fd: RawFd,
    },
    /// A frame on the wire.
    Frame(Frame),
    /// What the stage concluded.
    Finding {
        /// What kind of conclusion it is.
        finding: Finding,
        /// The roles that it is about, where they wait. Empty: none waits.
        waiting: Vec<Waiting>,
        /// The conclusion in words.
        text: String,
    },
    /// A role ended.
    Exit(Exit),
}

/// The run itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The lab's number and name: `05 udp-no-server`.
    pub lab: String,
    /// The question that it answers.
    pub question: String,
    /// `private`, `wire` or `loopback`.
    pub stage: &'static str,
    /// The kernel's release. Varies from machine to machine.
    pub kernel: String,
    /// When it began, by the machine's clock: microseconds since 1970. Varies.
    pub began_us: u64,
    /// What the dice of the wire were thrown from.
    pub seed: Option<u64>,
    /// Settings of the kernel, files under `/proc/sys/net`, that the stage pins elsewhere and could not pin here.
    /// Varies.
    pub unpinned: Vec<String>,
}

/// A role that waits: in which call, for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The role.
    pub role: String,
    /// The call.
    pub call: Syscall,
    /// The descriptor that it acts on, if it acts on one.
    pub fd: Option<RawFd>,
    /// What would end it.
    pub waits_for: For,
    /// Whether it also ends with its time.
    pub timed: bool,
}

/// How a role ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// What its process returned.
    pub status: Status,
    /// What it died of, in words.
    pub error: Option<String>,
    /// Whether it is a zombie now: its parent lives, and has not waited for it.
    pub is_zombie: bool,
}

impl Exit {
    /// Whether the role came to its end without an error.
    pub fn is_good(&self) -> bool {
        self.status == Status::Code(0)
    }
}

/// An exit status as the kernel gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ended by itself, with this exit code.
    Code(i32),
    /// A signal ended it, by its number.
    Signal(i32),
}

impl Status {
    /// As the kernel gives it, `wait(2)`.
    pub fn of_kernel(status: i32) -> Status {
        if libc::WIFSIGNALED(status) {
            Status::Signal(libc::WTERMSIG(status))
        } else {
            Status::Code(libc::WEXITSTATUS(status))
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Code(code) => write!(f, "exit code {code}"),
            Status::Signal(number) => f.write_str(&signal_name(*number)),
        }
    }
}

/// Whether a call may have to wait, and how one can know beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// It returns at once.
    Never,
    /// It returns at once if, and only if, the descriptor is readable.
    Readable(For),
    /// Only the kernel knows: the call is made, and it may sleep.
    Perhaps(For),
    /// It returns once the descriptor is readable, or when its time is over.
    Until(For),
    /// Only the kernel knows: the call is made, and it may sleep, until its time is over.
    PerhapsUntil(For),
}

impl Wait {
    /// What it waits for, if it may wait.
    pub fn what(self) -> Option<For> {
        match self {
            Wait::Never => None,
            Wait::Readable(what) | Wait::Perhaps(what) | Wait::Until(what) | Wait::PerhapsUntil(what) => Some(what),
        }
    }

    /// Whether it has a deadline.
    pub fn is_timed(self) -> bool {
        matches!(self, Wait::Until(_) | Wait::PerhapsUntil(_))
    }
}

/// How long a timer ran, as a class: the kernel's timers have a few lengths, and double them. What is measured varies
/// from run to run; its class does not.
pub fn class_of_time(millis: u64) -> &'static str {
    match millis {
        ..20 => "a few ms",
        20..100 => "about 40 ms",
        100..300 => "about 200 ms",
        300..450 => "about 400 ms",
        450..600 => "about half a second",
        600..900 => "about 0.8 s",
        900..1_300 => "about 1 s",
        1_300..1_800 => "about 1.6 s",
        1_800..2_600 => "about 2 s",
        2_600..3_700 => "about 3 s",
        3_700..5_200 => "about 4 s",
        5_200..7_300 => "about 6 s",
        _ => "8 s or more",
    }
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum For {
    /// A datagram in the receive queue.
    Datagram,
    /// Bytes of a stream, or its end.
    Data,
    /// Bytes or a message from a process of the same machine, or that it closes its end.
    LocalData,
    /// A connection to accept.
    Connection,
    /// The peer's answer to a SYN.
    Handshake,
    /// Room in the send buffer.
    Room,
    /// Room in the queue of a peer on the same machine, which holds so many datagrams or connections.
    PeerRoom,
    /// Any of the descriptors of a poll.
    Readiness,
    /// Nothing but the end of its time.
    Time,
    /// Bytes from a command, or the end of its output.
    Pipe,
    /// The end of a process that the role has made.
    Child,
    /// The end of a thread that the role has made.
    Thread,
    /// Another thread's `sem_post`.
    Post,
}
