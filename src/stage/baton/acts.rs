//! What a role does with the baton, up to what it does next.

use std::time::Instant;

use super::Baton;
use crate::stage::carrier::Stirred;
use crate::stage::channel::{Act, ToRole};
use crate::stage::role_state::{self, State};
use crate::stage::roles::{Heard, Step};
use crate::trace::What;

impl Baton<'_, '_> {
    /// Waits until a role says what comes next.
    pub(super) fn settle(&mut self, role: usize) -> Step<()> {
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
    pub(super) fn go(&mut self, role: usize) -> Step<()> {
        self.ready[role] = None;
        self.still_since = Instant::now();
        let State::Next(act) = std::mem::replace(&mut self.states[role], State::Running) else { return Ok(()) };
        match act {
            Act::Call(call, wait) => return self.make(role, *call, wait),
            Act::Say(text) => self.roles.emit(Some(role), What::Print { text })?,
            Act::Begin => {}
            Act::Found(probe, fd) => self.roles.emit(Some(role), What::Probe { probe, fd })?,
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
    pub(super) fn type_line(&mut self, role: usize, prompt: String) -> Step<()> {
        let typed = role_state::type_line(&mut self.roles, role, prompt);
        self.roles.emit(Some(role), typed)?;
        self.settle(role)
    }

    /// A role's process has ended, or is about to.
    pub(super) fn bury(&mut self, role: usize, error: Option<String>) -> Step<()> {
        let Some(exit) = self.states.end(&mut self.roles, role, error)? else {
            return Err(self.roles.hung_after_its_end(role));
        };
        self.roles.emit(Some(role), What::Exit(exit))?;
        self.states.end_threads(&mut self.roles, role);
        self.roles.forward(Stirred::default())?;
        // The sockets of one that was killed were closed by the kernel.
        self.roles.look_around()
    }

    pub(super) fn hear(&mut self, role: usize) -> Step<Heard> {
        self.roles.hear(role, self.roles.patience)
    }
}
