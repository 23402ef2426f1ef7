//! Odd programs, folders and names: each gets the verdict that it deserves, and a report that is safe to read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{has, read, run, skip, socklab, temporary};

/// A new folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = temporary().join("odd").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
    folder
}

fn judged(folder: &Path, more: &[&str]) -> Output {
    run(socklab().args(["grade", "15", "--folder"]).arg(folder).args(more))
}

/// A right program, with something before it.
fn right_after(beginning: &str) -> String {
    format!("{beginning}\n{}", read("labs/15-tcp-next-caller/exercise/solutions/python/server.py"))
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("a report is UTF-8")
}

#[test]
fn one_that_prints_much_before_it_listens_is_waited_for() {
    if !has("python3") {
        return skip("one_that_prints_much_before_it_listens_is_waited_for", "python3 is not here");
    }
    let program = right_after("for _ in range(300): print('x' * 100000)");
    let output = judged(&folder("chatty", &[("server.py", &program)]), &["--check", "one-client"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn one_that_prints_too_much_is_told_so() {
    if !has("python3") {
        return skip("one_that_prints_too_much_is_told_so", "python3 is not here");
    }
    let program = right_after("while True: print('x' * 100000)");
    let output = judged(&folder("endless", &[("server.py", &program)]), &["--check", "one-client"]);
    assert_eq!(output.status.code(), Some(8), "{}", said(&output));
    assert!(said(&output).contains("because it wrote more than it may"), "{}", said(&output));
}

#[test]
fn a_build_that_makes_no_program_is_no_fault_of_ours() {
    let manifest = "build = [\"true\"]\nrun = [\"./program\"]\n";
    let output = judged(&folder("unmade", &[("socklab.toml", manifest)]), &[]);
    assert_eq!(output.status.code(), Some(8), "{}", said(&output));
    assert!(said(&output).contains("the program cannot be started: ENOENT"), "{}", said(&output));
}

#[test]
fn a_manifest_that_runs_nothing_is_mistyped() {
    let output = judged(&folder("nothing", &[("socklab.toml", "run = []\n")]), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run names no program"));
}

#[test]
fn nothing_that_a_program_is_called_or_says_moves_a_reader_s_cursor() {
    if !has("python3") {
        return skip("nothing_that_a_program_is_called_or_says_moves_a_reader_s_cursor", "python3 is not here");
    }
    let program = "import os, socket, sys\n\
                   odd = b'\\x1b[2J\\x07\\xff\\r\\x9b31m]]>\\xe2\\x80\\xae<&>'\n\
                   os.write(1, odd + b'\\n')\n\
                   os.write(2, odd + b'\\n')\n\
                   listener = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))\n\
                   while True:\n\
                   \x20   conn, _ = listener.accept()\n\
                   \x20   conn.recv(1000)\n\
                   \x20   conn.sendall(odd)\n\
                   \x20   os.kill(os.getpid(), 11)\n";
    let folder = folder("a b\nc\u{1b}[31md", &[("my \u{1b}[2J program\n.py", program)]);
    for more in [&["--transcript", "--all"][..], &["--json"]] {
        let output = judged(&folder, more);
        let moves = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!said(&output).chars().any(moves), "{}", said(&output).escape_debug());
        assert!(said(&output).contains("SIGSEGV"), "{}", said(&output));
    }
}

#[test]
fn threads_that_sleep_in_the_same_call_are_told_of_once() {
    if !has("python3") {
        return skip("threads_that_sleep_in_the_same_call_are_told_of_once", "python3 is not here");
    }
    let program = "import os, signal, socket, threading\n\
                   listener = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))\n\
                   for _ in range(6): threading.Thread(target=signal.sigwait, args=([signal.SIGUSR1],)).start()\n\
                   conn, _ = listener.accept()\n\
                   signal.pause()\n";
    let output = judged(&folder("threads", &[("server.py", program)]), &["--check", "one-client"]);
    assert_eq!(said(&output).matches(", 6 of its threads").count(), 1, "{}", said(&output));
}
