//! Mutations of a trace: what the kernel might have reported instead, one change at a time.
//!
//! A check that judges the kernel must come to the opposite verdict for some of them. Changes of what the program
//! itself decides (its prompts, what it prints, the names of its calls) must turn no claim about the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::trace::{Call, Errno, Event, Fate, Finding, Fragment, Frame, MessageFlags, PollEvents, Probe, Proto};
use crate::trace::{Data, Exit, Status, Syscall, TcpFlags, TcpState, Trace, Value, What};

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
    groups(trace, &mut mutated, of, look)?;
    let chosen = representatives(trace);
    for (index, event) in chosen.iter().map(|index| (*index, &trace.events[*index])) {
        let changes = match of {
            Of::Kernel => of_kernel(event, trace),
            Of::Program => of_program(event),
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

type Change = (String, What);

/// What the kernel might have reported instead of one event.
fn of_kernel(event: &Event, trace: &Trace) -> Vec<Change> {
    match &event.what {
        What::Call(call) => {
            of_call(call, event, trace).into_iter().map(|(how, call)| (how, What::Call(call))).collect()
        }
        What::Probe { probe, fd } => {
            let others = of_probe(probe).into_iter();
            others.map(|probe| (format!("{probe:?}"), What::Probe { probe, fd: *fd })).collect()
        }
        What::Frame(frame) => of_frame(frame).into_iter().map(|(how, frame)| (how, What::Frame(frame))).collect(),
        What::Finding { finding, waiting, text } => {
            let with = |finding, waiting| What::Finding { finding, waiting, text: text.clone() };
            let all = [Finding::EveryoneWaits, Finding::NobodyIsLeft, Finding::RoleGoesRound, Finding::TimerRuns];
            let others = all.into_iter().filter(|other| other != finding);
            let others = others.map(|other| (other.to_string(), with(other, waiting.clone())));
            let nobody = ("nobody waits".to_owned(), with(*finding, Vec::new()));
            let alone =
                waiting.iter().map(|one| (format!("only {} waits", one.role), with(*finding, vec![one.clone()])));
            others.chain([nobody]).chain(alone).collect()
        }
        What::Exit(exit) => {
            let signals = [libc::SIGPIPE, libc::SIGKILL].map(Status::Signal);
            let others = [Status::Code(0), Status::Code(1)].into_iter().chain(signals);
            let others = others.filter(|status| *status != exit.status);
            others.map(|status| (status.to_string(), What::Exit(Exit { status, error: exit.error.clone() }))).collect()
        }
        _ => Vec::new(),
    }
}

/// What the program alone might have done instead, and had the same answers from the kernel.
fn of_program(event: &Event) -> Vec<Change> {
    let change = |how: &str, what| vec![(how.to_owned(), what)];
    match &event.what {
        What::Call(call) => {
            let names = other_names(call.name).iter();
            names
                .map(|name| (format!("it is called {name}"), What::Call(Call { name: *name, ..call.clone() })))
                .collect()
        }
        What::Input { prompt, text } => {
            let (prompt, text) = (format!("{prompt}?"), text.clone());
            change("another prompt", What::Input { prompt, text })
        }
        What::Print { text } => change("it prints something else", What::Print { text: format!("{text}?") }),
        What::Meet { text } => change("it pauses for another reason", What::Meet { text: format!("{text}?") }),
        What::Note { text } => change("another remark", What::Note { text: format!("{text}?") }),
        _ => Vec::new(),
    }
}

/// The errors that a kernel gives most often.
const ERRORS: [Errno; 8] = [
    Errno::EAGAIN,
    Errno::ECONNREFUSED,
    Errno::ECONNRESET,
    Errno::EPIPE,
    Errno::ETIMEDOUT,
    Errno::EADDRINUSE,
    Errno::EMSGSIZE,
    Errno::EHOSTUNREACH,
];

/// The calls by which a program might have asked the same of the kernel.
fn other_names(name: Syscall) -> &'static [Syscall] {
    match name {
        Syscall::Recv | Syscall::Read => &[Syscall::RecvFrom],
        Syscall::RecvFrom => &[Syscall::Recv],
        Syscall::Send | Syscall::Write => &[Syscall::SendTo],
        Syscall::SendTo => &[Syscall::Send],
        _ => &[],
    }
}

/// Other results of a call.
fn of_call(call: &Call, event: &Event, trace: &Trace) -> Vec<(String, Call)> {
    let mut all = Vec::new();
    for error in ERRORS.into_iter().filter(|error| call.errno != Some(*error)) {
        all.push((format!("{} in place of {}", name_of(error), result(call)), failed(call, error)));
    }
    let asked = call.get_arg("len").and_then(Value::as_number).unwrap_or(0);
    let mut results: Vec<i64> = match call.ret {
        Some(-1) | None => vec![0, 1, asked],
        Some(result) => vec![0, 1, result - 1, result + 1, result / 2, 2 * result, asked],
    };
    results.retain(|other| *other >= 0 && Some(*other) != call.ret);
    results.sort_unstable();
    results.dedup();
    for other in results {
        all.push((format!("{other} in place of {}", result(call)), returned(call, other)));
    }
    if call.name.receives() && call.errno.is_none() {
        for (how, data) in other_data(call, event, trace) {
            let mut other = call.clone();
            other.ret = i64::try_from(data.len()).ok();
            other.data = Some(Data::new(&data));
            all.push((how, other));
        }
    }
    for index in 0..call.out.len() {
        for value in other_values(&call.out[index].1, trace) {
            let mut other = call.clone();
            let how = format!("{} {value:?}", other.out[index].0);
            other.out[index].1 = value;
            all.push((how, other));
        }
    }
    if !call.out.is_empty() {
        all.push(("it writes nothing else".to_owned(), Call { out: Vec::new(), ..call.clone() }));
    }
    if let Some(queues) = call.queues {
        let (more, none) = (|old: Option<u32>| old.map(|old| old + 1), |old: Option<u32>| old.map(|_| 0));
        for change in [more, none] {
            for part in 0..3 {
                let mut other = queues;
                match part {
                    0 => other.recv = change(other.recv),
                    1 => other.send = change(other.send),
                    _ => other.unsent = change(other.unsent),
                }
                all.push((format!("{other:?}"), Call { queues: Some(other), ..call.clone() }));
            }
        }
    }
    for class in ["a few ms", "about 40 ms", "about 200 ms", "about 1 s", "8 s or more"] {
        if call.after.as_ref().is_some_and(|after| after != class) {
            all.push((format!("after {class}"), Call { after: Some(class.into()), ..call.clone() }));
        }
    }
    if call.times > 1 {
        all.push(("once".to_owned(), Call { times: 1, ..call.clone() }));
    }
    all
}

fn name_of(error: Errno) -> &'static str {
    error.name().unwrap_or("an error")
}

/// What a call returned, in a word.
fn result(call: &Call) -> String {
    match (call.errno, call.ret) {
        (Some(error), _) => name_of(error).to_owned(),
        (None, Some(result)) => result.to_string(),
        (None, None) => "nothing".to_owned(),
    }
}

fn failed(call: &Call, error: Errno) -> Call {
    let data = if call.name.receives() { None } else { call.data.clone() };
    Call { ret: Some(-1), errno: Some(error), out: Vec::new(), data, ..call.clone() }
}

fn returned(call: &Call, result: i64) -> Call {
    let mut other = Call { ret: Some(result), errno: None, ..call.clone() };
    if call.name.receives() {
        let mut data = call.bytes().to_vec();
        data.resize(usize::try_from(result).unwrap_or(0).min(crate::trace::DATA_LIMIT), b'?');
        other.data = Some(Data::new(&data));
    }
    other
}

/// Other bytes that a receive might have given.
fn other_data(call: &Call, event: &Event, trace: &Trace) -> Vec<(String, Vec<u8>)> {
    let bytes = call.bytes();
    let mut all = Vec::new();
    if let Some((first, rest)) = bytes.split_first() {
        all.push(("another first byte".to_owned(), [&[first.wrapping_add(1)], rest].concat()));
        all.push(("the first byte is missing".to_owned(), rest.to_vec()));
        all.push(("all of it twice".to_owned(), bytes.repeat(2)));
    }
    if let Some((last, rest)) = bytes.split_last() {
        all.push(("another last byte".to_owned(), [rest, &[last.wrapping_add(1)]].concat()));
    }
    let others: BTreeSet<&[u8]> = trace
        .scene(event.scene)
        .all_calls()
        .into_iter()
        .filter(|made| made.event.n != event.n && (made.call.name.receives() || made.call.sends()))
        .map(|made| made.call.bytes())
        .filter(|other| !other.is_empty() && *other != bytes)
        .collect();
    for other in others.into_iter().take(6) {
        all.push(("other bytes of the scene".to_owned(), other.to_vec()));
        all.push(("other bytes of the scene in front".to_owned(), [other, bytes].concat()));
        all.push(("other bytes of the scene behind".to_owned(), [bytes, other].concat()));
    }
    all
}

/// Other values that a call might have written.
fn other_values(value: &Value, trace: &Trace) -> Vec<Value> {
    match value {
        Value::Number(number) => {
            let others = [0, 1, number - 1, number + 1, number * 2, number / 2];
            let others: BTreeSet<i64> = others.into_iter().filter(|other| other != number).collect();
            others.into_iter().map(Value::Number).collect()
        }
        Value::Word(word) => {
            let calls = trace.all().all_calls();
            let words = calls.iter().flat_map(|made| &made.call.out).filter_map(|(_, value)| match value {
                Value::Word(other) if other != word => Some(other.clone()),
                _ => None,
            });
            let mut words: BTreeSet<_> = words.take(40).collect();
            words.insert("nobody:port".into());
            words.into_iter().take(5).map(Value::Word).collect()
        }
        Value::Time(time) => vec![Value::Time(*time * 10), Value::Time(*time / 10)],
        Value::Flags(_) => {
            [0, libc::MSG_TRUNC, libc::MSG_ERRQUEUE].map(|flags| Value::Flags(MessageFlags(flags))).into()
        }
        Value::Events(_) => [0, libc::POLLIN, libc::POLLOUT, libc::POLLIN | libc::POLLHUP, libc::POLLERR]
            .map(|events| Value::Events(PollEvents(events)))
            .into(),
        Value::Errno(errno) => [Errno::NONE, Errno::ECONNREFUSED, Errno::EHOSTUNREACH, Errno::ECONNRESET]
            .into_iter()
            .filter(|other| other != errno)
            .map(Value::Errno)
            .collect(),
        Value::Option(_) | Value::Type(_) | Value::Address(_) => Vec::new(),
    }
}

const STATES: [TcpState; 10] = [
    TcpState::Established,
    TcpState::SynSent,
    TcpState::SynReceived,
    TcpState::FinWait1,
    TcpState::FinWait2,
    TcpState::TimeWait,
    TcpState::Closed,
    TcpState::CloseWait,
    TcpState::LastAck,
    TcpState::Closing,
];

/// Other answers to a question of the stage's.
fn of_probe(probe: &Probe) -> Vec<Probe> {
    let numbers = |number: u32| {
        let all = [0, 1, number / 2, number.saturating_sub(1), number + 1, number * 2, number + 100_000];
        let all: BTreeSet<u32> = all.into_iter().filter(|other| *other != number).collect();
        all.into_iter()
    };
    match *probe {
        Probe::State { state, left, already, closed } => {
            let others = STATES.into_iter().filter(|other| *other != state);
            let mut all: Vec<Probe> = others.map(|state| Probe::State { state, left, already, closed }).collect();
            all.push(Probe::State { state, left: left.map(|left| left / 10), already, closed });
            all.push(Probe::State { state, left: None, already, closed: !closed });
            all
        }
        Probe::ReceiveQueue { recv, first_datagram } => {
            numbers(recv).map(|recv| Probe::ReceiveQueue { recv, first_datagram }).collect()
        }
        Probe::SendQueue { send, unsent } => {
            let first = numbers(send).map(|send| Probe::SendQueue { send, unsent });
            first.chain(numbers(unsent).map(|unsent| Probe::SendQueue { send, unsent })).collect()
        }
        Probe::AcceptQueue { waiting } => numbers(waiting).map(|waiting| Probe::AcceptQueue { waiting }).collect(),
    }
}

/// Other frames in place of one.
fn of_frame(frame: &Frame) -> Vec<(String, Frame)> {
    let mut all: Vec<(String, Frame)> = Vec::new();
    let mut add = |how: String, change: &dyn Fn(&mut Frame)| {
        let mut other = frame.clone();
        change(&mut other);
        if other != *frame {
            all.push((how, other));
        }
    };
    if let Proto::Tcp(flags) = frame.proto {
        for flag in [TcpFlags::FIN, TcpFlags::SYN, TcpFlags::RST, TcpFlags::PSH, TcpFlags::ACK] {
            let flags = TcpFlags(flags.0 ^ flag.0);
            add(format!("flags {flags}"), &|frame| frame.proto = Proto::Tcp(flags));
        }
    }
    if let Proto::Icmp { kind, code } = frame.proto {
        add("another code".to_owned(), &|frame| frame.proto = Proto::Icmp { kind, code: code + 1 });
    }
    add("another protocol".to_owned(), &|frame| frame.proto = Proto::Ip(253));
    for by in [1, 4, 1000] {
        add(format!("seq {by} more"), &|frame| frame.seq = frame.seq.map(|seq| seq.wrapping_add(by)));
        add(format!("ack {by} more"), &|frame| frame.ack = frame.ack.map(|ack| ack.wrapping_add(by)));
        add(format!("ack {by} less"), &|frame| frame.ack = frame.ack.map(|ack| ack.saturating_sub(by)));
    }
    add("no acknowledgement".to_owned(), &|frame| frame.ack = None);
    let payload = &frame.payload;
    add("no payload".to_owned(), &|frame| frame.payload = Data::new(b""));
    add("one byte more".to_owned(), &|frame| frame.payload.len = payload.len + 1);
    add("half of the payload".to_owned(), &|frame| {
        frame.payload = Data { bytes: payload.bytes[..payload.bytes.len() / 2].to_vec(), len: payload.len / 2 };
    });
    add("another payload".to_owned(), &|frame| {
        frame.payload.bytes = payload.bytes.iter().map(|byte| byte.wrapping_add(1)).collect();
    });
    add("a longer frame".to_owned(), &|frame| {
        frame.bytes.len += 1501;
        frame.bytes.bytes.resize(frame.bytes.len, 0);
    });
    add("a shorter frame".to_owned(), &|frame| {
        frame.bytes.len /= 2;
        frame.bytes.bytes.truncate(frame.bytes.len);
    });
    add("to the other host".to_owned(), &|frame| {
        std::mem::swap(&mut frame.dir.0, &mut frame.dir.1);
        std::mem::swap(&mut frame.from, &mut frame.to);
    });
    add("to another".to_owned(), &|frame| frame.to = Some("nobody:port".to_owned()));
    for fate in [Fate::Passed, Fate::Dropped, Fate::Duplicated, Fate::Corrupted] {
        add(fate.name().to_owned(), &|frame| frame.fate = fate);
    }
    for fragment in [None, Some(Fragment::First), Some(Fragment::Middle), Some(Fragment::Last)] {
        add(format!("fragment {fragment:?}"), &|frame| frame.fragment = fragment);
    }
    add("its timer is another".to_owned(), &|frame| frame.by_timer = !frame.by_timer);
    for class in ["a few ms", "about 40 ms", "about 200 ms", "about 1 s", "8 s or more"] {
        add(format!("after {class}"), &|frame| {
            frame.after = Some(class.into());
            frame.by_timer = true;
        });
    }
    add("another remark".to_owned(), &|frame| frame.remark = Some("?".into()));
    for (number, layer) in frame.layers.iter().enumerate() {
        add(format!("no {}", layer.name), &|frame| drop(frame.layers.remove(number)));
        for at in 0..layer.fields.len() {
            let name = format!("{}, {}", layer.name, layer.fields[at].name);
            add(format!("another {name}"), &|frame| {
                let field = &mut frame.layers[number].fields[at];
                field.bytes.bytes = field.bytes.bytes.iter().map(|byte| byte.wrapping_add(1)).collect();
                field.says = "?".into();
                field.is_correct = field.is_correct.map(|is| !is);
            });
            add(format!("a longer {name}"), &|frame| {
                let field = &mut frame.layers[number].fields[at];
                field.bytes.len += 1;
                field.bytes.bytes.push(0);
            });
        }
    }
    all
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
fn groups(trace: &Trace, mutated: &mut Trace, of: Of, look: &mut Look<'_>) -> ControlFlow<()> {
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
        Of::Kernel => other_results(),
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

/// What the kernel might have given for each of several calls.
fn other_results() -> Vec<(String, CallChange)> {
    let mut changes: Vec<(String, CallChange)> = Vec::new();
    for error in ERRORS {
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
