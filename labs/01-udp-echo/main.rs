//! Lab 01: UDP echo. Who must be there, and what comes back, when one datagram is sent?

use socklab::prelude::*;

fn main() -> ExitCode {
    Lab::new(1, "udp-echo", 9000)
        .asks("Who must be there, and what comes back, when one datagram is sent?")
        .scene(
            Scene::new("one line at a time, as its authors wrote it")
                .server(server)
                .client(client)
                .typed(&["hello", "", "straße é 你好"])
                .ends_waiting(),
        )
        .run()
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    loop {
        // There is no connection: each datagram brings its sender's address, and the answer goes there.
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        say!("recv:  \"{}\" ({from})", buf[..len].escape_ascii());
        socket.send_to(&buf[..len].to_ascii_uppercase(), &from)?;
    }
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    while let Some(line) = prompt(">>>: ") {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        socket.send_to(line.as_bytes(), &at.address())?;
        let mut buf = [0; 1024];
        let (len, from) = socket.recv_from(&mut buf)?;
        say!("{} ({from})", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}
