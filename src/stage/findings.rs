//! What the stage finds about a scene as a whole: who waits for what, and how it ended.

use super::Ending;
use super::roles::{Roles, Step, Stop};
use crate::trace::{Call, Finding, Wait, Waiting, What};

impl Roles<'_, '_> {
    /// Who waits, in which call, for what.
    pub fn waiting(&self, role: usize, call: &Call, wait: Wait) -> Option<Waiting> {
        let role = self.actors[role].name.clone();
        Some(Waiting { role, call: call.name, fd: call.fd, waits_for: wait.what()?, timed: wait.is_timed() })
    }

    /// Reports that those who are left wait for ever.
    pub fn find_waiting(&mut self, waiting: Vec<Waiting>) -> Step<()> {
        let (finding, text) = match waiting.len() {
            1 => (Finding::NobodyIsLeft, "nobody is left who could end this wait"),
            _ => (Finding::EveryoneWaits, "everyone waits; nobody will ever move"),
        };
        self.emit(None, What::Finding { finding, waiting, text: text.into() })
    }

    /// Reports that a role loops for ever.
    pub fn find_loop(&mut self, role: usize, waiting: Vec<Waiting>) -> Step<()> {
        let name = &self.actors[role].name;
        let text = format!("{name} does the same again and again and never waits; nobody is left who could stop it");
        self.emit(None, What::Finding { finding: Finding::RoleGoesRound, waiting, text })
    }

    /// Reports that the kernel's timers go on and move no role, and that this is not waited for any longer.
    pub fn find_endless(&mut self, waiting: Vec<Waiting>) -> Step<()> {
        let patience = self.patience.as_secs();
        let text = format!("a timer of the kernel's still runs; after {patience} s it is not waited for any longer");
        self.emit(None, What::Finding { finding: Finding::TimerRuns, waiting, text })
    }

    /// Reports that a role neither waits nor came back, and ends the scene.
    pub fn hung(&mut self, role: usize) -> Stop {
        let doing = self.actors[role].player.describe();
        let text = format!("did not come back within {} s: {doing}", self.patience.as_secs());
        self.hangs(role, &text, doing)
    }

    /// Reports that a role has closed its channel to the stage and goes on running, and ends the scene.
    pub fn hung_after_its_end(&mut self, role: usize) -> Stop {
        let doing = self.actors[role].player.describe();
        let patience = self.patience.as_secs();
        let text = format!("closed its channel to the stage, but did not end within {patience} s: {doing}");
        self.hangs(role, &text, format!("{doing}, with its channel to the stage closed"))
    }

    fn hangs(&mut self, role: usize, text: &str, doing: String) -> Stop {
        let name = self.actors[role].name.clone();
        let text = format!("{name} {text}");
        match self.emit(None, What::Finding { finding: Finding::RoleHangs, waiting: Vec::new(), text }) {
            Ok(()) => Stop::Ending(Ending::Hung { role: name, doing }),
            Err(stop) => stop,
        }
    }
}
