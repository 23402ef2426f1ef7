//! Without the baton: the roles run as they would by themselves, and the events are put in order of their times.

use std::time::{Duration, Instant};

use super::Ending;
use super::channel::{Act, ToRole};
use super::roles::{Heard, Roles, Step};
use crate::trace::{Call, Wait, Waiting, What};

/// Roles that are all asleep for this long wait for each other.
const ASLEEP: Duration = Duration::from_millis(20);

/// How often those who sleep are looked at.
const LOOK: Duration = Duration::from_millis(2);

/// What a role is at, as far as it has told.
enum Doing {
    Running,
    Calling(Box<Call>, Wait),
    /// It pauses, since this time.
    Pausing(u64),
    /// Its user, who takes longer than anybody else, types at this prompt since this time.
    Typing(String, u64),
    Ended,
}

struct Free<'p, 't> {
    roles: Roles<'p, 't>,
    doing: Vec<Doing>,
    pending: Vec<(u64, Option<usize>, What)>,
    failed: Option<Ending>,
}

/// Plays a scene to its end, and then tells what happened.
pub(super) fn run(roles: Roles<'_, '_>) -> std::io::Result<Ending> {
    let doing = roles.actors.iter().map(|_| Doing::Running).collect();
    let mut free = Free { roles, doing, pending: Vec::new(), failed: None };
    let ending = free.start().and_then(|()| free.play_out()).and_then(|ending| free.emit().map(|()| ending));
    ending.or_else(super::roles::Stop::ending)
}

impl Free<'_, '_> {
    /// Starts the roles as a person would: the next one once the one before it waits, pauses or has ended.
    fn start(&mut self) -> Step<()> {
        for role in 0..self.doing.len() {
            self.roles.answer(role, &ToRole::Go);
            let until = Instant::now() + self.roles.patience;
            loop {
                self.hear_all(role)?;
                self.roles.let_frames_come()?;
                if self.sleeps(role) || self.roles.loops_forever(role) || Instant::now() > until {
                    break;
                }
                self.roles.wait_for_any(&[], Duration::from_millis(1))?;
            }
        }
        Ok(())
    }

    /// Tells what happened, in the order of its times.
    fn emit(&mut self) -> Step<()> {
        let frames = std::mem::take(&mut self.roles.pending_frames);
        self.pending.extend(frames.into_iter().map(|(at, frame)| (at, None, What::Frame(frame))));
        self.pending.sort_by_key(|(at, ..)| *at);
        for (at, role, what) in std::mem::take(&mut self.pending) {
            self.roles.emit_at(at, role, what)?;
        }
        Ok(())
    }

    fn play_out(&mut self) -> Step<Ending> {
        let mut quiet_since = Instant::now();
        while self.doing.iter().any(|doing| !matches!(doing, Doing::Ended)) {
            let soon = self.roles.next_arrival().unwrap_or(LOOK).min(LOOK);
            self.roles.wait_for_any(&[], soon)?;
            let mut heard = self.roles.let_frames_come()? || self.roles.next_arrival().is_some();
            for role in 0..self.doing.len() {
                heard |= self.hear_all(role)?;
                if self.nobody_stops(role) && !self.end_a_pause() {
                    let others = (0..self.doing.len()).filter(|other| *other != role);
                    let waiting = others.filter_map(|other| self.waiting(other)).collect();
                    self.emit()?;
                    self.roles.find_loop(role, waiting)?;
                    return Ok(self.failed.take().unwrap_or(Ending::LoopsForever));
                }
            }
            if heard || !self.all_sleep() {
                quiet_since = if heard { Instant::now() } else { quiet_since };
                if quiet_since.elapsed() > self.roles.patience {
                    return self.hung();
                }
            } else if quiet_since.elapsed() > ASLEEP && !self.end_a_pause() && !self.timers_run() {
                return self.conclude();
            }
        }
        Ok(self.failed.take().unwrap_or(Ending::Done))
    }

    /// Takes all that a role has told, without waiting for more.
    fn hear_all(&mut self, role: usize) -> Step<bool> {
        let mut any = false;
        while !matches!(self.doing[role], Doing::Ended) {
            match self.roles.hear(role, Duration::ZERO)? {
                Heard::Silence => break,
                Heard::Gone => self.bury(role, None)?,
                Heard::Done(call, at) => {
                    self.doing[role] = Doing::Running;
                    self.add(role, What::Call(call), at);
                    // One that goes round tells for ever.
                    if self.roles.loops_forever(role) {
                        return Ok(true);
                    }
                }
                Heard::Next(act, at) => self.take(role, act, at)?,
            }
            any = true;
        }
        Ok(any)
    }

    fn take(&mut self, role: usize, act: Act, at: u64) -> Step<()> {
        match act {
            Act::Call(call, wait) => self.doing[role] = Doing::Calling(call, wait),
            Act::Say(text) => self.add(role, What::Print { text }, at),
            Act::Note(text) => self.add(role, What::Note { text }, at),
            Act::Made(call) => self.add(role, What::Call(*call), at),
            Act::Meet(text) => {
                self.doing[role] = Doing::Pausing(at);
                self.pending.push((at, Some(role), What::Meet { text }));
            }
            Act::Prompt(prompt) if self.roles.actors[role].slow => self.doing[role] = Doing::Typing(prompt, at),
            Act::Prompt(prompt) => self.type_line(role, prompt, at),
            Act::End(result) => {
                self.roles.answer(role, &ToRole::Go);
                self.bury(role, result.err())?;
            }
        }
        Ok(())
    }

    fn type_line(&mut self, role: usize, prompt: String, at: u64) {
        let text = self.roles.line(role);
        self.roles.answer(role, &ToRole::Line(text.clone()));
        self.pending.push((at, Some(role), What::Input { prompt, text }));
    }

    fn bury(&mut self, role: usize, error: Option<String>) -> Step<()> {
        self.doing[role] = Doing::Ended;
        let Some(exit) = self.roles.reap(role, error)? else {
            self.emit()?;
            return Err(self.roles.hung_after_its_end(role));
        };
        if !exit.is_good() && !self.roles.is_meant_to_be_killed(role, &exit) {
            let role = self.roles.actors[role].name.clone();
            self.failed.get_or_insert(Ending::Failed { role, status: exit.status });
        }
        self.pending.push((super::role::now(), Some(role), What::Exit(exit)));
        Ok(())
    }

    fn add(&mut self, role: usize, what: What, at: u64) {
        self.roles.note(Some(role), &what);
        self.pending.push((at, Some(role), what));
    }

    /// Whether a role goes round for ever, and all others sleep or have ended.
    fn nobody_stops(&self, role: usize) -> bool {
        self.roles.loops_forever(role) && (0..self.doing.len()).all(|other| other == role || self.sleeps(other))
    }

    fn all_sleep(&self) -> bool {
        (0..self.doing.len()).all(|role| self.sleeps(role))
    }

    fn sleeps(&self, role: usize) -> bool {
        match self.doing[role] {
            Doing::Running => false,
            Doing::Calling(..) => self.roles.sleeps(role),
            Doing::Pausing(_) | Doing::Typing(..) | Doing::Ended => true,
        }
    }

    /// Ends the pause that was reached first; whether there was one.
    fn end_a_pause(&mut self) -> bool {
        let pausing = |role: usize| match self.doing[role] {
            Doing::Pausing(since) | Doing::Typing(_, since) => Some((since, role)),
            _ => None,
        };
        let Some((_, role)) = (0..self.doing.len()).filter_map(pausing).min() else { return false };
        match std::mem::replace(&mut self.doing[role], Doing::Running) {
            Doing::Typing(prompt, _) => self.type_line(role, prompt, super::role::now()),
            _ => self.roles.answer(role, &ToRole::Go),
        }
        true
    }

    /// Whether time alone may move somebody.
    fn timers_run(&mut self) -> bool {
        let has_a_deadline = |doing: &Doing| matches!(doing, Doing::Calling(_, wait) if wait.is_timed());
        self.doing.iter().any(has_a_deadline) || self.roles.timers_run()
    }

    fn conclude(&mut self) -> Step<Ending> {
        let waiting: Vec<Waiting> = (0..self.doing.len()).filter_map(|role| self.waiting(role)).collect();
        self.emit()?;
        self.roles.find_waiting(waiting)?;
        Ok(self.failed.take().unwrap_or(Ending::Waiting))
    }

    fn waiting(&self, role: usize) -> Option<Waiting> {
        match &self.doing[role] {
            Doing::Calling(call, wait) => self.roles.waiting(role, call, *wait),
            _ => None,
        }
    }

    fn hung(&mut self) -> Step<Ending> {
        let role = (0..self.doing.len()).find(|role| !self.sleeps(*role)).unwrap_or(0);
        self.emit()?;
        Err(self.roles.hung(role))
    }
}
