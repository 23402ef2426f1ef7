//! What a frame says: which protocol, from whom to whom, and what it carries.
//!
//! What cannot be taken apart is told by its Ethernet type and its bytes; nothing is guessed.

use std::net::SocketAddr;
use std::ops::Range;

use super::headers::{self, Arp, Ethernet, Icmp, Ipv4, Tcp, TcpOption, Transport, Udp};
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
    /// How much more its sender can take, before scaling.
    pub window: u16,
    /// By how much, in powers of 2, a SYN's sender scales its windows from now on, RFC 7323.
    pub scale: Option<u8>,
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
    let Some(ethernet) = Ethernet::parse(frame) else { return plain(Proto::Ethernet, 0..frame.len()) };
    let payload = Ethernet::LEN..frame.len();
    match ethernet.kind() {
        headers::IPV4 => ethernet.ipv4().and_then(|ip| internet(&ip)).unwrap_or_else(|| plain(Proto::Ipv4, payload)),
        headers::ARP => resolution(ethernet.arp(), payload),
        // Below that a type is a length, IEEE 802.3.
        ..0x0600 => plain(Proto::Ieee8023, payload),
        other => plain(Proto::EtherType(other), payload),
    }
}

/// A frame of which only its protocol is known.
fn plain(proto: Proto, payload: Range<usize>) -> Packet {
    let (from, to, fragment, numbers, remark) = (None, None, None, None, None);
    Packet { proto, from, to, fragment, numbers, payload, remark, is_error: false }
}

/// ARP's question and answer, of Ethernet for IPv4.
fn resolution(arp: Option<Arp<'_>>, payload: Range<usize>) -> Packet {
    let told = arp.filter(|arp| (arp.hardware_kind(), arp.protocol()) == (1, headers::IPV4)).and_then(|arp| {
        let [(hardware, sender), (_, target)] = arp.addresses()?;
        match arp.operation() {
            1 => Some((ArpMessage::Question, format!("who has {target}? tell {sender}").into())),
            2 => Some((ArpMessage::Answer, format!("{sender} is at {}", hardware_name(hardware)).into())),
            _ => None,
        }
    });
    let (message, remark) = told.unzip();
    Packet { remark, ..plain(Proto::Arp(message), payload) }
}

/// `None` where the packet contradicts itself or the frame.
fn internet(ip: &Ipv4<'_>) -> Option<Packet> {
    let start = Ethernet::LEN + ip.header_len();
    let (source, destination) = ip.ports().unwrap_or_default();
    let packet = Packet {
        from: Some(SocketAddr::from((ip.source(), source))),
        to: Some(SocketAddr::from((ip.destination(), destination))),
        ..plain(Proto::Ipv4, start..start + ip.payload.len())
    };
    let (fragment, remark) = fragment(ip).unzip();
    let packet = Packet { fragment, remark, ..packet };
    match ip.transport() {
        _ if !ip.is_whole => None,
        Transport::Broken => None,
        Transport::Fragment => Some(packet),
        Transport::Other(number) => Some(Packet { proto: Proto::Ip(number), ..packet }),
        Transport::Icmp(icmp) => Some(control(&icmp, packet)),
        Transport::Tcp(tcp) => Some(transmission(&tcp, packet)),
        Transport::Udp(udp) => datagram(&udp, packet),
    }
}

/// Which part of a packet it is, where that was cut.
fn fragment(ip: &Ipv4<'_>) -> Option<(Fragment, Word)> {
    match (ip.offset(), ip.has_more()) {
        (0, false) => None,
        (0, true) => Some((Fragment::First, "first fragment".into())),
        (offset, true) => Some((Fragment::Middle, format!("fragment, from byte {offset} on").into())),
        (offset, false) => Some((Fragment::Last, format!("last fragment, from byte {offset} on").into())),
    }
}

fn transmission(tcp: &Tcp<'_>, packet: Packet) -> Packet {
    let flags = tcp.flags();
    let numbers = Numbers {
        seq: tcp.seq(),
        ack: tcp.ack(),
        syn: flags.contains(TcpFlags::SYN),
        fin: flags.contains(TcpFlags::FIN),
        rst: flags.contains(TcpFlags::RST),
        clock: tcp.option(TcpOption::TIMESTAMPS).and_then(|body| long(body, 0)),
        window: tcp.window(),
        scale: tcp.option(TcpOption::WINDOW_SCALE).and_then(|body| body.first().copied()),
        sack: sack(tcp.option(TcpOption::SACK).unwrap_or_default()),
    };
    let payload = packet.payload.start + tcp.header_len()..packet.payload.end;
    Packet { proto: Proto::Tcp(flags), numbers: Some(numbers), payload, ..packet }
}

/// At most four pairs of numbers.
fn sack(body: &[u8]) -> [Option<(u32, u32)>; 4] {
    std::array::from_fn(|index| Some((long(body, index * 8)?, long(body, index * 8 + 4)?)))
}

/// What the options of a TCP segment offer, in words and in the order of their numbers: RFC 9293, 3.1, RFC 7323 and
/// RFC 2018.
///
/// By how much the window is scaled depends on how much memory a machine gives to its sockets: it is left to the bytes.
pub fn offers(frame: &[u8]) -> Option<Word> {
    let Transport::Tcp(tcp) = Ethernet::parse(frame)?.ipv4()?.transport() else { return None };
    let offered = tcp.options().filter(|option| !matches!(option.kind, TcpOption::END | TcpOption::NOP));
    let mut all: Vec<(u8, String)> = offered.map(|option| (option.kind, offer(&option))).collect();
    all.sort();
    let words: Vec<String> = all.into_iter().map(|(_, words)| words).collect();
    (!words.is_empty()).then(|| words.join(", ").into())
}

fn offer(option: &TcpOption<'_>) -> String {
    match (option.kind, option.body()) {
        (TcpOption::MSS, [high, low]) => format!("MSS {}", u16::from_be_bytes([*high, *low])),
        (TcpOption::WINDOW_SCALE, _) => "window scale".to_owned(),
        (TcpOption::SACK_PERMITTED, _) => "SACK".to_owned(),
        (TcpOption::TIMESTAMPS, _) => "timestamps".to_owned(),
        (other, _) => format!("option {other}"),
    }
}

/// A datagram whose first fragment this is may be longer.
fn datagram(udp: &Udp<'_>, packet: Packet) -> Option<Packet> {
    let len = usize::from(udp.total_len()).checked_sub(Udp::LEN)?;
    if len > udp.payload.len() && packet.fragment.is_none() {
        return None;
    }
    let start = packet.payload.start + Udp::LEN;
    Some(Packet { proto: Proto::Udp, payload: start..start + len.min(udp.payload.len()), ..packet })
}

/// An error has the ends of the packet that it is about, the other way round.
fn control(icmp: &Icmp<'_>, packet: Packet) -> Packet {
    let proto = Proto::Icmp { kind: icmp.kind(), code: icmp.code() };
    let payload = packet.payload.start + Icmp::LEN..packet.payload.end;
    let packet = Packet { proto, payload, is_error: icmp.is_error(), ..packet };
    match icmp.quoted() {
        Some(about) => {
            let (source, destination) = about.ports().unwrap_or_default();
            let from = Some(SocketAddr::from((about.destination(), destination)));
            Packet { from, to: Some(SocketAddr::from((about.source(), source))), ..packet }
        }
        None => packet,
    }
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn hardware_name(octets: [u8; 6]) -> String {
    octets.map(|byte| format!("{byte:02x}")).join(":")
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

    /// An IPv4 packet from 10.0.0.1 to 10.0.0.2 with `options` words of options, and its fragment field.
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
            let expected =
                Numbers { seq: 1000, ack: Some(2000), clock: Some(0x0102), window: 0xffff, ..Numbers::default() };
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
