//! A sandbox starts a program, looks at it, talks to it and ends it; what the program does stays inside.

mod support;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use socket2::Type;
use socklab::sandbox::{
    Fault, How, Input, Layer, Layers, Limit, Limits, Order, Parcel, Process, Program, Sandbox, Transport,
};
use support::skip;

/// A bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

fn keeper() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_socklab"))
}

/// An order for what this machine can do, or `None` if that is not a private host.
fn order(test: &str) -> Option<Order> {
    let layers = Layers::here(&keeper());
    if !layers.has(Layer::Network) || !layers.has(Layer::Processes) {
        skip(test, "sandboxes with private hosts take user namespaces");
        return None;
    }
    Some(Order { layers, keeper: keeper(), ..Order::default() })
}

fn program(argv: &[&str]) -> Program {
    let env = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    Program { argv: argv.iter().map(Into::into).collect(), env, input: Input::Nothing }
}

fn shell(script: &str) -> Program {
    program(&["/bin/sh", "-c", script])
}

/// Waits until the program has ended.
fn end(sandbox: &mut Sandbox) {
    while sandbox.ended().is_none() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
    }
}

/// Runs a script to its end, and returns how that was, what it wrote, and how many processes it left.
fn run(order: &Order, script: &str) -> (How, String, u64) {
    let mut sandbox = Sandbox::open(order).expect("a sandbox");
    sandbox.start(&shell(script)).expect("a start");
    end(&mut sandbox);
    let how = sandbox.ended().expect("an end").how.clone();
    let text = String::from_utf8_lossy(&sandbox.output().stdout.kept).into_owned();
    (how, text, sandbox.close().expect("it closes").stopped)
}

/// Looks until the one process there is asleep in a call.
fn asleep(sandbox: &mut Sandbox) -> (Process, (i64, [u64; 6])) {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let mut processes = sandbox.look().expect("a look");
        assert_eq!(processes.len(), 1, "{processes:?}");
        if let Some(call) = processes[0].threads[0].call {
            return (processes.remove(0), call);
        }
    }
    panic!("it has not gone to sleep within {PATIENCE:?}");
}

/// A server in the shell's own language does not exist; this one is Python.
const ECHO: &str = "
import socket
listener = socket.socket()
listener.bind(('127.0.0.1', 9000))
listener.listen()
while True:
    conn, _ = listener.accept()
    while data := conn.recv(100):
        conn.sendall(data)
";

#[test]
fn a_program_runs_to_its_end_and_its_exit_code_and_words_come_out() {
    let Some(order) = order("a_program_runs_to_its_end_and_its_exit_code_and_words_come_out") else { return };
    assert_eq!(run(&order, "echo words; exit 7"), (How::Exited(7), "words\n".into(), 0));
    assert_eq!(run(&order, "kill -SEGV $$"), (How::Killed("SIGSEGV".into()), String::new(), 0));
}

#[test]
fn input_is_given_whole_and_then_ends() {
    let Some(order) = order("input_is_given_whole_and_then_ends") else { return };
    let mut sandbox = Sandbox::open(&order).expect("a sandbox");
    // More than a pipe holds.
    let input = vec![b'x'; 300_000];
    sandbox.start(&Program { input: Input::Lines(input), ..shell("wc -c") }).expect("a start");
    end(&mut sandbox);
    assert_eq!(sandbox.output().stdout.kept, b"300000\n");
}

#[test]
fn two_sandboxes_have_the_same_port_and_a_peer_outside_talks_to_each() {
    let test = "two_sandboxes_have_the_same_port_and_a_peer_outside_talks_to_each";
    let Some(order) = order(test) else { return };
    if !Path::new("/usr/bin/python3").exists() {
        return skip(test, "/usr/bin/python3 is not installed");
    }
    let mut sandboxes: Vec<Sandbox> = (0..2).map(|_| Sandbox::open(&order).expect("a sandbox")).collect();
    for sandbox in &mut sandboxes {
        sandbox.start(&program(&["/usr/bin/python3", "-c", ECHO])).expect("a start");
    }
    for sandbox in &mut sandboxes {
        while !sandbox.sockets().expect("sockets").iter().any(|socket| socket.is_ready()) {
            sandbox.wait(&mut [], Duration::from_micros(200)).expect("a wait");
            assert_eq!(sandbox.ended(), None);
        }
        assert_eq!(sandbox.address().port(), 9000);
        let mut peer = sandbox.socket(Type::STREAM).expect("a socket");
        peer.connect(&sandbox.address().into()).expect("a connection");
        peer.write_all(b"hello").expect("sent");
        let mut back = [0; 5];
        peer.read_exact(&mut back).expect("an answer");
        assert_eq!(&back, b"hello");
        let (python, call) = asleep(sandbox);
        assert_eq!((python.name.as_str(), call.0), ("python3", libc::SYS_recvfrom));
        let ours = python.sockets.iter().find(|(fd, _)| *fd as u64 == call.1[0]).expect("the socket it sleeps on");
        let table = sandbox.sockets().expect("sockets");
        let found = table.iter().find(|socket| u64::from(socket.inode) == ours.1).expect("its socket");
        assert_eq!((found.transport, found.state, found.local.port()), (Transport::Tcp, "ESTABLISHED", 9000));
    }
    for sandbox in sandboxes {
        assert_eq!(sandbox.close().expect("it closes").stopped, 1);
    }
}

#[test]
fn what_was_left_running_is_killed_and_counted() {
    let Some(order) = order("what_was_left_running_is_killed_and_counted") else { return };
    let (how, _, left) = run(&order, "for n in 1 2 3; do setsid sleep 1000 & done; exit 4");
    assert_eq!((how, left), (How::Exited(4), 3));
}

#[test]
fn a_program_may_be_killed_and_the_next_one_started_on_the_same_host() {
    let Some(order) = order("a_program_may_be_killed_and_the_next_one_started_on_the_same_host") else { return };
    let mut sandbox = Sandbox::open(&order).expect("a sandbox");
    sandbox.start(&shell("echo one > note; echo first; sleep 1000")).expect("a start");
    while sandbox.output().stdout.kept.is_empty() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
    }
    assert!(sandbox.kill_program().expect("it dies").stopped >= 1);
    assert_eq!(sandbox.ended().expect("an end").how, How::Killed("SIGKILL".into()));
    sandbox.start(&shell("cat note")).expect("a second start");
    end(&mut sandbox);
    assert_eq!(sandbox.output().stdout.kept, b"one\n");
}

#[test]
fn limits_end_a_program_and_are_named() {
    let Some(mut order) = order("limits_end_a_program_and_are_named") else { return };
    let met = |order: &Order, script: &str| {
        let mut sandbox = Sandbox::open(order).expect("a sandbox");
        sandbox.start(&shell(script)).expect("a start");
        end(&mut sandbox);
        sandbox.ended().expect("an end").limit
    };
    assert_eq!(met(&order, "yes"), Some(Limit::Output));
    assert_eq!(met(&order, "head -c 20000000 /dev/zero > file"), None, "the shell goes on");
    assert_eq!(met(&order, "exec head -c 20000000 /dev/zero > file"), Some(Limit::FileSize));
    order.limits = Limits { cpu: Duration::from_secs(1), ..order.limits };
    assert_eq!(met(&order, "while :; do :; done"), Some(Limit::Cpu));
    order.limits = Limits { wall: Duration::from_millis(100), ..order.limits };
    assert_eq!(met(&order, "trap '' TERM; sleep 1000"), Some(Limit::Wall));
}

#[test]
fn a_parcel_goes_in_and_what_a_build_has_made_comes_out() {
    let Some(order) = order("a_parcel_goes_in_and_what_a_build_has_made_comes_out") else { return };
    let folder = std::env::temp_dir().join(format!("socklab-parcel-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner/.hidden")).expect("a folder");
    std::fs::write(folder.join("inner/source"), "text\n").expect("a file");
    std::fs::write(folder.join("inner/.hidden/secret"), "secret\n").expect("a file");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).expect("a link");
    let parcel = Parcel::of_folder(&folder, &[]);
    std::fs::remove_dir_all(&folder).expect("it goes");
    let mut sandbox = Sandbox::open(&Order { parcel: parcel.expect("a parcel"), ..order.clone() }).expect("a sandbox");
    let build = "find . | sort; cp inner/source built; chmod +x built; ln -s /etc/passwd link; mkfifo fifo";
    sandbox.start(&shell(build)).expect("a start");
    end(&mut sandbox);
    assert_eq!(sandbox.output().stdout.kept, b".\n./inner\n./inner/source\n");
    let parcel = sandbox.pack().expect("a parcel");
    let found = run(&Order { parcel, ..order }, "find . -type f | sort; test -x built && cat built");
    assert_eq!(found, (How::Exited(0), "./built\n./inner/source\ntext\n".into(), 0));
}

#[test]
fn a_program_that_cannot_be_started_is_a_fault_and_no_end() {
    let Some(order) = order("a_program_that_cannot_be_started_is_a_fault_and_no_end") else { return };
    let mut sandbox = Sandbox::open(&order).expect("a sandbox");
    let Fault { step, errno, .. } = sandbox.start(&program(&["/no/such/program"])).expect_err("a fault");
    assert_eq!((step.as_str(), errno), ("execve(/no/such/program)", Some(libc::ENOENT)));
    assert_eq!(sandbox.ended(), None);
    sandbox.start(&shell("exit 3")).expect("a start");
    end(&mut sandbox);
    assert_eq!(sandbox.ended().expect("an end").how, How::Exited(3));
}
