//! Messages in streams, in each format of `socklab::framing`: what a decoder makes of any bytes, in any pieces, is what
//! a few plain lines make of them that have all of it before them.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use socklab::framing::{
    AckReceiver, AckSender, BodySize, ByteOrder, Decoder, Delimiter, FixedHeader, Format, FramingError, Integer,
    JsonDecoder, JsonHeader, Part, TextLength,
};

use super::Pieces;

/// The messages of a stream, and why there are no more of them.
type Decoded = (Vec<Vec<u8>>, End);

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Between,
    Short,
    Negative,
    TooLarge,
    Malformed,
    NoDelimiter,
}

fn end(result: Result<(), FramingError>) -> End {
    match result {
        Ok(()) => End::Between,
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty() && !told.chars().any(char::is_control), "{told:?}");
            match error {
                FramingError::Short { .. } => End::Short,
                FramingError::Negative { .. } => End::Negative,
                FramingError::TooLarge { .. } => End::TooLarge,
                FramingError::NoDelimiter { .. } => End::NoDelimiter,
                FramingError::Malformed(_) => End::Malformed,
                other => panic!("a decoder says {other}"),
            }
        }
    }
}

/// A stream with the lengths of the pieces in which it comes, over and over.
struct Cut<'a> {
    lengths: Vec<u8>,
    stream: &'a [u8],
}

impl<'a> Cut<'a> {
    fn of(pieces: Pieces<'a>) -> Cut<'a> {
        let mut pieces = pieces;
        let lengths = pieces.bytes();
        Cut { lengths, stream: pieces.0 }
    }

    fn pieces(&self) -> Vec<&'a [u8]> {
        let (mut rest, mut pieces) = (self.stream, Vec::new());
        for length in self.lengths.iter().chain([&255]).cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(usize::from(*length).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

/// What a decoder makes of it, piece by piece and at once, by both ways into it.
fn decoded<F: Format + Clone>(format: &F, limit: usize, cut: &Cut) -> Decoded {
    let in_pieces = decode(format.clone(), limit, &cut.pieces(), false);
    assert_eq!(in_pieces, decode(format.clone(), limit, &[cut.stream], true), "in pieces, and at once");
    in_pieces
}

fn decode(format: impl Format, limit: usize, pieces: &[&[u8]], into_space: bool) -> Decoded {
    let mut decoder = Decoder::new(format, limit);
    let mut messages = Vec::new();
    for piece in pieces {
        if into_space {
            decoder.space(piece.len() + 3)[..piece.len()].copy_from_slice(piece);
            decoder.filled(piece.len());
        } else {
            decoder.push(piece);
        }
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => {
                    assert!(message.len() <= limit, "{} bytes", message.len());
                    messages.push(message.to_vec());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_message(), Err(error.clone()), "an error stays");
                    return (messages, end(Err(error)));
                }
            }
        }
    }
    let ended = end(decoder.finish());
    (messages, ended)
}

/// What a format makes of messages.
fn encoded(format: &impl Format, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        format.encode(message, &mut out).unwrap_or_else(|error| panic!("{message:?}: {error}"));
    }
    out
}

/// An integer and an order, by a number.
fn fixed(number: u8) -> FixedHeader {
    use Integer::*;
    let integer = [I8, U8, I16, U16, I32, U32, I64, U64][usize::from(number) % 8];
    let order = [ByteOrder::Little, ByteOrder::Big, ByteOrder::Native][usize::from(number) / 8 % 3];
    FixedHeader::new(integer, order)
}

/// What a header of this kind says, by a number, which says the same of it as `fixed`.
fn length_by_hand(number: u8, header: &[u8]) -> i128 {
    let is_big = number / 8 % 3 == 1 || number / 8 % 3 == 2 && cfg!(target_endian = "big");
    let mut bytes = header.to_vec();
    if !is_big {
        bytes.reverse();
    }
    let value = bytes.iter().fold(0_i128, |value, byte| value << 8 | i128::from(*byte));
    if number.is_multiple_of(2) && bytes[0] >= 0x80 { value - (1 << (8 * bytes.len())) } else { value }
}

/// A length of a fixed size before each message.
pub fn framing_fixed(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let (number, limit) = (pieces.number(), 4 * usize::from(pieces.number()));
    let cut = Cut::of(pieces);
    let (format, mut rest) = (fixed(number), cut.stream);
    let mut messages = Vec::new();
    let end = loop {
        let Some((header, after)) = rest.split_at_checked(format.size()) else {
            break if rest.is_empty() { End::Between } else { End::Short };
        };
        let length = length_by_hand(number, header);
        if length < 0 {
            break End::Negative;
        }
        if length > limit as i128 {
            break End::TooLarge;
        }
        let Some((message, after)) = after.split_at_checked(length as usize) else { break End::Short };
        messages.push(message.to_vec());
        rest = after;
    };
    assert_eq!(decoded(&format, limit, &cut), (messages.clone(), end));
    assert_eq!(encoded(&format, &messages), cut.stream[..cut.stream.len() - rest.len()]);
}

/// A length as text before each message.
pub fn framing_text(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let limit = 4 * usize::from(pieces.number());
    let cut = Cut::of(pieces);
    let (messages, end) = decoded(&TextLength, limit, &cut);
    let mut rest = cut.stream;
    for message in &messages {
        let line = rest.iter().position(|byte| *byte == b'\n').expect("a newline behind a length");
        let text = std::str::from_utf8(&rest[..line]).expect("digits");
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text:?}");
        assert_eq!(text.parse(), Ok(message.len()), "{text:?}");
        assert_eq!(&rest[line + 1..line + 1 + message.len()], &message[..]);
        rest = &rest[line + 1 + message.len()..];
    }
    let line = rest.iter().position(|byte| *byte == b'\n').map(|at| &rest[..at]);
    let number = line.and_then(|line| std::str::from_utf8(line).ok()?.parse::<i128>().ok());
    let plain = line.is_some_and(|line| line.len() <= 18 && line.iter().all(u8::is_ascii_digit));
    match end {
        End::Between => assert!(rest.is_empty(), "{rest:?}"),
        End::Short => assert!(number.is_none_or(|length| plain && length <= limit as i128), "{rest:?}"),
        End::TooLarge => assert!(number.is_some_and(|length| plain && length > limit as i128), "{rest:?}"),
        End::Negative => assert!(number.is_some_and(|length| length < 0), "{rest:?}"),
        End::Malformed => assert!(!plain || line == Some(b""), "{rest:?}"),
        End::NoDelimiter => panic!("it has no delimiter"),
    }
    // Written as we write it, it is the same.
    let cut = Cut { lengths: cut.lengths.clone(), stream: &encoded(&TextLength, &messages) };
    assert_eq!(decoded(&TextLength, limit, &cut), (messages, End::Between));
}

/// A mark behind each message.
pub fn framing_delimiter(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let limit = usize::from(pieces.number());
    let mark = pieces.bytes();
    if mark.is_empty() {
        return;
    }
    let cut = Cut::of(pieces);
    let (format, mut rest) = (Delimiter::new(&mark), cut.stream);
    let mut messages = Vec::new();
    let end = loop {
        match rest.windows(mark.len()).position(|window| window == mark) {
            Some(at) if at <= limit => {
                messages.push(rest[..at].to_vec());
                rest = &rest[at + mark.len()..];
            }
            Some(_) => break End::NoDelimiter,
            None if rest.len() >= limit + mark.len() => break End::NoDelimiter,
            None => break if rest.is_empty() { End::Between } else { End::Short },
        }
    };
    assert_eq!(decoded(&format, limit, &cut), (messages.clone(), end));
    assert_eq!(encoded(&format, &messages), cut.stream[..cut.stream.len() - rest.len()]);
    // What is left may be sent if, and only if, it comes out whole.
    let mut out = b"before".to_vec();
    let sent = format.encode(rest, &mut out).is_ok();
    let unlimited = Cut { lengths: cut.lengths.clone(), stream: &[rest, &mark[..]].concat() };
    assert_eq!(sent, decoded(&format, usize::MAX, &unlimited) == (vec![rest.to_vec()], End::Between));
    assert_eq!(out.len(), if sent { 6 + rest.len() + mark.len() } else { 6 });
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    file_name: String,
    file_size: i64,
}

impl BodySize for Header {
    fn body_size(&self) -> i64 {
        self.file_size
    }
}

/// A header in JSON before each body.
pub fn framing_json(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let (number, longest, largest) = (pieces.number(), 4 * usize::from(pieces.number()), pieces.number());
    let format = JsonHeader::new(fixed(number));
    let cut = Cut::of(pieces);
    let files = decode_json(format, longest, largest, &cut.pieces());
    assert_eq!(files, decode_json(format, longest, largest, &[cut.stream]), "in pieces, and at once");
    let mut rest = cut.stream;
    for (header, body) in &files.0 {
        let (length, after) = rest.split_at(fixed(number).size());
        let length = usize::try_from(length_by_hand(number, length)).expect("a length");
        assert!(length <= longest, "a header of {length} bytes");
        let (json, after) = after.split_at(length);
        // Where a number is too large for it this cannot read what a struct without that field can.
        if let Ok(value) = serde_json::from_slice::<Json>(json) {
            assert_eq!(value["file_name"].as_str(), Some(&header.file_name[..]));
            assert_eq!(value["file_size"].as_i64(), Some(header.file_size));
        }
        assert!(body.len() <= usize::from(largest));
        // Of the last one, some may not have come.
        assert!(after.starts_with(body) && body.len() as i64 <= header.file_size);
        rest = &after[body.len()..];
    }
    let mut out = b"before".to_vec();
    for (header, body) in &files.0 {
        // A small integer may not hold the JSON as we write it.
        match format.encode(header, &mut out) {
            Ok(()) => {
                let again = [&out[6..], &body[..]].concat();
                let decoded = decode_json(format, usize::MAX >> 1, largest, &[&again]).0;
                assert_eq!(decoded.first(), Some(&(header.clone(), body.clone())));
                out.truncate(6);
            }
            Err(error) => assert!(matches!(error, FramingError::DoesNotFit { .. }) && out == b"before", "{error}"),
        }
    }
}

/// The headers with as much of their bodies as came.
fn decode_json(format: JsonHeader, longest: usize, largest: u8, pieces: &[&[u8]]) -> (Vec<(Header, Vec<u8>)>, End) {
    let mut decoder = JsonDecoder::<Header>::new(format, longest, u64::from(largest));
    let mut files: Vec<(Header, Vec<u8>)> = Vec::new();
    let mut is_open = false;
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_part() {
                Ok(Some(Part::Header(header))) => {
                    assert!(!is_open, "a header in a body");
                    is_open = true;
                    files.push((header, Vec::new()));
                }
                Ok(Some(Part::Body(bytes))) => {
                    assert!(is_open && !bytes.is_empty());
                    files.last_mut().expect("a header").1.extend_from_slice(bytes);
                }
                Ok(Some(Part::End)) => {
                    let (header, body) = files.last().expect("a header");
                    assert!(is_open && body.len() as i64 == header.file_size);
                    is_open = false;
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_part(), Err(error.clone()), "an error stays");
                    return (files, end(Err(error)));
                }
            }
        }
    }
    let ended = end(decoder.finish());
    assert!(!is_open || ended == End::Short);
    (files, ended)
}

/// A length as text, an acknowledgement, a message: both sides, driven in any order.
pub fn framing_ack(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let (has_newline, limit) = (pieces.number() % 2 == 1, 4 * usize::from(pieces.number()));
    let steps = pieces.bytes();
    let mut stream = pieces.rest();
    let mut sender = if has_newline { AckSender::with_newline() } else { AckSender::new() };
    let acknowledgement = if has_newline { &b"recv_ready\n"[..] } else { b"recv_ready" };
    sender.announce(5);
    let whole = stream.get(..acknowledgement.len()).is_some_and(|begin| begin == acknowledgement);
    let mut taken = 0;
    for piece in stream.chunks(1 + limit / 4) {
        match sender.take(piece) {
            Ok(0) => break,
            Ok(len) => taken += len,
            Err(error) => {
                assert_eq!(end(Err(error)), End::Malformed);
                assert!(!acknowledgement.starts_with(stream) && !whole);
                break;
            }
        }
    }
    assert!(acknowledgement.starts_with(&stream[..taken]));
    assert_eq!(sender.is_acknowledged(), whole);

    let mut receiver = if has_newline { AckReceiver::with_newline(limit) } else { AckReceiver::new(limit) };
    let (mut unread, mut open) = (Vec::new(), None);
    for step in steps {
        let (piece, rest) = stream.split_at(usize::from(step / 4).min(stream.len()));
        match step % 4 {
            0 => {
                receiver.push(piece);
                unread.extend_from_slice(piece);
                stream = rest;
            }
            1 => match receiver.acknowledge() {
                Ok(sent) => {
                    assert_eq!(sent, acknowledgement);
                    assert_eq!(open, None, "acknowledged twice");
                    let header = unread.iter().position(|byte| *byte == b'\n').map_or(unread.len(), |at| at + 1);
                    let text: Vec<u8> = unread.drain(..header).collect();
                    let text = std::str::from_utf8(&text).expect("digits");
                    let digits = if has_newline { text.strip_suffix('\n').expect("its end") } else { text };
                    let length: usize = digits.parse().expect("a number");
                    assert!(length <= limit, "{length}");
                    open = Some(length);
                }
                Err(error) => _ = end(Err(error)),
            },
            2 => match receiver.next_message() {
                Some(message) => {
                    let expected: Vec<u8> = unread.drain(..open.take().expect("an acknowledged length")).collect();
                    assert_eq!(message, expected);
                }
                None => assert!(open.is_none_or(|length| unread.len() < length), "a message is there"),
            },
            _ => {
                let is_between =
                    open.is_none_or(|length| unread.len() >= length) && (open.is_some() || unread.is_empty());
                assert_eq!(end(receiver.finish()) == End::Between, is_between);
                match receiver.announced() {
                    Ok(Some(length)) => assert!(open.is_none() && length <= limit && !unread.is_empty()),
                    Ok(None) => assert!(open.is_some() || unread.is_empty() || has_newline || unread == b"-"),
                    Err(error) => assert!(open.is_none() && end(Err(error)) != End::Short),
                }
            }
        }
    }
}
