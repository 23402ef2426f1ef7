//! Lab 12: the empty line. Why does an empty line hang both sides?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(12, "tcp-empty-line", 8080)
        .asks("Why does an empty line hang both sides?")
        .scene(
            Scene::new("an empty line, as its authors met it")
                .server(server)
                .client(client)
                .typed(&["hello", ""])
                .ends_waiting(),
        )
        .run()
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("from client msg is  \"{}\"", buf[..len].escape_ascii());
        conn.send(&buf[..len].to_ascii_uppercase())?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>: ") {
        conn.send(line.as_bytes())?;
        say!("Client message has been sent");
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("from server msg is  {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}
