//! Many runs of the same things, side by side, beside a load or not, and how often each outcome came.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

/// How things are run.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// How many are run at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub together: u32,
    /// Keep every processor busy meanwhile
    #[arg(long)]
    pub load: bool,
}

impl RunOptions {
    /// "4 at a time, every processor kept busy"
    pub fn told(&self) -> String {
        let load = if self.load { "every processor kept busy" } else { "no other load" };
        format!("{} at a time, {load}", self.together)
    }
}

/// All runs of one thing.
pub struct Tally<T, Outcome> {
    pub what: T,
    started: AtomicU32,
    outcomes: Mutex<HashMap<Outcome, u32>>,
    times: Mutex<Vec<Duration>>,
}

impl<T, Outcome: Clone + Eq + Hash> Tally<T, Outcome> {
    pub fn of(what: T) -> Tally<T, Outcome> {
        Tally { what, started: AtomicU32::new(0), outcomes: Mutex::default(), times: Mutex::default() }
    }

    fn run_once(&self, run: impl Fn(&T) -> Result<Outcome>) -> Result<()> {
        let began = Instant::now();
        let outcome = run(&self.what)?;
        *self.outcomes.lock().map_err(|_| anyhow!("a worker panicked"))?.entry(outcome).or_default() += 1;
        self.times.lock().map_err(|_| anyhow!("a worker panicked"))?.push(began.elapsed());
        Ok(())
    }

    /// The outcomes, the most frequent first.
    pub fn outcomes(&self) -> Vec<(Outcome, u32)> {
        let Ok(outcomes) = self.outcomes.lock() else { return Vec::new() };
        let mut all: Vec<(Outcome, u32)> = outcomes.iter().map(|(outcome, count)| (outcome.clone(), *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }

    /// How many runs there were, and how many milliseconds the one in the middle took.
    pub fn runs_and_median(&self) -> (usize, f64) {
        let Ok(mut times) = self.times.lock() else { return (0, 0.0) };
        times.sort();
        (times.len(), times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1000.0)
    }
}

/// Runs each of them so often. The first error ends it.
pub fn run_all<T: Sync, Outcome: Clone + Eq + Hash + Send>(
    tallies: &[Tally<T, Outcome>],
    runs: u32,
    options: &RunOptions,
    run: impl Fn(&T) -> Result<Outcome> + Sync,
) -> Result<()> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} to go")?;
    let bar = ProgressBar::new(u64::from(runs) * tallies.len() as u64).with_style(style);
    let over = AtomicBool::new(false);
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..if options.load { cores } else { 0 } {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let workers: Vec<_> = (0..options.together as usize)
            .map(|worker| {
                let (bar, failed, run) = (&bar, &failed, &run);
                scope.spawn(move || {
                    // Each worker begins with another one, so that different ones run side by side.
                    for index in 0..tallies.len() {
                        let tally = &tallies[(index + worker) % tallies.len()];
                        while tally.started.fetch_add(1, Ordering::Relaxed) < runs {
                            if let Err(error) = tally.run_once(run) {
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
