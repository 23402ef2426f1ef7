//! What several tests need: the built programs, the list of labs, skips that do not hide.

mod host;
mod processes;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use serde_json::Value as Json;
use tempfile::TempDir;

pub use host::Host;
pub use processes::{AT_A_TIME, PATIENCE, Running, finish, has_ended, run, text, wait_until};

/// One lab, as `socklab labs --json` lists it.
pub struct Lab {
    pub number: u64,
    pub name: String,
    pub question: String,
    pub folder: String,
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

/// A program of `tests/fixtures/`, by its name there.
pub fn fixture(name: &str) -> Command {
    command_of(&fixture_words(name))
}

fn command_of(words: &[OsString]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// The same as the beginning of a command line.
pub fn fixture_words(name: &str) -> Vec<OsString> {
    vec![env!("CARGO_BIN_EXE_fixtures").into(), name.into()]
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder that `new` and `new-exercise` take for a checkout.
pub fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("labs")).expect("a folder");
    for file in ["Cargo.toml", "labs/README.md"] {
        std::fs::copy(project(file), folder.path().join(file)).expect("a file");
    }
    folder
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
            wire: row["wire"].as_bool().expect("true or false"),
        }
    };
    let labs: Vec<Lab> = lines.lines().map(lab).collect();
    assert!(!labs.is_empty(), "there are no labs");
    labs
}

/// The one lab or exercise that tests are to look at, if `SOCKLAB_ONLY` names one: `19`, `30-client`.
fn the_only_one() -> Option<String> {
    std::env::var("SOCKLAB_ONLY").ok().filter(|only| !only.is_empty())
}

/// Whether tests are to look at all labs and exercises.
pub fn all_are_chosen() -> bool {
    the_only_one().is_none()
}

/// Whether tests are to look at this lab or exercise. The number of a lab stands for its exercises, too.
pub fn is_chosen(id: &str) -> bool {
    let number = |id: &str| id.split('-').next().and_then(|number| number.parse::<u32>().ok());
    the_only_one().is_none_or(|only| only == id || (!only.contains('-') && number(&only) == number(id)))
}

/// The labs that tests are to look at one by one: see [`is_chosen`].
///
/// # Panics
/// One is named that there is not.
pub fn chosen_labs() -> Vec<Lab> {
    if let Some(only) = the_only_one() {
        let number = only.split('-').next().and_then(|number| number.parse().ok());
        assert!(labs().iter().any(|lab| Some(lab.number) == number), "there is no lab or exercise {only:?}");
    }
    labs().into_iter().filter(Lab::is_chosen).collect()
}

/// The labs whose demos this machine can play: all of them, or those without a wire where there are no private hosts.
pub fn played_here(test: &str) -> Vec<Lab> {
    if has_private_hosts() {
        return chosen_labs();
    }
    skip(test, "labs on a wire take private hosts; the others were tested");
    chosen_labs().into_iter().filter(|lab| !lab.wire).collect()
}

/// The lab with this number.
pub fn lab(number: u64) -> Lab {
    labs().into_iter().find(|lab| lab.number == number).expect("the lab")
}

/// How many closed connections a host has forgotten at once, since its table of TIME-WAIT was full
/// (`net.ipv4.tcp_max_tw_buckets`): `TCPTimeWaitOverflow` of its `/proc/net/netstat`, 0 where it is not told.
pub fn forgotten_goodbyes(table: &str) -> u64 {
    let mut rows = table.lines().filter(|line| line.starts_with("TcpExt:")).map(str::split_whitespace);
    let (Some(names), Some(values)) = (rows.next(), rows.next()) else { return 0 };
    let found = names.zip(values).find(|(name, _)| *name == "TCPTimeWaitOverflow");
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// The labs, where a wire can be had.
pub fn labs_on_a_wire(test: &str) -> Vec<Lab> {
    if has_private_hosts() {
        return chosen_labs();
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

/// A transcript without the scenes that have a setting of their host otherwise: the machine's loopback has its own.
pub fn without_settings(transcript: &str) -> String {
    const BEFORE_A_TITLE: &str = "\n── ";
    let scenes = transcript.split(BEFORE_A_TITLE).filter(|scene| !scene.contains("# on this host net."));
    scenes.collect::<Vec<&str>>().join(BEFORE_A_TITLE)
}

/// Panics with the first line in which two texts differ.
#[track_caller]
pub fn assert_same(one: &str, other: &str, what: &str) {
    if one != other {
        let line = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count();
        let of = |text: &str| text.lines().nth(line).map(str::to_owned);
        panic!("{what}: line {} is {:?} and {:?}", line + 1, of(one), of(other));
    }
}

/// How often a test repeats what must come out the same: three times, or `soak` times where `SOCKLAB_SOAK` asks for it.
pub fn runs(soak: u32) -> u32 {
    if std::env::var_os("SOCKLAB_SOAK").is_some() { soak } else { 3 }
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

/// One demo: what it printed, and its picture.
struct Play {
    printed: String,
    picture: String,
}

impl Lab {
    /// The beginning of every command line that has to do with it.
    pub fn words(&self) -> Vec<OsString> {
        vec![env!("CARGO_BIN_EXE_socklab").into(), "lab".into(), format!("{:02}", self.number).into()]
    }

    /// A command that plays it.
    pub fn command(&self) -> Command {
        command_of(&self.words())
    }

    /// The same with a copy of the program in this folder: other users need not have access to where it was built.
    pub fn copied_to(&self, folder: &Path) -> Command {
        command_of(&self.copied_words(folder))
    }

    /// A command that plays it as another user than the tests' own: for root an ordinary one, with a copy of the
    /// program in this folder; for an ordinary user root, of a user namespace.
    pub fn as_another_user(&self, folder: &Path) -> Command {
        let mut command;
        if rustix::process::geteuid().is_root() {
            command = self.copied_to(folder);
            command.uid(65_534).gid(65_534);
        } else {
            command = Command::new("unshare");
            command.arg("-r").args(self.words());
        }
        command.current_dir("/");
        command
    }

    /// The beginning of a command line with such a copy.
    pub fn copied_words(&self, folder: &Path) -> Vec<OsString> {
        static COPYING: Mutex<()> = Mutex::new(());
        let mut words = self.words();
        let copy = folder.join(Path::new(&words[0]).file_name().expect("a name"));
        let _one_at_a_time = COPYING.lock().expect("no panic");
        if !copy.exists() {
            copy_program(Path::new(&words[0]), &copy);
        }
        words[0] = copy.into();
        words
    }

    /// Whether tests are to look at it.
    pub fn is_chosen(&self) -> bool {
        is_chosen(&format!("{:02}", self.number))
    }

    /// Whether its demo is about one host, and has no wire.
    pub fn is_on_one_host(&self) -> bool {
        read(&format!("labs/{}/main.rs", self.folder)).contains(".on_one_host()")
    }

    /// What it prints with these arguments: the first test that asks has it played, for all.
    pub fn shows(&self, arguments: &[&str]) -> String {
        self.play(arguments).printed.clone()
    }

    /// The events of what it shows.
    pub fn shown_events(&self, arguments: &[&str]) -> Vec<Json> {
        let all = [&["--json"], arguments].concat();
        self.play(&all).printed.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }

    /// The picture of what it shows.
    pub fn picture(&self, arguments: &[&str]) -> String {
        self.play(arguments).picture.clone()
    }

    /// Plays it, unless a test has had it played with these arguments. Every demo is drawn as well.
    fn play(&self, arguments: &[&str]) -> Arc<Play> {
        static PLAYS: Once<Arc<Play>> = Once::new();
        PLAYS.get(format!("{} {arguments:?}", self.folder), || {
            if arguments.contains(&"--claims") {
                return Arc::new(Play { printed: self.prints(arguments), picture: String::new() });
            }
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("picture.svg");
            let printed = self.prints(&[arguments, &["--diagram", file.to_str().expect("UTF-8")]].concat());
            Arc::new(Play { printed, picture: std::fs::read_to_string(file).expect("a picture") })
        })
    }

    /// Plays it anew and takes what it prints; panics with its words if it does not end well.
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = run(self.command().args(arguments));
        assert!(
            output.status.success(),
            "{} {arguments:?}: {}\n{}",
            self.folder,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The events of a demo that is played anew.
    pub fn events(&self, arguments: &[&str]) -> Vec<Json> {
        let all = [&["--json"], arguments].concat();
        self.prints(&all).lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }
}
/// Where tests leave what may be looked at when they are over: for each user of this checkout another folder, for what
/// root has left nobody else can replace.
pub fn temporary() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("of-{}", rustix::process::getuid().as_raw()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A folder that goes with its test, and that every user may read.
pub fn folder_for_all_users() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a folder for all users");
    folder
}

/// Copies a program, which can be started at once. `cp` does it: a descriptor of ours that writes it could be inherited
/// by what another test starts meanwhile, and until that is gone the program would be busy (`ETXTBSY`).
pub fn copy_program(from: &Path, to: &Path) {
    assert!(run(Command::new("cp").args([from, to])).status.success(), "copy {}", from.display());
}

/// Says that a test could not run here, and why; in CI, where everything is installed, that is a failure.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} could not run, and in CI it must: {why}");
    skip_here(test, why);
}

/// Says that a test could not run here for want of something that a machine may well lack, also in CI.
pub fn skip_here(test: &str, why: &str) {
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
    let output = run(socklab().args(["doctor", "--json"]));
    let findings: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    findings["private_hosts"]["works"] == true
}
