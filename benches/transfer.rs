//! What it costs to bring a file from one process to another, each way beside the limit, taken in turns in one run:
//! `just bench`.
//!
//! Every way has a sender and a receiver that are processes of their own, on loopback and on a tmpfs, where fsync(2)
//! costs nothing; `cp` is one. Ours is the program itself: `socklab lab 36 server` and `socklab lab 36 client put`. The
//! limit is a plain loop of one thread at each end: sendfile(2), and splice(2) through a pipe of 1 MiB. A time is from
//! the start of the sender, interpreter and all, until both ends are done; the processor's time and the most memory are
//! those of both processes, by wait4(2). The machine's speed drifts, so hold the ratios, which are medians of each
//! round's own.
//!
//! `SOCKLAB_MIB` sets the size of the file, `SOCKLAB_ROUNDS` how often each figure is taken, and `SOCKLAB_WAYS` which
//! ways are taken beside the limit: those that have this word in their name.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/servers.rs"]
mod servers;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use limit::keeps;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use servers::{address, free_port, load, median, real_python, setting, wait_until_it_listens};

/// Where the files are.
const TMPFS: &str = "/dev/shm";

/// How large the file is, in MiB, and how often each figure is taken, unless somebody says otherwise.
const MIB: u64 = 1024;
const ROUNDS: usize = 11;

/// How often the line-by-line pair is measured, which takes twenty times as long.
const FEW: usize = 3;

/// The room of a pipe, and the most bytes that are asked for at once.
const STEP: usize = 1 << 20;

/// As much of the file as this program itself holds: its memory is the least that the others can show.
const PIECE: usize = 64 << 10;

/// How long a transfer without digest may take beside the plain loop, and how much of the processor's time.
const TIME: f64 = 1.05;
const PROCESSOR: f64 = 1.1;

/// How long a transfer with BLAKE3 at both ends may take beside one without.
const DIGEST: f64 = 1.33;

/// How much more memory both ends may take, in MiB, for a file that is sixteen times as large.
const MORE_MEMORY: f64 = 1.0;

/// shutil.copyfileobj at both ends.
const COPYFILEOBJ: &str = r#"
import shutil, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn, open(sys.argv[2], "rb") as file:
    with conn.makefile("wb", buffering=0) as out:
        shutil.copyfileobj(file, out)
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)
"#;

/// socket.sendfile has no counterpart that receives.
const SENDFILE: &str = r#"
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn, open(sys.argv[2], "rb") as file:
    conn.sendfile(file)
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)
"#;

const COPYFILEOBJ_RECEIVER: &str = r#"
import shutil, socket, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    conn, _client = listener.accept()
    with conn, conn.makefile("rb", buffering=0) as source, open(sys.argv[1], "wb") as file:
        shutil.copyfileobj(source, file)
"#;

/// The calls and the prints of the classic pair, whose sender hears nothing: here it waits until its peer leaves, too.
const LINES: &str = r#"
import json, os, socket, struct, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    header = {"cmd": "put", "filename": os.path.basename(sys.argv[2]), "filesize": os.path.getsize(sys.argv[2])}
    header = json.dumps(header).encode()
    conn.send(struct.pack("i", len(header)))
    conn.send(header)
    send_size = 0
    with open(sys.argv[2], "rb") as f:
        for line in f:
            conn.send(line)
            send_size += len(line)
            print(send_size)
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)
"#;

const LINES_RECEIVER: &str = r#"
import json, socket, struct, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    conn, _client = listener.accept()
    with conn:
        length = struct.unpack("i", conn.recv(4))[0]
        filesize = json.loads(conn.recv(length))["filesize"]
        recv_size = 0
        with open(sys.argv[1], "wb") as f:
            while recv_size < filesize:
                recv_data = conn.recv(8192)
                f.write(recv_data)
                recv_size += len(recv_data)
                print("recvsize:%s filesize:%s" % (recv_size, filesize))
"#;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["plain-sender", port, path] => plain_sender(port.parse().expect("a port"), path).expect("it is sent"),
        ["plain-receiver", path] => plain_receiver(path).expect("it is received"),
        ["two-splices-receiver", path] => two_splices_receiver(path).expect("it is received"),
        ["two-threads-receiver", path] => two_threads_receiver(path).expect("it is received"),
        _ => compare(),
    }
}

fn compare() {
    let (mib, rounds) = (setting("SOCKLAB_MIB", MIB).max(16), setting("SOCKLAB_ROUNDS", ROUNDS as u64).max(1) as usize);
    let needed = 2 * mib + 64;
    if room() < needed {
        println!("skipped: {TMPFS} and this machine's memory have no room for {needed} MiB: set SOCKLAB_MIB");
        return;
    }
    let place = Place::new(mib << 20);
    let wanted = std::env::var("SOCKLAB_WAYS").unwrap_or_default();
    let ways: Vec<Way> = ways().into_iter().filter(|way| way.name == LIMIT || way.name.contains(&wanted)).collect();
    println!("a file of {mib} MiB of random bytes, in {} lines; {}", place.lines, machine());
    println!("medians of {rounds} rounds, taken in turns; ratios are those to the loop of the first row\n");
    let mut figures: Vec<Vec<Option<Figures>>> = ways.iter().map(|_| Vec::new()).collect();
    for way in &ways {
        // A warm-up, and a look at what has come.
        way.run(&place);
        assert!(place.is_equal(), "{}: what has come is something else", way.name);
    }
    for round in 0..rounds {
        // Backwards every other time: nobody has always the same one before him.
        let mut order: Vec<usize> = (0..ways.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let way = &ways[index];
            figures[index].push((!way.is_slow || round < FEW).then(|| way.run(&place)));
        }
    }
    println!("{:<46} {:>6} {:>6} {:>8} {:>6} {:>16}", "", "GB/s", "ratio", "CPU-s", "ratio", "MiB of memory,");
    println!("{:<46} {:>6} {:>6} {:>8} {:>6} {:>16}", "", "", "", "a GiB", "", "sender+receiver");
    for (way, taken) in ways.iter().zip(&figures) {
        let of = |value: fn(&Figures) -> f64| median(taken.iter().flatten().map(value).collect());
        println!(
            "{:<46} {:>6.2} {:>6.2} {:>8.2} {:>6.2} {:>16}",
            way.name,
            place.size as f64 / of(Figures::seconds) / 1e9,
            1.0 / ratio(taken, &figures[0], Figures::seconds),
            of(Figures::processor) / mib as f64 * 1024.0,
            ratio(taken, &figures[0], Figures::processor),
            format!("{:.1}+{:.1}", of(|figures| figures.memory[0]), of(|figures| figures.memory[1])),
        );
    }
    let floor = own_memory();
    println!("No figure of memory can be below {floor:.1} MiB, which this program takes that starts the others.\n");
    let find = |name: &str| ways.iter().position(|way| way.name == name).map(|index| &figures[index]);
    if let Some(ours) = find(OURS) {
        keeps("ours without digest, of the loop's time", ratio(ours, &figures[0], Figures::seconds), TIME, "");
        let processor = ratio(ours, &figures[0], Figures::processor);
        keeps("ours without digest, of the loop's processor time", processor, PROCESSOR, "");
        if let Some(with_digest) = find(OURS_WITH_BLAKE3) {
            let longer = ratio(with_digest, ours, Figures::seconds);
            keeps("ours with BLAKE3, of the time without", longer, DIGEST, "");
        }
    }
    drop(place);
    let small = Place::new(mib << 16);
    for name in [OURS, OURS_WITH_BLAKE3] {
        let Some((way, taken)) = ways.iter().find(|way| way.name == name).zip(find(name)) else { continue };
        let memory = |figures: &Figures| figures.memory.iter().sum::<f64>();
        let of_small = (0..rounds).map(|_| memory(&way.run(&small))).collect();
        let more = median(taken.iter().flatten().map(memory).collect()) - median(of_small);
        keeps(&format!("{name}: memory beyond that for {} MiB", mib / 16), more, MORE_MEMORY, " MiB");
    }
}

/// What is measured.
#[derive(Clone, Copy)]
struct Figures {
    took: Duration,
    /// User's and kernel's time of both ends.
    processor: Duration,
    /// The most memory that each end had, in MiB: the sender, then the receiver.
    memory: [f64; 2],
}

impl Figures {
    fn seconds(&self) -> f64 {
        self.took.as_secs_f64()
    }

    fn processor(&self) -> f64 {
        self.processor.as_secs_f64()
    }
}

/// The median of each round's ratio.
fn ratio(ours: &[Option<Figures>], baseline: &[Option<Figures>], value: fn(&Figures) -> f64) -> f64 {
    let rounds = ours.iter().zip(baseline);
    median(rounds.filter_map(|(ours, baseline)| Some(value(ours.as_ref()?) / value(baseline.as_ref()?))).collect())
}

/// A folder on tmpfs with the file that is sent, and a name for the one that comes. It goes with the value.
struct Place {
    folder: PathBuf,
    source: PathBuf,
    inbox: PathBuf,
    target: PathBuf,
    size: u64,
    lines: usize,
}

impl Place {
    fn new(size: u64) -> Place {
        let folder = PathBuf::from(format!("{TMPFS}/socklab-bench-{}", std::process::id()));
        let (source, inbox) = (folder.join("file"), folder.join("inbox"));
        let target = inbox.join("file");
        fs::create_dir_all(&inbox).expect("a folder");
        let mut place = Place { folder, source, inbox, target, size, lines: 0 };
        place.lines = write_random(&place.source, size).expect("a file");
        place
    }

    fn is_equal(&self) -> bool {
        let sizes = [&self.source, &self.target].map(|path| fs::metadata(path).expect("a file").len());
        let mut files = [&self.source, &self.target].map(|path| File::open(path).expect("a file"));
        let mut pieces = [vec![0; PIECE], vec![0; PIECE]];
        sizes[0] == sizes[1]
            && (0..self.size.div_ceil(PIECE as u64)).all(|_| {
                let len = files[0].read(&mut pieces[0]).expect("bytes");
                files[1].read_exact(&mut pieces[1][..len]).expect("bytes");
                pieces[0][..len] == pieces[1][..len]
            })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            println!("{} is left: {error}", self.folder.display());
        }
    }
}

/// Random bytes, which no digest and no disk can make shorter; how many lines they have.
fn write_random(path: &Path, size: u64) -> io::Result<usize> {
    let (mut file, mut piece) = (File::create(path)?, vec![0; PIECE]);
    let (mut state, mut lines) = (1_u64, 0);
    for _ in 0..size / PIECE as u64 {
        for eight in piece.chunks_exact_mut(8) {
            // xorshift64*.
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            eight.copy_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
        }
        lines += piece.iter().filter(|byte| **byte == b'\n').count();
        file.write_all(&piece)?;
    }
    Ok(lines)
}

/// A way to bring a file over.
struct Way {
    name: &'static str,
    receiver: Receiver,
    sender: fn(&Place, u16) -> Command,
    /// Whether it is measured a few times only.
    is_slow: bool,
}

enum Receiver {
    /// The sender does it all.
    None,
    /// It writes its port on a line, and ends when it has the file.
    Ends(fn(&Place) -> Command),
    /// It is told its port, and goes on serving. The sender hears when the file is stored.
    Serves(fn(&Place, u16) -> Command),
}

const LIMIT: &str = "the limit: sendfile, and splice through a pipe";
const OURS: &str = "ours, put --digest none";
const OURS_WITH_BLAKE3: &str = "ours, put, BLAKE3 at both ends";

fn ways() -> Vec<Way> {
    let way = |name, receiver, sender| Way { name, receiver, sender, is_slow: false };
    let ours = |name, sender| way(name, Receiver::Serves(server), sender);
    vec![
        way(LIMIT, Receiver::Ends(|place| this(&["plain-receiver"], place)), plain),
        ours(OURS, |place, port| put(place, port, "none")),
        ours(OURS_WITH_BLAKE3, |place, port| put(place, port, "blake3")),
        ours("ours, put, SHA-256 at both ends", |place, port| put(place, port, "sha256")),
        ours("ours, put, MD5 at both ends", |place, port| put(place, port, "md5")),
        way("ours, get --digest none", Receiver::Serves(server_of_the_source), |place, port| get(place, port, "none")),
        way("ours, get, BLAKE3 at both ends", Receiver::Serves(server_of_the_source), |place, port| {
            get(place, port, "blake3")
        }),
        way("cp", Receiver::None, |place, _| {
            let mut command = Command::new("cp");
            command.args([&place.source, &place.target]);
            command
        }),
        way(
            "sendfile, and splice in two threads",
            Receiver::Ends(|place| this(&["two-splices-receiver"], place)),
            plain,
        ),
        way(
            "sendfile, and recv beside a thread that writes",
            Receiver::Ends(|place| this(&["two-threads-receiver"], place)),
            plain,
        ),
        way("Python, shutil.copyfileobj at both ends", Receiver::Ends(python_receiver), |place, port| {
            python_sender(COPYFILEOBJ, place, port)
        }),
        way("Python, socket.sendfile, and copyfileobj", Receiver::Ends(python_receiver), |place, port| {
            python_sender(SENDFILE, place, port)
        }),
        Way {
            name: "Python, the classic pair, line by line",
            receiver: Receiver::Ends(|place| python(&[LINES_RECEIVER], &place.target)),
            sender: |place, port| python_sender(LINES, place, port),
            is_slow: true,
        },
    ]
}

/// This program, for the file that comes.
fn this(arguments: &[&str], place: &Place) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(arguments).arg(&place.target);
    command
}

fn plain(place: &Place, port: u16) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["plain-sender", &port.to_string()]).arg(&place.source);
    command
}

fn python(arguments: &[&str], path: &Path) -> Command {
    let mut command = Command::new(real_python());
    command.args(["-c"]).args(arguments).arg(path);
    command
}

fn python_receiver(place: &Place) -> Command {
    python(&[COPYFILEOBJ_RECEIVER], &place.target)
}

fn python_sender(program: &str, place: &Place, port: u16) -> Command {
    python(&[program, &port.to_string()], &place.source)
}

fn lab(port: u16, dir: &Path, role: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socklab"));
    command.args(["lab", "36", "--address", &address(port).to_string(), "--dir"]).arg(dir).args(role);
    command
}

fn server(place: &Place, port: u16) -> Command {
    lab(port, &place.inbox, &["server"])
}

fn server_of_the_source(place: &Place, port: u16) -> Command {
    lab(port, &place.folder, &["server"])
}

fn put(place: &Place, port: u16, digest: &str) -> Command {
    let mut command = lab(port, &place.folder, &["client", "put", "--digest", digest]);
    command.arg(&place.source);
    command
}

fn get(place: &Place, port: u16, digest: &str) -> Command {
    lab(port, &place.inbox, &["client", "get", "--digest", digest, "file"])
}

impl Way {
    /// Brings the file over, once.
    fn run(&self, place: &Place) -> Figures {
        // What came before goes first: a file that is there has its memory already.
        match fs::remove_file(&place.target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{}: {error}", place.target.display()),
            _ => {}
        }
        let (receiver, port) = match self.receiver {
            Receiver::None => (None, 0),
            Receiver::Ends(command) => {
                let (child, port) = that_tells_its_port(&mut command(place));
                (Some(child), port)
            }
            Receiver::Serves(command) => {
                let port = free_port();
                let child = command(place, port).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
                wait_until_it_listens(port);
                (Some(child.expect("the server starts")), port)
            }
        };
        let began = Instant::now();
        let mut sender = (self.sender)(place, port);
        let sender = sender.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the sender starts");
        let (sent, has_sent) = end_of(sender);
        let (mut took, mut has_received) = (began.elapsed(), true);
        let received = receiver.map(|mut receiver| {
            if has_sent && matches!(self.receiver, Receiver::Ends(_)) {
                let (received, ok) = end_of(receiver);
                (took, has_received) = (began.elapsed(), ok);
                return received;
            }
            receiver.kill().expect("the receiver ends");
            end_of(receiver).0
        });
        assert!(has_sent && has_received, "{}: an end has failed", self.name);
        figures(took, &sent, received.as_ref())
    }
}

fn figures(took: Duration, sent: &libc::rusage, received: Option<&libc::rusage>) -> Figures {
    let processor = |usage: &libc::rusage| {
        let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        time(usage.ru_utime) + time(usage.ru_stime)
    };
    let memory = |usage: &libc::rusage| usage.ru_maxrss as f64 / 1024.0;
    Figures {
        took,
        processor: processor(sent) + received.map_or(Duration::ZERO, processor),
        memory: [memory(sent), received.map_or(0.0, memory)],
    }
}

/// Waits until a process has ended; what it took, and whether it has succeeded.
fn end_of(child: Child) -> (libc::rusage, bool) {
    let mut status = 0;
    // SAFETY: a `rusage` is numbers only, of which zero is one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: it writes to `status` and `usage` and nowhere else, and nobody else waits for this child.
    let pid = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) };
    assert_eq!(pid, child.id() as libc::pid_t, "wait4: {}", io::Error::last_os_error());
    (usage, libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0)
}

fn that_tells_its_port(command: &mut Command) -> (Child, u16) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the receiver starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    // The classic receiver prints on: somebody has to take that.
    std::thread::spawn(move || io::copy(&mut out, &mut io::sink()));
    (child, line.trim().parse().expect("a port"))
}

fn plain_sender(port: u16, path: &str) -> io::Result<()> {
    let (mut conn, file) = (TcpStream::connect(address(port))?, File::open(path)?);
    while rustix::fs::sendfile(&conn, &file, None, STEP)? > 0 {}
    conn.shutdown(Shutdown::Write)?;
    conn.read(&mut [0]).map(drop)
}

fn accept_one() -> io::Result<TcpStream> {
    let listener = TcpListener::bind(address(0))?;
    println!("{}", listener.local_addr()?.port());
    Ok(listener.accept()?.0)
}

fn plain_receiver(path: &str) -> io::Result<()> {
    let (conn, file) = (accept_one()?, File::create(path)?);
    let (reads, writes) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setpipe_size(&writes, STEP)?;
    loop {
        let mut len = splice(&conn, None, &writes, None, STEP, SpliceFlags::empty())?;
        if len == 0 {
            return Ok(());
        }
        while len > 0 {
            len -= splice(&reads, None, &file, None, len, SpliceFlags::empty())?;
        }
    }
}

/// One thread fills the pipe, another one empties it.
fn two_splices_receiver(path: &str) -> io::Result<()> {
    let (conn, file) = (accept_one()?, File::create(path)?);
    let (reads, writes) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setpipe_size(&writes, STEP)?;
    let writer = std::thread::spawn(move || -> io::Result<()> {
        while splice(&reads, None, &file, None, STEP, SpliceFlags::empty())? > 0 {}
        Ok(())
    });
    while splice(&conn, None, &writes, None, STEP, SpliceFlags::empty())? > 0 {}
    drop(writes);
    writer.join().map_err(|_| io::Error::other("the thread that writes has ended"))?
}

/// Pieces that are full go to a thread that writes them, and come back empty.
fn two_threads_receiver(path: &str) -> io::Result<()> {
    let (mut conn, mut file) = (accept_one()?, File::create(path)?);
    let (full, to_write) = sync_channel::<(Vec<u8>, usize)>(4);
    let (empty, to_fill) = sync_channel::<Vec<u8>>(4);
    for _ in 0..4 {
        empty.send(vec![0; STEP / 4]).expect("room");
    }
    let writer = std::thread::spawn(move || -> io::Result<()> {
        for (piece, len) in to_write {
            file.write_all(&piece[..len])?;
            // Where nobody fills any more, nobody needs it.
            let _ = empty.send(piece);
        }
        Ok(())
    });
    loop {
        let mut piece = to_fill.recv().map_err(io::Error::other)?;
        let len = conn.read(&mut piece)?;
        if len == 0 {
            break;
        }
        full.send((piece, len)).map_err(io::Error::other)?;
    }
    drop(full);
    writer.join().map_err(|_| io::Error::other("the thread that writes has ended"))?
}

/// How many MiB there is room for, in the folder and in memory.
fn room() -> u64 {
    let folder = rustix::fs::statvfs(TMPFS).map_or(0, |about| (about.f_bavail * about.f_frsize) >> 20);
    let memory = fs::read_to_string("/proc/meminfo").expect("the kernel's account");
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:")).expect("how much is available");
    let kib: u64 = kib.trim().trim_end_matches(" kB").parse().expect("a number");
    folder.min(kib >> 10)
}

/// The most memory that this process had, in MiB.
fn own_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel's account");
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("how much it was");
    kib.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

/// What else decides the figures.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let control = read("/proc/sys/net/ipv4/tcp_congestion_control");
    let load = load();
    format!("{processors} processors, load {load}, congestion control {control}")
}
