//! `--pcap` writes a capture that tshark reads without a complaint, of labs and of judged programs, calls as comments.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::getuid;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::{Lab, folder_for_all_users, has, has_private_hosts, labs, run, skip, socklab};

/// A folder of a test's own, which goes with it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(folder_for_all_users())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> String {
        self.path().join(name).to_str().expect("a name in UTF-8").to_owned()
    }
}

/// Some labs of both protocols, where captures can be made and read.
fn labs_to_capture(test: &str) -> Vec<Lab> {
    labs_with(test, &[1, 5, 10, 20])
}

/// Labs by their numbers, where captures can be made and read.
fn labs_with(test: &str, numbers: &[u64]) -> Vec<Lab> {
    if !has("tshark") || !has_private_hosts() {
        skip(test, "it takes tshark, and user namespaces for a wire");
        return Vec::new();
    }
    labs().into_iter().filter(|lab| numbers.contains(&lab.number)).collect()
}

/// What tshark sees in each packet of a capture, with every checksum looked at.
struct Packet(Json);

fn read_back(file: &str) -> Vec<Packet> {
    let mut command = Command::new("tshark");
    command.args(["-r", file, "-T", "json"]);
    for protocol in ["ip", "tcp", "udp"] {
        command.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
    }
    let frame = ["interface_name", "packet_flags_direction", "time_epoch", "len", "cap_len", "comment", "protocols"];
    for field in frame {
        command.args(["-e", &format!("frame.{field}")]);
    }
    for field in ["tcp.seq", "tcp.seq_raw", "tcp.ack", "tcp.flags.ack", "_ws.malformed"] {
        command.args(["-e", field]);
    }
    for protocol in ["ip", "tcp", "udp", "icmp"] {
        command.args(["-e", &format!("{protocol}.checksum.status")]);
    }
    let output = run(&mut command);
    let complaint = String::from_utf8_lossy(&output.stderr);
    // What it says to root of root's power is not about the file.
    let complaint: Vec<&str> = complaint.lines().filter(|line| !line.starts_with("Running as user")).collect();
    assert!(output.status.success() && complaint.is_empty(), "{}: {complaint:?}", output.status);
    let packets: Vec<Json> = serde_json::from_slice(&output.stdout).expect("JSON");
    packets.into_iter().map(|mut packet| Packet(packet["_source"]["layers"].take())).collect()
}

impl Packet {
    fn all(&self, field: &str) -> Vec<&str> {
        let values = self.0[field].as_array().map_or(&[][..], Vec::as_slice);
        values.iter().map(|value| value.as_str().expect("a text")).collect()
    }

    fn one(&self, field: &str) -> &str {
        let [value] = self.all(field)[..] else { panic!("not one {field}: {}", self.0) };
        value
    }

    fn number(&self, field: &str) -> u64 {
        self.one(field).parse().unwrap_or_else(|_| panic!("{field} is no number: {}", self.0))
    }
}

/// Captures a demo, and gives its events and its packets.
fn capture(lab: &Lab, arguments: &[&str], folder: &Folder) -> (Vec<Json>, Vec<Packet>) {
    let file = folder.file(&format!("{}.pcapng", lab.number));
    let events = lab.events(&[arguments, &["--pcap", &file]].concat());
    let packets = read_back(&file);
    assert!(!packets.is_empty(), "{} {arguments:?}: no packets", lab.folder);
    (events, packets)
}

/// The frames of a trace, as they were sent.
fn sent(events: &[Json]) -> Vec<&Json> {
    let frames = events.iter().filter(|event| event["kind"] == "frame").map(|event| &event["frame"]);
    frames
        .filter(|frame| frame["fate"] != "overtaken" && (frame["held"].is_null() || frame["fate"] == "held"))
        .collect()
}

#[test]
fn tshark_reads_every_frame_and_finds_nothing_wrong_with_it() {
    let folder = Folder::new();
    for lab in labs_to_capture("tshark_reads_every_frame") {
        for link in ["tap", "veth"] {
            let (events, packets) = capture(&lab, &["--link", link], &folder);
            let frames = sent(&events);
            assert_eq!(packets.len(), frames.len(), "{} {link}", lab.folder);
            for (packet, frame) in packets.iter().zip(frames) {
                let context = format!("{} {link}: {frame}\n{}", lab.folder, packet.0);
                let sender = if frame["dir"] == "a>b" { "a eth0" } else { "b eth0" };
                assert_eq!(packet.one("frame.interface_name"), sender, "{context}");
                assert_eq!(packet.one("frame.packet_flags_direction"), "0x00000002", "outbound: {context}");
                let len = frame["bytes"].as_str().map(|digits| digits.len() as u64 / 2);
                assert_eq!(Some(packet.number("frame.len")), len, "{context}");
                assert!(packet.all("_ws.malformed").is_empty(), "{context}");
                // 1 is "good". An ICMP error has a second IP header inside. A datagram in fragments is looked at when
                // it is whole, with the last one.
                let proto = match frame["remark"].as_str() {
                    Some(remark) if remark.starts_with("last fragment") => "udp".to_owned(),
                    Some(remark) if remark.contains("fragment") => "ip".to_owned(),
                    _ => frame["proto"].as_str().expect("a protocol").to_lowercase(),
                };
                for protocol in ["ip", &proto] {
                    let status = packet.all(&format!("{protocol}.checksum.status"));
                    assert!(!status.is_empty() && status.iter().all(|status| *status == "1"), "{context}");
                }
            }
        }
    }
}

#[test]
fn large_frames_are_captured_whole() {
    let folder = Folder::new();
    for lab in labs_with("large_frames_are_captured_whole", &[24]) {
        let (_, packets) = capture(&lab, &["--mtu", "9000", "--scene", "1"], &folder);
        let lens: Vec<u64> = packets.iter().map(|packet| packet.number("frame.len")).collect();
        assert_eq!(lens.iter().max(), Some(&9014));
        for packet in packets {
            assert_eq!(packet.number("frame.cap_len"), packet.number("frame.len"));
            assert!(packet.all("tcp.checksum.status").iter().all(|status| *status == "1"), "{}", packet.0);
        }
    }
}

#[test]
fn sequence_numbers_are_those_that_tshark_computes() {
    let folder = Folder::new();
    for lab in labs_to_capture("sequence_numbers").iter().filter(|lab| [10, 20].contains(&lab.number)) {
        for link in ["tap", "veth"] {
            let (events, packets) = capture(lab, &["--link", link], &folder);
            for (packet, frame) in packets.iter().zip(sent(&events)) {
                let context = format!("{} {link}: {frame}\n{}", lab.folder, packet.0);
                // A reset that answers a first SYN has no number of its own, but 0. We say so; tshark calls it 1.
                let first = u64::from(frame["flags"] == "RST,ACK" && packet.number("tcp.seq_raw") == 0);
                assert_eq!(frame["seq"].as_u64().map(|seq| seq + first), Some(packet.number("tcp.seq")), "{context}");
                // Without the flag, the field means nothing.
                let acknowledges = matches!(packet.one("tcp.flags.ack"), "1" | "True");
                let ack = acknowledges.then(|| packet.number("tcp.ack"));
                assert_eq!(frame["ack"].as_u64(), ack, "{context}");
            }
        }
    }
}

#[test]
fn times_are_those_of_the_machines_clock_and_increase() {
    let folder = Folder::new();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    for lab in labs_to_capture("times_are_those_of_the_machines_clock") {
        // A microsecond is lost to rounding.
        let before = now() - 1000;
        let (events, packets) = capture(&lab, &["--wire"], &folder);
        let after = now();
        let of = |packet: &Packet| -> u128 { packet.one("frame.time_epoch").replace('.', "").parse().expect("digits") };
        let times: Vec<u128> = packets.iter().map(of).collect();
        assert!(times.is_sorted_by(|earlier, later| earlier < later), "{}: {times:?}", lab.folder);
        assert!(before <= times[0] && times[times.len() - 1] <= after, "{before} {times:?} {after}");
        // They are as far apart as the events.
        let told = |event: &&Json| event["kind"] == "frame" && event["frame"]["fate"] != "overtaken";
        let told: Vec<u128> = events.iter().filter(told).filter_map(|e| Some(e["at_ns"].as_u64()?.into())).collect();
        let began = u128::from(events[0]["began_us"].as_u64().expect("a time")) * 1000;
        assert_eq!(times, told.iter().map(|at| began + at).collect::<Vec<_>>(), "{}", lab.folder);
    }
}

#[test]
fn comments_and_frames_together_are_the_transcript() {
    let folder = Folder::new();
    for lab in labs_to_capture("comments_and_frames_together") {
        for link in ["tap", "veth"] {
            let (_, packets) = capture(&lab, &["--link", link], &folder);
            let comments = packets.iter().flat_map(|packet| packet.all("frame.comment"));
            let comments: Vec<String> = comments.map(bare_comment).collect();
            let transcript = lab.prints(&["--all", "--link", link]);
            assert_eq!(comments.concat(), bare_transcript(&transcript), "{} {link}", lab.folder);
        }
    }
}

/// A comment without spaces; of a frame's own only its number.
fn bare_comment(comment: &str) -> String {
    let comment = comment.strip_prefix("after this frame: ").unwrap_or(comment);
    let frame = comment.strip_prefix("wire ").map(|rest| rest.split(':').next().unwrap_or(rest));
    without_spaces(&frame.map_or(comment.to_owned(), |number| format!("wire {number}")))
}

/// A transcript without its heading, spaces and rules; of frames only their numbers.
fn bare_transcript(transcript: &str) -> String {
    let (_, body) = transcript.split_once("\n\n").expect("a heading");
    let mut bare = String::new();
    let mut frame_ends_at = None;
    for line in body.lines() {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        if let Some(rest) = words.strip_prefix("wire ") {
            let number = rest.split(' ').next().unwrap_or(rest);
            frame_ends_at = Some(indent + "wire ".len() + number.len());
            bare += &format!("wire{number}");
        } else if frame_ends_at.is_none_or(|column| indent <= column) {
            frame_ends_at = None;
            bare += &without_spaces(words.trim_end_matches('─'));
        }
    }
    bare
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn what_befell_a_frame_stands_in_the_capture() {
    let folder = Folder::new();
    let faults = [
        (&["--drop", "client:data:1"][..], "lost on the wire"),
        (&["--corrupt", "client:data:1"], "its last byte changed; corrupted on the wire"),
        (&["--duplicate", "client:data:1"], "once more: the wire handed it on twice"),
        (&["--reorder", "client:data:1"], "held until the next one has passed"),
        (&["--delay", "10ms:client:data:1"], "held 10 ms"),
    ];
    for lab in labs_to_capture("what_befell_a_frame").iter().filter(|lab| lab.number == 20) {
        for (arguments, told) in faults {
            let (events, packets) = capture(lab, &[arguments, &["--scene", "1"]].concat(), &folder);
            let twice = sent(&events).iter().filter(|frame| frame["fate"] == "doubled").count();
            assert_eq!(packets.len(), sent(&events).len() + twice, "{arguments:?}");
            let has = |packet: &&Packet| packet.all("frame.comment").iter().any(|comment| comment.ends_with(told));
            let marked: Vec<&Packet> = packets.iter().filter(has).collect();
            assert_eq!(marked.len(), 1, "{arguments:?}: {told}");
            // Nobody but tshark says that the checksum is wrong, and only where we made it so.
            let bad = packets.iter().filter(|packet| packet.one("tcp.checksum.status") != "1").count();
            assert_eq!(bad, usize::from(arguments[0] == "--corrupt"), "{arguments:?}");
            assert_eq!(marked[0].one("tcp.checksum.status") != "1", arguments[0] == "--corrupt", "{arguments:?}");
        }
    }
}

#[test]
fn a_capture_says_what_made_it_and_where() {
    let folder = Folder::new();
    for lab in labs_to_capture("a_capture_says_what_made_it").iter().filter(|lab| lab.number == 1) {
        let (events, _) = capture(lab, &[], &folder);
        let file = fs::read(folder.file("1.pcapng")).expect("the file");
        let has = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(has(concat!("socklab ", env!("CARGO_PKG_VERSION"))));
        assert!(has(&format!("Linux {}", events[0]["kernel"].as_str().expect("a release"))));
        assert!(has(&format!("Lab 01 {}: {}", lab.name, events[0]["question"].as_str().expect("a question"))));
    }
}

#[test]
fn a_capture_that_cannot_be_written_is_told() {
    if !has_private_hosts() {
        return skip("a_capture_that_cannot_be_written_is_told", "it takes user namespaces for a wire");
    }
    let folder = Folder::new();
    let here = folder.file(".");
    let nowhere = folder.file("nowhere/file");
    let lab = labs().remove(0);
    for (path, error) in [(here.as_str(), "EISDIR"), (nowhere.as_str(), "ENOENT")] {
        is_told(lab.command().args(["--pcap", path]), path, error, Demo::NotBegun);
    }
    is_told(lab.command().args(["--pcap", "/dev/full"]), "/dev/full", "ENOSPC", Demo::Shown);
    // As a user who has made the folder read-only: what is played, is played by that user in a namespace of its own, in
    // which such a folder can be written to.
    let mut command = lab.copied_to(folder.path());
    let file = folder.file("file");
    if getuid().is_root() {
        chown(folder.path(), Some(65_534), Some(65_534)).expect("another owner");
    }
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o555)).expect("a folder to be read only");
    if getuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    is_told(command.args(["--pcap", &file]).current_dir("/"), &file, "EACCES", Demo::NotBegun);
    assert!(!Path::new(&file).exists());
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a folder to be written again");
    // Root may write everywhere, which in a namespace of its own it may not. Nothing but the file is left.
    let before = fs::read_dir(folder.path()).expect("the folder").count();
    let output = run(lab.command().args(["--pcap", &file]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.ends_with(&format!("lab 01: wrote {file}\n")), "{said}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), before + 1);
}

/// What becomes of a demo whose capture cannot be written: where that can be seen beforehand, it does not begin.
#[derive(PartialEq)]
enum Demo {
    Shown,
    NotBegun,
}

/// One line is about the file.
fn is_told(command: &mut Command, path: &str, error: &str, demo: Demo) {
    let output = run(command);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}: {complaint}");
    for word in ["lab 01: write", path, error, "name a file that you may write"] {
        assert!(complaint.contains(word), "{word} is not in: {complaint}");
    }
    let others = complaint.lines().filter(|line| !line.contains("was played again"));
    assert_eq!(others.count(), 1, "{complaint}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(shown.contains("recvfrom(3"), demo == Demo::Shown, "{error}: {shown}");
}

/// Judges a program with these arguments, and gives the grade as JSON and the exit code.
fn grade(folder: &Path, arguments: &[&str]) -> (Json, Option<i32>) {
    let mut command = socklab();
    command.args(["grade", "30", "--json", "--seed", "1", "--folder"]).arg(folder).args(arguments);
    let output = run(&mut command);
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

/// The verdict on each check.
fn verdicts(grade: &Json) -> Vec<(&str, &str)> {
    let checks = grade["checks"].as_array().expect("checks").iter();
    checks.map(|check| (check["name"].as_str().expect("a name"), check["verdict"].as_str().expect("a word"))).collect()
}

/// A folder with one program of exercise 30.
fn program_of_30(folder: &Folder, path: &str, before: &str) {
    let text = crate::support::read(&format!("labs/30-struct-header/exercise/{path}"));
    fs::write(folder.file("server.py"), format!("{before}\n{text}")).expect("a program");
}

#[test]
fn a_judged_program_is_listened_to_and_its_verdict_is_the_same() {
    if !has("tshark") || !has("python3") || !has_private_hosts() {
        return skip("a_judged_program_is_listened_to", "it takes tshark, python3 and user namespaces");
    }
    for (path, code) in [("solutions/python/server.py", 0), ("wrong/one-recv-one-message.py", 8)] {
        let (program, written) = (Folder::new(), Folder::new());
        program_of_30(&program, path, "");
        let file = written.file("x.pcapng");
        let (plain, plain_code) = grade(program.path(), &[]);
        let (heard, heard_code) = grade(program.path(), &["--pcap", &file]);
        assert_eq!((plain_code, heard_code), (Some(code), Some(code)), "{path}: {plain} {heard}");
        assert_eq!(verdicts(&plain), verdicts(&heard), "{path}");
        let packets = read_back(&file);
        let comments: Vec<&str> = packets.iter().flat_map(|packet| packet.all("frame.comment")).collect();
        for (number, (name, _)) in (1..).zip(verdicts(&heard)) {
            let scene = format!("── {number}. {name}: ");
            assert!(comments.iter().any(|comment| comment.contains(&scene)), "{path}: {scene} is in no comment");
        }
        assert!(packets.iter().all(|packet| packet.all("_ws.malformed").is_empty()), "{path}");
        assert!(packets.iter().any(|packet| packet.one("frame.protocols").contains("tcp")), "{path}");
        let not_kept = comments.iter().filter(|comment| comment.contains("more frames passed")).count();
        assert_eq!(not_kept, 0, "{path}");
    }
}

#[test]
fn what_a_flood_on_its_own_host_leaves_of_a_capture_is_bounded_and_said() {
    if !has("tshark") || !has("python3") || !has_private_hosts() {
        return skip("what_a_flood_on_its_own_host_leaves", "it takes tshark, python3 and user namespaces");
    }
    let large = "import socket as s; u = s.socket(s.AF_INET, s.SOCK_DGRAM); u.bind(('127.0.0.1', 7)); \
                 [u.sendto(bytes(60000), ('127.0.0.1', 7)) for _ in range(1000)]; u.close()";
    let many = "import socket as s; u = s.socket(s.AF_INET, s.SOCK_DGRAM); u.bind(('127.0.0.1', 7)); \
                [u.sendto(b'x', ('127.0.0.1', 7)) for _ in range(30000)]; u.close()";
    for flood in [large, many] {
        let (program, written) = (Folder::new(), Folder::new());
        program_of_30(&program, "solutions/python/server.py", flood);
        let file = written.file("x.pcapng");
        let (heard, code) = grade(program.path(), &["--check", "one-message", "--pcap", &file]);
        assert_eq!(code, Some(0), "{heard}");
        let size = fs::metadata(&file).expect("a capture").len();
        assert!((100_000..10 << 20).contains(&size), "{size}");
        let packets = read_back(&file);
        assert!((100..=5000).contains(&packets.len()), "{}", packets.len());
        let said = "more frames passed, which the capture does not have";
        let comments = packets.iter().flat_map(|packet| packet.all("frame.comment"));
        assert_eq!(comments.filter(|comment| comment.contains(said)).count(), 1);
        assert!(heard["checks"][0]["steps"].to_string().contains(said), "{heard}");
    }
}

#[test]
fn where_there_is_no_private_host_a_capture_of_one_is_refused() {
    if !has("python3") {
        return skip("where_there_is_no_private_host_a_capture_of_one_is_refused", "python3 is not here");
    }
    let (program, written) = (Folder::new(), Folder::new());
    program_of_30(&program, "solutions/python/server.py", "");
    let file = written.file("x.pcapng");
    let mut command = socklab();
    command.args(["grade", "30", "--without", "network", "--pcap", &file, "--folder"]).arg(program.path());
    let output = run(&mut command);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("--pcap: frames are heard on a private host"), "{complaint}");
    assert!(!Path::new(&file).exists());
}
