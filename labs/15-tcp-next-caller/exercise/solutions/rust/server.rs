//! A server that answers in capital letters, to one client after the other.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;

    loop {
        // If this fails, no client is to blame.
        let (conn, client) = listener.accept()?;
        if let Err(error) = talk(conn) {
            eprintln!("{client} left without a goodbye: {error}");
        }
    }
}

fn talk(mut conn: TcpStream) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        let len = conn.read(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        conn.write_all(&buf[..len].to_ascii_uppercase())?;
    }
}
