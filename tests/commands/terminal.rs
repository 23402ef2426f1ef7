//! A terminal with one program at a time, as a person has it.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionread};

use super::code_of;
use crate::support::{Running, text, wait_until};

/// In how many looks, one after the other, all programs are seen asleep before they are taken to wait.
const LOOKS: u32 = 4;

/// How long they are looked at: a program that goes round and round does not come to rest, and the next line is typed.
const LONGEST: Duration = Duration::from_secs(15);

/// How many bytes of what its person has seen a terminal keeps.
const KEPT: usize = 64 * 1024;

pub struct Terminal {
    /// The person's side, and the programs'.
    screen: File,
    keyboard: OwnedFd,
    program: Option<Program>,
    seen: Vec<u8>,
}

struct Program {
    process: Running,
    line: String,
    /// The exit code that the page promises.
    code: i32,
}

impl Terminal {
    pub fn open() -> Terminal {
        let (mut screen, mut keyboard) = (-1, -1);
        let null: *mut libc::c_void = std::ptr::null_mut();
        // SAFETY: the two descriptors are written to variables of ours; neither a name nor settings are asked for.
        let result = unsafe { libc::openpty(&mut screen, &mut keyboard, null.cast(), null.cast(), null.cast()) };
        assert_eq!(result, 0, "openpty: {}", std::io::Error::last_os_error());
        // SAFETY: they were opened just now, and nobody else has them.
        let (screen, keyboard) = unsafe { (File::from_raw_fd(screen), OwnedFd::from_raw_fd(keyboard)) };
        for fd in [screen.as_fd(), keyboard.as_fd()] {
            fcntl_setfd(fd, FdFlags::CLOEXEC).expect("a flag");
        }
        fcntl_setfl(&screen, fcntl_getfl(&screen).expect("flags") | OFlags::NONBLOCK).expect("flags");
        Terminal { screen, keyboard, program: None, seen: Vec::new() }
    }

    /// Starts a program at this terminal, which Ctrl-C reaches.
    pub fn start(&mut self, command: &mut Command, line: &str, code: i32) {
        let end = || self.keyboard.try_clone().expect("a descriptor");
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "dumb");
        let take_the_terminal = || {
            // SAFETY: neither call touches memory; the terminal is standard input by then.
            match unsafe { (libc::setsid(), libc::ioctl(0, libc::TIOCSCTTY, 0)) } {
                (-1, _) | (_, -1) => Err(std::io::Error::last_os_error()),
                _ => Ok(()),
            }
        };
        // SAFETY: between fork and exec there are these two system calls, and no allocation.
        unsafe { command.pre_exec(take_the_terminal) };
        let process = Running(command.spawn().unwrap_or_else(|error| panic!("{line}: {error}")));
        self.program = Some(Program { process, line: line.to_owned(), code });
    }

    /// Types to the program that runs there.
    pub fn press(&mut self, keys: &str) -> Result<(), String> {
        if !self.runs() {
            let line = self.program.as_ref().map_or("no program", |program| &program.line);
            return Err(format!("`{line}` has ended before {keys:?} was typed: {}", self.screen()));
        }
        self.screen.write_all(keys.as_bytes()).map_err(|error| format!("type {keys:?}: {error}"))?;
        if keys == "\x03" {
            // However it ends now, it does so because of this.
            let line = self.ends_at("Ctrl-C");
            self.program = None;
            return line;
        }
        Ok(())
    }

    /// Waits until the program has ended by itself, as the page says.
    pub fn ends_by_itself(&mut self) -> Result<(), String> {
        self.ends_at("its end")?;
        let Some(mut program) = self.program.take() else { return Ok(()) };
        let code = code_of(program.process.0.wait().expect("a status"));
        let Program { line, code: promised, .. } = program;
        if code == promised {
            Ok(())
        } else {
            Err(format!("`{line}` ends with {code}, not {promised}: {}", self.screen()))
        }
    }

    fn ends_at(&mut self, what: &str) -> Result<(), String> {
        let Some(line) = self.program.as_ref().map(|program| program.line.clone()) else { return Ok(()) };
        let seen = std::panic::AssertUnwindSafe(|| wait_until(&format!("{line}: {what}"), || !self.runs()));
        std::panic::catch_unwind(seen).map_err(|_| format!("`{line}` does not come to {what}: {}", self.screen()))
    }

    /// Ends what still runs, with Ctrl-C; what has ended must have done so as the page says.
    pub fn close(mut self) -> Result<(), String> {
        let promises = self.program.as_ref().is_some_and(|program| program.code != 0);
        if self.runs() && !promises { self.press("\x03") } else { self.ends_by_itself() }
    }

    /// Whether a program runs there. What it has printed is taken.
    fn runs(&mut self) -> bool {
        // No more than so much at a look: a program may print without an end.
        match (&self.screen).take(KEPT as u64).read_to_end(&mut self.seen) {
            // A terminal whose programs have ended gives EIO.
            Err(error) if error.kind() != ErrorKind::WouldBlock && error.raw_os_error() != Some(libc::EIO) => {
                panic!("a terminal: {error}")
            }
            _ => {}
        }
        let superfluous = self.seen.len().saturating_sub(KEPT);
        self.seen.drain(..superfluous);
        self.program.as_mut().is_some_and(|program| program.process.0.try_wait().expect("a status").is_none())
    }

    /// The end of what its person has seen.
    fn screen(&self) -> String {
        let lines: Vec<String> = text(&self.seen).lines().map(|line| line.trim_end().to_owned()).collect();
        lines[lines.len().saturating_sub(4)..].join(" ⏎ ")
    }

    /// How often the program has gone to sleep, if it waits for something from outside, or has ended.
    fn rests(&mut self) -> Option<String> {
        if !self.runs() {
            return Some(String::new());
        }
        let id = self.program.as_ref().expect("it runs").process.0.id();
        let proc = |file: &str| fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default();
        // `proc(5)`: the number of the call in which it sleeps, and its arguments; `running` of one that does not
        // sleep.
        let call = proc("syscall");
        let mut words = call.split_whitespace();
        let number: i64 = words.next()?.parse().ok()?;
        let on_the_terminal = words.next() == Some("0x0") && number == libc::SYS_read;
        let looks_there = matches!(number, libc::SYS_ppoll | libc::SYS_pselect6) || is_old_poll(number);
        let waits = matches!(
            number,
            libc::SYS_accept
                | libc::SYS_accept4
                | libc::SYS_recvfrom
                | libc::SYS_recvmsg
                | libc::SYS_connect
                | libc::SYS_clock_nanosleep
        );
        let has_typed = ioctl_fionread(&self.keyboard).is_ok_and(|bytes| bytes > 0);
        let rests = waits || ((on_the_terminal || looks_there) && !has_typed);
        rests.then(|| proc("status").lines().find(|line| line.starts_with("voluntary")).unwrap_or_default().to_owned())
    }
}

/// `poll` and `select`, which newer machines do not have.
#[cfg(target_arch = "x86_64")]
fn is_old_poll(number: i64) -> bool {
    matches!(number, libc::SYS_poll | libc::SYS_select)
}

#[cfg(not(target_arch = "x86_64"))]
fn is_old_poll(_number: i64) -> bool {
    false
}

/// Waits until every program at these terminals waits, or has ended, or goes round and round.
pub fn all_wait(terminals: &mut [(u32, Terminal)]) {
    let began = Instant::now();
    let mut before = None;
    let mut looks = 0;
    wait_until("every program waits, or has ended", || {
        let now: Option<Vec<String>> = terminals.iter_mut().map(|(_, terminal)| terminal.rests()).collect();
        looks = if now.is_some() && now == before { looks + 1 } else { 0 };
        before = now;
        looks >= LOOKS || began.elapsed() > LONGEST
    });
}
