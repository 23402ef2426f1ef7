//! What is the judge's own on this machine. It holds the solutions and the checks, so it is neither shown to a program
//! nor run as one.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Stat, stat};

use crate::beneath::{Object, object_of};

/// The folders in which installed programs lie, besides those of `PATH`.
const OF_PROGRAMS: [&str; 5] = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/usr/games"];

/// Where sources lie, as those of the judge may.
const OF_SOURCES: [&str; 2] = ["/usr/src", "/usr/local/src"];

/// Folders in which a package keeps what belongs to it.
const OF_PACKAGES: [&str; 8] = [
    "/usr/lib",
    "/usr/libexec",
    "/usr/share",
    "/usr/share/doc",
    "/usr/local/lib",
    "/usr/local/libexec",
    "/usr/local/share",
    "/usr/local/share/doc",
];

/// The judge's files and folders, as far as they are known by name or are this very program: this program's, under all
/// its names in the folders of programs, and whatever is called as a package of ours is.
pub fn own_files() -> &'static [PathBuf] {
    static OWN: OnceLock<Vec<PathBuf>> = OnceLock::new();
    OWN.get_or_init(find)
}

fn find() -> Vec<PathBuf> {
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    let this = fs::metadata("/proc/self/exe").map(|about| about.ino()).ok();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: BTreeSet<PathBuf> = program
        .parent()
        .map(Path::to_owned)
        .into_iter()
        .chain(env::split_paths(&path))
        .chain(OF_PROGRAMS.map(PathBuf::from))
        .filter_map(|folder| fs::canonicalize(folder).ok())
        .collect();
    let mut own = BTreeSet::new();
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
        // One of another file system may have the same number: hiding it as well does no harm.
        if Some(entry.ino()) == this || is_own_name(&entry.path()) {
            own.extend(fs::canonicalize(entry.path()));
        }
    }
    own.extend(program.is_absolute().then_some(program));
    own.extend(OF_PACKAGES.map(|folder| Path::new(folder).join(env!("CARGO_PKG_NAME"))));
    own.extend(OF_SOURCES.map(PathBuf::from));
    own.into_iter().filter(|path| fs::metadata(path).is_ok_and(|about| about.is_dir() || about.is_file())).collect()
}

/// Whether a file is the judge's program, or another that holds the same.
pub fn is_own(file: &Path) -> bool {
    let is_this = stat(file).is_ok_and(|about| is_this_program(&about));
    is_this || is_own_name(file) || fs::canonicalize(file).is_ok_and(|real| is_own_name(&real))
}

/// Whether this is the file of this very program.
pub fn is_this_program(about: &Stat) -> bool {
    static THIS: OnceLock<Option<Object>> = OnceLock::new();
    let this = THIS.get_or_init(|| stat("/proc/self/exe").ok().map(|about| object_of(&about)));
    *this == Some(object_of(about))
}

/// Whether it is called `socklab`, with something behind it or not, or as a numbered program is: `lab-05-…`.
fn is_own_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let numbered = name.strip_prefix(b"lab-").and_then(|rest| rest.first()).is_some_and(u8::is_ascii_digit);
    numbered || name.starts_with(env!("CARGO_PKG_NAME").as_bytes())
}
