//! A length of a fixed size before each message.

use super::{Format, FramingError, Scan, Unfinished};

/// A length before each message, as an integer of 1, 2, 4 or 8 bytes.
///
/// Both sides must agree on its size, its byte order, and whether it is signed: the bytes do not say.
///
/// ```
/// use socklab::framing::{ByteOrder, FixedHeader, Format, FramingError, Integer};
///
/// let header = FixedHeader::new(Integer::U16, ByteOrder::Big);
/// let mut out = Vec::new();
/// header.encode(b"hello", &mut out)?;
/// assert_eq!(out, b"\0\x05hello");
///
/// // The same two bytes, read in the other order.
/// assert_eq!(FixedHeader::new(Integer::U16, ByteOrder::Little).length(&out[..2])?, 0x0500);
///
/// // A signed integer can say what no length is.
/// let signed = FixedHeader::new(Integer::I16, ByteOrder::Big);
/// assert_eq!(signed.length(b"\xff\xfb"), Err(FramingError::Negative { length: -5, reversed: None }));
/// # Ok::<(), FramingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHeader {
    integer: Integer,
    order: ByteOrder,
}

/// The integer of a [`FixedHeader`]. Python's `struct` calls them `b B h H i I q Q`, where it has standard sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Integer {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
}

/// The order of an integer's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// That of this machine, which need not be the other's.
    Native,
    /// The least significant byte first.
    Little,
    /// The most significant byte first: network order, which the Internet's own protocols use.
    Big,
}

impl Integer {
    /// Its bytes.
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            Integer::I8 | Integer::U8 => 1,
            Integer::I16 | Integer::U16 => 2,
            Integer::I32 | Integer::U32 => 4,
            Integer::I64 | Integer::U64 => 8,
        }
    }

    /// Whether it can be negative.
    #[inline]
    pub const fn is_signed(self) -> bool {
        matches!(self, Integer::I8 | Integer::I16 | Integer::I32 | Integer::I64)
    }

    /// Its largest value.
    pub const fn largest(self) -> u64 {
        u64::MAX >> (64 - 8 * self.size() as u32 + self.is_signed() as u32)
    }
}

impl FixedHeader {
    /// Four bytes in network order, unsigned: what a new protocol takes.
    pub const NETWORK: FixedHeader = FixedHeader::new(Integer::U32, ByteOrder::Big);

    /// Four bytes in this machine's order, signed: what Python's `struct.pack("i", n)` makes, and C's `int` is.
    pub const NATIVE_INT: FixedHeader = FixedHeader::new(Integer::I32, ByteOrder::Native);

    /// Of this integer, in this order.
    pub const fn new(integer: Integer, order: ByteOrder) -> FixedHeader {
        FixedHeader { integer, order }
    }

    /// Its integer.
    pub const fn integer(self) -> Integer {
        self.integer
    }

    /// The bytes of the header itself.
    #[inline]
    pub const fn size(self) -> usize {
        self.integer.size()
    }

    /// Appends the header of a message of so many bytes. The message may follow in another `send`.
    ///
    /// # Errors
    /// [`FramingError::DoesNotFit`] if the integer is too small.
    pub fn encode_length(self, length: u64, out: &mut Vec<u8>) -> Result<(), FramingError> {
        let (size, largest) = (self.size(), self.integer.largest());
        if length > largest {
            return Err(FramingError::DoesNotFit { length, largest });
        }
        match self.is_big() {
            true => out.extend_from_slice(&length.to_be_bytes()[8 - size..]),
            false => out.extend_from_slice(&length.to_le_bytes()[..size]),
        }
        Ok(())
    }

    /// The length that a header says. It may be any: compare it with a limit before you believe it.
    ///
    /// # Errors
    /// [`FramingError::Negative`]; [`FramingError::Short`] if these are not as many bytes as a header has.
    #[inline]
    pub fn length(self, header: &[u8]) -> Result<u64, FramingError> {
        self.length_within(header, u64::MAX)
    }

    #[inline]
    pub(super) fn length_within(self, header: &[u8], limit: u64) -> Result<u64, FramingError> {
        let little = match *header {
            [a] => u64::from(a),
            [a, b] => u64::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => return Err(self.short(header.len())),
        };
        if header.len() != self.size() {
            return Err(self.short(header.len()));
        }
        let big = little.swap_bytes() >> (64 - 8 * self.size());
        let (length, reversed) = if self.is_big() { (big, little) } else { (little, big) };
        if length > limit.min(self.integer.largest()) { Err(self.refuse(length, reversed, limit)) } else { Ok(length) }
    }

    #[inline]
    const fn is_big(self) -> bool {
        match self.order {
            ByteOrder::Native => cfg!(target_endian = "big"),
            ByteOrder::Little => false,
            ByteOrder::Big => true,
        }
    }

    #[cold]
    fn short(self, have: usize) -> FramingError {
        FramingError::Short { in_a: Unfinished::Header, have: have as u64, of: Some(self.size() as u64) }
    }

    #[cold]
    fn refuse(self, length: u64, reversed: u64, limit: u64) -> FramingError {
        // Any four bytes are a length in some order if there is no limit.
        let is_one = limit < u64::MAX && reversed <= limit.min(self.integer.largest());
        let reversed = is_one.then_some(reversed);
        if length <= self.integer.largest() {
            return FramingError::TooLarge { length, limit, reversed };
        }
        // The bits of a negative number: those in front of it are ones, too.
        let unused = 64 - 8 * self.size() as u32;
        FramingError::Negative { length: (length << unused).cast_signed() >> unused, reversed }
    }
}

impl Format for FixedHeader {
    fn encode(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError> {
        self.encode_length(message.len() as u64, out)?;
        out.extend_from_slice(message);
        Ok(())
    }

    #[inline]
    fn scan(&self, bytes: &[u8], _seen: usize, limit: usize) -> Result<Scan, FramingError> {
        let header = self.size();
        let Some((length, rest)) = bytes.split_at_checked(header) else {
            return Ok(Scan::Header { of: Some(header) });
        };
        // Within the limit, which is a usize.
        let length = self.length_within(length, limit as u64)? as usize;
        if rest.len() < length {
            return Ok(Scan::Message { header, of: Some(length) });
        }
        Ok(Scan::Whole { message: header..header + length, next: header + length })
    }
}
