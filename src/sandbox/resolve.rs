//! Which file a command is, and what it needs to be shown with it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::beneath::{Folder, Links, Refusal};
use super::own;
use super::toolchain::{self, is_of_the_system};
use crate::sys;

/// How long an interpreter may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where programs are looked for if `PATH` does not say it.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A command, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The program itself, not a shim that looks for it at each start.
    pub path: PathBuf,
    /// What must be visible for it to run: see [`SandboxConfig::visible`](super::SandboxConfig::visible).
    pub visible: Vec<PathBuf>,
}

/// Why a command cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// The command, as it was given.
    pub command: OsString,
    /// Why, and what may be done.
    pub why: String,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.command.display(), self.why)
    }
}

impl std::error::Error for NotFound {}

const NO_SUCH_PROGRAM: &str = "there is no such program: look at the spelling and at PATH";
const NOT_EXECUTABLE: &str = "it may not be executed: chmod +x makes it a program";
const OURS: &str = "this is the judge itself, which is no attempt";

/// Finds a program that the user of this one has named, as a shell in `folder` would.
///
/// A program of the folder itself keeps its name in it: the archive brings it along. An interpreter is asked once where
/// it really is: `python3` may be a shim that takes ten times as long to start. It is asked in a folder where nothing
/// of a stranger's lies.
///
/// # Errors
/// [`NotFound`] where there is no such file, or it may not be executed.
pub fn resolve(program: &OsStr, folder: &Path) -> Result<Resolved, NotFound> {
    let not_found = |why: &str| NotFound { command: program.to_owned(), why: why.to_owned() };
    if !program.as_bytes().contains(&b'/') {
        return in_path(program, &|_| true);
    }
    let found = folder.join(program);
    let real = fs::canonicalize(&found).ok().filter(|path| path.is_file());
    let real = real.ok_or_else(|| not_found(NO_SUCH_PROGRAM))?;
    if !is_program(&real) {
        return Err(not_found(NOT_EXECUTABLE));
    }
    if own::is_own(&found) {
        return Err(not_found(OURS));
    }
    let inner = fs::canonicalize(folder).ok().and_then(|folder| Some(real.strip_prefix(folder).ok()?.to_owned()));
    match inner {
        // By the name that it was given: a link's content may be all that comes along.
        Some(_) if Path::new(program).is_relative() => {
            let path = Path::new(program).strip_prefix(".").unwrap_or(Path::new(program));
            Ok(Resolved { path: Path::new(".").join(path), visible: Vec::new() })
        }
        Some(inner) => Ok(Resolved { path: Path::new(".").join(inner), visible: Vec::new() }),
        None => installed(found).ok_or_else(|| not_found(NO_SUCH_PROGRAM)),
    }
}

/// Finds a program that a stranger has named in a folder: by its bare name, in the `PATH` of this process and nowhere
/// in the folder; or by its path in the folder. One of the folder need not be there yet: a build may make it.
///
/// # Errors
/// [`NotFound`] for anything else, and where no program of that name is installed.
pub fn resolve_submitted(program: &OsStr, folder: &Folder) -> Result<Resolved, NotFound> {
    let refused = |why: String| NotFound { command: program.to_owned(), why };
    let remedy = "write a bare name, which is looked for in PATH (python3), or a path in the folder (./server)";
    let path = Path::new(program);
    if program.is_empty() || program == "." || program == ".." {
        return Err(refused(format!("this names no program: {remedy}")));
    }
    if !program.as_bytes().contains(&b'/') {
        let found = in_path(program, &|place: &Path| !folder.holds(place)).map_err(|not_found| {
            match folder.about(path, Links::Followed) {
                Ok(_) => refused(format!("there is no such program in PATH: ./{} is in the folder", path.display())),
                Err(_) => not_found,
            }
        })?;
        return Ok(found);
    }
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(refused(format!("a submission names no program outside of its folder: {remedy}")));
    }
    match folder.about_any(path, Links::Followed) {
        Err(Refusal::LeadsOut) => Err(refused(format!("this link leads out of the folder: {remedy}"))),
        Err(refusal) if !refusal.is_theirs() => Err(refused(refusal.to_string())),
        Ok(about) if own::is_this_program(&about) => Err(refused(OURS.to_owned())),
        _ => Ok(Resolved { path: Path::new(".").join(path), visible: Vec::new() }),
    }
}

/// Looks for a bare name in `PATH`. A relative entry would be a stranger's folder, and so may others be: `may_be_used`.
fn in_path(program: &OsStr, may_be_used: &dyn Fn(&Path) -> bool) -> Result<Resolved, NotFound> {
    let not_found = |why: &str| NotFound { command: program.to_owned(), why: why.to_owned() };
    let path = env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| USUAL_PATH.into());
    let mut files = env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .filter(|file| file.is_file() && file.parent().is_some_and(may_be_used) && may_be_used(file));
    let mut seen = None;
    let found = files.find(|file| {
        seen.get_or_insert_with(|| file.clone());
        is_program(file)
    });
    let Some(found) = found else {
        return Err(not_found(if seen.is_some() { NOT_EXECUTABLE } else { NO_SUCH_PROGRAM }));
    };
    if own::is_own(&found) {
        return Err(not_found(OURS));
    }
    let asked = match program.to_str() {
        Some(name) if toolchain::is_python(name) => python(&found),
        Some(name @ ("rustc" | "cargo" | "rustdoc")) => rust(&found, name),
        _ => None,
    };
    asked.or_else(|| installed(found)).ok_or_else(|| not_found(NO_SUCH_PROGRAM))
}

/// A program that is installed on this machine, and its interpreter if it is a script.
fn installed(found: PathBuf) -> Option<Resolved> {
    let real = fs::canonicalize(&found).ok()?;
    let mut visible = toolchain::around(&real);
    if let Some(interpreter) = interpreter(&real).filter(|file| !is_of_the_system(file) && is_program(file)) {
        let is_python = interpreter.file_name().and_then(OsStr::to_str).is_some_and(toolchain::is_python);
        visible.extend(is_python.then(|| python(&interpreter)).flatten().into_iter().flat_map(|found| found.visible));
        visible.extend(fs::canonicalize(&interpreter).map(|real| toolchain::around(&real)).into_iter().flatten());
        visible.push(interpreter);
    }
    // Its name may be what tells it what to do. Links lead on within /usr, or through /etc/alternatives.
    let path = if is_of_the_system(&found) { found } else { real };
    Some(Resolved { path, visible })
}

/// Asks an interpreter that is a shim, or whose library lies elsewhere, as a virtual environment's does. One of the
/// system's is what it seems, and the question would cost a start.
fn python(found: &Path) -> Option<Resolved> {
    let environment = toolchain::environment_of(found);
    let of_the_system = fs::canonicalize(found).is_ok_and(|real| is_of_the_system(&real)) && is_of_the_system(found);
    if of_the_system && environment.is_none() && !is_script(found) {
        return None;
    }
    const WHERE: &str = "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sep='\\n')";
    let answer = ask(Command::new(found).args(["-I", "-S", "-c", WHERE]))?;
    let mut lines = answer.lines().map(PathBuf::from);
    let path = lines.next().filter(|path| path.is_absolute() && is_program(path))?;
    // Without its `site`, a Python says nothing of its environment.
    let environments = [environment, toolchain::environment_of(&path)].into_iter().flatten().map(Path::to_owned);
    let visible = toolchain::of_python(&path, lines.chain(environments));
    Some(Resolved { path, visible })
}

/// rustup's `rustc` looks for the toolchain at each start, and writes to the home folder.
fn rust(found: &Path, name: &str) -> Option<Resolved> {
    let rustc = found.with_file_name("rustc");
    let root = PathBuf::from(ask(Command::new(rustc).args(["--print", "sysroot"]))?.trim());
    let path = Some(root.join("bin").join(name)).filter(|path| path.is_absolute() && is_program(path))?;
    let visible = toolchain::around(&path);
    Some(Resolved { path, visible })
}

/// What a trusted program prints within a bounded time, run where nothing lies.
fn ask(command: &mut Command) -> Option<String> {
    let mut child =
        command.current_dir("/proc").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut text = String::new();
    let mut output = child.stdout.take()?;
    let until = Instant::now() + PATIENCE;
    let mut buffer = [0; 4096];
    while sys::wait_until_readable(&output, until.saturating_duration_since(Instant::now())).ok()? {
        match output.read(&mut buffer).ok()? {
            0 => {
                let is_well = child.wait().ok()?.success();
                return is_well.then_some(text);
            }
            len => text += &String::from_utf8_lossy(&buffer[..len]),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn is_script(path: &Path) -> bool {
    interpreter(path).is_some()
}

/// The program that a script names in its first line.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    fs::File::open(script).and_then(|file| file.take(256).read_to_end(&mut head)).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let path = line.split(|byte| byte.is_ascii_whitespace()).next()?;
    Some(PathBuf::from(OsStr::from_bytes(path)))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
