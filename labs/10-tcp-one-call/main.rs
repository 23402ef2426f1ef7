//! One call over TCP.

mod claims;

use std::net::SocketAddr;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(10, "tcp-one-call", 9000)
        .in_chapter(Chapter::Conversation)
        .asks("What are the calls of one conversation, and what does each do to the connection?")
        .scene(Scene::new("one call").server(server).client(client).show_all_states())
        .scene(
            Scene::new("the server is late: who holds the connection?")
                .server(late_server)
                .client(client)
                .show_states()
                .show_receive_queues(),
        )
        .scene(Scene::new("nobody listens on this port").client(lonely_client))
        .scene(Scene::new("an address of another machine").server(faraway_server))
        .scene(Scene::new("a client that calls its own port").client(selfish_client))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?; // ①
    let (conn, client) = listener.accept()?; // ④
    let caller = client.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    say!("call from {}", caller.ip());
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    conn.send(&buf[..len].to_ascii_uppercase())?;
    // Dropping a Socket closes it. The side that closes first keeps the memory of the connection.
    drop(conn); // ⑤
    drop(listener);
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The old programs call connect_ex, which returns the error's number, and ignore that number.
    let _ = conn.connect(&at.address()); // ②
    conn.send(b"linhaifeng nb")?; // ③
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?; // ⑥
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    meet("the client has connected and sent");

    // The kernel has opened the connection and accepted the client's bytes. We only take it over.
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    conn.send(&buf[..len].to_ascii_uppercase())?;
    Ok(())
}

fn lonely_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let refused = conn.connect(&at.address());
    // There is no connection to send on. This second error speaks of a pipe and hides the cause.
    if let Err(error) = conn.send(b"linhaifeng nb") {
        say!("send says: {error}");
    }
    if let Err(error) = refused {
        say!("connect had said: {error}");
    }
    Ok(())
}

fn faraway_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // An old program has this address of its author's machine in its text.
    let authors = SocketAddr::from(([192, 168, 16, 114], 8081));
    if let Err(error) = listener.bind(&authors.into()) {
        say!("{error}");
    }
    listener.bind(&at.address())?;
    listener.listen(5)?;
    // Nobody calls. How long accept would sleep nobody knows, so it gets a limit.
    listener.set_read_timeout(Some(Duration::from_millis(500)))?;
    if let Err(error) = listener.accept() {
        say!("{error}");
    }
    Ok(())
}

fn selfish_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // A socket that connects without bind gets some free port. Here we choose the one that it will call.
    if let Err(error) = conn.bind(&at.address()) {
        say!("{error}: this address is another host's");
        return Ok(());
    }
    conn.connect(&at.address())?;
    conn.send(b"is anybody there?")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}
