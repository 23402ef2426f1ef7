//! Questions to a trace, for claims and tests.

use std::borrow::Cow;
use std::fmt;

use super::{Call, Errno, Event, Finding, Frame, Probe, Syscall, TcpState, Trace, Value, What, Word};

/// Some of a trace's events, in their order.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    events: Vec<&'a Event>,
    /// The one scene that they are of.
    scene: Option<u32>,
    /// The one role whose they are.
    role: Option<String>,
}

/// Why a trace does not show what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen(Word);

impl Unseen {
    /// For this reason, which stands after "because".
    pub const fn because(reason: &'static str) -> Unseen {
        Unseen(Cow::Borrowed(reason))
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A call that returned, and the event that tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The event.
    pub event: &'a Event,
    /// The call in it.
    pub call: &'a Call,
}

/// A frame on the wire, and the event that tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The event.
    pub event: &'a Event,
    /// The frame in it.
    pub frame: &'a Frame,
}

/// Which calls are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Those of this name.
    Named(Syscall),
    /// All by which a program sends, `send(2)` and the calls beside it: the kernel does the same for each.
    Sends,
    /// All by which a program receives, `recv(2)` and the calls beside it.
    Receives,
}

impl Calls {
    fn has(self, name: Syscall) -> bool {
        match self {
            Calls::Named(wanted) => name == wanted,
            Calls::Sends => name.sends(),
            Calls::Receives => name.receives(),
        }
    }
}

impl From<Syscall> for Calls {
    fn from(name: Syscall) -> Calls {
        Calls::Named(name)
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Calls::Named(name) => write!(f, "{name}"),
            Calls::Sends => f.write_str("send"),
            Calls::Receives => f.write_str("receive"),
        }
    }
}

impl Made<'_> {
    /// Whether the call failed with this error.
    pub fn failed(&self, errno: Errno) -> bool {
        self.call.errno == Some(errno)
    }

    /// How many bytes it was to send, or had room for.
    pub fn asked_for(&self) -> Option<i64> {
        self.call.get_arg("len").and_then(Value::as_number)
    }
}

/// How many bytes these calls sent or received together.
pub fn count_of(calls: &[Made<'_>]) -> i64 {
    calls.iter().filter_map(|made| made.call.ret).filter(|len| *len > 0).sum()
}

/// The bytes that these calls sent or received, one behind the other.
pub fn bytes_of(calls: &[Made<'_>]) -> Vec<u8> {
    calls.iter().flat_map(|made| made.call.bytes()).copied().collect()
}

/// All of these, of which there must be `N`: `let [first, last] = exactly(fragments, "fragments")?`.
///
/// # Errors
/// If there are fewer or more: it says of what.
pub fn exactly<T, const N: usize>(found: Vec<T>, what: &'static str) -> Result<[T; N], Unseen> {
    found.try_into().map_err(|found: Vec<T>| Unseen(format!("there are {} {what}, and not {N}", found.len()).into()))
}

impl Sent<'_> {
    /// Whether it carries the address of this role as its sender's.
    pub fn is_from(&self, role: &str) -> bool {
        self.frame.is_from(role)
    }

    /// Whether it is a piece of a packet that was too large for one frame.
    pub fn is_fragment(&self) -> bool {
        self.frame.fragment.is_some()
    }
}

impl Trace {
    /// The events of one scene.
    pub fn scene(&self, number: u32) -> Selection<'_> {
        Selection { scene: Some(number), ..self.all().only(|event| event.scene == number) }
    }

    /// Whether a setting of the kernel, a file under `/proc/sys/net`, had the value with which the labs were made.
    ///
    /// # Errors
    /// If it had not, or the trace does not say: what depends on the setting cannot be observed then.
    pub fn pinned(&self, setting: &str) -> Result<(), Unseen> {
        let start = self.events.iter().find_map(|event| match &event.what {
            What::Start(start) => Some(start),
            _ => None,
        });
        let start = start.ok_or(Unseen::because("the trace has no beginning"))?;
        if !start.unpinned.iter().any(|unpinned| unpinned == setting) {
            return Ok(());
        }
        let name = setting.rsplit('/').next().unwrap_or(setting);
        Err(Unseen(format!("the kernel's {name} could not be set here, and other values give other results").into()))
    }

    /// All events.
    pub fn all(&self) -> Selection<'_> {
        Selection { events: self.events.iter().collect(), scene: None, role: None }
    }
}

impl<'a> Selection<'a> {
    /// Those for which `keep` is true.
    #[must_use]
    pub fn only(self, keep: impl Fn(&Event) -> bool) -> Selection<'a> {
        Selection { events: self.events.into_iter().filter(|event| keep(event)).collect(), ..self }
    }

    /// Those of one role.
    #[must_use]
    pub fn role(self, name: &str) -> Selection<'a> {
        Selection { role: Some(name.to_owned()), ..self.only(|event| event.role.as_deref() == Some(name)) }
    }

    /// Those of one process or thread of a role: `server/1`.
    #[must_use]
    pub fn actor(self, name: &str) -> Selection<'a> {
        Selection { role: Some(name.to_owned()), ..self.only(|event| event.actor() == Some(name)) }
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
    pub fn calls(&self, which: impl Into<Calls>) -> Vec<Made<'a>> {
        let which = which.into();
        self.all_calls().into_iter().filter(|made| which.has(made.call.name)).collect()
    }

    /// The first call of this kind that returned.
    ///
    /// # Errors
    /// If there is none: it says of whom, and in which scene.
    pub fn first(&self, which: impl Into<Calls>) -> Result<Made<'a>, Unseen> {
        let which = which.into();
        self.calls(which).first().copied().ok_or_else(|| self.lacks(which))
    }

    /// The last call of this kind that returned.
    ///
    /// # Errors
    /// As [`Selection::first`].
    pub fn last(&self, which: impl Into<Calls>) -> Result<Made<'a>, Unseen> {
        let which = which.into();
        self.calls(which).last().copied().ok_or_else(|| self.lacks(which))
    }

    /// The first `N` calls of this kind that returned: `let [asked, again] = client.first_few(Syscall::Send)?`.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn first_few<const N: usize>(&self, which: impl Into<Calls>) -> Result<[Made<'a>; N], Unseen> {
        let which = which.into();
        let calls = self.calls(which);
        calls.first_chunk().copied().ok_or_else(|| self.counts(which, calls.len(), N))
    }

    /// All calls of this kind that returned, of which there must be `N`.
    ///
    /// # Errors
    /// If there are fewer or more.
    pub fn exactly<const N: usize>(&self, which: impl Into<Calls>) -> Result<[Made<'a>; N], Unseen> {
        let which = which.into();
        let calls = self.calls(which);
        calls.as_slice().try_into().map_err(|_| self.counts(which, calls.len(), N))
    }

    /// The calls of this kind that returned, of which there must be one.
    ///
    /// # Errors
    /// As [`Selection::first`].
    pub fn some(&self, which: impl Into<Calls>) -> Result<Vec<Made<'a>>, Unseen> {
        let which = which.into();
        let calls = self.calls(which);
        if calls.is_empty() { Err(self.lacks(which)) } else { Ok(calls) }
    }

    fn lacks(&self, what: impl fmt::Display) -> Unseen {
        Unseen(format!("there is no {what}{}", self.place()).into())
    }

    fn counts(&self, which: Calls, count: usize, wanted: usize) -> Unseen {
        Unseen(format!("there are {count} calls of {which}{}, and not {wanted}", self.place()).into())
    }

    /// Whose the events are, and where: ` of the client in scene 2`.
    fn place(&self) -> String {
        let role = self.role.as_ref().map_or_else(String::new, |role| format!(" of the {role}"));
        let scene = self.scene.map_or_else(String::new, |scene| format!(" in scene {scene}"));
        role + &scene
    }

    /// The receives that gave data, in their order.
    pub fn received(&self) -> Vec<Made<'a>> {
        let gave_data = |made: &Made<'_>| made.call.name.receives() && !made.call.bytes().is_empty();
        self.all_calls().into_iter().filter(gave_data).collect()
    }

    /// How the role ended.
    ///
    /// # Errors
    /// If it did not.
    pub fn end(&self) -> Result<&'a Event, Unseen> {
        let ends = |event: &&&Event| matches!(event.what, What::Exit(_));
        self.events.iter().rfind(ends).copied().ok_or_else(|| self.lacks("end"))
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
    pub fn waits(&self, which: impl Into<Calls>) -> Vec<&'a Event> {
        let which = which.into();
        let waits = |event: &&&'a Event| matches!(&event.what, What::Wait(waiting) if which.has(waiting.call));
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

    /// The moment at which a connection was first seen in a state.
    ///
    /// # Errors
    /// If it was not.
    pub fn comes_into(&self, state: TcpState) -> Result<&'a Event, Unseen> {
        self.states().into_iter().find(|event| event.state() == Some(state)).ok_or_else(|| self.lacks(state))
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

    /// What the roles found of the pipes from their commands.
    pub fn pipes(&self) -> Vec<&'a Event> {
        self.probes(|probe| matches!(probe, Probe::Pipe { .. }))
    }

    /// What the roles found of their commands while they slept.
    pub fn commands(&self) -> Vec<&'a Event> {
        self.probes(|probe| matches!(probe, Probe::Command { .. }))
    }

    fn probes(&self, wanted: impl Fn(&Probe) -> bool) -> Vec<&'a Event> {
        self.events.iter().filter(|event| event.probe().is_some_and(&wanted)).copied().collect()
    }

    /// The first finding of this kind.
    ///
    /// # Errors
    /// If there is none.
    pub fn finding(&self, kind: Finding) -> Result<&'a Event, Unseen> {
        let is_it = |event: &&Event| matches!(event.what, What::Finding { finding, .. } if finding == kind);
        self.findings().into_iter().find(is_it).ok_or_else(|| self.lacks(format!("finding that {kind}")))
    }

    /// The events themselves.
    pub fn events(&self) -> &[&'a Event] {
        &self.events
    }
}

impl Event {
    /// Whether it is a finding by which this role is among those that wait.
    pub fn finds_waiting(&self, role: &str) -> bool {
        matches!(&self.what, What::Finding { waiting, .. } if waiting.iter().any(|one| one.role == role))
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Host;

    fn trace(calls: &[Syscall]) -> Trace {
        let event = |(index, name): (usize, &Syscall)| {
            let role = Some("client".to_owned());
            let what = What::Call(Call::new(*name, Some(3)));
            Event { n: index as u64 + 1, at_ns: 0, scene: 2, actor: role.clone(), role, host: Host::A, what }
        };
        Trace { events: calls.iter().enumerate().map(event).collect() }
    }

    #[test]
    fn what_a_trace_does_not_show_it_names_with_its_role_and_scene() {
        let trace = trace(&[Syscall::Send]);
        let client = trace.scene(2).role("client");
        assert_eq!(client.first(Syscall::Send).map(|made| made.event.n), Ok(1));
        let no_recv = client.first(Syscall::Recv).map(|made| made.event.n).unwrap_err();
        assert_eq!(no_recv.to_string(), "there is no recv of the client in scene 2");
        assert_eq!(client.some(Syscall::Send).map(|calls| calls.len()), Ok(1));
        assert_eq!(client.some(Syscall::Recv).unwrap_err(), client.first(Syscall::Recv).unwrap_err());
        let anywhere = trace.all().last(Syscall::Close).map(|made| made.event.n).unwrap_err();
        assert_eq!(anywhere.to_string(), "there is no close");
    }

    #[test]
    fn a_pattern_says_how_many_calls_there_must_be() {
        let trace = trace(&[Syscall::Send, Syscall::Recv, Syscall::Send, Syscall::Send]);
        let numbers = |calls: [Made<'_>; 2]| calls.map(|made| made.event.n);
        assert_eq!(trace.scene(2).first_few(Syscall::Send).map(numbers), Ok([1, 3]));
        let too_many = trace.scene(2).exactly(Syscall::Send).map(numbers).unwrap_err();
        assert_eq!(too_many.to_string(), "there are 3 calls of send in scene 2, and not 2");
        assert_eq!(exactly(vec![1, 3], "sends"), Ok([1, 3]));
        let too_few = exactly::<_, 3>(vec![1, 3], "sends").unwrap_err();
        assert_eq!(too_few.to_string(), "there are 2 sends, and not 3");
    }
}
