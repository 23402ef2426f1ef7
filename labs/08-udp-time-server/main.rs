//! A time server.

mod claims;

use socklab::prelude::*;

/// The moment at which the stage's clock stands, so that a transcript is the same each time. By hand the clock runs.
const STAGE_TIME: &str = "2026-11-21 02:01:06";

pub fn lab() -> Lab {
    Lab::new(8, "udp-time-server", 9000)
        .in_chapter(Chapter::Datagrams)
        .asks("What is an empty datagram good for, and what may a stranger ask for?")
        .on_one_host()
        .scene(
            Scene::new("the time in your own format")
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
            Scene::new("the cure: a list of allowed formats, and a limit")
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
            Scene::new("the cure: do not share the port")
                .server(unsharing_server)
                .role("second-server", refused_server),
        )
        .scene(
            Scene::new("two servers that share on purpose")
                .server(sharing_server)
                .role("second-server", joining_server),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    loop {
        let (len, from) = socket.recv_from(&mut buf)?; // ①
        say!("===> \"{}\"", buf[..len].escape_ascii());
        let format = match std::str::from_utf8(&buf[..len]) {
            // An empty question is still a question: the datagram has a sender, who gets an answer.
            Ok("") => "%Y-%m-%d %X",
            Ok(format) => format,
            Err(error) => {
                say!("{error}");
                return Ok(());
            }
        };
        let time = strftime(format)?;
        say!("{time}");
        socket.send_to(time.as_bytes(), &from)?; // ②
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt("enter a time format (such as %Y %m %d)>>: ") {
        socket.send_to(line.trim().as_bytes(), &at.address())?;
        let mut buf = [0; 1024];
        // recv, not recvfrom: the client does not look who answered.
        let len = socket.recv(&mut buf)?; // ③
        say!("current date: {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn stranger(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // Two bytes ask for 24: "Sat Nov 21 02:01:06 2026". The answer goes to the source address of the question.
    socket.send_to("%c".repeat(512).as_bytes(), &at.address())?;
    let mut buf = vec![0; 65536];
    let len = socket.recv(&mut buf)?;
    say!("asked with 1024 bytes, answered with {len}");
    // UTF-8 never contains this byte.
    socket.send_to(b"\xff", &at.address())?;
    Ok(())
}

fn restarted_server(at: Endpoint) -> io::Result<()> {
    meet("somebody has noticed that the server has ended");
    server(at)
}

fn long_client(at: Endpoint) -> io::Result<()> {
    meet("the server runs again");
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // 1,200 bytes of valid text. The server's buffer holds 341 characters and the first byte of the next.
    socket.send_to("年".repeat(400).as_bytes(), &at.address())?;
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
        let asked = socket.recv_msg(&mut buf)?;
        let time = match std::str::from_utf8(&buf[..asked.len]) {
            Ok("") => strftime(FORMATS[0])?,
            Ok(format) if !asked.truncated && FORMATS.contains(&format) => strftime(format)?,
            // An empty datagram means no. It is not longer than the question.
            _ => String::new(),
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
    // The port is taken, but both sockets allow sharing, so the kernel does too.
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    let (_len, from) = socket.recv_from(&mut buf)?;
    socket.send_to(b"twenty-five o'clock", &from)?;
    Ok(())
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    for moment in ["the server runs", "the second server runs", "the second server has ended"] {
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
    socket.bind(&at.address())?;
    meet("the second server has tried");
    Ok(())
}

fn refused_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    // Both must agree to share, and the first one has not.
    if let Err(refused) = socket.bind(&at.address()) {
        say!("{refused}");
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
    // The two options do not match each other.
    socket.set_reuse_address(true)?;
    if let Err(refused) = socket.bind(&at.address()) {
        say!("{refused}");
    }
    // For this option both sockets must also belong to the same user.
    socket.set_reuse_port(true)?;
    socket.bind(&at.address())?;
    Ok(())
}
