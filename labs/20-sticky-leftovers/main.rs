//! Sticky leftovers.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(20, "sticky-leftovers", 8080)
        .in_chapter(Chapter::Stream)
        .asks("Where is the rest of a message that was not read?")
        .scene(
            Scene::new("a small receive, as its authors wrote it").server(server).client(client).show_receive_queues(),
        )
        .scene(
            Scene::new("the rest, and the next message behind it")
                .server(packet_server)
                .client(packet_client)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("a character cut in two, and decoded piece by piece")
                .server(cutting_server)
                .client(chinese_client)
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the cure: the bytes of an incomplete character are kept")
                .server(keeping_server)
                .client(chinese_client)
                .show_receive_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let (mut first, mut second) = ([0; 2], [0; 10]);
    let first_len = conn.recv(&mut first)?; // ③
    let second_len = conn.recv(&mut second)?; // ⑤
    say!("-----> {}", String::from_utf8_lossy(&first[..first_len]));
    say!("-----> {}", String::from_utf8_lossy(&second[..second_len]));
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // the original does not check the result
    conn.send(b"hello feng")?; // ①
    Ok(())
}

fn packet_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 5];
    let len = conn.recv(&mut buf)?;
    say!("first packet \"{}\"", buf[..len].escape_ascii());
    meet("the client has sent the second one");

    // The rest of the first message and the whole second one are one run of bytes here.
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("second packet \"{}\"", buf[..len].escape_ascii());
    Ok(())
}

fn packet_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"helloworld")?;
    meet("the server has read the first packet");
    conn.send(b"i am ada")?;
    Ok(())
}

fn cutting_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        // The kernel counts bytes. It does not know that three of them are one character.
        let mut buf = [0; 2];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        match std::str::from_utf8(&buf[..len]) {
            Ok(text) => say!("-----> {text}"),
            Err(error) => say!("{error}; with replacements: {}", String::from_utf8_lossy(&buf[..len])),
        }
    }
}

fn chinese_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address());
    conn.send("你好".as_bytes())?;
    Ok(())
}

fn keeping_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut pending = Vec::new();
    loop {
        let mut buf = [0; 2];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        pending.extend_from_slice(&buf[..len]);
        let whole = match std::str::from_utf8(&pending) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        // Whole characters are taken out. The beginning of the next one stays until its rest has come.
        let text: Vec<u8> = pending.drain(..whole).collect();
        say!("-----> {} (kept: \"{}\")", String::from_utf8_lossy(&text), pending.escape_ascii());
    }
}
