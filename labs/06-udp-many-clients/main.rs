//! Many clients.

mod claims;

use std::collections::VecDeque;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(6, "udp-many-clients", 8082)
        .in_chapter(Chapter::Datagrams)
        .asks("How does one socket serve many clients, and find each one again?")
        .scene(
            Scene::new("three clients at once, as its authors tried it")
                .server(server)
                .client(client)
                .typed(&["hello"])
                .role("second-client", client)
                .typed(&["hi"])
                .role("third-client", client)
                .typed(&["hey you"])
                .show_receive_queues()
                .ends_waiting(),
        )
        .scene(
            Scene::new("two steps for each client, and a slow one among them")
                .server(patient_server)
                .client(slow_client)
                .typed(&["ada"])
                .role("second-client", quick_client)
                .typed(&["bob"])
                .role("third-client", quick_client)
                .typed(&["cy"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the cure: what is known of a client is kept under its address")
                .server(remembering_server)
                .client(slow_client)
                .typed(&["ada"])
                .role("second-client", quick_client)
                .typed(&["bob"])
                .role("third-client", quick_client)
                .typed(&["cy"])
                .ends_waiting(),
        )
        .scene(Scene::new("a client that hears anybody").server(server_with_a_stranger).client(open_client))
        .scene(Scene::new("a client that hears only its peer").server(server_with_a_stranger).client(connected_client))
        .scene(Scene::new("connected too late").server(server_with_a_stranger).client(late_client))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        let mut buf = [0; 1024];
        // One queue holds what all of them sent. The address beside each datagram is all that tells them apart.
        let (len, from) = socket.recv_from(&mut buf)?; // (1)
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?; // (2)
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>: ") {
        socket.send_to(line.as_bytes(), &at.address())?;
        let mut buf = [0; 1024];
        let (len, _from) = socket.recv_from(&mut buf)?;
        say!("\"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}

fn patient_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut later = VecDeque::new();
    loop {
        let mut buf = [0; 1024];
        let client = match later.pop_front() {
            Some(client) => client,
            None => socket.recv_from(&mut buf)?.1,
        };
        socket.send_to(b"your name?", &client)?;
        let len = loop {
            // The kernel cannot be asked for this client's datagram only: the first in the queue is what we get.
            let (len, from) = socket.recv_from(&mut buf)?; // (3)
            if from == client {
                break len;
            }
            say!("{from} has to wait");
            later.push_back(from); // (4)
        };
        socket.send_to(&[b"good day, ", &buf[..len]].concat(), &client)?;
    }
}

fn slow_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    let mut buf = [0; 1024];
    let (len, _from) = socket.recv_from(&mut buf)?;
    meet("its user has come back"); // (5)
    let question = String::from_utf8_lossy(&buf[..len]).into_owned();
    let name = prompt(&format!("{question} ")).unwrap_or_default();
    socket.send_to(name.as_bytes(), &at.address())?;
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn quick_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    let mut buf = [0; 1024];
    let (len, _from) = socket.recv_from(&mut buf)?;
    let question = String::from_utf8_lossy(&buf[..len]).into_owned();
    let name = prompt(&format!("{question} ")).unwrap_or_default();
    socket.send_to(name.as_bytes(), &at.address())?;
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn remembering_server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut asked = Vec::new();
    loop {
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        // The socket remembers nobody. Who has been asked already, the program has to know.
        match asked.iter().position(|known| *known == from) {
            None => {
                socket.send_to(b"your name?", &from)?; // (6)
                asked.push(from);
            }
            Some(place) => {
                asked.remove(place);
                socket.send_to(&[b"good day, ", &buf[..len]].concat(), &from)?; // (7)
            }
        }
    }
}

/// The server, and a stranger who has found out the client's port, in one program: two sockets, two addresses.
fn server_with_a_stranger(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    let stranger = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    let (len, client) = socket.recv_from(&mut buf)?;
    // The stranger's socket is connected, so that it is told if the client's host refuses what it sends.
    stranger.connect(&client)?;
    stranger.send(b"BELIEVE ME")?; // (8)
    socket.send_to(&buf[..len].to_ascii_uppercase(), &client)?; // (9)
    socket.send_to(b"GOODBYE", &client)?;
    if let Some(refused) = stranger.take_error()? {
        say!("the stranger is told: {refused}"); // (12)
    }
    Ok(())
}

fn open_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    let mut buf = [0; 1024];
    // Whoever sends to this port is heard.
    let (len, from) = socket.recv_from(&mut buf)?; // (10)
    say!("\"{}\" from {from}", buf[..len].escape_ascii());
    Ok(())
}

fn connected_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // From now on a datagram is for this socket only if it comes from that address.
    socket.connect(&at.address())?; // (11)
    socket.send(b"hello")?;
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("\"{}\" from {from}", buf[..len].escape_ascii());
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("\"{}\" from {from}", buf[..len].escape_ascii());
    Ok(())
}

fn late_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    meet("all answers have come");
    // To connect judges what will come. What has come, stays in the queue.
    socket.connect(&at.address())?; // (13)
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("\"{}\" from {from}", buf[..len].escape_ascii());
    Ok(())
}
