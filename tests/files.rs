//! Files: what the calls on them leave in a trace, and that a role's folder goes with its demo, however that ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{fixture, run, text, wait_until};

/// What the demo of these roles shows of a scene, with its temporary files in a folder that is empty afterwards.
fn shown(scene: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(fixture("filing-roles").args(["--scene", scene]).env("TMPDIR", folder.path()));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "what is left of scene {scene}");
    // A line that goes on below is one.
    let shown = text(&output.stdout).replace(&format!("\n{}", " ".repeat(12)), " ");
    (shown + &text(&output.stderr), output.status.code())
}

#[test]
fn calls_on_files_stand_in_the_trace_with_their_names_flags_and_bytes() {
    let (shown, code) = shown("1");
    assert_eq!(code, Some(0), "{shown}");
    let expected = [
        "openat2(AT_FDCWD, \".\", O_RDONLY|O_DIRECTORY) = 3",
        "readdir(3) = 0",
        "openat2(3, \"part\", O_RDWR|O_CREAT|O_EXCL, RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS) = 4",
        "write(4, \"hello, \") = 7",
        "fsync(4) = 0",
        "flock(4, LOCK_EX|LOCK_NB) = 0",
        "locked: true",
        "fstat(5) = 0 S_IFREG of 12 bytes",
        "flock(5, LOCK_EX|LOCK_NB) = -1 EAGAIN",
        "close(5) = 0",
        "locked by another, too: false",
        "ftruncate(4, 9) = 0",
        "lseek(4, 7, SEEK_SET) = 7",
        "read(4, up to 16) = 2 \"wo\"",
        "renameat2(3, \"part\", \"whole\", RENAME_NOREPLACE) = 0",
        "renameat2(3, \"part\", \"whole\", RENAME_NOREPLACE) = -1 EEXIST",
        "Err(AlreadyExists)",
        "renameat2(3, \"part\", \"whole\") = 0",
        "0 bytes",
        "[Entry { name: \"whole\", size: 0 }]",
        "unlinkat(3, \"whole\") = 0",
    ];
    let mut rest = shown.as_str();
    for line in expected {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line} in its place:\n{shown}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn no_name_leads_out_of_a_folder_and_only_regular_files_are_opened() {
    let (shown, code) = shown("2");
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("opened"), "{shown}");
    let counted = [
        ("openat2(3, \"../out\", ", "-1 EXDEV", 3),
        ("openat2(3, \"/etc/passwd\", ", "-1 EXDEV", 3),
        ("openat2(3, \"inside/../../out\", ", "-1 EXDEV", 3),
        ("openat2(3, \"link\", ", "-1 ELOOP", 2),
        ("openat2(3, \"link\", ", "-1 EEXIST", 1),
        ("\"fifo\": ", "is a FIFO, not a regular file", 2),
        ("\"inside\": ", "is a folder, not a regular file", 1),
        ("\"a\\0b\": ", "has a NUL byte in it", 4),
    ];
    for (call, result, count) in counted {
        let lines = shown.lines().filter(|line| line.contains(call) && line.contains(result));
        assert_eq!(lines.count(), count, "{call}…{result} in:\n{shown}");
    }
}

#[test]
fn a_file_goes_through_a_socket_without_passing_through_either_program() {
    let (shown, code) = shown("3");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("16777217 bytes, equal: true"), "{shown}");
    let calls = |name: &str| shown.lines().filter(|line| line.contains(name)).count();
    assert!(calls("sendfile(") > 1 && calls("splice(") > 16, "{shown}");
}

#[test]
fn a_folder_goes_with_a_demo_that_ends_in_a_wait_or_with_an_error() {
    assert_eq!(shown("4").1, Some(0));
    let (shown, code) = shown("5");
    assert_eq!(code, Some(1), "{shown}");
}

#[test]
fn a_folder_goes_with_a_demo_that_is_interrupted_or_killed() {
    for signal in [Signal::INT, Signal::KILL] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command: Command = fixture("filing-roles");
        command.args(["--scene", "4", "--step"]).env("TMPDIR", folder.path());
        let mut demo = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a demo");
        let mut enter = demo.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(demo.stdout.take().expect("a pipe")).lines();
        loop {
            enter.write_all(b"\n").expect("it reads");
            if lines.next().expect("a line").expect("text").contains("here") {
                break;
            }
        }
        let count = || fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(count(), 1);
        kill_process(Pid::from_child(&demo), signal).expect("it is there");
        assert!(!demo.wait().expect("an end").success());
        wait_until("the folder is gone", || count() == 0);
    }
}
