//! Five layers.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(44, "five-layers", 9000)
        .in_chapter(Chapter::UnderTheApi)
        .asks("What is around the payload of one datagram: ARP, Ethernet, IP, UDP, byte by byte?")
        .on_a_wire()
        .scene(
            Scene::new("one datagram, between hosts that do not know each other yet")
                .server(server)
                .client(client)
                .hosts_need_arp()
                .show_bytes_of(&[1, 2, 3]),
        )
        .scene(
            Scene::new("an empty payload, as much as fits, and one byte more")
                .server(sizes_server)
                .client(sizes_client)
                .show_bytes_of(&[1, 4]),
        )
        .scene(Scene::new("nobody has the port").client(client_alone).show_bytes_of(&[2]))
        .scene(
            Scene::new("the same around TCP, where somebody must be there first")
                .server(tcp_server)
                .client(tcp_client)
                .show_bytes_of(&[3, 6]),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    // Here come the payload and its sender's address. The headers around it stay in the kernel.
    let (len, from) = socket.recv_from(&mut buf)?; // (1)
    socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?; // (2)
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?; // (3)
    let mut buf = [0; 1024];
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn sizes_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    meet("the client has sent all three");
    let mut buf = [0; 2048];
    for _ in 0..3 {
        let (len, _from) = socket.recv_from(&mut buf)?; // (4)
        say!("{len} bytes");
    }
    Ok(())
}

fn sizes_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"", &at.address())?; // (5)
    // 1500 bytes for IP: 20 are its header, 8 the header of UDP.
    socket.send_to(&[b'a'; 1472], &at.address())?; // (6)
    socket.send_to(&[b'b'; 1473], &at.address())?; // (7)
    Ok(())
}

fn client_alone(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // The other host is there. It is its kernel that answers, for no program has this port.
    socket.send_to(b"hello", &at.address())?; // (8)
    Ok(())
}

fn tcp_server(at: Endpoint) -> io::Result<()> {
    meet("the client has been refused");
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?; // (12)
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn tcp_client(at: Endpoint) -> io::Result<()> {
    let early = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(refused) = early.connect(&at.address()) {
        say!("{refused}"); // (9)
    }
    meet("the server listens");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // (10)
    conn.send(b"hello")?; // (11)
    Ok(())
}
