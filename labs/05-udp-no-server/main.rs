//! UDP without a server.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(5, "udp-no-server", 9003)
        .in_chapter(Chapter::Datagrams)
        .asks("Nobody listens: who learns of it, and when?")
        .scene(
            Scene::new("the client alone, as its authors ran it; a server comes too late")
                .client(client)
                .server(late_server)
                .ends_waiting(),
        )
        .scene(
            Scene::new("one client before the server, one after it")
                .client(hello_client)
                .server(hi_server)
                .role("second-client", second_client)
                .ends_waiting(),
        )
        .scene(Scene::new("a connected socket reports it, one call later").client(connected_client))
        .scene(Scene::new("an unconnected socket reports it if asked to").client(asking_client))
        .scene(Scene::new("how much of a lost datagram comes back").client(long_winded_client))
        .claims(claims::all())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // Each call reports that the kernel has taken the datagram, and no more than that.
    socket.send_to(b"hello", &at.address())?; // ①
    socket.send_to(b"world", &at.address())?;
    socket.send_to(b"egon", &at.address())?;
    say!("client has sent its messages");
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    meet("the client has sent its messages");
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    // No socket had this port when the datagrams came, so the kernel kept none of them.
    let (len, _from) = socket.recv_from(&mut buf)?; // ③
    say!("first time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("second time received  \"{}\"", buf[..len].escape_ascii());
    let (len, _from) = socket.recv_from(&mut buf)?;
    say!("third time received  \"{}\"", buf[..len].escape_ascii());
    say!("--------end----------");
    Ok(())
}

fn hello_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("{} ({from})", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn hi_server(at: Endpoint) -> io::Result<()> {
    meet("a client waits");
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    socket.send_to(b"hi", &from)?;
    Ok(())
}

fn second_client(at: Endpoint) -> io::Result<()> {
    meet("the server waits");
    hello_client(at)
}

fn connected_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // connect on a datagram socket notes an address. No packet leaves, so nobody can refuse.
    socket.connect(&at.address())?; // ①
    socket.send(b"hello")?;
    // The refusal of the first datagram has come back. This call reports it, and sends nothing.
    if let Err(refused) = socket.send(b"world") {
        say!("while sending world: {refused}"); // ②
    }
    // An error is reported once, so this one is sent. Its refusal waits for the next call.
    socket.send(b"egon")?; // ③
    if let Err(refused) = socket.recv(&mut [0; 1024]) {
        say!("while receiving: {refused}"); // ④
    }
    Ok(())
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_recv_error(true)?;
    socket.send_to(b"hello", &at.address())?;
    if let Err(refused) = socket.send_to(b"world", &at.address()) {
        say!("while sending world: {refused}");
        // The refusal brought the beginning of the refused packet back. The kernel has kept it for us.
        let mut buf = [0; 1024];
        let report = socket.recv_error(&mut buf)?;
        say!("lost on its way to {}: \"{}\"", report.destination, buf[..report.len].escape_ascii());
        if socket.recv_error(&mut buf).is_err() {
            say!("no other report: world was not sent");
        }
    }
    Ok(())
}

fn long_winded_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_recv_error(true)?;
    let message = [b'a'; 2000];
    socket.send_to(&message, &at.address())?;
    let mut buf = [0; 4096];
    // The buffer has room for all 2000. The refusal has not.
    let report = socket.recv_error(&mut buf)?;
    say!("{} of {} bytes came back", report.len, message.len());
    Ok(())
}
