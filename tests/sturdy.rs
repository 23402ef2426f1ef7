//! What goes wrong gets a clear word and its own exit code, and leaves nothing behind.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use rustix::process::{Pid, PidfdFlags, Signal, getuid, kill_process, kill_process_group, pidfd_open};

use crate::support::{
    Host, Running, assert_same, chosen_labs, finish, fixture, folder_for_all_users, has, has_ended, has_private_hosts,
    labs, played_here, run, side_by_side, skip, socklab, wait_until, without_settings,
};

fn lab(arguments: &[&str]) -> Output {
    run(socklab().arg("lab").args(arguments))
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks an exit code and words of the complaint.
#[track_caller]
fn complains(output: &Output, code: i32, words: &[&str]) {
    let ended = output.clone().assert().code(code).stderr(contains("panicked at").not());
    words.iter().fold(ended, |ended, word| ended.stderr(contains(*word)));
}

#[test]
fn an_unknown_lab_gets_the_nearest_names() {
    complains(&lab(&["udp-ecko"]), 2, &["no lab \"udp-ecko\"", "did you mean 01 udp-echo"]);
    complains(&lab(&["99"]), 2, &["no lab \"99\"", "just labs"]);
    complains(&lab(&["../etc/passwd"]), 2, &["no lab"]);
}

#[test]
fn a_role_that_executes_no_commands_cannot_be_allowed_to() {
    for (number, role, who) in [("27", "client", "server does"), ("01", "server", "no role of this lab does")] {
        let refused = lab(&[number, role, "--allow-commands"]);
        complains(&refused, 2, &[role, "executes no commands", who, "leave out --allow-commands"]);
    }
}

#[test]
fn an_unknown_role_gets_the_roles_that_there_are() {
    complains(&lab(&["01", "waiter"]), 2, &["no role \"waiter\"", "server, client"]);
}

#[test]
fn an_unknown_flag_or_scene_gets_what_there_is() {
    complains(&lab(&["01", "--colour"]), 2, &["--colour", "--help"]);
    complains(&lab(&["01", "--scene", "77"]), 2, &["no scene 77", "1  "]);
    complains(&lab(&["01", "--repeat", "0"]), 2, &["0 is not in 1.."]);
}

#[test]
fn help_is_given_with_and_without_a_lab() {
    let question = labs().into_iter().find(|lab| lab.number == 5).expect("lab 05").question;
    for flag in ["--help", "-h"] {
        for (words, says) in [(vec![flag], "just labs"), (vec!["05", flag], &question)] {
            let help = lab(&words);
            complains(&help, 0, &[]);
            assert!(printed(&help).contains(says) && complaint(&help).is_empty(), "{}", printed(&help));
        }
    }
}

#[test]
fn a_wrong_word_is_told_with_a_right_one() {
    complains(&lab(&["05", "--scene", "x"]), 2, &["'x'", "write a whole number"]);
    for address in ["localhost:9000", "9000", "127.0.0.1:0", "127.0.0.1:80000"] {
        complains(&lab(&["05", "client", "--address", address]), 2, &[address, "127.0.0.1:9000"]);
    }
    complains(&lab(&["05", "--delay", "10"]), 2, &["invalid delay \"10\"", "10ms"]);
}

/// What commands answer, too, is the same wherever a demo is started.
#[test]
fn a_demo_that_is_started_in_a_folder_that_is_gone_shows_the_same() {
    for lab in labs().into_iter().filter(|lab| [27, 30].contains(&lab.number)) {
        let mut shell = Command::new("bash");
        shell
            .args(["-c", "cd \"$(mktemp -d)\" && rmdir \"$PWD\" && exec \"$0\" \"$@\""])
            .args(lab.words())
            .arg("--all");
        let output = run(&mut shell);
        complains(&output, 0, &[]);
        assert_eq!(printed(&output), lab.shows(&[]), "{}", lab.folder);
    }
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    for role in ["server", "client"] {
        complains(&lab(&["01", role, "--address", "0.0.0.0:9000"]), 2, &["0.0.0.0:9000", "127.0.0.1:9000"]);
        complains(&lab(&["01", role, "--address", "8.8.8.8:53"]), 2, &["8.8.8.8:53"]);
    }
}

#[test]
fn a_taken_port_is_told_with_who_has_it() {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = udp.local_addr().expect("an address").to_string();
    let process = format!("(process {})", std::process::id());
    complains(
        &lab(&["01", "server", "--address", &address]),
        3,
        &["bind", &address, "EADDRINUSE", &process, "--address"],
    );
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = tcp.local_addr().expect("an address").to_string();
    complains(&lab(&["12", "server", "--address", &address]), 3, &["bind", &address, "EADDRINUSE", &process]);
}

#[test]
fn a_server_that_is_not_there_is_told_with_how_to_start_it() {
    // A port that was free a moment ago, and below those that the kernel hands out.
    let free = (21_000..31_000)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .map(|port| format!("127.0.0.1:{port}"))
        .expect("a free port");
    complains(
        &lab(&["12", "client", "--address", &free]),
        4,
        &["connect", &free, "ECONNREFUSED", "just lab 12 server"],
    );
}

fn misbehave(scene: &str) -> Output {
    run(fixture("misbehaving-roles").args(["--patience", "1", "--scene", scene]))
}

#[test]
fn a_role_that_panics_is_told_and_the_others_go_on() {
    let output = misbehave("3");
    complains(&output, 5, &["panics died (exit code 101)"]);
    let text = printed(&output);
    assert!(text.contains("panics  ends with exit code 101: panicked: on purpose"), "{text}");
    assert!(text.contains("server  bind(3, server:9000) = 0"), "{text}");
}

#[test]
fn a_role_that_is_killed_is_told_with_the_signal() {
    let output = misbehave("4");
    complains(&output, 5, &["killed died (SIGKILL)"]);
    assert!(printed(&output).contains("killed  is killed by SIGKILL"), "{}", printed(&output));
}

#[test]
fn a_role_that_hangs_is_ended_and_told_with_the_call_it_hangs_in() {
    let output = misbehave("5");
    complains(&output, 6, &["hangs did not come back", "asleep in read(3"]);
    assert!(printed(&output).contains("hangs did not come back within 1 s: asleep in read(3"), "{}", printed(&output));
}

#[test]
fn without_the_baton_too_the_role_that_hangs_is_the_one_that_is_named() {
    let output = run(fixture("misbehaving-roles").args(["--patience", "1", "--scene", "5", "--free"]));
    complains(&output, 6, &["hangs did not come back", "asleep in read(3"]);
    assert!(printed(&output).contains("server  bind(3, server:9000) = 0"), "{}", printed(&output));
}

#[test]
fn a_role_that_spins_is_ended_and_told_to_be_running() {
    complains(&misbehave("8"), 6, &["spins did not come back", "running"]);
}

#[test]
fn a_role_that_closes_its_channel_and_goes_on_is_ended_and_told() {
    for free in [&[][..], &["--free"]] {
        let mut command = fixture("misbehaving-roles");
        let output = run(command.args(["--patience", "1", "--scene", "9"]).args(free));
        complains(&output, 6, &["closes did not come back", "running", "its channel to the stage closed"]);
        let finding = "closes closed its channel to the stage, but did not end within 1 s: running";
        assert!(printed(&output).contains(finding), "{}", printed(&output));
    }
}

#[test]
fn a_role_that_ends_with_an_error_is_told() {
    let output = misbehave("6");
    complains(&output, 1, &["fails ended with an error"]);
    assert!(printed(&output).contains("connect(3, server:9000) = -1 ECONNREFUSED"), "{}", printed(&output));
}

#[test]
fn a_wait_that_the_lab_does_not_mean_is_told() {
    complains(&misbehave("7"), 6, &["server waits in recvfrom(3) for a datagram", "nothing will ever end that"]);
}

/// In what is said of scenes that `--all` leaves out.
const LEFT_TO_CHANCE: &str = "what comes of them is left to chance";

#[test]
fn a_reader_that_leaves_ends_a_lab_quietly() {
    side_by_side(&played_here("a_reader_that_leaves_ends_a_lab_quietly"), |lab| {
        let mut child = lab
            .command()
            .arg("--all")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let output = finish(child);
        complains(&output, 0, &[]);
        // A scene on a wire that a busy machine was too slow for says so, and so does one that is left to chance.
        let words: Vec<String> = complaint(&output).lines().map(str::to_owned).collect();
        let is_known = |line: &str| line.contains("was played again") || line.contains(LEFT_TO_CHANCE);
        let others: Vec<&String> = words.iter().filter(|line| !is_known(line)).collect();
        assert!(others.is_empty(), "{}: {others:?}", lab.folder);
    });
}

#[test]
fn what_cannot_be_written_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let child = labs()[0].command().stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).spawn();
    complains(&finish(child.expect("the lab starts")), 1, &["standard output", "ENOSPC"]);
}

#[test]
fn descriptors_that_a_shell_leaves_open_and_a_low_limit_change_nothing() {
    let lab = labs().remove(0);
    for script in [
        "exec 3</dev/null 9</dev/null 1000</dev/null 1001</dev/null; exec \"$0\" \"$@\"",
        "ulimit -Sn 60; exec \"$0\" \"$@\"",
        "ulimit -n 60; exec \"$0\" \"$@\"",
    ] {
        let output = run(Command::new("bash").args(["-c", script]).args(lab.words()).arg("--all"));
        complains(&output, 0, &[]);
        assert_eq!(printed(&output), lab.shows(&[]), "{script}");
    }
}

#[test]
fn a_limit_that_no_demo_can_be_played_with_is_told_once_before_the_first_scene() {
    for lab in labs().into_iter().filter(|lab| [5, 45].contains(&lab.number)) {
        let output = run(Command::new("bash").args(["-c", "ulimit -n 8; exec \"$0\" \"$@\""]).args(lab.words()));
        complains(&output, 7, &["32 descriptors", "no more than 8", "ulimit -n"]);
        assert_eq!((complaint(&output).lines().count(), printed(&output).as_str()), (1, ""));
    }
}

#[test]
fn a_process_that_cannot_be_made_is_told_with_the_call_and_the_limit() {
    // A copy, since an ordinary user need not have access to where this was built.
    let folder = folder_for_all_users();
    let copy = labs().remove(0).copied_words(folder.path());
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -u 1; exec \"$0\" \"$@\""]).args(copy).current_dir("/");
    if getuid().is_root() {
        // The limit is not root's.
        limited.uid(65_534).gid(65_534);
    }
    let output = run(&mut limited);
    complains(&output, 7, &["the stage failed: clone: EAGAIN", "ulimit -u"]);
    assert_eq!(complaint(&output).lines().count(), 1, "{}", complaint(&output));
}

/// A demo that hangs, in a process group of its own, and the processes of its roles.
fn hanging_demo() -> (Running, Vec<u32>) {
    let child = fixture("misbehaving-roles")
        .args(["--patience", "60", "--scene", "5"])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut demo = Running(child);
    // The scene's title is printed before its roles start; their processes show up when both have been forked.
    let mut lines = BufReader::new(demo.0.stdout.as_mut().expect("a pipe")).lines();
    lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("5. a hang"))).expect("a title").expect("a line");
    wait_until("both roles start", || children(demo.0.id()).len() == 2);
    let roles = children(demo.0.id());
    (demo, roles)
}

fn children(of: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn network_of(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/net")).ok()
}

/// Ends a demo by `end`, and checks that nothing of it is left.
fn leaves_nothing(end: impl Fn(Pid)) {
    let (mut demo, roles) = hanging_demo();
    let pids: Vec<Pid> = roles.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)).collect();
    let watched: Vec<_> = pids.iter().map(|pid| pidfd_open(*pid, PidfdFlags::empty()).expect("a pidfd")).collect();
    let network = network_of(roles[0]).expect("a network namespace");
    let ours = network_of(std::process::id());
    end(Pid::from_child(&demo.0));
    for pidfd in &watched {
        assert!(has_ended(pidfd, Duration::from_secs(10)), "a role outlives the demo by 10 s");
    }
    let _ = demo.0.wait().expect("the demo ends");
    if Some(&network) != ours.as_ref() {
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let inside: Vec<u32> = pids.filter(|pid| network_of(*pid).as_ref() == Some(&network)).collect();
        assert!(inside.is_empty(), "{inside:?} are left in {}", network.display());
    }
}

#[test]
fn ctrl_c_leaves_no_process_and_no_namespace() {
    leaves_nothing(|demo| kill_process_group(demo, Signal::INT).expect("a signal"));
}

#[test]
fn a_killed_stage_leaves_no_process_and_no_namespace() {
    leaves_nothing(|demo| kill_process(demo, Signal::KILL).expect("a signal"));
}

#[test]
fn a_child_that_a_role_left_behind_ends_with_a_killed_stage() {
    let demo = fixture("dividing-roles")
        .args(["--patience", "60", "--scene", "9"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut demo = Running(demo.expect("it starts"));
    let is_called = |pid: &u32, name: &str| fs::read(format!("/proc/{pid}/comm")).is_ok_and(|is| is == name.as_bytes());
    let orphan = || children(demo.0.id()).into_iter().find(|pid| is_called(pid, "server/1\n"));
    // Its parent is killed, and then the stage is the one that it has.
    wait_until("the child is an orphan", || orphan().is_some());
    let orphan = orphan().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).expect("a process id");
    let pidfd = pidfd_open(orphan, PidfdFlags::empty()).expect("a pidfd");
    demo.0.kill().expect("the stage is killed");
    assert!(has_ended(&pidfd, Duration::from_secs(10)), "it outlives the demo");
}

#[test]
fn a_program_that_a_role_left_behind_ends_with_a_killed_stage_and_with_its_scene() {
    for killed in [true, false] {
        let mut demo = crate::support::lab(18).command();
        demo.args(["--step", "--scene", "8"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut demo = Running(demo.spawn().expect("it starts"));
        let enter = demo.0.stdin.as_mut().expect("a pipe");
        enter.write_all(&[b'\n'; 8]).expect("Enter, for each event so far");
        let mut lines = BufReader::new(demo.0.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        lines.find(|line| line.contains("server  is killed by SIGINT")).expect("the server ends");
        let network = network_of(demo.0.id()).expect("a network namespace");
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let left: Vec<_> = processes
            .filter(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x0060\0"))
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &i32| network_of(pid.unsigned_abs()).as_ref() == Some(&network))
            .map(|pid| pidfd_open(Pid::from_raw(pid).expect("a process id"), PidfdFlags::empty()).expect("a pidfd"))
            .collect();
        assert!(!left.is_empty(), "nothing outlives the server");
        if killed {
            demo.0.kill().expect("the stage is killed");
        } else {
            drop(demo.0.stdin.take());
            demo.0.wait().expect("the demo ends");
        }
        for pidfd in &left {
            // The demo itself waits for them.
            let patience = if killed { Duration::from_secs(10) } else { Duration::ZERO };
            assert!(has_ended(pidfd, patience), "it outlives the demo");
        }
    }
}

#[test]
fn step_shows_one_event_for_each_enter_and_q_ends() {
    let mut child = labs()[0]
        .command()
        .arg("--step")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    child.stdin.take().expect("a pipe").write_all(b"\n\n\nq\n").expect("three times Enter");
    let output = finish(child);
    complains(&output, 0, &[]);
    let text = printed(&output);
    // The scene's title, and two calls.
    assert_eq!(text.lines().filter(|line| line.contains("server  ")).count(), 2, "{text}");
}

#[test]
fn repeat_counts_every_run() {
    let output = lab(&["12", "--repeat", "20", "--json"]);
    complains(&output, 0, &[]);
    for line in printed(&output).lines() {
        let scene: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let outcomes = scene["outcomes"].as_array().expect("outcomes");
        let sum: u64 = outcomes.iter().map(|outcome| outcome["count"].as_u64().expect("a count")).sum();
        assert_eq!((sum, &scene["runs"]), (20, &20.into()));
    }
}

#[test]
fn a_scene_that_is_left_to_chance_is_refused_under_the_baton_and_left_out_of_all() {
    complains(&lab(&["35", "--scene", "11"]), 2, &["scene 11 is left to chance", "--repeat 25"]);
    complains(&lab(&["35", "--scene", "11", "--repeat", "2", "--baton"]), 2, &["scene 11 is left to chance"]);
    let all = lab(&["35", "--all"]);
    complains(&all, 0, &["left out, since what comes of them is left to chance: scenes 10, 11, "]);
    assert!(printed(&all).contains("── 9. ") && !printed(&all).contains("── 10. "));
    // Of the cured loop it is known what comes.
    let counted = lab(&["35", "--scene", "15", "--repeat", "3", "--json"]);
    complains(&counted, 0, &[]);
    let scene: serde_json::Value = serde_json::from_str(&printed(&counted)).expect("JSON");
    assert_eq!(scene["outcomes"][0]["count"], 3, "{scene}");
    assert!(scene["outcomes"][0]["text"].as_str().expect("a text").contains("complete"), "{scene}");
}

#[test]
fn repeat_under_the_baton_has_one_outcome_a_scene() {
    side_by_side(&played_here("repeat_under_the_baton_has_one_outcome_a_scene"), |lab| {
        let text = lab.prints(&["--repeat", "2", "--baton", "--json"]);
        for line in text.lines() {
            let scene: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(scene["outcomes"].as_array().map(Vec::len), Some(1), "{}: {line}", lab.folder);
        }
    });
}

#[test]
fn colours_tell_the_roles_apart_where_they_are_wanted() {
    let lab = crate::support::lab(1);
    let coloured = run(lab.command().env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR"));
    let text = printed(&coloured);
    assert!(text.contains("\x1b[1m\x1b[36m") && text.contains("\x1b[1m\x1b[32m"), "{text:?}");
    let plain = run(lab.command().env("NO_COLOR", "1"));
    assert!(!printed(&plain).contains('\x1b'));
}

#[test]
fn another_user_sees_the_same() {
    let folder = folder_for_all_users();
    side_by_side(&played_here("another_user_sees_the_same"), |lab| {
        let other = run(lab.as_another_user(folder.path()).arg("--all"));
        complains(&other, 0, &[]);
        assert_same(&printed(&other), &lab.shows(&[]), &lab.folder);
    });
}

#[test]
fn without_user_namespaces_a_lab_says_so_in_one_line_and_shows_the_same() {
    let test = "without_user_namespaces_a_lab_says_so_in_one_line_and_shows_the_same";
    if !has("unshare") || !has_private_hosts() {
        return skip(test, "it takes unshare(1) and user namespaces to make a place without them");
    }
    // One after the other: they are on the machine's loopback, whose counters are everybody's.
    for lab in chosen_labs() {
        // In a user namespace in which no more can be made.
        let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
        let output = run(Command::new("unshare").args(["-U", "-r", "sh", "-c", script]).args(lab.words()).arg("--all"));
        if lab.wire {
            complains(&output, 7, &["no wire (unshare(CLONE_NEWUSER): ENOSPC)", "socklab doctor", &lab.folder]);
            continue;
        }
        complains(&output, 0, &["no private host (unshare(CLONE_NEWUSER): ENOSPC)", "loopback"]);
        let words = complaint(&output);
        assert_eq!(words.lines().filter(|line| !line.contains(LEFT_TO_CHANCE)).count(), 1, "{words}");
        assert_same(&printed(&output), &without_settings(&lab.shows(&[])), &lab.folder);
    }
}

#[test]
fn connections_that_share_a_port_have_names_of_their_own() {
    let test = "connections_that_share_a_port_have_names_of_their_own";
    if !has_private_hosts() {
        return skip(test, "it takes a private host to narrow the range of ports");
    }
    let Some(lab) = chosen_labs().into_iter().find(|lab| lab.number == 18) else { return };
    // With so few ports the kernel gives each of them to several sockets whose peers differ, ip(7).
    let host = Host::with_ports(40_000, 40_003);
    for _ in 0..3 {
        let output = run(host.enter(lab.command().args(["--all", "--loopback"])));
        complains(&output, 0, &["loopback"]);
        assert_same(&printed(&output), &lab.shows(&[]), &lab.folder);
    }
}

#[test]
fn a_private_host_is_closed_to_the_outside_and_a_role_has_no_privilege() {
    // Roles see only loopback, and port 80 is closed to them, even where root runs the demo.
    let output = run(&mut fixture("privileges"));
    complains(&output, 0, &[]);
    let text = printed(&output);
    assert!(text.contains("bind(3, 127.0.0.1:80) = -1 EACCES"), "{text}");
    assert!(text.contains("effective capabilities: 0000000000000000"), "{text}");
    if has_private_hosts() {
        assert!(text.contains("interfaces: lo\n"), "{text}");
        // A setting of the stage's, whatever the machine's own is.
        assert!(text.contains("congestion control: reno\n"), "{text}");
    }
}
