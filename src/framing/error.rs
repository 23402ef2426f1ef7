//! What can be wrong with a message.

use std::fmt;
use std::io;

/// Why bytes are no message, or a message cannot be sent in a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// The stream ended, and a header or a message was not whole.
    Short {
        /// What it ended in.
        in_a: Unfinished,
        /// The bytes of that which came.
        have: u64,
        /// The bytes that it has, if that is known.
        of: Option<u64>,
    },
    /// A length is less than 0.
    Negative {
        /// The length.
        length: i64,
        /// What the header would say in the other byte order, if that were within the limit.
        reversed: Option<u64>,
    },
    /// A length is more than the limit.
    TooLarge {
        /// The length.
        length: u64,
        /// The limit.
        limit: u64,
        /// What the header would say in the other byte order, if that were within the limit.
        reversed: Option<u64>,
    },
    /// As many bytes have come as a message may have, and no delimiter.
    NoDelimiter {
        /// The limit.
        limit: usize,
    },
    /// A header does not have the form that it must have.
    Malformed(String),
    /// A message to be sent is too long for the header's integer.
    DoesNotFit {
        /// The message's length.
        length: u64,
        /// The integer's largest value.
        largest: u64,
    },
    /// In a message to be sent a delimiter begins.
    HasDelimiter {
        /// Where.
        at: usize,
    },
}

/// What a stream can end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// A header.
    Header,
    /// A message behind its header, or before its delimiter.
    Message,
    /// A body behind a JSON header.
    Body,
    /// The acknowledgement of a length.
    Acknowledgement,
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FramingError::Short { in_a, have, of: Some(of) } => {
                write!(f, "the stream ended in {in_a}, after {have} of its {of} bytes")
            }
            FramingError::Short { in_a, have, of: None } => {
                write!(
                    f,
                    "the stream ended in {in_a}, after {have} {} of it",
                    if *have == 1 { "byte" } else { "bytes" }
                )
            }
            FramingError::Negative { length, reversed } => {
                write!(f, "a length of {length} is negative{}", in_the_other_order(*reversed))
            }
            FramingError::TooLarge { length, limit, reversed } => {
                let hint = in_the_other_order(*reversed);
                write!(f, "a length of {length} is more than the limit, {limit}{hint}")
            }
            FramingError::NoDelimiter { limit } => {
                write!(f, "no delimiter behind the most bytes that a message may have, {limit}")
            }
            FramingError::Malformed(why) => write!(f, "a malformed header: {why}"),
            FramingError::DoesNotFit { length, largest } => {
                write!(f, "a message of {length} bytes, and the header's largest number is {largest}")
            }
            FramingError::HasDelimiter { at } => {
                write!(
                    f,
                    "a delimiter begins in the message itself, at byte {at}: send such messages behind their length"
                )
            }
        }
    }
}

fn in_the_other_order(reversed: Option<u64>) -> String {
    reversed.map_or_else(String::new, |other| format!("; it would be {other} in the other byte order"))
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfinished::Header => "a header",
            Unfinished::Message => "a message",
            Unfinished::Body => "a body",
            Unfinished::Acknowledgement => "an acknowledgement",
        })
    }
}

impl std::error::Error for FramingError {}

/// So that `?` takes it in a function that makes system calls: `UnexpectedEof` if the stream was too short,
/// `InvalidInput` if a message cannot be sent, else `InvalidData`.
impl From<FramingError> for io::Error {
    fn from(error: FramingError) -> io::Error {
        let kind = match error {
            FramingError::Short { .. } => io::ErrorKind::UnexpectedEof,
            FramingError::DoesNotFit { .. } | FramingError::HasDelimiter { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    }
}
