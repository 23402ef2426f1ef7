//! `socklab soak`: labs run many times, each time from the start, and their transcripts compared byte for byte.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use socklab::lab::{PLAYED_AGAIN, exit};

use super::{contents, programs};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Labs by number or name; all where none is given
    labs: Vec<String>,
    /// How often each lab is run
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    /// How many labs run at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    together: u32,
    /// Keep every processor busy meanwhile
    #[arg(long)]
    load: bool,
    /// What the labs are told, behind two hyphens: -- --wire --drop 3
    #[arg(last = true)]
    flags: Vec<String>,
}

/// What a lab printed, and how it ended.
type Outcome = (Vec<u8>, Vec<u8>, Option<i32>);

/// All runs of one lab.
struct Tally {
    name: String,
    started: AtomicU32,
    outcomes: Mutex<HashMap<Outcome, u32>>,
    times: Mutex<Vec<Duration>>,
    /// How many scenes were played again.
    again: AtomicU32,
}

/// Runs the labs and prints a table; fails if any lab has more than one transcript or does not end well.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let rows = match arguments.labs.as_slice() {
        [] => contents::rows(),
        words => words.iter().map(|word| contents::find(word)).collect::<Result<_>>()?,
    };
    let names: Vec<String> = rows.iter().map(contents::Row::program).collect();
    let folder = programs::build(&names)?;
    let tallies: Vec<Tally> = names.into_iter().map(Tally::new).collect();
    soak(&folder, &tallies, arguments)?;
    let load = if arguments.load { "every processor kept busy" } else { "no other load" };
    let flags: Vec<String> = arguments.flags.iter().map(|flag| format!(" {flag}")).collect();
    println!("{} runs a lab{}, {} at a time, {load}", arguments.runs, flags.concat(), arguments.together);
    println!(
        "{:<26} {:>6} {:>12} {:>9} {:>11} {:>13}",
        "lab", "runs", "transcripts", "exit code", "median ms", "played again"
    );
    let steady: Vec<bool> = tallies.iter().map(Tally::print).collect();
    Ok(ExitCode::from(if steady.iter().all(|steady| *steady) { exit::OK } else { exit::FAILED }))
}

fn soak(folder: &Path, tallies: &[Tally], arguments: &Arguments) -> Result<()> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} to go")?;
    let bar = ProgressBar::new(u64::from(arguments.runs) * tallies.len() as u64).with_style(style);
    let over = AtomicBool::new(false);
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..if arguments.load { cores } else { 0 } {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let workers: Vec<_> = (0..arguments.together as usize)
            .map(|worker| {
                let (bar, failed) = (&bar, &failed);
                scope.spawn(move || {
                    // Each worker begins with another lab, so that different labs run side by side.
                    for index in 0..tallies.len() {
                        let tally = &tallies[(index + worker) % tallies.len()];
                        while tally.started.fetch_add(1, Ordering::Relaxed) < arguments.runs {
                            if let Err(error) = tally.run_once(folder, &arguments.flags) {
                                failed.lock().map(|mut first| first.get_or_insert(error).to_string()).ok();
                                return;
                            }
                            bar.inc(1);
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            let _ = worker.join();
        }
        over.store(true, Ordering::Relaxed);
    });
    bar.finish_and_clear();
    failed.into_inner().map_err(|_| anyhow!("a worker panicked"))?.map_or(Ok(()), Err)
}

impl Tally {
    fn new(name: String) -> Tally {
        Tally {
            name,
            started: AtomicU32::new(0),
            outcomes: Mutex::default(),
            times: Mutex::default(),
            again: AtomicU32::new(0),
        }
    }

    fn run_once(&self, folder: &Path, flags: &[String]) -> Result<()> {
        let began = Instant::now();
        let output = Command::new(folder.join(&self.name))
            .args(flags)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("start {}", self.name))?;
        // A scene that was played again is counted, and is no difference.
        let (again, complaint): (Vec<&[u8]>, Vec<&[u8]>) =
            output.stderr.split_inclusive(|byte| *byte == b'\n').partition(|line| is_again(line));
        self.again.fetch_add(again.len() as u32, Ordering::Relaxed);
        let outcome = (output.stdout, complaint.concat(), output.status.code());
        *self.outcomes.lock().map_err(|_| anyhow!("a worker panicked"))?.entry(outcome).or_default() += 1;
        self.times.lock().map_err(|_| anyhow!("a worker panicked"))?.push(began.elapsed());
        Ok(())
    }

    /// Prints the lab's row, and where its transcripts part; whether there is only one.
    fn print(&self) -> bool {
        let (Ok(outcomes), Ok(mut times)) = (self.outcomes.lock(), self.times.lock()) else { return false };
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1000.0;
        let mut all: Vec<(&Outcome, u32)> = outcomes.iter().map(|(outcome, count)| (outcome, *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let code = |outcome: &Outcome| outcome.2.map_or_else(|| "signal".to_owned(), |code| code.to_string());
        let codes: Vec<String> = all.iter().map(|(outcome, _)| code(outcome)).collect();
        let again = self.again.load(Ordering::Relaxed);
        let (name, codes) = (&self.name, codes.join(","));
        println!("{name:<26} {:>6} {:>12} {codes:>9} {median:>11.1} {again:>13}", times.len(), all.len());
        let Some(((usual, ..), _)) = all.first() else { return false };
        for ((other, complaint, _), count) in &all[1..] {
            let (line, a, b) = first_difference(usual, other);
            println!("  {count} differ from line {line} on:\n    usual: {a}\n    other: {b}");
            print!("{}", String::from_utf8_lossy(complaint));
        }
        all.len() == 1 && all[0].0.2 == Some(0)
    }
}

fn is_again(line: &[u8]) -> bool {
    String::from_utf8_lossy(line).contains(PLAYED_AGAIN)
}

fn first_difference(a: &[u8], b: &[u8]) -> (usize, String, String) {
    let (a, b) = (String::from_utf8_lossy(a), String::from_utf8_lossy(b));
    let (mut a, mut b) = (a.lines(), b.lines());
    for line in 1.. {
        let (left, right) = (a.next(), b.next());
        if left != right || left.is_none() {
            let shown = |side: Option<&str>| side.unwrap_or("(the end)").to_owned();
            return (line, shown(left), shown(right));
        }
    }
    unreachable!("one of two finite texts ends")
}
