//! `socklab grade`: judges one attempt at an exercise.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use socklab::judge::report::{self, Told};
use socklab::judge::{Grade, Judging, Misconception, Verdict, judge, read_case};
use socklab::lab::exit;
use socklab::sandbox::{How, Input, Layer, Layers, Limits, Order, Parcel, Program, Sandbox, resolve};

use super::attempts::{self, Attempted};
use super::{Mistyped, work};
use crate::exercises::{self, Folder};

/// The lowest tier at which strangers' programs are judged.
const STRANGERS: u8 = 2;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The exercise: 30, 30-client
    pub exercise: String,
    /// Apply only this check
    #[arg(long, value_name = "NAME")]
    pub check: Option<String>,
    /// Draw random numbers by this seed
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Give the check these numbers, as a report prints them
    #[arg(long, value_name = "NUMBERS", requires = "check")]
    pub case: Option<String>,
    /// Tell the story of each check that failed, and not only of the first
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
    /// Leave a layer of protection out: user, network, processes, files, ipc, names, landlock, seccomp, limits
    #[arg(long, value_name = "LAYER")]
    pub without: Vec<String>,
    /// The program and its arguments, in which {host} and {port} stand for the address
    #[arg(last = true)]
    pub program: Vec<OsString>,
}

/// Judges, reports, and remembers.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = exercises::find(&arguments.exercise)?;
    let attempted = attempted(folder, &arguments.program)?;
    let grade = grade(folder, arguments, &attempted)?;
    tell(folder, arguments, &grade)?;
    if arguments.program.is_empty() && grade.whole && grade.points().is_some() {
        work::remember(folder.id, &grade)?;
    }
    Ok(ExitCode::from(match grade.verdict() {
        Verdict::Pass => exit::OK,
        Verdict::Fail => exit::FAILS,
        Verdict::CannotTell => exit::CANNOT_TELL,
    }))
}

/// What is to be judged: what was typed, or what is in work/.
pub fn attempted(folder: &Folder, command: &[OsString]) -> Result<Attempted> {
    if command.is_empty() {
        let place = work::folder(folder.id);
        if !place.is_dir() {
            let id = folder.id;
            let remedy = format!("just start {id} python, or name your program: just grade {id} -- python3 server.py");
            return Err(Mistyped(format!("there is no {}: {remedy}", place.display())).into());
        }
        return attempts::of_folder(&place);
    }
    attempts::of_command(&env::current_dir().context("the current folder")?, command)
}

/// Builds the attempt and applies the checks.
pub fn grade(folder: &Folder, arguments: &Arguments, attempted: &Attempted) -> Result<Grade> {
    let exercise = (folder.exercise)();
    if let Some(only) = &arguments.check
        && !exercise.checks.iter().any(|check| check.name == only)
    {
        let names: Vec<&str> = exercise.checks.iter().map(|check| check.name).collect();
        return Err(
            Mistyped(format!("exercise {} has no check {only:?}; it has {}", folder.id, names.join(", "))).into()
        );
    }
    let case = arguments.case.as_deref().map(read_case).transpose().map_err(Mistyped)?;
    let mut order = Order { port: exercise.port, limits: limits(), ..Order::default() };
    let mut layers = Layers::here(&order.keeper);
    for name in &arguments.without {
        let layer =
            Layer::of_name(name).ok_or_else(|| Mistyped(format!("--without {name}: there is no such layer")))?;
        layers = layers.without(layer);
    }
    let wrong: Vec<Misconception> = folder.wrong().into_iter().map(|(misconception, _)| misconception).collect();
    order.layers = layers;
    let (attempted, besides) = attempted.clone().laid_out();
    order.parcel = Parcel::of_folder(&attempted.folder, &besides).map_err(|error| Mistyped(error.to_string()))?;
    if arguments.untrusted {
        let protection = Sandbox::open(&order).map_err(|fault| Mistyped(fault.to_string()))?.protection().clone();
        if protection.tier < STRANGERS {
            bail!(
                "strangers' programs are judged at tier {STRANGERS} and above; here it is {protection}: socklab doctor"
            );
        }
    }
    let seed = arguments.seed.unwrap_or_else(any_seed);
    let typed: Vec<String> = attempted.run.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if !attempted.build.is_empty() {
        match build(&order, &attempted)? {
            Ok(parcel) => order.parcel = parcel,
            Err(output) => return Ok(unbuilt(folder, &exercise, typed, seed, output)),
        }
    }
    let argv = found(&mut order, &attempted, &attempted.run)?;
    let bar = progress(exercise.checks.len());
    let judging = Judging {
        id: folder.id,
        exercise: &exercise,
        wrong: &wrong,
        typed,
        env: environment(&argv),
        argv,
        order,
        seed,
        only: arguments.check.as_deref(),
        case,
        capture: arguments.pcap.is_some(),
        progress: &|done| bar.set_position(done as u64),
    };
    let grade = judge(&judging);
    bar.finish_and_clear();
    Ok(grade)
}

/// Nobody may go on for longer, however often it is asked.
fn limits() -> Limits {
    Limits { wall: Duration::from_secs(150), ..Limits::default() }
}

/// A command whose program is a file, which the sandbox then shows.
fn found(order: &mut Order, attempted: &Attempted, command: &[OsString]) -> Result<Vec<OsString>> {
    let mut argv = command.to_vec();
    let built = !attempted.build.is_empty() && Path::new(&argv[0]).starts_with(".");
    // What was built is in the scratch folder only.
    if !built || command == attempted.build {
        let found = resolve(&argv[0], &attempted.folder).map_err(|error| Mistyped(error.to_string()))?;
        order.visible.extend(found.visible);
        argv[0] = found.path.into();
    }
    Ok(argv)
}

/// The whole environment of a program, but for its address. Nothing of ours is in it.
fn environment(argv: &[OsString]) -> Vec<(String, String)> {
    let usual = "/usr/local/bin:/usr/bin:/bin";
    let own = Path::new(&argv[0]).parent().filter(|folder| folder.is_absolute()).map(|folder| folder.display());
    let path = own.map_or_else(|| usual.to_owned(), |own| format!("{own}:{usual}"));
    let pairs = [("PATH", path.as_str()), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC")];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// Executes the build, on a private host as well: a compiler reads what a stranger wrote. Outside every clock.
fn build(order: &Order, attempted: &Attempted) -> Result<std::result::Result<Parcel, String>> {
    let mut order = Order { limits: Limits::for_build(), ..order.clone() };
    let argv = found(&mut order, attempted, &attempted.build)?;
    let mut sandbox = Sandbox::open(&order).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let fault = |fault: socklab::sandbox::Fault| anyhow::anyhow!("the build could not be watched: {fault}");
    let program = Program { env: environment(&argv), argv, input: Input::Nothing };
    sandbox.start(&program).map_err(fault)?;
    while sandbox.ended().is_none() {
        sandbox.wait(&mut [], Duration::from_secs(1)).map_err(fault)?;
    }
    if sandbox.ended().is_some_and(|ending| ending.how == How::Exited(0)) {
        return Ok(Ok(sandbox.pack().map_err(fault)?));
    }
    let output = sandbox.output();
    let both = [&output.stdout.kept[..], &output.stderr.kept[..]].concat();
    Ok(Err(String::from_utf8_lossy(&both).into_owned()))
}

/// The grade of a program that does not come to be: every check was applied to nothing, and fails.
fn unbuilt(
    folder: &Folder,
    exercise: &socklab::judge::Exercise,
    typed: Vec<String>,
    seed: u64,
    output: String,
) -> Grade {
    Grade::unbuilt(folder.id, exercise, typed, seed, output)
}

fn tell(folder: &Folder, arguments: &Arguments, grade: &Grade) -> Result<()> {
    if let Some(file) = &arguments.junit {
        fs::write(file, report::junit(grade)).with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &arguments.pcap {
        fs::write(file, report::pcapng(grade)).with_context(|| file.display().to_string())?;
    }
    if arguments.json {
        println!("{}", report::json(grade));
        return Ok(());
    }
    let behind = if arguments.program.is_empty() { String::new() } else { format!(" -- {}", grade.program.join(" ")) };
    let told = Told {
        title: folder.title(),
        page: &folder.page(),
        command: &format!("just grade {}", folder.id),
        behind: &behind,
        all: arguments.all,
        lines: None,
    };
    if arguments.transcript {
        anstream::print!("{}", report::transcript(grade));
    }
    anstream::print!("{}", report::text(grade, &told));
    Ok(())
}

/// A bar on a terminal; nothing in a pipe.
fn progress(checks: usize) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  judging {pos} of {len}  {wide_bar}");
    ProgressBar::new(checks as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A seed that nobody can know before.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 % 1_000_000
}
