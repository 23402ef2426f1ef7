//! This program, started once more.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// This program once more, to play a lab in a process of its own: roles are forked, and a process that forks has one
/// thread. It is the same program even where its file has been replaced meanwhile (proc_pid_exe(5)).
pub fn lab_command(lab: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("socklab").args(["lab", lab]);
    command
}
