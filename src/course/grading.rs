//! Grading: an attempt is copied, built, and judged in sandboxes.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow, bail};

use super::Mistyped;
use super::attempt_source::AttemptSource;
use super::exercises::ExerciseFolder;
use crate::judge::{self, Cost, Exercise, Grade, Judging, Misconception, judge};
use crate::sandbox::{
    Archive, Fault, How, Input, Layer, Layers, Limits, Program, Protection, Sandbox, SandboxConfig, SharedGroup,
    resolve, tier_of_this_machine,
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
    /// Draw random numbers by this seed; by default one from the clock.
    pub seed: Option<u64>,
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
    program: Built,
    /// What the build has cost.
    built: Cost,
    sandboxed_by_caller: bool,
    /// What its sandboxes have together.
    shared: Option<SharedGroup>,
}

/// What is executed, and where; or what the build printed, where it failed.
type Built = Result<(Vec<OsString>, SandboxConfig), String>;

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
    let typed = source.run.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (source, besides) = source.clone().laid_out();
    config.archive = Archive::of_folder(&source.folder, &besides)
        .map_err(|error| Mistyped(format!("copy {}: {error}", source.folder.display())))?;
    if config.layers.has(Layer::Cgroup) {
        let shared = SharedGroup::make(Limits::ATTEMPT_MIB).map_err(|fault| anyhow!("{fault}"))?;
        config.shared = Some(shared);
    }
    if options.untrusted {
        let protection = Sandbox::open(&config).map_err(|fault| Mistyped(fault.to_string()))?.protection().clone();
        refuse_below_what_strangers_take(&protection, options.sandboxed_by_caller)?;
    }
    let wrong = folder.wrong().into_iter().map(|(misconception, _)| misconception).collect();
    let shared = config.shared.clone();
    let (program, built) = built(config, &source)?;
    let sandboxed_by_caller = options.sandboxed_by_caller;
    Ok(PreparedAttempt { folder, exercise, wrong, typed, program, built, sandboxed_by_caller, shared })
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

impl PreparedAttempt {
    /// How many checks there are.
    pub fn checks(&self) -> usize {
        self.exercise.checks.len()
    }

    /// Applies the checks, and reports how many are done. Of the options only those of one judgement count: check,
    /// seed, case and capture.
    pub fn grade(&self, options: &GradeOptions, progress: &(dyn Fn(usize) + Sync)) -> Grade {
        let (id, exercise) = (self.folder.id, &self.exercise);
        let seed = options.seed.unwrap_or_else(any_seed);
        let (argv, order) = match &self.program {
            Ok(program) => program.clone(),
            Err(output) => {
                let grade = Grade::unbuilt(id, exercise, self.typed.clone(), seed, output.clone());
                return self.with_bounds(Grade { limits: limits(), cost: self.built, ..grade });
            }
        };
        let grade = judge(&Judging {
            id,
            exercise,
            wrong: &self.wrong,
            typed: self.typed.clone(),
            env: environment(&argv),
            argv,
            sandbox: SandboxConfig { capture: options.capture, ..order },
            built: self.built,
            seed,
            only: options.check.as_deref(),
            case: options.case.clone(),
            progress,
        });
        self.with_bounds(grade)
    }

    /// A grade with what is known of its bounds only here.
    fn with_bounds(&self, grade: Grade) -> Grade {
        let peak = self.shared.as_ref().and_then(SharedGroup::peak);
        let memory_mib = peak.map(|bytes| bytes.div_ceil(1 << 20));
        Grade { memory_mib, sandboxed_by_caller: self.sandboxed_by_caller, ..grade }
    }
}

/// The limits of one check. The judge watches the time; the sandbox's own limit is there should it fail to.
fn limits() -> Limits {
    Limits { wall: LONGEST, ..Limits::default() }
}

/// Builds what is to be built, and finds what is to be executed. The second value is what the build has cost.
fn built(mut config: SandboxConfig, source: &AttemptSource) -> Result<(Built, Cost)> {
    let mut cost = Cost::default();
    if !source.build.is_empty() {
        let (built, of_build) = build(&config, source)?;
        cost = of_build;
        match built {
            Ok(archive) => config.archive = archive,
            Err(output) => return Ok((Err(output), cost)),
        }
    }
    let argv = resolved(&mut config, source, &source.run)?;
    Ok((Ok((argv, config)), cost))
}

/// Executes the build in a sandbox: a compiler reads what a stranger wrote.
fn build(config: &SandboxConfig, source: &AttemptSource) -> Result<(Result<Archive, String>, Cost)> {
    let limits = Limits { wall: LONGEST, ..Limits::for_build() };
    let mut config = SandboxConfig { limits, ..config.clone() };
    let argv = resolved(&mut config, source, &source.build)?;
    let mut sandbox = Sandbox::open(&config).map_err(|fault| anyhow!("{fault}"))?;
    let fault = |fault: Fault| anyhow!("the build could not be watched: {fault}");
    let program = Program { env: environment(&argv), argv, input: Input::Nothing };
    sandbox.start(&program).map_err(fault)?;
    let building = judge::watch(&mut sandbox).map_err(|stop| anyhow!("the build could not be watched: {stop}"))?;
    if building.over.is_none() && sandbox.ended().is_some_and(|ending| ending.how == How::Exited(0)) {
        return Ok((Ok(sandbox.pack().map_err(fault)?), building.cost));
    }
    let output = sandbox.output();
    let mut both = [&output.stdout.kept[..], &output.stderr.kept[..]].concat();
    both.extend(building.over.into_iter().flat_map(|over| format!("\n{over}\n").into_bytes()));
    Ok((Err(String::from_utf8_lossy(&both).into_owned()), building.cost))
}

/// A command whose first word is a file, which the sandbox then shows. What was built is in the sandbox's folder only.
fn resolved(config: &mut SandboxConfig, source: &AttemptSource, command: &[OsString]) -> Result<Vec<OsString>> {
    let mut argv = command.to_vec();
    let is_built = !source.build.is_empty() && Path::new(&argv[0]).starts_with(".");
    if !is_built || command == source.build {
        let found = resolve(&argv[0], &source.folder).map_err(|error| Mistyped(error.to_string()))?;
        config.visible.extend(found.visible);
        argv[0] = found.path.into();
    }
    Ok(argv)
}

/// The whole environment of a program, but for its address. No variable of the judge's own is passed on.
fn environment(argv: &[OsString]) -> Vec<(String, String)> {
    let usual = "/usr/local/bin:/usr/bin:/bin";
    let own = Path::new(&argv[0]).parent().filter(|folder| folder.is_absolute()).map(|folder| folder.display());
    let path = own.map_or_else(|| usual.to_owned(), |own| format!("{own}:{usual}"));
    // Java sizes its heap and its compilers by the machine's memory and processors, and not by its limits.
    let java = "-Xms16m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";
    let pairs =
        [("PATH", path.as_str()), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("JDK_JAVA_OPTIONS", java)];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// A seed from the clock, below a million so that it is short to type. It differs from run to run, and can be guessed.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 % 1_000_000
}
