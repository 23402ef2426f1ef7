//! The next caller.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(15, "tcp-next-caller", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("Where does the second client wait while the first is served?")
        .scene(
            Scene::new("a server for one client, and two of them")
                .server(server_for_one)
                .client(client)
                .typed_slowly(&["hello"])
                .role("second-client", client)
                .typed(&["me too"])
                .show_accept_queues()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("with an accept loop, as in the old program")
                .server(server)
                .client(client)
                .typed_slowly(&["hello", "q"])
                .role("second-client", client)
                .typed(&["me too"])
                .show_accept_queues()
                .show_receive_queues()
                .ends_waiting(),
        )
        .scene(
            Scene::new("whatever goes wrong, the client has left")
                .server(server)
                .role("rude-client", rude_client)
                .role("foreign-client", foreign_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the same around accept: a server that cannot work, and does not say so")
                .server(deaf_server)
                .role("caller", caller)
                .ends_going_round(),
        )
        .scene(
            Scene::new("the cure: say what went wrong, and catch only what a client can cause")
                .server(telling_server)
                .role("rude-client", rude_client)
                .role("foreign-client", foreign_client)
                .client(client)
                .typed_slowly(&["hello", "q"])
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server_for_one(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    talk(&conn)
    // Here both sockets are closed, the listener as well.
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, client) = listener.accept()?; // ⑤
        say!("{client}");
        let _ = talk(&conn); // whatever the error, as in the old program
    }
}

fn talk(conn: &Socket) -> io::Result<()> {
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(()); // ④
        }
        let text = std::str::from_utf8(&buf[..len]).map_err(io::Error::other)?;
        say!("{text}");
        conn.send(text.to_ascii_uppercase().as_bytes())?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // ①
    while let Some(line) = prompt(">>> ") {
        conn.send(line.as_bytes())?;
        if line == "q" {
            return Ok(()); // ③
        }
        let mut buf = [0; 1024];
        match conn.recv(&mut buf) {
            Ok(len) => say!("{}", String::from_utf8_lossy(&buf[..len])),
            Err(error) => {
                say!("{}", error.kind());
                return Ok(());
            }
        }
    }
    Ok(())
}

fn rude_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    meet("the server has answered");
    // It leaves with the answer unread: its kernel sends RST, not FIN.
    Ok(())
}

fn foreign_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"\xc4\xe3\xba\xc3")?; // 你好, as Chinese Windows writes it
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("an answer of {len} bytes");
    Ok(())
}

fn deaf_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    // The call of listen was forgotten.
    loop {
        let Ok((conn, client)) = listener.accept() else { continue };
        say!("{client}");
        let _ = talk(&conn);
    }
}

fn caller(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let refused = conn.connect(&at.address());
    say!("{}", if refused.is_err() { "nobody there" } else { "connected" });
    Ok(())
}

fn telling_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        // No client causes an error here: the server ends, and says why.
        let (conn, client) = listener.accept()?;
        match talk(&conn) {
            Ok(()) => say!("{client} has left"),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => say!("{client} broke the connection off"),
            Err(error) => say!("{client} is sent away: {error}"),
        }
    }
}
