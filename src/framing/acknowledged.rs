//! A length as text, an acknowledgement, then the message: the "low version".

use super::FramingError;
use super::buffer::Buffer;
use super::error::Unfinished;
use super::text_length::{before_newline, length};

const ACKNOWLEDGEMENT: &[u8] = b"recv_ready";
const ACKNOWLEDGEMENT_LINE: &[u8] = b"recv_ready\n";

/// The receiver's side: it reads a length as text, sends `recv_ready`, and reads the message.
///
/// The classic programs put nothing behind the digits. So **nobody can decode this from any pieces**: `18` may be the
/// length, or the beginning of `1892`, and the sender sends nothing else before it is acknowledged. Only you can decide
/// when to call [`AckReceiver::acknowledge`]; the classic client does so after one `recv`, and is right as long as the
/// digits come in one piece. If you have acknowledged too early, the digits that were missing come out as the beginning
/// of the message, and what follows is not what it seems, either.
///
/// ```
/// use socklab::framing::AckReceiver;
///
/// let mut receiver = AckReceiver::new(1024);
/// receiver.push(b"1");
/// assert_eq!(receiver.announced()?, Some(1)); // so far
/// receiver.push(b"2");
/// assert_eq!(receiver.announced()?, Some(12));
/// let acknowledgement = receiver.acknowledge()?; // send this
/// assert_eq!(acknowledgement, b"recv_ready");
/// receiver.push(b"hello, ");
/// receiver.push(b"world");
/// assert_eq!(receiver.next_message(), Some(&b"hello, world"[..]));
/// # Ok::<(), socklab::framing::FramingError>(())
/// ```
///
/// [`AckReceiver::with_newline`] is the cure: length and acknowledgement end with a newline, and
/// [`AckReceiver::announced`] is sure. But then the acknowledgement says nothing more, and costs a round trip a
/// message: [`TextLength`](super::TextLength) does without it.
#[derive(Clone, Debug)]
pub struct AckReceiver {
    limit: usize,
    has_newline: bool,
    buffer: Buffer,
    /// The length, once it is acknowledged.
    acknowledged: Option<usize>,
}

impl AckReceiver {
    /// Of messages of at most `limit` bytes, behind lengths that end nowhere.
    pub fn new(limit: usize) -> AckReceiver {
        AckReceiver { limit, has_newline: false, buffer: Buffer::default(), acknowledged: None }
    }

    /// Of messages of at most `limit` bytes, behind lengths that end with a newline, as the acknowledgements do.
    pub fn with_newline(limit: usize) -> AckReceiver {
        AckReceiver { has_newline: true, ..AckReceiver::new(limit) }
    }

    /// Takes what has come.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.push(piece);
    }

    /// The length, if any has come and is not yet acknowledged. With a newline it is the length; without one it is the
    /// length *so far*.
    ///
    /// # Errors
    /// [`FramingError::Malformed`] if something else than digits has come: without a newline also if the sender did not
    /// wait; [`FramingError::Negative`]; [`FramingError::TooLarge`].
    pub fn announced(&self) -> Result<Option<usize>, FramingError> {
        Ok(self.header()?.map(|(length, _)| length))
    }

    /// The length, and the bytes of its header.
    fn header(&self) -> Result<Option<(usize, usize)>, FramingError> {
        let text = self.buffer.unread();
        if self.acknowledged.is_some() || text.is_empty() {
            return Ok(None);
        }
        if !self.has_newline {
            // A minus alone may become something.
            return if text == b"-" { Ok(None) } else { Ok(Some((length(text, self.limit)?, text.len()))) };
        }
        match before_newline(text)? {
            Some(text) => Ok(Some((length(text, self.limit)?, text.len() + 1))),
            None => Ok(None),
        }
    }

    /// Takes what [`AckReceiver::announced`] says for the whole length, and returns what is to be sent.
    ///
    /// # Errors
    /// Those of [`AckReceiver::announced`]; [`FramingError::Short`] if no length is there, or not all of its line.
    pub fn acknowledge(&mut self) -> Result<&'static [u8], FramingError> {
        let Some((length, header)) = self.header()? else {
            let have = self.buffer.unread().len() as u64;
            return Err(FramingError::Short { in_a: Unfinished::Header, have, of: None });
        };
        self.buffer.take(0..header, header);
        self.acknowledged = Some(length);
        Ok(if self.has_newline { ACKNOWLEDGEMENT_LINE } else { ACKNOWLEDGEMENT })
    }

    /// The message, if its length is acknowledged and all of it has come.
    pub fn next_message(&mut self) -> Option<&[u8]> {
        let length = self.acknowledged.filter(|length| *length <= self.buffer.unread().len())?;
        self.acknowledged = None;
        Some(self.buffer.take(0..length, length))
    }

    /// The stream has ended: is that between two messages?
    ///
    /// # Errors
    /// [`FramingError::Short`] if it is not.
    pub fn finish(&self) -> Result<(), FramingError> {
        let have = self.buffer.unread().len() as u64;
        match self.acknowledged {
            Some(length) if have < length as u64 => {
                Err(FramingError::Short { in_a: Unfinished::Message, have, of: Some(length as u64) })
            }
            None if have > 0 => Err(FramingError::Short { in_a: Unfinished::Header, have, of: None }),
            _ => Ok(()),
        }
    }
}

/// The sender's side: it sends a length as text, waits for `recv_ready`, and sends the message.
///
/// The acknowledgement is always the same, so it can be found in any pieces. What comes behind it is the next request.
///
/// ```
/// use socklab::framing::AckSender;
///
/// let mut sender = AckSender::new();
/// assert_eq!(sender.announce(12), b"12"); // send this
/// assert_eq!(sender.take(b"recv_")?, 5);
/// assert!(!sender.is_acknowledged());
/// assert_eq!(sender.take(b"readyecho two")?, 5); // and what is behind it is not the acknowledgement's
/// assert!(sender.is_acknowledged()); // send the message
/// # Ok::<(), socklab::framing::FramingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AckSender {
    acknowledgement: &'static [u8],
    /// So many bytes of it have come.
    have: usize,
}

impl AckSender {
    /// Nothing behind the digits, and nothing behind the acknowledgement.
    #[allow(clippy::new_without_default, reason = "a default would hide that there are two")]
    pub fn new() -> AckSender {
        AckSender { acknowledgement: ACKNOWLEDGEMENT, have: ACKNOWLEDGEMENT.len() }
    }

    /// A newline behind both.
    pub fn with_newline() -> AckSender {
        AckSender { acknowledgement: ACKNOWLEDGEMENT_LINE, have: ACKNOWLEDGEMENT_LINE.len() }
    }

    /// Begins a message of so many bytes: what is to be sent now.
    pub fn announce(&mut self, length: usize) -> Vec<u8> {
        self.have = 0;
        let end = if self.acknowledgement.ends_with(b"\n") { "\n" } else { "" };
        format!("{length}{end}").into_bytes()
    }

    /// Takes the acknowledgement, or the next part of it, from the front of what has come; returns how many bytes those
    /// are.
    ///
    /// # Errors
    /// [`FramingError::Malformed`] if something else has come.
    pub fn take(&mut self, piece: &[u8]) -> Result<usize, FramingError> {
        let missing = &self.acknowledgement[self.have..];
        let (expected, got) = (&missing[..missing.len().min(piece.len())], &piece[..missing.len().min(piece.len())]);
        if expected != got {
            let (expected, got) = (missing.escape_ascii(), got.escape_ascii());
            return Err(FramingError::Malformed(format!("not an acknowledgement: \"{got}\", expected \"{expected}\"")));
        }
        self.have += got.len();
        Ok(got.len())
    }

    /// Whether the message may be sent.
    pub fn is_acknowledged(&self) -> bool {
        self.have == self.acknowledgement.len()
    }

    /// The stream has ended: is nothing left to be acknowledged?
    ///
    /// # Errors
    /// [`FramingError::Short`] if there is.
    pub fn finish(&self) -> Result<(), FramingError> {
        if self.is_acknowledged() {
            return Ok(());
        }
        let (have, of) = (self.have as u64, Some(self.acknowledgement.len() as u64));
        Err(FramingError::Short { in_a: Unfinished::Acknowledgement, have, of })
    }
}
