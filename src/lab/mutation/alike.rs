//! The same change of all events that are alike.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::one::{STATES, errors, failed, name_of, other_names, returned};
use super::{Look, Of};
use crate::trace::{Call, Data, Event, Fate, Frame, Probe, Proto, Syscall, TcpFlags, Trace, Value, What};

/// Has `look` see the trace with the same change of all these events, and takes it back.
fn change_all(
    mutated: &mut Trace,
    these: &[usize],
    change: &dyn Fn(&What) -> What,
    look: &mut dyn FnMut(&Trace) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let old: Vec<What> = these.iter().map(|index| mutated.events[*index].what.clone()).collect();
    for index in these {
        mutated.events[*index].what = change(&mutated.events[*index].what);
    }
    look(mutated)?;
    for (index, what) in these.iter().zip(old) {
        mutated.events[*index].what = what;
    }
    ControlFlow::Continue(())
}

/// The same of the trace without them.
fn without(trace: &Trace, is_left_out: impl Fn(&Event) -> bool) -> Trace {
    Trace { events: trace.events.iter().filter(|event| !is_left_out(event)).cloned().collect() }
}

/// Where these events stand.
fn places(trace: &Trace, is: impl Fn(&Event) -> bool) -> Vec<usize> {
    (0..trace.events.len()).filter(|index| is(&trace.events[*index])).collect()
}

/// The same change of all that is alike: all calls of one kind that a role made in a scene, or all but the first; all
/// frames of a scene that are alike; all probes.
pub(super) fn groups(trace: &Trace, mutated: &mut Trace, of: Of, look: &mut Look<'_>) -> ControlFlow<()> {
    let mut kinds: Vec<(u32, Option<&str>, Syscall)> = Vec::new();
    for made in trace.all().all_calls() {
        let kind = (made.event.scene, made.event.role.as_deref(), made.call.name);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        of_calls(trace, mutated, kind, of, look)?;
    }
    if of == Of::Program {
        return ControlFlow::Continue(());
    }
    let scenes: BTreeSet<u32> = trace.events.iter().map(|event| event.scene).collect();
    for scene in scenes {
        of_frames(trace, mutated, scene, look)?;
        of_probes(trace, mutated, scene, look)?;
        let waits = |event: &Event| event.scene == scene && matches!(event.what, What::Wait(_) | What::Begin(_));
        look(&|| format!("scene {scene}: nobody waits"), &without(trace, waits))?;
    }
    ControlFlow::Continue(())
}

type CallChange = Box<dyn Fn(&Call) -> Call>;

fn of_calls(
    trace: &Trace,
    mutated: &mut Trace,
    (scene, role, name): (u32, Option<&str>, Syscall),
    of: Of,
    look: &mut Look<'_>,
) -> ControlFlow<()> {
    let is = |event: &Event| {
        let named = matches!(&event.what, What::Call(call) if call.name == name);
        named && event.scene == scene && event.role.as_deref() == role
    };
    let changes = match of {
        Of::Kernel => other_results(name),
        Of::Program => renamings(name),
    };
    let all = places(trace, is);
    let place = format!("scene {scene}, {}, all {name}", role.unwrap_or_default());
    for (how, change) in changes {
        let changed = |what: &What| match what {
            What::Call(call) => What::Call(change(call)),
            other => other.clone(),
        };
        for (these, but) in [(&all[..], ""), (&all[1.min(all.len())..], " but the first")] {
            change_all(mutated, these, &changed, &mut |trace| look(&|| format!("{place}{but}: {how}"), trace))?;
        }
    }
    match of {
        Of::Kernel => look(&|| format!("{place}: missing"), &without(trace, is)),
        Of::Program => ControlFlow::Continue(()),
    }
}

/// What the kernel might have given for each of several calls of this name.
fn other_results(name: Syscall) -> Vec<(String, CallChange)> {
    let mut changes: Vec<(String, CallChange)> = Vec::new();
    for error in errors(name).iter().copied() {
        changes.push((name_of(error).to_owned(), Box::new(move |call| failed(call, error))));
    }
    for result in [0, 1] {
        changes.push((result.to_string(), Box::new(move |call| returned(call, result))));
    }
    let asked = |call: &Call| call.get_arg("len").and_then(Value::as_number).unwrap_or(0);
    changes.push(("all that was asked for".to_owned(), Box::new(move |call| returned(call, asked(call)))));
    let other_bytes = |call: &Call| {
        let bytes = call.bytes().iter().map(|byte| byte.wrapping_add(1)).collect();
        Call { data: call.data.as_ref().map(|data| Data { bytes, len: data.len }), ..call.clone() }
    };
    changes.push(("other bytes".to_owned(), Box::new(other_bytes)));
    changes
}

/// The same calls by other names.
fn renamings(name: Syscall) -> Vec<(String, CallChange)> {
    let renamed = |other: &'static Syscall| -> (String, CallChange) {
        (format!("called {other}"), Box::new(|call| Call { name: *other, ..call.clone() }))
    };
    other_names(name).iter().map(renamed).collect()
}

fn of_frames(trace: &Trace, mutated: &mut Trace, scene: u32, look: &mut Look<'_>) -> ControlFlow<()> {
    type Is = fn(&Frame) -> bool;
    type FrameChange = fn(&mut Frame);
    let kinds: [(&str, Is); 8] = [
        ("with FIN", |frame| frame.flags().contains(TcpFlags::FIN)),
        ("with SYN", |frame| frame.flags().contains(TcpFlags::SYN)),
        ("with RST", |frame| frame.flags().contains(TcpFlags::RST)),
        ("with data", |frame| frame.payload.len > 0),
        ("without data", |frame| frame.payload.len == 0 && matches!(frame.proto, Proto::Tcp(_))),
        ("of ICMP", |frame| matches!(frame.proto, Proto::Icmp { .. })),
        ("of ARP", |frame| matches!(frame.proto, Proto::Arp(_))),
        ("sent by a timer", |frame| frame.by_timer),
    ];
    let changes: [(&str, FrameChange); 6] = [
        ("has no payload", |frame| frame.payload = Data::new(b"")),
        ("is sent by a timer", |frame| (frame.by_timer, frame.after) = (true, Some("about 200 ms".into()))),
        ("is sent by no timer", |frame| (frame.by_timer, frame.after) = (false, None)),
        ("is lost", |frame| frame.fate = Fate::Dropped),
        ("is passed on", |frame| frame.fate = Fate::Passed),
        ("acknowledges nothing", |frame| frame.ack = None),
    ];
    for (name, is) in kinds {
        let is_it = |event: &Event| event.scene == scene && matches!(&event.what, What::Frame(frame) if is(frame));
        let these = places(trace, is_it);
        if these.is_empty() {
            continue;
        }
        look(&|| format!("scene {scene}: no frame {name}"), &without(trace, is_it))?;
        for (how, change) in changes {
            let changed = |what: &What| match what {
                What::Frame(frame) => {
                    let mut frame = frame.clone();
                    change(&mut frame);
                    What::Frame(frame)
                }
                other => other.clone(),
            };
            let says = || format!("scene {scene}, each frame {name}: {how}");
            change_all(mutated, &these, &changed, &mut |trace| look(&says, trace))?;
        }
    }
    ControlFlow::Continue(())
}

fn of_probes(trace: &Trace, mutated: &mut Trace, scene: u32, look: &mut Look<'_>) -> ControlFlow<()> {
    let is_probe = |event: &Event| event.scene == scene && event.probe().is_some();
    let these = places(trace, is_probe);
    if these.is_empty() {
        return ControlFlow::Continue(());
    }
    look(&|| format!("scene {scene}: no probe"), &without(trace, is_probe))?;
    let states = STATES.into_iter().map(|state| (format!("every connection is {state}"), Some(state), None));
    let numbers = [0, 1, 100_000].into_iter().map(|number| (format!("{number} in each queue"), None, Some(number)));
    for (how, to, number) in states.chain(numbers) {
        let changed = |what: &What| {
            let mut what = what.clone();
            if let What::Probe { probe, .. } = &mut what {
                match (probe, to, number) {
                    (Probe::State { state, .. }, Some(to), _) => *state = to,
                    (Probe::ReceiveQueue { recv, .. }, _, Some(number)) => *recv = number,
                    (Probe::SendQueue { send, unsent }, _, Some(number)) => (*send, *unsent) = (number, number),
                    (Probe::AcceptQueue { waiting }, _, Some(number)) => *waiting = number,
                    (Probe::Pipe { held, .. }, _, Some(number)) => *held = number,
                    _ => {}
                }
            }
            what
        };
        let says = || format!("scene {scene}: {how}");
        change_all(mutated, &these, &changed, &mut |trace| look(&says, trace))?;
    }
    ControlFlow::Continue(())
}
