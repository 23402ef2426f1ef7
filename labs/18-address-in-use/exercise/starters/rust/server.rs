//! A server that answers one line, and closes. The task is in TASK.md.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    // TcpListener::bind has set SO_REUSEADDR, so this server can be restarted. But who closes the connection?
    serve(listener)
}

fn serve(listener: TcpListener) -> io::Result<()> {
    let mut kept = Vec::new();
    loop {
        let (conn, _client) = listener.accept()?;
        answer(&conn)?;
        kept.push(conn);
    }
}

fn answer(mut conn: &TcpStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(conn).read_line(&mut line)?;
    conn.write_all(line.to_ascii_uppercase().as_bytes())
}
