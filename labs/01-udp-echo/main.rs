//! UDP echo.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(1, "udp-echo", 9000)
        .in_chapter(Chapter::Datagrams)
        .asks("Who must be there, and what comes back, when one datagram is sent?")
        .scene(
            Scene::new("one line at a time, as its authors wrote it")
                .server(server)
                .client(client)
                .typed(&["hello", "", "straße é 你好"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("two clients, one server socket")
                .server(server)
                .client(client)
                .typed(&["one", "three"])
                .role("second-client", client)
                .typed(&["two", "four"])
                .ends_waiting(),
        )
        .scene(Scene::new("1500 bytes, then 5").server(quiet_server).client(client_with_a_long_line).ends_waiting())
        .scene(
            Scene::new("whose address, and where the datagram is in between")
                .server(quiet_server)
                .client(curious_client)
                .show_receive_queues()
                .ends_waiting(),
        )
        .scene(
            Scene::new("send and recv, without an address")
                .server(quiet_server)
                .client(connected_client)
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?; // (1)
    loop {
        // There is no connection: each datagram brings its sender's address, and the answer goes there.
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?; // (2)
        say!("recv:  \"{}\" ({from})", buf[..len].escape_ascii());
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?; // (3)
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>>:") {
        let line = line.trim();
        if line.is_empty() {
            continue; // (4)
        }
        // The first send gives the socket a port of its own; nobody asked for a particular one.
        socket.send_to(line.as_bytes(), &at.address())?; // (5)
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        say!("{} ({from})", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

/// The same server as another of the classic texts has it: it prints nothing.
fn quiet_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        // At most this much of a datagram is taken. The kernel throws the rest of it away, and says nothing.
        let mut buf = [0; 1024]; // (6)
        let (len, from) = socket.recv_from(&mut buf)?;
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?;
    }
}

fn client_with_a_long_line(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    for line in [&b"abcdefghij".repeat(150)[..], b"hello"] {
        socket.send_to(line, &at.address())?;
        // Here is room for all of it: what is missing now, the server did not take.
        let mut buf = [0; 4096];
        let (len, _from) = socket.recv_from(&mut buf)?; // (7)
        say!("{} bytes sent, {len} came back", line.len());
    }
    Ok(())
}

fn curious_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.local_addr()?; // (8)
    socket.send_to(b"hello", &at.address())?;
    socket.local_addr()?; // (9)
    let mut buf = [0; 1024];
    socket.recv_from(&mut buf)?;
    Ok(())
}

fn connected_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // For a datagram socket this sends nothing: the kernel notes the peer's address, and the server learns of nothing.
    socket.connect(&at.address())?; // (10)
    socket.send(b"hello")?;
    let mut buf = [0; 1024];
    socket.recv(&mut buf)?;
    Ok(())
}
