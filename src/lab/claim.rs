//! Claims: sentences about behaviour, each with the check that confirms or refutes it from a trace.

use crate::trace::{Event, Made, Trace, Unseen};

/// A sentence about behaviour.
pub struct Claim {
    /// Where it stands: in one of the classic texts (`S0-C09`), or `ours`.
    pub source: &'static str,
    /// The sentence itself.
    pub says: &'static str,
    /// Judges it from the trace of a run.
    pub check: fn(&Trace) -> Checked,
}

/// What a trace says about a claim, and the events that say it.
#[derive(Debug)]
pub enum Verdict {
    /// It is as the claim says.
    Confirmed(Vec<Event>),
    /// It is not.
    Refuted(Vec<Event>),
}

/// What came of checking a claim: a verdict, or why it cannot be observed in this trace.
pub type Checked = Result<Verdict, Unseen>;

impl Claim {
    /// A claim of one of the classic texts.
    pub fn classic(source: &'static str, says: &'static str, check: fn(&Trace) -> Checked) -> Claim {
        Claim { source, says, check }
    }

    /// A claim of ours.
    pub fn ours(says: &'static str, check: fn(&Trace) -> Checked) -> Claim {
        Claim { source: "ours", says, check }
    }
}

impl Verdict {
    /// Confirmed if it holds, else refuted, by these events.
    ///
    /// # Errors
    /// None: it is what a claim ends with, whose other answer is that nothing of the kind was seen.
    pub fn of<'a>(holds: bool, evidence: impl IntoIterator<Item = &'a Event>) -> Checked {
        let evidence = evidence.into_iter().cloned().collect();
        Ok(if holds { Verdict::Confirmed(evidence) } else { Verdict::Refuted(evidence) })
    }

    /// Confirmed if it holds, else refuted, by these calls.
    ///
    /// # Errors
    /// As [`Verdict::of`], none.
    pub fn by_calls<'a>(holds: bool, calls: impl IntoIterator<Item = Made<'a>>) -> Checked {
        Verdict::of(holds, calls.into_iter().map(|made| made.event))
    }

    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Confirmed(_) => "confirmed",
            Verdict::Refuted(_) => "refuted",
        }
    }

    /// The events that it rests on.
    pub fn evidence(&self) -> &[Event] {
        match self {
            Verdict::Confirmed(events) | Verdict::Refuted(events) => events,
        }
    }
}
