//! A header in JSON before each body, which names the body's size.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::buffer::Buffer;
use super::{FixedHeader, FramingError, Unfinished};

/// A header in JSON: its length in *bytes* as a fixed integer, the JSON, then a body whose size the JSON names.
///
/// The length counts bytes, not characters: `{"file_name":"报告"}` is 18 characters and 22 bytes.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use socklab::framing::{BodySize, FixedHeader, JsonDecoder, JsonHeader, Part};
///
/// #[derive(Serialize, Deserialize)]
/// struct Header {
///     file_name: String,
///     file_size: i64,
/// }
///
/// impl BodySize for Header {
///     fn body_size(&self) -> i64 {
///         self.file_size
///     }
/// }
///
/// // Sending: the body follows, in as many sends as you like.
/// let format = JsonHeader::new(FixedHeader::NETWORK);
/// let mut out = Vec::new();
/// format.encode(&Header { file_name: "报告".to_owned(), file_size: 5 }, &mut out)?;
/// out.extend_from_slice(b"hello");
///
/// // Receiving: no header of more than 4 KiB, no body of more than 1 GiB. A part is handed over when it comes.
/// let mut decoder = JsonDecoder::<Header>::new(format, 4 << 10, 1 << 30);
/// let (mut name, mut file) = (String::new(), Vec::new());
/// for piece in out.chunks(8) {
///     decoder.push(piece);
///     while let Some(part) = decoder.next_part()? {
///         match part {
///             Part::Header(header) => name = header.file_name,
///             Part::Body(bytes) => file.extend_from_slice(bytes),
///             Part::End => assert_eq!((name.as_str(), &file[..]), ("报告", &b"hello"[..])),
///         }
///     }
/// }
/// decoder.finish()?;
/// # Ok::<(), socklab::framing::FramingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonHeader {
    length: FixedHeader,
}

/// What a header says of the body behind it.
pub trait BodySize {
    /// The body's bytes. Let the field be an `i64`: a negative size is then reported as one, and not as malformed JSON.
    fn body_size(&self) -> i64;
}

/// What a [`JsonDecoder`] finds: a header, pieces of the body as they come, and its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a, H> {
    /// A header.
    Header(H),
    /// The next bytes of the body, at least one.
    Body(&'a [u8]),
    /// The body is complete. A body of no bytes has an end, too.
    End,
}

/// Finds headers in JSON and their bodies in a stream whose bytes come in any pieces.
///
/// It never holds a body: take all parts out before the next piece comes in, and write them where they belong.
#[derive(Clone, Debug)]
pub struct JsonDecoder<H> {
    format: JsonHeader,
    longest_header: usize,
    largest_body: u64,
    buffer: Buffer,
    body: Option<Body>,
    header: PhantomData<fn() -> H>,
}

/// A body that is being received.
#[derive(Clone, Copy, Debug)]
struct Body {
    size: u64,
    left: u64,
}

impl JsonHeader {
    /// With the length of the JSON as this integer.
    pub const fn new(length: FixedHeader) -> JsonHeader {
        JsonHeader { length }
    }

    /// Appends a header. The body is to be sent behind it.
    ///
    /// # Errors
    /// [`FramingError::Negative`] if that is what the header says of the body; [`FramingError::DoesNotFit`];
    /// [`FramingError::Malformed`] if it cannot be written as a JSON object. Then `out` is as it was.
    pub fn encode<H: Serialize + BodySize>(self, header: &H, out: &mut Vec<u8>) -> Result<(), FramingError> {
        size_within(header, u64::MAX)?;
        let json = serde_json::to_vec(header).map_err(malformed)?;
        is_object(&json)?;
        self.length.encode_length(json.len() as u64, out)?;
        out.extend_from_slice(&json);
        Ok(())
    }
}

impl<H: DeserializeOwned + BodySize> JsonDecoder<H> {
    /// Of headers of at most `longest_header` bytes, and bodies of at most `largest_body`.
    pub fn new(format: JsonHeader, longest_header: usize, largest_body: u64) -> JsonDecoder<H> {
        JsonDecoder { format, longest_header, largest_body, buffer: Buffer::default(), body: None, header: PhantomData }
    }

    /// Takes what has come. This copies it; [`JsonDecoder::space`] does without.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.push(piece);
    }

    /// Room for the next `len` bytes, which `recv` can write to. [`JsonDecoder::filled`] then says how many came.
    #[inline]
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        self.buffer.space(len)
    }

    /// The first `len` bytes of the [`JsonDecoder::space`] have come.
    ///
    /// # Panics
    /// If there was not so much space.
    #[inline]
    pub fn filled(&mut self, len: usize) {
        self.buffer.filled(len);
    }

    /// How many bytes are missing: of a length, of the header behind it, or of a body. Whoever receives no more than so
    /// many at once has none of what follows in its hands, and can treat that in another way.
    ///
    /// # Errors
    /// Those of [`JsonDecoder::next_part`] for a length.
    pub fn wanted(&self) -> Result<usize, FramingError> {
        let bytes = self.buffer.unread();
        let of = match (self.body, bytes.get(..self.format.length.size())) {
            (Some(body), _) => body.left,
            (None, None) => self.format.length.size() as u64,
            (None, Some(length)) => {
                let json = self.format.length.length_within(length, self.longest_header as u64)?;
                self.format.length.size() as u64 + json
            }
        };
        Ok(usize::try_from(of).unwrap_or(usize::MAX).saturating_sub(bytes.len()))
    }

    /// The next part, if it has come: of a header all, of a body what is there.
    ///
    /// # Errors
    /// [`FramingError::Malformed`] if a header is no JSON, or not an object, or a field is missing or of another type;
    /// [`FramingError::Negative`] and [`FramingError::TooLarge`] for the length of a header and the size of a body.
    /// Then at each further call, too.
    #[inline]
    pub fn next_part(&mut self) -> Result<Option<Part<'_, H>>, FramingError> {
        let Some(Body { size, left }) = self.body else {
            return Ok(self.next_header()?.map(Part::Header));
        };
        if left == 0 {
            self.body = None;
            return Ok(Some(Part::End));
        }
        let have = self.buffer.unread().len();
        if have == 0 {
            return Ok(None);
        }
        let taken = usize::try_from(left).map_or(have, |left| left.min(have));
        self.body = Some(Body { size, left: left - taken as u64 });
        Ok(Some(Part::Body(self.buffer.take(0..taken, taken))))
    }

    #[inline]
    fn next_header(&mut self) -> Result<Option<H>, FramingError> {
        let bytes = self.buffer.unread();
        let Some((length, rest)) = bytes.split_at_checked(self.format.length.size()) else {
            return Ok(None);
        };
        // Within the limit, which is a usize.
        let length = self.format.length.length_within(length, self.longest_header as u64)? as usize;
        let Some(json) = rest.get(..length) else {
            return Ok(None);
        };
        is_object(json)?;
        let header: H = serde_json::from_slice(json).map_err(malformed)?;
        let size = size_within(&header, self.largest_body)?;
        self.buffer.take(0..0, self.format.length.size() + length);
        self.body = Some(Body { size, left: size });
        Ok(Some(header))
    }

    /// The stream has ended: is that behind a whole body? Ask when [`JsonDecoder::next_part`] has returned `None`.
    ///
    /// # Errors
    /// [`FramingError::Short`] if it is not; [`FramingError::Negative`] and [`FramingError::TooLarge`] as before.
    pub fn finish(&self) -> Result<(), FramingError> {
        let bytes = self.buffer.unread();
        let have = bytes.len() as u64;
        if let Some(Body { size, left }) = self.body {
            let have = size - left + have.min(left);
            return Err(FramingError::Short { in_a: Unfinished::Body, have, of: Some(size) });
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let size = self.format.length.size();
        let of = match bytes.get(..size) {
            Some(length) => size as u64 + self.format.length.length_within(length, self.longest_header as u64)?,
            None => size as u64,
        };
        Err(FramingError::Short { in_a: Unfinished::Header, have, of: Some(of) })
    }
}

/// What a header says of the body, if it can be.
#[inline]
fn size_within(header: &impl BodySize, limit: u64) -> Result<u64, FramingError> {
    let size = header.body_size();
    match u64::try_from(size) {
        Ok(length) if length > limit => Err(FramingError::TooLarge { length, limit, reversed: None }),
        Ok(length) => Ok(length),
        Err(_) => Err(FramingError::Negative { length: size, reversed: None }),
    }
}

#[cold]
fn malformed(error: serde_json::Error) -> FramingError {
    FramingError::Malformed(error.to_string())
}

/// JSON that is an object, by its first byte. A struct would be read from an array, too.
#[inline]
fn is_object(json: &[u8]) -> Result<(), FramingError> {
    match json.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        Some(other) => {
            let begin = other.escape_ascii();
            Err(FramingError::Malformed(format!("not a JSON object: it begins with '{begin}'")))
        }
        None => Err(FramingError::Malformed("not a JSON object: it is empty".to_owned())),
    }
}
