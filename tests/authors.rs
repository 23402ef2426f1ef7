//! What an author of a lab types: files that hold what is asked of all others. `.ci/new-lab` builds and runs them.

use std::fs;
use std::path::Path;
use std::process::Command as Program;

use assert_cmd::Command;
use predicates::str::contains;
use tempfile::TempDir;

use crate::support::{has, project, run, skip};

/// A folder that `socklab new` takes for a checkout: what it reads, and nothing of which a build is made.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["Cargo.toml", "rustfmt.toml", "labs", "docs", "programs"] {
        let copied = run(Program::new("cp").arg("-r").arg(project(part)).arg(folder.path()));
        assert!(copied.status.success(), "copy {part}");
    }
    folder
}

fn new(checkout: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socklab"));
    command.arg("new").args(arguments).current_dir(checkout).env("CARGO_MANIFEST_DIR", checkout).assert()
}

#[test]
fn a_new_lab_is_formatted_and_stands_in_the_table() {
    let checkout = checkout();
    let question = "Does it still work if its author asks a question that is exactly as long as any may be, or nearly?";
    new(checkout.path(), &["98", "udp-new", "--question", question]).success();
    let lab = checkout.path().join("labs/98-udp-new");
    for file in ["main.rs", "claims.rs"] {
        let code = fs::read_to_string(lab.join(file)).expect("a file");
        for (line, number) in code.lines().zip(1..) {
            assert!(line.chars().count() <= 120, "labs/98-udp-new/{file}:{number}: {line}");
        }
    }
    let table = fs::read_to_string(checkout.path().join("labs/README.md")).expect("the table");
    assert!(table.contains(question) && table.contains("98-udp-new"), "{table}");
    assert!(checkout.path().join("docs/labs/98-udp-new.md").exists());
    if !has("rustfmt") {
        return skip("a_new_lab_is_formatted_and_stands_in_the_table", "rustfmt is not here");
    }
    let mut rustfmt = Program::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "--config-path"]).arg(checkout.path().join("rustfmt.toml"));
    let formatted = run(rustfmt.arg(lab.join("main.rs")));
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));
}

#[test]
fn a_lab_that_is_there_or_has_no_good_name_is_not_made() {
    let checkout = checkout();
    new(checkout.path(), &["01", "udp-echo"]).code(2).stderr(contains("already"));
    new(checkout.path(), &["97", "Bad Name"]).code(2).stderr(contains("Bad Name"));
    new(checkout.path(), &["97", "a-name", "--question", &"long ".repeat(30)]).code(2).stderr(contains("question"));
}
