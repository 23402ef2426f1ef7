//! A lab run many times: how often each outcome came.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::arguments::Arguments;
use super::demo;
use super::play::{self, RunOptions};
use super::{Lab, exit};
use crate::stage::{Ending, Hosts, WhenSlow};
use crate::trace::{Event, What};

/// Runs the lab as often as asked and prints the distribution of outcomes, for each scene.
///
/// Under the baton an outcome is the whole transcript; free-running it is what the roles printed, and which findings
/// there were, since the order of calls of two running programs differs even where nothing else does.
pub(super) fn run(lab: &Lab, arguments: &Arguments) -> u8 {
    let runs = arguments.repeat.unwrap_or(1);
    let Some(mut hosts) = demo::open_hosts(lab, arguments) else { return exit::LACKING };
    let transcript = demo::transcript(lab, &hosts);
    let options = RunOptions {
        free: !arguments.baton,
        when_slow: if arguments.baton { WhenSlow::Void } else { WhenSlow::Ignore },
        ..RunOptions::of(arguments)
    };
    let mut scenes: Vec<Scenes> = Vec::new();
    let mut worst = exit::OK;
    let all = play_all(lab, options, &mut hosts, runs, |events, ending| {
        let mut outcomes: Vec<(u32, String, Outcome)> = Vec::new();
        for event in &events {
            if let What::Scene { text, .. } = &event.what {
                outcomes.push((event.scene, text.clone(), Outcome::new(&lab.role_names(), options.free)));
            } else if let Some((_, _, outcome)) = outcomes.last_mut()
                && (!options.free || outcome_in_free_run(event))
            {
                outcome.add(event, transcript.lines(event));
            }
        }
        match ending {
            Ending::Done | Ending::Left => {}
            Ending::Waiting(_) if options.free => {}
            ending => worst = demo::report(lab, &ending),
        }
        count(&mut scenes, outcomes);
        Ok(())
    });
    if let Err(code) = all {
        return code;
    }
    let text = if arguments.json { as_json(lab, runs, &scenes) } else { as_text(lab, runs, options.free, &scenes) };
    lab.prints(&text, worst)
}

/// Plays a lab `runs` times, and hands over what came of each run. It ends early with an exit code where the stage
/// fails, or where `take` wants no more.
pub(super) fn play_all(
    lab: &Lab,
    options: RunOptions,
    hosts: &mut Hosts,
    runs: u32,
    mut take: impl FnMut(Vec<Event>, Ending) -> Result<(), u8>,
) -> Result<(), u8> {
    let bar = progress(runs);
    for _ in 0..runs {
        let mut events = Vec::new();
        let played = play::play(lab, options, hosts, &mut |event: &Event| {
            events.push(event.clone());
            ControlFlow::Continue(())
        });
        let taken = bar.suspend(|| match played {
            Ok(ending) => take(events, ending),
            Err(error) => Err(demo::stage_failed(lab, &error)),
        });
        if taken.is_err() {
            bar.finish_and_clear();
            return taken;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// What came out of one scene once: the lines of its events, free-running role by role, since who comes first is
/// chance.
struct Outcome {
    roles: Vec<&'static str>,
    lines: Vec<String>,
    by_role: bool,
}

impl Outcome {
    fn new(roles: &[&'static str], by_role: bool) -> Outcome {
        Outcome { roles: roles.to_vec(), lines: vec![String::new(); roles.len() + 1], by_role }
    }

    fn add(&mut self, event: &Event, lines: String) {
        let role = self.roles.iter().position(|role| self.by_role && event.role.as_deref() == Some(role));
        self.lines[role.unwrap_or(self.roles.len())] += &lines;
    }

    fn text(self) -> String {
        self.lines.concat()
    }
}

/// What came out of one scene, and how often.
struct Scenes {
    number: u32,
    title: String,
    counts: HashMap<String, u32>,
}

fn count(scenes: &mut Vec<Scenes>, outcomes: Vec<(u32, String, Outcome)>) {
    for (number, title, outcome) in outcomes {
        let index = match scenes.iter().position(|scene| scene.number == number) {
            Some(index) => index,
            None => {
                scenes.push(Scenes { number, title, counts: HashMap::new() });
                scenes.len() - 1
            }
        };
        *scenes[index].counts.entry(outcome.text()).or_default() += 1;
    }
}

impl Scenes {
    /// The outcomes, the most frequent first.
    fn sorted(&self) -> Vec<(&str, u32)> {
        let mut all: Vec<(&str, u32)> = self.counts.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all
    }
}

fn outcome_in_free_run(event: &Event) -> bool {
    matches!(event.what, What::Print { .. } | What::Finding { .. })
        || matches!(&event.what, What::Exit(exit) if exit.error.is_some())
}

fn progress(runs: u32) -> ProgressBar {
    // Drawn on standard error, and only where that is a terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} to go");
    ProgressBar::new(runs.into()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn as_text(lab: &Lab, runs: u32, free: bool, scenes: &[Scenes]) -> String {
    let how = if free { "free-running" } else { "under the baton" };
    let mut text = format!("Lab {:02} {}, {runs} runs, {how}\n", lab.number, lab.name);
    for scene in scenes {
        let outcomes = scene.sorted();
        let noun = if outcomes.len() == 1 { "outcome" } else { "outcomes" };
        let _ = writeln!(text, "\n── {}. {}: {} {noun}", scene.number, scene.title, outcomes.len());
        for (outcome, count) in outcomes {
            let percent = 100.0 * f64::from(count) / f64::from(runs);
            let bar = "█".repeat((40 * u64::from(count)).div_ceil(u64::from(runs)) as usize);
            let _ = writeln!(text, "\n{count:>7}  {percent:5.1} %  {bar}");
            if free || scene.counts.len() > 1 {
                text.push_str(if outcome.is_empty() { "        nothing printed\n" } else { outcome });
            }
        }
    }
    text
}

fn as_json(lab: &Lab, runs: u32, scenes: &[Scenes]) -> String {
    let lines = scenes.iter().map(|scene| {
        let outcomes: Vec<_> = scene
            .sorted()
            .into_iter()
            .map(
                |(outcome, count)| json!({ "count": count, "text": anstream::adapter::strip_str(outcome).to_string() }),
            )
            .collect();
        let fields = json!({
            "v": crate::trace::VERSION, "lab": lab.number, "scene": scene.number, "title": scene.title,
            "runs": runs, "outcomes": outcomes,
        });
        format!("{fields}\n")
    });
    lines.collect()
}
