//! Loss over UDP.

mod claims;

use std::fs;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(9, "udp-loss", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("Where do datagrams go when nobody reads them, and how large may one be?")
        .scene(
            Scene::new("a small receive buffer, and nobody reads")
                .server(late_server)
                .client(client)
                .show_receive_queues(),
        )
        .scene(Scene::new("a hundred small datagrams: which are kept").server(counting_server).client(hasty_client))
        .scene(Scene::new("the largest datagram, and one byte more").server(roomy_server).client(large_client))
        .scene(Scene::new("one is lost on purpose").server(filtering_server).client(three_client).ends_waiting())
        .scene(
            Scene::new("the cure: numbers, answers, and sending again")
                .server(answering_server)
                .client(insisting_client)
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_recv_buffer_size(2048)?; // ①
    let room = socket.recv_buffer_size()?;
    say!("room for {room} bytes, with the kernel's own data");
    socket.set_overflow_report(true)?;
    socket.bind(&at.address())?;
    meet("the client has sent five");

    let mut buf = vec![0; 65536];
    let first = socket.recv_msg(&mut buf)?; // ③
    say!("number {}, {} bytes", char::from(buf[0]), first.len);
    if socket.recv_with_flags(&mut buf, libc::MSG_DONTWAIT).is_err() {
        say!("nothing else is there"); // ④
    }
    // No call reports a loss by itself. A program that asks learns how many there were.
    let lost = socket.drops()?; // ⑤
    say!("lost: {lost} by SO_MEMINFO, {} by /proc/net/udp", dropped(at)?);
    meet("the client has sent the sixth");

    // There is room again. With this one the kernel reports how many were lost before it.
    let sixth = socket.recv_msg(&mut buf)?; // ⑥
    say!("number {}, {} bytes; lost before it: {}", char::from(buf[0]), sixth.len, sixth.lost_before);
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    for number in [b'1', b'2', b'3', b'4', b'5'] {
        socket.send_to(&[number; 5000], &at.address())?; // ②
    }
    meet("the server has read what it can get");
    socket.send_to(&[b'6'; 5000], &at.address())?;
    Ok(())
}

fn counting_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_recv_buffer_size(4096)?;
    socket.bind(&at.address())?;
    meet("the client has sent a hundred");

    // How many fit depends on what the kernel stores with each one: far more than four bytes.
    let kept = socket.recv_many(200, 4)?;
    let in_order = kept.iter().zip(1..).all(|(datagram, number)| *datagram == numbered(number));
    say!("the first ones, in order, without a gap: {in_order}");
    say!("kept and dropped together: {}", kept.len() as u64 + dropped(at)?);
    Ok(())
}

fn hasty_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.connect(&at.address())?;
    let datagrams: Vec<Vec<u8>> = (1..=100).map(numbered).collect();
    let datagrams: Vec<&[u8]> = datagrams.iter().map(Vec::as_slice).collect();
    let count = socket.send_many(&datagrams)?;
    say!("{count} sent");
    Ok(())
}

fn roomy_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = vec![0; 65536];
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("{len} bytes in one piece");
    Ok(())
}

fn large_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // The length field of an IP packet has 16 bits: 65,535 bytes, less 20 for IP's header and 8 for UDP's.
    if let Err(refused) = socket.send_to(&[b'x'; 65508], &at.address()) {
        say!("65508 bytes: {refused}");
    }
    socket.send_to(&[b'x'; 65507], &at.address())?;
    Ok(())
}

fn filtering_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.attach_filter(losing(*b"worl"))?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    for time in ["first", "second", "third"] {
        let (len, _from) = socket.recv_from(&mut buf)?;
        say!("{time} time received  \"{}\"", buf[..len].escape_ascii());
        say!("lost so far: {}", socket.drops()?);
    }
    Ok(())
}

fn three_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.send_to(b"world", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn answering_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.attach_filter(losing(*b"2.1 "))?;
    socket.bind(&at.address())?;
    let mut known = Vec::new();
    loop {
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        let Some((label, text)) = buf[..len].split_at_checked(4) else { continue };
        socket.send_to(label, &from)?;
        // If the answer is lost, the same number comes again. The message is not new then.
        if known.contains(&label[0]) {
            say!("number {} again", char::from(label[0]));
        } else {
            known.push(label[0]);
            say!("number {}: {}", char::from(label[0]), String::from_utf8_lossy(text));
        }
    }
}

fn insisting_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.attach_filter(losing(*b"3.1 "))?;
    socket.connect(&at.address())?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    for (number, text) in [(1, "hello"), (2, "world"), (3, "egon")] {
        for attempt in 1..=5 {
            socket.send(format!("{number}.{attempt} {text}").as_bytes())?;
            let mut answer = [0; 4];
            match socket.recv(&mut answer) {
                Ok(_) if answer.starts_with(number.to_string().as_bytes()) => break,
                Ok(_) => {}
                Err(silence) => say!("number {number}: no answer: {silence}"),
            }
        }
    }
    Ok(())
}

/// The number of a datagram as its payload: `007 `.
fn numbered(number: u32) -> Vec<u8> {
    format!("{number:03} ").into_bytes()
}

/// A filter for the kernel: it drops the datagrams that begin with these bytes.
fn losing(begin: [u8; 4]) -> [Instruction; 4] {
    [
        Instruction::load_word(8), // after the 8-byte UDP header
        Instruction::skip_unless(begin, 1),
        Instruction::keep(0),
        Instruction::keep(u32::MAX),
    ]
}

/// How many datagrams the kernel has dropped at this port: the last column of /proc/net/udp.
fn dropped(at: Endpoint) -> io::Result<u64> {
    let port = at.address().as_socket().map_or(0, |address| address.port());
    let table = fs::read_to_string("/proc/net/udp")?;
    let ours = |line: &&str| line.split_whitespace().nth(1).is_some_and(|own| own.ends_with(&format!(":{port:04X}")));
    let drops = table.lines().find(ours).and_then(|line| line.split_whitespace().last()?.parse().ok());
    drops.ok_or_else(|| io::Error::other("this socket is not in /proc/net/udp"))
}
