//! Every flag of every command is tried by a test, and so is every exit code: two tables say by which. What no other
//! file tries is tried here, by what a user sees of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::{
    Running, checkout, fixture, has, has_private_hosts, lab, project, read, run, skip, socklab, text, wait_until,
};

/// A command, a flag of it, and the test that tries it: `file::test`. `lab NN` has the flags of a lab, `*` is every
/// command.
const TRIED: &[(&str, &str, &str)] = &[
    ("*", "--help", "flags::every_command_tells_how_it_is_used"),
    ("*", "-h", "flags::every_command_tells_how_it_is_used"),
    ("socklab", "--version", "flags::the_version_is_that_of_the_package"),
    ("socklab", "-V", "flags::the_version_is_that_of_the_package"),
    ("claims", "--json", "flags::claims_are_objects_for_who_asks_for_them"),
    ("doctor", "--json", "flags::doctor_says_the_same_to_people_and_to_programs"),
    ("grade", "--all", "flags::all_tells_the_story_of_each_failure"),
    ("grade", "--case", "flags::what_a_report_says_of_a_failure_has_it_again"),
    ("grade", "--check", "flags::what_a_report_says_of_a_failure_has_it_again"),
    ("grade", "--folder", "students::a_folder_or_a_command_can_be_judged_as_well"),
    ("grade", "--json", "flags::junit_says_what_json_says"),
    ("grade", "--junit", "flags::junit_says_what_json_says"),
    ("grade", "--pcap", "capture::a_judged_program_is_listened_to_and_its_verdict_is_the_same"),
    (
        "grade",
        "--sandboxed-by-caller",
        "containers::strangers_programs_are_refused_there_unless_the_caller_throws_the_container_away",
    ),
    ("grade", "--seed", "flags::with_the_same_seed_a_check_asks_the_same"),
    ("grade", "--seed-file", "seeds::a_secret_seed_is_told_by_no_grade_and_asks_each_name_something_else"),
    ("grade", "--seed-for", "seeds::a_secret_seed_is_told_by_no_grade_and_asks_each_name_something_else"),
    ("grade", "--transcript", "flags::a_transcript_tells_every_call_before_the_report"),
    ("grade", "--untrusted", "flags::strangers_are_judged_behind_walls_or_not_at_all"),
    ("grade", "--without", "flags::strangers_are_judged_behind_walls_or_not_at_all"),
    ("hint", "--again", "students::hints_come_one_by_one_and_are_counted"),
    ("lab NN", "--all", "first_minutes::a_demo_is_of_the_first_scene_and_all_is_of_all"),
    ("lab NN", "--address", "sturdy::an_address_that_others_can_reach_is_refused"),
    ("lab NN", "--allow-commands", "sturdy::a_role_that_executes_no_commands_cannot_be_allowed_to"),
    ("lab NN", "--baton", "sturdy::repeat_under_the_baton_has_one_outcome_a_scene"),
    ("lab NN", "--bytes", "wire::a_frame_that_is_taken_apart_is_the_frame"),
    ("lab NN", "--calls", "by_hand::calls_shows_each_system_call_beside_what_the_program_prints"),
    ("lab NN", "--claims", "transcripts::every_claim_has_the_verdict_that_was_recorded"),
    ("lab NN", "--corrupt", "faults::several_flags_do_what_each_of_them_says"),
    ("lab NN", "--delay", "faults::several_flags_do_what_each_of_them_says"),
    ("lab NN", "--dir", "transfer::a_role_without_a_folder_takes_no_dir"),
    ("lab NN", "--diagram", "diagram::frames_that_fare_badly_do_not_hide_each_other"),
    ("lab NN", "--drop", "faults::several_flags_do_what_each_of_them_says"),
    ("lab NN", "--duplicate", "faults::several_flags_do_what_each_of_them_says"),
    ("lab NN", "--free", "sturdy::without_the_baton_too_the_role_that_hangs_is_the_one_that_is_named"),
    ("lab NN", "--json", "sturdy::repeat_counts_every_run"),
    ("lab NN", "--link", "wire::many_runs_over_the_wire_print_the_same_whichever_way_it_is_made"),
    ("lab NN", "--loopback", "transcripts::the_machines_own_loopback_shows_the_same_as_a_private_host"),
    ("lab NN", "--mtu", "faults::a_small_mtu_makes_small_segments_and_fragments"),
    ("lab NN", "--part", "diagram::a_slide_is_wide_and_its_letters_are_large"),
    ("lab NN", "--patience", "faults::a_kernel_that_goes_on_sending_for_ever_is_left_at_it"),
    ("lab NN", "--pcap", "capture::a_capture_that_cannot_be_written_is_told"),
    ("lab NN", "--prove", "claims::every_claim_can_come_out_the_other_way"),
    ("lab NN", "--rate", "faults::a_slow_wire_lets_so_many_bits_pass"),
    ("lab NN", "--reorder", "faults::a_reordered_frame_arrives_behind_the_next_one_or_alone"),
    ("lab NN", "--repeat", "sturdy::repeat_counts_every_run"),
    ("lab NN", "--sack", "flags::who_may_say_which_later_bytes_it_has_says_so"),
    ("lab NN", "--scene", "wire::a_connection_to_a_closed_port_is_refused_by_a_reset"),
    ("lab NN", "--seed", "faults::a_share_is_the_same_for_a_seed_and_another_for_another"),
    ("lab NN", "--slide", "diagram::a_slide_is_wide_and_its_letters_are_large"),
    ("lab NN", "--step", "sturdy::step_shows_one_event_for_each_enter_and_q_ends"),
    ("lab NN", "--times", "flags::times_are_told_of_each_typed_line_in_each_run"),
    ("lab NN", "--wire", "wire::a_handshake_is_syn_then_syn_ack_then_ack"),
    ("labs", "--json", "flags::labs_are_objects_for_who_asks_for_them"),
    ("new", "--chapter", "flags::a_new_lab_stands_in_its_chapter_with_its_question"),
    ("new", "--question", "flags::a_new_lab_stands_in_its_chapter_with_its_question"),
    ("new-exercise", "--title", "flags::a_new_exercise_has_its_title_and_its_word"),
    ("soak", "--keep", "flags::soak_counts_transcripts_and_keeps_them"),
    ("soak", "--load", "flags::soak_counts_transcripts_and_keeps_them"),
    ("soak", "--runs", "flags::soak_counts_transcripts_and_keeps_them"),
    ("soak", "--together", "flags::soak_counts_transcripts_and_keeps_them"),
    ("soak-judge", "--check", "flags::soak_judge_judges_by_one_check_and_finds_what_was_made_for_a_race"),
    ("soak-judge", "--races", "flags::soak_judge_judges_by_one_check_and_finds_what_was_made_for_a_race"),
    ("soak-judge", "--language", "flags::soak_judge_judges_the_programs_of_one_language"),
    ("soak-judge", "--load", "flags::soak_judge_judges_the_programs_of_one_language"),
    ("soak-judge", "--runs", "flags::soak_judge_judges_the_programs_of_one_language"),
    ("soak-judge", "--together", "flags::soak_judge_judges_the_programs_of_one_language"),
    ("solution", "--give-up", "students::a_solution_is_for_who_has_passed_or_gives_up"),
];

/// The exit codes, each with a test in which a program ends with it.
const EXITS: &[(&str, &str)] = &[
    ("0", "students::progress_keeps_the_best_grade_and_survives"),
    ("1", "sturdy::a_role_that_ends_with_an_error_is_told"),
    ("2", "sturdy::an_unknown_lab_gets_the_nearest_names"),
    ("3", "sturdy::a_taken_port_is_told_with_who_has_it"),
    ("4", "sturdy::a_server_that_is_not_there_is_told_with_how_to_start_it"),
    ("5", "sturdy::a_role_that_panics_is_told_and_the_others_go_on"),
    ("6", "faults::a_kernel_that_goes_on_sending_for_ever_is_left_at_it"),
    ("7", "wire::without_namespaces_a_wire_is_refused_with_a_reason"),
    ("8", "students::progress_keeps_the_best_grade_and_survives"),
    ("9", "flags::a_judge_whose_keepers_are_killed_cannot_tell"),
];

/// What a command prints that must end like this.
#[track_caller]
fn prints(command: &mut Command, code: i32) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
    text(&output.stdout)
}

/// What is complained of by a command that is not understood.
#[track_caller]
fn is_mistyped(words: &[&str], says: &[&str]) {
    let output = run(socklab().args(words));
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {complaint}");
    assert!(output.stdout.is_empty(), "{words:?}: {}", text(&output.stdout));
    says.iter().for_each(|says| assert!(complaint.contains(says), "{words:?}: {says:?} is not in: {complaint}"));
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The names of all commands, as `socklab --help` lists them.
fn commands() -> Vec<String> {
    let help = prints(socklab().arg("--help"), 0);
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    let names: Vec<String> = names.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect();
    assert!(names.len() > 10, "{help}");
    names.into_iter().filter(|name| name != "help").collect()
}

/// All that has a help text of its own: what stands for it in the table, and the words before `--help`.
fn helpful() -> Vec<(String, Vec<String>)> {
    let own = commands().into_iter().map(|name| (name.clone(), vec![name]));
    let whole = [("socklab".to_owned(), vec![]), ("lab NN".to_owned(), vec!["lab".to_owned(), "01".to_owned()])];
    whole.into_iter().chain(own).collect()
}

/// The flags that a help text lists. What they mean stands in other columns.
fn flags_in(help: &str) -> BTreeSet<String> {
    let mut flags = BTreeSet::new();
    for line in help.lines() {
        let listed = line.trim_start();
        if listed.starts_with('-') && matches!(line.len() - listed.len(), 2 | 6) {
            let words = listed.split("  ").next().unwrap_or_default().split([',', ' ']);
            flags.extend(words.filter(|word| word.starts_with('-')).map(str::to_owned));
        }
    }
    flags
}

/// The flags that no help text lists, by the names of their fields.
fn hidden_flags() -> BTreeSet<String> {
    let output = run(Command::new("grep").args(["-rhA3", "hide = true", "--include=*.rs"]).arg(project("src")));
    let code = text(&output.stdout);
    let field = |after: &str| {
        let mut lines = after.lines().map(|line| line.trim().trim_start_matches("pub "));
        let found = lines.find_map(|line| line.split_once(": ").filter(|(name, _)| !name.starts_with(['#', '/'])));
        found.unwrap_or_else(|| panic!("no field behind: {after}")).0.replace('_', "-")
    };
    code.split("hide = true").skip(1).map(|after| format!("--{}", field(after))).collect()
}

/// The code of a test, `file::test`.
fn body_of(test: &str) -> Result<String, String> {
    let (file, name) = test.split_once("::").ok_or_else(|| format!("{test}: write file::test"))?;
    let code = read(&format!("tests/{file}.rs"));
    let (before, after) =
        code.split_once(&format!("\nfn {name}()")).ok_or_else(|| format!("there is no test {test}"))?;
    if before.lines().next_back() != Some("#[test]") {
        return Err(format!("{test} is no test"));
    }
    Ok(after.split("\n}\n").next().unwrap_or_default().to_owned())
}

/// Whether there is such a test, and these words stand in it.
fn is_tried(words: &str, test: &str) -> Result<(), String> {
    let body = body_of(test)?;
    let is_of_a_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let stands_alone =
        |at: usize| !body[..at].ends_with(is_of_a_word) && !body[at + words.len()..].starts_with(is_of_a_word);
    let found = body.match_indices(words).any(|(at, _)| stands_alone(at));
    if found { Ok(()) } else { Err(format!("{test} does not try {words}")) }
}

#[test]
fn every_flag_is_tried_by_a_test() {
    let mut untried: Vec<String> = Vec::new();
    let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
    for (command, words) in helpful() {
        let flags = flags_in(&prints(socklab().args(words).arg("--help"), 0));
        assert!(flags.contains("--help") && flags.contains("-h"), "{command}: {flags:?}");
        listed.extend(flags.into_iter().map(|flag| (command.clone(), flag)));
    }
    let hidden = hidden_flags();
    assert!(!hidden.is_empty(), "lab NN --link is hidden");
    let in_table =
        |command: &str, flag: &str| TRIED.iter().any(|(of, is, _)| *is == flag && (*of == "*" || *of == command));
    untried.extend(listed.iter().filter(|(of, flag)| !in_table(of, flag)).map(|(of, flag)| format!("{of} {flag}")));
    let is_hidden_in_table = |flag: &&String| TRIED.iter().any(|(_, is, _)| is == flag);
    untried.extend(hidden.iter().filter(|flag| !is_hidden_in_table(flag)).map(|flag| format!("{flag}, hidden")));
    for (command, flag, test) in TRIED {
        let is_there = *command == "*" || listed.contains(&(command.to_string(), flag.to_string()));
        if !is_there && !hidden.contains(*flag) {
            untried.push(format!("{command} has no {flag}"));
        }
        untried.extend(is_tried(flag, test).err());
    }
    assert!(untried.is_empty(), "the table of tests/flags.rs says by which test each flag is tried: {untried:#?}");
}

#[test]
fn every_exit_code_is_met_in_a_test() {
    let table = read("README.md");
    let (_, table) = table.split_once("### Exit codes").expect("a heading");
    let told = table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse::<u8>().ok());
    let told: BTreeSet<String> = told.map(|code| code.to_string()).collect();
    let tried: BTreeSet<String> = EXITS.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(told, tried);
    let untried: Vec<String> = EXITS.iter().filter_map(|(code, test)| is_tried(code, test).err()).collect();
    assert!(untried.is_empty(), "{untried:#?}");
}

/// Each row of README's table of what works where names tests that exist.
#[test]
fn what_works_where_is_shown_by_tests() {
    let readme = read("README.md");
    let (_, table) = readme.split_once("| where | what works | shown by |\n").expect("the table");
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 4, "{rows:?}");
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().expect("a last column");
        let tests: Vec<&str> = tests.split(", ").map(|test| test.trim_matches('`')).collect();
        tests.into_iter().for_each(|test| drop(body_of(test).unwrap_or_else(|error| panic!("{row}: {error}"))));
    }
}

#[test]
fn every_command_tells_how_it_is_used() {
    for (command, words) in helpful() {
        let short = run(socklab().args(&words).arg("-h"));
        let long = run(socklab().args(&words).arg("--help"));
        for help in [&short, &long] {
            assert_eq!((help.status.code(), text(&help.stderr)), (Some(0), String::new()), "{command}");
            assert!(text(&help.stdout).contains("Usage: "), "{command}: {}", text(&help.stdout));
        }
        let flags = |help: &Output| flags_in(&text(&help.stdout));
        assert_eq!(flags(&short), flags(&long), "{command}");
        if command == "lab" {
            // What follows is the lab's.
            continue;
        }
        let unknown = run(socklab().args(&words).arg("--nonsense"));
        assert_eq!(unknown.status.code(), Some(2), "{command}: {unknown:?}");
        assert!(text(&unknown.stderr).contains("--nonsense"), "{command}: {unknown:?}");
    }
    // Without a word it says the same, on standard error.
    let nothing = run(&mut socklab());
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("Commands:"), "{nothing:?}");
}

#[test]
fn the_version_is_that_of_the_package() {
    for flag in ["--version", "-V"] {
        assert_eq!(prints(socklab().arg(flag), 0), concat!("socklab ", env!("CARGO_PKG_VERSION"), "\n"));
    }
}

#[test]
fn labs_are_objects_for_who_asks_for_them() {
    let rows: Vec<Json> = prints(socklab().args(["labs", "--json"]), 0).lines().map(json).collect();
    let table = prints(socklab().arg("labs"), 0);
    let numbers: Vec<u64> =
        table.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()?.parse().ok()).collect();
    assert_eq!(rows.iter().filter_map(|row| row["number"].as_u64()).collect::<Vec<_>>(), numbers);
    for row in &rows {
        for field in ["name", "question", "chapter", "program", "folder"] {
            assert!(row[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {row}");
        }
        assert!(row["wire"].is_boolean(), "{row}");
        let chapter = row["chapter"].as_str().expect("a chapter");
        let is_heading = |line: &str| line.split_once("  ").is_some_and(|(_, title)| title == chapter);
        assert!(table.lines().any(is_heading), "{chapter} is no heading of:\n{table}");
    }
}

#[test]
fn claims_are_objects_for_who_asks_for_them() {
    let lab = lab(1);
    let asked = |more: &[&str]| prints(socklab().args(["claims", "1"]).args(more), 0);
    let (objects, told) = (asked(&["--json"]), asked(&[]));
    assert_eq!(told, lab.shows(&["--claims"]), "it is the lab that answers");
    assert!(objects.lines().count() > 1, "{objects}");
    // A sentence may take several lines, and more than one blank.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    for claim in objects.lines().map(json) {
        assert_eq!(claim["lab"], 1, "{claim}");
        for field in ["says", "verdict"] {
            let said = claim[field].as_str().expect("words");
            assert!(words(&told).contains(&words(said)), "{said} is not in:\n{told}");
        }
        assert!(claim["evidence"].is_array(), "{claim}");
    }
    is_mistyped(&["claims", "nosuch", "--json"], &["no lab \"nosuch\""]);
}

#[test]
fn doctor_says_the_same_to_people_and_to_programs() {
    let found = json(&prints(socklab().args(["doctor", "--json"]), 0));
    let told = prints(socklab().arg("doctor"), 0);
    assert_eq!(found["v"], 1);
    let works = found["private_hosts"]["works"].as_bool().expect("true or false");
    assert_eq!(told.contains("private hosts: yes"), works, "{told}");
    let (tier, name) = (&found["sandbox"]["tier"], found["sandbox"]["name"].as_str().expect("a name"));
    assert!(told.contains(&format!("sandboxes for strangers' programs: tier {tier} ({name})")), "{told}");
    for program in found["programs"].as_array().expect("programs") {
        let (name, path) = (program["name"].as_str().expect("a name"), program["path"].as_str());
        assert!(told.contains(&format!("{name}: {}", path.unwrap_or("not found"))), "{name}: {told}");
    }
}

#[test]
fn times_are_told_of_each_typed_line_in_each_run() {
    let lab = lab(12);
    let lines: Vec<Json> = lab.prints(&["--repeat", "3", "--times", "--json"]).lines().map(json).collect();
    assert!(!lines.is_empty());
    for line in &lines {
        assert_eq!((&line["lab"], &line["runs"]), (&12.into(), &3.into()), "{line}");
        let times = line["times_ns"].as_array().expect("times");
        assert!((1..=3).contains(&times.len()) && times.iter().all(Json::is_u64), "{line}");
    }
    let told = lab.prints(&["--repeat", "3", "--times"]);
    assert!(told.contains("3 runs") && told.contains("median"), "{told}");
    for line in &lines {
        assert!(told.contains(line["line"].as_str().expect("a line").trim()), "{line} is not in:\n{told}");
    }
    is_mistyped(&["lab", "12", "--times"], &["--repeat"]);
}

/// The frames of four thousand bytes that are sent as a stream over a wire that loses the first of them.
fn frames(test: &str, manner: &[&str]) -> Vec<Json> {
    if !has_private_hosts() {
        skip(test, "a wire takes private hosts");
        return Vec::new();
    }
    let output = run(fixture("wordy-roles").args(["--json", "--scene", "1", "--wire"]).args(manner));
    assert!(output.status.success(), "{manner:?}: {}", text(&output.stderr));
    let events = text(&output.stdout);
    events.lines().map(json).filter(|event| event["kind"] == "frame").map(|event| event["frame"].clone()).collect()
}

#[test]
fn who_may_say_which_later_bytes_it_has_says_so() {
    let test = "who_may_say_which_later_bytes_it_has_says_so";
    let says = |frames: &[Json]| {
        let remarks = frames.iter().filter_map(|frame| frame["remark"].as_str());
        remarks.filter(|remark| remark.contains("sack ")).count()
    };
    let lost = ["--drop", "client:data:1"];
    let (with, without) = (frames(test, &[&lost[..], &["--sack"]].concat()), frames(test, &lost));
    assert!(with.is_empty() || says(&with) > 0, "{with:#?}");
    assert_eq!(says(&without), 0, "{without:#?}");
}

/// A folder with one program of an exercise.
fn folder_with(place: &str, program: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = project(&format!("labs/{place}/{program}"));
    fs::copy(&from, folder.path().join(from.file_name().expect("a name"))).expect("a program");
    folder
}

/// A program that takes one `recv` for one message, and fails three checks of exercise 30.
fn hasty() -> TempDir {
    folder_with("30-struct-header/exercise", "wrong/one-recv-one-message.py")
}

/// A program that passes exercise 01, whose grade takes less than a second.
fn right() -> TempDir {
    folder_with("01-udp-echo/exercise", "solutions/python/server.py")
}

/// Judges what is in a folder, which must end like this.
#[track_caller]
fn graded(id: &str, folder: &TempDir, more: &[&str], code: i32) -> String {
    prints(socklab().args(["grade", id, "--folder"]).arg(folder.path()).args(more), code)
}

#[test]
fn what_a_report_says_of_a_failure_has_it_again() {
    if !has("python3") {
        return skip("what_a_report_says_of_a_failure_has_it_again", "python3 is not here");
    }
    // Its first failure takes no time, so that there is some to make the case small.
    let folder = folder_with("30-struct-header/exercise", "wrong/little-endian.py");
    let report = graded("30", &folder, &["--seed", "1"], 8);
    let again = report.lines().find_map(|line| line.trim().strip_prefix("again     just ")).expect("a command");
    let words: Vec<&str> = again.split(' ').collect();
    let value = |flag: &str| words.iter().position(|word| *word == flag).map(|at| words[at + 1]);
    let (check, case) = (value("--check").expect("a check"), value("--case").expect("a case"));
    let grade = json(&prints(socklab().args(&words).arg("--json"), 8));
    assert_eq!((&grade["whole"], &grade["points"]), (&false.into(), &Json::Null), "one check is no grade");
    let checks = grade["checks"].as_array().expect("checks");
    assert_eq!((checks.len(), &checks[0]["name"], &checks[0]["verdict"]), (1, &check.into(), &"fail".into()));
    let drawn: Vec<String> = checks[0]["drawn"].as_array().expect("numbers").iter().map(Json::to_string).collect();
    assert_eq!(drawn.join("."), case, "the check draws what it is told to draw");
    // The story is the one that was told, and so are the bytes that came.
    let story = |report: &str| {
        let lines = report.lines().skip_while(|line| !line.starts_with(&format!("  {check}: ")));
        lines.take_while(|line| !line.trim().starts_with("likely")).map(str::to_owned).collect::<Vec<_>>()
    };
    let told = prints(socklab().args(&words), 8);
    let until = |story: Vec<String>| story.into_iter().take_while(|line| !line.trim().starts_with("hint")).collect();
    let (one, other): (Vec<String>, Vec<String>) = (until(story(&report)), until(story(&told)));
    assert!(one.len() > 5, "{report}");
    assert_eq!(one, other);
    is_mistyped(&["grade", "30", "--case", "0"], &["--check"]);
    let folder = folder.path().to_str().expect("UTF-8");
    let typed = |more: &[&'static str]| [&["grade", "30", "--folder", folder, "--check"], more].concat();
    is_mistyped(&typed(&["one-message", "--case", "x"]), &["--case x", "is not a number"]);
    is_mistyped(&typed(&["nosuch"]), &["no check \"nosuch\"", check]);
}

#[test]
fn with_the_same_seed_a_check_asks_the_same() {
    if !has("python3") {
        return skip("with_the_same_seed_a_check_asks_the_same", "python3 is not here");
    }
    let folder = folder_with("30-struct-header/exercise", "solutions/python/server.py");
    let drawn = |more: &[&str]| {
        let flags = [&["--json", "--check", "several-messages"], more].concat();
        json(&graded("30", &folder, &flags, 0))["checks"][0]["drawn"].clone()
    };
    let first = drawn(&["--seed", "7"]);
    assert!(first.as_array().is_some_and(|numbers| numbers.len() > 5), "{first}");
    assert_eq!(drawn(&["--seed", "7"]), first);
    assert_ne!(drawn(&["--seed", "8"]), first);
    assert_ne!(drawn(&[]), first, "without a seed nobody knows which");
    is_mistyped(&["grade", "30", "--seed", "x"], &["--seed", "'x'"]);
}

#[test]
fn all_tells_the_story_of_each_failure() {
    if !has("python3") {
        return skip("all_tells_the_story_of_each_failure", "python3 is not here");
    }
    let folder = hasty();
    let stories = |report: &str| report.lines().filter(|line| line.trim().starts_with("again ")).count();
    let failures = |report: &str| report.lines().filter(|line| line.starts_with("  ✗ ")).count();
    let one = graded("30", &folder, &[], 8);
    assert!(failures(&one) > 1 && stories(&one) == 1, "{one}");
    let all = graded("30", &folder, &["--all"], 8);
    assert_eq!((failures(&all), stories(&all)), (failures(&one), failures(&one)), "{all}");
}

#[test]
fn a_transcript_tells_every_call_before_the_report() {
    if !has("python3") {
        return skip("a_transcript_tells_every_call_before_the_report", "python3 is not here");
    }
    let printed = graded("01", &right(), &["--transcript"], 0);
    let (transcript, report) = printed.split_once("01 ").expect("a report");
    let scenes = transcript.lines().filter(|line| line.starts_with("── ")).count();
    let checks = report.lines().filter(|line| line.starts_with("  ✓ ")).count();
    assert!(checks > 5 && scenes == checks, "{scenes} scenes of {checks} checks: {printed}");
    for name in ["one-datagram", "many-clients"] {
        assert!(transcript.contains(&format!(". {name}: it ")), "{transcript}");
    }
    assert!(transcript.contains("sendto(") && transcript.contains("recvfrom("), "{transcript}");
    assert!(!graded("01", &right(), &[], 0).contains("sendto("), "nobody asked for it");
}

#[test]
fn junit_says_what_json_says() {
    if !has("python3") {
        return skip("junit_says_what_json_says", "python3 is not here");
    }
    const READ: &str = "
import json, sys
from xml.etree import ElementTree
suite = ElementTree.parse(sys.argv[1]).getroot()
cases = {case.get('name'): [child.tag for child in case] for case in suite.iter('testcase')}
facts = {one.get('name'): one.get('value') for one in suite.iter('property')}
print(json.dumps({'suite': dict(suite.items()), 'cases': cases, 'facts': facts}))
";
    let (folder, file) = (hasty(), tempfile::NamedTempFile::new().expect("a file"));
    let path = file.path().to_str().expect("UTF-8");
    let grade = json(&graded("30", &folder, &["--json", "--junit", path], 8));
    let xml = json(&prints(Command::new("python3").args(["-c", READ, path]), 0));
    let verdicts: BTreeMap<&str, &str> = grade["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| (check["name"].as_str().expect("a name"), check["verdict"].as_str().expect("a verdict")))
        .collect();
    let failed = verdicts.values().filter(|verdict| **verdict == "fail").count();
    assert!(failed > 1, "{grade}");
    let (suite, facts) = (&xml["suite"], &xml["facts"]);
    assert_eq!(suite["name"], grade["exercise"]);
    assert_eq!(
        (&suite["tests"], &suite["failures"], &suite["errors"]),
        (&verdicts.len().to_string().into(), &failed.to_string().into(), &"0".into(),)
    );
    for (name, verdict) in &verdicts {
        let inside: &[&str] = if *verdict == "fail" { &["failure"] } else { &[] };
        assert_eq!(xml["cases"][name], serde_json::json!(inside), "{name}");
    }
    for field in ["judge", "seed", "kernel", "tier", "protection", "points", "of"] {
        assert_eq!(facts[field].as_str(), Some(grade[field].to_string().trim_matches('"')), "{field}");
    }
}

#[test]
fn strangers_are_judged_behind_walls_or_not_at_all() {
    let test = "strangers_are_judged_behind_walls_or_not_at_all";
    if !has("python3") || !has_private_hosts() {
        return skip(test, "it takes python3 and private hosts");
    }
    let folder = right();
    let grade = json(&graded("01", &folder, &["--untrusted", "--json", "--check", "one-datagram"], 0));
    assert!(grade["tier"].as_u64().is_some_and(|tier| tier >= 2), "{grade}");
    let grade = json(&graded("01", &folder, &["--without", "seccomp", "--json", "--check", "one-datagram"], 0));
    assert_eq!(grade["tier"], 0, "{grade}");
    assert!(grade["protection"].as_str().is_some_and(|told| told.contains("seccomp")), "{grade}");
    let mut command = socklab();
    command.args(["grade", "01", "--untrusted", "--without", "seccomp", "--folder"]).arg(folder.path());
    let refused = run(&mut command);
    let words = text(&refused.stderr);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()), "{words}");
    assert!(words.contains("strangers' programs are judged at tier 2 and above"), "{words}");
    let folder = folder.path().to_str().expect("UTF-8");
    is_mistyped(&["grade", "01", "--without", "roof", "--folder", folder], &["--without roof", "landlock", "seccomp"]);
}

#[test]
fn a_judge_whose_keepers_are_killed_cannot_tell() {
    let mut command = socklab();
    command.args(["grade", "01", "--check", "one-datagram", "--json", "--", "sleep", "1000"]);
    let mut judge = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts"));
    let pid = judge.0.id();
    // It may try a second time. What it tries before it judges is left alone: no `sleep` is below that.
    wait_until("the judge ends", || {
        for keeper in children(pid).into_iter().filter(|keeper| runs_below(*keeper, "sleep")) {
            let _ = kill_process(Pid::from_raw(keeper as i32).expect("a process"), Signal::KILL);
        }
        judge.0.try_wait().expect("a status").is_some()
    });
    let mut printed = String::new();
    std::io::Read::read_to_string(&mut judge.0.stdout.take().expect("a pipe"), &mut printed).expect("text");
    let status = judge.0.wait().expect("a status");
    assert_eq!((status.code(), status.signal()), (Some(9), None), "{printed}");
    let grade = json(&printed);
    assert_eq!((&grade["verdict"], &grade["points"]), (&"cannot-tell".into(), &Json::Null), "{grade}");
    assert!(grade["checks"][0]["fault"].as_str().is_some_and(|fault| !fault.is_empty()), "{grade}");
}

fn children(of: u32) -> Vec<u32> {
    // Each of a judge's threads has children of its own.
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}

fn runs_below(pid: u32, name: &str) -> bool {
    let is_one = |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    children(pid).into_iter().any(|child| is_one(child) || runs_below(child, name))
}

fn in_checkout(checkout: &Path, words: &[&str]) -> Output {
    run(socklab().args(words).current_dir(checkout).env("CARGO_MANIFEST_DIR", checkout))
}

#[test]
fn a_new_lab_stands_in_its_chapter_with_its_question() {
    let checkout = checkout();
    let make = |words: &[&str]| in_checkout(checkout.path(), &[&["new", "98", "a-lab"], words].concat());
    let unknown = make(&["--chapter", "Cooking"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(text(&unknown.stderr).contains("Datagrams, "), "{unknown:?}");
    assert!(!checkout.path().join("labs/98-a-lab").exists());
    let made = make(&["--chapter", "framing", "--question", "Who cuts it?"]);
    assert!(made.status.success(), "{made:?}");
    let program = fs::read_to_string(checkout.path().join("labs/98-a-lab/main.rs")).expect("a program");
    assert!(program.contains("Chapter::Framing") && program.contains("\"Who cuts it?\""), "{program}");
    let table = fs::read_to_string(checkout.path().join("labs/README.md")).expect("the table");
    let (_, chapter) = table.split_once("Framing").expect("the chapter");
    let row = chapter.lines().find(|line| line.contains("98-a-lab")).expect("a row in it");
    assert!(row.contains("Who cuts it?"), "{row}");
    let rows = chapter.split("Under the API").next().expect("the rows of the chapter");
    assert!(rows.contains("98-a-lab"), "{table}");
}

#[test]
fn a_new_exercise_has_its_title_and_its_word() {
    let checkout = checkout();
    let make = |words: &[&str]| in_checkout(checkout.path(), &[&["new-exercise", "1"], words].concat());
    for (words, says) in
        [(&["--title", "a: b"][..], "\"a: b\""), (&["Word", "--title", "x"], "\"Word\""), (&[], "--title")]
    {
        let refused = make(words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {refused:?}");
        assert!(text(&refused.stderr).contains(says), "{words:?}: {refused:?}");
    }
    let made = make(&["other", "--title", "a server that shouts"]);
    assert!(made.status.success(), "{made:?}");
    let place = checkout.path().join("labs/01-udp-echo/exercise-other");
    let task = fs::read_to_string(place.join("README.md")).expect("a task");
    assert!(task.starts_with("# Exercise 01-other: a server that shouts\n"), "{task}");
    assert!(text(&made.stdout).contains("just soak-judge 01-other"), "{made:?}");
    assert_eq!(make(&["other", "--title", "another"]).status.code(), Some(2), "it is there already");
}

#[test]
fn soak_counts_transcripts_and_keeps_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(1);
    let mut soak = socklab();
    soak.args(["soak", "01", "--runs", "3", "--together", "2", "--load", "--keep"]).arg(folder.path());
    let table = prints(soak.args(["--", "--scene", "1"]), 0);
    assert!(table.starts_with("3 runs a lab --scene 1, 2 at a time, every processor kept busy\n"), "{table}");
    let row: Vec<&str> = table.lines().last().expect("a row").split_whitespace().collect();
    assert_eq!(row[..4], [lab.folder.as_str(), "3", "1", "0"], "{table}");
    let kept = |ending: &str| fs::read_to_string(folder.path().join(format!("{}.1.{ending}", lab.folder)));
    assert_eq!(kept("out").expect("a transcript"), lab.shows(&["--scene", "1"]));
    assert_eq!(kept("err").expect("what it complained of"), "");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    // A lab that does not end as it should is no success.
    let failed = prints(socklab().args(["soak", "01", "--runs", "1", "--", "--nonsense"]), 1);
    assert_eq!(failed.lines().last().and_then(|row| row.split_whitespace().nth(3)), Some("2"), "{failed}");
    is_mistyped(&["soak", "nosuch"], &["no lab \"nosuch\""]);
    is_mistyped(&["soak", "--runs", "0"], &["--runs"]);
    is_mistyped(&["soak", "--together", "65"], &["--together"]);
}

#[test]
fn soak_judge_judges_by_one_check_and_finds_what_was_made_for_a_race() {
    if !has("cc") {
        return skip("soak_judge_judges_by_one_check_and_finds_what_was_made_for_a_race", "cc is not here");
    }
    let mut soak = socklab();
    soak.args(["soak-judge", "13", "--races", "--check", "fin-then-reset", "--language", "c", "--runs", "1"]);
    let soaked = run(&mut soak);
    assert!(soaked.status.success(), "{soaked:?}");
    let printed = text(&soaked.stdout);
    assert!(printed.contains("13 wrong/") && printed.contains(".c") && !printed.contains(".py"), "{printed}");
    assert!(!printed.contains("solutions/"), "{printed}");
    is_mistyped(&["soak-judge", "--check", "any-bytes"], &["--check", "which exercise"]);
    is_mistyped(&["soak-judge", "13", "--check", "nosuch"], &["nosuch", "fin-then-reset"]);
}

#[test]
fn soak_judge_judges_the_programs_of_one_language() {
    if !has("cc") {
        return skip("soak_judge_judges_the_programs_of_one_language", "cc is not here");
    }
    let mut soak = socklab();
    soak.args(["soak-judge", "01", "--language", "c", "--runs", "2", "--together", "2", "--load"]);
    let table = prints(&mut soak, 0);
    assert!(table.starts_with("2 judgements of each, 2 at a time, every processor kept busy\n"), "{table}");
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let names: BTreeSet<&str> = rows.iter().filter_map(|row| row.split_whitespace().nth(1)).collect();
    for program in ["wrong/rest-of-the-last-one.c", "wrong/strlen-is-the-length.c", "solutions/c/server.c"] {
        assert!(names.contains(program), "{table}");
    }
    assert!(names.iter().all(|name| name.ends_with(".c")), "{table}");
    assert!(rows.iter().all(|row| row.ends_with("2 of 2")), "{table}");
    is_mistyped(&["soak-judge", "--language", "cobol"], &["cobol", "python", "all"]);
    is_mistyped(&["soak-judge", "nosuch"], &["no exercise \"nosuch\""]);
    is_mistyped(&["soak-judge", "--runs", "0"], &["--runs"]);
}
