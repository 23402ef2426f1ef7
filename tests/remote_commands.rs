//! Commands that come over the network: which are executed, for whom, and within which limits.
//!
//! The rule is the same for all labs that have them. In a demo a server executes the commands of its scene, and no
//! others. By hand it must be allowed to, listens on this machine's loopback, executes nothing that a web page can make
//! a browser send, and limits each command's time and output.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{
    Host, Lab, Running, chosen_labs, fixture, has, lab, project, read, run, side_by_side, skip, text, wait_until,
};

/// The labs of which some role executes commands.
fn family() -> Vec<Lab> {
    let runs = |lab: &Lab| {
        let program = read(&format!("labs/{}/main.rs", lab.folder));
        [".runs_commands()", ".runs_also("].iter().any(|words| program.contains(words))
    };
    chosen_labs().into_iter().filter(runs).collect()
}

/// The scenes of a lab in which the server executes commands. None is started: the address is not this machine's alone.
fn scenes(lab: &Lab) -> Vec<String> {
    let all = (1..100).map(|number: u32| number.to_string());
    let asked = all.map(|scene| {
        let words = ["server", "--scene", &scene, "--allow-commands", "--address", "192.0.2.1:9000"];
        let output = run(lab.command().args(words));
        assert_eq!(output.status.code(), Some(2), "{} {scene}: {}", lab.folder, text(&output.stderr));
        (text(&output.stderr), scene)
    });
    let there = asked.take_while(|(said, _)| !said.contains("there is no scene"));
    there.filter(|(said, _)| said.contains("can be reached from outside")).map(|(_, scene)| scene).collect()
}

fn start(host: &Host, lab: &Lab, scene: &str) -> Running {
    host.start_server(host.role(lab, "server").args(["--scene", scene, "--allow-commands"]), "tcp")
}

/// Has a browser connect and send these pieces; whether somebody listens.
fn browse(host: &Host, pieces: &[&str]) -> bool {
    let mut browser = Command::new("python3");
    browser.arg(project("tests/peers/browser.py")).args(["client", &host.port().to_string()]).args(pieces);
    let output = run(host.enter(&mut browser));
    assert!(matches!(output.status.code(), Some(0 | 9)), "{}", text(&output.stderr));
    output.status.success()
}

fn said_by(mut server: Running) -> (Option<i32>, String) {
    let status = server.0.wait().expect("the server ends");
    let mut said = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    (status.code(), said)
}

/// What a page makes a browser send, piece by piece, with a command in it.
fn requests(command: &str) -> Vec<Vec<String>> {
    let head = "Host: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\n";
    let one = |text: String| vec![text];
    // A path that fills a server's buffer, so that the body comes first in a later piece.
    let long = format!("POST /{} HTTP/1.1\r\n{head}", "a".repeat(2048 - 17 - head.len()));
    let hex = |bytes: &[u8]| format!("hex:{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let hello = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(), &[0xc0; 500]].concat();
    // A page chooses the user name that a browser gives to a TURN server, RFC 8656.
    let turn =
        [b"\x00\x03\x00\x40\x21\x12\xa4\x42abcdefghijkl\x00\x06\x00\x20".as_slice(), command.as_bytes()].concat();
    let behind_a_length =
        |length: [u8; 4], text: &str| hex(&[length.as_slice(), format!("{text}\n{command}\n").as_bytes()].concat());
    let framed = format!("POST / HTTP/1.1\r\n{head}\n{command}\n");
    let length = framed.len() as u32;
    vec![
        one(format!("POST / HTTP/1.1\r\n{head}\n{command}\n")),
        one(format!("GET /\n{command}\n HTTP/1.1\r\n{head}")),
        one(format!("post http://127.0.0.1/ http/1.1\r\n{head}\n{command}\n")),
        // Under a name that stands for 127.0.0.1 since a minute ago.
        one(format!("GET / HTTP/1.1\r\nHost: rebound.example:8080\r\n\r\n{command}\n")),
        vec![format!("POST / HTTP/1.1\r\n{head}"), command.to_owned(), command.to_owned()],
        vec![long, command.to_owned()],
        // Cut on its way: in the method, behind it, in the path.
        vec!["PO".to_owned(), format!("ST / HTTP/1.1\r\n{head}"), command.to_owned()],
        vec!["POST".to_owned(), format!(" / HTTP/1.1\r\n{head}"), command.to_owned()],
        vec!["GET /a".to_owned(), format!(";{command}"), format!("; HTTP/1.1\r\n{head}")],
        // HTTP/2, TLS, TURN.
        vec!["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), command.to_owned()],
        vec![hex(&hello), command.to_owned()],
        vec![hex(&turn), command.to_owned()],
        // Behind a length, as a request with a header is, in both orders.
        vec![behind_a_length(length.to_be_bytes(), &framed), command.to_owned()],
        vec![behind_a_length(length.to_le_bytes(), &framed), command.to_owned()],
    ]
}

#[test]
fn a_demo_executes_the_commands_of_its_scene_and_no_other() {
    let output = run(fixture("commanding-roles").args(["--scene", "1"]));
    let told = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in [
        r#"system("echo typed") = 0, 6 bytes on standard output"#,
        r#"system("echo a; echo b") = 0, 4 bytes on standard output"#,
        r#"system("echo neither") = 126, "#,
        r#""" "this command is not one of the demo's\n""#,
    ] {
        assert!(told.contains(line), "{line} is not in: {told}");
    }
}

#[test]
fn a_server_executes_nothing_unless_it_is_allowed_to() {
    side_by_side(&family(), |lab| {
        assert!(!scenes(lab).is_empty(), "{}: no scene executes commands", lab.folder);
        for scene in scenes(lab) {
            let output = run(Host::open().role(lab, "server").args(["--scene", &scene]));
            assert_eq!(output.status.code(), Some(2), "{} {scene}", lab.folder);
            for words in ["--allow-commands", "as you", "5 s", "1 MiB", "a web browser's requests are refused"] {
                assert!(text(&output.stderr).contains(words), "{} {scene}: {}", lab.folder, text(&output.stderr));
            }
        }
    });
}

#[test]
fn a_server_that_is_allowed_to_is_for_this_machine_only_and_says_so() {
    side_by_side(&family(), |lab| {
        let scene = &scenes(lab)[0];
        // There is no flag that makes it public, and no address that does.
        for words in [["--public", "--allow-commands"].as_slice(), &["--allow-commands", "--address", "0.0.0.0:8080"]] {
            let output = run(lab.command().args(["server", "--scene", scene]).args(words));
            assert_eq!(output.status.code(), Some(2), "{} {words:?}: {}", lab.folder, text(&output.stderr));
        }
        let host = Host::open();
        let mut server = start(&host, lab, scene);
        let row = format!("0100007F:{:04X} 00000000:0000 0A", host.port());
        assert!(host.table("tcp").contains(&row), "{}", host.table("tcp"));
        let _ = server.0.kill();
        let (_, said) = said_by(server);
        for words in ["every program on this machine can connect to", "execute commands as you", "and end server"] {
            assert!(said.contains(words), "{}: {words} is not in: {said}", lab.folder);
        }
    });
}

/// A web page can make a browser connect to a port of this machine, and choose much of what that sends.
#[test]
fn nothing_of_what_a_web_page_sends_is_executed() {
    if !has("python3") {
        return skip("nothing_of_what_a_web_page_sends_is_executed", "python3 is not installed");
    }
    let of = |lab: Lab| {
        // Scenes differ in how they frame, not in how they execute: of many that are alike, the first ones.
        let scenes: Vec<String> = scenes(&lab).into_iter().take(4).collect();
        scenes.into_iter().map(move |scene| (lab.number, scene)).collect::<Vec<_>>()
    };
    let all: Vec<(u64, String)> = family().into_iter().flat_map(of).collect();
    side_by_side(&all, |(number, scene)| {
        let folder = tempfile::tempdir().expect("a folder");
        let marker = folder.path().join("pwned");
        let host = Host::open();
        let mut server: Option<Running> = None;
        for pieces in requests(&format!("touch {}", marker.display())) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            // One that has refused the last request has ended, or is about to.
            while !browse(&host, &pieces) {
                if let Some(mut last) = server.take() {
                    last.0.wait().expect("it ends");
                }
                server = Some(start(&host, &lab(*number), scene));
            }
            assert_not_executed(&marker, &format!("lab {number}, scene {scene}: {pieces:?}"));
        }
    });
}

fn assert_not_executed(marker: &Path, what: &str) {
    assert!(!marker.exists(), "executed: {what}");
}

#[test]
fn a_server_that_was_sent_a_browsers_request_says_so_and_ends() {
    if !has("python3") {
        return skip("a_server_that_was_sent_a_browsers_request_says_so_and_ends", "python3 is not installed");
    }
    let all: Vec<Lab> = family().into_iter().filter(|lab| [27, 30, 34].contains(&lab.number)).collect();
    side_by_side(&all, |lab| {
        for (index, pieces) in requests("touch /nonexistent/pwned").into_iter().enumerate().take(12) {
            let host = Host::open();
            let server = start(&host, lab, "1");
            assert!(browse(&host, &pieces.iter().map(String::as_str).collect::<Vec<_>>()));
            let (code, said) = said_by(server);
            assert_eq!(code, Some(1), "{}, {pieces:?}: {said}", lab.folder);
            let why = if index == 11 { "another protocol is spoken" } else { "this is a web browser's request" };
            for words in ["refused: ", why, "Nothing was executed"] {
                assert!(said.contains(words), "{}, {pieces:?}: {words} is not in: {said}", lab.folder);
            }
        }
    });
}

#[test]
fn a_command_without_end_is_ended() {
    let host = Host::open();
    let _server = start(&host, &lab(30), "1");
    // `yes` writes for ever; `sleep` would keep the server waiting. Both are over soon, and the server goes on.
    let output = host.type_to_client(&lab(30), "yes\nsleep 1000\necho alive\n");
    let printed = text(&output.stdout);
    assert!(printed.contains("i32 1048576\n"), "{} bytes", printed.len());
    assert!(printed.contains("i32 0\n") && printed.contains("alive\n"), "{}", &printed[printed.len() - 200..]);
}

/// Lab 34's servers read a command's outputs themselves.
#[test]
fn a_command_whose_output_a_server_reads_itself_is_ended_as_well() {
    let host = Host::open();
    let _server = start(&host, &lab(34), "1");
    let commands = "cat /dev/zero >&2\nsleep 1000 & echo left\nprintf %065537d 0\necho alive\n";
    let output = host.type_to_client(&lab(34), commands);
    let printed = text(&output.stdout);
    // The last one gets stuck, and is killed when its time is over: then its output can be read.
    for words in ["1048576 bytes: ", "5 bytes: left\n", "65536 bytes: 0", "6 bytes: alive\n"] {
        assert!(printed.contains(words), "{words} is not in: {printed}");
    }
}

#[test]
fn what_a_command_started_does_not_outlive_its_server() {
    for number in [30, 34] {
        let (lab, host) = (lab(number), Host::open());
        let mut server = start(&host, &lab, "1");
        let client = host.role(&lab, "client").stdin(Stdio::piped()).spawn().expect("it starts");
        let mut client = Running(client);
        let marker = format!("1{}.{}{number}", host.port(), std::process::id());
        let line = format!("sleep {marker}\n");
        client.0.stdin.as_mut().expect("a pipe").write_all(line.as_bytes()).expect("a line");
        wait_until("the command starts", || runs(&marker));
        let _ = server.0.kill();
        wait_until("the command ends with its server", || !runs(&marker));
    }
}

/// Whether a process has this word on its command line, other than as a part of one.
fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mut lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.any(|line| line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()))
}
