//! What each lab shows is what was recorded.

use std::fs;

use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr;

use crate::support::{
    Lab, Schema, assert_same, chosen_labs, forgotten_goodbyes, has_private_hosts, labs, played_here, project, read,
    side_by_side, skip, without_settings,
};

/// Compares with `tests/snapshots/NAME.snap`; `just bless` records anew.
fn is_as_recorded(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_lab_shows_what_was_recorded() {
    side_by_side(&played_here("every_lab_shows_what_was_recorded"), |lab| {
        is_as_recorded(&format!("{}.transcript", lab.folder), &lab.shows(&[]));
    });
}

#[test]
fn what_a_page_quotes_of_the_wire_is_as_recorded() {
    let test = "what_a_page_quotes_of_the_wire_is_as_recorded";
    let quoted: Vec<Lab> = chosen_labs().into_iter().filter(quotes_the_wire).collect();
    if !has_private_hosts() {
        return skip(test, "it takes private hosts");
    }
    side_by_side(&quoted, |lab| {
        is_as_recorded(&format!("{}.wire.transcript", lab.folder), &lab.shows(&["--wire"]));
    });
}

/// Whether its page quotes what the lab shows on a wire.
fn quotes_the_wire(lab: &Lab) -> bool {
    let page = read(&format!("docs/labs/{}.md", lab.folder));
    page.contains("<!-- quote: wire scene ") || page.contains("<!-- cut: wire scene ")
}

#[test]
fn every_claim_has_the_verdict_that_was_recorded() {
    side_by_side(&played_here("every_claim_has_the_verdict_that_was_recorded"), |lab| {
        let report = lab.shows(&["--claims"]);
        let (heading, claims) = report.split_once("\n\n").unwrap_or_else(|| panic!("{} has no claims", lab.folder));
        assert!(heading.contains(" on Linux "), "the kernel is not named: {heading}");
        is_as_recorded(&format!("{}.claims", lab.folder), claims);
    });
}

#[test]
fn nothing_recorded_is_left_of_labs_that_are_gone() {
    let all = labs();
    for entry in fs::read_dir(project("tests/snapshots")).expect("the snapshots") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let lab = all.iter().find(|lab| name.starts_with(&lab.folder));
        let lab = lab.unwrap_or_else(|| panic!("{name} is of no lab"));
        assert!(!name.contains(".wire.") || quotes_the_wire(lab), "{name} is quoted by no page");
        assert!(name.ends_with(".snap"), "{name} waits for `just bless`");
    }
}

#[test]
fn a_second_run_of_every_lab_prints_the_same() {
    // Ten more of each are `just soak`'s.
    side_by_side(&played_here("a_second_run_of_every_lab_prints_the_same"), |lab| {
        assert_same(&lab.prints(&["--all"]), &lab.shows(&[]), &lab.folder);
    });
}

#[test]
fn the_machines_own_loopback_shows_the_same_as_a_private_host() {
    let test = "the_machines_own_loopback_shows_the_same_as_a_private_host";
    if !has_private_hosts() {
        return skip(test, "there is no private host to compare with");
    }
    let forgotten = || forgotten_goodbyes(&fs::read_to_string("/proc/net/netstat").unwrap_or_default());
    // One after the other: the machine's counters are everybody's.
    for lab in chosen_labs().iter().filter(|lab| !lab.wire) {
        let before = forgotten();
        let shown = lab.prints(&["--all", "--loopback"]);
        let expected = without_settings(&lab.shows(&[]));
        if shown != expected && expected.contains("TIME-WAIT") && forgotten() > before {
            let why = "the machine's table of TIME-WAIT is full, net.ipv4.tcp_max_tw_buckets, and it forgets at once";
            skip(test, &format!("{}: {why}; the other labs were tested", lab.folder));
            continue;
        }
        assert_same(&shown, &expected, &lab.folder);
    }
}

#[test]
fn no_line_is_wider_than_100_columns() {
    side_by_side(&played_here("no_line_is_wider_than_100_columns"), |lab| {
        let report = lab.shows(&["--claims"]);
        for line in lab.shows(&[]).lines().chain(report.lines()) {
            assert!(line.width() <= 100, "{}: {line}", lab.folder);
        }
    });
}

#[test]
fn a_pipe_gets_no_colours() {
    side_by_side(&played_here("a_pipe_gets_no_colours"), |lab| {
        assert!(!lab.shows(&[]).contains('\x1b'), "{}", lab.folder);
    });
}

#[test]
fn every_event_follows_the_schema() {
    let schema = Schema::compile();
    side_by_side(&played_here("every_event_follows_the_schema"), |lab| {
        for event in lab.shown_events(&[]) {
            schema.check(&event).unwrap_or_else(|error| panic!("{}: {event}\n{error}", lab.folder));
        }
    });
}

#[test]
fn the_schema_refuses_what_is_no_event() {
    let schema = Schema::compile();
    let labs = labs();
    let call = |lab: &Lab| lab.shown_events(&[]).into_iter().find(|event| event["kind"] == "call").expect("a call");
    let good = call(&labs[0]);
    assert!(schema.check(&good).is_ok());
    for (field, value) in [("kind", "dance".into()), ("n", "one".into()), ("ret", Json::Null), ("call", 7.into())] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(schema.check(&bad).is_err(), "{bad}");
    }
}

#[test]
fn events_are_numbered_from_one_and_times_do_not_run_back() {
    side_by_side(&played_here("events_are_numbered_from_one_and_times_do_not_run_back"), |lab| {
        let events = lab.shown_events(&[]);
        for (event, number) in events.iter().zip(1..) {
            assert_eq!(event["n"], number, "{}", lab.folder);
        }
        let times: Vec<u64> = events.iter().map(|event| event["at_ns"].as_u64().expect("a time")).collect();
        assert!(times.is_sorted(), "{}", lab.folder);
    });
}
