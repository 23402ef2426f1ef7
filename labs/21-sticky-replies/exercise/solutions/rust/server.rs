//! A server that takes requests in lines, and answers with the length in front.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (conn, client) = listener.accept()?;
        if let Err(error) = serve(&conn) {
            eprintln!("{client}: {error}");
        }
    }
}

const LONGEST: u64 = 1024;
const MOST_TIMES: usize = 1000;

/// Serves one client, until it leaves or sends a request that is too long.
fn serve(mut conn: &TcpStream) -> io::Result<()> {
    let mut came = BufReader::new(conn);
    loop {
        let mut request = Vec::new();
        came.by_ref().take(LONGEST + 1).read_until(b'\n', &mut request)?;
        // Without it, the client has left, or there is no end in sight.
        if request.pop() != Some(b'\n') {
            return Ok(());
        }
        let body = answer(&request);
        conn.write_all(&[format!("{}\n", body.len()).as_bytes(), &body].concat())?;
    }
}

/// What a request is answered, without the length: the text and a newline, so many times.
fn answer(request: &[u8]) -> Vec<u8> {
    let mut parts = request.splitn(2, |byte| *byte == b' ');
    let number = parts.next().and_then(|number| std::str::from_utf8(number).ok()?.parse::<usize>().ok());
    match (number, parts.next()) {
        (Some(number @ 0..=MOST_TIMES), Some(text)) => [text, b"\n"].concat().repeat(number),
        _ => b"?\n".to_vec(),
    }
}
