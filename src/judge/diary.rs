//! What is written down while a check runs: the calls of our peers, the steps of the check, the lines of the program.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::trace::recorder::{self, Recorder};
use crate::trace::{Call, Event, Host, Value, Wait, What};
use crate::wire;

/// So many events of one check are kept.
const MOST: usize = 20_000;

/// The trace of one check, shared between those who write in it.
#[derive(Clone)]
pub struct Diary(Rc<RefCell<Pages>>);

struct Pages {
    events: Vec<Event>,
    left_out: u64,
    began: Instant,
    /// The same by the machine's clock, since 1970.
    began_at: Duration,
    /// Whose calls are being made.
    who: String,
    names: Vec<(SocketAddr, String)>,
}

impl Diary {
    /// An empty one, in which from now on this thread's calls are written.
    pub fn open() -> Diary {
        let pages = Pages {
            events: Vec::new(),
            left_out: 0,
            began: Instant::now(),
            began_at: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            who: String::new(),
            names: Vec::new(),
        };
        let diary = Diary(Rc::new(RefCell::new(pages)));
        recorder::install(Box::new(diary.clone()));
        diary
    }

    /// Ends it, and gives what is in it, in the order in which it happened: of frames one learns later.
    pub fn close(self) -> Vec<Event> {
        recorder::uninstall();
        let left_out = self.0.borrow().left_out;
        let mut events = std::mem::take(&mut self.0.borrow_mut().events);
        events.sort_by_key(|event| event.at_ns);
        events.iter_mut().zip(1..).for_each(|(event, n)| event.n = n);
        if let (1.., Some(last)) = (left_out, events.last().cloned()) {
            let text = format!("{left_out} more events, which are not kept");
            events.push(Event { n: last.n + 1, role: None, actor: None, what: What::Note { text }, ..last });
        }
        events
    }

    /// Makes the calls that `peer` makes, under its name.
    pub fn by<T>(&self, peer: &str, call: impl FnOnce() -> T) -> T {
        peer.clone_into(&mut self.0.borrow_mut().who);
        call()
    }

    /// A step of the check, as a person reads it.
    pub fn step(&self, text: impl Into<String>) {
        self.write(None, What::Note { text: text.into() });
    }

    /// A line that the program printed.
    pub fn printed(&self, line: &str) {
        self.write(Some("program"), What::Print { text: line.to_owned() });
    }

    /// From now on the address has a name.
    pub fn call_it(&self, address: SocketAddr, name: String) {
        self.0.borrow_mut().names.push((address, name));
    }

    /// A frame that passed on the attempt's host, at that time since 1970.
    pub fn overheard(&self, bytes: &[u8], program: SocketAddr, number: u32, at: Duration) {
        // The program is the second host of the two that a capture tells apart, wherever its port is.
        let to_it = wire::destination(bytes).is_some_and(|to| to == program);
        let dir = if to_it { (Host::A, Host::B) } else { (Host::B, Host::A) };
        let frame = wire::overheard(number, bytes, dir, |address| self.name_of(address));
        let at = at.saturating_sub(self.0.borrow().began_at);
        self.write_at(at, None, What::Frame(frame));
    }

    /// The steps until now.
    pub fn steps(events: &[Event]) -> Vec<String> {
        let note = |event: &Event| match &event.what {
            What::Note { text } => Some(text.clone()),
            _ => None,
        };
        events.iter().filter_map(note).collect()
    }

    fn name_of(&self, address: SocketAddr) -> String {
        let pages = self.0.borrow();
        let known = pages.names.iter().find(|(known, _)| *known == address);
        known.map_or_else(|| address.to_string(), |(_, name)| name.clone())
    }

    fn write(&self, role: Option<&str>, what: What) {
        let now = self.0.borrow().began.elapsed();
        self.write_at(now, role, what);
    }

    fn write_at(&self, at: Duration, role: Option<&str>, what: What) {
        let mut pages = self.0.borrow_mut();
        if pages.events.len() >= MOST {
            pages.left_out += 1;
            return;
        }
        let at_ns = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let (role, actor) = (role.map(str::to_owned), role.map(str::to_owned));
        // They are numbered when all are there.
        pages.events.push(Event { n: 0, at_ns, scene: 1, role, actor, host: Host::A, what });
    }
}

impl Recorder for Diary {
    fn before(&mut self, _: &Call, _: Wait) {}

    fn after(&mut self, mut call: Call, _: Option<BorrowedFd<'_>>) {
        for (_, value) in call.args.iter_mut().chain(&mut call.out) {
            if let Value::Address(address) = value {
                *value = Value::Word(self.name_of(*address).into());
            }
        }
        let who = self.0.borrow().who.clone();
        self.write(Some(&who), What::Call(call));
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
