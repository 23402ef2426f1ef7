//! A frame taken apart: Ethernet, IPv4, and TCP, UDP or ICMP in it.
//!
//! What cannot be taken apart is told by its Ethernet type and its bytes; nothing is guessed.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

use crate::trace::Word;

/// What stands in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub proto: Word,
    /// The addresses, with ports where there are any.
    pub from: Option<SocketAddr>,
    pub to: Option<SocketAddr>,
    pub flags: Word,
    /// A TCP segment's numbers.
    pub numbers: Option<Numbers>,
    /// Where in the frame the payload is.
    pub payload: Range<usize>,
    /// What else is to be said of it.
    pub remark: Option<Word>,
    /// Whether it answers, by an error, a packet that came from the port `to`.
    pub is_error: bool,
}

/// The numbers of a TCP segment, as the kernel chose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    pub seq: u32,
    pub ack: Option<u32>,
    pub syn: bool,
    pub fin: bool,
    pub rst: bool,
    /// The sender's clock in its timestamp, RFC 7323.
    pub clock: Option<u32>,
}

const FLAGS: [(u8, &str); 8] =
    [(2, "SYN"), (1, "FIN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG"), (64, "ECE"), (128, "CWR")];

/// Takes a frame apart.
pub fn parse(frame: &[u8]) -> Packet {
    let kind = number(frame, 12);
    let plain = |proto: Word, at: usize| Packet {
        proto,
        from: None,
        to: None,
        flags: "".into(),
        numbers: None,
        payload: at.min(frame.len())..frame.len(),
        remark: None,
        is_error: false,
    };
    match kind {
        Some(0x0800) => internet(frame, 14).unwrap_or_else(|| plain("IPv4".into(), 14)),
        Some(0x0806) => Packet { remark: question(frame), ..plain("ARP".into(), 14) },
        Some(other) => plain(format!("type 0x{other:04x}").into(), 14),
        None => plain("Ethernet".into(), 0),
    }
}

/// ARP's question and answer, RFC 826.
fn question(frame: &[u8]) -> Option<Word> {
    let (sender, target) = (address(frame, 28)?, address(frame, 38)?);
    Some(match number(frame, 20)? {
        1 => format!("who has {target}? tell {sender}").into(),
        _ => format!("{sender} is here").into(),
    })
}

/// An IPv4 packet that begins at `at`, RFC 791.
fn internet(frame: &[u8], at: usize) -> Option<Packet> {
    let head = usize::from(frame.get(at)? & 15) * 4;
    let end = (at + usize::from(number(frame, at + 2)?)).min(frame.len());
    let fragment = number(frame, at + 6)?;
    let (offset, more) = (usize::from(fragment & 0x1FFF) * 8, fragment & 0x2000 != 0);
    let (from, to) = (address(frame, at + 12)?, address(frame, at + 16)?);
    let inside = at + head;
    let packet = Packet {
        proto: "IPv4".into(),
        from: Some(SocketAddr::from((from, 0))),
        to: Some(SocketAddr::from((to, 0))),
        flags: "".into(),
        numbers: None,
        payload: inside.min(end)..end,
        remark: None,
        is_error: false,
    };
    if offset > 0 {
        let which = if more { "fragment" } else { "last fragment" };
        return Some(Packet { remark: Some(format!("{which}, from byte {offset} on").into()), ..packet });
    }
    let remark = more.then(|| "first fragment".into());
    let packet = Packet { remark, ..packet };
    match *frame.get(at + 9)? {
        1 => control(frame, packet),
        6 => transmission(frame, inside, packet),
        17 => datagram(frame, inside, packet),
        other => Some(Packet { proto: format!("IP protocol {other}").into(), ..packet }),
    }
}

/// RFC 9293.
fn transmission(frame: &[u8], at: usize, packet: Packet) -> Option<Packet> {
    let head = usize::from(frame.get(at + 12)? >> 4) * 4;
    let bits = *frame.get(at + 13)?;
    let flags: Vec<&str> = FLAGS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    let numbers = Numbers {
        seq: long(frame, at + 4)?,
        ack: if bits & 16 != 0 { Some(long(frame, at + 8)?) } else { None },
        syn: bits & 2 != 0,
        fin: bits & 1 != 0,
        rst: bits & 4 != 0,
        clock: frame.get(at + 20..at + head).and_then(clock),
    };
    let end = packet.payload.end;
    Some(Packet {
        proto: "TCP".into(),
        flags: flags.join(",").into(),
        numbers: Some(numbers),
        payload: (at + head).min(end)..end,
        ..with_ports(frame, at, packet)?
    })
}

/// The first number of a timestamp among a segment's options.
fn clock(mut options: &[u8]) -> Option<u32> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const TIMESTAMP: u8 = 8;
    loop {
        match *options.first()? {
            END => return None,
            NOTHING => options = &options[1..],
            TIMESTAMP => return long(options, 2),
            // Its length counts its kind and itself.
            _ => options = options.get(usize::from(*options.get(1)?).max(2)..)?,
        }
    }
}

/// What a segment's options offer, in words and in the order of their numbers: RFC 9293, 3.1, RFC 7323 and RFC 2018.
///
/// By how much the window is scaled depends on how much memory a machine gives to its sockets: it is left to the bytes.
pub fn offers(frame: &[u8], packet: &Packet) -> Option<Word> {
    let ip = 14;
    let tcp = ip + usize::from(frame.get(ip)? & 15) * 4;
    let mut rest = frame.get(tcp + 20..packet.payload.start)?;
    let mut all = Vec::new();
    while let Some(kind) = rest.first().copied().filter(|kind| *kind != 0) {
        if kind == 1 {
            rest = &rest[1..];
            continue;
        }
        all.push(match kind {
            2 => (kind, format!("MSS {}", number(rest, 2)?)),
            3 => (kind, "window scale".to_owned()),
            4 => (kind, "SACK".to_owned()),
            8 => (kind, "timestamps".to_owned()),
            other => (kind, format!("option {other}")),
        });
        rest = rest.get(usize::from(*rest.get(1)?).max(2)..)?;
    }
    all.sort();
    let words: Vec<String> = all.into_iter().map(|(_, words)| words).collect();
    (!words.is_empty()).then(|| words.join(", ").into())
}

/// RFC 768.
fn datagram(frame: &[u8], at: usize, packet: Packet) -> Option<Packet> {
    let end = packet.payload.end;
    Some(Packet { proto: "UDP".into(), payload: (at + 8).min(end)..end, ..with_ports(frame, at, packet)? })
}

/// RFC 792: errors carry the beginning of the packet that they are about.
fn control(frame: &[u8], packet: Packet) -> Option<Packet> {
    let at = packet.payload.start;
    let (kind, code) = (*frame.get(at)?, *frame.get(at + 1)?);
    let what: Word = match (kind, code) {
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
    };
    let is_error = matches!(kind, 3 | 11);
    let about = if is_error { internet(frame, at + 8) } else { None };
    let (from, to) = match about {
        Some(about) => (about.to.or(packet.from), about.from.or(packet.to)),
        None => (packet.from, packet.to),
    };
    let payload = (at + 8).min(packet.payload.end)..packet.payload.end;
    Some(Packet { proto: "ICMP".into(), flags: what, from, to, payload, is_error, ..packet })
}

fn with_ports(frame: &[u8], at: usize, packet: Packet) -> Option<Packet> {
    let (source, destination) = (number(frame, at)?, number(frame, at + 2)?);
    let with = |address: Option<SocketAddr>, port| address.map(|address| SocketAddr::new(address.ip(), port));
    Some(Packet { from: with(packet.from, source), to: with(packet.to, destination), ..packet })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}
