//! The sources of this program, and the program itself.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sources, if cargo started us.
pub fn checkout() -> Option<PathBuf> {
    env::var_os("CARGO")?;
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    has_labs(&folder).then_some(folder)
}

/// This program once more, to play a lab in a process of its own: roles are forked, and a process that forks has one
/// thread. It is the same program even where its file has been replaced meanwhile (proc_pid_exe(5)).
pub fn lab_command(lab: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("socklab").args(["lab", lab]);
    command
}

fn has_labs(folder: &Path) -> bool {
    folder.join("labs/README.md").is_file()
}
