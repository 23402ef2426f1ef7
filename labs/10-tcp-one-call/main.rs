//! One call over TCP.

mod claims;

use std::net::SocketAddr;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(10, "tcp-one-call", 9000)
        .in_chapter(Chapter::Conversation)
        .asks("What are the calls of one conversation, and what does each do to the connection?")
        .scene(Scene::new("one call, as its authors wrote it").server(server).client(client).show_all_states())
        .scene(
            Scene::new("the server is late: who holds the connection?")
                .server(late_server)
                .client(client)
                .show_states()
                .show_receive_queues(),
        )
        .scene(Scene::new("a pair that cannot meet: nobody listens on this port").client(lonely_client))
        .scene(Scene::new("the address of another machine").server(faraway_server))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?; // (1)
    let (conn, client) = listener.accept()?; // (2)
    let caller = client.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    say!("call from {}", caller.ip());
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    conn.send(&buf[..len].to_ascii_uppercase())?;
    // Our goodbye to this client, and then no more callers. Whoever says goodbye first keeps the memory of it.
    drop(conn); // (3)
    drop(listener);
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Python's connect_ex returns the error as a number, and the authors throw that number away.
    let _ = conn.connect(&at.address()); // (4)
    conn.send(b"linhaifeng nb")?; // (5)
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    meet("the client has connected and sent");

    // The kernel has shaken hands and taken the client's bytes in, all without us. We are handed what stands.
    let (conn, _client) = listener.accept()?; // (6)
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    conn.send(&buf[..len].to_ascii_uppercase())?;
    Ok(())
}

fn lonely_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let refused = conn.connect(&at.address()); // (7)
    // There is no connection to send on: the second error speaks of a pipe, and hides what is wrong.
    if let Err(error) = conn.send(b"linhaifeng nb") {
        say!("send says: {error}"); // (8)
    }
    if let Err(error) = refused {
        say!("connect had said: {error}");
    }
    Ok(())
}

fn faraway_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The address that its author's machine had in its author's network.
    let authors = SocketAddr::from(([192, 168, 16, 114], 8081));
    if let Err(error) = listener.bind(&authors.into()) {
        say!("{error}"); // (9)
    }
    listener.bind(&at.address())?; // (10)
    listener.listen(5)?;
    Ok(())
}
