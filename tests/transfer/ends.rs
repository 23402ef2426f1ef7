//! What befalls one end, and what the other one makes of it: a kill, a source that changes, a server that lies, a user
//! at a terminal.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Pair, names, noise, python, with_a_server};
use crate::support::{Host, finish, has_private_hosts, lab, project, run, skip, temporary, text, wait_until};

/// Larger than all that the kernel takes of it while nobody reads.
const LARGE: u64 = 16 << 20;

#[test]
fn killed_at_any_byte_leaves_the_whole_or_nothing_and_the_repeated_transfer_is_equal() {
    let test = "killed_at_any_byte_leaves_the_whole_or_nothing_and_the_repeated_transfer_is_equal";
    if !python(test) {
        return;
    }
    if !has_private_hosts() {
        return skip(test, "it takes the ports of a private host");
    }
    let (host, folder) = (Host::open(), TempDir::new_in(temporary()).expect("a folder"));
    let (seed, count) = ("36", "100");
    let mut killer = Command::new("python3");
    killer.arg(project("tests/peers/transfer_killed.py")).args(["9100", seed, count]).arg(folder.path());
    killer.args(lab(36).words());
    let output = run(host.enter(&mut killer));
    let said = text(&output.stdout);
    assert!(output.status.success() && said.lines().count() == 1, "seed {seed}: {said}{}", text(&output.stderr));
    let counts: Vec<u32> = said.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    assert!(counts[0] > 80 && counts[1] > 70 && counts[2] > 20, "seed {seed}: {said}");
}

#[test]
fn a_source_that_becomes_shorter_while_it_is_sent_is_told_and_nothing_is_stored() {
    if !python("a_source_that_becomes_shorter_while_it_is_sent_is_told_and_nothing_is_stored") {
        return;
    }
    let folder = TempDir::new_in(temporary()).expect("a folder");
    let path = folder.path().join("a");
    let path = path.to_str().expect("UTF-8");
    File::create(path).and_then(|file| file.set_len(LARGE)).expect("a file");
    let pair = with_a_server("change", &[path, "100000"]);
    pair.fails(&["put", path], &["it became shorter while it was sent", "of its 16777216 bytes were there"]);
    // The other way round: our server's file becomes shorter.
    let mut pair = Pair::start();
    let there = pair.inbox.path().join("a");
    File::create(&there).and_then(|file| file.set_len(LARGE)).expect("a file");
    assert_eq!(pair.peer("cut", &[there.to_str().expect("UTF-8"), "100000"]), ["the end before that"]);
    assert!(pair.next_line_of_the_server().contains("it became shorter while it was sent"));
    pair.done(&["get", "a"]);
}

#[test]
fn of_a_source_that_grows_while_it_is_sent_its_beginning_comes_over_and_that_is_told() {
    if !python("of_a_source_that_grows_while_it_is_sent_its_beginning_comes_over_and_that_is_told") {
        return;
    }
    let folder = TempDir::new_in(temporary()).expect("a folder");
    let path = folder.path().join("a");
    let path = path.to_str().expect("UTF-8");
    File::create(path).and_then(|file| file.set_len(LARGE)).expect("a file");
    let pair = with_a_server("change", &[path, "20000000"]);
    let said = pair.done(&["put", path]);
    assert!(said.contains("16777216 bytes, stored; it has grown meanwhile, and this is its beginning"), "{said}");
    let pair = Pair::start();
    let there = pair.inbox.path().join("a");
    File::create(&there).and_then(|file| file.set_len(LARGE)).expect("a file");
    let said = pair.peer("cut", &[there.to_str().expect("UTF-8"), "20000000"]);
    assert_eq!(said, ["all of it came, and sha256"]);
}

#[test]
fn a_file_of_the_kernel_that_has_no_size_is_not_taken_for_an_empty_one() {
    let pair = Pair::start();
    assert!(pair.done(&["put", "/proc/self/status"]).contains("it has grown meanwhile"));
}

#[test]
fn a_server_that_lies_gets_nothing_into_the_folder_and_nothing_to_the_terminal() {
    if !python("a_server_that_lies_gets_nothing_into_the_folder_and_nothing_to_the_terminal") {
        return;
    }
    let get: &[&str] = &["get", "a"];
    let put: &[&str] = &["put", "mine"];
    let cases: [(&str, &[&str], &str); 18] = [
        ("b''", get, "the other end left without an answer"),
        ("b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'", get, "speaks another protocol"),
        ("head(ok=False, error='\\x1b]0;hello\\x07\\x1b[2J\\n$ ')", get, r"\u{1b}]0;hello\u{7}\u{1b}[2J\n$ "),
        ("head(ok=False)", get, "the server says no, and not why"),
        ("head(ok=True)", get, "the server names no size"),
        ("head(ok=True, filesize=-1)", get, "the server names no size"),
        ("head(ok=True, filesize=2**62)", get, "no room"),
        ("head(ok=True, filesize=5, offset=2) + b'abc'", get, "begins at another byte"),
        ("head(ok=True, filesize=5) + b'abc'", get, "the other end left after 3 of 5 bytes"),
        ("head(ok=True, filesize=5) + b'abcde'", get, "left after all 5 bytes"),
        ("head(ok=True, filesize=2) + b'abcde' + head(blake3='0' * 64)", get, "speaks another protocol"),
        ("head(ok=True, filesize=5) + b'abcde' + head(blake3='0' * 64)", get, "another digest"),
        ("head(ok=True, filesize=5) + b'abcde' + head()", get, "another digest"),
        ("head(ok=True, filesize=5) + b'abcde' + head(md5='ab56b4d92b40713acc5af89985d4b786')", get, "another digest"),
        ("head(ok=True, filesize=2**40)", &["ls"], "the server names no size that a list can have"),
        ("head(ok=True, filesize=5) + b'{}{}['", &["ls"], "no list"),
        ("head(ok=True, offset=0) + head(ok=True, blake3='0' * 64)", put, "has stored something else"),
        ("head(ok=True, offset=2**62) + head(ok=True)", put, "has stored something else"),
    ];
    for (words, asked, expected) in cases {
        let pair = with_a_server("say", &[words]);
        pair.file("mine", b"mine");
        pair.fails(asked, &[expected]);
        let left: Vec<String> =
            names(pair.here.path()).into_iter().filter(|name| !name.starts_with(".part-")).collect();
        assert_eq!(left, ["mine"], "{words}");
    }
    let list = r#"b'{"filename": "\\u001b[2Ja\\nb", "filesize": 1}\n'"#;
    let pair = with_a_server("say", &[&format!("head(ok=True, filesize=len({list})) + {list}")]);
    assert_eq!(pair.done(&["ls"]), "           1  \\u{1b}[2Ja\\nb\nls: 1 in all\n");
}

#[test]
fn to_a_classic_server_files_go_unasked_and_nobody_promises_that_they_are_stored() {
    if !python("to_a_classic_server_files_go_unasked_and_nobody_promises_that_they_are_stored") {
        return;
    }
    let folder = TempDir::new_in(temporary()).expect("a folder");
    let mut pair = with_a_server("store", &[folder.path().to_str().expect("UTF-8")]);
    let bytes = noise(300_000);
    pair.file("one", &bytes);
    pair.file("two", b"another\n");
    let said = pair.done(&["put", "--classic", "one", "two"]);
    assert!(said.contains("two: 8 bytes, sent; the server does not say what became of them"), "{said}");
    let request = pair.next_line_of_the_server();
    assert_eq!(request, "{'cmd': 'put', 'filename': 'one', 'filesize': 300000}\n");
    pair.next_line_of_the_server();
    assert!(fs::read(folder.path().join("one")).expect("it is there") == bytes);
    assert_eq!(fs::read(folder.path().join("two")).expect("it is there"), b"another\n");
}

/// A user's keys at a terminal, and what is to be seen then.
fn typed(pair: &Pair, keys: &[&str]) -> String {
    let mut terminal = Command::new("python3");
    terminal.arg(project("tests/peers/at_a_terminal.py")).args(keys).arg("--");
    let client = pair.words(&[]);
    terminal.arg(client.get_program()).args(client.get_args()).current_dir(pair.here.path());
    text(&run(pair.host.enter(&mut terminal)).stdout)
}

#[test]
fn at_a_terminal_the_prompt_remembers_lines_and_ends_as_its_user_wants() {
    if !python("at_a_terminal_the_prompt_remembers_lines_and_ends_as_its_user_wants") {
        return;
    }
    let pair = Pair::start();
    pair.file("two words", b"12345");
    pair.file("it's", b"123");
    let seen =
        typed(&pair, &[r"put 'two words' it\\'s\r", r"\x1b[A\r", r"put 'two\r", r"get --help\r", r"nonsense\r", "q\r"]);
    assert!(seen.contains("two words: 5 bytes, stored") && seen.contains("it's: 3 bytes, stored"), "{seen:?}");
    assert!(seen.contains("two words: the same file is there already"), "{seen:?}");
    assert!(seen.contains("a quotation mark is missing"), "{seen:?}");
    assert!(seen.contains("Their names on the server"), "{seen:?}");
    assert!(seen.contains("unrecognized subcommand"), "{seen:?}");
    assert!(seen.ends_with("6 lines were typed; the end: exit 0\n"), "{seen:?}");
    assert!(typed(&pair, &[r"ls\r", r"\x04"]).ends_with("2 lines were typed; the end: exit 0\n"));
    assert!(typed(&pair, &[r"ls\r", r"\x03"]).ends_with("2 lines were typed; the end: signal 2\n"));
}

#[test]
fn a_prompt_outlives_its_server() {
    let mut pair = Pair::start();
    let mut client = pair.words(&[]).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut keys = client.stdin.take().expect("a pipe");
    keys.write_all(b"ls\n").expect("typed");
    pair.next_line_of_the_server();
    pair.server.0.kill().and_then(|()| pair.server.0.wait()).expect("killed");
    let mut server = pair.host.role(&lab(36), "server");
    pair.server = pair.host.start_server(server.arg("--dir").arg(pair.inbox.path()), "tcp");
    // The port is in the table also while the old connection ends.
    let listens = format!("0100007F:{:04X} 00000000:0000 0A", pair.host.port());
    wait_until("the second server listens", || pair.host.table("tcp").contains(&listens));
    keys.write_all(b"ls\n").expect("typed");
    drop(keys);
    let output = finish(client);
    assert_eq!(text(&output.stdout).matches("ls: 0 in all").count(), 2, "{output:?}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn its_words_are_explained_by_help_and_refused_with_a_hint() {
    let pair = Pair::start();
    for words in [&["--help"][..], &["put", "--help"], &["get", "-h"]] {
        let output = pair.client(words);
        assert!(text(&output.stdout).contains("Usage: "), "{words:?}: {output:?}");
        assert_eq!(output.status.code(), Some(0));
    }
    pair.fails(&["putt", "a"], &["a similar subcommand exists: 'put'"]);
    pair.fails(&["put"], &["<FILES>"]);
    pair.fails(&["put", "--digest", "crc32", "a"], &["no digest \"crc32\" is known here"]);
}
