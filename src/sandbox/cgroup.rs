//! Control groups, `cgroups(7)`: a limit on the memory of all processes of a sandbox together, and one on that of all
//! sandboxes of an attempt.
//!
//! ```text
//! socklab-PID-N      what the sandboxes of one attempt share; its owner holds a lock on the folder, flock(2)
//! ├ keep             each sandbox's init: what it unpacks counts here
//! ├ 0                one sandbox's program, and all that it starts
//! └ 1                another one's
//! ```
//!
//! A sandbox that shares with none has one group only, `socklab-PID-N`, and its init stays where its owner is.
//!
//! Only the program is in its group, not its init: when the kernel kills for want of memory, it kills there. The limit
//! on all of them is more than their limits together, so that it is never the one that ends a program.
//!
//! A process enters as its one thread, which needs no other process to stand still: in version 1 it writes itself into
//! the group, in version 2 it is made there.

mod place;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::config::{Layer, Limits};
use super::fault::{Fault, Step};
use super::leaving;

use place::Place;
pub use place::Version;

/// What our groups are called: this, the owner's number, and one of its own.
const NAME: &str = "socklab-";

/// The group of inits.
const KEEP: &str = "keep";

/// How often a group is made anew whose name another judge has, or that one has taken for one that was left behind.
const TRIES: usize = 1000;

/// The kernel's own limit on memory of sockets is so many times the one at which an attempt is ended: else what is
/// refused would keep it below that.
const SOCKET_SLACK: u64 = 2;

/// A group of ours: its folder, which nobody takes for one that was left behind as long as this lives.
#[derive(Debug)]
struct Owned {
    version: Version,
    folder: PathBuf,
    _lock: File,
}

impl Owned {
    /// Makes a group with a limit on memory, in MiB, and swap.
    fn make(memory_mib: u64) -> Result<Owned, Fault> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        static SWEPT: Once = Once::new();
        let place = Place::find()?;
        SWEPT.call_once(|| sweep(&place.folder));
        let mut tries = 0;
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = place.folder.join(format!("{NAME}{}-{number}", std::process::id()));
            tries += 1;
            let made = fs::create_dir(&folder);
            // A judge in another process namespace may have this one's number.
            if made.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) && tries < TRIES {
                continue;
            }
            made.of(Layer::Cgroup, &format!("make a memory group below {}", place.folder.display()))?;
            match Owned::of_new(place.version, &folder, memory_mib) {
                Ok(owned) => return Ok(owned),
                Err(fault) => {
                    remove(&folder);
                    // Between its making and its lock another judge may have taken it away.
                    let is_gone = fault.errno.is_some_and(|errno| [libc::ENOENT, libc::ENODEV].contains(&errno));
                    if !is_gone || tries >= TRIES {
                        return Err(fault);
                    }
                }
            }
        }
    }

    fn of_new(version: Version, folder: &Path, memory_mib: u64) -> Result<Owned, Fault> {
        let at = Layer::Cgroup;
        let lock = File::open(folder).of(at, "open a memory group")?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(Errno::NOENT),
            locked => locked,
        }
        .of(at, "lock a memory group")?;
        limit_memory(version, folder, memory_mib).of(at, "limit a memory group")?;
        Ok(Owned { version, folder: folder.to_owned(), _lock: lock })
    }
}

/// A group that several sandboxes share, as long as one of its copies lives: what they may have together.
#[derive(Clone, Debug)]
pub struct SharedGroup(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    group: Owned,
    /// Where inits enter: see [`entry`].
    keep: File,
    count: AtomicU32,
}

impl SharedGroup {
    /// Makes one with a limit on memory, in MiB, and swap.
    ///
    /// # Errors
    /// A fault of [`Layer::Cgroup`] where there is no memory controller, or it is not ours to use.
    pub fn make(memory_mib: u64) -> Result<SharedGroup, Fault> {
        let at = Layer::Cgroup;
        let group = Owned::make(memory_mib)?;
        if group.version == Version::Two {
            let given = group.folder.join("cgroup.subtree_control");
            fs::write(&given, "+memory").of(at, "hand the memory controller on")?;
            // Where it is to be had.
            let _ = fs::write(&given, "+pids");
        }
        let keep = group.folder.join(KEEP);
        fs::create_dir(&keep).of(at, "make a group for inits")?;
        let keep = entry(group.version, &keep).of(at, "open a group for inits")?;
        Ok(SharedGroup(Arc::new(Shared { group, keep, count: AtomicU32::new(0) })))
    }

    /// Its folder below `/sys/fs/cgroup`.
    pub fn folder(&self) -> &Path {
        &self.0.group.folder
    }

    /// The most memory that all its sandboxes had together at a time, in bytes; `None` where the kernel does not tell
    /// (version 2 before Linux 5.19).
    pub fn peak(&self) -> Option<u64> {
        let file = match self.0.group.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        fs::read_to_string(self.folder().join(file)).ok()?.trim().parse().ok()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !remove(&self.group.folder) {
            // An init of it is about to end.
            leaving::wait();
            remove(&self.group.folder);
        }
    }
}

/// A sandbox's own group, as long as this lives.
pub struct Group {
    version: Version,
    folder: PathBuf,
    entry: File,
    /// Whether it stands alone.
    _owned: Option<Owned>,
    shared: Option<SharedGroup>,
}

impl Group {
    /// Makes a group with these limits, in `shared` if there is one.
    ///
    /// # Errors
    /// A fault of [`Layer::Cgroup`]: the step that failed.
    pub fn make(shared: Option<&SharedGroup>, limits: &Limits) -> Result<Group, Fault> {
        let at = Layer::Cgroup;
        let (version, folder, owned) = match shared {
            None => {
                let owned = Owned::make(limits.memory_mib)?;
                (owned.version, owned.folder.clone(), Some(owned))
            }
            Some(SharedGroup(shared)) => {
                let number = shared.count.fetch_add(1, Ordering::Relaxed);
                let folder = shared.group.folder.join(number.to_string());
                fs::create_dir(&folder).of(at, "make a memory group")?;
                (shared.group.version, folder, None)
            }
        };
        let prepared = limit_memory(version, &folder, limits.memory_mib).and_then(|()| {
            limit_the_rest(version, &folder, limits);
            entry(version, &folder)
        });
        match prepared.of(at, "limit a memory group") {
            Ok(entry) => Ok(Group { version, folder, entry, _owned: owned, shared: shared.cloned() }),
            Err(fault) => {
                let _ = fs::remove_dir(&folder);
                Err(fault)
            }
        }
    }

    /// The version of control groups.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The same for people.
    pub fn described(&self) -> &'static str {
        match self.version {
            Version::One => "version 1 of control groups; memory of sockets has a limit of its own",
            Version::Two => "version 2 of control groups; memory of sockets counts as any other",
        }
    }

    /// Where init enters, if its memory counts for several sandboxes: see [`entry`].
    pub fn keep(&self) -> Option<BorrowedFd<'_>> {
        self.shared.as_ref().map(|shared| shared.0.keep.as_fd())
    }

    /// Its folder below `/sys/fs/cgroup`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the program enters: see [`entry`].
    pub fn entry(&self) -> BorrowedFd<'_> {
        self.entry.as_fd()
    }

    /// CPU time of all that ever ran in it; `None` where its controller does not tell (version 1).
    pub fn cpu(&self) -> Option<Duration> {
        let text = match self.version {
            Version::One => return None,
            Version::Two => fs::read_to_string(self.folder.join("cpu.stat")).ok()?,
        };
        cpu_of(&text)
    }

    /// How many of its processes the kernel has killed for want of memory, `oom_kill`.
    ///
    /// # Errors
    /// A kernel before 4.13 does not count.
    pub fn kills(&self) -> Result<u64, Fault> {
        let file = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let step = format!("read {file}");
        let text = fs::read_to_string(self.folder.join(file)).step(&step)?;
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
        count.ok_or_else(|| Fault::new(step, "it does not count"))
    }
}

/// What `cpu.stat` of version 2 tells.
fn cpu_of(text: &str) -> Option<Duration> {
    text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok()).map(Duration::from_micros)
}

impl Drop for Group {
    fn drop(&mut self) {
        // It is empty by now. If this process is killed, the keeper removes it; if both are, the next owner does.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A limit on memory and swap.
fn limit_memory(version: Version, folder: &Path, memory_mib: u64) -> io::Result<()> {
    let bytes = (memory_mib << 20).to_string();
    match version {
        Version::One => {
            // What kernels since 5.11 do anyway: what is below counts here, too.
            let _ = fs::write(folder.join("memory.use_hierarchy"), "1");
            fs::write(folder.join("memory.limit_in_bytes"), &bytes)?;
            // Memory and swap together, where the kernel counts swap.
            let _ = fs::write(folder.join("memory.memsw.limit_in_bytes"), &bytes);
        }
        Version::Two => {
            fs::write(folder.join("memory.max"), &bytes)?;
            let _ = fs::write(folder.join("memory.swap.max"), "0");
        }
    }
    Ok(())
}

/// What not every kernel can limit: memory of sockets, which version 2 counts as any other, and processes.
fn limit_the_rest(version: Version, folder: &Path, limits: &Limits) {
    let sockets = (limits.socket_mib * SOCKET_SLACK) << 20;
    let _ = match version {
        Version::One => fs::write(folder.join("memory.kmem.tcp.limit_in_bytes"), sockets.to_string()),
        Version::Two => fs::write(folder.join("pids.max"), limits.processes.to_string()),
    };
}

/// What a process needs to enter a group: the file to which it writes `0`, or the folder in which it is made.
fn entry(version: Version, folder: &Path) -> io::Result<File> {
    match version {
        Version::One => OpenOptions::new().write(true).open(folder.join("tasks")),
        Version::Two => File::open(folder),
    }
}

/// Removes a group and those below it. True when it is gone.
fn remove(folder: &Path) -> bool {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
    match fs::remove_dir(folder) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(()) => true,
    }
}

/// Removes the groups of owners that have died without a word: nobody has a lock on them.
fn sweep(above: &Path) {
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(NAME).is_some_and(|rest| rest.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()))
        });
        if is_ours {
            remove_if_left(&entry.path());
        }
    }
}

/// Removes a shared group that has no owner.
fn remove_if_left(folder: &Path) {
    let Ok(open) = File::open(folder) else { return };
    if flock(&open, FlockOperation::NonBlockingLockExclusive).is_ok() {
        // Version 2, Linux 5.14: whatever may still run there.
        let _ = fs::write(folder.join("cgroup.kill"), "1");
        remove(folder);
    }
}

/// What a keeper does when its init is gone: it removes the sandbox's group, which the owner does unless it was killed,
/// and with the last one what they shared.
pub fn tidy(folder: &Path) {
    let _ = fs::remove_dir(folder);
    let Some(shared) = folder.parent() else { return };
    // One keeper at a time: the last one finds all inits gone.
    let Ok(keep) = File::open(shared.join(KEEP)) else { return };
    if flock(&keep, FlockOperation::LockExclusive).is_ok() {
        remove_if_left(shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_group_is_in_microseconds() {
        let stat = "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(1500)));
        assert_eq!(cpu_of("user_usec 7\n"), None);
    }
}
