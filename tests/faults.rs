//! What is asked of a wire befalls exactly those frames, at every run; and nothing that it does makes a finding wrong.

use std::collections::HashMap;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use assert_cmd::assert::OutputAssertExt;
use predicates::str::contains;
use serde_json::Value as Json;

use crate::support::{Lab, chosen_labs, fixture, run, runs, side_by_side, some_on_a_wire};

/// The program of one lab, or `None` where no wire can be had.
fn lab(test: &str, number: u64) -> Option<Lab> {
    some_on_a_wire(test, &[number]).pop()
}

/// Runs the program that sends 4,000 bytes.
fn wordy(arguments: &[&str]) -> Output {
    run(fixture("wordy-roles").args(arguments))
}

fn events(output: &Output) -> Vec<Json> {
    let lines = std::str::from_utf8(&output.stdout).expect("UTF-8").lines();
    lines.map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

/// The frames of a run with the times at which they were told, each as often as it was told.
fn told(events: &[Json]) -> Vec<(u64, &Json)> {
    let of = events.iter().filter(|event| event["kind"] == "frame");
    of.map(|event| (event["at_ns"].as_u64().expect("a time"), &event["frame"])).collect()
}

/// The frames that hosts sent, each once.
fn sent(events: &[Json]) -> Vec<&Json> {
    let told = told(events).into_iter().map(|(_, frame)| frame);
    told.filter(|frame| frame["number"] != 0 && (frame["held"].is_null() || frame["fate"] == "held")).collect()
}

fn numbers<'a>(frames: impl IntoIterator<Item = &'a &'a Json>) -> Vec<u64> {
    frames.into_iter().map(|frame| frame["number"].as_u64().expect("a number")).collect()
}

fn with_fate(frames: &[&Json], fate: &str) -> Vec<u64> {
    numbers(frames.iter().filter(|frame| frame["fate"] == fate))
}

fn is_from(frame: &Json, role: &str) -> bool {
    frame["from"].as_str().is_some_and(|from| from.split(':').next() == Some(role))
}

fn has(frame: &Json, flag: &str) -> bool {
    frame["flags"].as_str().is_some_and(|flags| flags.split(',').any(|one| one == flag))
}

/// What the server's receives brought, in their order.
fn received(events: &[Json]) -> Vec<String> {
    let is_one = |event: &&Json| {
        let name = event["call"].as_str().unwrap_or_default();
        event["kind"] == "call" && event["role"] == "server" && name.starts_with("recv") && event["ret"] != -1
    };
    let text = |event: &Json| {
        let digits = event["data"].as_str().unwrap_or_default();
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
        String::from_utf8_lossy(&(0..digits.len()).step_by(2).map(byte).collect::<Vec<u8>>()).into_owned()
    };
    events.iter().filter(is_one).map(text).collect()
}

#[test]
fn each_way_of_saying_which_means_those_frames_and_no_others() {
    let Some(lab) = lab("each_way_of_saying_which", 10) else { return };
    type Matches = fn(&Json) -> bool;
    let data = |frame: &Json| frame["len"] != 0;
    let clients_data: Matches = |frame| is_from(frame, "client") && frame["len"] != 0;
    // What is counted, and which of those; by itself a number is the frame's own.
    let ways: [(&str, Matches, &[usize]); 9] = [
        ("2", |_| true, &[2]),
        ("2,5", |_| true, &[2, 5]),
        ("2-4", |_| true, &[2, 3, 4]),
        ("1,4-5", |_| true, &[1, 4, 5]),
        ("client:data:1", clients_data, &[1]),
        ("data:2", data, &[2]),
        ("server:syn:1", |frame| is_from(frame, "server") && has(frame, "SYN"), &[1]),
        ("ack:2-3", |frame| frame["flags"] == "ACK" && frame["len"] == 0, &[2, 3]),
        ("tcp:3", |frame| frame["proto"] == "TCP", &[3]),
    ];
    let fates = [("--duplicate", "doubled"), ("--corrupt", "corrupted"), ("--drop", "lost")];
    let cases: Vec<_> = ways.iter().flat_map(|way| fates.map(|fate| (way, fate))).collect();
    side_by_side(&cases, |((which, matches, picked), (flag, fate))| {
        let events = lab.events(&["--scene", "1", flag, which]);
        let frames = sent(&events);
        let counted = frames.iter().filter(|frame| matches(frame)).zip(1usize..);
        let expected: Vec<u64> =
            counted.filter(|(_, count)| picked.contains(count)).flat_map(|(frame, _)| numbers([frame])).collect();
        assert!(!expected.is_empty(), "{flag} {which}: there was none");
        assert_eq!(with_fate(&frames, fate), expected, "{flag} {which}");
        assert_eq!(frames.len() - expected.len(), with_fate(&frames, "passed").len(), "{flag} {which}");
    });
}

#[test]
fn several_flags_do_what_each_of_them_says() {
    let Some(lab) = lab("several_flags", 1) else { return };
    let flags = ["--scene", "1", "--duplicate", "1", "--delay", "10ms:2", "--corrupt", "4", "--drop", "server:data:9"];
    let output = run(lab.command().arg("--json").args(flags));
    let events = events(&output);
    let frames = sent(&events);
    assert_eq!(with_fate(&frames, "doubled"), [1]);
    assert_eq!(with_fate(&frames, "held"), [2]);
    assert_eq!(with_fate(&frames, "corrupted"), [4]);
    assert!(with_fate(&frames, "lost").is_empty());
    let words = String::from_utf8_lossy(&output.stderr);
    // Where the machine is too slow, it is told before that the scene is played again.
    let told: Vec<&str> = words.lines().filter(|line| line.contains("met no frame")).collect();
    assert_eq!(told, ["lab 01: `drop server:data:9` met no frame"], "{words}");
}

#[test]
fn a_share_is_the_same_for_a_seed_and_another_for_another() {
    let Some(lab) = lab("a_share", 30) else { return };
    let lost = |share: &str, seed: &str| {
        let events = lab.events(&["--scene", "1", "--drop", share, "--seed", seed]);
        assert_eq!(events[0]["seed"].to_string(), seed);
        with_fate(&sent(&events), "lost")
    };
    assert_eq!(lost("20%", "3"), lost("20%", "3"));
    let runs: Vec<Vec<u64>> = ["1", "2", "3", "4"].map(|seed| lost("20%", seed)).into();
    assert!(runs.iter().any(|run| *run != runs[0]), "{runs:?}");
    assert!(runs.iter().any(|run| !run.is_empty()), "{runs:?}");
    assert!(lost("0%", "1").is_empty());
    let events = lab.events(&["--scene", "1", "--duplicate", "100%"]);
    assert!(sent(&events).iter().all(|frame| frame["fate"] == "doubled"));
}

#[test]
fn a_delay_is_told_twice_takes_its_time_and_keeps_the_order() {
    let Some(lab) = lab("a_delay", 30) else { return };
    let events = lab.events(&["--scene", "1", "--delay", "10ms"]);
    let mut on_the_way: HashMap<u64, u64> = HashMap::new();
    let mut arrived: HashMap<&str, u64> = HashMap::new();
    for (at, frame) in told(&events).into_iter().filter(|(_, frame)| frame["number"] != 0) {
        let number = frame["number"].as_u64().expect("a number");
        assert_eq!(frame["held"], "10 ms");
        if frame["fate"] == "held" {
            assert_eq!(on_the_way.insert(number, at), None, "frame {number} was sent twice");
            continue;
        }
        let left = on_the_way.remove(&number).unwrap_or_else(|| panic!("frame {number} arrives and was not sent"));
        assert!(at - left >= 9_900_000, "frame {number} took {} ns", at - left);
        let before = arrived.insert(frame["dir"].as_str().expect("a direction"), number);
        assert!(before < Some(number), "frame {number} arrives behind {before:?}");
    }
    assert!(on_the_way.is_empty() && arrived.len() == 2, "still on the way: {on_the_way:?}");
}

#[test]
fn a_delayed_frame_is_overtaken_by_one_that_is_not() {
    let Some(lab) = lab("a_delayed_frame", 45) else { return };
    let events = lab.events(&["--scene", "1", "--delay", "20ms:client:1"]);
    assert_eq!(received(&events), ["three", "three", "six", "five", "one"]);
}

#[test]
fn a_reordered_frame_arrives_behind_the_next_one_or_alone() {
    let Some(lab) = lab("a_reordered_frame", 1) else { return };
    let events = lab.events(&["--scene", "1", "--reorder", "client:1"]);
    let fates: Vec<(&Json, &Json)> =
        told(&events).iter().map(|(_, frame)| (&frame["number"], &frame["fate"])).collect();
    // Each client waits for its answer, so nothing overtakes: the wire lets it go by itself.
    let is = |index: usize, number: u64, fate: &str| *fates[index].0 == number && *fates[index].1 == fate;
    assert!(is(0, 1, "held") && is(1, 1, "passed") && is(2, 2, "passed"), "{fates:?}");
    let Some(lab) = some_on_a_wire("a_reordered_frame", &[45]).pop() else { return };
    let events = lab.events(&["--scene", "1"]);
    assert_eq!(received(&events), ["one", "three", "three", "six", "five"]);
}

#[test]
fn the_kernel_catches_what_was_corrupted_however_the_wire_is_made() {
    let Some(lab) = lab("the_kernel_catches", 45) else { return };
    for link in ["tap", "veth"] {
        let events = lab.events(&["--link", link, "--scene", "1", "--corrupt", "client:6"]);
        assert_eq!(received(&events), ["one", "three", "three", "five"], "{link}");
        let counted = |event: &Json| event["kind"] == "print" && event["text"] == "the kernel counts 2 damaged";
        assert!(events.iter().any(counted), "{link}");
        let events = lab.events(&["--link", link, "--scene", "3", "--corrupt", "client:data:1", "--corrupt", "syn:2"]);
        assert_eq!(received(&events).concat(), "one two three four five six", "{link}");
    }
}

#[test]
fn a_datagram_that_comes_twice_is_received_twice_and_a_segment_once() {
    let Some(lab) = lab("a_datagram_that_comes_twice", 45) else { return };
    for link in ["tap", "veth"] {
        let events = lab.events(&["--link", link, "--scene", "1", "--duplicate", "client:1"]);
        assert_eq!(received(&events), ["one", "one", "three", "three", "six", "five"], "{link}");
        let events = lab.events(&["--link", link, "--scene", "3", "--duplicate", "tcp"]);
        assert_eq!(received(&events).concat(), "one two three four five six", "{link}");
    }
}

#[test]
fn a_small_mtu_makes_small_segments_and_fragments() {
    if lab("a_small_mtu", 1).is_none() {
        return;
    }
    // 20 bytes are IP's head, 20 TCP's, and 12 its timestamps.
    for (mtu, largest) in [("576", 524), ("1000", 948)] {
        for link in ["tap", "veth"] {
            let output = wordy(&["--json", "--link", link, "--scene", "1", "--mtu", mtu]);
            let events = events(&output);
            let frames = sent(&events);
            let lens: Vec<u64> = frames.iter().filter_map(|frame| frame["len"].as_u64()).collect();
            assert_eq!((lens.iter().max(), lens.iter().sum()), (Some(&largest), 4000), "{mtu}, {link}");
            let size: usize = mtu.parse().expect("a number");
            assert!(frames.iter().all(|frame| frame["bytes"].as_str().is_some_and(|b| b.len() / 2 <= size + 14)));
        }
    }
    let output = wordy(&["--json", "--scene", "2", "--mtu", "576"]);
    let events = events(&output);
    let frames = sent(&events);
    // 552 bytes fit: what stands behind IP's head, in pieces of 8.
    assert_eq!(frames.len(), (4008usize).div_ceil(552));
    assert!(events.iter().any(|event| event["kind"] == "print" && event["text"] == "heard 4000"));
    // A datagram that has lost one of its fragments is lost.
    let output = wordy(&["--json", "--scene", "2", "--mtu", "576", "--drop", "fragment:3"]);
    let events = self::events(&output);
    let lost: Vec<&str> = sent(&events)
        .iter()
        .filter(|frame| frame["fate"] == "lost")
        .filter_map(|frame| frame["remark"].as_str())
        .collect();
    assert_eq!(lost, ["fragment, from byte 1104 on"]);
    assert!(!events.iter().any(|event| event["kind"] == "print"));
}

#[test]
fn a_slow_wire_lets_so_many_bits_pass() {
    if lab("a_slow_wire", 1).is_none() {
        return;
    }
    let output = wordy(&["--json", "--scene", "1", "--rate", "400kbit"]);
    let events = events(&output);
    let mut through: HashMap<&str, u64> = HashMap::new();
    let mut bits = 0;
    let told = told(&events);
    let arrivals: Vec<&(u64, &Json)> = told.iter().filter(|(_, frame)| frame["fate"] == "passed").collect();
    for (at, frame) in &arrivals {
        let size = frame["bytes"].as_str().expect("bytes").len() as u64 / 2 * 8;
        let passage = size * 1_000_000_000 / 400_000;
        let dir = frame["dir"].as_str().expect("a direction");
        if let Some(before) = through.insert(dir, *at) {
            // It can be told a little late that the one before has arrived, never early that this one has.
            let left = told.iter().find(|(_, sent)| sent["number"] == frame["number"]).expect("it was sent").0;
            assert!(*at >= left + passage || *at + 2_000_000 >= before + passage, "{frame}");
        }
        bits += if dir == "a>b" { size } else { 0 };
    }
    let took = arrivals.last().expect("an arrival").0 - told[0].0;
    assert!(took >= bits * 1_000_000_000 / 400_000, "{bits} bits took {took} ns");
    assert!(sent(&events).iter().all(|frame| frame["held"] == "at 400kbit"));
}

#[test]
fn what_is_not_understood_is_told_with_exit_code_2() {
    let Some(lab) = lab("what_is_not_understood", 1) else { return };
    let wrong: [(&[&str], &str); 17] = [
        (&["--drop", "0"], "invalid frame number"),
        (&["--drop", "3-2"], "invalid frame number"),
        (&["--drop", "101%"], "invalid share"),
        (&["--drop", "nobody"], "\"nobody\" is neither a kind of frame nor a role of this lab; its roles: server"),
        (&["--drop", "client:nothing:3"], "names two senders, two kinds or two numbers"),
        (&["--drop", "client:syn:fin"], "names two senders, two kinds or two numbers"),
        (&["--drop"], "a value is required"),
        (&["--delay", "6s"], "5s is the most"),
        (&["--delay", "0ms"], "invalid delay"),
        (&["--delay", "10"], "invalid delay"),
        (&["--delay", "3:10ms"], "invalid delay"),
        (&["--mtu", "67"], "write 68 to 65535"),
        (&["--mtu", "65536"], "write 68 to 65535"),
        (&["--rate", "1bit"], "8kbit is the least"),
        (&["--rate", "fast"], "invalid rate"),
        (&["--seed", "-1"], "-1"),
        (&["--drop", "3", "--claims"], "cannot be used with"),
    ];
    for (arguments, says) in wrong {
        run(lab.command().args(arguments)).assert().code(2).stderr(contains(says)).stdout("");
    }
}

#[test]
fn a_kernel_that_goes_on_sending_for_ever_is_left_at_it() {
    let Some(lab) = lab("a_kernel_that_goes_on", 10) else { return };
    side_by_side(&["client:data", "syn", "server:syn"], |which| {
        let arguments = ["--json", "--scene", "1", "--drop", which, "--patience", "2"];
        let output = run(lab.command().args(arguments));
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{which}: {words}");
        assert!(words.contains("the kernel still tried to send, and was left at it (--patience"), "{which}: {words}");
        let events = events(&output);
        let findings: Vec<&Json> = events.iter().filter(|event| event["kind"] == "finding").collect();
        assert!(findings.len() == 1 && !findings[0].to_string().contains("nobody"), "{which}: {findings:?}");
    });
}

/// The connections of a scene in which something is not acknowledged that could be sent again, by what was handed on.
fn unfinished(events: &[Json], scene: &Json) -> Vec<String> {
    let mut sent: HashMap<(String, String), u64> = HashMap::new();
    let mut heard: HashMap<(String, String), u64> = HashMap::new();
    let frames = events.iter().filter(|event| event["kind"] == "frame" && event["scene"] == *scene);
    for frame in frames.map(|event| &event["frame"]).filter(|frame| frame["proto"] == "TCP" && frame["number"] != 0) {
        let end = |field: &str| frame[field].as_str().expect("an end").to_owned();
        let (there, back) = ((end("from"), end("to")), (end("to"), end("from")));
        let takes = u64::from(has(frame, "SYN")) + u64::from(has(frame, "FIN")) + frame["len"].as_u64().unwrap_or(0);
        let last = frame["seq"].as_u64().expect("a number") + takes;
        if has(frame, "SYN") && !has(frame, "ACK") && sent.get(&there).is_some_and(|sent| *sent > 1) {
            // Another connection between the same ends, as their names tell them.
            heard.remove(&there);
            heard.remove(&back);
            sent.remove(&back);
            sent.insert(there.clone(), 0);
        }
        let known = sent.entry(there.clone()).or_default();
        *known = last.max(*known);
        let arrives = matches!(frame["fate"].as_str(), Some("passed" | "doubled"));
        if arrives && has(frame, "RST") {
            sent.remove(&there);
            sent.remove(&back);
        } else if arrives && let Some(ack) = frame["ack"].as_u64() {
            let known = heard.entry(back).or_default();
            *known = ack.max(*known);
        }
    }
    let open = sent.into_iter().filter(|(ends, sent)| heard.get(ends).copied().unwrap_or(0) < *sent);
    open.map(|((from, to), sent)| format!("{from} to {to}: {sent}")).collect()
}

#[test]
fn what_is_not_acknowledged_is_unfinished_unless_its_connection_was_reset() {
    let frame = |from: &str, to: &str, flags: &str, seq: u64, ack: u64, len: u64, fate: &str| {
        let frame = serde_json::json!({ "number": 1, "proto": "TCP", "from": from, "to": to, "flags": flags,
            "seq": seq, "ack": ack, "len": len, "fate": fate });
        serde_json::json!({ "kind": "frame", "scene": 1, "frame": frame })
    };
    let data = frame("client", "server", "PSH,ACK", 1, 1, 5, "lost");
    let ack = |fate| frame("server", "client", "ACK", 1, 6, 0, fate);
    let reset = frame("server", "client", "RST,ACK", 1, 6, 0, "passed");
    let left =
        |events: &[&Json]| unfinished(&events.iter().map(|event| (*event).clone()).collect::<Vec<_>>(), &1.into());
    let opens = frame("client", "server", "ACK", 1, 1, 0, "passed");
    assert_eq!(left(&[&opens, &data]), ["client to server: 6"]);
    assert_eq!(left(&[&opens, &data, &ack("lost")]), ["client to server: 6"]);
    assert!(left(&[&opens, &data, &ack("passed")]).is_empty());
    assert!(left(&[&opens, &data, &reset]).is_empty());
}

#[test]
fn no_lab_hangs_on_a_bad_wire_or_is_said_to_while_its_kernel_would_send_again() {
    if lab("no_lab_hangs", 1).is_none() {
        return;
    }
    let manners = [&["--delay", "10ms"][..], &["--drop", "10%", "--seed", "1"], &["--drop", "10%", "--seed", "2"]];
    let labs = chosen_labs();
    let cases: Vec<(&Lab, &[&str])> = manners.iter().flat_map(|one| labs.iter().map(move |lab| (lab, *one))).collect();
    // Mostly they wait for the kernel's timers.
    side_by_side(&cases, |(lab, manner)| {
        // Two hundred handshakes, of which every third loses a frame, take minutes.
        let part: &[&str] = if lab.number == 16 { &["--scene", "1"] } else { &[] };
        let output = run(lab.command().args(["--json", "--wire"]).args(*manner).args(part));
        let words = String::from_utf8_lossy(&output.stderr);
        if words.contains("there is no wire in it") {
            return; // a lab about one host
        }
        let case = format!("{} {manner:?}: {words}", lab.folder);
        // 0: it ended as it is meant to; 1: a role met an error; 6: it waits for what was lost.
        assert!(matches!(output.status.code(), Some(0 | 1 | 6)), "{case}");
        assert!(!words.contains("the stage failed") && !words.contains("did not come back"), "{case}");
        let events = events(&output);
        // Who goes round for ever leaves no time for timers.
        let waits = |event: &&Json| event["kind"] == "finding" && event["finding"] != "a role goes round";
        for finding in events.iter().filter(waits) {
            let left = unfinished(&events, &finding["scene"]);
            assert!(left.is_empty(), "{case}: said in scene {}, but {left:?}", finding["scene"]);
        }
    });
}

/// Keeps a processor busy while it lives.
struct Load(std::sync::Arc<AtomicBool>);

impl Load {
    fn new() -> Load {
        let go_on = std::sync::Arc::new(AtomicBool::new(true));
        for _ in 0..2 {
            let go_on = go_on.clone();
            thread::spawn(move || while go_on.load(Ordering::Relaxed) {});
        }
        Load(go_on)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[test]
fn many_runs_beside_a_load_lose_the_same_and_print_the_same() {
    let test = "many_runs_beside_a_load";
    let cases: [(u64, &[&str]); 7] = [
        (1, &["--scene", "1", "--drop", "20%", "--duplicate", "20%", "--seed", "7"]),
        (1, &["--scene", "1", "--reorder", "client", "--delay", "3ms:server"]),
        (10, &["--scene", "1", "--drop", "client:data:1"]),
        (20, &["--scene", "2", "--delay", "10ms"]),
        (30, &["--scene", "1", "--drop", "4"]),
        (45, &["--scene", "3", "--duplicate", "10%"]),
        (45, &["--scene", "6"]),
    ];
    let _load = Load::new();
    side_by_side(&cases, |(number, arguments)| {
        for lab in some_on_a_wire(test, &[*number]) {
            let manner: Vec<&str> = arguments.iter().copied().chain(["--wire"]).collect();
            let prints = || {
                let output = run(lab.command().args(&manner));
                (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
            };
            let first = prints();
            for run in 2..=runs(20) {
                assert_eq!(prints(), first, "{}, {manner:?}, run {run}", lab.folder);
            }
        }
    });
}
