//! Goodbye: how connections end.

mod claims;

use std::net::Shutdown;
use std::time::Duration;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(43, "goodbye", 9000)
        .in_chapter(Chapter::UnderTheApi)
        .asks("Who sends what at the end of a connection, and which side remembers it?")
        .on_a_wire()
        .scene(Scene::new("one call, as the authors wrote it").server(server).client(client).show_all_states())
        .scene(
            Scene::new("four segments: the FIN is acknowledged by itself")
                .server(acknowledging_server)
                .client(brief_client)
                .show_all_states(),
        )
        .scene(
            Scene::new("a half-close: the other direction goes on")
                .server(answering_server)
                .client(half_closing_client)
                .show_all_states(),
        )
        .scene(
            Scene::new("both close at the same time")
                .server(hasty_server)
                .client(hasty_client)
                .faults(&["delay 10ms:4-7"])
                .show_all_states(),
        )
        .scene(
            Scene::new("one side never closes")
                .server(forgetful_server)
                .client(talking_client)
                .show_all_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("a reset on purpose: no FIN at all")
                .server(listening_server)
                .client(abrupt_client)
                .show_all_states(),
        )
        .scene(
            Scene::new("a reset that nobody meant: something was not read")
                .server(talking_server)
                .client(deaf_client)
                .show_all_states(),
        )
        .scene(
            Scene::new("the last acknowledgement is lost")
                .server(server)
                .client(client)
                .faults(&["drop 10"])
                .show_all_states(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    drop(conn); // ①
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"linhaifeng nb")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    drop(conn); // ③
    Ok(())
}

fn acknowledging_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    // Linux would delay this acknowledgement, to send it along with something of ours. Now it does not.
    conn.set_quick_ack(true)?; // ①
    drop(conn); // ②
    Ok(())
}

fn brief_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has accepted");

    drop(conn);
    Ok(())
}

fn answering_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut heard = Vec::new();
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            break; // ③
        }
        heard.extend_from_slice(&buf[..len]);
    }
    conn.send(&heard.to_ascii_uppercase())?; // ④
    conn.send(b"bye")?;
    Ok(())
}

fn half_closing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    // No more bytes from us. We can still receive.
    conn.shutdown(Shutdown::Write)?; // ①
    if let Err(error) = conn.send(b"one thing more") {
        say!("{error}"); // ②
    }
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        say!("{}", String::from_utf8_lossy(&buf[..len]));
    }
}

fn hasty_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    drop(listener);
    // The client's FIN is on its way, and we do not know of it.
    drop(conn);
    Ok(())
}

fn hasty_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    drop(conn);
    Ok(())
}

fn forgetful_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    conn.recv(&mut buf)?;
    // The next client, please. Nobody has closed this one's socket.
    let (_next, _client) = listener.accept()?;
    Ok(())
}

fn talking_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    drop(conn);
    Ok(())
}

fn listening_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    if let Err(error) = conn.recv(&mut buf) {
        say!("{error}");
    }
    Ok(())
}

fn abrupt_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has accepted");

    conn.set_linger(Some(Duration::ZERO))?; // ①
    drop(conn);
    Ok(())
}

fn talking_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.send(b"welcome")?;
    let mut buf = [0; 1024];
    if let Err(error) = conn.recv(&mut buf) {
        say!("{error}");
    }
    Ok(())
}

fn deaf_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has sent something");

    // Seven bytes wait in our receive queue, and nobody will ever read them.
    drop(conn); // ①
    Ok(())
}
