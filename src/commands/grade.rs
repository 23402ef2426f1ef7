//! `socklab grade`: judges one attempt at an exercise.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use socklab::course::attempt_source::{self, AttemptSource};
use socklab::course::exercises::{self, ExerciseFolder};
use socklab::course::grading::{GradeOptions, prepare, secret_seed};
use socklab::course::work::{Work, shown};
use socklab::judge::report::{self, ReportOptions};
use socklab::judge::{Grade, Seed, Verdict, read_case, read_seed};
use socklab::lab::exit;
use socklab::output;
use socklab::sandbox::Layer;
use socklab::trace::error_name;
use socklab::view::text::turns_text;

use super::Mistyped;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    pub exercise: String,
    /// Apply only this check
    #[arg(long, value_name = "NAME")]
    pub check: Option<String>,
    /// Draw the same random numbers as the grade that reports this seed
    #[arg(long, value_name = "NUMBER", value_parser = read_seed)]
    pub seed: Option<u64>,
    /// Draw random numbers by the secret in this file, 16 bytes or more; no grade reveals it
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    pub seed_file: Option<PathBuf>,
    /// With a secret seed: draw other numbers for each name, a student's or a date
    #[arg(long, value_name = "NAME", requires = "seed_file")]
    pub seed_for: Option<String>,
    /// Give the check these numbers, as a report prints them
    #[arg(long, value_name = "NUMBERS", requires = "check")]
    pub case: Option<String>,
    /// Show the story of each check that failed, and not only of the first
    #[arg(long)]
    pub all: bool,
    /// Print the grade as JSON
    #[arg(long)]
    pub json: bool,
    /// Write the grade as JUnit's XML to this file
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write all frames to a capture file, with the steps as comments
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// Print all calls of our peers, and all lines of the program
    #[arg(long)]
    pub transcript: bool,
    /// The program is a stranger's: refuse to judge where this machine is not protected from it
    #[arg(long)]
    pub untrusted: bool,
    /// With --untrusted, where this machine does not protect itself: it is a container that is thrown away after this
    /// one submission
    #[arg(long, requires = "untrusted")]
    pub sandboxed_by_caller: bool,
    /// Leave a layer of protection out: user, network, processes, files, ipc, names, landlock, seccomp, limits
    #[arg(long, value_name = "LAYER")]
    pub without: Vec<String>,
    /// Judge what is in this folder, and not in work/
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["program", "attempt"])]
    pub folder: Option<PathBuf>,
    /// What is judged: a program, a folder, a zip or a tar.gz; by default what is in work/
    #[arg(conflicts_with = "program")]
    pub attempt: Vec<PathBuf>,
    /// The program and its arguments, in which {host} and {port} stand for the address
    #[arg(last = true)]
    pub program: Vec<OsString>,
}

impl Arguments {
    /// With nothing asked for but the judgement.
    pub fn of(exercise: &str, program: &[OsString]) -> Arguments {
        Arguments {
            exercise: exercise.to_owned(),
            check: None,
            seed: None,
            seed_file: None,
            seed_for: None,
            case: None,
            all: false,
            json: false,
            junit: None,
            transcript: false,
            pcap: None,
            untrusted: false,
            sandboxed_by_caller: false,
            without: Vec::new(),
            folder: None,
            attempt: Vec::new(),
            program: program.to_vec(),
        }
    }

    /// What they ask of the judge.
    fn options(&self) -> Result<GradeOptions> {
        let layer = |name: &String| {
            let names = Layer::ALL.map(|layer| layer.to_string()).join(", ");
            Layer::of_name(name)
                .ok_or_else(|| Mistyped(format!("--without {name}: there is no such layer; there are {names}")))
        };
        Ok(GradeOptions {
            check: self.check.clone(),
            seed: self.chosen_seed()?,
            case: self.case.as_deref().map(read_case).transpose().map_err(Mistyped)?,
            without: self.without.iter().map(layer).collect::<Result<_, _>>()?,
            untrusted: self.untrusted,
            sandboxed_by_caller: self.sandboxed_by_caller,
            capture: self.pcap.is_some(),
        })
    }
}

impl Arguments {
    fn chosen_seed(&self) -> Result<Option<Seed>> {
        match &self.seed_file {
            Some(file) => Ok(Some(secret_seed(file, self.seed_for.as_deref())?)),
            None => Ok(self.seed.map(Seed::of_number)),
        }
    }
}

/// Judges, reports, and remembers.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (work, folder) = (Work::of_environment(), exercises::find(&arguments.exercise)?);
    let grade = match attempt(&work, folder, arguments) {
        Err(error) if arguments.json => {
            output::print(&format!("{}\n", report::not_judged(folder.id, &format!("{error:#}"))))?;
            return Err(error);
        }
        grade => grade?,
    };
    // Progress is kept even where the report cannot be printed, and the report printed where progress cannot be kept.
    let kept = remember(&work, folder, arguments, &grade);
    tell(folder, arguments, &grade)?;
    kept?;
    Ok(ExitCode::from(match grade.verdict() {
        Verdict::Pass => exit::OK,
        Verdict::Fail => exit::FAILS,
        Verdict::CannotTell => exit::CANNOT_TELL,
    }))
}

/// Judges the attempt that was named.
fn attempt(work: &Work, folder: &'static ExerciseFolder, arguments: &Arguments) -> Result<Grade> {
    let source = match (&arguments.folder, &arguments.attempt[..]) {
        (Some(place), _) => attempt_source::of_folder(place, &folder.starters())?,
        (None, [path]) => attempt_source::of_path(path, &folder.starters())?,
        (None, []) => source(work, folder, &arguments.program)?,
        (None, words) => {
            let words: Vec<String> = words.iter().map(|word| as_typed(&word.to_string_lossy())).collect();
            let meant = format!("just grade {} -- {}", folder.id, words.join(" "));
            return Err(Mistyped(format!("a command goes behind --: {meant}")).into());
        }
    };
    grade(folder, &arguments.options()?, &source)
}

/// Keeps the grade of a whole attempt in the folder of work.
pub fn remember(work: &Work, folder: &ExerciseFolder, arguments: &Arguments, grade: &Grade) -> Result<()> {
    let is_in_work = arguments.program.is_empty() && arguments.folder.is_none() && arguments.attempt.is_empty();
    if is_in_work && grade.whole && grade.points().is_some() {
        work.remember(folder.id, grade)?;
    }
    Ok(())
}

/// The attempt: the command that was typed, or what is in the folder of work.
pub fn source(work: &Work, folder: &ExerciseFolder, command: &[OsString]) -> Result<AttemptSource> {
    if command.is_empty() {
        let (id, place) = (folder.id, work.folder(folder.id));
        if !place.is_dir() {
            let remedy = format!("just start {id} python, or name your program: just grade {id} -- python3 server.py");
            return Err(Mistyped(format!("there is no {}: {remedy}", shown(&place))).into());
        }
        return attempt_source::of_folder(&place, &folder.starters());
    }
    attempt_source::of_command(&env::current_dir().context("the current folder")?, command)
}

/// Builds the attempt and applies the checks, with a bar that shows how many are done.
fn grade(folder: &'static ExerciseFolder, options: &GradeOptions, source: &AttemptSource) -> Result<Grade> {
    let attempt = prepare(folder, options, source)?;
    let bar = progress_bar(attempt.checks());
    let grade = attempt.grade(options, &|done| bar.set_position(done as u64));
    bar.finish_and_clear();
    grade
}

fn tell(folder: &ExerciseFolder, arguments: &Arguments, grade: &Grade) -> Result<()> {
    if let Some(file) = &arguments.junit {
        write_file(file, report::junit(grade).as_bytes())?;
    }
    if let Some(file) = &arguments.pcap {
        write_file(file, &report::pcapng(grade))?;
    }
    if arguments.json {
        output::print(&format!("{}\n", report::json(grade)))?;
        return Ok(());
    }
    let transcript = if arguments.transcript { report::transcript(grade) } else { String::new() };
    output::print(&(transcript + &with_told(folder, arguments, grade, columns(), |told| report::text(grade, told))))?;
    Ok(())
}

/// Writes a file that was asked for.
fn write_file(file: &Path, bytes: &[u8]) -> Result<()> {
    output::write_file(file, bytes).map_err(|error| {
        let (file, name) = (file.display(), error_name(&error));
        anyhow!("write {file}: {name}: {error}: name a file that you may write")
    })
}

/// The columns of a report on standard output: those of the terminal, if it is one.
fn columns() -> usize {
    /// Narrower than this nobody reads a report.
    const NARROWEST: usize = 40;
    let size = stdout().is_terminal().then(|| rustix::termios::tcgetwinsize(stdout()).ok()).flatten();
    let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    columns.map_or(report::WIDTH, |columns| columns.clamp(NARROWEST, report::WIDTH))
}

/// Does something with what a report says besides the grade, in so many columns.
pub fn with_told<T>(
    folder: &ExerciseFolder,
    arguments: &Arguments,
    grade: &Grade,
    columns: usize,
    work: impl FnOnce(&ReportOptions<'_>) -> T,
) -> T {
    let words: Vec<String> = grade.program.iter().map(|word| as_typed(word)).collect();
    let behind = match (&arguments.folder, &arguments.attempt[..]) {
        (Some(folder), _) => format!(" --folder {}", as_typed(&folder.to_string_lossy())),
        (None, [path, ..]) => format!(" {}", as_typed(&path.to_string_lossy())),
        _ if arguments.program.is_empty() => String::new(),
        _ => format!(" -- {}", words.join(" ")),
    };
    let is_in_work = arguments.program.is_empty() && arguments.folder.is_none();
    let next = match grade.verdict() {
        Verdict::Pass => Work::of_environment().what_next(folder, is_in_work),
        Verdict::Fail | Verdict::CannotTell => Vec::new(),
    };
    work(&ReportOptions {
        title: folder.title(),
        page: &folder.page(),
        command: &format!("just grade {}", folder.id),
        behind: &behind,
        next: &next,
        all: arguments.all,
        columns,
    })
}

/// A word as a shell reads it.
fn as_typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let is_odd = |c: char| c.is_control() || turns_text(c);
    if !word.chars().any(is_odd) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    let mut typed = String::from("$'");
    for character in word.chars() {
        match character {
            '\'' | '\\' => typed.extend(['\\', character]),
            other if is_odd(other) => typed.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => typed.push(other),
        }
    }
    typed + "'"
}

/// A bar on a terminal; nothing in a pipe.
fn progress_bar(checks: usize) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  judging {pos} of {len}  {wide_bar}");
    ProgressBar::new(checks as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
