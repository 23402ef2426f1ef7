//! What the two ends say to each other besides the files' bytes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::digest::Algorithm;
use super::error::TransferError;
use crate::framing::{BodySize, ByteOrder, FixedHeader, FramingError, Integer, JsonDecoder, JsonHeader, Part};
use crate::socket::Socket;

/// No header is longer, in bytes.
const LONGEST_HEADER: usize = 64 << 10;

/// A signed integer of four bytes, the least significant first: `struct.pack("<i", n)`.
const FORMAT: JsonHeader = JsonHeader::new(FixedHeader::new(Integer::I32, ByteOrder::Little));

/// What a client wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `put`, `get` or `ls`.
    pub cmd: String,
    /// The file's name in the server's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Of a file to be put: its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filesize: Option<i64>,
    /// The digest that is to be computed: `blake3`, `sha256`, `md5` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Of a file to be got: the bytes that the client has already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// A file of this name may be replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// What an earlier transfer has left is to be thrown away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub afresh: bool,
    /// The file's digest, where the client knows it beforehand.
    #[serde(flatten)]
    pub sums: Sums,
}

/// What is said to a request, and again when a file has been put.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it is granted, or was done.
    pub ok: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The bytes of the file, or of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filesize: Option<i64>,
    /// The bytes from the file's beginning that need not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// The digest of what was stored, or of the file of that name that is there already.
    #[serde(flatten)]
    pub sums: Sums,
}

/// A file's digest, in hexadecimal digits, under the name of its algorithm. None at all behind a transfer without one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "their names say it")]
pub struct Sums {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

/// No body belongs to the framing of a message: a file's bytes go past it, from socket to file.
macro_rules! without_a_body {
    ($($message:ty),*) => { $(impl BodySize for $message {
        fn body_size(&self) -> i64 {
            0
        }
    })* };
}
without_a_body!(Request, Answer, Sums);

/// A number of bytes that somebody has named, if it can be one.
pub(super) fn bytes(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

impl Request {
    /// Whether it is a classic client's, which sends its file unasked and hears nothing.
    pub(super) fn is_classic(&self) -> bool {
        self.digest.is_none()
    }

    /// The file's name, as the client has it.
    pub(super) fn name(&self) -> Result<&str, TransferError> {
        self.filename.as_deref().ok_or_else(|| TransferError::Unwilling("no filename is named".to_owned()))
    }

    /// The digest that is asked for, or else that of which the value is named.
    pub(super) fn algorithm(&self) -> Result<Algorithm, TransferError> {
        let algorithm = match &self.digest {
            Some(name) => name.parse().map_err(TransferError::Unwilling)?,
            None => self.sums.algorithm().unwrap_or(Algorithm::None),
        };
        // A value that nobody compares would promise too much.
        match Algorithm::ALL.into_iter().find(|other| *other != algorithm && self.sums.get(*other).is_some()) {
            None => Ok(algorithm),
            Some(other) => {
                let why = format!("one digest is computed here, {algorithm}, and a value of {other} is named");
                Err(TransferError::Unwilling(why))
            }
        }
    }
}

impl Answer {
    /// Why not.
    pub(super) fn reason(self) -> String {
        self.error.unwrap_or_else(|| "the server says no, and not why".to_owned())
    }

    /// It is granted.
    pub(super) fn ok() -> Answer {
        Answer { ok: true, ..Answer::default() }
    }

    /// It is not, and why.
    pub(super) fn refusal(error: impl ToString) -> Answer {
        Answer { error: Some(error.to_string()), ..Answer::default() }
    }
}

impl Sums {
    /// One, of this algorithm.
    pub(super) fn of(algorithm: Algorithm, sum: String) -> Sums {
        let mut sums = Sums::default();
        match algorithm {
            Algorithm::None => {}
            Algorithm::Blake3 => sums.blake3 = Some(sum),
            Algorithm::Sha256 => sums.sha256 = Some(sum),
            Algorithm::Md5 => sums.md5 = Some(sum),
        }
        sums
    }

    /// That of an algorithm.
    pub(super) fn get(&self, algorithm: Algorithm) -> Option<&str> {
        match algorithm {
            Algorithm::None => None,
            Algorithm::Blake3 => self.blake3.as_deref(),
            Algorithm::Sha256 => self.sha256.as_deref(),
            Algorithm::Md5 => self.md5.as_deref(),
        }
    }

    /// The algorithm of the first one that is named.
    fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| self.get(*algorithm).is_some())
    }

    /// Whether each value in it was promised, in small or capital letters. Where there is no digest, nothing is.
    pub(super) fn are_as(&self, promised: &Sums) -> bool {
        Algorithm::ALL.into_iter().all(|algorithm| match (self.get(algorithm), promised.get(algorithm)) {
            (Some(is), Some(should)) => is.eq_ignore_ascii_case(should),
            (is, _) => is.is_none(),
        })
    }
}

/// Sends a message, in one piece.
pub(super) fn send<M: Serialize + BodySize>(conn: &Socket, message: &M) -> Result<(), TransferError> {
    let mut bytes = Vec::new();
    FORMAT.encode(message, &mut bytes).map_err(TransferError::Framing)?;
    send_all(conn, &bytes)
}

/// Sends these bytes.
pub(super) fn send_all(conn: &Socket, mut bytes: &[u8]) -> Result<(), TransferError> {
    while !bytes.is_empty() {
        let sent = conn.send(bytes).map_err(TransferError::Connection)?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// Receives this many bytes.
pub(super) fn receive_exactly(conn: &Socket, size: u64) -> Result<Vec<u8>, TransferError> {
    // Memory is taken for what has come, and not for what was promised.
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 64 << 10]);
    while (bytes.len() as u64) < size {
        let most = piece.len().min(usize::try_from(size).unwrap_or(usize::MAX) - bytes.len());
        let len = conn.recv(&mut piece[..most]).map_err(TransferError::Connection)?;
        if len == 0 {
            return Err(TransferError::Left(bytes.len() as u64, size));
        }
        bytes.extend_from_slice(&piece[..len]);
    }
    Ok(bytes)
}

/// Receives a message, and not a byte of what follows it. `None` where the peer has left instead.
pub(super) fn receive<M: DeserializeOwned + BodySize>(conn: &Socket) -> Result<Option<M>, TransferError> {
    let mut decoder = JsonDecoder::<M>::new(FORMAT, LONGEST_HEADER, 0);
    let mut has_begun = false;
    loop {
        let wanted = decoder.wanted().map_err(TransferError::Framing)?;
        let len = conn.recv(decoder.space(wanted)).map_err(TransferError::Connection)?;
        if len == 0 {
            return if has_begun { Err(TransferError::Framing(in_a_header(&decoder))) } else { Ok(None) };
        }
        has_begun = true;
        decoder.filled(len);
        if let Some(Part::Header(message)) = decoder.next_part().map_err(TransferError::Framing)? {
            return Ok(Some(message));
        }
    }
}

/// What is wrong with a stream that ends there.
fn in_a_header<M: DeserializeOwned + BodySize>(decoder: &JsonDecoder<M>) -> FramingError {
    decoder.finish().err().unwrap_or_else(|| FramingError::Malformed("it has ended".to_owned()))
}
