//! A server that reads a name and a text. The task is in TASK.md.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (conn, client) = listener.accept()?;
        if let Err(error) = serve(conn) {
            eprintln!("{client}: {error}");
        }
    }
}

fn serve(mut conn: TcpStream) -> io::Result<()> {
    // Is this the whole name? And only the name?
    let mut buf = [0; 1024];
    let len = conn.read(&mut buf)?;
    conn.write_all(&buf[..len])?;
    loop {
        let len = conn.read(&mut buf)?;
        if len == 0 {
            return Ok(());
        }
        // Do the characters end where the piece ends?
        for character in String::from_utf8_lossy(&buf[..len]).chars() {
            writeln!(conn, "U+{:04X}", u32::from(character))?;
        }
    }
}
