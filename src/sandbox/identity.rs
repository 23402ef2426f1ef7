//! The user and the group that a program runs as.

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
