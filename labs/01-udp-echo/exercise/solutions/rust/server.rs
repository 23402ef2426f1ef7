//! A UDP echo server.

use std::env;
use std::io;
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9000".to_owned());
    let socket = UdpSocket::bind(format!("{host}:{port}"))?;

    let mut buf = [0; 65_535];
    loop {
        let (len, client) = socket.recv_from(&mut buf)?;
        buf[..len].make_ascii_uppercase();
        socket.send_to(&buf[..len], client)?;
    }
}
