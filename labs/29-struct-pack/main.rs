//! A number as bytes.

mod claims;

use std::ops::RangeInclusive;

use socklab::prelude::*;

/// No answer here is longer.
const LONGEST: i32 = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(29, "struct-pack", 8080)
        .in_chapter(Chapter::Framing)
        .asks("What is a fixed-size length, in which order, and how large can it be?")
        .scene(
            Scene::new("a number as four bytes, and one that is too large")
                .server(server)
                .typed(&["183346", "1111111111111"])
                .client(client),
        )
        .scene(
            Scene::new("the smallest and the largest number")
                .server(server)
                .typed(&["2147483647", "2147483648", "-2147483648", "-2147483649", "0", "-1"])
                .client(client),
        )
        .scene(
            Scene::new("eight bytes, read as eight and as twice four")
                .server(wide_server)
                .typed(&["1111111111111", "1111111111111"])
                .client(wide_client),
        )
        .scene(Scene::new("five headers, read in four ways").server(orders_server).client(orders_client))
        .scene(Scene::new("0, 1, 3, 4 and 5 bytes for a header").server(short_server).client(short_client))
        .scene(
            Scene::new("a negative length, believed").server(negative_server).client(believing_client).ends_waiting(),
        )
        .scene(
            Scene::new("the same length, read without a sign")
                .server(negative_server)
                .client(unsigned_client)
                .ends_waiting(),
        )
        .scene(Scene::new("the same length, compared with limits").server(negative_server).client(limited_client))
        .scene(Scene::new("the same length, and a decoder").server(negative_server).client(decoding_client))
        .claims(claims::all())
}

/// Sends each number that its user types as four bytes.
fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    while let Some(line) = prompt("number: ") {
        let Ok(number) = line.parse::<i128>() else { continue };
        let Ok(number) = i32::try_from(number) else {
            say!("it does not fit in 4 bytes"); // ②
            continue;
        };
        let header = number.to_ne_bytes(); // ①
        say!("\"{}\" {}", header.escape_ascii(), header.len());
        conn.send(&header)?;
    }
    Ok(())
}

/// Reads four bytes at a time, and prints the numbers.
fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    loop {
        let mut header = [0; 4];
        let len = conn.recv(&mut header)?; // ③
        if len < header.len() {
            return Ok(());
        }
        say!("{}", i32::from_ne_bytes(header));
    }
}

/// As the server, with eight bytes a number.
fn wide_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    while let Some(line) = prompt("number: ") {
        let Ok(number) = line.parse::<i128>() else { continue };
        let Ok(number) = i64::try_from(number) else {
            say!("it does not fit in 8 bytes");
            continue;
        };
        let header = number.to_ne_bytes();
        say!("\"{}\" {}", header.escape_ascii(), header.len());
        conn.send(&header)?;
    }
    Ok(())
}

/// Reads the first number as what it is, and then four bytes at a time.
fn wide_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut eight = [0; 8];
    let len = conn.recv(&mut eight)?; // ①
    if len == eight.len() {
        say!("{} with 'q'", i64::from_ne_bytes(eight));
    }
    loop {
        let mut four = [0; 4];
        let len = conn.recv(&mut four)?; // ②
        if len < four.len() {
            return Ok(());
        }
        say!("{} with 'i'", i32::from_ne_bytes(four));
    }
}

/// Sends 6 and 183346, each in two orders, and a number without a sign.
fn orders_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.send(&6_i32.to_le_bytes())?;
    conn.send(&6_i32.to_be_bytes())?;
    conn.send(&183_346_i32.to_le_bytes())?;
    conn.send(&183_346_i32.to_be_bytes())?;
    conn.send(&4_294_967_291_u32.to_le_bytes())?;
    Ok(())
}

/// Reads each header in all four ways.
fn orders_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    loop {
        let mut header = [0; 4];
        let len = conn.recv(&mut header)?;
        if len < header.len() {
            return Ok(());
        }
        let [a, b, c, d] = header;
        let (little, big) = (i32::from_le_bytes(header), i32::from_be_bytes(header));
        let (plain_little, plain_big) = (u32::from_le_bytes(header), u32::from_be_bytes(header));
        say!("{a:02x} {b:02x} {c:02x} {d:02x}: '<i' {little}, '>i' {big}, '<I' {plain_little}, '>I' {plain_big}");
    }
}

/// Sends too few bytes, enough, and too many, each on a connection of its own.
fn short_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    for count in [0, 1, 3, 4, 5] {
        let (conn, _client) = listener.accept()?;
        if count > 0 {
            conn.send(&[6, 0, 0, 0, 6][..count])?;
        }
    }
    Ok(())
}

/// Takes whatever comes on each connection for a header.
fn short_client(at: Endpoint) -> io::Result<()> {
    for _ in 0..5 {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        let mut came = Vec::new();
        let mut buf = [0; 1024];
        loop {
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                break;
            }
            came.extend_from_slice(&buf[..len]);
        }
        match came.as_slice().try_into().map(i32::from_le_bytes) {
            Ok(number) => say!("bytes: {}, number: {number}", came.len()),
            Err(error) => say!("bytes: {}, {error}", came.len()),
        }
    }
    Ok(())
}

/// Announces -5 bytes and sends `hello`, then 5 bytes and `world`.
fn negative_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.send(&(-5_i32).to_le_bytes())?;
    conn.send(b"hello")?;
    conn.send(&5_i32.to_le_bytes())?;
    conn.send(b"world")?;
    match conn.recv(&mut [0; 1]) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => say!("the client has gone: {error}"),
        received => drop(received?),
    }
    Ok(())
}

/// Reads answers as the old texts' clients do, and believes every length.
fn believing_client(at: Endpoint) -> io::Result<()> {
    read_answers(at, |header| i32::from_le_bytes(header).into(), i64::MIN..=i64::MAX)
}

/// As the believing client, with 'I' in place of 'i'.
fn unsigned_client(at: Endpoint) -> io::Result<()> {
    read_answers(at, |header| u32::from_le_bytes(header).into(), i64::MIN..=i64::MAX)
}

fn limited_client(at: Endpoint) -> io::Result<()> {
    read_answers(at, |header| i32::from_le_bytes(header).into(), 0..=LONGEST.into())
}

/// As the limited client, with the project's framing library.
fn decoding_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut decoder = Decoder::new(FixedHeader::new(Integer::I32, ByteOrder::Little), LONGEST as usize);
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(decoder.finish()?);
        }
        decoder.push(&buf[..len]);
        loop {
            match decoder.next_message() {
                Ok(Some(answer)) => say!("answer: \"{}\"", answer.escape_ascii()),
                Ok(None) => break,
                Err(error) => {
                    say!("{error}");
                    return Ok(());
                }
            }
        }
    }
}

fn read_answers(at: Endpoint, number: fn([u8; 4]) -> i64, limits: RangeInclusive<i64>) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    loop {
        let mut header = [0; 4];
        let len = conn.recv(&mut header)?; // ①
        if len < header.len() {
            return Ok(());
        }
        let length = number(header);
        say!("{length} bytes are announced");
        if !limits.contains(&length) {
            say!("not between {} and {}: refused", limits.start(), limits.end());
            return Ok(());
        }
        let mut answer = Vec::new();
        let mut buf = [0; 1024];
        // A length below zero is below what has come from the beginning.
        while (answer.len() as i64) < length {
            let len = conn.recv(&mut buf)?; // ②
            if len == 0 {
                say!("the server has gone after {} of {length} bytes", answer.len());
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        say!("answer: \"{}\"", answer.escape_ascii());
    }
}
