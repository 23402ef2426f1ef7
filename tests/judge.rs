//! The judge and its peers, towards programs that are a few lines long.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{PidfdFlags, PidfdGetfdFlags};
use socklab::judge::{Attempt, Cost, Done, Exercise, Grade, Judging, Outcome, Seed, Verdict, judge};
use socklab::sandbox::{Layer, Layers, SandboxConfig, resolve};

use crate::support::{has, project, read, skip};

/// A bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client that prints what happens to each line that it sends.
const CLIENT: &str = "
import os, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((os.environ['HOST'], int(os.environ['PORT'])))
for line in sys.stdin:
    try:
        sock.send(line.strip().encode())
        print(sock.recv(100).decode())
    except ConnectionRefusedError:
        print('refused')
";

/// A client that sends three datagrams, and does not wait.
const HASTY: &str = "
import os, socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for text in ['one', 'two', 'three']:
    sock.sendto(text.encode(), (os.environ['HOST'], int(os.environ['PORT'])))
";

/// A client that sends the same for ever.
const BORE: &str = "
import os, socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sock.sendto(b'again', (os.environ['HOST'], int(os.environ['PORT'])))
";

/// The verdict of one check on a program in Python; nothing where it cannot be had.
fn verdict(test: &str, program: &str, check: fn(&mut Attempt) -> Done) -> Option<Verdict> {
    verdict_of(test, program, Exercise::on_port(9000).check("only", 100, "does it", "There is none.", check))
}

/// The verdict of all checks of an exercise.
fn verdict_of(test: &str, program: &str, exercise: Exercise) -> Option<Verdict> {
    grade_of(test, program, exercise).map(|grade| grade.verdict())
}

/// The grade of a program in Python; nothing where it cannot be had.
fn grade_of(test: &str, program: &str, exercise: Exercise) -> Option<Grade> {
    let keeper = PathBuf::from(env!("CARGO_BIN_EXE_socklab"));
    let layers = Layers::here(&keeper);
    if !layers.has(Layer::Network) || !has("python3") {
        skip(test, "it takes private hosts and Python");
        return None;
    }
    let mut config = SandboxConfig { layers, keeper, port: exercise.port, ..SandboxConfig::default() };
    let python = resolve(OsStr::new("python3"), Path::new(".")).expect("Python");
    config.visible.extend(python.visible);
    Some(judge(&Judging {
        id: "test",
        exercise: &exercise,
        wrong: &[],
        typed: vec![],
        argv: vec![python.path.into(), "-c".into(), program.into()],
        env: vec![],
        sandbox: config,
        built: Cost::default(),
        seed: Seed::of_number(1),
        only: None,
        case: None,
        progress: &|_| {},
    }))
}

#[test]
fn checks_are_applied_side_by_side() {
    /// How many checks are under way.
    static HERE: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

    /// Passes when the other check is under way as well.
    fn meets_the_other(attempt: &mut Attempt) -> Done {
        attempt.start_client(&["nothing"])?;
        let (count, more) = &HERE;
        let mut here = count.lock().expect("a lock");
        *here += 1;
        more.notify_all();
        let (here, _) = more.wait_timeout_while(here, PATIENCE, |here| *here < 2).expect("a lock");
        if *here == 2 { Ok(()) } else { Err(attempt.failure("the other check does not come").into()) }
    }

    let both = Exercise::on_port(9000).check("one", 50, "meets the other", "There is none.", meets_the_other).check(
        "other",
        50,
        "meets the one",
        "There is none.",
        meets_the_other,
    );
    let met = verdict_of("side by side", "pass", both);
    assert!(met.is_none_or(|verdict| verdict == Verdict::Pass), "{met:?}");
}

#[test]
fn an_answer_that_comes_too_late_is_a_fault_of_ours() {
    let late = verdict("late answers", CLIENT, |attempt| {
        let mut server = attempt.open_udp_server("server")?;
        server.require_answer_within(Duration::from_millis(20));
        attempt.start_client(&["hello"])?;
        server.receive()?;
        // As if the machine had been busy with something else.
        attempt.pass_time(Duration::from_millis(30))?;
        server.answer(b"HELLO")
    });
    assert!(late.is_none_or(|verdict| verdict == Verdict::CannotTell), "{late:?}");
    let in_time = verdict("answers in time", CLIENT, |attempt| {
        let mut server = attempt.open_udp_server("server")?;
        server.require_answer_within(Duration::from_secs(60));
        attempt.start_client(&["hello"])?;
        server.expect(b"hello")?;
        server.answer(b"HELLO")?;
        attempt.expect_line("HELLO")
    });
    assert!(in_time.is_none_or(|verdict| verdict == Verdict::Pass), "{in_time:?}");
}

#[test]
fn a_peer_that_is_gone_at_once_gets_nothing_any_more() {
    for _ in 0..10 {
        let gone = verdict("a peer that is gone", CLIENT, |attempt| {
            let mut server = attempt.open_udp_server("server")?;
            attempt.start_client(&["hello", "world"])?;
            server.expect(b"hello")?;
            server.answer_and_close(b"HELLO")?;
            attempt.expect_line("HELLO")?;
            attempt.expect_line("refused")
        });
        assert!(gone.is_none_or(|verdict| verdict == Verdict::Pass), "{gone:?}");
    }
}

#[test]
fn datagrams_are_expected_in_whatever_order() {
    let all = verdict("any order", HASTY, |attempt| {
        let mut server = attempt.open_udp_server("server")?;
        attempt.start_client(&["nothing"])?;
        server.expect_in_any_order(&[b"three".to_vec(), b"one".to_vec(), b"two".to_vec()])
    });
    assert!(all.is_none_or(|verdict| verdict == Verdict::Pass), "{all:?}");
    let twice = verdict("one of them twice", HASTY, |attempt| {
        let mut server = attempt.open_udp_server("server")?;
        attempt.start_client(&["nothing"])?;
        server.expect_in_any_order(&[b"three".to_vec(), b"one".to_vec(), b"one".to_vec()])
    });
    assert!(twice.is_none_or(|verdict| verdict == Verdict::Fail), "{twice:?}");
}

#[test]
fn what_is_passed_over_has_an_end() {
    let bored = verdict("the same for ever", BORE, |attempt| {
        let mut server = attempt.open_udp_server("server")?;
        attempt.start_client(&["nothing"])?;
        server.expect_skipping(b"something else", |other| other == b"again")
    });
    assert!(bored.is_none_or(|verdict| verdict == Verdict::Fail), "{bored:?}");
}

#[test]
fn a_check_that_panics_is_a_fault_of_ours_that_says_why() {
    let panics: fn(&mut Attempt) -> Done = |attempt| {
        attempt.start_client(&["nothing"])?;
        panic!("there is no {}th letter", 27)
    };
    let exercise = Exercise::on_port(9000).check("panics", 50, "panics", "There is none.", panics).check(
        "passes",
        50,
        "passes",
        "There is none.",
        |attempt| attempt.start_client(&["nothing"]),
    );
    let Some(grade) = grade_of("a check that panics", "pass", exercise) else { return };
    assert_eq!((grade.verdict(), grade.points()), (Verdict::CannotTell, None));
    let Outcome::Fault(fault) = &grade.checks[0].outcome else { panic!("{:?}", grade.checks[0].outcome) };
    assert!(fault.contains("there is no 27th letter, at judge.rs:"), "{fault}");
    assert_eq!(grade.checks[1].verdict(), Verdict::Pass);
}

/// The files that say what a check can do: what an attempt and our peers have.
const API: [&str; 2] = ["src/judge/attempt", "src/judge/peer"];

/// The public methods of a check's API: each one's name, its documentation, and its signature.
fn methods() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for file in API.iter().flat_map(|folder| rust_files(&project(folder))) {
        let code = fs::read_to_string(&file).expect("a file");
        let mut docs = String::new();
        for (number, line) in code.lines().map(str::trim).enumerate() {
            if let Some(signature) = line.strip_prefix("pub fn ") {
                let name = signature.split(['(', '<']).next().expect("a name").to_owned();
                let whole = code.lines().skip(number).take_while(|line| !line.is_empty());
                let signature: String = whole.collect::<Vec<_>>().join(" ").split('{').next().expect("a head").into();
                found.push((name, std::mem::take(&mut docs), signature));
            } else if line.starts_with("///") {
                docs += line;
            } else {
                docs.clear();
            }
        }
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    folders.iter().flat_map(|folder| rust_files(folder)).chain(files).collect()
}

#[test]
fn what_a_check_calls_acts_and_only_a_question_is_named_as_one() {
    for (name, docs, signature) in methods() {
        let asks = name.starts_with("is_") || name.starts_with("has_");
        let returns = signature.rsplit_once("-> ").map_or("", |(_, returned)| returned);
        assert_eq!(asks, returns.starts_with("bool"), "{signature}");
        assert!(docs.len() > 10, "{name} has no documentation");
        assert_eq!(docs.contains("# Errors"), returns.starts_with("Done"), "{signature}");
    }
}

#[test]
fn the_page_on_writing_exercises_names_all_that_a_check_can_call_and_nothing_else() {
    let page = read("docs/writing-exercises.md");
    let (page, _) = page.split_once("## What makes a check a good one").expect("a heading");
    let (_, tables) = page.split_once("| of the attempt").expect("a table");
    let rows = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let named = rows.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`'));
    let named: BTreeSet<&str> = named.filter_map(|name| name.split('(').next()).collect();
    let methods = methods();
    assert_eq!(named, methods.iter().map(|(name, ..)| name.as_str()).collect());
}

#[test]
fn the_check_on_the_page_is_a_check_of_exercise_30() {
    let page = read("docs/writing-exercises.md");
    let (_, rest) = page.split_once("```rust\n").expect("a program");
    let (example, _) = rest.split_once("```").expect("its end");
    let plain = |code: &str| -> String {
        let without_remarks = code.lines().map(|line| line.split(" // ").next().unwrap_or_default());
        without_remarks.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
    };
    let checks = plain(&read("labs/30-struct-header/exercise/checks.rs"));
    let (exercise, check) = example.split_once("\n\n").expect("two functions");
    let arguments = plain(exercise).split_once(".check(").expect("a check").1.trim_end_matches(")}").to_owned();
    assert!(checks.contains(&arguments), "{arguments}");
    assert!(checks.contains(&plain(check)), "{check}");
}

/// Holds a copy of our socket at this port of the host, as a child does that has not begun its program yet, until our
/// descriptor is closed.
fn hold_until_closed(attempt: &Attempt) -> JoinHandle<()> {
    let own = attempt.sockets().expect("the host's sockets");
    let own = own.iter().find(|socket| socket.local == attempt.address() && socket.inode != 0).expect("our socket");
    let (me, link) = (rustix::process::getpid(), format!("socket:[{}]", own.inode));
    let is_own = |file: &Path| fs::read_link(file).is_ok_and(|target| target.as_os_str() == link.as_str());
    let mut files = fs::read_dir("/proc/self/fd").expect("our descriptors").map(|entry| entry.expect("one").path());
    let file = files.find(|file| is_own(file)).expect("our descriptor");
    let number = file.file_name().and_then(OsStr::to_str).and_then(|name| name.parse().ok()).expect("a number");
    let me = rustix::process::pidfd_open(me, PidfdFlags::empty()).expect("ourselves");
    let copy = rustix::process::pidfd_getfd(me, number, PidfdGetfdFlags::empty()).expect("a copy");
    let is_open = move || fs::read_link(&file).is_ok_and(|target| target.as_os_str() == link.as_str());
    thread::spawn(move || {
        let began = Instant::now();
        while is_open() {
            assert!(began.elapsed() < PATIENCE, "our socket is never closed");
            thread::yield_now();
        }
        drop(copy);
    })
}

#[test]
fn what_our_side_closes_is_closed_although_a_child_that_starts_has_a_copy() {
    fn closes(attempt: &mut Attempt) -> Done {
        for _ in 0..20 {
            let server = attempt.open_udp_server("server")?;
            let held = hold_until_closed(attempt);
            server.close();
            drop(attempt.open_udp_server("server, again")?);
            held.join().expect("the holder");
            let listener = attempt.listen("listener")?;
            let held = hold_until_closed(attempt);
            // At the end of its scope, as where a check ends early.
            drop(listener);
            attempt.listen("listener, again")?.close();
            held.join().expect("the holder");
        }
        Ok(())
    }
    let verdict = verdict("what_our_side_closes_is_closed_although_a_child_that_starts_has_a_copy", CLIENT, closes);
    if let Some(verdict) = verdict {
        assert_eq!(verdict, Verdict::Pass);
    }
}
