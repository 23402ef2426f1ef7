//! A time server.

mod claims;

use socklab::prelude::*;

/// The moment at which the stage's clock stands: time varies, and a transcript does not. By hand it is the true time.
const STAGE_TIME: &str = "2026-11-21 02:01:06";

pub fn lab() -> Lab {
    Lab::new(8, "udp-time-server", 9000)
        .in_chapter(Chapter::Datagrams)
        .asks("What is an empty datagram good for? What may a stranger ask for?")
        .on_one_host()
        .scene(
            Scene::new("the time in your own format, as its authors wrote it")
                .clock_stands_at(STAGE_TIME)
                .server(server)
                .client(client)
                .typed(&["%Y %m %d", "", "%Y年%m月%d日", "no percent"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("what strangers ask for")
                .clock_stands_at(STAGE_TIME)
                .server(server)
                .role("stranger", stranger)
                .role("second-server", restarted_server)
                .client(long_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: a list of what may be asked, and a limit")
                .clock_stands_at(STAGE_TIME)
                .server(careful_server)
                .role("stranger", refused_stranger)
                .client(client)
                .typed(&["", "%Y %m %d"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("a second server on the same port")
                .clock_stands_at(STAGE_TIME)
                .server(server)
                .client(asking_client)
                .role("second-server", second_server)
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: who does not share cannot lose")
                .server(unsharing_server)
                .role("second-server", refused_server),
        )
        .scene(Scene::new("who shares on purpose").server(sharing_server).role("second-server", joining_server))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_address(true)?; // (1)
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    loop {
        let (len, from) = socket.recv_from(&mut buf)?;
        say!("===> \"{}\"", buf[..len].escape_ascii());
        let format = match std::str::from_utf8(&buf[..len]) {
            // Nothing was asked for, and yet somebody asked: the datagram has a sender, to whom the answer goes.
            Ok("") => "%Y-%m-%d %X", // (2)
            Ok(format) => format,
            Err(error) => {
                say!("{error}"); // (3)
                return Ok(());
            }
        };
        let time = strftime(format)?;
        say!("{time}");
        socket.send_to(time.as_bytes(), &from)?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt("enter a time format (such as %Y %m %d)>>: ") {
        socket.send_to(line.trim().as_bytes(), &at.address())?;
        let mut buf = [0; 1024];
        // Not recvfrom: whoever answers first is believed, and not even looked at.
        let len = socket.recv(&mut buf)?; // (4)
        say!("current date: {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn stranger(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // Two bytes ask for 24: "Sat Nov 21 02:01:06 2026". The answer goes to whatever address stands on the question.
    socket.send_to("%c".repeat(512).as_bytes(), &at.address())?; // (5)
    let mut buf = vec![0; 65536];
    let len = socket.recv(&mut buf)?;
    say!("asked with 1024 bytes, answered with {len}");
    // No text in UTF-8 has this byte.
    socket.send_to(b"\xff", &at.address())?; // (6)
    Ok(())
}

fn restarted_server(at: Endpoint) -> io::Result<()> {
    meet("somebody has noticed that the server is gone, and starts it again");
    server(at)
}

fn long_client(at: Endpoint) -> io::Result<()> {
    meet("the server is there again");
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // Good text, 1200 bytes of it. The server's buffer has room for 341 characters and the first byte of the next.
    socket.send_to("年".repeat(400).as_bytes(), &at.address())?; // (7)
    let mut buf = [0; 1024];
    let len = socket.recv(&mut buf)?;
    say!("current date: {}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn careful_server(at: Endpoint) -> io::Result<()> {
    const FORMATS: [&str; 4] = ["%Y-%m-%d %X", "%Y %m %d", "%Y年%m月%d日", "%X"];
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 64];
    loop {
        let asked = socket.recv_msg(&mut buf)?; // (8)
        let time = match std::str::from_utf8(&buf[..asked.len]) {
            Ok("") => strftime(FORMATS[0])?,
            Ok(format) if !asked.truncated && FORMATS.contains(&format) => strftime(format)?,
            // An empty datagram says no, and is never longer than the question.
            _ => String::new(), // (9)
        };
        socket.send_to(time.as_bytes(), &asked.from)?;
    }
}

fn refused_stranger(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    let questions = ["%c".repeat(512).into_bytes(), b"\xff".to_vec(), "年".repeat(400).into_bytes()];
    for question in questions {
        socket.send_to(&question, &at.address())?;
        let mut buf = vec![0; 65536];
        let len = socket.recv(&mut buf)?;
        say!("asked with {}, answered with {len}", question.len());
    }
    Ok(())
}

fn second_server(at: Endpoint) -> io::Result<()> {
    meet("the client has had its first answer");
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    // The port has an owner. Both sockets allow it, so the kernel does too.
    socket.bind(&at.address())?; // (10)
    let mut buf = [0; 1024];
    let (_len, from) = socket.recv_from(&mut buf)?;
    socket.send_to(b"twenty-five o'clock", &from)?; // (11)
    Ok(())
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    for moment in ["the server is there", "the second server is there", "the second server is gone"] {
        meet(moment);
        socket.send_to(b"%X", &at.address())?;
        let mut buf = [0; 1024];
        let len = socket.recv(&mut buf)?;
        say!("current date: {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn unsharing_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?; // (12)
    meet("the second server has tried");
    Ok(())
}

fn refused_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    // Sharing takes two: the first one has not agreed.
    if let Err(refused) = socket.bind(&at.address()) {
        say!("{refused}"); // (13)
    }
    Ok(())
}

fn sharing_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&at.address())?;
    meet("the second server has tried");
    Ok(())
}

fn joining_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // One option does not answer the other.
    socket.set_reuse_address(true)?;
    if let Err(refused) = socket.bind(&at.address()) {
        say!("{refused}"); // (14)
    }
    // The kernel asks more here than it does of SO_REUSEADDR: both sockets must be of one user.
    socket.set_reuse_port(true)?;
    socket.bind(&at.address())?; // (15)
    Ok(())
}
