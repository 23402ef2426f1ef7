//! The cost of framing.

mod claims;

use socklab::prelude::*;

/// No answer here is longer.
const LONGEST: usize = 1024;

pub fn lab() -> Lab {
    Lab::new(33, "cost-of-framing", 8080)
        .in_chapter(Chapter::Framing)
        .asks("Which costs more: an extra round trip, or a reply in two sends?")
        .on_a_wire()
        .scene(
            Scene::new("the low version: length, acknowledgement, data")
                .server(low_server)
                .client(low_client)
                .typed(&["one", "two"]),
        )
        .scene(
            Scene::new("a header and data, in two sends")
                .server(two_sends_server)
                .client(header_client)
                .typed(&["one", "two"])
                .show_send_queues(),
        )
        .scene(
            Scene::new("a header and data, in one send")
                .server(one_send_server)
                .client(header_client)
                .typed(&["one", "two"]),
        )
        .scene(
            Scene::new("the low version, and a round trip of 20 ms")
                .server(low_server)
                .client(low_client)
                .typed(&["one", "two"])
                .faults(&["delay 10ms"]),
        )
        .scene(
            Scene::new("two sends, and a round trip of 20 ms")
                .server(two_sends_server)
                .client(header_client)
                .typed(&["one", "two"])
                .faults(&["delay 10ms"]),
        )
        .scene(
            Scene::new("one send, and a round trip of 20 ms")
                .server(one_send_server)
                .client(header_client)
                .typed(&["one", "two"])
                .faults(&["delay 10ms"]),
        )
        .claims(claims::all())
}

fn low_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; LONGEST];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let answer = buf[..len].to_ascii_uppercase();
        conn.send(answer.len().to_string().as_bytes())?;
        conn.recv(&mut buf)?;
        conn.send(&answer)?;
    }
}

fn low_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut buf = [0; LONGEST];
    while let Some(question) = prompt(">>: ") {
        conn.send(question.as_bytes())?;
        let len = conn.recv(&mut buf)?;
        let announced = String::from_utf8_lossy(&buf[..len]);
        let length = announced.parse().unwrap_or(0).min(LONGEST);
        conn.send(b"recv_ready")?;
        let mut have = 0;
        while have < length {
            have += match conn.recv(&mut buf[have..length])? {
                0 => return Ok(()),
                len => len,
            };
        }
        say!("{}", String::from_utf8_lossy(&buf[..length]));
    }
    Ok(())
}

fn two_sends_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; LONGEST];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let answer = buf[..len].to_ascii_uppercase();
        let header = (answer.len() as u32).to_be_bytes();
        conn.send(&header)?; // ①
        conn.send(&answer)?; // ②
    }
}

fn header_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(question) = prompt(">>: ") {
        conn.send(question.as_bytes())?;
        let (mut header, mut have) = ([0; 4], 0);
        while have < 4 {
            have += match conn.recv(&mut header[have..])? {
                0 => return Ok(()),
                len => len,
            };
        }
        let mut answer = vec![0; LONGEST.min(u32::from_be_bytes(header) as usize)];
        let mut have = 0;
        while have < answer.len() {
            have += match conn.recv(&mut answer[have..])? {
                0 => return Ok(()),
                len => len,
            };
        }
        say!("{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

fn one_send_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; LONGEST];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let answer = buf[..len].to_ascii_uppercase();
        let header = (answer.len() as u32).to_be_bytes();
        conn.send(&[&header, &answer[..]].concat())?;
    }
}
