//! Nagle.

mod claims;

use libc::MSG_MORE;
use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(23, "nagle", 8080)
        .in_chapter(Chapter::Stream)
        .asks("When does the sender really merge, and what does it cost?")
        .on_a_wire()
        .scene(Scene::new("two sends, as their authors wrote them").server(server).client(client).show_send_queues())
        .scene(
            Scene::new("three sends, and each acknowledgement takes 20 ms")
                .server(three_bytes_server)
                .client(three_sends)
                .faults(&["delay 10ms"])
                .show_send_queues(),
        )
        .scene(
            Scene::new("three sends, and a peer that delays its acknowledgements")
                .server(slow_server)
                .client(three_sends)
                .show_send_queues(),
        )
        .scene(
            Scene::new("write, write, read, twice").server(answering_server).client(asking_client).show_send_queues(),
        )
        .scene(
            Scene::new("the first cure: TCP_NODELAY")
                .server(three_bytes_server)
                .client(nodelay_client)
                .faults(&["delay 10ms"])
                .show_send_queues(),
        )
        .scene(
            Scene::new("the second: TCP_CORK")
                .server(three_bytes_server)
                .client(cork_client)
                .faults(&["delay 10ms"])
                .show_send_queues(),
        )
        .scene(
            Scene::new("the third: MSG_MORE")
                .server(three_bytes_server)
                .client(more_client)
                .faults(&["delay 10ms"])
                .show_send_queues(),
        )
        .scene(
            Scene::new("the fourth: one sendmsg")
                .server(three_bytes_server)
                .client(sendmsg_client)
                .faults(&["delay 10ms"])
                .show_send_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let (mut first, mut second) = ([0; 10], [0; 10]);
    let first_len = conn.recv(&mut first)?;
    let second_len = conn.recv(&mut second)?;
    say!("-----> {}", String::from_utf8_lossy(&first[..first_len]));
    say!("-----> {}", String::from_utf8_lossy(&second[..second_len]));
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // the original does not check the result
    conn.send(b"hello")?;
    conn.send(b"feng")?;
    Ok(())
}

/// Reads three bytes and answers, again and again, until the client closes.
fn three_bytes_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let (mut buf, mut have) = ([0; 3], 0);
        while have < 3 {
            have += match conn.recv(&mut buf[have..])? {
                0 => return Ok(()),
                len => len,
            };
        }
        say!("{}", String::from_utf8_lossy(&buf));
        conn.send(b"thanks")?;
    }
}

fn three_sends(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has the connection");
    conn.send(b"A")?; // ①
    conn.send(b"B")?; // ②
    conn.send(b"C")?; // ③
    conn.recv(&mut [0; 10])?;
    Ok(())
}

/// The same server, with delayed acknowledgements from the start.
fn slow_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    // A new connection acknowledges at once, a conversation delays. This makes it a conversation from the start.
    conn.set_quick_ack(false)?;
    loop {
        let (mut buf, mut have) = ([0; 3], 0);
        while have < 3 {
            have += match conn.recv(&mut buf[have..])? {
                0 => return Ok(()),
                len => len,
            };
        }
        say!("{}", String::from_utf8_lossy(&buf));
        conn.send(b"thanks")?;
    }
}

/// Answers questions, each a header and a body of four bytes.
fn answering_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let (mut buf, mut have) = ([0; 8], 0);
        while have < 8 {
            have += match conn.recv(&mut buf[have..])? {
                0 => return Ok(()),
                len => len,
            };
        }
        conn.send(b"answer")?;
        // The kernel has seen an answer: for it, this is a conversation now, and acknowledgements can wait.
    }
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for _ in 0..2 {
        conn.send(b"HEAD")?;
        conn.send(b"body")?;
        conn.recv(&mut [0; 10])?;
    }
    Ok(())
}

fn nodelay_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.set_tcp_nodelay(true)?;
    meet("the server has the connection");
    conn.send(b"A")?;
    conn.send(b"B")?;
    conn.send(b"C")?;
    conn.recv(&mut [0; 10])?;
    Ok(())
}

fn cork_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has the connection");
    conn.set_cork(true)?;
    conn.send(b"A")?;
    conn.send(b"B")?;
    conn.send(b"C")?;
    conn.set_cork(false)?;
    conn.recv(&mut [0; 10])?;
    Ok(())
}

fn more_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has the connection");
    conn.send_with_flags(b"A", MSG_MORE)?;
    conn.send_with_flags(b"B", MSG_MORE)?;
    conn.send(b"C")?;
    conn.recv(&mut [0; 10])?;
    Ok(())
}

fn sendmsg_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server has the connection");
    conn.send_vectored(&[IoSlice::new(b"A"), IoSlice::new(b"B"), IoSlice::new(b"C")])?;
    conn.recv(&mut [0; 10])?;
    Ok(())
}
