//! Who is at fault: programs that want nobody to be able to tell fail, and what is said of them is what they do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use serde_json::Value;

use crate::support::{
    copy_program, folder_for_all_users, has, has_private_hosts, project, run, side_by_side, skip, socklab,
};

/// The longest that one of them takes, on a machine that is busy with the others.
const PATIENCE: Duration = Duration::from_secs(90);

struct Program {
    file: String,
    exercise: String,
    check: String,
    kind: String,
}

fn programs() -> Vec<Program> {
    let entries = fs::read_dir(project("tests/blame")).expect("the folder").flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending != "md"));
    // Those that take long come first.
    files.sort_by_key(|path| {
        !["slow_steps.py", "busy_steps.py", "sleeping_build.toml"].iter().any(|slow| path.ends_with(slow))
    });
    files.iter().map(|path| program(path)).collect()
}

fn program(path: &Path) -> Program {
    let text = fs::read_to_string(path).expect("a program");
    let says = |name: &str| {
        let line = text.lines().find_map(|line| line.trim_start_matches(['#', '/', ' ']).strip_prefix(name));
        line.unwrap_or_else(|| panic!("{}: no line {name:?}", path.display())).to_owned()
    };
    let check = says("check: ");
    let (exercise, check) = check.split_once(' ').expect("an exercise and a check");
    Program {
        file: path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned(),
        exercise: exercise.to_owned(),
        check: check.to_owned(),
        kind: says("kind: "),
    }
}

/// A folder with this program, for every user.
fn laid(program: &Program, folder: &Path) {
    let (name, ending) = program.file.split_once('.').expect("an ending");
    let from = project("tests/blame").join(&program.file);
    fs::create_dir(folder).expect("a folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    if ending == "toml" {
        fs::copy(&from, folder.join("socklab.toml")).expect("a copy");
    } else if ending == "c" {
        let built = run(Command::new("cc").args(["-pthread", "-o"]).arg(folder.join("server")).arg(&from));
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        fs::write(folder.join("socklab.toml"), "run = [\"./server\"]\n").expect("a manifest");
    } else {
        fs::copy(&from, folder.join("server.py")).expect("a copy");
    }
}

/// The users that the judge can be here.
fn users() -> Vec<&'static str> {
    if geteuid().is_root() { vec!["root", "user"] } else { vec!["user"] }
}

/// The judge as one of them.
fn judge(user: &str, folder: &Path) -> Command {
    if user == "root" || !geteuid().is_root() {
        return socklab();
    }
    let copy = folder.join("socklab");
    let mut user = Command::new("setpriv");
    user.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&copy).env("PATH", "/usr/bin:/bin");
    user
}

#[test]
fn a_program_that_wants_nobody_to_be_able_to_tell_fails() {
    let test = "a_program_that_wants_nobody_to_be_able_to_tell_fails";
    if let Some(missing) = ["python3", "cc", "setpriv"].into_iter().find(|program| !has(program)) {
        return skip(test, &format!("{missing} is not here"));
    }
    if !has_private_hosts() {
        return skip(test, "sandboxes take user namespaces");
    }
    let folder = folder_for_all_users();
    copy_program(Path::new(env!("CARGO_BIN_EXE_socklab")), &folder.path().join("socklab"));
    let all = programs();
    assert!(all.len() > 15, "tests/blame");
    all.iter().for_each(|program| laid(program, &folder.path().join(&program.file)));
    let pairs: Vec<(&Program, &str)> =
        all.iter().flat_map(|program| users().into_iter().map(move |user| (program, user))).collect();
    let complaints = side_by_side(&pairs, |(program, user)| {
        let (began, mut command) = (Instant::now(), judge(user, folder.path()));
        command.args(["grade", &program.exercise, "--check", &program.check, "--untrusted", "--json", "--folder"]);
        let output = run(command.arg(folder.path().join(&program.file)).env("SOCKLAB_WORK", folder.path()));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let (check, took) = (&told["checks"][0], began.elapsed());
        let (verdict, kind) = (&check["verdict"], &check["failure"]["kind"]);
        let is_right = verdict == "fail" && *kind == *program.kind && took <= PATIENCE;
        let why = String::from_utf8_lossy(&output.stderr);
        (!is_right).then(|| format!("{} as {user}, after {took:?}: {check:#} {why}", program.file))
    });
    let complaints: Vec<String> = complaints.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
