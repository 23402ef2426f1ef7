//! A server that reads a name of exactly eight bytes, and then a text whose characters may be cut.

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
    let mut name = [0; 8];
    conn.read_exact(&mut name)?;
    conn.write_all(&name)?;
    let mut pending = Vec::new();
    let mut buf = [0; 1024];
    loop {
        let len = conn.read(&mut buf)?;
        pending.extend_from_slice(&buf[..len]);
        // An error without a length is a beginning whose rest may still come.
        let (whole, wrong) = match str::from_utf8(&pending) {
            Ok(text) => (text.len(), false),
            Err(error) => (error.valid_up_to(), error.error_len().is_some()),
        };
        let text: Vec<u8> = pending.drain(..whole).collect();
        for character in String::from_utf8_lossy(&text).chars() {
            writeln!(conn, "U+{:04X}", u32::from(character))?;
        }
        let is_over = len == 0;
        if wrong || is_over && !pending.is_empty() {
            return conn.write_all(b"not UTF-8\n");
        }
        if is_over {
            return Ok(());
        }
    }
}
