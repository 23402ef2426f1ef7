//! The struct header.

mod claims;

use socklab::prelude::*;

/// No answer here is longer. A receiver that believes any number can be made to wait forever.
const LONGEST: i32 = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(30, "struct-header", 8080)
        .in_chapter(Chapter::Framing)
        .asks("Four bytes of length before the data: what do they cure, and what do they assume?")
        .scene(
            Scene::new("four bytes of length, as the authors wrote it")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["echo hello", "", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("an empty answer is an answer")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["true", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the same four bytes, read in network order, and believed")
                .server(server)
                .runs_commands()
                .client(believing_client)
                .typed(&["echo hello"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the same four bytes, read in network order, and not believed")
                .server(server)
                .runs_commands()
                .client(network_client)
                .typed(&["echo hello"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("both sides in network order")
                .server(network_server)
                .runs_commands()
                .client(network_client)
                .typed(&["echo hello", "quit"])
                .ends_waiting(),
        )
        .scene(Scene::new("a header that comes in two pieces").server(slow_server).client(two_ways_client))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    serve(at, i32::to_ne_bytes)
}

fn client(at: Endpoint) -> io::Result<()> {
    ask(at, i32::from_ne_bytes, LONGEST)
}

fn serve(at: Endpoint, header: fn(i32) -> [u8; 4]) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        let mut buf = [0; 1024];
        loop {
            let len = match conn.recv(&mut buf) {
                // A client that closes with unread bytes sends RST, not FIN. The authors' server ends here.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
                received => received?,
            };
            if len == 0 {
                break;
            }
            say!("cmd: \"{}\"", buf[..len].escape_ascii());
            let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
            say!("\"{}\"", ran.stderr.escape_ascii());
            let answer = if ran.stderr.is_empty() { ran.stdout } else { ran.stderr };
            let length = i32::try_from(answer.len()).map_err(io::Error::other)?;
            conn.send(&header(length))?; // ①
            let mut sent = conn.send(&answer)?; // ②
            while sent < answer.len() {
                sent += conn.send(&answer[sent..])?;
            }
        }
    }
}

fn ask(at: Endpoint, header: fn([u8; 4]) -> i32, longest: i32) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>: ") {
        if command.is_empty() {
            continue;
        }
        if command == "quit" {
            break;
        }
        conn.send(command.as_bytes())?;
        let mut four = [0; 4];
        let len = conn.recv(&mut four)?; // ③
        if len < four.len() {
            say!("a header of {len} bytes: struct.unpack would stop here");
            break;
        }
        let length = header(four);
        say!("i32 {length}");
        if !(0..=longest).contains(&length) {
            say!("not between 0 and {longest}: refused");
            break;
        }
        let mut answer = Vec::new();
        let mut buf = [0; 1024];
        while answer.len() < length as usize {
            let len = conn.recv(&mut buf)?; // ④
            if len == 0 {
                say!("the server has gone after {} of {length} bytes", answer.len());
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

/// Reads the header in network order, the order of the Internet's own protocols, and believes any length.
fn believing_client(at: Endpoint) -> io::Result<()> {
    ask(at, i32::from_be_bytes, i32::MAX)
}

fn network_server(at: Endpoint) -> io::Result<()> {
    serve(at, i32::to_be_bytes)
}

fn network_client(at: Endpoint) -> io::Result<()> {
    ask(at, i32::from_be_bytes, LONGEST)
}

/// Sends two answers, the header of each in two halves, as any network may deliver it.
fn slow_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    for answer in ["first", "again"] {
        let header = (answer.len() as i32).to_ne_bytes();
        conn.send(&header[..2])?;
        meet("the client has read the first half of the header");
        conn.send(&header[2..])?;
        meet("the client has read the second half");
        conn.send(answer.as_bytes())?;
    }
    Ok(())
}

/// Reads the first header as the authors' client does, and the second in a loop, until it is whole.
fn two_ways_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut four = [0; 4];
    let len = conn.recv(&mut four)?; // ①
    say!("a header of {len} bytes: struct.unpack would stop the authors' client here");
    conn.recv(&mut four[len..])?;
    conn.recv(&mut [0; 5])?;

    let mut have = 0;
    while have < four.len() {
        have += match conn.recv(&mut four[have..])? {
            0 => return Ok(()),
            len => len, // ②
        };
    }
    say!("a header of {have} bytes: {}", i32::from_ne_bytes(four));
    conn.recv(&mut [0; 5])?;
    Ok(())
}
