//! Nobody listens.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(17, "tcp-no-server", 8080)
        .in_chapter(Chapter::Conversation)
        .asks("Three ways of learning that nobody is there, and one of not learning it")
        .scene(Scene::new("connect is refused").client(client).typed(&["hello"]).show_states())
        .scene(Scene::new("its authors do not look: connect_ex").client(careless_client).show_states())
        .scene(Scene::new("connect does not wait, and nobody is there").client(polling_client).show_states())
        .scene(
            Scene::new("connect does not wait, and somebody is there")
                .server(server)
                .client(polling_client)
                .show_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("somebody is there and does not answer: a time-out")
                .server(busy_server)
                .client(many_callers)
                .show_states(),
        )
        .scene(Scene::new("the cure: try again, later each time; nobody comes").client(patient_client))
        .scene(
            Scene::new("the cure: try again, and the server comes")
                .server(late_server)
                .client(patient_client)
                .ends_waiting(),
        )
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
    // The authors' client ends with a traceback here.
    if let Err(error) = conn.connect(&at.address()) {
        say!("{error}"); // (1)
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
    // Python's connect_ex returns the error as a number. Its authors call it, and throw the number away.
    let _ = conn.connect(&at.address()); // (2)
    if let Err(error) = conn.send(b"hello") {
        say!("{error}"); // (3)
    }
    if let Err(error) = conn.recv(&mut [0; 1024]) {
        say!("{error}"); // (4)
    }
    Ok(())
}

fn polling_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_nonblocking(true)?;
    if let Err(error) = conn.connect(&at.address()) {
        say!("{error}"); // (5)
    }
    // The same call tells of success and of failure: the socket is ready. (6)
    conn.poll(libc::POLLOUT, Duration::from_secs(2))?;
    if let Some(error) = conn.take_error()? {
        say!("{error}"); // (7)
        let again = conn.take_error()?;
        say!("{}", if again.is_none() { "and no error any more" } else { "and the same again" }); // (8)
        return Ok(());
    }
    say!("connected"); // (9)
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
    listener.listen(0)?; // (10)
    let (conn, _client) = listener.accept()?;
    // It listens to its first caller, and to nobody else.
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn many_callers(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    first.connect(&at.address())?;
    meet("the server has answered the first call");

    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.connect(&at.address())?; // (11)

    let third = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    third.set_nonblocking(true)?;
    let _in_progress = third.connect(&at.address());
    if third.poll(libc::POLLOUT, Duration::from_millis(300))? == 0 {
        say!("no answer"); // (12)
    }
    if third.take_error()?.is_none() {
        say!("and no error"); // (13)
    }
    drop(third);

    let fourth = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    fourth.set_write_timeout(Some(Duration::from_millis(700)))?;
    if let Err(error) = fourth.connect(&at.address()) {
        say!("{error}"); // (14)
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let mut wait = Duration::from_millis(500);
    for attempt in 1..=3 {
        // A socket whose connect has failed is spent: each attempt gets a new one. (15)
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        match conn.connect(&at.address()) {
            Ok(()) => return talk(&conn),
            Err(error) => say!("attempt {attempt}: {error}"),
        }
        drop(conn);
        if attempt < 3 {
            pause(wait)?; // (16)
            wait *= 2;
        }
    }
    say!("nobody answers there: is the server running?"); // (17)
    Ok(())
}

fn talk(conn: &Socket) -> io::Result<()> {
    conn.send(b"hello")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    meet("the client has found nobody"); // (18)
    server(at)
}
