//! Upload accounting.

mod claims;

use serde_json::Value;
use socklab::prelude::*;

/// No header here is longer, in bytes.
const LONGEST_HEADER: usize = 1024;

/// No file here is longer, in bytes.
const LONGEST_FILE: usize = 16 * 1024 * 1024;

/// The size of the file in the scenes that are left to chance.
const FIVE_MEGABYTES: usize = 5 * 1024 * 1024;

/// The files of scene 2: how long each is, and the pieces that the network delivers it in.
const FILES: [(usize, usize); 2] = [(1024, 512), (1500, 500)];

/// What scene 3 tries with a file of 4,096 bytes: the server's buffer, and the pieces that the network delivers.
const BUFFERS: [(usize, usize); 4] = [(512, 1024), (1024, 1024), (4096, 1024), (1024, 1000)];

pub fn lab() -> Lab {
    Lab::new(35, "upload-accounting", 8090)
        .in_chapter(Chapter::Files)
        .on_one_host()
        .asks("Why do most five-megabyte uploads lose bytes?")
        .scene(Scene::new("a small file, as the authors sent it").server(server).client(client))
        .scene(Scene::new("the same loop, and small pieces").server(piecewise_server).client(piecewise_client))
        .scene(
            Scene::new("three buffers, and pieces of 1024 and of 1000 bytes")
                .server(buffers_server)
                .client(buffers_client),
        )
        .scene(
            Scene::new("the last piece, by one recv")
                .server(last_piece_server)
                .client(newlines_client)
                .ends_waiting()
                .collapse_repeats(),
        )
        .scene(
            Scene::new("two files on one connection, and the first contains the second")
                .server(greedy_server)
                .client(one_file_client)
                .role("second-client", two_files_client)
                .ends_waiting(),
        )
        .scene(Scene::new("the cure: small pieces").server(cured_server).client(piecewise_client).ends_waiting())
        .scene(
            Scene::new("the cure: a last piece that comes in two")
                .server(cured_server)
                .client(two_pieces_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: two files on one connection, and a client that leaves early")
                .server(cured_server)
                .client(two_files_client)
                .role("second-client", leaving_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("4096 random bytes, by lines and by blocks")
                .server(cured_server)
                .client(lines_client)
                .role("second-client", blocks_client)
                .ends_waiting(),
        )
        .scene(by_chance("5 MB, a buffer of 512", |at| large_server(at, 512), |at| large_client(at, 512)))
        .scene(by_chance("5 MB, a buffer of 1024", |at| large_server(at, 1024), |at| large_client(at, 1024)))
        .scene(by_chance("5 MB, a buffer of 4096", |at| large_server(at, 4096), |at| large_client(at, 4096)))
        .scene(by_chance("5 MB, a buffer of 65536", |at| large_server(at, 65_536), |at| large_client(at, 65_536)))
        .scene(by_chance("5 MB, a buffer of 262144", |at| large_server(at, 262_144), |at| large_client(at, 262_144)))
        .scene(by_chance("5 MB, a buffer of 1024, cured", cured_large_server, |at| large_client(at, 1024)))
        .claims(claims::all())
}

fn by_chance(
    title: &'static str,
    server: fn(Endpoint) -> io::Result<()>,
    client: fn(Endpoint) -> io::Result<()>,
) -> Scene {
    Scene::new(title).server(server).client(client).by_chance()
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut four = [0; 4];
    conn.recv(&mut four)?;
    let mut header = vec![0; i32::from_ne_bytes(four).clamp(0, LONGEST_HEADER as i32) as usize];
    let len = conn.recv(&mut header)?;
    let (name, size) = name_and_size(&header[..len])?;
    let stored = store(&conn, size, 1024)?;
    say!("{name}: {} of {size} bytes are stored", stored.len());
    Ok(())
}

/// Receives a file as the old texts' server does.
fn store(conn: &Socket, size: usize, buffer: usize) -> io::Result<Vec<u8>> {
    let mut stored = Vec::new();
    let mut buf = vec![0; buffer];
    let mut remaining = size;
    while remaining > 0 {
        let len = conn.recv(&mut buf)?; // ①
        stored.extend_from_slice(&buf[..len]);
        remaining = remaining.saturating_sub(buf.len()); // ② the mistake: what was asked for, and not what came
    }
    Ok(stored)
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let file = config(1500);
    let folder = r"C:\\Users\\Aaron\\Desktop\\\u65b0\u5efa\u6587\u4ef6\u5939";
    let header = format!(r#"{{"filepath": "{folder}", "filename": "config", "filesize": {}}}"#, file.len());
    let four = (header.len() as i32).to_ne_bytes();
    say!("{header}");
    say!("{}", header.len());
    say!("\"{}\"", four.escape_ascii());
    conn.send(&four)?;
    conn.send(header.as_bytes())?;
    for piece in file.chunks(1024) {
        conn.send(piece)?;
    }
    Ok(())
}

/// A file of text. Its lines have 20 bytes each.
fn config(size: usize) -> Vec<u8> {
    (1..=size / 20).flat_map(|number| format!("option.{number:02} = value{number:02}\n").into_bytes()).collect()
}

/// The name of the file that follows, and its size, by any of the old texts' headers.
fn name_and_size(header: &[u8]) -> io::Result<(String, usize)> {
    let header: Value = serde_json::from_slice(header)?;
    let field = |names: [&str; 2]| names.iter().find_map(|name| header.get(name));
    let name = field(["filename", "file_name"]).and_then(Value::as_str);
    let size = field(["filesize", "file_size"]).and_then(Value::as_u64).map(|size| size as usize);
    match (name, size.filter(|size| *size <= LONGEST_FILE)) {
        (Some(name), Some(size)) => Ok((name.to_owned(), size)),
        _ => Err(io::Error::other("a header without a name, or without a size that can be")),
    }
}

/// Four bytes of length, and the header of the texts' last upload.
fn header(name: &str, size: usize) -> Vec<u8> {
    let header = format!(r#"{{"cmd": "put", "filename": "{name}", "filesize": {size}}}"#);
    [&(header.len() as i32).to_ne_bytes(), header.as_bytes()].concat()
}

/// Receives exactly so many bytes, unless the peer leaves before: then fewer.
fn receive(conn: &Socket, size: usize) -> io::Result<Vec<u8>> {
    let mut stored = Vec::new();
    let mut buf = [0; 1024];
    while stored.len() < size {
        let room = buf.len().min(size - stored.len()); // ① no byte of what follows
        let len = conn.recv(&mut buf[..room])?;
        if len == 0 {
            break; // ② the peer has left
        }
        stored.extend_from_slice(&buf[..len]); // ③ what came counts
    }
    Ok(stored)
}

/// Receives a header. `None` if the peer has left instead, between two files or inside of the header.
fn receive_header(conn: &Socket) -> io::Result<Option<(String, usize)>> {
    let Ok(four) = <[u8; 4]>::try_from(receive(conn, 4)?) else { return Ok(None) };
    let length = i32::from_ne_bytes(four).clamp(0, LONGEST_HEADER as i32) as usize;
    let header = receive(conn, length)?;
    if header.len() < length {
        return Ok(None);
    }
    name_and_size(&header).map(Some)
}

/// As the server, for one connection after the other.
fn piecewise_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    for _ in FILES {
        let (conn, _client) = listener.accept()?;
        let Some((name, size)) = receive_header(&conn)? else { continue };
        let stored = store(&conn, size, 1024)?;
        say!("{name}: {} of {size} bytes are stored", stored.len());
    }
    Ok(())
}

/// Sends each file in pieces that the server receives one by one, as from a slow network.
fn piecewise_client(at: Endpoint) -> io::Result<()> {
    for (size, piece) in FILES {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        conn.send(&header("config", size))?;
        let file = vec![b'x'; size];
        for piece in file.chunks(piece) {
            meet("the server has read what was sent");
            conn.send(piece)?;
        }
        say!("{size} bytes are sent");
    }
    Ok(())
}

fn buffers_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    for (buffer, piece) in BUFFERS {
        let (conn, _client) = listener.accept()?;
        let Some((_name, size)) = receive_header(&conn)? else { continue };
        let stored = store(&conn, size, buffer)?;
        say!("a buffer of {buffer}, pieces of {piece}: {} of {size} bytes are stored", stored.len());
    }
    Ok(())
}

fn buffers_client(at: Endpoint) -> io::Result<()> {
    for (_buffer, piece) in BUFFERS {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        conn.send(&header("config", 4096))?;
        let file = [b'x'; 4096];
        for piece in file.chunks(piece) {
            meet("the server has read what was sent");
            if let Err(error) = conn.send(piece) {
                say!("{error}");
                break;
            }
        }
    }
    Ok(())
}

/// As another of the texts' servers: it counts what comes, and receives the last piece, up to 1024 bytes, by one call.
fn last_piece_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let Some((name, size)) = receive_header(&conn)? else { return Ok(()) };
    let mut stored = Vec::new();
    let mut buf = [0; 1024];
    while size - stored.len() > 1024 {
        let len = conn.recv(&mut buf)?;
        stored.extend_from_slice(&buf[..len]);
    }
    let rest = size - stored.len();
    let len = conn.recv(&mut buf[..rest])?; // ① whatever is there
    stored.extend_from_slice(&buf[..len]);
    say!("{name}: {} of {size} bytes are stored", stored.len());
    listener.accept()?;
    Ok(())
}

/// Sends a file of 1,024 empty lines, a line a send, as the texts' client does.
fn newlines_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header("lines.txt", 1024))?;
    conn.send(b"\n")?;
    meet("the server has read the first line");
    for _ in 1..1024 {
        conn.send(b"\n")?;
    }
    say!("upload successful");
    Ok(())
}

/// The same file: the first line by itself, and then all others.
fn two_pieces_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header("lines.txt", 1024))?;
    conn.send(b"\n")?;
    meet("the server has read the first line");
    conn.send(&[b'\n'; 1023])?;
    say!("upload successful");
    Ok(())
}

/// As the last of the texts' servers: it counts what comes, and asks for up to 8192 bytes each time.
fn greedy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        while let Some((name, size)) = receive_header(&conn)? {
            let mut stored = Vec::new();
            let mut buf = [0; 8192];
            while stored.len() < size {
                let len = conn.recv(&mut buf)?; // ① whatever is there, of this file or of the next
                if len == 0 {
                    break;
                }
                stored.extend_from_slice(&buf[..len]);
                say!("recvsize:{} filesize:{size}", stored.len());
            }
            say!("{name}: \"{}\"", stored.escape_ascii());
        }
    }
}

fn one_file_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header("f1", 6))?;
    conn.send(b"first\n")?;
    say!("upload successful");
    Ok(())
}

/// Sends two files, one behind the other: its user has typed both commands before the server reads the first.
fn two_files_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header("f1", 6))?;
    conn.send(b"first\n")?;
    say!("upload successful");
    conn.send(&header("f2", 7))?;
    conn.send(b"second\n")?;
    say!("upload successful");
    Ok(())
}

/// Announces 1500 bytes, sends 1000, and leaves.
fn leaving_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header("f3", 1500))?;
    conn.send(&[b'x'; 1000])?;
    Ok(())
}

fn cured_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        while let Some((name, size)) = receive_header(&conn)? {
            let stored = receive(&conn, size)?;
            if stored.len() < size {
                say!("{name}: the client has left after {} of {size} bytes: nothing is stored", stored.len());
            } else {
                say!("{name}: {size} bytes are stored");
            }
        }
    }
}

/// Bytes as in a film or an archive: each value is as likely as any other. They are the same at every run.
fn random_bytes() -> Vec<u8> {
    let mut state = 35_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..4096).map(next).collect()
}

/// Sends as the texts' later clients do: a file is read line by line, each line is a send.
fn lines_client(at: Endpoint) -> io::Result<()> {
    let file = random_bytes();
    send_pieces(at, "by-lines", file.len(), file.split_inclusive(|byte| *byte == b'\n'))
}

fn blocks_client(at: Endpoint) -> io::Result<()> {
    let file = random_bytes();
    send_pieces(at, "by-blocks", file.len(), file.chunks(1024))
}

fn send_pieces<'a>(at: Endpoint, name: &str, size: usize, pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header(name, size))?;
    let (mut count, mut longest) = (0, 0);
    for piece in pieces {
        conn.send(piece)?;
        (count, longest) = (count + 1, longest.max(piece.len()));
    }
    say!("{name}: {count} pieces, the longest has {longest} bytes");
    Ok(())
}

/// As `server`, free-running and at full speed.
fn large_server(at: Endpoint, buffer: usize) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let Some((_name, size)) = receive_header(&conn)? else { return Ok(()) };
    let mut buf = vec![0; buffer];
    let mut stored = 0;
    at_full_speed(|| {
        let mut remaining = size;
        while remaining > 0 {
            stored += conn.recv(&mut buf)?;
            remaining = remaining.saturating_sub(buf.len());
        }
        Ok(())
    })?;
    tell_what_came(stored, size);
    Ok(())
}

fn cured_large_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let Some((_name, size)) = receive_header(&conn)? else { return Ok(()) };
    let mut buf = [0; 1024];
    let mut stored = 0;
    at_full_speed(|| {
        while stored < size {
            let room = buf.len().min(size - stored);
            let len = conn.recv(&mut buf[..room])?;
            if len == 0 {
                break;
            }
            stored += len;
        }
        Ok(())
    })?;
    tell_what_came(stored, size);
    Ok(())
}

/// Says only whether it is all, so that outcomes can be counted. How much is missing differs from run to run.
fn tell_what_came(stored: usize, size: usize) {
    say!("{}", if stored == size { "complete" } else { "short" });
    note(&format!("{} bytes are missing", size.saturating_sub(stored)));
}

fn large_client(at: Endpoint, piece: usize) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&header("film", FIVE_MEGABYTES))?;
    let piece = vec![b'x'; piece];
    let sent = at_full_speed(|| {
        for _ in 0..FIVE_MEGABYTES / piece.len() {
            conn.send(&piece)?;
        }
        Ok(())
    });
    match sent {
        Ok(_sleeps) => say!("upload successful"),
        // With or without the last word: the server has closed with bytes unread, or before they came.
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            say!("the server has gone");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
