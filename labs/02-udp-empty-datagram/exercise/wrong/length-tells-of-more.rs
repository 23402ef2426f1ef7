// wrong: recv_from is taken to return the length of the datagram, also where the buffer is shorter
// fails: one-byte-more, much-more
// shows: wrong, got "whole 16"
use std::env;
use std::io;
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let (host, port) = (env::var("HOST").unwrap(), env::var("PORT").unwrap());
    let socket = UdpSocket::bind(format!("{host}:{port}"))?;
    let mut buf = [0; 16];
    loop {
        let (len, client) = socket.recv_from(&mut buf)?;
        let kept = &buf[..len.min(16)];
        let answer = match len {
            0 => b"empty".to_vec(),
            1..=16 => [format!("whole {len} ").as_bytes(), kept].concat(),
            _ => [b"truncated ", kept].concat(),
        };
        socket.send_to(&answer, client)?;
    }
}
