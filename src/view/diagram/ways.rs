//! Which call took what another one sent, on one host, where no frame is seen.
//!
//! It is read off the trace: sockets by their names, bytes by their positions in a stream, datagrams by their order.
//! What the trace leaves open has no way here: two datagrams alike of which one arrived, names that do not fit.

mod datagrams;
mod sockets;
mod streams;

use crate::trace::{Event, Host, What};

/// What goes from one call to others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The role that sends it. `None`: the kernel, for an address that no role of the scene has.
    pub from: Option<String>,
    /// The role that it goes to, if one has had that address.
    pub to: Option<String>,
    /// The event in which it sets out.
    pub begins: usize,
    /// The events in which calls took it, or learned of it. None: nobody ever did.
    pub arrives: Vec<usize>,
    /// The socket at which it arrives.
    pub queue: usize,
    pub kind: Kind,
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    /// The beginning or the end of a connection.
    Control,
    /// A reset, or another refusal.
    Refusal,
}

/// The ways in the events of one scene, in the order in which they begin.
pub(super) fn ways(events: &[&Event]) -> Vec<Way> {
    // Two hosts have frames. Free-running, events are not in their causal order, and nobody looks at queues.
    let wired = events.iter().any(|event| event.host == Host::B || matches!(event.what, What::Frame(_)));
    let looked = events.iter().any(|event| matches!(&event.what, What::Call(call) if call.queues.is_some()));
    if wired || !looked {
        return Vec::new();
    }
    let sockets = sockets::of(events);
    let mut ways = streams::ways(&sockets);
    ways.extend(datagrams::ways(&sockets));
    ways.sort_by_key(|way| way.begins);
    ways
}

/// The role in an address's name.
fn role_of(name: &str) -> Option<String> {
    name.split_once(':').map(|(role, _)| role.to_owned())
}

fn bytes(len: usize) -> String {
    if len == 1 { "1 byte".to_owned() } else { format!("{len} bytes") }
}

/// Whether two buffers, of which a trace may have kept a part only, have nothing that differs.
fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let both = one.len().min(other.len());
    one[..both] == other[..both]
}
