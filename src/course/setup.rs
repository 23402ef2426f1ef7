//! What a command takes of this machine: the programs that it names are found and shown in the sandbox. They are tried
//! there, too, where a program does not even start: that may be for want of something that is not shown.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::Mistyped;
use super::attempt_source::{AttemptSource, Author};
use super::checkout::{checkout, own_folders};
use crate::sandbox::{
    Archive, Fault, How, Input, Links, NotFound, Program, Resolved, Sandbox, SandboxConfig, is_known, resolve_asking,
    resolve_submitted, resolve_toolchain, to_try,
};

/// How long a program may take to start and end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest first line of a script that is read.
const LONGEST_LINE: u64 = 256;

/// Variables by their names.
type Environment = Vec<(String, String)>;

/// A command that can be executed in a sandbox.
#[derive(Clone, Debug)]
pub(super) struct Runnable {
    /// Its words; the first one is a path.
    pub argv: Vec<OsString>,
    /// The sandbox in which all is shown that it takes.
    pub config: SandboxConfig,
    /// Where programs outside of the system's folders lie, which it may start by their names.
    pub path: Vec<PathBuf>,
    /// Programs outside of the system's folders that it takes.
    installed: Vec<PathBuf>,
}

impl Runnable {
    /// A program that has come along into the sandbox, and takes nothing else.
    pub fn inside(argv: Vec<OsString>, config: SandboxConfig) -> Runnable {
        Runnable { argv, config, path: Vec::new(), installed: Vec::new() }
    }

    /// Starts each program that is not one of the system's in an empty sandbox: what it lacks there is no fault of the
    /// attempt.
    ///
    /// # Errors
    /// Which one cannot be started, why, and what to do.
    pub fn try_out(&self, environment: &dyn Fn(&[PathBuf]) -> Environment) -> Result<()> {
        self.installed.iter().try_for_each(|program| try_out(&self.config, program, environment(&self.path)))
    }
}

/// Where the programs of a command are looked for.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    /// The attempt.
    pub source: &'a AttemptSource,
    /// Whether its folder is a stranger's, also where a typed word names something in it.
    pub is_strangers: bool,
}

impl Setup<'_> {
    /// A command whose first word is a file, which the sandbox then shows. What was built is in the sandbox's folder
    /// only.
    ///
    /// # Errors
    /// There is no such program.
    pub fn runnable(&self, config: &SandboxConfig, command: &[OsString], author: Author) -> Result<Runnable> {
        let mut new = Runnable::inside(command.to_vec(), config.clone());
        let is_built = !self.source.build.is_empty() && Path::new(&command[0]).starts_with(".");
        if author == Author::Typed && is_built {
            return Ok(new);
        }
        let Resolved { path, visible } = self.found(&command[0], author).map_err(|why| Mistyped(why.to_string()))?;
        new.argv[0] = path.clone().into();
        new.path.extend(path.parent().filter(|folder| folder.is_absolute()).map(Path::to_owned));
        let mut shown = vec![(path.clone(), visible)];
        shown.extend(
            self.interpreter(&path, author)
                .inspect(|found| {
                    new.path.extend(found.path.parent().map(Path::to_owned));
                })
                .map(|found| (found.path, found.visible)),
        );
        for (program, visible) in shown {
            if visible.is_empty() {
                continue;
            }
            new.config.visible.extend(visible);
            new.installed.push(program);
        }
        new.config.hidden = self.hidden(config, &new.config.visible);
        Ok(new)
    }

    fn found(&self, program: &OsStr, author: Author) -> Result<Resolved, NotFound> {
        let folder = &self.source.folder;
        // Who has typed a command means what a shell would find here.
        let here = env::current_dir().ok().filter(|_| !self.is_strangers).unwrap_or_else(|| PathBuf::from("/proc"));
        let path = Path::new(program);
        let is_toolchains = path.is_absolute() && path.file_name().and_then(OsStr::to_str).is_some_and(is_known);
        match author {
            Author::Typed if is_toolchains && !self.is_strangers => resolve_toolchain(path, &here),
            Author::Submitted => resolve_submitted(program, folder, &here, self.is_strangers),
            Author::Typed => resolve_asking(program, folder.path(), &here),
        }
    }

    /// The interpreter that a script of the folder names in its first line, if it is not one of the system's. A
    /// stranger's script may have one by its bare name, as a command of a stranger's.
    fn interpreter(&self, script: &Path, author: Author) -> Option<Resolved> {
        let inner = script.strip_prefix(".").ok()?;
        let (file, _) = self.source.folder.file(inner, Links::Followed).ok()?;
        let mut head = Vec::new();
        file.take(LONGEST_LINE).read_to_end(&mut head).ok()?;
        let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(OsStr::from_bytes);
        let first = words.next()?;
        let is_env = Path::new(first).file_name() == Some(OsStr::new("env"));
        let named = if is_env { words.find(|word| !word.as_bytes().starts_with(b"-"))? } else { first };
        let is_bare = !named.as_bytes().contains(&b'/');
        if !is_bare && (author == Author::Submitted || self.is_strangers) {
            return None;
        }
        let mut found = self.found(named, if is_bare { Author::Submitted } else { author }).ok()?;
        if !is_bare {
            // The kernel looks for it under this very name.
            found.visible.extend((!found.visible.is_empty()).then(|| PathBuf::from(named)));
        }
        Some(found).filter(|found| found.path.is_absolute())
    }

    /// What is hidden where all of this is shown. A student's environment may lie in the checkout, which is hidden:
    /// then everything else in it is.
    fn hidden(&self, config: &SandboxConfig, visible: &[PathBuf]) -> Vec<PathBuf> {
        let (checkout, own) = (checkout(), own_folders());
        let is_shown = |path: &&PathBuf| !own.iter().any(|own| path.starts_with(own));
        let shown: Vec<&Path> = visible.iter().filter(is_shown).map(PathBuf::as_path).collect();
        let beside = |path: &PathBuf| match &checkout {
            Some(checkout) if path == checkout => all_but(path, &shown),
            _ => vec![path.clone()],
        };
        config.hidden.iter().flat_map(beside).collect()
    }
}

/// Paths that together are a folder without these.
fn all_but(folder: &Path, without: &[&Path]) -> Vec<PathBuf> {
    if without.contains(&folder) {
        return Vec::new();
    }
    if !without.iter().any(|path| path.starts_with(folder)) {
        return vec![folder.to_owned()];
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|entry| all_but(&entry, without)).collect()
}

/// Starts a program that is not one of the system's in an empty sandbox, with words that have it do next to nothing.
fn try_out(config: &SandboxConfig, program: &Path, env: Environment) -> Result<()> {
    let name = program.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let Some(words) = to_try(name) else { return Ok(()) };
    // Who watches a program judges it many times.
    static TRIED: Mutex<BTreeSet<(PathBuf, Vec<PathBuf>)>> = Mutex::new(BTreeSet::new());
    let this = (program.to_owned(), config.visible.clone());
    if TRIED.lock().is_ok_and(|tried| tried.contains(&this)) {
        return Ok(());
    }
    let argv = [program.as_os_str().to_owned()].into_iter().chain(words.iter().map(OsString::from)).collect();
    let config = SandboxConfig { archive: Archive::default(), capture: false, ..config.clone() };
    let fault = |fault: Fault| anyhow!("{name} could not be tried in a sandbox: {fault}");
    let mut sandbox = Sandbox::open(&config).map_err(fault)?;
    let why = match sandbox.start(&Program { argv, env, input: Input::Nothing }) {
        Err(fault) if fault.is_unexecutable() => fault.why_unexecutable(),
        started => {
            started.map_err(fault)?;
            let until = Instant::now() + PATIENCE;
            while sandbox.ended().is_none() && Instant::now() < until {
                sandbox.wait(&mut [], until.saturating_duration_since(Instant::now())).map_err(fault)?;
            }
            match sandbox.ended().map(|ending| ending.how.clone()) {
                Some(How::Exited(0)) => {
                    if let Ok(mut tried) = TRIED.lock() {
                        tried.insert(this);
                    }
                    return Ok(());
                }
                Some(how) => {
                    let output = sandbox.output();
                    let said = [&output.stderr.kept[..], &output.stdout.kept[..]].concat();
                    let said = String::from_utf8_lossy(&said).into_owned();
                    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
                    let error = lines.clone().rfind(|line| line.contains("rror")).or_else(|| lines.next());
                    error.map_or_else(|| format!("{how:?}"), str::to_owned)
                }
                None => {
                    bail!("{name} could not be tried in a sandbox: it has not ended within {} s", PATIENCE.as_secs())
                }
            }
        }
    };
    let usual = Path::new("/usr/bin").join(name);
    let other =
        if usual.is_file() && usual != program { format!(", {} for example", usual.display()) } else { String::new() };
    let remedy = format!("what it needs lies where nothing is shown: put another one first in PATH{other}");
    Err(Mistyped(format!("{} cannot be run in the sandbox ({why}): {remedy}", program.display())).into())
}
