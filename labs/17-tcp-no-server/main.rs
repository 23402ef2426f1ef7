//! Nobody listens.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(17, "tcp-no-server", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("How does a client learn that nobody is there, and from which call?")
        .scene(Scene::new("connect is refused").client(client).typed(&["hello"]).show_states())
        .scene(Scene::new("its result is not looked at: connect_ex").client(careless_client).show_states())
        .scene(Scene::new("connect does not wait, and no server is there").client(polling_client).show_states())
        .scene(
            Scene::new("connect does not wait, and a server is there")
                .server(server)
                .client(polling_client)
                .show_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("a server is there and does not answer: a time-out")
                .server(busy_server)
                .client(many_clients)
                .show_states(),
        )
        .scene(Scene::new("the cure: try again, later each time; nobody comes").client(hurried_client))
        .scene(
            Scene::new("the cure: try again, and the server comes")
                .server(late_server)
                .client(patient_client)
                .ends_waiting(),
        )
        .scene(Scene::new("no server is there, and a client meets itself").client(lonely_client).show_states())
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
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
            say!("from client msg is  \"{}\"", buf[..len].escape_ascii());
            conn.send(&buf[..len].to_ascii_uppercase())?;
        }
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The old client ends with a traceback here.
    if let Err(error) = conn.connect(&at.address()) {
        say!("{error}"); // ②
        return Ok(());
    }
    while let Some(line) = prompt(">>: ") {
        conn.send(line.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn careless_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Python's connect_ex returns the error as a number. The old client throws the number away.
    let _ = conn.connect(&at.address());
    if let Err(error) = conn.send(b"hello") {
        say!("{error}");
    }
    if let Err(error) = conn.recv(&mut [0; 1024]) {
        say!("{error}");
    }
    Ok(())
}

fn polling_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_nonblocking(true)?;
    if let Err(error) = conn.connect(&at.address()) {
        say!("{error}");
    }
    // The socket is ready in either case, after success and after failure.
    conn.poll(libc::POLLOUT, Duration::from_secs(2))?;
    if let Some(error) = conn.take_error()? {
        say!("{error}");
        let again = conn.take_error()?;
        say!("{}", if again.is_none() { "and no error any more" } else { "and the same again" });
        return Ok(());
    }
    say!("connected");
    conn.send(b"hello")?;
    conn.poll(libc::POLLIN, Duration::from_secs(2))?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn busy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(0)?;
    let (conn, _client) = listener.accept()?;
    // It serves its first client, and accepts nobody else.
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn many_clients(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    first.connect(&at.address())?;
    meet("the server has accepted the first client");

    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.connect(&at.address())?;

    let third = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    third.set_nonblocking(true)?;
    let _in_progress = third.connect(&at.address());
    if third.poll(libc::POLLOUT, Duration::from_millis(300))? == 0 {
        say!("no answer");
    }
    if third.take_error()?.is_none() {
        say!("and no error");
    }
    drop(third);

    let fourth = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    fourth.set_write_timeout(Some(Duration::from_millis(700)))?;
    if let Err(error) = fourth.connect(&at.address()) {
        say!("{error}");
    }
    Ok(())
}

/// It gives up after 15 seconds: by hand, there is time to start a server.
fn patient_client(at: Endpoint) -> io::Result<()> {
    try_again(at, 5, Duration::from_secs(1))
}

fn hurried_client(at: Endpoint) -> io::Result<()> {
    try_again(at, 3, Duration::from_millis(500))
}

fn try_again(at: Endpoint, attempts: u32, mut wait: Duration) -> io::Result<()> {
    for attempt in 1..=attempts {
        // After a failed connect the state of a socket is unspecified: each attempt gets a new one.
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        match conn.connect(&at.address()) {
            Ok(()) => return talk(&conn),
            Err(error) => say!("attempt {attempt}: {error}"),
        }
        drop(conn);
        if attempt < attempts {
            pause(wait)?;
            wait *= 2;
        }
    }
    say!("nobody answers there: is the server running?");
    Ok(())
}

fn talk(conn: &Socket) -> io::Result<()> {
    conn.send(b"hello")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn lonely_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // The kernel chooses a client's port, and may once choose this one, too. Here the client asks for it.
    let connected = conn.bind(&at.address()).and_then(|()| conn.connect(&at.address()));
    match connected {
        Ok(()) => talk(&conn),
        Err(error) => {
            say!("{error}");
            Ok(())
        }
    }
}

fn late_server(at: Endpoint) -> io::Result<()> {
    meet("the client has found nobody");
    server(at)
}
