//! The client of the low version. It loses bytes: repair it. The task is in TASK.md.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let mut conn = TcpStream::connect(format!("{host}:{port}"))?;
    for command in io::stdin().lock().lines() {
        let command = command?;
        if command.is_empty() {
            continue;
        }
        conn.write_all(format!("{command}\n").as_bytes())?;

        let mut buf = [0; 1024];
        let len = conn.read(&mut buf)?;
        let length: usize = str::from_utf8(&buf[..len])?.trim_end().parse()?;
        conn.write_all(b"recv_ready\n")?;

        let mut answer = Vec::new();
        let mut received = 0;
        while received < length {
            let len = conn.read(&mut buf)?;
            answer.extend_from_slice(&buf[..len]);
            received += answer.len();
        }
        io::stdout().write_all(&answer)?;
    }
    Ok(())
}
