//! Files over a connection, by hand: labs 36 and 37 as somebody uses them, and what must not happen to a file.

mod ends;
mod limits;
mod strangers;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{Host, Running, finish, has, lab, project, run, skip, temporary, text};

/// A server with a folder, and a folder for clients.
struct Pair {
    host: Host,
    inbox: TempDir,
    here: TempDir,
    server: Running,
}

impl Pair {
    fn start() -> Pair {
        Pair::start_in(&temporary(), None)
    }

    /// A server in a folder of this one, started by another program if there are words for that.
    fn start_in(parent: &Path, behind_words: Option<&[&str]>) -> Pair {
        let folder = || TempDir::new_in(parent).expect("a folder");
        let (host, inbox, here) = (Host::open(), folder(), folder());
        let mut server = host.role(&lab(36), "server");
        server.arg("--dir").arg(inbox.path());
        if let Some(words) = behind_words {
            server = behind(words, &server);
            host.enter(&mut server);
        }
        let server = host.start_server(&mut server, "tcp");
        Pair { host, inbox, here, server }
    }

    /// A client that is given these words.
    fn words(&self, words: &[&str]) -> Command {
        let mut client = self.host.role(&lab(36), "client");
        client.args(words).current_dir(self.here.path()).stdin(Stdio::null());
        client
    }

    /// What a client does that is given these words.
    fn client(&self, words: &[&str]) -> Output {
        finish(self.words(words).spawn().expect("it starts"))
    }

    /// The same, which must succeed.
    fn done(&self, words: &[&str]) -> String {
        let output = self.client(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The same, which must fail, and say all this.
    fn fails(&self, words: &[&str], says: &[&str]) {
        let output = self.client(words);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(says.iter().all(|part| said.contains(part)), "{says:?} in {said}");
        let is_harmless = |c: char| !c.is_control() || c == '\n';
        assert!(said.chars().all(is_harmless), "for the terminal: {said:?}");
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.here.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// What a file of the server holds.
    fn stored(&self, name: &str) -> Vec<u8> {
        fs::read(self.inbox.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What lies in the server's folder.
    fn names(&self) -> Vec<String> {
        names(self.inbox.path())
    }

    /// The line with which the server says what it did next.
    fn next_line_of_the_server(&mut self) -> String {
        let mut line = String::new();
        let mut stdout = BufReader::with_capacity(1, self.server.0.stdout.as_mut().expect("a pipe"));
        stdout.read_line(&mut line).expect("a line");
        line
    }

    /// A program in Python in place of a client.
    fn peer(&self, mode: &str, words: &[&str]) -> Vec<String> {
        let output = run(&mut peer(&self.host, mode, words));
        assert!(output.status.success(), "{mode} {words:?}: {}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect()
    }
}

fn peer(host: &Host, mode: &str, words: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg(project("tests/peers/transfer.py")).args([mode, &host.port().to_string()]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    host.enter(&mut command);
    command
}

/// A client's folder, and a program in Python in place of the server, which is ready.
fn with_a_server(mode: &str, words: &[&str]) -> Pair {
    let folder = || TempDir::new_in(temporary()).expect("a folder");
    let host = Host::open();
    let mut server = Running(peer(&host, mode, words).spawn().expect("python3 starts"));
    let mut line = String::new();
    BufReader::with_capacity(1, server.0.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n", "{mode} did not start");
    Pair { host, inbox: folder(), here: folder(), server }
}

/// Whether Python is there; says so if it is not.
fn python(test: &str) -> bool {
    if !has("python3") {
        skip(test, "python3 is not installed");
    }
    has("python3")
}

/// The same command behind another one, which starts it.
fn behind(words: &[&str], command: &Command) -> Command {
    let mut wrapped = Command::new(words[0]);
    wrapped.args(&words[1..]).arg(command.get_program()).args(command.get_args());
    wrapped.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Bytes that no line and no run of equal bytes stands out in.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(next).collect()
}

#[test]
fn files_of_every_kind_of_size_come_over_equal_in_both_directions() {
    let pair = Pair::start();
    let sizes = [0, 1, 1023, 1024, 1025, 8192, 65_536, 5 << 20];
    let mut files: Vec<(String, Vec<u8>)> = sizes.iter().map(|size| (format!("of {size}"), noise(*size))).collect();
    files.push(("lines".to_owned(), b"\n".repeat(10_000)));
    files.push(("你好 γειά שלום.txt".to_owned(), b"in any script\n".to_vec()));
    for (name, bytes) in &files {
        pair.file(name, bytes);
    }
    let words = |verb| std::iter::once(verb).chain(files.iter().map(|(name, _)| name.as_str())).collect::<Vec<&str>>();
    pair.done(&words("put"));
    for (name, bytes) in &files {
        assert!(fs::read(pair.inbox.path().join(name)).expect("it is there") == *bytes, "{name}");
        fs::remove_file(pair.here.path().join(name)).expect("removed");
    }
    pair.done(&words("get"));
    for (name, bytes) in &files {
        assert!(fs::read(pair.here.path().join(name)).expect("it is here") == *bytes, "{name}");
    }
    assert_eq!(pair.names().len(), files.len(), "{:?}", pair.names());
}

#[test]
fn each_byte_of_a_large_file_is_read_and_written_once_in_calls_that_are_shown() {
    let pair = Pair::start();
    let size = 3_000_000;
    pair.file("large", &noise(size));
    pair.done(&["put", "large"]);
    fs::remove_file(pair.here.path().join("large")).expect("removed");
    let moved = |words: &[&str], call: &str| -> usize {
        let shown = text(&pair.client(words).stderr);
        let of_the_call = shown.lines().filter_map(|line| line.strip_prefix("client  ")?.strip_prefix(call));
        let sums = of_the_call.filter_map(|line| line.rsplit_once(") = ")?.1.split(' ').next()?.parse::<usize>().ok());
        sums.sum()
    };
    assert_eq!(moved(&["--calls", "get", "large"], "write("), size);
    assert_eq!(moved(&["--calls", "put", "--replace", "large"], "read("), size);
}

#[test]
fn a_name_that_is_taken_stays_what_it_was_unless_it_is_to_be_replaced() {
    let pair = Pair::start();
    pair.file("a", b"one");
    assert!(pair.done(&["put", "a"]).contains("3 bytes, stored"));
    assert!(pair.done(&["put", "a"]).contains("the same file is there already"));
    pair.file("a", b"two");
    pair.fails(&["put", "a"], &["there is a file of this name already"]);
    assert_eq!(fs::read(pair.inbox.path().join("a")).expect("it is there"), b"one");
    pair.done(&["put", "--replace", "a"]);
    assert_eq!(fs::read(pair.inbox.path().join("a")).expect("it is there"), b"two");
    assert_eq!(pair.names(), ["a"]);
}

#[test]
fn a_role_without_a_folder_takes_no_dir() {
    let pair = Pair::start();
    let mut client = pair.host.role(&lab(1), "server");
    let output = finish(client.args(["--dir", "inbox"]).spawn().expect("it starts"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("leave out --dir"), "{}", text(&output.stderr));
}
