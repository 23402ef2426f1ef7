//! What the labs on serving many clients share: one protocol, one client, and the same four scenes, so that a process
//! for each client, a thread for each client and an event loop can be laid side by side.
//!
//! The protocol: what a server's `recv` brings comes back in upper case. Bytes are turned, and not characters: of ASCII
//! letters only. So it does not matter where a `recv` cuts a message, and as many bytes come back as were sent.

use std::io;
use std::time::Duration;

use crate::lab::{Endpoint, Role, Scene, meet, prompt};
use crate::say;
use crate::socket::{Domain, Socket, Type};

/// The port of the old texts' server with a process for each client.
pub const PORT: u16 = 9998;

/// How many bytes a server of these labs takes at once, at most.
pub const PIECE: usize = 16_384;

/// What the server in the third scene asks for as its send buffer, so that answers soon fit no more.
pub const SMALL_BUFFER: usize = 4096;

/// How much the client that stops reading sends: more than fits on the way back to it.
pub const FLOOD: usize = 20_000;

/// What a server answers.
pub fn shout(message: &[u8]) -> Vec<u8> {
    message.to_ascii_uppercase()
}

/// The four scenes of a server that serves many clients: two at once; one leaves; one stops reading; one resets. In the
/// third, the server has `with_small_buffers`: it does the same, and its connections have a send buffer of
/// [`SMALL_BUFFER`].
///
/// In each of them the server ends waiting for more clients, and the second client is served whatever the first one
/// does.
pub fn scenes(server: Role, with_small_buffers: Role) -> [Scene; 4] {
    let two = Scene::new("two clients at once")
        .server(server)
        .client(client)
        .typed_slowly(&["hello", "bye"])
        .role("second-client", client)
        .typed_slowly(&["hi"])
        .ends_waiting();
    let leaves = Scene::new("one client leaves")
        .server(server)
        .client(leaving_client)
        .role("second-client", staying_client)
        .ends_waiting();
    let stops = Scene::new("one client stops reading")
        .server(with_small_buffers)
        .client(client_that_stops_reading)
        .role("second-client", patient_client)
        // How much waits in the send queue is left out: it depends on when the kernel gets round to an ACK.
        .acknowledged()
        // How much a send takes beyond its buffer depends on how fast the wire is.
        .without_a_wire()
        .ends_waiting()
        .collapse_repeats();
    let resets = Scene::new("one client resets its connection")
        .server(server)
        .client(resetting_client)
        .role("second-client", staying_client)
        .ends_waiting();
    [two, leaves, stops, resets]
}

/// Sends each line that its user types, and shows what comes back.
///
/// # Errors
/// Nobody listens, or the connection breaks.
pub fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>") {
        if line.is_empty() {
            continue;
        }
        conn.send(line.as_bytes())?;
        let mut answer = vec![0; line.len()];
        let mut have = 0;
        while have < answer.len() {
            match conn.recv(&mut answer[have..])? {
                0 => return Err(io::Error::other("the server has closed the connection")),
                len => have += len,
            }
        }
        say!("{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// Is answered, and leaves.
fn leaving_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    ask(&conn, "hello")?;
    Ok(()) // close: FIN
}

/// Is answered, and resets its connection.
fn resetting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    ask(&conn, "hello")?;
    conn.set_linger(Some(Duration::ZERO))?;
    Ok(()) // close: RST
}

/// Is there from the beginning, and asks when the other one has gone.
fn staying_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the other client has gone");
    say!("{}", ask(&conn, "still here?")?);
    Ok(())
}

/// Sends much, and reads nothing of the answers until the other client has been served.
fn client_that_stops_reading(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.set_recv_buffer_size(4096)?;
    conn.connect(&at.address())?;
    conn.send(&[b'x'; FLOOD])?;
    meet("the other client has been served");
    let mut have = 0;
    while have < FLOOD {
        match conn.recv(&mut [0; PIECE])? {
            0 => return Err(io::Error::other("the server has closed the connection")),
            len => have += len,
        }
    }
    say!("all {have} bytes are back");
    Ok(())
}

/// Asks while the other client does not read.
fn patient_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    say!("{}", ask(&conn, "hello")?);
    Ok(())
}

/// Sends a short message, and gives what one `recv` brings.
fn ask(conn: &Socket, message: &str) -> io::Result<String> {
    conn.send(message.as_bytes())?;
    let mut answer = [0; 1024];
    let len = conn.recv(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..len]).into_owned())
}
