//! A server with a header of four bytes. The task is in TASK.md.

use std::env;
use std::io::{self, Read};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (mut conn, _client) = listener.accept()?;
        let mut header = [0; 4];
        let len = conn.read(&mut header)?;
        println!("{len} bytes of a header: {}", u32::from_be_bytes(header));
        // Read the text that it announces; answer in capital letters, with a header of your own.
    }
}
