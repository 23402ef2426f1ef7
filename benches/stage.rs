//! What the stage costs, each figure beside its baseline, taken in turns in one run: `just bench`.
//!
//! The machine's speed drifts, so hold the ratios, not the figures.

use std::hint::black_box;
use std::net::{SocketAddr, UdpSocket};
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketType};
use socklab::socket::{Domain, Socket, Type};
use socklab::stage::{self, Choice, Hosts, PATIENCE, Play, RolePlay, Teller, Watch};
use socklab::trace::{Event, Host, What};
use socklab::wire::{Kind, Plan};

/// How often each figure is taken.
const ROUNDS: usize = 201;

/// Calls in one round of the measurement of a single call: as many sends as receives.
const CALLS: u32 = 2000;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("bare-server") => return bare_server(),
        Some("bare-client") => return bare_client(),
        Some("enter") => return enter(Choice::Best),
        Some("enter-tap") => return enter(by_wire(Kind::Tap)),
        Some("enter-veth") => return enter(by_wire(Kind::Veth)),
        _ => {}
    }
    println!("medians of {ROUNDS} rounds, taken in turns\n");
    println!("{:<54} {:>10} {:>10} {:>7}", "", "ours", "baseline", "ratio");
    a_whole_demo();
    a_traced_call();
    entering_the_stage();
}

/// Lab 01's program, beside a bare program that makes the same calls in two processes.
fn a_whole_demo() {
    let demo = || time(Command::new(env!("CARGO_BIN_EXE_lab-01-udp-echo")).args(["--scene", "1"]));
    let bare = || time(&mut this("bare-server"));
    row("lab 01, scene 1, from start to end: beside a bare program", in_turns(demo, bare));
    let empty = || time(&mut Command::new("true"));
    row("the bare program: beside an empty one", in_turns(bare, empty));
}

/// The same calls in a role under the baton, free-running, by hand, and without us.
fn a_traced_call() {
    let per_call = |time: Duration| time / CALLS;
    let baton = || per_call(in_a_role(false));
    let free = || per_call(in_a_role(true));
    let by_hand = || per_call(traced_calls());
    let bare = || per_call(bare_calls());
    // Few rounds: each is thousands of calls.
    row("a traced call under the baton: beside a bare one", in_some_turns(21, baton, bare));
    row("a traced call, free-running: beside a bare one", in_some_turns(21, free, bare));
    row("a call by hand: beside a bare one", in_some_turns(21, by_hand, bare));
}

/// Entering a private host, in a process of its own each time, beside the start of an empty process.
fn entering_the_stage() {
    let inside = |how: &str| {
        let output = this(how).output().expect("this program starts");
        let micros = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number of microseconds");
        Duration::from_micros(micros)
    };
    let empty = || time(&mut Command::new("true"));
    row("entering a private host: beside starting a process", in_turns(|| inside("enter"), empty));
    row("entering two hosts with a wire, TAP: beside the same", in_turns(|| inside("enter-tap"), empty));
    row("entering two hosts with a wire, veth: beside the same", in_turns(|| inside("enter-veth"), empty));
}

fn by_wire(kind: Kind) -> Choice {
    Choice::Wire(Plan { kind: Some(kind), ..Plan::default() })
}

fn this(part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(part);
    command
}

fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("the program starts");
    let took = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

fn in_turns(ours: impl Fn() -> Duration, baseline: impl Fn() -> Duration) -> (Duration, Duration) {
    in_some_turns(ROUNDS, ours, baseline)
}

fn in_some_turns(rounds: usize, ours: impl Fn() -> Duration, baseline: impl Fn() -> Duration) -> (Duration, Duration) {
    let _warm_up = (ours(), baseline());
    let (mut a, mut b): (Vec<_>, Vec<_>) = (0..rounds).map(|_| (ours(), baseline())).unzip();
    a.sort();
    b.sort();
    (a[rounds / 2], b[rounds / 2])
}

fn row(what: &str, (ours, baseline): (Duration, Duration)) {
    let ratio = ours.as_secs_f64() / baseline.as_secs_f64();
    println!("{what:<54} {:>10} {:>10} {ratio:>7.2}", shown(ours), shown(baseline));
}

fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.2} ms", micros / 1000.0) }
}

/// What lab 01's first scene does, without us: this process serves, another one asks twice, with the same calls. Only
/// `getsockname` comes on top, to tell the client where.
fn bare_server() {
    let socket = net::socket(AddressFamily::INET, SocketType::DGRAM, None).expect("socket");
    net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind");
    let address = SocketAddr::try_from(net::getsockname(&socket).expect("getsockname")).expect("an address");
    let mut client = this("bare-client").arg(address.to_string()).spawn().expect("the client starts");
    for _ in 0..2 {
        let mut buf = [0; 1024];
        let (len, _, from) = net::recvfrom(&socket, &mut buf[..], RecvFlags::empty()).expect("recvfrom");
        let answer = buf[..len].to_ascii_uppercase();
        net::sendto(&socket, &answer, SendFlags::empty(), &from.expect("a sender")).expect("sendto");
    }
    client.wait().expect("the client ends");
}

fn bare_client() {
    let server: SocketAddr = std::env::args().nth(2).and_then(|address| address.parse().ok()).expect("an address");
    let socket = net::socket(AddressFamily::INET, SocketType::DGRAM, None).expect("socket");
    for line in ["hello", "straße é 你好"] {
        net::sendto(&socket, line.as_bytes(), SendFlags::empty(), &server).expect("sendto");
        let mut buf = [0; 1024];
        let (len, _, from) = net::recvfrom(&socket, &mut buf[..], RecvFlags::empty()).expect("recvfrom");
        println!("{} ({from:?})", String::from_utf8_lossy(&buf[..len]));
    }
}

fn enter(choice: Choice) {
    let began = Instant::now();
    let mut hosts = Hosts::open(choice);
    let _stage = hosts.prepare(9000, &Plan::default()).expect("a host");
    let took = began.elapsed();
    if let Hosts::Loopback(why) = hosts {
        eprintln!("no private host here ({why}): the figure is that of the fallback");
    }
    println!("{}", took.as_micros());
}

/// A socket sends to itself and receives, over and over.
fn bare_calls() -> Duration {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bind");
    let itself = socket.local_addr().expect("an address");
    let began = Instant::now();
    for _ in 0..CALLS / 2 {
        socket.send_to(b"hello", itself).expect("sendto");
        black_box(socket.recv_from(&mut [0; 16]).expect("recvfrom"));
    }
    began.elapsed()
}

/// The same through our socket.
fn traced_calls() -> Duration {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("bind");
    let itself = socket.local_addr().expect("an address");
    let began = Instant::now();
    for _ in 0..CALLS / 2 {
        socket.send_to(b"hello", &itself).expect("sendto");
        black_box(socket.recv_from(&mut [0; 16]).expect("recvfrom"));
    }
    began.elapsed()
}

/// The same in a role on a stage; the role prints what it took.
fn in_a_role(free: bool) -> Duration {
    let mut took = Duration::ZERO;
    let mut tell = |event: &Event| {
        if let What::Print { text } = &event.what {
            took = Duration::from_nanos(text.parse().expect("a number of nanoseconds"));
        }
        ControlFlow::Continue(())
    };
    let part = || {
        let nanos = traced_calls().as_nanos();
        socklab::say!("{nanos}");
        Ok(())
    };
    let role = RolePlay { name: "role", lines: Vec::new(), part: Box::new(part) };
    let play = Play {
        scene: 1,
        roles: vec![role],
        endpoint: (SocketAddr::from(([127, 0, 0, 1], 9000)), "server:9000".to_owned()),
        host: Host::Local,
        wire: None,
        watch: Watch::default(),
        patience: PATIENCE,
        free,
    };
    stage::play(play, &mut Teller::new(&mut tell)).expect("a play");
    took
}
