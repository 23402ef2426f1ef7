//! The wire: two hosts joined by our own process, which forwards every frame and sees it.
//!
//! Invariant: a frame is handed on as it came, byte for byte, also where it cannot be taken apart.

mod link;
mod netlink;
mod packet;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

pub use link::{ADDRESSES, Kind, enter};
pub use packet::{Numbers, Packet};

use crate::trace::{Data, Fate, Frame, Host};

/// The usual largest IP packet on Ethernet, in bytes.
pub const MTU: u16 = 1500;

/// A wire between two hosts, and what it knows of the connections over it.
pub struct Wire {
    link: link::Link,
    buffer: Vec<u8>,
    /// The first sequence number of each direction of a connection, by its sender and receiver.
    first: HashMap<(SocketAddr, SocketAddr), u32>,
    /// Which directions of which connections have said goodbye, by their sender and receiver.
    goodbyes: HashSet<(SocketAddr, SocketAddr)>,
    /// Acknowledgements that a timer sent while somebody could act: they wait until nobody can.
    held: VecDeque<Seen>,
}

/// A frame that a host has sent.
pub struct Seen {
    /// The host that sent it: 0 or 1.
    pub from: usize,
    pub bytes: Vec<u8>,
    pub packet: Packet,
}

impl Wire {
    /// Makes two hosts, each given its settings by `settle_in`, and a wire between them, in whichever way this machine
    /// allows, or in the one that was asked for.
    ///
    /// This process must be in a network namespace of its own, and be allowed to make more; it is back in it after.
    pub fn lay(kind: Option<Kind>, mtu: u16, settle_in: fn() -> io::Result<()>) -> io::Result<Wire> {
        let link = match kind {
            Some(kind) => link::Link::lay(kind, mtu, settle_in)?,
            None => {
                link::Link::lay(Kind::Tap, mtu, settle_in).or_else(|_| link::Link::lay(Kind::Veth, mtu, settle_in))?
            }
        };
        let buffer = vec![0; link::LARGEST_FRAME];
        Ok(Wire { link, buffer, first: HashMap::new(), goodbyes: HashSet::new(), held: VecDeque::new() })
    }

    /// How it was made.
    pub fn kind(&self) -> Kind {
        self.link.kind
    }

    /// A host's network namespace.
    pub fn host(&self, index: usize) -> BorrowedFd<'_> {
        self.link.host(index)
    }

    /// Where frames come out: readable when there is one.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.link.end(0), self.link.end(1)]
    }

    /// The next frame that a host has sent, if there is one. Never waits.
    pub fn take(&mut self, from: usize) -> io::Result<Option<Seen>> {
        let Some(len) = self.link.take(from, &mut self.buffer)? else { return Ok(None) };
        let bytes = self.buffer[..len].to_vec();
        let packet = packet::parse(&bytes);
        Ok(Some(Seen { from, bytes, packet }))
    }

    /// Whether the other host answers this frame, if it does, without a timer.
    ///
    /// Linux delays the acknowledgement of a FIN (`tcp_fin` in `net/ipv4/tcp_input.c`), unless the host has said
    /// goodbye itself: then the connection ends with it.
    pub fn is_answered_at_once(&mut self, seen: &Seen) -> bool {
        let (Some(from), Some(to)) = (seen.packet.from, seen.packet.to) else { return true };
        if !seen.packet.numbers.is_some_and(|numbers| numbers.fin) {
            return true;
        }
        self.goodbyes.insert((from, to));
        self.goodbyes.contains(&(to, from))
    }

    /// Hands a frame to the other host.
    pub fn pass(&mut self, seen: &Seen) -> io::Result<()> {
        self.link.give(1 - seen.from, &seen.bytes)
    }

    /// Keeps an acknowledgement until nobody can act. Of several of a connection, the last one says it all.
    pub fn hold_back(&mut self, seen: Seen) {
        self.overtake(&seen);
        self.held.push_back(seen);
    }

    /// The frame that has been held longest.
    pub fn release(&mut self) -> Option<Seen> {
        self.held.pop_front()
    }

    /// Whether a frame is held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Lets go of acknowledgements that are held, where `next` says the same and more.
    pub fn overtake(&mut self, next: &Seen) {
        let ends = |seen: &Seen| (seen.packet.from, seen.packet.to);
        self.held.retain(|held| ends(held) != ends(next));
    }

    /// Whether any TCP connection of either host has a timer running that will move data, as `probe` judges a table.
    pub fn any_table(&mut self, judge: impl Fn(&str) -> bool) -> bool {
        !self.first.is_empty() && (0..2).any(|host| self.link.connections(host).is_ok_and(|table| judge(&table)))
    }

    /// A frame as a trace tells it, with sequence numbers counted from the beginning of the connection.
    pub fn describe(&mut self, seen: &Seen, name: impl Fn(SocketAddr) -> String, by_timer: bool, fate: Fate) -> Frame {
        let packet = &seen.packet;
        let (mut seq, mut ack) = (None, None);
        if let (Some(numbers), Some(from), Some(to)) = (packet.numbers, packet.from, packet.to) {
            if numbers.syn {
                self.first.insert((from, to), numbers.seq);
            }
            // A reset that answers a first SYN has no number of its own.
            let first = self.first.get(&(from, to)).copied().unwrap_or(numbers.seq);
            seq = Some(numbers.seq.wrapping_sub(first));
            let theirs = self.first.get(&(to, from)).copied();
            ack = numbers.ack.map(|ack| theirs.map_or(0, |theirs| ack.wrapping_sub(theirs)));
        }
        let payload = &seen.bytes[packet.payload.clone()];
        Frame {
            number: 0,
            dir: if seen.from == 0 { (Host::A, Host::B) } else { (Host::B, Host::A) },
            from: packet.from.map(&name),
            to: packet.to.map(&name),
            proto: packet.proto.clone(),
            flags: packet.flags.clone(),
            seq,
            ack,
            payload: Data::new(payload),
            bytes: Data::new(&seen.bytes),
            remark: packet.remark.clone(),
            by_timer,
            after: None,
            held: None,
            fate,
        }
    }
}

impl Seen {
    /// Whether it is a TCP acknowledgement and nothing else.
    pub fn only_acknowledges(&self) -> bool {
        let plain = |numbers: Numbers| !numbers.syn && !numbers.fin && !numbers.rst && numbers.ack.is_some();
        self.packet.payload.is_empty() && self.packet.numbers.is_some_and(plain)
    }
}
