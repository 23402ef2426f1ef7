//! What several tests need: the built programs, the list of labs, skips that do not hide.

pub mod by_hand;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value as Json;

/// How long a program of these tests may take: a bound, not a measure.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// So many programs run at a time. A lab needs a processor for a fifth of its time: together they keep one busy. With
/// more of them beside other work, scenes are late for want of one.
const AT_A_TIME: usize = 5;

/// A right to run programs, so many at a time, given back at its end.
struct Turn(usize);

/// How many turns are free, and whether somebody wants them all.
struct Turns {
    free: usize,
    all_wanted: bool,
}

static TURNS: Mutex<Turns> = Mutex::new(Turns { free: AT_A_TIME, all_wanted: false });
static GIVEN_BACK: Condvar = Condvar::new();

impl Turn {
    fn one() -> Turn {
        let turns = TURNS.lock().expect("the turns");
        let mut turns = GIVEN_BACK.wait_while(turns, |turns| turns.free == 0 || turns.all_wanted).expect("the turns");
        turns.free -= 1;
        Turn(1)
    }

    fn all() -> Turn {
        let turns = TURNS.lock().expect("the turns");
        let mut turns = GIVEN_BACK.wait_while(turns, |turns| turns.all_wanted).expect("the turns");
        turns.all_wanted = true;
        let mut turns = GIVEN_BACK.wait_while(turns, |turns| turns.free < AT_A_TIME).expect("the turns");
        *turns = Turns { free: 0, all_wanted: false };
        Turn(AT_A_TIME)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.lock().expect("the turns").free += self.0;
        GIVEN_BACK.notify_all();
    }
}

/// One lab, as `socklab labs --json` lists it.
pub struct Lab {
    pub number: u64,
    pub name: String,
    pub question: String,
    pub folder: String,
    pub program: PathBuf,
    /// Whether its demo always has two hosts and a wire.
    pub wire: bool,
}

/// The built `socklab`.
pub fn socklab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_socklab"))
}

/// The folder that the built programs are in.
pub fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_socklab")).parent().expect("a folder").to_owned()
}

/// A link to the built `socklab` with the name of a lab's program, by which it is that lab.
fn program_of(name: &str) -> PathBuf {
    static LINKS: Once<PathBuf> = Once::new();
    let folder = LINKS.get(String::new(), || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("links-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for links");
        folder
    });
    let link = folder.join(name);
    match std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_socklab"), &link) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => panic!("link {}: {error}", link.display()),
        _ => link,
    }
}

/// A program that misbehaves on purpose.
pub fn misbehaving_roles() -> PathBuf {
    programs().join("examples/misbehaving-roles")
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the project.
pub fn read(path: &str) -> String {
    let path = project(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

/// All labs, as the program lists them.
pub fn labs() -> Vec<Lab> {
    let output = socklab().args(["labs", "--json"]).output().expect("socklab labs");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let text = |row: &Json, field: &str| row[field].as_str().expect("a text").to_owned();
    let lab = |line: &str| {
        let row: Json = serde_json::from_str(line).expect("JSON");
        Lab {
            number: row["number"].as_u64().expect("a number"),
            name: text(&row, "name"),
            question: text(&row, "question"),
            folder: text(&row, "folder"),
            program: program_of(&text(&row, "program")),
            wire: row["wire"].as_bool().expect("true or false"),
        }
    };
    let labs: Vec<Lab> = lines.lines().map(lab).collect();
    assert!(!labs.is_empty(), "there are no labs");
    labs
}

/// The labs whose demos this machine can play: all of them, or those without a wire where there are no private hosts.
pub fn played_here(test: &str) -> Vec<Lab> {
    if has_private_hosts() {
        return labs();
    }
    skip(test, "labs on a wire take private hosts; the others were tested");
    labs().into_iter().filter(|lab| !lab.wire).collect()
}

/// How many closed connections this machine has forgotten at once, since its table of TIME-WAIT was full
/// (`net.ipv4.tcp_max_tw_buckets`): `TCPTimeWaitOverflow` of `/proc/net/netstat`, 0 where it is not told.
pub fn forgotten_goodbyes() -> u64 {
    let table = std::fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    let mut rows = table.lines().filter(|line| line.starts_with("TcpExt:")).map(str::split_whitespace);
    let (Some(names), Some(values)) = (rows.next(), rows.next()) else { return 0 };
    let found = names.zip(values).find(|(name, _)| *name == "TCPTimeWaitOverflow");
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// The labs, where a wire can be had.
pub fn labs_on_a_wire(test: &str) -> Vec<Lab> {
    if has_private_hosts() {
        return labs();
    }
    skip(test, "it takes private hosts");
    Vec::new()
}

/// These labs, where a wire can be had.
pub fn some_on_a_wire(test: &str, numbers: &[u64]) -> Vec<Lab> {
    labs_on_a_wire(test).into_iter().filter(|lab| numbers.contains(&lab.number)).collect()
}

/// The schema of events.
pub struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    pub fn compile() -> Schema {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        let schema: Json = serde_json::from_str(&read("docs/trace.schema.json")).expect("JSON");
        compiler.add_resource("trace.schema.json", schema).expect("a schema");
        let index = compiler.compile("trace.schema.json", &mut schemas).expect("a schema that compiles");
        Schema { schemas, index }
    }

    /// Whether an event follows it, or in which way it does not.
    pub fn check(&self, event: &Json) -> Result<(), String> {
        self.schemas.validate(event, self.index).map_err(|error| format!("{error:#}"))
    }
}

/// Does something with each of them, several at a time, and gives what came of it in their order: labs mostly wait, for
/// each other and for the kernel's timers.
pub fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let do_some = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = all.get(index) else { return done };
            done.push((index, work(one)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(do_some)).collect();
        // What a test has found in another thread is found in its own.
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What is made once, by the first of several tests in one program that asks for it; the others wait for that.
pub struct Once<T>(Mutex<BTreeMap<String, Arc<OnceLock<T>>>>);

impl<T: Clone> Once<T> {
    pub const fn new() -> Once<T> {
        Once(Mutex::new(BTreeMap::new()))
    }

    pub fn get(&self, key: String, make: impl FnOnce() -> T) -> T {
        let place = self.0.lock().expect("what was made").entry(key).or_default().clone();
        place.get_or_init(make).clone()
    }
}

impl Lab {
    /// What it prints when it is run: of several tests in one program the first one runs it.
    pub fn shows(&self, arguments: &[&str]) -> String {
        static SHOWN: Once<String> = Once::new();
        SHOWN.get(format!("{} {arguments:?}", self.folder), || self.prints(arguments))
    }

    /// The events of what it shows.
    pub fn shown_events(&self, arguments: &[&str]) -> Vec<Json> {
        let all = [&["--json"], arguments].concat();
        self.shows(&all).lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }

    /// Runs it and takes what it prints; panics with its words if it does not end well.
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = run(Command::new(&self.program).args(arguments));
        assert!(
            output.status.success(),
            "{} {arguments:?}: {}\n{}",
            self.folder,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The events of a demo.
    pub fn events(&self, arguments: &[&str]) -> Vec<Json> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        self.prints(&all).lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }
}

/// Runs a command with no input, when its turn has come: a test program runs [`AT_A_TIME`].
pub fn run(command: &mut Command) -> Output {
    let _turn = Turn::one();
    start_and_finish(command)
}

/// The same while no other test of this program runs any: for what keeps processors busy, and would make scenes late.
pub fn run_alone(command: &mut Command) -> Output {
    let _turns = Turn::all();
    start_and_finish(command)
}

fn start_and_finish(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Takes what a program prints until it ends. One that does not end within [`PATIENCE`] is killed, and the test fails.
pub fn finish(child: Child) -> Output {
    let pid = Pid::from_child(&child);
    let watched = pidfd_open(pid, PidfdFlags::empty()).expect("a pidfd");
    let watch = std::thread::spawn(move || {
        let bound = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
        let ended = poll(&mut [PollFd::new(&watched, PollFlags::IN)], Some(&bound)).is_ok_and(|ready| ready > 0);
        if !ended {
            let _ = kill_process(pid, Signal::KILL);
        }
        ended
    });
    let output = child.wait_with_output().expect("the program's output");
    let ended = watch.join().expect("the watch ends");
    assert!(ended, "no end within {PATIENCE:?}; until then: {}", String::from_utf8_lossy(&output.stdout));
    output
}

/// Copies a program, which can be started at once. `cp` does it: a descriptor of ours that writes it could be inherited
/// by what another test starts meanwhile, and until that is gone the program would be busy (`ETXTBSY`).
pub fn copy_program(from: &Path, to: &Path) {
    assert!(run(Command::new("cp").args([from, to])).status.success(), "copy {}", from.display());
}

/// Says that a test could not run here, and why; in CI, where everything is installed, that is a failure.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} could not run, and in CI it must: {why}");
    // Not through `eprintln!`, which the test harness swallows.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

/// Whether this machine has a program.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether this machine gives a private host.
pub fn has_private_hosts() -> bool {
    let output = run(socklab().arg("doctor"));
    String::from_utf8_lossy(&output.stdout).contains("private hosts: yes")
}
