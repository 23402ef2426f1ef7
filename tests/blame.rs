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
    files.retain(|path| path.extension().is_some_and(|ending| ending == "py" || ending == "c"));
    files.sort();
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
    if ending == "c" {
        let built = run(Command::new("cc").args(["-pthread", "-o"]).arg(folder.join("server")).arg(&from));
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        fs::write(folder.join("socklab.toml"), "run = [\"./server\"]\n").expect("a manifest");
    } else {
        fs::copy(&from, folder.join("server.py")).expect("a copy");
    }
}

/// The judge as each user that it can be here, with a name.
fn judges(folder: &Path) -> Vec<(&'static str, Command)> {
    if !geteuid().is_root() {
        return vec![("user", socklab())];
    }
    let copy = folder.join("socklab");
    let mut user = Command::new("setpriv");
    user.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&copy).env("PATH", "/usr/bin:/bin");
    vec![("root", socklab()), ("user", user)]
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
    let complaints = side_by_side(&all, |program| {
        let place = folder.path().join(&program.file);
        laid(program, &place);
        let mut complaints = Vec::new();
        for (judge, mut command) in judges(folder.path()) {
            let began = Instant::now();
            command.args(["grade", &program.exercise, "--check", &program.check, "--untrusted", "--json", "--folder"]);
            let output = run(command.arg(&place).env("SOCKLAB_WORK", folder.path()));
            let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let check = &told["checks"][0];
            let (verdict, kind, took) = (&check["verdict"], &check["failure"]["kind"], began.elapsed());
            if verdict != "fail" || *kind != *program.kind || took > PATIENCE {
                let why = String::from_utf8_lossy(&output.stderr);
                complaints.push(format!("{} as {judge}, after {took:?}: {check:#} {why}", program.file));
            }
        }
        complaints
    });
    assert!(complaints.iter().flatten().next().is_none(), "{}", complaints.concat().join("\n"));
}
