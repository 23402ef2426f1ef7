//! What becomes of the bytes in both buffers when a program closes its socket, or ends.

mod claims;

use std::net::Shutdown;

use socklab::prelude::*;

/// What the client sends first: it fills the server's receive queue.
const FIRST: [u8; 4096] = [b'a'; 4096];

/// What it sends then: this has to wait in its own send queue.
const MORE: [u8; 10_240] = [b'b'; 10_240];

pub fn lab() -> Lab {
    Lab::new(26, "buffers-after-close", 8080)
        .in_chapter(Chapter::Stream)
        .asks("What happens to the bytes still in the two buffers when a socket is closed?")
        .on_one_host()
        .scene(
            Scene::new("close, with bytes in the send queue")
                .server(late_server)
                .client(client)
                .show_send_queues()
                .show_all_states(),
        )
        .scene(
            Scene::new("the process is killed, with bytes in its send queue")
                .server(late_server)
                .client(mortal_client)
                .killed()
                .show_send_queues(),
        )
        .scene(
            Scene::new("acknowledged, and never read")
                .server(dying_server)
                .killed()
                .client(trusting_client)
                .show_receive_queues()
                .show_send_queues(),
        )
        .scene(
            Scene::new("close, with bytes in the receive queue")
                .server(deaf_server)
                .client(sending_client)
                .show_receive_queues()
                .show_send_queues()
                .show_states(),
        )
        .scene(
            Scene::new("shutdown, and then read to the end")
                .server(late_server)
                .client(patient_client)
                .show_send_queues(),
        )
        .scene(
            Scene::new("the program's own acknowledgement")
                .server(storing_server)
                .client(careful_client)
                .show_receive_queues()
                .show_states(),
        )
        .scene(
            Scene::new("the acknowledgement does not come")
                .server(crashing_server)
                .killed()
                .client(careful_client)
                .show_states(),
        )
        .claims(claims::all())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?; // each connection of this listener gets it
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has done its part");

    let mut received = 0;
    loop {
        let mut buf = [0; 2048];
        let len = conn.recv(&mut buf)?; // ④
        if len == 0 {
            break; // ⑤
        }
        received += len;
    }
    say!("received {received}");
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&FIRST)?; // ①
    conn.send(&MORE)?; // ②
    drop(conn); // ③
    say!("closed");
    Ok(())
}

fn mortal_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&FIRST)?;
    conn.send(&MORE)?;
    be_killed()
}

fn dying_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (_conn, _client) = listener.accept()?;
    meet("the client knows that all is acknowledged");

    be_killed()
}

fn trusting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"pay 100")?;
    say!("not acknowledged: {}", conn.unacknowledged()?);
    let mut buf = [0; 10];
    match conn.recv(&mut buf) {
        Ok(len) => say!("received {len}"),
        Err(error) => say!("{error}"),
    }
    Ok(())
}

fn deaf_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has sent everything");

    drop(conn);
    Ok(())
}

fn sending_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has accepted");

    conn.send(&FIRST)?;
    conn.send(&MORE)?;
    meet("the server has closed");

    say!("not acknowledged: {}", conn.unacknowledged()?);
    if let Err(error) = conn.send(b"one thing more") {
        say!("{error}");
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&FIRST)?;
    conn.send(&MORE)?;
    conn.shutdown(Shutdown::Write)?;
    let mut buf = [0; 10];
    match conn.recv(&mut buf) {
        Ok(0) => say!("FIN, and no reset so far"),
        Ok(len) => say!("received {len}"),
        Err(error) => say!("{error}"),
    }
    drop(conn);
    Ok(())
}

/// A record is seven bytes here. Its answer says that it is stored.
fn storing_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let (mut record, mut have) = ([0; 7], 0);
    while have < record.len() {
        let len = conn.recv(&mut record[have..])?;
        if len == 0 {
            return Ok(());
        }
        have += len;
    }
    say!("stored {}", record.escape_ascii());
    conn.send(b"stored\n")?;
    Ok(())
}

fn careful_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let record = b"pay 100";
    conn.send(record)?;
    let (mut answer, mut have) = ([0; 7], 0);
    while have < answer.len() {
        let len = conn.recv(&mut answer[have..])?;
        if len == 0 {
            say!("no answer: it may be stored or not, so I keep it");
            return Ok(());
        }
        have += len;
    }
    say!("{}: now I can forget it", answer.trim_ascii_end().escape_ascii());
    Ok(())
}

fn crashing_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.recv(&mut [0; 7])?;
    be_killed()
}
