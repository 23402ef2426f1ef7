//! What it costs to judge an attempt, beside bare starts of its program, and beside the same checks in other graders:
//! `just bench`.
//!
//! Processor time is that of all processes that a judgement starts, by the clock or not: a machine with other things to
//! do takes longer, and not more of it.

#[path = "support/limit.rs"]
mod limit;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use limit::keeps;
use rustix::process::{WaitOptions, getpid, set_child_subreaper, waitpid};
use support::{in_some_turns, row, shown, time, time_to};

const ROUNDS: usize = 15;

/// The exercise that other graders judge as well.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/labs/30-struct-header/exercise/solutions/python");
const IMPORTS: &str = "import os, socket, struct";

/// What an attempt may cost, in bare starts of its program: one for each check.
const LIMIT: f64 = 1.6;

/// What an attempt may take, in seconds, beyond the longest time for which one of its checks holds a piece back.
const LIMIT_BEYOND: f64 = 0.5;

/// For how long a piece is held back, in seconds: `HOLD` in `src/judge/peer/tcp/mod.rs`.
const HOLD: f64 = 1.3;

/// Mistakes that most students make once: the exercise, and the wrong program of its folder or a program's text.
const MISTAKES: [(&str, &str); 12] = [
    ("15", "text: it does not start\nimport socket(\n"),
    ("30", "text: it takes the default port\nimport socket\nsocket.create_server(('', 8080)).accept()\n"),
    ("30", "30-struct-header/exercise/wrong/one-recv-one-message.py"),
    ("30", "30-struct-header/exercise/wrong/header-in-one-recv.py"),
    ("30", "30-struct-header/exercise/wrong/dies-with-its-client.py"),
    ("30", "30-struct-header/exercise/wrong/one-client.py"),
    ("30-client", "30-struct-header/exercise-client/wrong/one-recv-one-answer.py"),
    ("27", "27-low-version/exercise/wrong/waits-for-ever.py"),
    ("20", "20-sticky-leftovers/exercise/wrong/one-recv-one-name.py"),
    ("18", "18-address-in-use/exercise/wrong/free-when-it-is-gone.py"),
    ("15", "15-tcp-next-caller/exercise/wrong/endless-empty-recv.py"),
    ("05", "05-udp-no-server/exercise/wrong/waits-for-ever.py"),
];

/// Of these so many may take longer than so many seconds.
const MOST_SLOW: usize = 1;
const SLOW: f64 = 3.0;

/// The exit codes of a program that passes, and of one that fails.
const PASS: i32 = 0;
const FAIL: i32 = 8;

/// An exercise whose solution is judged.
struct Case {
    id: &'static str,
    folder: &'static str,
    checks: usize,
    /// For how long one of its checks holds a piece back, if one does, in seconds.
    holds: Option<f64>,
}

const CASES: [Case; 2] = [
    Case { id: "30", folder: "labs/30-struct-header/exercise/solutions/python", checks: 16, holds: Some(HOLD) },
    Case { id: "01", folder: "labs/01-udp-echo/exercise/solutions/python", checks: 15, holds: Some(HOLD) },
];

fn main() {
    println!("medians of {ROUNDS} rounds, taken in turns\n");
    println!(
        "{:<54} {:>10} {:>10} {:>7}",
        "an attempt, beside as many bare starts as checks", "ours", "baseline", "ratio"
    );
    for case in &CASES {
        beside_bare_starts(case);
    }
    typical_mistakes();
    println!("\n{:<54} {:>10} {:>10} {:>7}", "an attempt of exercise 30, beside", "ours", "baseline", "ratio");
    let judged = || judged(&CASES[0]);
    for (name, command) in [("the same checks in pytest", pytest as Grader), ("the same checks in check50", check50)] {
        match command() {
            Some(_) => row(name, in_some_turns(ROUNDS, judged, || time(&mut command().expect("it was there")))),
            None => println!("{name}: not measured; pip install pytest check50, or SOCKLAB_GRADERS=/folder/of/them"),
        }
    }
}

/// What something costs: by the clock, and in processor time.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
}

fn beside_bare_starts(case: &Case) {
    let (ours, bare) = (|| cost(|| judged(case)), || cost(|| bare_starts(real_python(), case.checks)));
    let _warm_up = (ours(), bare());
    let rounds: Vec<(Cost, Cost)> = (0..ROUNDS).map(|_| (ours(), bare())).collect();
    let median = |of: &dyn Fn(&(Cost, Cost)) -> Duration| {
        let mut all: Vec<Duration> = rounds.iter().map(of).collect();
        all.sort();
        all[ROUNDS / 2]
    };
    let processor = (median(&|(ours, _)| ours.processor), median(&|(_, bare)| bare.processor));
    let wall = (median(&|(ours, _)| ours.wall), median(&|(_, bare)| bare.wall));
    let (id, checks) = (case.id, case.checks);
    let ratio = |(ours, bare): (Duration, Duration)| ours.as_secs_f64() / bare.as_secs_f64();
    row(&format!("exercise {id}, {checks} checks: processor time"), processor);
    keeps("processor time, in bare starts", ratio(processor), LIMIT, "");
    row(&format!("exercise {id}, {checks} checks: by the clock"), wall);
    match case.holds {
        None => keeps("by the clock, in bare starts", ratio(wall), LIMIT, ""),
        Some(hold) => keeps("by the clock, beyond the longest hold", wall.0.as_secs_f64() - hold, LIMIT_BEYOND, " s"),
    }
    let fastest = rounds.iter().map(|(ours, _)| ours.wall).min().unwrap_or_default();
    println!("  by the clock, the fastest round: {}", shown(fastest));
}

/// How long it takes until each of these is told what is wrong.
fn typical_mistakes() {
    const ROUNDS: usize = 3;
    println!("\n{:<54} {:>10}", "a wrong program, from its save to its report", "ours");
    let folder = tempfile::tempdir().expect("a folder");
    let mut slow = 0;
    for (id, program) in MISTAKES {
        let (name, text) = match program.strip_prefix("text: ").and_then(|text| text.split_once('\n')) {
            Some((name, text)) => (name, text.to_owned()),
            None => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("labs").join(program);
                (program.rsplit('/').next().unwrap_or(program), fs::read_to_string(path).expect("a wrong program"))
            }
        };
        fs::write(folder.path().join("program.py"), text).expect("a program");
        let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| judged_in(id, folder.path(), "program.py", FAIL)).collect();
        rounds.sort();
        println!("{:<54} {:>10}", format!("{id} {name}"), shown(rounds[ROUNDS / 2]));
        slow += usize::from(rounds[ROUNDS / 2].as_secs_f64() > SLOW);
    }
    keeps(&format!("of these, slower than {SLOW} s"), slow as f64, MOST_SLOW as f64, "");
}

type Grader = fn() -> Option<Command>;

fn judged(case: &Case) -> Duration {
    judged_in(case.id, &Path::new(env!("CARGO_MANIFEST_DIR")).join(case.folder), "server.py", PASS)
}

fn judged_in(id: &str, folder: &Path, program: &str, code: i32) -> Duration {
    let mut socklab = Command::new(env!("CARGO_BIN_EXE_socklab"));
    // Both start the interpreter itself.
    socklab.env("PATH", real_python().parent().expect("a folder"));
    let command = socklab.args(["grade", id, "--seed", "1", "--", "python3", program]).current_dir(folder);
    time_to(code, command)
}

/// Starts of the interpreter with the imports, as many at once as there are processors.
fn bare_starts(python: &Path, count: usize) -> Duration {
    let began = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for core in 0..cores {
            scope.spawn(move || {
                (core..count).step_by(cores).for_each(|_| _ = time(Command::new(python).args(["-c", IMPORTS])));
            });
        }
    });
    began.elapsed()
}

/// What some work costs, with all processes that it starts: also those that it leaves to end by themselves.
fn cost(work: impl FnOnce() -> Duration) -> Cost {
    set_child_subreaper(Some(getpid())).expect("this program takes over what others leave");
    let before = processor_time();
    let wall = work();
    while waitpid(None, WaitOptions::empty()).is_ok() {}
    Cost { wall, processor: processor_time() - before }
}

/// The processor time of all children that have ended, and of theirs.
fn processor_time() -> Duration {
    // SAFETY: an `rusage` is numbers only, for which zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: it writes to `usage` and nowhere else.
    let done = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    assert_eq!(done, 0, "getrusage: {}", std::io::Error::last_os_error());
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}
/// The interpreter itself: `python3` may be a shim that costs more than it.
fn real_python() -> &'static Path {
    static REAL: OnceLock<PathBuf> = OnceLock::new();
    REAL.get_or_init(|| {
        let told = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("python3");
        String::from_utf8_lossy(&told.stdout).trim().into()
    })
}

fn pytest() -> Option<Command> {
    let mut command = grader("pytest")?;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/graders");
    command.args(["-q", "-p", "no:cacheprovider", "test_struct_header.py"]).current_dir(folder);
    command.env("PROGRAM", format!("{FOLDER}/server.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

fn check50() -> Option<Command> {
    let mut command = grader("check50")?;
    let checks = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/graders/check50");
    command.args(["--dev", "-o", "json", "--", checks]).current_dir(FOLDER).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

fn grader(name: &str) -> Option<Command> {
    let path = match std::env::var_os("SOCKLAB_GRADERS") {
        Some(folder) => PathBuf::from(folder).join(name),
        None => {
            std::env::split_paths(&std::env::var_os("PATH")?).map(|one| one.join(name)).find(|path| path.is_file())?
        }
    };
    path.is_file().then(|| Command::new(path))
}
