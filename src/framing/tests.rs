use std::io;
use std::mem::discriminant;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

/// No message of these tests is longer.
const LIMIT: usize = 40;

/// What comes of these pieces: the messages, and how it ended.
fn decode<F: Format>(format: F, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), FramingError>) {
    let mut decoder = Decoder::new(format, LIMIT);
    let mut messages = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_message(), Err(error.clone()), "an error stays");
                    assert_eq!(decoder.finish(), Err(error.clone()));
                    return (messages, Err(error));
                }
            }
        }
    }
    let end = decoder.finish();
    (messages, end)
}

fn encode<F: Format>(format: &F, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        format.encode(message, &mut out).expect("a message that the format can express");
    }
    out
}

/// Each way of cutting a short stream into pieces.
fn every_split(stream: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    assert!(stream.len() <= 16, "{} bytes have too many", stream.len());
    (0..1_u32 << (stream.len() - 1)).map(|cuts| {
        let cuts = (1..stream.len()).filter(|at| cuts >> (at - 1) & 1 == 1);
        cut(stream, cuts)
    })
}

fn cut(stream: &[u8], cuts: impl Iterator<Item = usize>) -> Vec<&[u8]> {
    let (mut pieces, mut begin) = (Vec::new(), 0);
    for at in cuts.chain([stream.len()]) {
        pieces.push(&stream[begin..at]);
        begin = at;
    }
    pieces
}

/// The pieces of a stream that these lengths give, over and over.
fn pieces<'a>(mut stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at((*length).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

fn fixed_headers() -> Vec<FixedHeader> {
    use Integer::*;
    let orders = [ByteOrder::Native, ByteOrder::Little, ByteOrder::Big];
    let integers = [I8, U8, I16, U16, I32, U32, I64, U64];
    integers.into_iter().flat_map(|integer| orders.map(|order| FixedHeader::new(integer, order))).collect()
}

/// Messages come out as they went in, in every way of cutting them; and any prefix that is not whole is told as such.
fn survives_every_split<F: Format + Copy>(format: F, messages: &[&[u8]]) {
    let messages: Vec<Vec<u8>> = messages.iter().map(|message| message.to_vec()).collect();
    let stream = encode(&format, &messages);
    for pieces in every_split(&stream) {
        assert_eq!(decode(format, &pieces), (messages.clone(), Ok(())), "{pieces:?}");
    }
    let boundaries: Vec<usize> = (0..=messages.len()).map(|n| encode(&format, &messages[..n]).len()).collect();
    for end in 0..stream.len() {
        let (whole, ended) = decode(format, &[&stream[..end]]);
        assert_eq!(whole, messages[..whole.len()]);
        let is_between = boundaries.contains(&end);
        assert_eq!(ended.is_ok(), is_between, "after {end} bytes");
        assert!(is_between || matches!(ended, Err(FramingError::Short { .. })), "after {end} bytes: {ended:?}");
    }
}

#[test]
fn every_format_survives_every_split() {
    for format in fixed_headers() {
        survives_every_split(format, if format.size() > 4 { &[b"ab"] } else { &[b"ab", b"", b"c"] });
    }
    survives_every_split(TextLength, &[b"0123456789"]);
    survives_every_split(TextLength, &[b"5\n", b"", b"\n", b"12"]);
    survives_every_split(Delimiter::NEWLINE, &[b"hello", b"", b"\r", b"x"]);
    survives_every_split(Delimiter::new(b"\r\n"), &[b"\r", b"", b"a\rb", b"\n"]);
    survives_every_split(Delimiter::new(b"aab"), &[b"aa", b"", b"ba"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn messages_come_out_as_they_went_in(
        messages in vec(vec(any::<u8>(), 0..LIMIT), 0..20),
        lengths in vec(1..60_usize, 1..8),
        mark in vec(0..4_u8, 1..4),
    ) {
        for format in fixed_headers() {
            let stream = encode(&format, &messages);
            prop_assert_eq!(decode(format, &pieces(&stream, &lengths)), (messages.clone(), Ok(())));
        }
        let stream = encode(&TextLength, &messages);
        prop_assert_eq!(decode(TextLength, &pieces(&stream, &lengths)), (messages.clone(), Ok(())));
        // What the format refuses to send would come out otherwise.
        let format = Delimiter::new(&mark);
        for message in &messages {
            let message: Vec<u8> = message.iter().map(|byte| byte % 4).collect();
            let mut stream = Vec::new();
            match format.encode(&message, &mut stream) {
                Ok(()) => prop_assert_eq!(decode(format, &pieces(&stream, &lengths)), (vec![message], Ok(()))),
                Err(FramingError::HasDelimiter { at }) => {
                    prop_assert_eq!(&stream, b"");
                    stream = [&message[..], &mark].concat();
                    prop_assert_eq!(&decode(format, &[&stream]).0[0], &message[..at]);
                }
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn what_bytes_mean_does_not_depend_on_their_pieces(
        bytes in vec(prop_oneof![0..4_u8, Just(b'-'), b'0'..=b'9', Just(b'\n'), any::<u8>()], 0..200),
        lengths in vec(1..30_usize, 1..8),
    ) {
        fn means<F: Format + Copy>(format: F, bytes: &[u8], lengths: &[usize]) -> Result<(), TestCaseError> {
            let (at_once, end_at_once) = decode(format, &[bytes]);
            let (in_pieces, end) = decode(format, &pieces(bytes, lengths));
            prop_assert_eq!(at_once, in_pieces);
            let kind = |end: &Result<(), FramingError>| end.as_ref().err().map(discriminant);
            prop_assert_eq!(kind(&end_at_once), kind(&end), "{:?} and {:?}", end_at_once, end);
            Ok(())
        }
        for format in fixed_headers() {
            means(format, &bytes, &lengths)?;
        }
        means(TextLength, &bytes, &lengths)?;
        means(Delimiter::NEWLINE, &bytes, &lengths)?;
        means(Delimiter::new(&[1, 1, 2]), &bytes, &lengths)?;
    }

    #[test]
    fn json_headers_and_bodies_come_out_as_they_went_in(
        files in vec(("[ -~]{0,8}|[你好é\"\\\\]{1,4}", vec(any::<u8>(), 0..LIMIT)), 0..6),
        lengths in vec(1..60_usize, 1..8),
    ) {
        for format in fixed_headers().into_iter().filter(|format| format.size() > 1).map(JsonHeader::new) {
            let mut stream = Vec::new();
            for (name, body) in &files {
                format.encode(&Header { name: name.clone(), size: body.len() as i64 }, &mut stream).expect("a header");
                stream.extend_from_slice(body);
            }
            prop_assert_eq!(decode_json(format, &pieces(&stream, &lengths)), (files.clone(), Ok(())));
        }
    }
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Header {
    name: String,
    size: i64,
}

impl BodySize for Header {
    fn body_size(&self) -> i64 {
        self.size
    }
}

/// A file's name and what is in it.
type File = (String, Vec<u8>);

/// The files that come of these pieces, and how it ended.
fn decode_json(format: JsonHeader, pieces: &[&[u8]]) -> (Vec<File>, Result<(), FramingError>) {
    let mut decoder = JsonDecoder::<Header>::new(format, 200, LIMIT as u64);
    let (mut files, mut file) = (Vec::new(), None);
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_part() {
                Ok(Some(Part::Header(header))) => {
                    assert_eq!(file, None, "a header in a body");
                    file = Some((header.name, Vec::new()));
                }
                Ok(Some(Part::Body(bytes))) => {
                    assert!(!bytes.is_empty());
                    file.as_mut().expect("a body behind a header").1.extend_from_slice(bytes);
                }
                Ok(Some(Part::End)) => files.push(file.take().expect("an end behind a header")),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_part(), Err(error.clone()), "an error stays");
                    return (files, Err(error));
                }
            }
        }
    }
    let end = decoder.finish();
    (files, end)
}

/// A header of four bytes in network order, and this JSON.
fn json(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).expect("a length").to_be_bytes(), text.as_bytes()].concat()
}

#[test]
fn a_json_header_survives_every_split() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct S {
        s: i64,
    }
    impl BodySize for S {
        fn body_size(&self) -> i64 {
            self.s
        }
    }
    let stream = b"\x07{\"s\":2}ab\x07{\"s\":0}";
    for pieces in [&stream[..10], &stream[10..]].into_iter().flat_map(every_split) {
        let mut decoder = JsonDecoder::<S>::new(JsonHeader::new(FixedHeader::new(Integer::U8, ByteOrder::Big)), 7, 2);
        let (mut sizes, mut body, mut ends) = (Vec::new(), Vec::new(), 0);
        for piece in &pieces {
            decoder.push(piece);
            while let Some(part) = decoder.next_part().expect("a part") {
                match part {
                    Part::Header(S { s }) => sizes.push(s),
                    Part::Body(bytes) => body.extend_from_slice(bytes),
                    Part::End => ends += 1,
                }
            }
        }
        decoder.finish().expect("an end between two");
        let expected = if pieces.concat().ends_with(b"ab") { (vec![2], b"ab".to_vec()) } else { (vec![0], Vec::new()) };
        assert_eq!((sizes, body, ends), (expected.0, expected.1, 1), "{pieces:?}");
    }
}

#[test]
fn a_body_is_handed_over_as_it_comes_and_never_held() {
    let mut decoder = JsonDecoder::<Header>::new(JsonHeader::new(FixedHeader::NETWORK), 100, u64::MAX);
    decoder.push(&json(r#"{"name":"large","size":8589934592}"#));
    assert!(matches!(decoder.next_part(), Ok(Some(Part::Header(_)))));
    // 8 GiB were announced; of these 64 MiB come.
    let piece = vec![7; 64 << 10];
    for _ in 0..1024 {
        decoder.push(&piece);
        assert_eq!(decoder.next_part(), Ok(Some(Part::Body(&piece[..]))));
        assert_eq!(decoder.next_part(), Ok(None));
    }
    assert!(decoder.space(1).len() <= 256 << 10);
    let short = FramingError::Short { in_a: Unfinished::Body, have: 64 << 20, of: Some(8 << 30) };
    assert_eq!(decoder.finish(), Err(short));
}

#[test]
fn what_is_wrong_with_a_json_header_is_named() {
    let format = JsonHeader::new(FixedHeader::new(Integer::I32, ByteOrder::Big));
    for (stream, wrong) in [
        (json("[\"x\",5]"), "a malformed header: not a JSON object: it begins with '['"),
        (json("5"), "a malformed header: not a JSON object: it begins with '5'"),
        (json(""), "a malformed header: not a JSON object: it is empty"),
        (json("{\"name\":\"x\""), "a malformed header: EOF while parsing an object at line 1 column 11"),
        (json("{\"name\":\"x\"}"), "a malformed header: missing field `size` at line 1 column 12"),
        (
            json("{\"name\":\"x\",\"size\":null}"),
            "a malformed header: invalid type: null, expected i64 at line 1 column 23",
        ),
        (
            json("{\"name\":\"x\",\"size\":\"5\"}"),
            "a malformed header: invalid type: string \"5\", expected i64 at line 1 column 22",
        ),
        (
            json("{\"name\":\"x\",\"size\":1e3}"),
            "a malformed header: invalid type: floating point `1000.0`, expected i64 at line 1 column 22",
        ),
        (
            json("{\"name\":\"x\",\"size\":5,\"size\":6}"),
            "a malformed header: duplicate field `size` at line 1 column 27",
        ),
        (json("{\"name\":\"x\",\"size\":5}}"), "a malformed header: trailing characters at line 1 column 22"),
        (json("{\"name\":\"x\",\"size\":-5}"), "a length of -5 is negative"),
        (json("{\"name\":\"x\",\"size\":41}"), "a length of 41 is more than the limit, 40"),
        (
            json("{\"name\":\"x\",\"size\":9223372036854775807}"),
            "a length of 9223372036854775807 is more than the limit, 40",
        ),
        (
            json("{\"name\":\"x\",\"size\":9223372036854775808}"),
            "a malformed header: invalid value: integer `9223372036854775808`, expected i64 at line 1 column 38",
        ),
        (b"\x00\x00\x00\xc9".to_vec(), "a length of 201 is more than the limit, 200"),
        (b"\xff\xff\xff\xff".to_vec(), "a length of -1 is negative"),
        (
            b"\x16\x00\x00\x00".to_vec(),
            "a length of 369098752 is more than the limit, 200; it would be 22 in the other byte order",
        ),
        (b"\x00\x00\x00".to_vec(), "the stream ended in a header, after 3 of its 4 bytes"),
        (b"\x00\x00\x00\x05{".to_vec(), "the stream ended in a header, after 5 of its 9 bytes"),
        (
            [json("{\"name\":\"x\",\"size\":5}"), b"abc".to_vec()].concat(),
            "the stream ended in a body, after 3 of its 5 bytes",
        ),
        (json("{\"name\":\"x\",\"size\":5}"), "the stream ended in a body, after 0 of its 5 bytes"),
    ] {
        let told = decode_json(format, &[&stream]).1.expect_err("it is wrong").to_string();
        assert_eq!(told, wrong);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(decode_json(format, &bytes).1.expect_err("it is wrong").to_string(), wrong);
    }
    let not_utf_8 = [&b"\x00\x00\x00\x15{\"name\":\"\xff\",\"size\":0}"[..]];
    assert!(matches!(decode_json(format, &not_utf_8).1, Err(FramingError::Malformed(_))));
}

#[test]
fn the_length_of_a_json_header_counts_bytes_and_not_characters() {
    let mut out = Vec::new();
    let header = Header { name: "报告".to_owned(), size: 0 };
    JsonHeader::new(FixedHeader::NETWORK).encode(&header, &mut out).expect("a header");
    let text = r#"{"name":"报告","size":0}"#;
    assert_eq!((text.chars().count(), text.len()), (22, 26));
    assert_eq!(out, json(text));
    // Who counts characters announces too few, and the JSON is cut.
    let wrong = [&22_u32.to_be_bytes(), text.as_bytes()].concat();
    let error = decode_json(JsonHeader::new(FixedHeader::NETWORK), &[&wrong]).1.expect_err("it is cut");
    assert_eq!(error.to_string(), "a malformed header: EOF while parsing a string at line 1 column 22");
}

#[test]
fn a_json_header_that_cannot_be_sent_leaves_nothing() {
    #[derive(Serialize)]
    struct Bare(i64);
    impl BodySize for Bare {
        fn body_size(&self) -> i64 {
            0
        }
    }
    let mut out = b"before".to_vec();
    let format = JsonHeader::new(FixedHeader::new(Integer::I8, ByteOrder::Big));
    let negative = format.encode(&Header { name: String::new(), size: -5 }, &mut out);
    assert_eq!(negative, Err(FramingError::Negative { length: -5, reversed: None }));
    let long = format.encode(&Header { name: "x".repeat(110), size: 0 }, &mut out);
    assert_eq!(long, Err(FramingError::DoesNotFit { length: 130, largest: 127 }));
    assert!(matches!(format.encode(&Bare(5), &mut out), Err(FramingError::Malformed(_))));
    assert_eq!(out, b"before");
}

#[test]
fn a_length_is_refused_before_a_byte_of_the_message_has_come() {
    for (format, header, wrong) in [
        (FixedHeader::NETWORK, &b"\x00\x00\x00\x29"[..], "a length of 41 is more than the limit, 40"),
        (FixedHeader::NETWORK, b"\xff\xff\xff\xff", "a length of 4294967295 is more than the limit, 40"),
        (
            FixedHeader::NETWORK,
            b"\x06\x00\x00\x00",
            "a length of 100663296 is more than the limit, 40; it would be 6 in the other byte order",
        ),
        (FixedHeader::new(Integer::I32, ByteOrder::Big), b"\xff\xff\xff\xfb", "a length of -5 is negative"),
        (FixedHeader::new(Integer::I32, ByteOrder::Little), b"\xfb\xff\xff\xff", "a length of -5 is negative"),
        (FixedHeader::new(Integer::I32, ByteOrder::Little), b"\x00\x00\x00\x80", "a length of -2147483648 is negative"),
        (FixedHeader::new(Integer::I16, ByteOrder::Little), b"\x00\xff", "a length of -256 is negative"),
        (FixedHeader::new(Integer::I8, ByteOrder::Native), b"\x80", "a length of -128 is negative"),
        (
            FixedHeader::new(Integer::U64, ByteOrder::Big),
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
            "a length of 18446744073709551615 is more than the limit, 40",
        ),
        (
            FixedHeader::new(Integer::I64, ByteOrder::Big),
            b"\x80\x00\x00\x00\x00\x00\x00\x00",
            "a length of -9223372036854775808 is negative",
        ),
    ] {
        let (messages, end) = decode(format, &[header]);
        assert_eq!(messages, Vec::<Vec<u8>>::new());
        assert_eq!(end.expect_err("it is wrong").to_string(), wrong);
    }
    // The bytes of -16777216 in one order are 255 in the other.
    let signed = FixedHeader::new(Integer::I32, ByteOrder::Big);
    assert_eq!(
        signed.length_within(b"\xff\x00\x00\x00", 300),
        Err(FramingError::Negative { length: -16_777_216, reversed: Some(255) })
    );
}

#[test]
fn nothing_is_reserved_for_what_is_only_announced() {
    let mut decoder = Decoder::new(FixedHeader::NETWORK, u32::MAX as usize);
    decoder.push(b"\xff\xff\xff\xff0123456789");
    assert_eq!(decoder.next_message(), Ok(None));
    assert!(decoder.buffer.unread().len() == 14 && format!("{decoder:?}").len() < 1000);
}

#[test]
fn a_header_of_every_kind_says_its_length() {
    for format in fixed_headers() {
        for length in [0, 1, 5, 127] {
            let mut header = Vec::new();
            format.encode_length(length, &mut header).expect("it fits");
            assert_eq!((header.len(), format.length(&header)), (format.size(), Ok(length)), "{format:?}");
        }
        let mut out = b"before".to_vec();
        let largest = format.integer().largest();
        format.encode_length(largest, &mut out).expect("the largest fits");
        assert_eq!(format.length(&out[6..]), Ok(largest));
        out.truncate(6);
        if let Some(length) = largest.checked_add(1) {
            assert_eq!(format.encode_length(length, &mut out), Err(FramingError::DoesNotFit { length, largest }));
            assert_eq!(out, b"before");
        }
        let short = FramingError::Short { in_a: Unfinished::Header, have: 3, of: Some(format.size() as u64) };
        assert_eq!(format.length(b"abc"), Err(short));
    }
    assert_eq!(FixedHeader::NATIVE_INT.length(&6_i32.to_ne_bytes()), Ok(6));
}

#[test]
fn a_length_as_text_is_digits_alone() {
    for (stream, wrong) in [
        (&b"\n"[..], "a malformed header: the length \"\" has no digits"),
        (b"-\n", "a malformed header: the length \"-\" has no digits"),
        (b"+5\n", "a malformed header: the length \"+5\" is not digits alone"),
        (b"5 \n", "a malformed header: the length \"5 \" is not digits alone"),
        (b"5\r\n", "a malformed header: the length \"5\\r\" is not digits alone"),
        (b"--5\n", "a malformed header: the length \"--5\" is not digits alone"),
        (b"-0\n", "a malformed header: the length \"-0\" has a sign"),
        (b"-5\n", "a length of -5 is negative"),
        (b"41\n", "a length of 41 is more than the limit, 40"),
        (b"999999999999999999\n", "a length of 999999999999999999 is more than the limit, 40"),
        (b"1000000000000000000", "a malformed header: the length \"1000000000000000000\" has more than 18 digits"),
        (b"0000000000000000005\n", "a malformed header: the length \"0000000000000000005\" has more than 18 digits"),
        (b"5", "the stream ended in a header, after 1 byte of it"),
        (b"5\nhel", "the stream ended in a message, after 3 of its 5 bytes"),
    ] {
        assert_eq!(decode(TextLength, &[stream]).1.expect_err("it is wrong").to_string(), wrong);
    }
    assert_eq!(decode(TextLength, &[b"007\n1234567"]), (vec![b"1234567".to_vec()], Ok(())));
}

#[test]
fn a_message_behind_its_delimiter_has_a_limit() {
    let longest = [&[b'x'; LIMIT][..], b"\r\n"].concat();
    let format = Delimiter::new(b"\r\n");
    assert_eq!(decode(format, &[&longest]), (vec![vec![b'x'; LIMIT]], Ok(())));
    let too_long = [b"x", &longest[..]].concat();
    assert_eq!(decode(format, &[&too_long]), (vec![], Err(FramingError::NoDelimiter { limit: LIMIT })));
    let pieces: Vec<&[u8]> = too_long.chunks(1).collect();
    assert_eq!(decode(format, &pieces), (vec![], Err(FramingError::NoDelimiter { limit: LIMIT })));
}

#[test]
fn what_was_searched_is_not_searched_again() {
    // Each byte once more for each piece would be 10¹⁰ steps.
    let mut decoder = Decoder::new(Delimiter::NEWLINE, 1 << 20);
    for _ in 0..200_000 {
        decoder.push(b"x");
        assert_eq!(decoder.next_message(), Ok(None));
    }
    decoder.push(b"\n");
    assert_eq!(decoder.next_message().map(|message| message.map(<[u8]>::len)), Ok(Some(200_000)));
}

#[test]
fn a_length_without_an_end_is_the_piece_that_somebody_takes_for_it() {
    // 12 bytes are announced, in two pieces; the receiver acknowledges after the first.
    let mut receiver = AckReceiver::new(LIMIT);
    receiver.push(b"1");
    assert_eq!(receiver.acknowledge(), Ok(&b"recv_ready"[..]));
    receiver.push(b"2hello, world");
    assert_eq!(receiver.next_message(), Some(&b"2"[..]), "a digit of the length");
    assert!(receiver.announced().is_err(), "and what is left of the message is no length");

    // The same with a newline: it cannot be acknowledged too early.
    let mut receiver = AckReceiver::with_newline(LIMIT);
    receiver.push(b"1");
    assert_eq!(receiver.announced(), Ok(None));
    assert_eq!(receiver.acknowledge(), Err(FramingError::Short { in_a: Unfinished::Header, have: 1, of: None }));
    receiver.push(b"2\n");
    assert_eq!(receiver.announced(), Ok(Some(12)));
    assert_eq!(receiver.acknowledge(), Ok(&b"recv_ready\n"[..]));
    receiver.push(b"hello, ");
    assert_eq!(receiver.next_message(), None);
    assert_eq!(receiver.finish(), Err(FramingError::Short { in_a: Unfinished::Message, have: 7, of: Some(12) }));
    receiver.push(b"world0");
    assert_eq!(receiver.next_message(), Some(&b"hello, world"[..]));
    assert_eq!(receiver.finish(), Err(FramingError::Short { in_a: Unfinished::Header, have: 1, of: None }));
    receiver.push(b"\n");
    receiver.acknowledge().expect("a length of 0");
    assert_eq!(receiver.next_message(), Some(&b""[..]));
    assert_eq!(receiver.next_message(), None);
    assert_eq!(receiver.finish(), Ok(()));
}

#[test]
fn a_sender_that_does_not_wait_is_found_out_if_nothing_ends_the_length() {
    let mut receiver = AckReceiver::new(LIMIT);
    receiver.push(b"6hello\n");
    let wrong = "a malformed header: the length \"6hello\\n\" is not digits alone";
    assert_eq!(receiver.announced().map_err(|error| error.to_string()), Err(wrong.to_owned()));
    // With a newline it does no harm.
    let mut receiver = AckReceiver::with_newline(LIMIT);
    receiver.push(b"6\nhello\n");
    receiver.acknowledge().expect("a length");
    assert_eq!(receiver.next_message(), Some(&b"hello\n"[..]));
    for (text, limit) in
        [(&b"41"[..], "a length of 41 is more than the limit, 40"), (b"-3", "a length of -3 is negative")]
    {
        let mut receiver = AckReceiver::new(LIMIT);
        receiver.push(text);
        assert_eq!(receiver.announced().map_err(|error| error.to_string()), Err(limit.to_owned()));
    }
}

#[test]
fn an_acknowledgement_is_found_in_any_pieces() {
    for mut sender in [AckSender::new(), AckSender::with_newline()] {
        assert!(sender.is_acknowledged() && sender.finish().is_ok(), "nothing is to be acknowledged yet");
        let line = sender.announce(1892);
        let end = line.strip_prefix(b"1892").expect("the length");
        let acknowledgement = [b"recv_ready", end].concat();
        for pieces in every_split(&acknowledgement) {
            sender.announce(1892);
            for piece in pieces {
                assert!(!sender.is_acknowledged() && sender.finish().is_err());
                assert_eq!(sender.take(piece), Ok(piece.len()));
            }
            assert!(sender.is_acknowledged() && sender.finish().is_ok());
            assert_eq!(sender.take(b"echo two"), Ok(0), "that is a request");
        }
        sender.announce(0);
        assert_eq!(sender.take(b"recv"), Ok(4));
        assert!(matches!(sender.take(b"receive"), Err(FramingError::Malformed(_))));
    }
}

#[test]
fn an_error_is_one_of_input_and_output_too() {
    let kinds = [
        (FramingError::Short { in_a: Unfinished::Header, have: 1, of: Some(4) }, io::ErrorKind::UnexpectedEof),
        (FramingError::HasDelimiter { at: 1 }, io::ErrorKind::InvalidInput),
        (FramingError::NoDelimiter { limit: 1 }, io::ErrorKind::InvalidData),
    ];
    for (error, kind) in kinds {
        let text = error.to_string();
        let error = io::Error::from(error);
        assert_eq!((error.kind(), error.to_string()), (kind, text));
    }
}

#[test]
fn bytes_can_come_into_the_decoder_without_a_copy() {
    let stream = encode(&FixedHeader::NETWORK, &[b"hello".to_vec(), b"you".to_vec()]);
    let mut conn = &stream[..];
    let mut decoder = Decoder::new(FixedHeader::NETWORK, LIMIT);
    let mut messages = Vec::new();
    loop {
        let len = io::Read::read(&mut conn, decoder.space(4)).expect("bytes");
        if len == 0 {
            break;
        }
        decoder.filled(len);
        while let Some(message) = decoder.next_message().expect("a message") {
            messages.push(message.to_vec());
        }
    }
    decoder.finish().expect("an end between two");
    assert_eq!(messages, [b"hello".to_vec(), b"you".to_vec()]);
}
