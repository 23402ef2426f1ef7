//! The client of the low version, repaired.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const LONGEST: usize = 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let mut conn = TcpStream::connect(format!("{host}:{port}"))?;
    // One buffer for lines and for bytes.
    let mut server = BufReader::new(conn.try_clone()?);
    for command in io::stdin().lock().lines() {
        let command = command?;
        if command.is_empty() {
            continue;
        }
        conn.write_all(format!("{command}\n").as_bytes())?;
        let length = read_length(&mut server)?;
        conn.write_all(b"recv_ready\n")?;
        let mut answer = vec![0; length];
        server.read_exact(&mut answer)?;
        io::stdout().write_all(&answer)?;
        io::stdout().flush()?;
    }
    Ok(())
}

/// Reads the line with the length of the answer that follows.
fn read_length(server: &mut impl BufRead) -> Result<usize, Box<dyn Error>> {
    let mut line = String::new();
    server.take(100).read_line(&mut line)?;
    let digits = line.strip_suffix('\n').ok_or("the server has gone")?;
    let length: usize = digits.parse().map_err(|_| format!("this is no length: {digits:?}"))?;
    // A sign in front would be read, too.
    if digits.starts_with('+') || length > LONGEST {
        return Err(format!("this is no length: {digits:?}").into());
    }
    Ok(length)
}
