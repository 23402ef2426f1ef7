//! The first minutes at a terminal: one scene, where to go on, what is done, and what comes next.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::{Host, copy_program, finish, has, lab, labs, programs, read, run, skip, socklab, text};

/// Runs `socklab` with these words at a terminal, and gives what is to be seen on it; work is kept in this folder.
fn at_a_terminal(work: &TempDir, words: &[&str]) -> String {
    let mut terminal = Command::new("python3");
    terminal.args(["-c", "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"]);
    terminal.arg(env!("CARGO_BIN_EXE_socklab")).args(words);
    terminal.env("TERM", "xterm").env("NO_COLOR", "1").env("SOCKLAB_WORK", work.path().join("work"));
    let output = run(&mut terminal);
    let shown = text(&output.stdout).replace('\r', "");
    assert!(output.status.success(), "{words:?}: {shown}\n{}", text(&output.stderr));
    shown
}

/// What a command prints in a pipe, whose work is kept in this folder.
fn in_a_pipe(work: &TempDir, words: &[&str]) -> String {
    let output = run(socklab().args(words).env("SOCKLAB_WORK", work.path().join("work")));
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The titles of scenes in a transcript.
fn scenes(shown: &str) -> usize {
    shown.lines().filter(|line| line.starts_with("── ")).count()
}

#[test]
fn a_demo_is_of_the_first_scene_and_all_is_of_all() {
    let lab = lab(1);
    let whole = lab.shows(&[]);
    let play = |flags: &[&str]| run(lab.command().args(flags));
    let count = scenes(&whole);
    assert!(count > 1, "{whole}");
    let all = play(&["--all"]);
    assert_eq!((text(&all.stdout), text(&all.stderr)), (whole.clone(), String::new()));
    let first = play(&[]);
    assert_eq!(scenes(&text(&first.stdout)), 1);
    assert!(whole.starts_with(text(&first.stdout).trim_end()), "it is the beginning of the whole");
    let said = format!("lab 01: scene 1 of {count}; --all plays all of them\n");
    assert_eq!(text(&first.stderr), said, "what is no part of the transcript is on standard error");
    // What is made for a program is of all scenes, and quiet.
    let json = play(&["--json"]);
    let last =
        text(&json.stdout).lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()?["scene"].as_u64()).max();
    assert_eq!((last, text(&json.stderr)), (Some(count as u64), String::new()));
    let one = play(&["--scene", "2"]);
    assert_eq!((scenes(&text(&one.stdout)), text(&one.stderr)), (1, String::new()), "one scene was asked for");
    assert_eq!(play(&["--all", "--scene", "2"]).status.code(), Some(2));
    assert_eq!(play(&["server", "--all"]).status.code(), Some(2));
}

#[test]
fn below_a_demo_at_a_terminal_it_says_where_to_go_on() {
    if !has("python3") {
        return skip("below_a_demo_at_a_terminal_it_says_where_to_go_on", "python3 is not installed");
    }
    let work = folder();
    let shown = at_a_terminal(&work, &["lab", "01"]);
    let (_, below) = shown.split_once("\n\nScene 1 of 5.").unwrap_or_else(|| panic!("{shown}"));
    for words in ["--scene 2", "--all", "docs/labs/01-udp-echo.md", " minutes", "just start 01 python", "just lab 02"] {
        assert!(below.contains(words), "{words} is not in: {below}");
    }
    assert_eq!(below.trim_end().lines().count(), 4, "a few lines: {below}");
    assert!(!at_a_terminal(&work, &["lab", "01", "--json"]).contains("Scene 1 of"));
    let last = at_a_terminal(&work, &["lab", "01", "--scene", "5"]);
    assert!(last.contains("\n\nScene 5 of 5, the last one\n"), "{last}");
}

#[test]
fn a_lab_that_was_run_at_a_terminal_is_done_and_the_next_step_follows_from_it() {
    if !has("python3") {
        return skip("a_lab_that_was_run_at_a_terminal_is_done", "python3 is not installed");
    }
    let work = folder();
    let file = work.path().join("work/progress.toml");
    assert!(in_a_pipe(&work, &["next"]).contains("just lab 01\n"));
    in_a_pipe(&work, &["lab", "01"]);
    assert!(!file.exists(), "in a pipe nobody has seen it");
    at_a_terminal(&work, &["lab", "01"]);
    at_a_terminal(&work, &["lab", "03"]);
    at_a_terminal(&work, &["lab", "03", "--scene", "2"]);
    assert!(fs::read_to_string(&file).expect("the file").contains("labs = [1, 3]"));
    // Its exercise comes next, and one may go on without it: to a lab that was not run.
    let next = in_a_pipe(&work, &["next"]);
    assert!(next.contains("just start 01 python\n") && next.contains("just lab 02\n"), "{next}");
    let list = in_a_pipe(&work, &["labs", "1"]);
    let row = |name: &str| list.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{list}")).to_owned();
    assert!(row("udp-echo").contains("✓ run") && row("udp-truncation").contains("✓ run"), "{list}");
    assert!(!row("udp-empty-datagram").contains("✓"), "{list}");
    assert!(in_a_pipe(&work, &["progress"]).contains(&format!("2 of {} labs run", labs().len())));
    // Exercises that are passed are done, too.
    fs::write(&file, "labs = [1]\n[01]\npoints = 1\nof = 1\npassed = true\ntries = 1\n").expect("a file");
    assert!(in_a_pipe(&work, &["next"]).contains("exercise 01-client"));
    assert!(in_a_pipe(&work, &["labs", "1"]).contains("✓ exercise 01 passed"));
}

#[test]
fn progress_that_cannot_be_kept_fails_no_run_and_is_said_once() {
    if !has("python3") {
        return skip("progress_that_cannot_be_kept_fails_no_run_and_is_said_once", "python3 is not installed");
    }
    let work = folder();
    // No folder can be made where a file is.
    fs::write(work.path().join("work"), "").expect("a file");
    let shown = at_a_terminal(&work, &["lab", "02"]);
    assert_eq!(shown.matches("could not be kept").count(), 1, "{shown}");
    assert!(shown.contains("work/progress.toml") && shown.contains("just lab 03"), "{shown}");
    fs::remove_file(work.path().join("work")).expect("it goes");
    fs::create_dir(work.path().join("work")).expect("a folder");
    // A file that somebody has spoilt is theirs to mend.
    fs::write(work.path().join("work/progress.toml"), "nonsense").expect("a file");
    let shown = at_a_terminal(&work, &["lab", "02"]);
    assert!(shown.contains("could not be kept") && shown.contains("mend it"), "{shown}");
    assert!(in_a_pipe(&work, &["labs"]).contains("udp-echo"), "the list is there all the same");
}

#[test]
fn a_lab_that_is_run_in_some_folder_leaves_nothing_there() {
    if !has("python3") {
        return skip("a_lab_that_is_run_in_some_folder_leaves_nothing_there", "python3 is not installed");
    }
    let place = folder();
    copy_program(&programs().join("socklab"), &place.path().join("socklab"));
    let mut terminal = Command::new("python3");
    terminal.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])", "./socklab", "lab", "02"]);
    terminal.current_dir(place.path()).env_remove("CARGO_MANIFEST_DIR").env_remove("SOCKLAB_WORK");
    let shown = text(&run(&mut terminal).stdout);
    assert!(shown.contains("Scene 1 of") && !shown.contains("docs/labs"), "{shown}");
    assert_eq!(fs::read_dir(place.path()).expect("the folder").count(), 1, "it makes no folder for work");
}

#[test]
fn a_role_by_hand_that_prints_nothing_says_what_it_waits_for() {
    const PROGRAM: &str = "\
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b''
while b'\\n' not in shown:
    shown += os.read(terminal, 65536)
os.kill(pid, signal.SIGINT)
os.waitpid(pid, 0)
os.write(1, shown)";
    if !has("python3") {
        return skip("a_role_by_hand_that_prints_nothing_says_what_it_waits_for", "python3 is not installed");
    }
    let (lab, host) = (lab(5), Host::open());
    let mut terminal = Command::new("python3");
    terminal.args(["-c", PROGRAM]).args(lab.words()).args(["client", "--scene", "2", "--address", &host.address()]);
    let shown = text(&run(host.enter(&mut terminal)).stdout);
    assert!(shown.contains("lab 05: client waits in recvfrom(3) for a datagram; "), "{shown}");
    for words in ["just lab 05 server --scene 2", "Ctrl-C", "--calls"] {
        assert!(shown.contains(words), "{words} is not in: {shown}");
    }
    // In a pipe it is as silent as a program of one's own.
    let mut server = host.start_server(&mut host.role(&crate::support::lab(1), "server"), "udp");
    server.0.kill().expect("it is ended");
    let Output { stderr, .. } = finish(std::mem::replace(&mut server.0, Command::new("true").spawn().expect("true")));
    assert_eq!(text(&stderr), "");
}

#[test]
fn words_that_are_missing_or_too_many_get_an_answer() {
    let complaint = |words: &[&str]| {
        let output = run(socklab().args(words));
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        text(&output.stderr)
    };
    assert!(complaint(&["lab"]).contains("just lab 01"));
    let chapters = complaint(&["labs", "77"]);
    assert!(chapters.contains("no chapter 77") && chapters.contains("1  Datagrams"), "{chapters}");
    let flag = complaint(&["lab", "01", "--foo"]);
    assert!(flag.contains("--foo") && flag.contains("--help") && !flag.contains("-- --foo"), "{flag}");
}

#[test]
fn all_claims_are_listed_a_line_each() {
    // What each of them says is compared elsewhere: one lab is enough to see the form.
    let claims = text(&run(socklab().args(["claims", "03", "--json"])).stdout);
    let count = claims.lines().count();
    let whole = read("docs/claims.md");
    assert!(count > 1 && whole.contains("03-udp-truncation.md"));
    let listed = run(socklab().arg("claims"));
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let listed = text(&listed.stdout);
    assert_eq!(listed.lines().filter(|line| line.starts_with("03  ")).count(), count, "{listed}");
    for line in claims.lines() {
        let claim: Json = serde_json::from_str(line).expect("JSON");
        let (verdict, says) = (claim["verdict"].as_str().expect("a word"), claim["says"].as_str().expect("a sentence"));
        let is_its = |line: &str| line.starts_with(&format!("03  {verdict}")) && line.contains(says);
        assert!(listed.lines().any(is_its), "{claim} is not in: {listed}");
    }
    let sum = listed.lines().next_back().expect("a last line");
    let of_labs = listed.lines().filter(|line| line.split("  ").next().is_some_and(|word| word.parse::<u32>().is_ok()));
    assert!(sum.starts_with(&format!("{} claims: ", of_labs.count())), "{sum}");
}

#[test]
fn recipes_build_visibly_what_must_be_built_and_are_quiet_where_nothing_must() {
    let Some(recipe) =
        read("justfile").split("\nbuild:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).map(str::to_owned)
    else {
        panic!("the justfile has a recipe `build`");
    };
    // A cargo that builds at once.
    let place = folder();
    let root = place.path();
    for made in ["bin", "src", "labs", "target/debug"] {
        fs::create_dir_all(root.join(made)).expect("a folder");
    }
    for file in ["Cargo.toml", "Cargo.lock", "build.rs"] {
        fs::write(root.join(file), "").expect("a file");
    }
    let cargo = root.join("bin/cargo");
    fs::write(
        &cargo,
        "#!/bin/sh\necho Compiling \"$@\" >&2\ntouch target/debug/socklab\nchmod +x target/debug/socklab\n",
    )
    .expect("a script");
    fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).expect("a program");
    let path = format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let build = || {
        let mut shell = Command::new("sh");
        shell.args(["-c", &recipe]).current_dir(root).env("PATH", &path).env_remove("CARGO_TARGET_DIR");
        let output = run(&mut shell);
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        text(&output.stderr)
    };
    let first = build();
    assert!(first.contains("Building socklab") && first.contains("Compiling build --bin socklab"), "{first}");
    assert_eq!(build(), "", "there is nothing to build");
    // Later than the program, whatever the clock's grain is.
    run(Command::new("touch").args(["-d", "1 minute"]).arg(root.join("src/changed.rs")));
    assert_eq!(build(), "Compiling build --bin socklab\n");
}
