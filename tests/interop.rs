//! Our roles by hand and Python programs that follow the classic texts understand each other, both ways round, where
//! more is to be seen than in the scene that `twins.rs` plays.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Mode};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Host, Running, finish, has, has_private_hosts, lab, project, read, run, skip, text, wait_until};

/// Whether Python is there; says so if it is not.
fn python(test: &str) -> bool {
    if !has("python3") {
        skip(test, "python3 is not installed");
    }
    has("python3")
}

fn peer(host: &Host, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg(project("tests/peers").join(program)).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    host.enter(&mut command);
    command
}

/// Starts a Python server and waits for it to say that it is ready.
fn start_peer(host: &Host, program: &str) -> Running {
    start_mode(host, program, "server")
}

/// The same of a program that has several servers.
fn start_mode(host: &Host, program: &str, mode: &str) -> Running {
    let mut server = peer(host, program, &[mode, &host.port().to_string()]);
    let mut server = Running(server.spawn().expect("python3 starts"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n", "{program} did not start");
    server
}

/// What a Python client prints until it ends.
fn ask(host: &Host, program: &str, words: &[&str]) -> String {
    let port = host.port().to_string();
    let arguments: Vec<&str> = ["client", &port].iter().chain(words).copied().collect();
    let output = run(&mut peer(host, program, &arguments));
    assert!(output.status.success(), "{program}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a program prints until it ends.
fn printed_by(mut program: Running) -> String {
    let mut printed = String::new();
    program.0.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    printed
}

/// Types to a program, and then Ctrl-D.
fn type_to(program: &mut Running, lines: &str) {
    program.0.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("the lines are typed");
}

fn start_command_server(host: &Host, number: u64) -> Running {
    host.start_server(host.role(&lab(number), "server").arg("--allow-commands"), "tcp")
}

#[test]
fn a_python_client_reads_what_our_struct_header_server_sends() {
    if !python("a_python_client_reads_what_our_struct_header_server_sends") {
        return;
    }
    let host = Host::open();
    let _server = start_command_server(&host, 30);
    let answers = ask(&host, "struct_header.py", &["echo hello", "true", "seq 1 500"]);
    let long: String = (1..=500).map(|number| format!("{number}\n")).collect();
    assert_eq!(answers, format!("6:hello\n\n0:\n1892:{long}\n"));
}

/// What the old texts' JSON clients make of headers that ours refuses.
#[test]
fn a_python_client_believes_what_our_json_client_refuses() {
    if !python("a_python_client_believes_what_our_json_client_refuses") {
        return;
    }
    let host = Host::open();
    let _server = host.start_server(host.role(&lab(31), "server").args(["--scene", "4"]), "tcp");
    let printed = ask(&host, "json_header.py", &["12"]);
    let lines: Vec<&str> = printed.lines().collect();
    let expected = [
        "b'hello\\n'",
        "b''",
        "b''",
        "the server has gone after 6 of 6.5 bytes",
        "TypeError: ",
        "the server has gone after 6 of 9999999 bytes",
        "KeyError: 'data_size'",
        "b''",
        "JSONDecodeError: ",
        "TypeError: ",
        "JSONDecodeError: ",
        "ValueError: negative buffersize in recv",
    ];
    assert_eq!(lines.len(), expected.len(), "{printed}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(if expected.ends_with(": ") { line.starts_with(expected) } else { *line == expected }, "{printed}");
    }
}

#[test]
fn our_client_notices_that_a_python_server_counts_characters() {
    if !python("our_client_notices_that_a_python_server_counts_characters") {
        return;
    }
    let host = Host::open();
    let _server = start_mode(&host, "json_header.py", "names");
    let client = run(host.role(&lab(31), "client").args(["--scene", "6"]));
    let printed = text(&client.stdout);
    assert_eq!(printed.lines().next(), Some("a header of 29 bytes: not JSON"), "{}", text(&client.stderr));
}

#[test]
fn a_python_client_that_calls_recv_once_breaks_where_our_server_cuts_the_header() {
    if !python("a_python_client_that_calls_recv_once_breaks_where_our_server_cuts_the_header") {
        return;
    }
    let host = Host::open();
    // At a terminal it pauses until Enter is pressed.
    let mut terminal = Command::new("python3");
    terminal.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]).args(lab(32).words());
    terminal.args(["server", "--address", &host.address()]);
    host.enter(&mut terminal);
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    let server = host.start_server(&mut terminal, "tcp");
    let mut keys = server.0.stdin.as_ref().expect("a pipe");
    let mut client = peer(&host, "json_header.py", &["once", &host.port().to_string(), "20"]);
    let mut client = Running(client.spawn().expect("python3 starts"));
    let mut said = BufReader::new(client.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    for cut in 1..=20 {
        // Here the first part is all that one recv asks for, and the client waits for the second.
        let goes_on = cut == 4 || cut == 20;
        let line = if goes_on { None } else { said.next() };
        keys.write_all(b"\n").expect("Enter is pressed");
        let line = line.or_else(|| said.next()).expect("a line");
        let expected = match cut {
            1..=3 => "error: unpack requires a buffer of 4 bytes",
            4 | 20 => "b'hello\\n'",
            _ => "JSONDecodeError: ",
        };
        assert!(line.starts_with(expected), "cut after {cut}: {line}");
    }
}

#[test]
fn our_client_receives_each_message_that_a_python_server_cuts() {
    if !python("our_client_receives_each_message_that_a_python_server_cuts") {
        return;
    }
    let host = Host::open();
    let _server = start_mode(&host, "json_header.py", "cut");
    let client = run(host.role(&lab(32), "client").args(["--scene", "2"]));
    let expected: String = (1..=20).map(|cut| format!("cut after {cut}: hello\\n\n")).collect();
    assert_eq!(text(&client.stdout), expected, "{}", text(&client.stderr));
}

#[test]
fn our_struct_header_client_reads_what_a_python_server_sends() {
    if !python("our_struct_header_client_reads_what_a_python_server_sends") {
        return;
    }
    let host = Host::open();
    let _server = start_peer(&host, "struct_header.py");
    let output = host.type_to_client(&lab(30), "echo hello\ntrue\nseq 1 500\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.starts_with(">>: i32 6\nhello\n>>: i32 0\n\n>>: i32 1892\n1\n2\n"), "{printed}");
    assert!(printed.contains("499\n500\n"), "{printed}");
}

#[test]
fn a_python_program_at_a_contacts_port_chats_with_ours() {
    if !python("a_python_program_at_a_contacts_port_chats_with_ours") {
        return;
    }
    // The contacts' ports lie behind the server's: taibai's is the first, Jedan's the second.
    let host = Host::open();
    let (taibai, jedan) = (host.port() + 1, host.port() + 2);
    let mut ours = host.start_server_at(jedan, host.role(&lab(7), "jedan").args(["--scene", "7"]), "udp");
    let theirs = peer(&host, "udp_chat.py", &["friend", &jedan.to_string(), &taibai.to_string(), "hello"]).spawn();
    let mut theirs = Running(theirs.expect("python3 starts"));
    let mut said = BufReader::new(theirs.0.stdout.take().expect("a pipe")).lines();
    let mut next = || said.next().expect("a line").expect("text");
    assert_eq!(next(), "sent");
    type_to(&mut ours, "taibai\n\nhi\nq\nq\n");
    assert_eq!(next(), "hi");
    let printed = printed_by(ours);
    assert!(printed.contains("taibai: hello\n"), "{printed}");
    assert!(!printed.contains('\x1b'), "a pipe gets no colours: {printed:?}");
}

#[test]
fn a_python_client_talks_with_our_talk_loop_about_long_lines() {
    if !python("a_python_client_talks_with_our_talk_loop_about_long_lines") {
        return;
    }
    let host = Host::open();
    let _server = host.start_server(&mut host.role(&lab(11), "server"), "tcp");
    let long = "a".repeat(3000);
    let answers = ask(&host, "talk_loop.py", &["hello", &long, "你好", "bye"]);
    assert_eq!(answers, format!("HELLO\n{}\n你好\nBYE\n", long.to_uppercase()));
}

#[test]
fn our_patient_client_gets_long_answers_whole_from_a_python_talk_loop() {
    if !python("our_patient_client_gets_long_answers_whole_from_a_python_talk_loop") {
        return;
    }
    let host = Host::open();
    let _server = start_peer(&host, "talk_loop.py");
    let long = "a".repeat(3000);
    let mut client = host.role(&lab(11), "client").args(["--scene", "4"]).spawn().expect("the client starts");
    let lines = format!("{long}\n\nb\n");
    std::io::Write::write_all(client.stdin.as_mut().expect("a pipe"), lines.as_bytes()).expect("lines");
    drop(client.stdin.take());
    let output = finish(client);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let answers: Vec<&str> =
        printed.lines().filter_map(|line| line.split_once("from server msg is  ")).map(|(_, answer)| answer).collect();
    assert_eq!(answers, [long.to_uppercase().as_str(), "", "B"], "{printed}");
}

#[test]
fn our_cured_server_serves_the_next_python_client_after_one_that_was_killed() {
    if !python("our_cured_server_serves_the_next_python_client_after_one_that_was_killed") {
        return;
    }
    let host = Host::open();
    let _server = host.start_server(host.role(&lab(13), "server").args(["--scene", "4"]), "tcp");
    // It has its first answer, and waits for its next line.
    let mut first = Running(
        peer(&host, "talk_loop.py", &["client", &host.port().to_string(), "hello", ""]).spawn().expect("python3"),
    );
    let mut line = String::new();
    BufReader::new(first.0.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "HELLO\n");
    first.0.kill().expect("it is killed");
    assert_eq!(ask(&host, "talk_loop.py", &["next", "你好"]), "NEXT\n你好\n");
    assert_eq!(ask(&host, "talk_loop.py", &["and the next"]), "AND THE NEXT\n");
}

#[test]
fn our_cured_server_tells_how_each_python_client_left_and_serves_the_next() {
    if !python("our_cured_server_tells_how_each_python_client_left_and_serves_the_next") {
        return;
    }
    let host = Host::open();
    let mut server = host.start_server(host.role(&lab(15), "server").args(["--scene", "5"]), "tcp");
    assert_eq!(ask(&host, "next_caller.py", &["reset"]), "");
    assert_eq!(ask(&host, "next_caller.py", &["gbk"]), "an answer of 0 bytes\n");
    assert_eq!(ask(&host, "next_caller.py", &["q", "hello"]), "HELLO\n");
    let mut said = BufReader::new(server.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    let mut next = |words: &[&str]| {
        let line = said.find(|line| line.contains("127.0.0.1:")).expect("a line about a client");
        assert!(words.iter().any(|words| line.contains(words)), "{line}");
    };
    next(&["broke the connection off"]);
    next(&["is sent away: invalid utf-8"]);
    // Whether the answer to the q finds it there still, or brings a reset, is a race.
    next(&["has left", "broke the connection off"]);
}

#[test]
fn our_clients_are_served_by_the_classic_accept_loop_in_python_one_after_the_other() {
    if !python("our_clients_are_served_by_the_classic_accept_loop_in_python_one_after_the_other") {
        return;
    }
    let host = Host::open();
    let _server = start_peer(&host, "next_caller.py");
    for line in ["first", "second"] {
        let output = host.type_to_client(&lab(15), &format!("{line}\nq\n"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(&line.to_uppercase()), "{}", text(&output.stdout));
    }
}

#[test]
fn a_python_client_hears_the_true_time_from_our_time_server() {
    if !python("a_python_client_hears_the_true_time_from_our_time_server") {
        return;
    }
    let host = Host::open();
    let _server = host.start_server(&mut host.role(&lab(8), "server"), "udp");
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    let before = seconds();
    let printed = ask(&host, "time_server.py", &["%s", "", "%Y年", "no percent"]);
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
    let host = Host::open();
    let _server = start_peer(&host, "time_server.py");
    let output = host.type_to_client(&lab(8), "  no percent  \n\n%Y年\n");
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
    let host = Host::open();
    let _server = host.start_server(host.role(&lab(9), "server").args(["--scene", "5"]), "udp");
    assert_eq!(ask(&host, "udp_numbered.py", &["hello", "world", "egon"]), "1.1\n2.1\n2.2\n3.1\n");
}

#[test]
fn our_client_sends_again_what_a_python_server_left_without_an_answer() {
    if !python("our_client_sends_again_what_a_python_server_left_without_an_answer") {
        return;
    }
    let host = Host::open();
    let mut server = start_peer(&host, "udp_numbered.py");
    let client = run(host.role(&lab(9), "client").args(["--scene", "5"]));
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
fn our_client_needs_two_lines_to_notice_that_a_python_server_has_gone() {
    if !python("our_client_needs_two_lines_to_notice_that_a_python_server_has_gone") {
        return;
    }
    let host = Host::open();
    let _server = start_peer(&host, "goodbyes.py");
    let output = host.type_to_client(&lab(14), "hello\nare you there\nhello?\n");
    let printed = text(&output.stdout);
    let sent = "Client message has been sent\nfrom server msg is ";
    assert!(printed.ends_with(&format!(">>: {sent} HELLO\n>>: {sent} \n>>: Broken pipe (os error 32)\n")), "{printed}");
}

#[test]
fn a_python_client_that_does_not_read_its_answer_resets_our_server() {
    if !python("a_python_client_that_does_not_read_its_answer_resets_our_server") {
        return;
    }
    let host = Host::open();
    let mut server = host.start_server(host.role(&lab(14), "server").args(["--scene", "4"]), "tcp");
    assert_eq!(ask(&host, "goodbyes.py", &["hello"]), "");
    let mut said = String::new();
    std::io::Read::read_to_string(server.0.stdout.as_mut().expect("a pipe"), &mut said).expect("what it says");
    assert_eq!(said, "from client msg is  \"hello\"\nConnection reset by peer (os error 104)\n");
}

#[test]
fn our_server_that_does_not_accept_has_room_for_six_python_callers() {
    if !python("our_server_that_does_not_accept_has_room_for_six_python_callers") {
        return;
    }
    let host = Host::open();
    // At a terminal it pauses until Enter is pressed.
    let mut terminal = Command::new("python3");
    terminal.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]).args(lab(16).words());
    terminal.args(["server", "--address", &host.address()]);
    host.enter(&mut terminal);
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = host.start_server(&mut terminal, "tcp");
    assert_eq!(ask(&host, "backlog.py", &["8"]), "6 connected; TimeoutError\n");
    type_to(&mut server, "\n");
    let printed = printed_by(server);
    let counted = printed.split("ListenOverflows +").nth(1).and_then(|text| text.split(',').next());
    assert!(counted.is_some_and(|count| count.parse::<u32>().is_ok_and(|count| count > 0)), "{printed}");
}

#[test]
fn our_seventh_call_of_a_python_server_that_does_not_accept_gets_no_answer_while_it_lives() {
    if !python("our_seventh_call_of_a_python_server_that_does_not_accept_gets_no_answer_while_it_lives") {
        return;
    }
    let host = Host::open();
    let mut command = peer(&host, "backlog.py", &["server", &host.port().to_string()]);
    let mut server = Running(command.stdin(Stdio::piped()).spawn().expect("python3 starts"));
    let mut said = BufReader::new(server.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert_eq!(said.next().as_deref(), Some("ready"));
    let mut client = Running(host.role(&lab(16), "client").spawn().expect("the client starts"));
    assert_eq!(said.next().as_deref(), Some("6 wait"));
    assert!(client.0.try_wait().expect("a status").is_none(), "it has not been refused");
    drop(server.0.stdin.take());
    assert_eq!(said.next().as_deref(), Some("6 wait"));
    assert_eq!(printed_by(client), "Connection refused (os error 111)\n");
}

#[test]
fn two_hundred_python_callers_are_links_of_our_server_at_once() {
    if !python("two_hundred_python_callers_are_links_of_our_server_at_once") {
        return;
    }
    let host = Host::open();
    let server = host.start_server(host.role(&lab(16), "server").args(["--scene", "5"]), "tcp");
    let output = run(&mut peer(&host, "backlog.py", &["guests", &host.port().to_string(), "200"]));
    assert_eq!(text(&output.stdout), "200 greeted\n", "{}", text(&output.stderr));
    assert_eq!(printed_by(server), "200 links\n");
}

#[test]
fn our_client_has_two_hundred_links_with_a_python_server() {
    if !python("our_client_has_two_hundred_links_with_a_python_server") {
        return;
    }
    let host = Host::open();
    let mut server =
        Running(peer(&host, "backlog.py", &["hall", &host.port().to_string()]).spawn().expect("python3 starts"));
    let mut said = BufReader::new(server.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert_eq!(said.next().as_deref(), Some("ready"));
    let client = run(host.role(&lab(16), "client").args(["--scene", "5"]));
    assert!(client.status.success(), "{}", text(&client.stderr));
    assert_eq!(said.next().as_deref(), Some("200 links"));
}

#[test]
fn our_patient_client_finds_a_python_server_that_starts_late() {
    if !python("our_patient_client_finds_a_python_server_that_starts_late") {
        return;
    }
    let host = Host::open();
    let mut client = Running(host.role(&lab(17), "client").args(["--scene", "7"]).spawn().expect("the client starts"));
    let mut said = BufReader::new(client.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert_eq!(said.next().as_deref(), Some("attempt 1: Connection refused (os error 111)"));
    let _server = start_peer(&host, "talk_loop.py");
    let found = said.find(|line| !line.starts_with("attempt"));
    assert_eq!(found.as_deref(), Some("from server msg is  HELLO"));
}

#[test]
fn a_careless_python_client_that_is_alone_sees_what_ours_sees() {
    if !python("a_careless_python_client_that_is_alone_sees_what_ours_sees") {
        return;
    }
    let host = Host::open();
    let theirs = ask(&host, "connect_ex.py", &["hello"]);
    let ours = run(host.role(&lab(17), "client").args(["--scene", "2"]));
    assert_eq!(theirs, "[Errno 32] Broken pipe\n[Errno 107] Transport endpoint is not connected\n");
    assert_eq!(text(&ours.stdout), "Broken pipe (os error 32)\nTransport endpoint is not connected (os error 107)\n");
}

#[test]
fn a_python_server_is_stuck_in_the_pipe_that_ours_is_stuck_in() {
    let test = "a_python_server_is_stuck_in_the_pipe_that_ours_is_stuck_in";
    if !python(test) {
        return;
    }
    if !has_private_hosts() {
        return skip(test, "the program has a port of its own, and it takes private hosts");
    }
    let host = Host::open();
    let mut server = Command::new("python3");
    let server =
        host.start_server_at(8080, host.enter(server.arg(project("labs/34-remote-command/python/server.py"))), "tcp");
    let mut client = lab(34).command();
    client.args(["client", "--address", "127.0.0.1:8080"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = Running(host.enter(&mut client).spawn().expect("it starts"));
    type_to(&mut client, "printf %065536d 0\nprintf %065537d 0\n");
    let mut said = BufReader::new(client.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert_eq!(said.next(), Some(format!(">>: 65536 bytes: {:040}", 0)));
    let server = server.0.id();
    let stuck = || asleep_in(server) == Some(libc::SYS_read) && children(server).iter().any(|child| writes(*child));
    wait_until("the server waits in read, and its command in write", stuck);
}

fn writes(process: u32) -> bool {
    asleep_in(process) == Some(libc::SYS_write)
}

/// The number of the system call that a process is asleep in, `/proc/PID/syscall` of `proc(5)`.
fn asleep_in(process: u32) -> Option<i64> {
    std::fs::read_to_string(format!("/proc/{process}/syscall")).ok()?.split(' ').next()?.parse().ok()
}

fn children(process: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()
    };
    pids.filter(|pid| parent(*pid) == Some(process)).collect()
}

#[test]
fn the_child_that_a_python_server_leaves_behind_has_the_port() {
    if !python("the_child_that_a_python_server_leaves_behind_has_the_port") {
        return;
    }
    let host = Host::open();
    let printed = run(&mut peer(&host, "restart.py", &["parent", &host.port().to_string()]));
    let child = text(&printed.stdout).lines().nth(1).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    let newer = run(host.role(&lab(18), "new-server").args(["--scene", "8"]));
    kill_process(child.expect("a process id"), Signal::KILL).expect("the child is there");
    assert_eq!(text(&newer.stdout), "the port: LISTEN, sleep\nAddress already in use (os error 98)\n");
}

#[test]
fn the_old_texts_counter_loses_the_same_bytes_in_python_and_its_next_answer_fails() {
    if !python("the_old_texts_counter_loses_the_same_bytes_in_python_and_its_next_answer_fails") {
        return;
    }
    let host = Host::open();
    let _server = start_command_server(&host, 28);
    let printed = ask(&host, "accumulating_counter.py", &["low", "seq 1 500", "seq 1 600", "echo hello"]);
    let error = r"ValueError: invalid literal for int() with base 10: '540\n541\n542\n";
    assert!(printed.starts_with(&format!("1892 of 1892\n2048 of 2292\n{error}")), "{printed}");
    let printed = ask(&host, "accumulating_counter.py", &["low", "seq 1 10000", "echo hello"]);
    let error = r"ValueError: invalid literal for int() with base 10: '70\n2271\n2272\n";
    assert!(printed.starts_with(&format!("10240 of 48894\n{error}")), "{printed}");
}

#[test]
fn behind_a_json_header_the_counters_rest_is_extra_data_in_python() {
    if !python("behind_a_json_header_the_counters_rest_is_extra_data_in_python") {
        return;
    }
    let host = Host::open();
    let _server = host.start_server(host.role(&lab(28), "server").args(["--scene", "4", "--allow-commands"]), "tcp");
    let printed = ask(&host, "accumulating_counter.py", &["json", "seq 1 10000", "echo hello"]);
    assert_eq!(printed, "10240 of 48894\nJSONDecodeError: Extra data: line 2 column 1 (char 4)\n");
}

/// Our client of a scene of lab 35, at a terminal of its own: there it pauses until Enter is pressed.
fn upload_client_at_a_terminal(host: &Host, scene: &str) -> Running {
    let mut terminal = Command::new("python3");
    terminal.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]).args(lab(35).words());
    terminal.args(["client", "--scene", scene, "--address", &host.address()]);
    host.enter(&mut terminal);
    Running(terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 starts"))
}

#[test]
fn the_old_texts_upload_server_in_python_loses_half_of_what_our_client_sends_in_halves() {
    if !python("the_old_texts_upload_server_in_python_loses_half_of_what_our_client_sends_in_halves") {
        return;
    }
    let host = Host::open();
    let mut server = start_mode(&host, "upload.py", "server");
    let client = upload_client_at_a_terminal(&host, "2");
    let mut keys = client.0.stdin.as_ref().expect("a pipe");
    let said = BufReader::new(server.0.stdout.take().expect("a pipe")).lines();
    let mut said = said.map(|line| line.expect("a line"));
    assert_eq!(said.next().as_deref(), Some("header"));
    keys.write_all(b"\n").expect("Enter is pressed");
    assert_eq!(said.collect::<Vec<_>>(), ["512", "512 of 1024"]);
}

#[test]
fn the_old_texts_second_upload_server_in_python_stores_one_of_our_clients_lines() {
    if !python("the_old_texts_second_upload_server_in_python_stores_one_of_our_clients_lines") {
        return;
    }
    let host = Host::open();
    let server = start_mode(&host, "upload.py", "last");
    let _client = upload_client_at_a_terminal(&host, "4");
    assert_eq!(printed_by(server), "1 of 1024\n");
}

#[test]
fn the_old_texts_third_upload_server_in_python_stores_our_clients_second_file_in_the_first() {
    if !python("the_old_texts_third_upload_server_in_python_stores_our_clients_second_file_in_the_first") {
        return;
    }
    let host = Host::open();
    let mut server = peer(&host, "upload.py", &["greedy", &host.port().to_string()]);
    let mut server = host.start_server(server.stdin(Stdio::piped()), "tcp");
    let client = run(host.role(&lab(35), "second-client").args(["--scene", "5"]));
    assert_eq!(text(&client.stdout), "upload successful\nupload successful\n", "{}", text(&client.stderr));
    type_to(&mut server, "read\n");
    let stored = r#"b'first\n/\x00\x00\x00{"cmd": "put", "filename": "f2", "filesize": 7}second\n'"#;
    assert_eq!(printed_by(server), format!("ready\nf1: {stored}\n"));
}

#[test]
fn our_cured_upload_server_stores_all_that_a_python_client_sends() {
    if !python("our_cured_upload_server_stores_all_that_a_python_client_sends") {
        return;
    }
    let host = Host::open();
    let mut server = host.start_server(host.role(&lab(35), "server").args(["--scene", "6"]), "tcp");
    for size in ["0", "1", "1023", "1024", "1025", "5242880"] {
        assert_eq!(ask(&host, "upload.py", &[size]), "sent\n");
    }
    let said = BufReader::new(server.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    let expected = [0, 1, 1023, 1024, 1025, 5_242_880].map(|size| format!("config: {size} bytes are stored"));
    assert_eq!(said.take(6).collect::<Vec<_>>(), expected);
}

#[test]
fn the_page_on_struct_shows_what_python_says() {
    if !python("the_page_on_struct_shows_what_python_says") {
        return;
    }
    let host = Host::open();
    let output = run(&mut peer(&host, "struct_pack.py", &["script"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = read("docs/labs/29-struct-pack.md");
    let said = text(&output.stdout);
    assert!(page.contains(&said), "docs/labs/29-struct-pack.md does not have:\n{said}");
}

#[test]
fn our_headers_are_read_in_python_and_pythons_by_ours_the_same_in_all_four_ways() {
    if !python("our_headers_are_read_in_python_and_pythons_by_ours_the_same_in_all_four_ways") {
        return;
    }
    let host = Host::open();
    let expected = "06 00 00 00: '<i' 6, '>i' 100663296, '<I' 6, '>I' 100663296\n\
        00 00 00 06: '<i' 100663296, '>i' 6, '<I' 100663296, '>I' 6\n\
        32 cc 02 00: '<i' 183346, '>i' 852230656, '<I' 183346, '>I' 852230656\n\
        00 02 cc 32: '<i' 852230656, '>i' 183346, '<I' 852230656, '>I' 183346\n\
        fb ff ff ff: '<i' -5, '>i' -67108865, '<I' 4294967291, '>I' 4227858431\n";
    let ours = host.start_server(host.role(&lab(29), "server").args(["--scene", "4"]), "tcp");
    assert_eq!(ask(&host, "struct_pack.py", &[]), expected);
    drop(ours);
    let host = Host::open();
    let _theirs = start_peer(&host, "struct_pack.py");
    let output = run(host.role(&lab(29), "client").args(["--scene", "4"]));
    assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
}

/// A Python program of lab 38, in a folder of its own, on a private host.
fn start_server_of_38(host: &Host, program: &str, folder: &Path) -> Running {
    let mut server = Command::new("python3");
    server.arg(project("labs/38-path-traversal/python").join(program)).current_dir(folder);
    server.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    host.start_server_at(9991, host.enter(&mut server), "tcp")
}

/// What the client of this scene of lab 38 prints.
fn ask_server_of_38(host: &Host, scene: &str) -> String {
    let mut client = lab(38).command();
    text(&run(host.enter(client.args(["client", "--scene", scene]))).stdout)
}

#[test]
fn a_python_server_that_calls_what_a_client_names_dies_of_its_constructor() {
    let test = "a_python_server_that_calls_what_a_client_names_dies_of_its_constructor";
    if !python(test) {
        return;
    }
    if !has_private_hosts() {
        return skip(test, "the program has a port of its own, and it takes private hosts");
    }
    let (host, folder) = (Host::open(), tempfile::tempdir().expect("a folder"));
    let mut server = start_server_of_38(&host, "reflection/server.py", folder.path());
    ask_server_of_38(&host, "4");
    let mut said = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert!(said.ends_with("OSError: [Errno 9] Bad file descriptor\n"), "{said}");
    assert!(!server.0.wait().expect("a status").success());
}

#[test]
fn a_python_server_that_checks_names_stores_and_refuses_what_ours_does() {
    let test = "a_python_server_that_checks_names_stores_and_refuses_what_ours_does";
    if !python(test) {
        return;
    }
    if !has_private_hosts() {
        return skip(test, "the program has a port of its own, and it takes private hosts");
    }
    let (host, folder) = (Host::open(), tempfile::tempdir().expect("a folder"));
    let home = folder.path().join("server_home");
    std::fs::create_dir_all(home.join("sub")).expect("a folder");
    std::fs::write(folder.path().join("server.py"), "mine").expect("a file");
    for (target, name) in [("../server.py", "link"), ("..", "door"), ("/dev/null", "null")] {
        std::os::unix::fs::symlink(target, home.join(name)).expect("a link");
    }
    rustix::fs::mknodat(rustix::fs::CWD, home.join("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0)
        .expect("a FIFO");
    let _server = start_server_of_38(&host, "cure/server.py", folder.path());
    let short = |said: &str| -> Vec<String> {
        said.lines().map(|line| line.split("\": refused").next().unwrap_or(line).to_owned()).collect()
    };
    let theirs = ask_server_of_38(&host, "6");
    let ours = lab(38).shows(&["--scene", "6"]);
    let ours: Vec<&str> = ours.lines().filter_map(|line| line.strip_prefix("client  │ ")).collect();
    assert_eq!(short(&theirs), short(&ours.join("\n")), "{theirs}");
    assert_eq!(std::fs::read_to_string(folder.path().join("server.py")).expect("a file"), "mine");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

/// Starts a Python program of lab 46 in this folder, and waits until it listens under the lab's name.
fn start_of_46(host: &Host, program: &str, folder: &Path) -> Running {
    let mut server = Command::new("python3");
    server.arg(project("labs/46-unix-sockets/python/passing").join(program)).current_dir(folder);
    server.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let server = Running(host.enter(&mut server).spawn().expect("python3 starts"));
    // In /proc/net/unix: __SO_ACCEPTCON of <linux/net.h>, and the path.
    let listens = |row: &str| row.contains(" 00010000 ") && row.ends_with("lab-46.sock");
    wait_until("it listens", || host.table("unix").lines().any(listens));
    server
}

/// A role of lab 46 by hand, in this folder.
fn role_of_46(host: &Host, role: &str, scene: &str, folder: &Path) -> Command {
    let mut command = host.role(&lab(46), role);
    command.args(["--scene", scene]).current_dir(folder).stdin(Stdio::null());
    command
}

#[test]
fn our_client_reads_a_file_that_a_python_server_passes_to_it() {
    if !python("our_client_reads_a_file_that_a_python_server_passes_to_it") {
        return;
    }
    let (host, folder) = (Host::open(), tempfile::tempdir().expect("a folder"));
    let mut server = start_of_46(&host, "server.py", folder.path());
    let client = run(&mut role_of_46(&host, "client", "8", folder.path()));
    // Who is root opens the file, too, and is not refused before.
    assert!(text(&client.stdout).ends_with("nobody \n"), "{}", text(&client.stdout));
    let mut rest = String::new();
    server.0.stdout.take().expect("a pipe").read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "may open this\n");
    assert!(server.0.wait().expect("a status").success());
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_python_worker_answers_on_a_connection_that_our_server_passes_to_it() {
    if !python("a_python_worker_answers_on_a_connection_that_our_server_passes_to_it") {
        return;
    }
    let (host, folder) = (Host::open(), tempfile::tempdir().expect("a folder"));
    let mut worker = start_of_46(&host, "worker.py", folder.path());
    let mut front = host.start_server(&mut role_of_46(&host, "server", "9", folder.path()), "tcp");
    let client = run(&mut role_of_46(&host, "client", "9", folder.path()));
    assert_eq!(text(&client.stdout), "HELLO\n", "{}", text(&client.stderr));
    assert!(front.0.wait().expect("a status").success());
    assert!(worker.0.wait().expect("a status").success());
}

#[test]
fn what_a_python_file_has_read_of_a_connection_is_not_there_for_its_recv() {
    let test = "what_a_python_file_has_read_of_a_connection_is_not_there_for_its_recv";
    if !python(test) {
        return;
    }
    if !has_private_hosts() {
        return skip(test, "the program has a port of its own, and it takes private hosts");
    }
    let host = Host::open();
    let mut server = Command::new("python3");
    server.arg(project("labs/48-names-options-files/python/file/server.py"));
    server.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = host.start_server_at(8080, host.enter(&mut server), "tcp");
    run(host.enter(lab(48).command().args(["client", "--scene", "7"])));
    let mut said = String::new();
    server.0.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
    let expected = "the line: b'5\\n'\nrecv: [Errno 11] Resource temporarily unavailable\nthe body: b'hello'\n";
    assert_eq!(said, expected);
}
