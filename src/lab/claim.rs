//! Claims: sentences about behaviour, each with the check that judges it from a trace.

use crate::trace::{Event, Made, Trace, Unseen};

/// A sentence about behaviour.
pub struct Claim {
    /// Where it stands: in one of the classic texts (`S0-C09`), or `ours`.
    pub source: &'static str,
    /// The sentence itself.
    pub says: &'static str,
    /// Whether it is about the programs of the texts: which calls they make, and what they do with the results. Every
    /// other claim is about the kernel.
    pub about_programs: bool,
    /// Judges it from the trace of a run.
    pub check: fn(&Trace) -> Checked,
    /// What the kernel would have reported if the opposite were true.
    pub counterexample: Option<Counterexample>,
}

/// A trace as it would be if a claim's opposite were true.
pub struct Counterexample {
    /// What the kernel would have reported, in a few words.
    pub says: &'static str,
    /// Makes the trace of a run say it.
    pub change: fn(&mut Trace),
}

/// What a trace says about a claim, and the events that say it.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is as the claim says.
    Confirmed(Vec<Event>),
    /// It is not.
    Refuted(Vec<Event>),
    /// It is so under this condition, which stands after "only when", and not without.
    OnlyWhen(&'static str, Vec<Event>),
}

/// What came of checking a claim: a verdict, or why it cannot be observed in this trace.
pub type Checked = Result<Verdict, Unseen>;

impl Claim {
    /// A claim of one of the classic texts.
    pub fn classic(source: &'static str, says: &'static str, check: fn(&Trace) -> Checked) -> Claim {
        Claim { source, says, about_programs: false, check, counterexample: None }
    }

    /// A claim of ours.
    pub fn ours(says: &'static str, check: fn(&Trace) -> Checked) -> Claim {
        Claim::classic("ours", says, check)
    }

    /// The claim is about the programs of the texts, not about the kernel.
    #[must_use]
    pub fn about_programs(self) -> Claim {
        Claim { about_programs: true, ..self }
    }

    /// The counterexample that the claim keeps beside it, where no single change of what the kernel reported turns its
    /// verdict: `says` is what the kernel would have reported, `change` makes a run's trace report it.
    #[must_use]
    pub fn turned_by(self, says: &'static str, change: fn(&mut Trace)) -> Claim {
        Claim { counterexample: Some(Counterexample { says, change }), ..self }
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

    /// *Only when* `condition`, if it holds under the condition and not without; confirmed if it holds in both cases;
    /// else refuted. The evidence has events of both.
    ///
    /// # Errors
    /// As [`Verdict::of`], none.
    pub fn only_when<'a>(
        condition: &'static str,
        holds_with: bool,
        holds_without: bool,
        evidence: impl IntoIterator<Item = &'a Event>,
    ) -> Checked {
        if holds_with && !holds_without {
            return Ok(Verdict::OnlyWhen(condition, evidence.into_iter().cloned().collect()));
        }
        Verdict::of(holds_with, evidence)
    }

    /// In a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Confirmed(_) => "confirmed",
            Verdict::Refuted(_) => "refuted",
            Verdict::OnlyWhen(..) => "only when",
        }
    }

    /// The condition under which it is so.
    pub fn condition(&self) -> Option<&'static str> {
        match self {
            Verdict::OnlyWhen(condition, _) => Some(condition),
            Verdict::Confirmed(_) | Verdict::Refuted(_) => None,
        }
    }

    /// The events that it rests on.
    pub fn evidence(&self) -> &[Event] {
        match self {
            Verdict::Confirmed(events) | Verdict::Refuted(events) | Verdict::OnlyWhen(_, events) => events,
        }
    }

    /// Whether the two contradict each other.
    pub fn is_opposite_of(&self, other: &Verdict) -> bool {
        self.name() != other.name()
    }
}
