//! A sandbox starts a program, looks at it, talks to it and ends it; what the program does stays inside.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use socket2::Type;
use socklab::sandbox::{
    Archive, Excess, Fault, Folder, HostSocket, How, Input, Layer, Layers, Limit, Limits, Process, Program, Sandbox,
    SandboxConfig, Transport, resolve,
};
use socklab::trace::TcpState;

use crate::support::{fixture, run as run_command, skip, temporary};

/// A bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

fn keeper() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_socklab"))
}

/// A config for what this machine can do, or `None` if that is not a private host.
fn config(test: &str) -> Option<SandboxConfig> {
    let layers = Layers::here(&keeper());
    if !layers.has(Layer::Network) || !layers.has(Layer::Processes) {
        skip(test, "sandboxes with private hosts take user namespaces");
        return None;
    }
    Some(SandboxConfig { layers, keeper: keeper(), ..SandboxConfig::default() })
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
fn run(config: &SandboxConfig, script: &str) -> (How, String, u64) {
    let mut sandbox = Sandbox::open(config).expect("a sandbox");
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
        let mut processes = sandbox.look().expect("a look").processes;
        assert_eq!(processes.len(), 1, "{processes:?}");
        if let Some(call) = processes[0].threads[0].call {
            return (processes.remove(0), call);
        }
        sandbox.wait(&mut [], Duration::from_millis(1)).expect("a wait");
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
    let Some(config) = config("a_program_runs_to_its_end_and_its_exit_code_and_words_come_out") else { return };
    assert_eq!(run(&config, "echo words; exit 7"), (How::Exited(7), "words\n".into(), 0));
    assert_eq!(run(&config, "kill -SEGV $$"), (How::Killed("SIGSEGV".into()), String::new(), 0));
}

#[test]
fn input_is_given_whole_and_then_ends() {
    let Some(config) = config("input_is_given_whole_and_then_ends") else { return };
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    // More than a pipe holds.
    let input = vec![b'x'; 300_000];
    sandbox.start(&Program { input: Input::Lines(input), ..shell("wc -c") }).expect("a start");
    end(&mut sandbox);
    assert_eq!(sandbox.output().stdout.kept, b"300000\n");
}

#[test]
fn two_sandboxes_have_the_same_port_and_a_peer_outside_talks_to_each() {
    let test = "two_sandboxes_have_the_same_port_and_a_peer_outside_talks_to_each";
    let Some(config) = config(test) else { return };
    if !Path::new("/usr/bin/python3").exists() {
        return skip(test, "/usr/bin/python3 is not installed");
    }
    let mut sandboxes: Vec<Sandbox> = (0..2).map(|_| Sandbox::open(&config).expect("a sandbox")).collect();
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
        assert_eq!((found.transport, found.state, found.local.port()), (Transport::Tcp, TcpState::Established, 9000));
    }
    for sandbox in sandboxes {
        assert_eq!(sandbox.close().expect("it closes").stopped, 1);
    }
}

#[test]
fn what_was_left_running_is_killed_and_counted() {
    let Some(config) = config("what_was_left_running_is_killed_and_counted") else { return };
    let (how, _, left) = run(&config, "for n in 1 2 3; do setsid sleep 1000 & done; exit 4");
    assert_eq!((how, left), (How::Exited(4), 3));
}

#[test]
fn a_program_may_be_killed_and_the_next_one_started_on_the_same_host() {
    let Some(config) = config("a_program_may_be_killed_and_the_next_one_started_on_the_same_host") else { return };
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
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
    let Some(mut config) = config("limits_end_a_program_and_are_named") else { return };
    let met = |config: &SandboxConfig, script: &str| {
        let mut sandbox = Sandbox::open(config).expect("a sandbox");
        sandbox.start(&shell(script)).expect("a start");
        end(&mut sandbox);
        sandbox.ended().expect("an end").limit
    };
    assert_eq!(met(&config, "yes"), Some(Limit::Output));
    assert_eq!(met(&config, "head -c 20000000 /dev/zero > file"), None, "the shell goes on");
    assert_eq!(met(&config, "exec head -c 20000000 /dev/zero > file"), Some(Limit::FileSize));
    config.limits = Limits { cpu: Duration::from_secs(1), ..config.limits };
    assert_eq!(met(&config, "while :; do :; done"), Some(Limit::Cpu));
    config.limits = Limits { wall: Duration::from_millis(100), ..config.limits };
    assert_eq!(met(&config, "trap '' TERM; sleep 1000"), Some(Limit::Wall));
}

#[test]
fn an_archive_goes_in_and_what_a_build_has_made_comes_out() {
    let Some(config) = config("an_archive_goes_in_and_what_a_build_has_made_comes_out") else { return };
    let folder = std::env::temp_dir().join(format!("socklab-archive-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner/.hidden")).expect("a folder");
    std::fs::write(folder.join("inner/source"), "text\n").expect("a file");
    std::fs::write(folder.join("inner/.hidden/secret"), "secret\n").expect("a file");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).expect("a link");
    std::os::unix::fs::symlink("inner/.hidden/secret", folder.join("shown")).expect("a link");
    std::os::unix::fs::symlink("../inner", folder.join("inner/loop")).expect("a link");
    std::os::unix::fs::symlink(".hidden", folder.join("inner/dark")).expect("a link");
    let archive = Archive::of_folder(&Folder::open(&folder).expect("the folder"), &[]);
    std::fs::remove_dir_all(&folder).expect("it goes");
    let archive = archive.expect("an archive");
    let left: Vec<_> =
        archive.left_behind().first.iter().map(|(path, why)| (path.to_str().expect("UTF-8"), *why)).collect();
    let expected = [("link", "leads out of the folder"), ("inner/dark", "leads to what does not come along")];
    assert_eq!(left, expected);
    assert_eq!(archive.left_behind().count, 2);
    let mut sandbox = Sandbox::open(&SandboxConfig { archive, ..config.clone() }).expect("a sandbox");
    let build = "find . | sort; cat shown inner/loop/loop/source; cp inner/source built; chmod +x built; \
                 ln -s /etc/passwd link; mkfifo fifo";
    sandbox.start(&shell(build)).expect("a start");
    end(&mut sandbox);
    assert_eq!(sandbox.output().stdout.kept, b".\n./inner\n./inner/loop\n./inner/source\n./shown\nsecret\ntext\n");
    let archive = sandbox.pack().expect("no fault").expect("an archive");
    let found = run(&SandboxConfig { archive, ..config }, "find . -type f | sort; test -x built && cat built");
    assert_eq!(found, (How::Exited(0), "./built\n./inner/source\n./shown\ntext\n".into(), 0));
}

#[test]
fn a_program_that_cannot_be_started_is_a_fault_and_no_end() {
    let Some(config) = config("a_program_that_cannot_be_started_is_a_fault_and_no_end") else { return };
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    let Fault { step, errno, .. } = sandbox.start(&program(&["/no/such/program"])).expect_err("a fault");
    assert_eq!((step.as_str(), errno), ("execve(/no/such/program)", Some(libc::ENOENT)));
    assert_eq!(sandbox.ended(), None);
    sandbox.start(&shell("exit 3")).expect("a start");
    end(&mut sandbox);
    assert_eq!(sandbox.ended().expect("an end").how, How::Exited(3));
}

#[test]
fn a_wait_ends_when_one_of_ours_is_ready() {
    let Some(config) = config("a_wait_ends_when_one_of_ours_is_ready") else { return };
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    let listener = sandbox.socket(Type::STREAM).expect("a socket");
    listener.bind(&sandbox.address().into()).expect("bound");
    listener.listen(1).expect("it listens");
    sandbox.start(&shell("exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/9000; sleep 1000'")).expect("a start");
    let mut ours = [PollFd::new(&listener, PollFlags::IN)];
    let began = Instant::now();
    while ours[0].revents().is_empty() {
        sandbox.wait(&mut ours, PATIENCE).expect("a wait");
        assert_eq!(sandbox.ended(), None, "{:?}", sandbox.output());
        assert!(began.elapsed() < PATIENCE, "nobody connects");
    }
    listener.accept().expect("a connection");
}

#[test]
fn a_time_that_is_over_ends_a_wait() {
    let Some(config) = config("a_time_that_is_over_ends_a_wait") else { return };
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    sandbox.start(&shell("sleep 1000")).expect("a start");
    let began = Instant::now();
    sandbox.wait(&mut [], Duration::from_millis(50)).expect("a wait");
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!((sandbox.ended(), sandbox.output().total()), (None, 0));
}

#[test]
fn a_look_is_bounded_however_many_threads_and_sockets_there_are() {
    let test = "a_look_is_bounded_however_many_threads_and_sockets_there_are";
    let Some(config) = config(test) else { return };
    if !Path::new("/usr/bin/python3").exists() {
        return skip(test, "/usr/bin/python3 is not installed");
    }
    // Twenty processes with 200 sockets each, under a name that is no text.
    let many = "import ctypes, os, signal, socket
ctypes.CDLL(None).prctl(15, b') R 1 \\xff', 0, 0, 0)
held = [socket.socket() for _ in range(200)]
for _ in range(19):
    if os.fork() == 0: signal.pause()
print('ready', flush=True)
signal.pause()";
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    sandbox.start(&program(&["/usr/bin/python3", "-c", many])).expect("a start");
    while sandbox.output().stdout.kept.is_empty() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
        assert_eq!(sandbox.ended(), None, "{:?}", sandbox.output());
    }
    let processes = sandbox.look().expect("a look").processes;
    assert_eq!(processes.len(), 20);
    assert!(processes[0].name.starts_with(") R 1 "), "{:?}", processes[0].name);
    let sockets: usize = processes.iter().map(|process| process.sockets.len()).sum();
    assert!((200..=1000).contains(&sockets), "{sockets}");
    assert_eq!(sandbox.kill_program().expect("it dies").stopped, 20);
    assert_eq!(sandbox.look().expect("a look").processes, []);
}

#[test]
fn what_a_program_leaves_for_an_archive_may_be_hostile() {
    let Some(mut config) = config("what_a_program_leaves_for_an_archive_may_be_hostile") else { return };
    config.limits.scratch_mib = 128;
    let left = |script: &str| {
        let mut sandbox = Sandbox::open(&config).expect("a sandbox");
        sandbox.start(&shell(script)).expect("a start");
        end(&mut sandbox);
        sandbox.pack().expect("no fault")
    };
    let odd = "mkfifo fifo; ln -s /proc/1/environ link; ln -s / dir; mkdir -p a/b/c; touch \"a/b/c/$(printf 'x\\ny')\"";
    let archive = left(odd).expect("an archive");
    let list = "find . -mindepth 1 | wc -l; find . -type l -o -type p";
    assert_eq!(run(&SandboxConfig { archive, ..config.clone() }, list).1, "5\n");
    let deep = "i=0; while [ $i -lt 300 ]; do mkdir 0123456789; cd 0123456789; i=$((i+1)); done; echo x > file";
    left(deep).expect("a deep folder is a folder");
    let many = "mkdir d; cd d; seq 4000 | xargs touch; mkdir e; seq -f e/%g 80 | xargs touch";
    left(many).expect("so many are allowed");
    let large = "for n in 1 2 3 4 5; do head -c 15000000 /dev/zero > file$n; done";
    assert_eq!(left(large).expect_err("too much"), Excess::Bytes);
    let deeper = "d=$(printf %0200d 1); i=0; while [ $i -lt 25 ]; do mkdir $d; cd ./$d; i=$((i+1)); done";
    assert_eq!(left(deeper).expect_err("too deep"), Excess::Path);
}

#[test]
fn a_hundred_sandboxes_leave_nothing() {
    if config("a_hundred_sandboxes_leave_nothing").is_none() {
        return;
    }
    let output = run_command(fixture("many-sandboxes").arg(keeper()));
    let left = String::from_utf8_lossy(&output.stdout);
    // The last keeper may still be there.
    assert!(matches!(left.trim(), "0" | "1"), "{left} {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_program_is_found_as_a_shell_finds_it_and_shims_are_seen_through() {
    let nowhere = Path::new("/proc");
    let shell = resolve(OsStr::new("sh"), nowhere).expect("a shell");
    assert!(shell.path.ends_with("sh") && shell.visible.is_empty(), "{shell:?}");
    assert!(resolve(OsStr::new("no-such-program"), nowhere).is_err());
    assert!(resolve(OsStr::new("./no-such-program"), nowhere).is_err());
    let here = temporary().join("bin");
    std::fs::create_dir_all(&here).expect("a folder");
    std::fs::copy("/bin/true", here.join("mine")).expect("a program");
    let own = resolve(OsStr::new("./mine"), &here).expect("one's own");
    assert_eq!((own.path.as_path(), own.visible.len()), (Path::new("./mine"), 0));
    let above = resolve(OsStr::new("bin/mine"), here.parent().expect("a folder")).expect("one's own");
    assert_eq!(above.path, Path::new("./bin/mine"));
    // Outside, nothing comes along with it: not the folder that its `bin` is in.
    let installed = resolve(here.join("mine").as_os_str(), nowhere).expect("installed");
    assert_eq!(installed.visible, [here.join("mine").canonicalize().expect("a path")]);
    if let Ok(python) = resolve(OsStr::new("python3"), nowhere) {
        let out = std::process::Command::new(&python.path).args(["-c", "import sys; print(sys.executable)"]).output();
        let text = String::from_utf8(out.expect("it runs").stdout).expect("UTF-8");
        assert_eq!(text.trim(), python.path.to_str().expect("UTF-8"));
        for folder in &python.visible {
            let home = std::env::var_os("HOME").map(PathBuf::from).expect("a home");
            assert!(!home.starts_with(folder), "{python:?}");
        }
    }
}

#[test]
fn the_hosts_sockets_are_listed_of_both_kinds_and_families() {
    let test = "the_hosts_sockets_are_listed_of_both_kinds_and_families";
    let Some(config) = config(test) else { return };
    if !Path::new("/usr/bin/python3").exists() {
        return skip(test, "/usr/bin/python3 is not installed");
    }
    let script = "import socket, time
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.bind(('', 9000))
both = socket.create_server(('::', 9001), family=socket.AF_INET6, dualstack_ipv6=True, backlog=7)
print('ready', flush=True)
time.sleep(1000)";
    let mut sandbox = Sandbox::open(&config).expect("a sandbox");
    assert_eq!(sandbox.sockets().expect("a list"), []);
    sandbox.start(&program(&["/usr/bin/python3", "-c", script])).expect("a start");
    while sandbox.output().stdout.kept.is_empty() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
        assert_eq!(sandbox.ended(), None, "{:?}", sandbox.output());
    }
    // A peer that nobody has accepted yet, and a datagram that nobody reads.
    let peer = sandbox.socket(Type::STREAM).expect("a socket");
    peer.connect(&SocketAddr::from(([127, 0, 0, 1], 9001)).into()).expect("a connection");
    let sender = sandbox.socket(Type::DGRAM).expect("a socket");
    sender.send_to(b"hello", &sandbox.address().into()).expect("sent");
    let list = sandbox.sockets().expect("a list");
    let find = |transport, state, port| {
        let is_it = |socket: &&HostSocket| {
            (socket.transport, socket.state, socket.local.port()) == (transport, state, port) && socket.is_ready()
        };
        list.iter().find(is_it).unwrap_or_else(|| panic!("{transport:?} {state} {port} in {list:?}"))
    };
    let udp = find(Transport::Udp, TcpState::Closed, 9000);
    assert!(udp.local.is_ipv4() && udp.recv_queue > 0, "{udp:?}");
    let listener = find(Transport::Tcp, TcpState::Listen, 9001);
    assert_eq!((listener.local.is_ipv6(), listener.recv_queue, listener.send_queue), (true, 1, 7));
    let waiting = sandbox.waiting_sockets().expect("a list");
    let ready: Vec<&HostSocket> = list.iter().filter(|socket| socket.is_ready()).collect();
    assert_eq!(waiting.iter().collect::<Vec<_>>(), ready);
}

#[test]
fn what_is_visible_is_there_read_only_and_nothing_beside_it() {
    let Some(config) = config("what_is_visible_is_there_read_only_and_nothing_beside_it") else { return };
    let folder = std::env::temp_dir().join(format!("socklab-visible-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("shown/inner")).expect("a folder");
    for name in ["shown/file", "shown/inner/file", "hidden", "alone"] {
        std::fs::write(folder.join(name), name).expect("a file");
    }
    let visible = ["shown/inner", "shown", "alone"].map(|name| folder.join(name)).to_vec();
    let at = folder.display();
    let script = format!("cd {at}; find . -type f | sort; cat shown/inner/file alone; echo x > shown/file || echo no");
    let found = run(&SandboxConfig { visible, ..config }, &format!("({script}) 2>&1"));
    std::fs::remove_dir_all(&folder).expect("it goes");
    let lines: Vec<&str> = found.1.lines().collect();
    assert_eq!(lines[..3], ["./alone", "./shown/file", "./shown/inner/file"], "{found:?}");
    assert_eq!((lines[3].starts_with("shown/inner/filealone"), lines.last()), (true, Some(&"no")), "{found:?}");
}

#[test]
fn sandboxes_without_hosts_of_their_own_have_ports_of_their_own() {
    let config =
        SandboxConfig { layers: Layers::NONE.with(Layer::Limits), keeper: keeper(), ..SandboxConfig::default() };
    let sandboxes: Vec<Sandbox> = (0..5).map(|_| Sandbox::open(&config).expect("a sandbox")).collect();
    let ports: BTreeSet<u16> = sandboxes.iter().map(|sandbox| sandbox.address().port()).collect();
    assert_eq!(ports.len(), 5, "{ports:?}");
    assert!(sandboxes.iter().all(|sandbox| sandbox.protection().tier == 0));
    let folders = |sandbox: &mut Sandbox| {
        sandbox.start(&shell("pwd; echo x > file")).expect("a start");
        end(sandbox);
        String::from_utf8_lossy(&sandbox.output().stdout.kept).trim().to_owned()
    };
    for mut sandbox in sandboxes {
        let folder = folders(&mut sandbox);
        assert!(Path::new(&folder).join("file").exists(), "{folder}");
        sandbox.close().expect("it closes");
        assert!(!Path::new(&folder).exists(), "{folder} is left");
    }
}
