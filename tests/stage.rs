//! The baton's rules, on roles made for them.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::support::{finish, fixture, fixture_words, has, run, skip, temporary};

/// The events of one scene of the roles that wait.
fn play(scene: &str) -> Vec<Json> {
    let output = run(fixture("waiting-roles").args(["--json", "--scene", scene]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn of<'a>(events: &'a [Json], role: &str) -> Vec<&'a Json> {
    events.iter().filter(|event| event["role"] == role).collect()
}

fn kinds(events: &[&Json], call: &str) -> Vec<String> {
    let text = |event: &&Json| event["kind"].as_str().unwrap_or("").to_owned();
    events.iter().copied().filter(|event| event["call"] == call).map(|event| text(&event)).collect()
}

#[test]
fn a_send_that_sleeps_gives_the_baton_back_and_returns_before_anybody_else_acts() {
    for _ in 0..10 {
        let events = play("1");
        let writer = of(&events, "writer");
        assert_eq!(kinds(&writer, "send"), ["begin", "wait", "call"]);
        let returned =
            writer.iter().find(|event| event["kind"] == "call" && event["call"] == "send").expect("a return");
        assert_eq!(returned["ret"], 16 * 1024 * 1024);
        let begun = writer.iter().find(|event| event["kind"] == "begin").expect("a begin");
        let paused = events.iter().find(|event| event["kind"] == "meet").expect("a pause");
        assert!(begun["n"].as_u64() < paused["n"].as_u64() && paused["n"].as_u64() < returned["n"].as_u64());
    }
}

#[test]
fn bytes_are_neither_lost_nor_doubled_by_a_send_that_sleeps() {
    let events = play("1");
    let read: u64 = of(&events, "reader")
        .iter()
        .filter(|event| event["kind"] == "call" && event["call"] == "recv")
        .map(|event| event["ret"].as_u64().expect("a count"))
        .sum();
    assert_eq!(read, 16 * 1024 * 1024);
}

#[test]
fn pauses_end_one_by_one_in_the_order_in_which_they_were_reached() {
    let events = play("2");
    let told: Vec<String> = events
        .iter()
        .filter(|event| ["meet", "print"].contains(&event["kind"].as_str().unwrap_or("")))
        .map(|event| event["text"].as_str().expect("a text").to_owned())
        .collect();
    let order = ["one", "two", "third never waits", "first went on", "three", "second went on", "first went on again"];
    assert_eq!(told, order);
}

#[test]
fn a_role_that_asks_again_and_again_lets_others_act() {
    let events = play("3");
    let printed = events.iter().find(|event| event["kind"] == "print").expect("a line");
    assert_eq!(printed["text"], "asked in vain 1 times");
}

#[test]
fn a_long_text_is_cut_and_does_no_harm() {
    let events = play("4");
    let length = |kind: &str| {
        let event = events.iter().find(|event| event["kind"] == kind).expect(kind);
        event["text"].as_str().expect("a text").len()
    };
    assert_eq!((length("print"), length("note")), (16 * 1024, 16 * 1024));
}

#[test]
fn a_receive_that_sleeps_for_the_rest_gives_the_baton_back() {
    let events = play("5");
    assert_eq!(kinds(&of(&events, "reader"), "recv"), ["begin", "wait", "call"]);
    let printed = events.iter().find(|event| event["kind"] == "print").expect("a line");
    assert_eq!(printed["text"], "received 10");
}

#[test]
fn a_receive_that_sleeps_where_a_poll_promised_otherwise_is_a_wait_and_no_hang() {
    let events = play("6");
    assert_eq!(kinds(&of(&events, "asks"), "recv"), ["call", "begin", "wait"]);
    let finding = events.iter().find(|event| event["kind"] == "finding").expect("a finding");
    assert_eq!(finding["finding"], "nobody is left");
}

#[test]
fn a_call_on_a_socket_of_the_wrong_kind_is_made_and_not_waited_for() {
    let events = play("7");
    let errors: Vec<(&str, &str)> =
        events.iter().filter_map(|event| Some((event["call"].as_str()?, event["errno"].as_str()?))).collect();
    assert_eq!(errors, [("recv", "ENOTCONN"), ("accept", "EINVAL"), ("recv", "EINVAL"), ("accept", "EOPNOTSUPP")]);
    assert!(events.iter().all(|event| event["kind"] != "wait"), "{events:#?}");
}

#[test]
fn without_the_baton_a_role_that_waits_for_its_program_is_not_taken_for_one_that_waits_for_ever() {
    let output = run(fixture("waiting-roles").args(["--free", "--scene", "17"]));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("answered") && !text.contains("=>"), "{text}");
}

#[test]
fn scenes_have_hosts_of_their_own() {
    // Both scenes bind the same port, and the first one's server closed first: on one host that would be refused.
    let output = run(fixture("waiting-roles").args(["--repeat", "3", "--baton"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_deadline_begins_when_nobody_else_can_act_and_its_length_is_told_as_a_class() {
    let events = play("8");
    let received = |role: &str| -> Vec<(i64, String)> {
        let of_role = of(&events, role);
        let calls = of_role.iter().filter(|event| event["kind"] == "call" && event["call"] == "recvfrom");
        calls.map(|call| (call["ret"].as_i64().expect("a number"), call["after"].to_string())).collect()
    };
    assert_eq!(received("hears"), [(3, "null".to_owned()), (-1, "\"about 200 ms\"".to_owned())]);
    assert_eq!(received("tires"), [(-1, "\"about 1 s\"".to_owned())]);
    // It has waited from the beginning on, and ends after the shorter one.
    let last = |role: &str| of(&events, role).last().and_then(|event| event["n"].as_u64());
    assert!(last("hears") < last("tires"));
}

#[test]
fn a_pause_begins_when_nobody_else_can_act() {
    let events = play("12");
    let at = |what: &dyn Fn(&Json) -> bool| events.iter().position(what).expect("it is there");
    let other = at(&|event| event["text"] == "second went on");
    let waits = at(&|event| event["kind"] == "wait" && event["role"] == "rests");
    let over = at(&|event| event["call"] == "poll" && event["kind"] == "call");
    assert!(waits < other && other < over);
    assert_eq!(events[over]["ret"], 0);
}

#[test]
fn the_call_that_kills_its_role_is_told_to_have_begun() {
    let events = play("13");
    let mortal = of(&events, "mortal");
    assert_eq!(kinds(&mortal, "send"), ["call", "begin"]);
    assert_eq!(mortal.last().expect("an end")["exit"]["signal"], 13);
    assert!(mortal.iter().all(|event| event["text"] != "alive"));
}

#[test]
fn a_role_that_goes_round_is_left_when_nobody_can_stop_it_and_no_earlier() {
    let events = play("9");
    let finding = events.iter().find(|event| event["kind"] == "finding").expect("a finding");
    assert_eq!(finding["finding"], "a role goes round");
    let heard = events.iter().position(|event| event["text"] == "heard").expect("it heard what was said to it");
    let later = events[heard..].iter().filter(|event| event["text"] == "nothing").count();
    assert_eq!(later, 3, "three rounds are shown of those that nobody stops");
}

#[test]
fn at_a_slow_users_prompt_all_others_go_first() {
    let events = play("10");
    let told: Vec<&str> = events
        .iter()
        .filter(|event| ["input", "print"].contains(&event["kind"].as_str().unwrap_or("")))
        .map(|event| event["text"].as_str().unwrap_or("end"))
        .collect();
    assert_eq!(told, ["a", "heard 1", "b", "heard 2", "end"]);
}

#[test]
fn calls_at_full_speed_are_told_in_their_order_the_same_ones_as_one() {
    let events = play("11");
    let told: Vec<(&str, u64)> = of(&events, "hurries")
        .iter()
        .filter(|event| event["kind"] == "call")
        .map(|event| (event["call"].as_str().expect("a name"), event["times"].as_u64().unwrap_or(1)))
        .collect();
    assert_eq!(told, [("socket", 1), ("bind", 1), ("recv", 100), ("sendto", 2), ("recv", 1), ("close", 1)]);
}

/// What a scene shows under `strace`, and what `strace` saw. It can hold the stage at a system call, and timers of the
/// kernel's go off meanwhile.
fn traced(name: &str, scene: &str, arguments: &[&str]) -> (String, String) {
    let seen = temporary().join(name);
    let mut command = Command::new("strace");
    command.args(arguments).arg("-o").arg(&seen);
    let output = run(command.args(fixture_words("waiting-roles")).args(["--scene", scene]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (text, std::fs::read_to_string(seen).expect("what strace saw"))
}

/// What this scene shows however slow the stage is: the caller is let in, and only then accepted, by its name.
fn is_let_in(text: &str) {
    let line = |words: &str| text.lines().position(|line| line.trim() == words);
    let (connect, accept) =
        (line("second  connect(3, server:9000) = 0"), line("listens  accept(3) = 4 from second:port"));
    assert!(connect.is_some() && connect < accept && !text.contains("=>"), "{text}");
}

#[test]
fn a_role_that_the_last_timer_wakes_while_the_stage_looks_for_timers_goes_on() {
    if !has("strace") {
        return skip("a_role_that_the_last_timer_wakes_while_the_stage_looks_for_timers_goes_on", "there is no strace");
    }
    let table = ["-P", "/proc/thread-self/net/tcp", "-e", "inject=openat:delay_enter=2s:when=1"];
    let (text, seen) = traced("looks-for-timers.strace", "14", &table);
    assert!(seen.contains("(DELAYED)"), "the stage was not held: {seen}");
    is_let_in(&text);
}

#[test]
fn a_call_that_a_timer_ends_while_the_stage_asks_who_is_ready_returns_before_anybody_acts() {
    if !has("strace") {
        return skip("a_call_that_a_timer_ends_while_the_stage_asks_who_is_ready", "there is no strace");
    }
    // Before it first looks for timers, the stage sees that the caller is asleep, and asks for a connection.
    let (_, seen) = traced("asks-who-is-ready.strace", "14", &["-e", "trace=getsockopt,openat"]);
    let (before, _) = seen.split_once("net/tcp\"").expect("the stage looks for timers");
    let asks = before.lines().filter(|line| line.starts_with("getsockopt(")).zip(1..);
    let (_, last) = asks.filter(|(line, _)| line.contains("SO_ACCEPTCONN")).last().expect("the stage asks");
    let inject = format!("inject=getsockopt:delay_enter=2s:when={last}");
    let (text, seen) = traced("asks-who-is-ready.strace", "14", &["-e", "trace=getsockopt", "-e", &inject]);
    assert!(seen.lines().any(|line| line.contains("SO_ACCEPTCONN") && line.contains("(DELAYED)")), "{seen}");
    is_let_in(&text);
}

#[test]
fn deadlines_are_told_in_the_same_way_by_a_stage_that_is_too_slow_to_see_the_waits() {
    if !has("strace") {
        return skip("deadlines_are_told_in_the_same_way_by_a_stage_that_is_too_slow", "there is no strace");
    }
    let (text, _) = traced("quick.strace", "16", &["-e", "trace=openat"]);
    let wait = "or the end of its time";
    assert_eq!(text.lines().filter(|line| line.contains(wait)).count(), 3, "{text}");
    assert!(text.contains("recv(4, up to 10) = -1 EAGAIN, after about 200 ms"), "{text}");
    // Each look at a role that may be asleep begins so.
    let slow = ["-e", "trace=openat", "-e", "inject=openat:delay_enter=150ms:when=20+"];
    let (late, seen) = traced("slow.strace", "16", &slow);
    assert!(seen.lines().any(|line| line.contains("/syscall") && line.contains("(DELAYED)")), "{seen}");
    assert_eq!(late, text);
}

#[test]
fn rounds_that_a_transcript_leaves_out_are_in_the_trace_and_shown_step_by_step() {
    let play = |arguments: &[&str], typed: &str| {
        let mut command = fixture("waiting-roles");
        let mut child = command
            .args(["--scene", "15"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("a pipe").write_all(typed.as_bytes()).expect("keys are pressed");
        String::from_utf8(finish(child).stdout).expect("UTF-8")
    };
    let received =
        |text: &str| text.lines().filter(|line| line.contains("recvfrom(3") && line.contains("hello")).count();
    let brief = play(&[], "");
    assert!(brief.contains("… 95 more rounds like these …"), "{brief}");
    assert_eq!(received(&brief), 5, "{brief}");
    assert!(brief.contains("from writer:port100\n"), "{brief}");
    let steps = play(&["--step"], &"\n".repeat(10_000));
    assert_eq!(received(&steps), 100);
    assert!(!steps.contains("more rounds"));
    let events = self::play("15");
    let calls = of(&events, "hears").into_iter().filter(|event| event["kind"] == "call" && event["call"] == "recvfrom");
    assert_eq!(calls.count(), 100);
}
