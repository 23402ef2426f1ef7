//! Segmentation.

mod claims;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socklab::prelude::*;

/// The client's own host.
const THIS_HOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

pub fn lab() -> Lab {
    Lab::new(24, "segmentation", 8080)
        .in_chapter(Chapter::Stream)
        .asks("What becomes of a large send on the wire?")
        .on_a_wire()
        .scene(Scene::new("20,000 bytes in one send").server(server).client(client))
        .scene(Scene::new("8,000 bytes, and a smaller MTU").server(server).client(smaller_client).faults(&["mtu 576"]))
        .scene(Scene::new("20,000 bytes over loopback").role("neighbour", neighbour).client(loopback_client))
        .scene(Scene::new("1448 bytes, and 1500").server(server).client(fitting_client))
        .scene(Scene::new("a large datagram").server(udp_server).client(udp_client))
        .scene(
            Scene::new("a large datagram, and one fragment is lost")
                .server(udp_server)
                .client(udp_client)
                .faults(&["drop client:fragment:2"])
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 4096];
    loop {
        // The segments are gone. This is a run of bytes, taken 4096 at a time.
        let len = conn.recv(&mut buf)?; // ⑥
        if len == 0 {
            return Ok(());
        }
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    // It returns when the kernel has taken the bytes. The kernel decides into how many segments it cuts them.
    conn.send(&[b'x'; 20_000])?; // ①
    say!("a segment carries at most {} bytes", conn.tcp_mss()?);
    say!("segments with data: {}", conn.tcp_info()?.data_segs_out); // ⑤
    Ok(())
}

fn smaller_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&[b'x'; 8_000])?;
    say!("a segment carries at most {} bytes", conn.tcp_mss()?);
    say!("segments with data: {}", conn.tcp_info()?.data_segs_out);
    Ok(())
}

fn neighbour(_at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&THIS_HOST.into())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 4096];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
    }
}

fn loopback_client(_at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // This address is on the client's own host: no frame leaves it. The loopback's MTU is 65536.
    conn.connect(&THIS_HOST.into())?;
    conn.send(&[b'x'; 20_000])?;
    say!("segments with data: {}", conn.tcp_info()?.data_segs_out);
    Ok(())
}

fn fitting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&[b'a'; 1448])?;
    conn.send(&[b'b'; 1500])?;
    Ok(())
}

fn udp_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 5000];
    for _ in 0..2 {
        let (len, _from) = socket.recv_from(&mut buf)?;
        say!("{len} bytes");
    }
    Ok(())
}

fn udp_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(&[b'x'; 4000], &at.address())?;
    socket.send_to(b"small", &at.address())?;
    Ok(())
}
