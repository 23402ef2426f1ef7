//! The judge and its peers, towards programs that are a few lines long.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use socklab::judge::{Attempt, Done, Exercise, Grade, Judging, Outcome, Verdict, judge};
use socklab::sandbox::{Layer, Layers, SandboxConfig, resolve};

use crate::support::{has, skip};

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
        order: config,
        seed: 1,
        only: None,
        case: None,
        capture: false,
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
