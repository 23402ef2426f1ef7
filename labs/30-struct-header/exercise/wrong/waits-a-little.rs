// wrong: what has come before a time-out of recv is taken for the whole message
// fails: split-anywhere, second-waits
// shows: wrong, what "too early"
use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const LONGEST: usize = 65_536;

fn main() -> io::Result<()> {
    let (host, port) = (env::var("HOST").unwrap_or_default(), env::var("PORT").unwrap_or_default());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (conn, _) = listener.accept()?;
        conn.set_read_timeout(Some(Duration::from_millis(500)))?;
        let _ = serve(conn); // a client that is gone is gone
    }
}

fn serve(mut conn: TcpStream) -> io::Result<()> {
    loop {
        let mut header = [0; 4];
        if read_for_a_while(&mut conn, &mut header)? == 0 {
            continue; // no message yet
        }
        let length = u32::from_be_bytes(header) as usize;
        if length > LONGEST {
            return Ok(());
        }
        let mut text = vec![0; length];
        let came = read_for_a_while(&mut conn, &mut text)?;
        text.truncate(came);
        text.make_ascii_uppercase();
        conn.write_all(&[&(came as u32).to_be_bytes()[..], &text].concat())?;
    }
}

/// Fills `data`, or as much of it as comes until nothing more comes for a while.
fn read_for_a_while(conn: &mut TcpStream, data: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < data.len() {
        match conn.read(&mut data[have..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => have += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}
