//! A client with a header of four bytes. The task is in TASK.md.

use std::env;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let mut conn = TcpStream::connect(format!("{host}:{port}"))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        conn.write_all(&(line.len() as u32).to_be_bytes())?;
        conn.write_all(line.as_bytes())?;
        let mut header = [0; 4];
        let _ = conn.read(&mut header)?;
        let mut answer = vec![0; u32::from_be_bytes(header) as usize];
        let _ = conn.read(&mut answer)?;
        println!("{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
