//! Handshake.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(42, "handshake", 8080)
        .in_chapter(Chapter::UnderTheApi)
        .asks("Three segments before the first byte: which call sends which?")
        .on_a_wire()
        .scene(Scene::new("which call sends which").server(server).client(client).show_all_states().show_options())
        .scene(
            Scene::new("a port on which nobody listens, and then somebody does")
                .server(hesitating_server)
                .client(repeating_client)
                .show_states(),
        )
        .scene(
            Scene::new("the queue is full: what becomes of the next SYN")
                .server(busy_server)
                .client(patient_client)
                .role("second-client", patient_client)
                .show_states()
                .show_accept_queues(),
        )
        .scene(
            Scene::new("the third segment comes too late: is this a connection?")
                .server(busy_server)
                .client(patient_client)
                .role("second-client", patient_client)
                .faults(&["delay 10ms:client:ack:1"])
                .show_states()
                .show_accept_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    meet("the client has connected");

    let (conn, _client) = listener.accept()?; // (2)
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // (1)
    meet("the server has accepted");

    conn.send(b"hello")?; // (3)
    Ok(())
}

fn hesitating_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The port is ours from here on: nobody else gets it. But nobody listens there either.
    listener.bind(&at.address())?;
    meet("the client has tried to connect");

    listener.listen(5)?; // (5)
    let (_conn, _client) = listener.accept()?;
    Ok(())
}

fn repeating_client(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = first.connect(&at.address()) {
        say!("{error}"); // (4)
    }
    meet("the server listens");

    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.connect(&at.address())?;
    Ok(())
}

fn busy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    // No connection may wait for accept, we say. Linux lets one more wait than we say.
    listener.listen(0)?; // (6)
    meet("both clients have called");

    for _ in 0..2 {
        let (conn, _client) = listener.accept()?;
        conn.send(b"welcome")?;
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // (7)
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    Ok(())
}
