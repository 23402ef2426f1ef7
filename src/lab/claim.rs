//! Claims: sentences about behaviour, each with the check that confirms or refutes it from a trace.

use crate::trace::{Event, Made, Trace};

/// A sentence about behaviour.
pub struct Claim {
    /// Where it stands: in one of the classic texts (`S0-C09`), or `ours`.
    pub source: &'static str,
    pub says: &'static str,
    pub check: fn(&Trace) -> Verdict,
}

/// What a trace says about a claim, and the events that say it.
#[derive(Debug)]
pub enum Verdict {
    Confirmed(Vec<Event>),
    Refuted(Vec<Event>),
    NotObservable(&'static str),
}

impl Claim {
    /// A claim of one of the classic texts.
    pub fn classic(source: &'static str, says: &'static str, check: fn(&Trace) -> Verdict) -> Claim {
        Claim { source, says, check }
    }

    /// A claim of ours.
    pub fn ours(says: &'static str, check: fn(&Trace) -> Verdict) -> Claim {
        Claim { source: "ours", says, check }
    }
}

impl Verdict {
    /// Confirmed if it holds, else refuted, by these events.
    pub fn of<'a>(holds: bool, evidence: impl IntoIterator<Item = &'a Event>) -> Verdict {
        let evidence = evidence.into_iter().cloned().collect();
        if holds { Verdict::Confirmed(evidence) } else { Verdict::Refuted(evidence) }
    }

    /// Confirmed if it holds, else refuted, by these calls.
    pub fn by_calls<'a>(holds: bool, calls: impl IntoIterator<Item = Made<'a>>) -> Verdict {
        Verdict::of(holds, calls.into_iter().map(|made| made.event))
    }

    /// In a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Confirmed(_) => "confirmed",
            Verdict::Refuted(_) => "refuted",
            Verdict::NotObservable(_) => "not observable here",
        }
    }

    /// The events that it rests on.
    pub fn evidence(&self) -> &[Event] {
        match self {
            Verdict::Confirmed(events) | Verdict::Refuted(events) => events,
            Verdict::NotObservable(_) => &[],
        }
    }
}
