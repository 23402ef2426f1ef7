//! A server that answers in capital letters, and goes on whatever way its clients leave.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8081".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;

    loop {
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
