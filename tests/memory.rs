//! Memory has a bound: of one sandbox, of all sandboxes of an attempt together, and of sockets. What was made for that
//! is gone when nobody is left who made it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use socklab::sandbox::{How, Input, Layer, Layers, Limit, Limits, Program, Sandbox, SandboxConfig, SharedGroup};

use crate::support::{PATIENCE, fixture, run, side_by_side, skip, skip_here, socklab, text, wait_until};

fn keeper() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_socklab"))
}

/// A config with a control group, where there can be one. Root has one in both versions; an ordinary user takes one
/// that was handed over.
fn config(test: &str) -> Option<SandboxConfig> {
    let layers = Layers::here(&keeper());
    if !Path::new("/usr/bin/python3").exists() {
        skip(test, "/usr/bin/python3 is not installed");
        return None;
    }
    if !layers.has(Layer::Cgroup) || !layers.has(Layer::Network) {
        skip_here(test, "there is no control group to be had");
        return None;
    }
    Some(SandboxConfig { layers, keeper: keeper(), ..SandboxConfig::default() })
}

fn python(script: &str) -> Program {
    let argv = ["/usr/bin/python3", "-c", script].map(Into::into).to_vec();
    Program { argv, env: Vec::new(), input: Input::Nothing }
}

/// Runs a script to its end: how that was, the limit that it met, and what it printed.
fn outcome(config: &SandboxConfig, script: &str) -> (How, Option<Limit>, String) {
    let mut sandbox = Sandbox::open(config).expect("a sandbox");
    sandbox.start(&python(script)).expect("a start");
    while sandbox.ended().is_none() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
    }
    let ended = sandbox.ended().expect("an end").clone();
    (ended.how, ended.limit, text(&sandbox.output().stdout.kept))
}

/// Takes so many MiB, and holds them for a while.
fn takes(mib: u64) -> String {
    format!("import select; held = b'x' * ({mib} << 20); select.select([], [], [], 0.3); print('had them')")
}

#[test]
fn many_sandboxes_at_their_limits_at_once_do_not_end_each_other() {
    let Some(config) = config("many_sandboxes_at_their_limits_at_once_do_not_end_each_other") else { return };
    let together = 4 * (64 + Limits::BESIDES_MIB);
    let shared = SharedGroup::make(together).expect("a group");
    let limits = Limits { memory_mib: 64, ..config.limits.clone() };
    let config = SandboxConfig { shared: Some(shared.clone()), limits, ..config };
    for found in side_by_side(&[(); 4], |()| outcome(&config, &takes(44))) {
        assert_eq!(found, (How::Exited(0), None, "had them\n".to_owned()));
    }
    for (how, limit, _) in side_by_side(&[(); 4], |()| outcome(&config, &takes(200))) {
        assert_eq!((how, limit), (How::Killed("SIGKILL".to_owned()), Some(Limit::Memory)));
    }
    // All of it was counted together.
    if let Some(peak) = shared.peak() {
        assert!(((4 * 44) << 20..=together << 20).contains(&peak), "{peak}");
    }
    let folder = shared.folder().to_owned();
    drop((config, shared));
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[test]
fn what_is_unpacked_for_a_program_counts_with_the_others() {
    let Some(config) = config("what_is_unpacked_for_a_program_counts_with_the_others") else { return };
    let folder = std::env::temp_dir().join(format!("socklab-large-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("large"), vec![1; 40 << 20]).expect("a file");
    let opened = socklab::sandbox::Folder::open(&folder).expect("the folder");
    let archive = socklab::sandbox::Archive::of_folder(&opened, &[]);
    fs::remove_dir_all(&folder).expect("it goes");
    let shared = SharedGroup::make(256).expect("a group");
    let archive = archive.expect("an archive");
    let config = SandboxConfig { shared: Some(shared.clone()), archive, ..config };
    assert_eq!(outcome(&config, "pass").0, How::Exited(0));
    if let Some(peak) = shared.peak() {
        assert!(peak >= 40 << 20, "{peak}");
    }
}

/// Fills the queues of 100 UDP sockets, and prints how many MiB wait there.
const FILL_UDP: &str = "
import socket, struct
sender, held, receivers = socket.socket(type=socket.SOCK_DGRAM), 0, []
for _ in range(200):
    receiver = socket.socket(type=socket.SOCK_DGRAM)
    receiver.bind(('127.0.0.1', 0))
    receivers.append(receiver)
    for _ in range(12):
        sender.sendto(bytes(30000), receiver.getsockname())
    held += struct.unpack('9I', receiver.getsockopt(socket.SOL_SOCKET, 55, 36))[0]
print(held >> 20)";

#[test]
fn the_kernel_bounds_the_memory_of_sockets_where_it_has_control_groups() {
    let Some(mut config) = config("the_kernel_bounds_the_memory_of_sockets_where_it_has_control_groups") else {
        return;
    };
    // Without the watch, which would end it before.
    config.layers = config.layers.without(Layer::Limits);
    let held = |words: &str| words.trim().parse::<u64>().expect("a number");
    let (how, limit, words) = outcome(&config, FILL_UDP);
    assert_eq!((how, limit), (How::Exited(0), None));
    assert!(held(&words) >= 30, "{words} MiB");
    // Version 1 has a limit for them: more is not taken. Version 2 has one for all: who is over it may be killed.
    config.limits = Limits { socket_mib: 5, memory_mib: 36, ..config.limits };
    match outcome(&config, FILL_UDP) {
        (How::Exited(0), None, words) => assert!(held(&words) < 30, "{words} MiB"),
        (how, limit, _) => assert_eq!((how, limit), (How::Killed("SIGKILL".to_owned()), Some(Limit::Memory))),
    }
}

#[test]
fn programs_find_the_usual_sizes_of_buffers() {
    let Some(config) = config("programs_find_the_usual_sizes_of_buffers") else { return };
    let script = "import socket; s = socket.socket(); print(s.getsockopt(1, 8), s.getsockopt(1, 7))";
    assert_eq!(outcome(&config, script).2, "131072 16384\n");
}

#[test]
fn groups_that_nobody_owns_are_removed_by_the_next_judge_and_others_stay() {
    let test = "groups_that_nobody_owns_are_removed_by_the_next_judge_and_others_stay";
    let Some(config) = config(test) else { return };
    let shared = SharedGroup::make(64).expect("a group");
    let above = shared.folder().parent().expect("a folder").to_owned();
    // A number that somebody else has now, and one of this process, which has no lock on it.
    let left = [above.join("socklab-1-4000000"), above.join(format!("socklab-{}-4000001", std::process::id()))];
    for folder in &left {
        fs::create_dir_all(folder.join("0")).expect("a group");
    }
    let owned = above.join("socklab-4999999-0");
    fs::create_dir(&owned).expect("a group");
    let lock = File::open(&owned).expect("it opens");
    flock(&lock, FlockOperation::LockExclusive).expect("a lock");
    let next = run(fixture("in-a-sandbox").arg(keeper()).args(["--here", "/bin/true"]));
    let stays = owned.exists();
    fs::remove_dir(&owned).expect("it goes");
    assert!(stays, "{} was another judge's", owned.display());
    assert!(next.status.success() && text(&next.stdout).contains("cgroup"), "{next:?}");
    for folder in left {
        assert!(!folder.exists(), "{} is left", folder.display());
    }
    drop(config);
}

#[test]
fn a_judge_that_is_killed_leaves_no_group() {
    let Some(config) = config("a_judge_that_is_killed_leaves_no_group") else { return };
    let shared = SharedGroup::make(64).expect("a group");
    let above = shared.folder().parent().expect("a folder").to_owned();
    let groups = |of: u32| {
        let names =
            fs::read_dir(&above).expect("groups").flatten().filter_map(|one| one.file_name().into_string().ok());
        names.filter(|name| name.starts_with(&format!("socklab-{of}-"))).count()
    };
    let words = ["--here", "--share", "--relay", "/bin/sh", "-c", "echo started; exec sleep 1000"];
    let mut owner = fixture("in-a-sandbox");
    let mut owner =
        owner.arg(keeper()).args(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut line = [0; 8];
    std::io::Read::read_exact(&mut owner.stderr.take().expect("a pipe"), &mut line).expect("a line");
    assert!(groups(owner.id()) > 0, "it has no group");
    owner.kill().expect("killed");
    owner.wait().expect("dead");
    wait_until("its keeper has removed its groups", || groups(owner.id()) == 0);
    drop(config);
}

#[test]
fn a_machine_with_too_few_descriptors_says_so_and_not_that_it_has_no_walls() {
    for (few, words) in [(16, "doctor"), (24, "grade 30 --untrusted -- python3 -c pass")] {
        let script = format!("ulimit -n {few}; exec {} {words}", keeper().display());
        let output = run(std::process::Command::new("/bin/sh").args(["-c", &script]));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("too few descriptors"), "{few}: {said}");
        assert!(!said.contains("tier 0"), "{few}: {said}");
    }
}

#[test]
fn the_doctor_names_the_version_of_control_groups_or_why_there_is_none() {
    let output = run(socklab().args(["doctor", "--json"]));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let list = |name: &str| told["sandbox"][name].as_array().expect("a list").clone();
    let why = |name: &str| list(name).iter().find(|one| one["layer"] == "cgroup").map(|one| one["why"].to_string());
    match told["sandbox"]["tier"].as_u64() {
        Some(3) => assert!(why("notes").is_some_and(|why| why.contains("of control groups; memory")), "{told}"),
        _ => assert!(why("missing").is_some_and(|why| why != "\"\""), "{told}"),
    }
}
