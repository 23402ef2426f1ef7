//! FIN or RST.

mod claims;

use std::net::Shutdown;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(14, "tcp-fin-or-rst", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("When does a connection end in a reset, and what is lost with it?")
        .on_one_host()
        .scene(
            Scene::new("the server goes first")
                .server(server)
                .killed()
                .client(client)
                .typed(&["hello", "are you there", "hello?"])
                .show_states(),
        )
        .scene(
            Scene::new("the same client as in C: a signal ends it")
                .server(server)
                .killed()
                .client(mortal_client)
                .typed(&["hello", "are you there", "hello?"])
                .killed()
                .show_states(),
        )
        .scene(
            Scene::new("the cure: a client that knows what 0 means")
                .server(server)
                .killed()
                .client(attentive_client)
                .typed(&["hello", "are you there", "hello?"])
                .show_states(),
        )
        .scene(
            Scene::new("the client leaves with its answer unread: a reset")
                .server(talking_server)
                .client(hasty_client)
                .show_receive_queues()
                .show_states(),
        )
        .scene(
            Scene::new("a reset on purpose; the server receives first")
                .server(receiving_server)
                .client(abrupt_client)
                .show_receive_queues()
                .show_states(),
        )
        .scene(
            Scene::new("the same; the server sends first")
                .server(sending_server)
                .client(abrupt_client)
                .show_receive_queues()
                .show_states(),
        )
        .scene(
            Scene::new("the answer is still there after the reset")
                .server(half_listening_server)
                .client(patient_client)
                .show_receive_queues()
                .show_states(),
        )
        .scene(
            Scene::new("one megabyte, and one byte that was not read")
                .server(big_server)
                .client(small_client)
                .show_receive_queues()
                .show_states(),
        )
        .scene(
            Scene::new("the cure: shut down one direction, then read to the end")
                .server(polite_server)
                .client(small_client)
                .show_receive_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("from client msg is  \"{}\"", buf[..len].escape_ascii());
    conn.send(&buf[..len].to_ascii_uppercase())?;
    // The old server has a loop here. After the first round somebody kills it.
    be_killed()
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        // ② The old client ends with a traceback if this fails.
        if let Err(error) = conn.send(line.as_bytes()) {
            say!("{error}"); // ⑤
            break;
        }
        say!("Client message has been sent");
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ④
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn mortal_client(at: Endpoint) -> io::Result<()> {
    obey_sigpipe()?;
    client(at)
}

fn attentive_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        conn.send(line.as_bytes())?;
        say!("Client message has been sent");
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            say!("the server has gone, and did not answer");
            break;
        }
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn talking_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        // As in lab 13 there is no test for 0. It catches the error, as one of the old servers does.
        let len = match conn.recv(&mut buf) {
            Ok(len) => len,
            Err(error) => {
                say!("{error}");
                break;
            }
        };
        say!("from client msg is  \"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?;
    }
    Ok(())
}

fn hasty_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    meet("the server has answered");

    drop(conn);
    Ok(())
}

fn receiving_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has gone");

    let mut buf = [0; 1024];
    report("recv", conn.recv(&mut buf));
    report("recv", conn.recv(&mut buf));
    report("recv", conn.recv(&mut buf));
    report("send", conn.send(b"are you there"));
    Ok(())
}

fn sending_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has gone");

    let mut buf = [0; 1024];
    report("send", conn.send(b"are you there"));
    report("send", conn.send(b"hello?"));
    report("recv", conn.recv(&mut buf));
    report("recv", conn.recv(&mut buf));
    Ok(())
}

fn abrupt_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    meet("the server has accepted");

    conn.set_linger(Some(Duration::ZERO))?;
    drop(conn);
    Ok(())
}

fn half_listening_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 5];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    drop(conn);
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello!")?;
    meet("the server has answered and closed");

    let mut buf = [0; 1024];
    report("recv", conn.recv(&mut buf));
    report("recv", conn.recv(&mut buf));
    Ok(())
}

const MEGABYTE: usize = 1 << 20;

fn big_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 4];
    conn.recv(&mut buf)?;
    let sent = conn.send(&[b'a'; MEGABYTE])?;
    say!("sent {sent}");
    drop(conn);
    Ok(())
}

fn small_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_recv_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.send(b"big?\n")?;
    meet("the server has done its part");

    let mut received = 0;
    let mut buf = vec![0; MEGABYTE];
    loop {
        match conn.recv_with_flags(&mut buf, libc::MSG_WAITALL) {
            Ok(0) => break,
            Ok(len) => received += len,
            Err(error) => {
                say!("{error}");
                break;
            }
        }
    }
    say!("received {received}");
    Ok(())
}

fn polite_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 4];
    conn.recv(&mut buf)?;
    let sent = conn.send(&[b'a'; MEGABYTE])?;
    say!("sent {sent}");
    conn.shutdown(Shutdown::Write)?;
    // What else the client sends is of no use here, but it must be read.
    while conn.recv(&mut buf)? > 0 {}
    drop(conn);
    Ok(())
}

/// Prints what a call returned.
fn report(call: &str, result: io::Result<usize>) {
    match result {
        Ok(len) => say!("{call}: {len}"),
        Err(error) => say!("{call}: {error}"),
    }
}
