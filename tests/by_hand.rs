//! Roles by hand: the same functions as plain programs that talk to each other.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{Lab, labs};

/// Ends with its test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lab(number: u64) -> Lab {
    labs().into_iter().find(|lab| lab.number == number).expect("the lab")
}

/// A port that is free for TCP and UDP, below those that the kernel hands out.
fn free_port(from: u16) -> u16 {
    let at = |port: u16| (Ipv4Addr::LOCALHOST, port);
    (from..from + 900)
        .find(|port| TcpListener::bind(at(*port)).is_ok() && UdpSocket::bind(at(*port)).is_ok())
        .expect("a free port")
}

fn role(lab: &Lab, role: &str, port: u16) -> Command {
    let mut command = Command::new(&lab.program);
    command.args([role, "--address", &format!("127.0.0.1:{port}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server and waits until its port is taken, in the kernel's own table.
fn start_server(lab: &Lab, port: u16, table: &str) -> Running {
    let mut server = Running(role(lab, "server", port).spawn().expect("the server starts"));
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
fn type_to_client(lab: &Lab, port: u16, lines: &str) -> Output {
    let mut client = role(lab, "client", port).spawn().expect("the client starts");
    client.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("the lines are typed");
    client.wait_with_output().expect("the client ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn server_and_client_of_lab_01_talk_in_two_terminals() {
    let (lab, port) = (lab(1), free_port(22_000));
    let mut server = start_server(&lab, port, "udp");
    let output = type_to_client(&lab, port, "hello\n\n你好\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains(&format!("HELLO (127.0.0.1:{port})")), "{printed}");
    assert!(printed.contains(&format!("你好 (127.0.0.1:{port})")), "{printed}");
    assert!(printed.starts_with(">>>"), "the client prompts: {printed}");
    assert_eq!(text(&output.stderr), "");
    let _ = server.0.kill();
    let mut heard = String::new();
    server.0.stdout.take().expect("a pipe").read_to_string(&mut heard).expect("text");
    assert!(heard.contains("hello"), "{heard}");
}

#[test]
fn one_server_of_lab_01_serves_one_client_after_the_other() {
    let (lab, port) = (lab(1), free_port(23_000));
    let _server = start_server(&lab, port, "udp");
    for line in ["first", "second"] {
        let output = type_to_client(&lab, port, &format!("{line}\n"));
        assert!(text(&output.stdout).contains(&line.to_uppercase()), "{}", text(&output.stdout));
    }
}

#[test]
fn calls_shows_each_system_call_beside_what_the_program_prints() {
    let (lab, port) = (lab(1), free_port(24_000));
    let _server = start_server(&lab, port, "udp");
    let mut client = role(&lab, "client", port);
    let mut client = client.arg("--calls").spawn().expect("the client starts");
    client.stdin.take().expect("a pipe").write_all(b"hello\n").expect("a line");
    let output = client.wait_with_output().expect("the client ends");
    let calls = text(&output.stderr);
    assert!(calls.contains(&format!("sendto(3, \"hello\", to 127.0.0.1:{port}) = 5")), "{calls}");
    assert!(!text(&output.stdout).contains("sendto"), "{}", text(&output.stdout));
}

#[test]
fn ctrl_d_ends_a_client_quietly() {
    let (lab, port) = (lab(12), free_port(25_000));
    let _server = start_server(&lab, port, "tcp");
    let output = type_to_client(&lab, port, "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn ctrl_c_ends_a_server_quietly() {
    let (lab, port) = (lab(1), free_port(26_000));
    let mut server = start_server(&lab, port, "udp");
    kill_process(Pid::from_child(&server.0), Signal::INT).expect("a signal");
    let _ = server.0.wait().expect("the server ends");
    let mut said = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(said, "");
}

#[test]
fn a_server_by_hand_can_be_reached_from_this_machine_only() {
    let (lab, port) = (lab(12), free_port(27_000));
    let _server = start_server(&lab, port, "tcp");
    let table = fs::read_to_string("/proc/net/tcp").expect("a table");
    let listening: Vec<&str> =
        table.lines().filter(|line| line.contains(&format!(":{port:04X} 00000000:0000 0A"))).collect();
    assert!(!listening.is_empty(), "{table}");
    assert!(listening.iter().all(|line| line.contains("0100007F:")), "{listening:?}");
}
