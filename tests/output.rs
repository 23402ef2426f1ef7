//! Whatever becomes of a command's output: nothing panics, nothing is half done, what was lost is not called success.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{finish, has, project, side_by_side, skip, socklab};

/// A command, and what is done before it in the same folder of work.
struct Case {
    before: &'static [&'static str],
    command: &'static str,
}

const fn case(before: &'static [&'static str], command: &'static str) -> Case {
    Case { before, command }
}

/// Each command in each of its forms, but `watch`, which takes a terminal.
const CASES: &[Case] = &[
    case(&[], "--help"),
    case(&[], "--version"),
    case(&[], "labs"),
    case(&[], "labs --json"),
    case(&[], "doctor"),
    case(&[], "doctor --json"),
    case(&[], "progress"),
    case(&[], "start 30"),
    case(&[], "start 30 python"),
    case(&[], "hint 30"),
    case(&["hint 30"], "hint 30 --again"),
    case(&["start 30 python"], "reset 30"),
    case(&["start 30 python"], "solution 30 --give-up"),
    case(&["start 01 python"], "grade 01"),
    case(&["start 01 python"], "grade 01 --json"),
    case(&["start 01 python"], "grade 01 --transcript --all --junit WORK/grade.xml --pcap WORK/grade.pcapng"),
    case(&[], "new 98 a-new-lab"),
    case(&[], "new-exercise 01 other --title other"),
    case(&[], "soak 01 --runs 1"),
    case(&[], "soak-judge 01 --runs 1"),
    case(&[], "lab 01"),
    case(&[], "lab 01 --help"),
    case(&[], "lab 01 --json"),
    case(&[], "lab 01 --claims --json"),
    case(&[], "lab 01 --repeat 2"),
    case(&[], "claims 01"),
    case(&[], "lab 01 --json"),
    case(&[], "lab 01 --claims"),
    case(&[], "lab 01 --claims --json"),
    case(&[], "lab 01 --repeat 1"),
    case(&[], "lab 01 --repeat 1 --json"),
    case(&[], "lab 01 --repeat 1 --times"),
    case(&[], "lab --help"),
    case(&[], "lab 01 --help"),
];

/// Where a command's output goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    /// A pipe that is read to its end.
    Reader,
    /// A pipe whose reader has gone.
    NoReader,
    /// A disk that is full.
    FullDisk,
    /// Nowhere: descriptor 1 is closed.
    Closed,
}

/// Runs a case in a folder of its own: what the command says, and the files that it leaves.
fn outcome(case: &Case, to: To) -> (Output, Vec<String>) {
    let folder = checkout();
    for before in case.before {
        let output = finish(command(folder.path(), before).stdout(Stdio::piped()).spawn().expect("it starts"));
        assert!(output.stderr.is_empty(), "{before}: {output:?}");
    }
    let mut command = command(folder.path(), case.command);
    match to {
        To::Reader => command.stdout(Stdio::piped()),
        To::NoReader => command.stdout(OwnedFd::from(io::pipe().expect("a pipe").1)),
        To::FullDisk => command.stdout(fs::File::create("/dev/full").expect("/dev/full")),
        To::Closed => {
            let inner = command;
            let mut shell = Command::new("sh");
            shell.args(["-c", "exec \"$@\" >&-", "sh"]).arg(inner.get_program()).args(inner.get_args());
            shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = shell;
            command.stdin(Stdio::null()).stderr(Stdio::piped()).current_dir(folder.path())
        }
    };
    let output = finish(command.spawn().expect("it starts"));
    drop(command);
    let mut files = Vec::new();
    list(folder.path(), folder.path(), &mut files);
    (output, files)
}

/// What `new` and `new-exercise` change, and a folder of work in it.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("labs")).expect("a folder");
    for file in ["Cargo.toml", "labs/README.md"] {
        fs::copy(project(file), folder.path().join(file)).expect("a file");
    }
    folder
}

fn command(folder: &Path, line: &str) -> Command {
    let work = folder.join("work");
    let words = line.split(' ').map(|word| word.replace("WORK", &work.display().to_string()));
    let mut command = socklab();
    command.args(words).current_dir(folder).env("SOCKLAB_WORK", &work);
    if line.starts_with("new") {
        command.env("CARGO", "cargo").env("CARGO_MANIFEST_DIR", folder);
    } else {
        command.env_remove("CARGO").env_remove("CARGO_MANIFEST_DIR");
    }
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// All files below a folder, by their paths in `root`, in order.
fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => list(root, &path, files),
            path => files.push(path.strip_prefix(root).expect("it is in there").display().to_string()),
        }
    }
    files.sort();
}

#[test]
fn no_command_panics_or_stops_half_way_where_its_output_cannot_be_written() {
    let test = "no_command_panics_or_stops_half_way_where_its_output_cannot_be_written";
    if !has("python3") {
        return skip(test, "python3 is not here");
    }
    side_by_side(CASES, |case| {
        let (usual, files) = outcome(case, To::Reader);
        assert!(!usual.stdout.is_empty(), "{}: {usual:?}", case.command);
        for to in [To::NoReader, To::FullDisk, To::Closed] {
            let (output, left) = outcome(case, to);
            let words = String::from_utf8_lossy(&output.stderr);
            let what = format!("socklab {} to {to:?}: {}: {words}", case.command, output.status);
            assert_eq!(left, files, "{what}");
            assert!(!words.contains("panicked") && !words.contains("EPIPE"), "{what}");
            if to == To::FullDisk {
                assert_eq!(output.status.code(), Some(1), "{what}");
                assert!(words.contains("write to standard output: ENOSPC: "), "{what}");
            } else {
                assert_eq!(output.status.code(), usual.status.code(), "{what}");
            }
        }
    });
}

#[test]
fn no_command_panics_where_its_complaint_cannot_be_written() {
    for line in ["start nosuch", "grade 30 --folder /nowhere", "reset 30", "nosuch"] {
        let folder = checkout();
        let full = || fs::File::create("/dev/full").expect("/dev/full");
        let output =
            finish(command(folder.path(), line).stdout(Stdio::piped()).stderr(full()).spawn().expect("it starts"));
        assert!(matches!(output.status.code(), Some(1 | 2)), "{line}: {}", output.status);
    }
}

#[test]
fn a_file_that_cannot_be_written_leaves_what_was_there() {
    let folder = checkout();
    if !has("python3") {
        return skip("a_file_that_cannot_be_written_leaves_what_was_there", "python3 is not here");
    }
    finish(command(folder.path(), "start 01 python").stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut grade = command(folder.path(), "grade 01 --json --junit /dev/full");
    let output = finish(grade.stdout(Stdio::piped()).spawn().expect("it starts"));
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("/dev/full: ENOSPC"), "{words}");
}
