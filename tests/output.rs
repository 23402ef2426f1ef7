//! Whatever becomes of a command's output: nothing panics, nothing is half done, what was lost is not called success.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{checkout, finish, has, run, side_by_side, skip, socklab};

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

/// What is typed where the disk is full, with what stood there before; `DISK` is its folder.
const ON_A_FULL_DISK: &[Case] = &[
    case(&[], "start 01 python"),
    case(&[], "hint 01"),
    case(&[], "new 98 a-new-lab"),
    case(&[], "new-exercise 01 other --title other"),
    case(&[], "lab 01 --diagram DISK/picture.svg"),
    case(&[], "soak 01 --runs 1 --keep DISK/kept"),
    case(&["start 01 python"], "solution 01 --give-up"),
    case(&["start 01 python"], "reset 01"),
    case(&["start 01 python"], "grade 01"),
    case(&["start 01 python"], "grade 01 --json > DISK/grade.json"),
    case(&["start 01 python"], "grade 01 --junit DISK/grade.xml"),
    case(&[], "labs > DISK/listed"),
];

/// Mounts a small disk at `$1`, lays the checkout `$2` there, does what `$3` says, fills the disk, and does what `$4`
/// says. Where files have changed by that, it says so on standard error.
const FULL: &str = r#"
set -e
export SOCKLAB_WORK="$1/work" CARGO_MANIFEST_DIR="$1"
mount -t tmpfs -o size=1m none "$1"
cp -r "$2/." "$1"
cd "$1"
eval "$3" > /dev/null
list() { find . -type f ! -name filler -exec cksum {} + | sort; }
before=$(list)
dd if=/dev/zero of=filler bs=4k 2> /dev/null || true
code=0
eval "$4" > /dev/null || code=$?
[ "$before" = "$(list)" ] || diff <(echo "$before") <(list) >&2 || true
exit "$code"
"#;

#[test]
fn a_full_disk_is_no_success_and_leaves_what_was_there() {
    let test = "a_full_disk_is_no_success_and_leaves_what_was_there";
    let mounts = |command: &mut Command| run(command.args(["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]));
    if !has("python3") || !has("unshare") || !mounts(&mut Command::new("unshare")).status.success() {
        return skip(test, "it takes python3, unshare(1) and user namespaces, to mount a disk");
    }
    side_by_side(ON_A_FULL_DISK, |case| {
        let (folder, disk) = (checkout(), tempfile::tempdir().expect("a folder"));
        let place = disk.path().display().to_string();
        let typed = |line: &&str| format!("\"$SOCKLAB\" {}", line.replace("DISK", &place));
        let before: Vec<String> = case.before.iter().map(typed).collect();
        let before = if before.is_empty() { "true".to_owned() } else { before.join(" && ") };
        let mut shell = Command::new("unshare");
        shell
            .args(["-Urm", "bash", "-c", FULL, "bash", &place])
            .arg(folder.path())
            .args([before, typed(&case.command)]);
        let output = run(shell.env("SOCKLAB", env!("CARGO_BIN_EXE_socklab")).env_remove("CARGO"));
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{}: {words}", case.command);
        assert!(words.contains("ENOSPC"), "{}: {words}", case.command);
        let changed: Vec<&str> = words.lines().filter(|line| line.starts_with(['<', '>'])).collect();
        // A shell has made the file to which it leads what is printed.
        let own = |line: &&str| case.command.contains('>') && line.starts_with("> 4294967295 0 ");
        assert!(changed.iter().all(own), "{}: {words}", case.command);
    });
}
