//! Our roles by hand and Python programs that follow the classic texts understand each other, both ways round.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use support::by_hand::{Running, free_port, lab, role, start_server, text, type_to_client};
use support::{PATIENCE, has, project, run, skip};

/// Whether Python is there; says so if it is not.
fn python(test: &str) -> bool {
    if !has("python3") {
        skip(test, "python3 is not installed");
    }
    has("python3")
}

fn peer(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg(project("tests/peers").join(program)).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a Python server and waits for it to say that it is ready.
fn start_peer(program: &str, port: u16) -> Running {
    let mut server = Running(peer(program, &["server", &port.to_string()]).spawn().expect("python3 starts"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n", "{program} did not start");
    server
}

/// What a Python client prints until it ends.
fn ask(program: &str, port: u16, words: &[&str]) -> String {
    let port = port.to_string();
    let arguments: Vec<&str> = ["client", &port].iter().chain(words).copied().collect();
    let output = run(&mut peer(program, &arguments));
    assert!(output.status.success(), "{program}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn start_command_server(number: u64, port: u16) -> Running {
    start_server(role(&lab(number), "server", port).arg("--allow-commands"), port, "tcp")
}

#[test]
fn a_python_client_reads_what_our_low_version_server_sends() {
    if !python("a_python_client_reads_what_our_low_version_server_sends") {
        return;
    }
    let port = free_port(20_100);
    let _server = start_command_server(27, port);
    let answers = ask("low_version.py", port, &["echo hello", "seq 1 500", "echo oops >&2"]);
    let long: String = (1..=500).map(|number| format!("{number}\n")).collect();
    assert_eq!(answers, format!("6:hello\n\n1892:{long}\n5:oops\n\n"));
}

#[test]
fn our_low_version_client_reads_what_a_python_server_sends() {
    if !python("our_low_version_client_reads_what_a_python_server_sends") {
        return;
    }
    let port = free_port(20_200);
    let _server = start_peer("low_version.py", port);
    let output = type_to_client(&lab(27), port, "echo hello\n\nseq 1 500\nquit\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.starts_with(">>: hello\n>>: >>: 1\n2\n3\n"), "{printed}");
    assert!(printed.contains("499\n500\n>>: "), "{printed}");
}

#[test]
fn a_python_client_reads_what_our_struct_header_server_sends() {
    if !python("a_python_client_reads_what_our_struct_header_server_sends") {
        return;
    }
    let port = free_port(20_300);
    let _server = start_command_server(30, port);
    let answers = ask("struct_header.py", port, &["echo hello", "true", "seq 1 500"]);
    let long: String = (1..=500).map(|number| format!("{number}\n")).collect();
    assert_eq!(answers, format!("6:hello\n\n0:\n1892:{long}\n"));
}

#[test]
fn our_struct_header_client_reads_what_a_python_server_sends() {
    if !python("our_struct_header_client_reads_what_a_python_server_sends") {
        return;
    }
    let port = free_port(20_400);
    let _server = start_peer("struct_header.py", port);
    let output = type_to_client(&lab(30), port, "echo hello\ntrue\nseq 1 500\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.starts_with(">>: i32 6\nhello\n>>: i32 0\n\n>>: i32 1892\n1\n2\n"), "{printed}");
    assert!(printed.contains("499\n500\n"), "{printed}");
}

#[test]
fn a_python_client_hears_our_udp_echo() {
    if !python("a_python_client_hears_our_udp_echo") {
        return;
    }
    let port = free_port(20_500);
    let _server = start_server(&mut role(&lab(1), "server", port), port, "udp");
    assert_eq!(ask("udp_echo.py", port, &["hello", "straße é 你好"]), "HELLO\nSTRAßE é 你好\n");
}

#[test]
fn our_client_hears_a_python_udp_echo() {
    if !python("our_client_hears_a_python_udp_echo") {
        return;
    }
    let port = free_port(20_600);
    let _server = start_peer("udp_echo.py", port);
    let output = type_to_client(&lab(1), port, "hello\n你好\n");
    let printed = text(&output.stdout);
    assert!(printed.contains("HELLO (127.0.0.1:") && printed.contains("你好 (127.0.0.1:"), "{printed}");
}

#[test]
fn a_python_client_hears_the_true_time_from_our_time_server() {
    if !python("a_python_client_hears_the_true_time_from_our_time_server") {
        return;
    }
    let port = free_port(28_100);
    let _server = start_server(&mut role(&lab(8), "server", port), port, "udp");
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    let before = seconds();
    let printed = ask("time_server.py", port, &["%s", "", "%Y年", "no percent"]);
    let lines: Vec<&str> = printed.lines().collect();
    let told: u64 = lines[0].parse().expect("seconds since 1970");
    assert!((before..=seconds()).contains(&told), "{printed}");
    assert_eq!(lines[1].len(), "2026-11-21 02:01:06".len(), "{printed}");
    assert_eq!(lines[2..], [format!("{}年", &lines[1][..4]), "no percent".to_owned()]);
}

#[test]
fn our_client_hears_the_time_from_a_python_time_server() {
    if !python("our_client_hears_the_time_from_a_python_time_server") {
        return;
    }
    let port = free_port(28_200);
    let _server = start_peer("time_server.py", port);
    let output = type_to_client(&lab(8), port, "  no percent  \n\n%Y年\n");
    let printed = text(&output.stdout);
    let told: Vec<&str> =
        printed.split("current date: ").skip(1).map(|told| told.lines().next().unwrap_or("")).collect();
    let [literal, default, year] = told[..] else { panic!("{printed}") };
    assert_eq!((literal, default.len()), ("no percent", 19), "{printed}");
    assert_eq!(year, format!("{}年", &default[..4]), "{printed}");
}

#[test]
fn a_python_client_sends_again_what_our_lossy_server_lost() {
    if !python("a_python_client_sends_again_what_our_lossy_server_lost") {
        return;
    }
    let port = free_port(28_300);
    let _server = start_server(role(&lab(9), "server", port).args(["--scene", "5"]), port, "udp");
    assert_eq!(ask("udp_numbered.py", port, &["hello", "world", "egon"]), "1.1\n2.1\n2.2\n3.1\n");
}

#[test]
fn our_client_sends_again_what_a_python_server_left_without_an_answer() {
    if !python("our_client_sends_again_what_a_python_server_left_without_an_answer") {
        return;
    }
    let port = free_port(28_400);
    let mut server = start_peer("udp_numbered.py", port);
    let client = run(role(&lab(9), "client", port).args(["--scene", "5"]));
    assert!(client.status.success(), "{}", text(&client.stderr));
    // Each first attempt is left without an answer.
    let told: Vec<String> = text(&client.stdout).lines().map(|line| line[..8].to_owned()).collect();
    assert_eq!(told, ["number 1", "number 2", "number 3"]);
    server.0.kill().expect("the server is ended");
    let mut printed = String::new();
    server.0.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("its words");
    assert_eq!(printed, "hello\nworld\negon\n");
}

#[test]
fn a_server_executes_nothing_unless_it_is_allowed_to() {
    for number in [27, 30] {
        let output = run(&mut role(&lab(number), "server", free_port(20_700)));
        assert_eq!(output.status.code(), Some(2));
        for words in ["--allow-commands", "as you", "5 s", "1 MiB"] {
            assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_command_without_end_is_ended() {
    let port = free_port(20_800);
    let _server = start_command_server(30, port);
    // `yes` writes for ever; `sleep` would keep the server waiting. Both are over soon, and the server goes on.
    let output = type_to_client(&lab(30), port, "yes\nsleep 1000\necho alive\n");
    let printed = text(&output.stdout);
    assert!(printed.contains("i32 1048576\n"), "{} bytes", printed.len());
    assert!(printed.contains("i32 0\n") && printed.contains("alive\n"), "{}", &printed[printed.len() - 200..]);
}

#[test]
fn what_a_command_started_does_not_outlive_its_server() {
    let port = free_port(20_900);
    let mut server = start_command_server(30, port);
    let client = role(&lab(30), "client", port).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut client = Running(client);
    let marker = format!("1{port}.{}", std::process::id());
    let line = format!("sleep {marker}\n");
    std::io::Write::write_all(client.0.stdin.as_mut().expect("a pipe"), line.as_bytes()).expect("a line");
    let began = Instant::now();
    while !runs(&marker) {
        assert!(began.elapsed() < PATIENCE, "the command did not start");
        std::thread::yield_now();
    }
    let _ = server.0.kill();
    while runs(&marker) {
        assert!(began.elapsed() < PATIENCE, "the command outlives its server");
        std::thread::yield_now();
    }
}

/// Whether a process has this word on its command line, other than as a part of one.
fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mut lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.any(|line| line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()))
}
