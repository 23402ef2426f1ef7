//! Hostile programs and builds get the verdict that they deserve, from a judge that is root and from one that is an
//! ordinary user: a failure where something does not work, and never "can't tell".

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;
use serde_json::Value;

use crate::support::{has, has_private_hosts, read, run, side_by_side, skip, socklab, temporary};

/// A server that answers in capital letters, after something of its own.
const SERVER: &str = "
import ctypes, os, resource, signal, socket, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
listener = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))
";

/// Talks with each client, and goes round and round when one has left.
const SPINS: &str = "
while True:
    conn, _ = listener.accept()
    while True:
        conn.sendall(conn.recv(1024).upper())
";

/// Talks with each client as it must.
const SERVES: &str = "
while True:
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
";

const PASS: i32 = 0;
const FAIL: i32 = 8;

/// A name, exercise and check, what the program does beyond [`SERVER`], and the exit code that it deserves.
const PROGRAMS: &[(&str, &str, &str, &[&str], i32)] = &[
    // With no descriptors left init would see no process, and so none that spins.
    (
        "blinds-init",
        "13",
        "rests",
        &[
            "
for kind, limits in ((resource.RLIMIT_NOFILE, (3, 3)), (resource.RLIMIT_CPU, (0, 1)), (resource.RLIMIT_AS, (0, 0))):
    try:
        resource.prlimit(1, kind, limits)
    except OSError:
        pass
",
            SPINS,
        ],
        FAIL,
    ),
    ("hides-its-memory", "13", "rests", &["libc.prctl(4, 0, 0, 0, 0)", SPINS], FAIL),
    ("hides-its-memory-and-serves", "13", "rests", &["libc.prctl(4, 0, 0, 0, 0)", SERVES], PASS),
    ("stops-itself", "15", "one-client", &["os.kill(os.getpid(), signal.SIGSTOP)"], FAIL),
    (
        "stops-a-child",
        "15",
        "one-client",
        &[
            "
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
",
            SERVES,
        ],
        PASS,
    ),
    (
        "as-many-threads-as-it-may",
        "15",
        "one-client",
        &[
            "
try:
    while True:
        threading.Thread(target=signal.pause, daemon=True).start()
except RuntimeError:
    pass
",
            SERVES,
        ],
        PASS,
    ),
    (
        "orphans-and-zombies",
        "15",
        "one-client",
        &[
            "
for _ in range(25):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            signal.alarm(20)
            signal.pause()
        os._exit(0)
",
            SERVES,
        ],
        PASS,
    ),
    (
        "two-thousand-listeners",
        "15",
        "one-client",
        &[
            "
for _ in range(8):
    if os.fork() == 0:
        held = [socket.create_server(('127.0.0.1', 0)) for _ in range(240)]
        signal.alarm(20)
        signal.pause()
",
            SERVES,
        ],
        PASS,
    ),
    (
        "breaks-off",
        "15",
        "one-client",
        &["
conn, _ = listener.accept()
conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
conn.close()
signal.pause()
"],
        FAIL,
    ),
    (
        "urgent-data",
        "15",
        "one-client",
        &["
conn, _ = listener.accept()
while data := conn.recv(1024):
    conn.send(data.upper(), socket.MSG_OOB)
"],
        FAIL,
    ),
    (
        "answers-without-end",
        "15",
        "one-client",
        &["
conn, _ = listener.accept()
conn.recv(1024)
while True:
    conn.sendall(b'A' * 65536)
"],
        FAIL,
    ),
    (
        "takes-its-listener-away",
        "15",
        "one-client",
        &["
listener.close()
signal.pause()
"],
        FAIL,
    ),
    (
        "kills-all-it-can",
        "15",
        "one-client",
        &[
            "
for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
    try:
        os.kill(-1, number)
    except OSError:
        pass
",
            SERVES,
        ],
        PASS,
    ),
];

/// What is executed but is no program for this machine, or none at all: name, what is in `./program`, its mode.
const NO_PROGRAMS: &[(&str, &[u8], u32)] = &[
    ("no-interpreter", b"#!/no/such/interpreter\n", 0o755),
    ("empty", b"", 0o755),
    ("no-first-line", b"print('hello')\n", 0o755),
    ("another-machine", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xF7\0\x01\0\0\0", 0o755),
];

/// Builds, each before a right server: name, the shell's words, the exit code.
const BUILDS: &[(&str, &str, i32)] = &[
    ("kills-all", "kill -9 -1; sleep 0", PASS),
    ("writes-without-end", "yes", FAIL),
    ("leaves-a-daemon", "setsid sleep 1000 & exit 0", PASS),
    ("leaves-a-folder", "mv server.py s; mkdir server.py", FAIL),
    ("leaves-a-pipe", "mv server.py s; mkfifo server.py", FAIL),
    ("leaves-nothing", "rm server.py", FAIL),
    // What is carried over is what is in it.
    ("leaves-what-nobody-may-read", "chmod 000 server.py", PASS),
    ("leaves-odd-names", "touch \"$(printf 'a\\nb\\033[2J')\" ..x -- -rf; mkfifo f; ln -s / l; ln -s l2 l2", PASS),
];

/// A folder with these files, which everybody may read.
fn folder(name: &str, files: &[(&str, &[u8], u32)]) -> PathBuf {
    let folder = temporary().join("hostile").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, bytes, mode) in files {
        fs::write(folder.join(name), bytes).expect("a file");
        fs::set_permissions(folder.join(name), PermissionsExt::from_mode(*mode)).expect("a mode");
    }
    folder
}

/// Judges the folder, as ourselves or, where we are root, as an ordinary user.
fn judged(folder: &Path, exercise: &str, check: &str, as_user: bool) -> (Option<i32>, Value, String) {
    let mut command = if as_user {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", env!("CARGO_BIN_EXE_socklab")]);
        command
    } else {
        socklab()
    };
    let output =
        run(command.args(["grade", exercise, "--check", check, "--untrusted", "--json", "--folder"]).arg(folder));
    let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), told, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Ways to start the judge, of which none changes a grade: what stands before it in a shell.
const SURROUNDINGS: &[&str] = &[
    "exec env -i \"$@\"",
    "unset HOME; exec \"$@\"",
    "export TMPDIR=/no/such/folder; exec \"$@\"",
    "cd /proc/self; exec \"$@\"",
    "ulimit -n 64; exec \"$@\"",
    "ulimit -s 1024; exec \"$@\"",
    "ulimit -c unlimited; exec \"$@\"",
    "exec <&-; exec \"$@\"",
    "exec 2>&-; exec \"$@\"",
    "exec 5</etc/passwd 77</etc/passwd; exec \"$@\"",
    "trap '' CHLD PIPE USR1; exec \"$@\"",
    "exec env --block-signal \"$@\"",
    "exec chrt --idle 0 \"$@\"",
    "exec nice -n 19 \"$@\"",
    "umask 000; exec \"$@\"",
];

/// A case: its folder, exercise and check, and the exit codes that will do.
type Case = (PathBuf, &'static str, &'static str, Vec<i32>);

fn hold(test: &str, cases: &[Case]) {
    if !has("python3") || !has("setpriv") || !has_private_hosts() {
        return skip(test, "it takes python3, setpriv, and user namespaces");
    }
    let judges: &[bool] = if geteuid().is_root() { &[false, true] } else { &[false] };
    let all: Vec<(&Case, bool)> = cases.iter().flat_map(|case| judges.iter().map(move |user| (case, *user))).collect();
    let complaints = side_by_side(&all, |((folder, exercise, check, wanted), as_user)| {
        let (code, told, errors) = judged(folder, exercise, check, *as_user);
        let right = code.is_some_and(|code| wanted.contains(&code));
        (!right)
            .then(|| format!("{} as user {as_user}: {code:?} and not {wanted:?}: {told} {errors}", folder.display()))
    });
    let complaints: Vec<String> = complaints.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn a_hostile_program_gets_the_verdict_that_it_deserves() {
    let cases: Vec<Case> = PROGRAMS
        .iter()
        .map(|(name, exercise, check, parts, code)| {
            let program = format!("{SERVER}{}", parts.concat());
            (folder(name, &[("server.py", program.as_bytes(), 0o644)]), *exercise, *check, vec![*code])
        })
        .collect();
    hold("a_hostile_program_gets_the_verdict_that_it_deserves", &cases);
}

#[test]
fn what_cannot_be_executed_is_a_failure_or_mistyped_and_no_fault_of_ours() {
    let manifest: &[u8] = b"run = [\"./program\"]\n";
    let cases: Vec<Case> = NO_PROGRAMS
        .iter()
        .map(|(name, bytes, mode)| {
            let files = [("socklab.toml", manifest, 0o644), ("program", *bytes, *mode)];
            (folder(name, &files), "15", "one-client", vec![FAIL, 2])
        })
        .collect();
    hold("what_cannot_be_executed_is_a_failure_or_mistyped_and_no_fault_of_ours", &cases);
}

#[test]
fn a_hostile_build_gets_the_verdict_that_it_deserves() {
    let server = read("labs/15-tcp-next-caller/exercise/solutions/python/server.py");
    let cases: Vec<Case> = BUILDS
        .iter()
        .map(|(name, script, code)| {
            let script = script.replace('\\', "\\\\").replace('"', "\\\"");
            let manifest = format!("build = [\"sh\", \"-c\", \"{script}\"]\nrun = [\"python3\", \"server.py\"]\n");
            let files = [("socklab.toml", manifest.as_bytes(), 0o644), ("server.py", server.as_bytes(), 0o644)];
            (folder(&format!("build-{name}"), &files), "15", "one-client", vec![*code])
        })
        .collect();
    hold("a_hostile_build_gets_the_verdict_that_it_deserves", &cases);
}

#[test]
fn a_right_program_passes_whatever_its_file_is_called() {
    let server = read("labs/15-tcp-next-caller/exercise/solutions/python/server.py");
    let long = "n".repeat(252);
    let names: [&[u8]; 5] = [b"a b", "\u{4f60}\u{202e}".as_bytes(), b"a\nb\x1b[2J", b"\xff\xfe", long.as_bytes()];
    let cases: Vec<Case> = (0..)
        .zip(names)
        .map(|(number, name): (u32, _)| {
            let folder = folder(&format!("name-{number}"), &[]);
            let file = folder.join(OsStr::from_bytes(&[name, b".py"].concat()));
            fs::write(&file, &server).expect("a file");
            fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("a mode");
            (folder, "15", "one-client", vec![PASS])
        })
        .collect();
    hold("a_right_program_passes_whatever_its_file_is_called", &cases);
}

#[test]
fn the_grade_is_the_same_in_odd_surroundings() {
    if !has("python3") || !has("chrt") || !has_private_hosts() {
        return skip("the_grade_is_the_same_in_odd_surroundings", "it takes python3, chrt and user namespaces");
    }
    let server = read("labs/15-tcp-next-caller/exercise/solutions/python/server.py");
    let folder = folder("surroundings", &[("server.py", server.as_bytes(), 0o644)]);
    let complaints = side_by_side(SURROUNDINGS, |script| {
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_socklab"), "grade", "15", "--check", "one-client"]);
        let output = run(command.args(["--untrusted", "--json", "--folder"]).arg(&folder));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let errors = String::from_utf8_lossy(&output.stderr);
        (told["verdict"] != "pass").then(|| format!("{script}: {:?}: {told} {errors}", output.status.code()))
    });
    let complaints: Vec<String> = complaints.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn output_without_an_end_fills_no_memory_of_the_judge_s() {
    let test = "output_without_an_end_fills_no_memory_of_the_judge_s";
    if !has("python3") || !has("prlimit") || !has_private_hosts() {
        return skip(test, "it takes python3, prlimit and user namespaces");
    }
    let newlines = "os.write(1, b'\\n' * (1 << 20))";
    let answers = "conn, _ = listener.accept()\nconn.recv(1)\nwhile True: conn.sendall(b'A' * 65536)";
    let program = format!("{SERVER}{newlines}\n{answers}");
    let folder = folder("endless", &[("server.py", program.as_bytes(), 0o644)]);
    let mut command = Command::new("prlimit");
    // What a process takes counts as its data; the program may have as much.
    command.args(["--data=419430400", env!("CARGO_BIN_EXE_socklab"), "grade", "15", "--json", "--folder"]).arg(&folder);
    let output = run(&mut command);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told["verdict"], "fail", "{:?}: {told} {errors}", output.status.code());
}
