//! What goes wrong while a sandbox is set up is a fault of ours and never an end of the program's: every system call
//! that sets something up is made to fail once.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::support::{fixture, has, has_private_hosts, run, side_by_side, skip, temporary};

/// The calls that set something up.
const CALLS: [&str; 36] = [
    "capset",
    "chdir",
    "chroot",
    "clone",
    "close_range",
    "dup2",
    "execve",
    "fchdir",
    "fsconfig",
    "fsmount",
    "fsopen",
    "ioctl",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "mkdirat",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "openat2",
    "pipe2",
    "pivot_root",
    "prctl",
    "prlimit64",
    "recvmsg",
    "sethostname",
    "setgroups",
    "setresgid",
    "setresuid",
    "setsid",
    "signalfd4",
    "socket",
    "symlinkat",
    "umount2",
    "unshare",
];

/// Says from within what holds. The last line asks Landlock, which nothing shows.
const INSIDE: &str = "id -un; grep -E '^(Cap[PEI]|NoNewPrivs|Seccomp)' /proc/self/status; ulimit -a; hostname; \
                      for at in / /usr /etc /dev /box /tmp /dev/shm; do (: > $at/new) 2>&1; done; \
                      cat /proc/keys | wc -l; wc -l < /proc/self/mountinfo; \
                      cut -d: -f3 /proc/self/cgroup | grep -vE '^/(socklab-.*)?$'; \
                      ls / /dev /etc /proc/fs; cat /proc/net/dev | wc -l; pwd; umask; \
                      ls /proc/self/fd | wc -l; (echo x > /proc/self/comm) 2>/dev/null && echo written";

/// Runs it with a keeper under `strace`.
fn inside(strace: &str) -> Value {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let keeper = temporary().join(format!("keeper-{number}"));
    let script = format!("#!/bin/sh\nexec /usr/bin/strace -f -qq {strace} {} \"$@\"\n", env!("CARGO_BIN_EXE_socklab"));
    fs::write(&keeper, script).expect("a script");
    fs::set_permissions(&keeper, fs::Permissions::from_mode(0o755)).expect("it may be run");
    let mut command = fixture("in-a-sandbox");
    let output = run(command.arg(&keeper).args(["/bin/sh", "-c", INSIDE]));
    fs::remove_file(&keeper).expect("it goes");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{strace}: {error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// How often each call is made by the process that makes it most often, before there is the program.
///
/// The first `execve` is the keeper's, the second the program's. What is executed cannot be told by its name: `strace`,
/// as an ordinary user, reads no memory of a process that is not dumpable, and shows a pointer.
fn calls(log: &str) -> BTreeMap<&'static str, usize> {
    let mut counts: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
    let mut executed = 0;
    let before_the_program = log.lines().take_while(|line| {
        executed += usize::from(line.contains(" execve("));
        executed < 2
    });
    for line in before_the_program {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let Some((name, _)) = rest.trim_start().split_once('(') else { continue };
        if let Some(call) = CALLS.into_iter().find(|call| *call == name) {
            *counts.entry((pid, call)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in counts {
        let known = most.entry(call).or_insert(0);
        *known = count.max(*known);
    }
    most
}

#[test]
fn a_set_up_call_that_fails_is_a_fault_and_no_end() {
    let test = "a_set_up_call_that_fails_is_a_fault_and_no_end";
    if !has("strace") || !has_private_hosts() {
        return skip(test, "it takes strace and user namespaces");
    }
    let log = temporary().join("keeper.log");
    let usual = inside(&format!("-o {}", log.display()));
    assert_eq!(usual["ended"], "Exited(2)", "{usual}");
    let most = calls(&fs::read_to_string(&log).expect("a log"));
    for call in ["unshare", "pivot_root", "mount_setattr", "prctl", "capset", "clone"] {
        assert!(most.contains_key(call), "{call}: {most:?}");
    }
    let cases: Vec<(&str, usize)> =
        most.iter().flat_map(|(call, count)| (1..=*count).map(move |which| (*call, which))).collect();
    let (complaints, faults) = (Mutex::new(Vec::new()), AtomicU32::new(0));
    side_by_side(&cases, |(call, which)| {
        let told = inside(&format!("-o /dev/null -e trace={call} -e inject={call}:error=EPERM:when={which}"));
        // What a call's failure does not matter to is as ever; the rest is a fault.
        if told["fault"].is_string() {
            faults.fetch_add(1, Ordering::Relaxed);
        } else if told["ended"] != usual["ended"] || told["stdout"] != usual["stdout"] {
            complaints.lock().expect("the list").push(format!("{call}, number {which}: {told}"));
        }
    });
    let complaints = complaints.into_inner().expect("the list");
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), cases.len(), complaints.join("\n"));
    let faults = faults.into_inner() as usize;
    eprintln!("{faults} of {} failing calls are faults; the others change nothing", cases.len());
    assert!(faults * 10 > cases.len() * 7, "{faults} of {}", cases.len());
}

#[test]
fn a_keeper_that_is_none_is_a_fault() {
    for keeper in ["/bin/true", "/bin/cat", "/no/such/keeper"] {
        let mut command = fixture("in-a-sandbox");
        let output = run(command.arg(PathBuf::from(keeper)).arg("/bin/true"));
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(told["fault"].is_string(), "{keeper}: {told}");
    }
}
