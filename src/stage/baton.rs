//! The baton: one role acts at a time, until its next call would have to wait.
//!
//! That makes the order of events the order of cause and effect, and the same at every run. The rules:
//! - the holder goes on until it waits, pauses or ends;
//! - then the role that has been ready longest goes, ties in the order of declaration;
//! - when no role can go, frames that the wire keeps for a time arrive;
//! - when none is kept, the pause that was reached first ends, or the line is there that a slow user was asked for;
//! - when no role pauses either, calls that have a deadline are made, and it begins;
//! - then those calls and the kernel's timers are given time, if any runs;
//! - where a role is meant to loop for ever, it is left when it has done the same three times and no other can act;
//! - else all roles wait, and none will ever move: that is a finding, not a time-out.

use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use super::Ending;
use super::carrier::Stirred;
use super::channel::{Act, ToRole};
use super::role_state::{self, RoleStates, State};
use super::roles::{Heard, Roles, Step};
use crate::trace::{Call, Errno, For, Syscall, Wait, What, class_of_time};

/// Consecutive samples, [`LOOK`] apart, in which a call must be seen sleeping before it counts as blocked. Samples are
/// counted rather than time, so a descheduled stage does not mistake its own pause for the role's.
const LOOKS: u32 = 30;
const LOOK: Duration = Duration::from_millis(1);

/// The most calls a role may make in a row while another role is ready.
const MAX_CALLS_IN_A_ROW: u32 = 1000;

struct Baton<'p, 't> {
    roles: Roles<'p, 't>,
    states: RoleStates,
    /// Since when each role could go on, in turns.
    ready: Vec<Option<u64>>,
    turn: u64,
    /// Set after `EAGAIN`, so that a polling role yields the baton.
    yields: bool,
    /// Whether it has been reported that the call which is being made has begun.
    begun: bool,
    /// When each role began the call that it is in.
    began: Vec<Instant>,
    /// When a role last did something.
    still_since: Instant,
}

/// What came of giving the kernel time.
enum Passed {
    /// A role can go, or a frame is on its way.
    Something,
    /// No timer runs any more.
    Nothing,
    /// Timers go on and on, and move no role.
    TooLong,
}

/// While it lives, this process and the roles that it starts share one processor. Only one of them acts at a time,
/// and a baton that stays where it is passes in a fraction of the time: 22 µs a call instead of 58 on the two
/// processors of the machine that this was measured on.
pub(super) struct OneProcessor(Option<CpuSet>);

impl OneProcessor {
    pub fn new() -> OneProcessor {
        let before = sched_getaffinity(None).ok();
        let mut here = CpuSet::new();
        here.set(sched_getcpu());
        // Where it is refused, the play is slower and otherwise the same.
        let _ = sched_setaffinity(None, &here);
        OneProcessor(before)
    }
}

impl Drop for OneProcessor {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = sched_setaffinity(None, before);
        }
    }
}

/// Plays a scene to its end.
pub(super) fn run(roles: Roles<'_, '_>) -> std::io::Result<Ending> {
    let states = RoleStates::new(roles.actors.len());
    let ready = vec![None; roles.actors.len()];
    let now = Instant::now();
    let began = vec![now; roles.actors.len()];
    let mut baton = Baton { roles, states, ready, turn: 0, yields: false, begun: false, began, still_since: now };
    match baton.play_out() {
        Ok(Ending::Done | Ending::Waiting(_) | Ending::LoopsForever | Ending::Endless) if baton.roles.was_slow => {
            Ok(Ending::Void)
        }
        Ok(ending) => Ok(ending),
        Err(stop) => stop.ending(),
    }
}

impl Baton<'_, '_> {
    fn play_out(&mut self) -> Step<Ending> {
        for role in self.states.all() {
            self.settle(role)?;
        }
        let mut holder: Option<usize> = None;
        let mut calls = 0;
        loop {
            self.mark_ready_roles()?;
            let goes_on =
                holder.filter(|role| self.ready[*role].is_some() && calls < MAX_CALLS_IN_A_ROW && !self.yields);
            self.yields = false;
            match goes_on.or_else(|| self.ready_longest()) {
                Some(role) => {
                    calls = if holder == Some(role) { calls + 1 } else { 0 };
                    holder = Some(role);
                    self.turn += 1;
                    self.go(role)?;
                    self.wake()?;
                    let mut loops_forever = self.roles.loops_forever(role);
                    // One that loops for ever would never let another act.
                    self.yields |= loops_forever;
                    // Who never waits leaves no time for what is on its way: it arrives between two rounds.
                    if loops_forever && let Some(soon) = self.roles.next_arrival() {
                        self.wait_a_while(soon)?;
                        // A role may have been woken by it, and have done something in between.
                        loops_forever = self.roles.loops_forever(role);
                    }
                    if loops_forever && self.no_other_role_moves(role) && !self.end_a_pause()? {
                        let waiting = self.states.all_waiting(&self.roles, Some(role));
                        self.roles.find_loop(role, waiting)?;
                        return Ok(self.states.ending(Ending::LoopsForever));
                    }
                }
                None => {
                    holder = None;
                    if let Some(ending) = self.no_role_can_go()? {
                        return Ok(ending);
                    }
                }
            }
        }
    }

    /// Waits until a role says what comes next.
    fn settle(&mut self, role: usize) -> Step<()> {
        match self.hear(role)? {
            Heard::Next(Act::Prompt(prompt), _) if self.roles.actors[role].slow => {
                self.states[role] = State::Typing(prompt, self.turn);
                Ok(())
            }
            Heard::Next(act, _) => {
                self.states[role] = State::Next(act);
                if !self.can_go(role)
                    && let Some(waiting) = self.states.waiting(&self.roles, role)
                {
                    self.roles.emit(Some(role), What::Wait(waiting))?;
                }
                Ok(())
            }
            Heard::Gone => self.bury(role, None),
            Heard::Done(..) | Heard::Silence => Err(self.roles.hung(role)),
        }
    }

    /// Lets a role do what comes next, up to the thing after it.
    fn go(&mut self, role: usize) -> Step<()> {
        self.ready[role] = None;
        self.still_since = Instant::now();
        let State::Next(act) = std::mem::replace(&mut self.states[role], State::Running) else { return Ok(()) };
        match act {
            Act::Call(call, wait) => return self.make(role, *call, wait),
            Act::Say(text) => self.roles.emit(Some(role), What::Print { text })?,
            Act::Note(text) => self.roles.emit(Some(role), What::Note { text })?,
            Act::Made(mut call) => {
                self.roles.name_all(role, &mut call);
                self.roles.look_at(role, &mut call);
                let stirred = self.roles.stirred_by(role, &call);
                self.roles.emit(Some(role), What::Call(*call))?;
                self.roles.forward(stirred)?;
                self.roles.look_around()?;
            }
            Act::Prompt(prompt) => return self.type_line(role, prompt),
            Act::Meet(text) => {
                self.roles.emit(Some(role), What::Meet { text })?;
                self.states[role] = State::Pausing(self.turn);
                return Ok(());
            }
            Act::End(result) => {
                self.roles.answer(role, &ToRole::Go);
                return self.bury(role, result.err());
            }
        }
        self.roles.answer(role, &ToRole::Go);
        self.settle(role)
    }

    /// Lets a role's user type the next line.
    fn type_line(&mut self, role: usize, prompt: String) -> Step<()> {
        let typed = role_state::type_line(&mut self.roles, role, prompt);
        self.roles.emit(Some(role), typed)?;
        self.settle(role)
    }

    /// Lets a role make its call, until it returns or sleeps.
    fn make(&mut self, role: usize, mut call: Call, wait: Wait) -> Step<()> {
        if call.name == Syscall::Close {
            self.roles.let_go(role, call.fd);
        }
        // What a timer has sent meanwhile is not this call's doing.
        self.roles.forward(Stirred::default())?;
        // Of one that was made because no role can act, it has been reported that it waits.
        let reported = matches!(wait, Wait::Until(what) if call.fd.is_some() || what == For::Time);
        self.began[role] = Instant::now();
        self.roles.answer(role, &ToRole::Go);
        match self.returns(role, wait, Some(&call))? {
            Some(done) => {
                // The call that killed its role is one of which nothing else is told.
                if matches!(done, Heard::Gone) {
                    self.begin(role, &call)?;
                } else if let Heard::Done(made, _) = &done
                    && matches!(wait, Wait::PerhapsUntil(_))
                    && self.had_its_time(role, made)
                {
                    // It has slept, though we were too slow to see it.
                    let waiting = self.roles.waiting(role, &call, wait);
                    if !self.begun {
                        self.begin(role, &call)?;
                        self.roles.forward(Stirred::default())?;
                    }
                    if let Some(waiting) = waiting {
                        self.roles.emit(Some(role), What::Wait(waiting))?;
                    }
                    self.roles.look_around()?;
                }
                self.record(role, done, wait)
            }
            None if wait == Wait::Never => Err(self.roles.hung(role)),
            None => {
                self.roles.name_all(role, &mut call);
                self.states[role] = State::InCall(Box::new(call.clone()), wait);
                if reported {
                    return Ok(());
                }
                self.begin(role, &call)?;
                if let Some(waiting) = self.states.waiting(&self.roles, role) {
                    self.roles.emit(Some(role), What::Wait(waiting))?;
                }
                self.roles.look_around()
            }
        }
    }

    /// Reports that a role's call has begun, unless it has been.
    fn begin(&mut self, role: usize, call: &Call) -> Step<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let mut call = call.clone();
        self.roles.name_all(role, &mut call);
        self.roles.emit(Some(role), What::Begin(call))
    }

    /// Waits for a call to return: `None` if the kernel shows the role asleep in it, which only some calls may be.
    ///
    /// The frames that it sends while it sleeps are handed on meanwhile; before the first of them it is reported that
    /// `call` has begun, unless it has been.
    fn returns(&mut self, role: usize, wait: Wait, call: Option<&Call>) -> Step<Option<Heard>> {
        self.begun = false;
        if wait == Wait::Never && self.roles.wire.is_none() {
            return self.hear(role).map(Some);
        }
        let began = Instant::now();
        let mut asleep = 0;
        while began.elapsed() < self.roles.patience {
            match self.roles.hear_or_see(role, LOOK)? {
                Heard::Silence => {}
                heard => return Ok(Some(heard)),
            }
            if self.roles.frame_is_ready() && self.roles.sleeps(role) {
                if let Some(call) = call {
                    self.begin(role, call)?;
                }
                self.roles.forward(Stirred::default())?;
                asleep = 0;
                continue;
            }
            if self.roles.frames_under_way() {
                continue;
            }
            asleep = if self.roles.sleeps(role) { asleep + 1 } else { 0 };
            if asleep == LOOKS && wait != Wait::Never {
                self.roles.lets_time_pass();
                return Ok(None);
            }
        }
        Err(self.roles.hung(role))
    }

    /// Records that a call that may have waited so returned, and what else that changed.
    fn record(&mut self, role: usize, heard: Heard, wait: Wait) -> Step<()> {
        match heard {
            Heard::Done(mut call, _) => {
                self.roles.look_at(role, &mut call);
                // A poll that gives 0 has had the time that it asked for: how late it was is the machine's affair.
                if wait.is_timed() && call.has_run_out() && call.name != Syscall::Poll {
                    // How late it was told is the machine's affair, too.
                    let passed = self.began[role].elapsed();
                    let passed = self.roles.limit(role, &call).filter(|limit| *limit <= passed).unwrap_or(passed);
                    call.after = Some(class_of_time(passed.as_millis() as u64).into());
                }
                self.states[role] = State::Running;
                self.yields = call.errno == Some(Errno::EAGAIN);
                let stirred = self.roles.stirred_by(role, &call);
                self.roles.emit(Some(role), What::Call(call))?;
                self.roles.forward(stirred)?;
                self.roles.look_around()?;
                self.settle(role)
            }
            Heard::Gone => self.bury(role, None),
            Heard::Next(..) | Heard::Silence => Err(self.roles.hung(role)),
        }
    }

    /// Whether a call that has a deadline returned because that was over, and not at once.
    fn had_its_time(&self, role: usize, call: &Call) -> bool {
        let limit = self.roles.limit(role, call);
        call.has_run_out() && limit.is_some_and(|limit| !limit.is_zero() && limit <= self.began[role].elapsed())
    }

    /// Looks at the roles that are asleep in a call: one that was woken returns before any acts.
    fn wake(&mut self) -> Step<()> {
        for role in self.states.all() {
            if let State::InCall(_, wait) = self.states[role]
                && !self.roles.sleeps(role)
                && let Some(done) = self.returns(role, wait, None)?
            {
                self.record(role, done, wait)?;
            }
        }
        Ok(())
    }

    /// Marks the roles that can go on. What made one ready may have ended the call that another one is asleep in, just
    /// after we watched: that call returns first.
    fn mark_ready_roles(&mut self) -> Step<()> {
        loop {
            let mut any_new = false;
            for role in self.states.all() {
                if self.ready[role].is_none() && self.can_go(role) {
                    self.ready[role] = Some(self.turn);
                    any_new = true;
                }
            }
            if !any_new || !self.states.any(|state| matches!(state, State::InCall(..))) {
                return Ok(());
            }
            self.wake()?;
        }
    }

    fn can_go(&self, role: usize) -> bool {
        match &self.states[role] {
            State::Next(Act::Call(_, Wait::Until(For::Time))) => false,
            State::Next(Act::Call(call, Wait::Readable(_) | Wait::Until(_))) => self.roles.returns_at_once(role, call),
            State::Next(_) => true,
            _ => false,
        }
    }

    /// Whether no other role can go, and nothing is on its way to any.
    fn no_other_role_moves(&self, role: usize) -> bool {
        let others_wait = self.states.all().all(|other| other == role || !self.can_go(other));
        others_wait && self.roles.next_arrival().is_none()
    }

    fn ready_longest(&self) -> Option<usize> {
        let ready = |role: &usize| self.ready[*role].map(|since| (since, *role));
        (0..self.ready.len()).filter_map(|role| ready(&role)).min().map(|(_, role)| role)
    }

    /// Lets what is on the way arrive, or ends the first pause, or gives the kernel time, or finds that it is over.
    fn no_role_can_go(&mut self) -> Step<Option<Ending>> {
        if let Some(soon) = self.roles.next_arrival() {
            self.wait_a_while(soon)?;
            return Ok(None);
        }
        if self.end_a_pause()? {
            return Ok(None);
        }
        if let Some(role) = self.states.first(|state| matches!(state, State::Next(Act::Call(_, Wait::Until(_))))) {
            // Its time begins now.
            self.go(role)?;
            return Ok(None);
        }
        let waiting = self.states.all_waiting(&self.roles, None);
        if waiting.is_empty() && self.roles.wire.is_none() {
            return Ok(Some(self.states.ending(Ending::Done)));
        }
        match self.time_passes()? {
            Passed::Something => Ok(None),
            Passed::Nothing if waiting.is_empty() => Ok(Some(self.states.ending(Ending::Done))),
            Passed::Nothing => {
                self.roles.find_waiting(waiting.clone())?;
                Ok(Some(self.states.ending(Ending::Waiting(waiting))))
            }
            Passed::TooLong => {
                self.roles.find_endless(waiting)?;
                Ok(Some(self.states.ending(Ending::Endless)))
            }
        }
    }

    /// Ends the pause that was reached first, or lets the slow user type who was asked first; whether there was one.
    fn end_a_pause(&mut self) -> Step<bool> {
        match self.states.end_first_pause() {
            None => return Ok(false),
            Some((role, Some(prompt))) => self.type_line(role, prompt)?,
            Some((role, None)) => {
                self.roles.answer(role, &ToRole::Go);
                self.settle(role)?;
            }
        }
        Ok(true)
    }

    /// Gives the kernel time while a timer of its own runs, until a role can go or a frame is on its way.
    fn time_passes(&mut self) -> Step<Passed> {
        loop {
            let moved = self.roles.let_frames_come()?;
            if !moved
                && self.roles.next_arrival().is_none()
                && !self.states.any_in_timed_call()
                && !self.roles.timers_run()
            {
                // The last timer may have gone off between the two looks, and have woken a role.
                return Ok(if self.any_role_is_ready()? { Passed::Something } else { Passed::Nothing });
            }
            if self.still_since.elapsed() > self.roles.patience {
                return Ok(Passed::TooLong);
            }
            if self.any_role_is_ready()? || self.roles.next_arrival().is_some() {
                return Ok(Passed::Something);
            }
            // What a timer has sent meanwhile may be held back.
            if moved {
                continue;
            }
            self.wait_a_while(Duration::from_millis(50))?;
            if self.any_role_is_ready()? {
                return Ok(Passed::Something);
            }
        }
    }

    /// Waits until something happens, but no longer than this, and lets what has come arrive.
    fn wait_a_while(&mut self, longest: Duration) -> Step<()> {
        let calls: Vec<_> =
            self.states.all().map(|role| (role, self.states.pending_call(role).and_then(|c| c.fd))).collect();
        self.roles.wait_for_any(&calls, longest)?;
        self.roles.lets_time_pass();
        self.roles.let_frames_come()?;
        self.wake()
    }

    fn any_role_is_ready(&mut self) -> Step<bool> {
        self.wake()?;
        self.mark_ready_roles()?;
        Ok(self.ready.iter().any(Option::is_some))
    }

    fn hear(&mut self, role: usize) -> Step<Heard> {
        self.roles.hear(role, self.roles.patience)
    }

    /// A role's process has ended, or is about to.
    fn bury(&mut self, role: usize, error: Option<String>) -> Step<()> {
        let Some(exit) = self.states.end(&mut self.roles, role, error)? else {
            return Err(self.roles.hung_after_its_end(role));
        };
        self.roles.emit(Some(role), What::Exit(exit))?;
        self.roles.forward(Stirred::default())?;
        // The sockets of one that was killed were closed by the kernel.
        self.roles.look_around()
    }
}
