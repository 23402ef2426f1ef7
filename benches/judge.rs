//! What a sandbox costs, beside spawning the same program bare, taken in turns in one run: `just bench`.
//!
//! The machine's speed drifts, so hold the differences of one run. Each is a median; in brackets the fastest tenth,
//! which says more on a machine that has other things to do, and the slowest quarter. What has a limit is compared with
//! it.

#[path = "support/limit.rs"]
mod limit;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use limit::keeps;
use socklab::sandbox::{Input, Layer, Layers, Program, Sandbox, SandboxConfig, resolve};

/// How often each figure is taken.
const ROUNDS: usize = 61;

/// How long anything here may take: a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a sandbox with all walls may cost beyond a bare spawn of a small program.
const LIMIT: Duration = Duration::from_millis(6);

/// So many processes are left behind, each in a session of its own.
const LEFT: usize = 8;

fn main() {
    let keeper = PathBuf::from(env!("CARGO_BIN_EXE_socklab"));
    let all = Layers::here(&keeper);
    println!("sandboxes with {all:?}");
    println!(
        "milliseconds; medians of {ROUNDS} rounds, taken in turns; in brackets fastest tenth and slowest quarter\n"
    );
    println!("{:<44} {:>24} {:>24} {:>10}", "", "in a sandbox", "bare", "more");
    for (what, program, arguments) in
        [("/bin/true", "/bin/true", &[][..]), ("python3 -c pass", "python3", &["-c", "pass"])]
    {
        let Ok(resolved) = resolve(OsStr::new(program), Path::new(".")) else {
            println!("{what}: not installed");
            continue;
        };
        let config = SandboxConfig {
            layers: all,
            visible: resolved.visible,
            keeper: keeper.clone(),
            ..SandboxConfig::default()
        };
        let argv = [resolved.path.as_os_str()].into_iter().chain(arguments.iter().map(OsStr::new));
        let program = Program {
            argv: argv.map(OsStr::to_owned).collect(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            input: Input::Nothing,
        };
        let bare = || bare(&program);
        let more = row(&format!("{what}: from nothing to nothing"), || sandboxed(&config, &program), bare);
        if what == "/bin/true" {
            keeps(
                "a sandbox with all walls, beyond a bare spawn",
                more.as_secs_f64() * 1e3,
                LIMIT.as_millis() as f64,
                " ms",
            );
        }
        row(&format!("{what}: until it has ended"), || until_the_end(&config, &program), bare);
        if what == "/bin/true" {
            phases(&config, &program);
            layers(&config, &program);
        }
    }
    let config = SandboxConfig { layers: all, keeper, ..SandboxConfig::default() };
    kill_all(&config);
    questions(&config);
}

/// Where the time goes.
fn phases(config: &SandboxConfig, program: &Program) {
    let mut phases: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let mut marks = vec![Instant::now()];
        let mut sandbox = Sandbox::open(config).expect("a sandbox");
        marks.push(Instant::now());
        sandbox.start(program).expect("a start");
        marks.push(Instant::now());
        while sandbox.ended().is_none() {
            sandbox.wait(&mut [], PATIENCE).expect("a wait");
        }
        marks.push(Instant::now());
        sandbox.close().expect("it closes");
        marks.push(Instant::now());
        for (times, mark) in phases.iter_mut().zip(marks.windows(2)) {
            times.push(mark[1] - mark[0]);
        }
    }
    for (what, times) in ["open", "start", "until it has ended", "close"].iter().zip(&mut phases) {
        println!("{:<44} {:>24}   best {}", format!("  {what}"), spread(&spread_of(times)), shown(times[0]));
    }
}

/// The same with one wall less, in turns: what each wall costs.
fn layers(config: &SandboxConfig, program: &Program) {
    for layer in [Layer::Network, Layer::Files, Layer::Ipc, Layer::Landlock, Layer::Seccomp, Layer::Limits] {
        let less = SandboxConfig { layers: config.layers.without(layer), ..config.clone() };
        if config.layers.has(layer) {
            let all = || sandboxed(config, program);
            let (with, without) = in_turns(all, || sandboxed(&less, program));
            let (median, fastest) = (more(with[1], without[1]), more(with[0], without[0]));
            let what = format!("  {layer}, beside all but it");
            println!("{what:<44} {:>24} {:>24} {median}; fastest {fastest}", spread(&with), spread(&without));
        }
    }
}

fn sandboxed(config: &SandboxConfig, program: &Program) -> Duration {
    let began = Instant::now();
    let sandbox = run(config, program);
    sandbox.close().expect("it closes");
    began.elapsed()
}

fn until_the_end(config: &SandboxConfig, program: &Program) -> Duration {
    let began = Instant::now();
    let _sandbox = run(config, program);
    began.elapsed()
}

fn run(config: &SandboxConfig, program: &Program) -> Sandbox {
    let mut sandbox = Sandbox::open(config).expect("a sandbox");
    sandbox.start(program).expect("a start");
    while sandbox.ended().is_none() {
        sandbox.wait(&mut [], PATIENCE).expect("a wait");
    }
    sandbox
}

fn bare(program: &Program) -> Duration {
    let (name, arguments) = program.argv.split_first().expect("a program");
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("it starts");
    assert!(status.success(), "{status}");
    began.elapsed()
}

/// What it costs to ask about a program that sleeps.
fn questions(config: &SandboxConfig) {
    let program = Program {
        argv: ["/bin/sleep", "1000"].iter().map(Into::into).collect(),
        env: Vec::new(),
        input: Input::Nothing,
    };
    let mut sandbox = Sandbox::open(config).expect("a sandbox");
    sandbox.start(&program).expect("a start");
    let mut row = |what: &str, ask: &dyn Fn(&mut Sandbox)| {
        let mut times: Vec<Duration> = (0..10 * ROUNDS)
            .map(|_| {
                let began = Instant::now();
                ask(&mut sandbox);
                began.elapsed()
            })
            .collect();
        println!("{what:<44} {:>24}", spread(&spread_of(&mut times)));
    };
    row("listing the host's sockets", &|sandbox| drop(sandbox.sockets().expect("a list")));
    row("listing those that wait to be called", &|sandbox| drop(sandbox.waiting_sockets().expect("a list")));
    row("what the program has done", &|sandbox| _ = sandbox.tally().expect("a tally"));
    row("a look at the program", &|sandbox| drop(sandbox.look().expect("a look")));
    row("a socket for a peer", &|sandbox| drop(sandbox.socket(socket2::Type::STREAM).expect("a socket")));
}

/// Killing everything that a program has left behind.
fn kill_all(config: &SandboxConfig) {
    let script = format!("for n in $(seq {LEFT}); do setsid sleep 1000 & done; echo; wait");
    let program = Program {
        argv: ["/bin/sh", "-c", &script].iter().map(Into::into).collect(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        input: Input::Nothing,
    };
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let mut sandbox = Sandbox::open(config).expect("a sandbox");
            sandbox.start(&program).expect("a start");
            while sandbox.look().expect("a look").processes.len() < LEFT + 1 {
                sandbox.wait(&mut [], Duration::from_millis(1)).expect("a wait");
            }
            let began = Instant::now();
            let stopped = sandbox.close().expect("it closes").stopped;
            assert!(stopped > LEFT as u64, "{stopped}");
            began.elapsed()
        })
        .collect();
    println!("{:<44} {:>24}", format!("killing {LEFT} daemons and closing"), spread(&spread_of(&mut times)));
}

/// A line of the table; how much more ours is, by the medians.
fn row(what: &str, ours: impl Fn() -> Duration, bare: impl Fn() -> Duration) -> Duration {
    let (ours, bare) = in_turns(ours, bare);
    let (median, fastest) = (more(ours[1], bare[1]), more(ours[0], bare[0]));
    println!("{what:<44} {:>24} {:>24} {median}; fastest {fastest}", spread(&ours), spread(&bare));
    ours[1].saturating_sub(bare[1])
}

/// The spread of both.
fn in_turns(ours: impl Fn() -> Duration, bare: impl Fn() -> Duration) -> ([Duration; 3], [Duration; 3]) {
    let _warm_up = (ours(), bare());
    let (mut a, mut b): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (ours(), bare())).unzip();
    (spread_of(&mut a), spread_of(&mut b))
}

fn spread_of(times: &mut [Duration]) -> [Duration; 3] {
    times.sort();
    [10, 50, 75].map(|percent| times[(times.len() - 1) * percent / 100])
}

fn spread(times: &[Duration; 3]) -> String {
    format!("{} ({}–{})", shown(times[1]), shown(times[0]), shown(times[2]))
}

fn shown(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

fn more(ours: Duration, bare: Duration) -> String {
    format!("{:>+7.2} ms", (ours.as_secs_f64() - bare.as_secs_f64()) * 1e3)
}
