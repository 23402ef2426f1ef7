//! Mutations of a trace: what the kernel might have reported instead, one change at a time.
//!
//! A check that judges the kernel must come to the opposite verdict for some of them. Changes of what the program
//! itself decides (its prompts, what it prints, the names of its calls) must turn no claim about the kernel.

mod alike;
mod frames;
mod one;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::trace::{Event, Trace, What};

/// Who would have to have acted otherwise for a mutated trace to come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The kernel: results, errors, data, probes, frames, their order and their absence.
    Kernel,
    /// The program alone: its prompts, what it prints, and by which of several equal names it calls.
    Program,
}

/// Sees a mutated trace and, in a few words, what is otherwise in it; breaks off when it has seen enough.
pub type Look<'a> = dyn FnMut(&dyn Fn() -> String, &Trace) -> ControlFlow<()> + 'a;

/// Has `look` see each mutation of the trace for which `of` would have acted otherwise, until it breaks off.
pub fn each(trace: &Trace, of: Of, look: &mut Look<'_>) -> ControlFlow<()> {
    let mut mutated = trace.clone();
    alike::groups(trace, &mut mutated, of, look)?;
    let chosen = representatives(trace);
    for (index, event) in chosen.iter().map(|index| (*index, &trace.events[*index])) {
        let changes = match of {
            Of::Kernel => one::of_kernel(event, trace),
            Of::Program => one::of_program(event),
        };
        for (how, what) in changes {
            mutated.events[index].what = what;
            look(&|| format!("{}: {how}", place(event)), &mutated)?;
        }
        mutated.events[index].what = event.what.clone();
    }
    absences(trace, &mut mutated, &chosen, of, look)?;
    if of == Of::Kernel { orders(trace, &mut mutated, &chosen, look) } else { ControlFlow::Continue(()) }
}

/// The events that are changed one by one. Of many that are alike, of one role and one kind in one scene, the first and
/// the last ones: what can be said by one in the middle can be said by those.
fn representatives(trace: &Trace) -> Vec<usize> {
    const FIRST: usize = 16;
    const LAST: usize = 8;
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, event) in trace.events.iter().enumerate() {
        // Every frame has its number in its name: they are all changed.
        alike.entry(place(event)).or_default().push(index);
    }
    let keep = |all: Vec<usize>| {
        let count = all.len();
        let is_kept = move |at: usize| at < FIRST || at + LAST >= count;
        all.into_iter().enumerate().filter(move |(at, _)| is_kept(*at)).map(|(_, index)| index)
    };
    let mut chosen: Vec<usize> = alike.into_values().flat_map(keep).collect();
    chosen.sort_unstable();
    chosen
}

/// `scene 2, server, recv`.
fn place(event: &Event) -> String {
    let role = event.role.as_ref().map_or_else(String::new, |role| format!(", {role}"));
    let what = match &event.what {
        What::Call(call) | What::Begin(call) => format!(", {}", call.name),
        What::Wait(waiting) => format!(", wait in {}", waiting.call),
        What::Probe { .. } => ", probe".to_owned(),
        What::Frame(frame) => format!(", frame {}", frame.number),
        What::Finding { .. } => ", finding".to_owned(),
        What::Exit(_) => ", exit".to_owned(),
        _ => String::new(),
    };
    format!("scene {}{role}{what}", event.scene)
}

/// The trace without one of the events that the kernel reported, or of the program's words.
fn absences(trace: &Trace, mutated: &mut Trace, chosen: &[usize], of: Of, look: &mut Look<'_>) -> ControlFlow<()> {
    for (index, event) in chosen.iter().map(|index| (*index, &trace.events[*index])) {
        let whose = match event.what {
            What::Meet { .. } | What::Note { .. } | What::Print { .. } => Of::Program,
            _ if is_reported(event) => Of::Kernel,
            _ => continue,
        };
        if whose != of {
            continue;
        }
        let taken = mutated.events.remove(index);
        look(&|| format!("{}: it is missing", place(event)), mutated)?;
        mutated.events.insert(index, taken);
    }
    ControlFlow::Continue(())
}

fn is_reported(event: &Event) -> bool {
    matches!(
        event.what,
        What::Call(_) | What::Wait(_) | What::Begin(_) | What::Probe { .. } | What::Frame(_) | What::Finding { .. }
    )
}

/// Two neighbours of one scene the other way round; and each event at the beginning and at the end of its scene.
fn orders(trace: &Trace, mutated: &mut Trace, chosen: &[usize], look: &mut Look<'_>) -> ControlFlow<()> {
    let chosen = chosen.iter().map(|index| (*index, &trace.events[*index]));
    for (index, event) in chosen.filter(|(_, event)| is_reported(event)) {
        let first = trace.events.iter().position(|other| other.scene == event.scene).unwrap_or(index);
        let last = trace.events.iter().rposition(|other| other.scene == event.scene).unwrap_or(index);
        // The event that begins the scene stays in front.
        for (to, how) in [(index + 1, "one later"), (first + 1, "first of its scene"), (last, "last of its scene")] {
            if to == index || to > last || to <= first {
                continue;
            }
            move_event(mutated, index, to);
            look(&|| format!("{}: {how}", place(event)), mutated)?;
            move_event(mutated, to, index);
        }
    }
    ControlFlow::Continue(())
}

/// Moves an event. Numbers and times belong to the places.
fn move_event(trace: &mut Trace, from: usize, to: usize) {
    let (low, high) = (from.min(to), from.max(to));
    let places: Vec<(u64, u64)> = trace.events[low..=high].iter().map(|event| (event.n, event.at_ns)).collect();
    let event = trace.events.remove(from);
    trace.events.insert(to, event);
    for (event, place) in trace.events[low..=high].iter_mut().zip(places) {
        (event.n, event.at_ns) = place;
    }
}
