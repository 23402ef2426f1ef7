//! A client with a header of four bytes.

use std::env;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;

const LONGEST: usize = 65_536;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let mut conn = TcpStream::connect(format!("{host}:{port}"))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let header = (line.len() as u32).to_be_bytes();
        conn.write_all(&[&header, line.as_bytes()].concat())?;
        println!("{}", String::from_utf8_lossy(&read_frame(&mut conn)?));
    }
    Ok(())
}

fn read_frame(conn: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut header = [0; 4];
    conn.read_exact(&mut header)?;
    let length = u32::from_be_bytes(header) as usize;
    if length > LONGEST {
        return Err(io::Error::other(format!("a length of {length} cannot be believed")));
    }
    let mut text = vec![0; length];
    conn.read_exact(&mut text)?;
    Ok(text)
}
