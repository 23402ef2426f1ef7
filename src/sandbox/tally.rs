//! What a program's processes have done so far, all together: how long they ran, how long they waited for the machine,
//! and whether they rest.
//!
//! The kernel forgets what it counted for a child whose parent ignores its end, and a child may begin and end between
//! two looks. So what was seen of each process is added up as well, and starts are counted.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Step};
use super::proc::{ProcFolder, unreadable};
use crate::probe::proc::{Schedstat, Stat, last_started};
use crate::sys::children;

/// How long a thread must be seen ready, without having run, to be one that waits for a processor: what the kernel
/// tells of a thread that runs is as old as the last tick of its clock.
const QUEUED: Duration = Duration::from_millis(20);

/// A wait for a processor that is worth a question about its reason.
const NOTICED: Duration = Duration::from_millis(1);

/// Numbers below this one are not given out again once the kernel has begun anew, `RESERVED_PIDS`.
const RESERVED: u64 = 300;

/// What all processes of a sandbox's programs have done, from the sandbox's beginning to one moment. Every number only
/// grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Whether no thread runs, or waits for a processor or a disk.
    pub asleep: bool,
    /// CPU time of all processes, also of those that have ended: never more than was used.
    pub cpu: Duration,
    /// The time in which some thread could have run, and the machine had no processor for it.
    pub delayed: Duration,
    /// The time in which some thread waited for a disk without having asked for that.
    pub on_disk: Duration,
    /// Processes and threads that were started. Zero where other programs' cannot be told from them.
    pub started: u64,
    /// Grows if any thread has run, has begun or has ended.
    pub activity: u64,
    /// CPU time that was used to look.
    pub looking: Duration,
    /// The time in which looking waited for a processor.
    pub looking_delayed: Duration,
}

/// Keeps the tally: it lives in init.
pub struct Tallier {
    folder: ProcFolder,
    /// Tells of the process that was started last. `None` where all of the machine's are counted there.
    starts: Option<Starts>,
    /// Whether the kernel keeps account of each thread.
    accounts: bool,
    /// By which rules this process is given a processor, and with it the program at first.
    rules: Rules,
    tally: Tally,
    looked: Instant,
    looks: u64,
    /// Living processes, by number and beginning, and the most CPU time that was seen of each.
    processes: HashMap<(i32, u64), Duration>,
    threads: HashMap<(i32, u64), Seen>,
    /// CPU time that was seen of processes that are gone.
    gone: Duration,
}

/// What is counted at which process was started last.
pub struct Starts {
    file: File,
    last: u64,
    /// Numbers begin anew before this one.
    end: u64,
}

/// What decides how often a thread is given a processor.
#[derive(PartialEq, Eq, Default)]
struct Rules {
    nice: i64,
    policy: u64,
    /// The processors that it may have, as `/proc/PID/status` has them.
    processors: String,
}

/// A thread when it was last looked at.
struct Seen {
    account: Schedstat,
    state: char,
    /// Since when it has not run.
    since: Instant,
    /// What was counted of its waiting before the kernel counted it.
    credit: Duration,
    /// The look that saw it last.
    look: u64,
}

impl Starts {
    /// Takes hold of what tells of this process's namespace, of which it is the first and only one, while the machine's
    /// `/proc` is still there. `None` where nothing does: some containers have files of another origin there.
    ///
    /// # Errors
    /// A fault where it cannot be read.
    pub fn of_new_namespace() -> Result<Option<Starts>, Fault> {
        let Ok(end) = std::fs::read_to_string("/proc/sys/kernel/pid_max") else { return Ok(None) };
        let end = end.trim().parse().map_err(|_| unreadable("sys/kernel/pid_max"))?;
        let files = ["/proc/sys/kernel/ns_last_pid", "/proc/loadavg"];
        for file in files.into_iter().filter_map(|file| File::open(file).ok()) {
            let starts = Starts { file, last: 1, end };
            if starts.read()? == starts.last {
                return Ok(Some(starts));
            }
        }
        Ok(None)
    }

    fn read(&self) -> Result<u64, Fault> {
        let mut line = [0; 256];
        let len = self.file.read_at(&mut line, 0).step("read which process was started last")?;
        last_started(&line[..len]).ok_or_else(|| unreadable("loadavg"))
    }

    /// How many were started since the last call, at least.
    fn count(&mut self) -> Result<u64, Fault> {
        let now = self.read()?;
        let last = std::mem::replace(&mut self.last, now);
        Ok(now.checked_sub(last).unwrap_or_else(|| (self.end + now).saturating_sub(last + RESERVED)))
    }
}

impl Tallier {
    /// Begins to count.
    ///
    /// # Errors
    /// A fault where this process cannot read what the kernel tells of itself.
    pub fn new(folder: ProcFolder, starts: Option<Starts>) -> Result<Tallier, Fault> {
        let mut tallier = Tallier {
            folder,
            starts,
            accounts: true,
            rules: Rules::default(),
            tally: Tally::default(),
            looked: Instant::now(),
            looks: 0,
            processes: HashMap::new(),
            threads: HashMap::new(),
            gone: Duration::ZERO,
        };
        // This process has run, so there is something to tell.
        tallier.accounts = tallier.account("self")?.is_some_and(|account| account.is_kept());
        let own = tallier.folder.stat("self")?.ok_or_else(|| unreadable("self/stat"))?;
        tallier.rules = tallier.rules_of("self", &own)?;
        Ok(tallier)
    }

    /// Where processes are looked up.
    pub fn folder(&self) -> &ProcFolder {
        &self.folder
    }

    /// Brings the tally up to this moment. `runs`: the program was started, and its end was not taken yet.
    ///
    /// # Errors
    /// A fault if something cannot be read, or if the program is to be seen nowhere although it runs.
    pub fn take(&mut self, runs: bool) -> Result<Tally, Fault> {
        let now = Instant::now();
        let passed = now.duration_since(self.looked);
        self.looked = now;
        self.looks += 1;
        let look = self.looks;
        let ended = children::cpu_of_children().step("getrusage")?;
        let found = self.folder.descendants()?;
        if runs && found.is_empty() {
            return Err(Fault::new("look at the program", "it runs, and /proc shows no process of it"));
        }
        let (mut accounted, mut asleep, mut changes) = (ended, true, 0);
        let (mut delayed, mut on_disk) = (Duration::ZERO, Duration::ZERO);
        let mut processes = HashMap::with_capacity(found.len());
        for about in &found {
            accounted += about.cpu + about.children_cpu;
            let mut ran = Duration::ZERO;
            for (number, stat, account) in self.threads_of(about)? {
                ran += account.ran;
                let state = if stat.state == 'D' { self.undisturbed(about.pid, number) } else { stat.state };
                asleep &= matches!(state, 'S' | 'T' | 't' | 'Z' | 'X' | 'I' | 'P');
                let seen = self.threads.get_mut(&(number, stat.began));
                let (mut waited, turns) = match seen {
                    Some(seen) => seen.update(account, state, now, look),
                    None => {
                        let seen = Seen { account, state, since: now, credit: Duration::ZERO, look };
                        self.threads.insert((number, stat.began), seen);
                        (account.delayed, account.turns + 1)
                    }
                };
                if waited >= NOTICED && self.has_stepped_back(about.pid, number, &stat)? {
                    waited = Duration::ZERO;
                }
                delayed += waited;
                changes += turns;
                if state == 'D' {
                    on_disk = passed;
                }
            }
            let key = (about.pid, about.began);
            let most = self.processes.remove(&key).unwrap_or_default();
            processes.insert(key, most.max(about.cpu).max(ran));
        }
        self.gone += self.processes.values().sum::<Duration>();
        self.processes = processes;
        let before = self.threads.len();
        self.threads.retain(|_, seen| seen.look == look);
        changes += (before - self.threads.len()) as u64;
        let started = self.starts.as_mut().map_or(Ok(0), Starts::count)?;
        let ours = self.account("self")?.unwrap_or_default();
        let seen = self.gone + self.processes.values().sum::<Duration>();
        let tally = &mut self.tally;
        tally.asleep = asleep;
        tally.cpu = tally.cpu.max(accounted).max(seen);
        tally.delayed += passed.min(delayed);
        tally.on_disk += on_disk;
        tally.started += started;
        tally.activity += changes + started;
        tally.looking = ours.ran;
        tally.looking_delayed = ours.delayed;
        Ok(*tally)
    }

    /// The threads of a process, each with its number.
    fn threads_of(&self, about: &Stat) -> Result<Vec<(i32, Stat, Schedstat)>, Fault> {
        if about.threads <= 1 {
            let account = self.account_of(&about.pid.to_string(), about)?;
            return Ok(account.into_iter().map(|account| (about.pid, about.clone(), account)).collect());
        }
        let mut threads = Vec::new();
        for number in self.folder.numbers(&format!("{}/task", about.pid))?.unwrap_or_default() {
            let path = format!("{}/task/{number}", about.pid);
            let Some(stat) = self.folder.stat(&path)? else { continue };
            threads.extend(self.account_of(&path, &stat)?.map(|account| (number, stat, account)));
        }
        Ok(threads)
    }

    /// What the kernel accounts for a thread; in hundredths of a second where it keeps no finer account.
    fn account_of(&self, path: &str, stat: &Stat) -> Result<Option<Schedstat>, Fault> {
        if self.accounts {
            return self.account(path);
        }
        let mut status = [0; 4096];
        let Some(len) = self.folder.read(&format!("{path}/status"), &mut status)? else { return Ok(None) };
        let status = String::from_utf8_lossy(&status[..len]);
        let count = |line: &str| line.split_once("_ctxt_switches:")?.1.trim().parse::<u64>().ok();
        let turns = status.lines().filter_map(count).sum();
        Ok(Some(Schedstat { ran: stat.cpu, delayed: Duration::ZERO, turns }))
    }

    fn account(&self, path: &str) -> Result<Option<Schedstat>, Fault> {
        let (mut line, path) = ([0; 4096], format!("{path}/schedstat"));
        let Some(len) = self.folder.read(&path, &mut line)? else { return Ok(None) };
        Schedstat::read(&line[..len]).map(Some).ok_or_else(|| unreadable(&path))
    }

    /// Whether a thread has given up its part of the processors by itself: with a higher nice value, under other rules,
    /// or on fewer processors. Then it waits by its own choice.
    fn has_stepped_back(&self, pid: i32, thread: i32, stat: &Stat) -> Result<bool, Fault> {
        let rules = self.rules_of(&format!("{pid}/task/{thread}"), stat)?;
        let (mut line, autogroup) = ([0; 4096], format!("{pid}/autogroup"));
        // Not every kernel has these groups, one for each session.
        let len = self.folder.read(&autogroup, &mut line).ok().flatten().unwrap_or(0);
        let nice = std::str::from_utf8(&line[..len]).ok().and_then(|line| line.trim().rsplit(' ').next()?.parse().ok());
        Ok(rules != self.rules || nice.is_some_and(|nice: i64| nice > 0))
    }

    fn rules_of(&self, path: &str, stat: &Stat) -> Result<Rules, Fault> {
        let mut status = [0; 4096];
        let len = self.folder.read(&format!("{path}/status"), &mut status)?.unwrap_or(0);
        let status = String::from_utf8_lossy(&status[..len]);
        let processors = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:")).unwrap_or_default();
        Ok(Rules { nice: stat.nice, policy: stat.policy, processors: processors.trim().to_owned() })
    }

    /// The state of a thread whose sleep nothing can disturb. It sleeps like any other, S, if it waits for its own
    /// child to become a program (`vfork(2)`). It is as busy as if it ran, R, if it has asked to wait for a disk. Else
    /// it waits for the machine, D.
    fn undisturbed(&self, pid: i32, thread: i32) -> char {
        #[cfg(target_arch = "x86_64")]
        const VFORK: i64 = libc::SYS_vfork;
        #[cfg(not(target_arch = "x86_64"))]
        const VFORK: i64 = libc::SYS_clone3;
        const WRITES_BACK: [i64; 6] = [
            libc::SYS_sync,
            libc::SYS_syncfs,
            libc::SYS_fsync,
            libc::SYS_fdatasync,
            libc::SYS_msync,
            libc::SYS_sync_file_range,
        ];
        match self.folder.call(pid, thread) {
            Some((VFORK | libc::SYS_clone3, _)) => 'S',
            Some((libc::SYS_clone, [flags, ..])) if flags & libc::CLONE_VFORK as u64 != 0 => 'S',
            Some((call, _)) if WRITES_BACK.contains(&call) => 'R',
            _ => 'D',
        }
    }
}

impl Seen {
    /// Takes in what is known now. Returns how long the thread waited for a processor since the last look, and how
    /// often it was given one.
    fn update(&mut self, account: Schedstat, state: char, now: Instant, look: u64) -> (Duration, u64) {
        let turns = account.turns.saturating_sub(self.account.turns);
        let has_run = turns > 0 || account.ran != self.account.ran;
        let mut waited = Duration::ZERO;
        if has_run || state != 'R' || self.state != 'R' {
            // The kernel counts a wait when it is over; a part of it may have been counted here before.
            let grown = account.delayed.saturating_sub(self.account.delayed);
            waited = grown.saturating_sub(std::mem::take(&mut self.credit));
            self.since = now;
        } else if now.duration_since(self.since) >= QUEUED {
            let queued = now.duration_since(self.since);
            waited = queued.saturating_sub(self.credit);
            self.credit = self.credit.max(queued);
        }
        (self.account, self.state, self.look) = (account, state, look);
        (waited, turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn account(ran: u32, delayed: u32, turns: u64) -> Schedstat {
        Schedstat { ran: ran * MS, delayed: delayed * MS, turns }
    }

    #[test]
    fn a_thread_that_is_ready_and_does_not_run_waits_and_is_not_counted_twice() {
        let began = Instant::now();
        let mut seen = Seen { account: account(5, 0, 1), state: 'R', since: began, credit: Duration::ZERO, look: 0 };
        let mut waited = Duration::ZERO;
        for look in 1..=10 {
            let (more, turns) = seen.update(account(5, 0, 1), 'R', began + 10 * look * MS, look.into());
            assert_eq!(turns, 0);
            waited += more;
        }
        assert_eq!(waited, 100 * MS);
        // It was given a processor after 103 ms, and the kernel counts them.
        assert_eq!(seen.update(account(6, 103, 2), 'S', began + 110 * MS, 11), (3 * MS, 1));
        assert_eq!(seen.update(account(6, 103, 2), 'S', began + 120 * MS, 12), (Duration::ZERO, 0));
    }

    #[test]
    fn a_thread_that_runs_between_two_ticks_does_not_wait() {
        let began = Instant::now();
        let mut seen = Seen { account: account(5, 0, 1), state: 'R', since: began, credit: Duration::ZERO, look: 0 };
        for look in 1..=8 {
            // Looked at every 2 ms, it is seen to have run every 4 ms.
            let ran = 5 + look / 2 * 4;
            let (waited, _) = seen.update(account(ran, 0, 1), 'R', began + 2 * look * MS, look.into());
            assert_eq!(waited, Duration::ZERO);
        }
    }

    #[test]
    fn starts_are_counted_also_where_numbers_begin_anew() {
        let file = File::open("/proc/loadavg").expect("the machine's");
        let mut starts = Starts { file, last: 0, end: 0 };
        let now = starts.read().expect("a number");
        (starts.last, starts.end) = (now + 1000, now + 1500);
        // 499 numbers up to the end, and from the reserved ones up to now.
        let counted = starts.count().expect("a count");
        assert!(counted >= (500 + now).saturating_sub(RESERVED), "{counted} to {now}");
        std::process::Command::new("true").status().expect("a child");
        assert!(starts.count().expect("a count") >= 1);
    }

    #[test]
    fn a_thread_that_lets_all_others_go_first_has_stepped_back() {
        let tallier = Tallier::new(ProcFolder::open().expect("/proc"), None).expect("a tallier");
        for (words, stepped_back) in [(&["sleep", "1000"][..], false), (&["nice", "-n", "5", "sleep", "1000"], true)] {
            let mut child = std::process::Command::new(words[0]).args(&words[1..]).spawn().expect("a child");
            let pid = i32::try_from(child.id()).expect("a number");
            let until = Instant::now() + Duration::from_secs(30);
            let stat = loop {
                let stat = tallier.folder.stat(&pid.to_string()).expect("a look").expect("it is there");
                if stat.name == "sleep" || Instant::now() > until {
                    break stat;
                }
            };
            let has = tallier.has_stepped_back(pid, pid, &stat).expect("a look");
            child.kill().and_then(|()| child.wait()).expect("its end");
            assert_eq!(has, stepped_back, "{words:?}");
        }
    }

    #[test]
    fn time_of_children_that_were_waited_for_counts() {
        let mut tallier = Tallier::new(ProcFolder::open().expect("/proc"), None).expect("a tallier");
        let before = tallier.take(false).expect("a tally");
        let busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        std::process::Command::new("sh").args(["-c", busy]).status().expect("a child");
        let after = tallier.take(false).expect("a tally");
        assert!(after.cpu > before.cpu, "{before:?} {after:?}");
    }
}
