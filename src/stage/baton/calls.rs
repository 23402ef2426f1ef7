//! A call that the holder of the baton makes, until it returns or the kernel has put the role to sleep in it.

use std::time::{Duration, Instant};

use super::Baton;
use crate::stage::carrier::Stirred;
use crate::stage::channel::ToRole;
use crate::stage::role_state::State;
use crate::stage::roles::{Heard, Step};
use crate::trace::{Call, Errno, For, Syscall, Wait, What, class_of_time};

/// Consecutive samples, [`LOOK`] apart, in which a call must be seen sleeping before it counts as blocked. Samples are
/// counted rather than time, so a descheduled stage does not mistake its own pause for the role's.
const LOOKS: u32 = 30;
const LOOK: Duration = Duration::from_millis(1);

impl Baton<'_, '_> {
    /// Lets a role make its call, until it returns or sleeps.
    pub(super) fn make(&mut self, role: usize, mut call: Call, wait: Wait) -> Step<()> {
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
            if self.roles.frames_under_way()? {
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
                if wait.is_timed() && call.has_run_out() && !call.name.polls() {
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
                self.welcome()?;
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
    pub(super) fn wake(&mut self) -> Step<()> {
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
}
