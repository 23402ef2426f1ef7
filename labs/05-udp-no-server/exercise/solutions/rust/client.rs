//! A client that notices that nobody is there.

use std::env;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::process::ExitCode;
use std::time::Duration;

const NOBODY: u8 = 1;
const SILENCE: u8 = 2;

fn main() -> io::Result<ExitCode> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9003".to_owned());
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(format!("{host}:{port}"))?; // from now on the kernel tells of refusals, and keeps strangers away
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;

    let mut code = ExitCode::SUCCESS;
    let mut buf = [0; 1000];
    for line in io::stdin().lines() {
        let answer = socket.send(line?.as_bytes()).and_then(|_| socket.recv(&mut buf));
        match answer {
            Ok(len) => println!("{}", String::from_utf8_lossy(&buf[..len])),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                println!("nobody there");
                return Ok(ExitCode::from(NOBODY));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                println!("no answer");
                code = ExitCode::from(SILENCE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(code)
}
