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
        let mut fields = line.split_whitespace().skip(1);
        Some(SocketRow {
            local_port: port(fields.next()?)?,
            remote_port: port(fields.next()?)?,
            state: u8::from_str_radix(fields.next()?, 16).ok()?,
            timer: u8::from_str_radix(fields.nth(1)?.split(':').next()?, 16).ok()?,
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
    /// User and system time that it used so far, in hundredths of a second.
    pub cpu: Duration,
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
        let ticks = number(11)? + number(12)?;
        Some(Stat {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            cpu: Duration::from_millis(ticks * 10),
        })
    }
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
        let row = SocketRow { local_port: 8080, remote_port: 50_000, state: 1, timer: 1, inode: 7 };
        assert_eq!(SocketRow::all(table).collect::<Vec<_>>(), [row]);
    }

    #[test]
    fn a_process_may_call_itself_what_it_likes() {
        let line = b"7 (a) S 9 (b) R 3 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 1 1 1\n";
        let cpu = Duration::from_secs(3);
        assert_eq!(Stat::read(line), Some(Stat { pid: 7, name: "a) S 9 (b".into(), state: 'R', parent: 3, cpu }));
    }

    #[test]
    fn a_call_is_read_with_its_arguments_and_running_is_none() {
        let line = "45 0x3 0x7f00 0x400 0x0 0x0 0x0 0x7ffe 0x7f01\n";
        assert_eq!(call(line), Some((45, [3, 0x7f00, 0x400, 0, 0, 0])));
        assert_eq!(call("running\n"), None);
        assert_eq!(call("-1 0x7ffe 0x7f01\n"), None);
    }
}
