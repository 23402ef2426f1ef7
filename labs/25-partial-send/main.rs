//! Partial sends: what a full buffer does to `send`.

mod claims;

use socklab::prelude::*;

/// What the client sends first: it fills the server's receive queue.
const FIRST: [u8; 4096] = [b'a'; 4096];

/// What it sends then: more than fits its own send queue.
const MORE: [u8; 10_240] = [b'b'; 10_240];

pub fn lab() -> Lab {
    Lab::new(25, "partial-send", 8080)
        .in_chapter(Chapter::Stream)
        .asks("Does send lose what does not fit?")
        .scene(
            Scene::new("the server is busy for a second: send waits")
                .server(busy_server)
                .client(client)
                .show_receive_queues()
                .show_send_queues()
                .without_a_wire(),
        )
        .scene(
            Scene::new("where the bytes are")
                .server(stepwise_server)
                .client(counting_client)
                .show_send_queues()
                .without_a_wire(),
        )
        .scene(
            Scene::new("a limit of time: SO_SNDTIMEO")
                .server(sleepy_server)
                .client(timed_client)
                .show_send_queues()
                .without_a_wire(),
        )
        .scene(
            Scene::new("a signal comes, with SA_RESTART and without")
                .server(sleepy_server)
                .client(interrupted_client)
                .show_send_queues()
                .without_a_wire(),
        )
        .scene(
            Scene::new("the cure: sendall, written out")
                .server(sleepy_server)
                .client(persistent_client)
                .show_send_queues()
                .without_a_wire(),
        )
        .scene(
            Scene::new("a program that does not look at the count")
                .server(letter_server)
                .client(careless_client)
                .show_send_queues(),
        )
        .scene(Scene::new("write and read").server(reading_server).client(writing_client).show_send_queues())
        .scene(
            Scene::new("a window of 0, and probes (on a wire: --wire)")
                .server(full_server)
                .client(probing_client)
                .show_send_queues()
                .show_windows_of(&["server"]),
        )
        .scene(
            Scene::new("two writers who wait for each other")
                .server(stubborn_server)
                .client(stubborn_client)
                .show_receive_queues()
                .show_send_queues()
                .show_windows_of(&["client", "server"]),
        )
        .scene(
            Scene::new("the cure: read while you write")
                .server(talking_server)
                .client(listening_client)
                .show_send_queues()
                .without_a_wire(),
        )
        .claims(claims::all())
}

fn busy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?; // each connection of this listener gets it
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    pause(Duration::from_secs(1))?; // ④
    let mut received = 0;
    loop {
        let mut buf = [0; 2048];
        let len = conn.recv(&mut buf)?; // ⑤
        if len == 0 {
            break;
        }
        received += len;
    }
    say!("received {received}"); // ⑦
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    let first = conn.send(&FIRST)?; // ①
    let more = conn.send(&MORE)?; // ②
    say!("sent {first} and {more}"); // ⑥
    Ok(())
}

fn stepwise_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client can send no more");
    say!("read 0, unread {}", conn.unread()?);

    conn.recv(&mut [0; 1000])?;
    say!("read 1000, unread {}", conn.unread()?);
    meet("the client has tried again");

    conn.recv(&mut [0; 3096])?;
    say!("read 4096, unread {}", conn.unread()?);
    meet("the client has sent what fits");

    say!("read 4096, unread {}", conn.unread()?);
    let rest = rest_of(&conn)?;
    say!("read {}", 4096 + rest);
    Ok(())
}

fn counting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.set_nonblocking(true)?;
    let mut accepted = conn.send(&FIRST)?;
    accepted += send_what_fits(&conn)?;
    say!("accepted {accepted}: unacknowledged {}, unsent {}", conn.unacknowledged()?, conn.unsent()?);
    meet("the server has read 1000 bytes");

    accepted += send_what_fits(&conn)?;
    say!("accepted {accepted}: unacknowledged {}, unsent {}", conn.unacknowledged()?, conn.unsent()?);
    meet("the server has read 4096 bytes");

    say!("accepted {accepted}: unacknowledged {}, unsent {}", conn.unacknowledged()?, conn.unsent()?);
    conn.poll(libc::POLLOUT, Duration::from_secs(1))?;
    accepted += send_what_fits(&conn)?;
    say!("accepted {accepted}: unacknowledged {}, unsent {}", conn.unacknowledged()?, conn.unsent()?);
    Ok(())
}

/// Sends until the kernel takes no more; how many bytes it has taken.
fn send_what_fits(conn: &Socket) -> io::Result<usize> {
    let mut accepted = 0;
    loop {
        match conn.send(&MORE) {
            Ok(len) => accepted += len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(accepted),
            Err(error) => return Err(error),
        }
    }
}

/// Receives until the peer's FIN; how many bytes there were.
fn rest_of(conn: &Socket) -> io::Result<usize> {
    let mut received = 0;
    loop {
        let mut buf = [0; 2048];
        match conn.recv(&mut buf)? {
            0 => return Ok(received),
            len => received += len,
        }
    }
}

fn sleepy_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    pause(Duration::from_millis(2500))?;
    let received = rest_of(&conn)?;
    say!("received {received}");
    Ok(())
}

fn timed_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.send(&FIRST)?;
    conn.set_write_timeout(Some(Duration::from_millis(500)))?;
    let sent = conn.send(&MORE)?;
    say!("sent {sent}");
    if let Err(error) = conn.send(&MORE[sent..]) {
        say!("{error}");
    }
    conn.set_write_timeout(None)?;
    let rest = conn.send(&MORE[sent..])?;
    say!("sent {rest}, together {}", sent + rest);
    Ok(())
}

fn interrupted_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.send(&FIRST)?;
    catch_signal(libc::SIGALRM, true)?;
    set_alarm(Duration::from_millis(500))?;
    let sent = conn.send(&MORE)?;
    say!("sent {sent}");

    catch_signal(libc::SIGALRM, false)?;
    set_alarm(Duration::from_millis(500))?;
    if let Err(error) = conn.send(&MORE[sent..]) {
        say!("{error}");
    }

    catch_signal(libc::SIGALRM, true)?;
    set_alarm(Duration::from_millis(500))?;
    let rest = conn.send(&MORE[sent..])?;
    say!("sent {rest}, together {}; signals: {}", sent + rest, signals_caught());
    Ok(())
}

fn persistent_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.send(&FIRST)?;
    catch_signal(libc::SIGALRM, false)?;
    set_alarm(Duration::from_millis(500))?;
    send_all(&conn, &MORE)?;
    say!("sent all; signals: {}", signals_caught());
    Ok(())
}

/// Sends all of it, in as many calls as that takes.
fn send_all(conn: &Socket, data: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    while sent < data.len() {
        match conn.send(&data[sent..]) {
            Ok(len) => sent += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {} // nothing was taken
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn careless_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.set_nonblocking(true)?;
    conn.send(&FIRST)?;
    // Records of 3000 bytes, each with a letter of its own. Nobody looks at what send returns.
    for letter in b'b'..=b'f' {
        let _ = conn.send(&[letter; 3000]);
    }
    meet("the server has read 4096 bytes");
    let _ = conn.send(&[b'g'; 1000]);
    Ok(())
}

fn letter_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    meet("the client has sent five records");
    let mut buf = [0; 4096];
    conn.recv(&mut buf)?;
    meet("the client has sent the last record");
    let mut letters = Vec::new();
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            break;
        }
        letters.extend_from_slice(&buf[..len]);
    }
    for run in letters.chunk_by(|one, next| one == next) {
        say!("{} {}", char::from(run[0]), run.len());
    }
    Ok(())
}

fn reading_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 2048];
    loop {
        let len = conn.read(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
    }
}

fn writing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.set_nonblocking(true)?;
    conn.write(&FIRST)?;
    let written = conn.write(&MORE)?;
    say!("written {written}");
    if let Err(error) = conn.write(&MORE[written..]) {
        say!("{error}");
    }
    Ok(())
}

/// On a wire these are three full segments, and with them the server's receive queue is full.
const SEGMENTS: [u8; 3 * 1448] = [b'a'; 3 * 1448];

fn full_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.set_quick_ack(true)?; // the last acknowledgement now, and not 40 ms later
    pause(Duration::from_secs(1))?;
    conn.recv(&mut [0; 8192])?;
    conn.recv(&mut [0; 8192])?;
    Ok(())
}

fn probing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(&SEGMENTS)?;
    meet("the server's kernel has acknowledged it");
    conn.send(b"more")?;
    conn.recv(&mut [0; 10])?;
    Ok(())
}

fn stubborn_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.set_send_buffer_size(4096)?; // its connections get both
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.send(&SEGMENTS)?;
    conn.set_quick_ack(true)?; // as in the scene before
    meet("the client waits in send");
    conn.send(&MORE)?;
    if let Err(error) = rest_of(&conn) {
        say!("{error}");
    }
    Ok(())
}

fn stubborn_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.set_recv_buffer_size(4096)?;
    conn.connect(&at.address())?;
    // Without this limit both would wait for ever.
    conn.set_write_timeout(Some(Duration::from_millis(700)))?;
    conn.send(&SEGMENTS)?;
    meet("the server has sent as much");
    conn.set_quick_ack(true)?;
    let sent = conn.send(&MORE)?;
    say!("sent {sent} of {}: I give up", MORE.len());
    Ok(())
}

fn talking_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(4096)?;
    listener.set_send_buffer_size(4096)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    conn.send(&FIRST)?;
    conn.send(&MORE)?;
    let received = rest_of(&conn)?;
    say!("received {received}");
    Ok(())
}

fn listening_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_send_buffer_size(4096)?;
    conn.set_recv_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.set_nonblocking(true)?;
    conn.send(&FIRST)?;
    let (mut sent, mut received) = (0, 0);
    while sent < MORE.len() || received < FIRST.len() + MORE.len() {
        let wanted = if sent < MORE.len() { libc::POLLIN | libc::POLLOUT } else { libc::POLLIN };
        let ready = conn.poll(wanted, Duration::from_secs(10))?;
        if ready & libc::POLLIN != 0 {
            received += conn.recv(&mut [0; 2048])?;
        }
        if ready & libc::POLLOUT != 0 {
            sent += conn.send(&MORE[sent..])?;
        }
    }
    say!("sent {}, received {received}", FIRST.len() + sent);
    Ok(())
}
