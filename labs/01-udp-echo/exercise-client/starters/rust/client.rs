//! A UDP client that asks again. The task is in TASK.md.

use std::env;
use std::io;
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9000".to_owned());
    let server = format!("{host}:{port}");
    let socket = UdpSocket::bind("0.0.0.0:0")?;

    for (number, line) in (1..).zip(io::stdin().lines()) {
        let request = format!("{number} {}", line?);
        // Send it, wait 200 ms for its answer, three times at the most; and print what has come.
        socket.send_to(request.as_bytes(), &server)?;
    }
    Ok(())
}
