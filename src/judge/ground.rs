//! The ground of one check: a private host with the attempt on it, and how we wait for it.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::choices::Choices;
use super::diary::Diary;
use super::failure::{Done, Failure, Kind, Stop};
use super::sight::{self, Sight};
use crate::sandbox::{Ending, Sandbox};
use crate::sys;
use crate::view::text;

/// How often we look at a program for which we wait.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A program that sleeps at so many looks will do nothing more: one second, of which none counts during which it had
/// something to do, or the machine did not let it.
pub const PATIENCE: u32 = 100;

/// Processor time that a program may use up until it has started, and until it answers from then on.
const BUSIEST_STARTING: Duration = Duration::from_secs(3);
const BUSIEST: Duration = Duration::from_secs(1);

/// However slow the machine is, no wait is longer.
const LONGEST: Duration = Duration::from_secs(120);

/// So much of what a program wrote last is kept for the report, in bytes.
const LAST_WORDS: usize = 2000;

/// What a wait came to.
pub enum Woke {
    /// What was waited for is there.
    Ready,
    /// The program ended before.
    Ended,
    /// It sleeps, and nothing that is there to come will wake it; or it does not let itself be woken.
    Asleep(Sight),
    /// It is busy, and does not come to an end.
    Spins(Sight),
}

/// What a check and its peers share.
pub struct Ground {
    pub sandbox: RefCell<Sandbox>,
    pub diary: Diary,
    pub choices: RefCell<Choices>,
    /// At how many looks a program may be asleep.
    pub patience: Cell<u32>,
    /// How much processor time a program may use in one wait.
    busiest: Cell<Duration>,
    /// What our peers still have to send, in words; `None` when it is nothing.
    pub owed: RefCell<Option<String>>,
    /// How much of the program's standard output has been written down.
    told: Cell<usize>,
    ended_told: Cell<bool>,
    /// Hears what passes on the host, where a capture is wanted.
    packets: Option<socket2::Socket>,
    heard: Cell<u32>,
}

impl Ground {
    pub fn new(sandbox: Sandbox, diary: Diary, choices: Choices, packets: Option<socket2::Socket>) -> Ground {
        if let Some(packets) = &packets {
            // The kernel stamps packets from the first question on. There was none yet: ENOENT.
            let _ = sys::stamp_of_last_packet(packets.as_fd());
        }
        Ground {
            packets,
            heard: Cell::new(0),
            sandbox: RefCell::new(sandbox),
            diary,
            choices: RefCell::new(choices),
            patience: Cell::new(PATIENCE),
            busiest: Cell::new(BUSIEST_STARTING),
            owed: RefCell::new(None),
            told: Cell::new(0),
            ended_told: Cell::new(false),
        }
    }

    /// The exercise's port, on the attempt's host.
    pub fn address(&self) -> SocketAddr {
        self.sandbox.borrow().address()
    }

    /// Waits until `socket` is ready for `flags` or `done` holds, as long as the program may still change something.
    pub fn wait(
        &self,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        mut done: impl FnMut(&mut Sandbox) -> Done<bool>,
    ) -> Done<Woke> {
        self.wait_in_steps_of(LOOK_EVERY, socket, &mut done)
    }

    /// The same, asking `done` at least so often.
    pub fn wait_in_steps_of(
        &self,
        step: Duration,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        done: &mut dyn FnMut(&mut Sandbox) -> Done<bool>,
    ) -> Done<Woke> {
        let began = Instant::now();
        let (mut last_look, mut asleep, mut first_sight) = (began, 0, None::<Sight>);
        let mut written = self.sandbox.borrow().output().total();
        loop {
            let ended = self.sandbox.borrow().ended().is_some();
            if self.poll(socket, if ended { Duration::ZERO } else { step })? || done(&mut self.sandbox.borrow_mut())? {
                return Ok(Woke::Ready);
            }
            if ended {
                return Ok(Woke::Ended);
            }
            if last_look.elapsed() < LOOK_EVERY {
                continue;
            }
            last_look = Instant::now();
            let sight = Sight::of(&mut self.sandbox.borrow_mut())?;
            let before = first_sight.get_or_insert_with(|| sight.clone());
            // One that writes a lot sleeps until we have read it.
            let now = self.sandbox.borrow().output().total();
            let writes = std::mem::replace(&mut written, now) != now;
            if sight.sleeps() && !writes {
                asleep += 1;
            }
            if asleep >= self.patience.get() {
                return Ok(Woke::Asleep(sight));
            }
            if sight.cpu().saturating_sub(before.cpu()) >= self.busiest.get() {
                return Ok(Woke::Spins(sight));
            }
            if began.elapsed() >= LONGEST {
                let tell = "the machine gave the program too little processor time to answer";
                return Err(Stop::Fault(format!("{tell} within {} s", LONGEST.as_secs())));
            }
        }
    }

    /// Waits until the program sleeps, having done all that it can do by itself; or has ended.
    pub fn settle(&self) -> Done {
        // Nobody ran between two looks that show the same: two of them would do.
        const LOOKS: u32 = 2;
        let (began, mut asleep, mut first, mut last) = (Instant::now(), 0, None::<Sight>, None::<Sight>);
        while asleep < LOOKS {
            self.poll(None, Duration::from_millis(2))?;
            if self.sandbox.borrow().ended().is_some() {
                return Ok(());
            }
            let sight = Sight::of(&mut self.sandbox.borrow_mut())?;
            let still = sight.sleeps() && last.as_ref().is_some_and(|last| last.switches() == sight.switches());
            asleep = if still { asleep + 1 } else { 0 };
            let before = first.get_or_insert_with(|| sight.clone());
            if sight.cpu().saturating_sub(before.cpu()) >= self.busiest.get() {
                return Err(self.failure(Kind::Spins, "it does not come to rest", Some(&sight)).into());
            }
            // One that wakes again and again, but does next to nothing, is at rest, too.
            if began.elapsed() >= Duration::from_secs(2) && sight.sleeps() || began.elapsed() >= LONGEST {
                return Ok(());
            }
            last = Some(sight);
        }
        Ok(())
    }

    /// Lets the program go on for `time`.
    pub fn let_pass(&self, time: Duration) -> Done {
        let until = Instant::now() + time;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() || self.ended().is_some() {
                return Ok(());
            }
            self.poll(None, rest)?;
        }
    }

    /// Lets the program go on for at most `time`; whether `socket` is ready.
    fn poll(&self, socket: Option<(BorrowedFd<'_>, PollFlags)>, time: Duration) -> Done<bool> {
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        if let Some((fd, flags)) = socket {
            fds.push(PollFd::from_borrowed_fd(fd, flags));
        }
        self.sandbox.borrow_mut().wait(&mut fds, time)?;
        self.listen_in();
        self.write_down();
        Ok(fds.iter().any(|fd| !fd.revents().is_empty()))
    }

    /// Writes down what has passed on the host since.
    pub fn listen_in(&self) {
        let Some(mut packets) = self.packets.as_ref() else { return };
        let mut frame = [0; 65_536 + 14];
        while let Ok(len) = packets.read(&mut frame) {
            self.heard.set(self.heard.get() + 1);
            let at = sys::stamp_of_last_packet(packets.as_fd()).unwrap_or_default();
            self.diary.overheard(&frame[..len], self.address(), self.heard.get(), at);
        }
    }

    /// Writes down what the program has printed since, line by line, and its end.
    fn write_down(&self) {
        let sandbox = self.sandbox.borrow();
        let new = sandbox.output().stdout.kept.get(self.told.get()..).unwrap_or_default();
        let whole = match new.iter().rposition(|byte| *byte == b'\n') {
            _ if sandbox.ended().is_some() => new.len(),
            Some(end) => end + 1,
            None => 0,
        };
        for line in new[..whole].split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.diary.printed(&text::escaped(line));
        }
        self.told.set(self.told.get() + whole);
        if let Some(ending) = sandbox.ended()
            && !self.ended_told.replace(true)
        {
            self.diary.step(format!("the program {}", sight::how_it_ended(ending)));
        }
    }

    /// Says that a program has been started (again).
    pub fn begins_anew(&self) {
        self.busiest.set(BUSIEST_STARTING);
        self.ended_told.set(false);
        self.told.set(0);
    }

    /// Says that a program has opened its port, or connected, and has only to answer from now on.
    pub fn has_started(&self) {
        self.busiest.set(BUSIEST);
    }

    /// A failure with what is known of the program: at the moment of `sight`, or once it has come to rest.
    pub fn failure(&self, kind: Kind, what: impl Into<String>, sight: Option<&Sight>) -> Failure {
        let mut failure = Failure::new(kind, what);
        if sight.is_none() {
            // One that closes its connections because it dies is seen to die.
            let _ = self.settle();
        }
        let mut sandbox = self.sandbox.borrow_mut();
        if let Some(ending) = sandbox.ended().cloned() {
            failure.kind = if ending.limit.is_some() { Kind::Limit } else { Kind::Ended };
            failure.why.push(format!("the program {}", sight::how_it_ended(&ending)));
        } else if let Some(sight) = sight {
            let host = sandbox.sockets().unwrap_or_default();
            failure.why.extend(sight.explained(&host, self.owed.borrow().as_deref()));
        }
        let written = &sandbox.output().stderr.kept;
        failure.last_words = written[written.len().saturating_sub(LAST_WORDS)..].to_vec();
        failure
    }

    /// The failure of a wait that did not come to what was waited for.
    pub fn unmet(&self, woke: &Woke, what: impl Into<String>) -> Failure {
        match woke {
            Woke::Asleep(sight) => self.failure(Kind::Hangs, what, Some(sight)),
            Woke::Spins(sight) => self.failure(Kind::Spins, what, Some(sight)),
            Woke::Ready | Woke::Ended => self.failure(Kind::Wrong, what, None),
        }
    }

    /// How the program ended, if it has.
    pub fn ended(&self) -> Option<Ending> {
        self.sandbox.borrow().ended().cloned()
    }
}
