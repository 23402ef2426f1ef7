//! Lab 18: address in use. Who holds the address after the server is gone, for how long, and what does SO_REUSEADDR
//! change?

mod claims;

use std::time::Duration;

use socklab::prelude::*;

/// Each cell of a row has a port of its own: whether the old server sets SO_REUSEADDR, and whether the new one does.
const CELLS: [(u16, bool, bool); 4] =
    [(8080, false, false), (8081, true, false), (8082, false, true), (8083, true, true)];

fn main() -> ExitCode {
    Lab::new(18, "address-in-use", 8080)
        .asks("Who holds the address after the server is gone, for how long, and what does SO_REUSEADDR change?")
        .on_one_host()
        .scene(
            Scene::new("a server is killed and started again")
                .server(server)
                .is_killed()
                .client(client)
                .role("new-server", server_again),
        )
        .scene(
            Scene::new("the server said goodbye first: TIME-WAIT")
                .server(hasty_server)
                .client(patient_client)
                .role("new-server", new_server),
        )
        .scene(
            Scene::new("and the client has not answered it: FIN-WAIT-2")
                .server(hasty_server)
                .client(silent_client)
                .typed_slowly(&[""])
                .role("new-server", new_server)
                .show_states(),
        )
        .scene(
            Scene::new("the client said goodbye first")
                .server(patient_server)
                .client(hasty_client)
                .role("new-server", new_server),
        )
        .scene(
            Scene::new("no goodbye: a reset").server(abrupt_server).client(reset_client).role("new-server", new_server),
        )
        .scene(
            Scene::new("the old server is still there")
                .server(living_server)
                .role("new-server", new_server)
                .ends_waiting(),
        )
        .scene(
            Scene::new("two who share the port")
                .server(sharing_server)
                .role("new-server", sharing_server_too)
                .ends_waiting(),
        )
        .scene(Scene::new("port 0: the kernel chooses").server(server_on_any_port))
        .claims(claims::all())
        .run()
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    be_killed() // (1)
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    conn.recv(&mut buf)?;
    Ok(())
}

fn server_again(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}"); // (2)
    }
    listener.set_reuse_address(true)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}"); // (3)
    }
    Ok(())
}

/// The old server's four listeners, one a cell.
fn listeners(at: Endpoint) -> io::Result<Vec<Socket>> {
    let mut listeners = Vec::new();
    for (port, old, _new) in CELLS {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if old {
            listener.set_reuse_address(true)?;
        }
        listener.bind(&at.port(port))?;
        listener.listen(5)?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// A connection to each of them.
fn connections(at: Endpoint) -> io::Result<Vec<Socket>> {
    let mut conns = Vec::new();
    for (port, _old, _new) in CELLS {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.port(port))?;
        conns.push(conn);
    }
    Ok(conns)
}

fn new_server(at: Endpoint) -> io::Result<()> {
    meet("the old server has done what it will do");
    for (port, old, new) in CELLS {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if new {
            listener.set_reuse_address(true)?;
        }
        let bound = listener.bind(&at.port(port)); // (4)
        let who = match (old, new) {
            (false, false) => "neither",
            (true, false) => "the old one",
            (false, true) => "the new one",
            (true, true) => "both",
        };
        say!("SO_REUSEADDR on {who}: {}", if bound.is_ok() { "bound" } else { "in use" });
    }
    Ok(())
}

fn hasty_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        drop(conn); // (5)
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    for conn in connections(at)? {
        conn.recv(&mut [0; 1024])?;
    }
    Ok(())
}

fn silent_client(at: Endpoint) -> io::Result<()> {
    let conns = connections(at)?;
    for conn in &conns {
        conn.recv(&mut [0; 1024])?;
        // Our kernel may take its time to acknowledge the goodbye. Now it does it at once.
        conn.set_quick_ack(true)?;
    }
    // We know that the server has gone. We do not close, and do not say goodbye.
    prompt("leave? "); // (6)
    Ok(())
}

fn patient_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        conn.recv(&mut [0; 1024])?; // (7)
    }
    Ok(())
}

fn hasty_client(at: Endpoint) -> io::Result<()> {
    drop(connections(at)?);
    Ok(())
}

fn abrupt_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        conn.set_linger(Some(Duration::ZERO))?; // (8)
    }
    Ok(())
}

fn reset_client(at: Endpoint) -> io::Result<()> {
    for conn in connections(at)? {
        if let Err(error) = conn.recv(&mut [0; 1024]) {
            say!("{}", error.kind());
        }
    }
    Ok(())
}

fn living_server(at: Endpoint) -> io::Result<()> {
    let listeners = listeners(at)?;
    listeners[0].accept()?; // (9)
    Ok(())
}

fn sharing_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_port(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    listener.accept()?;
    Ok(())
}

fn sharing_server_too(at: Endpoint) -> io::Result<()> {
    meet("the old server listens");
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}");
    }
    listener.set_reuse_port(true)?;
    listener.bind(&at.address())?; // (10)
    listener.listen(5)
}

fn server_on_any_port(at: Endpoint) -> io::Result<()> {
    let mut any = at.address().as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    any.set_port(0);
    for _ in 0..2 {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        listener.bind(&any.into())?; // (11)
        listener.listen(5)?;
        say!("{}", listener.local_addr()?);
    }
    Ok(())
}
