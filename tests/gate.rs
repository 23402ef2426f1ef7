//! The gate: a program that does not start, or that is not at `PORT`, fails all checks for this one reason, at every
//! tier; and what it may have is the same on every machine.

use std::fs;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value as Json;

use crate::support::{run, socklab};

/// Judges this Python program, in a folder of its own.
fn grade(program: &str, exercise: &str, flags: &[&str]) -> Json {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("program.py"), program).expect("a program");
    let output = run(socklab().current_dir(folder.path()).args(["grade", exercise, "--json"]).args(flags).args([
        "--",
        "python3",
        "program.py",
    ]));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    })
}

fn why(grade: &Json) -> String {
    grade["checks"][0]["failure"]["why"].to_string()
}

const UPPERCASE: &str = "
import os, socket
listener = socket.create_server((HOST, PORT))
while True:
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(4096):
            conn.sendall(data.upper())
";

const FRAMES: &str = "
import os, socket, struct, sys
conn = socket.create_connection((HOST, PORT))
for line in sys.stdin.buffer.read().splitlines():
    conn.sendall(struct.pack('!I', len(line)) + line)
    print(conn.recv(struct.unpack('!I', conn.recv(4))[0]).decode(), flush=True)
";

const DATAGRAMS: &str = "
import os, socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))
while True:
    data, client = sock.recvfrom(65535)
    sock.sendto(data.upper(), client)
";

const ASKS: &str = "
import os, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((HOST, PORT))
for line in sys.stdin.buffer.read().splitlines():
    sock.send(line)
    print(sock.recv(2000).decode(), flush=True)
";

fn at(program: &str, port: &str) -> String {
    program.replace("HOST", "'127.0.0.1'").replace("PORT", port)
}

#[test]
fn a_hard_coded_port_fails_at_every_tier_and_is_named() {
    for (exercise, program, port) in
        [("15", UPPERCASE, "8080"), ("30-client", FRAMES, "8080"), ("01", DATAGRAMS, "9000"), ("05", ASKS, "9003")]
    {
        for flags in [&[][..], &["--without", "network"]] {
            let grade = grade(&at(program, port), exercise, flags);
            assert_eq!(grade["points"], 0, "{exercise} {flags:?}: {grade}");
            assert!(grade["gate"].is_string(), "{exercise} {flags:?}: {grade}");
            assert!(why(&grade).contains(&format!("it takes port {port}")), "{exercise} {flags:?}: {}", why(&grade));
        }
    }
}

#[test]
fn one_that_listens_elsewhere_fails_the_gate_and_is_not_told_of_the_default_port() {
    let grade = grade(&at(UPPERCASE, "7777"), "15", &[]);
    let (got, gate) = (&grade["checks"][0]["failure"]["got"]["words"], &grade["gate"]);
    assert_eq!((gate.as_str(), &grade["points"]), (Some("starts, and listens on PORT with TCP"), &Json::from(0)));
    assert_eq!(got, "a TCP socket that listens on 127.0.0.1:7777");
    assert!(!why(&grade).contains("it takes port"), "{}", why(&grade));
}

#[test]
fn what_does_not_start_earns_nothing_in_any_exercise() {
    for exercise in
        ["01", "01-client", "02", "05", "08", "13", "15", "18", "20", "27", "30", "30-client", "31", "32", "36"]
    {
        let grade = grade("raise SystemExit(1)", exercise, &[]);
        assert_eq!((&grade["points"], grade["gate"].is_string()), (&Json::from(0), true), "{exercise}: {grade}");
        let others = grade["checks"].as_array().expect("checks").iter().skip(1);
        for other in others {
            let what = other["failure"]["what"].as_str().unwrap_or_default();
            assert!(what.starts_with("not applied"), "{exercise}: {other}");
        }
    }
}

#[test]
fn children_that_nobody_waits_for_are_too_many_whatever_the_number_of_processors() {
    let forks = "
import os, socket
listener = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))
while True:
    conn, _ = listener.accept()
    if os.fork() == 0:
        while data := conn.recv(4096):
            conn.sendall(data.upper())
        os._exit(0)
    conn.close()
";
    let ours = sched_getaffinity(None).expect("processors");
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|cpu| ours.is_set(*cpu)).expect("a processor"));
    for processors in [&one, &ours] {
        // Of this test's thread alone, and of what it starts.
        sched_setaffinity(None, processors).expect("fewer processors");
        let grade = grade(forks, "15", &["--check", "hundred-clients"]);
        assert_eq!(grade["limits"]["processes"], 80);
        assert_eq!(grade["checks"][0]["verdict"], "fail", "{grade}");
    }
}
