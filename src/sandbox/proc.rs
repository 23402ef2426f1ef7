//! A look at the processes of an attempt, through `/proc`, which touches none of them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most processes that are listed: an answer is one message.
const MOST_PROCESSES: usize = 200;

/// The most threads and sockets of all processes together that are listed.
const MOST_DETAILS: usize = 1000;

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
    /// Context switches, voluntary or not: they grow while it does anything.
    pub switches: u64,
}

/// All processes that descend from this one, in the order of their numbers.
///
/// The number of this process itself is `init`.
pub fn processes(init: i32) -> Vec<Process> {
    let mut room = MOST_DETAILS;
    let descendants = descendants(init);
    descendants.into_iter().take(MOST_PROCESSES).filter_map(|about| process(about, &mut room)).collect()
}

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, PartialEq)]
pub struct About {
    pub pid: i32,
    name: String,
    state: char,
    parent: i32,
    cpu: Duration,
}

/// All processes below `init`, its children first.
pub fn descendants(init: i32) -> Vec<About> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all = numbers.filter_map(|pid| about(&fs::read(format!("/proc/{pid}/stat")).ok()?));
    let (mut others, mut found): (Vec<About>, Vec<About>) = (all.collect(), Vec::new());
    let mut of: Vec<i32> = vec![init];
    while !of.is_empty() {
        let (children, rest): (Vec<About>, Vec<About>) =
            others.into_iter().partition(|about| of.contains(&about.parent));
        of = children.iter().map(|about| about.pid).collect();
        found.extend(children);
        others = rest;
    }
    found.sort_by_key(|about| about.pid);
    found
}

/// Reads a line of `/proc/PID/stat`. The name, which the process chose, may hold spaces and parentheses.
fn about(line: &[u8]) -> Option<About> {
    let line = String::from_utf8_lossy(line);
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // A hundred clock ticks make a second, whatever the kernel's own clock does (USER_HZ).
    let ticks = number(11)? + number(12)?;
    Some(About {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        cpu: Duration::from_millis(ticks * 10),
    })
}

fn process(about: About, room: &mut usize) -> Option<Process> {
    let folder = format!("/proc/{}", about.pid);
    let mut threads = Vec::new();
    for thread in fs::read_dir(format!("{folder}/task")).ok()?.flatten() {
        if *room == 0 {
            break;
        }
        *room -= 1;
        threads.extend(thread_at(&thread.path(), about.state));
    }
    let mut sockets = Vec::new();
    for descriptor in fs::read_dir(format!("{folder}/fd")).into_iter().flatten().flatten() {
        let Ok(target) = fs::read_link(descriptor.path()) else { continue };
        let inode = target.to_str().and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        let number = descriptor.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(socket) = number.zip(inode)
            && *room > 0
        {
            *room -= 1;
            sockets.push(socket);
        }
    }
    sockets.sort_unstable();
    Some(Process { pid: about.pid, name: about.name, parent: about.parent, cpu: about.cpu, threads, sockets })
}

fn thread_at(folder: &Path, of_process: char) -> Option<Thread> {
    let status = String::from_utf8_lossy(&fs::read(folder.join("status")).ok()?).into_owned();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let count = |name| field(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let call = fs::read_to_string(folder.join("syscall")).ok();
    Some(Thread {
        state: field("State").and_then(|text| text.chars().next()).unwrap_or(of_process),
        call: call.and_then(|line| call_in(&line)),
        switches: count("voluntary_ctxt_switches") + count("nonvoluntary_ctxt_switches"),
    })
}

/// Reads `/proc/PID/syscall` of `proc(5)`: `running`, or the call's number and its arguments; -1 is asleep, but in no
/// call.
fn call_in(line: &str) -> Option<(i64, [u64; 6])> {
    let mut words = line.split_whitespace();
    let number = words.next()?.parse::<i64>().ok().filter(|number| *number >= 0)?;
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some((number, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_call_itself_what_it_likes() {
        let line = b"7 (a) S 9 (b) R 3 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 1 1 1\n";
        let cpu = Duration::from_secs(3);
        assert_eq!(about(line), Some(About { pid: 7, name: "a) S 9 (b".into(), state: 'R', parent: 3, cpu }));
    }

    #[test]
    fn a_call_is_read_with_its_arguments_and_running_is_none() {
        let line = "45 0x3 0x7f00 0x400 0x0 0x0 0x0 0x7ffe 0x7f01\n";
        assert_eq!(call_in(line), Some((45, [3, 0x7f00, 0x400, 0, 0, 0])));
        assert_eq!(call_in("running\n"), None);
        assert_eq!(call_in("-1 0x7ffe 0x7f01\n"), None);
    }
}
