//! What happens in a scene from outside: who starts, what is typed, who is ended; and what each role's user sees.

use serde_json::Value as Json;

/// Something that a role's user does.
pub enum Step {
    Start,
    /// A line and Enter; `None` is Ctrl-D.
    Type(Option<String>),
    /// A pause of ours is over.
    PressEnter,
    Kill,
}

pub struct Role {
    pub name: String,
    /// What its user sees in the end, the typed lines included.
    pub sees: String,
    /// How it ends.
    pub end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Exits,
    IsKilled,
    /// It waits when all others have ended.
    Waits,
    /// It does the same again and again.
    GoesRound,
}

/// What must be so before a step: how much each role has printed, and which have ended.
pub struct Moment {
    pub printed: Vec<usize>,
    pub ended: Vec<bool>,
}

pub struct Script {
    /// Whether the scene has a wire that loses or changes frames. By hand there is none.
    pub has_faults: bool,
    pub roles: Vec<Role>,
    pub steps: Vec<(Moment, usize, Step)>,
}

impl Script {
    pub fn of(events: &[Json]) -> Script {
        let mut writer = Writer::default();
        events.iter().for_each(|event| writer.take(event));
        let roles = writer.roles.into_iter().map(|draft| Role {
            end: match (draft.end, writer.waiting.contains(&draft.name)) {
                (Some(end), _) => end,
                (None, true) => End::Waits,
                (None, false) => End::GoesRound,
            },
            name: draft.name,
            sees: draft.sees,
        });
        let is_of_the_wire =
            |event: &&Json| event["text"].as_str().is_some_and(|text| text.starts_with("on this wire"));
        let has_faults = events.iter().filter(|event| event["kind"] == "note").any(|event| is_of_the_wire(&event));
        Script { has_faults, roles: roles.collect(), steps: writer.steps }
    }

    /// Has its roles' users see this in the end, and nothing before.
    pub fn with_words(mut self, sees: Vec<String>) -> Script {
        self.steps.iter_mut().for_each(|(moment, ..)| moment.printed.fill(0));
        self.roles.iter_mut().zip(sees).for_each(|(role, sees)| role.sees = sees);
        self
    }
}

#[derive(Default)]
struct Writer {
    roles: Vec<Draft>,
    steps: Vec<(Moment, usize, Step)>,
    waiting: Vec<String>,
}

struct Draft {
    name: String,
    sees: String,
    end: Option<End>,
    has_started: bool,
    /// The pauses that it has reached since it acted last.
    pauses: usize,
}

impl Writer {
    fn take(&mut self, event: &Json) {
        if event["kind"] == "finding" {
            let waiting = event["waiting"].as_array().expect("a list").iter();
            self.waiting.extend(waiting.map(|one| one["role"].as_str().expect("a name").to_owned()));
        }
        let Some(name) = event["role"].as_str() else { return };
        let number = self.number(name);
        // How a process ends that a role has made is not the role's end, nor its user's affair.
        let is_role = event["actor"] == event["role"];
        if event["kind"] == "exit" && !is_role {
            return;
        }
        if event["kind"] == "meet" {
            self.roles[number].pauses += 1;
            return;
        }
        if !std::mem::replace(&mut self.roles[number].has_started, true) {
            self.step(number, Step::Start);
        }
        for _ in 0..std::mem::take(&mut self.roles[number].pauses) {
            self.step(number, Step::PressEnter);
        }
        let text = event["text"].as_str();
        match event["kind"].as_str() {
            Some("print") => {
                let line = text.expect("a line");
                self.roles[number].sees.push_str(&format!("{line}\n"));
            }
            Some("input") => {
                let prompt = event["prompt"].as_str().expect("a prompt");
                self.roles[number].sees.push_str(prompt);
                self.step(number, Step::Type(text.map(str::to_owned)));
                if let Some(line) = text {
                    self.roles[number].sees.push_str(&format!("{line}\n"));
                }
            }
            // A process or a thread that the role has made may end before it.
            Some("exit") if event["actor"] != event["role"] => {}
            Some("exit") if event["exit"]["signal"].is_null() => self.roles[number].end = Some(End::Exits),
            Some("exit") => {
                self.step(number, Step::Kill);
                self.roles[number].end = Some(End::IsKilled);
            }
            _ => {}
        }
    }

    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.roles.iter().position(|role| role.name == name) {
            return number;
        }
        let name = name.to_owned();
        self.roles.push(Draft { name, sees: String::new(), end: None, has_started: false, pauses: 0 });
        self.roles.len() - 1
    }

    fn step(&mut self, number: usize, step: Step) {
        let printed = self.roles.iter().map(|role| role.sees.len()).collect();
        let ended = self.roles.iter().map(|role| role.end.is_some()).collect();
        self.steps.push((Moment { printed, ended }, number, step));
    }
}
