//! A frame taken apart: Ethernet, IPv4, and TCP, UDP or ICMP in it.
//!
//! What cannot be taken apart is told by its Ethernet type and its bytes; nothing is guessed.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

use crate::trace::{ArpMessage, Fragment, Proto, TcpFlags, Word};

/// What stands in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its protocol: the innermost header that could be parsed.
    pub proto: Proto,
    /// The source. Its port is 0 where the protocol has none. `None` without an IPv4 header: ARP's
    /// addresses are in `remark`.
    pub from: Option<SocketAddr>,
    /// The destination, likewise.
    pub to: Option<SocketAddr>,
    /// Which part of a packet it is, where that was cut.
    pub fragment: Option<Fragment>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The sequence number of its first byte, or of its SYN.
    pub seq: u32,
    /// The next byte that its sender expects. `None` without the flag ACK.
    pub ack: Option<u32>,
    /// Whether it opens a connection. A SYN takes one sequence number.
    pub syn: bool,
    /// Whether its sender sends no more. A FIN takes one sequence number.
    pub fin: bool,
    /// Whether it aborts the connection.
    pub rst: bool,
    /// The sender's clock in its timestamp, RFC 7323.
    pub clock: Option<u32>,
    /// Which bytes its sender has besides those that it acknowledges, RFC 2018: the first, and the one behind the last.
    pub sack: [Option<(u32, u32)>; 4],
}

impl Numbers {
    /// What it says of other bytes than the next one that it wants, with numbers counted from `first`: what it has
    /// besides, or, in the first place, what it had already and has come again, RFC 2883.
    pub fn has_besides(&self, first: u32) -> Option<Word> {
        let is_up_to = |number: u32, other: u32| other.wrapping_sub(number) as i32 >= 0;
        let within = |(from, to), (first, last)| is_up_to(first, from) && is_up_to(to, last);
        let again = self.sack[0].is_some_and(|block| {
            self.ack.is_some_and(|ack| is_up_to(block.1, ack)) || self.sack[1].is_some_and(|next| within(block, next))
        });
        let blocks =
            self.sack.into_iter().flatten().map(|(from, to)| (from.wrapping_sub(first), to.wrapping_sub(first)));
        let told = blocks.enumerate().map(|(index, (from, to))| {
            let word = if index == 0 && again { "dsack" } else { "sack" };
            format!("{word} {from}-{}", to.wrapping_sub(1))
        });
        let all: Vec<String> = told.collect();
        (!all.is_empty()).then(|| all.join("  ").into())
    }
}

impl Packet {
    /// Whether it is ARP's question.
    pub fn is_question(&self) -> bool {
        self.proto == Proto::Arp(Some(ArpMessage::Question))
    }
}

/// Takes a frame apart.
pub fn parse(frame: &[u8]) -> Packet {
    let kind = number(frame, 12);
    let plain = |proto: Proto, at: usize| Packet {
        proto,
        from: None,
        to: None,
        fragment: None,
        numbers: None,
        payload: at.min(frame.len())..frame.len(),
        remark: None,
        is_error: false,
    };
    match kind {
        Some(0x0800) => internet(frame, 14, Quoted::No).unwrap_or_else(|| plain(Proto::Ipv4, 14)),
        Some(0x0806) => resolution(frame, plain(Proto::Arp(None), 14)),
        // Below that a type is a length, IEEE 802.3.
        Some(..0x0600) => plain(Proto::Ieee8023, 14),
        Some(other) => plain(Proto::EtherType(other), 14),
        None => plain(Proto::Ethernet, 0),
    }
}

/// ARP's question and answer, RFC 826, of Ethernet for IPv4.
fn resolution(frame: &[u8], packet: Packet) -> Packet {
    match arp_message(frame) {
        Some((message, remark)) => Packet { proto: Proto::Arp(Some(message)), remark: Some(remark), ..packet },
        None => packet,
    }
}

fn arp_message(frame: &[u8]) -> Option<(ArpMessage, Word)> {
    if frame.get(14..20)? != [0, 1, 8, 0, 6, 4] {
        return None;
    }
    let (sender, target) = (address(frame, 28)?, address(frame, 38)?);
    match number(frame, 20)? {
        1 => Some((ArpMessage::Question, format!("who has {target}? tell {sender}").into())),
        2 => Some((ArpMessage::Answer, format!("{sender} is at {}", hardware(frame, 22)?).into())),
        _ => None,
    }
}

/// Whether a packet stands in an ICMP error, which quotes only its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    Yes,
}

/// An IPv4 packet that begins at `at`, RFC 791. `None` where its header contradicts itself or the frame.
fn internet(frame: &[u8], at: usize, quoted: Quoted) -> Option<Packet> {
    let first = *frame.get(at)?;
    let header = usize::from(first & 15) * 4;
    let len = usize::from(number(frame, at + 2)?);
    let is_there = at + if quoted == Quoted::Yes { header } else { len } <= frame.len();
    if first >> 4 != 4 || header < 20 || len < header || !is_there {
        return None;
    }
    let end = (at + len).min(frame.len());
    let fragment = number(frame, at + 6)?;
    let (offset, more) = (usize::from(fragment & 0x1FFF) * 8, fragment & 0x2000 != 0);
    let (from, to) = (address(frame, at + 12)?, address(frame, at + 16)?);
    let packet = Packet {
        proto: Proto::Ipv4,
        from: Some(SocketAddr::from((from, 0))),
        to: Some(SocketAddr::from((to, 0))),
        fragment: None,
        numbers: None,
        payload: at + header..end,
        remark: None,
        is_error: false,
    };
    if offset > 0 {
        let (which, fragment) = if more { ("fragment", Fragment::Middle) } else { ("last fragment", Fragment::Last) };
        let remark = Some(format!("{which}, from byte {offset} on").into());
        return Some(Packet { remark, fragment: Some(fragment), ..packet });
    }
    let packet = match more {
        true => Packet { remark: Some("first fragment".into()), fragment: Some(Fragment::First), ..packet },
        false => packet,
    };
    match (*frame.get(at + 9)?, quoted) {
        (6 | 17, Quoted::Yes) => with_ports(frame, packet),
        (1, Quoted::No) => control(frame, packet),
        (6, Quoted::No) => transmission(frame, packet),
        (17, Quoted::No) => datagram(frame, packet),
        (other, _) => Some(Packet { proto: Proto::Ip(other), ..packet }),
    }
}

/// RFC 9293.
fn transmission(frame: &[u8], packet: Packet) -> Option<Packet> {
    let segment = frame.get(packet.payload.clone())?;
    let header = usize::from(segment.get(12)? >> 4) * 4;
    if header < 20 {
        return None;
    }
    let options = segment.get(20..header)?;
    let bits = segment[13];
    let numbers = Numbers {
        seq: long(segment, 4)?,
        ack: if bits & 16 != 0 { Some(long(segment, 8)?) } else { None },
        syn: bits & 2 != 0,
        fin: bits & 1 != 0,
        rst: bits & 4 != 0,
        clock: option(options, TIMESTAMP).and_then(|body| long(body, 0)),
        sack: sack(option(options, SACK).unwrap_or_default()),
    };
    let payload = packet.payload.start + header..packet.payload.end;
    let proto = Proto::Tcp(TcpFlags(bits));
    Some(Packet { proto, numbers: Some(numbers), payload, ..with_ports(frame, packet)? })
}

const TIMESTAMP: u8 = 8;
const SACK: u8 = 5;

/// What stands in the option of this kind among a segment's options.
fn option(mut options: &[u8], kind: u8) -> Option<&[u8]> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    loop {
        match *options.first()? {
            END => return None,
            NOTHING => options = &options[1..],
            other => {
                // Its length counts its kind and itself.
                let len = usize::from(*options.get(1)?).max(2);
                if other == kind {
                    return options.get(2..len);
                }
                options = options.get(len..)?;
            }
        }
    }
}

/// Up to four pairs of numbers.
fn sack(body: &[u8]) -> [Option<(u32, u32)>; 4] {
    std::array::from_fn(|index| Some((long(body, index * 8)?, long(body, index * 8 + 4)?)))
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

/// RFC 768. A datagram whose first fragment this is may be longer.
fn datagram(frame: &[u8], packet: Packet) -> Option<Packet> {
    let Range { start, end } = packet.payload;
    let len = usize::from(number(frame.get(start..end)?, 4)?);
    let is_first = packet.fragment.is_some();
    if len < 8 || end - start < 8 || (len > end - start && !is_first) {
        return None;
    }
    let payload = start + 8..end.min(start + len);
    Some(Packet { proto: Proto::Udp, payload, ..with_ports(frame, packet)? })
}

/// RFC 792: errors carry the beginning of the packet that they are about.
fn control(frame: &[u8], packet: Packet) -> Option<Packet> {
    let at = packet.payload.start;
    let message = frame.get(packet.payload.clone())?;
    if message.len() < 8 {
        return None;
    }
    let (kind, code) = (message[0], message[1]);
    let is_error = matches!(kind, 3 | 11);
    let about = if is_error { internet(&frame[..packet.payload.end], at + 8, Quoted::Yes) } else { None };
    let (from, to) = match about {
        Some(about) => (about.to.or(packet.from), about.from.or(packet.to)),
        None => (packet.from, packet.to),
    };
    let payload = at + 8..packet.payload.end;
    Some(Packet { proto: Proto::Icmp { kind, code }, from, to, payload, is_error, ..packet })
}

/// The same with the ports, where TCP and UDP have them.
fn with_ports(frame: &[u8], packet: Packet) -> Option<Packet> {
    let inside = frame.get(packet.payload.clone())?;
    let (source, destination) = (number(inside, 0)?, number(inside, 2)?);
    let with = |address: Option<SocketAddr>, port| address.map(|address| SocketAddr::new(address.ip(), port));
    Some(Packet { from: with(packet.from, source), to: with(packet.to, destination), ..packet })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn hardware(bytes: &[u8], at: usize) -> Option<String> {
    let octets: Vec<String> = bytes.get(at..at + 6)?.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(octets.join(":"))
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: [u8; 12] = [2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a];

    /// An Ethernet frame.
    fn frame(kind: u16, payload: &[u8]) -> Vec<u8> {
        [&HEAD[..], &kind.to_be_bytes(), payload].concat()
    }

    /// An IPv4 packet from 10.0.0.1 to 10.0.0.2 with so many words of options, and its fragment field.
    fn ipv4(protocol: u8, options: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
        let len = (20 + 4 * usize::from(options) + payload.len()) as u16;
        let mut packet = vec![0x45 + options, 0];
        packet.extend(len.to_be_bytes());
        packet.extend([0, 7]);
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(std::iter::repeat_n(1, 4 * usize::from(options)));
        packet.extend(payload);
        packet
    }

    fn tcp(flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut segment = vec![0x80, 0, 0x23, 0x28];
        segment.extend(1000u32.to_be_bytes());
        segment.extend(2000u32.to_be_bytes());
        segment.extend([((20 + options.len()) as u8 / 4) << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(options);
        segment.extend(payload);
        segment
    }

    fn udp(len: usize, payload: &[u8]) -> Vec<u8> {
        let mut datagram = vec![0x80, 0, 0x23, 0x28];
        datagram.extend((len as u16).to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(payload);
        datagram
    }

    fn unreachable(about: &[u8]) -> Vec<u8> {
        [&[3, 3, 0, 0, 0, 0, 0, 0], about].concat()
    }

    fn address(text: &str) -> Option<SocketAddr> {
        Some(text.parse().expect("an address"))
    }

    /// All that is known of a frame that cannot be taken apart.
    fn plain(frame: &[u8]) -> (String, Range<usize>) {
        let packet = parse(frame);
        let nothing = (None, None, None, None, false);
        assert_eq!((packet.from, packet.to, packet.numbers, packet.remark, packet.is_error), nothing);
        (packet.proto.to_string(), packet.payload)
    }

    #[test]
    fn a_segment_is_taken_apart_with_options_of_ip_and_tcp() {
        const TIMESTAMP: [u8; 12] = [1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 0, 0];
        for options in 0..=10 {
            let bytes = frame(0x0800, &ipv4(6, options, 0x4000, &tcp(0x18, &TIMESTAMP, b"hello")));
            let packet = parse(&bytes);
            assert_eq!(packet.proto, Proto::Tcp(TcpFlags::PSH | TcpFlags::ACK));
            assert_eq!((packet.from, packet.to), (address("10.0.0.1:32768"), address("10.0.0.2:9000")));
            let expected = Numbers { seq: 1000, ack: Some(2000), clock: Some(0x0102), ..Numbers::default() };
            assert_eq!(packet.numbers, Some(expected));
            assert_eq!(&bytes[packet.payload], b"hello");
        }
    }

    #[test]
    fn a_segment_says_what_its_sender_has_besides() {
        let says = |blocks: &[(u32, u32)]| {
            let mut options = vec![1, 1, 5, 2 + 8 * blocks.len() as u8];
            options.extend(blocks.iter().flat_map(|(from, to)| [from.to_be_bytes(), to.to_be_bytes()].concat()));
            let packet = parse(&frame(0x0800, &ipv4(6, 0, 0, &tcp(16, &options, b""))));
            // It acknowledges 2000, which is 10 where the connection began at 1990.
            packet.numbers.and_then(|numbers| numbers.has_besides(1990)).map(Word::into_owned)
        };
        assert_eq!(says(&[]), None);
        assert_eq!(says(&[(2010, 2015)]).as_deref(), Some("sack 20-24"));
        let four = [(2010, 2011), (2050, 2060), (2030, 2040), (2020, 2025)];
        assert_eq!(says(&four).as_deref(), Some("sack 20-20  sack 60-69  sack 40-49  sack 30-34"));
        // What came again, RFC 2883, 4: behind the acknowledged number, or within what is there besides.
        assert_eq!(says(&[(1995, 2000)]).as_deref(), Some("dsack 5-9"));
        assert_eq!(says(&[(1995, 2000), (2010, 2015)]).as_deref(), Some("dsack 5-9  sack 20-24"));
        assert_eq!(says(&[(2012, 2014), (2010, 2015)]).as_deref(), Some("dsack 22-23  sack 20-24"));
        assert_eq!(says(&[(2016, 2018), (2010, 2015)]).as_deref(), Some("sack 26-27  sack 20-24"));
    }

    #[test]
    fn options_that_contradict_themselves_say_nothing() {
        for options in [[8, 10, 0, 0], [5, 0, 0, 0], [5, 40, 0, 0], [1, 1, 1, 5], [8, 2, 0, 7], [8, 1, 8, 1]] {
            let packet = parse(&frame(0x0800, &ipv4(6, 0, 0, &tcp(16, &options, b"hello"))));
            let numbers = packet.numbers.expect("numbers");
            assert_eq!((numbers.clock, numbers.sack), (None, [None; 4]), "{options:?}");
        }
    }

    #[test]
    fn an_ack_number_without_its_flag_is_none() {
        let packet = parse(&frame(0x0800, &ipv4(6, 0, 0, &tcp(2, &[], b""))));
        assert_eq!(packet.proto, Proto::Tcp(TcpFlags::SYN));
        assert_eq!(packet.numbers.and_then(|numbers| numbers.ack), None);
    }

    #[test]
    fn what_pads_a_short_frame_is_no_payload() {
        let mut bytes = frame(0x0800, &ipv4(17, 0, 0, &udp(10, b"hi")));
        bytes.resize(60, 0);
        assert_eq!(&bytes[parse(&bytes).payload], b"hi");
        let mut bytes = frame(0x0800, &ipv4(6, 0, 0, &tcp(16, &[], b"")));
        bytes.resize(60, 0);
        assert!(parse(&bytes).payload.is_empty());
    }

    #[test]
    fn fragments_are_told_by_where_they_begin() {
        const MORE: u16 = 0x2000;
        let of = |fragment, payload: &[u8]| {
            let packet = parse(&frame(0x0800, &ipv4(17, 0, fragment, payload)));
            (packet.proto.to_string(), packet.remark.map(Word::into_owned), packet.payload.len())
        };
        let told = |proto: &str, remark: &str, len| (proto.to_owned(), Some(remark.to_owned()), len);
        assert_eq!(of(MORE, &udp(1508, &[7; 1472])), told("UDP", "first fragment", 1472));
        assert_eq!(of(MORE | 185, &[7; 800]), told("IPv4", "fragment, from byte 1480 on", 800));
        assert_eq!(of(285, &[7; 28]), told("IPv4", "last fragment, from byte 2280 on", 28));
    }

    #[test]
    fn an_icmp_error_has_the_ends_of_the_packet_that_it_is_about() {
        // Eight bytes behind the inner header are enough, RFC 792.
        for inner in [ipv4(17, 0, 0, &udp(13, b"")), ipv4(6, 3, 0, &tcp(2, &[], b"")[..8])] {
            let mut inner = inner;
            inner[2..4].copy_from_slice(&1500u16.to_be_bytes()); // it was longer
            let packet = parse(&frame(0x0800, &ipv4(1, 0, 0, &unreachable(&inner))));
            assert_eq!(packet.proto, Proto::Icmp { kind: 3, code: 3 });
            assert_eq!((packet.from, packet.to), (address("10.0.0.2:9000"), address("10.0.0.1:32768")));
            assert!(packet.is_error);
        }
    }

    #[test]
    fn an_icmp_error_about_something_strange_has_the_ends_of_its_own() {
        let own = (address("10.0.0.1:0"), address("10.0.0.2:0"));
        for inner in [&b""[..], &[0x45], &ipv4(17, 0, 0, b"")[..19], &[0x65; 40]] {
            let packet = parse(&frame(0x0800, &ipv4(1, 0, 0, &unreachable(inner))));
            assert_eq!((packet.from, packet.to), own, "{inner:?}");
        }
    }

    #[test]
    fn errors_about_errors_about_errors_come_to_an_end() {
        let header = [0x45, 0, 0xff, 0xff, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let about = [&header[..], &unreachable(&[])].concat();
        assert_eq!(parse(&frame(0x0800, &ipv4(1, 0, 0, &unreachable(&about.repeat(2000))))).proto.to_string(), "ICMP");
    }

    #[test]
    fn other_types_are_told_by_their_type() {
        let told = |kind| plain(&frame(kind, &[7; 46]));
        assert_eq!(told(0x8100), ("type 0x8100".to_owned(), 14..60)); // VLAN
        assert_eq!(told(0x86dd), ("type 0x86dd".to_owned(), 14..60)); // IPv6
        assert_eq!(told(0x88b5), ("type 0x88b5".to_owned(), 14..60));
        assert_eq!(told(46), ("802.3".to_owned(), 14..60));
        assert_eq!(plain(&HEAD), ("Ethernet".to_owned(), 0..12));
        assert_eq!(plain(&[]), ("Ethernet".to_owned(), 0..0));
        let sctp = parse(&frame(0x0800, &ipv4(132, 0, 0, b"hello")));
        assert_eq!((sctp.proto, sctp.payload), (Proto::Ip(132), 34..39));
    }

    #[test]
    fn arp_is_told_only_for_ethernet_and_ipv4() {
        let body = |hardware: u8, what: u8| {
            let header = [0, hardware, 8, 0, 6, 4, 0, what];
            let sender = [2, 0, 0, 0, 0, 0x0a, 10, 0, 0, 1];
            frame(0x0806, &[&header[..], &sender, &[0; 6], &[10, 0, 0, 2]].concat())
        };
        let remark = |hardware, what| parse(&body(hardware, what)).remark.map(Word::into_owned);
        assert_eq!(remark(1, 1).as_deref(), Some("who has 10.0.0.2? tell 10.0.0.1"));
        assert_eq!(remark(1, 2).as_deref(), Some("10.0.0.1 is at 02:00:00:00:00:0a"));
        assert_eq!((remark(1, 3), remark(6, 1)), (None, None));
        assert_eq!(parse(&body(1, 1)[..41]).remark, None);
    }

    #[test]
    fn a_head_that_contradicts_itself_or_its_frame_is_not_believed() {
        let good = frame(0x0800, &ipv4(17, 0, 0, &udp(13, b"hello")));
        assert_eq!(parse(&good).proto, Proto::Udp);
        let segment = frame(0x0800, &ipv4(6, 0, 0, &tcp(16, &[], b"")));
        let changed = |bytes: &[u8], at: usize, to: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[at..at + to.len()].copy_from_slice(to);
            plain(&bytes).0
        };
        let wrong = [
            changed(&good, 14, &[0x65]),                     // another version
            changed(&good, 14, &[0x44]),                     // a header of 16 bytes
            changed(&good, 14, &[0x4f]),                     // a header longer than the packet
            changed(&good, 16, &[0, 19]),                    // a packet shorter than its header
            changed(&good, 16, &[0x05, 0xdc]),               // a packet longer than the frame
            changed(&good, 38, &[0, 7]),                     // a datagram shorter than its header
            changed(&good, 38, &[0, 14]),                    // a datagram longer than its packet
            changed(&segment, 46, &[0x40]),                  // a segment with a header of 16 bytes
            changed(&segment, 46, &[0xf0]),                  // a segment shorter than its header
            changed(&good, 23, &[6]),                        // no room for a segment
            changed(&good, 16, &[0, 24, 0, 0, 0, 0, 64, 1]), // no room for an ICMP message
        ];
        assert_eq!(wrong, ["IPv4"; 11]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_for_something_and_the_payload_is_in_them(bytes in any_frame()) {
            let packet = parse(&bytes);
            prop_assert!(packet.payload.start <= packet.payload.end && packet.payload.end <= bytes.len());
            prop_assert!(!packet.proto.to_string().is_empty());
            prop_assert_eq!(packet.numbers.is_some(), matches!(packet.proto, Proto::Tcp(_)));
            prop_assert_eq!(packet.from.is_some(), packet.to.is_some());
        }

        #[test]
        fn a_truncated_frame_is_never_taken_for_the_whole_one(
            payload in proptest::collection::vec(any::<u8>(), 0..200),
            is_tcp in any::<bool>(),
            cut in any::<proptest::sample::Index>(),
        ) {
            let inside = if is_tcp { tcp(24, &[], &payload) } else { udp(payload.len() + 8, &payload) };
            let bytes = frame(0x0800, &ipv4(if is_tcp { 6 } else { 17 }, 0, 0, &inside));
            prop_assert_eq!(&bytes[parse(&bytes).payload], &payload[..]);
            let short = &bytes[..cut.index(bytes.len())];
            let (proto, rest) = plain(short);
            prop_assert_eq!(proto, if short.len() < 14 { "Ethernet" } else { "IPv4" });
            prop_assert_eq!(rest.end, short.len());
        }
    }

    /// Bytes of all kinds, and frames in which a few bytes are wrong.
    fn any_frame() -> impl Strategy<Value = Vec<u8>> {
        let noise = proptest::collection::vec(any::<u8>(), 0..200);
        let kinds = proptest::sample::select(vec![
            frame(0x0800, &ipv4(6, 0, 0, &tcp(24, &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0], b"hello"))),
            frame(0x0800, &ipv4(17, 2, 0, &udp(13, b"hello"))),
            frame(0x0800, &ipv4(1, 0, 0, &unreachable(&ipv4(17, 0, 0, &udp(13, b"hello"))))),
            frame(0x0806, &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 10, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2]),
        ]);
        let wrong = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4);
        let nearly = (kinds, wrong, any::<proptest::sample::Index>()).prop_map(|(mut bytes, wrong, cut)| {
            for (at, byte) in wrong {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(2 * bytes.len()));
            bytes
        });
        prop_oneof![noise, nearly]
    }
}
