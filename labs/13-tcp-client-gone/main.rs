//! The client is gone.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(13, "tcp-client-gone", 8081)
        .in_chapter(Chapter::Conversation)
        .asks("What does recv say when the peer has left, and what if nobody listens to it?")
        .scene(
            Scene::new("the client leaves, and its authors' server does not notice")
                .server(server)
                .client(client)
                .typed(&["hello"])
                .role("next-caller", next_caller)
                .show_states()
                .ends_going_round(),
        )
        .scene(
            Scene::new("ten thousand times nothing")
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
    // Its authors have a loop around this and all that follows. The inner one never ends, so nobody comes round.
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // (1)
        // if len == 0 { break; }
        say!("\"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?; // (2)
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let _ = conn.connect(&at.address()); // its authors do not look at the result
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
    let len = conn.recv(&mut buf)?; // (3)
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

    // A program that waits is asleep, and costs nothing. How often will this one sleep?
    let before = processor_time()?;
    let sleeps = at_full_speed(|| {
        for _ in 0..10_000 {
            conn.recv(&mut buf)?; // (4)
        }
        Ok(())
    })?;
    let awake = processor_time()? - before;
    say!("10,000 times recv, asleep {sleeps} times"); // (5)
    drop(conn);

    // To compare: a call in which the kernel lets this program sleep.
    let before = processor_time()?;
    pause(Duration::from_millis(200))?;
    let asleep = processor_time()? - before;
    // It is far more than twice, but what interrupts cost meanwhile counts as this program's time, too.
    let more = if awake > 2 * asleep { "more than twice" } else { "not twice" };
    say!("processor time: {more} that of 200 ms asleep"); // (6)
    Ok(())
}

fn killed_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"farewell")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    // As `kill -9` would have it: this program does not close its socket, and will not do anything any more.
    be_killed() // (7)
}

fn listening_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?; // (9)
        loop {
            let mut buf = [0; 1024];
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                break; // (8)
            }
            say!("\"{}\"", buf[..len].escape_ascii());
            conn.send(&buf[..len].to_ascii_uppercase())?;
        }
    }
}
