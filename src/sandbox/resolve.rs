//! Which file a command is, and what it needs to be shown with it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sys;

/// How long an interpreter may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The program itself, not a shim that looks for it at each start.
    pub path: PathBuf,
    /// What must be visible for it to run: see [`SandboxConfig::visible`](super::SandboxConfig::visible).
    pub visible: Vec<PathBuf>,
}

/// Why a command was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// The command, as it was given.
    pub command: OsString,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: there is no such program: look at the spelling and at PATH", self.command.display())
    }
}

impl std::error::Error for NotFound {}

/// Finds a program, as a shell in `folder` would.
///
/// A program of the folder itself keeps its name in it: the archive brings it along. An interpreter is asked once where
/// it really is: `python3` may be a shim that takes ten times as long to start. It is asked in an empty folder, so that
/// nothing of a stranger's runs here.
///
/// # Errors
/// [`NotFound`] where there is no such file, or it may not be executed.
pub fn resolve(program: &OsStr, folder: &Path) -> Result<Resolved, NotFound> {
    let not_found = || NotFound { command: program.to_owned() };
    if program.as_bytes().contains(&b'/') {
        let found = folder.join(program);
        let real = fs::canonicalize(&found).ok().filter(|path| is_program(path)).ok_or_else(not_found)?;
        let inner = fs::canonicalize(folder).ok().and_then(|folder| Some(real.strip_prefix(folder).ok()?.to_owned()));
        return match inner {
            Some(inner) => Ok(Resolved { path: Path::new(".").join(inner), visible: Vec::new() }),
            None => installed(found).ok_or_else(not_found),
        };
    }
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    // A relative entry of PATH would be a stranger's folder.
    let mut folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|path| is_program(path)));
    let found = found.ok_or_else(not_found)?;
    let asked = match program.to_str() {
        Some(name) if name.starts_with("python") => python(&found),
        Some(name @ ("rustc" | "cargo" | "rustdoc")) => rust(&found, name),
        _ => None,
    };
    if let Some(resolved) = asked {
        return Ok(resolved);
    }
    installed(found).ok_or_else(not_found)
}

/// A program that is installed on this machine.
fn installed(found: PathBuf) -> Option<Resolved> {
    let real = shown(fs::canonicalize(&found).ok()?);
    if ["/usr", "/bin", "/sbin"].into_iter().any(|folder| found.starts_with(folder)) {
        // Its name may be what tells it what to do. Links lead on within /usr, or through /etc/alternatives.
        return Some(Resolved { path: found, ..real });
    }
    Some(real)
}

/// A program at a full path, and what belongs to it: the folder that its `bin` is in, but never one that has this
/// user's own things in it, too.
fn shown(path: PathBuf) -> Resolved {
    let prefix = path.parent().filter(|folder| folder.ends_with("bin")).and_then(Path::parent);
    let visible = prefix.filter(|prefix| is_harmless(prefix)).unwrap_or(&path).to_owned();
    let visible = if visible.starts_with("/usr") || visible == Path::new("/") { Vec::new() } else { vec![visible] };
    Resolved { path, visible }
}

/// Whether a folder is neither the home folder nor the current one, nor above them.
fn is_harmless(folder: &Path) -> bool {
    let ours = [env::var_os("HOME").map(PathBuf::from), env::current_dir().ok()];
    folder != Path::new("/") && !ours.into_iter().flatten().any(|own| own.starts_with(folder))
}

/// Asks an interpreter that is a shim, or whose library lies elsewhere, as a virtual environment's does. Every other
/// one is what it seems, and the question would cost a start.
fn python(found: &Path) -> Option<Resolved> {
    let environment = found.parent().and_then(Path::parent).is_some_and(|prefix| prefix.join("pyvenv.cfg").is_file());
    if !environment && !is_script(found) {
        return None;
    }
    const WHERE: &str = "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sep='\\n')";
    let answer = ask(Command::new(found).args(["-I", "-S", "-c", WHERE]))?;
    let mut lines = answer.lines().map(PathBuf::from);
    let path = lines.next().filter(|path| is_program(path))?;
    let real = fs::canonicalize(&path).ok()?;
    let mut visible: Vec<PathBuf> = lines.filter(|prefix| is_harmless(prefix)).chain([real]).collect();
    visible.retain(|path| !path.starts_with("/usr"));
    visible.sort();
    // What lies below another one is visible with it.
    visible.dedup_by(|below, above| below.starts_with(&*above));
    Some(Resolved { path, visible })
}

/// rustup's `rustc` looks for the toolchain at each start, and writes to the home folder.
fn rust(found: &Path, name: &str) -> Option<Resolved> {
    let rustc = found.with_file_name("rustc");
    let root = PathBuf::from(ask(Command::new(rustc).args(["--print", "sysroot"]))?.trim());
    let path = Some(root.join("bin").join(name)).filter(|path| is_program(path))?;
    Some(Resolved { path, visible: if root.starts_with("/usr") { Vec::new() } else { vec![root] } })
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
    let mut head = [0; 2];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"#!"
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
