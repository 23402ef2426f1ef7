//! Claims checked against a run.

use std::ops::ControlFlow;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::arguments::Arguments;
use super::demo;
use super::play::{self, RunOptions};
use super::{Checked, Lab, Verdict, exit};
use crate::stage::WhenSlow;
use crate::trace::{Event, Trace};
use crate::view::text::{WIDTH, wrapped};
use crate::view::{Transcript, json};

const STRONG: Style = Style::new().bold();

/// Plays the lab once, and prints what becomes of each of its claims.
pub(super) fn run(lab: &Lab, arguments: &Arguments) -> u8 {
    let Some(mut hosts) = demo::open_hosts(lab, arguments) else { return exit::LACKING };
    let transcript = demo::transcript(lab, &hosts);
    let mut trace = Trace::default();
    let options = RunOptions {
        scene: None,
        when_slow: if arguments.free { WhenSlow::Ignore } else { WhenSlow::Void },
        ..RunOptions::of(arguments)
    };
    let played = play::play(lab, options, &mut hosts, &mut |event: &Event| {
        trace.events.push(event.clone());
        ControlFlow::Continue(())
    });
    let code = match played {
        Ok(ending) => demo::report(lab, &ending),
        Err(error) => return demo::stage_failed(lab, &error),
    };
    let text = if arguments.json { as_json(lab, &trace) } else { as_text(lab, &trace, &transcript) };
    lab.prints(&text, code)
}

fn as_text(lab: &Lab, trace: &Trace, transcript: &Transcript) -> String {
    let mut text = format!("{STRONG}Lab {:02} {}{STRONG:#} on Linux {}\n", lab.number, lab.name, play::kernel());
    for claim in &lab.claims {
        let verdict = (claim.check)(trace);
        let colour = match verdict {
            Ok(Verdict::Confirmed(_)) => AnsiColor::Green,
            Ok(Verdict::Refuted(_)) => AnsiColor::Red,
            Err(_) => AnsiColor::Yellow,
        };
        let style = STRONG.fg_color(Some(colour.into()));
        text += &format!("\n{style}{}{style:#}  ({})\n", name(&verdict), claim.source);
        for line in wrapped(claim.says, WIDTH - 2) {
            text += &format!("  {line}\n");
        }
        if let Err(why) = &verdict {
            for line in wrapped(&format!("because {why}"), WIDTH - 4) {
                text += &format!("    {line}\n");
            }
        }
        for event in verdict.iter().flat_map(Verdict::evidence) {
            for line in transcript.lines(event).lines().filter(|line| !line.is_empty()) {
                text += &format!("  {line}\n");
            }
        }
    }
    text
}

/// What came of a claim, in a word or two.
fn name(checked: &Checked) -> &'static str {
    checked.as_ref().map_or("not observable here", Verdict::name)
}

fn as_json(lab: &Lab, trace: &Trace) -> String {
    let lines = lab.claims.iter().map(|claim| {
        let verdict = (claim.check)(trace);
        let evidence = verdict.iter().flat_map(Verdict::evidence);
        let evidence: Vec<serde_json::Value> =
            evidence.filter_map(|event| serde_json::from_str(&json::line(event)).ok()).collect();
        let fields = json!({
            "v": crate::trace::VERSION, "lab": lab.number, "source": claim.source, "says": claim.says,
            "verdict": name(&verdict), "kernel": play::kernel(), "evidence": evidence,
        });
        format!("{fields}\n")
    });
    lines.collect()
}
