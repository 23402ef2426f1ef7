//! One frame on the wire, as it stands in a trace.

use super::{Data, Host, Layer, Word};

/// A frame that one host sent to the other.
///
/// One that the wire keeps for a while is told twice: when it is sent, and when it is handed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its number in the scene, from 1, in the order in which the hosts sent them. 0 for one that was overtaken.
    pub number: u32,
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
    /// All of it, as it was handed on. Ports, numbers and checksums in it vary.
    pub bytes: Data,
    /// What else is to be said of it: that it is a fragment, what ARP asks, what was corrupted.
    pub remark: Option<Word>,
    /// Whether a timer of the kernel's sent it: no call, and no other frame.
    pub by_timer: bool,
    /// Of one that a timer sent: how long the timer ran, as a class, `about 40 ms`.
    pub after: Option<Word>,
    /// Of one that the wire keeps, or has kept: for how long, `10 ms`.
    pub held: Option<Word>,
    pub fate: Fate,
    /// Of one that is shown byte by byte: all its fields, layer by layer.
    pub layers: Vec<Layer>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was handed on.
    Passed,
    /// It is kept for a while, and will be told again when it is handed on.
    Held,
    /// It was thrown away.
    Dropped,
    /// It was handed on twice.
    Duplicated,
    /// It was changed, and handed on.
    Corrupted,
    /// An acknowledgement that a timer sent while somebody could act, and whose host said the same in a later frame
    /// before it was handed on: that frame took its place. Whether there is one depends on the machine's speed, so
    /// transcripts leave it out.
    Overtaken,
}

impl Fate {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Passed => "passed",
            Fate::Held => "held",
            Fate::Dropped => "lost",
            Fate::Duplicated => "doubled",
            Fate::Corrupted => "corrupted",
            Fate::Overtaken => "overtaken",
        }
    }
}

impl Frame {
    /// Whether this is the end of its way: it was kept, and now it is handed on.
    pub fn arrives(&self) -> bool {
        self.held.is_some() && self.fate != Fate::Held
    }
}
