//! Roles by hand: the same functions as plain programs that talk to each other.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::support::{Host, PATIENCE, Running, finish, has, has_ended, lab, project, run, skip, text, wait_until};

#[test]
fn server_and_client_of_lab_01_talk_in_two_terminals() {
    let (lab, host) = (lab(1), Host::open());
    let mut server = host.start_server(&mut host.role(&lab, "server"), "udp");
    let output = host.type_to_client(&lab, "hello\n\n你好\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains(&format!("HELLO ({})", host.address())), "{printed}");
    assert!(printed.contains(&format!("你好 ({})", host.address())), "{printed}");
    assert!(printed.starts_with(">>>"), "the client prompts: {printed}");
    assert_eq!(text(&output.stderr), "");
    let _ = server.0.kill();
    let mut heard = String::new();
    server.0.stdout.take().expect("a pipe").read_to_string(&mut heard).expect("text");
    assert!(heard.contains("hello"), "{heard}");
}

#[test]
fn one_server_of_lab_01_serves_one_client_after_the_other() {
    let (lab, host) = (lab(1), Host::open());
    let _server = host.start_server(&mut host.role(&lab, "server"), "udp");
    for line in ["first", "second"] {
        let output = host.type_to_client(&lab, &format!("{line}\n"));
        assert!(text(&output.stdout).contains(&line.to_uppercase()), "{}", text(&output.stdout));
    }
}

#[test]
fn what_listens_everywhere_on_a_private_host_is_on_the_loopback_of_one_that_has_a_network() {
    let test = "what_listens_everywhere_on_a_private_host_is_on_the_loopback_of_one_that_has_a_network";
    if fs::read_to_string("/proc/self/net/dev").expect("the interfaces").lines().count() <= 3 {
        skip(test, "this machine has no network");
        return;
    }
    let own = std::net::TcpListener::bind("127.0.0.2:0").expect("a listener");
    let port = own.local_addr().expect("an address").port();
    let address = format!("127.0.0.1:{port}");
    let mut server = lab(48).command();
    server.args(["server", "--address", &address]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = server.spawn().expect("the server starts");
    // Beside one on 127.0.0.2 there is room on 127.0.0.1, and none on 0.0.0.0.
    wait_until("it listens", || std::net::TcpStream::connect(&address).is_ok());
    let mut printed = String::new();
    server.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    server.wait().expect("it ends");
    assert!(printed.contains(&format!("listener: {address}")), "{printed}");
}

#[test]
fn calls_shows_each_system_call_beside_what_the_program_prints() {
    let (lab, host) = (lab(1), Host::open());
    let _server = host.start_server(&mut host.role(&lab, "server"), "udp");
    let mut client = host.role(&lab, "client");
    let mut client = client.arg("--calls").spawn().expect("the client starts");
    client.stdin.take().expect("a pipe").write_all(b"hello\n").expect("a line");
    let output = finish(client);
    let calls = text(&output.stderr);
    assert!(calls.contains(&format!("sendto(3, \"hello\", to {}) = 5", host.address())), "{calls}");
    assert!(!text(&output.stdout).contains("sendto"), "{}", text(&output.stdout));
}

#[test]
fn a_role_by_hand_is_that_of_the_first_scene_that_has_it() {
    let host = Host::open();
    // Scene 1 has no such role. The chat asks whom to talk to, and ends with its input.
    let output = finish(host.role(&lab(7), "taibai").stdin(Stdio::null()).spawn().expect("it starts"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "choose whom to talk to, or q to end: \n");
    let output = finish(host.role(&lab(7), "taibai").args(["--scene", "1"]).spawn().expect("it starts"));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
}

#[test]
fn a_pause_that_takes_a_terminal_is_skipped_and_that_is_said_once() {
    let (lab, host) = (lab(20), Host::open());
    let mut server = host.start_server(host.role(&lab, "server").args(["--scene", "2"]), "tcp");
    let client = finish(host.role(&lab, "client").args(["--scene", "2"]).spawn().expect("the client starts"));
    let mut said = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    for (role, said) in [("server", said), ("client", text(&client.stderr))] {
        assert!(said.starts_with(&format!("lab 20: {role}: no pause until ")), "{said}");
        assert!(said.contains("standard input is not a terminal") && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_port_in_time_wait_is_told_with_the_lab_that_shows_why() {
    const CLOSES_FIRST: &str = "
import socket, sys
at = ('127.0.0.1', int(sys.argv[1]))
listener = socket.create_server(at)
client = socket.create_connection(at)
conn, _ = listener.accept()
conn.close()
client.recv(1)
client.close()
";
    if !has("python3") {
        return skip("a_port_in_time_wait_is_told_with_the_lab_that_shows_why", "python3 is not installed");
    }
    let (lab, host) = (lab(20), Host::open());
    let mut python = Command::new("python3");
    python.args(["-c", CLOSES_FIRST, &host.port().to_string()]);
    assert!(run(host.enter(&mut python)).status.success());
    let output = finish(host.role(&lab, "server").spawn().expect("it starts"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for words in ["EADDRINUSE", "for a minute", "just lab 18 shows why", "wait", "--address"] {
        assert!(said.contains(words), "{words} is not in: {said}");
    }
}

#[test]
fn ctrl_d_ends_a_client_quietly() {
    let (lab, host) = (lab(12), Host::open());
    let _server = host.start_server(&mut host.role(&lab, "server"), "tcp");
    let output = host.type_to_client(&lab, "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn ctrl_c_ends_a_server_quietly() {
    let (lab, host) = (lab(1), Host::open());
    let mut server = host.start_server(&mut host.role(&lab, "server"), "udp");
    let pidfd = pidfd_open(Pid::from_child(&server.0), PidfdFlags::empty()).expect("it runs");
    kill_process(Pid::from_child(&server.0), Signal::INT).expect("a signal");
    assert!(has_ended(pidfd, PATIENCE), "Ctrl-C does not end the server; is SIGINT ignored here?");
    let _ = server.0.wait().expect("the server ends");
    let mut said = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(said, "");
}

#[test]
fn a_server_that_does_not_hear_the_goodbye_of_lab_13_burns_a_processor_and_never_sleeps() {
    let (lab, host) = (lab(13), Host::open());
    let server = host.start_server(host.role(&lab, "server").stdout(Stdio::null()), "tcp");
    let pid = server.0.id();
    // A client that connects and leaves without a word.
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{}", host.port());
    let client = host.enter(Command::new("bash").args(["-c", &connect])).status().expect("bash starts");
    assert!(client.success());
    // First a while to begin with, then as much again: a tick of the kernel's clock is 10 ms of processor time.
    let until = |ticks: u64| {
        wait_until("the server uses a processor", || processor_ticks(pid) >= ticks);
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
    let (lab, host) = (lab(12), Host::open());
    let _server = host.start_server(&mut host.role(&lab, "server"), "tcp");
    let (table, port) = (host.table("tcp"), host.port());
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
    let (lab, host) = (lab(7), Host::open());
    let (taibai, jedan) = (host.port() + 1, host.port() + 2);
    for (no_colour, shown) in [("", "taibai: \x1b[1;34;43mhello\x1b[0m"), ("1", "taibai: hello")] {
        let mut terminal = Command::new("python3");
        terminal.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]).args(lab.words());
        terminal.args(["jedan", "--scene", "7", "--address", &host.address()]);
        terminal.env("TERM", "xterm").env("NO_COLOR", no_colour).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut chat = host.start_server_at(jedan, host.enter(&mut terminal), "udp");
        let mut friend = Command::new("python3");
        friend.arg(project("tests/peers/udp_chat.py")).args([
            "friend",
            &jedan.to_string(),
            &taibai.to_string(),
            "hello",
        ]);
        let mut friend = Running(host.enter(&mut friend).stdout(Stdio::piped()).spawn().expect("python3 starts"));
        let mut sent = [0; 5];
        friend.0.stdout.as_mut().expect("a pipe").read_exact(&mut sent).expect("a line");
        assert_eq!(
            &sent,
            b"sent
"
        );
        chat.0.stdin.take().expect("a pipe").write_all(b"taibai\n\nq\nq\n").expect("lines");
        let mut printed = String::new();
        chat.0.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
        assert!(printed.contains(shown), "{printed:?}");
    }
}

#[test]
fn the_name_of_a_socket_that_is_missing_or_was_left_is_told_with_what_helps() {
    let (lab, folder) = (lab(46), tempfile::tempdir().expect("a folder"));
    let role = |role: &str| {
        let output = run(lab.command().arg(role).current_dir(folder.path()).stdin(Stdio::null()));
        (output.status.code(), text(&output.stderr))
    };
    let is = |(code, said): (Option<i32>, String), expected: i32, words: [&str; 2]| {
        assert_eq!(code, Some(expected), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    is(role("client"), 4, ["connect(\"lab-46.sock\"): ENOENT", "start the server first"]);
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("lab-46.sock")).expect("a socket"));
    is(role("client"), 4, ["connect(\"lab-46.sock\"): ECONNREFUSED", "rm lab-46.sock"]);
    is(role("server"), 3, ["bind(\"lab-46.sock\"): EADDRINUSE", "rm lab-46.sock"]);
}
