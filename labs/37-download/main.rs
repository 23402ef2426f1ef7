//! Download.

mod claims;

use serde_json::{Value, json};
use socklab::prelude::*;
use socklab::transfer;

/// What a client's user may write behind its name.
const WORDS: &str = "get NAME…, put FILE…, ls, q; --help behind one of them says more";

/// What the server's file holds, and what it held before somebody changed it.
const F1: &[u8] = b"the first\nof two\n";
const OLDER: &[u8] = b"THE FIRST\nof two\n";

/// As much of a file comes over at first.
const CUT: usize = 9;

pub fn lab() -> Lab {
    Lab::new(37, "download", 8080)
        .in_chapter(Chapter::Files)
        .on_one_host()
        .asks("How do you fetch a file, go on after a cut, and know that it is whole?")
        .scene(
            Scene::new("the request that nobody answers")
                .role("classic-server", classic_server)
                .role("asking-client", asking_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("a file is fetched")
                .server(server)
                .with_folder()
                .client(transfer::client)
                .with_folder()
                .takes_words(WORDS)
                .typed(&["get --digest sha256 f1", "q"])
                .ends_waiting(),
        )
        .scene(fetched_twice("the connection ends in the middle, and the rest comes later", server_with_a_cut))
        .scene(fetched_twice("the file is changed meanwhile", server_with_a_change))
        .scene(
            Scene::new("bytes with another digest")
                .role("odd-server", odd_server)
                .client(transfer::client)
                .with_folder()
                .takes_words(WORDS)
                .typed(&["get f1"])
                .ends_waiting(),
        )
        .claims(claims::all())
}

/// A client asks for a file twice, of a server that breaks off the first time.
fn fetched_twice(title: &'static str, server: fn(Endpoint) -> io::Result<()>) -> Scene {
    Scene::new(title)
        .server(server)
        .with_folder()
        .client(transfer::client)
        .with_folder()
        .takes_words(WORDS)
        .typed_slowly(&["get f1", "get f1", "q"])
        .ends_waiting()
}

fn listen(at: Endpoint) -> io::Result<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    Ok(listener)
}

/// A message: the length of its JSON in four bytes, and the JSON.
fn message(of: &Value) -> Vec<u8> {
    let json = of.to_string();
    [&(json.len() as i32).to_le_bytes(), json.as_bytes()].concat()
}

/// As the old texts' server: it looks the command up among its methods. It has `put`, and no `get`.
fn classic_server(at: Endpoint) -> io::Result<()> {
    let listener = listen(at)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut four = [0; 4];
        if conn.recv(&mut four)? == 0 {
            return Ok(());
        }
        let mut header = vec![0; u32::from_le_bytes(four).min(1024) as usize];
        conn.recv(&mut header)?;
        let header: Value = serde_json::from_slice(&header)?;
        say!("{header}");
        match header["cmd"].as_str() {
            Some("put") => say!("put"),
            _ => continue, // ②
        }
    }
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&message(&json!({"cmd": "get", "filename": "f1"})))?; // ①
    conn.recv(&mut [0; 1024])?; // ③
    Ok(())
}

/// The tool's server. In a folder without files it makes one, so that there is something to fetch.
fn server(at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    if folder.list()?.is_empty() {
        folder.create("f1")?.write(F1)?;
    }
    drop(folder);
    transfer::server(at)
}

/// Breaks off after nine bytes; after that it serves as it should.
fn server_with_a_cut(at: Endpoint) -> io::Result<()> {
    send_a_part(at, F1)?;
    server(at)
}

/// The same, and somebody changes the file in between.
fn server_with_a_change(at: Endpoint) -> io::Result<()> {
    send_a_part(at, OLDER)?;
    server(at)
}

/// Grants a request as the tool's server does, sends nine of the file's bytes, and closes the connection.
fn send_a_part(at: Endpoint, file: &[u8]) -> io::Result<()> {
    let listener = listen(at)?;
    let (conn, _client) = listener.accept()?;
    conn.recv(&mut [0; 1024])?;
    let mut answer = message(&json!({"ok": true, "filesize": file.len(), "offset": 0}));
    answer.extend(&file[..CUT]);
    conn.send(&answer)?;
    Ok(())
}

/// Sends other bytes than those of the digest behind them.
fn odd_server(at: Endpoint) -> io::Result<()> {
    let listener = listen(at)?;
    let (conn, _client) = listener.accept()?;
    conn.recv(&mut [0; 1024])?;
    let mut answer = message(&json!({"ok": true, "filesize": F1.len(), "offset": 0}));
    answer.extend(OLDER);
    answer.extend(message(&json!({"blake3": blake3::hash(F1).to_hex().to_string()})));
    conn.send(&answer)?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}
