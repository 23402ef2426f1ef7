//! Calls that do not wait, or not for ever.

mod claims;

use std::time::Instant;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(47, "blocking-and-timeouts", 8080)
        .in_chapter(Chapter::UnderTheApi)
        .on_a_wire()
        .asks("The peer says nothing: which five ways are there of not waiting for ever?")
        .scene(Scene::new("four of the five: the kernel waits less, or not at all").server(server).client(client))
        .scene(
            Scene::new("two descriptors of one socket: whose are O_NONBLOCK, MSG_DONTWAIT, SO_RCVTIMEO?")
                .server(inquiring_server)
                .client(client_with_two),
        )
        .scene(
            Scene::new("a connect that waits: SO_SNDTIMEO ends it, and SO_RCVTIMEO does not")
                .server(busy_server)
                .client(impatient_client)
                .show_states(),
        )
        .scene(
            Scene::new("a connect that does not wait, until there is a connection")
                .server(late_server)
                .client(asking_client)
                .show_states(),
        )
        .scene(Scene::new("a connect that does not wait, and is refused").client(refused_client).show_states())
        .scene(
            Scene::new("the time is over in the middle of a message").server(halting_server).client(forgetful_client),
        )
        .scene(Scene::new("the cure: what has come is kept").server(halting_server).client(keeping_client))
        .scene(Scene::new("a limit for each call is none for the message").server(slow_server).client(patient_client))
        .scene(Scene::new("the cure: a deadline").server(slower_server).client(client_with_deadline))
        .scene(
            Scene::new("the peer is gone, the wire carries nothing, and nobody sends")
                .server(vanishing_server)
                .client(waiting_client)
                .faults(&["drop 4-999"])
                .show_states()
                .ends_waiting(),
        )
        .scene(
            Scene::new("the fifth way: the kernel asks (SO_KEEPALIVE)")
                .server(vanishing_server)
                .client(keepalive_client)
                .faults(&["drop 4-999"])
                .show_states(),
        )
        .scene(
            Scene::new("the peer's kernel answers, and its program does not")
                .server(sleeping_server)
                .client(keepalive_client),
        )
        .scene(
            Scene::new("something was sent, and nothing acknowledges it: TCP_USER_TIMEOUT")
                .server(vanishing_server)
                .client(sending_client)
                .faults(&["drop 4-999"])
                .show_states()
                .show_send_queues(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut buf = [0; 1024];
    if let Err(error) = conn.recv_with_flags(&mut buf, libc::MSG_DONTWAIT) {
        say!("MSG_DONTWAIT: {error}"); // ①
    }
    conn.set_read_timeout(Some(Duration::from_millis(500)))?;
    if let Err(error) = conn.recv(&mut buf) {
        say!("SO_RCVTIMEO: {error}"); // ②
    }
    // Python's settimeout(0.5) is the next line, and its recv then begins with the poll.
    conn.set_nonblocking(true)?;
    if conn.poll(libc::POLLIN, Duration::from_millis(500))? == 0 {
        say!("settimeout: timed out"); // ③
    }
    // And setblocking(False) is this line alone.
    conn.set_nonblocking(true)?;
    if let Err(error) = conn.recv(&mut buf) {
        say!("setblocking: {error}"); // ④
    }
    conn.send(b"hello")?;
    conn.set_nonblocking(true)?;
    conn.poll(libc::POLLIN, Duration::from_secs(5))?;
    let len = conn.recv(&mut buf)?; // ⑤
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn inquiring_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.set_nonblocking(true)?;
    listener.set_read_timeout(Some(Duration::from_millis(700)))?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    listener.poll(libc::POLLIN, Duration::from_secs(5))?;
    let (conn, _client) = listener.accept()?;
    conn.status_flags()?;
    conn.read_timeout()?;
    conn.set_read_timeout(None)?;
    conn.recv(&mut [0; 1024])?;
    drop(conn);

    listener.set_nonblocking(false)?;
    if let Err(error) = listener.accept() {
        say!("accept: {error}");
    }
    Ok(())
}

fn client_with_two(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let same = conn.duplicate()?;
    let mut buf = [0; 1024];
    let _nothing = conn.recv_with_flags(&mut buf, libc::MSG_DONTWAIT);
    conn.status_flags()?;

    // In C: flags = fcntl(same, F_GETFL); fcntl(same, F_SETFL, flags | O_NONBLOCK);
    let flags = same.status_flags()?;
    same.set_status_flags(flags | libc::O_NONBLOCK)?;
    conn.status_flags()?;
    let _nothing = conn.recv(&mut buf);
    conn.set_nonblocking(false)?;
    same.status_flags()?;

    same.set_read_timeout(Some(Duration::from_millis(500)))?;
    let _nothing = conn.recv(&mut buf);
    Ok(())
}

fn busy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(0)?; // room for one connection that waits
    let (conn, _client) = listener.accept()?;
    // It serves its first client, and accepts nobody else.
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn impatient_client(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    first.connect(&at.address())?;
    meet("the server has accepted the first");
    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.connect(&at.address())?;

    let third = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    third.set_read_timeout(Some(Duration::from_millis(50)))?;
    third.set_write_timeout(Some(Duration::from_millis(300)))?;
    for _attempt in 1..=2 {
        if let Err(error) = third.connect(&at.address()) {
            say!("connect: {error}");
        }
    }
    Ok(())
}

fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(0)?;
    meet("the client has asked");
    let (_first, _client) = listener.accept()?;
    let (conn, _client) = listener.accept()?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn asking_client(at: Endpoint) -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    first.connect(&at.address())?;

    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_nonblocking(true)?;
    say!("connect: {}", told(conn.connect(&at.address())));
    say!("connect again: {}", told(conn.connect(&at.address())));
    say!("send: {}", told(conn.send(b"hello")));
    say!("recv: {}", told(conn.recv(&mut [0; 1024])));
    conn.poll(libc::POLLOUT, Duration::ZERO)?;
    conn.take_error()?;

    conn.poll(libc::POLLOUT, Duration::from_secs(10))?;
    conn.take_error()?;
    say!("connect, when poll has said POLLOUT: {}", told(conn.connect(&at.address())));
    say!("connect once more: {}", told(conn.connect(&at.address())));
    say!("send: {}", told(conn.send(b"hello")));
    Ok(())
}

/// What came of a call, in a word or two.
fn told<T>(result: io::Result<T>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "done".to_owned())
}

fn refused_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_nonblocking(true)?;
    say!("connect: {}", told(conn.connect(&at.address())));
    conn.poll(libc::POLLOUT, Duration::from_secs(5))?;
    say!("connect again: {}", told(conn.connect(&at.address())));
    conn.take_error()?;
    say!("connect once more: {}", told(conn.connect(&at.address())));
    Ok(())
}

fn halting_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.send(b"he")?;
    conn.recv(&mut [0; 1024])?; // until it is asked for the rest
    conn.send(b"lloWORLD")?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn forgetful_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.set_read_timeout(Some(Duration::from_millis(500)))?;
    for _attempt in 1..=3 {
        match receive_exactly(&conn, 5) {
            Ok(message) => say!("{}", String::from_utf8_lossy(&message)),
            Err(error) => {
                say!("{error}");
                conn.send(b"?")?;
            }
        }
    }
    Ok(())
}

/// One message. When the time is over, what has come of it is forgotten.
fn receive_exactly(conn: &Socket, len: usize) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    fill(conn, &mut message, len)?;
    Ok(message)
}

/// Receives until the message has this length. When the time is over, what has come is in `message`.
fn fill(conn: &Socket, message: &mut Vec<u8>, len: usize) -> io::Result<()> {
    while message.len() < len {
        let mut buf = vec![0; len - message.len()];
        match conn.recv(&mut buf)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => message.extend_from_slice(&buf[..count]),
        }
    }
    Ok(())
}

fn keeping_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut message = Vec::new();
    for _attempt in 1..=3 {
        match fill(&conn, &mut message, 5) {
            Ok(()) => say!("{}", String::from_utf8_lossy(&std::mem::take(&mut message))),
            Err(error) => {
                say!("{error}");
                conn.send(b"?")?;
            }
        }
    }
    Ok(())
}

fn slow_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    for letter in b"hello" {
        pause(Duration::from_millis(600))?;
        conn.send(&[*letter])?;
    }
    Ok(())
}

fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.set_read_timeout(Some(Duration::from_secs(2)))?;
    let message = receive_exactly(&conn, 5)?;
    say!("{}", String::from_utf8_lossy(&message));
    Ok(())
}

fn client_with_deadline(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let deadline = Instant::now() + Duration::from_secs(3);
    let mut message = Vec::new();
    while message.len() < 5 {
        if conn.poll(libc::POLLIN, left_until(deadline))? == 0 {
            say!("timed out, with \"{}\"", message.escape_ascii());
            return Ok(());
        }
        let mut buf = vec![0; 5 - message.len()];
        let len = conn.recv(&mut buf)?;
        message.extend_from_slice(&buf[..len]);
    }
    Ok(())
}

/// How much time is left: in whole seconds, so that it is the same at every run.
fn left_until(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    Duration::from_secs(left.as_millis().div_ceil(1000) as u64)
}

fn slower_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    for letter in b"he" {
        pause(Duration::from_secs(1))?;
        conn.send(&[*letter])?;
    }
    conn.recv(&mut [0; 1024])?; // the rest takes longer than anybody waits
    Ok(())
}

fn vanishing_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    // Its host loses power. The RST that this makes of it does not pass the wire.
    conn.set_linger(Some(Duration::ZERO))?;
    Ok(())
}

fn waiting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn keepalive_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_keepalive(true)?;
    conn.set_keepalive_time(Duration::from_secs(1))?;
    conn.set_keepalive_interval(Duration::from_secs(1))?;
    conn.set_keepalive_retries(2)?;
    conn.connect(&at.address())?;
    let mut buf = [0; 1024];
    match conn.recv(&mut buf) {
        Ok(len) => say!("{}", String::from_utf8_lossy(&buf[..len])),
        Err(error) => say!("{error}"),
    }
    Ok(())
}

fn sleeping_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    pause(Duration::from_millis(3500))?;
    conn.send(b"good morning")?;
    Ok(())
}

fn sending_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_tcp_user_timeout(Some(Duration::from_secs(1)))?;
    conn.connect(&at.address())?;
    meet("the server is gone");
    conn.send(b"hello")?;
    if let Err(error) = conn.recv(&mut [0; 1024]) {
        say!("recv: {error}");
    }
    if let Err(error) = conn.send(b"hello") {
        say!("send: {error}");
    }
    Ok(())
}
