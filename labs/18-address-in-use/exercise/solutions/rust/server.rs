//! A server that answers one line, and closes; it can be restarted at once.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    // This sets SO_REUSEADDR, and not SO_REUSEPORT: connections of the program that was here before do not count, but a
    // listener does.
    serve(TcpListener::bind(format!("{host}:{port}"))?)
}

fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (conn, client) = listener.accept()?;
        if let Err(error) = answer(conn) {
            eprintln!("{client} left without a goodbye: {error}");
        }
    }
}

fn answer(mut conn: TcpStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(&conn).read_line(&mut line)?;
    conn.write_all(line.to_ascii_uppercase().as_bytes())
}
