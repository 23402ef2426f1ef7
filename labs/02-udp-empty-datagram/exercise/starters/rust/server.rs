//! Empty, whole or truncated. The task is in TASK.md.

use std::env;
use std::io;
use std::net::UdpSocket;

const KEPT: usize = 16;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9003".to_owned());
    let socket = UdpSocket::bind(format!("{host}:{port}"))?;

    let mut buf = [0; KEPT];
    loop {
        let (_len, client) = socket.recv_from(&mut buf)?;
        // Is this nothing, all, or a beginning?
        socket.send_to(b"?", client)?;
    }
}
