//! Upload.

mod claims;

use socklab::prelude::*;

pub fn lab() -> Lab {
    Lab::new(36, "upload", 9000)
        .in_chapter(Chapter::Files)
        .asks("How does a file arrive whole, acknowledged and atomic, with progress?")
        .scene(Scene::new("as its authors wrote it").server(server).client(client))
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&at.address())?;
    let mut buf = [0; 1024];
    let (len, from) = socket.recv_from(&mut buf)?; // ②
    say!("\"{}\" ({from})", buf[..len].escape_ascii());
    Ok(())
}

fn client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?; // ①
    Ok(())
}
