//! In a container as usual engines make it, the judge has no namespaces: it says so, refuses strangers' programs, and
//! judges them where its caller throws the container away.

use std::path::Path;
use std::process::{Command, Output};

use rustix::process::geteuid;
use serde_json::Value;

use crate::support::{fixture_words, has, has_private_hosts, project, run, skip, socklab, text};

/// Makes a container around a command: processes and mounts of its own, parts of `/proc` hidden, all but `/tmp`
/// read-only, no `/dev/shm`.
const CONTAINER: &str = "set -e
mount --make-rprivate /
mount -t tmpfs none /tmp
mkdir /tmp/dev
mount -t tmpfs -o mode=755 none /tmp/dev
for device in null zero full random urandom tty; do
    touch /tmp/dev/$device
    mount --bind /dev/$device /tmp/dev/$device
done
ln -s /proc/self/fd /tmp/dev/fd
mount --rbind /tmp/dev /dev
for file in kcore keys timer_list; do
    [ ! -e /proc/$file ] || mount --bind /dev/null /proc/$file
done
for folder in acpi scsi; do
    [ ! -d /proc/$folder ] || mount -t tmpfs -o ro none /proc/$folder
done
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro / 2>/dev/null || true
mkdir /tmp/here
cd /tmp/here
exec \"$@\"";

/// What container engines leave to root.
const CAPABILITIES: &str = "-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,\
                            +setpcap,+net_bind_service,+sys_chroot,+kill,+audit_write";

/// Runs `socklab` in such a container, as its root or as an ordinary user there.
fn in_a_container(as_root: bool, words: &[&str]) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--ipc", "--mount-proc"]);
    if !geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-c", CONTAINER, "container"]).args(fixture_words("behind-a-filter"));
    command.args(["setpriv", "--inh-caps", "-all", "--bounding-set", CAPABILITIES]);
    if !as_root {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.arg(env!("CARGO_BIN_EXE_socklab")).args(words).env("TMPDIR", "/tmp").env("HOME", "/tmp");
    run(&mut command)
}

fn prepare(test: &str) -> bool {
    let missing = ["unshare", "setpriv", "mount"].into_iter().find(|program| !has(program));
    if let Some(program) = missing {
        skip(test, &format!("{program} is not installed"));
    } else if !has_private_hosts() {
        skip(test, "a container takes user namespaces");
    }
    missing.is_none() && has_private_hosts()
}

/// Root, and an ordinary user where this test may become one.
fn users() -> &'static [bool] {
    if geteuid().is_root() { &[true, false] } else { &[true] }
}

/// A right program for exercise 30, and one that does nothing.
fn right() -> String {
    project("labs/30-struct-header/exercise/solutions/python/server.py").display().to_string()
}

#[test]
fn a_container_without_namespaces_is_fenced_and_the_doctor_says_why() {
    if !prepare("a_container_without_namespaces_is_fenced_and_the_doctor_says_why") {
        return;
    }
    for as_root in users() {
        let output = in_a_container(*as_root, &["doctor", "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
        let sandbox = &told["sandbox"];
        assert_eq!(sandbox["fault"], Value::Null, "{sandbox}");
        assert_eq!(sandbox["tier"], if landlock_is_whole() { 1 } else { 0 }, "{sandbox}");
        let why = |layer: &str| {
            let missing = sandbox["missing"].as_array().expect("a list").iter().find(|one| one["layer"] == layer);
            missing.map(|one| one["why"].as_str().expect("words").to_owned())
        };
        assert!(why("network").is_some_and(|why| why.contains("EPERM")), "{sandbox}");
        // Root still gives the program a user of its own, where the container has other users.
        assert_eq!(why("user").is_none(), *as_root && geteuid().is_root(), "{sandbox}");
    }
}

#[test]
fn a_lab_shows_the_same_in_a_container() {
    const TEST: &str = "a_lab_shows_the_same_in_a_container";
    if !prepare(TEST) {
        return;
    }
    for lab in crate::support::chosen_labs().into_iter().filter(|lab| [1, 10].contains(&lab.number)) {
        for as_root in users() {
            let shown = in_a_container(*as_root, &["lab", &lab.number.to_string(), "--all"]);
            assert_eq!(text(&shown.stdout), lab.shows(&[]), "{}", text(&shown.stderr));
            assert!(text(&shown.stderr).contains("running on this machine's loopback"), "{}", text(&shown.stderr));
        }
    }
}

#[test]
fn strangers_programs_are_refused_there_unless_the_caller_throws_the_container_away() {
    let test = "strangers_programs_are_refused_there_unless_the_caller_throws_the_container_away";
    if !prepare(test) {
        return;
    }
    let right = right();
    assert!(Path::new(&right).exists(), "{right}");
    for as_root in users() {
        let judged = |more: &[&str], program: &[&str]| {
            let words = [&["grade", "30", "--json", "--untrusted"], more, &["--"], program].concat();
            let output = in_a_container(*as_root, &words);
            (output.status.code(), text(&output.stdout), text(&output.stderr))
        };
        let (code, _, said) = judged(&[], &["/usr/bin/python3", &right]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("judged at tier 2 and above") && said.contains("--sandboxed-by-caller"), "{said}");
        let (code, grade, said) = judged(&["--sandboxed-by-caller"], &["/usr/bin/python3", &right]);
        if !(landlock_is_whole() || *as_root && geteuid().is_root()) {
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains("could reach the judge itself"), "{said}");
            continue;
        }
        assert_eq!(code, Some(0), "{said}{grade}");
        let grade: Value = serde_json::from_str(&grade).expect("JSON");
        assert_eq!((&grade["verdict"], &grade["points"]), (&"pass".into(), &100.into()), "{grade}");
        assert_eq!(grade["sandboxed_by_caller"], true, "{grade}");
        assert!(grade["tier"].as_u64().is_some_and(|tier| tier < 2), "{grade}");
        let (code, grade, said) =
            judged(&["--sandboxed-by-caller"], &["/usr/bin/python3", "-c", "import time; time.sleep(100)"]);
        assert_eq!(code, Some(8), "{said}{grade}");
    }
}

/// Whether this kernel's Landlock has all that is wanted.
fn landlock_is_whole() -> bool {
    let output = run(socklab().args(["doctor", "--json"]));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let lists = ["missing", "notes"].map(|name| told["sandbox"][name].as_array().expect("a list").clone());
    !lists.iter().flatten().any(|one| one["layer"] == "landlock")
}
