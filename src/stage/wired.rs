//! Roles on two hosts: what the wire carries between their steps.
//!
//! What comes out of a host without a timer is handed on at once, again and again, until both hosts are silent. An
//! acknowledgement that a timer sends while somebody can act is held until nobody can: so it stands at the same place
//! at every run, whether the machine was quick or slow. If its host says the same in a later frame meanwhile, that
//! frame takes its place.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::event::PollFlags;

use super::troupe::{Heard, Step, Troupe};
use crate::probe;
use crate::trace::{Call, Fate, Frame, What};
use crate::wire::{Seen, Wire};

/// What may have made a host send: then its acknowledgements are no timer's.
#[derive(Clone, Copy, Default)]
pub(super) struct Stirred(pub [bool; 2]);

impl Troupe<'_, '_> {
    /// Whether a frame is ready to be taken.
    pub fn frame_is_ready(&self) -> bool {
        let ready = |end| probe::ready(end, PollFlags::IN);
        self.wire.as_ref().is_some_and(|wire| wire.ends().into_iter().any(ready))
    }

    /// Which host a call that has returned may have made acknowledge something: to read is to make room.
    pub fn stirred_by(&self, role: usize, call: &Call) -> Stirred {
        let mut stirred = Stirred::default();
        stirred.0[self.actors[role].side] = call.name.starts_with("recv") && call.ret.is_some_and(|len| len > 0);
        stirred
    }

    /// Waits at most `patience` for a role's next message, or for a frame.
    pub fn hear_or_see(&mut self, role: usize, patience: Duration) -> Step<Heard> {
        if self.wire.is_some() && (!self.speaks_or_sends(role, patience)? || self.frame_is_ready() && self.sleeps(role))
        {
            return self.hear(role, Duration::ZERO);
        }
        // It is not asleep, so it is about to say what its call returned.
        self.hear(role, patience)
    }

    /// Whether a host may have sent or received a frame that has not arrived: lets the kernel go on, if it is so. A
    /// machine that is busy with something else for long is not waited for.
    pub fn frames_under_way(&self) -> bool {
        const MOST: u32 = 10_000;
        if self.wire.is_none() {
            return false;
        }
        let still = |_: &u32| {
            let under_way = probe::packets_under_way();
            if under_way {
                rustix::thread::sched_yield();
            }
            under_way
        };
        (0..MOST).take_while(still).count() > 0
    }

    /// Hands on what both hosts have sent, until they are silent.
    pub fn forward(&mut self, stirred: Stirred) -> Step<()> {
        self.carry(stirred, false)
    }

    /// The same while nobody can act: now what was held goes on, and what comes is a timer's. Whether anything moved.
    pub fn let_frames_come(&mut self) -> Step<bool> {
        let before = self.frames;
        while let Some(held) = self.wire.as_mut().and_then(Wire::release) {
            self.hand_on(held, true)?;
            self.carry(Stirred([true, true]), true)?;
        }
        self.carry(Stirred::default(), true)?;
        Ok(self.frames != before)
    }

    fn carry(&mut self, stirred: Stirred, nobody_can_act: bool) -> Step<()> {
        let Stirred(mut stirred) = stirred;
        loop {
            let mut silent = true;
            for from in 0..2 {
                while let Some(seen) = self.take(from)? {
                    silent = false;
                    if !stirred[from] && !nobody_can_act && seen.only_acknowledges() {
                        if let Some(wire) = &mut self.wire {
                            wire.hold_back(seen);
                        }
                        continue;
                    }
                    stirred[1 - from] |= self.wire.as_mut().is_some_and(|wire| wire.is_answered_at_once(&seen));
                    self.hand_on(seen, nobody_can_act && !stirred[from])?;
                }
            }
            if silent && !self.frames_under_way() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, from: usize) -> Step<Option<Seen>> {
        Ok(match &mut self.wire {
            Some(wire) => wire.take(from)?,
            None => None,
        })
    }

    fn hand_on(&mut self, seen: Seen, by_timer: bool) -> Step<()> {
        for address in [seen.packet.from, seen.packet.to].into_iter().flatten() {
            self.learn_of(address);
        }
        let Some(wire) = &mut self.wire else { return Ok(()) };
        wire.overtake(&seen);
        let names = &self.names;
        self.frames += 1;
        let number = self.frames as u32;
        let frame = wire.describe(&seen, |address| names.of(address, address.ip()), by_timer, Fate::Passed);
        wire.pass(&seen)?;
        self.tell(None, What::Frame(Frame { number, ..frame }))
    }

    /// Learns whose an address is that a frame shows before its call has returned.
    fn learn_of(&mut self, address: SocketAddr) {
        let owner = self.actors.iter().find(|actor| actor.has(address));
        if let Some(owner) = owner {
            self.names.learn(address, &owner.name, address.ip());
        }
    }
}
