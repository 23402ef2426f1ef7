//! A frame taken apart byte by byte: every field of Ethernet, ARP, IPv4, UDP, TCP and ICMP, and what it means.
//!
//! Invariant: the fields are the frame. Each of its bytes is in one of them, in its place; what cannot be taken apart
//! is one field. What varies from run to run is said so, and its meaning is told without it.

use std::net::{Ipv4Addr, SocketAddr};

use super::headers::{self, Arp, Ethernet, Icmp, Ipv4, Tcp, TcpOption, Transport, Udp};
use crate::trace::{Data, Field, Layer, TcpFlags, Word, icmp_meaning};

/// Takes a frame apart. `name` says what an address with a port is called: one that varies ends in `:port`.
pub fn take_apart(frame: &[u8], name: &dyn Fn(SocketAddr) -> String) -> Vec<Layer> {
    let mut table = Table { frame, at: 0, quoted: false, layers: Vec::new(), name };
    if let Some(ethernet) = Ethernet::parse(frame) {
        table.ethernet(&ethernet);
    }
    table.layer_of("rest", frame.len() - table.at);
    table.layers
}

/// The fields of the headers so far.
struct Table<'a> {
    frame: &'a [u8],
    /// Where the next field begins.
    at: usize,
    /// Whether this is the packet that an ICMP error is about.
    quoted: bool,
    layers: Vec<Layer>,
    name: &'a dyn Fn(SocketAddr) -> String,
}

impl Table<'_> {
    fn ethernet(&mut self, ethernet: &Ethernet<'_>) {
        let [destination, source] = ethernet.addresses();
        let kind = ethernet.kind();
        let protocol = match kind {
            headers::IPV4 => "IPv4",
            headers::ARP => "ARP",
            0x86DD => "IPv6",
            _ => "another protocol",
        };
        self.begin("Ethernet");
        self.field(6, "destination", about_hardware(destination));
        self.field(6, "source", about_hardware(source));
        self.field(2, "type", format!("0x{kind:04x}, {protocol}"));
        if let Some(arp) = ethernet.arp() {
            self.resolution(&arp);
        }
        if let Some(ip) = ethernet.ipv4() {
            self.internet(&ip);
            // What a card has added to a short packet.
            self.layer_of("padding", self.frame.len() - self.at);
        }
    }

    fn resolution(&mut self, arp: &Arp<'_>) {
        let (protocol, (hardware_len, address_len)) = (arp.protocol(), arp.lens());
        let is_question = arp.operation() == 1;
        self.begin("ARP");
        self.field(2, "hardware", if arp.hardware_kind() == 1 { "Ethernet" } else { "another kind" });
        self.field(2, "protocol", format!("0x{protocol:04x}{}", if protocol == headers::IPV4 { ", IPv4" } else { "" }));
        self.field(1, "length of a MAC", format!("{hardware_len} bytes"));
        self.field(1, "length of an IP address", format!("{address_len} bytes"));
        self.field(
            2,
            "operation",
            match arp.operation() {
                1 => "1, a question".to_owned(),
                2 => "2, an answer".to_owned(),
                other => other.to_string(),
            },
        );
        let Some([sender, target]) = arp.addresses().filter(|_| arp.operation() <= 2) else { return };
        self.field(6, "sender's MAC", about_hardware(sender.0));
        self.field(4, "sender's IP address", sender.1.to_string());
        self.field(6, "target's MAC", if is_question { "what is asked for" } else { about_hardware(target.0) });
        self.field(4, "target's IP address", target.1.to_string());
    }

    /// A packet, and all behind its header up to its end.
    fn internet(&mut self, ip: &Ipv4<'_>) {
        let end = self.at + ip.header_len() + ip.payload.len();
        let (protocol, total) = (ip.protocol(), ip.total_len());
        let inside = match protocol {
            headers::ICMP => "ICMP",
            headers::TCP => "TCP",
            headers::UDP => "UDP",
            _ => "another protocol",
        };
        let identification = if ip.is_not_to_be_cut() { "not needed" } else { "the same in all its fragments" };
        self.begin("IPv4");
        self.field(1, "version, length", format!("version 4, {}-byte header", ip.header_len()));
        self.field(1, "DS field", if ip.service() == 0xC0 { "CS6, network control" } else { "" });
        self.field(2, "total length", format!("{total} bytes, this header and all behind it"));
        // Kernels do not agree on what they put where it is not needed.
        self.varying(2, "identification", identification);
        self.field(2, "flags, offset", position(ip));
        self.field(1, "time to live", format!("at most {} routers", ip.time_to_live()));
        self.field(1, "protocol", format!("{protocol}, {inside}"));
        self.checksum("header checksum", ip.has_correct_checksum(), true);
        self.field(4, "source", ip.source().to_string());
        self.field(4, "destination", ip.destination().to_string());
        self.field(ip.options.len(), "options", "");
        match ip.transport() {
            Transport::Fragment => self.layer_of("payload", ip.payload.len()),
            Transport::Icmp(icmp) => self.control(&icmp),
            Transport::Tcp(tcp) => self.transmission(&tcp, ip),
            Transport::Udp(udp) => self.datagram(&udp, ip),
            Transport::Other(_) | Transport::Broken => {}
        }
        self.layer_of("rest", end - self.at);
    }

    fn datagram(&mut self, udp: &Udp<'_>, ip: &Ipv4<'_>) {
        let payload_len = usize::from(udp.total_len()).saturating_sub(Udp::LEN);
        self.begin("UDP");
        let varies = self.ports(ip);
        self.field(2, "length", format!("{} bytes: 8 of this header, {payload_len} of payload", udp.total_len()));
        match udp.checksum() {
            0 => self.field(2, "checksum", "none"),
            _ if ip.is_whole && !ip.has_more() => self.checksum("checksum", udp.has_correct_checksum(ip), varies),
            _ => self.push(2, "checksum", "of the whole datagram, all its fragments".into(), varies),
        }
        self.layer_of("payload", udp.payload.len());
    }

    fn transmission(&mut self, tcp: &Tcp<'_>, ip: &Ipv4<'_>) {
        let is_syn = tcp.flags().contains(TcpFlags::SYN);
        self.begin("TCP");
        self.ports(ip);
        let first = if is_syn { "where the sender begins to count" } else { "of its first byte" };
        self.varying(4, "sequence number", first);
        match tcp.ack() {
            Some(_) => self.varying(4, "acknowledgement number", "of the byte that is wanted next"),
            None => self.field(4, "acknowledgement number", "none"),
        }
        self.field(1, "data offset", format!("{}-byte header", tcp.header_len()));
        let flags: Vec<&str> = tcp.flags().names().collect();
        self.field(1, "flags", flags.join(", "));
        match is_syn {
            true => self.field(2, "window", format!("{} bytes may be sent to it", tcp.window())),
            false => self.varying(2, "window", "how much may be sent to it, to be scaled"),
        }
        self.checksum("checksum", tcp.has_correct_checksum(ip), true);
        self.field(2, "urgent pointer", "");
        let mut options = tcp.options();
        for option in options.by_ref() {
            self.option(&option);
        }
        self.field(options.rest.len(), "options", "");
        self.layer_of("payload", tcp.payload.len());
    }

    fn option(&mut self, option: &TcpOption<'_>) {
        let len = option.bytes.len();
        match (option.kind, option.body()) {
            (TcpOption::END, _) => self.field(len, "option: end of the list", ""),
            (TcpOption::NOP, _) => self.field(len, "option: NOP", "padding"),
            (TcpOption::MSS, [high, low]) => {
                self.field(len, "option: MSS", format!("{} bytes", u16::from_be_bytes([*high, *low])));
            }
            // The machine's own limits of buffers decide it.
            (TcpOption::WINDOW_SCALE, [_]) => {
                self.varying(len, "option: window scale", "a power of 2 for the windows");
            }
            (TcpOption::SACK_PERMITTED, []) => {
                self.field(len, "option: SACK permitted", "selective acknowledgements");
            }
            (TcpOption::SACK, _) => self.varying(len, "option: SACK", "what has come behind a gap"),
            (TcpOption::TIMESTAMPS, [_, _, _, _, _, _, _, _]) => {
                self.varying(len, "option: timestamps", "its clock, and the other's last");
            }
            (kind, _) => self.field(len, "option", format!("kind {kind}")),
        }
    }

    fn control(&mut self, icmp: &Icmp<'_>) {
        let (kind, code) = (icmp.kind(), icmp.code());
        let is_unreachable = kind == Icmp::UNREACHABLE;
        self.begin("ICMP");
        self.field(1, "type", format!("{kind}{}", if is_unreachable { ", destination unreachable" } else { "" }));
        self.field(1, "code", format!("{code}, {}", icmp_meaning(kind, code)));
        // It is a sum over what varies in the packet that is quoted, too.
        self.checksum("checksum", icmp.has_correct_checksum(), true);
        match (kind, code) {
            (Icmp::UNREACHABLE, 4) => self.field(4, "next-hop MTU", format!("{} bytes", icmp.mtu())),
            _ if icmp.is_error() => self.field(4, "unused", ""),
            _ => self.varying(4, "identifier, number", ""),
        }
        match icmp.quoted() {
            // A packet that is quoted quotes none itself.
            Some(about) if !self.quoted => {
                self.quoted = true;
                self.internet(&about);
                self.quoted = false;
            }
            None if icmp.is_error() => {}
            _ => self.layer_of("payload", icmp.payload.len()),
        }
    }

    /// The two ports of a header. Whether one of them varies.
    fn ports(&mut self, ip: &Ipv4<'_>) -> bool {
        let (source, destination) = ip.ports().unwrap_or_default();
        let ends = [("source port", ip.source(), source), ("destination port", ip.destination(), destination)];
        ends.into_iter().fold(false, |varies, (name, address, port)| self.port(name, address, port) || varies)
    }

    /// Whether it varies.
    fn port(&mut self, name: &'static str, address: Ipv4Addr, port: u16) -> bool {
        let called = (self.name)(SocketAddr::from((address, port)));
        let varies = called.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err());
        let says = if varies { called } else { format!("{port}, {called}") };
        self.push(2, name, says.into(), varies);
        varies
    }

    /// A checksum: whether the bytes that it is about add up to what they must.
    fn checksum(&mut self, name: &'static str, right: bool, varies: bool) {
        let says = if right { "correct: the sum is ffff" } else { "wrong: the sum is not ffff" };
        self.push(2, name, says.into(), varies);
        if let Some(field) = self.layers.last_mut().and_then(|layer| layer.fields.last_mut()) {
            field.is_correct = Some(right);
        }
    }

    /// The next `len` bytes as a layer of one field, if there are any.
    fn layer_of(&mut self, name: &'static str, len: usize) {
        if len > 0 {
            self.begin(name);
            self.field(len, "bytes", "");
        }
    }

    fn begin(&mut self, name: &'static str) {
        let name = if self.quoted { format!("quoted {name}").into() } else { Word::from(name) };
        self.layers.push(Layer { name, fields: Vec::new() });
    }

    fn field(&mut self, len: usize, name: &'static str, says: impl Into<Word>) {
        self.push(len, name, says.into(), false);
    }

    fn varying(&mut self, len: usize, name: &'static str, says: impl Into<Word>) {
        self.push(len, name, says.into(), true);
    }

    /// The next `len` bytes as a field of the layer that was begun last. None is no field.
    fn push(&mut self, len: usize, name: &'static str, says: Word, varies: bool) {
        let bytes = self.frame.get(self.at..self.at + len).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        let field = Field { at: self.at, bytes: Data::whole(bytes), name: name.into(), says, varies, is_correct: None };
        self.at += len;
        if let Some(layer) = self.layers.last_mut() {
            layer.fields.push(field);
        }
    }
}

/// What a hardware address is the address of.
fn about_hardware(address: [u8; 6]) -> &'static str {
    match address {
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] => "everybody on this link",
        [first, ..] if first & 1 != 0 => "a group",
        [first, ..] if first & 2 != 0 => "one interface, numbered by software",
        _ => "one interface, numbered by its maker",
    }
}

/// What IPv4's flags and offset say.
fn position(ip: &Ipv4<'_>) -> String {
    match (ip.offset(), ip.has_more()) {
        (0, false) if ip.is_not_to_be_cut() => "DF: nobody may cut it".to_owned(),
        (0, false) => "it is whole".to_owned(),
        (offset, true) => format!("a fragment from byte {offset} on; MF: more follow"),
        (offset, false) => format!("a fragment from byte {offset} on, the last one"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `hello`, from 10.0.0.1:40000 to 10.0.0.2:9000.
    const DATAGRAM: [u8; 47] = [
        2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0, // Ethernet
        0x45, 0, 0, 0x21, 0, 1, 0x40, 0, 0x40, 0x11, 0x26, 0xc9, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
        0x9c, 0x40, 0x23, 0x28, 0, 0x0d, 0xe8, 0x96, // UDP
        b'h', b'e', b'l', b'l', b'o',
    ];

    fn apart(frame: &[u8]) -> Vec<Layer> {
        take_apart(frame, &|address| match address.port() {
            9000 => "server:9000".to_owned(),
            _ => "client:port".to_owned(),
        })
    }

    fn field<'a>(layers: &'a [Layer], layer: &str, name: &str) -> &'a Field {
        let layer = layers.iter().find(|known| known.name == layer).expect("the layer");
        layer.fields.iter().find(|field| field.name == name).expect("the field")
    }

    #[test]
    fn a_datagram_has_three_headers_and_a_payload() {
        let layers = apart(&DATAGRAM);
        let lens: Vec<(&str, usize)> = layers.iter().map(|layer| (&*layer.name, layer.len())).collect();
        assert_eq!(lens, [("Ethernet", 14), ("IPv4", 20), ("UDP", 8), ("payload", 5)]);
        assert!(field(&layers, "UDP", "source port").varies);
        assert_eq!(field(&layers, "UDP", "destination port").says, "9000, server:9000");
    }

    #[test]
    fn a_checksum_is_right_until_a_byte_is_changed() {
        let says = |frame: &[u8]| {
            let layers = apart(frame);
            let of = |layer, name| field(&layers, layer, name).is_correct == Some(true);
            (of("IPv4", "header checksum"), of("UDP", "checksum"))
        };
        assert_eq!(says(&DATAGRAM), (true, true));
        let mut frame = DATAGRAM;
        frame[46] ^= 1;
        assert_eq!(says(&frame), (true, false));
        frame[22] -= 1;
        assert_eq!(says(&frame), (false, false));
    }

    #[test]
    fn what_a_card_has_added_is_padding() {
        let layers = apart(&[&DATAGRAM[..], &[0; 13]].concat());
        assert_eq!(layers.last().map(|layer| (&*layer.name, layer.len())), Some(("padding", 13)));
    }

    #[test]
    fn what_cannot_be_taken_apart_is_a_rest_and_no_padding() {
        let mut frame = [&DATAGRAM[..], &[0; 13]].concat();
        frame[23] = 132;
        let names = |frame: &[u8]| -> Vec<(String, usize)> {
            apart(frame).iter().map(|layer| (layer.name.to_string(), layer.len())).collect()
        };
        let named = |names: &[(&str, usize)]| -> Vec<(String, usize)> {
            names.iter().map(|(name, len)| ((*name).to_owned(), *len)).collect()
        };
        assert_eq!(names(&frame), named(&[("Ethernet", 14), ("IPv4", 20), ("rest", 13), ("padding", 13)]));
        assert_eq!(names(&DATAGRAM[..30]), named(&[("Ethernet", 14), ("rest", 16)]));
        assert_eq!(names(&[7; 13]), named(&[("rest", 13)]));
    }

    #[test]
    fn options_that_contradict_themselves_are_one_field_before_the_payload() {
        const SEGMENT: [u8; 30] = [
            0x9c, 0x40, 0x23, 0x28, 0, 0, 0, 1, 0, 0, 0, 2, 0x70, 16, 0xff, 0xff, 0, 0, 0, 0, // TCP
            1, 2, 4, 5, 0xb4, 8, 99, 1, // NOP, MSS, and timestamps with a length of 99 bytes
            b'h', b'i',
        ];
        let mut frame = [&DATAGRAM[..34], &SEGMENT].concat();
        frame[17] = 50;
        frame[23] = 6;
        let layers = apart(&frame);
        let options = layers[2].fields[9..].iter().map(|field| (&*field.name, field.bytes.len));
        let options: Vec<(&str, usize)> = options.collect();
        assert_eq!(options, [("option: NOP", 1), ("option: MSS", 4), ("options", 3)]);
        assert_eq!(layers.last().map(|layer| (&*layer.name, layer.len())), Some(("payload", 2)));
    }

    proptest! {
        #[test]
        fn the_fields_are_the_frame(frame in any_frame()) {
            let layers = apart(&frame);
            let mut at = 0;
            for field in layers.iter().flat_map(|layer| &layer.fields) {
                prop_assert_eq!(field.at, at);
                prop_assert_eq!(&field.bytes.bytes, &frame[at..at + field.bytes.len]);
                at += field.bytes.len;
            }
            prop_assert_eq!(at, frame.len());
        }
    }

    /// Anything, and what begins well: of each protocol, cut anywhere, with anything behind.
    fn any_frame() -> impl Strategy<Value = Vec<u8>> {
        let protocol = prop_oneof![Just(1u8), Just(6), Just(17), any::<u8>()];
        let begun = (protocol, any::<[u8; 4]>(), 0..DATAGRAM.len(), proptest::collection::vec(any::<u8>(), 0..120));
        let begun = begun.prop_map(|(protocol, [head, len, fragment, arp], cut, behind)| {
            let mut frame = DATAGRAM;
            frame[23] = protocol;
            frame[13] = if arp < 30 { 6 } else { 0 };
            frame[14] = if head < 200 { 0x45 } else { head };
            frame[17] = len;
            frame[20] = if fragment < 200 { 0x40 } else { fragment };
            [&frame[..cut], &behind].concat()
        });
        prop_oneof![begun, proptest::collection::vec(any::<u8>(), 0..80)]
    }
}
