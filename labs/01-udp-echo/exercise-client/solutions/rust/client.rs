//! A UDP client that asks again.

use std::env;
use std::io::{self, BufRead, Write};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

const TRIES: usize = 3;
const WAITS: Duration = Duration::from_millis(200);

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9000".to_owned());
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(format!("{host}:{port}"))?; // the kernel keeps strangers away

    for (number, line) in (1..).zip(io::stdin().lock().split(b'\n')) {
        let mut answer = ask(&socket, number, &line?)?;
        answer.push(b'\n');
        io::stdout().write_all(&answer)?;
    }
    Ok(())
}

fn ask(socket: &UdpSocket, number: usize, line: &[u8]) -> io::Result<Vec<u8>> {
    let head = format!("{number} ").into_bytes();
    for _ in 0..TRIES {
        let deadline = Instant::now() + WAITS;
        // It may fail because an earlier datagram was refused: that is silence, too.
        let _ = socket.send(&[&head, line].concat());
        if let Some(answer) = receive(socket, &head, deadline)? {
            return Ok(answer);
        }
    }
    Ok(b"no answer".to_vec())
}

/// The text of the answer that begins with `head`; none when the time is over.
fn receive(socket: &UdpSocket, head: &[u8], deadline: Instant) -> io::Result<Option<Vec<u8>>> {
    let mut buf = vec![0; 65_535];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buf) {
            Ok(len) if buf[..len].starts_with(head) => return Ok(Some(buf[head.len()..len].to_vec())),
            // Not what we wait for, or time over, or nobody listens: the clock decides.
            Ok(_) | Err(_) => {}
        }
    }
}
