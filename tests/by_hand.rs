//! Roles by hand: the same functions as plain programs that talk to each other.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::by_hand::{free_port, lab, role, start_server, text, type_to_client};
use crate::support::{finish, has, skip};

#[test]
fn server_and_client_of_lab_01_talk_in_two_terminals() {
    let (lab, port) = (lab(1), free_port(22_000));
    let mut server = start_server(&mut role(&lab, "server", port), port, "udp");
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
    let _server = start_server(&mut role(&lab, "server", port), port, "udp");
    for line in ["first", "second"] {
        let output = type_to_client(&lab, port, &format!("{line}\n"));
        assert!(text(&output.stdout).contains(&line.to_uppercase()), "{}", text(&output.stdout));
    }
}

#[test]
fn calls_shows_each_system_call_beside_what_the_program_prints() {
    let (lab, port) = (lab(1), free_port(24_000));
    let _server = start_server(&mut role(&lab, "server", port), port, "udp");
    let mut client = role(&lab, "client", port);
    let mut client = client.arg("--calls").spawn().expect("the client starts");
    client.stdin.take().expect("a pipe").write_all(b"hello\n").expect("a line");
    let output = finish(client);
    let calls = text(&output.stderr);
    assert!(calls.contains(&format!("sendto(3, \"hello\", to 127.0.0.1:{port}) = 5")), "{calls}");
    assert!(!text(&output.stdout).contains("sendto"), "{}", text(&output.stdout));
}

#[test]
fn a_role_by_hand_is_that_of_the_first_scene_that_has_it() {
    // Scene 1 has no such role. The chat asks whom to talk to, and ends with its input.
    let output = finish(role(&lab(7), "taibai", free_port(29_000)).stdin(Stdio::null()).spawn().expect("it starts"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "choose whom to talk to, or q to end: \n");
    let output = finish(role(&lab(7), "taibai", free_port(29_200)).args(["--scene", "1"]).spawn().expect("it starts"));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
}

#[test]
fn ctrl_d_ends_a_client_quietly() {
    let (lab, port) = (lab(12), free_port(25_000));
    let _server = start_server(&mut role(&lab, "server", port), port, "tcp");
    let output = type_to_client(&lab, port, "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn ctrl_c_ends_a_server_quietly() {
    let (lab, port) = (lab(1), free_port(26_000));
    let mut server = start_server(&mut role(&lab, "server", port), port, "udp");
    kill_process(Pid::from_child(&server.0), Signal::INT).expect("a signal");
    let _ = server.0.wait().expect("the server ends");
    let mut said = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(said, "");
}

#[test]
fn a_server_that_does_not_hear_the_goodbye_of_lab_13_burns_a_processor_and_never_sleeps() {
    let (lab, port) = (lab(13), free_port(28_000));
    let server = start_server(role(&lab, "server", port).stdout(Stdio::null()), port, "tcp");
    let (pid, began) = (server.0.id(), Instant::now());
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody listens");
    }
    // First a while to begin with, then as much again: a tick of the kernel's clock is 10 ms of processor time.
    let until = |ticks: u64| {
        while processor_ticks(pid) < ticks {
            assert!(began.elapsed() < Duration::from_secs(30), "{} ticks", processor_ticks(pid));
            std::thread::yield_now();
        }
        sleeps(pid)
    };
    let before = until(10);
    assert_eq!(until(30), before, "it slept, for 200 ms of processor time");
}

/// How much processor time a process has used, `utime` and `stime` of `proc(5)`.
fn processor_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it is there");
    let fields = stat.rsplit_once(") ").expect("a name in brackets").1.split(' ');
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// How often a process went to sleep by itself.
fn sleeps(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).expect("a count");
    line.trim().parse().expect("a number")
}

#[test]
fn a_server_by_hand_can_be_reached_from_this_machine_only() {
    let (lab, port) = (lab(12), free_port(27_000));
    let _server = start_server(&mut role(&lab, "server", port), port, "tcp");
    let table = fs::read_to_string("/proc/net/tcp").expect("a table");
    let listening: Vec<&str> =
        table.lines().filter(|line| line.contains(&format!(":{port:04X} 00000000:0000 0A"))).collect();
    assert!(!listening.is_empty(), "{table}");
    assert!(listening.iter().all(|line| line.contains("0100007F:")), "{listening:?}");
}

#[test]
fn colours_reach_a_terminal_and_not_one_whose_user_wants_none() {
    if !has("python3") {
        return skip("colours_reach_a_terminal_and_not_one_whose_user_wants_none", "python3 is not installed");
    }
    let (lab, port) = (lab(7), free_port(26_600));
    let (taibai, jedan) = (port + 1, port + 2);
    for (no_colour, shown) in [("", "taibai: \x1b[1;34;43mhello\x1b[0m"), ("1", "taibai: hello")] {
        let mut terminal = Command::new("python3");
        terminal.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]).arg(&lab.program);
        terminal.args(["jedan", "--scene", "7", "--address", &format!("127.0.0.1:{port}")]);
        terminal.env("TERM", "xterm").env("NO_COLOR", no_colour).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut chat = start_server(&mut terminal, jedan, "udp");
        let friend = UdpSocket::bind((Ipv4Addr::LOCALHOST, taibai)).expect("a socket");
        friend.send_to(b"hello", (Ipv4Addr::LOCALHOST, jedan)).expect("a message");
        chat.0.stdin.take().expect("a pipe").write_all(b"taibai\n\nq\nq\n").expect("lines");
        let mut printed = String::new();
        chat.0.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
        assert!(printed.contains(shown), "{printed:?}");
    }
}
