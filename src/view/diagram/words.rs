//! Calls, frames and the rest in few words.

use unicode_width::UnicodeWidthStr;

use super::pen::Words;
use crate::trace::{Call, CommandState, Exit, Fate, Frame, Probe, Proto, Queues, Status, Syscall, Value, Waiting};
use crate::view::text::{self, cut, harmless, quoted_within, waits_for, wrapped};

/// How many columns a call may take.
pub(super) const CALL: usize = 42;
/// How many columns what stands below a call may take, in smaller letters.
pub(super) const DETAIL: usize = 50;
/// How many columns a line of a wait, a pause or a speech may take.
pub(super) const LINE: usize = 46;
/// How many columns a frame's label may take.
const LABEL: usize = 66;
/// How many columns of its data a call or a frame shows even where little room is left.
const LEAST: usize = 8;

/// A call, `send("hello") = 5`, with its descriptor where `with_fd`; and what else is to be said of it.
///
/// One whose beginning has been shown is only named when it returns.
pub(super) fn call(call: &Call, with_fd: bool, begun: bool) -> (Words, Vec<String>) {
    let (mark, result) = match (&call.ret, &call.errno) {
        (_, Some(errno)) => ("wrong", format!("-1 {errno}")),
        (Some(ret), None) => ("", ret.to_string()),
        (None, None) => ("", String::new()),
    };
    let is = if call.ret.is_some() || call.errno.is_some() { " = " } else { " …" };
    let mut details = details(call);
    let mut inside =
        if begun { vec!["…".to_owned()] } else { arguments(call, with_fd || call.name == Syscall::Close) };
    let data = call.data.as_ref().filter(|_| !(begun && call.takes_data()));
    let room = |inside: &[String], data: usize| {
        let fixed = [call.name.name(), is, &result].iter().map(|text| text.width()).sum::<usize>();
        CALL.saturating_sub(fixed + 2 + inside.join(", ").width() + data)
    };
    let least = data.map_or(0, |data| quoted_within(&data.bytes, data.len, LEAST).width() + 2);
    // Flags stand below where there is no room for them.
    if room(&inside, least) == 0
        && let Some(at) = inside.iter().position(|word| word.starts_with("MSG_"))
    {
        details.insert(0, format!("with {}", inside.remove(at)));
    }
    let data = data.map(|data| quoted_within(&data.bytes, data.len, room(&inside, 5).max(LEAST)));
    let mut received = String::new();
    match data {
        Some(data) if call.takes_data() => inside.insert(usize::from(with_fd && call.fd.is_some()), data),
        Some(data) => received = format!(" {data}"),
        None => {}
    }
    let inside = cut(&inside.join(", "), (room(&[], received.width())).max(LEAST));
    let words = Words::default().and("fn", call.name.to_string()).and("", format!("({inside}){is}"));
    (words.and(mark, result).and("", received), details)
}

fn arguments(call: &Call, with_fd: bool) -> Vec<String> {
    let mut words: Vec<String> = call.fd.filter(|_| with_fd).iter().map(ToString::to_string).collect();
    for (name, value) in &call.args {
        match name.as_ref() {
            "flags" | "protocol" if value.is_nothing() => {}
            "level" | "dest_addr" => {}
            "domain" if value.as_word() == Some("AF_INET") => {}
            "len" if call.takes_data() => {}
            "len" => words.push(format!("up to {}", show(value))),
            "count" => words.push(format!("up to {}", show(value))),
            "SCM_RIGHTS" => words.push(format!("SCM_RIGHTS {}", show(value))),
            "path" | "oldpath" | "newpath" | "target" => words.push(format!("\"{}\"", show(value))),
            "command" => words.push(format!("\"{}\"", show(value))),
            _ => words.push(show(value)),
        }
    }
    words
}

/// What else is to be said of a call: addresses, flags, and what the queues hold.
fn details(call: &Call) -> Vec<String> {
    let mut details = Vec::new();
    if let Some(to) = call.get_arg("dest_addr") {
        details.push(format!("to {}", show(to)));
    }
    // What was sent in part: the length tells.
    let len = call.data.as_ref().filter(|_| call.takes_data() && call.errno.is_none()).map(|data| data.len);
    if let Some(len) = len.filter(|len| call.ret != i64::try_from(*len).ok()) {
        details.push(format!("of {}", bytes(len)));
    }
    details.extend(call.after.as_ref().map(|after| format!("after {after}")));
    let reported = call.get_out("ee_errno").is_some();
    for (name, value) in &call.out {
        match name.as_ref() {
            "addr" if matches!(call.name, Syscall::GetSockName | Syscall::GetPeerName) => details.push(show(value)),
            "msg_name" if reported => details.push(format!("sent to {}", show(value))),
            "src_addr" | "addr" | "msg_name" => details.push(format!("from {}", show(value))),
            "stderr" if value.is_nothing() => {}
            "stdout" => details.push(format!("{} on standard output", counted(value))),
            "stderr" => details.push(format!("{} on standard error", counted(value))),
            "msg_flags" if value.is_nothing() => {}
            "optval" | "msg_flags" => details.push(show(value)),
            name => details.push(format!("{} {}", name.trim_start_matches("ee_"), show(value))),
        }
    }
    details
}

/// What a socket's queues hold, where they hold something. `datagrams`: the kernel tells of the first one only.
///
/// What is not acknowledged is told where the acknowledgements come over the wire, and stand in the trace. On one host
/// it depends on the kernel's timers, and is told where the lab asked for it, by a probe.
pub(super) fn queues(queues: Queues, datagrams: bool, wired: bool) -> Vec<String> {
    let unread = queues.recv.filter(|recv| *recv > 0).map(|recv| unread(&recv.to_string(), datagrams));
    let unsent = queues.unsent.unwrap_or(0);
    let sent = queues.send.filter(|send| *send > 0 && wired && !datagrams);
    unread.into_iter().chain(sent.map(|send| unacknowledged(send, unsent))).collect()
}

fn unread(recv: &str, datagrams: bool) -> String {
    if datagrams { format!("next datagram: {recv} bytes") } else { format!("{recv} unread") }
}

fn unacknowledged(send: u32, unsent: u32) -> String {
    if unsent > 0 { format!("{send} not acknowledged, {unsent} not sent") } else { format!("{send} not acknowledged") }
}

/// What the kernel answered to a question about a socket.
pub(super) fn probed(probe: &Probe) -> String {
    match *probe {
        Probe::State { state, .. } => state.to_string(),
        Probe::ReceiveQueue { recv: 0, first_datagram: true } => "next datagram: none, or empty".to_owned(),
        Probe::ReceiveQueue { recv, first_datagram } => unread(&recv.to_string(), first_datagram),
        Probe::SendQueue { send, unsent } => unacknowledged(send, unsent),
        Probe::AcceptQueue { waiting } => format!("accept queue: waiting {waiting}"),
        Probe::Pipe { held, .. } => format!("pipe: {held} bytes"),
        Probe::Command { does: CommandState::HasLeftAProgram } => {
            "the command has ended, a program of it has not".to_owned()
        }
        Probe::Command { does } => format!("the command waits in {does}"),
    }
}

/// `recv waits for data`.
pub(super) fn waits(waiting: &Waiting, with_fd: bool) -> String {
    let fd = waiting.fd.filter(|_| with_fd).map(|fd| format!("({fd})")).unwrap_or_default();
    format!("{}{fd} waits for {}", waiting.call, waits_for(waiting))
}

/// What stands above a frame's arrow.
pub(super) fn label(frame: &Frame) -> Words {
    let flags = match frame.proto {
        Proto::Tcp(flags) => flags.to_string(),
        proto @ Proto::Icmp { .. } => format!("{proto} {}", proto.details()),
        proto => proto.to_string(),
    };
    let mut plain = Vec::new();
    plain.extend(frame.seq.map(|seq| format!("seq {seq}")));
    plain.extend(frame.ack.map(|ack| format!("ack {ack}")));
    plain.extend(frame.remark.as_ref().map(ToString::to_string));
    let carries = carries(frame);
    if carries || frame.proto == Proto::Udp {
        plain.push(bytes(frame.payload.len));
    }
    let fate = match frame.fate {
        Fate::Dropped => Some(("lost".to_owned(), "wrong")),
        Fate::Corrupted => Some(("corrupted".to_owned(), "wrong")),
        Fate::Duplicated => Some(("twice".to_owned(), "")),
        Fate::Held | Fate::Passed | Fate::Overtaken => None,
    };
    let held = frame.held.as_ref().map(|held| (format!("held {held}"), ""));
    let ends: Vec<(String, &'static str)> = held.into_iter().chain(fate).collect();
    let number = format!("{}  ", frame.number);
    let mut plain: String = plain.iter().map(|part| format!("  {part}")).collect();
    let ends_width: usize = ends.iter().map(|(text, _)| text.width() + 2).sum();
    if carries {
        let taken = number.width() + flags.width() + plain.width() + ends_width + 4;
        let room = LABEL.saturating_sub(taken).max(LEAST);
        plain += &format!(" {}", quoted_within(&frame.payload.bytes, frame.payload.len, room));
    }
    let mut words = Words::default().and("number", number).and("flags", flags).and("", plain);
    for (text, class) in ends {
        words = words.and(class, format!("  {text}"));
    }
    words
}

/// Whether a frame carries something for a program.
pub(super) fn carries(frame: &Frame) -> bool {
    frame.payload.len > 0 && matches!(frame.proto, Proto::Tcp(_) | Proto::Udp | Proto::Ipv4)
}

/// Why a frame was sent that no call and no other frame brought about.
pub(super) fn timer(frame: &Frame) -> String {
    let after = frame.after.as_ref().map_or(String::new(), |after| format!(", {after}"));
    format!("kernel timer{after}")
}

pub(super) fn ended(exit: &Exit) -> (String, bool) {
    let how = match exit.status {
        Status::Code(0) => "ends".to_owned(),
        Status::Code(_) => format!("ends with {}", exit.status),
        Status::Signal(_) => format!("is killed by {}", exit.status),
    };
    let text = exit.error.as_ref().map_or(how.clone(), |error| format!("{how}: {error}"));
    (cut(&harmless(&text), LINE), !exit.is_good())
}

/// At most `most` lines of at most `width` columns, about equally long; what is left out is marked by `…`.
pub(super) fn lines(text: &str, width: usize, most: usize) -> Vec<String> {
    let text = harmless(text);
    let mut lines = wrapped(&text, width);
    if lines.len() <= most {
        let narrowest = (1..=width).find(|width| wrapped(&text, *width).len() == lines.len());
        return wrapped(&text, narrowest.unwrap_or(width));
    }
    lines.truncate(most);
    if let Some(last) = lines.last_mut() {
        while last.width() + 2 > width {
            let end = last.rfind(' ').unwrap_or(0);
            *last = if end > 0 { last[..end].to_owned() } else { cut(last, width - 2).replace('…', "") };
        }
        *last += " …";
    }
    lines
}

fn show(value: &Value) -> String {
    text::shown(value)
}

fn counted(value: &Value) -> String {
    bytes(value.as_number().and_then(|number| usize::try_from(number).ok()).unwrap_or(0))
}

fn bytes(len: usize) -> String {
    if len == 1 { "1 byte".to_owned() } else { format!("{len} bytes") }
}
