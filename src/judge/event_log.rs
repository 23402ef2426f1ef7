//! What is recorded while a check runs: the calls of our peers, the steps of the check, the lines of the program.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::trace::recorder::{self, Recorder};
use crate::trace::{Call, Event, Host, Value, Wait, What};
use crate::view::text::harmless;
use crate::wire;

/// The most events of one check that are kept, besides frames: of these there is a bound where they are heard. And the
/// most bytes of all their data and texts.
const MAX_EVENTS: usize = 20_000;
const MAX_BYTES: usize = 8 << 20;

/// The most lines that a program wrote, one after the other, that a story shows: some of the first, and the last.
const MAX_LINES_TOGETHER: usize = 8;

/// The most lines that a program wrote that are kept of one check.
const MAX_LINES: usize = 5000;

/// The role of what a program writes to its standard output, and to its standard error.
pub const PROGRAM: &str = "program";
pub const ERRORS: &str = "its stderr";

/// A line of the story of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoryLine {
    /// A step, or a remark.
    Step(String),
    /// A line on the program's standard output, as text.
    Printed(String),
    /// A line on its standard error.
    Complained(String),
    /// Lines of both that are left out here.
    LeftOut(usize),
}

/// The log of one check. Its clones write into the same log.
#[derive(Clone)]
pub struct EventLog(Rc<RefCell<Entries>>);

/// While it lives, this thread's calls are written into its log.
pub struct Recording {
    log: EventLog,
}

struct Entries {
    events: Vec<Event>,
    frames: usize,
    bytes: usize,
    left_out: u64,
    /// How many lines the program has written.
    lines: usize,
    began: Instant,
    /// The same moment on the machine's clock, since 1970.
    began_at: Duration,
    /// The peer whose calls are being made.
    peer: String,
    names: Vec<(SocketAddr, String)>,
}

impl Recording {
    /// Starts an empty log.
    pub fn start() -> Recording {
        let entries = Entries {
            events: Vec::new(),
            frames: 0,
            bytes: 0,
            left_out: 0,
            lines: 0,
            began: Instant::now(),
            began_at: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            peer: String::new(),
            names: Vec::new(),
        };
        let log = EventLog(Rc::new(RefCell::new(entries)));
        recorder::install(Box::new(log.clone()));
        Recording { log }
    }

    /// The log that is written.
    pub fn log(&self) -> EventLog {
        self.log.clone()
    }

    /// Ends the recording. The events are in the order in which they happened: frames are read later.
    pub fn finish(self) -> Vec<Event> {
        let left_out = self.log.0.borrow().left_out;
        let mut events = std::mem::take(&mut self.log.0.borrow_mut().events);
        events.sort_by_key(|event| event.at_ns);
        events.iter_mut().zip(1..).for_each(|(event, n)| event.n = n);
        if let (1.., Some(last)) = (left_out, events.last().cloned()) {
            let text = format!("{left_out} more events, which are not kept");
            events.push(Event { n: last.n + 1, role: None, actor: None, what: What::Note { text }, ..last });
        }
        events
    }
}

impl Drop for Recording {
    /// Also when the check panics: the thread goes on to the next one.
    fn drop(&mut self) {
        recorder::uninstall();
    }
}

impl EventLog {
    /// Makes a call under the name of the peer that makes it.
    pub fn as_peer<T>(&self, peer: &str, call: impl FnOnce() -> T) -> T {
        peer.clone_into(&mut self.0.borrow_mut().peer);
        call()
    }

    /// Adds a step of the check, as a person reads it.
    pub fn step(&self, text: impl Into<String>) {
        self.add(None, What::Note { text: text.into() });
    }

    /// Adds a line that the program printed.
    pub fn add_output_line(&self, line: &str) {
        self.add_line(PROGRAM, line);
    }

    /// Adds a line that the program wrote to its standard error.
    pub fn add_error_line(&self, line: &str) {
        self.add_line(ERRORS, line);
    }

    fn add_line(&self, stream: &str, line: &str) {
        let before = self.0.borrow().lines;
        self.0.borrow_mut().lines += 1;
        let text = match before {
            ..MAX_LINES => line.to_owned(),
            MAX_LINES => "… what it writes from here on is not kept".to_owned(),
            _ => return,
        };
        self.add(Some(stream), What::Print { text });
    }

    /// Gives an address a name, which stands for it in the events that follow.
    pub fn name_address(&self, address: SocketAddr, name: String) {
        self.0.borrow_mut().names.push((address, name));
    }

    /// Adds a frame that passed on the attempt's host `at` that time since 1970.
    pub fn add_frame(&self, bytes: &[u8], program: SocketAddr, number: u32, at: Duration) {
        // A capture has two hosts. The program is the second one, whatever its port is.
        let to_it = wire::destination(bytes).is_some_and(|to| to == program);
        let dir = if to_it { (Host::A, Host::B) } else { (Host::B, Host::A) };
        let frame = wire::overheard(number, bytes, dir, |address| self.name_of(address));
        let at = at.saturating_sub(self.0.borrow().began_at);
        self.add_at(at, None, What::Frame(frame));
    }

    fn name_of(&self, address: SocketAddr) -> String {
        let entries = self.0.borrow();
        let known = entries.names.iter().find(|(known, _)| *known == address);
        known.map_or_else(|| address.to_string(), |(_, name)| name.clone())
    }

    fn add(&self, role: Option<&str>, what: What) {
        let now = self.0.borrow().began.elapsed();
        self.add_at(now, role, what);
    }

    fn add_at(&self, at: Duration, role: Option<&str>, what: What) {
        let mut entries = self.0.borrow_mut();
        let bytes = match &what {
            What::Note { text } | What::Print { text } => text.len(),
            What::Call(call) => call.data.as_ref().map_or(0, |data| data.bytes.len()),
            _ => 0,
        };
        if matches!(what, What::Frame(_)) {
            entries.frames += 1;
        } else if entries.events.len() - entries.frames >= MAX_EVENTS || entries.bytes + bytes > MAX_BYTES {
            entries.left_out += 1;
            return;
        }
        entries.bytes += bytes;
        let at_ns = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let (role, actor) = (role.map(str::to_owned), role.map(str::to_owned));
        // `Recording::finish` numbers them.
        entries.events.push(Event { n: 0, at_ns, scene: 1, role, actor, host: Host::A, what });
    }
}

/// The steps, and between them what the program wrote, where it came.
pub fn story(events: &[Event]) -> Vec<StoryLine> {
    let (mut story, mut together) = (Vec::new(), Vec::new());
    for event in events {
        match (&event.what, event.role.as_deref()) {
            (What::Note { text }, _) => {
                add_shortened(&mut story, &mut together);
                story.push(StoryLine::Step(text.clone()));
            }
            (What::Print { text }, Some(ERRORS)) => together.push(StoryLine::Complained(text.clone())),
            (What::Print { text }, _) => together.push(StoryLine::Printed(text.clone())),
            _ => {}
        }
    }
    add_shortened(&mut story, &mut together);
    story
}

/// Adds these lines, or the first and the last of them.
fn add_shortened(story: &mut Vec<StoryLine>, lines: &mut Vec<StoryLine>) {
    if lines.len() > MAX_LINES_TOGETHER {
        let left_out = lines.len() + 1 - MAX_LINES_TOGETHER;
        let first = MAX_LINES_TOGETHER / 2;
        lines.splice(first..first + left_out, [StoryLine::LeftOut(left_out)]);
    }
    story.append(lines);
}

/// The story as sentences.
pub fn steps(events: &[Event]) -> Vec<String> {
    story(events).iter().map(StoryLine::told).collect()
}

impl StoryLine {
    /// A sentence.
    pub fn told(&self) -> String {
        match self {
            StoryLine::Step(text) => harmless(text),
            StoryLine::Printed(line) => format!("the program prints: {}", harmless(line)),
            StoryLine::Complained(line) => format!("the program writes to its standard error: {}", harmless(line)),
            StoryLine::LeftOut(count) => format!("the program writes {count} more lines"),
        }
    }
}

/// What happened after our side had last sent something.
pub fn since_last_send(events: &[Event]) -> &[Event] {
    let sends = |event: &Event| matches!(&event.what, What::Call(call) if call.name.sends());
    &events[events.iter().rposition(sends).map_or(0, |last| last + 1)..]
}

impl Recorder for EventLog {
    fn before(&mut self, _: &Call, _: Wait) {}

    fn after(&mut self, mut call: Call, _: Option<BorrowedFd<'_>>) {
        for (_, value) in call.args.iter_mut().chain(&mut call.out) {
            if let Value::Address(address) = value {
                *value = Value::Word(self.name_of(*address).into());
            }
        }
        let peer = self.0.borrow().peer.clone();
        self.add(Some(&peer), What::Call(call));
    }

    fn say(&mut self, _: &str) {}

    fn note(&mut self, _: &str) {}

    fn meet(&mut self, _: &str) {}

    fn prompt(&mut self, _: &str) -> Option<String> {
        None
    }

    fn name(&mut self, address: SocketAddr) -> String {
        self.name_of(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::panics;

    fn is_recording() -> bool {
        recorder::with(|_| ()).is_some()
    }

    #[test]
    fn a_panic_ends_the_recording() {
        let caught = panics::catch(|| {
            let _recording = Recording::start();
            assert!(is_recording());
            panic!("a check's");
        });
        assert!(caught.is_err());
        assert!(!is_recording());
    }

    #[test]
    fn what_a_program_writes_stands_between_the_steps_and_is_shortened() {
        let recording = Recording::start();
        let log = recording.log();
        log.step("one");
        log.add_output_line("printed");
        log.add_error_line("complained");
        log.step("two");
        (0..100).for_each(|number| log.add_output_line(&number.to_string()));
        let told = steps(&recording.finish());
        assert_eq!(
            told[..4],
            ["one", "the program prints: printed", "the program writes to its standard error: complained", "two"]
        );
        assert_eq!(told.len(), 4 + MAX_LINES_TOGETHER);
        assert_eq!(told[7], "the program prints: 3");
        assert_eq!(told[8], "the program writes 93 more lines");
        assert_eq!(told[11], "the program prints: 99");
    }

    #[test]
    fn a_program_that_writes_very_much_does_not_push_the_steps_out() {
        let recording = Recording::start();
        let log = recording.log();
        (0..MAX_EVENTS + 3).for_each(|_| log.add_error_line("again"));
        log.step("the last step");
        let events = recording.finish();
        assert_eq!(events.len(), MAX_LINES + 2);
        let told = steps(&events);
        assert_eq!(told.last().map(String::as_str), Some("the last step"));
        assert!(told[told.len() - 2].ends_with("is not kept"), "{told:?}");
    }

    #[test]
    fn events_beyond_the_limit_are_counted() {
        let recording = Recording::start();
        let log = recording.log();
        (0..MAX_EVENTS + 3).for_each(|number| log.step(number.to_string()));
        let events = recording.finish();
        assert!(!is_recording());
        assert_eq!(events.len(), MAX_EVENTS + 1);
        assert_eq!(steps(&events).last().map(String::as_str), Some("3 more events, which are not kept"));
        assert!(events.iter().map(|event| event.n).eq(1..=MAX_EVENTS as u64 + 1));
    }

    #[test]
    fn events_that_would_take_too_much_memory_are_counted() {
        let recording = Recording::start();
        let line = "x".repeat(1 << 20);
        (0..10).for_each(|_| recording.log().add_output_line(&line));
        let events = recording.finish();
        assert_eq!(events.len(), MAX_BYTES / line.len() + 1);
        assert_eq!(steps(&events).last().map(String::as_str), Some("2 more events, which are not kept"));
    }
}
