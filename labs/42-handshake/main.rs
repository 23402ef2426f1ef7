//! The handshake.

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
            Scene::new("the queue is full: what happens to the next SYN")
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

    let (conn, _client) = listener.accept()?; // ④
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // ①
    meet("the server has accepted");

    conn.send(b"hello")?; // ⑤
    Ok(())
}

fn hesitating_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The port is ours from here on. But nobody listens there.
    listener.bind(&at.address())?;
    meet("the client has tried to connect");

    listener.listen(5)?; // ③
    let (_conn, _client) = listener.accept()?;
    Ok(())
}

fn repeating_client(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = first.connect(&at.address()) {
        say!("{error}"); // ②
    }
    meet("the server listens");

    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.connect(&at.address())?;
    Ok(())
}

fn busy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    // We ask for a queue of no connections. Linux lets one more wait than we ask for.
    listener.listen(0)?; // ①
    meet("both clients have called");

    for _ in 0..2 {
        let (conn, _client) = listener.accept()?;
        conn.send(b"welcome")?;
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // ②
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    Ok(())
}
