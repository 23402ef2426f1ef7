//! What else breaks a remote command.

mod claims;

use encoding_rs::{Encoding, GBK};
use socklab::prelude::*;

/// No answer here is longer.
const LONGEST: i32 = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(34, "remote-command", 8080)
        .in_chapter(Chapter::Framing)
        .on_one_host()
        .asks("What else breaks a remote command: full pipes, departing clients, character sets?")
        .scene(
            Scene::new("as much as a pipe holds")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["echo err >&2; echo out", "printf %065536d 0", "quit"])
                .ends_waiting()
                .collapse_repeats(),
        )
        .scene(
            Scene::new("one byte more")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["printf %065537d 0"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("one byte more, and both streams are read side by side")
                .server(careful_server)
                .runs_commands()
                .client(client)
                .typed(&["printf %065537d 0", "cat", "quit"])
                .ends_waiting()
                .collapse_repeats(),
        )
        .scene(
            Scene::new("standard output first: one byte more on standard error")
                .server(output_first_server)
                .runs_commands()
                .client(client)
                .typed(&["printf %065537d 0 >&2"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("standard output and standard error as two sends")
                .server(two_sends_server)
                .runs_commands()
                .client(client)
                .typed(&["echo err >&2; echo out", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("header and both streams in one system call")
                .server(one_call_server)
                .runs_commands()
                .client(client)
                .typed(&["echo err >&2; echo out", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("cat, whose input is never closed")
                .server(open_input_server)
                .runs_commands()
                .client(client)
                .typed(&["cat"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("a program left in the background")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["sleep 1000 & echo started", "quit"])
                .role("operator", operator)
                .ends_waiting(),
        )
        .scene(departures("clients leave: no test, nothing caught", no_test_server).ends_going_round())
        .scene(departures("clients leave: a test for b'', nothing caught", test_server))
        .scene(departures("clients leave: no test, ConnectionResetError caught", reset_server))
        .scene(departures("clients leave: no test, everything caught", everything_server).ends_waiting())
        .scene(departures("clients leave: a test for b'', both errors caught", careful_server).ends_waiting())
        .scene(reset_only("a client resets: no test, nothing caught", no_test_server))
        .scene(reset_only("a client resets: no test, ConnectionResetError caught", reset_server).ends_waiting())
        .scene(
            Scene::new("UTF-8, read as gbk")
                .server(careful_server)
                .runs_commands()
                .client(gbk_client)
                .typed(&["echo 你好", "echo 你", "echo hello", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("gbk, read as UTF-8")
                .server(gbk_server)
                .runs_commands()
                .client(client)
                .typed(&["echo 你好", "echo hello", "quit"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("an answer that names its encoding")
                .server(naming_server)
                .runs_commands()
                .client(asking_client)
                .typed(&["echo 你好", "quit"])
                .ends_waiting(),
        )
        .claims(claims::all())
}

/// Three clients, one after the other: one leaves when it has read its answer, one before, one wants to be served.
fn departures(title: &'static str, server: fn(Endpoint) -> io::Result<()>) -> Scene {
    Scene::new(title)
        .server(server)
        .runs_also(["echo hello", ""])
        .role("first-client", polite_client)
        .role("second-client", impatient_client)
        .role("third-client", next_client)
}

/// The same without the first of them.
fn reset_only(title: &'static str, server: fn(Endpoint) -> io::Result<()>) -> Scene {
    Scene::new(title)
        .server(server)
        .runs_also(["echo hello", ""])
        .role("second-client", impatient_client)
        .role("third-client", next_client)
}

fn server(at: Endpoint) -> io::Result<()> {
    serve(at, errors_first)
}

fn output_first_server(at: Endpoint) -> io::Result<()> {
    serve(at, output_first)
}

fn careful_server(at: Endpoint) -> io::Result<()> {
    serve_carefully(at, side_by_side)
}

fn open_input_server(at: Endpoint) -> io::Result<()> {
    serve(at, with_open_input)
}

fn gbk_server(at: Endpoint) -> io::Result<()> {
    serve_carefully(at, in_gbk)
}

/// Serves one client after the other: four bytes of length, then the answer.
fn serve(at: Endpoint, run: fn(&str) -> io::Result<Vec<u8>>) -> io::Result<()> {
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
            let answer = run(&String::from_utf8_lossy(&buf[..len]))?;
            let length = i32::try_from(answer.len()).map_err(io::Error::other)?;
            conn.send(&length.to_ne_bytes())?;
            let mut sent = conn.send(&answer)?;
            while sent < answer.len() {
                sent += conn.send(&answer[sent..])?;
            }
        }
    }
}

/// The same with what this lab found: one call for header and answer, and no client that leaves ends the server.
fn serve_carefully(at: Endpoint, run: fn(&str) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        match converse_carefully(&conn, run) {
            Err(error) if has_left(&error) => {}
            result => result?,
        }
    }
}

fn converse_carefully(conn: &Socket, run: fn(&str) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let answer = run(&String::from_utf8_lossy(&buf[..len]))?;
        let header = i32::try_from(answer.len()).map_err(io::Error::other)?.to_ne_bytes();
        let mut sent = conn.send_vectored(&[IoSlice::new(&header), IoSlice::new(&answer)])?;
        // Of a long answer, a call may take a part only; what is left is one buffer.
        while sent < header.len() + answer.len() {
            sent += conn.send(&answer[sent.saturating_sub(header.len())..])?;
        }
    }
}

/// Whether an error says that the client has left: RST came before a recv, or before a send.
fn has_left(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// Reads standard error to its end, and then standard output.
fn errors_first(command: &str) -> io::Result<Vec<u8>> {
    let started = start_command(command, Input::Nothing)?; // ①
    let errors = everything(&started.stderr)?; // ②
    let output = everything(&started.stdout)?; // ③
    Ok(if errors.is_empty() { output } else { errors })
}

/// Reads standard output to its end, and then standard error.
fn output_first(command: &str) -> io::Result<Vec<u8>> {
    let started = start_command(command, Input::Nothing)?;
    let output = everything(&started.stdout)?;
    let errors = everything(&started.stderr)?;
    Ok([output, errors].concat())
}

/// Reads whichever stream has something, until both are at their end. The command's input is empty.
fn side_by_side(command: &str) -> io::Result<Vec<u8>> {
    let ran = run_command(command)?;
    Ok([ran.stdout, ran.stderr].concat())
}

/// The command's input is a pipe that nobody writes to, and nobody closes.
fn with_open_input(command: &str) -> io::Result<Vec<u8>> {
    let started = start_command(command, Input::OpenPipe)?;
    let errors = everything(&started.stderr)?;
    let output = everything(&started.stdout)?;
    Ok(if errors.is_empty() { output } else { errors })
}

/// Reads from a pipe until no process can write to it any more.
fn everything(pipe: &Pipe) -> io::Result<Vec<u8>> {
    let (mut all, mut buf) = (Vec::new(), vec![0; 65_536]);
    loop {
        match pipe.read(&mut buf)? {
            0 => return Ok(all),
            len => all.extend_from_slice(&buf[..len]),
        }
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    ask(at, |answer| String::from_utf8(answer).unwrap_or_else(|_| "no UTF-8".to_owned()))
}

/// As the authors' client, which decodes each answer as gbk.
fn gbk_client(at: Endpoint) -> io::Result<()> {
    ask(at, |answer| {
        let text = GBK.decode_without_bom_handling_and_without_replacement(&answer); // ②
        text.map_or_else(|| "no gbk".to_owned(), |text| text.into_owned())
    })
}

fn ask(at: Endpoint, decode: fn(Vec<u8>) -> String) -> io::Result<()> {
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
        let mut have = 0;
        while have < four.len() {
            have += match conn.recv(&mut four[have..])? {
                0 => return Ok(()),
                len => len,
            };
        }
        let length = i32::from_ne_bytes(four);
        if !(0..=LONGEST).contains(&length) {
            say!("a length of {length}: refused");
            break;
        }
        let mut answer = Vec::new();
        let mut buf = [0; 1024];
        while answer.len() < length as usize {
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                say!("the server has gone after {} of {length} bytes", answer.len());
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        let text = decode(answer);
        say!("{length} bytes: {:.40}", text.trim_end());
    }
    Ok(())
}

/// Sends the header, standard output and standard error one after the other.
fn two_sends_server(at: Endpoint) -> io::Result<()> {
    serve_streams(at, |conn, [header, output, errors]| {
        conn.send(header)?;
        conn.send(output)?;
        conn.send(errors)?;
        Ok(())
    })
}

/// Hands all three buffers over in one call. Nothing is copied together for it.
fn one_call_server(at: Endpoint) -> io::Result<()> {
    serve_streams(at, |conn, [header, output, errors]| {
        conn.send_vectored(&[IoSlice::new(header), IoSlice::new(output), IoSlice::new(errors)])?;
        Ok(())
    })
}

fn serve_streams(at: Endpoint, send: fn(&Socket, [&[u8]; 3]) -> io::Result<()>) -> io::Result<()> {
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
            let length = (ran.stdout.len() + ran.stderr.len()) as i32;
            send(&conn, [&length.to_ne_bytes(), &ran.stdout, &ran.stderr])?;
        }
    }
}

/// Somebody at another terminal.
fn operator(_at: Endpoint) -> io::Result<()> {
    meet("the answer should have come");
    end_leftovers("server")?;
    Ok(())
}

/// Asks, reads the whole answer, and leaves.
fn polite_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = conn.connect(&at.address()) {
        say!("{error}");
        return Ok(());
    }
    conn.send(b"echo hello")?;
    let mut answer = Vec::new();
    let mut buf = [0; 1024];
    while !answer.ends_with(b"hello\n") {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            say!("no answer");
            return Ok(());
        }
        answer.extend_from_slice(&buf[..len]);
    }
    say!("answered");
    Ok(())
}

/// Asks, reads four bytes of the answer, and leaves.
fn impatient_client(at: Endpoint) -> io::Result<()> {
    meet("nobody else can go on");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Err(error) = conn.connect(&at.address()) {
        say!("{error}");
        return Ok(());
    }
    conn.send(b"echo hello")?;
    conn.recv(&mut [0; 4])?;
    say!("leaves early");
    Ok(())
}

/// Comes when the others have left.
fn next_client(at: Endpoint) -> io::Result<()> {
    meet("the others have left");
    polite_client(at)
}

/// Neither tests for the end of the stream nor catches anything; it sends what the command wrote, without a header.
fn no_test_server(at: Endpoint) -> io::Result<()> {
    serve_and_catch(
        at,
        |_| false,
        |conn| {
            loop {
                let mut buf = [0; 1024];
                let len = conn.recv(&mut buf)?;
                let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
                conn.send(&ran.stdout)?;
            }
        },
    )
}

fn test_server(at: Endpoint) -> io::Result<()> {
    serve_and_catch(at, |_| false, |conn| converse(conn, true))
}

fn reset_server(at: Endpoint) -> io::Result<()> {
    serve_and_catch(at, |error| error.kind() == io::ErrorKind::ConnectionReset, |conn| converse(conn, false))
}

fn everything_server(at: Endpoint) -> io::Result<()> {
    serve_and_catch(at, |_| true, |conn| converse(conn, false))
}

/// Serves one client after the other. An error that is caught ends a conversation, any other one the server.
fn serve_and_catch(
    at: Endpoint,
    catches: fn(&io::Error) -> bool,
    converse: fn(&Socket) -> io::Result<()>,
) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        if let Err(error) = converse(&conn)
            && !catches(&error)
        {
            say!("not caught: {error}");
            return Ok(());
        }
    }
}

/// Executes what comes, and sends each answer behind four bytes of length.
fn converse(conn: &Socket, tests: bool) -> io::Result<()> {
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        if tests && len == 0 {
            return Ok(());
        }
        let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
        conn.send(&(ran.stdout.len() as i32).to_ne_bytes())?;
        conn.send(&ran.stdout)?;
    }
}

/// What a command writes on a machine whose text is gbk.
fn in_gbk(command: &str) -> io::Result<Vec<u8>> {
    let ran = run_command(command)?;
    let text = String::from_utf8(ran.stdout).map_err(io::Error::other)?;
    Ok(GBK.encode(&text).0.into_owned())
}

/// Begins each answer with a line: the name of its encoding, and its length in bytes.
fn naming_server(at: Endpoint) -> io::Result<()> {
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
            let answer = in_gbk(&String::from_utf8_lossy(&buf[..len]))?;
            let header = format!("gbk {}\n", answer.len()); // ①
            conn.send_vectored(&[IoSlice::new(header.as_bytes()), IoSlice::new(&answer)])?;
        }
    }
}

/// Decodes each answer as its first line says.
fn asking_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>: ") {
        if command == "quit" {
            break;
        }
        conn.send(command.as_bytes())?;
        let mut received = Vec::new();
        let mut buf = [0; 1024];
        let text = loop {
            if let Some(text) = decoded(&received)? {
                break text;
            }
            let len = conn.recv(&mut buf)?;
            if len == 0 || received.len() > LONGEST as usize {
                return Ok(());
            }
            received.extend_from_slice(&buf[..len]);
        };
        say!("{}", text.trim_end());
    }
    Ok(())
}

/// The text of an answer, once all of it is there.
fn decoded(received: &[u8]) -> io::Result<Option<String>> {
    let Some(end) = received.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let line = std::str::from_utf8(&received[..end]).map_err(io::Error::other)?;
    let (name, length) = line.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
    let length: usize = length.parse().map_err(io::Error::other)?;
    let encoding = Encoding::for_label(name.as_bytes()).ok_or(io::ErrorKind::InvalidData)?; // ②
    let Some(bytes) = received[end + 1..].get(..length) else { return Ok(None) };
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    Ok(Some(text.ok_or(io::ErrorKind::InvalidData)?.into_owned()))
}
