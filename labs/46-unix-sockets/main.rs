//! Unix sockets: the same calls without a network.

mod claims;

use std::os::unix::net::SocketAddr;

use socklab::prelude::*;

/// The name, in the folder in which the program runs.
const NAME: &str = "lab-46.sock";

/// What a client sends at once: less than its socket's send buffer takes.
const PIECE: usize = 64 * 1024;

/// How many of them: one mebibyte together.
const PIECES: usize = 16;

pub fn lab() -> Lab {
    Lab::new(46, "unix-sockets", 8080)
        .in_chapter(Chapter::UnderTheApi)
        .asks("The same calls without a network: what is in the file?")
        .on_one_host()
        .scene(
            Scene::new("the calls of lab 10, and a path for an address").server(server).client(client).in_one_folder(),
        )
        .scene(
            Scene::new("what is in the file")
                .server(looking_server)
                .client(sending_client)
                .in_one_folder()
                .collapse_repeats(),
        )
        .scene(
            Scene::new("the name is removed during the conversation")
                .server(removing_server)
                .client(talking_client)
                .role("late-client", late_client)
                .in_one_folder(),
        )
        .scene(
            Scene::new("the name that outlives its socket")
                .server(leaving_server)
                .client(returning_client)
                .role("next-server", next_server)
                .in_one_folder(),
        )
        .scene(
            Scene::new("three types: stream, datagram, seqpacket")
                .server(three_servers)
                .client(three_clients)
                .in_one_folder()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("who sends a datagram needs a name for the answer")
                .server(answering_server)
                .client(asking_client)
                .in_one_folder(),
        )
        .scene(
            Scene::new("the receiver's queue is full: the sender waits")
                .server(slow_server)
                .client(fast_client)
                .in_one_folder()
                .collapse_repeats(),
        )
        .scene(Scene::new("an open file is passed on").server(lending_server).client(reading_client).in_one_folder())
        .scene(
            Scene::new("a TCP connection is passed on")
                .role("worker", worker)
                .server(front_server)
                .client(tcp_client)
                .in_one_folder()
                .show_states(),
        )
        .scene(
            Scene::new("who may connect, and who has connected")
                .server(guarded_server)
                .client(named_client)
                .in_one_folder(),
        )
        .scene(
            Scene::new("no file: a pair, and an abstract name")
                .server(fileless_server)
                .client(fileless_client)
                .in_one_folder(),
        )
        .scene(Scene::new("how long a name may be").server(naming_server).in_one_folder())
        .claims(claims::all())
}

fn server(_at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&Address::of_path(NAME)?)?; // ①
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?; // ③
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("\"{}\"", buf[..len].escape_ascii());
    conn.send(&buf[..len].to_ascii_uppercase())?;
    drop(conn);
    drop(listener);
    // The name is still there: whoever has made it removes it.
    own_folder()?.remove(NAME) // ④
}

fn client(_at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    conn.connect(&Address::of_path(NAME)?)?; // ②
    conn.send(b"hello")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

/// A listener with this lab's name.
fn listen() -> io::Result<Socket> {
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&Address::of_path(NAME)?)?;
    listener.listen(5)?;
    Ok(listener)
}

fn looking_server(_at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    let listener = listen()?;
    let (conn, _client) = listener.accept()?;
    meet("the client has sent the first piece");

    let unread = conn.unread()?; // ①
    let (_kind, size) = folder.about(NAME)?; // ②
    say!("unread: {unread} bytes; in the file: {size}");
    if let Err(error) = File::open_path(NAME) {
        say!("{error}"); // ③
    }
    let mut buf = [0; PIECE];
    let mut received = 0;
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            break;
        }
        received += len;
        if received % PIECE == 0 {
            conn.send(b".")?;
        }
    }
    let (_kind, size) = folder.about(NAME)?; // ④
    say!("received: {received} bytes; in the file: {size}");
    folder.remove(NAME)
}

fn sending_client(_at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    conn.connect(&Address::of_path(NAME)?)?;
    for _ in 0..PIECES {
        conn.send(&[b'x'; PIECE])?;
        conn.recv(&mut [0])?;
    }
    Ok(())
}

fn removing_server(_at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    let listener = listen()?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?;
    folder.remove(NAME)?; // ①
    meet("somebody has called the name");
    let len = conn.recv(&mut buf)?; // ③
    conn.send(&buf[..len].to_ascii_uppercase())?;
    Ok(())
}

fn talking_client(_at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    conn.connect(&Address::of_path(NAME)?)?;
    let mut buf = [0; 1024];
    conn.send(b"before")?;
    conn.recv(&mut buf)?;
    meet("the server has removed the name");
    conn.send(b"after")?;
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn late_client(_at: Endpoint) -> io::Result<()> {
    meet("the server has removed the name");
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = conn.connect(&Address::of_path(NAME)?) {
        say!("{error}"); // ②
    }
    Ok(())
}

fn leaving_server(_at: Endpoint) -> io::Result<()> {
    let listener = listen()?;
    drop(listener); // ①
    Ok(())
}

fn returning_client(_at: Endpoint) -> io::Result<()> {
    meet("the server has ended");
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = conn.connect(&Address::of_path(NAME)?) {
        say!("{error}"); // ②
    }
    meet("the next server listens");
    conn.connect(&Address::of_path(NAME)?)?; // ⑤
    Ok(())
}

fn next_server(_at: Endpoint) -> io::Result<()> {
    meet("the client was refused");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    if let Err(error) = listener.bind(&Address::of_path(NAME)?) {
        say!("{error}"); // ③
    }
    let folder = own_folder()?;
    folder.remove(NAME)?; // ④
    listener.bind(&Address::of_path(NAME)?)?;
    listener.listen(5)?;
    let (_conn, _client) = listener.accept()?;
    folder.remove(NAME)
}

const TYPES: [Type; 3] = [Type::STREAM, Type::DGRAM, Type::SEQPACKET];

fn three_servers(_at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    for ty in TYPES {
        let socket = Socket::new(Domain::UNIX, ty, None)?;
        socket.bind(&Address::of_path(NAME)?)?;
        let socket = if ty == Type::DGRAM {
            socket
        } else {
            socket.listen(5)?;
            socket.accept()?.0
        };
        socket.recv(&mut [0; 2])?;
        socket.recv(&mut [0; 64])?;
        // The third send was empty.
        let empty = socket.recv_with_flags(&mut [0; 64], libc::MSG_DONTWAIT);
        say!("{}", empty.map_or_else(|error| error.to_string(), |len| format!("{len} bytes")));
        folder.remove(NAME)?;
    }
    Ok(())
}

fn three_clients(_at: Endpoint) -> io::Result<()> {
    for ty in TYPES {
        let socket = Socket::new(Domain::UNIX, ty, None)?;
        socket.connect(&Address::of_path(NAME)?)?;
        socket.send(b"hello")?;
        socket.send(b"feng")?;
        socket.send(b"")?;
        meet("the server has received what there is");
    }
    Ok(())
}

fn answering_server(_at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    socket.bind(&Address::of_path(NAME)?)?;
    for _ in 0..2 {
        let mut buf = [0; 1024];
        let (len, client) = socket.recv_from(&mut buf)?; // ① ②
        match client.as_path() {
            Some(_name) => drop(socket.send_to(&buf[..len].to_ascii_uppercase(), &client)?),
            None => say!("nobody to answer"),
        }
    }
    Ok(())
}

fn asking_client(_at: Endpoint) -> io::Result<()> {
    const OWN: &str = "lab-46-client.sock";
    let server = Address::of_path(NAME)?;
    let nameless = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    nameless.send_to(b"who am I?", &server)?;

    let named = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    named.bind(&Address::of_path(OWN)?)?;
    named.send_to(b"hello", &server)?;
    let mut buf = [0; 1024];
    let len = named.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));

    meet("the server has ended");
    if let Err(error) = named.send_to(b"hello", &server) {
        say!("{error}"); // ③
    }
    let folder = own_folder()?;
    folder.remove(NAME)?;
    folder.remove(OWN)?;
    if let Err(error) = named.send_to(b"hello", &server) {
        say!("{error}"); // ④
    }
    Ok(())
}

fn slow_server(_at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    socket.bind(&Address::of_path(NAME)?)?;
    meet("the client waits in send");
    let mut received = 1;
    socket.recv(&mut [0; 64])?;
    while socket.recv_with_flags(&mut [0; 64], libc::MSG_DONTWAIT).is_ok() {
        received += 1;
    }
    say!("received {received}");
    own_folder()?.remove(NAME)
}

fn fast_client(_at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    socket.connect(&Address::of_path(NAME)?)?;
    socket.set_nonblocking(true)?;
    let mut sent = 0;
    while socket.send(b"hello").is_ok() {
        sent += 1;
    }
    socket.set_nonblocking(false)?;
    socket.send(b"one more")?;
    say!("sent {sent} and one more");
    Ok(())
}

fn lending_server(_at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    let file = folder.create("private.txt")?;
    file.write_all(b"nobody may open this")?;
    file.seek(io::SeekFrom::Start(0))?;
    folder.set_permissions("private.txt", 0o000)?; // ①
    let listener = listen()?;
    let (conn, _client) = listener.accept()?;
    conn.send_descriptor(b"a file", &file)?; // ③
    meet("the client has read some of it");
    let mut buf = [0; 64];
    let len = file.read(&mut buf)?; // ⑤
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    folder.remove("private.txt")?;
    folder.remove(NAME)
}

fn reading_client(_at: Endpoint) -> io::Result<()> {
    if let Err(error) = own_folder()?.open_file("private.txt") {
        say!("{error}"); // ②
    }
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    conn.connect(&Address::of_path(NAME)?)?;
    let (_len, passed) = conn.recv_descriptor(&mut [0; 64])?;
    let file = File::passed(passed.ok_or(io::ErrorKind::UnexpectedEof)?);
    let mut buf = [0; 7];
    let len = file.read(&mut buf)?; // ④
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

fn worker(_at: Endpoint) -> io::Result<()> {
    let listener = listen()?;
    let (front, _front) = listener.accept()?;
    let (_len, passed) = front.recv_descriptor(&mut [0; 64])?; // ③
    let conn = passed.ok_or(io::ErrorKind::UnexpectedEof)?.into_socket(Type::STREAM);
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    conn.send(&buf[..len].to_ascii_uppercase())?; // ④
    drop(conn); // ⑤
    own_folder()?.remove(NAME)
}

fn front_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let to_worker = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    to_worker.connect(&Address::of_path(NAME)?)?;
    to_worker.send_descriptor(b"a client", conn.descriptor())?; // ①
    drop(conn); // ②
    Ok(())
}

fn tcp_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the connection has been passed on");
    conn.send(b"hello")?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("{}", String::from_utf8_lossy(&buf[..len]));
    conn.recv(&mut buf)?;
    Ok(())
}

fn guarded_server(_at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&Address::of_path(NAME)?)?;
    folder.set_permissions(NAME, 0o400)?; // ①
    listener.listen(5)?;
    meet("the client was refused");
    folder.set_permissions(NAME, 0o200)?; // ③
    let (conn, _client) = listener.accept()?;
    conn.peer_credentials()?; // ④
    meet("the client has asked, too");
    folder.remove(NAME)
}

fn named_client(_at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = conn.connect(&Address::of_path(NAME)?) {
        say!("{error}"); // ②
    }
    meet("the server allows it");
    conn.connect(&Address::of_path(NAME)?)?;
    conn.peer_credentials()?; // ⑤
    Ok(())
}

fn fileless_server(_at: Endpoint) -> io::Result<()> {
    let (own, childs) = Socket::pair(Type::STREAM)?; // ①
    if fork()? == Forked::Child {
        drop(own);
        childs.send(b"from the child")?;
        return Ok(());
    }
    drop(childs);
    own.recv(&mut [0; 64])?;
    own.recv(&mut [0; 64])?; // ②
    wait_for_child(None)?;

    let name = Address::of_path("\0lab-46")?;
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&name)?; // ③
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    drop(listener);
    drop(conn);
    meet("the client has tried again");

    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&name)?; // ⑤
    listener.listen(5)?;
    let (_conn, _client) = listener.accept()?;
    Ok(())
}

fn fileless_client(_at: Endpoint) -> io::Result<()> {
    meet("the server listens");
    let name = Address::of_path("\0lab-46")?;
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    conn.connect(&name)?;
    conn.recv(&mut [0; 64])?; // until the server has closed both its sockets
    let conn = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = conn.connect(&name) {
        say!("{error}"); // ④
    }
    meet("the server listens again");
    conn.connect(&name)?;
    Ok(())
}

fn naming_server(_at: Endpoint) -> io::Result<()> {
    let folder = own_folder()?;
    for len in [107, 108] {
        let name = "n".repeat(len);
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        match socket.bind(&Address::of_path(&name)?) {
            Ok(()) => {
                say!("{len} bytes: bound");
                folder.remove(&name)?;
            }
            Err(error) => say!("{len} bytes: {error}"),
        }
        if let Err(error) = SocketAddr::from_pathname(&name) {
            say!("{len} bytes: Rust's library says: {error}");
        }
    }
    Ok(())
}
