//! Address in use.

mod claims;

use socklab::prelude::*;

/// Each cell of a row has its own port: whether the old server sets SO_REUSEADDR, and whether the new one does.
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
            Scene::new("the server closed first, then the client")
                .server(hasty_server)
                .client(patient_client)
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the server closed, and the client has not")
                .server(hasty_server)
                .client(silent_client)
                .typed_slowly(&[""])
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the client closed first")
                .server(patient_server)
                .client(hasty_client)
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the server sent a reset")
                .server(abrupt_server)
                .client(reset_client)
                .role("new-server", new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the old server still listens")
                .server(living_server)
                .role("new-server", new_server)
                .show_all_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("the option before bind, and after it")
                .server(late_server)
                .client(patient_caller)
                .role("new-server", late_new_server)
                .show_all_states(),
        )
        .scene(
            Scene::new("the server is gone, and its child has the socket")
                .server(careless_server)
                .killed()
                .role("new-server", successor)
                .client(lost_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: close on exec").server(careful_server).killed().role("new-server", successor_of_both),
        )
        .scene(
            Scene::new("two servers share the port")
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
    // The original has an outer loop around this. The inner one never ends, so it accepts no second client.
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        // if len == 0 { break; }
        say!("\"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?;
        be_interrupted()?; // ①
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // the original does not check the result
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
    say!("the port: {}", port_owner(&at.address())); // ④
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}"); // ⑤
    }
    listener.set_reuse_address(true)?;
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}"); // ⑥
    }
    Ok(())
}

/// The old server's four listeners, one for each cell.
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

/// A connection to each of the four.
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
    let mut row = format!("{:<24}", port_owner(&at.port(CELLS[0].0)));
    for (port, _old, new) in CELLS {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if new {
            listener.set_reuse_address(true)?;
        }
        let bound = listener.bind(&at.port(port));
        row += if bound.is_ok() { "  free  " } else { "  in use" };
    }
    // The option is set on none, the old server, the new one, or both.
    say!("the port now has          none    old     new     both");
    say!("{row}");
    Ok(())
}

fn hasty_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        drop(conn);
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
    // The client knows that the server has closed. It keeps its own side open.
    prompt("leave? ");
    Ok(())
}

fn patient_server(at: Endpoint) -> io::Result<()> {
    for listener in listeners(at)? {
        let (conn, _client) = listener.accept()?;
        conn.recv(&mut [0; 1024])?;
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
        conn.set_linger(Some(Duration::ZERO))?;
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
    listeners[0].accept()?;
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    listener.set_reuse_address(true)?;
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
    listener.bind(&at.address())
}

fn careless_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    // The default in C: a program started from here inherits the socket.
    listener.set_cloexec(false)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    start_program(&["sleep", "60"])?;
    be_interrupted()?;
    listener.accept()?;
    Ok(())
}

fn successor(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    say!("the port: {}", port_owner(&at.address()));
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
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn careful_server(at: Endpoint) -> io::Result<()> {
    // Rust's sockets are closed on exec, and so are Python's.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    // For comparison, one that is not.
    let inherited = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    inherited.set_reuse_address(true)?;
    inherited.set_cloexec(false)?;
    inherited.bind(&at.port(8082))?;
    inherited.listen(5)?;
    start_program(&["sleep", "60"])?;
    be_interrupted()?;
    listener.accept()?;
    Ok(())
}

fn successor_of_both(at: Endpoint) -> io::Result<()> {
    meet("the old server is gone");
    for port in [8081, 8082] {
        say!("port {port}: {}", port_owner(&at.port(port)));
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        listener.set_reuse_address(true)?;
        if let Err(error) = listener.bind(&at.port(port)) {
            say!("{error}");
        }
    }
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
    listener.bind(&at.address())?;
    listener.listen(5)
}

fn server_on_any_port(at: Endpoint) -> io::Result<()> {
    let mut any = at.address().as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    any.set_port(0);
    let mut listeners = Vec::new();
    for _ in 0..2 {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        listener.bind(&any.into())?;
        listener.listen(5)?;
        say!("{}", listener.local_addr()?);
        listeners.push(listener);
    }
    Ok(())
}
