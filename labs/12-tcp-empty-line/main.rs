//! The empty line.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(12, "tcp-empty-line", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("Why does an empty line hang both sides?")
        .scene(
            Scene::new("an empty line: both sides wait")
                .server(server)
                .client(client)
                .typed(&["hello", ""])
                .ends_waiting(),
        )
        .scene(
            Scene::new("three empty sends bring nothing, a FIN brings 0")
                .server(looking_server)
                .client(empty_client)
                .show_states()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("first cure: do not send an empty line")
                .server(server)
                .client(skipping_client)
                .typed(&["hello", "", "bye"]),
        )
        .scene(
            Scene::new("second cure: end every message with a newline")
                .server(line_server)
                .client(line_client)
                .typed(&["hello", "", "bye"]),
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
        let len = conn.recv(&mut buf)?; // ①
        // The old programs lack this test: their server loops for ever once its client has gone.
        if len == 0 {
            return Ok(());
        }
        say!("from client msg is  \"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        conn.send(line.as_bytes())?; // ②
        say!("Client message has been sent");
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ③
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn looking_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has sent nothing, three times");

    // With this flag the call does not block: it takes what is there, or fails if there is nothing.
    let mut buf = [0; 1024];
    let nothing = conn.recv_with_flags(&mut buf, libc::MSG_DONTWAIT);
    say!("{}", if nothing.is_err() { "nothing is there" } else { "something is there" });

    // Without it the call sleeps, here for half a second at most.
    conn.set_read_timeout(Some(Duration::from_millis(500)))?;
    let nothing = conn.recv(&mut buf);
    say!("{}", if nothing.is_err() { "nothing has come" } else { "something has come" });
    conn.send(b"an answer to nothing")?;

    // A stream cannot carry an empty message, so 0 is free to mean something else: the peer's FIN.
    let len = conn.recv(&mut buf)?;
    say!("recv returned {len}");
    Ok(())
}

fn empty_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has the connection");
    conn.send(b"")?;
    conn.send(b"")?;
    conn.send(b"")?;
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    Ok(())
}

fn skipping_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        if line.is_empty() {
            continue;
        }
        conn.send(line.as_bytes())?;
        say!("Client message has been sent");
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn line_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut unread = Vec::new();
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        unread.extend_from_slice(&buf[..len]);
        // One recv may bring half a line, or two. Only the newline marks where a message ends.
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            say!("from client msg is  \"{}\"", line[..end].escape_ascii());
            conn.send(&line.to_ascii_uppercase())?;
        }
    }
}

fn line_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        conn.send(format!("{line}\n").as_bytes())?;
        say!("Client message has been sent");
        let mut reply = Vec::new();
        while !reply.ends_with(b"\n") {
            let mut buf = [0; 1024];
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                return Ok(());
            }
            reply.extend_from_slice(&buf[..len]);
        }
        say!("from server msg is  {}", String::from_utf8_lossy(&reply[..reply.len() - 1]));
    }
    Ok(())
}
