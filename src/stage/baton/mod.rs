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

mod acts;
mod calls;
mod idle;

use std::time::Instant;

use super::Ending;
use super::channel::Act;
use super::role_state::{RoleStates, State};
use super::roles::{Roles, Step};
use crate::trace::{For, Wait};

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

    /// Takes in the processes and threads that a role has just made, up to what each does first.
    fn welcome(&mut self) -> Step<()> {
        while self.ready.len() < self.roles.actors.len() {
            let new = self.ready.len();
            self.states.add();
            self.ready.push(None);
            self.began.push(Instant::now());
            self.settle(new)?;
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
}
