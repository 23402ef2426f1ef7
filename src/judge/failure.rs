//! An expectation that was not met, and what ends a check.

use std::fmt;
use std::io;

use crate::sandbox::{Fault, How};
use crate::trace::error_name;

/// The result of a step of a check: a value, or what ends the check.
pub type Done<T = ()> = Result<T, Stop>;

/// What ends a check early.
#[derive(Debug)]
pub enum Stop {
    /// The attempt did not do what it must.
    Failed(Box<Failure>),
    /// Something of ours failed: the check says nothing about the attempt.
    Fault(String),
    /// The machine was busy with something else for too long. That says nothing about the attempt either, and it makes
    /// no sense to try again at once.
    TooBusy(String),
    /// The first check has shown that the program does not get through the gate: this one says nothing more.
    Needless,
}

/// An expectation that was not met.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind of failure it is. Attempts are compared with known wrong programs by it.
    pub kind: Kind,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What was expected. `None` where `what` says it all.
    pub expected: Option<Shown>,
    /// What came instead. `None` where `what` says it all.
    pub got: Option<Shown>,
    /// What the kernel knew of the program at that moment, a sentence each.
    pub why: Vec<String>,
    /// The end of what the program wrote to its standard error.
    pub last_words: Vec<u8>,
    /// What was seen of the program, for those who look for the cause.
    pub seen: Seen,
}

/// In what kind of call a thread sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleeps {
    /// It receives from a socket.
    Recv,
    /// It sends on a socket.
    Send,
    /// It accepts a connection.
    Accept,
    /// It waits for any of several descriptors.
    Poll,
    /// It lets time pass.
    Sleep,
    /// It reads its standard input.
    Stdin,
    /// It waits for a process to end.
    Wait,
}

/// What was seen of a program at the moment of its failure.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How it ended, if it had.
    pub ending: Option<How>,
    /// In what its threads slept.
    pub sleeps: Vec<Sleeps>,
    /// Whether bytes lay unread in a socket of its; `None` if nobody looked.
    pub unread: Option<bool>,
    /// The end of what it had printed, on both outputs.
    pub printed: Vec<u8>,
}

/// What kind of failure it is. Two programs with the same misconception fail in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It did something else.
    Wrong,
    /// It did nothing, and all its threads sleep.
    Hangs,
    /// It did nothing, and uses CPU.
    Spins,
    /// It ended, by itself or by a signal.
    Ended,
    /// It exceeded a limit of its sandbox.
    Limit,
}

/// Something expected or received, as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Bytes of a stream or a datagram. A report escapes and shortens them.
    Bytes(Vec<u8>),
    /// A description, printed as it is: `a reset`, `nothing`.
    Words(String),
}

impl Failure {
    /// A failure that one sentence describes.
    pub fn new(kind: Kind, what: impl Into<String>) -> Failure {
        Failure {
            kind,
            what: what.into(),
            expected: None,
            got: None,
            why: Vec::new(),
            last_words: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Adds what was expected and what came.
    #[must_use]
    pub fn between(mut self, expected: impl Into<Shown>, got: impl Into<Shown>) -> Failure {
        self.expected = Some(expected.into());
        self.got = Some(got.into());
        self
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(Box::new(failure))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault.to_string())
    }
}

impl Stop {
    /// The fault of a call that failed, although the attempt cannot make it fail.
    pub fn ours(call: &str, error: &io::Error) -> Stop {
        Stop::Fault(format!("{call}: {}", error_name(error)))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Failed(failure) => f.write_str(&failure.what),
            Stop::Fault(fault) | Stop::TooBusy(fault) => f.write_str(fault),
            Stop::Needless => f.write_str("the first check has shown all"),
        }
    }
}

impl From<&[u8]> for Shown {
    fn from(bytes: &[u8]) -> Shown {
        Shown::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Shown {
    fn from(bytes: Vec<u8>) -> Shown {
        Shown::Bytes(bytes)
    }
}

impl From<&str> for Shown {
    fn from(words: &str) -> Shown {
        Shown::Words(words.to_owned())
    }
}

impl From<String> for Shown {
    fn from(words: String) -> Shown {
        Shown::Words(words)
    }
}
