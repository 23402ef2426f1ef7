//! What might have been reported instead of one event.

use std::collections::BTreeSet;

use super::frames::of_frame;
use crate::trace::{
    Call, CommandState, Data, EpollEvents, Errno, Event, Exit, Finding, MessageFlags, PollEvents, Probe, Ready, Status,
    StatusFlags, Syscall, TcpState, Trace, Value, What,
};

pub(super) type Change = (String, What);

/// What the kernel might have reported instead of one event.
pub(super) fn of_kernel(event: &Event, trace: &Trace) -> Vec<Change> {
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
            let waited_for = exit.is_zombie.then(|| Exit { is_zombie: false, ..exit.clone() });
            let waited_for = waited_for.map(|exit| ("its parent waits for it".to_owned(), What::Exit(exit)));
            let others = others.map(|status| (status.to_string(), What::Exit(Exit { status, ..exit.clone() })));
            others.chain(waited_for).collect()
        }
        _ => Vec::new(),
    }
}

/// What the program alone might have done instead, and had the same answers from the kernel.
pub(super) fn of_program(event: &Event) -> Vec<Change> {
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

/// The errors that a kernel gives most often for files.
const FILE_ERRORS: [Errno; 8] = [
    Errno::ENOENT,
    Errno::EEXIST,
    Errno::EXDEV,
    Errno::ELOOP,
    Errno::ENOTDIR,
    Errno::EACCES,
    Errno::ENAMETOOLONG,
    Errno::ENOSPC,
];

/// The errors that a call may have given.
pub(super) fn errors(name: Syscall) -> &'static [Errno] {
    if name.is_on_a_file() { &FILE_ERRORS } else { &ERRORS }
}

/// The calls by which a program might have asked the same of the kernel.
pub(super) fn other_names(name: Syscall) -> &'static [Syscall] {
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
    for error in errors(call.name).iter().copied().filter(|error| call.errno != Some(*error)) {
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
    if call.name.gives_data() && call.errno.is_none() {
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

pub(super) fn name_of(error: Errno) -> &'static str {
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

pub(super) fn failed(call: &Call, error: Errno) -> Call {
    let data = if call.name.gives_data() { None } else { call.data.clone() };
    Call { ret: Some(-1), errno: Some(error), out: Vec::new(), data, ..call.clone() }
}

pub(super) fn returned(call: &Call, result: i64) -> Call {
    let mut other = Call { ret: Some(result), errno: None, ..call.clone() };
    if call.name.gives_data() {
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
        .filter(|made| made.event.n != event.n && (made.call.name.gives_data() || made.call.takes_data()))
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
        Value::Status(StatusFlags(flags)) => vec![Value::Status(StatusFlags(flags ^ libc::O_NONBLOCK))],
        Value::EpollEvents(_) => EPOLL_EVENTS.map(|events| Value::EpollEvents(EpollEvents(events))).into(),
        Value::Ready(ready) => other_lists(ready).into_iter().map(Value::Ready).collect(),
        Value::Errno(errno) => [Errno::NONE, Errno::ECONNREFUSED, Errno::EHOSTUNREACH, Errno::ECONNRESET]
            .into_iter()
            .filter(|other| other != errno)
            .map(Value::Errno)
            .collect(),
        Value::Path(path) => {
            let others = ["other.sock", "unnamed"].into_iter().filter(|other| other != path);
            others.map(|other| Value::Path(other.to_owned())).collect()
        }
        Value::Option(_) | Value::Type(_) | Value::Address(_) => Vec::new(),
        Value::Process(_) | Value::Credentials(_) => Vec::new(),
    }
}

const EPOLL_EVENTS: [i32; 5] =
    [0, libc::EPOLLIN, libc::EPOLLOUT, libc::EPOLLIN | libc::EPOLLERR | libc::EPOLLHUP, libc::EPOLLIN | libc::EPOLLOUT];

/// Other lists that an `epoll_wait` might have written: one is missing, one is another descriptor's or ready for
/// something else.
fn other_lists(ready: &[Ready]) -> Vec<Vec<Ready>> {
    let mut all = vec![Vec::new()];
    for at in 0..ready.len() {
        all.push([&ready[..at], &ready[at + 1..]].concat());
        let mut others = vec![Ready { fd: ready[at].fd + 1, ..ready[at] }, Ready { fd: 3, ..ready[at] }];
        others.extend(EPOLL_EVENTS.map(|events| Ready { events: EpollEvents(events), ..ready[at] }));
        all.extend(others.into_iter().map(|other| [&ready[..at], &[other], &ready[at + 1..]].concat()));
    }
    all.retain(|other| other != ready);
    all
}

pub(super) const STATES: [TcpState; 10] = [
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
        Probe::Pipe { held, room } => numbers(held).map(|held| Probe::Pipe { held, room }).collect(),
        Probe::Command { does } => {
            let all = [CommandState::Reads, CommandState::Writes, CommandState::HasLeftAProgram];
            all.into_iter().filter(|other| *other != does).map(|does| Probe::Command { does }).collect()
        }
        Probe::AcceptQueue { waiting } => numbers(waiting).map(|waiting| Probe::AcceptQueue { waiting }).collect(),
    }
}
