//! Numbers that nobody can know: a program that computes the judge's questions in advance earns nothing, and a secret
//! seed is told by no grade.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value as Json;
use socklab::course::exercises;
use tempfile::TempDir;

use crate::support::{
    copy_program, fixture, fixture_words, has, has_private_hosts, is_chosen, project, run, side_by_side, skip, socklab,
};

const SOLUTION: &str = "labs/05-udp-no-server/exercise/solutions/python/client.py";

/// A secret, and a folder for it and for programs.
struct Class(TempDir);

impl Class {
    fn new() -> Class {
        let class = Class(tempfile::tempdir().expect("a folder"));
        class.put("secret", "correct horse battery staple\n");
        class
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join(name);
        fs::write(&file, text).expect("a file");
        file
    }

    /// What the judge says to a client of exercise 05.
    fn judged(&self, program: &PathBuf, arguments: &[&str]) -> Output {
        let mut grade = socklab();
        grade.args(["grade", "05", "--check", "somebody-answers"]).args(arguments).current_dir(self.0.path());
        run(grade.args(["--", "python3"]).arg(program))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_possible(test: &str) -> bool {
    let is_possible = has("python3") && has_private_hosts();
    if !is_possible {
        skip(test, "it takes private hosts and Python");
    }
    is_possible
}

/// The line and the answer that a grade's only check has drawn.
fn line_and_answer(json: &[u8]) -> (String, String) {
    let grade: Json = serde_json::from_slice(json).expect("a grade");
    let steps: Vec<&str> =
        grade["checks"][0]["steps"].as_array().expect("steps").iter().flat_map(Json::as_str).collect();
    let quoted = |begins: &str| {
        let step = steps.iter().find(|step| step.starts_with(begins)).unwrap_or_else(|| panic!("{begins}: {steps:?}"));
        step.split('"').nth(1).expect("a quotation").trim_end_matches("\\n").to_owned()
    };
    (quoted("the program starts, with"), quoted("our server answers"))
}

#[test]
fn a_program_that_finds_the_seed_in_what_is_typed_knew_the_answer_and_does_not_any_more() {
    // What the judge drew for seed 271828 when seeds had 20 bits: the attack would have succeeded.
    let mut guesses = fixture("guesses-seed");
    let mut child = guesses.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"dslsq\n").expect("a line");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stdout), "qiezyhc\n");
    let test = "a_program_that_finds_the_seed_in_what_is_typed_knew_the_answer_and_does_not_any_more";
    if !has_private_hosts() {
        return skip(test, "it takes private hosts");
    }
    // A folder in which nothing else is.
    let class = Class::new();
    copy_program(Path::new(&fixture_words("guesses-seed")[0]), &class.0.path().join("fixtures"));
    for seed in [&[][..], &["--seed", "271828"]] {
        let mut grade = socklab();
        grade.args(["grade", "05", "--check", "somebody-answers"]).args(seed).current_dir(class.0.path());
        let output = run(grade.args(["--", "./fixtures", "guesses-seed"]));
        assert_eq!(output.status.code(), Some(8), "{}{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stdout).contains("no seed draws"), "{}", text(&output.stdout));
    }
}

#[test]
fn a_seed_is_text_of_64_bits_and_draws_the_same_again() {
    if !is_possible("a_seed_is_text_of_64_bits_and_draws_the_same_again") {
        return;
    }
    let (class, solution) = (Class::new(), project(SOLUTION));
    let grades: Vec<Json> = (0..3)
        .map(|_| serde_json::from_slice(&class.judged(&solution, &["--json"]).stdout).expect("a grade"))
        .collect();
    let seeds: Vec<u64> =
        grades.iter().map(|grade| grade["seed"].as_str().expect("text").parse().expect("a number")).collect();
    // All three are below 2^56 once in 2^24 times.
    assert!(seeds.iter().any(|seed| seed >> 56 > 0), "{seeds:?}");
    let again = class.judged(&solution, &["--json", "--seed", grades[0]["seed"].as_str().expect("text")]);
    let again: Json = serde_json::from_slice(&again.stdout).expect("a grade");
    assert_eq!(again["checks"][0]["drawn"], grades[0]["checks"][0]["drawn"]);
    assert_ne!(again["checks"][0]["drawn"], grades[1]["checks"][0]["drawn"]);
}

#[test]
fn a_secret_seed_is_told_by_no_grade_and_asks_each_name_something_else() {
    if !is_possible("a_secret_seed_is_told_by_no_grade_and_asks_each_name_something_else") {
        return;
    }
    let (class, solution) = (Class::new(), project(SOLUTION));
    let judged = |name: &'static str| class.judged(&solution, &["--seed-file", "secret", "--seed-for", name, "--json"]);
    let (ada, again, bob) = (judged("ada"), judged("ada"), judged("bob"));
    let asked = line_and_answer(&ada.stdout);
    assert_eq!(asked, line_and_answer(&again.stdout));
    assert_ne!(asked, line_and_answer(&bob.stdout));
    let (grade, other): (Json, Json) =
        (serde_json::from_slice(&ada.stdout).expect("a grade"), serde_json::from_slice(&bob.stdout).expect("a grade"));
    assert!(grade["seed"].is_null() && grade["checks"][0]["drawn"].is_null(), "{grade}");
    assert_eq!(grade["seed_fingerprint"], other["seed_fingerprint"]);
    // Who has learned Ada's answer by heart knows nothing of Bob's.
    let learned = class.put(
        "learned.py",
        &format!(
            "import os, socket\nprint({:?})\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
                  s.sendto(input().encode(), (os.environ['HOST'], int(os.environ['PORT'])))\n",
            asked.1
        ),
    );
    let outcome = |name| class.judged(&learned, &["--seed-file", "secret", "--seed-for", name]);
    assert_eq!(outcome("ada").status.code(), Some(0), "the attack itself works");
    let caught = outcome("bob");
    assert_eq!(caught.status.code(), Some(8));
    let report = text(&caught.stdout);
    assert!(report.contains("--check somebody-answers --case ") && !report.contains("--seed"), "{report}");
    let told = format!("seed secret (fingerprint {})", grade["seed_fingerprint"].as_str().expect("text"));
    assert!(report.contains(&told) && !report.contains("correct horse"), "{report}");
}

#[test]
fn a_seed_that_is_none_is_refused_with_words_that_say_what_one_is() {
    let class = Class::new();
    class.put("short", "too short\n");
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = class.judged(&project(SOLUTION), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        for word in words {
            assert!(text(&output.stderr).contains(word), "{word:?} is not in {}", text(&output.stderr));
        }
    };
    refused(&["--seed", "x"], &["a whole number below 2^64", "draw the same numbers"]);
    refused(&["--seed", "18446744073709551616"], &["a whole number below 2^64"]);
    refused(&["--seed-file", "nowhere"], &["--seed-file nowhere", "No such file"]);
    refused(&["--seed-file", "short"], &["16 to 4096 bytes", "this one has 9"]);
    refused(&["--seed-file", "/dev/zero"], &["16 to 4096 bytes"]);
    refused(&["--seed-file", "secret", "--seed", "1"], &["--seed"]);
    refused(&["--seed-for", "ada"], &["--seed-file"]);
}

#[test]
fn a_program_that_only_ends_with_an_error_has_no_point_in_any_exercise() {
    if !is_possible("a_program_that_only_ends_with_an_error_has_no_point_in_any_exercise") {
        return;
    }
    let exercises: Vec<&str> = exercises::all().iter().map(|folder| folder.id).filter(|id| is_chosen(id)).collect();
    side_by_side(&exercises, |exercise| {
        let output = run(socklab().args(["grade", exercise, "--json", "--", "sh", "-c", "exit 1"]));
        let grade: Json = serde_json::from_slice(&output.stdout).expect("a grade");
        assert_eq!(grade["points"], 0, "{exercise}: {grade}");
    });
}
