//! Without the baton: the roles run as they would by themselves, and the events are put in order of their times.
//!
//! That nothing will ever move is known from a state, and not from a silence: see [`Free::moment_of_rest`].

use std::time::{Duration, Instant};

use super::Ending;
use super::channel::{Act, ToRole};
use super::role_state::{self, RoleStates, State};
use super::roles::{Heard, Roles, Step, Stop};
use crate::probe;
use crate::trace::What;

/// How often roles that sleep are looked at.
const LOOK: Duration = Duration::from_millis(2);

/// Consecutive samples, [`LOOK`] apart, in which all roles must be seen in the same sleep before they count as blocked.
const LOOKS: u32 = 10;

/// The most messages that are taken from one role before the others are looked at.
const MAX_HEARD: usize = 1000;

struct Free<'p, 't> {
    roles: Roles<'p, 't>,
    states: RoleStates,
    /// What has happened and is not emitted yet, with its time.
    pending: Vec<(u64, Option<usize>, What)>,
}

/// Roles that are all asleep, since some samples.
#[derive(Default)]
struct Rest {
    /// How often each role has left a processor: the same numbers mean that none has run since.
    switches: Option<Vec<u64>>,
    samples: u32,
}

impl Rest {
    /// Adds a sample, which is `None` if any role was awake. In how many in a row nothing has changed.
    fn add(&mut self, switches: Option<Vec<u64>>) -> u32 {
        let unchanged = switches.is_some() && switches == self.switches;
        self.samples = if unchanged { self.samples + 1 } else { u32::from(switches.is_some()) };
        self.switches = switches;
        self.samples
    }
}

/// Plays a scene to its end, and then tells what happened.
pub(super) fn run(roles: Roles<'_, '_>) -> std::io::Result<Ending> {
    let states = RoleStates::new(roles.actors.len());
    let mut free = Free { roles, states, pending: Vec::new() };
    let ending = free.start().and_then(|()| free.play_out()).and_then(|ending| free.emit().map(|()| ending));
    ending.or_else(Stop::ending)
}

impl Free<'_, '_> {
    /// Starts the roles as a person would: the next one once the one before it waits, pauses or has ended.
    fn start(&mut self) -> Step<()> {
        for role in self.states.all() {
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

    /// Emits what happened, in the order of its times.
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
        let mut last_heard = Instant::now();
        let mut rest = Rest::default();
        while self.states.any(|state| !matches!(state, State::Ended)) {
            let soon = self.roles.next_arrival().unwrap_or(LOOK).min(LOOK);
            self.roles.wait_for_any(&[], soon)?;
            let mut heard = self.roles.let_frames_come()? || self.roles.next_arrival().is_some();
            for role in self.states.all() {
                heard |= self.hear_all(role)?;
                if self.no_role_stops(role) && !self.end_a_pause() {
                    let waiting = self.states.all_waiting(&self.roles, Some(role));
                    self.emit()?;
                    self.roles.find_loop(role, waiting)?;
                    return Ok(self.states.ending(Ending::LoopsForever));
                }
            }
            if heard {
                last_heard = Instant::now();
            }
            let samples = rest.add(self.moment_of_rest(None).filter(|_| !heard));
            if samples >= LOOKS && self.end_a_pause() {
                last_heard = Instant::now();
            } else if samples >= LOOKS && !self.timers_run() && self.moment_of_rest(None) == rest.switches {
                return self.find_waiting();
            } else if last_heard.elapsed() > self.roles.patience {
                return self.lose_patience(samples);
            }
        }
        Ok(self.states.ending(Ending::Done))
    }

    /// Takes what a role has told, without waiting for more.
    fn hear_all(&mut self, role: usize) -> Step<bool> {
        for count in 0..MAX_HEARD {
            if matches!(self.states[role], State::Ended) {
                return Ok(count > 0);
            }
            match self.roles.hear(role, Duration::ZERO)? {
                Heard::Silence => return Ok(count > 0),
                Heard::Gone => self.bury(role, None)?,
                Heard::Done(call, at) => {
                    self.states[role] = State::Running;
                    self.add(role, What::Call(call), at);
                    while self.states.all().len() < self.roles.actors.len() {
                        self.states.add();
                    }
                    // One that loops forever tells forever.
                    if self.roles.loops_forever(role) {
                        return Ok(true);
                    }
                }
                Heard::Next(act, at) => self.take(role, act, at)?,
            }
        }
        Ok(true)
    }

    fn take(&mut self, role: usize, act: Act, at: u64) -> Step<()> {
        match act {
            Act::Call(call, wait) => self.states[role] = State::InCall(call, wait),
            Act::Begin => {}
            Act::Say(text) => self.add(role, What::Print { text }, at),
            Act::Found(probe, fd) => self.add(role, What::Probe { probe, fd }, at),
            Act::Note(text) => self.add(role, What::Note { text }, at),
            Act::Made(call) => self.add(role, What::Call(*call), at),
            Act::Meet(text) => {
                self.states[role] = State::Pausing(at);
                self.pending.push((at, Some(role), What::Meet { text }));
            }
            Act::Prompt(prompt) if self.roles.actors[role].slow => self.states[role] = State::Typing(prompt, at),
            Act::Prompt(prompt) => self.type_line(role, prompt, at),
            Act::End(result) => {
                self.roles.answer(role, &ToRole::Go);
                self.bury(role, result.err())?;
            }
        }
        Ok(())
    }

    fn type_line(&mut self, role: usize, prompt: String, at: u64) {
        let typed = role_state::type_line(&mut self.roles, role, prompt);
        self.pending.push((at, Some(role), typed));
    }

    fn bury(&mut self, role: usize, error: Option<String>) -> Step<()> {
        let Some(exit) = self.states.end(&mut self.roles, role, error)? else {
            self.emit()?;
            return Err(self.roles.hung_after_its_end(role));
        };
        self.pending.push((super::role::now(), Some(role), What::Exit(exit)));
        self.states.end_threads(&mut self.roles, role);
        Ok(())
    }

    fn add(&mut self, role: usize, what: What, at: u64) {
        self.roles.note(Some(role), &what);
        self.pending.push((at, Some(role), what));
    }

    /// Whether a role loops for ever, and all others sleep or have ended.
    fn no_role_stops(&self, role: usize) -> bool {
        let mut rest = Rest::default();
        self.roles.loops_forever(role) && (1..=3).all(|samples| rest.add(self.moment_of_rest(Some(role))) == samples)
    }

    /// How often each role, but `except`, has left a processor, if all were seen asleep and no packet waits in a
    /// backlog of the kernel's. Else `None`.
    ///
    /// Roles are looked at one after the other: one that was seen asleep may have been woken by the next before that
    /// one was looked at. Three samples with equal numbers show that all slept from the first to the second: a role
    /// that ran in between has left a processor once more, at the latest by the third.
    fn moment_of_rest(&self, except: Option<usize>) -> Option<Vec<u64>> {
        let roles = || self.states.all().filter(|role| Some(*role) != except);
        let switches = roles()
            .map(|role| match self.states[role] {
                State::InCall(..) => self.roles.actors[role].player.context_switches(),
                _ => 0,
            })
            .collect();
        (roles().all(|role| self.sleeps(role)) && !probe::packets_under_way_anywhere()).then_some(switches)
    }

    fn sleeps(&self, role: usize) -> bool {
        match &self.states[role] {
            State::Running | State::Next(_) => false,
            State::InCall(call, _) => self.roles.actors[role].player.sleeps_in(call),
            State::Pausing(_) | State::Typing(..) | State::Ended => true,
        }
    }

    /// Ends the pause that was reached first; whether there was one.
    fn end_a_pause(&mut self) -> bool {
        match self.states.end_first_pause() {
            None => return false,
            Some((role, Some(prompt))) => self.type_line(role, prompt, super::role::now()),
            Some((role, None)) => self.roles.answer(role, &ToRole::Go),
        }
        true
    }

    /// Whether time alone may move a role.
    fn timers_run(&mut self) -> bool {
        self.states.any_in_timed_call() || self.roles.timers_run()
    }

    fn find_waiting(&mut self) -> Step<Ending> {
        let waiting = self.states.all_waiting(&self.roles, None);
        self.emit()?;
        self.roles.find_waiting(waiting.clone())?;
        Ok(self.states.ending(Ending::Waiting(waiting)))
    }

    /// Ends a scene of which nothing was heard for as long as the stage's patience: all roles sleep and timers run, or
    /// a role neither waits nor comes back.
    fn lose_patience(&mut self, samples: u32) -> Step<Ending> {
        self.emit()?;
        if samples >= LOOKS {
            let waiting = self.states.all_waiting(&self.roles, None);
            self.roles.find_endless(waiting)?;
            return Ok(self.states.ending(Ending::Endless));
        }
        let awake = self.states.all().find(|role| !self.sleeps(*role));
        Err(self.roles.hung(awake.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_in_which_a_role_has_run_begins_anew() {
        let mut rest = Rest::default();
        let counts: Vec<u32> =
            [Some([1, 4]), Some([1, 4]), Some([1, 4]), Some([2, 4]), None, Some([2, 4]), Some([2, 4])]
                .into_iter()
                .map(|switches| rest.add(switches.map(Vec::from)))
                .collect();
        assert_eq!(counts, [1, 2, 3, 1, 0, 1, 2]);
    }
}
