//! `socklab grade`: judges one attempt at an exercise.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use socklab::judge::report::{self, Told};
use socklab::judge::{Exercise, Grade, Judging, Misconception, Verdict, judge, read_case};
use socklab::lab::exit;
use socklab::output;
use socklab::sandbox::{Archive, How, Input, Layer, Layers, Limits, Program, Sandbox, SandboxConfig, resolve};
use socklab::trace::error_name;

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
    /// Judge what is in this folder, as otherwise what is in work/
    #[arg(long, value_name = "FOLDER", conflicts_with = "program")]
    pub folder: Option<PathBuf>,
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
            case: None,
            all: false,
            json: false,
            junit: None,
            transcript: false,
            pcap: None,
            untrusted: false,
            without: Vec::new(),
            folder: None,
            program: program.to_vec(),
        }
    }
}

/// Judges, reports, and remembers.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = exercises::find(&arguments.exercise)?;
    let attempted = match &arguments.folder {
        Some(folder) => attempts::of_folder(folder)?,
        None => attempted(folder, &arguments.program)?,
    };
    let grade = grade(folder, arguments, &attempted)?;
    // What was achieved is kept though nobody reads of it, and reported though it cannot be kept.
    let kept = remember(folder, arguments, &grade);
    tell(folder, arguments, &grade)?;
    kept?;
    Ok(ExitCode::from(match grade.verdict() {
        Verdict::Pass => exit::OK,
        Verdict::Fail => exit::FAILS,
        Verdict::CannotTell => exit::CANNOT_TELL,
    }))
}

/// Keeps the grade of a program in work/, if it is one.
pub fn remember(folder: &Folder, arguments: &Arguments, grade: &Grade) -> Result<()> {
    let is_in_work = arguments.program.is_empty() && arguments.folder.is_none();
    if is_in_work && grade.whole && grade.points().is_some() {
        work::remember(folder.id, grade)?;
    }
    Ok(())
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

/// Builds the attempt and applies the checks, with a bar that tells how many are done.
fn grade(folder: &'static Folder, arguments: &Arguments, attempted: &Attempted) -> Result<Grade> {
    let ready = prepare(folder, arguments, attempted)?;
    let bar = progress(ready.exercise.checks.len());
    let grade = ready.judged(arguments, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    Ok(grade)
}

/// An attempt that can be judged, once or many times.
pub struct Ready {
    folder: &'static Folder,
    exercise: Exercise,
    wrong: Vec<Misconception>,
    typed: Vec<String>,
    /// What is executed, and where; or what its builder wrote, where it could not be built.
    program: std::result::Result<(Vec<OsString>, SandboxConfig), String>,
}

/// Reads what is to be judged, and builds it.
pub fn prepare(folder: &'static Folder, arguments: &Arguments, attempted: &Attempted) -> Result<Ready> {
    let exercise = (folder.exercise)();
    if let Some(only) = &arguments.check
        && !exercise.checks.iter().any(|check| check.name == only)
    {
        let names: Vec<&str> = exercise.checks.iter().map(|check| check.name).collect();
        let names = names.join(", ");
        return Err(Mistyped(format!("exercise {} has no check {only:?}; it has {names}", folder.id)).into());
    }
    let mut order = SandboxConfig { port: exercise.port, limits: limits(), ..SandboxConfig::default() };
    let mut layers = Layers::here(&order.keeper);
    for name in &arguments.without {
        let layer =
            Layer::of_name(name).ok_or_else(|| Mistyped(format!("--without {name}: there is no such layer")))?;
        layers = layers.without(layer);
    }
    let typed = attempted.run.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    order.layers = layers;
    let (attempted, besides) = attempted.clone().laid_out();
    order.archive = Archive::of_folder(&attempted.folder, &besides).map_err(|error| Mistyped(error.to_string()))?;
    if arguments.untrusted {
        let protection = Sandbox::open(&order).map_err(|fault| Mistyped(fault.to_string()))?.protection().clone();
        if protection.tier < STRANGERS {
            bail!(
                "strangers' programs are judged at tier {STRANGERS} and above; here it is {protection}: socklab doctor"
            );
        }
    }
    let wrong = folder.wrong().into_iter().map(|(misconception, _)| misconception).collect();
    let program = executable(order, &attempted)?;
    Ok(Ready { folder, exercise, wrong, typed, program })
}

/// Builds what is to be built, and finds what is to be executed.
fn executable(
    mut order: SandboxConfig,
    attempted: &Attempted,
) -> Result<std::result::Result<(Vec<OsString>, SandboxConfig), String>> {
    if !attempted.build.is_empty() {
        match build(&order, attempted)? {
            Ok(parcel) => order.archive = parcel,
            Err(output) => return Ok(Err(output)),
        }
    }
    let argv = found(&mut order, attempted, &attempted.run)?;
    Ok(Ok((argv, order)))
}

impl Ready {
    /// Applies the checks.
    pub fn judged(&self, arguments: &Arguments, progress: &(dyn Fn(usize) + Sync)) -> Result<Grade> {
        let (folder, exercise) = (self.folder, &self.exercise);
        let case = arguments.case.as_deref().map(read_case).transpose().map_err(Mistyped)?;
        let seed = arguments.seed.unwrap_or_else(any_seed);
        let (argv, order) = match &self.program {
            Ok(program) => program.clone(),
            Err(output) => {
                return Ok(Grade::unbuilt(folder.id, exercise, self.typed.clone(), seed, output.clone()));
            }
        };
        Ok(judge(&Judging {
            id: folder.id,
            exercise,
            wrong: &self.wrong,
            typed: self.typed.clone(),
            env: environment(&argv),
            argv,
            order,
            seed,
            only: arguments.check.as_deref(),
            case,
            capture: arguments.pcap.is_some(),
            progress,
        }))
    }
}

/// Nobody may go on for longer, however often it is asked.
fn limits() -> Limits {
    Limits { wall: Duration::from_secs(150), ..Limits::default() }
}

/// A command whose program is a file, which the sandbox then shows.
fn found(order: &mut SandboxConfig, attempted: &Attempted, command: &[OsString]) -> Result<Vec<OsString>> {
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
    // Java measures its heap and its compilers by the machine that it sees, and not by its limits.
    let java = "-Xms16m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";
    let pairs =
        [("PATH", path.as_str()), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("JDK_JAVA_OPTIONS", java)];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// Executes the build, on a private host as well: a compiler reads what a stranger wrote. Outside every clock.
fn build(order: &SandboxConfig, attempted: &Attempted) -> Result<std::result::Result<Archive, String>> {
    let mut order = SandboxConfig { limits: Limits::for_build(), ..order.clone() };
    let argv = found(&mut order, attempted, &attempted.build)?;
    let mut sandbox = Sandbox::open(&order).map_err(|fault| anyhow!("{fault}"))?;
    let fault = |fault: socklab::sandbox::Fault| anyhow!("the build could not be watched: {fault}");
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

fn tell(folder: &Folder, arguments: &Arguments, grade: &Grade) -> Result<()> {
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
    output::print(&(transcript + &with_told(folder, arguments, grade, None, |told| report::text(grade, told))))?;
    Ok(())
}

/// Writes a file that was asked for.
fn write_file(file: &Path, bytes: &[u8]) -> Result<()> {
    output::write_file(file, bytes).map_err(|error| {
        let (file, name) = (file.display(), error_name(&error));
        anyhow!("write {file}: {name}: {error}: name a file that you may write")
    })
}

/// Does something with what a report says besides the grade, on a screen of so many lines and columns.
pub fn with_told<T>(
    folder: &Folder,
    arguments: &Arguments,
    grade: &Grade,
    screen: Option<(usize, usize)>,
    work: impl FnOnce(&Told<'_>) -> T,
) -> T {
    let words: Vec<String> = grade.program.iter().map(|word| as_typed(word)).collect();
    let behind = match &arguments.folder {
        Some(folder) => format!(" --folder {}", as_typed(&folder.to_string_lossy())),
        None if arguments.program.is_empty() => String::new(),
        None => format!(" -- {}", words.join(" ")),
    };
    work(&Told {
        title: folder.title(),
        page: &folder.page(),
        command: &format!("just grade {}", folder.id),
        behind: &behind,
        all: arguments.all,
        screen,
    })
}

/// A word as a shell reads it.
fn as_typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.chars().any(char::is_control) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    let mut typed = String::from("$'");
    for character in word.chars() {
        match character {
            '\'' | '\\' => typed.extend(['\\', character]),
            other if other.is_control() => typed.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => typed.push(other),
        }
    }
    typed + "'"
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
