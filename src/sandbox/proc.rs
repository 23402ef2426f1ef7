//! A look at the processes of an attempt, through `/proc`, which touches none of them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::probe::proc::{self, Stat};

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

/// All processes below `init`, its children first.
pub fn descendants(init: i32) -> Vec<Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all = numbers.filter_map(|pid| Stat::read(&fs::read(format!("/proc/{pid}/stat")).ok()?));
    let (mut others, mut found): (Vec<Stat>, Vec<Stat>) = (all.collect(), Vec::new());
    let mut of: Vec<i32> = vec![init];
    while !of.is_empty() {
        let (children, rest): (Vec<Stat>, Vec<Stat>) = others.into_iter().partition(|about| of.contains(&about.parent));
        of = children.iter().map(|about| about.pid).collect();
        found.extend(children);
        others = rest;
    }
    found.sort_by_key(|about| about.pid);
    found
}

fn process(about: Stat, room: &mut usize) -> Option<Process> {
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
        call: call.and_then(|line| proc::call(&line)),
        switches: count("voluntary_ctxt_switches") + count("nonvoluntary_ctxt_switches"),
    })
}
