//! The low version.

mod claims;

use socklab::prelude::*;

/// No answer here is longer. A client that believes any number can be made to wait forever.
const LONGEST: usize = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(27, "low-version", 8080)
        .in_chapter(Chapter::Framing)
        .asks("A length as text, an acknowledgement, then the data: does it work, and what does it assume?")
        .scene(
            Scene::new("the low version, as the authors wrote it")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["echo hello", "", "seq 1 500", "true", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("a server that does not wait for the acknowledgement")
                .server(hasty_server)
                .runs_commands()
                .client(client)
                .typed(&["echo hello"]),
        )
        .scene(
            Scene::new("the next command typed ahead, and Nagle switched off")
                .server(server)
                .runs_commands()
                .client(eager_client)
                .typed(&["true", "echo two"])
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, client) = listener.accept()?;
        say!("client ({client})");
        let mut buf = [0; 1024];
        loop {
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                break;
            }
            let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
            // If there is anything on standard error, the client gets that and nothing else.
            let answer = if ran.stderr.is_empty() { ran.stdout } else { ran.stderr };
            conn.send(answer.len().to_string().as_bytes())?; // ①
            let len = conn.recv(&mut buf)?; // ②
            if &buf[..len] == b"recv_ready" {
                let mut sent = conn.send(&answer)?;
                while sent < answer.len() {
                    sent += conn.send(&answer[sent..])?;
                }
            }
        }
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    ask(at, false)
}

/// As the client, but what it sends leaves at once, acknowledged or not.
fn eager_client(at: Endpoint) -> io::Result<()> {
    ask(at, true)
}

fn ask(at: Endpoint, without_nagle: bool) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    if without_nagle {
        conn.set_tcp_nodelay(true)?;
    }
    while let Some(command) = prompt(">>: ") {
        if command.is_empty() {
            continue;
        }
        if command == "quit" {
            break;
        }
        conn.send(command.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ③
        let announced = String::from_utf8_lossy(&buf[..len]);
        let Some(length) = announced.parse().ok().filter(|length| *length <= LONGEST) else {
            say!("\"{}\" is not a length", announced.escape_default());
            break;
        };
        conn.send(b"recv_ready")?;
        // However the stream was cut on its way: the answer is complete when as many bytes have come as announced.
        let mut answer = Vec::new();
        while answer.len() < length {
            let len = conn.recv(&mut buf)?; // ④
            if len == 0 {
                say!("the server has gone after {} of {length} bytes", answer.len());
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

/// Serves one command, and sends the answer right behind its length.
fn hasty_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
    conn.send(ran.stdout.len().to_string().as_bytes())?;
    conn.send(&ran.stdout)?;
    Ok(())
}
