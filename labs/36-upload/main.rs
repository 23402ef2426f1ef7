//! Upload.

mod claims;

use serde_json::{Value, json};
use socklab::prelude::*;
use socklab::transfer;

/// What a client's user may write behind its name.
const WORDS: &str = "put FILE…, get NAME…, ls, q; --help behind one of them says more";

/// No header here is longer, in bytes.
const LONGEST_HEADER: u32 = 1024;

/// What the files of this lab hold.
const F1: &[u8] = b"the first\nof two\n";
const F2: &[u8] = b"the second\n";

pub fn lab() -> Lab {
    Lab::new(36, "upload", 8080)
        .in_chapter(Chapter::Files)
        .on_one_host()
        .asks("A file, whole, acknowledged, under its name in one step: what does an upload have to do for that?")
        .scene(
            Scene::new("the homework as its authors solved it")
                .role("classic-server", classic_server)
                .with_folder()
                .role("classic-client", classic_client)
                .with_folder()
                .typed(&["put f1"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("success, and nothing is stored")
                .role("classic-server", server_without_a_folder)
                .with_folder()
                .role("classic-client", classic_client)
                .with_folder()
                .typed(&["put f1"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("two files at once: the second one is in the first")
                .role("classic-server", late_server)
                .with_folder()
                .role("classic-client", classic_client)
                .with_folder()
                .typed(&["put f1", "put f2"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the client is killed in the middle")
                .role("classic-server", classic_server)
                .with_folder()
                .role("killed-client", killed_classic_client)
                .killed()
                .ends_going_round(),
        )
        .scene(
            Scene::new("one header that is no JSON, and the server ends")
                .role("classic-server", server_with_one_try)
                .role("odd-client", odd_client)
                .role("next-client", next_client),
        )
        .scene(
            Scene::new("the cure, written out")
                .role("careful-server", careful_server)
                .with_folder()
                .role("careful-client", careful_client)
                .with_folder(),
        )
        .scene(
            Scene::new("the tool: put, and put again")
                .server(transfer::server)
                .with_folder()
                .client(client_with_files)
                .with_folder()
                .takes_words(WORDS)
                .typed(&["put f1", "put f1", "put --digest none f2", "ls", "q"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("killed in the middle, and resumed")
                .server(transfer::server)
                .with_folder()
                .role("killed-client", killed_client)
                .killed()
                .role("second-client", second_client)
                .with_folder()
                .takes_words(WORDS)
                .typed(&["ls", "put f1", "ls"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the classic client at the tool's server")
                .server(transfer::server)
                .with_folder()
                .role("classic-client", classic_client)
                .with_folder()
                .typed(&["put f1", "put f2"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("one header a connection: nobody reads the second file")
                .role("classic-server", server_of_one_file)
                .with_folder()
                .role("classic-client", classic_client)
                .with_folder()
                .typed_slowly(&["put f1", "put f2"])
                .show_receive_queues()
                .ends_waiting(),
        )
        .claims(claims::all())
}

/// Makes the files that somebody is going to send, where they are not there.
fn make_files() -> io::Result<()> {
    work_in_own_folder()?;
    let folder = own_folder()?;
    for (name, bytes) in [("f1", F1), ("f2", F2)] {
        match folder.create(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => drop(file?.write(bytes)?),
        }
    }
    Ok(())
}

/// Makes the folder in which the old texts' servers store what they get, where it is not there.
fn make_upload_folder() -> io::Result<()> {
    work_in_own_folder()?;
    match own_folder()?.make_folder("file_upload") {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn listen(at: Endpoint) -> io::Result<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    Ok(listener)
}

fn classic_server(at: Endpoint) -> io::Result<()> {
    make_upload_folder()?;
    let listener = listen(at)?;
    loop {
        let (conn, _client) = listener.accept()?;
        serve_as_the_authors(&conn);
    }
}

/// As the authors' server: an exception ends the loop around a client, and says nothing.
fn serve_as_the_authors(conn: &Socket) {
    while store_next(conn).is_ok_and(|more| more) {}
}

fn store_next(conn: &Socket) -> io::Result<bool> {
    let mut four = [0; 4];
    if conn.recv(&mut four)? == 0 {
        return Ok(false);
    }
    let mut header = vec![0; u32::from_le_bytes(four).min(LONGEST_HEADER) as usize];
    conn.recv(&mut header)?;
    let header: Value = serde_json::from_slice(&header)?;
    say!("{header}");
    let name = header["filename"].as_str().unwrap_or_default();
    let size = header["filesize"].as_u64().unwrap_or(0) as usize;
    let file = File::create_path(format!("file_upload/{name}"))?; // ②
    let mut have = 0;
    while have < size {
        let mut buf = [0; 8192];
        let len = conn.recv(&mut buf)?; // ③
        file.write(&buf[..len])?;
        have += len;
        say!("recvsize:{have} filesize:{size}");
    }
    Ok(true)
}

fn classic_client(at: Endpoint) -> io::Result<()> {
    make_files()?;
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        let Some(name) = line.strip_prefix("put ") else { continue };
        let mut bytes = [0; 1024];
        let size = File::open_path(name)?.read(&mut bytes)?;
        let header = json!({"cmd": "put", "filename": name, "filesize": size}).to_string();
        conn.send(&(header.len() as i32).to_le_bytes())?;
        conn.send(header.as_bytes())?; // ①
        let mut sent = 0;
        for line in bytes[..size].split_inclusive(|byte| *byte == b'\n') {
            sent += conn.send(line)?;
            say!("{sent}");
        }
        say!("upload successful"); // ④
    }
    Ok(())
}

/// The folder of the uploads was not made. A connection that was given up stays open until the next one comes.
fn server_without_a_folder(at: Endpoint) -> io::Result<()> {
    work_in_own_folder()?;
    let listener = listen(at)?;
    let mut _given_up = None;
    loop {
        let (conn, _client) = listener.accept()?;
        serve_as_the_authors(&conn);
        _given_up = Some(conn);
    }
}

/// As the authors' functions, S2-D02: one file, and back to accept.
fn server_of_one_file(at: Endpoint) -> io::Result<()> {
    make_upload_folder()?;
    let listener = listen(at)?;
    let mut _served = None;
    loop {
        let (conn, _client) = listener.accept()?;
        let _ = store_next(&conn);
        _served = Some(conn);
    }
}

/// As the authors' server, and it comes to its first recv when the client has sent all.
fn late_server(at: Endpoint) -> io::Result<()> {
    make_upload_folder()?;
    let listener = listen(at)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has sent both files");
    serve_as_the_authors(&conn);
    Ok(())
}

/// Promises a thousand bytes, sends ten, and is killed.
fn killed_classic_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let header = json!({"cmd": "put", "filename": "f1", "filesize": 1000}).to_string();
    conn.send(&(header.len() as i32).to_le_bytes())?;
    conn.send(header.as_bytes())?;
    conn.send(b"ten bytes.")?;
    be_killed()
}

/// As another one of the authors' servers: the loop around accept is inside of the try, so any error ends the server.
fn server_with_one_try(at: Endpoint) -> io::Result<()> {
    let listener = listen(at)?;
    let serve_all = || -> io::Result<()> {
        loop {
            let (conn, _client) = listener.accept()?;
            let mut four = [0; 4];
            conn.recv(&mut four)?;
            let mut header = vec![0; u32::from_le_bytes(four).min(LONGEST_HEADER) as usize];
            conn.recv(&mut header)?;
            let _header: Value = serde_json::from_slice(&header)?; // ①
        }
    };
    let _ = serve_all();
    Ok(())
}

fn odd_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"\x05\0\0\0hello")?;
    Ok(())
}

fn next_client(at: Endpoint) -> io::Result<()> {
    meet("the odd client has gone");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    match conn.connect(&at.address()) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => say!("nobody listens any more"),
        connected => connected?,
    }
    Ok(())
}

/// Receives one file. Its name appears in the folder when the whole of it is on the disk, and only then the client
/// hears that it is stored.
fn careful_server(at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    let listener = listen(at)?;
    let (conn, _client) = listener.accept()?;
    let mut four = [0; 4];
    receive_all(&conn, &mut four)?;
    let mut header = vec![0; u32::from_le_bytes(four).min(LONGEST_HEADER) as usize];
    receive_all(&conn, &mut header)?;
    let header: Value = serde_json::from_slice(&header)?;
    let name = header["filename"].as_str().unwrap_or_default();
    let size = header["filesize"].as_u64().unwrap_or(0);
    let file = folder.create("unfinished")?; // ①
    let mut left = size;
    let mut buf = [0; 8192];
    while left > 0 {
        let most = left.min(buf.len() as u64) as usize;
        let len = conn.recv(&mut buf[..most])?; // ②
        if len == 0 {
            return folder.remove("unfinished");
        }
        file.write(&buf[..len])?;
        left -= len as u64;
    }
    file.sync()?; // ③
    folder.rename("unfinished", name, false)?; // ④
    folder.sync()?; // ⑤
    conn.send(b"stored\n")?; // ⑥
    Ok(())
}

fn careful_client(at: Endpoint) -> io::Result<()> {
    make_files()?;
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let header = json!({"cmd": "put", "filename": "f1", "filesize": F1.len()}).to_string();
    let mut request = (header.len() as i32).to_le_bytes().to_vec();
    request.extend(header.into_bytes());
    request.extend(F1);
    conn.send(&request)?;
    let mut answer = [0; 7];
    match receive_all(&conn, &mut answer) {
        // ⑦
        Ok(()) => say!("f1 is stored"),
        Err(_) => say!("nobody knows whether f1 is stored"),
    }
    Ok(())
}

/// Calls `recv` until the buffer is full.
fn receive_all(conn: &Socket, buf: &mut [u8]) -> io::Result<()> {
    let mut have = 0;
    while have < buf.len() {
        match conn.recv(&mut buf[have..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => have += len,
        }
    }
    Ok(())
}

/// The tool's client. In a demo it has two files to send; by hand, those of its user.
fn client_with_files(at: Endpoint) -> io::Result<()> {
    if !is_by_hand() {
        make_files()?;
    }
    transfer::client(at)
}

/// Asks as the tool's client does, sends the first nine bytes of a file, and is killed.
fn killed_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let header = json!({"cmd": "put", "filename": "f1", "filesize": F1.len(), "digest": "blake3"}).to_string();
    conn.send(&(header.len() as i32).to_le_bytes())?;
    conn.send(header.as_bytes())?;
    let mut answer = [0; 1024];
    conn.recv(&mut answer)?;
    conn.send(&F1[..9])?;
    meet("the server has the nine bytes");
    be_killed()
}

fn second_client(at: Endpoint) -> io::Result<()> {
    meet("the first client is dead");
    client_with_files(at)
}
