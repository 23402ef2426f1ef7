//! A control group of a sandbox's own, `cgroups(7)`: a limit on the memory of all its processes together.
//!
//! Only the program is in it, not its init: when the kernel kills for want of memory, it kills there. The program's
//! process enters by itself, as its one thread, which needs no other process to stand still: that would take as long as
//! anything else here.
//!
//! This is the first version of control groups, as root, below the group that the owner is in.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use super::config::Layer;
use super::fault::{Fault, Step};

/// What our groups are called: this, the owner's number, and one of its own.
const NAME: &str = "socklab-";

/// A group, as long as this lives.
pub struct Group {
    folder: PathBuf,
    entry: File,
}

impl Group {
    /// Makes a group with a limit on memory, in MiB, and swap.
    ///
    /// # Errors
    /// A fault of [`Layer::Cgroup`] where there is no memory controller of version 1, or it is not ours to use.
    pub fn make(memory_mib: u64) -> Result<Group, Fault> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        static SWEPT: Once = Once::new();
        let at = Layer::Cgroup;
        let above = above().of(at, "find this process's memory group")?;
        SWEPT.call_once(|| sweep(&above));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = above.join(format!("{NAME}{}-{number}", std::process::id()));
        fs::create_dir(&folder).of(at, "make a memory group")?;
        let limit = memory_mib << 20;
        let prepared = fs::write(folder.join("memory.limit_in_bytes"), limit.to_string())
            .and_then(|()| {
                // Memory and swap together, where the kernel counts swap.
                let _ = fs::write(folder.join("memory.memsw.limit_in_bytes"), limit.to_string());
                OpenOptions::new().write(true).open(folder.join("tasks"))
            })
            .of(at, "limit a memory group");
        match prepared {
            Ok(entry) => Ok(Group { folder, entry }),
            Err(fault) => {
                let _ = fs::remove_dir(&folder);
                Err(fault)
            }
        }
    }

    /// Its folder below `/sys/fs/cgroup`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A process with one thread that writes `0` here is in it.
    pub fn entry(&self) -> BorrowedFd<'_> {
        self.entry.as_fd()
    }

    /// How many of its processes the kernel has killed for want of memory, `oom_kill`.
    ///
    /// # Errors
    /// A kernel before 4.13 does not count.
    pub fn kills(&self) -> Result<u64, Fault> {
        let text = fs::read_to_string(self.folder.join("memory.oom_control")).step("read memory.oom_control")?;
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
        count.ok_or_else(|| Fault::new("read memory.oom_control", "it does not count"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It is empty by now. If this process is killed, the keeper removes it; if both are, the next owner does.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The folder of the group that this process is in.
fn above() -> io::Result<PathBuf> {
    let absent = |what: &str| io::Error::new(io::ErrorKind::Unsupported, what.to_owned());
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let ours = groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let is_memory = fields.next()?.split(',').any(|controller| controller == "memory");
        is_memory.then(|| fields.next())?
    });
    let ours = ours.ok_or_else(|| absent("the memory controller is one of cgroup v2, which is not used here"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let place = mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let is_memory = kind.next()? == "cgroup" && kind.nth(1)?.split(',').any(|option| option == "memory");
        let mut fields = fields.split(' ').skip(3);
        is_memory.then(|| fields.next().zip(fields.next()))?
    });
    let (root, point) = place.ok_or_else(|| absent("the memory controller is not mounted"))?;
    // In a container, what is mounted may itself be a group below the real root.
    let below = Path::new(ours).strip_prefix(root).or_else(|_| Path::new(ours).strip_prefix("/"));
    below.map(|below| Path::new(point).join(below)).map_err(|_| absent("this process's group is not below the mount"))
}

/// Removes the groups of owners that have died without a word.
fn sweep(above: &Path) {
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(NAME)?.split_once('-')?.0.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
