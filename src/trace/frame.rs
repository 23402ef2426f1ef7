//! One frame on the wire, as it stands in a trace.

use super::{Data, Host, Word};

/// A frame that one host sent to the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// From which host to which.
    pub dir: (Host, Host),
    /// The addresses in it, by their names. Of an ICMP error: those of the packet that it is about,
    /// the other way round.
    pub from: Option<String>,
    pub to: Option<String>,
    /// `TCP`, `UDP`, `ICMP`, `ARP`, or what else is known of it.
    pub proto: Word,
    /// A segment's flags, `SYN,ACK`; an ICMP message's meaning.
    pub flags: Word,
    /// A segment's sequence number, counted from its connection's first.
    pub seq: Option<u32>,
    /// The number that it acknowledges, counted from the other direction's first.
    pub ack: Option<u32>,
    /// What it carries for a program.
    pub payload: Data,
    /// All of it. Ports, numbers and checksums in it vary.
    pub bytes: Data,
    /// What else is to be said of it: that it is a fragment, what ARP asks.
    pub remark: Option<Word>,
    /// Whether a timer of the kernel's sent it: no call, and no other frame.
    pub by_timer: bool,
    pub fate: Fate,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was handed on.
    Passed,
    /// It was thrown away.
    Lost,
    /// It was handed on twice.
    Doubled,
}
