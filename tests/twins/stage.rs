//! Plays a scene with programs by hand. A step is made when all programs wait or have ended, and have printed what they
//! print before it in the scene: states that the kernel is asked for, and no time.

use std::time::Instant;

use rustix::event::{Timespec, poll};
use tempfile::TempDir;

use super::program::{Doing, Language, Program};
use super::script::{End, Moment, Script, Step};
use super::seen::common;
use crate::support::{Host, Lab, PATIENCE, read};

/// In how many looks in a row, 5 ms apart, everybody must be asleep: what is on its way on loopback has come by then.
const LOOKS: u32 = 3;

/// Plays it and compares what everybody sees in the end with the scene.
pub fn play(
    host: &Host,
    lab: &Lab,
    scene: u32,
    script: &Script,
    cast: &[Language],
    digits: bool,
) -> Result<(), String> {
    to_the_end(host, lab, scene, script, cast, digits)?.compare()
}

/// Plays it with roles of ours, and gives what everybody sees.
pub fn watch(host: &Host, lab: &Lab, scene: u32, script: &Script) -> Result<Vec<String>, String> {
    let cast: Vec<Language> = script.roles.iter().map(|_| Language::Ours).collect();
    let play = to_the_end(host, lab, scene, script, &cast, true)?;
    Ok(play.programs.into_iter().map(|program| program.map_or(String::new(), |program| program.seen.clone())).collect())
}

fn to_the_end<'a>(
    host: &'a Host,
    lab: &Lab,
    scene: u32,
    script: &'a Script,
    cast: &[Language],
    digits: bool,
) -> Result<Play<'a>, String> {
    let programs = cast.iter().map(|_| None).collect();
    let is_shared = read(&format!("labs/{}/main.rs", lab.folder)).contains(".in_one_folder()");
    let shared = is_shared.then(|| tempfile::tempdir().expect("a folder"));
    let shared = shared.as_ref().map(TempDir::path);
    let mut play = Play { host, script, programs, digits };
    for (moment, role, step) in &script.steps {
        let name = &script.roles[*role].name;
        match step {
            Step::Start => {
                play.wait_for(moment, None, &format!("{name} starts"))?;
                play.programs[*role] = Some(Program::start(host, &cast[*role], lab, scene, name, shared));
            }
            Step::Type(line) => {
                play.wait_for(moment, Some(*role), &format!("{name}'s user types {line:?}"))?;
                play.program(*role).type_line(line.as_deref());
            }
            Step::PressEnter => {
                play.wait_for(moment, None, &format!("{name}'s pause is over"))?;
                // Where a Python program needs no pause, its user need not press Enter.
                if play.program(*role).doing(host) == Doing::WaitsForALine {
                    play.program(*role).press_enter();
                }
            }
            Step::Kill => {
                play.wait_for(moment, None, &format!("{name} is killed"))?;
                play.program(*role).kill();
            }
        }
    }
    let printed = script.roles.iter().map(|role| role.sees.len()).collect();
    let ended = script.roles.iter().map(|role| matches!(role.end, End::Exits | End::IsKilled)).collect();
    play.wait_for(&Moment { printed, ended }, None, "the end")?;
    Ok(play)
}

struct Play<'a> {
    host: &'a Host,
    script: &'a Script,
    /// Those of the roles that have started.
    programs: Vec<Option<Program>>,
    digits: bool,
}

impl Play<'_> {
    fn program(&mut self, role: usize) -> &mut Program {
        self.programs[role].as_mut().expect("it has started")
    }

    /// Waits until everybody waits or has ended as at this moment of the scene; `asked` until it is asked for a line.
    fn wait_for(&mut self, moment: &Moment, asked: Option<usize>, what: &str) -> Result<(), String> {
        let began = Instant::now();
        let (mut before, mut looks) = (Vec::new(), 0);
        loop {
            let now = self.look();
            let all_wait = (0..now.len()).all(|role| now[role].0 != Some(Doing::Acts) || self.goes_round(role));
            looks = if all_wait && self.same(&before, &now) { looks + 1 } else { 0 };
            if looks >= LOOKS {
                if self.is_at(moment, &now, asked) {
                    return Ok(());
                }
                if self.can_be_no_more() {
                    return Err(format!("before {what}: {}", self.tell()));
                }
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("within {PATIENCE:?}, before {what}: {}", self.tell()));
            }
            before = now;
            poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 })).expect("a timer");
        }
    }

    /// What everybody does who has started, and how often it has slept.
    fn look(&mut self) -> Vec<(Option<Doing>, String)> {
        let host = self.host;
        let one = |program: &mut Option<Program>| match program {
            None => (None, String::new()),
            Some(program) => {
                let doing = program.doing(host);
                program.look();
                (Some(doing), program.sleeps())
            }
        };
        self.programs.iter_mut().map(one).collect()
    }

    fn is_at(&self, moment: &Moment, now: &[(Option<Doing>, String)], asked: Option<usize>) -> bool {
        let has_printed = moment.printed.iter().enumerate().all(|(role, length)| {
            let expected = common(&self.script.roles[role].sees[..*length], self.digits);
            let seen = self.programs[role].as_ref().map_or(String::new(), |program| self.seen(program));
            seen.starts_with(expected.trim_end())
        });
        let has_ended = |role: usize| matches!(now[role].0, Some(Doing::Ended(_)));
        let have_ended = moment.ended.iter().enumerate().all(|(role, ended)| !ended || has_ended(role));
        has_printed && have_ended && asked.is_none_or(|role| now[role].0 == Some(Doing::WaitsForALine))
    }

    /// Whether somebody has printed what it does not print in the scene.
    fn can_be_no_more(&self) -> bool {
        let roles = self.script.roles.iter().zip(&self.programs);
        roles.filter_map(|(role, program)| Some((role, program.as_ref()?))).any(|(role, program)| {
            let (seen, expected) = (self.seen(program), common(&role.sees, self.digits));
            !expected.starts_with(seen.trim_end()) && !seen.starts_with(expected.trim_end())
        })
    }

    /// Whether it is one that never rests, and has come to that: before, it only has not waited yet.
    fn goes_round(&self, role: usize) -> bool {
        let part = &self.script.roles[role];
        let expected = common(&part.sees, self.digits);
        let has_shown_all = |program: &Program| self.seen(program).starts_with(expected.trim_end());
        part.end == End::GoesRound && self.programs[role].as_ref().is_some_and(has_shown_all)
    }

    /// Whether nobody has moved since the last look, but for one that never rests.
    fn same(&self, before: &[(Option<Doing>, String)], now: &[(Option<Doing>, String)]) -> bool {
        before.len() == now.len() && (0..now.len()).all(|role| self.goes_round(role) || before[role] == now[role])
    }

    fn seen(&self, program: &Program) -> String {
        common(&program.seen, self.digits)
    }

    fn compare(&mut self) -> Result<(), String> {
        let now = self.look();
        for (role, (doing, _)) in now.iter().enumerate() {
            let part = &self.script.roles[role];
            let (seen, expected) = (self.seen(self.program_of(role)), common(&part.sees, self.digits));
            let same = seen == expected || part.end == End::GoesRound && seen.starts_with(expected.trim_end());
            let well = match (part.end, doing) {
                (End::Exits, Some(Doing::Ended(status))) => {
                    // Ctrl-D ends a Python program that does not expect it.
                    status.success()
                        || self
                            .program_of(role)
                            .complaints()
                            .lines()
                            .last()
                            .is_some_and(|last| last.starts_with("EOFError"))
                }
                (End::IsKilled, Some(Doing::Ended(_))) | (End::GoesRound, Some(Doing::Acts)) => true,
                (End::Waits, Some(Doing::WaitsIn(_) | Doing::WaitsForALine)) => true,
                _ => false,
            };
            if !same || !well {
                return Err(format!("at the end: {}", self.tell()));
            }
        }
        Ok(())
    }

    fn program_of(&self, role: usize) -> &Program {
        self.programs[role].as_ref().expect("it has started")
    }

    /// Where everybody is, what its user has seen and should see, and what it complained.
    fn tell(&mut self) -> String {
        let now = self.look();
        let mut told = String::new();
        for ((role, program), (doing, _)) in self.script.roles.iter().zip(&self.programs).zip(now) {
            let Some(program) = program else { continue };
            let doing = match doing {
                Some(Doing::Ended(status)) => format!("has ended: {status}"),
                Some(Doing::WaitsIn(call)) => format!("waits in {call}"),
                Some(Doing::WaitsForALine) => "waits for a line".to_owned(),
                _ => "acts".to_owned(),
            };
            told.push_str(&format!("\n{} {doing}\n  its user sees   {:?}", role.name, self.seen(program)));
            told.push_str(&format!("\n  in the scene    {:?}", common(&role.sees, self.digits)));
            let complaints = program.complaints();
            if !complaints.is_empty() {
                told.push_str(&format!("\n  it complains    {}", complaints.trim_end().replace('\n', "\n    ")));
            }
        }
        told
    }
}
