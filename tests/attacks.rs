//! Programs that mean harm end as `tests/attacks/` says, leave nothing behind, and succeed where a wall is missing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, RwLock};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, kill_process, pidfd_open};
use serde_json::Value;

use crate::support::{
    PATIENCE, fixture, fixture_words, project, run, side_by_side, skip, skip_here, temporary, wait_until,
};

/// As whom the judge runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Judge {
    Root,
    User,
}

impl Judge {
    fn name(self) -> &'static str {
        if self == Judge::Root { "root" } else { "user" }
    }
}

/// The judges that this test can be.
fn judges() -> Vec<Judge> {
    if geteuid().is_root() { vec![Judge::Root, Judge::User] } else { vec![Judge::User] }
}

/// One attack, and what is expected of it.
#[derive(Debug)]
struct Attack {
    file: String,
    /// `ended`, `limit`, `left` and what else `expect:` says.
    expect: BTreeMap<String, String>,
    options: Vec<String>,
    runs: u32,
    needs: Option<String>,
    teeth: Vec<(Option<String>, Vec<String>)>,
    then: Option<(String, String)>,
    escapes_the_fence: bool,
}

fn attacks() -> Vec<Attack> {
    let entries = fs::read_dir(project("tests/attacks")).expect("the folder").flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "py" || ending == "c"));
    files.sort();
    assert!(files.len() > 30, "{files:?}");
    files.iter().map(|path| attack(path)).collect()
}

fn attack(path: &Path) -> Attack {
    let text = fs::read_to_string(path).expect("an attack");
    let pair = |text: &str| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut attack = Attack {
        file: path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned(),
        expect: BTreeMap::new(),
        options: Vec::new(),
        runs: 1,
        needs: None,
        teeth: Vec::new(),
        then: None,
        escapes_the_fence: false,
    };
    let lines = text.lines().map_while(|line| line.strip_prefix("# ").or(line.strip_prefix("// ")));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let words = || value.split_whitespace().map(str::to_owned);
        match name {
            "expect" => attack.expect = words().filter_map(|word| pair(&word)).collect(),
            "options" => attack.options = words().collect(),
            "runs" => attack.runs = value.parse().expect("a number"),
            "needs" => attack.needs = Some(value.to_owned()),
            "then" => attack.then = pair(value),
            "fenced" => attack.escapes_the_fence = value == "escapes",
            "teeth" => attack.teeth.push((None, words().collect())),
            "teeth (root)" => attack.teeth.push((Some("root".to_owned()), words().collect())),
            "teeth (user)" => attack.teeth.push((Some("user".to_owned()), words().collect())),
            _ => {}
        }
    }
    assert!(attack.expect.contains_key("ended"), "{}: no line \"expect: ended=…\"", attack.file);
    attack
}

/// What became of an attack.
struct Outcome {
    told: Value,
    /// How many processes of it were alive when its sandbox was gone.
    survivors: usize,
}

impl Outcome {
    fn says(&self, name: &str) -> String {
        match &self.told[name] {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }

    fn holds(&self, name: &str, wanted: &str) -> bool {
        let is = if name == "survivors" { self.survivors.to_string() } else { self.says(name) };
        match wanted {
            "any" => true,
            ">0" => is.parse::<u64>().is_ok_and(|number| number > 0),
            wanted => is == wanted,
        }
    }

    fn has_escaped(&self) -> bool {
        self.says("stdout").contains("escaped:")
    }
}

/// The folder of attacks with the C programs built, where every user may read it.
fn folder() -> &'static Path {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = temporary().join("attacks");
        fs::create_dir_all(&folder).expect("a folder");
        for attack in attacks() {
            let from = project("tests/attacks").join(&attack.file);
            match attack.file.strip_suffix(".c") {
                Some(name) => {
                    let built = run(Command::new("cc").arg("-o").arg(folder.join(name)).arg(&from));
                    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
                }
                None => drop(fs::copy(&from, folder.join(&attack.file)).expect("a copy")),
            }
        }
        folder
    })
}

/// Runs an attack, once or more, without these walls.
fn outcome(attack: &Attack, judge: Judge, without: &[String]) -> Outcome {
    let note = Note::new();
    for _ in 1..attack.runs {
        once(attack, judge, without, &note);
    }
    once(attack, judge, without, &note)
}

/// The number by which the runs of one attack find what the first of them has left, where there is no wall. No other
/// attack has the same, also not in a test or a test program beside this one: it would take that away.
struct Note(u32);

impl Note {
    fn new() -> Note {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Process ids take 22 bits, and the number must fit into 31.
        Note(std::process::id() << 8 | COUNT.fetch_add(1, Ordering::Relaxed) & 0xFF)
    }
}

impl Drop for Note {
    /// Removes what was left.
    fn drop(&mut self) {
        let key = format!("{:#x}", 0x50C_1AB0 + self.0);
        let _ = Command::new("ipcrm").args(["-M", &key]).stderr(Stdio::null()).status();
        for folder in ["/tmp", "/dev/shm", "/var/tmp"] {
            let _ = fs::remove_file(Path::new(folder).join(format!("socklab-note-of-attack-{}", self.0)));
        }
    }
}

/// Held for writing by an attack that starts as many processes as it may: `RLIMIT_NPROC` counts all of the user's, so
/// another attack beside it could start none.
static PROCESSES: RwLock<()> = RwLock::new(());

fn once(attack: &Attack, judge: Judge, without: &[String], note: &Note) -> Outcome {
    let floods = ["fork_bomb.py", "thread_bomb.py", "zombies.py"].contains(&attack.file.as_str());
    let _alone = floods.then(|| PROCESSES.write().expect("the lock"));
    let _beside = (!floods).then(|| PROCESSES.read().expect("the lock"));
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("SOCKLAB_ATTACK={}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut command = as_judge(judge);
    command
        .arg(env!("CARGO_BIN_EXE_socklab"))
        .args(["--world", "--env", &mark, "--env", &format!("NOTE={}", note.0)])
        .arg("--archive")
        .arg(folder());
    for layer in without {
        command.args(["--without", layer]);
    }
    if attack.needs.as_deref() == Some("cgroup") && !without.iter().any(|layer| layer == "cgroup") {
        command.args(["--with", "cgroup"]);
    }
    command.args(&attack.options);
    match attack.file.strip_suffix(".c") {
        Some(name) => command.args(["/bin/sh", "-c", &format!("exec ./{name}")]),
        None => command.args(["/usr/bin/python3", &attack.file]),
    };
    let output = run(&mut command);
    let text = String::from_utf8_lossy(&output.stdout);
    let told = serde_json::from_str(text.trim())
        .unwrap_or_else(|error| panic!("{}: {error}: {text}{}", attack.file, String::from_utf8_lossy(&output.stderr)));
    let survivors = processes_with(&mark);
    for pid in &survivors {
        let _ = kill_process(*pid, Signal::KILL);
    }
    Outcome { told, survivors: survivors.len() }
}

/// The processes that have this in their environment, but for the one that was told to hand it on.
fn processes_with(mark: &str) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let marked = numbers.filter(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes())
    });
    marked.filter_map(Pid::from_raw).collect()
}

/// What the machine cannot do is skipped, and said.
fn can_run(attack: &Attack, judge: Judge) -> bool {
    if attack.needs.as_deref() == Some("cgroup") && !has_cgroup(judge) {
        if judge == Judge::Root {
            skip(&attack.file, "there is no control group to be had");
        }
        return false;
    }
    if attack.needs.as_deref() == Some("32-bit calls") {
        // Harmless: it asks for its own number.
        let output = run(&mut Command::new(folder().join(attack.file.trim_end_matches(".c"))));
        let has_them = String::from_utf8_lossy(&output.stdout).contains("escaped:");
        if !has_them {
            skip_here(&attack.file, "this kernel answers no 32-bit programs");
        }
        return has_them;
    }
    true
}

/// Whether a control group is to be had: found out by doing.
fn has_cgroup(judge: Judge) -> bool {
    let mut command = as_judge(judge);
    let output = run(command.arg(env!("CARGO_BIN_EXE_socklab")).args(["--here", "/bin/true"]));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    told["layers"].as_array().is_some_and(|layers| layers.iter().any(|layer| layer == "cgroup"))
}

/// The example, run by this judge.
fn as_judge(judge: Judge) -> Command {
    let words = fixture_words("in-a-sandbox");
    if judge == Judge::User && geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).args(words);
        return command;
    }
    fixture("in-a-sandbox")
}

fn prepare(test: &str) -> bool {
    let missing =
        ["/usr/bin/python3", "/usr/bin/setpriv", "/usr/bin/cc"].into_iter().find(|path| !Path::new(path).exists());
    if let Some(program) = missing {
        skip(test, &format!("{program} is not installed"));
    } else if !crate::support::has_private_hosts() {
        skip(test, "sandboxes take user namespaces");
    } else {
        folder();
        return true;
    }
    false
}

fn every(work: impl Fn(&Attack, Judge) -> Vec<String> + Sync) {
    let all = attacks();
    let pairs: Vec<(&Attack, Judge)> =
        all.iter().flat_map(|attack| judges().into_iter().map(move |judge| (attack, judge))).collect();
    let complaints = Mutex::new(Vec::new());
    side_by_side(&pairs, |(attack, judge)| {
        if can_run(attack, *judge) {
            let found = work(attack, *judge);
            complaints.lock().expect("the list").extend(found);
        }
    });
    let complaints = complaints.into_inner().expect("the list");
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_attack_ends_as_it_must_and_leaves_nothing() {
    if !prepare("every_attack_ends_as_it_must_and_leaves_nothing") {
        return;
    }
    every(|attack, judge| complaints(attack, judge, &outcome(attack, judge, &[])));
}

/// What is not as it must be.
fn complaints(attack: &Attack, judge: Judge, outcome: &Outcome) -> Vec<String> {
    let who = format!("{} as {}", attack.file, judge.name());
    if !outcome.told["fault"].is_null() {
        return vec![format!("{who}: {}", outcome.told["fault"])];
    }
    let mut complaints = Vec::new();
    for (name, wanted) in &attack.expect {
        if !outcome.holds(name, wanted) {
            complaints.push(format!("{name} is not {wanted}"));
        }
    }
    if outcome.has_escaped() {
        complaints.push("it has escaped".to_owned());
    }
    if outcome.survivors > 0 {
        complaints.push(format!("{} survivors", outcome.survivors));
    }
    if outcome.says("decoy_lives") != "true" {
        complaints.push("a process of the judge's is dead".to_owned());
    }
    complaints.into_iter().map(|complaint| format!("{who}: {complaint}: {}", outcome.told)).collect()
}

#[test]
fn a_fence_without_namespaces_holds_what_it_promises_and_no_more() {
    let test = "a_fence_without_namespaces_holds_what_it_promises_and_no_more";
    if !prepare(test) {
        return;
    }
    let without = ["user", "network", "processes", "files", "ipc", "names"].map(str::to_owned);
    every(|attack, judge| {
        if judge == Judge::Root || attack.needs.is_some() {
            return Vec::new();
        }
        let outcome = outcome(attack, judge, &without);
        if outcome.told["tier"] != 1 {
            skip(test, "this kernel's Landlock is too old");
            return Vec::new();
        }
        match attack.escapes_the_fence {
            true if outcome.has_escaped() => Vec::new(),
            true => vec![format!("{}: it does not escape, which was said of it: {}", attack.file, outcome.told)],
            false => complaints(attack, judge, &outcome),
        }
    });
}

#[test]
fn when_the_judge_is_killed_everything_dies() {
    if !prepare("when_the_judge_is_killed_everything_dies") {
        return;
    }
    for judge in judges() {
        let mark = format!("SOCKLAB_ATTACK={}-{}", std::process::id(), judge.name());
        let script = "for n in 1 2 3; do setsid sleep 1000 & done; echo started; exec sleep 1000";
        let mut command = as_judge(judge);
        command.arg(env!("CARGO_BIN_EXE_socklab")).args(["--here", "--relay", "--env", &mark, "/bin/sh", "-c", script]);
        let mut owner = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut words = owner.stderr.take().expect("a pipe");
        assert!(is_ready(&words), "as {}: the program has not started its processes", judge.name());
        let mut line = [0; 8];
        words.read_exact(&mut line).expect("a line");
        assert_eq!(&line, b"started\n");
        // A process that is just becoming another program has no environment to be found by.
        let mut alive = Vec::new();
        wait_until("the program and its three processes are there", || {
            alive = processes_with(&mark);
            alive.len() == 4
        });
        let open = |pid: &Pid| pidfd_open(*pid, PidfdFlags::empty()).expect("it is alive");
        let watched: Vec<OwnedFd> = alive.iter().map(open).collect();
        owner.kill().expect("killed");
        owner.wait().expect("dead");
        for pidfd in &watched {
            assert!(is_ready(pidfd), "as {}: one of {alive:?} is alive", judge.name());
        }
        assert_eq!(processes_with(&mark), [], "as {}", judge.name());
    }
}

/// Waits until a descriptor is readable, at most [`PATIENCE`].
fn is_ready(fd: impl AsFd) -> bool {
    let bound = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&bound)).expect("a poll") > 0
}

#[test]
fn every_wall_has_an_attack_that_succeeds_without_it() {
    if !prepare("every_wall_has_an_attack_that_succeeds_without_it") {
        return;
    }
    every(|attack, judge| {
        let teeth = attack.teeth.iter().filter(|(who, _)| who.as_deref().is_none_or(|who| who == judge.name()));
        let harmless = teeth.filter(|(_, without)| {
            let outcome = outcome(attack, judge, without);
            let succeeds = match &attack.then {
                Some((name, wanted)) => outcome.holds(name, wanted),
                None => outcome.has_escaped(),
            };
            if !succeeds {
                eprintln!("{} as {} without {without:?}: {}", attack.file, judge.name(), outcome.told);
            }
            !succeeds
        });
        harmless
            .map(|(_, without)| format!("{} as {} without {without:?}: it fails", attack.file, judge.name()))
            .collect()
    });
}

#[test]
fn every_wall_is_named_by_an_attack() {
    let named: Vec<String> =
        attacks().iter().flat_map(|attack| attack.teeth.clone()).flat_map(|(_, set)| set).collect();
    for layer in socklab::sandbox::Layer::ALL {
        assert!(named.iter().any(|name| name == layer.name()), "no attack needs {layer} to be stopped");
    }
}

#[test]
fn the_threat_model_names_every_attack() {
    let page = crate::support::read("docs/threat-model.md");
    for attack in attacks() {
        let (name, _) = attack.file.rsplit_once('.').expect("an ending");
        assert!(page.contains(&format!("`{name}`")), "docs/threat-model.md does not name {name}");
    }
}
