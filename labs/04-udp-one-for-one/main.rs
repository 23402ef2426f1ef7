//! One for one.

mod claims;

use std::collections::BTreeSet;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(4, "udp-one-for-one", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("Why does the third recvfrom hang when one sendto is missing?")
        .scene(Scene::new("three for three, as its authors wrote it").server(server).client(client))
        .scene(Scene::new("without hello").server(server).client(client_without_hello).ends_waiting())
        .scene(Scene::new("without world").server(server).client(client_without_world).ends_waiting())
        .scene(Scene::new("without egon").server(server).client(client_without_egon).ends_waiting())
        .scene(
            Scene::new("an empty datagram in place of world")
                .server(server)
                .client(client_with_an_empty_one)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("four sends for three receives")
                .server(server)
                .client(client_with_one_more)
                .show_receive_queues(),
        )
        .scene(Scene::new("a deadline: one is missing").server(server_with_a_deadline).client(client_without_world))
        .scene(Scene::new("numbers: which one is missing").server(numbering_server).client(numbering_client))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    // Each of these takes one datagram, or waits for one. None knows how many have come before.
    let (len, _from) = socket.recv_from(&mut buf)?; // ②
    say!("first time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?; // ③
    say!("second time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?; // ④
    say!("third time received  \"{}\"", buf[..len].escape_ascii());
    say!("--------end----------");
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.send_to(b"world", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn client_without_hello(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"world", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn client_without_world(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn client_without_egon(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.send_to(b"world", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn client_with_an_empty_one(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    // A datagram without payload takes a place in the queue, and one receive.
    socket.send_to(b"", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn client_with_one_more(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // The kernel reports a refused datagram to a connected socket: if any sender learns of a loss, this one does.
    socket.connect(&at.address())?;
    socket.send(b"hello")?;
    socket.send(b"world")?;
    socket.send(b"egon")?;
    socket.send(b"one too many")?;
    say!("client has sent its messages");
    meet("the server has ended");
    // The kernel discarded what was in the queue of the closed socket, and reports it to nobody.
    let error = socket.take_error()?;
    say!("{}", if error.is_none() { "no error waits for me" } else { "an error waits for me" });
    Ok(())
}

fn server_with_a_deadline(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?; // ①
    let mut buf = [0; 1024];
    for count in 0..3 {
        match socket.recv_from(&mut buf) {
            Ok((len, _from)) => say!("received  \"{}\"", buf[..len].escape_ascii()),
            // The kernel knows how long we have waited. It does not know how many datagrams we expect.
            Err(_late) => {
                say!("{count} of 3 have come; I cannot tell which is missing"); // ③
                break;
            }
        }
    }
    say!("--------end----------");
    Ok(())
}

fn numbering_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut missing = BTreeSet::from([1, 2, 3]);
    let mut buf = [0; 1024];
    while !missing.is_empty() {
        let (len, from) = socket.recv_from(&mut buf)?;
        let message = String::from_utf8_lossy(&buf[..len]);
        // The number is part of the message: UDP's own header has none.
        let (number, text) = message.split_once(' ').unwrap_or(("0", &message));
        say!("number {number} received  {text:?}");
        let number = number.parse().unwrap_or(0);
        missing.remove(&number);
        // A later number is here and an earlier one is not: that is a gap.
        for gap in missing.range(..number) {
            say!("number {gap} is missing");
            socket.send_to(gap.to_string().as_bytes(), &from)?; // ②
        }
    }
    say!("--------end----------");
    Ok(())
}

fn numbering_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"1 hello", &at.address())?;
    socket.send_to(b"3 egon", &at.address())?;
    say!("client has sent its messages");
    let mut buf = [0; 1024];
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("the server asks for number {}", buf[..len].escape_ascii());
    socket.send_to(b"2 world", &at.address())?; // ③
    Ok(())
}
