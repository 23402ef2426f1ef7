//! Roles on two hosts: what the wire carries between their steps.
//!
//! What comes out of a host without a timer is handed on at once, again and again, until both hosts are silent. An
//! acknowledgement that a timer sends while a role can act is held until none can: so it stands at the same place at
//! every run, whether the machine was quick or slow. If its host says the same in a later frame meanwhile, that frame
//! takes its place.

use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::closed_connection::Pair;
use super::roles::{Roles, Step};
use crate::probe;
use crate::trace::{Data, Fate, Frame, What};
use crate::wire::{self, Seen, Wire};

/// What may have made a host send: then its acknowledgements are no timer's.
#[derive(Clone, Copy, Default)]
pub(super) struct Stirred {
    pub hosts: [bool; 2],
    /// The connection for which a call asked to acknowledge at once, its own address first: even what is delayed
    /// otherwise.
    pub asked: Option<Pair>,
}

/// The wire of a scene while it carries frames, and the roles whose frames they are.
pub(super) struct Carrier<'r, 'p, 't> {
    pub roles: &'r mut Roles<'p, 't>,
    pub wire: Wire,
}

impl Carrier<'_, '_, '_> {
    /// Hands on what both hosts have sent, until they are silent. If no role can act, the first frame that a timer
    /// sent goes on, too.
    pub fn carry(&mut self, stirred: Stirred, mut no_role_can_act: bool) -> Step<()> {
        let Stirred { hosts: mut stirred, asked } = stirred;
        let a_role_can_act = !no_role_can_act;
        let began = wire::millis();
        // Its timer was faster than the call: it is handed on where it would have come without the timer.
        let early = asked.map(|(own, peer)| self.wire.let_go_of(own, peer));
        for seen in early.into_iter().flatten() {
            let to = 1 - seen.from;
            stirred[to] |= self.set_out(seen, false)?;
        }
        loop {
            let mut silent = true;
            for from in 0..2 {
                while let Some(seen) = self.wire.take(from)? {
                    silent = false;
                    // What was sent again before we began has waited for us to take it: a timer sent it.
                    let is_asked = asked.is_some_and(|(own, peer)| seen.is_from(own, peer));
                    let delayed = !stirred[from] || seen.delayed;
                    let by_itself = delayed && !is_asked || seen.again && !seen.is_since(began);
                    if by_itself && !no_role_can_act && seen.may_be_a_timers() {
                        // The ACK of a FIN comes within milliseconds, and changes nothing.
                        if !seen.only_acks_fin && a_role_can_act {
                            self.roles.void()?;
                        }
                        let overtaken = self.wire.hold_back(seen);
                        self.emit_overtaken(overtaken)?;
                        continue;
                    }
                    // We were slow: it was sent again for want of an answer that had come, or waits to be taken.
                    if seen.again && self.is_answered(&seen, no_role_can_act) {
                        self.emit_overtaken(vec![seen])?;
                        continue;
                    }
                    let by_timer = no_role_can_act && by_itself;
                    stirred[1 - from] |= self.set_out(seen, by_timer)?;
                    no_role_can_act = false;
                }
            }
            if self.wire.was_slow() {
                self.roles.void()?;
            }
            if silent && !frames_under_way(&mut self.wire) {
                return Ok(());
            }
        }
    }

    /// See [`Roles::let_frames_come`].
    pub fn let_frames_come(&mut self) -> Step<bool> {
        let before = self.roles.frames;
        let Some(kept) = self.wire.due() else {
            self.carry(Stirred::default(), true)?;
            if self.roles.frames != before {
                self.roles.look_around()?;
            }
            return Ok(self.roles.frames != before);
        };
        let to = 1 - kept.seen.from;
        let mut stirred = Stirred::default();
        stirred.hosts[to] = match kept.frame {
            Some(frame) => self.arrive(frame, &kept.seen)?,
            // Sent again only because we were slow: the acknowledgement was on its way to its sender.
            None if self.wire.is_acknowledged(&kept.seen) => {
                self.emit_overtaken(vec![kept.seen])?;
                false
            }
            None => self.set_out(kept.seen, true)?,
        };
        self.carry(stirred, false)?;
        self.roles.look_around()?;
        Ok(true)
    }

    /// Whether this is a needless retransmission: all of it was delivered, and the ACK has been delivered or is waiting
    /// to be.
    fn is_answered(&self, seen: &Seen, no_role_can_act: bool) -> bool {
        let answers = no_role_can_act && probe::ready(self.wire.ends()[1 - seen.from], PollFlags::IN);
        self.wire.is_acknowledged(seen) || answers && self.wire.has_delivered(seen)
    }

    /// Sends a frame on its way, with what happens to it there. Returns whether it has arrived and is answered without
    /// a timer.
    fn set_out(&mut self, mut seen: Seen, by_timer: bool) -> Step<bool> {
        for address in [seen.packet.from, seen.packet.to].into_iter().flatten() {
            self.roles.learn_of(address);
        }
        self.look_between_frames()?;
        let overtaken = self.wire.overtake(&seen);
        let names = &self.roles.names;
        let mut frame = self.wire.describe(&seen, |address| names.of_end(address), by_timer);
        if self.roles.watch.options {
            frame.remark = frame.remark.or_else(|| wire::offers(&seen));
        }
        if self.roles.watch.windows_of.iter().any(|role| frame.is_from(role)) {
            frame.remark = frame.remark.or_else(|| self.wire.window_of(&seen));
        }
        let action = self.wire.apply(&frame);
        frame.fate = action.fate;
        if frame.fate == Fate::Corrupted {
            seen.corrupt();
            frame.payload = Data::new(&seen.bytes[seen.packet.payload.clone()]);
            frame.bytes = Data::whole(&seen.bytes);
            frame.remark = Some("its last byte changed".into());
        }
        if self.roles.watch.bytes || self.roles.watch.bytes_of.contains(&frame.number) {
            frame.layers = wire::take_apart(&seen.bytes, &|address| self.roles.names.of_end(address));
        }
        self.emit_overtaken(overtaken)?;
        match action.hold.filter(|_| frame.fate != Fate::Dropped) {
            None if frame.fate == Fate::Dropped => self.roles.emit_frame(frame).map(|()| false),
            None => self.arrive(frame, &seen),
            Some(hold) => {
                frame.held = Some(hold.text.clone());
                let leaves = Frame { fate: Fate::Held, ..frame.clone() };
                self.wire.keep(seen, frame, &hold);
                self.roles.emit_frame(leaves).map(|()| false)
            }
        }
    }

    /// Hands a frame to the other host, and what was to come behind it. Whether that host answers without a timer.
    fn arrive(&mut self, frame: Frame, seen: &Seen) -> Step<bool> {
        let mut answers = self.wire.pass(seen, frame.fate)?;
        self.roles.emit_frame(frame)?;
        self.look_between_frames()?;
        while let Some(kept) = self.wire.let_through_behind(seen.from) {
            if let Some(frame) = kept.frame {
                answers |= self.arrive(frame, &kept.seen)?;
            }
        }
        Ok(answers)
    }

    /// Reports what one frame alone has changed, where the scene asks for it.
    fn look_between_frames(&mut self) -> Step<()> {
        if !self.roles.watch.all_states {
            return Ok(());
        }
        frames_under_way(&mut self.wire);
        self.roles.look_around()
    }

    /// Reports acknowledgements that later frames have made needless.
    fn emit_overtaken(&mut self, overtaken: Vec<Seen>) -> Step<()> {
        for seen in overtaken {
            let names = &self.roles.names;
            let frame = self.wire.describe_overtaken(&seen, |address| names.of_end(address));
            self.roles.emit(None, What::Frame(frame))?;
        }
        Ok(())
    }
}

/// Whether a host may have sent or received a frame that has not arrived: lets the kernel go on, if it is so. A machine
/// that is busy with something else for a second is not waited for any longer, and too slow.
pub(super) fn frames_under_way(wire: &mut Wire) -> bool {
    const LONGEST: Duration = Duration::from_secs(1);
    if !probe::packets_under_way() {
        return false;
    }
    let began = Instant::now();
    while probe::packets_under_way() && began.elapsed() < LONGEST {
        rustix::thread::sched_yield();
    }
    if began.elapsed() >= LONGEST {
        wire.notes_slowness();
    }
    true
}
