//! Processes and threads that roles make: each is an actor of the trace.

use crate::support::{fixture, run, text};

/// What the demo of these roles shows of a scene, without the blanks before each line.
fn shown(words: &[&str]) -> String {
    let output = run(fixture("dividing-roles").args(words));
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout).lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}

/// Asserts that these lines stand in a text, in this order.
fn in_order(shown: &str, lines: &[&str]) {
    let mut rest = shown;
    for line in lines {
        let at = rest.find(&format!("{line}\n")).unwrap_or_else(|| panic!("no {line} in its place:\n{shown}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn a_connection_ends_when_the_last_process_that_has_it_closes_it() {
    let closed = shown(&["--scene", "1"]);
    in_order(
        &closed,
        &[
            "server  fork() = server/1",
            "server  close(4) = 0",
            "server/1  close(4) = 0",
            "client  ▸ 3 is now CLOSE-WAIT",
            "server/1  ends, and is a zombie until its parent waits for it",
            "client  │ then 0 bytes",
            "server  waitpid(-1) = server/1, exit code 0",
        ],
    );
    assert!(!closed.contains("server  ▸ 4, closed"), "{closed}");
    in_order(
        &shown(&["--scene", "2"]),
        &[
            "server/1  close(4) = 0",
            "server/1  ends, and is a zombie until its parent waits for it",
            "client  waits in recv(3) for data or FIN",
            "=> everyone waits; nobody will ever move",
        ],
    );
}

#[test]
fn a_child_goes_on_when_its_parent_is_killed_and_is_no_zombie_then() {
    let orphan = shown(&["--scene", "4"]);
    in_order(
        &orphan,
        &["server  is killed by SIGKILL", "second-server  │ ESTABLISHED and LISTEN, server/1", "server/1  ends"],
    );
}

#[test]
fn zombies_are_counted_and_waited_for_and_a_killed_child_is_told_with_its_signal() {
    in_order(&shown(&["--scene", "3"]), &["server  │ 3 zombies", "server  │ 0 zombies"]);
    in_order(&shown(&["--scene", "6"]), &["server  waitpid(server/1) = server/1, SIGKILL"]);
    in_order(&shown(&["--scene", "5"]), &["server/1/1  waitpid(-1) = -1 ECHILD", "server  waitpid(-1) = -1 ECHILD"]);
}

#[test]
fn a_thread_has_its_processs_descriptors_and_ends_with_it() {
    in_order(
        &shown(&["--scene", "7"]),
        &[
            "server  pthread_create() = 0, thread server/1",
            "server/1  close(4) = 0",
            "client  │ then 0 bytes",
            "server  accept(3) = 4 from client:port2",
            "server  pthread_join(server/2) = 0",
        ],
    );
    in_order(&shown(&["--scene", "8"]), &["server/1  waits in accept(3) for a connection", "server  ends"]);
}

#[test]
fn without_the_baton_children_are_told_too() {
    for scene in ["1", "3", "5", "6", "7"] {
        let free = shown(&["--scene", scene, "--free"]);
        assert!(free.contains("server/1  "), "{free}");
    }
}
