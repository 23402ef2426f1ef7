//! What can go wrong with a transfer.

use std::fmt;
use std::io;

use crate::framing::FramingError;
use crate::trace::error_name;

/// Why a file did not come over.
#[derive(Debug)]
pub enum TransferError {
    /// Something could not be done with a file or a folder of this end: what, and why not.
    Here(String, io::Error),
    /// This end does not want to: the reason.
    Unwilling(String),
    /// The connection failed.
    Connection(io::Error),
    /// What the other end says is no message of this protocol.
    Framing(FramingError),
    /// The other end has left after so many of so many bytes; of no bytes, before it answered.
    Left(u64, u64),
    /// The other end refused, and this is its reason.
    Refused(String),
}

impl TransferError {
    /// Whether all that is known is that the other end has gone.
    pub(super) fn says_nothing(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        match self {
            TransferError::Left(_, 0) => true,
            TransferError::Connection(error) => matches!(error.kind(), BrokenPipe | ConnectionReset),
            _ => false,
        }
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransferError::Here(what, error) => write!(f, "{what}: {}", error_name(error)),
            TransferError::Unwilling(why) => f.write_str(why),
            TransferError::Connection(error) if error.kind() == io::ErrorKind::WouldBlock => {
                f.write_str("the other end has said nothing for too long")
            }
            TransferError::Connection(error) => write!(f, "the connection: {}", error_name(error)),
            TransferError::Framing(error) => write!(f, "the other end speaks another protocol: {error}"),
            TransferError::Left(_, 0) => f.write_str("the other end left without an answer"),
            TransferError::Left(have, of) if have == of => {
                write!(f, "the other end left after all {of} bytes, and did not say what became of them")
            }
            TransferError::Left(have, of) => write!(f, "the other end left after {have} of {of} bytes"),
            TransferError::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for TransferError {}
