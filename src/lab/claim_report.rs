//! Claims checked against a run.

use std::ops::ControlFlow;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::arguments::Arguments;
use super::demo;
use super::mutation::{self, Of};
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
    let text = match (arguments.prove, arguments.json) {
        (true, json) => proofs(lab, &trace, json),
        (false, true) => as_json(lab, &trace),
        (false, false) => as_text(lab, &trace, &transcript),
    };
    lab.prints(&text, code)
}

fn as_text(lab: &Lab, trace: &Trace, transcript: &Transcript) -> String {
    let mut text = format!("{STRONG}Lab {:02} {}{STRONG:#} on Linux {}\n", lab.number, lab.name, play::kernel());
    for claim in &lab.claims {
        let verdict = (claim.check)(trace);
        let colour = match verdict {
            Ok(Verdict::Confirmed(_)) => AnsiColor::Green,
            Ok(Verdict::Refuted(_)) => AnsiColor::Red,
            Ok(Verdict::OnlyWhen(..)) => AnsiColor::Cyan,
            Err(_) => AnsiColor::Yellow,
        };
        let style = STRONG.fg_color(Some(colour.into()));
        let about = if claim.about_programs { ", about the texts' programs" } else { "" };
        text += &format!("\n{style}{}{style:#}  ({}{about})\n", name(&verdict), claim.source);
        for line in wrapped(claim.says, WIDTH - 2) {
            text += &format!("  {line}\n");
        }
        let why = match &verdict {
            Ok(verdict) => verdict.condition().map(|condition| format!("only when {condition}")),
            Err(why) => Some(format!("because {why}")),
        };
        for line in why.iter().flat_map(|why| wrapped(why, WIDTH - 4)) {
            text += &format!("    {line}\n");
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
            "about_programs": claim.about_programs, "verdict": name(&verdict),
            "condition": verdict.as_ref().ok().and_then(Verdict::condition), "kernel": play::kernel(),
            "evidence": evidence,
        });
        format!("{fields}\n")
    });
    lines.collect()
}

/// What became of the proof that a claim can fail.
#[derive(Default)]
struct Proof {
    /// What the kernel would have to report for the opposite verdict.
    turned_by: Option<String>,
    /// Whether that is the counterexample which the claim keeps beside it.
    is_kept: bool,
    /// What the program alone does otherwise, and the verdict is the opposite: a fault of the check, unless the claim
    /// is about programs.
    turned_by_program: Option<String>,
}

/// For each claim: what would have to be reported for the opposite verdict, and what it says of an empty trace.
fn proofs(lab: &Lab, trace: &Trace, json: bool) -> String {
    let verdicts: Vec<Checked> = lab.claims.iter().map(|claim| (claim.check)(trace)).collect();
    let mut proofs: Vec<Proof> = lab.claims.iter().map(|_| Proof::default()).collect();
    let turned = |index: usize, trace: &Trace| match (&verdicts[index], (lab.claims[index].check)(trace)) {
        (Ok(verdict), Ok(other)) => verdict.is_opposite_of(&other),
        _ => false,
    };
    // Those that keep a counterexample are tried by it first.
    for (index, claim) in lab.claims.iter().enumerate() {
        if let Some(counterexample) = &claim.counterexample {
            let mut changed = trace.clone();
            (counterexample.change)(&mut changed);
            if turned(index, &changed) {
                proofs[index] =
                    Proof { turned_by: Some(counterexample.says.to_owned()), is_kept: true, ..Proof::default() };
            }
        }
    }
    for of in [Of::Kernel, Of::Program] {
        // It breaks off when nothing is left to be found, and that is as good as having seen all.
        let _ = mutation::each(trace, of, &mut |how, mutated| {
            let mut is_left = false;
            for (index, proof) in proofs.iter_mut().enumerate().filter(|(index, _)| verdicts[*index].is_ok()) {
                let found = match of {
                    Of::Kernel => &mut proof.turned_by,
                    Of::Program => &mut proof.turned_by_program,
                };
                if found.is_none() && turned(index, mutated) {
                    *found = Some(how());
                }
                is_left |= found.is_none();
            }
            if is_left { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }
    let empty = Trace::default();
    let rows = lab.claims.iter().zip(&verdicts).zip(&proofs).map(|((claim, verdict), proof)| {
        let of_nothing = name(&(claim.check)(&empty));
        if json {
            let fields = json!({
                "v": crate::trace::VERSION, "lab": lab.number, "source": claim.source, "says": claim.says,
                "about_programs": claim.about_programs, "verdict": name(verdict), "turned_by": proof.turned_by,
                "is_kept": proof.is_kept, "turned_by_program": proof.turned_by_program, "of_nothing": of_nothing,
            });
            return format!("{fields}\n");
        }
        let mut text = format!("\n{}  ({})\n  {}\n", name(verdict), claim.source, claim.says);
        text += &match &proof.turned_by {
            Some(how) => format!("  the opposite by  {how}\n"),
            None => "  NO mutation gives the opposite\n".to_owned(),
        };
        if let Some(how) = &proof.turned_by_program {
            text += &format!("  the opposite by what the program alone does: {how}\n");
        }
        text + &format!("  an empty trace: {of_nothing}\n")
    });
    rows.collect()
}
