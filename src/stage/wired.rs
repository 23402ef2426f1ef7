//! Roles on two hosts: what the wire carries between their steps.
//!
//! What comes out of a host without a timer is handed on at once, again and again, until both hosts are silent. An
//! acknowledgement that a timer sends while somebody can act is held until nobody can: so it stands at the same place
//! at every run, whether the machine was quick or slow. If its host says the same in a later frame meanwhile, that
//! frame takes its place.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::closed_connection::Pair;
use super::role;
use super::roles::{Heard, Roles, Step, Stop};
use super::{Ending, WhenSlow};
use crate::probe;
use crate::trace::{Call, Data, Fate, Frame, SocketOption, What};
use crate::wire::{self, Seen, Wire};

/// What may have made a host send: then its acknowledgements are no timer's.
#[derive(Clone, Copy, Default)]
pub(super) struct Stirred {
    hosts: [bool; 2],
    /// The connection for which a call asked to acknowledge at once, its own address first: even what is delayed
    /// otherwise.
    asked: Option<Pair>,
}

impl Roles<'_, '_> {
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
    /// machine that is busy with something else for a second is not waited for any longer, and too slow.
    pub fn frames_under_way(&mut self) -> bool {
        const LONGEST: Duration = Duration::from_secs(1);
        if self.wire.is_none() || !probe::packets_under_way() {
            return false;
        }
        let began = Instant::now();
        while probe::packets_under_way() && began.elapsed() < LONGEST {
            rustix::thread::sched_yield();
        }
        if began.elapsed() >= LONGEST
            && let Some(wire) = &mut self.wire
        {
            wire.notes_slowness();
        }
        true
    }

    /// Hands on what both hosts have sent, until they are silent.
    pub fn forward(&mut self, stirred: Stirred) -> Step<()> {
        self.carry(stirred, false)
    }

    /// The same while nobody can act: the next frame that was kept goes on, if its time has come, or else one that
    /// nothing else brought about, which is a timer's. Whether anything moved: then somebody may be able to act, and
    /// what timers send is held back again.
    pub fn let_frames_come(&mut self) -> Step<bool> {
        let before = self.frames;
        let Some(kept) = self.wire.as_mut().and_then(Wire::due) else {
            self.carry(Stirred::default(), true)?;
            if self.frames != before {
                self.look_around()?;
            }
            return Ok(self.frames != before);
        };
        let to = 1 - kept.seen.from;
        let mut stirred = Stirred::default();
        stirred.hosts[to] = match kept.frame {
            Some(frame) => self.arrive(frame, &kept.seen)?,
            // Sent again only because we were slow: the acknowledgement was on its way to its sender.
            None if self.wire.as_ref().is_some_and(|wire| wire.is_acknowledged(&kept.seen)) => {
                self.emit_overtaken(vec![kept.seen])?;
                false
            }
            None => self.set_out(kept.seen, true)?,
        };
        self.carry(stirred, false)?;
        self.look_around()?;
        Ok(true)
    }

    /// How long it is until the next frame that is on its way arrives, if there is one.
    pub fn next_arrival(&self) -> Option<Duration> {
        self.wire.as_ref().and_then(Wire::next_arrival)
    }

    fn carry(&mut self, stirred: Stirred, mut nobody_can_act: bool) -> Step<()> {
        if self.wire.is_none() {
            return Ok(());
        }
        let Stirred { hosts: mut stirred, asked } = stirred;
        let somebody_can_act = !nobody_can_act;
        let began = wire::millis();
        // Its timer was faster than the call: it is handed on where it would have come without the timer.
        let early = asked.zip(self.wire.as_mut()).map(|((own, peer), wire)| wire.let_go_of(own, peer));
        for seen in early.into_iter().flatten() {
            let to = 1 - seen.from;
            stirred[to] |= self.set_out(seen, false)?;
        }
        loop {
            let mut silent = true;
            for from in 0..2 {
                while let Some(seen) = self.take(from)? {
                    silent = false;
                    // What was sent again before we began has waited for us to take it: a timer sent it.
                    let is_asked = asked.is_some_and(|(own, peer)| seen.is_from(own, peer));
                    let delayed = !stirred[from] || seen.delayed;
                    let by_itself = delayed && !is_asked || seen.again && !seen.is_since(began);
                    if by_itself && !nobody_can_act && seen.may_be_a_timers() {
                        // That of a goodbye comes within milliseconds, and changes nothing.
                        if !seen.goodbye && somebody_can_act {
                            self.void()?;
                        }
                        let overtaken = self.wire.as_mut().map(|wire| wire.hold_back(seen)).unwrap_or_default();
                        self.emit_overtaken(overtaken)?;
                        continue;
                    }
                    // We were slow: it was sent again for want of an answer that had come, or waits to be taken.
                    if seen.again && self.is_answered(&seen, nobody_can_act) {
                        self.emit_overtaken(vec![seen])?;
                        continue;
                    }
                    let by_timer = nobody_can_act && by_itself;
                    stirred[1 - from] |= self.set_out(seen, by_timer)?;
                    nobody_can_act = false;
                }
            }
            if self.wire.as_ref().is_some_and(Wire::was_slow) {
                self.void()?;
            }
            if silent && !self.frames_under_way() {
                return Ok(());
            }
        }
    }

    /// Does what is to be done where the machine is too slow for the scene.
    fn void(&mut self) -> Step<()> {
        match self.when_slow {
            WhenSlow::Void => return Err(Stop::Ending(Ending::Void)),
            WhenSlow::Report => self.was_slow = true,
            WhenSlow::Ignore => {}
        }
        Ok(())
    }

    /// Notes that time is let pass.
    pub fn lets_time_pass(&mut self) {
        if let Some(wire) = &mut self.wire {
            wire.lets_time_pass();
        }
    }

    /// Whether all of a frame was handed on before and is acknowledged, or will be by what its receiver has sent since.
    fn is_answered(&self, seen: &Seen, nobody_can_act: bool) -> bool {
        let Some(wire) = &self.wire else { return false };
        let answers = nobody_can_act && probe::ready(wire.ends()[1 - seen.from], PollFlags::IN);
        wire.is_acknowledged(seen) || answers && wire.has_delivered(seen)
    }

    fn take(&mut self, from: usize) -> Step<Option<Seen>> {
        Ok(match &mut self.wire {
            Some(wire) => wire.take(from)?,
            None => None,
        })
    }

    /// Sends a frame on its way, with what befalls it there. Whether it has arrived and is answered without a timer.
    fn set_out(&mut self, mut seen: Seen, by_timer: bool) -> Step<bool> {
        for address in [seen.packet.from, seen.packet.to].into_iter().flatten() {
            self.learn_of(address);
        }
        self.look_between_frames()?;
        let Some(wire) = &mut self.wire else { return Ok(false) };
        let overtaken = wire.overtake(&seen);
        let names = &self.names;
        let mut frame = wire.describe(&seen, |address| names.of_end(address), by_timer);
        if self.watch.options {
            frame.remark = frame.remark.or_else(|| wire::offers(&seen));
        }
        let action = wire.apply(&frame);
        frame.fate = action.fate;
        if frame.fate == Fate::Corrupted {
            seen.corrupt();
            frame.payload = Data::new(&seen.bytes[seen.packet.payload.clone()]);
            frame.bytes = Data::whole(&seen.bytes);
            frame.remark = Some("its last byte changed".into());
        }
        if self.watch.bytes || self.watch.bytes_of.contains(&frame.number) {
            frame.layers = wire::take_apart(&seen.bytes, &|address| self.names.of_end(address));
        }
        self.emit_overtaken(overtaken)?;
        match action.hold.filter(|_| frame.fate != Fate::Dropped) {
            None if frame.fate == Fate::Dropped => self.emit_frame(frame).map(|()| false),
            None => self.arrive(frame, &seen),
            Some(hold) => {
                frame.held = Some(hold.text.clone());
                let leaves = Frame { fate: Fate::Held, ..frame.clone() };
                if let Some(wire) = &mut self.wire {
                    wire.keep(seen, frame, &hold);
                }
                self.emit_frame(leaves).map(|()| false)
            }
        }
    }

    /// Hands a frame to the other host, and what was to come behind it. Whether that host answers without a timer.
    fn arrive(&mut self, frame: Frame, seen: &Seen) -> Step<bool> {
        let Some(wire) = &mut self.wire else { return Ok(false) };
        let mut answers = wire.pass(seen, frame.fate)?;
        self.emit_frame(frame)?;
        self.look_between_frames()?;
        while let Some(kept) = self.wire.as_mut().and_then(|wire| wire.let_through_behind(seen.from)) {
            if let Some(frame) = kept.frame {
                answers |= self.arrive(frame, &kept.seen)?;
            }
        }
        Ok(answers)
    }

    /// Tells what one frame alone has changed, where the scene asks for it.
    fn look_between_frames(&mut self) -> Step<()> {
        if !self.watch.all_states {
            return Ok(());
        }
        self.frames_under_way();
        self.look_around()
    }

    /// Tells of acknowledgements that later frames have made needless.
    fn emit_overtaken(&mut self, overtaken: Vec<Seen>) -> Step<()> {
        for seen in overtaken {
            let Some(wire) = &mut self.wire else { return Ok(()) };
            let names = &self.names;
            let frame = wire.describe_overtaken(&seen, |address| names.of_end(address));
            self.emit(None, What::Frame(frame))?;
        }
        Ok(())
    }

    fn emit_frame(&mut self, frame: Frame) -> Step<()> {
        self.frames += 1;
        if !self.free {
            return self.emit(None, What::Frame(frame));
        }
        // Who could act meanwhile is not known, so neither is what a timer did.
        self.pending_frames.push((role::now(), Frame { by_timer: false, after: None, ..frame }));
        Ok(())
    }

    /// Learns whose an address is that a frame shows before its call has returned.
    fn learn_of(&mut self, address: SocketAddr) {
        let mut there = self.actors.iter().filter(|actor| actor.home == address.ip());
        let owner = self.actors.iter().find(|actor| actor.has(address));
        // Free-running there are no copies of sockets to ask. Alone on its host, it can only be his.
        let alone = there.next().filter(|_| self.free && there.next().is_none());
        if let Some(owner) = owner.or(alone) {
            self.names.learn(address, &owner.name, address.ip());
        }
    }
}
