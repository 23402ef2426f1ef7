//! A client that notices that nobody is there. The task is in TASK.md.

use std::env;
use std::io;
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9003".to_owned());
    let server = format!("{host}:{port}");
    let socket = UdpSocket::bind("0.0.0.0:0")?;

    for line in io::stdin().lines() {
        socket.send_to(line?.as_bytes(), &server)?;
        // An answer, silence, or nobody?
    }
    Ok(())
}
