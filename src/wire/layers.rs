//! A frame taken apart byte by byte: every field of Ethernet, ARP, IPv4, UDP, TCP and ICMP, and what it means.
//!
//! Invariant: the fields are the frame. Each of its bytes is in one of them, in its place; what cannot be taken apart
//! is one field. What varies from run to run is said so, and its meaning is told without it.

use std::net::{Ipv4Addr, SocketAddr};

use crate::trace::{Data, Field, Layer, TcpFlags, Word, icmp_meaning};

/// Takes a frame apart. `name` says what an address with a port is called: one that varies ends in `:port`.
pub fn take_apart(frame: &[u8], name: &dyn Fn(SocketAddr) -> String) -> Vec<Layer> {
    let mut parts = Parts { frame, end: frame.len(), at: 0, quoted: false, layers: Vec::new(), name };
    // A header that breaks off leaves a rest.
    let _ = parts.ethernet();
    parts.rest(if parts.end < frame.len() { "padding" } else { "rest" });
    parts.layers
}

struct Parts<'a> {
    frame: &'a [u8],
    /// Where the packet ends that is being taken apart.
    end: usize,
    /// Where the next field begins.
    at: usize,
    /// Whether this is the packet that an ICMP error is about.
    quoted: bool,
    layers: Vec<Layer>,
    name: &'a dyn Fn(SocketAddr) -> String,
}

/// Two addresses that belong together.
type Ends = [Ipv4Addr; 2];

impl Parts<'_> {
    /// IEEE 802.3, as the kernel hands it to its card: without the check sequence behind it.
    fn ethernet(&mut self) -> Option<()> {
        self.begin("Ethernet");
        self.hardware("destination")?;
        self.hardware("source")?;
        let kind = self.word(0)?;
        let protocol = match kind {
            0x0800 => "IPv4",
            0x0806 => "ARP",
            0x86DD => "IPv6",
            _ => "another protocol",
        };
        self.field(2, "type", format!("0x{kind:04x}, {protocol}"))?;
        match kind {
            0x0800 => self.internet(),
            0x0806 => self.resolution(),
            _ => None,
        }
    }

    /// RFC 826.
    fn resolution(&mut self) -> Option<()> {
        self.begin("ARP");
        let kind = if self.word(0)? == 1 { "Ethernet" } else { "another kind" };
        self.field(2, "hardware", kind)?;
        let protocol = self.word(0)?;
        self.field(2, "protocol", format!("0x{protocol:04x}{}", if protocol == 0x0800 { ", IPv4" } else { "" }))?;
        let (hardware_len, address_len) = (self.byte(0)?, self.byte(1)?);
        self.field(1, "length of a MAC", format!("{hardware_len} bytes"))?;
        self.field(1, "length of an IP address", format!("{address_len} bytes"))?;
        let operation = self.word(0)?;
        let is_question = operation == 1;
        self.field(2, "operation", if is_question { "1, a question" } else { "2, an answer" })?;
        if (hardware_len, address_len) != (6, 4) || operation > 2 {
            return None;
        }
        self.hardware("sender's MAC")?;
        self.internet_address("sender's IP address")?;
        if is_question {
            self.field(6, "target's MAC", "what is asked for")?;
        } else {
            self.hardware("target's MAC")?;
        }
        self.internet_address("target's IP address").map(|_| ())
    }

    /// RFC 791.
    fn internet(&mut self) -> Option<()> {
        let (begin, header) = (self.at, usize::from(self.byte(0)? & 15) * 4);
        let (total, fragment) = (self.word(2)?, self.word(6)?);
        if self.byte(0)? >> 4 != 4 || header < 20 || usize::from(total) < header {
            return None;
        }
        let is_whole = begin + usize::from(total) <= self.end;
        self.end = self.end.min(begin + usize::from(total));
        let checksum = adds_up(&[self.frame.get(begin..begin + header)?]);
        self.begin("IPv4");
        self.field(1, "version, length", format!("version {}, {header}-byte header", self.byte(0)? >> 4))?;
        let service = self.byte(0)?;
        self.field(1, "DS field", if service == 0xC0 { "CS6, network control" } else { "" })?;
        self.field(2, "total length", format!("{total} bytes, this header and all behind it"))?;
        let may_be_cut = fragment & 0x4000 == 0;
        // Kernels do not agree on what they put where nobody needs it.
        self.varying(2, "identification", if may_be_cut { "the same in all its fragments" } else { "not needed" })?;
        self.field(2, "flags, offset", position(fragment))?;
        self.field(1, "time to live", format!("at most {} routers", self.byte(0)?))?;
        let protocol = self.byte(0)?;
        let inside = match protocol {
            1 => "ICMP",
            6 => "TCP",
            17 => "UDP",
            _ => "another protocol",
        };
        self.field(1, "protocol", format!("{protocol}, {inside}"))?;
        self.checksum("header checksum", checksum, true)?;
        let ends = [self.internet_address("source")?, self.internet_address("destination")?];
        if header > 20 {
            self.field(header - 20, "options", "")?;
        }
        match (protocol, fragment & 0x1FFF) {
            (_, 1..) => {
                self.payload();
                Some(())
            }
            (1, _) => self.control(),
            (6, _) => self.transmission(ends),
            (17, _) => self.datagram(ends, is_whole && fragment & 0x2000 == 0),
            _ => None,
        }
    }

    /// RFC 768.
    fn datagram(&mut self, ends: Ends, is_whole: bool) -> Option<()> {
        let all = self.frame.get(self.at..self.end)?;
        let right = adds_up(&[&pseudo_header(ends, 17, all.len()), all]);
        self.begin("UDP");
        let varies = self.ports(ends)?;
        let len = self.word(0)?;
        self.field(2, "length", format!("{len} bytes: 8 of this header, {} of payload", len.saturating_sub(8)))?;
        match self.word(0)? {
            0 => self.field(2, "checksum", "none")?,
            _ if !is_whole && varies => self.varying(2, "checksum", "of the whole datagram, all its fragments")?,
            _ if !is_whole => self.field(2, "checksum", "of the whole datagram, all its fragments")?,
            _ => self.checksum("checksum", right, varies)?,
        }
        self.payload();
        Some(())
    }

    /// RFC 9293.
    fn transmission(&mut self, ends: Ends) -> Option<()> {
        let all = self.frame.get(self.at..self.end)?;
        let right = adds_up(&[&pseudo_header(ends, 6, all.len()), all]);
        let header_end = self.at + usize::from(self.byte(12)? >> 4) * 4;
        let bits = self.byte(13)?;
        let (is_syn, has_ack) = (bits & 2 != 0, bits & 16 != 0);
        self.begin("TCP");
        self.ports(ends)?;
        let first = if is_syn { "where the sender begins to count" } else { "of its first byte" };
        self.varying(4, "sequence number", first)?;
        if has_ack {
            self.varying(4, "acknowledgement number", "of the byte that is wanted next")?;
        } else {
            self.field(4, "acknowledgement number", "none")?;
        }
        self.field(1, "data offset", format!("{}-byte header", header_end.saturating_sub(self.at - 12)))?;
        let flags: Vec<&str> = TcpFlags(bits).names().collect();
        self.field(1, "flags", flags.join(", "))?;
        if is_syn {
            self.field(2, "window", format!("{} bytes may be sent to it", self.word(0)?))?;
        } else {
            self.varying(2, "window", "how much may be sent to it, to be scaled")?;
        }
        self.checksum("checksum", right, true)?;
        self.field(2, "urgent pointer", "")?;
        while self.at < header_end.min(self.end) {
            self.option(header_end)?;
        }
        self.payload();
        Some(())
    }

    /// One of a segment's options.
    fn option(&mut self, header_end: usize) -> Option<()> {
        let (kind, len) = (self.byte(0)?, usize::from(self.byte(1).unwrap_or(0)));
        match (kind, len) {
            (0, _) => self.field(header_end - self.at, "option: end of the list", ""),
            (1, _) => self.field(1, "option: NOP", "padding"),
            (2, 4) => self.field(4, "option: MSS", format!("{} bytes", self.word(2)?)),
            // The machine's own limits of buffers decide it.
            (3, 3) => self.varying(3, "option: window scale", "a power of 2 for the windows"),
            (4, 2) => self.field(2, "option: SACK permitted", "selective acknowledgements"),
            (5, 2..) => self.varying(len, "option: SACK", "what has come behind a gap"),
            (8, 10) => self.varying(10, "option: timestamps", "its clock, and the other's last"),
            (_, 2..) => self.field(len, "option", format!("kind {kind}")),
            _ => None,
        }
    }

    /// RFC 792.
    fn control(&mut self) -> Option<()> {
        let right = adds_up(&[self.frame.get(self.at..self.end)?]);
        let (kind, code) = (self.byte(0)?, self.byte(1)?);
        let is_error = matches!(kind, 3 | 11);
        self.begin("ICMP");
        self.field(1, "type", format!("{kind}{}", if kind == 3 { ", destination unreachable" } else { "" }))?;
        self.field(1, "code", format!("{code}, {}", icmp_meaning(kind, code)))?;
        // It is a sum over what varies in the packet that is quoted, too.
        self.checksum("checksum", right, true)?;
        match (kind, code) {
            (3, 4) => self.field(4, "next-hop MTU", format!("{} bytes", self.word(2)?))?,
            (3 | 11, _) => self.field(4, "unused", "")?,
            _ => self.varying(4, "identifier, number", "")?,
        }
        if is_error && !self.quoted {
            self.quoted = true;
            return self.internet();
        }
        self.payload();
        Some(())
    }

    /// Two ports. Whether one of them varies.
    fn ports(&mut self, ends: Ends) -> Option<bool> {
        let mut any = false;
        for (name, end) in ["source port", "destination port"].into_iter().zip(ends) {
            let called = (self.name)(SocketAddr::from((end, self.word(0)?)));
            let varies = called.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err());
            any |= varies;
            if varies {
                self.varying(2, name, called)?;
            } else {
                self.field(2, name, format!("{}, {called}", self.word(0)?))?;
            }
        }
        Some(any)
    }

    fn payload(&mut self) {
        self.rest("payload");
    }

    /// What is left of the packet, and then of the frame, as a layer of one field.
    fn rest(&mut self, name: &'static str) {
        if name != "payload" {
            self.end = self.frame.len();
        }
        let len = self.end.saturating_sub(self.at);
        if len > 0 {
            self.begin(name);
            self.field(len, "bytes", "");
        }
    }

    fn hardware(&mut self, name: &'static str) -> Option<()> {
        let bytes = self.frame.get(self.at..self.at + 6)?;
        let says = match bytes[0] {
            _ if bytes == [0xFF; 6] => "everybody on this link",
            first if first & 1 != 0 => "a group",
            first if first & 2 != 0 => "one interface, numbered by software",
            _ => "one interface, numbered by its maker",
        };
        self.field(6, name, says)
    }

    fn internet_address(&mut self, name: &'static str) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.frame.get(self.at..self.at + 4)?.try_into().ok()?;
        let address = Ipv4Addr::from(octets);
        self.field(4, name, address.to_string())?;
        Some(address)
    }

    /// A checksum: whether the bytes that it is about add up to what they must.
    fn checksum(&mut self, name: &'static str, right: bool, varies: bool) -> Option<()> {
        let says = if right { "correct: the sum is ffff" } else { "wrong: the sum is not ffff" };
        self.push(2, name, says.into(), varies)?;
        if let Some(field) = self.layers.last_mut().and_then(|layer| layer.fields.last_mut()) {
            field.is_correct = Some(right);
        }
        Some(())
    }

    fn begin(&mut self, name: &'static str) {
        let name = if self.quoted { format!("quoted {name}").into() } else { Word::from(name) };
        self.layers.push(Layer { name, fields: Vec::new() });
    }

    fn field(&mut self, len: usize, name: &'static str, says: impl Into<Word>) -> Option<()> {
        self.push(len, name, says.into(), false)
    }

    fn varying(&mut self, len: usize, name: &'static str, says: impl Into<Word>) -> Option<()> {
        self.push(len, name, says.into(), true)
    }

    /// `None` where the frame ends before the field does.
    fn push(&mut self, len: usize, name: &'static str, says: Word, varies: bool) -> Option<()> {
        let bytes = self.frame.get(self.at..self.at + len).filter(|_| self.at + len <= self.end)?;
        let field = Field { at: self.at, bytes: Data::whole(bytes), name: name.into(), says, varies, is_correct: None };
        self.at += len;
        self.layers.last_mut()?.fields.push(field);
        Some(())
    }

    /// A byte, so many behind the beginning of the next field.
    fn byte(&self, behind: usize) -> Option<u8> {
        self.frame.get(self.at + behind).copied()
    }

    /// Two of them.
    fn word(&self, behind: usize) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte(behind)?, self.byte(behind + 1)?]))
    }
}

/// What IPv4's flags and offset say, RFC 791.
fn position(fragment: u16) -> String {
    let (offset, more) = (u32::from(fragment & 0x1FFF) * 8, fragment & 0x2000 != 0);
    match (offset, more) {
        (0, false) if fragment & 0x4000 != 0 => "DF: nobody may cut it".to_owned(),
        (0, false) => "it is whole".to_owned(),
        (_, true) => format!("a fragment from byte {offset} on; MF: more follow"),
        (_, false) => format!("a fragment from byte {offset} on, the last one"),
    }
}

/// What UDP and TCP put before themselves for their checksums: it is not sent.
fn pseudo_header([from, to]: Ends, protocol: u8, len: usize) -> Vec<u8> {
    let [high, low] = (len as u16).to_be_bytes();
    [&from.octets()[..], &to.octets(), &[0, protocol, high, low]].concat()
}

/// Whether the words of all parts together have the sum of a right checksum, RFC 1071.
fn adds_up(parts: &[&[u8]]) -> bool {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u64 = words.map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum == 0xFFFF
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
