//! What happens while no role can act: frames arrive, pauses end, the kernel is given time.

use std::time::Duration;

use super::Baton;
use crate::stage::Ending;
use crate::stage::channel::{Act, ToRole};
use crate::stage::role_state::State;
use crate::stage::roles::Step;
use crate::trace::Wait;

/// What came of giving the kernel time.
enum Passed {
    /// A role can go, or a frame is on its way.
    Something,
    /// No timer runs any more.
    Nothing,
    /// Timers go on and on, and move no role.
    TooLong,
}

impl Baton<'_, '_> {
    /// Lets what is on the way arrive, or ends the first pause, or gives the kernel time, or finds that it is over.
    pub(super) fn no_role_can_go(&mut self) -> Step<Option<Ending>> {
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
    pub(super) fn end_a_pause(&mut self) -> Step<bool> {
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
    pub(super) fn wait_a_while(&mut self, longest: Duration) -> Step<()> {
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
}
