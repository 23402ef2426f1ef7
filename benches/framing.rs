//! What it costs to find the messages of a stream, each figure beside its baseline, taken in turns in one run:
//! `just bench`.
//!
//! The stream lies in memory and comes in pieces of 64 KiB, as a `recv` may return them. The machine's speed drifts, so
//! hold the ratios, not the figures.

#[path = "support/limit.rs"]
mod limit;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::time::Instant;

use bytes::BytesMut;
use limit::keeps;
use serde::{Deserialize, Serialize};
use socklab::framing::{BodySize, Decoder, Delimiter, FixedHeader, Format, JsonDecoder, JsonHeader, Part, TextLength};
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec};

/// How often each figure is taken.
const ROUNDS: usize = 201;

/// Messages of a stream, at most, and its bytes: it stays in a processor's cache, and a round is over before somebody
/// else's turn comes, where the machine has other things to do.
const MESSAGES: usize = 8192;
const STREAM: usize = 1 << 20;

/// Bytes that come at once.
const PIECE: usize = 64 << 10;

/// No message may have more.
const LIMIT: usize = 1 << 20;

/// How many times the rate of `LengthDelimitedCodec` messages of 16 bytes are to be found.
const FASTER: f64 = 5.0;

/// How many times as long as serde_json alone a header in JSON may take.
const JSON: f64 = 1.1;

#[derive(Serialize, Deserialize)]
struct Header {
    file_name: String,
    file_size: i64,
    sha256: String,
}

impl BodySize for Header {
    fn body_size(&self) -> i64 {
        self.file_size
    }
}

fn main() {
    println!("nanoseconds a message; medians of {ROUNDS} rounds, taken in turns, and in brackets the fastest tenth\n");
    println!("{:<58} {:>18} {:>18} {:>7}", "", "ours", "baseline", "ratio");
    for size in [16, 1 << 10, 64 << 10] {
        let messages = MESSAGES.min(STREAM / size);
        let stream = stream(&FixedHeader::NETWORK, size, messages);
        let name = if size < 1 << 10 { format!("{size} B") } else { format!("{} KiB", size >> 10) };
        let pushed = || pushed(FixedHeader::NETWORK, &stream, messages);
        let what = format!("{name} behind 4 bytes: beside LengthDelimitedCodec");
        let ratio = row(&what, messages, pushed, || length_delimited(&stream, messages));
        let limit = if size == 16 { 1.0 / FASTER } else { 1.0 };
        keeps(&format!("{name}, of LengthDelimitedCodec's time"), ratio, limit, "");
        let read = || read(FixedHeader::NETWORK, &stream, messages);
        let what = format!("{name}, read into the decoder: beside a BufReader");
        row(&what, messages, read, || buf_reader(&stream, messages));
    }
    let messages = MESSAGES;
    let texts = stream(&TextLength, 16, messages);
    let numbers = stream(&FixedHeader::NETWORK, 16, messages);
    let text = || pushed(TextLength, &texts, messages);
    row("16 B behind text: beside 4 bytes", messages, text, || pushed(FixedHeader::NETWORK, &numbers, messages));
    for size in [16, 1 << 10] {
        let messages = MESSAGES.min(STREAM / size);
        let stream = stream(&Delimiter::NEWLINE, size, messages);
        let lines = || read(Delimiter::NEWLINE, &stream, messages);
        row(&format!("{size} B and a newline: beside read_until"), messages, lines, || read_until(&stream, messages));
    }
    headers_in_json();
}

/// Headers in JSON, beside serde_json alone, which is told where each one is.
fn headers_in_json() {
    let format = JsonHeader::new(FixedHeader::NETWORK);
    let (mut stream, mut places) = (Vec::new(), Vec::new());
    while places.len() < MESSAGES / 4 {
        let header =
            Header { file_name: format!("report-{}.pdf", places.len()), file_size: 0, sha256: "5f".repeat(32) };
        let begin = stream.len() + 4;
        format.encode(&header, &mut stream).expect("a header");
        places.push(begin..stream.len());
    }
    let ours = || {
        let mut decoder = JsonDecoder::<Header>::new(format, 4 << 10, 1 << 30);
        let mut headers = 0;
        for piece in stream.chunks(PIECE) {
            decoder.push(piece);
            while let Some(part) = decoder.next_part().expect("a part") {
                if let Part::Header(header) = part {
                    black_box(&header);
                    headers += 1;
                }
            }
        }
        assert_eq!(headers, places.len());
    };
    let alone = || {
        for place in &places {
            black_box(&serde_json::from_slice::<Header>(&stream[place.clone()]).expect("a header"));
        }
    };
    let what = format!("a header of {} B in JSON: beside serde_json", places[0].len());
    let ratio = row(&what, places.len(), ours, alone);
    keeps("a header in JSON, of serde_json's time", ratio, JSON, "");
}

fn stream(format: &impl Format, size: usize, messages: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for n in 0..messages {
        format.encode(&vec![b'a' + (n % 26) as u8; size], &mut stream).expect("a message");
    }
    stream
}

fn pushed(format: impl Format, stream: &[u8], messages: usize) {
    let mut decoder = Decoder::new(format, LIMIT);
    let mut found = 0;
    for piece in stream.chunks(PIECE) {
        decoder.push(piece);
        while let Some(message) = decoder.next_message().expect("a message") {
            black_box(message);
            found += 1;
        }
    }
    assert_eq!(found, messages);
}

fn read(format: impl Format, mut stream: &[u8], messages: usize) {
    let mut decoder = Decoder::new(format, LIMIT);
    let mut found = 0;
    loop {
        let len = stream.read(decoder.space(PIECE)).expect("bytes");
        if len == 0 {
            break;
        }
        decoder.filled(len);
        while let Some(message) = decoder.next_message().expect("a message") {
            black_box(message);
            found += 1;
        }
    }
    assert_eq!(found, messages);
}

fn length_delimited(stream: &[u8], messages: usize) {
    let mut codec = LengthDelimitedCodec::builder().max_frame_length(LIMIT).new_codec();
    let mut bytes = BytesMut::new();
    let mut found = 0;
    for piece in stream.chunks(PIECE) {
        bytes.extend_from_slice(piece);
        while let Some(message) = codec.decode(&mut bytes).expect("a message") {
            black_box(&message[..]);
            found += 1;
        }
    }
    assert_eq!(found, messages);
}

/// The plain loop for lines.
fn read_until(stream: &[u8], messages: usize) {
    let mut reader = BufReader::with_capacity(PIECE, stream);
    let mut message = Vec::new();
    for _ in 0..messages {
        message.clear();
        reader.read_until(b'\n', &mut message).expect("a message");
        black_box(&message[..message.len() - 1]);
    }
}

/// The plain loop: four bytes, then as many as they say, into one buffer that is used again.
fn buf_reader(stream: &[u8], messages: usize) {
    let mut reader = BufReader::with_capacity(PIECE, stream);
    let (mut header, mut message) = ([0; 4], Vec::new());
    for _ in 0..messages {
        reader.read_exact(&mut header).expect("a header");
        let length = u32::from_be_bytes(header) as usize;
        assert!(length <= LIMIT);
        message.resize(length, 0);
        reader.read_exact(&mut message).expect("a message");
        black_box(&message[..]);
    }
}

/// A line of the table; the ratio of the medians.
fn row(what: &str, messages: usize, ours: impl Fn(), baseline: impl Fn()) -> f64 {
    let time = |run: &dyn Fn()| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64() * 1e9 / messages as f64
    };
    let _warm_up = (time(&ours), time(&baseline));
    let (mut a, mut b): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (time(&ours), time(&baseline))).unzip();
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let shown = |times: &[f64]| format!("{:.1} ({:.1})", times[ROUNDS / 2], times[ROUNDS / 10]);
    let ratio = a[ROUNDS / 2] / b[ROUNDS / 2];
    println!("{what:<58} {:>18} {:>18} {ratio:>7.2}", shown(&a), shown(&b));
    ratio
}
