//! What each role is doing: the one state machine of both ways of playing.

use std::ops::{Index, IndexMut};

use super::Ending;
use super::channel::{Act, ToRole};
use super::roles::{Roles, Step};
use crate::trace::{Call, Exit, Wait, Waiting, What};

/// What a role is doing, as far as the stage knows.
pub(super) enum State {
    /// It runs, between two acts.
    Running,
    /// It has said what comes next, and waits for the baton. Free-running no role does.
    Next(Act),
    /// It is in a call that may wait so. With the baton, the kernel has been seen to put it to sleep in it.
    InCall(Box<Call>, Wait),
    /// It pauses until no other role can act; with the turn, or free-running the time, at which it began to.
    Pausing(u64),
    /// At a prompt whose user answers only when no other role can act; with the turn, or free-running the time, at
    /// which it was reached.
    Typing(String, u64),
    /// Its process has ended.
    Ended,
}

/// What all roles of a scene are doing.
pub(super) struct RoleStates {
    states: Vec<State>,
    /// How the scene ends because a role failed: the first one.
    failed: Option<Ending>,
}

impl RoleStates {
    /// `count` roles that run.
    pub fn new(count: usize) -> RoleStates {
        RoleStates { states: (0..count).map(|_| State::Running).collect(), failed: None }
    }

    /// One more role, which runs.
    pub fn add(&mut self) {
        self.states.push(State::Running);
    }

    /// The numbers of the roles.
    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.states.len()
    }

    /// Whether any role is in a state of this kind.
    pub fn any(&self, is: impl FnMut(&State) -> bool) -> bool {
        self.states.iter().any(is)
    }

    /// The first role in a state of this kind.
    pub fn first(&self, is: impl FnMut(&State) -> bool) -> Option<usize> {
        self.states.iter().position(is)
    }

    /// Whether a role is in a call that has a deadline: time alone will move it.
    pub fn any_in_timed_call(&self) -> bool {
        self.any(|state| matches!(state, State::InCall(_, wait) if wait.is_timed()))
    }

    /// The call that a role waits to make, or is in.
    pub fn pending_call(&self, role: usize) -> Option<&Call> {
        match &self.states[role] {
            State::Next(Act::Call(call, _)) | State::InCall(call, _) => Some(call),
            _ => None,
        }
    }

    /// What a role waits for, if it waits in a call.
    pub fn waiting(&self, roles: &Roles<'_, '_>, role: usize) -> Option<Waiting> {
        match &self.states[role] {
            State::Next(Act::Call(call, wait @ (Wait::Readable(_) | Wait::Until(_)))) | State::InCall(call, wait) => {
                roles.waiting(role, call, *wait)
            }
            _ => None,
        }
    }

    /// What all roles wait for that wait in a call, but `except`.
    pub fn all_waiting(&self, roles: &Roles<'_, '_>, except: Option<usize>) -> Vec<Waiting> {
        self.all().filter(|role| Some(*role) != except).filter_map(|role| self.waiting(roles, role)).collect()
    }

    /// The role whose pause, or whose slow user's prompt, was reached first. It runs from now on; the prompt comes
    /// along.
    pub fn end_first_pause(&mut self) -> Option<(usize, Option<String>)> {
        let since = |(role, state): (usize, &State)| match state {
            State::Pausing(since) | State::Typing(_, since) => Some((*since, role)),
            _ => None,
        };
        let (_, role) = self.states.iter().enumerate().filter_map(since).min()?;
        match std::mem::replace(&mut self.states[role], State::Running) {
            State::Typing(prompt, _) => Some((role, Some(prompt))),
            _ => Some((role, None)),
        }
    }

    /// Takes leave of a role's process, which has ended or is about to. `None` if it goes on running for as long as the
    /// stage's patience.
    pub fn end(&mut self, roles: &mut Roles<'_, '_>, role: usize, error: Option<String>) -> Step<Option<Exit>> {
        self.states[role] = State::Ended;
        let Some(exit) = roles.reap(role, error)? else { return Ok(None) };
        if !exit.is_good() && !roles.is_meant_to_be_killed(role, &exit) {
            let role = roles.actors[role].name.clone();
            self.failed.get_or_insert(Ending::Failed { role, status: exit.status });
        }
        Ok(Some(exit))
    }

    /// The threads of a process that has ended have ended with it.
    pub fn end_threads(&mut self, roles: &mut Roles<'_, '_>, process: usize) {
        for role in self.all().filter(|role| *role != process) {
            if roles.actors[role].process == process {
                roles.actors[role].player.ends_with_its_process();
                self.states[role] = State::Ended;
            }
        }
    }

    /// How the scene ends: with the first role that failed, or else so.
    pub fn ending(&mut self, otherwise: Ending) -> Ending {
        self.failed.take().unwrap_or(otherwise)
    }
}

impl Index<usize> for RoleStates {
    type Output = State;

    fn index(&self, role: usize) -> &State {
        &self.states[role]
    }
}

impl IndexMut<usize> for RoleStates {
    fn index_mut(&mut self, role: usize) -> &mut State {
        &mut self.states[role]
    }
}

/// Lets a role's user type the next line, and answers the role. What is to be told of it.
pub(super) fn type_line(roles: &mut Roles<'_, '_>, role: usize, prompt: String) -> What {
    let text = roles.line(role);
    roles.answer(role, &ToRole::Line(text.clone()));
    What::Input { prompt, text }
}
