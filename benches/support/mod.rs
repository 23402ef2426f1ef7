//! What benchmarks share: two things are measured in turns, since the machine's speed drifts.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program takes that succeeds, from start to end.
pub fn time(command: &mut Command) -> Duration {
    time_to(0, command)
}

/// How long a program takes that ends with this exit code.
pub fn time_to(code: i32, command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("the program starts");
    let took = began.elapsed();
    assert_eq!(status.code(), Some(code), "{command:?}");
    took
}

/// The medians of two measurements, taken in turns.
pub fn in_some_turns(
    rounds: usize,
    ours: impl Fn() -> Duration,
    baseline: impl Fn() -> Duration,
) -> (Duration, Duration) {
    let _warm_up = (ours(), baseline());
    let (mut a, mut b): (Vec<_>, Vec<_>) = (0..rounds).map(|_| (ours(), baseline())).unzip();
    a.sort();
    b.sort();
    (a[rounds / 2], b[rounds / 2])
}

/// A line of the table: what, ours, the baseline, and the ratio.
pub fn row(what: &str, (ours, baseline): (Duration, Duration)) {
    let ratio = ours.as_secs_f64() / baseline.as_secs_f64();
    println!("{what:<54} {:>10} {:>10} {ratio:>7.2}", shown(ours), shown(baseline));
}

/// A time as it is read.
pub fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.2} ms", micros / 1000.0) }
}
