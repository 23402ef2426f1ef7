//! A trace as text: who, which call with which arguments, what came back.

use std::fmt::Write as _;
use std::iter;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::text::{self, WIDTH, digits, harmless, quoted, remembered_for, waits_in, wrapped};
use crate::trace::{
    Call, CommandState, Data, Errno, Event, Exit, Fate, Field, Frame, Host, Layer, Probe, Proto, Start, Status,
    Syscall, TcpState, Value, What,
};

/// A colour for each role, in the order of declaration.
const COLOURS: [AnsiColor; 4] = [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Yellow];

const STRONG: Style = Style::new().bold();
const QUIET: Style = Style::new().italic();
const FRAME: Style = Style::new().dimmed();
const WRONG: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

/// Writes events as lines, one event after the other.
///
/// The lines carry colours; whoever prints them takes these out where they are not wanted.
pub struct Transcript {
    roles: Vec<String>,
    /// How wide the column of names is at least.
    least: usize,
    /// How wide the title may be, in columns.
    title_width: usize,
}

/// The width of a title, in columns: what a terminal has that was not made wider.
const TITLE_WIDTH: usize = 80;

impl Transcript {
    /// A transcript of a run with these roles.
    pub fn new(roles: &[&str]) -> Transcript {
        Transcript { roles: roles.iter().map(|role| (*role).to_owned()).collect(), least: 6, title_width: TITLE_WIDTH }
    }

    /// The same with room for the numbers of frames.
    #[must_use]
    pub fn with_frames(self) -> Transcript {
        Transcript { least: "wire 999".len(), ..self }
    }

    /// The same with room for the names of processes and threads that roles make.
    #[must_use]
    pub fn with_children(self) -> Transcript {
        let longest = self.roles.iter().map(|role| role.width()).max().unwrap_or(0);
        Transcript { least: self.least.max(longest + "/1".len()), ..self }
    }

    /// The same with a title of at most `columns`, where they are fewer than 80.
    #[must_use]
    pub fn with_title_within(self, columns: usize) -> Transcript {
        Transcript { title_width: columns.clamp(TITLE_WIDTH / 4, TITLE_WIDTH), ..self }
    }

    /// The lines of one event, each with its end.
    pub fn lines(&self, event: &Event) -> String {
        let role = event.actor();
        match &event.what {
            What::Start(start) => heading(start, self.title_width),
            What::Scene { text, .. } => scene(event.scene, text),
            What::Note { text } => self.note(text),
            What::Frame(frame) => self.wire(frame),
            What::Finding { .. } => finding(&words(&event.what)),
            what => words(what).iter().map(|line| self.said(role, style(what), line)).collect(),
        }
    }

    /// A line in the place of rounds like those above it.
    pub(super) fn left_out(&self, rounds: usize) -> String {
        format!("{:column$}  {QUIET}… {rounds} more rounds like these …{QUIET:#}\n", "", column = self.column())
    }

    /// A line behind the name of its role; further ones are set in.
    fn said(&self, role: Option<&str>, style: Style, text: &str) -> String {
        let name = role.unwrap_or("stage");
        let column = self.column();
        // A process that a role has made has its role's colour: `server/1`.
        let index = self.roles.iter().position(|known| Some(known.as_str()) == name.split('/').next());
        let colour = index.map(|index| COLOURS[index % COLOURS.len()].into());
        let (bold, style) = (STRONG.fg_color(colour), style.fg_color(colour));
        let mut lines = String::new();
        for (index, line) in wrapped(text.trim_end(), WIDTH - column - 6).iter().enumerate() {
            let line = coloured(line, style);
            let _ = match index {
                0 => writeln!(lines, "{bold}{name:>column$}{bold:#}  {line}"),
                _ => writeln!(lines, "{:column$}      {line}", ""),
            };
        }
        lines
    }

    /// A frame, between the calls: the first host is on the left.
    fn wire(&self, frame: &Frame) -> String {
        let column = self.column();
        let name = |end: &Option<String>, host: &str| {
            let name = end.as_deref().and_then(|end| end.split(':').next());
            name.unwrap_or(host).to_owned()
        };
        // A frame without addresses that we know goes from host to host.
        let (first, second) = if frame.dir.0 == Host::B { (&frame.to, &frame.from) } else { (&frame.from, &frame.to) };
        let (left, right) = (name(first, "host a"), name(second, "host b"));
        let arrow = match (frame.dir.0, frame.fate) {
            // Overtaken: nothing passed.
            (_, Fate::Overtaken) => return String::new(),
            (Host::B, Fate::Dropped) => "✗──",
            (_, Fate::Dropped) => "──✗",
            (Host::B, Fate::Held) => "┄──",
            (_, Fate::Held) => "──┄",
            (Host::B, _) if frame.arrives() => "◀─┄",
            (_, _) if frame.arrives() => "┄─▶",
            (Host::B, _) => "◀──",
            _ => "──▶",
        };
        let line = format!("{left} {arrow} {right}  {}", carried(frame));
        let number = format!("wire {}", frame.number);
        let mut lines = String::new();
        for (index, line) in wrapped(&line, WIDTH - column - 6).iter().enumerate() {
            let (name, gap) = if index == 0 { (number.as_str(), "  ") } else { ("", "      ") };
            let _ = writeln!(lines, "{FRAME}{name:>column$}{gap}{line}{FRAME:#}");
        }
        if !frame.arrives() {
            frame.layers.iter().for_each(|layer| lines.push_str(&self.layer(layer)));
        }
        lines
    }

    /// A layer of a frame, a line a field: where it begins, its bytes, its name and what it says.
    fn layer(&self, layer: &Layer) -> String {
        const IN_A_ROW: usize = 8;
        const IN_HEX: usize = IN_A_ROW * 3 + 1;
        let margin = self.column() + 2;
        let mut lines = format!("{:margin$}{FRAME}{}, {}{FRAME:#}\n", "", layer.name, bytes(&layer.len().to_string()));
        for field in &layer.fields {
            let (shown, says) = hex_rows(field, IN_A_ROW);
            // Reports set all lines in by two more.
            let says = wrapped(&says, WIDTH - margin - IN_HEX - 9);
            for row in 0..shown.len().max(says.len()) {
                let at = if row == 0 { field.at.to_string() } else { String::new() };
                let (hex, says) = (shown.get(row).map_or("", |hex| hex), says.get(row).map_or("", |says| says));
                let line = format!("{:margin$}{at:>5}  {hex:<IN_HEX$}{says}", "");
                let _ = writeln!(lines, "{FRAME}{}{FRAME:#}", line.trim_end());
            }
        }
        lines
    }

    fn note(&self, text: &str) -> String {
        let column = self.column();
        let lines = wrapped(text, WIDTH - column - 4);
        lines.iter().map(|line| format!("{:column$}  # {line}\n", "")).collect()
    }

    fn column(&self) -> usize {
        self.roles.iter().map(|role| role.width()).max().unwrap_or(0).max(self.least)
    }
}

/// How what a role did is shown.
fn style(what: &What) -> Style {
    match what {
        What::Input { .. } | What::Print { .. } => STRONG,
        What::Begin(_) | What::Call(_) => Style::new(),
        _ => QUIET,
    }
}

/// What was done, in words without colours or breaks: as a rule one line, for a print one for each of its lines.
pub(super) fn words(what: &What) -> Vec<String> {
    match what {
        What::Start(start) => vec![format!("Lab {}: {}", start.lab, start.question)],
        What::Scene { text, .. } => vec![text.clone()],
        What::Begin(call) => vec![format!("{} …", before(call))],
        What::Wait(waiting) => vec![format!("waits {}", waits_in(waiting))],
        What::Call(call) => vec![format!("{} = {}", before(call), after(call))],
        What::Input { prompt, text } => {
            let typed = text.as_deref().map(|text| format!("{}⏎", for_a_reader(&harmless(text))));
            let typed = typed.unwrap_or_else(|| "⟨end of input⟩".to_owned());
            vec![format!("│ {}{typed}", harmless(prompt))]
        }
        What::Print { text } => shortened(text),
        What::Meet { text } => vec![format!("pauses until {text}")],
        What::Note { text } => vec![format!("# {text}")],
        What::Probe { probe, fd } => vec![format!("▸ {}", probed(probe, *fd))],
        What::Frame(frame) => vec![format!("wire {}  {}", frame.number, carried(frame))],
        What::Finding { waiting, text, .. } => {
            let waits = waiting.iter().map(|one| format!("{} waits {}", one.role, waits_in(one)));
            [format!("=> {text}")].into_iter().chain(waits).collect()
        }
        What::Exit(exit) => vec![ended(exit)],
    }
}

/// The lines of what a role printed, behind a bar; of very many the first ones and the last.
fn shortened(text: &str) -> Vec<String> {
    const MOST: usize = 6;
    let line = |line: &str| format!("│ {}", for_a_reader(&harmless(line)));
    let lines: Vec<String> = text.split('\n').map(line).collect();
    if lines.len() <= MOST {
        return lines;
    }
    let more = format!("│ … ({} lines more)", lines.len() - 4);
    [&lines[..3], &[more], &lines[lines.len() - 1..]].concat()
}

/// What is longer than this, a word or a line of many words, nobody reads: so many characters.
const READABLE: usize = 400;

/// A line without what nobody reads: of one that is long by its many words, the beginning and how long it is.
fn for_a_reader(line: &str) -> String {
    const SHOWN: usize = 50;
    let line = without_long_words(line);
    let count = line.chars().count();
    if count <= READABLE {
        return line;
    }
    let shown: String = line.chars().take(SHOWN).collect();
    format!("{shown}… ({count} characters)")
}

/// A line; of a long word in it, as text that was sent for its size, the beginning, the end, and how long it is.
fn without_long_words(line: &str) -> String {
    let short = |word: &str| {
        let count = word.trim_matches('"').chars().count();
        if count <= READABLE {
            return word.to_owned();
        }
        let begin: String = word.chars().take(24).collect();
        let end: Vec<char> = word.chars().rev().take(8).collect();
        format!("{begin}…{} ({count} characters)", end.iter().rev().collect::<String>())
    };
    line.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// A field's bytes in hexadecimal, so many in a row, and its name with what it says. Of many bytes the first ones are
/// shown, and of bytes that vary only how many there are.
fn hex_rows(field: &Field, in_a_row: usize) -> (Vec<String>, String) {
    const MOST: usize = 16;
    let known = &field.bytes.bytes[..field.bytes.bytes.len().min(MOST)];
    let hex = |byte: &u8| if field.varies { "··".to_owned() } else { format!("{byte:02x}") };
    let rows = known.chunks(in_a_row).map(|row| row.iter().map(hex).collect::<Vec<String>>().join(" "));
    let mut rows: Vec<String> = rows.collect();
    if field.bytes.len > known.len() {
        rows.push("…".to_owned());
    }
    let says = match (field.name.as_ref(), field.says.as_ref()) {
        ("bytes", "") => data(&field.bytes),
        (name, "") => name.to_owned(),
        (name, says) => format!("{name}: {says}"),
    };
    (rows, says)
}

/// A line in its role's style, with the name of an error in red.
fn coloured(line: &str, style: Style) -> String {
    let is_error =
        |word: &&str| word.len() > 2 && word.starts_with('E') && word.bytes().all(|b| b.is_ascii_uppercase());
    match line.split_once("= -1 ").and_then(|(_, rest)| rest.split(' ').next()).filter(is_error) {
        Some(error) => {
            let (left, right) = line.rsplit_once(error).unwrap_or((line, ""));
            format!("{style}{left}{style:#}{WRONG}{error}{WRONG:#}{style}{right}{style:#}")
        }
        None => format!("{style}{line}{style:#}"),
    }
}

/// What is in a frame, in words.
fn carried(frame: &Frame) -> String {
    if frame.arrives() && frame.fate == Fate::Passed {
        return "arrives".to_owned();
    }
    let mut parts = vec![match frame.proto {
        Proto::Tcp(flags) => flags.to_string(),
        proto @ Proto::Icmp { .. } => format!("{proto} {}", proto.details()),
        proto => proto.to_string(),
    }];
    parts.extend(frame.seq.map(|seq| format!("seq {seq}")));
    parts.extend(frame.ack.map(|ack| format!("ack {ack}")));
    parts.extend(frame.remark.as_ref().map(ToString::to_string));
    let Data { bytes: payload, len } = &frame.payload;
    let size = || bytes(&len.to_string());
    match frame.proto {
        Proto::Udp if *len == 0 => parts.push(size()),
        _ if *len == 0 => {}
        Proto::Tcp(_) | Proto::Udp => parts.push(format!("{} {}", size(), beginning(&frame.payload))),
        Proto::Ipv4 if frame.from.is_some() => parts.push(format!("{} {}", size(), beginning(&frame.payload))),
        Proto::Icmp { .. } | Proto::Arp(_) => {}
        // What it is nobody here knows.
        _ => parts.push(format!("{} {}", size(), digits(payload, *len))),
    }
    parts.extend(match frame.fate {
        Fate::Dropped => Some("(lost)".to_owned()),
        Fate::Duplicated => Some("(twice)".to_owned()),
        Fate::Corrupted => Some("(corrupted)".to_owned()),
        Fate::Held => frame.held.as_ref().map(|held| format!("(held {held})")),
        Fate::Passed | Fate::Overtaken => None,
    });
    if frame.by_timer && !frame.arrives() {
        let after = frame.after.as_ref().map_or(String::new(), |after| format!(", {after}"));
        parts.push(format!("(a timer of the kernel's{after})"));
    }
    parts.join("  ")
}

/// What the stage concluded, and behind it who waits.
fn finding(words: &[String]) -> String {
    let (first, waits) = words.split_first().expect("a conclusion");
    let waits: String = waits.iter().map(|wait| format!("   {wait}\n")).collect();
    format!("\n{STRONG}{first}{STRONG:#}\n{waits}")
}

/// The title, its further lines set in.
fn heading(start: &Start, width: usize) -> String {
    const INDENT: &str = "  ";
    let lines = wrapped(&format!("Lab {}: {}", start.lab, start.question), width - INDENT.len());
    let indents = iter::once("").chain(iter::repeat(INDENT));
    lines.iter().zip(indents).map(|(line, indent)| format!("{indent}{STRONG}{line}{STRONG:#}\n")).collect()
}

fn scene(number: u32, text: &str) -> String {
    let title = format!("── {number}. {text} ");
    let rule = "─".repeat(80usize.saturating_sub(title.width()));
    format!("\n{STRONG}{title}{rule}{STRONG:#}\n\n")
}

/// The call as it was made: its name and arguments.
fn before(call: &Call) -> String {
    let mut words: Vec<String> = call.fd.iter().map(ToString::to_string).collect();
    if call.takes_data() {
        words.extend(if call.pieces.is_empty() { call.data.as_ref().map(data) } else { Some(buffers(call)) });
        // What is returned says how many bytes went; where it says otherwise, or nothing yet, the length is told.
        let size_matters = matches!(call.errno, None | Some(Errno::EMSGSIZE));
        let len = call.data.as_ref().map(|data| data.len).filter(|_| size_matters);
        let len = len.filter(|len| call.ret != i64::try_from(*len).ok() && call.get_arg("vlen").is_none());
        words.extend(len.map(|len| bytes(&len.to_string())));
    }
    words.extend(call.args.iter().filter_map(|(name, value)| argument(call, name, value)));
    format!("{}({})", call.name, words.join(", "))
}

fn argument(call: &Call, name: &str, value: &Value) -> Option<String> {
    match name {
        "flags" | "protocol" if value.is_nothing() => None,
        "level" => None,
        "vlen" if call.takes_data() => Some(format!("{} datagrams", show(value))),
        "vlen" => {
            let each = call.get_arg("len").map(show).unwrap_or_default();
            Some(format!("up to {} datagrams of up to {each}", show(value)))
        }
        "len" if call.takes_data() || call.get_arg("vlen").is_some() => None,
        "len" => Some(format!("up to {}", show(value))),
        "dest_addr" => Some(format!("to {}", show(value))),
        "SCM_RIGHTS" => Some(format!("SCM_RIGHTS {}", show(value))),
        "count" | "maxevents" => Some(format!("up to {}", show(value))),
        "path" | "oldpath" | "newpath" | "target" => {
            let path = text::value(value);
            Some(text::quoted_within(path.as_bytes(), path.len(), PATH))
        }
        "command" => Some(format!("\"{}\"", for_a_reader(&show(value)))),
        _ => Some(show(value)),
    }
}

/// How many columns of a path are shown.
const PATH: usize = 48;

/// What came back.
fn after(call: &Call) -> String {
    let mut text = match (&call.ret, &call.errno) {
        (_, Some(errno)) => format!("-1 {errno}"),
        (Some(ret), None) => ret.to_string(),
        (None, None) => "?".to_owned(),
    };
    // The kernel's numbers of processes vary: the trace has names.
    if let Some(pid) = call.get_out("pid") {
        text = show(pid);
    }
    let some = call.get_out("how_many").map(show);
    match call.data.as_ref().filter(|_| !call.takes_data()) {
        Some(received) if some.is_some() => {
            let begin = &received.bytes[..received.bytes.len().min(12)];
            text = format!("{} {}", some.unwrap_or_default(), quoted(begin, received.len));
        }
        Some(received) => text = format!("{text} {}", data(received)),
        None => {}
    }
    for (name, value) in &call.out {
        let _ = match name.as_ref() {
            "addr" if matches!(call.name, Syscall::GetSockName | Syscall::GetPeerName) => {
                write!(text, " {}", show(value))
            }
            "src_addr" | "addr" => write!(text, " from {}", show(value)),
            "msg_name" if call.get_out("ee_errno").is_some() => write!(text, " sent to {}", show(value)),
            "msg_name" => write!(text, " from {}", show(value)),
            "how_many" | "pid" => Ok(()),
            "wstatus" => {
                let status = value.as_number().and_then(|status| i32::try_from(status).ok()).unwrap_or_default();
                write!(text, ", {}", Status::of_kernel(status))
            }
            "msg_flags" if value.is_nothing() => Ok(()),
            "msg_flags" => write!(text, " with {}", show(value)),
            "stdout" => write!(text, ", {} on standard output", bytes(&show(value))),
            "stderr" if value.as_number() == Some(0) => Ok(()),
            "stderr" => write!(text, ", {} on standard error", bytes(&show(value))),
            "stdin_pipe" => write!(text, ", standard input from {}", show(value)),
            "stdout_pipe" => write!(text, ", standard output to {}", show(value)),
            "stderr_pipe" => write!(text, ", standard error to {}", show(value)),
            "optval" | "argp" | "status" => write!(text, " ({})", show(value)),
            "st_mode" => write!(text, " {}", show(value)),
            "events" => write!(text, ": {}", show(value)),
            "st_size" => write!(text, " of {}", bytes(&show(value))),
            "permissions" => write!(text, ", {}", show(value)),
            "sv" => write!(text, " {}", show(value)),
            "read_end" => write!(text, ", out of it from {}", show(value)),
            "write_end" => write!(text, ", into it to {}", show(value)),
            "drops" => write!(text, " ({} dropped)", show(value)),
            "lost_before" => write!(text, ", {} lost before it", show(value)),
            name => write!(text, ", {} {}", name.trim_start_matches("ee_"), show(value)),
        };
    }
    if let Some(after) = &call.after {
        let _ = write!(text, ", after {after}");
    }
    if call.times > 1 {
        let _ = write!(text, ", {} times", call.times);
    }
    text
}

/// Data in a line that says much else: of what is long, the first bytes.
fn beginning(data: &Data) -> String {
    const SHOWN: usize = 16;
    let bytes = if data.len > 2 * SHOWN { &data.bytes[..SHOWN] } else { &data.bytes };
    quoted(bytes, data.len)
}

fn data(data: &Data) -> String {
    quoted(&data.bytes, data.len)
}

/// Several buffers: `["head", "body"]`.
fn buffers(call: &Call) -> String {
    let all: Vec<String> = call.buffers().into_iter().map(|(bytes, len)| quoted(bytes, len)).collect();
    format!("[{}]", all.join(", "))
}

fn show(value: &Value) -> String {
    text::shown(value)
}

fn probed(probe: &Probe, fd: i32) -> String {
    match *probe {
        Probe::State { state: TcpState::Closed, closed: true, .. } => format!("{fd}, closed, is gone"),
        Probe::State { state, left, already, closed } => {
            let closed = if closed { ", closed," } else { "" };
            let since = if already { "already" } else { "now" };
            let left = left.map_or_else(String::new, |left| format!(", for {}", remembered_for(left)));
            format!("{fd}{closed} is {since} {state}{left}")
        }
        Probe::ReceiveQueue { recv: 0, first_datagram: true } => {
            format!("first in the receive queue of {fd}: no datagram, or an empty one")
        }
        Probe::ReceiveQueue { recv, first_datagram: true } => {
            format!("first in the receive queue of {fd}: a datagram of {}", bytes(&recv.to_string()))
        }
        Probe::ReceiveQueue { recv, .. } => format!("{} in the receive queue of {fd}", bytes(&recv.to_string())),
        Probe::AcceptQueue { waiting: 0 } => format!("no connection waits for accept on {fd}"),
        Probe::AcceptQueue { waiting: 1 } => format!("1 connection waits for accept on {fd}"),
        Probe::AcceptQueue { waiting } => format!("{waiting} connections wait for accept on {fd}"),
        Probe::Pipe { held, room } => {
            format!("{} in the pipe to {fd}, which has room for {room}", bytes(&held.to_string()))
        }
        Probe::Command { does: CommandState::HasLeftAProgram } => {
            "the command has ended, a program that it started has not".to_owned()
        }
        Probe::Command { does } => format!("the command waits in {does}({fd})"),
        Probe::SendQueue { send, unsent } => {
            format!("{fd} holds {} not acknowledged, {unsent} of them not sent", bytes(&send.to_string()))
        }
    }
}

fn bytes(number: &str) -> String {
    if number == "1" { "1 byte".to_owned() } else { format!("{number} bytes") }
}

fn ended(exit: &Exit) -> String {
    let how = match exit.status {
        Status::Code(0) => "ends".to_owned(),
        Status::Code(_) => format!("ends with {}", exit.status),
        Status::Signal(_) => format!("is killed by {}", exit.status),
    };
    let how = if exit.is_zombie { format!("{how}, and is a zombie until its parent waits for it") } else { how };
    match &exit.error {
        Some(error) => format!("{how}: {error}"),
        None => how,
    }
}
