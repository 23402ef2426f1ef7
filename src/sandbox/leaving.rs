//! Keepers that are ending: their sandboxes are empty, and taking namespaces down is what takes longest.

use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::sys;

/// The longest that a keeper may take to end before it is killed.
pub const FAREWELL: Duration = Duration::from_secs(5);

static LEAVING: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Lets a keeper end by itself. A later call reaps it.
pub fn detach(keeper: Option<Child>) {
    let mut leaving = LEAVING.lock().unwrap_or_else(PoisonError::into_inner);
    leaving.extend(keeper);
    leaving.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

/// Waits until all of them have ended, each at most [`FAREWELL`].
pub fn wait() {
    let mut leaving = LEAVING.lock().unwrap_or_else(PoisonError::into_inner);
    leaving.retain_mut(|child| {
        if let Ok(pidfd) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
            let _ = sys::wait_until_readable(&pidfd, FAREWELL);
        }
        matches!(child.try_wait(), Ok(None))
    });
}
