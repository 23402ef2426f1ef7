//! The empty datagram.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(2, "udp-empty-datagram", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("Does sending nothing arrive?")
        .scene(Scene::new("empty lines").server(server).client(client).typed(&["", "hi", ""]).ends_waiting())
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
        .scene(
            Scene::new("the client has ended: what does the server see?")
                .server(patient_server)
                .client(client)
                .typed(&["hi"]),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        // An empty datagram ends the call like any other. It has a sender, and 0 bytes.
        let mut buf = [0; 1024];
        let (len, _from) = socket.recv_from(&mut buf)?; // ②
        say!("\"{}\"", buf[..len].escape_ascii());
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>: ") {
        socket.send_to(line.as_bytes(), &at.address())?; // ①
    }
    Ok(())
}

fn looking_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    meet("the client has sent both lines");
    // MSG_PEEK looks and takes nothing. With an empty queue it would block.
    let len = socket.recv_with_flags(&mut buf, libc::MSG_PEEK)?;
    say!("a datagram is there, {len} bytes long");
    note("two datagrams are in the queue, and FIONREAD gives 0: it is the length of the first one");
    socket.recv_from(&mut buf)?;
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    // MSG_DONTWAIT does not block. With an empty queue the call fails.
    if socket.recv_with_flags(&mut buf, libc::MSG_PEEK | libc::MSG_DONTWAIT).is_err() {
        say!("nothing is there");
    }
    Ok(())
}

fn echo_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?;
    }
}

fn echo_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>: ") {
        socket.send_to(line.as_bytes(), &at.address())?;
        let mut buf = [0; 1024];
        let (len, _from) = socket.recv_from(&mut buf)?;
        say!("\"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}

fn patient_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut buf = [0; 1024];
    while let Ok((len, _from)) = socket.recv_from(&mut buf) {
        say!("\"{}\"", buf[..len].escape_ascii());
    }
    say!("nothing for one second");
    Ok(())
}
