//! A length as text before each message.

use super::{Format, FramingError, Scan};

/// A length as decimal digits and a newline before each message: `5\nhello`.
///
/// The newline is what makes it a format. Without one, `1892` begins like `189`, `18` and `1`, and nobody who has
/// received a part of it can tell whether more digits come. The classic programs take whatever one `recv` returns for
/// the whole length; that is [`AckReceiver`](super::AckReceiver).
///
/// Digits alone, and at most 18 of them, are a length: no sign, no blank, no `\r`.
///
/// ```
/// use socklab::framing::{Decoder, TextLength};
///
/// let mut decoder = Decoder::new(TextLength, 1024);
/// decoder.push(b"1");
/// assert_eq!(decoder.next_message()?, None); // 1, 10, 18, 192 ...?
/// decoder.push(b"\n");
/// assert_eq!(decoder.next_message()?, None);
/// decoder.push(b"xyz");
/// assert_eq!(decoder.next_message()?, Some(&b"x"[..]));
/// # Ok::<(), socklab::framing::FramingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLength;

/// So many digits always fit an `i64`.
const MOST_DIGITS: usize = 18;

impl Format for TextLength {
    fn encode(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError> {
        out.extend_from_slice(message.len().to_string().as_bytes());
        out.push(b'\n');
        out.extend_from_slice(message);
        Ok(())
    }

    #[inline]
    fn scan(&self, bytes: &[u8], _seen: usize, limit: usize) -> Result<Scan, FramingError> {
        let Some(text) = before_newline(bytes)? else {
            return Ok(Scan::Header { of: None });
        };
        let (header, length) = (text.len() + 1, length(text, limit)?);
        if bytes.len() - header < length {
            return Ok(Scan::Message { header, of: Some(length) });
        }
        Ok(Scan::Whole { message: header..header + length, next: header + length })
    }
}

/// The length's text, if its newline has come.
#[inline]
pub(super) fn before_newline(bytes: &[u8]) -> Result<Option<&[u8]>, FramingError> {
    // A minus, the digits, the newline.
    let line = &bytes[..bytes.len().min(1 + MOST_DIGITS + 1)];
    match line.iter().position(|byte| *byte == b'\n') {
        Some(end) => Ok(Some(&line[..end])),
        None => check_digits(line).map(|_| None),
    }
}

/// The length that a text says.
#[inline]
pub(super) fn length(text: &[u8], limit: usize) -> Result<usize, FramingError> {
    let digits = check_digits(text)?;
    if digits.is_empty() {
        return Err(malformed(text, "has no digits"));
    }
    let number = digits.iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
    if digits.len() < text.len() {
        return match number {
            0 => Err(malformed(text, "has a sign")),
            _ => Err(FramingError::Negative { length: -number, reversed: None }),
        };
    }
    let length = number.unsigned_abs();
    usize::try_from(length).ok().filter(|length| *length <= limit).ok_or(FramingError::TooLarge {
        length,
        limit: limit as u64,
        reversed: None,
    })
}

/// The digits of a length, or of its beginning, which may have a minus before them.
#[inline]
fn check_digits(text: &[u8]) -> Result<&[u8], FramingError> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let wrong = digits.iter().position(|byte| !byte.is_ascii_digit());
    if wrong.unwrap_or(digits.len()) > MOST_DIGITS {
        return Err(malformed(text, "has more than 18 digits"));
    }
    match wrong {
        Some(_) => Err(malformed(text, "is not digits alone")),
        None => Ok(digits),
    }
}

#[cold]
fn malformed(text: &[u8], why: &str) -> FramingError {
    FramingError::Malformed(format!("the length \"{}\" {why}", text.escape_ascii()))
}
