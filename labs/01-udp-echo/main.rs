//! UDP echo.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(1, "udp-echo", 9000)
        .in_chapter(Chapter::Datagrams)
        .asks("Who must be there, and what comes back, when one datagram is sent?")
        .scene(
            Scene::new("one line at a time")
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
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?; // ①
    socket.bind(&at.address())?; // ②
    loop {
        // There is no connection: each datagram carries its sender's address, and the answer goes there.
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?; // ④
        say!("recv:  \"{}\" ({from})", buf[..len].escape_ascii());
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?; // ⑤
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>>:") {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        // The kernel gives the socket a free port when it first sends.
        socket.send_to(line.as_bytes(), &at.address())?; // ③
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        say!("{} ({from})", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

/// The same server as another of the old texts has it: it prints nothing.
fn quiet_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        // The kernel discards what does not fit, and the call does not report it.
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?;
    }
}

fn client_with_a_long_line(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    for line in [&b"abcdefghij".repeat(150)[..], b"hello"] {
        socket.send_to(line, &at.address())?;
        // There is room for all of it here: what is missing, the server has not received.
        let mut buf = [0; 4096];
        let (len, _from) = socket.recv_from(&mut buf)?;
        say!("{} bytes sent, {len} came back", line.len());
    }
    Ok(())
}

fn curious_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.local_addr()?; // ①
    socket.send_to(b"hello", &at.address())?;
    socket.local_addr()?; // ②
    let mut buf = [0; 1024];
    socket.recv_from(&mut buf)?;
    Ok(())
}

fn connected_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // This socket knows no address to send to.
    if socket.send(b"hello").is_err() {
        say!("to whom?"); // ①
    }
    // For a UDP socket, connect sends nothing: the kernel notes the peer's address.
    socket.connect(&at.address())?; // ②
    socket.send(b"hello")?; // ③
    let mut buf = [0; 1024];
    socket.recv(&mut buf)?;
    Ok(())
}
