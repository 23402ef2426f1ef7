//! A mark behind each message.

use super::{Format, FramingError, Scan};

/// A mark behind each message that does not stand in it: a newline, an empty line.
///
/// It may come in two pieces. What stands between two delimiters is a message, if it is nothing, too. A message is
/// handed over without its delimiter, and nothing else is taken off: a delimiter of `\n` leaves a `\r` before it.
///
/// ```
/// use socklab::framing::{Decoder, Delimiter};
///
/// let mut decoder = Decoder::new(Delimiter::new(b"\r\n"), 80);
/// decoder.push(b"NOOP\r");
/// assert_eq!(decoder.next_message()?, None);
/// decoder.push(b"\nQUIT\r\n");
/// assert_eq!(decoder.next_message()?, Some(&b"NOOP"[..]));
/// assert_eq!(decoder.next_message()?, Some(&b"QUIT"[..]));
/// # Ok::<(), socklab::framing::FramingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter<'a>(&'a [u8]);

impl<'a> Delimiter<'a> {
    /// One `\n`.
    pub const NEWLINE: Delimiter<'static> = Delimiter(b"\n");

    /// These bytes.
    ///
    /// # Panics
    /// If they are none.
    pub const fn new(mark: &'a [u8]) -> Delimiter<'a> {
        assert!(!mark.is_empty(), "a delimiter of no bytes is everywhere");
        Delimiter(mark)
    }

    #[inline]
    fn find(self, bytes: &[u8]) -> Option<usize> {
        let mut from = 0;
        // Where it would not be whole it need not be looked for.
        let starts = &bytes[..(bytes.len() + 1).saturating_sub(self.0.len())];
        loop {
            let at = from + position(&starts[from..], self.0[0])?;
            if bytes[at..].starts_with(self.0) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// Where this byte stands first. A block of bytes without it takes a few instructions.
#[inline]
fn position(bytes: &[u8], mark: u8) -> Option<usize> {
    const BLOCK: usize = 32;
    let has_it = |block: &[u8; BLOCK]| block.iter().fold(false, |has, byte| has | (*byte == mark));
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let without = BLOCK * blocks.iter().take_while(|block| !has_it(block)).count();
    bytes[without..].iter().position(|byte| *byte == mark).map(|at| without + at)
}

impl Format for Delimiter<'_> {
    fn encode(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError> {
        let begin = out.len();
        out.extend_from_slice(message);
        out.extend_from_slice(self.0);
        // The receiver takes the first mark that it finds. It may end in ours: "--" behind "a-" begins one too early.
        match self.find(&out[begin..]) {
            Some(at) if at < message.len() => {
                out.truncate(begin);
                Err(FramingError::HasDelimiter { at })
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn scan(&self, bytes: &[u8], seen: usize, limit: usize) -> Result<Scan, FramingError> {
        let mark = self.0.len();
        // A message that is too long is so in whatever pieces it comes.
        let longest = limit.saturating_add(mark);
        let bytes = &bytes[..bytes.len().min(longest)];
        // The mark may have begun in what was seen.
        let from = seen.saturating_sub(mark - 1).min(bytes.len());
        match self.find(&bytes[from..]) {
            Some(at) => Ok(Scan::Whole { message: 0..from + at, next: from + at + mark }),
            None if bytes.len() == longest => Err(FramingError::NoDelimiter { limit }),
            None => Ok(Scan::Message { header: 0, of: None }),
        }
    }
}
