//! A wire leaves nothing behind, however its demo ends; nothing of it is reached from outside; and frames that nobody
//! knows pass like all others.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use crate::support::{Lab, Running, finish, fixture, has, has_ended, has_private_hosts, run, skip, some_on_a_wire};

const LINKS: [&str; 2] = ["tap", "veth"];

impl Running {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Its roles by their names, as far as they have started.
    fn roles(&self) -> Vec<(String, u32)> {
        let pid = self.0.id();
        let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
        let name = |pid| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        pids.map(|pid| (name(pid).trim().to_owned(), pid)).collect()
    }
}

/// The processes of a group, with their names. One that has ended and was not waited for yet is none.
fn group(leader: Pid) -> Vec<(Pid, String)> {
    let of = |pid: i32| -> Option<(Pid, String)> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses, and may have some itself.
        let (name, rest) = text.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let state = fields.next()?;
        let group = fields.nth(1)?;
        let is_one = state != "Z" && group == leader.as_raw_nonzero().to_string();
        is_one.then(|| Some((Pid::from_raw(pid)?, name.to_owned())))?
    };
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes.filter_map(|entry| of(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The interfaces in a process's network namespace.
fn interfaces(of: &str) -> BTreeSet<String> {
    let table = fs::read_to_string(format!("/proc/{of}/net/dev")).expect("a table of interfaces");
    table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

fn entries(folder: &str) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// How a demo is ended before its time.
#[derive(Clone, Copy, Debug)]
enum End {
    KillStage,
    KillRole,
    Interrupt,
    Terminate,
}

const ENDS: [End; 4] = [End::KillStage, End::KillRole, End::Interrupt, End::Terminate];

impl End {
    fn of(self, demo: &Running, which: usize) {
        // What has ended meanwhile needs no signal any more.
        let _ = match self {
            End::KillStage => kill_process(demo.pid(), Signal::KILL),
            End::Terminate => kill_process(demo.pid(), Signal::TERM),
            End::Interrupt => kill_process_group(demo.pid(), Signal::INT),
            End::KillRole => {
                let roles = demo.roles();
                let role = roles.get(which % roles.len().max(1)).and_then(|(_, pid)| Pid::from_raw(*pid as i32));
                role.map_or(Ok(()), |role| kill_process(role, Signal::KILL))
            }
        };
    }
}

/// Ends a demo after so many lines of its transcript, and checks that nothing of it is left. Whether it was cut short.
fn leaves_nothing(lab: &Lab, link: &str, end: End, lines: usize) -> bool {
    let context = format!("{} {link} {end:?} after {lines} lines", lab.folder);
    let folder = std::env::temp_dir().join(format!("socklab-wire-left-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (before, named_before) = (interfaces("self"), entries("/run/netns"));
    // Step by step each line is told when it happens, and not when its scene is over; Enter is pressed beforehand.
    let child = lab
        .command()
        .args(["--step", "--all", "--wire", "--link", link, "--patience", "5"])
        .env("TMPDIR", &folder)
        .current_dir(&folder)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut demo = Running(child.expect("the demo starts"));
    demo.0.stdin.take().expect("a pipe").write_all(&[b'\n'; 4096]).expect("Enter, again and again");
    let mut out = BufReader::new(demo.0.stdout.take().expect("a pipe")).lines();
    assert!(out.by_ref().take(lines).all(|line| line.is_ok()), "{context}");
    end.of(&demo, lines);
    let rest: Vec<String> = out.map_while(Result::ok).collect();
    let status = demo.0.wait().expect("the demo ends");
    // Who was alone in its host is ended by the kernel, which takes its time.
    for (pid, name) in group(demo.pid()) {
        if let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) {
            assert!(has_ended(pidfd, Duration::from_secs(10)), "{context}: {name} outlives the demo by 10 s");
        }
    }
    assert_eq!(group(demo.pid()), [], "{context}");
    assert_eq!(interfaces("self"), before, "{context}");
    assert_eq!(entries("/run/netns"), named_before, "{context}");
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 0, "{context}: a file is left");
    fs::remove_dir(&folder).expect("the folder goes");
    match end {
        End::KillRole => {
            let told = rest.iter().any(|line| line.contains("is killed by SIGKILL"));
            // 5: a role died; 6: and another one waits for it.
            let expected: &[i32] = if told { &[5, 6] } else { &[0] };
            let code = status.code().unwrap_or_else(|| panic!("{context}: {status}"));
            assert!(expected.contains(&code), "{context}: {code} {rest:#?}");
            told
        }
        _ => !status.success() && status.signal().is_some(),
    }
}

#[test]
fn whatever_ends_a_demo_on_a_wire_leaves_no_process_no_interface_and_no_file() {
    let labs = some_on_a_wire("whatever_ends_a_demo_on_a_wire", &[1, 10, 12, 20]);
    if labs.is_empty() {
        return;
    }
    // Other moments at every run, and told.
    let mut dice = std::process::id();
    let mut cut_short = [0; ENDS.len()];
    for round in 0..12 {
        for ((end, link), count) in ENDS.into_iter().zip(LINKS.into_iter().cycle().skip(round)).zip(&mut cut_short) {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // In the first rounds before there are hosts, and while their wire is laid: the heading has been printed.
            let lines = if round < 3 { round } else { dice as usize >> 16 & 63 };
            let lab = &labs[(round + lines) % labs.len()];
            *count += u32::from(leaves_nothing(lab, link, end, lines));
        }
    }
    // If none had been cut short, nothing would have been tried.
    assert!(cut_short.iter().all(|count| *count > 0), "{cut_short:?}");
}

/// A demo that goes on one event for each Enter, stopped where the server waits for its first datagram.
struct Stepping {
    demo: Running,
    enter: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Stepping {
    fn begin(lab: &Lab, link: &str) -> Stepping {
        let child = lab
            .command()
            .args(["--scene", "1", "--step", "--wire", "--link", link])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut demo = Running(child.expect("the demo starts"));
        let mut enter = demo.0.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(demo.0.stdout.take().expect("a pipe")).lines();
        for (enters, awaited) in [(1, "── 1. "), (4, "waits in recvfrom(3)")] {
            enter.write_all("\n".repeat(enters).as_bytes()).expect("Enter");
            let found = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains(awaited)));
            found.unwrap_or_else(|| panic!("no line with {awaited}")).expect("a line");
        }
        Stepping { demo, enter, lines }
    }

    /// Runs a Python program with a packet socket in the host of a role.
    fn python_in_the_host_of(&self, role: &str, program: &str, argument: &str) -> Child {
        let roles = self.demo.roles();
        let (_, pid) = roles.iter().find(|(name, _)| name == role).unwrap_or_else(|| panic!("no {role}: {roles:?}"));
        Command::new("python3")
            .args(["-c", &format!("{ENTER}{program}"), &pid.to_string(), argument])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("python3 starts")
    }

    /// Goes on to the end, and gives the rest of the transcript.
    fn finish(mut self) -> String {
        self.enter.write_all("\n".repeat(1000).as_bytes()).expect("Enter");
        let rest: Vec<String> = self.lines.map(|line| line.expect("a line")).collect();
        assert!(self.demo.0.wait().expect("the demo ends").success());
        rest.join("\n")
    }
}

/// Goes into the host of a role, as who has made it may, with a packet socket at its interface: that takes more than a
/// role has.
const ENTER: &str = r#"
import ctypes, os, socket, sys
namespaces = [os.open(f"/proc/{sys.argv[1]}/ns/{kind}", os.O_RDONLY) for kind in ("user", "net")]
kernel = ctypes.CDLL(None, use_errno=True)
for namespace in namespaces:
    if kernel.setns(namespace, 0) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
"#;

/// Sends frames.
const SEND: &str = r#"
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
for frame in sys.argv[2].split(","):
    wire.send(bytes.fromhex(frame))
"#;

/// Says that it is there, and prints what comes.
const RECEIVE: &str = r#"
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("eth0", 3))
wire.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
print("ready", flush=True)
for _ in range(int(sys.argv[2])):
    print(wire.recv(65536).hex(), flush=True)
"#;

/// Frames that cannot be taken apart, each with what the transcript says of it.
fn strange_frames() -> Vec<(Vec<u8>, &'static str)> {
    let frame = |rest: &[u8]| [&[2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a], rest].concat();
    let long: Vec<u8> = (0..1500).map(|index| (index * 7 % 251) as u8).collect();
    vec![
        (frame(b"\x88\xb5hello"), "type 0x88b5  5 bytes 68 65 6c 6c 6f"),
        (frame(b"\x88\xb6"), "type 0x88b6"),
        (frame(b"\x86\xdd\x60\0\0\0"), "type 0x86dd  4 bytes 60 00 00 00"),
        (frame(b"\x00\x03\xaa\xaa\x03"), "802.3  3 bytes aa aa 03"),
        (frame(b"\x08\x00\x45"), "IPv4  1 byte 45"),
        (frame(b"\x08\x06\x00\x06"), "ARP"),
        (frame(&[b"\x88\xb5", &long[..]].concat()), "type 0x88b5  1500 bytes 00 07 0e 15 1c 23 2a 31 38 3f 46 4d …"),
    ]
}

#[test]
fn frames_that_nobody_knows_are_shown_as_digits_and_pass_unchanged() {
    let test = "frames_that_nobody_knows";
    if !has("python3") {
        return skip(test, "it takes python3 to send such frames");
    }
    for lab in some_on_a_wire(test, &[1]) {
        for link in LINKS {
            let plain = lab.prints(&["--scene", "1", "--wire", "--link", link]);
            let stepping = Stepping::begin(&lab, link);
            let frames = strange_frames();
            // Whoever receives must be there before.
            let count = frames.len().to_string();
            let mut receiver = Running(stepping.python_in_the_host_of("server", RECEIVE, &count));
            let mut received = BufReader::new(receiver.0.stdout.take().expect("a pipe")).lines();
            assert_eq!(received.next().expect("a line").expect("text"), "ready");
            let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let sent: Vec<String> = frames.iter().map(|(bytes, _)| digits(bytes)).collect();
            let sender = finish(stepping.python_in_the_host_of("client", SEND, &sent.join(",")));
            assert!(sender.status.success());
            let transcript = stepping.finish();
            let received: Vec<String> = received.by_ref().map(|line| line.expect("text")).collect();
            assert_eq!(received, sent, "{link}");
            for (_, shown) in &frames {
                let line = format!("host a ──▶ host b  {shown}");
                assert!(transcript.contains(&line), "{link}: no {line} in:\n{transcript}");
            }
            // The demo itself goes on as ever: only the numbers of its frames are others.
            let calls = |text: &str| -> Vec<String> {
                let own = text.lines().filter(|line| line.contains("= ") && !line.contains("wire"));
                own.map(str::to_owned).collect()
            };
            assert!(calls(&plain).ends_with(&calls(&transcript)), "{link}:\n{transcript}");
            assert!(!calls(&transcript).is_empty());
        }
    }
}

#[test]
fn hosts_on_a_wire_have_one_way_and_it_leads_to_each_other() {
    if !has_private_hosts() {
        return skip("hosts_on_a_wire_have_one_way", "it takes private hosts");
    }
    for link in LINKS {
        let output = run(fixture("privileges").args(["--wire", "--link", link]));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for role in ["role", "server"] {
            let line = |words: &str| text.lines().any(|line| line.trim() == format!("{role}  {words}"));
            assert!(line("│ interfaces: lo eth0"), "{link} {role}: {text}");
            // 10.0.0.0/24, and no default.
            assert!(line("│ routes: eth0 to 0000000A"), "{link} {role}: {text}");
            assert!(line("│ effective capabilities: 0000000000000000"), "{link} {role}: {text}");
            assert!(line("connect(4, 192.0.2.1:9) = -1 ENETUNREACH"), "{link} {role}: {text}");
        }
    }
}

#[test]
fn nothing_but_the_wire_is_where_its_ends_are() {
    for lab in some_on_a_wire("nothing_but_the_wire_is_where_its_ends_are", &[1]) {
        for link in LINKS {
            let stepping = Stepping::begin(&lab, link);
            let ends: &[&str] = if link == "tap" { &[] } else { &["wire-a", "wire-b"] };
            let expected: BTreeSet<String> = ends.iter().chain(&["lo"]).map(|name| (*name).to_owned()).collect();
            assert_eq!(interfaces(&stepping.demo.0.id().to_string()), expected, "{link}");
            // Four network namespaces: the machine's, the stage's, and one for each host.
            let network = |of: &str| fs::read_link(format!("/proc/{of}/ns/net")).expect("a namespace");
            let roles = stepping.demo.roles();
            let all = roles.iter().map(|(_, pid)| pid.to_string()).chain([stepping.demo.0.id().to_string()]);
            let networks: BTreeSet<PathBuf> = all.chain(["self".to_owned()]).map(|of| network(&of)).collect();
            assert_eq!(networks.len(), 4, "{link}: {roles:?}");
            stepping.finish();
        }
    }
}
