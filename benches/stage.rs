//! What the stage costs, each figure beside its baseline, taken in turns in one run: `just bench`.
//!
//! The machine's speed drifts, so hold the ratios, not the figures.

mod support;

use std::hint::black_box;
use std::net::{SocketAddr, UdpSocket};
use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketType};
use socklab::lab;
use socklab::socket::{Domain, Socket, Type};
use socklab::stage::{self, Choice, Ending, EventSink, Hosts, PATIENCE, Play, RolePlay, Watch, WhenSlow};
use socklab::trace::{Event, Fate, Host, What};
use socklab::wire::{self, LinkKind, Plan};
use support::{in_some_turns, row, time};

/// How often each figure is taken.
const ROUNDS: usize = 201;

/// Calls in one round of the measurement of a single call: as many sends as receives.
const CALLS: u32 = 2000;

/// Bytes that a datagram carries in a small frame, and in a full one.
const SMALL: usize = 64;
const FULL: usize = 1472;

/// Bytes of a frame before those: Ethernet, IPv4, UDP.
const HEADS: usize = 14 + 20 + 8;

/// So many datagrams are sent before they are received, since any receive queue has room for them; so often.
const BATCH: usize = 32;
const BATCHES: usize = 200;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("bare-server") => return bare_server(),
        Some("bare-client") => return bare_client(),
        Some("enter") => return enter(Choice::Best),
        Some("enter-tap") => return enter(by_wire(LinkKind::Tap)),
        Some("enter-veth") => return enter(by_wire(LinkKind::Veth)),
        Some("forward") => return forward(carry_by_the_wire),
        Some("forward-loopback") => return forward(carry_by_loopback),
        Some("forward-stage") => return forward(carry_by_the_stage),
        _ => {}
    }
    println!("medians of {ROUNDS} rounds, taken in turns\n");
    println!("{:<54} {:>10} {:>10} {:>7}", "", "ours", "baseline", "ratio");
    a_whole_demo();
    a_traced_call();
    entering_the_stage();
    frames_on_the_wire();
}

fn in_turns(ours: impl Fn() -> Duration, baseline: impl Fn() -> Duration) -> (Duration, Duration) {
    in_some_turns(ROUNDS, ours, baseline)
}

/// Lab 01's program, beside a bare program that makes the same calls in two processes.
fn a_whole_demo() {
    let demo = || time(Command::new(env!("CARGO_BIN_EXE_socklab")).args(["lab", "01", "--scene", "1"]));
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

fn by_wire(kind: LinkKind) -> Choice {
    Choice::Wire(Plan { kind: Some(kind), ..Plan::default() })
}

/// Forwarding a frame from one host to the other, in a process of its own each time, beside sending and receiving the
/// same datagram over the kernel's own loopback: bare, and on a stage that takes every frame apart and tells of it.
fn frames_on_the_wire() {
    println!();
    for kind in ["TAP", "veth"] {
        for (name, len) in [("small", SMALL), ("full", FULL)] {
            for (how, words) in [("forward", "forwarded"), ("forward-stage", "and told of")] {
                let per_frame = |how: &str| {
                    let output = this(how).args([kind, &len.to_string()]).output().expect("this program starts");
                    let nanos = String::from_utf8_lossy(&output.stdout).trim().parse();
                    Duration::from_nanos(nanos.expect("a number of nanoseconds"))
                };
                let figures = in_some_turns(21, || per_frame(how), || per_frame("forward-loopback"));
                row(&format!("a {name} frame over {kind}, {words}: beside loopback"), figures);
                let each = figures.0.as_secs_f64();
                let gigabits = (len + HEADS) as f64 * 8.0 / each / 1e9;
                println!("    {:.0} frames a second, {gigabits:.2} Gbit/s", 1.0 / each);
            }
        }
    }
}

fn this(part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(part);
    command
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
    let _stage = hosts.prepare(9000, &Plan::default(), &[]).expect("a host");
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
    let role = RolePlay { name: "role", lines: Vec::new(), slow: false, dies: false, body: Box::new(part) };
    let play = Play {
        scene: 1,
        roles: vec![role],
        endpoint: (SocketAddr::from(([127, 0, 0, 1], 9000)), 9000),
        host: Host::Local,
        wire: None,
        loops_forever: false,
        watch: Watch::default(),
        patience: PATIENCE,
        free,
        when_slow: WhenSlow::Ignore,
    };
    stage::play(play, &mut EventSink::new(&mut tell)).expect("a play");
    took
}

/// Prints how long it takes to carry a datagram, on two hosts with a wire.
fn forward(carry: fn(Hosts, usize) -> Duration) {
    let arguments: Vec<String> = std::env::args().collect();
    let kind = if arguments[2] == "TAP" { LinkKind::Tap } else { LinkKind::Veth };
    let len = arguments[3].parse().expect("a length");
    println!("{}", carry(Hosts::open(by_wire(kind)), len).as_nanos());
}

/// From where a frame comes out of one host until the other one has taken it in.
fn carry_by_the_wire(mut hosts: Hosts, len: usize) -> Duration {
    let (address, wire) = hosts.prepare(9000, &Plan::default(), &[]).expect("two hosts");
    let mut wire = wire.expect("a wire");
    wire::enter(wire.host(1)).expect("the second host");
    let receiver = UdpSocket::bind(address).expect("bind");
    wire::enter(wire.host(0)).expect("the first host");
    let sender = UdpSocket::bind("0.0.0.0:0").expect("bind");
    sender.connect(address).expect("connect");
    let mut took = Duration::ZERO;
    for _ in 0..BATCHES {
        send_a_batch(&sender, len);
        let began = Instant::now();
        let mut left = BATCH;
        while left > 0 {
            if let Some(seen) = wire.take(0).expect("take") {
                wire.pass(&seen, Fate::Passed).expect("pass");
                left -= 1;
            }
        }
        took += began.elapsed();
        receive_a_batch(&receiver, len);
    }
    took / (BATCHES * BATCH) as u32
}

/// All of it: the kernel hands a datagram on inside of the call that sends it.
fn carry_by_loopback(mut hosts: Hosts, len: usize) -> Duration {
    let _stage = hosts.prepare(9000, &Plan::default(), &[]).expect("a host");
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("bind");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("bind");
    sender.connect(receiver.local_addr().expect("an address")).expect("connect");
    let began = Instant::now();
    for _ in 0..BATCHES {
        send_a_batch(&sender, len);
        receive_a_batch(&receiver, len);
    }
    began.elapsed() / (BATCHES * BATCH) as u32
}

fn send_a_batch(sender: &UdpSocket, len: usize) {
    for _ in 0..BATCH {
        sender.send(&[7; FULL][..len]).expect("send");
    }
}

/// Every datagram is there: none was lost.
fn receive_a_batch(receiver: &UdpSocket, len: usize) {
    receiver.set_nonblocking(true).expect("a flag");
    for _ in 0..BATCH {
        assert_eq!(receiver.recv(&mut [0; FULL]).expect("a datagram"), len);
    }
}

/// From one frame that is told to the next, between two roles on a stage. Their own calls are not told.
fn carry_by_the_stage(mut hosts: Hosts, len: usize) -> Duration {
    let (address, wire) = hosts.prepare(9000, &Plan::default(), &[]).expect("two hosts");
    let mut times = Vec::new();
    let mut tell = |event: &Event| {
        if matches!(event.what, What::Frame(_)) {
            times.push(event.at_ns);
        }
        ControlFlow::Continue(())
    };
    let server = move || {
        let receiver = UdpSocket::bind(address)?;
        for _ in 0..BATCHES {
            lab::meet("a batch is there");
            receive_a_batch(&receiver, len);
        }
        Ok(())
    };
    let client = move || {
        let sender = UdpSocket::bind("0.0.0.0:0")?;
        sender.connect(address)?;
        let traced = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        for _ in 0..BATCHES {
            send_a_batch(&sender, len);
            // After a traced call the stage hands on what has been sent.
            traced.local_addr()?;
            lab::meet("the batch has been received");
        }
        Ok(())
    };
    let play = Play {
        scene: 1,
        roles: vec![
            RolePlay { name: "server", lines: Vec::new(), slow: false, dies: false, body: Box::new(server) },
            RolePlay { name: "client", lines: Vec::new(), slow: false, dies: false, body: Box::new(client) },
        ],
        endpoint: (address, 9000),
        host: Host::A,
        wire,
        loops_forever: false,
        watch: Watch::default(),
        patience: PATIENCE,
        free: false,
        when_slow: WhenSlow::Ignore,
    };
    let ending = stage::play(play, &mut EventSink::new(&mut tell)).expect("a play");
    assert_eq!((ending, times.len()), (Ending::Done, BATCHES * BATCH));
    let took: u64 = times.chunks(BATCH).map(|batch| batch[BATCH - 1] - batch[0]).sum();
    Duration::from_nanos(took) / (BATCHES * (BATCH - 1)) as u32
}
