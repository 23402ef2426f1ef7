//! Questions to a trace, for claims and tests.

use super::{Call, Errno, Event, Frame, Probe, Syscall, Trace, Value, What};

/// Some of a trace's events, in their order.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    events: Vec<&'a Event>,
}

/// A call that returned, and the event that tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    pub event: &'a Event,
    pub call: &'a Call,
}

/// A frame on the wire, and the event that tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    pub event: &'a Event,
    pub frame: &'a Frame,
}

impl Made<'_> {
    /// Whether the call failed with this error.
    pub fn failed(&self, errno: Errno) -> bool {
        self.call.errno == Some(errno)
    }
}

impl Trace {
    /// The events of one scene.
    pub fn scene(&self, number: u32) -> Selection<'_> {
        self.all().only(|event| event.scene == number)
    }

    /// All events.
    pub fn all(&self) -> Selection<'_> {
        Selection { events: self.events.iter().collect() }
    }
}

impl<'a> Selection<'a> {
    /// Those for which `keep` is true.
    #[must_use]
    pub fn only(self, keep: impl Fn(&Event) -> bool) -> Selection<'a> {
        Selection { events: self.events.into_iter().filter(|event| keep(event)).collect() }
    }

    /// Those of one role.
    #[must_use]
    pub fn role(self, name: &str) -> Selection<'a> {
        self.only(|event| event.role.as_deref() == Some(name))
    }

    /// Those after an event.
    #[must_use]
    pub fn after(self, event: &Event) -> Selection<'a> {
        self.only(|other| other.n > event.n)
    }

    /// Those before an event.
    #[must_use]
    pub fn before(self, event: &Event) -> Selection<'a> {
        self.only(|other| other.n < event.n)
    }

    /// The calls of this kind that returned.
    pub fn calls(&self, name: Syscall) -> Vec<Made<'a>> {
        self.all_calls().into_iter().filter(|made| made.call.name == name).collect()
    }

    /// All calls that returned.
    pub fn all_calls(&self) -> Vec<Made<'a>> {
        let made = |event: &&'a Event| match &event.what {
            What::Call(call) => Some(Made { event, call }),
            _ => None,
        };
        self.events.iter().filter_map(made).collect()
    }

    /// The frames that hosts sent, each once, in the order of their numbers.
    pub fn frames(&self) -> Vec<Sent<'a>> {
        let sent = |event: &&'a Event| match &event.what {
            What::Frame(frame) if frame.number > 0 && !frame.arrives() => Some(Sent { event, frame }),
            _ => None,
        };
        self.events.iter().filter_map(sent).collect()
    }

    /// What was printed, line by line.
    pub fn printed(&self) -> Vec<(&'a Event, &'a str)> {
        let print = |event: &&'a Event| match &event.what {
            What::Print { text } => Some((*event, text.as_str())),
            _ => None,
        };
        self.events.iter().filter_map(print).collect()
    }

    /// The waits in a call of this kind.
    pub fn waits(&self, call: Syscall) -> Vec<&'a Event> {
        let waits = |event: &&&'a Event| matches!(&event.what, What::Wait(waiting) if waiting.call == call);
        self.events.iter().filter(waits).copied().collect()
    }

    /// The findings of the stage.
    pub fn findings(&self) -> Vec<&'a Event> {
        self.events.iter().filter(|event| matches!(event.what, What::Finding { .. })).copied().collect()
    }

    /// The states of TCP connections that the stage saw.
    pub fn states(&self) -> Vec<&'a Event> {
        self.probes(|probe| matches!(probe, Probe::State { .. }))
    }

    /// The receive queues that the stage saw.
    pub fn receive_queues(&self) -> Vec<&'a Event> {
        self.probes(|probe| matches!(probe, Probe::ReceiveQueue { .. }))
    }

    /// The send queues that the stage saw.
    pub fn send_queues(&self) -> Vec<&'a Event> {
        self.probes(|probe| matches!(probe, Probe::SendQueue { .. }))
    }

    /// The queues of connections that wait for `accept` that the stage saw.
    pub fn accept_queues(&self) -> Vec<&'a Event> {
        self.probes(|probe| matches!(probe, Probe::AcceptQueue { .. }))
    }

    fn probes(&self, wanted: impl Fn(&Probe) -> bool) -> Vec<&'a Event> {
        self.events.iter().filter(|event| event.probe().is_some_and(&wanted)).copied().collect()
    }

    /// The events themselves.
    pub fn events(&self) -> &[&'a Event] {
        &self.events
    }
}

impl Event {
    /// What a call wrote besides its data, by its name in the man page.
    fn out(&self, name: &str) -> Option<&Value> {
        match &self.what {
            What::Call(call) => call.get_out(name),
            _ => None,
        }
    }

    /// A number that a call wrote, by its name.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.out(name)?.as_number()
    }

    /// A word that a call wrote, by its name: of an address, what it is called in the trace.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.out(name)?.as_word()
    }

    /// An error's number that a call wrote as a value, by its name.
    pub fn errno(&self, name: &str) -> Option<Errno> {
        match self.out(name)? {
            Value::Errno(errno) => Some(*errno),
            _ => None,
        }
    }
}
