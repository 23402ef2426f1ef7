//! Roles by hand, and what it takes to start them and type to them.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Lab, finish, labs};

/// Ends with its test, however that ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn lab(number: u64) -> Lab {
    labs().into_iter().find(|lab| lab.number == number).expect("the lab")
}

/// A port that is free for TCP and UDP, below those that the kernel hands out.
pub fn free_port(from: u16) -> u16 {
    let at = |port: u16| (Ipv4Addr::LOCALHOST, port);
    (from..from + 900)
        .find(|port| TcpListener::bind(at(*port)).is_ok() && UdpSocket::bind(at(*port)).is_ok())
        .expect("a free port")
}

pub fn role(lab: &Lab, role: &str, port: u16) -> Command {
    let mut command = Command::new(&lab.program);
    command.args([role, "--address", &format!("127.0.0.1:{port}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server and waits until its port is taken, in the kernel's own table.
pub fn start_server(command: &mut Command, port: u16, table: &str) -> Running {
    let mut server = Running(command.spawn().expect("the server starts"));
    let began = Instant::now();
    while !fs::read_to_string(format!("/proc/net/{table}")).expect("a table").contains(&format!("0100007F:{port:04X} "))
    {
        if let Some(status) = server.0.try_wait().expect("a status") {
            panic!("the server has ended: {status}");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "the server has not bound port {port} within 10 s");
        std::thread::yield_now();
    }
    server
}

/// Runs a client whose user types `lines` and then Ctrl-D.
pub fn type_to_client(lab: &Lab, port: u16, lines: &str) -> Output {
    let mut client = role(lab, "client", port).spawn().expect("the client starts");
    client.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("the lines are typed");
    finish(client)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
