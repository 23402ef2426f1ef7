//! The accumulating counter.

mod claims;

use socklab::prelude::*;

/// How many bytes the answers of scenes 2 and 8 have.
const SIZES: [usize; 6] = [1892, 2048, 2049, 3072, 3073, 48_894];

/// No answer here is longer. A client that believes any number can be made to wait forever.
const LONGEST: usize = 1024 * 1024;

pub fn lab() -> Lab {
    Lab::new(28, "accumulating-counter", 8080)
        .in_chapter(Chapter::Framing)
        .asks("Why does a correct-looking receive loop stop early, and what does the next answer look like?")
        .scene(
            Scene::new("the client's counter, as the authors wrote it")
                .server(server)
                .runs_commands()
                .client(client)
                .typed(&["seq 1 500", "seq 1 10000", "echo hello"])
                .ends_waiting()
                .without_a_wire(),
        )
        .scene(
            Scene::new("six sizes, and each answer is in the queue before it is read")
                .server(sizes_server)
                .client(counting_client)
                .show_receive_queues()
                .without_a_wire(),
        )
        .scene(
            Scene::new("the same loop, and an answer that comes in pieces").server(pieces_server).client(pieces_client),
        )
        .scene(
            Scene::new("the same counter behind a header in JSON")
                .server(json_server)
                .runs_commands()
                .client(json_client)
                .typed(&["seq 1 10000", "echo hello"])
                .ends_waiting()
                .without_a_wire(),
        )
        .scene(
            Scene::new("the rest happens to be a number")
                .server(server)
                .runs_commands()
                .client(believing_client)
                .typed(&["seq 1 540", "echo hello"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("an answer that ends early looks whole")
                .server(leaving_server)
                .client(client)
                .typed(&["report"]),
        )
        .scene(
            Scene::new("an answer that does not begin keeps the loop busy")
                .server(silent_server)
                .client(client)
                .typed(&["report"])
                .ends_going_round(),
        )
        .scene(
            Scene::new("the cure: the same six sizes")
                .server(sizes_server)
                .client(cured_counting_client)
                .collapse_repeats()
                .without_a_wire(),
        )
        .scene(
            Scene::new("the cure: the answer that ends early")
                .server(leaving_server)
                .client(cured_client)
                .typed(&["report"]),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, client) = listener.accept()?;
        say!("client ({client})");
        match serve(&conn) {
            // The authors' server ends here.
            Err(error) if has_gone(&error) => say!("{error}"),
            served => served?,
        }
    }
}

/// Whether this error says that the client has gone.
fn has_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// Serves one client, as in lab 27.
fn serve(conn: &Socket) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
        let answer = if ran.stderr.is_empty() { ran.stdout } else { ran.stderr };
        conn.send(answer.len().to_string().as_bytes())?;
        let len = conn.recv(&mut buf)?;
        if &buf[..len] == b"recv_ready" {
            let mut sent = conn.send(&answer)?;
            while sent < answer.len() {
                sent += conn.send(&answer[sent..])?;
            }
        }
    }
}

fn client(at: Endpoint) -> io::Result<()> {
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
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ③
        let Some(length) = number(&buf[..len]) else {
            say!("not a length: \"{}\"", buf[..len.min(12)].escape_ascii());
            break; // ④
        };
        conn.send(b"recv_ready")?;
        let mut answer = Vec::new();
        let mut received = 0;
        while received < length {
            let len = conn.recv(&mut buf)?; // ①
            answer.extend_from_slice(&buf[..len]);
            received += answer.len(); // ② the mistake: all that has come so far, and not what has just come
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

/// What Python's `int` takes for a number, as far as it matters here: blanks around it do no harm.
fn number(text: &[u8]) -> Option<usize> {
    String::from_utf8_lossy(text).trim().parse().ok()
}

/// Sends as many bytes as the client asks for.
fn sizes_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let size = number(&buf[..len]).filter(|size| *size <= LONGEST);
        let answer = vec![b'x'; size.ok_or(io::ErrorKind::InvalidData)?];
        let mut sent = conn.send(&answer)?;
        while sent < answer.len() {
            sent += conn.send(&answer[sent..])?;
        }
    }
}

fn counting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for size in SIZES {
        conn.send(size.to_string().as_bytes())?;
        meet("the whole answer is in the client's queue");
        let mut buf = [0; 1024];
        let mut answer = Vec::new();
        let mut received = 0;
        while received < size {
            let len = conn.recv(&mut buf)?;
            answer.extend_from_slice(&buf[..len]);
            received += answer.len();
        }
        let mut rest = size - answer.len();
        say!("{size} bytes: {} taken, {rest} left, counted {received}", answer.len());
        // Out of the way of the next answer.
        while rest > 0 {
            let len = conn.recv(&mut vec![0; rest])?;
            if len == 0 {
                return Ok(());
            }
            rest -= len;
        }
    }
    Ok(())
}

/// Sends 2048 bytes by 512, and 3 bytes one by one.
fn pieces_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    for (size, piece) in [(2048, 512), (3, 1)] {
        for _ in 0..size / piece {
            conn.send(&vec![b'x'; piece])?;
            meet("the client has read this piece");
        }
    }
    Ok(())
}

fn pieces_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for size in [2048, 3] {
        let mut buf = [0; 1024];
        let mut answer = Vec::new();
        let mut received = 0;
        while received < size {
            let len = conn.recv(&mut buf)?;
            answer.extend_from_slice(&buf[..len]);
            received += answer.len();
        }
        let mut rest = size - answer.len();
        say!("{size} bytes: {} taken, {rest} left, counted {received}", answer.len());
        // Out of the way of the next answer.
        while rest > 0 {
            let len = conn.recv(&mut vec![0; rest])?;
            if len == 0 {
                return Ok(());
            }
            rest -= len;
        }
    }
    Ok(())
}

/// Sends each answer behind four bytes of length and a header in JSON, as in lab 31.
fn json_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        match serve_with_json(&conn) {
            // The authors' server ends here.
            Err(error) if has_gone(&error) => say!("{error}"),
            served => served?,
        }
    }
}

fn serve_with_json(conn: &Socket) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
        let answer = if ran.stderr.is_empty() { ran.stdout } else { ran.stderr };
        let header = format!("{{\"data_size\": {}}}", answer.len());
        conn.send(&(header.len() as u32).to_ne_bytes())?;
        conn.send(header.as_bytes())?;
        let mut sent = conn.send(&answer)?;
        while sent < answer.len() {
            sent += conn.send(&answer[sent..])?;
        }
    }
}

fn json_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>: ") {
        conn.send(command.as_bytes())?;
        let mut four = [0; 4];
        conn.recv(&mut four)?; // ①
        let length = u32::from_ne_bytes(four) as usize;
        say!("a header of {length} bytes");
        // The authors' client asks for all of them. More than this is not there, and is not reserved here.
        let mut header = vec![0; length.min(65_536)];
        let len = conn.recv(&mut header)?; // ②
        let header: serde_json::Value = match serde_json::from_slice(&header[..len]) {
            Ok(header) => header,
            Err(error) => {
                say!("no JSON: {error}"); // ③
                break;
            }
        };
        let length = header["data_size"].as_u64().unwrap_or(0) as usize;
        let mut buf = [0; 1024];
        let mut answer = Vec::new();
        let mut received = 0;
        while received < length {
            let len = conn.recv(&mut buf)?;
            answer.extend_from_slice(&buf[..len]);
            received += answer.len();
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

/// As the client. Where it takes an old answer's rest for the length, the server answers before the client goes on.
fn believing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>: ") {
        conn.send(command.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?; // ①
        let Some(length) = number(&buf[..len]) else { break };
        say!("{length} bytes are announced");
        meet("the server waits for recv_ready");
        conn.send(b"recv_ready")?;
        let mut answer = Vec::new();
        let mut received = 0;
        while received < length {
            let len = conn.recv(&mut buf)?;
            answer.extend_from_slice(&buf[..len]);
            received += answer.len();
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}

/// Announces 3000 bytes, sends 1500, and leaves.
fn leaving_server(at: Endpoint) -> io::Result<()> {
    announce(at, "3000", 1500)
}

/// Announces 6 bytes, sends none, and leaves.
fn silent_server(at: Endpoint) -> io::Result<()> {
    announce(at, "6", 0)
}

fn announce(at: Endpoint, length: &str, sent: usize) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    conn.recv(&mut buf)?;
    conn.send(length.as_bytes())?;
    conn.recv(&mut buf)?;
    if sent > 0 {
        conn.send(&vec![b'x'; sent])?;
    }
    Ok(())
}

fn cured_counting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for size in SIZES {
        conn.send(size.to_string().as_bytes())?;
        let mut buf = [0; 1024];
        let mut received = 0;
        while received < size {
            let room = buf.len().min(size - received);
            let len = conn.recv(&mut buf[..room])?;
            if len == 0 {
                say!("the server has gone after {received} of {size} bytes");
                return Ok(());
            }
            received += len;
        }
        say!("{size} bytes: {received} taken");
    }
    Ok(())
}

fn cured_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>: ") {
        conn.send(command.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        let Some(length) = number(&buf[..len]).filter(|length| *length <= LONGEST) else {
            say!("not a length: \"{}\"", buf[..len.min(12)].escape_ascii());
            break;
        };
        conn.send(b"recv_ready")?;
        let mut answer = Vec::new();
        while answer.len() < length {
            let room = buf.len().min(length - answer.len()); // no byte of the next answer
            let len = conn.recv(&mut buf[..room])?;
            if len == 0 {
                say!("the server has gone after {} of {length} bytes", answer.len()); // ①
                return Ok(());
            }
            answer.extend_from_slice(&buf[..len]); // ② each byte is counted once
        }
        say!("{}", String::from_utf8_lossy(&answer).trim_end());
    }
    Ok(())
}
