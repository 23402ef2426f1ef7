//! A UDP echo server. The task is in TASK.md.

use std::env;
use std::io;
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9000".to_owned());
    let socket = UdpSocket::bind(format!("{host}:{port}"))?;

    let mut buf = [0; 1024];
    loop {
        // What comes, and from where? Answer in capital letters.
        socket.recv(&mut buf)?;
    }
}
