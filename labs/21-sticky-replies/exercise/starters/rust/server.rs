//! A server that takes requests in lines, and answers with the length in front. The task is in TASK.md.

use std::env;
use std::io::{self, Read};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (mut conn, _client) = listener.accept()?;
        let mut piece = [0; 4096];
        let len = conn.read(&mut piece)?;
        println!("{len} bytes came");
        // Find the requests in what comes; send each answer behind its length.
        let _ = answer;
    }
}

/// What a request is answered, without the length: the text and a newline, so many times.
fn answer(request: &[u8]) -> Vec<u8> {
    let mut parts = request.splitn(2, |byte| *byte == b' ');
    let number = parts.next().and_then(|number| std::str::from_utf8(number).ok()?.parse::<usize>().ok());
    match (number, parts.next()) {
        (Some(number), Some(text)) => [text, b"\n"].concat().repeat(number),
        _ => b"?\n".to_vec(),
    }
}
