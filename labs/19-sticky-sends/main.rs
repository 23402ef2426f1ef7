//! Sticky sends.

mod claims;

use libc::MSG_MORE;
use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(19, "sticky-sends", 8080)
        .in_chapter(Chapter::Stream)
        .asks("Two sends, one receive: who merged them, and when do they stay apart?")
        .scene(Scene::new("two sends, two receives, as their authors wrote it").server(server).client(client))
        .scene(
            Scene::new("a late receiver: the queue between the sends")
                .server(late_server)
                .client(patient_client)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("spaced sends: the first is read before the second is sent")
                .server(server)
                .client(spaced_client)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("Nagle's algorithm off, and a late receiver")
                .server(late_server)
                .client(nodelay_client)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the same two sends as datagrams, and a late receiver")
                .server(udp_server)
                .client(udp_client)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("two sends that ask to be one datagram: MSG_MORE")
                .server(one_datagram_server)
                .client(more_client)
                .show_receive_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let (mut first, mut second) = ([0; 10], [0; 10]);
    let first_len = conn.recv(&mut first)?;
    let second_len = conn.recv(&mut second)?;
    say!("-----> {}", String::from_utf8_lossy(&first[..first_len]));
    say!("-----> {}", String::from_utf8_lossy(&second[..second_len]));
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // the original does not check the result
    conn.send(b"hello")?;
    conn.send(b"feng")?;
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has sent both");

    // Both are in the receive queue. Nothing in it says where the first one ends.
    let (mut first, mut second) = ([0; 10], [0; 10]);
    let first_len = conn.recv(&mut first)?; // ④
    let second_len = conn.recv(&mut second)?; // ⑤
    say!("-----> {}", String::from_utf8_lossy(&first[..first_len]));
    say!("-----> {}", String::from_utf8_lossy(&second[..second_len]));
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address());
    meet("the server has the connection");
    conn.send(b"hello")?; // ①
    conn.send(b"feng")?;
    Ok(())
}

fn spaced_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address());
    meet("the server waits for data");
    conn.send(b"hello")?;
    meet("the server has read the first one"); // the server reports back: only the stage can do that
    conn.send(b"feng")?;
    Ok(())
}

fn nodelay_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // From now on the kernel does not delay a small segment while earlier data is unacknowledged.
    conn.set_tcp_nodelay(true)?;
    let _ = conn.connect(&at.address());
    meet("the server has the connection");
    conn.send(b"hello")?;
    conn.send(b"feng")?;
    Ok(())
}

fn udp_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    meet("the client has sent both");

    // This queue holds records. One recvfrom takes one of them, however large the buffer is.
    let (mut first, mut second) = ([0; 10], [0; 10]);
    let (first_len, _client) = socket.recv_from(&mut first)?;
    let (second_len, _client) = socket.recv_from(&mut second)?;
    say!("-----> {}", String::from_utf8_lossy(&first[..first_len]));
    say!("-----> {}", String::from_utf8_lossy(&second[..second_len]));
    Ok(())
}

fn udp_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.send_to(b"feng", &at.address())?;
    Ok(())
}

fn one_datagram_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    meet("the client has sent both");
    let mut buf = [0; 10];
    let (len, _client) = socket.recv_from(&mut buf)?;
    say!("-----> {}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn more_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.connect(&at.address())?;
    // The kernel keeps this part until a send without the flag completes the datagram.
    socket.send_with_flags(b"hello", MSG_MORE)?;
    socket.send(b"feng")?;
    Ok(())
}
