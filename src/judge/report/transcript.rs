//! All that happened while an attempt was judged: the calls of our peers, the steps, the lines of the program, and the
//! frames if they were captured.

use crate::judge::grade::{Checked, Grade};
use crate::trace::{Event, Host, Start, What};
use crate::view::{Transcript, capture};

/// The transcripts of all checks, one after the other.
pub fn transcript(grade: &Grade) -> String {
    let checks = (1..).zip(&grade.checks);
    checks.map(|(number, checked)| transcript_of(number, checked)).collect::<String>() + "\n"
}

/// The transcript of one check, under this number.
pub fn transcript_of(number: u32, checked: &Checked) -> String {
    let mut roles: Vec<&str> = checked.events.iter().filter_map(|event| event.role.as_deref()).collect();
    roles.sort_unstable();
    roles.dedup();
    let transcript = Transcript::new(&roles);
    let events = checked.events.iter().map(|event| transcript.lines(event));
    transcript.lines(&scene(number, checked)) + &events.collect::<String>()
}

/// The frames of all checks as a capture file, with the steps between them as comments.
pub fn pcapng(grade: &Grade) -> Vec<u8> {
    let (lab, question) = (grade.exercise.clone(), grade.program.join(" "));
    let began_us = grade.began_us;
    let (kernel, seed) = (grade.kernel.clone(), grade.seed.number());
    let start = Start { lab, question, stage: "private", kernel, began_us, seed, unpinned: Vec::new() };
    let mut events = vec![stage(0, What::Start(start))];
    let mut before = 0;
    for (number, checked) in (1..).zip(&grade.checks) {
        events.push(stage(number, scene(number, checked).what));
        // One check behind the other: each has a clock of its own.
        let last = checked.events.last().map_or(0, |event| event.at_ns);
        let moved = |event: &Event| Event { at_ns: before + event.at_ns, scene: number, ..event.clone() };
        events.extend(checked.events.iter().map(moved));
        before += last + 1_000_000;
    }
    capture::pcapng(&events)
}

fn scene(number: u32, checked: &Checked) -> Event {
    stage(number, What::Scene { text: format!("{}: it {}", checked.check.name, checked.check.claim), port: 0 })
}

fn stage(scene: u32, what: What) -> Event {
    Event { n: 0, at_ns: 0, scene, role: None, actor: None, host: Host::A, what }
}
