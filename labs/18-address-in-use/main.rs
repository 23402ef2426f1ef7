//! Address in use.

mod claims;

use socklab::prelude::*;

/// Each cell of a row has a port of its own: whether the old server sets SO_REUSEADDR, and whether the new one does.
const CELLS: [(u16, bool, bool); 4] =
    [(8081, false, false), (8082, true, false), (8083, false, true), (8084, true, true)];

pub fn lab() -> Lab {
    Lab::new(18, "address-in-use", 8081)
        .in_chapter(Chapter::Conversation)
        .asks("Who holds the address after the server is gone, for how long, and what does SO_REUSEADDR change?")
        .on_one_host()
        .scene(
            Scene::new("a server is ended and started again, as its authors wrote it")
                .server(server)
                .killed()
                .client(client)
                .typed(&["hello"])
                .role("new-server", server_again)
                .show_all_states(),
        )
        .scene(
            Scene::new("the server said goodbye first, then the client")
                .server(hasty_server)
                .client(patient_client)
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the server said goodbye, and the client has not")
                .server(hasty_server)
                .client(silent_client)
                .typed_slowly(&[""])
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the client said goodbye first")
                .server(patient_server)
                .client(hasty_client)
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("no goodbye: a reset")
                .server(abrupt_server)
                .client(reset_client)
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the old server is still there")
                .server(living_server)
                .role("new-server", new_server)
                .show_all_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("before bind, and after it")
                .server(late_server)
                .client(patient_caller)
                .role("new-server", late_new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the server is gone, and its child has the port")
                .server(careless_server)
                .killed()
                .role("new-server", successor)
                .client(lost_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: the child is not given the socket")
                .server(careful_server)
                .killed()
                .role("new-server", successor),
        )
        .scene(
            Scene::new("two who share the port")
                .server(sharing_server)
                .role("new-server", sharing_server_too)
                .ends_waiting(),
        )
        .scene(Scene::new("port 0: the kernel chooses").server(server_on_any_port))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    // Its authors have a loop around this and all that follows. The inner one never ends, so nobody comes round.
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        // if len == 0 { break; }
        say!("\"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?;
        be_interrupted()?; // (1)
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // its authors do not look at the result
    while let Some(line) = prompt(">>: ") {
        if line.is_empty() {
            continue;
        }
        conn.send(line.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("\"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}

fn server_again(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    say!("the port: {}", port_owner(&at.address())); // (2)
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}"); // (3)
    }
    listener.set_reuse_address(true)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}"); // (4)
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
    let mut row = format!("{:<24}", port_owner(&at.port(CELLS[0].0))); // (5)
    for (port, _old, new) in CELLS {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if new {
            listener.set_reuse_address(true)?;
        }
        let bound = listener.bind(&at.port(port)); // (6)
        row += if bound.is_ok() { "  free  " } else { "  in use" };
    }
    // The option is set on …
    say!("the port now has          none    old     new     both");
    say!("{row}");
    Ok(())
}

fn hasty_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        drop(conn); // (7)
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
    }
    // We know that the server has gone. We do not close, and do not say goodbye.
    prompt("leave? "); // (8)
    Ok(())
}

fn patient_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        conn.recv(&mut [0; 1024])?; // (9)
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
        conn.set_linger(Some(Duration::ZERO))?; // (10)
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
    listeners[0].accept()?; // (11)
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    listener.set_reuse_address(true)?; // (12)
    let (conn, _client) = listener.accept()?;
    drop(conn);
    Ok(())
}

fn patient_caller(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn late_new_server(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    say!("the port: {}", port_owner(&at.address()));
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}");
    }
    listener.set_reuse_address(true)?;
    listener.bind(&at.address()) // (13)
}

fn careless_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    // As a socket of C's is: whoever is started from here inherits it.
    listener.set_cloexec(false)?; // (14)
    listener.bind(&at.address())?;
    listener.listen(5)?;
    start_program(&["sleep", "60"])?; // (15)
    be_interrupted()?;
    listener.accept()?;
    Ok(())
}

fn successor(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    say!("the port: {}", port_owner(&at.address())); // (16)
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}");
    }
    Ok(())
}

fn lost_client(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    conn.recv(&mut [0; 1024])?; // (17)
    Ok(())
}

fn careful_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?; // (18)
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    start_program(&["sleep", "60"])?;
    be_interrupted()?;
    listener.accept()?;
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
    listener.bind(&at.address())?; // (19)
    listener.listen(5)
}

fn server_on_any_port(at: Endpoint) -> io::Result<()> {
    let mut any = at.address().as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    any.set_port(0);
    for _ in 0..2 {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        listener.bind(&any.into())?; // (20)
        listener.listen(5)?;
        say!("{}", listener.local_addr()?);
    }
    Ok(())
}
