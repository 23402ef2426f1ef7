//! Framing is not waiting: whoever waits for a while, in whatever form, and takes what has come by then for the whole,
//! fails, if the while is at most a second.
//!
//! The wrong programs of the exercises are such programs, too, in several languages; here is every form of waiting, in
//! every exercise in which something comes in pieces.

use std::fs;
use std::sync::Mutex;
use std::thread;

use crate::support::{has, has_private_hosts, run, skip, socklab, temporary};

#[path = "../examples/framing.rs"]
mod example;

/// How a program reads `n` bytes, and the longest that it waits for them, in seconds.
const FORMS: [(&str, f64, &str); 10] = [
    ("sleeps, and takes what is there", 0.05, SLEEPS),
    ("sleeps long, and takes what is there", 1.0, SLEEPS),
    ("sleeps first, and receives once", 0.4, "time.sleep(T); data = first(conn, n)"),
    ("receives until nothing is there", 0.0, "data = first(conn, n); data += there(conn, n - len(data))"),
    ("receives until a time-out", 0.05, TIMES_OUT),
    ("receives until a long time-out", 1.0, TIMES_OUT),
    ("receives with SO_RCVTIMEO", 0.3, "limit(conn, T); data = until(conn, n, BlockingIOError); limit(conn, 0)"),
    ("selects with a time-out", 0.8, SELECTS),
    ("looks every 20 ms, for a while", 0.9, LOOKS),
    ("sleeps until FIONREAD grows no more", 0.1, GROWS_NO_MORE),
];

const SLEEPS: &str = "
    data = first(conn, n)
    if len(data) < n:
        time.sleep(T)
        data += there(conn, n - len(data))
";

const TIMES_OUT: &str = "
    conn.settimeout(T)
    data = until(conn, n, TimeoutError)
    conn.settimeout(None)
";

const SELECTS: &str = "
    data = first(conn, n)
    while len(data) < n and select.select([conn], [], [], T)[0]:
        data += first(conn, n - len(data)) or quit()
";

const LOOKS: &str = "
    data = first(conn, n)
    for _ in range(int(T / 0.02)):
        if len(data) < n:
            time.sleep(0.02)
            data += there(conn, n - len(data))
";

const GROWS_NO_MORE: &str = "
    conn.recv(1, socket.MSG_PEEK)
    before = 0
    while unread(conn) != before:
        before = unread(conn)
        time.sleep(T)
    data = first(conn, n)
";

const BEGINS: &str = r#"
import array, codecs, fcntl, os, select, socket, struct, sys, termios, time

PLACE = (os.environ["HOST"], int(os.environ["PORT"]))

def first(conn, n):
    return conn.recv(n)

def there(conn, n):
    try:
        return conn.recv(n, socket.MSG_DONTWAIT) if n else b""
    except BlockingIOError:
        return b""

def limit(conn, seconds):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@qq", 0, int(seconds * 1e6)))

def until(conn, n, over):
    data = b""
    try:
        while len(data) < n:
            piece = conn.recv(n - len(data))
            if not piece:
                break
            data += piece
    except over:
        if not data:
            return until(conn, n, over)
    return data

def unread(conn):
    count = array.array("i", [0])
    fcntl.ioctl(conn, termios.FIONREAD, count)
    return count[0]
"#;

const SERVES: &str = r#"
listener = socket.create_server(PLACE)
while True:
    conn, _ = listener.accept()
    with conn:
        try:
            serve(conn)
        except OSError:
            pass
"#;

/// The exercises in which something comes in pieces, the checks that hold one back, and a program for each.
const READERS: [(&str, &[&str], &str, &str); 7] = [
    (
        "30",
        &["split-anywhere", "second-waits"],
        r#"
def serve(conn):
    while head := recv_n(conn, 4):
        length = int.from_bytes(head.ljust(4, b"\0"), "big")
        if length > 65536:
            return
        text = recv_n(conn, length) if length else b""
        conn.sendall(len(text).to_bytes(4, "big") + text.upper())
"#,
        SERVES,
    ),
    (
        "31",
        &["length-in-pieces", "header-in-pieces", "body-in-pieces"],
        r#"
import hashlib, json

def answer(conn, **fields):
    text = json.dumps(fields).encode()
    conn.sendall(len(text).to_bytes(4, "big") + text)

def serve(conn):
    while head := recv_n(conn, 4):
        try:
            header = json.loads(recv_n(conn, int.from_bytes(head.ljust(4, b"\0"), "big") or 1))
        except ValueError:
            return answer(conn, status="error", code="header")
        body = recv_n(conn, header["size"])
        if hashlib.sha256(body).hexdigest() == header["sha256"]:
            answer(conn, status="ok", name=header["name"], size=len(body))
        else:
            answer(conn, status="error", code="digest")
"#,
        SERVES,
    ),
    (
        "32",
        &["header-in-pieces", "text-in-pieces"],
        r#"
def serve(conn):
    while head := recv_n(conn, 4):
        length = int.from_bytes(head.ljust(4, b"\0"), "big")
        text = recv_n(conn, length) if length else b""
        conn.sendall(len(text).to_bytes(4, "big") + text.upper())
"#,
        SERVES,
    ),
    (
        "30-client",
        &["header-in-pieces", "answer-in-pieces"],
        r#"
conn = socket.create_connection(PLACE)
for line in sys.stdin.buffer:
    text = line.rstrip(b"\n")
    conn.sendall(len(text).to_bytes(4, "big") + text)
    length = int.from_bytes(recv_n(conn, 4).ljust(4, b"\0"), "big")
    print((recv_n(conn, length) if length else b"").decode(errors="replace"))
"#,
        "",
    ),
    (
        "20",
        &["name-in-pieces"],
        r#"
def serve(conn):
    conn.sendall(recv_n(conn, 8))
    decoder = codecs.getincrementaldecoder("utf-8")()
    while piece := conn.recv(1024):
        conn.sendall(b"".join(b"U+%04X\n" % ord(one) for one in decoder.decode(piece)))
"#,
        SERVES,
    ),
    (
        "18",
        &["line-in-pieces"],
        r#"
def serve(conn):
    conn.sendall(recv_n(conn, 6).upper())
"#,
        SERVES,
    ),
    (
        "27",
        &["answer-in-two-pieces"],
        r#"
conn = socket.create_connection(PLACE)
for line in sys.stdin.buffer:
    conn.sendall(line)
    length = b""
    while not length.endswith(b"\n"):
        length += conn.recv(1) or quit()
    conn.sendall(b"recv_ready\n")
    sys.stdout.buffer.write(recv_n(conn, int(length)))
"#,
        "",
    ),
];

#[test]
fn who_waits_for_at_most_a_second_and_takes_what_has_come_fails() {
    let test = "who_waits_for_at_most_a_second_and_takes_what_has_come_fails";
    if !has("python3") || !has_private_hosts() {
        return skip(test, "it takes private hosts and Python");
    }
    let folder = temporary().join("framing");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let mut wanted = Vec::new();
    for (number, (form, time, body)) in (0..).zip(FORMS) {
        let reads = format!("T = {time}\n\ndef recv_n(conn, n):\n    {}\n    return data\n", body.trim());
        for (exercise, checks, program, rest) in READERS {
            let file = folder.join(format!("{exercise}-{number}.py"));
            fs::write(&file, [BEGINS, &reads, program, rest].concat()).expect("a program");
            wanted.extend(checks.iter().map(|check| (form, exercise, *check, file.clone())));
        }
    }
    // They sleep for most of the time: many at once.
    let (next, passed) = (Mutex::new(wanted.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let Some((form, exercise, check, file)) = next.lock().expect("a lock").next() else { break };
                    let mut grade = socklab();
                    let output = run(grade.args(["grade", exercise, "--check", check, "--", "python3"]).arg(file));
                    if output.status.code() != Some(8) {
                        let report = String::from_utf8_lossy(&output.stdout).into_owned();
                        passed.lock().expect("a lock").push(format!("{exercise} {check}: {form}\n{report}"));
                    }
                }
            });
        }
    });
    let passed = passed.into_inner().expect("a lock");
    assert!(passed.is_empty(), "{}", passed.join("\n"));
}

#[test]
fn both_sides_of_the_example_understand_each_other() {
    example::main().expect("three questions and their answers");
}
