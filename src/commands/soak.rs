//! `socklab soak`: labs run many times, each time from the start, and their transcripts compared byte for byte.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use socklab::course::labs::{Row, find_row, rows};
use socklab::lab::{PLAYED_AGAIN, exit};
use socklab::output;

use super::child::lab_command;
use super::tally::{self, RunOptions, Tally};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Labs by number or name; all where none is given
    labs: Vec<String>,
    /// How often each lab is run
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    #[command(flatten)]
    options: RunOptions,
    /// Write each different transcript of a lab, and its standard error, to files in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Flags for the labs, behind two hyphens: -- --wire --drop 3
    #[arg(last = true)]
    flags: Vec<String>,
}

/// What a lab printed, and how it ended.
type Outcome = (Vec<u8>, Vec<u8>, Option<i32>);

/// What is run.
struct Lab {
    name: String,
    /// How many scenes were played again.
    again: AtomicU32,
}

/// Runs the labs and prints a table; fails if any lab has more than one transcript or does not end well.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let rows = match arguments.labs.as_slice() {
        [] => rows(),
        words => words.iter().map(|word| find_row(word)).collect::<Result<_, _>>()?,
    };
    let labs = rows.iter().map(Row::folder).map(|name| Lab { name, again: AtomicU32::new(0) });
    let tallies: Vec<Tally<Lab, Outcome>> = labs.map(Tally::of).collect();
    tally::run_all(&tallies, arguments.runs, &arguments.options, |lab| lab.run_once(&arguments.flags))?;
    let flags: Vec<String> = arguments.flags.iter().map(|flag| format!(" {flag}")).collect();
    let mut text = format!("{} runs a lab{}, {}\n", arguments.runs, flags.concat(), arguments.options.told());
    let _ = writeln!(
        text,
        "{:<26} {:>6} {:>12} {:>9} {:>11} {:>13}",
        "lab", "runs", "transcripts", "exit code", "median ms", "played again"
    );
    let mut steady = true;
    for tally in &tallies {
        if let Some(folder) = &arguments.keep {
            keep(tally, folder)?;
        }
        let (row, is_steady) = row(tally);
        text += &row;
        steady &= is_steady;
    }
    output::print(&text)?;
    Ok(ExitCode::from(if steady { exit::OK } else { exit::FAILED }))
}

impl Lab {
    fn run_once(&self, flags: &[String]) -> Result<Outcome> {
        let all = (!flags.iter().any(|flag| flag.starts_with("--scene"))).then_some("--all");
        let output = lab_command(&self.name)
            .args(all)
            .args(flags)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("start lab {}", self.name))?;
        // A scene that was played again is counted, and is no difference.
        let (again, complaint): (Vec<&[u8]>, Vec<&[u8]>) =
            output.stderr.split_inclusive(|byte| *byte == b'\n').partition(|line| is_again(line));
        self.again.fetch_add(again.len() as u32, Ordering::Relaxed);
        Ok((output.stdout, complaint.concat(), output.status.code()))
    }
}

/// Writes each outcome to files of its own, the most frequent first: `23-nagle.1.out` and `23-nagle.1.err`.
fn keep(tally: &Tally<Lab, Outcome>, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    for (((transcript, complaint, _), _), number) in tally.outcomes().iter().zip(1..) {
        for (bytes, ending) in [(transcript, "out"), (complaint, "err")] {
            let path = folder.join(format!("{}.{number}.{ending}", tally.what.name));
            output::write_file(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(())
}

/// A lab's row, and where its transcripts part; and whether there is only one.
fn row(tally: &Tally<Lab, Outcome>) -> (String, bool) {
    let ((runs, median), all) = (tally.runs_and_median(), tally.outcomes());
    let code = |outcome: &Outcome| outcome.2.map_or_else(|| "signal".to_owned(), |code| code.to_string());
    let codes: Vec<String> = all.iter().map(|(outcome, _)| code(outcome)).collect();
    let (name, again, codes) = (&tally.what.name, tally.what.again.load(Ordering::Relaxed), codes.join(","));
    let mut text = format!("{name:<26} {runs:>6} {:>12} {codes:>9} {median:>11.1} {again:>13}\n", all.len());
    let Some(((usual, ..), _)) = all.first() else { return (text, false) };
    for ((other, complaint, _), count) in &all[1..] {
        let (line, a, b) = first_difference(usual, other);
        let _ = writeln!(text, "  {count} differ from line {line} on:\n    usual: {a}\n    other: {b}");
        text += &String::from_utf8_lossy(complaint);
    }
    (text, all.len() == 1 && all[0].0.2 == Some(0))
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
