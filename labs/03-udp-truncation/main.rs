//! UDP truncation.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(3, "udp-truncation", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("What happens to the part of a datagram that does not fit recvfrom's buffer?")
        .scene(Scene::new("one byte of each, as its authors took it").server(server).client(client))
        .scene(Scene::new("recvmsg tells when it cuts").server(warned_server).client(client))
        .scene(
            Scene::new("asking for the true length, before and after")
                .server(asking_server)
                .client(client)
                .show_receive_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1];
    // One call takes one datagram off the queue, whole. What finds no room in the buffer is thrown away.
    let (len, _from) = socket.recv_from(&mut buf)?; // (1)
    say!("first time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?; // (2)
    say!("second time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("third time received  \"{}\"", buf[..len].escape_ascii());
    say!("--------end----------");
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.send_to(b"world", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    Ok(())
}

fn warned_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    // Too small, just right, too large: only the first one is cut, and the kernel marks it.
    for room in [1, 5, 1024] {
        let mut buf = vec![0; room];
        let got = socket.recv_msg(&mut buf)?; // (3)
        let how = if got.truncated { "there was more" } else { "that is all" };
        say!("\"{}\", {how}", buf[..got.len].escape_ascii());
    }
    Ok(())
}

fn asking_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    meet("the client has sent all three");

    // After: the call returns how long the datagram was, not how much of it is in the buffer.
    let mut buf = [0; 1];
    let len = socket.recv_with_flags(&mut buf, libc::MSG_TRUNC)?; // (4)
    say!("1 of {len} bytes");

    // Before: a look without room takes nothing, and tells how much room is needed.
    let len = socket.recv_with_flags(&mut [], libc::MSG_PEEK | libc::MSG_TRUNC)?; // (5)
    let mut buf = vec![0; len];
    let len = socket.recv(&mut buf)?;
    say!("all {len} bytes, \"{}\"", buf.escape_ascii());

    // The rest of a cut datagram is in no queue: behind the last one there is nothing.
    let mut buf = [0; 1];
    socket.recv(&mut buf)?; // (6)
    if socket.recv_with_flags(&mut buf, libc::MSG_DONTWAIT).is_err() {
        say!("nothing is left of the last one"); // (7)
    }
    Ok(())
}
