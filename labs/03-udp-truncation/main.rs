//! UDP truncation.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(3, "udp-truncation", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("What happens to the part of a datagram that does not fit recvfrom's buffer?")
        .scene(Scene::new("room for one byte of each").server(server).client(client))
        .scene(Scene::new("recvmsg reports a cut").server(warned_server).client(client))
        .scene(Scene::new("ask for the true length").server(asking_server).client(client).show_receive_queues())
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1];
    // Each call takes one datagram off the queue. The kernel discards what does not fit the buffer.
    let (len, _from) = socket.recv_from(&mut buf)?; // ②
    say!("first time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?; // ③
    say!("second time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("third time received  \"{}\"", buf[..len].escape_ascii());
    say!("--------end----------");
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?; // ①
    socket.send_to(b"world", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    Ok(())
}

fn warned_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    // Too small, exactly right, too large: the kernel marks only the first one.
    for room in [1, 5, 1024] {
        let mut buf = vec![0; room];
        let got = socket.recv_msg(&mut buf)?;
        let how = if got.truncated { "there was more" } else { "that is all" };
        say!("\"{}\", {how}", buf[..got.len].escape_ascii());
    }
    Ok(())
}

fn asking_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    meet("the client has sent all three");

    // With MSG_TRUNC the call returns the datagram's length, even if it stores less.
    let mut buf = [0; 1];
    let len = socket.recv_with_flags(&mut buf, libc::MSG_TRUNC)?; // ①
    say!("1 of {len} bytes");

    // With MSG_PEEK as well, the datagram stays in the queue: first ask, then make the buffer.
    let len = socket.recv_with_flags(&mut [], libc::MSG_PEEK | libc::MSG_TRUNC)?; // ②
    let mut buf = vec![0; len];
    let len = socket.recv(&mut buf)?;
    say!("all {len} bytes, \"{}\"", buf.escape_ascii());

    // The rest of a cut datagram is nowhere: the queue is empty after the last one.
    let mut buf = [0; 1];
    socket.recv(&mut buf)?; // ③
    if socket.recv_with_flags(&mut buf, libc::MSG_DONTWAIT).is_err() {
        say!("nothing is left of the last one"); // ④
    }
    Ok(())
}
