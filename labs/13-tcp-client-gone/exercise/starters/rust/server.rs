//! A server that answers in capital letters. The task is in TASK.md.

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8081".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;

    let (mut conn, _client) = listener.accept()?;
    let mut buf = [0; 1024];
    loop {
        let len = conn.read(&mut buf)?;
        conn.write_all(&buf[..len].to_ascii_uppercase())?;
        // What if the client has left? And who serves the next one?
    }
}
