//! What the kernel knows of a program at one moment, and what a person makes of it.

use std::time::Duration;

use super::failure::Done;
use crate::probe;
use crate::sandbox::{Ending, HostSocket, How, Limit, Process, Sandbox, Thread, Transport};

/// So many processes of a program are told of.
const MOST: usize = 4;

/// All processes of an attempt, as they were at one look.
#[derive(Clone, Debug)]
pub struct Sight(Vec<Process>);

impl Sight {
    /// Looks at them. Nothing of this touches the program.
    pub fn of(sandbox: &mut Sandbox) -> Done<Sight> {
        Ok(Sight(sandbox.look()?))
    }

    /// Whether nothing of it runs or is about to.
    pub fn sleeps(&self) -> bool {
        self.threads().all(|thread| matches!(thread.state, 'S' | 'T' | 't' | 'Z' | 'X'))
    }

    /// Processor time of all that is there.
    pub fn cpu(&self) -> Duration {
        self.0.iter().map(|process| process.cpu).sum()
    }

    /// How often the kernel has put each thread to sleep or taken the processor from it.
    pub fn switches(&self) -> Vec<u64> {
        self.threads().map(|thread| thread.switches).collect()
    }

    fn threads(&self) -> impl Iterator<Item = &Thread> {
        self.0.iter().flat_map(|process| &process.threads)
    }

    /// What it does, on which socket, what lies unread there, and what it may still expect of us.
    pub fn explained(&self, host: &[HostSocket], owed: Option<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        let several = self.0.len() > 1;
        for process in self.0.iter().take(MOST) {
            let who = if several { format!("its process {} ({})", process.pid, process.name) } else { "it".to_owned() };
            if process.threads.iter().any(|thread| thread.state == 'R') {
                let cpu = process.cpu.as_secs_f64();
                lines.push(format!("{who} spins: it waits for nothing, and has used {cpu:.1} s of processor time"));
            }
            let asleep = process.threads.iter().filter_map(|thread| asleep(&who, process, thread, host)).collect();
            lines.extend(each_once(asleep).into_iter().take(MOST));
        }
        if self.0.len() > MOST {
            lines.push(format!("and {} more processes", self.0.len() - MOST));
        }
        for (process, socket, fd) in self.unread(host) {
            let bytes =
                if socket.recv_queue == 1 { "1 byte lies" } else { &format!("{} bytes lie", socket.recv_queue) };
            let who = if several { format!(" of process {}", process.pid) } else { String::new() };
            lines.push(format!("{bytes} unread in the receive queue of its socket {fd}{who} ({})", named(socket)));
        }
        let has_any = self.0.iter().flat_map(|process| &process.sockets).any(|(_, inode)| is_open(*inode, host));
        if has_any && self.unread(host).next().is_none() {
            lines.push("no byte lies unread in any of its sockets".to_owned());
        }
        lines.push(match owed {
            Some(owed) => format!("our side still has to send {owed}"),
            None => "our side has sent all that it is going to send".to_owned(),
        });
        lines
    }

    /// The program's sockets in which something lies unread.
    fn unread<'a>(&'a self, host: &'a [HostSocket]) -> impl Iterator<Item = (&'a Process, &'a HostSocket, i32)> {
        let sockets = self.0.iter().flat_map(|process| process.sockets.iter().map(move |socket| (process, socket)));
        let found = sockets.filter_map(|(process, (fd, inode))| {
            let socket = host.iter().find(|socket| u64::from(socket.inode) == *inode)?;
            (socket.recv_queue > 0 && socket.state != "LISTEN").then_some((process, socket, *fd))
        });
        found.take(MOST)
    }
}

/// Whether something can be received from this socket.
fn is_open(inode: u64, host: &[HostSocket]) -> bool {
    host.iter().any(|socket| u64::from(socket.inode) == inode && socket.state != "LISTEN")
}

/// The same lines, of which those that come several times come once: they are several threads'.
fn each_once(lines: Vec<String>) -> Vec<String> {
    let mut once: Vec<(String, u32)> = Vec::new();
    for line in lines {
        match once.iter_mut().find(|(other, _)| *other == line) {
            Some((_, count)) => *count += 1,
            None => once.push((line, 1)),
        }
    }
    let told = |(line, count)| if count == 1 { line } else { format!("{line}, {count} of its threads") };
    once.into_iter().map(told).collect()
}

/// In which call a thread is asleep.
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

/// A socket in words: "a TCP connection from 127.0.0.1:40112, CLOSE-WAIT".
fn named(socket: &HostSocket) -> String {
    match (socket.transport, socket.state) {
        (Transport::Tcp, "LISTEN") => {
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
        Some(Limit::Output) => " because it wrote more than it may",
        Some(Limit::FileSize) => " because it wrote a file that is larger than it may be",
        None => "",
    };
    match &ending.how {
        How::Exited(code) => format!("ended with exit code {code}{limit}"),
        How::Killed(signal) => format!("was killed by {signal}{limit}"),
    }
}
