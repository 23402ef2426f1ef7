//! Five layers around one datagram.

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
            Scene::new("the same around TCP, which needs a listener first")
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
    // The payload and its sender's address come here. The headers around them stay in the kernel.
    let (len, from) = socket.recv_from(&mut buf)?; // ⑤
    socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?;
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?; // ①
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
        let (len, _from) = socket.recv_from(&mut buf)?; // ④
        say!("{len} bytes");
    }
    Ok(())
}

fn sizes_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"", &at.address())?; // ①
    // 1500 bytes for IP: 20 are its header, 8 the header of UDP.
    socket.send_to(&[b'a'; 1472], &at.address())?; // ②
    socket.send_to(&[b'b'; 1473], &at.address())?; // ③
    Ok(())
}

fn client_alone(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // The other host is there, but no program has this port. Its kernel answers.
    socket.send_to(b"hello", &at.address())?; // ①
    Ok(())
}

fn tcp_server(at: Endpoint) -> io::Result<()> {
    meet("the client has been refused");
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?; // ④
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn tcp_client(at: Endpoint) -> io::Result<()> {
    let early = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(refused) = early.connect(&at.address()) {
        say!("{refused}"); // ①
    }
    meet("the server listens");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // ②
    conn.send(b"hello")?; // ③
    Ok(())
}
