//! Where control groups can be made: the folder of the group that this process is in, or near it.
//!
//! In the first version of control groups the memory controller has a hierarchy of its own, and processes may be in any
//! group. In the second version there is one hierarchy, a group whose controllers are handed on to groups below it may
//! have no processes itself (`cgroups(7)`, "no internal processes"), and what this process may use was given to it: by
//! being root, by systemd (`Delegate=yes`), or by a container's engine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sandbox::config::Layer;
use crate::sandbox::fault::{Fault, Step};

/// The group that a judge moves to, out of the way of its own groups.
const ASIDE: &str = "socklab-judge";

/// So often processes are moved: new ones may start meanwhile.
const ROUNDS: usize = 20;

/// A version of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// A memory controller with a hierarchy of its own.
    One,
    /// One hierarchy for all controllers.
    Two,
}

/// A group below which groups with limits on memory can be made.
#[derive(Debug)]
pub struct Place {
    pub version: Version,
    pub folder: PathBuf,
}

impl Place {
    /// Finds it, and in version 2 makes it ready.
    ///
    /// # Errors
    /// A fault of [`Layer::Cgroup`] that says what is missing.
    pub fn find() -> Result<Place, Fault> {
        let at = Layer::Cgroup;
        let ours = fs::read_to_string("/proc/self/cgroup").of(at, "read /proc/self/cgroup")?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").of(at, "read /proc/self/mountinfo")?;
        if let Some(folder) = first(&ours, &mounts) {
            return Ok(Place { version: Version::One, folder });
        }
        let Some(folder) = second(&ours, &mounts) else {
            return Err(io::Error::from_raw_os_error(libc::ENODEV)).of(at, "find a memory controller that is mounted");
        };
        // A container may have been given a mount in which its groups lie elsewhere.
        if !has_word(&folder.join("cgroup.procs"), &std::process::id().to_string()) {
            let step = format!("find this process's group, which {} is not", folder.display());
            return Err(io::Error::from_raw_os_error(libc::ENODEV)).of(at, &step);
        }
        Ok(Place { version: Version::Two, folder: made_ready(&folder)? })
    }
}

/// The folder of this process's group of version 1.
fn first(ours: &str, mounts: &str) -> Option<PathBuf> {
    let is_memory = |list: &str| list.split(',').any(|name| name == "memory");
    let group = ours.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        is_memory(fields.next()?).then(|| fields.next())?
    });
    let (root, point) = mount(mounts, |kind, options| kind == "cgroup" && is_memory(options))?;
    below(group?, root, point)
}

/// The folder of this process's group of version 2.
fn second(ours: &str, mounts: &str) -> Option<PathBuf> {
    let group = ours.lines().find_map(|line| line.strip_prefix("0::"));
    let (root, point) = mount(mounts, |kind, _| kind == "cgroup2")?;
    below(group?, root, point)
}

/// The root and the place of a mount whose type and options are these, from `/proc/self/mountinfo`.
fn mount(mounts: &str, is_it: impl Fn(&str, &str) -> bool) -> Option<(&str, &str)> {
    mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let found = is_it(kind.next()?, kind.nth(1)?);
        let mut fields = fields.split(' ').skip(3);
        found.then(|| fields.next().zip(fields.next()))?
    })
}

/// A group's folder. In a container, what is mounted may itself be a group below the real root.
fn below(group: &str, root: &str, point: &str) -> Option<PathBuf> {
    let below = Path::new(group).strip_prefix(root).or_else(|_| Path::new(group).strip_prefix("/")).ok()?;
    let goes_up = below.iter().any(|part| part == "..");
    (!goes_up).then(|| Path::new(point).join(below))
}

fn has_word(file: &Path, wanted: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.split_whitespace().any(|word| word == wanted))
}

/// The group below which ours can be made, with the memory controller handed on to them: this one, or where it has
/// processes, those moved aside, or the one above, where they were moved aside before.
fn made_ready(folder: &Path) -> Result<PathBuf, Fault> {
    let at = Layer::Cgroup;
    let above = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == ASIDE));
    let base = above.unwrap_or(folder);
    let given = base.join("cgroup.subtree_control");
    let lack = || io::Error::from_raw_os_error(libc::ENODEV);
    if !has_word(&base.join("cgroup.controllers"), "memory") {
        return Err(lack()).of(at, &format!("use the memory controller, which {} does not have", base.display()));
    }
    // The real root may have processes and hand controllers on; only it has no type.
    let is_root = !base.join("cgroup.type").exists();
    let mut result = Ok(());
    for _ in 0..ROUNDS {
        if has_word(&given, "memory") {
            // Where it is to be had, too, processes are counted.
            let _ = fs::write(&given, "+pids");
            return Ok(base.to_owned());
        }
        if !is_root {
            move_aside(base)?;
        }
        // EBUSY: a process has started meanwhile.
        result = fs::write(&given, "+memory");
        if result.as_ref().is_err_and(|error| error.raw_os_error() != Some(libc::EBUSY)) {
            break;
        }
    }
    // What stays busy is not to be had: there is a process that cannot be moved, of another process namespace.
    let result = result.map_err(|error| if error.raw_os_error() == Some(libc::EBUSY) { lack() } else { error });
    result.of(at, &format!("hand the memory controller on to groups below {}", base.display()))?;
    Ok(base.to_owned())
}

/// Moves all processes of a group, this one among them, into one below it.
fn move_aside(base: &Path) -> Result<(), Fault> {
    let at = Layer::Cgroup;
    let aside = base.join(ASIDE);
    match fs::create_dir(&aside) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            let made: Result<(), Fault> = Err(error).of(at, &format!("make a group below {}", base.display()));
            return made.map_err(|fault| match fault.errno {
                Some(libc::EACCES) => {
                    let why = "EACCES: it is not this user's; systemd-run --user --scope -p Delegate=yes gives one";
                    Fault { why: why.to_owned(), ..fault }
                }
                _ => fault,
            });
        }
        _ => {}
    }
    let processes = fs::read_to_string(base.join("cgroup.procs")).of(at, "read cgroup.procs")?;
    // The kernel lists those of other process namespaces as 0, which would stand for this one.
    for process in processes.lines().filter(|process| *process != "0") {
        match fs::write(aside.join("cgroup.procs"), process) {
            // It has ended.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            moved => moved.of(at, &format!("move process {process} to {}", aside.display()))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ONE: &str = "5:pids:/\n4:memory:/user/me\n0::/\n";
    const MOUNTS_OF_ONE: &str = "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
                                 31 24 0:27 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_group_of_a_process_is_found_in_both_versions() {
        assert_eq!(first(OF_ONE, MOUNTS_OF_ONE), Some("/sys/fs/cgroup/memory/user/me".into()));
        assert_eq!(second(OF_ONE, MOUNTS_OF_ONE), Some("/sys/fs/cgroup/unified/".into()));
        let (ours, mounts) =
            ("0::/user.slice/a.scope\n", "31 24 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
        assert_eq!(
            (first(ours, mounts), second(ours, mounts)),
            (None, Some("/sys/fs/cgroup/user.slice/a.scope".into()))
        );
    }

    #[test]
    fn a_container_sees_its_group_at_the_mount_or_below() {
        let mount = "31 24 0:27 /docker/one /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        assert_eq!(second("0::/docker/one/inner\n", mount), Some("/sys/fs/cgroup/inner".into()));
        // With a namespace of its own, all paths begin there.
        assert_eq!(second("0::/\n", mount), Some("/sys/fs/cgroup/".into()));
        assert_eq!(second("0::/../other\n", mount), None);
    }
}
