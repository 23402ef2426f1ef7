//! Two hosts and a wire: every frame is seen, and a transcript is the same at every run.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr;

use crate::support::{
    Lab, Running, Schema, assert_same, folder_for_all_users, has, has_ended, has_private_hosts, labs, labs_on_a_wire,
    run, runs, side_by_side, skip, skip_here, socklab, some_on_a_wire, temporary, text,
};

fn frames(events: &[Json], scene: u64) -> Vec<&Json> {
    let is_one = |event: &&Json| event["kind"] == "frame" && event["scene"] == scene;
    events.iter().filter(is_one).map(|event| &event["frame"]).collect()
}

#[test]
fn a_handshake_is_syn_then_syn_ack_then_ack() {
    for lab in some_on_a_wire("a_handshake_is_syn_then_syn_ack_then_ack", &[10]) {
        for kind in ["tap", "veth"] {
            let events = lab.events(&["--wire", "--link", kind]);
            assert_eq!(events[0]["stage"], "wire");
            let seen: Vec<(&str, &str, u64)> = frames(&events, 1)[..3]
                .iter()
                .map(|frame| {
                    let text = |field: &str| frame[field].as_str().expect("a text");
                    (text("dir"), text("flags"), frame["seq"].as_u64().expect("a number"))
                })
                .collect();
            assert_eq!(seen, [("a>b", "SYN", 0), ("b>a", "SYN,ACK", 0), ("a>b", "ACK", 1)], "{kind}");
            // They stand between the beginning of the connect and its return.
            let at = |kind: &str| {
                let is_it = |event: &&Json| event["kind"] == kind && event["call"] == "connect";
                events.iter().find(is_it).expect("a connect")["n"].as_u64()
            };
            let passed: Vec<Option<u64>> =
                events.iter().filter(|event| event["kind"] == "frame").map(|event| event["n"].as_u64()).collect();
            assert!(at("begin") < passed[0] && passed[2] < at("call") && at("call") < passed[3], "{kind}");
        }
    }
}

#[test]
fn a_connection_to_a_closed_port_is_refused_by_a_reset() {
    for lab in some_on_a_wire("a_connection_to_a_closed_port", &[10]) {
        let events = lab.events(&["--wire", "--scene", "3"]);
        let flags: Vec<&Json> = frames(&events, 3).iter().map(|frame| &frame["flags"]).collect();
        assert_eq!(flags, ["SYN", "RST,ACK"]);
    }
}

#[test]
fn a_datagrams_bytes_pass_unchanged() {
    for lab in some_on_a_wire("a_datagrams_bytes_pass_unchanged", &[1]) {
        let events = lab.events(&["--wire", "--scene", "1"]);
        let calls = |name: &str, role: &str| -> Vec<&str> {
            let of = |event: &&Json| event["kind"] == "call" && event["call"] == name && event["role"] == role;
            events.iter().filter(of).map(|event| event["data"].as_str().expect("data")).collect()
        };
        let carried: Vec<&str> = frames(&events, 1)
            .iter()
            .filter(|frame| frame["proto"] == "UDP" && frame["dir"] == "a>b")
            .map(|frame| frame["data"].as_str().expect("data"))
            .collect();
        assert!(!carried.is_empty());
        assert_eq!(calls("sendto", "client"), carried);
        assert_eq!(calls("recvfrom", "server"), carried);
    }
}

#[test]
fn many_runs_over_the_wire_print_the_same_whichever_way_it_is_made() {
    let labs = some_on_a_wire("many_runs_over_the_wire", &[1, 5, 10, 20]);
    let ways: Vec<(&Lab, &str)> = labs.iter().flat_map(|lab| ["tap", "veth"].map(|link| (lab, link))).collect();
    side_by_side(&ways, |(lab, link)| {
        let first = lab.shows(&["--wire"]);
        assert!(first.contains("wire 1  "), "{first}");
        for run in 1..=runs(30) {
            let again = lab.prints(&["--all", "--wire", "--link", link]);
            assert_same(&again, &first, &format!("{}, {link}, run {run}", lab.folder));
        }
    });
}

#[test]
fn a_scene_without_a_wire_is_refused_on_one_and_left_out_of_all() {
    let test = "a_scene_without_a_wire_is_refused_on_one_and_left_out_of_all";
    for lab in labs_on_a_wire(test).into_iter().filter(|lab| lab.number == 28) {
        let refused = run(lab.command().args(["--scene", "2", "--wire"]));
        let words = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{words}");
        assert!(words.contains("scene 2 is about one host") && words.contains("scenes with one: 3, "), "{words}");
        let others = run(lab.command().args(["--all", "--wire"]));
        let words = String::from_utf8_lossy(&others.stderr);
        assert!(words.contains("left out, since they are about one host: scenes 1, 2, "), "{words}");
        let shown = String::from_utf8_lossy(&others.stdout);
        assert!(shown.contains("── 3. ") && !shown.contains("── 2. "), "{shown}");
    }
}

#[test]
fn every_lab_can_be_played_on_a_wire_and_follows_the_schema() {
    let schema = Schema::compile();
    side_by_side(&labs_on_a_wire("every_lab_can_be_played_on_a_wire"), |lab| {
        if lab.is_on_one_host() {
            let output = run(lab.command().arg("--wire"));
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{}: {words}", lab.folder);
            assert!(words.contains("this lab is about one host"), "{}: {words}", lab.folder);
            return;
        }
        for line in lab.shows(&["--wire"]).lines() {
            assert!(line.width() <= 100, "{}: {line}", lab.folder);
        }
        let events = lab.shown_events(&["--wire"]);
        assert!(events.iter().any(|event| event["kind"] == "frame"), "{}", lab.folder);
        for event in events {
            schema.check(&event).unwrap_or_else(|error| panic!("{}: {event}\n{error}", lab.folder));
        }
    });
}

/// Whether every user may open the device that makes TAP interfaces.
fn everyone_may_make_taps() -> bool {
    fs::metadata("/dev/net/tun").is_ok_and(|device| device.mode() & 0o006 == 0o006)
}

#[test]
fn another_user_has_a_wire_too() {
    const TEST: &str = "another_user_has_a_wire_too";
    let folder = folder_for_all_users();
    for lab in some_on_a_wire(TEST, &[10]) {
        for link in ["tap", "veth"] {
            if link == "tap" && !everyone_may_make_taps() {
                skip_here(&format!("{TEST} with --link tap"), "/dev/net/tun is not open to every user");
                continue;
            }
            let output = run(lab.as_another_user(folder.path()).args(["--all", "--wire", "--link", link]));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_same(&String::from_utf8_lossy(&output.stdout), &lab.shows(&["--wire"]), link);
        }
    }
}

/// Runs a lab, and holds it for `held` three times as soon as it has told of a first frame: the stage and not the
/// roles, which is what a machine does that is busy with something else.
fn shown_on_a_terminal_while_held(lab: &Lab, held: Duration) -> Output {
    const PROGRAM: &str = "\
import os, pty, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, held, times = b'', float(sys.argv[1]), 3
while True:
    try:
        some = os.read(terminal, 65536)
    except OSError:
        break
    shown += some
    if not some:
        break
    if b'wire 1 ' in shown and times:
        times -= 1
        os.kill(pid, signal.SIGSTOP)
        time.sleep(held)
        os.kill(pid, signal.SIGCONT)
os.write(1, shown)
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";
    let mut python = Command::new("python3");
    python.args(["-c", PROGRAM, &held.as_secs_f32().to_string()]).args(lab.words());
    // On a terminal it is noted that the lab was run.
    python.env("SOCKLAB_WORK", temporary().join("work"));
    // With a delay the scene lasts long enough for a busy machine to see its first frame before it is over.
    run(python.args(["--scene", "1", "--delay", "20ms"]))
}

#[test]
fn a_scene_that_the_machine_is_too_slow_for_is_said_to_be_and_is_no_success() {
    const TEST: &str = "a_scene_that_the_machine_is_too_slow_for";
    if !has("python3") {
        return skip(TEST, "python3 is not installed");
    }
    for lab in some_on_a_wire(TEST, &[24]) {
        let output = shown_on_a_terminal_while_held(&lab, Duration::from_millis(400));
        let shown = text(&output.stdout);
        assert!(shown.contains("lab 24: the machine was too slow for scene 1: it may differ"), "{shown}");
        assert_eq!(output.status.code(), Some(6), "{shown}");
    }
}

/// Starts a lab, and stops for `held` milliseconds what `whom` picks of its stage and its roles, again and again, with
/// `later` milliseconds between. What it shows must be as `usual`.
fn assert_shows_the_same_when_held(lab: &Lab, usual: &str, (held, later): (u64, u64), whom: fn(Pid) -> Vec<Pid>) {
    let mut command = lab.command();
    command.arg("--all");
    let mut demo = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a lab"));
    let stage = Pid::from_child(&demo.0);
    let pidfd = pidfd_open(stage, PidfdFlags::empty()).expect("a pidfd");
    for _ in 0..4 {
        if has_ended(&pidfd, Duration::from_millis(later)) {
            break;
        }
        let processes = whom(stage);
        for signal in [Signal::STOP, Signal::CONT] {
            for pid in &processes {
                // What has ended meanwhile needs no signal any more.
                let _ = kill_process(*pid, signal);
            }
            has_ended(&pidfd, Duration::from_millis(if signal == Signal::STOP { held } else { 0 }));
        }
    }
    let (mut printed, mut complaint) = (String::new(), String::new());
    demo.0.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    demo.0.stderr.take().expect("a pipe").read_to_string(&mut complaint).expect("text");
    assert_eq!(demo.0.wait().expect("a status").code(), Some(0), "{complaint}");
    assert_same(&printed, usual, &format!("held 4 times for {held} ms: {complaint}"));
}

#[test]
fn a_scene_in_which_the_stage_or_a_role_was_held_is_the_same_as_ever_or_played_again() {
    let roles = |stage: Pid| {
        let stage = stage.as_raw_nonzero();
        let roles = fs::read_to_string(format!("/proc/{stage}/task/{stage}/children")).unwrap_or_default();
        roles.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    };
    for lab in some_on_a_wire("a_scene_in_which_the_stage_or_a_role_was_held", &[23, 45]) {
        let usual = lab.shows(&[]);
        // Shorter than what a timer of the kernel's takes, about as long, and longer.
        for times in [(35, 40), (160, 60), (450, 10)] {
            assert_shows_the_same_when_held(&lab, &usual, times, |stage| vec![stage]);
        }
        for times in [(60, 70), (240, 40)] {
            assert_shows_the_same_when_held(&lab, &usual, times, roles);
        }
    }
}

#[test]
fn a_frame_that_is_taken_apart_is_the_frame() {
    for lab in some_on_a_wire("a_frame_that_is_taken_apart_is_the_frame", &[1, 10, 44]) {
        let events = lab.events(&["--bytes"]);
        let all: Vec<&Json> = events.iter().filter(|event| event["kind"] == "frame").collect();
        assert!(!all.is_empty(), "lab {}", lab.number);
        for frame in all.iter().map(|event| &event["frame"]) {
            let layers = frame["layers"].as_array().expect("layers");
            let fields = || layers.iter().flat_map(|layer| layer["fields"].as_array().expect("fields"));
            let bytes: String = fields().map(|field| field["bytes"].as_str().expect("bytes")).collect();
            assert_eq!(frame["bytes"], bytes.as_str(), "lab {}: {frame}", lab.number);
            assert!(layers.iter().all(|layer| layer["name"] != "rest"), "lab {}: {frame}", lab.number);
            assert!(fields().all(|field| !field["says"].as_str().expect("words").starts_with("wrong")), "{frame}");
        }
    }
}

#[test]
fn a_lost_answer_to_arp_is_asked_for_again() {
    for lab in some_on_a_wire("a_lost_answer_to_arp_is_asked_for_again", &[44]) {
        let events = lab.events(&["--scene", "1", "--drop", "2"]);
        let seen: Vec<_> = frames(&events, 1).iter().map(|frame| (&frame["proto"], &frame["by_timer"])).collect();
        let (arp, udp) = (Json::from("ARP"), Json::from("UDP"));
        let (calls, timer) = (Json::from(false), Json::from(true));
        let expected = [(&arp, &calls), (&arp, &calls), (&arp, &timer), (&arp, &calls), (&udp, &calls), (&udp, &calls)];
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_wire_leaves_no_interface_behind() {
    let interfaces = || fs::read_to_string("/proc/self/net/dev").expect("a table").lines().count();
    let before = interfaces();
    for lab in some_on_a_wire("a_wire_leaves_no_interface_behind", &[1]) {
        for link in ["tap", "veth"] {
            lab.prints(&["--all", "--wire", "--link", link]);
        }
    }
    assert_eq!(interfaces(), before);
}

#[test]
fn without_namespaces_a_wire_is_refused_with_a_reason() {
    let test = "without_namespaces_a_wire_is_refused_with_a_reason";
    if !has("unshare") || !has_private_hosts() {
        return skip(test, "it takes unshare(1) and user namespaces to make a place without them");
    }
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\" --wire";
    let output = run(Command::new("unshare").args(["-U", "-r", "sh", "-c", script]).args(labs()[0].words()));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{complaint}");
    assert!(complaint.contains("no wire (unshare(CLONE_NEWUSER): ENOSPC)"), "{complaint}");
    assert!(complaint.contains("socklab doctor"), "{complaint}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_wire_is_not_for_one_role_nor_for_loopback() {
    for arguments in [&["--wire", "server"][..], &["--wire", "--loopback"], &["--drop", "3", "server"]] {
        let output = run(socklab().args(["lab", "01"]).args(arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
