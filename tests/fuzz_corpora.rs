//! What was kept of fuzzing (`fuzz/`), once more: no byte of a stranger's breaks what reads it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::project;

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// A target: its name, and what it does with an input.
type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("answer", targets::answer),
    ("archive", targets::archive),
    ("frame", targets::frame),
    ("framing_ack", targets::framing_ack),
    ("framing_delimiter", targets::framing_delimiter),
    ("framing_fixed", targets::framing_fixed),
    ("framing_json", targets::framing_json),
    ("framing_text", targets::framing_text),
    ("handed_in", targets::handed_in),
    ("init_message", targets::init_message),
    ("manifest", targets::manifest),
    ("netlink_row", targets::netlink_row),
    ("proc_text", targets::proc_text),
    ("report", targets::report),
];

/// The names in a folder of `fuzz/`, in their order.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(project("fuzz").join(folder)).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_corpus_and_is_replayed() {
    let replayed: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names("corpus"), replayed);
    let files: Vec<String> = names("targets");
    assert_eq!(files, replayed.iter().map(|name| format!("{name}.rs")).collect::<Vec<_>>());
}

#[test]
fn a_dictionary_is_a_targets_and_has_words_alone() {
    for name in names("dictionaries") {
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "dictionaries/{name}");
        let text = fs::read_to_string(project("fuzz/dictionaries").join(&name)).expect("a file");
        let is_word = |line: &str| line.len() > 2 && line.starts_with('"') && line.ends_with('"');
        let other = text.lines().find(|line| !line.starts_with("# ") && !is_word(line));
        assert_eq!(other, None, "dictionaries/{name}");
    }
}

#[test]
fn what_was_kept_of_fuzzing_breaks_nothing() {
    for (name, target) in TARGETS {
        let files = names(&format!("corpus/{name}"));
        assert!(files.len() >= 3, "corpus/{name} has {files:?}");
        for file in files {
            let bytes = fs::read(project("fuzz/corpus").join(name).join(&file)).expect("a file");
            assert!(bytes.len() <= 64 << 10, "corpus/{name}/{file} has {} bytes", bytes.len());
            let done = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
            assert!(done.is_ok(), "corpus/{name}/{file}");
        }
    }
}
