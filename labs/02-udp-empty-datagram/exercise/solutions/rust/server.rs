//! Empty, whole or truncated: a buffer that is one byte larger than what is kept tells.

use std::env;
use std::io;
use std::net::UdpSocket;

const KEPT: usize = 16;

fn verdict(data: &[u8]) -> Vec<u8> {
    match data.len() {
        0 => b"empty".to_vec(),
        len @ 1..=KEPT => [format!("whole {len} ").as_bytes(), data].concat(),
        _ => [b"truncated ", &data[..KEPT]].concat(),
    }
}

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9003".to_owned());
    let socket = UdpSocket::bind(format!("{host}:{port}"))?;

    // The last byte is filled only where there was more than we keep.
    let mut buf = [0; KEPT + 1];
    loop {
        let (len, client) = socket.recv_from(&mut buf)?;
        socket.send_to(&verdict(&buf[..len]), client)?;
    }
}
