//! Questions to the kernel that change nothing.
//!
//! Invariant: no question waits, and none is asked through a system call that a role is charged with.

mod connection;
pub mod proc;

use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

pub use connection::{Connection, Kernel};

use self::proc::{SocketRow, Stat};
use crate::sys::{self, IntRequest};
use crate::trace::{Queues, TcpState};

/// How many bytes a socket's queues hold, `SIOCINQ`, `SIOCOUTQ` of `tcp(7)` and `udp(7)`, and `SIOCOUTQNSD`.
pub fn queues(socket: BorrowedFd<'_>) -> Queues {
    let ask = |request| sys::ioctl_int(socket, request).ok().and_then(|bytes| u32::try_from(bytes).ok());
    Queues { recv: ask(IntRequest::Unread), send: ask(IntRequest::Unacknowledged), unsent: ask(IntRequest::Unsent) }
}

/// When the datagram came that was received last, `SIOCGSTAMPNS` of `socket(7)`; `None` before there was one. The
/// kernel notes it from the first such question on.
pub fn recv_timestamp(socket: BorrowedFd<'_>) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + sys::stamp_of_last_packet(socket).ok()?)
}

/// Whether a call that waits for `what` would return at once: a poll that does not wait, `poll(2)`.
pub fn ready(fd: BorrowedFd<'_>, what: PollFlags) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(&fd, what)], Some(&at_once)).is_ok_and(|ready| ready > 0)
}

/// The address that a socket is bound to, `getsockname(2)`; `None` for one that is no IP socket.
pub fn own_address(socket: &impl AsFd) -> Option<SocketAddr> {
    rustix::net::getsockname(socket).ok()?.try_into().ok()
}

/// The address of a connected socket's peer, `getpeername(2)`; `None` where it has none.
pub fn peer_address(socket: &impl AsFd) -> Option<SocketAddr> {
    rustix::net::getpeername(socket).ok()??.try_into().ok()
}

/// Whether a socket takes connections, `SO_ACCEPTCONN` of `socket(7)`.
pub fn listens(socket: BorrowedFd<'_>) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// Whether a descriptor is a socket.
pub fn is_socket(descriptor: &impl AsFd) -> bool {
    rustix::net::sockopt::socket_type(descriptor).is_ok()
}

/// Whether a socket is one of datagrams, `SO_TYPE` of `socket(7)`.
pub fn is_datagram(socket: &impl AsFd) -> bool {
    rustix::net::sockopt::socket_type(socket).is_ok_and(|kind| kind == rustix::net::SocketType::DGRAM)
}

/// The state of a TCP socket, or `None` for a socket of another kind.
pub fn tcp_state(socket: &impl AsFd) -> Option<TcpState> {
    TcpState::of_kernel(sys::tcp_info(socket.as_fd()).ok()?.tcpi_state)
}

/// How many connections of a listening TCP socket wait for `accept`, or `None` for another one.
///
/// The kernel says it in a field of `TCP_INFO` that means something else of a connection (`tcp_get_info` in
/// `net/ipv4/tcp.c`).
pub fn accept_queue(socket: &impl AsFd) -> Option<u32> {
    listens(socket.as_fd()).then(|| sys::tcp_info(socket.as_fd()).ok()).flatten().map(|info| info.tcpi_unacked)
}

/// The processes of which `wanted` is true of what `/proc/PID/stat` says, by their numbers.
pub fn processes(wanted: impl Fn(&Stat) -> bool) -> Vec<Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.filter_map(|entry| {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        // One that has ended meanwhile has no file any more.
        Stat::read(&fs::read(entry.path().join("stat")).ok()?)
    });
    let mut found: Vec<Stat> = stats.filter(|stat| wanted(stat)).collect();
    found.sort_by_key(|stat| stat.pid);
    found
}

/// What `/proc/PID/stat` says of one process. `None` where there is no such process.
pub fn stat(process: Pid) -> Option<Stat> {
    Stat::read(&fs::read(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?)
}

/// Which system call a process is asleep in: its number and its first argument, from `/proc/PID/syscall` of `proc(5)`.
///
/// `None` while it runs or is about to, and where the kernel does not let us look.
pub fn asleep_in(process: Pid) -> Option<(i64, RawFd)> {
    let pid = process.as_raw_nonzero();
    // A thread's directory is not listed, but is there; of a process it is that of its first thread.
    let line = fs::read_to_string(format!("/proc/{pid}/task/{pid}/syscall")).ok()?;
    proc::call(&line).map(|(number, arguments)| (number, arguments[0] as RawFd))
}

/// How often a process has given up a processor or lost it, `voluntary_ctxt_switches` and `nonvoluntary_ctxt_switches`
/// of `/proc/PID/status`: while it sleeps, the number stands. `None` where the kernel does not let us look.
pub fn context_switches(process: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero())).ok()?;
    let count = |line: &str| line.split_once("_ctxt_switches:")?.1.trim().parse::<u64>().ok();
    status.lines().filter_map(count).reduce(|voluntary, others| voluntary + others)
}

/// What a process is doing, in words: "asleep in recvfrom(3)", "running".
pub fn describe(process: Pid) -> String {
    let Some((number, first)) = asleep_in(process) else { return "running, in no system call".to_owned() };
    match call_name(number) {
        Some(name) => format!("asleep in {name}({first}, …)"),
        None => format!("asleep in system call {number}"),
    }
}

/// The calls in which programs sleep, and whether their first argument is the descriptor that they wait on.
const SLEEPING: [(i64, &str, bool); 29] = [
    (libc::SYS_read, "read", true),
    (libc::SYS_readv, "readv", true),
    (libc::SYS_write, "write", true),
    (libc::SYS_writev, "writev", true),
    (libc::SYS_recvfrom, "recvfrom", true),
    (libc::SYS_recvmsg, "recvmsg", true),
    (libc::SYS_recvmmsg, "recvmmsg", true),
    (libc::SYS_sendto, "sendto", true),
    (libc::SYS_sendmsg, "sendmsg", true),
    (libc::SYS_connect, "connect", true),
    (libc::SYS_accept, "accept", true),
    (libc::SYS_accept4, "accept4", true),
    (libc::SYS_close, "close", true),
    (libc::SYS_flock, "flock", true),
    (libc::SYS_sendfile, "sendfile", true),
    (libc::SYS_ppoll, "ppoll", false),
    (libc::SYS_pselect6, "pselect6", false),
    (libc::SYS_epoll_pwait, "epoll_pwait", false),
    (libc::SYS_epoll_pwait2, "epoll_pwait2", false),
    (libc::SYS_wait4, "wait4", false),
    (libc::SYS_waitid, "waitid", false),
    (libc::SYS_futex, "futex", false),
    (libc::SYS_nanosleep, "nanosleep", false),
    (libc::SYS_clock_nanosleep, "clock_nanosleep", false),
    (libc::SYS_rt_sigsuspend, "rt_sigsuspend", false),
    (libc::SYS_rt_sigtimedwait, "rt_sigtimedwait", false),
    (libc::SYS_msgrcv, "msgrcv", false),
    (libc::SYS_clone, "clone", false),
    (libc::SYS_splice, "splice", true),
];

/// Calls that only some kinds of machine have.
#[cfg(target_arch = "x86_64")]
const OLD: [(i64, &str, bool); 5] = [
    (libc::SYS_poll, "poll", false),
    (libc::SYS_select, "select", false),
    (libc::SYS_epoll_wait, "epoll_wait", false),
    (libc::SYS_pause, "pause", false),
    (libc::SYS_vfork, "vfork", false),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: [(i64, &str, bool); 0] = [];

/// The name of a call in which programs sleep.
pub fn call_name(number: i64) -> Option<&'static str> {
    SLEEPING.iter().chain(&OLD).find(|(known, ..)| *known == number).map(|(_, name, _)| *name)
}

/// Whether the first argument of such a call is the descriptor that it waits on.
pub fn call_acts_on_descriptor(number: i64) -> bool {
    SLEEPING.iter().chain(&OLD).any(|(known, _, descriptor)| *known == number && *descriptor)
}

/// Whether a call in which a thread sleeps returns once one of these descriptors of its process can be read from: a
/// call that receives from it, or one that waits for several, if it can be among them. Which ones `poll` and `epoll`
/// wait for stands in the program's memory; that they wait for none, or `select` only for smaller ones, is in their
/// arguments.
pub fn call_may_receive((number, arguments): (i64, [u64; 6]), descriptors: &[RawFd]) -> bool {
    const RECEIVES: [&str; 6] = ["read", "readv", "recvfrom", "recvmsg", "recvmmsg", "splice"];
    let Some(name) = call_name(number) else { return false };
    match name {
        _ if RECEIVES.contains(&name) => descriptors.contains(&(arguments[0] as RawFd)),
        "poll" | "ppoll" => !descriptors.is_empty() && arguments[1] as u32 > 0,
        "select" | "pselect6" => arguments[1] != 0 && descriptors.iter().any(|fd| *fd < arguments[0] as RawFd),
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => !descriptors.is_empty(),
        _ => false,
    }
}

/// Whether any TCP socket of this network namespace that uses one of `ports` has a timer running that will move data:
/// a retransmission, a zero-window probe, or a question whether the peer is still there that is due soon. Delayed
/// acknowledgements move nothing, and TIME-WAIT neither.
///
/// From `/proc/net/tcp` (`proc_net_tcp` in the kernel's documentation): it shows sockets that no process has open any
/// more, too. Costs milliseconds, so it is asked only when nothing else moves.
pub fn timers_run(ports: &[u16]) -> bool {
    fs::read_to_string("/proc/thread-self/net/tcp").is_ok_and(|table| timers_run_in(&table, ports))
}

/// The same of a table that has been read.
pub fn timers_run_in(table: &str, ports: &[u16]) -> bool {
    const MOVES_DATA: [u8; 2] = [1, 4];
    const KEEPALIVE: u8 = 2;
    // Nobody waits for one that the kernel's defaults have in two hours.
    const SOON: u64 = 1000;
    // In other states the same timer is that of FIN-WAIT-2.
    let asks_soon = |row: &SocketRow| {
        let may_ask = [TcpState::Established, TcpState::CloseWait].map(Some).contains(&TcpState::of_kernel(row.state));
        row.timer == KEEPALIVE && may_ask && row.ends_in <= SOON
    };
    SocketRow::all(table).any(|row| {
        (ports.contains(&row.local_port) || ports.contains(&row.remote_port))
            && (MOVES_DATA.contains(&row.timer) || asks_soon(&row))
    })
}

/// Whether the kernel has taken packets in on this processor and not looked at them yet: the length of its backlog,
/// from `/proc/net/softnet_stat`. False where the kernel does not tell.
pub fn packets_under_way() -> bool {
    let Ok(table) = fs::read_to_string("/proc/thread-self/net/softnet_stat") else { return false };
    backlog(&table, rustix::thread::sched_getcpu()).is_some_and(|length| length > 0)
}

/// The same of all processors.
pub fn packets_under_way_anywhere() -> bool {
    let Ok(table) = fs::read_to_string("/proc/thread-self/net/softnet_stat") else { return false };
    let length = |row: &str| u64::from_str_radix(row.split_whitespace().nth(BACKLOG_LENGTH)?, 16).ok();
    table.lines().filter_map(length).any(|length| length > 0)
}

/// Which column of `/proc/net/softnet_stat` has the length of a processor's backlog, and which its number
/// (`softnet_seq_show` in `net/core/net-procfs.c`).
const BACKLOG_LENGTH: usize = 11;
const PROCESSOR: usize = 12;

fn backlog(table: &str, processor: usize) -> Option<u64> {
    let number = |field: Option<&&str>| u64::from_str_radix(field?, 16).ok();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| number(row.get(PROCESSOR)) == Some(processor as u64))?;
    number(row.get(BACKLOG_LENGTH))
}

/// What keeps a port from being bound.
#[derive(Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process that we may look at: its id and its name.
    Process(u32, String),
    /// A connection that no process has open any more, and that the kernel remembers.
    ClosedConnection,
    /// A process that we may not look at.
    Hidden,
}

/// What has `port` on this machine, besides the process `except`: from `/proc/net/tcp` or `/proc/net/udp` (`table`),
/// and the descriptors in `/proc/PID/fd`, which show an ordinary user only his own processes.
pub fn holder_of(port: u16, table: &str, except: Option<Pid>) -> Holder {
    let text = fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default();
    let inodes: Vec<u64> = SocketRow::all(&text).filter(|row| row.local_port == port).map(|row| row.inode).collect();
    let links = inodes.iter().filter(|inode| **inode != 0).map(|inode| format!("socket:[{inode}]"));
    if let Some((pid, name)) = links.map(PathBuf::from).find_map(|link| process_with(&link, except)) {
        return Holder::Process(pid, name);
    }
    // A connection of which no process has a descriptor has no inode.
    let all_closed = inodes.iter().all(|inode| *inode == 0);
    if !inodes.is_empty() && all_closed { Holder::ClosedConnection } else { Holder::Hidden }
}

/// The states of the TCP sockets whose own port is `port`, and of what is left of them, each once.
pub fn states_on(port: u16) -> Vec<TcpState> {
    let text = fs::read_to_string("/proc/thread-self/net/tcp").unwrap_or_default();
    let rows = SocketRow::all(&text).filter(|row| row.local_port == port);
    let mut states: Vec<TcpState> = rows.filter_map(|row| TcpState::of_kernel(row.state)).collect();
    states.sort_by_key(|state| state.name());
    states.dedup();
    states
}

fn process_with(link: &Path, except: Option<Pid>) -> Option<(u32, String)> {
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if except.is_some_and(|except| except.as_raw_nonzero().get().unsigned_abs() == pid) {
            continue;
        }
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        if descriptors.flatten().any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|target| target == link)) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_retransmission_counts_as_a_running_timer_and_a_listener_does_not() {
        let retransmits = "1: 0100007F:1F90 0100007F:C350 01 00000005:00000000 01:00000014 00000000 0 0 7";
        let listens = "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 6";
        let asks = |when| format!("1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 02:{when:08X} 00000000 0 0 7");
        assert!(timers_run_in(&asks(100), &[8080]), "a keepalive probe in a second");
        assert!(!timers_run_in(&asks(720_000), &[8080]), "one in two hours");
        assert!(!timers_run_in(&asks(100).replace(" 01 ", " 05 "), &[8080]), "FIN-WAIT-2 ends in a second");
        assert!(timers_run_in(retransmits, &[8080]));
        assert!(!timers_run_in(retransmits, &[9000]));
        assert!(!timers_run_in(listens, &[8080]));
    }

    #[test]
    fn a_process_that_has_slept_has_given_up_its_processor() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat starts");
        let pid = Pid::from_child(&child);
        let wait_until_it_reads = || {
            let until = Instant::now() + Duration::from_secs(60);
            while asleep_in(pid).is_none_or(|(_, descriptor)| descriptor != 0) {
                assert!(Instant::now() < until, "cat is {}", describe(pid));
                std::thread::yield_now();
            }
        };
        wait_until_it_reads();
        let before = context_switches(pid).expect("a count");
        // What it writes shows that it was woken; then it sleeps once more.
        child.stdin.as_mut().expect("a pipe").write_all(b"x").expect("a byte");
        child.stdout.as_mut().expect("a pipe").read_exact(&mut [0]).expect("the same byte");
        wait_until_it_reads();
        assert!(context_switches(pid).expect("a count") > before);
        drop(child.stdin.take());
        child.wait().expect("it ends");
    }

    #[test]
    fn a_call_receives_from_its_descriptor_and_a_sleep_in_poll_or_select_from_none() {
        let call = |number, arguments| call_may_receive((number, arguments), &[4]);
        assert!(call(libc::SYS_recvfrom, [4, 1, 1, 0, 0, 0]));
        assert!(!call(libc::SYS_recvfrom, [3, 1, 1, 0, 0, 0]));
        assert!(!call(libc::SYS_accept4, [4, 0, 0, 0, 0, 0]));
        assert!(!call(libc::SYS_clock_nanosleep, [4, 0, 1, 0, 0, 0]));
        assert!(!call(libc::SYS_futex, [4, 0, 0, 0, 0, 0]));
        assert!(call(libc::SYS_ppoll, [1, 1, 0, 0, 0, 0]));
        assert!(!call(libc::SYS_ppoll, [0, 0, 1, 0, 0, 0]));
        assert!(call(libc::SYS_pselect6, [5, 1, 0, 0, 1, 0]));
        assert!(!call(libc::SYS_pselect6, [4, 1, 0, 0, 1, 0]), "a select of smaller descriptors only");
        assert!(!call(libc::SYS_pselect6, [0, 0, 0, 0, 1, 0]), "a select that sleeps");
        assert!(!call(libc::SYS_pselect6, [5, 0, 1, 0, 1, 0]), "a select that waits to write");
        assert!(call(libc::SYS_epoll_pwait, [7, 1, 8, 0, 0, 8]));
        assert!(!call_may_receive((libc::SYS_epoll_pwait, [7, 1, 8, 0, 0, 8]), &[]), "a process without the socket");
    }

    #[test]
    fn the_backlog_is_that_of_the_processor_asked_for() {
        let row = |length: &str, processor: &str| format!("{}{length} {processor} 0 0\n", "0 ".repeat(11));
        let table = row("00000000", "00000000") + &row("0000000b", "00000001");
        assert_eq!(backlog(&table, 0), Some(0));
        assert_eq!(backlog(&table, 1), Some(11));
        assert_eq!(backlog(&table, 2), None);
    }

    #[test]
    fn a_socket_of_this_process_is_found_to_be_its_own() {
        // TCP must not have this port: not even a connection in TIME-WAIT, which other programs leave by the thousand.
        let (_socket, port) = std::iter::repeat_with(|| {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let port = socket.local_addr().expect("an address").port();
            (socket, port)
        })
        .take(1000)
        .find(|(_, port)| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port that TCP does not have");
        assert!(matches!(holder_of(port, "udp", None), Holder::Process(pid, _) if pid == std::process::id()));
        assert_eq!(holder_of(port, "tcp", None), Holder::Hidden);
    }
}
