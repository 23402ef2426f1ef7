//! Event loop.

mod claims;

use socklab::clients::{self, PIECE, PORT, SMALL_BUFFER, shout};
use socklab::prelude::*;

pub fn lab() -> Lab {
    let [two, leaves, stops, resets] = clients::scenes(server, server_with_small_buffers);
    Lab::new(41, "event-loop", PORT)
        .in_chapter(Chapter::ManyClients)
        .on_one_host()
        .asks("How does one thread serve a thousand clients without waiting for any of them?")
        .scene(two)
        .scene(leaves)
        .scene(stops)
        .scene(resets)
        .scene(
            Scene::new("level-triggered: what is left unread is reported again")
                .server(level_triggered_server)
                .client(client_of_eleven_bytes),
        )
        .scene(
            Scene::new("edge-triggered: what is left unread is not reported again")
                .server(edge_triggered_server)
                .client(client_that_nudges)
                .show_receive_queues()
                .ends_waiting(),
        )
        .scene(
            Scene::new("edge-triggered, and read until nothing is left")
                .server(careful_edge_triggered_server)
                .client(client_of_eleven_bytes),
        )
        .scene(
            Scene::new("watched for room to send, and nothing is to be sent")
                .server(always_writable_server)
                .client(quiet_client),
        )
        .scene(
            Scene::new("no descriptor is left: the listener is reported again and again")
                .server(server_that_goes_on)
                .client(client_that_stays)
                .role("second-client", client_that_stays)
                .ends_going_round(),
        )
        .scene(
            Scene::new("a cure: while no descriptor is left, the listener is not watched")
                .server(server_with_few_descriptors)
                .client(client_that_makes_room)
                .role("second-client", client_that_finds_room)
                .ends_waiting(),
        )
        .scene(
            Scene::new("another cure: a spare descriptor, to send the next client away")
                .server(server_with_a_spare)
                .client(client_that_stays)
                .role("second-client", client_one_too_many)
                .ends_waiting(),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    if is_by_hand() {
        limit_descriptors(u64::MAX)?;
    }
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    serve(&listener)
}

/// The same; its connections have a small send buffer from their listener.
fn server_with_small_buffers(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.set_send_buffer_size(SMALL_BUFFER)?;
    listener.bind(&at.address())?;
    serve(&listener)
}

/// The same; with a listener, an epoll and one client it has as many descriptors as it may.
fn server_with_few_descriptors(at: Endpoint) -> io::Result<()> {
    limit_descriptors(6)?;
    server(at)
}

/// Serves all clients in one thread. No call waits, but for `epoll_wait`.
fn serve(listener: &Socket) -> io::Result<()> {
    listener.listen(4096)?;
    listener.set_nonblocking(true)?; // ①
    let epoll = Epoll::new()?; // ②
    epoll.add(listener, libc::EPOLLIN)?;
    let mut clients: Vec<Option<Client>> = Vec::new(); // each at the number of its descriptor
    let mut buf = vec![0; PIECE];
    let mut is_full = false;
    loop {
        let waited = epoll.wait(1024, None); // ③
        let all = match waited {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue, // Ctrl-Z and fg, for example
            all => all?,
        };
        for ready in all {
            if ready.fd == listener.number() {
                match listener.accept_nonblocking() {
                    Ok((conn, _client)) => {
                        epoll.add(&conn, libc::EPOLLIN)?;
                        let at = conn.number() as usize;
                        clients.resize_with(clients.len().max(at + 1), || None);
                        clients[at] = Some(Client { conn, rest: Vec::new() });
                    }
                    Err(error) if is_short(&error) => {
                        epoll.remove(listener)?; // or it is reported again and again
                        is_full = true;
                    }
                    // It has gone again meanwhile.
                    Err(_) => {}
                }
            } else if let Some(client) = &mut clients[ready.fd as usize]
                && !go_on(client, &epoll, &mut buf)?
            {
                clients[ready.fd as usize] = None; // close; with it, it leaves the epoll
                if std::mem::take(&mut is_full) {
                    epoll.add(listener, libc::EPOLLIN)?;
                }
            }
        }
    }
}

struct Client {
    conn: Socket,
    /// What did not fit into the send buffer: at most one answer, since nothing more is read before it is sent.
    rest: Vec<u8>,
}

/// Does what can be done without waiting. False when the client has gone.
fn go_on(client: &mut Client, epoll: &Epoll, buf: &mut [u8]) -> io::Result<bool> {
    if !client.rest.is_empty() {
        match client.conn.send(&client.rest) {
            Ok(sent) => drop(client.rest.drain(..sent)), // ⑦
            Err(error) => return Ok(is_for_later(&error)),
        }
        if client.rest.is_empty() {
            client.rest = Vec::new();
            epoll.modify(&client.conn, libc::EPOLLIN)?;
        }
        return Ok(true);
    }
    let len = match client.conn.recv(buf) {
        Ok(0) => return Ok(false), // FIN
        Ok(len) => len,
        Err(error) => return Ok(is_for_later(&error)),
    };
    let answer = shout(&buf[..len]);
    let sent = match client.conn.send(&answer) {
        Ok(sent) => sent, // ④
        Err(error) if is_for_later(&error) => 0,
        Err(_) => return Ok(false),
    };
    if sent < answer.len() {
        client.rest = answer[sent..].to_vec();
        epoll.modify(&client.conn, libc::EPOLLOUT)?; // ⑤
    }
    Ok(true)
}

/// Whether a call would have had to wait.
fn is_for_later(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Whether there is no descriptor, or no memory, for one more connection. It stays in the listener's queue.
fn is_short(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// A listener that is ready, for the servers of one scene each.
fn listen(at: Endpoint) -> io::Result<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    Ok(listener)
}

fn level_triggered_server(at: Endpoint) -> io::Result<()> {
    read_once_at_a_time(at, libc::EPOLLIN)
}

fn edge_triggered_server(at: Endpoint) -> io::Result<()> {
    read_once_at_a_time(at, libc::EPOLLIN | libc::EPOLLET)
}

/// Reads once each time that the connection is reported.
fn read_once_at_a_time(at: Endpoint, events: i32) -> io::Result<()> {
    let listener = listen(at)?;
    let (conn, _client) = listener.accept_nonblocking()?;
    let epoll = Epoll::new()?;
    epoll.add(&conn, events)?;
    loop {
        epoll.wait(8, None)?;
        let mut buf = [0; 4];
        let len = conn.recv(&mut buf)?; // at most 4 bytes of what is there
        if len == 0 {
            return Ok(());
        }
        conn.send(&shout(&buf[..len]))?;
    }
}

/// Reads until `recv` says that nothing is there.
fn careful_edge_triggered_server(at: Endpoint) -> io::Result<()> {
    let listener = listen(at)?;
    let (conn, _client) = listener.accept_nonblocking()?;
    let epoll = Epoll::new()?;
    epoll.add(&conn, libc::EPOLLIN | libc::EPOLLET)?;
    loop {
        epoll.wait(8, None)?;
        loop {
            let mut buf = [0; 4];
            match conn.recv(&mut buf) {
                Ok(0) => return Ok(()),
                Ok(len) => conn.send(&shout(&buf[..len]))?,
                Err(error) if is_for_later(&error) => break,
                Err(error) => return Err(error),
            };
        }
    }
}

fn client_of_eleven_bytes(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello world")?;
    let mut answer = Vec::new();
    while answer.len() < 11 {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            break;
        }
        answer.extend(&buf[..len]);
    }
    say!("{}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// Waits for the rest of its answer, and then sends one byte more.
fn client_that_nudges(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello world")?;
    conn.recv(&mut [0; 1024])?;
    meet("the server waits, and has not read all");
    conn.send(b"!")?;
    conn.recv(&mut [0; 1024])?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// How often a server asks that is told the same each time.
const ROUNDS: usize = 1000;

fn always_writable_server(at: Endpoint) -> io::Result<()> {
    let listener = listen(at)?;
    let (conn, _client) = listener.accept_nonblocking()?;
    let epoll = Epoll::new()?;
    epoll.add(&conn, libc::EPOLLIN | libc::EPOLLOUT)?;
    at_full_speed(|| {
        for _ in 0..ROUNDS {
            epoll.wait(8, None)?; // there is room: it does not wait
        }
        Ok(())
    })?;
    say!("{ROUNDS} times: there is room. I have nothing to send.");
    epoll.modify(&conn, libc::EPOLLIN)?;
    epoll.wait(8, None)?; // now it waits
    conn.recv(&mut [0; 4])?;
    Ok(())
}

/// Connects, says nothing, and leaves.
fn quiet_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the server waits");
    drop(conn);
    Ok(())
}

/// Takes EMFILE for one client's bad luck, and goes on.
fn server_that_goes_on(at: Endpoint) -> io::Result<()> {
    limit_descriptors(6)?;
    let listener = listen(at)?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new()?;
    epoll.add(&listener, libc::EPOLLIN)?;
    let mut client = None;
    loop {
        for ready in epoll.wait(8, None)? {
            match &client {
                _ if ready.fd == listener.number() => match listener.accept_nonblocking() {
                    Ok((conn, _client)) => {
                        epoll.add(&conn, libc::EPOLLIN)?;
                        client = Some(conn);
                    }
                    Err(error) => say!("{error}"),
                },
                Some(conn) => {
                    let mut buf = [0; 1024];
                    let len = conn.recv(&mut buf)?;
                    conn.send(&shout(&buf[..len]))?;
                }
                None => {}
            }
        }
    }
}

/// Is answered, and goes on listening.
fn client_that_stays(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    conn.recv(&mut [0; 1024])?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn client_that_makes_room(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    conn.recv(&mut [0; 1024])?;
    meet("the second client waits for an answer");
    Ok(())
}

fn client_that_finds_room(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello, too")?;
    let mut answer = [0; 1024];
    let len = conn.recv(&mut answer)?;
    say!("{}", String::from_utf8_lossy(&answer[..len]));
    Ok(())
}

/// Has a descriptor in reserve. When no other is left, it closes that one, accepts with it, and sends the client away.
fn server_with_a_spare(at: Endpoint) -> io::Result<()> {
    limit_descriptors(7)?;
    let listener = listen(at)?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new()?;
    epoll.add(&listener, libc::EPOLLIN)?;
    let mut spare = Some(File::open_path("/dev/null")?);
    let mut client = None;
    loop {
        for ready in epoll.wait(8, None)? {
            match &client {
                _ if ready.fd == listener.number() => match listener.accept_nonblocking() {
                    Ok((conn, _client)) => {
                        epoll.add(&conn, libc::EPOLLIN)?;
                        client = Some(conn);
                    }
                    Err(error) if is_short(&error) => {
                        drop(spare.take());
                        drop(listener.accept_nonblocking()?);
                        spare = Some(File::open_path("/dev/null")?);
                    }
                    Err(error) => return Err(error),
                },
                Some(conn) => {
                    let mut buf = [0; 1024];
                    let len = conn.recv(&mut buf)?;
                    conn.send(&shout(&buf[..len]))?;
                }
                None => {}
            }
        }
    }
}

/// Waits for the server to begin, and learns that it has no room.
fn client_one_too_many(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let len = conn.recv(&mut [0; 1024])?;
    if len == 0 {
        say!("the server has closed the connection");
    }
    Ok(())
}
