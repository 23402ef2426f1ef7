//! The JSON header.

mod claims;

use serde_json::Value;
use sha2::{Digest, Sha256};
use socklab::prelude::*;

/// No header here is longer, in bytes. A receiver that believes any number can be made to wait forever.
const LONGEST_HEADER: i32 = 1024;

/// No body here is longer, in bytes.
const LONGEST_BODY: u64 = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(31, "json-header", 8080)
        .in_chapter(Chapter::Framing)
        .asks("A header that says more: sizes, names, digests. What can be wrong with it?")
        .scene(
            Scene::new("a header in JSON, as the authors wrote it")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["echo hello", ""])
                .ends_waiting(),
        )
        .scene(
            Scene::new("a name, a size, and a digest that is always the same")
                .server(plan_two_server)
                .runs_commands()
                .client(client)
                .typed(&["echo hello"])
                .role("second-client", second_client)
                .typed(&["echo jello"])
                .ends_waiting(),
        )
        .scene(Scene::new("a digest that is computed, and checked").server(file_server).client(checking_client))
        .scene(Scene::new("a dozen headers, and a client that checks them").server(odd_server).client(strict_client))
        .scene(
            Scene::new("a negative size, and a client that believes it")
                .server(negative_server)
                .client(believing_client)
                .ends_waiting(),
        )
        .scene(Scene::new("a length in characters").server(name_server).client(name_client))
        .scene(
            Scene::new("the server leaves in the middle of a body, and nobody looks")
                .server(leaving_server)
                .client(spinning_client)
                .ends_going_round(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    serve(at, |answer| format!(r#"{{"data_size": {}}}"#, answer.len()))
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>: ") {
        if command.is_empty() {
            continue;
        }
        conn.send(command.as_bytes())?;
        let mut four = [0; 4];
        conn.recv(&mut four)?; // ④
        let length = i32::from_ne_bytes(four);
        if !(0..=LONGEST_HEADER).contains(&length) {
            say!("a header of {length} bytes: refused");
            break;
        }
        let mut header = vec![0; length as usize];
        let len = conn.recv(&mut header)?; // ⑤
        say!("{}", String::from_utf8_lossy(&header[..len]));
        let size = match size_in(&header[..len]) {
            Ok(size) => size,
            Err(reason) => {
                say!("{reason}");
                break;
            }
        };
        let mut answer = Vec::new();
        let mut buf = [0; 1024];
        while answer.len() < size {
            let len = conn.recv(&mut buf)?; // ⑥
            if len == 0 {
                say!("the server has gone after {} of {size} bytes", answer.len());
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

fn second_client(at: Endpoint) -> io::Result<()> {
    meet("the first client has been served");
    client(at)
}

fn serve(at: Endpoint, header: fn(&[u8]) -> String) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        let mut buf = [0; 1024];
        loop {
            let len = match conn.recv(&mut buf) {
                // A client that closes with unread bytes sends RST, not FIN. The authors' server ends here.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
                received => received?,
            };
            if len == 0 {
                break;
            }
            say!("cmd: \"{}\"", buf[..len].escape_ascii());
            let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
            say!("\"{}\"", ran.stderr.escape_ascii());
            let answer = if ran.stderr.is_empty() { ran.stdout } else { ran.stderr };
            let header = header(&answer);
            conn.send(&length_of(&header))?; // ①
            conn.send(header.as_bytes())?; // ②
            let mut sent = conn.send(&answer)?; // ③
            while sent < answer.len() {
                sent += conn.send(&answer[sent..])?;
            }
        }
    }
}

/// The four bytes that stand before a header.
fn length_of(header: &str) -> [u8; 4] {
    (header.len() as i32).to_ne_bytes()
}

/// How many bytes follow a header, by what it says itself; or why they cannot be awaited.
fn size_in(header: &[u8]) -> Result<usize, String> {
    let header: Value = serde_json::from_slice(header).map_err(|_| "not JSON")?;
    let size = header.get("data_size").or(header.get("total_size")).ok_or("no size")?;
    let bytes = size.as_u64().ok_or("not a number of bytes")?;
    if bytes > LONGEST_BODY {
        return Err(format!("more than {LONGEST_BODY} bytes"));
    }
    Ok(bytes as usize)
}

/// The header of "plan 2" of the old texts. Its digest and its name are constants.
fn plan_two_server(at: Endpoint) -> io::Result<()> {
    serve(at, |answer| format!(r#"{{"md5": "fdsaf2143254f", "file_name": "f1.txt", "total_size": {}}}"#, answer.len()))
}

/// Sends a file twice. The second time it plays that somebody wrote to it in between: it sends other bytes than those
/// that the digest is of.
fn file_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    for (digested, sent) in [(b"hello\n", b"hello\n"), (b"hello\n", b"jello\n")] {
        let digest = Sha256::digest(digested); // ①
        let size = digested.len();
        let header = format!(r#"{{"name": "greeting.txt", "size": {size}, "sha256": "{digest:x}"}}"#);
        conn.send(&length_of(&header))?;
        conn.send(header.as_bytes())?;
        conn.send(sent)?; // ②
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct FileHeader {
    name: String,
    size: i64,
    sha256: String,
}

impl BodySize for FileHeader {
    fn body_size(&self) -> i64 {
        self.size
    }
}

/// Four bytes of length, the header, the body: found by the framing library, in whatever pieces they come.
const FORMAT: JsonHeader = JsonHeader::new(FixedHeader::NATIVE_INT);

fn checking_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut decoder = JsonDecoder::<FileHeader>::new(FORMAT, LONGEST_HEADER as usize, LONGEST_BODY);
    let (mut name, mut promised, mut digest) = (String::new(), String::new(), Sha256::new());
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?; // ③
        if len == 0 {
            return Ok(decoder.finish()?);
        }
        decoder.push(&buf[..len]);
        while let Some(part) = decoder.next_part()? {
            match part {
                Part::Header(header) => (name, promised) = (header.name, header.sha256),
                Part::Body(bytes) => digest.update(bytes),
                Part::End => {
                    let same = promised == format!("{:x}", digest.finalize_reset()); // ④
                    say!("{name:?}: {}", if same { "kept" } else { "another digest: thrown away" });
                }
            }
        }
    }
}

/// Calls `recv` until the buffer is full. Fewer bytes than that: the peer has left.
fn recv_exact(conn: &Socket, buf: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buf.len() {
        match conn.recv(&mut buf[have..])? {
            0 => break,
            len => have += len,
        }
    }
    Ok(have)
}

/// Sends each header on a connection of its own: after one that is wrong, nobody knows where the next one begins.
fn odd_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    for header in HEADERS {
        let (conn, _client) = listener.accept()?;
        conn.send(&[&length_of(header), header.as_bytes(), b"hello\n"].concat())?;
    }
    for length in [i32::MAX, -1] {
        let (conn, _client) = listener.accept()?;
        conn.send(&length.to_ne_bytes())?;
    }
    Ok(())
}

const HEADERS: [&str; 10] = [
    r#"{"data_size": 6}"#,
    r#"{"data_size": 0}"#,
    r#"{"data_size": -6}"#,
    r#"{"data_size": 6.5}"#,
    r#"{"data_size": "6"}"#,
    r#"{"data_size": 9999999}"#,
    r#"{"size": 6}"#,
    r#"{"data_size": NaN}"#,
    r#"{'data_size': 6}"#,
    "6",
];

#[derive(serde::Deserialize)]
struct SizeHeader {
    data_size: i64,
}

impl BodySize for SizeHeader {
    fn body_size(&self) -> i64 {
        self.data_size
    }
}

fn strict_client(at: Endpoint) -> io::Result<()> {
    for sent in HEADERS.into_iter().chain(["length 2147483647", "length -1"]) {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        match body_of_one(&conn) {
            Ok(body) => say!("{sent}: {body} bytes of a body"),
            Err(error) => say!("{sent}: {}", in_short(&error)),
        }
    }
    Ok(())
}

/// What is wrong, without the place.
fn in_short(error: &io::Error) -> String {
    let why = error.to_string();
    let why = why.strip_prefix("a malformed header: ").unwrap_or(&why);
    why.split(" at line ").next().unwrap_or(why).to_owned()
}

/// Receives one header and its body, and counts the bytes of the body.
fn body_of_one(conn: &Socket) -> io::Result<usize> {
    let mut decoder = JsonDecoder::<SizeHeader>::new(FORMAT, LONGEST_HEADER as usize, LONGEST_BODY);
    let mut have = 0;
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            decoder.finish()?;
            return Ok(have);
        }
        decoder.push(&buf[..len]);
        while let Some(part) = decoder.next_part()? {
            match part {
                Part::Header(_) => {}
                Part::Body(bytes) => have += bytes.len(),
                Part::End => return Ok(have),
            }
        }
    }
}

fn negative_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let header = r#"{"data_size": -6}"#;
    conn.send(&[&length_of(header), header.as_bytes(), b"hello\n"].concat())?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// Receives every piece in a loop, and believes every number. It takes only as much memory as has come.
fn believing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    loop {
        let mut four = [0; 4];
        if recv_exact(&conn, &mut four)? < four.len() {
            return Ok(());
        }
        let length = i32::from_ne_bytes(four);
        say!("a header of {length} bytes");
        let mut header = Vec::new();
        let mut buf = [0; 1024];
        while i64::try_from(header.len()).map_err(io::Error::other)? < i64::from(length) {
            let room = buf.len().min(length as usize - header.len());
            let len = conn.recv(&mut buf[..room])?;
            if len == 0 {
                return Ok(());
            }
            header.extend_from_slice(&buf[..len]);
        }
        let header: Value = serde_json::from_slice(&header)?;
        let size = header["data_size"].as_i64().unwrap_or(0);
        let mut have = 0;
        while have < size {
            have += conn.recv(&mut buf)? as i64;
        }
        say!("a size of {size}: {have} bytes of a body"); // ②
    }
}

/// Sends a name three times. In the third header's length, each letter counts as one.
fn name_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let escaped = r#"{"name": "\u4f60\u597d.txt", "size": 6}"#;
    let raw = r#"{"name": "你好.txt", "size": 6}"#;
    let lengths = [(escaped, escaped.len()), (raw, raw.len()), (raw, raw.chars().count())];
    for (header, length) in lengths {
        conn.send(&(length as i32).to_ne_bytes())?;
        conn.send(header.as_bytes())?;
        conn.send(b"hello\n")?;
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct NameHeader {
    name: String,
    size: u64,
}

fn name_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    loop {
        let mut four = [0; 4];
        recv_exact(&conn, &mut four)?;
        let length = i32::from_ne_bytes(four);
        if !(0..=LONGEST_HEADER).contains(&length) {
            say!("a header of {length} bytes: refused");
            return Ok(());
        }
        let mut header = vec![0; length as usize];
        recv_exact(&conn, &mut header)?;
        let Ok(header) = serde_json::from_slice::<NameHeader>(&header) else {
            say!("a header of {length} bytes: not JSON");
            let mut buf = [0; 1024];
            let len = conn.recv(&mut buf)?;
            say!("what stands next in the stream: \"{}\"", buf[..len].escape_ascii());
            return Ok(());
        };
        let mut body = vec![0; header.size.min(LONGEST_BODY) as usize];
        let len = recv_exact(&conn, &mut body)?;
        say!("a header of {length} bytes: {}, {len} bytes", header.name);
    }
}

fn leaving_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let header = r#"{"data_size": 6}"#;
    conn.send(&[&length_of(header), header.as_bytes(), b"hel"].concat())?;
    Ok(())
}

/// As most clients of the old texts: it counts the bytes that come, and does not ask whether any came.
fn spinning_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut four = [0; 4];
    recv_exact(&conn, &mut four)?;
    let mut header = vec![0; i32::from_ne_bytes(four).clamp(0, LONGEST_HEADER) as usize];
    recv_exact(&conn, &mut header)?;
    let size = size_in(&header).map_err(io::Error::other)?;
    let mut have = 0;
    while have < size {
        let mut buf = [0; 1024];
        have += conn.recv(&mut buf)?; // ①
    }
    say!("{have} bytes");
    Ok(())
}
