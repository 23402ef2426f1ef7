//! Sticky replies.

mod claims;

use socklab::prelude::*;

/// No answer here is longer. A client that believes any length can be made to wait forever.
const LONGEST: usize = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(21, "sticky-replies", 8080)
        .in_chapter(Chapter::Stream)
        .asks("Why does the next command show the last command's answer? Why does a silent command hang?")
        .scene(
            Scene::new("one recv(1024) per command, as the authors wrote it")
                .server(server)
                .runs_commands()
                .client(client)
                .typed_slowly(&["seq 1 500", "echo next", "echo again", "true"])
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("a command that prints nothing")
                .server(server)
                .runs_commands()
                .client(client)
                .typed_slowly(&["true"])
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("8,893 bytes, and the seven answers behind them")
                .server(server)
                .runs_commands()
                .client(client)
                .typed_slowly(&[
                    "seq 1 2000",
                    "echo cmd0",
                    "echo cmd1",
                    "echo cmd2",
                    "echo cmd3",
                    "echo cmd4",
                    "echo cmd5",
                    "echo cmd6",
                    "echo cmd7",
                ])
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("a character cut at byte 1024")
                .server(server)
                .runs_commands()
                .client(client)
                .typed_slowly(&["seq -f '%g号' 1 200"])
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the cure: each answer behind its length")
                .server(framing_server)
                .runs_commands()
                .client(framing_client)
                .typed_slowly(&["seq 1 500", "echo next", "true", "seq -f '%g号' 1 200"])
                .ends_waiting()
                .show_receive_queues(),
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
            let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
            conn.send(&[ran.stdout, ran.stderr].concat())?;
        }
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>>") {
        conn.send(command.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ①
        match std::str::from_utf8(&buf[..len]) {
            Ok(text) => say!("{}", text.trim_end()),
            Err(error) => {
                // In Python, decode() raises UnicodeDecodeError, and the client ends.
                say!("{error}");
                break;
            }
        }
    }
    Ok(())
}

fn framing_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        let mut buf = [0; 1024];
        loop {
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                break;
            }
            let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
            let answer = [ran.stdout, ran.stderr].concat();
            let length = u32::try_from(answer.len()).map_err(io::Error::other)?;
            conn.send(&[&length.to_be_bytes(), &answer[..]].concat())?;
        }
    }
}

fn framing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>>") {
        conn.send(command.as_bytes())?;
        let mut header = [0; 4];
        recv_exact(&conn, &mut header)?;
        let length = u32::from_be_bytes(header) as usize;
        if length > LONGEST {
            say!("{length} bytes: refused");
            break;
        }
        let mut answer = vec![0; length];
        recv_exact(&conn, &mut answer)?;
        // Decoded when all of it is there: no character is cut.
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

/// Fills the whole buffer, with as many calls as that takes.
fn recv_exact(conn: &Socket, buf: &mut [u8]) -> io::Result<()> {
    let mut have = 0;
    while have < buf.len() {
        let len = conn.recv(&mut buf[have..])?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        have += len;
    }
    Ok(())
}
