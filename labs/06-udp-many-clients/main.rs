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
            Scene::new("the cure: a note of each client under its address")
                .server(remembering_server)
                .client(slow_client)
                .typed(&["ada"])
                .role("second-client", quick_client)
                .typed(&["bob"])
                .role("third-client", quick_client)
                .typed(&["cy"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("a client that takes datagrams from anybody").server(server_with_a_stranger).client(open_client),
        )
        .scene(
            Scene::new("a client that takes datagrams only from its peer")
                .server(server_with_a_stranger)
                .client(connected_client),
        )
        .scene(Scene::new("connected too late").server(server_with_a_stranger).client(late_client))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        let mut buf = [0; 1024];
        // One queue holds what all clients sent. Only the address beside each datagram distinguishes them.
        let (len, from) = socket.recv_from(&mut buf)?; // ②
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?; // ③
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
            // We cannot ask the kernel for a datagram of this client: we get the first one in the queue.
            let (len, from) = socket.recv_from(&mut buf)?;
            if from == client {
                break len;
            }
            say!("{from} has to wait");
            later.push_back(from);
        };
        socket.send_to(&[b"good day, ", &buf[..len]].concat(), &client)?;
    }
}

fn slow_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    let mut buf = [0; 1024];
    let (len, _from) = socket.recv_from(&mut buf)?;
    meet("its user has come back");
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
        // The socket remembers nobody. The program itself must know whom it has asked.
        match asked.iter().position(|known| *known == from) {
            None => {
                socket.send_to(b"your name?", &from)?;
                asked.push(from);
            }
            Some(place) => {
                asked.remove(place);
                socket.send_to(&[b"good day, ", &buf[..len]].concat(), &from)?;
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
    // The stranger's socket is connected, so that the kernel reports a refusal to it.
    stranger.connect(&client)?;
    stranger.send(b"BELIEVE ME")?;
    socket.send_to(&buf[..len].to_ascii_uppercase(), &client)?;
    socket.send_to(b"GOODBYE", &client)?;
    if let Some(refused) = stranger.take_error()? {
        say!("the stranger: {refused}");
    }
    Ok(())
}

fn open_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    let mut buf = [0; 1024];
    // This takes a datagram from whoever sends to this port.
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("\"{}\" from {from}", buf[..len].escape_ascii());
    Ok(())
}

fn connected_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // From now on a datagram is for this socket only if it comes from that address.
    socket.connect(&at.address())?;
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
    // connect decides about datagrams that are still to come. Those in the queue stay there.
    socket.connect(&at.address())?;
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("\"{}\" from {from}", buf[..len].escape_ascii());
    Ok(())
}
