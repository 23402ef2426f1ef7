//! Where there is no room: in memory, on the disk, for this user, or on the wire.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::{Pair, behind, names, noise, python};
use crate::support::{fixture, has, has_private_hosts, run, side_by_side, skip, temporary, text};

const MIB: u64 = 1 << 20;

/// Files that live in memory, which no disk is busy for: `/dev/shm`, or else the usual place.
fn quick_folder() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let is_there = tempfile::tempfile_in(shared).is_ok();
    if is_there { shared.to_owned() } else { temporary() }
}

/// Each mebibyte of two files is the same.
fn assert_equal(one: &Path, other: &Path) {
    let (one, other) = (File::open(one).expect("a file"), File::open(other).expect("a file"));
    let size = one.metadata().expect("its size").len();
    assert_eq!(size, other.metadata().expect("its size").len());
    let (mut first, mut second) = (vec![0; MIB as usize], vec![0; MIB as usize]);
    for at in (0..size).step_by(MIB as usize) {
        let len = (size - at).min(MIB) as usize;
        one.read_exact_at(&mut first[..len], at).expect("read");
        other.read_exact_at(&mut second[..len], at).expect("read");
        assert!(first[..len] == second[..len], "at {at}");
    }
}

/// The most memory that a process has had, in KiB.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_file_larger_than_the_memory_that_both_may_use_comes_over_holes_and_all() {
    let test = "a_file_larger_than_the_memory_that_both_may_use_comes_over_holes_and_all";
    if !has("prlimit") {
        return skip(test, "prlimit is not installed");
    }
    let little = ["prlimit", "--as=268435456", "--"];
    let pair = Pair::start_in(&quick_folder(), Some(&little));
    let path = pair.here.path().join("large");
    let file = File::create(&path).expect("a file");
    file.set_len(260 * MIB + 5).expect("a hole");
    for at in [0, 100 * MIB - 7, 259 * MIB] {
        file.write_all_at(&noise(100_000), at).expect("written");
    }
    let transfer = |verb: &str| {
        let mut client = behind(&little, &pair.words(&[verb, "large"]));
        let output = run(pair.host.enter(&mut client));
        assert!(output.status.success(), "{verb}: {}{}", text(&output.stdout), text(&output.stderr));
    };
    transfer("put");
    fs::rename(&path, pair.here.path().join("source")).expect("renamed");
    transfer("get");
    assert_equal(&pair.here.path().join("source"), &pair.inbox.path().join("large"));
    assert_equal(&pair.here.path().join("source"), &path);
    let most = peak(pair.server.0.id());
    assert!(most < 100 << 10, "{most} KiB");
}

/// A server whose folder is a disk of so many KiB.
fn with_a_small_disk(test: &str, size: u32) -> Option<Pair> {
    // The folder is the last word of the server's; it is opened when the disk is there.
    let script = format!("for inbox; do :; done; mount -t tmpfs -o size={size}k small \"$inbox\" && exec \"$@\"");
    let words = ["unshare", "-rm", "sh", "-c", &script, "sh"];
    let can = run(Command::new(words[0]).args(&words[1..]).args(["true", "/tmp"]));
    if !can.status.success() {
        skip(test, "no file system can be mounted in a user namespace");
        return None;
    }
    Some(Pair::start_in(&temporary(), Some(&words)))
}

/// What lies in the folder of a server that has mounts of its own.
fn folder_of(pair: &Pair) -> PathBuf {
    let inbox = pair.inbox.path().strip_prefix("/").expect("an absolute path");
    PathBuf::from(format!("/proc/{}/root", pair.server.0.id())).join(inbox)
}

#[test]
fn a_file_that_the_disk_has_no_room_for_is_refused_before_a_byte_is_sent() {
    let test = "a_file_that_the_disk_has_no_room_for_is_refused_before_a_byte_is_sent";
    let Some(mut pair) = with_a_small_disk(test, 64) else { return };
    pair.file("large", &noise(100_000));
    pair.file("small", &noise(10_000));
    pair.fails(&["put", "large"], &["no room: 100000 bytes are to come, and 65536 are free"]);
    assert!(pair.next_line_of_the_server().contains("refused: "));
    assert_eq!(names(&folder_of(&pair)), Vec::<String>::new());
    pair.done(&["put", "small"]);
    assert_eq!(fs::read(folder_of(&pair).join("small")).expect("it is there"), noise(10_000));
    // What is there of a file counts.
    pair.fails(&["put", "--replace", "large"], &["no room"]);
    assert_eq!(names(&folder_of(&pair)), ["small"]);
}

#[test]
fn a_client_whose_own_disk_has_no_room_fetches_nothing_and_says_so() {
    let test = "a_client_whose_own_disk_has_no_room_fetches_nothing_and_says_so";
    let Some(pair) = with_a_small_disk(test, 1024) else { return };
    pair.file("large", &noise(100_000));
    pair.done(&["put", "large"]);
    let script = r#"mount -t tmpfs -o size=64k small "$PWD" && cd "$PWD" && "$@"; ls -A"#;
    let mut client = behind(&["unshare", "-rm", "sh", "-c", script, "sh"], &pair.words(&["get", "large"]));
    let said = text(&run(pair.host.enter(&mut client)).stdout);
    assert_eq!(said, "large: not done: \"large\": no room: 100000 bytes are to come, and 65536 are free\n");
}

#[test]
fn of_two_files_that_fit_only_alone_one_is_stored_and_the_other_one_hears_why_not() {
    let test = "of_two_files_that_fit_only_alone_one_is_stored_and_the_other_one_hears_why_not";
    if !python(test) {
        return;
    }
    let Some(pair) = with_a_small_disk(test, 256) else { return };
    let first = |name: &str| format!("head(cmd='put', filename='{name}', filesize=200000, digest='sha256')");
    let all = "b'x' * 200000 + head(sha256=sha256(b'x' * 200000))";
    let answers = pair.peer("race", &[&first("one"), all, &first("other"), all]);
    assert!(answers[0].contains(r#"{"ok": true, "offset": 0} {"ok": true, "sha256""#), "{answers:?}");
    assert!(
        answers[1].contains(r#"{"ok": true, "offset": 0} {"ok": false, "error": "the file cannot be written: ENOSPC"#)
    );
    assert_eq!(names(&folder_of(&pair)), ["one"]);
    pair.file("small", b"there is room for this one");
    pair.done(&["put", "small"]);
}

#[test]
fn a_file_that_is_too_long_for_this_user_ends_its_transfer_and_nothing_else() {
    let test = "a_file_that_is_too_long_for_this_user_ends_its_transfer_and_nothing_else";
    if !has("prlimit") {
        return skip(test, "prlimit is not installed");
    }
    let limited = ["prlimit", "--fsize=65536", "--"];
    let pair = Pair::start_in(&temporary(), Some(&limited));
    pair.file("long", &noise(3 << 20));
    pair.file("short", &noise(60_000));
    pair.fails(&["put", "long", "short"], &["long: not done: the file cannot be written: EFBIG", "short: 60000 bytes"]);
    assert_eq!(pair.names(), ["short"]);
    // The client's own limit.
    fs::rename(pair.here.path().join("long"), pair.inbox.path().join("long")).expect("renamed");
    let output = run(pair.host.enter(&mut behind(&limited, &pair.words(&["get", "long"]))));
    assert!(text(&output.stdout).contains("long: not done: the file cannot be written: EFBIG"), "{output:?}");
    assert_eq!(names(pair.here.path()), ["short"]);
    pair.fails(&["get", "short"], &["there is a file of this name already"]);
}

#[test]
fn clients_for_whom_no_descriptor_is_left_are_sent_away_and_the_server_goes_on() {
    let test = "clients_for_whom_no_descriptor_is_left_are_sent_away_and_the_server_goes_on";
    if !has("prlimit") {
        return skip(test, "prlimit is not installed");
    }
    if !python(test) {
        return;
    }
    let pair = Pair::start_in(&temporary(), Some(&["prlimit", "--nofile=24", "--"]));
    let answers = pair.peer("hold", &["head(cmd='ls')"; 40]);
    let sent_away = answers.iter().filter(|answer| answer.starts_with("sent away")).count();
    assert!((16..40).contains(&sent_away), "{answers:?}");
    pair.file("a", b"a file");
    pair.done(&["put", "a"]);
}

#[test]
fn a_folder_and_a_file_without_permission_are_told_and_the_server_goes_on() {
    let test = "a_folder_and_a_file_without_permission_are_told_and_the_server_goes_on";
    if !has("setpriv") {
        return skip(test, "setpriv is not installed");
    }
    // Root's right to write everywhere is a capability, which it does not keep here.
    let ordinary = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"];
    let ordinary = if rustix::process::geteuid().is_root() { &ordinary[..] } else { &["env"] };
    let mut pair = Pair::start_in(&temporary(), Some(ordinary));
    let allow = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("allowed");
    let secret = pair.inbox.path().join("secret");
    fs::write(&secret, b"not for everybody").expect("written");
    allow(&secret, 0o000);
    allow(pair.inbox.path(), 0o555);
    pair.file("a", b"a file");
    pair.fails(&["put", "a"], &["cannot be begun: EACCES"]);
    assert!(pair.next_line_of_the_server().contains("refused: \"a\" cannot be begun: EACCES"));
    pair.fails(&["get", "secret"], &["secret cannot be sent: EACCES"]);
    allow(pair.inbox.path(), 0o755);
    assert_eq!(pair.names(), ["secret"]);
    pair.done(&["put", "a"]);
}

#[test]
fn on_a_wire_that_loses_doubles_and_reorders_frames_every_transfer_ends_equal() {
    let test = "on_a_wire_that_loses_doubles_and_reorders_frames_every_transfer_ends_equal";
    if !has_private_hosts() {
        return skip(test, "it takes private hosts");
    }
    // What the wire does, and what becomes of some frames then.
    let faults: [(&[&str], &str); 4] = [
        (&["--drop", "client:data:1,3,20-22"], "lost"),
        (&["--drop", "server:data:1,10-11"], "lost"),
        (&["--duplicate", "100%"], "doubled"),
        (&["--reorder", "data:5,10-12,20"], "held"),
    ];
    side_by_side(&faults, |(faults, fate)| {
        let output = run(fixture("transferring-roles").args(["--json", "--wire"]).args(*faults));
        let lines = text(&output.stdout);
        let events: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        assert!(events.iter().any(|event| event["frame"]["fate"] == *fate), "{faults:?}: {}", text(&output.stderr));
        let is_said = |event: &&Json| event["kind"] == "print" && event["role"] == "client";
        let said = events.iter().filter(is_said).filter_map(|event| event["text"].as_str());
        let expected = ["large: 40000 bytes, stored", "large: 40000 bytes, here", "equal: true"];
        assert_eq!(said.collect::<Vec<&str>>(), expected, "{faults:?}");
    });
}
