//! The talk loop.

mod claims;

use socklab::prelude::*;

/// Lines of so many letters.
const LONG_A: &str = letters(&[b'a'; 3000]);
const LESS_LONG_A: &str = letters(&[b'a'; 2000]);
const LESS_LONG_C: &str = letters(&[b'c'; 2000]);

pub fn lab() -> Lab {
    Lab::new(11, "tcp-talk-loop", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("What if the answer is longer than the buffer?")
        .scene(Scene::new("a line, an answer, a line").server(server).client(client).typed_slowly(&[
            "hello",
            "how are you",
            "bye",
        ]))
        .scene(
            Scene::new("one long line: from then on the answers come late")
                .server(server)
                .client(client)
                .typed_slowly(&[LONG_A, "b", "c", "d"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("two long lines: late by one answer, then by two")
                .server(prompt_server)
                .client(client)
                .typed_slowly(&[LESS_LONG_A, "b", LESS_LONG_C, "d", "e"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the cure: receive until the whole answer is there")
                .server(server)
                .client(patient_client)
                .typed_slowly(&[LONG_A, "b", "", "c"])
                .show_receive_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = match conn.recv(&mut buf) {
            // Of the old servers one lacks the test for 0, another the test for the reset.
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        };
        say!("from client msg is  \"{}\"", buf[..len].escape_ascii()); // ①
        conn.send(&buf[..len].to_ascii_uppercase())?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        conn.send(line.as_bytes())?;
        say!("Client message has been sent");
        // Takes what is first in the queue, at most 1,024 bytes, whichever line that answers.
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ②
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn prompt_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    // Without it the end of a long answer would wait for an acknowledgement, about 40 ms.
    conn.set_tcp_nodelay(true)?;
    loop {
        let mut buf = [0; 1024];
        let len = match conn.recv(&mut buf) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        };
        say!("from client msg is  \"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?;
    }
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        conn.send(line.as_bytes())?;
        say!("Client message has been sent");
        // The answer is as long as the line, so the client knows when it has all of it.
        let mut answer = Vec::new();
        while answer.len() < line.len() {
            let mut buf = [0; 1024];
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        say!("from server msg is  {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

const fn letters(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(letters) => letters,
        Err(_) => "",
    }
}
