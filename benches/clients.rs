//! What many clients cost a server: a process each, a thread each, one thread for all; beside a server of tokio's, also
//! of one thread, that does the same work: `just bench`.
//!
//! The servers are the labs' own, as they run by hand, `socklab lab 41 server`, and lab 41's twin in Python. One client
//! program, of one thread, drives each of them: a message is 64 bytes and comes back in upper case. Each connection has
//! one message under way. A server is started anew for each figure, and they are taken in turns: the machine's speed
//! drifts, so hold the ratios, which are medians of each round's own. The client takes a processor itself and does as
//! many calls as the server, so the processor's time for a round trip says more than the rate; it is that of all of the
//! server's threads and processes, from /proc/PID/task/TID/schedstat.
//!
//! A server's own memory is what it has more with its connections than without: Pss in /proc/PID/smaps_rollup, of all
//! of its processes. The kernel's is what Slab, KernelStack and PageTables in /proc/meminfo have more, of the whole
//! machine; the client is on it, so that is two sockets for each connection.
//!
//! `SOCKLAB_ROUNDS` says how often each figure is taken, `SOCKLAB_MILLIS` how long a rate is measured, `SOCKLAB_IDLE`
//! how many connections wait while memory is measured, and `SOCKLAB_MOST` the most connections for a server that needs
//! a process for each. `SOCKLAB_WAYS` names the ways that are taken beside tokio's: those with this word in their name.
//! `SOCKLAB_BLESS` writes the table and the drawing of docs/many-clients.md.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/plot.rs"]
mod plot;
#[path = "support/servers.rs"]
mod servers;

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use limit::keeps;
use plot::{Bar, Line};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getpid, getpriority_process, getrlimit, kill_process_group,
    set_child_subreaper, setrlimit, waitpgid,
};
use servers::{address, free_port, load, median, real_python, setting, wait_until_it_listens};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many connections there are while round trips are counted.
const COUNTS: [usize; 4] = [1, 100, 1000, 5000];

/// How often each figure is taken, and for how long, unless somebody says otherwise.
const ROUNDS: usize = 7;
const MILLIS: u64 = 300;

/// How many connections wait while memory is measured: for one thread, and for a thread or a process each.
const IDLE: usize = 10_000;
const IDLE_EACH: usize = 1000;

/// How many connections are made, used once, and closed, to see how many that are in a second.
const BRIEF: usize = 1000;

/// How many connections at once may be without their first answer: two of the labs' servers ask for a queue of 5.
const PENDING: usize = 4;

/// What is sent. It comes back in upper case.
const LEN: usize = 64;

/// A client gives up then.
const PATIENCE: Duration = Duration::from_secs(20);

/// What lab 41 is held to: tokio's rate at each count, and this much memory of its own for 10,000 connections, in MB.
const RATE: f64 = 1.0;
const MEMORY: f64 = 10.0;

/// Where the figures are shown.
const PAGE: &str = "docs/many-clients.md";
const DRAWING: &str = "docs/drawings/many-clients.svg";
const BEGIN: &str = "<!-- bench: clients -->\n";
const END: &str = "\n<!-- end -->";

/// The second table's first row.
const HEADER: [&str; 2] = [
    "| server | µs of processor time for a round trip: 1 connection | 100 | 1,000 | 5,000 ",
    "| idle connections | its own memory for each, KiB | all of its own, MiB | the kernel's for each, KiB |",
];

/// How the page shows the drawing, with words that serve in its place.
const IMAGE: &str = "![Round trips per second of each server at 1, 100, 1,000 and 5,000 connections, and the memory of \
                     a connection: the tables above](drawings/many-clients.svg)";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["tokio", port] => tokio_server(port.parse().expect("a port")).expect("it serves"),
        _ => compare(),
    }
}

/// The baseline: a task for each connection, with a buffer as large as in tokio's own first example.
fn tokio_server(port: u16) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address(port)).await?;
        loop {
            let (mut conn, _client) = listener.accept().await?;
            tokio::spawn(async move {
                let mut buf = [0; 1024];
                // An error is the end of this client, as with the others.
                while let Ok(len @ 1..) = conn.read(&mut buf).await {
                    buf[..len].make_ascii_uppercase();
                    if conn.write_all(&buf[..len]).await.is_err() {
                        break;
                    }
                }
            });
        }
    })
}

/// A server.
struct Way {
    name: &'static str,
    /// In the drawing.
    label: &'static str,
    command: fn(u16) -> Command,
    /// The lab whose server it is, if one.
    folder: Option<&'static str>,
    /// Whether one thread serves all.
    is_one_thread: bool,
}

const OURS: &str = "[41](labs/41-event-loop.md), one thread and epoll";
const TOKIO: &str = "tokio, one thread";

fn ways() -> Vec<Way> {
    vec![
        Way {
            name: "[39](labs/39-process-per-client.md), a process each",
            label: "39: a process each",
            command: |port| {
                // Scene 1 is the old texts' server, which this is the cure of.
                let mut command = lab("39", port);
                command.args(["--scene", "9"]);
                command
            },
            folder: Some("39-process-per-client"),
            is_one_thread: false,
        },
        Way {
            name: "[40](labs/40-thread-per-client.md), a thread each",
            label: "40: a thread each",
            command: |port| lab("40", port),
            folder: Some("40-thread-per-client"),
            is_one_thread: false,
        },
        Way {
            name: OURS,
            label: "41: one thread",
            command: |port| lab("41", port),
            folder: Some("41-event-loop"),
            is_one_thread: true,
        },
        Way { name: TOKIO, label: "tokio", command: tokio, folder: None, is_one_thread: true },
        Way {
            name: "Python's selectors, one thread",
            label: "Python",
            command: python,
            folder: Some("41-event-loop"),
            is_one_thread: true,
        },
    ]
}

fn lab(number: &str, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socklab"));
    command.args(["lab", number, "--address", &address(port).to_string(), "server"]);
    command
}

fn tokio(port: u16) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["tokio", &port.to_string()]);
    command
}

/// Lab 41's twin, at another port.
fn python(port: u16) -> Command {
    let program = fs::read_to_string(project("labs/41-event-loop/python/server.py")).expect("the twin");
    let mut command = Command::new(real_python());
    command.arg("-c").arg(program.replace("9998", &port.to_string()));
    command
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// One way's figures.
#[derive(Default)]
struct Figures {
    /// Connections per second, a round each.
    brief: Vec<f64>,
    /// At each count: round trips, a round each, where it was possible.
    trips: [Vec<Option<Trips>>; COUNTS.len()],
    memory: Option<Memory>,
    /// What could not be done.
    missing: Vec<String>,
}

/// Round trips with so many connections.
#[derive(Clone, Copy)]
struct Trips {
    /// How many in a second.
    rate: f64,
    /// The server's processor time for one, in microseconds.
    processor: f64,
}

/// What idle connections take.
struct Memory {
    connections: usize,
    /// The server's own, all of it with them, in KiB.
    whole: f64,
    /// What it has more with them than without, for each of them, in KiB.
    own: f64,
    /// The kernel's, for each of them, in KiB.
    kernel: f64,
}

/// How it is measured.
struct Plan {
    rounds: usize,
    time: Duration,
    idle: usize,
    most_processes: usize,
    /// The machine's load at the beginning.
    load: String,
}

fn compare() {
    let descriptors = raise_the_limit_of_descriptors();
    let most = descriptors.saturating_sub(100);
    let plan = Plan {
        rounds: setting("SOCKLAB_ROUNDS", ROUNDS as u64).max(1) as usize,
        time: Duration::from_millis(setting("SOCKLAB_MILLIS", MILLIS)),
        idle: (setting("SOCKLAB_IDLE", IDLE as u64) as usize).min(most),
        most_processes: (setting("SOCKLAB_MOST", 5000) as usize).min(processes() / 2),
        load: load(),
    };
    // What a server leaves becomes this program's, which waits until it has ended.
    set_child_subreaper(Some(getpid())).expect("a program may be told of its descendants' ends");
    let wanted = std::env::var("SOCKLAB_WAYS").unwrap_or_default();
    let is_there = |way: &Way| way.folder.is_none_or(|folder| project("labs").join(folder).is_dir());
    let (ways, absent): (Vec<Way>, Vec<Way>) =
        ways().into_iter().filter(|way| way.name == TOKIO || way.label.contains(&wanted)).partition(is_there);
    for way in absent {
        println!("skipped: {}: there is no such lab here", way.label);
    }
    let mut figures: Vec<Figures> = ways.iter().map(|_| Figures::default()).collect();
    for round in 0..plan.rounds {
        // Backwards every other time: nobody has always the same one before him.
        let mut order: Vec<usize> = (0..ways.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for &index in &order {
            match brief(&ways[index]) {
                Ok(rate) => figures[index].brief.push(rate),
                Err(why) => figures[index].miss("connections per second", &why),
            }
        }
        for (at, count) in COUNTS.into_iter().enumerate() {
            for &index in &order {
                let way = &ways[index];
                let most = if way.label.starts_with("39") { most.min(plan.most_processes) } else { most };
                let taken =
                    if count <= most { trips(way, count, plan.time) } else { Err(format!("here are at most {most}")) };
                if let Err(why) = &taken {
                    figures[index].miss(&format!("{count} connections"), why);
                }
                figures[index].trips[at].push(taken.ok());
            }
        }
        eprintln!("round {} of {}, load {}", round + 1, plan.rounds, load());
    }
    for (way, figures) in ways.iter().zip(&mut figures) {
        let connections = if way.is_one_thread { plan.idle } else { plan.idle.min(IDLE_EACH) };
        match memory(way, connections) {
            Ok(memory) => figures.memory = Some(memory),
            Err(why) => figures.miss("memory", &why),
        }
    }
    let report = report(&ways, &figures, &plan);
    println!("{report}");
    limits(&ways, &figures, &plan);
    if std::env::var_os("SOCKLAB_BLESS").is_some() {
        write_down(&report, &drawing(&ways, &figures));
    }
}

impl Figures {
    fn miss(&mut self, what: &str, why: &str) {
        let missing = format!("{what}: {why}");
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    /// The middle rate at a count.
    fn rate(&self, at: usize) -> Option<f64> {
        middle(self.trips[at].iter().flatten().map(|trips| trips.rate))
    }

    fn processor(&self, at: usize) -> Option<f64> {
        middle(self.trips[at].iter().flatten().map(|trips| trips.processor))
    }

    /// The middle of each round's ratio to another one's rate.
    fn ratio(&self, other: &Figures, at: usize) -> Option<f64> {
        let rounds = self.trips[at].iter().zip(&other.trips[at]);
        middle(rounds.filter_map(|(one, other)| Some(one.as_ref()?.rate / other.as_ref()?.rate)))
    }
}

fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| median(values))
}

/// How many connections are made, used once, and closed in a second.
fn brief(way: &Way) -> Result<f64, String> {
    let server = Server::start(way);
    let mut crowd = Crowd::new();
    crowd.join(server.port, 1, true)?;
    let began = Instant::now();
    crowd.join(server.port, BRIEF, true)?;
    Ok(BRIEF as f64 / began.elapsed().as_secs_f64())
}

fn trips(way: &Way, count: usize, time: Duration) -> Result<Trips, String> {
    let server = Server::start(way);
    let mut crowd = Crowd::new();
    crowd.join(server.port, count, false)?;
    let before = server.processor();
    let began = Instant::now();
    let done = crowd.talk(began + time)? as f64;
    let took = began.elapsed();
    let processor = server.processor() - before;
    drop(server);
    Ok(Trips { rate: done / took.as_secs_f64(), processor: processor.as_secs_f64() * 1e6 / done })
}

fn memory(way: &Way, connections: usize) -> Result<Memory, String> {
    let server = Server::start(way);
    let mut crowd = Crowd::new();
    // Its first connection may make it grow more than others.
    crowd.join(server.port, 1, false)?;
    let (own, kernel) = (server.memory(), kernel_memory());
    crowd.join(server.port, connections, false)?;
    let (with_them, kernel_with_them) = (server.memory(), kernel_memory());
    drop(server);
    let each = |kib: f64| kib / connections as f64;
    Ok(Memory { connections, whole: with_them, own: each(with_them - own), kernel: each(kernel_with_them - kernel) })
}

/// A server that runs, in a process group of its own. It ends with the value, and with it all that it has started.
struct Server {
    group: Pid,
    port: u16,
}

impl Server {
    fn start(way: &Way) -> Server {
        let port = free_port();
        let mut command = (way.command)(port);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        #[expect(clippy::zombie_processes, reason = "its whole group is waited for at its end")]
        let child = command.spawn().expect("the server starts");
        let server = Server { group: Pid::from_child(&child), port };
        wait_until_it_listens(port);
        server
    }

    /// Its processes, by their folders in /proc.
    fn processes(&self) -> Vec<PathBuf> {
        let group = self.group.as_raw_nonzero().to_string();
        let all = fs::read_dir("/proc").expect("the kernel's table").flatten().map(|entry| entry.path());
        let is_of_the_group = |folder: &PathBuf| {
            // Behind the program's name: state, parent, group. What is no process, or none any more, has none.
            let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(2)) == Some(&group)
        };
        all.filter(is_of_the_group).collect()
    }

    /// The time that all of its threads had a processor.
    fn processor(&self) -> Duration {
        let threads = |folder: PathBuf| fs::read_dir(folder.join("task")).into_iter().flatten().flatten();
        let nanos = self.processes().into_iter().flat_map(threads).map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// What all of its processes have in memory, in KiB; what several share counts once.
    fn memory(&self) -> f64 {
        let all = self.processes().into_iter();
        all.map(|folder| kib(&fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default(), "Pss:")).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill_process_group(self.group, Signal::KILL).expect("the server ends");
        while waitpgid(self.group, WaitOptions::empty()).is_ok() {}
    }
}

/// The number in the line of the kernel's account that begins so.
fn kib(account: &str, name: &str) -> f64 {
    let line = account.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |line| line.trim().trim_end_matches(" kB").parse().expect("a number"))
}

/// What the kernel has for sockets, threads and processes, in KiB: of the whole machine.
fn kernel_memory() -> f64 {
    let account = fs::read_to_string("/proc/meminfo").expect("the kernel's account");
    ["Slab:", "KernelStack:", "PageTables:"].into_iter().map(|name| kib(&account, name)).sum()
}

/// The clients: one thread, and as many connections as there are to be.
struct Crowd {
    epoll: OwnedFd,
    /// Each at the number of its descriptor, with how much of its answer has come.
    conns: Vec<Option<(TcpStream, usize)>>,
    events: Vec<Event>,
    message: [u8; LEN],
    answer: [u8; LEN],
}

impl Crowd {
    fn new() -> Crowd {
        let message: [u8; LEN] = std::array::from_fn(|at| b'a' + (at % 26) as u8);
        let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll");
        let answer = message.map(|byte| byte.to_ascii_uppercase());
        Crowd { epoll, conns: Vec::new(), events: Vec::with_capacity(1024), message, answer }
    }

    /// Makes so many connections more. Each sends a message and has its answer; brief ones are closed then.
    fn join(&mut self, port: u16, many: usize, is_brief: bool) -> Result<(), String> {
        let (mut made, mut done) = (0, 0);
        while done < many {
            while made < many && made - done < PENDING {
                let mut conn = TcpStream::connect(address(port)).map_err(|error| format!("connect: {error}"))?;
                conn.write_all(&self.message).map_err(|error| format!("send: {error}"))?;
                let number = conn.as_raw_fd();
                epoll::add(&self.epoll, &conn, EventData::new_u64(number as u64), EventFlags::IN)
                    .map_err(|error| format!("epoll_ctl: {error}"))?;
                let at = number as usize;
                self.conns.resize_with(self.conns.len().max(at + 1), || None);
                self.conns[at] = Some((conn, 0));
                made += 1;
            }
            for at in self.ready()? {
                if self.has_its_answer(at)? {
                    done += 1;
                    if is_brief {
                        self.conns[at] = None;
                    }
                }
            }
        }
        Ok(())
    }

    /// Has a message under way on each connection until then, and waits for the last answers. How many came.
    fn talk(&mut self, until: Instant) -> Result<usize, String> {
        let mut under_way = 0;
        for (conn, _) in self.conns.iter_mut().flatten() {
            conn.write_all(&self.message).map_err(|error| format!("send: {error}"))?;
            under_way += 1;
        }
        let mut done = 0;
        while under_way > 0 {
            let goes_on = Instant::now() < until;
            for at in self.ready()? {
                if !self.has_its_answer(at)? {
                    continue;
                }
                done += 1;
                match &mut self.conns[at] {
                    Some((conn, _)) if goes_on => {
                        conn.write_all(&self.message).map_err(|error| format!("send: {error}"))?;
                    }
                    _ => under_way -= 1,
                }
            }
        }
        Ok(done)
    }

    /// The connections on which something has come.
    fn ready(&mut self) -> Result<Vec<usize>, String> {
        let timeout = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
        self.events.clear();
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&timeout))
            .map_err(|error| format!("epoll_wait: {error}"))?;
        if self.events.is_empty() {
            return Err(format!("no answer within {} s", PATIENCE.as_secs()));
        }
        Ok(self.events.iter().map(|event| { event.data }.u64() as usize).collect())
    }

    /// Takes what has come, and says whether the answer is whole.
    fn has_its_answer(&mut self, at: usize) -> Result<bool, String> {
        let (conn, have) = self.conns[at].as_mut().expect("it is watched");
        let mut buf = [0; LEN];
        let len = conn.read(&mut buf[*have..]).map_err(|error| format!("recv: {error}"))?;
        if len == 0 {
            return Err("the server has closed the connection".to_owned());
        }
        assert_eq!(buf[*have..*have + len], self.answer[*have..*have + len], "the answer is another one");
        *have = (*have + len) % LEN;
        Ok(*have == 0)
    }
}

impl Drop for Crowd {
    /// What is open still leaves with a reset, so that no port is kept for a minute.
    fn drop(&mut self) {
        for (conn, _) in self.conns.iter().flatten() {
            SockRef::from(conn).set_linger(Some(Duration::ZERO)).expect("a socket has this option");
        }
    }
}

/// How many descriptors this program, and each that it starts, may have.
fn raise_the_limit_of_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("up to the hard one");
    limit.maximum.map_or(usize::MAX, |most| most as usize)
}

/// How many processes this user may have.
fn processes() -> usize {
    getrlimit(Resource::Nproc).current.map_or(usize::MAX, |most| most as usize)
}

/// The tables, as the page has them.
fn report(ways: &[Way], figures: &[Figures], plan: &Plan) -> String {
    let baseline = ways.iter().position(|way| way.name == TOKIO).map(|at| &figures[at]).expect("the baseline");
    let none = || "–".to_owned();
    let mut lines = vec![
        "| server | connections per second | round trips per second: 1 connection | 100 | 1,000 | 5,000 |".to_owned(),
        "|---|---:|---:|---:|---:|---:|".to_owned(),
    ];
    for (way, figures) in ways.iter().zip(figures) {
        let mut cells = vec![way.name.to_owned(), middle(figures.brief.iter().copied()).map_or_else(none, shown)];
        cells.extend((0..COUNTS.len()).map(|at| match (figures.rate(at), figures.ratio(baseline, at)) {
            (Some(rate), Some(ratio)) => format!("{} ({ratio:.2})", shown(rate)),
            _ => none(),
        }));
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.push(format!(
        "\nIn brackets: the ratio to tokio's rate. Medians of {} rounds, the servers in turns, {} ms each; a message \
         is\n{LEN} bytes, and each connection has one under way. Linux {}, {} processors, of which the client takes \
         one;\nload {} before, nice {}.\n",
        plan.rounds,
        plan.time.as_millis(),
        fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        std::thread::available_parallelism().map_or(1, usize::from),
        plan.load,
        getpriority_process(None).expect("a program has a priority"),
    ));
    lines.push(HEADER.concat());
    lines.push("|---|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned());
    for (way, figures) in ways.iter().zip(figures) {
        let mut cells = vec![way.name.to_owned()];
        cells.extend(
            (0..COUNTS.len()).map(|at| figures.processor(at).map_or_else(none, |micros| format!("{micros:.1}"))),
        );
        cells.extend(match &figures.memory {
            Some(memory) => [
                shown(memory.connections as f64),
                kib_shown(memory.own),
                format!("{:.1}", memory.whole / 1024.0),
                kib_shown(memory.kernel),
            ],
            None => [none(), none(), none(), none()],
        });
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    let missing = ways.iter().zip(figures).flat_map(|(way, figures)| {
        figures.missing.iter().map(|missing| format!("\nNot measured: {}: {missing}.", way.label))
    });
    lines.extend(missing);
    lines.join("\n")
}

/// A number of three figures, with commas.
fn shown(number: f64) -> String {
    let step = 10f64.powi((number.abs().max(1.0).log10().floor() as i32 - 2).max(0));
    let digits = format!("{:.0}", (number / step).round() * step);
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

fn kib_shown(kib: f64) -> String {
    if kib.abs() < 10.0 { format!("{kib:.2}") } else { shown(kib) }
}

fn limits(ways: &[Way], figures: &[Figures], plan: &Plan) {
    let find = |name: &str| ways.iter().position(|way| way.name == name).map(|at| &figures[at]);
    let Some((ours, tokio)) = find(OURS).zip(find(TOKIO)) else { return };
    for (at, count) in COUNTS.into_iter().enumerate() {
        if let Some(ratio) = tokio.ratio(ours, at) {
            keeps(&format!("tokio's rate, of lab 41's, at {count} connections"), ratio, RATE, "");
        }
    }
    if let Some(memory) = &ours.memory {
        let whole = memory.whole * 1024.0 / 1e6;
        keeps(&format!("lab 41's own memory with {} idle connections", plan.idle), whole, MEMORY, " MB");
    }
}

fn drawing(ways: &[Way], figures: &[Figures]) -> String {
    let mut lines = Vec::new();
    let mut bars = Vec::new();
    for (way, figures) in ways.iter().zip(figures) {
        let points = (0..COUNTS.len()).map(|at| figures.rate(at)).collect();
        lines.push(Line { label: way.label, points });
        if let Some(memory) = &figures.memory {
            let shown = [kib_shown(memory.own), kib_shown(memory.kernel)];
            bars.push(Bar { label: way.label, values: [memory.own, memory.kernel], shown });
        }
    }
    plot::drawing(&COUNTS.map(|count| shown(count as f64)), &lines, &bars)
}

/// Puts the figures where they are shown.
fn write_down(report: &str, drawing: &str) {
    fs::write(project(DRAWING), drawing).expect("the drawing is written");
    let page = fs::read_to_string(project(PAGE)).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the figures begin");
    let after = rest.split_once(END).expect("where they end").1;
    fs::write(project(PAGE), format!("{before}{BEGIN}\n{report}\n\n{IMAGE}\n{END}{after}"))
        .expect("the page is written");
}
