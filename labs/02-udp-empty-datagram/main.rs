//! The empty datagram.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(2, "udp-empty-datagram", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("Does sending nothing arrive?")
        .scene(
            Scene::new("empty lines, as their authors sent them")
                .server(server)
                .client(client)
                .typed(&["", "hi", ""])
                .ends_waiting(),
        )
        .scene(
            Scene::new("something empty there, or nothing there?")
                .server(looking_server)
                .client(client)
                .typed(&["", "hi"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("an empty answer to an empty question")
                .server(echo_server)
                .client(echo_client)
                .typed(&["", "hi"])
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        // An empty datagram wakes us like any other. It has a sender, and it is 0 bytes long.
        let mut buf = [0; 1024];
        let (len, _from) = socket.recv_from(&mut buf)?; // (1)
        say!("\"{}\"", buf[..len].escape_ascii());
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>: ") {
        socket.send_to(line.as_bytes(), &at.address())?; // (2)
    }
    Ok(())
}

fn looking_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    meet("the client has sent both lines");
    // Look, and do not take. Were nothing there, this would wait.
    let len = socket.recv_with_flags(&mut buf, libc::MSG_PEEK)?;
    say!("a datagram is there, {len} bytes long"); // (3)
    note("two datagrams wait, and FIONREAD says 0: it tells the length of the first one");
    socket.recv_from(&mut buf)?; // (4)
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    // Look, and do not wait: with nothing in the queue this is an error.
    if socket.recv_with_flags(&mut buf, libc::MSG_PEEK | libc::MSG_DONTWAIT).is_err() {
        say!("nothing is there"); // (5)
    }
    Ok(())
}

fn echo_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?; // (6)
    }
}

fn echo_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>: ") {
        socket.send_to(line.as_bytes(), &at.address())?;
        let mut buf = [0; 1024];
        let (len, _from) = socket.recv_from(&mut buf)?; // (7)
        say!("\"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}
