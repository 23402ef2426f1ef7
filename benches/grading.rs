//! What it costs to judge an attempt, beside bare starts of its program, and beside the same checks in other graders:
//! `just bench`.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use support::{in_some_turns, row, time};

const ROUNDS: usize = 15;

/// The exercise whose solution is judged, how many checks it has, and what its program imports.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/labs/30-struct-header/exercise/solutions/python");
const CHECKS: usize = 10;
const IMPORTS: &str = "import os, socket, struct";

fn main() {
    println!("medians of {ROUNDS} rounds, taken in turns\n");
    println!("{:<54} {:>10} {:>10} {:>7}", "an attempt with ten checks, beside", "ours", "baseline", "ratio");
    let python = real_python();
    row("as many bare starts of its program, side by side", in_some_turns(ROUNDS, judged, || bare_starts(python)));
    for (name, command) in [("the same checks in pytest", pytest as Grader), ("the same checks in check50", check50)] {
        match command() {
            Some(_) => row(name, in_some_turns(ROUNDS, judged, || time(&mut command().expect("it was there")))),
            None => println!("{name}: not measured; pip install pytest check50, or SOCKLAB_GRADERS=/folder/of/them"),
        }
    }
}

type Grader = fn() -> Option<Command>;

fn judged() -> Duration {
    let mut socklab = Command::new(env!("CARGO_BIN_EXE_socklab"));
    // Both start the interpreter itself.
    socklab.env("PATH", real_python().parent().expect("a folder"));
    time(socklab.args(["grade", "30", "--seed", "1", "--", "python3", "server.py"]).current_dir(FOLDER))
}

/// Starts of the interpreter with the imports, as many at once as there are processors.
fn bare_starts(python: &Path) -> Duration {
    let began = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for core in 0..cores {
            scope.spawn(move || {
                (core..CHECKS).step_by(cores).for_each(|_| _ = time(Command::new(python).args(["-c", IMPORTS])));
            });
        }
    });
    began.elapsed()
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
