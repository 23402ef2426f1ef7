//! The header that comes in pieces.

mod claims;

use socklab::prelude::*;

/// The header, as the server of lab 31 sends it.
const HEADER: &str = r#"{"data_size": 6}"#;

/// The body that it announces.
const BODY: &str = "hello\n";

/// Where the messages are cut: after each byte of the length and of the header.
const CUTS: std::ops::RangeInclusive<usize> = 1..=4 + HEADER.len();

/// No header here is longer, and no body, in bytes.
const LONGEST: usize = 1024;

pub fn lab() -> Lab {
    Lab::new(32, "split-header", 8080)
        .in_chapter(Chapter::Framing)
        .asks("What if the header itself comes in two pieces?")
        .scene(
            Scene::new("each step calls recv once, and the header is cut after every byte")
                .server(cutting_server)
                .client(once_client),
        )
        .scene(
            Scene::new("the cure: each step calls recv until its bytes are there")
                .server(cutting_server)
                .client(exact_client),
        )
        .scene(Scene::new("one byte at a time").server(slow_server).client(client))
        .scene(Scene::new("MSG_WAITALL: the kernel waits for all of it").server(halving_server).client(waitall_client))
        .scene(Scene::new("what ends the wait of MSG_WAITALL early").server(brief_server).client(hurried_client))
        .claims(claims::all())
}

/// The length of the header, the header, and the body.
fn message() -> Vec<u8> {
    [&(HEADER.len() as i32).to_ne_bytes(), HEADER.as_bytes(), BODY.as_bytes()].concat()
}

/// Sends the message in two parts, as any network may deliver it: once for each place to cut it.
fn cutting_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.set_tcp_nodelay(true)?;
    for cut in CUTS {
        conn.send(&message()[..cut])?; // ①
        meet("the client has read the first part");
        conn.send(&message()[cut..])?;
    }
    Ok(())
}

fn once_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for cut in CUTS {
        let mut four = [0; 4];
        let len = conn.recv(&mut four)?; // ②
        if len < four.len() {
            say!("cut after {cut}: recv(4) = {len}: struct.error");
            skip(&conn, message().len() - len)?;
            continue;
        }
        let mut header = vec![0; length_in(four)?];
        let len = conn.recv(&mut header)?; // ③ ④
        let Some(size) = size_in(&header[..len]) else {
            say!("cut after {cut}: recv({}) = {len}: JSONDecodeError", header.len());
            skip(&conn, message().len() - four.len() - len)?;
            continue;
        };
        let mut body = vec![0; size];
        recv_exact(&conn, &mut body)?;
        say!("cut after {cut}: {}", body.escape_ascii());
    }
    Ok(())
}

/// The old client ends at an error. This one throws the rest of the message away, to be there for the next.
fn skip(conn: &Socket, mut rest: usize) -> io::Result<()> {
    while rest > 0 {
        match conn.recv(&mut vec![0; rest])? {
            0 => break,
            len => rest -= len,
        }
    }
    Ok(())
}

fn length_in(four: [u8; 4]) -> io::Result<usize> {
    let length = usize::try_from(i32::from_ne_bytes(four)).ok().filter(|length| *length <= LONGEST);
    length.ok_or(io::Error::new(io::ErrorKind::InvalidData, "no length of a header"))
}

fn size_in(header: &[u8]) -> Option<usize> {
    let header: serde_json::Value = serde_json::from_slice(header).ok()?;
    let size = header["data_size"].as_u64().and_then(|size| usize::try_from(size).ok());
    size.filter(|size| *size <= LONGEST)
}

fn exact_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for cut in CUTS {
        let body = receive(&conn)?;
        say!("cut after {cut}: {}", body.escape_ascii());
    }
    Ok(())
}

/// A message: its length, its header, its body; each of them whole.
fn receive(conn: &Socket) -> io::Result<Vec<u8>> {
    let mut four = [0; 4];
    recv_exact(conn, &mut four)?;
    let mut header = vec![0; length_in(four)?];
    recv_exact(conn, &mut header)?;
    let size = size_in(&header).ok_or(io::Error::new(io::ErrorKind::InvalidData, "no size of a body"))?;
    let mut body = vec![0; size];
    recv_exact(conn, &mut body)?;
    Ok(body)
}

/// Calls `recv` until the buffer is full.
fn recv_exact(conn: &Socket, buf: &mut [u8]) -> io::Result<()> {
    let mut have = 0;
    while have < buf.len() {
        match conn.recv(&mut buf[have..])? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the peer left in the middle")),
            len => have += len,
        }
    }
    Ok(())
}

/// Sends a message byte by byte, each in a segment of its own.
fn slow_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.set_tcp_nodelay(true)?;
    for byte in message() {
        pause(Duration::from_millis(10))?;
        conn.send(&[byte])?;
    }
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let body = receive(&conn)?;
    say!("{}", String::from_utf8_lossy(&body).trim_end());
    Ok(())
}

/// Sends the message in three parts: it is cut in its length, and in its header.
fn halving_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.set_tcp_nodelay(true)?;
    conn.send(&message()[..2])?;
    meet("the client waits for the rest of the length");
    conn.send(&message()[2..10])?;
    meet("the client waits for the rest of the header");
    conn.send(&message()[10..])?;
    Ok(())
}

fn waitall_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut four = [0; 4];
    conn.recv_with_flags(&mut four, libc::MSG_WAITALL)?; // ①
    let mut header = vec![0; length_in(four)?];
    conn.recv_with_flags(&mut header, libc::MSG_WAITALL)?; // ②
    let mut body = vec![0; size_in(&header).unwrap_or(0)];
    conn.recv_with_flags(&mut body, libc::MSG_WAITALL)?;
    say!("{}", body.escape_ascii());
    Ok(())
}

/// Sends two bytes of a length on each of three connections, and nothing more.
fn brief_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (first, _client) = listener.accept()?;
    first.send(&message()[..2])?;
    drop(first);

    let (second, _client) = listener.accept()?;
    second.send(&message()[..2])?;
    second.recv(&mut [0; 1])?;

    let (third, _client) = listener.accept()?;
    third.send(&message()[..2])?;
    third.recv(&mut [0; 1])?;
    Ok(())
}

fn hurried_client(at: Endpoint) -> io::Result<()> {
    let mut four = [0; 4];
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    first.connect(&at.address())?;
    let len = first.recv_with_flags(&mut four, libc::MSG_WAITALL)?; // ①
    say!("the server has left: {len} bytes");
    drop(first);

    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.set_read_timeout(Some(Duration::from_millis(200)))?;
    second.connect(&at.address())?;
    let len = second.recv_with_flags(&mut four, libc::MSG_WAITALL)?; // ②
    say!("the time is over: {len} bytes");
    drop(second);

    let third = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    third.connect(&at.address())?;
    meet("two bytes are there");
    let len = third.recv_with_flags(&mut four, libc::MSG_WAITALL | libc::MSG_DONTWAIT)?; // ③
    say!("it must not wait: {len} bytes");
    Ok(())
}
