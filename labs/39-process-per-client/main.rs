//! A process for each client.

mod claims;

use socklab::clients::{self, PIECE, PORT, SMALL_BUFFER, shout};
use socklab::prelude::*;

pub fn lab() -> Lab {
    let lab = Lab::new(39, "process-per-client", PORT)
        .in_chapter(Chapter::ManyClients)
        .asks("A process for each client: who has the connection, and who has to close it?")
        .scene(
            Scene::new("a process for each client, as in the old program")
                .server(old_server)
                .client(clients::client)
                .typed(&["hello"])
                .role("second-client", staying_client)
                .with_children()
                .show_states()
                .ends_going_round(),
        )
        .scene(
            Scene::new("the parent's forgotten copy: the client waits for ever")
                .server(old_server)
                .client(foreign_client)
                .with_children()
                .show_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("… or until the next client comes")
                .server(old_server)
                .client(foreign_client)
                .role("second-client", late_client)
                .with_children()
                .show_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: each process closes what the other one needs")
                .server(server)
                .client(client_that_wants_the_end)
                .with_children()
                .show_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("nobody waits for the children: zombies")
                .server(server_without_wait)
                .client(three_calls)
                .with_children()
                .ends_waiting(),
        )
        .scene(
            Scene::new("a grandchild needs nobody to wait for it")
                .server(server_with_grandchildren)
                .client(three_calls)
                .with_children()
                .ends_waiting(),
        )
        .scene(
            Scene::new("the parent is killed: a child holds the port")
                .server(killed_server)
                .killed()
                .client(client_of_two_rounds)
                .role("second-server", second_server)
                .role("caller", caller)
                .with_children()
                .without_a_wire(),
        )
        .scene(
            Scene::new("the parent is killed, and the child had closed the listener")
                .server(killed_server_cured)
                .killed()
                .client(client_of_two_rounds)
                .role("second-server", second_server)
                .role("caller", caller)
                .with_children()
                .without_a_wire(),
        );
    let scenes = clients::scenes(server, server_with_small_buffers);
    scenes.into_iter().fold(lab, |lab, scene| lab.scene(scene.with_children())).claims(claims::all())
}

fn old_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let mut name_conn = None;
    loop {
        let (conn, _client) = listener.accept()?; // ①
        reap_all()?; // as multiprocessing does, before it makes the next process
        // A name of Python's: what it stood for before is closed now.
        let conn = name_conn.insert(conn);
        if fork()? == Forked::Child {
            return old_talk(conn); // ②
        }
        // conn.close() is not here.
    }
}

fn old_talk(conn: &Socket) -> io::Result<()> {
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ④
        let text = match std::str::from_utf8(&buf[..len]) {
            Ok(text) => text,
            Err(error) => {
                say!("{error}");
                return Ok(()); // ③
            }
        };
        say!("{text}");
        conn.send(text.to_uppercase().as_bytes())?;
    }
}

/// Takes the ends of all children that have ended.
fn reap_all() -> io::Result<()> {
    loop {
        match reap_child() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) if Errno::of(&error) == Errno::ECHILD => return Ok(()), // there is none
            Err(error) => return Err(error),
        }
    }
}

fn server(at: Endpoint) -> io::Result<()> {
    serve(at, None)
}

/// What the client sends comes back slowly when it does not read.
fn server_with_small_buffers(at: Endpoint) -> io::Result<()> {
    serve(at, Some(SMALL_BUFFER))
}

fn serve(at: Endpoint, send_buffer: Option<usize>) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        reap_all()?; // ③
        if let Some(size) = send_buffer {
            conn.set_send_buffer_size(size)?;
        }
        if fork()? == Forked::Child {
            drop(listener); // ①
            return answer(&conn);
        }
        drop(conn); // ②
    }
}

fn answer(conn: &Socket) -> io::Result<()> {
    let mut buf = [0; PIECE];
    loop {
        let len = match conn.recv(&mut buf) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        };
        let answer = shout(&buf[..len]);
        let mut sent = 0;
        while sent < answer.len() {
            sent += conn.send(&answer[sent..])?;
        }
    }
}

fn server_without_wait(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        say!("zombies: {}", zombies());
        if fork()? == Forked::Child {
            drop(listener);
            return answer(&conn);
        }
        drop(conn);
    }
}

fn server_with_grandchildren(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        say!("zombies: {}", zombies());
        if fork()? == Forked::Child {
            drop(listener);
            if fork()? == Forked::Child {
                return answer(&conn);
            }
            return Ok(()); // the grandchild goes on, and is nobody's here
        }
        drop(conn);
        wait_for_child(None)?; // it has ended already, or is about to
    }
}

fn killed_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    if fork()? == Forked::Child {
        return answer(&conn); // with a listener that it does not need
    }
    drop(conn);
    be_killed()
}

fn killed_server_cured(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    if fork()? == Forked::Child {
        drop(listener);
        return answer(&conn);
    }
    drop(conn);
    be_killed()
}

/// The server is started again, while a child of the first one lives.
fn second_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    meet("the first server has been killed");
    say!("the port: {}", port_owner(&at.address()));
    if let Err(error) = listener.bind(&at.address()) {
        say!("{error}");
        return Ok(());
    }
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    answer(&conn)
}

/// Calls when the server has been started again, or has not.
fn caller(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    meet("the second server has been started");
    conn.connect(&at.address())?;
    conn.send(b"is anybody there")?;
    match conn.recv(&mut [0; 1024]) {
        Ok(len) => say!("an answer of {len} bytes"),
        Err(error) => say!("{error}"),
    }
    Ok(())
}

fn staying_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the first client has left");
    conn.send("straße".as_bytes())?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    conn.recv(&mut buf)?; // it stays
    Ok(())
}

fn foreign_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"\xc4\xe3\xba\xc3")?; // 你好, as Chinese Windows writes it
    let len = conn.recv(&mut [0; 1024])?;
    say!("{len} bytes");
    Ok(())
}

fn late_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    meet("the first client has waited");
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    conn.recv(&mut buf)?;
    Ok(())
}

fn client_that_wants_the_end(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    conn.shutdown(std::net::Shutdown::Write)?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("\"{}\"", buf[..len].escape_ascii());
        if len == 0 {
            return Ok(());
        }
    }
}

fn three_calls(at: Endpoint) -> io::Result<()> {
    for _ in 0..3 {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        conn.send(b"hello")?;
        conn.recv(&mut [0; 1024])?;
    }
    Ok(())
}

fn client_of_two_rounds(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut buf = [0; 1024];
    for text in ["hello", "still there?"] {
        conn.send(text.as_bytes())?;
        let len = conn.recv(&mut buf)?;
        say!("{}", String::from_utf8_lossy(&buf[..len]));
        meet("a second server has been started");
    }
    Ok(())
}
