// wrong: recv(4) is expected to give four bytes
// fails: header-in-pieces, byte-by-byte, slow-header, two-in-turns, twenty-at-once, fin-in-a-message
// shows: wrong, got "\x00\x00\x00\x00"
// starters: make it
use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (conn, client) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = serve(conn) {
                eprintln!("{client}: {error}");
            }
        });
    }
}

const LONGEST: usize = 65_536;

/// Serves one client, until it leaves, in the middle of a message or not. Only its own thread waits for its bytes.
fn serve(mut conn: TcpStream) -> io::Result<()> {
    loop {
        let mut header = [0; 4];
        if conn.read(&mut header)? == 0 {
            return Ok(());
        }
        let length = u32::from_be_bytes(header) as usize;
        if length > LONGEST {
            return Err(io::Error::other(format!("a length of {length}")));
        }
        let mut text = vec![0; length];
        conn.read_exact(&mut text)?;
        text.make_ascii_uppercase();
        conn.write_all(&[&header[..], &text].concat())?;
    }
}
