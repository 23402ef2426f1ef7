//! What the stage asks of the wire, where there is one: without a wire, nothing is carried, and nothing is on its way.

use std::time::Duration;

use rustix::event::PollFlags;

use super::carrier::{self, Carrier, Stirred};
use super::roles::{Heard, Roles, Step};
use crate::probe;
use crate::trace::{Call, SocketOption};
use crate::wire::Wire;

impl<'p, 't> Roles<'p, 't> {
    /// Whether a frame is ready to be taken.
    pub fn frame_is_ready(&self) -> bool {
        let ready = |end| probe::ready(end, PollFlags::IN);
        self.wire.as_ref().is_some_and(|wire| wire.ends().into_iter().any(ready))
    }

    /// Which host a call that has returned may have made acknowledge something: to read is to make room.
    pub fn stirred_by(&self, role: usize, call: &Call) -> Stirred {
        let mut stirred = Stirred::default();
        let has_read = call.name.receives() && call.ret.is_some_and(|len| len > 0);
        stirred.hosts[self.actors[role].side] = has_read;
        if call.option() == Some(SocketOption::QuickAck) {
            stirred.asked = self.connection_of(role, call.fd);
        }
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
    /// scene for which that took too long is void.
    pub fn frames_under_way(&mut self) -> Step<bool> {
        let any = self.wire.as_mut().is_some_and(carrier::frames_under_way);
        if self.wire.as_ref().is_some_and(Wire::was_slow) {
            self.void()?;
        }
        Ok(any)
    }

    /// Hands on what both hosts have sent, until they are silent.
    pub fn forward(&mut self, stirred: Stirred) -> Step<()> {
        self.with_carrier(|carrier| carrier.carry(stirred, false)).map(Option::unwrap_or_default)
    }

    /// The same while no role can act: the next frame that was kept goes on, if its time has come, or else one that
    /// nothing else brought about, which is a timer's. Whether anything moved: then a role may be able to act, and what
    /// timers send is held back again.
    pub fn let_frames_come(&mut self) -> Step<bool> {
        self.with_carrier(|carrier| carrier.let_frames_come()).map(Option::unwrap_or_default)
    }

    /// Does something with the wire, where there is one.
    fn with_carrier<T>(&mut self, act: impl FnOnce(&mut Carrier<'_, 'p, 't>) -> Step<T>) -> Step<Option<T>> {
        let Some(wire) = self.wire.take() else { return Ok(None) };
        let mut carrier = Carrier { roles: self, wire };
        let result = act(&mut carrier);
        let Carrier { roles, wire } = carrier;
        roles.wire = Some(wire);
        result.map(Some)
    }

    /// How long it is until the next frame that is on its way arrives, if there is one.
    pub fn next_arrival(&self) -> Option<Duration> {
        self.wire.as_ref().and_then(Wire::next_arrival)
    }

    /// Notes that time is let pass.
    pub fn lets_time_pass(&mut self) {
        if let Some(wire) = &mut self.wire {
            wire.lets_time_pass();
        }
    }
}
