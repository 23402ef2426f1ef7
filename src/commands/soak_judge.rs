//! `socklab soak-judge`: the same attempts judged many times: is the verdict always the same, and as it is meant?

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use clap::builder::PossibleValuesParser;
use socklab::course::exercises::{self, ExerciseFolder};
use socklab::course::grading::{GradeOptions, PreparedAttempt, prepare};
use socklab::course::work::Scratch;
use socklab::course::{attempt_source, languages};
use socklab::judge::report::kind;
use socklab::judge::{Checked, GATE, Grade, Misconception, Outcome};
use socklab::lab::exit;
use socklab::output;

use super::Mistyped;
use super::tally::{self, RunOptions, Tally};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Exercises: 30, 30-client; all where none is named
    exercises: Vec<String>,
    /// How often each attempt is judged
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    /// Programs in this language, or in all
    #[arg(long, default_value = "python", value_parser = languages_or_all())]
    language: String,
    /// Only programs that were made for a race: those with a remark `race:` at their top
    #[arg(long)]
    races: bool,
    /// Apply only this check of the exercise
    #[arg(long)]
    check: Option<String>,
    #[command(flatten)]
    options: RunOptions,
}

/// The word for programs in every language.
const ALL: &str = "all";

fn languages_or_all() -> PossibleValuesParser {
    languages::with_starters().map(|language| language.name).chain([ALL]).collect::<Vec<_>>().into()
}

/// A program of ours, and what its verdict must be.
struct Attempt {
    name: String,
    prepared: PreparedAttempt,
    fails: Vec<String>,
}

/// The checks that failed and how, by name; or that we could not tell.
type Verdict = Vec<(String, String)>;

/// Judges each solution, each other right program and each wrong one, and prints a table; fails if any verdict is not
/// the one that is meant.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folders: Vec<&ExerciseFolder> = match arguments.exercises.as_slice() {
        [] if arguments.check.is_some() => return Err(Mistyped("--check: of which exercise?".to_owned()).into()),
        [] => exercises::all().iter().collect(),
        words => words.iter().map(|word| exercises::find(word)).collect::<Result<_, _>>()?,
    };
    // What is to be judged lies there until the end.
    let scratch = Scratch::make().context("make a folder for the programs")?;
    let mut tallies: Vec<Tally<Attempt, Verdict>> = Vec::new();
    for folder in folders {
        tallies.extend(attempts(folder, arguments, &scratch)?.into_iter().map(Tally::of));
    }
    if tallies.is_empty() {
        let kind = if arguments.races { "programs made for a race" } else { "programs" };
        return Err(Mistyped(format!("there are no {kind} in {}", arguments.language)).into());
    }
    let options = GradeOptions { check: arguments.check.clone(), ..GradeOptions::default() };
    tally::run_all(&tallies, arguments.runs, &arguments.options, |attempt| {
        Ok(verdict(&attempt.prepared.grade(&options, &|_| {})?))
    })?;
    let mut text = format!("{} judgements of each, {}\n", arguments.runs, arguments.options.told());
    let column = tallies.iter().map(|tally| tally.what.name.len()).max().unwrap_or(0);
    let _ = writeln!(text, "{:<column$} {:>6} {:>9} {:>10}  as meant", "attempt", "runs", "verdicts", "median ms");
    let mut good = true;
    for tally in &tallies {
        let (row, as_meant) = row(tally, column);
        text += &row;
        good &= as_meant;
    }
    output::print(&text)?;
    Ok(ExitCode::from(if good { exit::OK } else { exit::FAILED }))
}

/// The programs of an exercise that are asked for, written to files and built.
fn attempts(folder: &'static ExerciseFolder, arguments: &Arguments, scratch: &Scratch) -> Result<Vec<Attempt>> {
    let mut programs: Vec<(String, &[u8], Vec<String>)> = Vec::new();
    for right in ["solutions", "right"] {
        programs.extend(folder.below(right).map(|(path, bytes)| (format!("{right}/{path}"), bytes, Vec::new())));
    }
    for (path, bytes) in folder.below("wrong") {
        let misconception = Misconception::read(path, &String::from_utf8_lossy(bytes));
        programs.push((format!("wrong/{path}"), bytes, misconception.map_err(|why| anyhow!(why))?.fails));
    }
    let language = &arguments.language;
    let is_wanted = |path: &str, bytes: &[u8]| {
        let is = languages::of_file(Path::new(path)).map(|is| is.name);
        (language == ALL || is == Some(language)) && (!arguments.races || is_made_for_a_race(bytes))
    };
    let mut attempts = Vec::new();
    for (path, bytes, mut fails) in programs.into_iter().filter(|(path, bytes, _)| is_wanted(path, bytes)) {
        if let Some(check) = &arguments.check {
            fails.retain(|name| name == check || name == GATE);
        }
        let name = path.rsplit('/').next().unwrap_or(&path);
        let file = scratch.put(&format!("{}/{path}/{name}", folder.id), bytes)?;
        let options = GradeOptions { check: arguments.check.clone(), ..GradeOptions::default() };
        let prepared = prepare(folder, &options, &attempt_source::of_file(&file)?)?;
        attempts.push(Attempt { name: format!("{} {path}", folder.id), prepared, fails });
    }
    Ok(attempts)
}

/// Whether a program's head says which race it was made for: what the judge does comes to it in either order.
fn is_made_for_a_race(program: &[u8]) -> bool {
    const HEAD: usize = 20;
    let text = String::from_utf8_lossy(program);
    text.lines().take(HEAD).any(|line| line.trim_start_matches(['#', '/', '*', ' ']).starts_with("race:"))
}

fn verdict(grade: &Grade) -> Verdict {
    let told = |checked: &Checked| {
        let how = match &checked.outcome {
            Outcome::Passed => return None,
            Outcome::Failed(failure) => kind(failure.kind).to_owned(),
            Outcome::Fault(fault) => format!("can't tell: {fault}"),
        };
        Some((checked.check.name.to_owned(), how))
    };
    if let (Some(_), Some(first)) = (grade.gate, grade.checks.first()) {
        return told(first).map(|(_, how)| (GATE.to_owned(), how)).into_iter().collect();
    }
    grade.checks.iter().filter_map(told).collect()
}

/// An attempt's row, and its verdicts where not all are as they are meant; and whether all are.
fn row(tally: &Tally<Attempt, Verdict>, column: usize) -> (String, bool) {
    let ((runs, median), all) = (tally.runs_and_median(), tally.outcomes());
    let is_meant = |verdict: &Verdict| {
        let mut fails: Vec<&str> = verdict.iter().map(|(name, _)| name.as_str()).collect();
        let mut meant: Vec<&str> = tally.what.fails.iter().map(String::as_str).collect();
        fails.sort_unstable();
        meant.sort_unstable();
        fails == meant && !verdict.iter().any(|(_, how)| how.starts_with("can't tell"))
    };
    let meant: u32 = all.iter().filter(|(verdict, _)| is_meant(verdict)).map(|(_, count)| count).sum();
    let name = &tally.what.name;
    let mut text = format!("{name:<column$} {runs:>6} {:>9} {median:>10.1}  {meant} of {runs}\n", all.len());
    let good = all.len() == 1 && meant as usize == runs;
    for (verdict, count) in all.iter().filter(|_| !good) {
        let checks: Vec<String> = verdict.iter().map(|(name, how)| format!("{name} ({how})")).collect();
        let checks = if checks.is_empty() { "passes".to_owned() } else { format!("fails {}", checks.join(", ")) };
        let _ = writeln!(text, "  {count:>6}  {checks}");
    }
    (text, good)
}
