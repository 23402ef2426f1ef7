//! What the kernel knows of a program at one moment, and the same in words.

use super::failure::{Done, Sleeps};
use crate::probe;
use crate::sandbox::{Ending, HostSocket, How, Limit, Look, Process, Sandbox, Thread, Transport};
use crate::trace::TcpState;

/// The most processes, sockets, and calls of one process that a report shows.
const MAX_SHOWN: usize = 4;

/// All processes of an attempt at one moment.
#[derive(Clone, Debug, Default)]
pub struct ProcessSnapshot(Look);

impl ProcessSnapshot {
    /// Asks the kernel for them. The program does not notice.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn take(sandbox: &mut Sandbox) -> Done<ProcessSnapshot> {
        Ok(ProcessSnapshot(sandbox.look()?))
    }

    /// Whether no thread runs, and one sleeps in a call that returns when the socket of this inode can be read from.
    pub fn waits_on(&self, inode: u32) -> bool {
        let waits = |process: &Process| {
            let of_it = process.sockets.iter().filter(|(_, is)| *is == u64::from(inode));
            let descriptors: Vec<i32> = of_it.map(|(fd, _)| *fd).collect();
            let receives =
                |thread: &Thread| thread.call.is_some_and(|call| probe::call_may_receive(call, &descriptors));
            process.threads.iter().any(receives)
        };
        let mut threads = self.0.processes.iter().flat_map(|process| &process.threads);
        threads.all(|thread| thread.state != 'R') && self.0.processes.iter().any(waits)
    }

    /// In what its threads sleep, each once.
    pub fn sleeps(&self) -> Vec<Sleeps> {
        let mut all = Vec::new();
        for process in &self.0.processes {
            for sleeps in process.threads.iter().filter_map(|thread| kind_of_sleep(process, thread)) {
                if !all.contains(&sleeps) {
                    all.push(sleeps);
                }
            }
        }
        all
    }

    /// Whether bytes lie unread in any of its sockets.
    pub fn has_unread(&self, host: &[HostSocket]) -> bool {
        self.unread(host).next().is_some()
    }

    /// What the program does, on which sockets of the `host`, what is unread there, and what we have still to send to
    /// it; a line each.
    pub fn explained(&self, host: &[HostSocket], unsent: Option<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        let processes = &self.0.processes;
        let several = processes.len() > 1;
        for process in processes.iter().take(MAX_SHOWN) {
            let who = if several { format!("its process {} ({})", process.pid, process.name) } else { "it".to_owned() };
            if process.threads.iter().any(|thread| thread.state == 'R') {
                let cpu = process.cpu.as_secs_f64();
                lines.push(format!("{who} spins: it waits for nothing, and has used {cpu:.1} s of processor time"));
            }
            let asleep = process.threads.iter().filter_map(|thread| asleep(&who, process, thread, host)).collect();
            lines.extend(each_once(asleep).into_iter().take(MAX_SHOWN));
        }
        if processes.len() > MAX_SHOWN {
            lines.push(format!("and {} more processes", processes.len() - MAX_SHOWN + self.0.left_out));
        }
        for (process, socket, fd) in self.unread(host) {
            let bytes =
                if socket.recv_queue == 1 { "1 byte lies" } else { &format!("{} bytes lie", socket.recv_queue) };
            let who = if several { format!(" of process {}", process.pid) } else { String::new() };
            lines.push(format!("{bytes} unread in the receive queue of its socket {fd}{who} ({})", named(socket)));
        }
        let has_any = processes.iter().flat_map(|process| &process.sockets).any(|(_, inode)| is_open(*inode, host));
        if has_any && self.unread(host).next().is_none() {
            lines.push("no byte lies unread in any of its sockets".to_owned());
        }
        lines.push(match unsent {
            Some(unsent) => format!("our side still has to send {unsent}"),
            None => "our side has sent all that it is going to send".to_owned(),
        });
        lines
    }

    /// The program's sockets with a receive queue that is not empty, each with its process and descriptor.
    fn unread<'a>(&'a self, host: &'a [HostSocket]) -> impl Iterator<Item = (&'a Process, &'a HostSocket, i32)> {
        let sockets =
            self.0.processes.iter().flat_map(|process| process.sockets.iter().map(move |socket| (process, socket)));
        let found = sockets.filter_map(|(process, (fd, inode))| {
            let socket = host.iter().find(|socket| u64::from(socket.inode) == *inode)?;
            (socket.recv_queue > 0 && socket.state != TcpState::Listen).then_some((process, socket, *fd))
        });
        found.take(MAX_SHOWN)
    }
}

/// Whether this is a socket of the `host` from which bytes can be received.
fn is_open(inode: u64, host: &[HostSocket]) -> bool {
    host.iter().any(|socket| u64::from(socket.inode) == inode && socket.state != TcpState::Listen)
}

/// Each line once; with the number of threads, if it is that of several.
fn each_once(lines: Vec<String>) -> Vec<String> {
    let mut once: Vec<(String, u32)> = Vec::new();
    for line in lines {
        match once.iter_mut().find(|(other, _)| *other == line) {
            Some((_, count)) => *count += 1,
            None => once.push((line, 1)),
        }
    }
    let with_count = |(line, count)| if count == 1 { line } else { format!("{line}, {count} of its threads") };
    once.into_iter().map(with_count).collect()
}

/// The call in which a thread sleeps, if it is in one.
fn asleep(who: &str, process: &Process, thread: &Thread, host: &[HostSocket]) -> Option<String> {
    if thread.state == 'T' {
        return Some(format!("{who} is stopped, as by SIGSTOP"));
    }
    let (number, arguments) = thread.call?;
    let name = probe::call_name(number).map_or_else(|| format!("system call {number}"), str::to_owned);
    let Some(fd) = probe::call_acts_on_descriptor(number).then_some(arguments[0] as i32) else {
        return Some(format!("{who} is asleep in {name}"));
    };
    let inode = process.sockets.iter().find(|(is, _)| *is == fd).map(|(_, inode)| *inode);
    let socket = inode.and_then(|inode| host.iter().find(|socket| u64::from(socket.inode) == inode));
    let on = match (socket, fd) {
        (Some(socket), _) => format!("on socket {fd}, {}", named(socket)),
        (None, 0) => "on its standard input".to_owned(),
        (None, _) if inode.is_some() => format!("on socket {fd}"),
        (None, _) => format!("on descriptor {fd}"),
    };
    Some(format!("{who} is asleep in {name} {on}"))
}

/// In what kind of call a thread sleeps, if it is in one that we know.
fn kind_of_sleep(process: &Process, thread: &Thread) -> Option<Sleeps> {
    let (number, arguments) = thread.call.filter(|_| thread.state != 'R')?;
    let is_socket = || process.sockets.iter().any(|(fd, _)| *fd == arguments[0] as i32);
    match probe::call_name(number)? {
        "recvfrom" | "recvmsg" | "recvmmsg" => Some(Sleeps::Recv),
        "read" | "readv" if is_socket() => Some(Sleeps::Recv),
        "read" | "readv" if arguments[0] == 0 => Some(Sleeps::Stdin),
        "sendto" | "sendmsg" | "sendmmsg" => Some(Sleeps::Send),
        "write" | "writev" if is_socket() => Some(Sleeps::Send),
        "accept" | "accept4" => Some(Sleeps::Accept),
        "poll" | "ppoll" | "select" | "pselect6" | "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => Some(Sleeps::Poll),
        "nanosleep" | "clock_nanosleep" => Some(Sleeps::Sleep),
        "wait4" | "waitid" => Some(Sleeps::Wait),
        _ => None,
    }
}

/// A socket in words: "a TCP connection from 127.0.0.1:40112, CLOSE-WAIT".
fn named(socket: &HostSocket) -> String {
    match (socket.transport, socket.state) {
        (Transport::Tcp, TcpState::Listen) => {
            format!("which listens on port {}; {} wait to be accepted", socket.local.port(), socket.recv_queue)
        }
        (Transport::Tcp, state) => {
            format!("the connection of port {} with port {}, {state}", socket.local.port(), socket.remote.port())
        }
        (Transport::Udp, _) => format!("UDP on port {}", socket.local.port()),
    }
}

/// "ended with exit code 1", "was killed by SIGSEGV".
pub fn how_it_ended(ending: &Ending) -> String {
    let limit = match ending.limit {
        Some(Limit::Wall) => " because its time was over",
        Some(Limit::Cpu) => " because it had used up its processor time",
        Some(Limit::Memory) => " because it took more memory than it may",
        Some(Limit::SocketMemory) => " because its sockets held more memory than they may",
        Some(Limit::Sockets) => " because it had more sockets than it may",
        Some(Limit::Output) => " because it wrote more than it may",
        Some(Limit::FileSize) => " because it wrote a file that is larger than it may be",
        None => "",
    };
    match &ending.how {
        How::Exited(code) => format!("ended with exit code {code}{limit}"),
        How::Killed(signal) => format!("was killed by {signal}{limit}"),
    }
}
