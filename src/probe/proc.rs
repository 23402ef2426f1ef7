//! Lines of files below `/proc`, read: `proc(5)`.

use std::time::Duration;

/// A row of `/proc/net/tcp` or `/proc/net/udp` (`proc_net_tcp` in the kernel's documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketRow {
    /// The socket's own port.
    pub local_port: u16,
    /// Its peer's port, 0 if it has no peer.
    pub remote_port: u16,
    /// Its state, `<net/tcp_states.h>`.
    pub state: u8,
    /// Which timer runs: 1 for a retransmission, 2 for another one, 3 for TIME-WAIT, 4 for a zero-window probe.
    pub timer: u8,
    /// In how long it ends, in hundredths of a second.
    pub ends_in: u64,
    /// The inode by which `/proc/PID/fd` calls it; 0 if no process has it open any more.
    pub inode: u64,
}

impl SocketRow {
    /// The rows of a table. Lines of another form are skipped, as is the first one, which names the columns.
    pub fn all(table: &str) -> impl Iterator<Item = SocketRow> {
        table.lines().filter_map(SocketRow::read)
    }

    fn read(line: &str) -> Option<SocketRow> {
        let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
        let number = |field: &str| u64::from_str_radix(field, 16).ok();
        let mut fields = line.split_whitespace().skip(1);
        let (local_port, remote_port) = (port(fields.next()?)?, port(fields.next()?)?);
        let state = u8::from_str_radix(fields.next()?, 16).ok()?;
        let (timer, ends_in) = fields.nth(1)?.split_once(':')?;
        Some(SocketRow {
            local_port,
            remote_port,
            state,
            timer: u8::from_str_radix(timer, 16).ok()?,
            ends_in: number(ends_in)?,
            inode: fields.nth(3)?.parse().ok()?,
        })
    }
}

/// What `/proc/PID/stat` says about a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its process id.
    pub pid: i32,
    /// What it calls itself: anything, spaces and parentheses included.
    pub name: String,
    /// The letter of its state.
    pub state: char,
    /// Its parent's process id.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// User and system time that its threads used so far, also those that have ended, in hundredths of a second.
    pub cpu: Duration,
    /// The same of its children that have ended and that it has waited for, and of theirs.
    pub children_cpu: Duration,
    /// Its nice value: the higher, the less often it is given a processor.
    pub nice: i64,
    /// How many threads it has.
    pub threads: u64,
    /// When it began: with its number, what tells it from one that had the same number before.
    pub began: u64,
    /// By which rules it is given a processor, `SCHED_…` of `sched(7)`.
    pub policy: u64,
    /// How it ended, as `wait(2)` has it. Of one that lives, 0; `None` where the kernel is too old to tell.
    pub exit_status: Option<i32>,
}

impl Stat {
    /// Reads the file's one line. `None` where that has another form.
    pub fn read(line: &[u8]) -> Option<Stat> {
        let line = String::from_utf8_lossy(line);
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        // A hundred clock ticks make a second, whatever the kernel's own clock does (USER_HZ).
        let ticks = |user: u64, system: u64| Duration::from_millis(user.saturating_add(system).saturating_mul(10));
        Some(Stat {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            cpu: ticks(number(11)?, number(12)?),
            children_cpu: ticks(number(13)?, number(14)?),
            nice: fields.get(16)?.parse().ok()?,
            threads: number(17)?,
            began: number(19)?,
            policy: number(38)?,
            exit_status: fields.get(49).and_then(|field| field.parse().ok()),
        })
    }
}

/// What `/proc/PID/schedstat` says about a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedstat {
    /// How long it has run.
    pub ran: Duration,
    /// How long it was ready to run, and waited for a processor.
    pub delayed: Duration,
    /// How often it was given a processor.
    pub turns: u64,
}

impl Schedstat {
    /// Reads the file's one line. `None` where that has another form.
    pub fn read(line: &[u8]) -> Option<Schedstat> {
        let mut numbers = std::str::from_utf8(line).ok()?.split_whitespace().map(|word| word.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let (ran, delayed, turns) = (next()?, next()?, next()?);
        Some(Schedstat { ran: Duration::from_nanos(ran), delayed: Duration::from_nanos(delayed), turns })
    }

    /// Whether the kernel keeps this account at all: where it does not, all is zero, also of a thread that has run.
    pub fn is_kept(&self) -> bool {
        self.turns > 0
    }
}

/// The number of the process or thread that was started last in the reader's process namespace: the last word of
/// `/proc/loadavg`, and the only one of `/proc/sys/kernel/ns_last_pid`.
pub fn last_started(line: &[u8]) -> Option<u64> {
    std::str::from_utf8(line).ok()?.split_whitespace().last()?.parse().ok()
}

/// The system call that `/proc/PID/syscall` says a thread is asleep in: its number and its arguments. `None` for a
/// thread that runs (`running`), or is asleep in no call (-1).
pub fn call(line: &str) -> Option<(i64, [u64; 6])> {
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
    fn a_row_of_a_socket_table_is_read_and_its_head_is_none() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     1: 0100007F:1F90 0100007F:C350 01 00000005:00000000 01:00000014 00000000 0 0 7 2 \
                    0000 20 4 30 10 -1";
        let row = SocketRow { local_port: 8080, remote_port: 50_000, state: 1, timer: 1, ends_in: 20, inode: 7 };
        assert_eq!(SocketRow::all(table).collect::<Vec<_>>(), [row]);
    }

    #[test]
    fn a_process_may_call_itself_what_it_likes() {
        let line =
            b"7 (a) S 9 (b) R 3 7 7 0 -1 4194560 100 0 0 0 250 50 120 30 20 -5 2 0 77 1 1 0 0 0 0 0 0 0 0 0 0 0 0 \
                    0 17 1 0 3 0 0\n";
        let stat = Stat {
            pid: 7,
            name: "a) S 9 (b".into(),
            state: 'R',
            parent: 3,
            group: 7,
            cpu: Duration::from_secs(3),
            children_cpu: Duration::from_millis(1500),
            nice: -5,
            threads: 2,
            began: 77,
            policy: 3,
            exit_status: None,
        };
        assert_eq!(Stat::read(line), Some(stat));
    }

    #[test]
    fn times_of_a_thread_are_nanoseconds_and_where_none_are_kept_they_are_zero() {
        let schedstat = Schedstat::read(b"58868 2825887 2\n").expect("three numbers");
        assert_eq!((schedstat.ran.as_nanos(), schedstat.delayed.as_nanos(), schedstat.turns), (58_868, 2_825_887, 2));
        assert!(schedstat.is_kept());
        assert!(!Schedstat::read(b"0 0 0\n").expect("three numbers").is_kept());
        assert_eq!(Schedstat::read(b"58868 2825887\n"), None);
    }

    #[test]
    fn the_number_started_last_stands_at_the_end_of_the_load() {
        assert_eq!(last_started(b"0.05 0.20 0.19 1/123 4711\n"), Some(4711));
        assert_eq!(last_started(b"4711\n"), Some(4711));
        assert_eq!(last_started(b""), None);
    }

    #[test]
    fn a_call_is_read_with_its_arguments_and_running_is_none() {
        let line = "45 0x3 0x7f00 0x400 0x0 0x0 0x0 0x7ffe 0x7f01\n";
        assert_eq!(call(line), Some((45, [3, 0x7f00, 0x400, 0, 0, 0])));
        assert_eq!(call("running\n"), None);
        assert_eq!(call("-1 0x7ffe 0x7f01\n"), None);
    }
}
