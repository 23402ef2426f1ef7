//! One frame on the wire, as it stands in a trace.

use std::fmt;
use std::ops::BitOr;

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
    /// The sender's address, by its name. Of an ICMP error: the destination of the packet that it is about. `None`
    /// without an IPv4 header.
    pub from: Option<String>,
    /// The destination, by its name. Of an ICMP error: the source of the packet that it is about.
    pub to: Option<String>,
    /// Its protocol: the innermost header that could be parsed.
    pub proto: Proto,
    /// Which part of a packet it is, where that was cut.
    pub fragment: Option<Fragment>,
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
    /// What the wire did with it.
    pub fate: Fate,
    /// Of one that is shown byte by byte: all its fields, layer by layer.
    pub layers: Vec<Layer>,
}

/// The protocol of a frame, as far as it could be parsed. Displayed as its name in JSON: `TCP`, `type 0x86dd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proto {
    /// A segment, with its flags.
    Tcp(TcpFlags),
    /// A datagram, RFC 768.
    Udp,
    /// A message with its type and code, RFC 792.
    Icmp {
        /// Its type: 3 is destination unreachable.
        kind: u8,
        /// Its code, which depends on the type: with type 3, 3 is port unreachable.
        code: u8,
    },
    /// `None` for what is neither a question nor an answer about IPv4 on Ethernet.
    Arp(Option<ArpMessage>),
    /// A fragment that is not the first one.
    Ipv4,
    /// Another protocol over IPv4, by its number.
    Ip(u8),
    /// A frame with a length in the place of a type, IEEE 802.3.
    Ieee8023,
    /// Another protocol over Ethernet, by its type.
    EtherType(u16),
    /// A frame too short for a type.
    Ethernet,
}

/// What ARP says, RFC 826.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpMessage {
    /// Operation 1, a request: which hardware address has this IPv4 address?
    Question,
    /// Operation 2, a reply.
    Answer,
}

/// A part of an IPv4 packet, RFC 791.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// At offset 0, with more to follow: it has the header of the protocol above.
    First,
    /// At another offset, with more to follow.
    Middle,
    /// At another offset, with nothing to follow.
    Last,
}

/// The flags of a segment, RFC 9293 and RFC 3168. Displayed as `SYN,ACK`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// The sender sends no more data.
    pub const FIN: TcpFlags = TcpFlags(1);
    /// A connection opens: `seq` is the sender's initial sequence number.
    pub const SYN: TcpFlags = TcpFlags(2);
    /// The connection is aborted, or there is none.
    pub const RST: TcpFlags = TcpFlags(4);
    /// What has arrived is to be given to the program without delay.
    pub const PSH: TcpFlags = TcpFlags(8);
    /// The acknowledgement number is valid: set in all segments but the first.
    pub const ACK: TcpFlags = TcpFlags(16);

    /// All flags with their names, in the order in which they are shown.
    const NAMES: [(u8, &'static str); 8] =
        [(2, "SYN"), (1, "FIN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG"), (64, "ECE"), (128, "CWR")];

    /// Whether all of these are set.
    pub fn contains(self, flags: TcpFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        TcpFlags::NAMES.into_iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| name)
    }
}

impl BitOr for TcpFlags {
    type Output = TcpFlags;

    fn bitor(self, other: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 | other.0)
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proto::Tcp(_) => f.write_str("TCP"),
            Proto::Udp => f.write_str("UDP"),
            Proto::Icmp { .. } => f.write_str("ICMP"),
            Proto::Arp(_) => f.write_str("ARP"),
            Proto::Ipv4 => f.write_str("IPv4"),
            Proto::Ip(number) => write!(f, "IP protocol {number}"),
            Proto::Ieee8023 => f.write_str("802.3"),
            Proto::EtherType(number) => write!(f, "type 0x{number:04x}"),
            Proto::Ethernet => f.write_str("Ethernet"),
        }
    }
}

impl Proto {
    /// A segment's flags, or what an ICMP message means; empty for others.
    pub fn details(self) -> Word {
        match self {
            Proto::Tcp(flags) => flags.to_string().into(),
            Proto::Icmp { kind, code } => icmp_meaning(kind, code),
            _ => "".into(),
        }
    }
}

/// What an ICMP message's type and code mean, RFC 792.
pub fn icmp_meaning(kind: u8, code: u8) -> Word {
    match (kind, code) {
        (0, _) => "echo reply".into(),
        (8, _) => "echo request".into(),
        (3, 0) => "network unreachable".into(),
        (3, 1) => "host unreachable".into(),
        (3, 3) => "port unreachable".into(),
        (3, 4) => "fragmentation needed".into(),
        (3, code) => format!("unreachable, code {code}").into(),
        (11, 1) => "reassembly took too long".into(),
        (11, _) => "time exceeded".into(),
        (kind, code) => format!("type {kind}, code {code}").into(),
    }
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
    /// An acknowledgement that a timer sent while a role could act, and whose host said the same in a later frame
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
    /// The flags of a segment; none for other frames.
    pub fn flags(&self) -> TcpFlags {
        match self.proto {
            Proto::Tcp(flags) => flags,
            _ => TcpFlags::default(),
        }
    }

    /// The role whose address it carries as its sender's.
    pub fn sender(&self) -> Option<&str> {
        self.from.as_deref()?.split(':').next()
    }

    /// Whether it carries the address of this role as its sender's.
    pub fn is_from(&self, role: &str) -> bool {
        self.sender() == Some(role)
    }

    /// Whether this is the end of its way: it was kept, and now it is handed on.
    pub fn arrives(&self) -> bool {
        self.held.is_some() && self.fate != Fate::Held
    }
}
