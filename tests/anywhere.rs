//! The program works where there is no checkout, and writes nothing where it was built.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{copy_program, has, labs, programs, project, run, skip};

/// Runs a copy of the program in a folder, without what cargo tells of the checkout.
fn copy(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(folder.join("socklab"));
    command.args(line.split(' ')).current_dir(folder);
    run(command.env_remove("CARGO").env_remove("CARGO_MANIFEST_DIR").env_remove("SOCKLAB_WORK"))
}

#[test]
fn a_copy_of_the_program_works_without_the_checkout() {
    if !has("python3") {
        return skip("a_copy_of_the_program_works_without_the_checkout", "python3 is not here");
    }
    let folder = tempfile::tempdir().expect("a folder");
    copy_program(&programs().join("socklab"), &folder.path().join("socklab"));
    let built_in = project("").display().to_string();
    let built_in = built_in.trim_end_matches('/');
    for (line, code) in [
        ("start 01 python", 0),
        ("hint 01", 0),
        ("grade 01", 8),
        ("progress", 0),
        ("reset 01", 0),
        ("solution 01 --give-up", 0),
        ("lab 01", 0),
        ("labs", 0),
        ("doctor", 0),
        ("new 98 a-lab", 1),
    ] {
        let output = copy(folder.path(), line);
        let words = [&output.stdout[..], &output.stderr[..]].concat();
        let words = String::from_utf8_lossy(&words);
        assert_eq!(output.status.code(), Some(code), "{line}: {words}");
        assert!(!words.contains(built_in), "{line}: {words}");
    }
    let task = fs::read_to_string(folder.path().join("work/01/TASK.md")).expect("the task");
    assert!(!task.contains(built_in) && !task.contains("](../"), "{task}");
    let progress = fs::read_to_string(folder.path().join("work/progress.toml")).expect("the progress");
    assert!(progress.contains("[01]") && progress.contains("tries = 1"), "{progress}");
}

#[test]
fn in_a_checkout_work_is_in_its_own_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("labs")).expect("a folder");
    for file in ["Cargo.toml", "labs/README.md"] {
        fs::copy(project(file), folder.path().join(file)).expect("a file");
    }
    copy_program(&programs().join("socklab"), &folder.path().join("labs/socklab"));
    let output = copy(&folder.path().join("labs"), "start 01 c");
    assert!(output.status.success(), "{output:?}");
    assert!(folder.path().join("work/01/TASK.md").is_file(), "{output:?}");
}

#[test]
fn started_through_a_link_with_a_labs_name_it_is_that_lab() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = |name: &str| {
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(programs().join("socklab"), &link).expect("a link");
        link
    };
    let lab = labs().into_iter().find(|lab| lab.number == 5).expect("lab 05");
    let by_its_name = run(Command::new(link("lab-05-udp-no-server")).arg("--all"));
    assert!(by_its_name.status.success(), "{by_its_name:?}");
    assert_eq!(String::from_utf8_lossy(&by_its_name.stdout), lab.shows(&[]));
    // Flags are the lab's, and help is its own.
    let help = run(Command::new(link("lab-05")).arg("--help"));
    assert!(String::from_utf8_lossy(&help.stdout).starts_with(&lab.question), "{help:?}");
    let no_such_lab = run(&mut Command::new(link("lab-99")));
    assert_eq!(no_such_lab.status.code(), Some(2), "{no_such_lab:?}");
    let another = run(Command::new(link("sockets")).arg("--help"));
    assert!(String::from_utf8_lossy(&another.stdout).contains("Usage: sockets"), "{another:?}");
}
