//! A look at the processes of an attempt, through `/proc`, which touches none of them.
//!
//! A process that ends between two reads is not there any more. Whatever else cannot be read is a fault: it must never
//! look like a program that rests.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::fault::{Fault, Step};
use crate::probe::proc::{self, Stat};

/// The most processes that are listed.
const MOST_PROCESSES: usize = 200;

/// The most threads and sockets of all processes together that are listed.
const MOST_DETAILS: usize = 1000;

/// The bytes that a list may take, whatever stands in it: an answer is one message. And what each entry takes at most,
/// with every number at its longest and every letter of a name escaped.
const ROOM: usize = 128 * 1024;
const ROOM_OF_PROCESS: usize = 320;
const ROOM_OF_THREAD: usize = 200;
const ROOM_OF_SOCKET: usize = 40;

/// The processes of an attempt at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// In the order of their numbers.
    pub processes: Vec<Process>,
    /// How many more there were than are listed.
    pub left_out: usize,
}

/// One process of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Its number among the attempt's processes.
    pub pid: i32,
    /// What it calls itself. It chose that: escape it before you show it.
    pub name: String,
    /// Its parent's number.
    pub parent: i32,
    /// CPU time that it used so far; the kernel tells it in hundredths of a second.
    pub cpu: Duration,
    /// Its threads, the first one among them.
    pub threads: Vec<Thread>,
    /// Its descriptors that are sockets, each with its inode.
    pub sockets: Vec<(i32, u64)>,
}

/// One thread of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// The letter of `proc(5)`: R runs, S sleeps, Z has ended.
    pub state: char,
    /// The system call that it is asleep in, and its arguments.
    pub call: Option<(i64, [u64; 6])>,
}

/// A `/proc` in which the processes below this one are.
pub struct ProcFolder {
    folder: OwnedFd,
    /// This process's own number there.
    own: i32,
}

impl ProcFolder {
    /// Takes hold of what is at `/proc` now.
    ///
    /// # Errors
    /// A fault where none is, or one in which this process is not.
    pub fn open() -> Result<ProcFolder, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, "/proc", flags, Mode::empty()).step("open /proc")?;
        // In a `/proc` of another process namespace this process has another number than it knows itself.
        let own = readlinkat(&folder, "self", Vec::new()).step("find this process in /proc")?;
        let own = own.to_str().ok().and_then(|own| own.parse().ok()).ok_or_else(|| unreadable("self"))?;
        Ok(ProcFolder { folder, own })
    }

    /// A file of one read; `None` if its process is gone.
    pub fn read(&self, path: &str, into: &mut [u8; 4096]) -> Result<Option<usize>, Fault> {
        let mut read = || -> Result<usize, Errno> {
            let file = openat(&self.folder, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            rustix::io::read(&file, &mut into[..])
        };
        still_there(read()).step(&format!("read /proc/{path}"))
    }

    /// The numbers that are the names of a folder's entries, sorted; `None` if its process is gone.
    pub fn numbers(&self, path: &str) -> Result<Option<Vec<i32>>, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let list = || -> Result<Vec<i32>, Errno> {
            let mut numbers = Vec::new();
            for entry in Dir::new(openat(&self.folder, path, flags, Mode::empty())?)? {
                numbers.extend(entry?.file_name().to_str().ok().and_then(|name| name.parse::<i32>().ok()));
            }
            numbers.sort_unstable();
            Ok(numbers)
        };
        still_there(list()).step(&format!("list /proc/{path}"))
    }

    /// What `/proc/PID/stat`, or that of one of its threads, says; `None` if it is gone.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, Fault> {
        let mut line = [0; 4096];
        let Some(len) = self.read(&format!("{path}/stat"), &mut line)? else { return Ok(None) };
        Stat::read(&line[..len]).map(Some).ok_or_else(|| unreadable(&format!("{path}/stat")))
    }

    /// The call that a thread is asleep in, and its arguments.
    pub fn call(&self, pid: i32, thread: i32) -> Option<(i64, [u64; 6])> {
        let mut line = [0; 4096];
        // The kernel shows none of a process that has no memory any more. What matters does not rest on it.
        let len = self.read(&format!("{pid}/task/{thread}/syscall"), &mut line).ok().flatten()?;
        proc::call(std::str::from_utf8(&line[..len]).ok()?)
    }

    /// All processes below this one, sorted by their numbers: a process stands before those that it started, but where
    /// the numbers have begun anew.
    pub fn descendants(&self) -> Result<Vec<Stat>, Fault> {
        let numbers = self.numbers(".")?.unwrap_or_default();
        let mut others: Vec<Stat> = Vec::new();
        for pid in numbers {
            others.extend(self.stat(&pid.to_string())?);
        }
        let mut found: Vec<Stat> = Vec::new();
        let mut of = vec![self.own];
        while !of.is_empty() {
            let (children, rest): (Vec<Stat>, Vec<Stat>) =
                others.into_iter().partition(|about| of.contains(&about.parent));
            of = children.iter().map(|about| about.pid).collect();
            found.extend(children);
            others = rest;
        }
        found.sort_by_key(|about| about.pid);
        Ok(found)
    }

    /// What the processes below this one are and do, as far as it goes into one message.
    pub fn look(&self) -> Result<Look, Fault> {
        let (mut look, mut room, mut details) = (Look::default(), ROOM, MOST_DETAILS);
        let mut take = |room: &mut usize, bytes: usize| {
            let fits = *room >= bytes && details > 0;
            if fits {
                (*room, details) = (*room - bytes, details - 1);
            }
            fits
        };
        for about in self.descendants()? {
            if look.processes.len() == MOST_PROCESSES || room < ROOM_OF_PROCESS {
                look.left_out += 1;
                continue;
            }
            room -= ROOM_OF_PROCESS;
            let mut threads = Vec::new();
            for thread in self.numbers(&format!("{}/task", about.pid))?.unwrap_or_default() {
                if !take(&mut room, ROOM_OF_THREAD) {
                    break;
                }
                let Some(stat) = self.stat(&format!("{}/task/{thread}", about.pid))? else { continue };
                threads.push(Thread { state: stat.state, call: self.call(about.pid, thread) });
            }
            let mut sockets = Vec::new();
            // Of a process that hides itself nobody may see them; they explain a verdict, and decide none.
            let descriptors = self.numbers(&format!("{}/fd", about.pid)).unwrap_or_default();
            for fd in descriptors.unwrap_or_default() {
                let Some(inode) = self.socket(about.pid, fd) else { continue };
                if !take(&mut room, ROOM_OF_SOCKET) {
                    break;
                }
                sockets.push((fd, inode));
            }
            let Stat { pid, name, parent, cpu, .. } = about;
            look.processes.push(Process { pid, name, parent, cpu, threads, sockets });
        }
        Ok(look)
    }

    /// The inode of the socket that this descriptor of a process is.
    fn socket(&self, pid: i32, fd: i32) -> Option<u64> {
        let target = readlinkat(&self.folder, format!("{pid}/fd/{fd}"), Vec::new()).ok()?;
        target.to_str().ok()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }
}

/// A process that has ended meanwhile is no error.
fn still_there<T>(result: Result<T, Errno>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NOENT | Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The fault of a file that has another form than it must have.
pub fn unreadable(path: &str) -> Fault {
    Fault::new(format!("read /proc/{path}"), "it has an unknown form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::message::{FromInit, LARGEST};

    #[test]
    fn entries_take_no_more_room_than_is_counted_for_them() {
        let len = |value: &dyn erased::Json| value.json().len();
        let process = Process {
            pid: i32::MIN,
            name: "\u{1}".repeat(15),
            parent: i32::MIN,
            cpu: Duration::MAX,
            threads: Vec::new(),
            sockets: Vec::new(),
        };
        let thread = Thread { state: '\u{1}', call: Some((i64::MIN, [u64::MAX; 6])) };
        assert!(len(&process) < ROOM_OF_PROCESS, "{}", len(&process));
        assert!(len(&thread) < ROOM_OF_THREAD, "{}", len(&thread));
        assert!(len(&(i32::MIN, u64::MAX)) < ROOM_OF_SOCKET, "{}", len(&(i32::MIN, u64::MAX)));
        let empty = FromInit::Look(Look { processes: Vec::new(), left_out: usize::MAX });
        assert!(ROOM + len(&empty) < LARGEST);
    }

    mod erased {
        pub trait Json {
            fn json(&self) -> Vec<u8>;
        }

        impl<T: serde::Serialize> Json for T {
            fn json(&self) -> Vec<u8> {
                serde_json::to_vec(self).expect("JSON")
            }
        }
    }

    #[test]
    fn a_look_sees_what_this_process_started_and_no_more_once_that_has_ended() {
        let folder = ProcFolder::open().expect("/proc");
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().expect("a child");
        let pid = i32::try_from(child.id()).expect("a number");
        let look = folder.look().expect("a look");
        assert!(look.processes.iter().any(|process| process.pid == pid), "{look:?}");
        child.kill().and_then(|()| child.wait()).expect("its end");
        assert_eq!(folder.stat(&pid.to_string()), Ok(None));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_a_fault_and_no_empty_list() {
        let folder = ProcFolder::open().expect("/proc");
        assert_eq!(folder.numbers("self/nothing"), Ok(None));
        let fault = folder.numbers("self/stat").expect_err("a file is no folder");
        assert_eq!(fault.errno, Some(libc::ENOTDIR));
        let mut line = [0; 4096];
        assert!(folder.read("self/task", &mut line).is_err());
    }
}
