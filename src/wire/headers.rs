//! The headers of a frame, borrowed from its bytes: Ethernet, ARP, IPv4, UDP, TCP and ICMP.
//!
//! Invariant: a header that is here is whole, and its own lengths agree with each other and with the bytes that hold
//! it. Whether a packet is as long as it says is for the caller to judge: an ICMP error quotes only a beginning.

use std::net::Ipv4Addr;

use crate::trace::TcpFlags;

/// Ethernet types, IEEE 802.3.
pub const IPV4: u16 = 0x0800;
pub const ARP: u16 = 0x0806;

/// Protocol numbers of IPv4.
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// IEEE 802.3, as the kernel hands it to its card: without the check sequence behind it.
pub struct Ethernet<'f> {
    header: &'f [u8; Ethernet::LEN],
    pub payload: &'f [u8],
}

impl<'f> Ethernet<'f> {
    pub const LEN: usize = 14;

    pub fn parse(frame: &'f [u8]) -> Option<Ethernet<'f>> {
        let (header, payload) = frame.split_first_chunk()?;
        Some(Ethernet { header, payload })
    }

    /// The hardware addresses: destination, source.
    pub fn addresses(&self) -> [[u8; 6]; 2] {
        [hardware(self.header, 0), hardware(self.header, 6)]
    }

    /// What it carries; below 0x0600 the length of that.
    pub fn kind(&self) -> u16 {
        word(self.header, 12)
    }

    pub fn arp(&self) -> Option<Arp<'f>> {
        (self.kind() == ARP).then(|| Arp::parse(self.payload)).flatten()
    }

    pub fn ipv4(&self) -> Option<Ipv4<'f>> {
        (self.kind() == IPV4).then(|| Ipv4::parse(self.payload)).flatten()
    }
}

/// ARP, RFC 826.
pub struct Arp<'f> {
    header: &'f [u8; 8],
    /// Where it is about addresses of 6 and of 4 bytes.
    addresses: Option<&'f [u8; 20]>,
}

impl<'f> Arp<'f> {
    fn parse(bytes: &'f [u8]) -> Option<Arp<'f>> {
        let (header, rest) = bytes.split_first_chunk()?;
        let addresses = rest.first_chunk().filter(|_| header[4..6] == [6, 4]);
        Some(Arp { header, addresses })
    }

    /// 1 for Ethernet.
    pub fn hardware_kind(&self) -> u16 {
        word(self.header, 0)
    }

    /// An Ethernet type.
    pub fn protocol(&self) -> u16 {
        word(self.header, 2)
    }

    /// How long a hardware address is and how long one of the protocol, in bytes.
    pub fn lens(&self) -> (u8, u8) {
        (self.header[4], self.header[5])
    }

    /// 1 for a question, 2 for an answer.
    pub fn operation(&self) -> u16 {
        word(self.header, 6)
    }

    /// The hardware and IPv4 addresses of its sender, and then of its target.
    pub fn addresses(&self) -> Option<[([u8; 6], Ipv4Addr); 2]> {
        self.addresses.map(|bytes| [0, 10].map(|at| (hardware(bytes, at), address(bytes, at + 6))))
    }
}

/// IPv4, RFC 791.
pub struct Ipv4<'f> {
    header: &'f [u8; 20],
    pub options: &'f [u8],
    /// Up to the end of the packet, or of the bytes that hold it.
    pub payload: &'f [u8],
    /// Whether the whole packet is there.
    pub is_whole: bool,
}

impl<'f> Ipv4<'f> {
    pub fn parse(bytes: &'f [u8]) -> Option<Ipv4<'f>> {
        let (header, behind) = bytes.split_first_chunk()?;
        let (header_len, total) = (usize::from(header[0] & 15) * 4, usize::from(word(header, 2)));
        if header[0] >> 4 != 4 || total < header_len {
            return None;
        }
        let (options, payload) = behind.split_at_checked(header_len.checked_sub(header.len())?)?;
        let payload_len = total - header_len;
        let is_whole = payload_len <= payload.len();
        Some(Ipv4 { header, options, payload: &payload[..payload_len.min(payload.len())], is_whole })
    }

    pub fn header_len(&self) -> usize {
        self.header.len() + self.options.len()
    }

    pub fn service(&self) -> u8 {
        self.header[1]
    }

    /// How long the packet says that it is, with this header.
    pub fn total_len(&self) -> u16 {
        word(self.header, 2)
    }

    /// Whether no router may cut it.
    pub fn is_not_to_be_cut(&self) -> bool {
        self.header[6] & 0x40 != 0
    }

    /// Whether more fragments follow.
    pub fn has_more(&self) -> bool {
        self.header[6] & 0x20 != 0
    }

    /// Where in the packet that was cut its payload belongs, in bytes.
    pub fn offset(&self) -> usize {
        usize::from(word(self.header, 6) & 0x1FFF) * 8
    }

    pub fn time_to_live(&self) -> u8 {
        self.header[8]
    }

    pub fn protocol(&self) -> u8 {
        self.header[9]
    }

    pub fn has_correct_checksum(&self) -> bool {
        adds_up(&[self.header, self.options])
    }

    pub fn source(&self) -> Ipv4Addr {
        address(self.header, 12)
    }

    pub fn destination(&self) -> Ipv4Addr {
        address(self.header, 16)
    }

    /// The ports with which TCP and UDP begin: source, destination.
    pub fn ports(&self) -> Option<(u16, u16)> {
        let ports: &[u8; 4] = self.payload.first_chunk()?;
        (self.offset() == 0 && matches!(self.protocol(), TCP | UDP)).then(|| (word(ports, 0), word(ports, 2)))
    }

    pub fn transport(&self) -> Transport<'f> {
        if self.offset() > 0 {
            return Transport::Fragment;
        }
        let known = match self.protocol() {
            ICMP => Icmp::parse(self.payload).map(Transport::Icmp),
            TCP => Tcp::parse(self.payload).map(Transport::Tcp),
            UDP => Udp::parse(self.payload).map(Transport::Udp),
            other => Some(Transport::Other(other)),
        };
        known.unwrap_or(Transport::Broken)
    }

    /// Whether the sum over `parts`, which are its payload, is that of a correct checksum of TCP or UDP: these add
    /// the addresses, the protocol and the length, RFC 9293, 3.1.
    fn covers(&self, parts: [&[u8]; 3]) -> bool {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let [high, low] = (len as u16).to_be_bytes();
        let [first, second, third] = parts;
        adds_up(&[&self.header[12..20], &[0, self.protocol(), high, low], first, second, third])
    }
}

/// What an IPv4 packet carries.
pub enum Transport<'f> {
    Tcp(Tcp<'f>),
    Udp(Udp<'f>),
    Icmp(Icmp<'f>),
    /// A fragment that is not the first one: it has no header of its own.
    Fragment,
    /// A protocol that is not known here, by its number.
    Other(u8),
    /// A header that is cut or contradicts itself.
    Broken,
}

/// UDP, RFC 768.
pub struct Udp<'f> {
    header: &'f [u8; Udp::LEN],
    /// Up to the end of the packet, whatever `total_len` says.
    pub payload: &'f [u8],
}

impl<'f> Udp<'f> {
    pub const LEN: usize = 8;

    fn parse(bytes: &'f [u8]) -> Option<Udp<'f>> {
        let (header, payload) = bytes.split_first_chunk()?;
        Some(Udp { header, payload })
    }

    /// How long the datagram says that it is, with this header.
    pub fn total_len(&self) -> u16 {
        word(self.header, 4)
    }

    /// 0 for none.
    pub fn checksum(&self) -> u16 {
        word(self.header, 6)
    }

    pub fn has_correct_checksum(&self, ip: &Ipv4<'_>) -> bool {
        ip.covers([self.header, &[], self.payload])
    }
}

/// TCP, RFC 9293.
pub struct Tcp<'f> {
    header: &'f [u8; 20],
    options: &'f [u8],
    pub payload: &'f [u8],
}

impl<'f> Tcp<'f> {
    fn parse(bytes: &'f [u8]) -> Option<Tcp<'f>> {
        let (header, behind) = bytes.split_first_chunk()?;
        let header_len = usize::from(header[12] >> 4) * 4;
        let (options, payload) = behind.split_at_checked(header_len.checked_sub(header.len())?)?;
        Some(Tcp { header, options, payload })
    }

    pub fn header_len(&self) -> usize {
        self.header.len() + self.options.len()
    }

    pub fn seq(&self) -> u32 {
        long(self.header, 4)
    }

    /// The acknowledgement number, where its flag says that it is one.
    pub fn ack(&self) -> Option<u32> {
        self.flags().contains(TcpFlags::ACK).then(|| long(self.header, 8))
    }

    pub fn flags(&self) -> TcpFlags {
        TcpFlags(self.header[13])
    }

    pub fn window(&self) -> u16 {
        word(self.header, 14)
    }

    pub fn has_correct_checksum(&self, ip: &Ipv4<'_>) -> bool {
        ip.covers([self.header, self.options, self.payload])
    }

    pub fn options(&self) -> TcpOptions<'f> {
        TcpOptions { rest: self.options }
    }

    /// What stands in the first option of this kind.
    pub fn option(&self, kind: u8) -> Option<&'f [u8]> {
        self.options().find(|option| option.kind == kind).map(|option| option.body())
    }
}

/// One of a segment's options, RFC 9293, 3.1.
pub struct TcpOption<'f> {
    pub kind: u8,
    /// With its kind and its length, where it has one.
    pub bytes: &'f [u8],
}

impl<'f> TcpOption<'f> {
    pub const END: u8 = 0;
    pub const NOP: u8 = 1;
    pub const MSS: u8 = 2;
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK_PERMITTED: u8 = 4;
    /// RFC 2018.
    pub const SACK: u8 = 5;
    /// RFC 7323.
    pub const TIMESTAMPS: u8 = 8;

    /// What stands behind its kind and its length.
    pub fn body(&self) -> &'f [u8] {
        self.bytes.get(2..).unwrap_or_default()
    }
}

/// A segment's options in their order, with the end of the list and all behind it as one. Ends before an option whose
/// length cannot be.
pub struct TcpOptions<'f> {
    /// What was not taken yet.
    pub rest: &'f [u8],
}

impl<'f> Iterator for TcpOptions<'f> {
    type Item = TcpOption<'f>;

    fn next(&mut self) -> Option<TcpOption<'f>> {
        let kind = *self.rest.first()?;
        let len = match kind {
            TcpOption::END => self.rest.len(),
            TcpOption::NOP => 1,
            // Its length counts its kind and itself.
            _ => usize::from(*self.rest.get(1)?),
        };
        let (bytes, rest) = self.rest.split_at_checked(len).filter(|_| len >= 2 || kind <= TcpOption::NOP)?;
        self.rest = rest;
        Some(TcpOption { kind, bytes })
    }
}

/// ICMP, RFC 792.
pub struct Icmp<'f> {
    header: &'f [u8; Icmp::LEN],
    pub payload: &'f [u8],
}

impl<'f> Icmp<'f> {
    pub const LEN: usize = 8;
    pub const UNREACHABLE: u8 = 3;
    const TIME_EXCEEDED: u8 = 11;

    fn parse(bytes: &'f [u8]) -> Option<Icmp<'f>> {
        let (header, payload) = bytes.split_first_chunk()?;
        Some(Icmp { header, payload })
    }

    pub fn kind(&self) -> u8 {
        self.header[0]
    }

    pub fn code(&self) -> u8 {
        self.header[1]
    }

    /// Of the next hop, in bytes, where that is what it is about.
    pub fn mtu(&self) -> u16 {
        word(self.header, 6)
    }

    /// Whether it is an error about a packet, with whose beginning its payload begins.
    pub fn is_error(&self) -> bool {
        matches!(self.kind(), Self::UNREACHABLE | Self::TIME_EXCEEDED)
    }

    /// The packet that it is about.
    pub fn quoted(&self) -> Option<Ipv4<'f>> {
        self.is_error().then(|| Ipv4::parse(self.payload)).flatten()
    }

    pub fn has_correct_checksum(&self) -> bool {
        adds_up(&[self.header, self.payload])
    }
}

/// Whether the words of all parts together have the sum of a correct checksum, RFC 1071. Only the last part may have
/// an odd length.
fn adds_up(parts: &[&[u8]]) -> bool {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u64 = words.map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum == 0xFFFF
}

fn word<const N: usize>(header: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

/// Two words.
fn long<const N: usize>(header: &[u8; N], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn hardware<const N: usize>(header: &[u8; N], at: usize) -> [u8; 6] {
    std::array::from_fn(|index| header[at + index])
}

fn address<const N: usize>(header: &[u8; N], at: usize) -> Ipv4Addr {
    Ipv4Addr::from(long(header, at))
}
