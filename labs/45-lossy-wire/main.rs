//! A wire that loses frames.

mod claims;

use std::fs;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(45, "lossy-wire", 9000)
        .in_chapter(Chapter::UnderTheApi)
        .on_a_wire()
        .asks("One frame is lost: what do UDP and TCP do about it?")
        .scene(
            Scene::new("UDP: one is lost, one comes twice, one is damaged, one is overtaken")
                .server(datagram_server)
                .client(datagram_client)
                .faults(&["drop client:2", "duplicate client:3", "corrupt client:4", "reorder client:5"]),
        )
        .scene(
            Scene::new("TCP: a segment is lost, and once more: the sender's timer")
                .server(answering_server)
                .client(asking_client)
                .faults(&["drop client:data:1-2"])
                .show_send_queues(),
        )
        .scene(
            Scene::new("TCP: a segment is lost, and others follow: duplicate acknowledgements")
                .server(reading_server)
                .client(steady_client)
                .faults(&["drop client:data:2"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("TCP: one is overtaken, one comes twice, one is damaged")
                .server(reading_server)
                .client(steady_client)
                .faults(&["reorder client:data:2", "duplicate client:data:4", "corrupt client:data:6"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("TCP: the first SYN, an acknowledgement and a FIN are lost")
                .server(reading_server)
                .client(short_client)
                .faults(&["drop client:syn:1", "drop server:ack:1", "drop client:fin:1"])
                .show_states(),
        )
        .scene(
            Scene::new("TCP with SACK: one of six comes twice, two are lost")
                .server(reading_server)
                .client(client_in_one_go)
                .faults(&["mtu 92", "sack", "duplicate client:data:1", "drop client:data:2,4", "drop server:ack:3-4"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("TCP with SACK: the loss of scene 3 once more")
                .server(reading_server)
                .client(steady_client)
                .faults(&["sack", "drop client:data:2"])
                .show_receive_queues(),
        )
        .claims(claims::all())
}

fn datagram_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    meet("the client has sent all six");
    let mut buf = [0; 1024];
    while let Ok(len) = socket.recv_with_flags(&mut buf, libc::MSG_DONTWAIT) {
        say!("{}", String::from_utf8_lossy(&buf[..len]));
    }
    say!("the kernel counts {} damaged", counted("snmp", "Udp:", "InCsumErrors")?); // ④
    Ok(())
}

fn datagram_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    for text in ["one", "two", "three", "four", "five", "six"] {
        socket.send_to(text.as_bytes(), &at.address())?; // ①
    }
    Ok(())
}

fn answering_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    Ok(())
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?; // ①
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    tell_repairs()
}

fn reading_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        say!("{}", String::from_utf8_lossy(&buf[..len]));
    }
}

fn steady_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_tcp_nodelay(true)?; // no send waits for an acknowledgement
    conn.connect(&at.address())?;
    conn.send(b"one ")?;
    conn.send(b"two ")?;
    conn.send(b"three ")?;
    meet("the server has read what it can get");
    conn.send(b"four ")?;
    conn.send(b"five ")?;
    meet("the server has read the rest");
    tell_repairs()?;
    conn.send(b"six")?;
    Ok(())
}

fn short_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_tcp_nodelay(true)?;
    conn.connect(&at.address())?;
    conn.send(b"one ")?;
    conn.send(b"two ")?;
    meet("the server has read both");
    Ok(())
}

fn client_in_one_go(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let letters: Vec<u8> = (b'a'..=b'f').flat_map(|letter| [letter; 40]).collect();
    conn.send(&letters)?;
    meet("the server has read all of it");
    tell_repairs()
}

/// Prints what the kernel has sent again, and why.
fn tell_repairs() -> io::Result<()> {
    let timeouts = counted("netstat", "TcpExt:", "TCPTimeouts")?;
    let fast = counted("netstat", "TcpExt:", "TCPFastRetrans")?;
    say!("the kernel counts {timeouts} sent again by a timer, {fast} by acknowledgements");
    Ok(())
}

/// One of the kernel's counters, from `/proc/net/snmp` or `/proc/net/netstat`: a line of names, and one of numbers.
fn counted(file: &str, lines: &str, name: &str) -> io::Result<String> {
    let text = fs::read_to_string(format!("/proc/self/net/{file}"))?;
    let mut lines = text.lines().filter(|line| line.starts_with(lines)).map(str::split_whitespace);
    let (names, mut numbers) = (lines.next(), lines.next());
    let place = names.and_then(|mut names| names.position(|is| is == name)).ok_or(io::ErrorKind::NotFound)?;
    Ok(numbers.as_mut().and_then(|numbers| numbers.nth(place)).unwrap_or("?").to_owned())
}
