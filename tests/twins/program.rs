//! A program at a terminal of its own: what it has printed, and what the kernel says it is doing.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tempfile::TempDir;

use crate::support::{Host, Lab, Running, read, text};

/// Who plays a role.
pub enum Language {
    Ours,
    Python(PathBuf),
}

impl Language {
    pub fn name(&self) -> &'static str {
        match self {
            Language::Ours => "ours",
            Language::Python(_) => "in Python",
        }
    }

    fn command(&self, lab: &Lab, scene: u32, role: &str) -> Command {
        match self {
            Language::Ours => {
                let mut command = lab.command();
                command.args([role, "--scene", &scene.to_string()]);
                let program = read(&format!("labs/{}/main.rs", lab.folder));
                if role == "server" && [".runs_commands()", ".runs_also("].iter().any(|call| program.contains(call)) {
                    command.arg("--allow-commands");
                }
                command
            }
            Language::Python(file) => {
                let mut command = Command::new("python3");
                command.arg(file).env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
        }
    }
}

/// What a program is doing.
#[derive(Clone, PartialEq, Eq)]
pub enum Doing {
    /// Something, or it sleeps for a time of its own.
    Acts,
    /// It sleeps until a line is typed.
    WaitsForALine,
    /// It sleeps in this call, until something comes.
    WaitsIn(&'static str),
    Ended(ExitStatus),
}

pub struct Program {
    process: Running,
    terminal: File,
    /// Everything its user has seen.
    pub seen: String,
    /// What it has printed since the last whole character.
    rest: Vec<u8>,
    /// Whether the new line that follows Ctrl-D is left out.
    is_after_the_end: bool,
    complaints: Vec<u8>,
    /// Where it runs, and keeps its files.
    _folder: TempDir,
}

impl Program {
    pub fn start(
        host: &Host,
        language: &Language,
        lab: &Lab,
        scene: u32,
        role: &str,
        shared: Option<&Path>,
    ) -> Program {
        let (terminal, keyboard) = pseudo_terminal();
        let mut command = language.command(lab, scene, role);
        let folder = tempfile::tempdir().expect("a folder");
        command.current_dir(shared.unwrap_or(folder.path()));
        command.stdin(keyboard).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = host.enter(&mut command).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let process = Running(child);
        never_wait(process.0.stdout.as_ref().expect("a pipe"));
        never_wait(process.0.stderr.as_ref().expect("a pipe"));
        let (seen, rest, complaints) = (String::new(), Vec::new(), Vec::new());
        Program { process, terminal, seen, rest, is_after_the_end: false, complaints, _folder: folder }
    }

    /// Types a line and Enter, or Ctrl-D. The line is seen, as on any terminal.
    pub fn type_line(&mut self, line: Option<&str>) {
        let keys = line.map_or("\x04".to_owned(), |line| format!("{line}\n"));
        self.terminal.write_all(keys.as_bytes()).expect("it is typed");
        if let Some(line) = line {
            self.seen.push_str(&format!("{line}\n"));
        } else {
            self.is_after_the_end = true;
        }
    }

    /// Ends a pause, whose prompt was for the demo's person, and is not compared.
    pub fn press_enter(&mut self) {
        if let Some(begin) = self.seen.rfind("[press Enter when ").filter(|_| self.seen.ends_with("] ")) {
            self.seen.truncate(begin);
        }
        self.terminal.write_all(b"\n").expect("it is typed");
    }

    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.0.kill();
    }

    /// Takes what it has printed.
    pub fn look(&mut self) {
        take(self.process.0.stdout.as_mut().expect("a pipe"), &mut self.rest);
        take(self.process.0.stderr.as_mut().expect("a pipe"), &mut self.complaints);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(error) => panic!("it printed what is no text: {error}"),
        };
        let mut new = text(&self.rest.drain(..whole).collect::<Vec<u8>>());
        if self.is_after_the_end && !new.is_empty() {
            self.is_after_the_end = false;
            new = new.strip_prefix('\n').map(str::to_owned).unwrap_or(new);
        }
        self.seen.push_str(&new);
    }

    pub fn complaints(&self) -> String {
        text(&self.complaints)
    }

    pub fn doing(&mut self, host: &Host) -> Doing {
        if let Some(status) = self.process.0.try_wait().expect("a status") {
            return Doing::Ended(status);
        }
        // `proc(5)`: the number of the call in which it sleeps, and its arguments; `running` of one that does not
        // sleep.
        let call = self.proc("syscall");
        let mut words = call.split_whitespace();
        let Some(Ok(number)) = words.next().map(str::parse::<i64>) else { return Doing::Acts };
        let fd = words.next().and_then(|fd| u32::from_str_radix(fd.trim_start_matches("0x"), 16).ok());
        // One that polls without a limit of time is woken by what comes.
        let for_ever = match number {
            libc::SYS_poll => words.nth(1) == Some("0xffffffff"),
            libc::SYS_ppoll => words.nth(1) == Some("0x0"),
            _ => false,
        };
        if for_ever {
            return Doing::WaitsIn("poll");
        }
        let name = match number {
            libc::SYS_read if fd == Some(0) => return Doing::WaitsForALine,
            libc::SYS_accept | libc::SYS_accept4 => "accept",
            libc::SYS_recvfrom | libc::SYS_recvmsg => "recv",
            libc::SYS_connect => "connect",
            // Its fourth argument is a time, and -1 none.
            libc::SYS_epoll_pwait if words.nth(2).is_some_and(|time| time.ends_with("ffffffff")) => "epoll_wait",
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait if words.nth(2).is_some_and(|time| time.ends_with("ffffffff")) => "epoll_wait",
            _ => return Doing::Acts,
        };
        if self.has_something_to_take(host, fd.unwrap_or(0)) { Doing::Acts } else { Doing::WaitsIn(name) }
    }

    /// How often it has gone to sleep.
    pub fn sleeps(&self) -> String {
        self.proc("status").lines().find(|line| line.starts_with("voluntary")).unwrap_or_default().to_owned()
    }

    /// Whether something is in the queue of one of its sockets: then it will not go on sleeping there.
    fn has_something_to_take(&self, host: &Host, fd: u32) -> bool {
        let link = fs::read_link(format!("/proc/{}/fd/{fd}", self.process.0.id())).unwrap_or_default();
        let link = link.to_string_lossy();
        let Some(inode) = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')) else { return false };
        let tables = format!("{}{}", host.table("udp"), host.table("tcp"));
        let mut rows = tables.lines().map(|row| row.split_whitespace().collect::<Vec<&str>>());
        let row = rows.find(|row| row.get(9) == Some(&inode));
        row.is_some_and(|row| row[4].split_once(':').is_some_and(|(_, waiting)| waiting != "00000000"))
    }

    /// A file of `/proc` about it; nothing if it has ended meanwhile.
    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.0.id())).unwrap_or_default()
    }
}

/// A terminal and what a program at it has for its standard input. What is typed is not printed.
fn pseudo_terminal() -> (File, OwnedFd) {
    let (mut terminal, mut keyboard) = (-1, -1);
    let null: *mut libc::c_void = std::ptr::null_mut();
    // SAFETY: the two descriptors are written to variables of ours; neither a name nor settings are asked for or given.
    let result = unsafe { libc::openpty(&mut terminal, &mut keyboard, null.cast(), null.cast(), null.cast()) };
    assert_eq!(result, 0, "openpty: {}", std::io::Error::last_os_error());
    // SAFETY: they were opened just now, and nobody else has them.
    let (terminal, keyboard) = unsafe { (File::from_raw_fd(terminal), OwnedFd::from_raw_fd(keyboard)) };
    for fd in [&OwnedFd::from(terminal.try_clone().expect("a descriptor")), &keyboard] {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC).expect("a flag");
    }
    rustix::io::fcntl_setfd(&terminal, rustix::io::FdFlags::CLOEXEC).expect("a flag");
    let mut settings = tcgetattr(&keyboard).expect("settings");
    settings.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&keyboard, OptionalActions::Now, &settings).expect("settings");
    (terminal, keyboard)
}

fn never_wait(pipe: impl std::os::fd::AsFd) {
    let flags = fcntl_getfl(&pipe).expect("flags");
    fcntl_setfl(&pipe, flags | OFlags::NONBLOCK).expect("flags");
}

/// Takes all that is in a pipe now.
fn take(pipe: &mut impl Read, into: &mut Vec<u8>) {
    match pipe.read_to_end(into) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("its output: {error}"),
        _ => {}
    }
}
