//! Messages in a stream: a small framing library, which you can take into a program of your own.
//!
//! TCP carries bytes, not messages. A *format* says how a message stands among them; a [`Decoder`] finds the messages
//! again, in whatever pieces the bytes come. Nothing here does input or output: you call `recv` and `send`.
//!
//! ```
//! use socklab::framing::{Decoder, FixedHeader, Format};
//!
//! // Sending: header and message go into one buffer, so that one `send` takes both.
//! let mut out = Vec::new();
//! FixedHeader::NETWORK.encode(b"hello", &mut out)?;
//! FixedHeader::NETWORK.encode(b"", &mut out)?;
//! assert_eq!(out, b"\0\0\0\x05hello\0\0\0\0");
//!
//! // Receiving: each piece is what one `recv` returned. No message may have more than 1024 bytes.
//! let mut decoder = Decoder::new(FixedHeader::NETWORK, 1024);
//! let mut messages = Vec::new();
//! for piece in out.chunks(3) {
//!     decoder.push(piece);
//!     while let Some(message) = decoder.next_message()? {
//!         messages.push(message.to_vec());
//!     }
//! }
//! // `recv` returned 0: did the stream end between two messages?
//! decoder.finish()?;
//! assert_eq!(messages, [b"hello".to_vec(), b"".to_vec()]);
//! # Ok::<(), socklab::framing::FramingError>(())
//! ```
//!
//! | format | a message of `hello` | for |
//! |---|---|---|
//! | [`FixedHeader`] | `00 00 00 05` `hello` | any bytes; the usual choice |
//! | [`TextLength`] | `5\nhello` | any bytes, with a length that people can read |
//! | [`Delimiter`] | `hello\n` | text without that delimiter, such as lines that people type |
//! | [`JsonHeader`] | `00 00 00 0f` `{"file_size":5}` `hello` | files: the body need not fit into memory |
//! | [`AckReceiver`] | `5`, then `recv_ready` back, then `hello` | old programs; pieces can mislead it |
//!
//! A length comes from a stranger. So each decoder takes a limit, checks it as soon as the length is there, and
//! reserves no memory for bytes that have only been announced. After an error there is no way to find the next message:
//! it is reported again at each call, and the connection is of no more use.

use std::ops::Range;

mod acknowledged;
mod buffer;
mod delimiter;
mod error;
mod fixed_header;
mod json;
mod text_length;

pub use acknowledged::{AckReceiver, AckSender};
pub use delimiter::Delimiter;
pub use error::{FramingError, Unfinished};
pub use fixed_header::{ByteOrder, FixedHeader, Integer};
pub use json::{BodySize, JsonDecoder, JsonHeader, Part};
pub use text_length::TextLength;

use buffer::Buffer;

/// How a message stands in a stream.
pub trait Format {
    /// Appends a message to `out`, with what frames it.
    ///
    /// # Errors
    /// Where the format cannot express this message. Then `out` is as it was.
    fn encode(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError>;

    /// Looks for the message that begins where `bytes` begin. In the first `seen` of them an earlier scan has not found
    /// its end.
    ///
    /// # Errors
    /// Where no more bytes can make a message of at most `limit` bytes of it.
    fn scan(&self, bytes: &[u8], seen: usize, limit: usize) -> Result<Scan, FramingError>;
}

/// What a [`Format`] has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// A whole message.
    Whole {
        /// Where it stands.
        message: Range<usize>,
        /// Where the next one begins.
        next: usize,
    },
    /// A part of a header.
    Header {
        /// The bytes of the whole header, if that is known.
        of: Option<usize>,
    },
    /// A header and a part of a message, which may be nothing.
    Message {
        /// The bytes of the header.
        header: usize,
        /// The bytes of the whole message, if that is known.
        of: Option<usize>,
    },
}

/// Finds the messages of a stream whose bytes come in any pieces.
///
/// Take all messages out before the next piece comes in: then it holds one piece and one message at most, and a small
/// multiple of that is all the memory that it takes.
#[derive(Clone, Debug)]
pub struct Decoder<F> {
    format: F,
    limit: usize,
    buffer: Buffer,
    /// So many bytes were looked through, and the message was not whole.
    seen: usize,
}

impl<F: Format> Decoder<F> {
    /// Of messages in this format, of at most `limit` bytes each.
    pub fn new(format: F, limit: usize) -> Decoder<F> {
        Decoder { format, limit, buffer: Buffer::default(), seen: 0 }
    }

    /// Takes what has come. This copies it; [`Decoder::space`] does without.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.push(piece);
    }

    /// Room for the next `len` bytes, which `recv` can write to. [`Decoder::filled`] then says how many came.
    ///
    /// ```
    /// # use std::io::Read;
    /// # use socklab::framing::{Decoder, Delimiter};
    /// # let mut conn = &b"one\ntwo\n"[..];
    /// let mut decoder = Decoder::new(Delimiter::NEWLINE, 80);
    /// let len = conn.read(decoder.space(4096))?;
    /// decoder.filled(len);
    /// assert_eq!(decoder.next_message()?, Some(&b"one"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        self.buffer.space(len)
    }

    /// The first `len` bytes of the [`Decoder::space`] have come.
    ///
    /// # Panics
    /// If there was not so much space.
    #[inline]
    pub fn filled(&mut self, len: usize) {
        self.buffer.filled(len);
    }

    /// The next message, if all of it has come.
    ///
    /// # Errors
    /// Where what has come cannot be a message, or not one within the limit; then at each further call, too.
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FramingError> {
        let bytes = self.buffer.unread();
        match self.format.scan(bytes, self.seen, self.limit)? {
            Scan::Whole { message, next } => {
                self.seen = 0;
                Ok(Some(self.buffer.take(message, next)))
            }
            Scan::Header { .. } | Scan::Message { .. } => {
                self.seen = bytes.len();
                Ok(None)
            }
        }
    }

    /// The stream has ended: is that between two messages? Ask when [`Decoder::next_message`] has returned `None`.
    ///
    /// # Errors
    /// [`FramingError::Short`] if a message has begun and is not whole; and those of [`Decoder::next_message`].
    pub fn finish(&self) -> Result<(), FramingError> {
        let bytes = self.buffer.unread();
        if bytes.is_empty() {
            return Ok(());
        }
        match self.format.scan(bytes, self.seen, self.limit)? {
            Scan::Whole { .. } => Ok(()),
            Scan::Header { of } => Err(FramingError::Short {
                in_a: Unfinished::Header,
                have: bytes.len() as u64,
                of: of.map(|of| of as u64),
            }),
            Scan::Message { header, of } => {
                let have = (bytes.len() - header) as u64;
                Err(FramingError::Short { in_a: Unfinished::Message, have, of: of.map(|of| of as u64) })
            }
        }
    }
}

#[cfg(test)]
mod tests;
