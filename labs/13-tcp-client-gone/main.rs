//! The client is gone.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(13, "tcp-client-gone", 8081)
        .in_chapter(Chapter::Conversation)
        .asks("What does recv return when the peer has left, and what if the program does not look?")
        .scene(
            Scene::new("the client leaves, and the server does not notice")
                .server(server)
                .client(client)
                .typed(&["hello"])
                .role("next-caller", next_caller)
                .show_states()
                .ends_going_round(),
        )
        .scene(
            Scene::new("ten thousand empty receives")
                .server(counting_server)
                .client(client)
                .typed(&["hello"])
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the client is killed")
                .server(server)
                .client(killed_client)
                .killed()
                .show_states()
                .ends_going_round(),
        )
        .scene(
            Scene::new("the cure: the line that was commented out")
                .server(listening_server)
                .client(client)
                .typed(&["hello"])
                .role("killed-client", killed_client)
                .killed()
                .role("next-caller", next_caller)
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    // The old program has a loop around all that follows. Its inner loop never ends, so accept is called once.
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ③
        // if len == 0 { break; }
        say!("\"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?; // ④
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // lab 17 is about not looking at the result
    while let Some(line) = prompt(">>: ") {
        if line.is_empty() {
            continue;
        }
        conn.send(line.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("\"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}

fn next_caller(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"is anybody there")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?; // ⑤
    say!("\"{}\"", buf[..len].escape_ascii());
    Ok(())
}

fn counting_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    meet("the client has left");

    // A program that waits sleeps, and uses no processor time. How often does this one sleep?
    let before = processor_time()?;
    let sleeps = at_full_speed(|| {
        for _ in 0..10_000 {
            conn.recv(&mut buf)?;
        }
        Ok(())
    })?;
    let awake = processor_time()? - before;
    say!("10,000 times recv, asleep {sleeps} times");
    drop(conn);

    // For comparison: a call in which this program sleeps.
    let before = processor_time()?;
    pause(Duration::from_millis(200))?;
    let asleep = processor_time()? - before;
    // In fact it is far more than twice, but the time of interrupts is counted as this program's, too.
    let more = if awake > 2 * asleep { "more than twice" } else { "not twice" };
    say!("processor time: {more} that of 200 ms asleep");
    Ok(())
}

fn killed_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"farewell")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    // As with `kill -9`: this program runs no further line, so it does not close its socket.
    be_killed()
}

fn listening_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        loop {
            let mut buf = [0; 1024];
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                break;
            }
            say!("\"{}\"", buf[..len].escape_ascii());
            conn.send(&buf[..len].to_ascii_uppercase())?;
        }
    }
}
