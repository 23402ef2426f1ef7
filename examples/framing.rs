//! Two sides that talk in messages: `cargo run --example framing`.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use socklab::framing::{Decoder, FixedHeader, Format};

/// No message may have more bytes.
const LIMIT: usize = 65536;

/// Plays both sides, over a connection of this machine with itself.
pub fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let conn = TcpStream::connect(listener.local_addr()?)?;
    let server = thread::spawn(move || answer(listener.accept()?.0));
    let answers = ask(conn, &["hello", "", "once more"])?;
    println!("{answers:?}");
    assert_eq!(answers, ["HELLO", "", "ONCE MORE"]);
    server.join().expect("the server does not panic")
}

/// Answers each message with the same in capitals, until the other side has closed.
fn answer(mut conn: TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::new(FixedHeader::NETWORK, LIMIT);
    let mut buf = [0; 4096];
    loop {
        let len = conn.read(&mut buf)?;
        if len == 0 {
            // An error, if it came in the middle of a message.
            return Ok(decoder.finish()?);
        }
        decoder.push(&buf[..len]);
        while let Some(message) = decoder.next_message()? {
            // Header and message leave together: one buffer, one call.
            let mut out = Vec::new();
            FixedHeader::NETWORK.encode(&message.to_ascii_uppercase(), &mut out)?;
            conn.write_all(&out)?;
        }
    }
}

/// Sends all questions at once, and collects as many answers.
fn ask(mut conn: TcpStream, questions: &[&str]) -> io::Result<Vec<String>> {
    let mut out = Vec::new();
    for question in questions {
        FixedHeader::NETWORK.encode(question.as_bytes(), &mut out)?;
    }
    conn.write_all(&out)?;
    let mut decoder = Decoder::new(FixedHeader::NETWORK, LIMIT);
    let (mut answers, mut buf) = (Vec::new(), [0; 4096]);
    while answers.len() < questions.len() {
        let len = conn.read(&mut buf)?;
        if len == 0 {
            decoder.finish()?;
            break;
        }
        decoder.push(&buf[..len]);
        while let Some(message) = decoder.next_message()? {
            answers.push(String::from_utf8_lossy(message).into_owned());
        }
    }
    Ok(answers)
}
