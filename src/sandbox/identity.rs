//! The user and the group that a program runs as.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Gid, Uid, getegid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::config::Layer;
use super::fault::{Fault, Step};

/// The user and the group that the program will run as.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The user id and group id that it is given, or `None` if it keeps ours.
    pub given: Option<(u32, u32)>,
}

impl Identity {
    /// The program's user id and group id.
    pub fn ids(self) -> (u32, u32) {
        self.given.unwrap_or_else(|| (geteuid().as_raw(), getegid().as_raw()))
    }
}

/// Changes this thread's real, effective and saved ids, and gives up all supplementary groups: `setgroups(2)`,
/// `setresgid(2)`, `setresuid(2)`. It cannot be undone.
///
/// # Errors
/// The call that was refused; `EPERM` without `CAP_SETUID` and `CAP_SETGID`.
pub fn change_to(user: u32, group: u32) -> Result<(), Fault> {
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    set_thread_groups(&[]).of(Layer::User, "setgroups")?;
    set_thread_res_gid(group, group, group).of(Layer::User, "setresgid")?;
    set_thread_res_uid(user, user, user).of(Layer::User, "setresuid")
}

/// How many processes and threads of the program's user run on this machine, from `/proc/PID/task`. One that ends
/// meanwhile may be counted or not.
///
/// # Errors
/// `/proc` cannot be read.
pub fn running_tasks(identity: Identity) -> Result<u64, Fault> {
    let (user, _) = identity.ids();
    let processes = fs::read_dir("/proc").of(Layer::Limits, "read /proc to count the user's processes")?;
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let tasks = processes.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_process)).map(|process| {
        let is_theirs = process.metadata().is_ok_and(|data| data.uid() == user);
        if is_theirs { fs::read_dir(process.path().join("task")).map_or(0, Iterator::count) } else { 0 }
    });
    Ok(tasks.sum::<usize>() as u64)
}
