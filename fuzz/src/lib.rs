//! What strangers send, each kind of it thrown at what reads it: `fuzz/run` does so with new bytes, and the test
//! `tests/fuzz_corpora.rs` with those that are kept in `corpus/`.
//!
//! A function panics where what it calls panics, and where one of the promises that stand in it is broken.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{CWD, FileType, Mode, mkfifoat};
use serde_json::Value as Json;
use socklab::course::attempt_source;
use socklab::judge::report::{self, ReportOptions};
use socklab::judge::{Done, Exercise, Failure, Grade, Kind, Outcome, Seed, Shown, Unfit};
use socklab::probe::proc::{self, Schedstat, SocketRow, Stat};
use socklab::trace::{Call, Event, Host, Syscall, What};
use socklab::view::{Transcript, capture, json};
use socklab::{fuzzing, wire};
use tempfile::TempDir;

mod framing;

pub use framing::{framing_ack, framing_delimiter, framing_fixed, framing_json, framing_text};

/// A folder that holds nothing but a `socklab.toml` with these bytes, and two programs.
pub fn manifest(bytes: &[u8]) {
    let folder = folder_in_memory();
    for (name, text) in [("socklab.toml", bytes), ("server.py", b""), ("client.py", b"")] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    match attempt_source::of_folder(folder.path(), &[]) {
        Ok(source) => assert!(!source.run.is_empty(), "nothing is run"),
        Err(error) => assert!(!format!("{error:#}").is_empty(), "an error says what is wrong"),
    }
}

/// A zip or a tar.gz that somebody has handed in: what comes of it is a program in a folder of files, or an error.
pub fn handed_in(bytes: &[u8]) {
    let folder = folder_in_memory();
    let archive = folder.path().join("submission.zip");
    fs::write(&archive, bytes).expect("a file");
    match attempt_source::of_path(&archive, &["server.py"]) {
        Ok(source) => {
            assert!(!source.run.is_empty(), "nothing is run");
            let largest = only_files_and_folders(source.scratch.as_ref().expect("its folder").path(), 0);
            assert!(largest <= 64 << 20, "{largest} bytes came out");
        }
        Err(error) => assert!(!format!("{error:#}").is_empty(), "an error says what is wrong"),
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "something lies beside it");
}

/// An archive, laid into a folder: nothing comes to lie beside that, and in it only files, folders, and links that
/// stay.
pub fn archive(bytes: &[u8]) {
    let folder = folder_in_memory();
    let (inside, beside) = (folder.path().join("inside"), folder.path().join("beside"));
    fs::create_dir(&inside).expect("a folder");
    fs::write(&beside, "as it was").expect("a file");
    mkfifoat(CWD, folder.path().join("fifo"), Mode::RUSR | Mode::WUSR).expect("a FIFO");
    // Whether it is an archive is not the question.
    let _ = fuzzing::unpack(bytes, &inside);
    assert_eq!(fs::read(&beside).expect("the file"), b"as it was");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 3, "something lies beside it");
    let largest = only_files_and_folders(&inside, 0);
    assert!(largest <= bytes.len() as u64, "{largest} bytes came out of {}", bytes.len());
}

/// The bytes of all files below a folder, which is so deep.
fn only_files_and_folders(folder: &Path, depth: usize) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let about = rustix::fs::lstat(&path).expect("what it is");
        match FileType::from_raw_mode(about.st_mode) {
            FileType::Directory => bytes += only_files_and_folders(&path, depth + 1),
            FileType::RegularFile => bytes += u64::try_from(about.st_size).expect("a size"),
            FileType::Symlink => {
                let target = fs::read_link(&path).expect("a link");
                let up = target.iter().filter(|part| *part == "..").count();
                assert!(target.is_relative() && up <= depth, "{} leads to {}", path.display(), target.display());
                continue;
            }
            other => panic!("{} is a {other:?}", path.display()),
        }
        assert_eq!(about.st_mode & 0o7022, 0, "{}: {:o}", path.display(), about.st_mode);
    }
    bytes
}

/// A message, as init sends them to the judge.
pub fn init_message(bytes: &[u8]) {
    fuzzing::read_init_message(bytes);
}

/// What the kernel says of a process that has this name, and a text that it never wrote.
pub fn proc_text(bytes: &[u8]) {
    let _ = (Stat::read(bytes), Schedstat::read(bytes), proc::last_started(bytes));
    let text = String::from_utf8_lossy(bytes);
    let _ = (SocketRow::all(&text).count(), proc::call(&text));
    // The kernel writes names as they are, but for these two; a name has 15 bytes, a kernel thread's may have 63.
    let name: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\\' | 0)).take(63).collect();
    let before = b") S 7 42 42 0 -1 4194304 99 0 0 0 150 50 0 0 20 0 1 0 5000 8192 100";
    let line = [&b"42 ("[..], &name, before, &b" 0".repeat(30), b"\n"].concat();
    let stat = Stat::read(&line).expect("the kernel's line");
    assert_eq!((stat.pid, stat.state, stat.parent), (42, 'S', 7), "{name:?}");
    assert_eq!((stat.name, stat.cpu.as_millis()), (String::from_utf8_lossy(&name).into_owned(), 2000));
}

/// A row of the kernel's table of sockets.
pub fn netlink_row(bytes: &[u8]) {
    fuzzing::read_netlink_row(bytes);
}

/// A packet that was overheard on a stranger's host: how it is told, as a line, as JSON and as a capture.
pub fn frame(bytes: &[u8]) {
    let name = |address: SocketAddr| address.to_string();
    let _ = wire::destination(bytes);
    let mut frame = wire::overheard(1, bytes, (Host::A, Host::B), name);
    frame.layers = wire::take_apart(bytes, &name);
    let event = Event { n: 1, at_ns: 1, scene: 1, role: None, actor: None, host: Host::A, what: What::Frame(frame) };
    is_harmless(&without_colours(&Transcript::new(&[]).with_frames().lines(&event)));
    follows(&json::line(&event), "trace");
    is_capture(&capture::pcapng(&[event]));
}

/// What came in place of what was expected, on screens of all sizes.
pub fn answer(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let (lines, columns) = (5 + pieces.number() as usize % 60, 20 + pieces.number() as usize % 120);
    let expected = pieces.bytes();
    // Mostly they begin alike.
    let same = pieces.number() as usize;
    let got = [&expected[..same.min(expected.len())], pieces.rest()].concat();
    let mut grade = grade_of(vec!["program".to_owned()], String::new());
    grade.unfit = None;
    let failure = Failure::new(Kind::Wrong, "it answers something else").between(expected, got);
    grade.checks[0].outcome = Outcome::Failed(Box::new(failure));
    for screen in [None, Some((lines, columns))] {
        let told = match screen {
            Some((lines, columns)) => report::screen(&grade, &options(columns), lines, 0),
            None => report::text(&grade, &options(report::WIDTH)),
        };
        is_harmless(&without_colours(&told));
        assert!(screen.is_none_or(|(lines, _)| told.lines().count() <= lines), "{told}");
    }
}

/// A grade with a stranger's bytes wherever such can be, in each of its forms.
pub fn report(bytes: &[u8]) {
    let grade = hostile_grade(bytes, |text| text);
    let told = |grade: &Grade| report::text(grade, &options(report::WIDTH)) + &report::transcript(grade);
    let (text, json, junit) = (told(&grade), report::json(&grade).to_string(), report::junit(&grade));
    // The same where a stranger's escapes are another control character, told in as many columns: what is left are our
    // own colours.
    let without_escapes = hostile_grade(bytes, |text| text.replace('\u{1b}', "\u{1c}"));
    let escapes = |text: &str| text.matches('\u{1b}').count();
    assert_eq!(escapes(&text), escapes(&told(&without_escapes)), "an escape came through: {text:?}");
    is_harmless(&text.replace('\u{1b}', ""));
    is_harmless(&json);
    follows(&json, "grade");
    let document = roxmltree::Document::parse(&junit).unwrap_or_else(|error| panic!("{error}: {junit}"));
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase")).count();
    assert_eq!(cases, grade.checks.len(), "{junit}");
    assert!(!junit.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{junit:?}");
    is_capture(&report::pcapng(&grade));
    // A byte takes at most six in any form: `\u0000`. What stands around it is ours.
    for (form, len) in [("text", text.len()), ("JSON", json.len()), ("JUnit", junit.len())] {
        assert!(len <= 40_000 + 20 * bytes.len(), "{} bytes make {len} bytes of {form}", bytes.len());
    }
}

/// A grade in which these bytes stand wherever a stranger's can, each text changed in this way.
fn hostile_grade(bytes: &[u8], change: impl Fn(String) -> String) -> Grade {
    let mut pieces = Pieces(bytes);
    let changed = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => change(text).into_bytes(),
        // Where it is no text it has other bytes in the place of each one.
        Err(error) => {
            let bytes = error.into_bytes();
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            change(text).chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
        }
    };
    let text = |pieces: &mut Pieces<'_>| String::from_utf8_lossy(&changed(pieces.bytes())).into_owned();
    let program = (0..=pieces.number() % 3).map(|_| text(&mut pieces)).collect();
    let build = text(&mut pieces);
    let mut grade = grade_of(program, build);
    if pieces.number() % 4 == 0 {
        return grade;
    }
    grade.unfit = None;
    for checked in &mut grade.checks {
        checked.outcome = match pieces.number() % 4 {
            0 => Outcome::Passed,
            1 => Outcome::Fault(text(&mut pieces)),
            kind => {
                let shown = |pieces: &mut Pieces<'_>| match pieces.number() % 2 {
                    0 => Shown::Bytes(changed(pieces.bytes())),
                    _ => Shown::Words(text(pieces)),
                };
                let kind = if kind == 2 { Kind::Wrong } else { Kind::Limit };
                let mut failure = Failure::new(kind, "it does not do what it must");
                failure.expected = (pieces.number() % 2 == 0).then(|| shown(&mut pieces));
                failure.got = (pieces.number() % 2 == 0).then(|| shown(&mut pieces));
                failure.why = (0..pieces.number() % 3).map(|_| text(&mut pieces)).collect();
                failure.last_words = changed(pieces.bytes());
                Outcome::Failed(Box::new(failure))
            }
        };
        for n in 1..=u64::from(pieces.number() % 4) {
            let (role, what) = match pieces.number() % 3 {
                0 => ("program", What::Print { text: text(&mut pieces) }),
                1 => {
                    let came = changed(pieces.bytes());
                    let mut call = Call::new(Syscall::Recv, Some(3));
                    call.received(came.len(), &came);
                    ("client", What::Call(call))
                }
                _ => {
                    // With other bytes it would be another frame.
                    let frame = pieces.bytes();
                    let name = |address: SocketAddr| address.to_string();
                    ("", What::Frame(wire::overheard(1, &frame, (Host::A, Host::B), name)))
                }
            };
            let role = (!role.is_empty()).then(|| role.to_owned());
            checked.events.push(Event { n, at_ns: n, scene: 1, actor: role.clone(), role, host: Host::A, what });
        }
    }
    grade
}

/// A grade of three checks of an attempt that cannot be built.
fn grade_of(program: Vec<String>, output: String) -> Grade {
    fn passes(_: &mut socklab::judge::Attempt) -> Done {
        Ok(())
    }
    let exercise = ["first", "second", "third"].into_iter().fold(Exercise::on_port(9), |exercise, name| {
        exercise.check(name, 1, "does what it must, whatever comes", "Think of it.", passes)
    });
    let unfit =
        Unfit { what: "it cannot be built".to_owned(), output, tier: 2, protection: "tier 2 (isolated)".to_owned() };
    Grade::unfit("98", &exercise, program, Seed::of_number(1), unfit)
}

fn options(columns: usize) -> ReportOptions<'static> {
    let command = "just grade 98";
    ReportOptions { title: "a task", page: "docs/x.md", command, behind: "", next: &[], all: true, columns }
}

/// A folder in memory, where there is one: a target makes thousands of them.
fn folder_in_memory() -> TempDir {
    let place = Path::new("/dev/shm");
    let made = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// Nothing in a text makes a terminal do anything, or turns it around.
fn is_harmless(text: &str) {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' || turns(c)), "{text:?}");
}

/// A text of ours without its colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').expect("the end of a colour").1)
}

/// JSON follows the schema of this name.
fn follows(text: &str, schema: &str) {
    let value: Json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    static GRADE: OnceLock<Schema> = OnceLock::new();
    static TRACE: OnceLock<Schema> = OnceLock::new();
    let schema = match schema {
        "grade" => GRADE.get_or_init(|| Schema::of(include_str!("../../docs/grade.schema.json"))),
        _ => TRACE.get_or_init(|| Schema::of(include_str!("../../docs/trace.schema.json"))),
    };
    if let Err(error) = schema.all.validate(&value, schema.index) {
        panic!("{error:#}: {text}");
    }
}

struct Schema {
    all: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    fn of(text: &str) -> Schema {
        let (mut all, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("schema.json", serde_json::from_str(text).expect("JSON")).expect("a schema");
        let index = compiler.compile("schema.json", &mut all).expect("a schema that compiles");
        Schema { all, index }
    }
}

/// A file is pcapng: blocks, each with its length at both ends, and options that end inside of them.
fn is_capture(file: &[u8]) {
    let long = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let short = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().expect("two bytes"));
    let mut at = 0;
    while at < file.len() {
        let (kind, len) = (long(at), long(at + 4) as usize);
        assert!(len >= 12 && len % 4 == 0 && at + len <= file.len(), "a block of {len} bytes at {at}");
        assert_eq!(long(at + len - 4) as usize, len, "the block at {at} has two lengths");
        let options = match kind {
            0x0A0D_0D0A => 24,
            1 => 16,
            6 => 28 + (long(at + 20) as usize).next_multiple_of(4),
            other => panic!("a block of kind {other} at {at}"),
        };
        let (mut option, end) = (at + options, at + len - 4);
        while option < end {
            let (code, size) = (short(option), usize::from(short(option + 2)));
            assert!(option + 4 + size <= end, "an option at {option} leaves its block");
            assert!(code != 1 || std::str::from_utf8(&file[option + 4..option + 4 + size]).is_ok(), "at {option}");
            option += 4 + size.next_multiple_of(4);
            assert!(code != 0 || option == end, "options behind the last one at {option}");
        }
        assert_eq!(option, end, "the options of the block at {at}");
        at += len;
    }
}

/// Bytes, taken apart into numbers and pieces that say their own length.
struct Pieces<'a>(&'a [u8]);

impl Pieces<'_> {
    fn number(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> Vec<u8> {
        // Most are short, and a long one is as long as it gets.
        let len = match self.number() {
            255 => self.0.len(),
            len => usize::from(len),
        };
        let (piece, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        piece.to_vec()
    }

    fn rest(&mut self) -> &[u8] {
        std::mem::take(&mut self.0)
    }
}
