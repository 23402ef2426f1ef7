//! Grading: an attempt is copied, built, and judged in sandboxes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::Mistyped;
use super::attempt_source::{AttemptSource, Author};
use super::checkout::{checkout, own_folders};
use super::exercises::ExerciseFolder;
use super::setup::{Runnable, Setup};
use crate::judge::{self, Cost, Exercise, Grade, Judging, Misconception, SECRET_BYTES, Seed, Unfit, judge};
use crate::sandbox::{
    Archive, ArchiveError, Besides, Fault, How, Input, Layer, Layers, LeftBehind, Limits, MOST_BYTES_OF_WORDS,
    MOST_WORDS, Program, Protection, Sandbox, SandboxConfig, SharedGroup, tier_of_this_machine,
};

/// How long a sandbox's program lives at most: longer than the judge goes on.
const LONGEST: Duration = Duration::from_secs(660);

/// The lowest tier at which strangers' programs are judged.
pub const TIER_FOR_STRANGERS: u8 = 2;

/// What is asked for besides the grade. By default: all checks, random numbers of a new seed, all protection.
#[derive(Clone, Debug, Default)]
pub struct GradeOptions {
    /// Apply only this check.
    pub check: Option<String>,
    /// Draw random numbers by this seed; by default a new one.
    pub seed: Option<Seed>,
    /// Give the check these numbers in place of random ones: what [`crate::judge::read_case`] has read.
    pub case: Option<Vec<u64>>,
    /// Layers of protection that are left out.
    pub without: Vec<Layer>,
    /// Refuse to judge below [`TIER_FOR_STRANGERS`].
    pub untrusted: bool,
    /// Do not refuse, as this machine is a sandbox itself, which is thrown away after one attempt.
    pub sandboxed_by_caller: bool,
    /// Record all frames.
    pub capture: bool,
}

/// An attempt that is built, and can be judged once or many times.
#[derive(Debug)]
pub struct PreparedAttempt {
    folder: &'static ExerciseFolder,
    exercise: Exercise,
    wrong: Vec<Misconception>,
    typed: Vec<String>,
    left_behind: LeftBehind,
    program: Built,
    /// What the build has cost.
    built: Cost,
    sandboxed_by_caller: bool,
    /// What its sandboxes have together.
    shared: Option<SharedGroup>,
}

/// What is executed, and where; or why there is nothing to judge.
type Built = Result<Runnable, Unfit>;

/// Copies an attempt and builds it.
///
/// # Errors
/// A file of the attempt cannot be read, its program is not found, the exercise has no such check, or no sandbox can
/// be had. A build that fails is no error: its output is part of the grade.
pub fn prepare(
    folder: &'static ExerciseFolder,
    options: &GradeOptions,
    source: &AttemptSource,
) -> Result<PreparedAttempt> {
    let exercise = (folder.exercise)();
    if let Some(only) = &options.check
        && !exercise.checks.iter().any(|check| check.name == only)
    {
        let names: Vec<&str> = exercise.checks.iter().map(|check| check.name).collect();
        let names = names.join(", ");
        return Err(Mistyped(format!("exercise {} has no check {only:?}; it has {names}", folder.id)).into());
    }
    if let Some(fault) = tier_of_this_machine().fault {
        bail!("{fault}");
    }
    let mut config = SandboxConfig { port: exercise.port, limits: limits(), ..SandboxConfig::default() };
    config.layers = options.without.iter().fold(Layers::here(&config.keeper), |layers, layer| layers.without(*layer));
    if options.capture && !config.layers.has(Layer::Network) {
        let why = "frames are heard on a private host of the program's, and there is none: socklab doctor";
        return Err(Mistyped(format!("--pcap: {why}")).into());
    }
    if config.layers.has(Layer::Cgroup) {
        let shared = SharedGroup::make(Limits::ATTEMPT_MIB).map_err(|fault| anyhow!("{fault}"))?;
        config.shared = Some(shared);
    }
    config.hidden.extend(checkout());
    if options.untrusted {
        refuse_below_what_strangers_take(&protection(&config)?, options.sandboxed_by_caller)?;
    }
    let typed = source.run.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let wrong = folder.wrong().into_iter().map(|(misconception, _)| misconception).collect();
    check_words(&source.build).and(check_words(&source.run)).map_err(Mistyped)?;
    let (run, besides) = source.laid_out(options.untrusted)?;
    let mut left_behind = LeftBehind::default();
    // Where a command is typed in the checkout, that does not come along.
    let without = if source.author == Author::Typed { own_folders() } else { Vec::new() };
    let (shared, sandboxed_by_caller) = (config.shared.clone(), options.sandboxed_by_caller);
    let (program, built) = match Archive::of_folder_but(&source.folder, &besides, &without) {
        Ok(archive) => {
            left_behind.clone_from(archive.left_behind());
            config.archive = archive;
            let setup = Setup { source, is_strangers: options.untrusted };
            built(config, &setup, &run, &besides)?
        }
        Err(ArchiveError::Excess(excess)) if source.author == Author::Typed || source.is_one_file => {
            let place = fs::canonicalize(source.folder.path()).unwrap_or_else(|_| source.folder.path().to_owned());
            return Err(Mistyped(format!(
                "{} holds {excess}, and a program's folder comes along with it, whole: put the program into a folder \
                 of its own, and judge it there or with --folder FOLDER",
                place.display()
            ))
            .into());
        }
        Err(ArchiveError::Excess(excess)) => {
            let what = format!("the folder holds {excess}, so there is nothing to judge");
            (Err(unfit(what, String::new(), &protection(&config)?)), Cost::default())
        }
        Err(error) => {
            return Err(Mistyped(format!("copy {}: {error}", source.folder.path().display())).into());
        }
    };
    Ok(PreparedAttempt { folder, exercise, wrong, typed, left_behind, program, built, sandboxed_by_caller, shared })
}

/// A stranger's program is judged where the machine is protected from it, or where its caller will throw the machine
/// away. But the judge itself must be protected from it, or there would be no grade to trust.
fn refuse_below_what_strangers_take(protection: &Protection, sandboxed_by_caller: bool) -> Result<()> {
    let has_own_user = protection.layers.has(Layer::User);
    match (protection.tier, sandboxed_by_caller) {
        (TIER_FOR_STRANGERS.., _) => Ok(()),
        (tier, true) if tier > 0 || has_own_user => Ok(()),
        (_, true) => bail!(
            "here a stranger's program could reach the judge itself ({protection}), and forge its grade: be root in \
             the container, with the capabilities SETUID and SETGID, or have Linux 6.12: socklab doctor"
        ),
        (_, false) => bail!(
            "strangers' programs are judged at tier {TIER_FOR_STRANGERS} and above; here it is {protection}: socklab \
             doctor. In a container that is thrown away after this one submission, say --sandboxed-by-caller"
        ),
    }
}

/// What a sandbox as configured would protect from.
fn protection(config: &SandboxConfig) -> Result<Protection> {
    let empty = SandboxConfig { archive: Archive::default(), visible: Vec::new(), ..config.clone() };
    Ok(Sandbox::open(&empty).map_err(|fault| Mistyped(fault.to_string()))?.protection().clone())
}

fn unfit(what: String, output: String, protection: &Protection) -> Unfit {
    Unfit { what, output, tier: protection.tier, protection: protection.told() }
}

/// Whether these words can be executed at all, with an address in the place of `{host}` and `{port}`.
fn check_words(words: &[OsString]) -> Result<(), String> {
    let len = |word: &OsString| {
        let text = word.to_string_lossy();
        let longer = text.matches("{host}").count() * "255.255.255.255".len() + text.matches("{port}").count() * 5;
        word.len() + longer + 1
    };
    if words.iter().any(|word| word.as_encoded_bytes().contains(&0)) {
        return Err("a word of its command has a NUL in it, which no program can be given".to_owned());
    }
    if words.len() > MOST_WORDS || words.iter().map(len).sum::<usize>() > MOST_BYTES_OF_WORDS {
        let most = MOST_BYTES_OF_WORDS >> 10;
        return Err(format!("its command is too long: {MOST_WORDS} words, and {most} KiB together, are the most"));
    }
    Ok(())
}

impl PreparedAttempt {
    /// How many checks there are.
    pub fn checks(&self) -> usize {
        self.exercise.checks.len()
    }

    /// Applies the checks, and reports how many are done. Of the options only those of one judgement count: check,
    /// seed, case and capture.
    ///
    /// # Errors
    /// The kernel gives no random numbers for a new seed.
    pub fn grade(&self, options: &GradeOptions, progress: &(dyn Fn(usize) + Sync)) -> Result<Grade> {
        let (id, exercise) = (self.folder.id, &self.exercise);
        let seed = match &options.seed {
            Some(seed) => seed.clone(),
            None => Seed::random().context("getrandom, for a new seed")?,
        };
        let runnable = match &self.program {
            Ok(program) => program,
            Err(unfit) => {
                let grade = Grade::unfit(id, exercise, self.typed.clone(), seed, unfit.clone());
                return Ok(self.with_bounds(Grade { limits: limits(), cost: self.built, ..grade }));
            }
        };
        let grade = judge(&Judging {
            id,
            exercise,
            wrong: &self.wrong,
            typed: self.typed.clone(),
            env: environment(&runnable.path),
            argv: runnable.argv.clone(),
            sandbox: SandboxConfig { capture: options.capture, ..runnable.config.clone() },
            built: self.built,
            seed,
            only: options.check.as_deref(),
            case: options.case.clone(),
            progress,
        });
        // One that does not start may lack what its interpreter needs: then nothing is wrong with it.
        if grade.gate.is_some() {
            runnable.try_out(&environment)?;
        }
        Ok(self.with_bounds(grade))
    }

    /// A grade with what is known only here.
    fn with_bounds(&self, grade: Grade) -> Grade {
        let peak = self.shared.as_ref().and_then(SharedGroup::peak);
        let memory_mib = peak.map(|bytes| bytes.div_ceil(1 << 20));
        let left_behind = self.left_behind.clone();
        Grade { memory_mib, left_behind, sandboxed_by_caller: self.sandboxed_by_caller, ..grade }
    }
}

/// The limits of one check. The judge watches the time; the sandbox's own limit is there should it fail to.
fn limits() -> Limits {
    Limits { wall: LONGEST, ..Limits::default() }
}

/// Builds what is to be built, and finds what is to be executed. The second value is what the build has cost.
fn built(mut config: SandboxConfig, setup: &Setup<'_>, run: &[OsString], besides: &[Besides]) -> Result<(Built, Cost)> {
    let mut cost = Cost::default();
    if !setup.source.build.is_empty() {
        let (built, of_build) = build(&config, setup)?;
        cost = of_build;
        match built {
            Ok(archive) => config.archive = archive,
            Err(unfit) => return Ok((Err(unfit), cost)),
        }
    }
    if besides.iter().any(|one| Path::new(".").join(&one.name) == run[0]) {
        return Ok((Ok(Runnable::inside(run.to_vec(), config)), cost));
    }
    let runnable = setup.runnable(&config, run, setup.source.author)?;
    Ok((Ok(runnable), cost))
}

/// Executes the build in a sandbox: a compiler reads what a stranger wrote.
fn build(config: &SandboxConfig, setup: &Setup<'_>) -> Result<(Result<Archive, Unfit>, Cost)> {
    let limits = Limits { wall: LONGEST, ..Limits::for_build() };
    let config = SandboxConfig { limits, ..config.clone() };
    let runnable = setup.runnable(&config, &setup.source.build, Author::Submitted)?;
    runnable.try_out(&environment)?;
    let Runnable { argv, config, path, .. } = runnable;
    let mut sandbox = Sandbox::open(&config).map_err(|fault| anyhow!("{fault}"))?;
    let protection = sandbox.protection().clone();
    let fault = |fault: Fault| anyhow!("the build could not be watched: {fault}");
    let program = Program { env: environment(&path), argv, input: Input::Nothing };
    match sandbox.start(&program) {
        Err(fault) if fault.is_unexecutable() => {
            let what = format!("it cannot be built: its build cannot be started: {}", fault.why_unexecutable());
            return Ok((Err(unfit(what, String::new(), &protection)), Cost::default()));
        }
        started => started.map_err(fault)?,
    }
    let building = judge::watch(&mut sandbox).map_err(|stop| anyhow!("the build could not be watched: {stop}"))?;
    let why = match (building.over, sandbox.ended().map(|ending| &ending.how)) {
        (Some(over), _) => over,
        (None, Some(How::Exited(0))) => match sandbox.pack().map_err(fault)? {
            Ok(archive) => return Ok((Ok(archive), building.cost)),
            Err(excess) => format!("its build leaves {excess}"),
        },
        (None, _) => "there is nothing to judge".to_owned(),
    };
    let output = sandbox.output();
    let both = [&output.stdout.kept[..], &output.stderr.kept[..]].concat();
    let output = String::from_utf8_lossy(&both).into_owned();
    Ok((Err(unfit(format!("it cannot be built: {why}"), output, &protection)), building.cost))
}

/// The whole environment of a program, but for its address. No variable of the judge's own is passed on.
fn environment(folders: &[PathBuf]) -> Vec<(String, String)> {
    let usual = "/usr/local/bin:/usr/bin:/bin";
    let path: String = folders.iter().map(|folder| format!("{}:", folder.display())).collect();
    let path = path + usual;
    let pairs = [
        ("PATH", path.as_str()),
        ("HOME", "/tmp"),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        ("JDK_JAVA_OPTIONS", judge::JAVA_OPTIONS),
        // Else what a Python program prints stays in its buffer when it is killed.
        ("PYTHONUNBUFFERED", "1"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The seed that a file holds as a secret: all of it, without blanks and newlines at its end. With `name`, a student's
/// or a date, it is another one for each name.
///
/// # Errors
/// The file cannot be read, or is too short or too long.
pub fn secret_seed(file: &Path, name: Option<&str>) -> Result<Seed> {
    let mut secret = Vec::new();
    let most = *SECRET_BYTES.end() as u64 + 1;
    File::open(file)
        .and_then(|open| open.take(most).read_to_end(&mut secret))
        .map_err(|error| Mistyped(format!("--seed-file {}: {error}", file.display())))?;
    let seed = Seed::of_secret(secret.trim_ascii_end(), name);
    Ok(seed.map_err(|why| {
        let make = "head -c 32 /dev/urandom | base64 > secret-seed";
        Mistyped(format!("--seed-file {}: {why}; make one: {make}", file.display()))
    })?)
}
