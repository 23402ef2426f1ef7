//! Which file a command is, and what it needs to be shown with it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::beneath::{Folder, Refusal};
use super::own;
use super::toolchain::{self, Question, is_of_the_system};
use crate::beneath::Links;
use crate::sys;
use crate::trace::error_name;

/// How long an interpreter may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most bytes of an answer that are kept.
const MOST_SAID: usize = 64 << 10;

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

/// A folder in which nothing of a stranger's lies.
const NOWHERE: &str = "/proc";

/// Finds a program that the user of this one has named, as a shell in `folder` would.
///
/// A program of the folder itself keeps its name in it: the archive brings it along. An interpreter is asked once where
/// it really is: `python3` may be a shim that takes ten times as long to start. It is asked in a folder where nothing
/// of a stranger's lies.
///
/// # Errors
/// [`NotFound`] where there is no such file, or it may not be executed, or is a shim that finds no program.
pub fn resolve(program: &OsStr, folder: &Path) -> Result<Resolved, NotFound> {
    resolve_asking(program, folder, Path::new(NOWHERE))
}

/// The same, but that interpreters are asked in the folder `here`. Shims look there for a file that names a version.
///
/// # Errors
/// Those of [`resolve`].
pub fn resolve_asking(program: &OsStr, folder: &Path, here: &Path) -> Result<Resolved, NotFound> {
    let not_found = |why: &str| NotFound { command: program.to_owned(), why: why.to_owned() };
    if !program.as_bytes().contains(&b'/') {
        return in_path(program, here, &|_| true);
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
        None => found_at(found, here).map_err(|why| not_found(&why)),
    }
}

/// Finds a program of a toolchain that the user of this one has named by its full path, and that may be executed
/// outside of a sandbox, also where it lies in the folder that is judged: an environment that its user has made.
///
/// # Errors
/// Those of [`resolve`].
pub fn resolve_toolchain(program: &Path, here: &Path) -> Result<Resolved, NotFound> {
    let not_found = |why: &str| NotFound { command: program.as_os_str().to_owned(), why: why.to_owned() };
    match fs::metadata(program) {
        Ok(about) if about.is_file() && is_program(program) && !own::is_own(program) => {
            found_at(program.to_owned(), here).map_err(|why| not_found(&why))
        }
        Ok(about) if about.is_file() => Err(not_found(NOT_EXECUTABLE)),
        _ => Err(not_found(NO_SUCH_PROGRAM)),
    }
}

/// Finds a program that a folder's own file names: by its bare name, in the `PATH` of this process; or by its path in
/// the folder. One of the folder need not be there yet: a build may make it. Interpreters are asked in the folder
/// `here`.
///
/// With `is_strangers`, nothing that lies in the folder is executed to find one, wherever `PATH` leads. Otherwise it is
/// the student's own, who may have an environment of Python's in it.
///
/// # Errors
/// [`NotFound`] for anything else, and where no program of that name is installed.
pub fn resolve_submitted(
    program: &OsStr,
    folder: &Folder,
    here: &Path,
    is_strangers: bool,
) -> Result<Resolved, NotFound> {
    let here = if is_strangers && folder.holds(here) { Path::new(NOWHERE) } else { here };
    let refused = |why: String| NotFound { command: program.to_owned(), why };
    let remedy = "write a bare name, which is looked for in PATH (python3), or a path in the folder (./server)";
    let path = Path::new(program);
    if program.is_empty() || program == "." || program == ".." {
        return Err(refused(format!("this names no program: {remedy}")));
    }
    if !program.as_bytes().contains(&b'/') {
        let found =
            in_path(program, here, &|place: &Path| !is_strangers || !folder.holds(place)).map_err(|not_found| {
                match folder.about(path, Links::Followed) {
                    Ok(_) => {
                        refused(format!("there is no such program in PATH: ./{} is in the folder", path.display()))
                    }
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

/// Whether a program of this bare name is in `PATH`.
pub fn is_installed(program: &OsStr) -> bool {
    search_path().any(|folder| is_program(&folder.join(program)))
}

/// The folders of `PATH`, but for relative ones.
fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| USUAL_PATH.into());
    let folders: Vec<PathBuf> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    folders.into_iter()
}

/// Looks for a bare name in `PATH`. A relative entry would be a stranger's folder, and so may others be: `may_be_used`.
fn in_path(program: &OsStr, here: &Path, may_be_used: &dyn Fn(&Path) -> bool) -> Result<Resolved, NotFound> {
    let not_found = |why: &str| NotFound { command: program.to_owned(), why: why.to_owned() };
    let mut files = search_path()
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
    found_at(found, here).map_err(|why| not_found(&why))
}

/// A program that lies here, or the one for which it is a shim; or why there is none.
fn found_at(mut found: PathBuf, here: &Path) -> Result<Resolved, String> {
    if found.components().any(|part| part == Component::ParentDir) {
        let folder = found.parent().and_then(|folder| fs::canonicalize(folder).ok());
        found = folder.map(|folder| folder.join(found.file_name().unwrap_or_default())).unwrap_or(found);
    }
    let name = found.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let asked = if toolchain::is_python(&name) {
        python(&found, here)
    } else {
        toolchain::question(&name).map_or(Ok(None), |question| of_toolchain(&found, &name, question, here))
    };
    match asked {
        Ok(Some(resolved)) => Ok(resolved),
        Err(silence) if looks_for_it(&found, &name) => Err(format!(
            "{} only looks for the program, and finds none ({silence}): have it find one here, or put the folder of \
             the program itself first in PATH",
            found.display()
        )),
        _ => installed(found, here).ok_or_else(|| NO_SUCH_PROGRAM.to_owned()),
    }
}

/// Whether this file only looks for the program of this name: it is a script, or another program.
fn looks_for_it(found: &Path, name: &str) -> bool {
    let real = fs::canonicalize(found).unwrap_or_default();
    let real_name = real.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_of_it = match toolchain::question(name) {
        Some(question) => toolchain::question(real_name).is_some_and(|real| real.programs == question.programs),
        None => toolchain::is_python(real_name),
    };
    is_script(found) || !is_of_it
}

/// A program that is installed on this machine, and its interpreter if it is a script.
fn installed(found: PathBuf, here: &Path) -> Option<Resolved> {
    let real = fs::canonicalize(&found).ok()?;
    let mut visible = toolchain::around(&real);
    if let Some(interpreter) = interpreter(&real).filter(|file| !is_of_the_system(file) && is_program(file)) {
        let is_python = interpreter.file_name().and_then(OsStr::to_str).is_some_and(toolchain::is_python);
        let asked = if is_python { python(&interpreter, here).ok().flatten() } else { None };
        visible.extend(asked.into_iter().flat_map(|found| found.visible));
        visible.extend(fs::canonicalize(&interpreter).map(|real| toolchain::around(&real)).into_iter().flatten());
        visible.push(interpreter);
    }
    visible.extend(libraries(&real));
    // Its name may be what tells it what to do. Links lead on within /usr, or through /etc/alternatives.
    let path = if is_of_the_system(&found) { found } else { real };
    Some(Resolved { path, visible })
}

/// Asks an interpreter that is a shim, or whose library lies elsewhere, as a virtual environment's does. One of the
/// system's is what it seems, and the question would cost a start.
fn python(found: &Path, here: &Path) -> Result<Option<Resolved>, String> {
    let environment = toolchain::environment_of(found);
    let of_the_system = fs::canonicalize(found).is_ok_and(|real| is_of_the_system(&real)) && is_of_the_system(found);
    if of_the_system && environment.is_none() && !is_script(found) {
        return Ok(None);
    }
    const WHERE: &str = "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sep='\\n')";
    let answer = ask(Command::new(found).args(["-I", "-S", "-c", WHERE]), here)?.stdout;
    let mut lines = answer.lines().map(PathBuf::from);
    let Some(path) = lines.next().filter(|path| path.is_absolute() && is_program(path)) else {
        return Err("it does not say where its program is".to_owned());
    };
    // Without its `site`, a Python says nothing of its environment.
    let own = toolchain::environment_of(&path).map(Path::to_owned);
    let environments = [environment.map(Path::to_owned), own.clone()].into_iter().flatten();
    let mut visible = toolchain::of_python(&path, lines.chain(environments));
    // A link is shown as the file that it leads to, and a Python looks for its library beside itself; but an
    // environment is known by the link's place.
    let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    visible.extend(libraries(&real));
    let path = if own.is_some() || is_of_the_system(&path) { path } else { real };
    Ok(Some(Resolved { path, visible }))
}

/// Asks what is only a shim for a program of a toolchain. rustup's `rustc` is one that writes to the home folder.
fn of_toolchain(found: &Path, name: &str, question: &Question, here: &Path) -> Result<Option<Resolved>, String> {
    let real = fs::canonicalize(found).unwrap_or_default();
    let is_plain = is_of_the_system(&real) || toolchain::has_layout(&real);
    let is_rusts = question.programs.contains(&"rustc");
    if question.words.is_empty() || is_plain && !is_rusts && !looks_for_it(found, name) {
        return Ok(None);
    }
    let answer = ask(Command::new(found.with_file_name(question.programs[0])).args(question.words), here)?;
    let lines = [answer.stdout, answer.stderr].join("\n");
    let said = lines.lines().find_map(|line| Some(line.trim().strip_prefix(question.before)?.trim()));
    let said = PathBuf::from(said.unwrap_or_default());
    let place = match question.below {
        Some(bin) => said.join(bin).join(name),
        None => said,
    };
    let Some(path) = fs::canonicalize(place).ok().filter(|path| is_program(path)) else {
        return Err("it does not say where its program is".to_owned());
    };
    let visible = toolchain::around(&path).into_iter().chain(libraries(&path)).collect();
    Ok(Some(Resolved { path, visible }))
}

/// The libraries of a program outside of `/usr`, and its loader, as far as these lie outside, too. The loader itself
/// tells which: it starts no program to do that.
fn libraries(program: &Path) -> Vec<PathBuf> {
    if is_of_the_system(program) {
        return Vec::new();
    }
    let Some(loader) = loader(program) else { return Vec::new() };
    let Ok(answer) = ask(Command::new(&loader).arg("--list").arg(program), Path::new(NOWHERE)) else {
        return Vec::new();
    };
    // libc.so.6 => /lib/libc.so.6 (0x00007f…)
    let path = |line: &str| {
        let path = line.rsplit_once(" (")?.0.rsplit("=> ").next()?.trim();
        Some(PathBuf::from(path)).filter(|path| path.is_absolute() && path.is_file())
    };
    // A library is a link in its folder, and the way to that folder may go up and down.
    let both = |path: PathBuf| {
        let link = path.parent().and_then(|folder| Some(fs::canonicalize(folder).ok()?.join(path.file_name()?)));
        [fs::canonicalize(&path).ok(), link].into_iter().flatten()
    };
    let named = answer.stdout.lines().filter_map(path).chain([loader]).flat_map(both);
    named.filter(|path| !is_of_the_system(path)).collect()
}

/// The loader that a program of the kernel's own format names (`PT_INTERP`, elf(5)), if it is one of 64 bits.
fn loader(program: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    fs::File::open(program).and_then(|file| file.take(4096).read_to_end(&mut head)).ok()?;
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let bytes = head.get(at..at.checked_add(bytes)?)?;
        usize::try_from(bytes.iter().rev().try_fold(0u64, |all, byte| Some(all.checked_mul(256)? + u64::from(*byte)))?)
            .ok()
    };
    if head.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    let mut entries = (0..count).filter_map(|index| table.checked_add(index.checked_mul(size)?));
    let entry = entries.find(|entry| number(*entry, 4) == Some(3))?;
    let (at, len) = (number(entry.checked_add(8)?, 8)?, number(entry.checked_add(32)?, 8)?);
    let path = head.get(at..at.checked_add(len)?)?.split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(OsStr::from_bytes(path))).filter(|path| path.is_absolute() && is_program(path))
}

/// What a program has printed.
struct Answer {
    stdout: String,
    stderr: String,
}

/// What a trusted program prints within a bounded time, run in the folder `here`; or why there is no answer.
fn ask(command: &mut Command, here: &Path) -> Result<Answer, String> {
    let mut child = command
        .current_dir(here)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error_name(&error))?;
    let stderr = child.stderr.take();
    let stderr = thread::spawn(move || stderr.map(read_all).unwrap_or_default());
    let stdout = child.stdout.take().and_then(read_all);
    let Some(stdout) = stdout else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("it has not answered within {} s", PATIENCE.as_secs()));
    };
    let status = child.wait().map_err(|error| error_name(&error))?;
    let stderr = stderr.join().ok().flatten().unwrap_or_default();
    if status.success() {
        return Ok(Answer { stdout, stderr });
    }
    let first = stderr.lines().chain(stdout.lines()).find(|line| !line.trim().is_empty());
    Err(first.map_or_else(|| status.to_string(), |line| line.trim().chars().take(200).collect()))
}

/// All that comes from a pipe within a bounded time.
fn read_all(mut pipe: impl Read + AsFd) -> Option<String> {
    let (mut text, mut buffer, until) = (String::new(), [0; 4096], Instant::now() + PATIENCE);
    while sys::wait_until_readable(&pipe, until.saturating_duration_since(Instant::now())).ok()? {
        match pipe.read(&mut buffer).ok()? {
            0 => return Some(text),
            len if text.len() < MOST_SAID => text += &String::from_utf8_lossy(&buffer[..len]),
            _ => {}
        }
    }
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
