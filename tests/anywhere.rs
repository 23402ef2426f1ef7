//! The program works where there is no checkout, and writes nothing where it was built.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{copy_program, has, programs, project, run, skip};

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
