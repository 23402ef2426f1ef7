//! A grade as JSON: one object, whose schema is docs/grade.schema.json.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::judge::budget::{self, Cost};
use crate::judge::event_log;
use crate::judge::failure::{Kind, Shown};
use crate::judge::gate::Gate;
use crate::judge::grade::Likely;
use crate::judge::grade::{Checked, Grade, Outcome, Verdict};
use crate::judge::hints;
use crate::sandbox::{LeftBehind, Limits};
use crate::trace::hexadecimal;
use crate::view::text::{escaped, harmless, readable};

/// The version of the format. It grows when a field changes its meaning.
const VERSION: u32 = 3;

/// The most bytes that a grade holds of one thing that a program wrote.
const MAX_WRITTEN: usize = 4096;

/// The grade as one object.
pub fn json(grade: &Grade) -> Value {
    let like = |one: &Likely| json!({ "name": one.name, "sentence": one.sentence });
    json!({
        "v": VERSION,
        "exercise": grade.exercise,
        "program": grade.program.iter().map(|word| harmless(word)).collect::<Vec<_>>(),
        "verdict": grade.verdict(),
        "points": grade.points(),
        "of": grade.of(),
        "whole": grade.whole,
        "built": grade.unfit.is_none(),
        "build_output": grade.unfit.as_ref().map(|unfit| written(unfit.output.as_bytes())),
        "left_behind": left_behind(&grade.left_behind),
        "judge": env!("CARGO_PKG_VERSION"),
        "seed": grade.seed.number().map(|number| number.to_string()),
        "seed_fingerprint": grade.seed.fingerprint(),
        "kernel": grade.kernel,
        "tier": grade.tier,
        "protection": grade.protection,
        "limits": limits(&grade.limits),
        "cost": cost(&grade.cost, grade.memory_mib),
        "sandboxed_by_caller": grade.sandboxed_by_caller,
        "gate": grade.gate.map(Gate::claim),
        "behaves_like": grade.likely.first().map(like),
        "and_also": grade.likely.iter().skip(1).map(like).collect::<Vec<_>>(),
        "checks": grade.checks.iter().map(|one| checked(one, grade)).collect::<Vec<_>>(),
    })
}

/// What stands in a grade's place where an attempt was not judged, for this reason.
pub fn not_judged(exercise: &str, reason: &str) -> Value {
    json!({
        "v": VERSION,
        "exercise": exercise,
        "verdict": "not-judged",
        "reason": harmless(reason),
        "judge": env!("CARGO_PKG_VERSION"),
    })
}

/// How much of everything the attempt, and each of its sandboxes, could have.
pub fn limits(limits: &Limits) -> Value {
    json!({
        "attempt_s": budget::MAX_ATTEMPT.as_secs(),
        "build_s": budget::MAX_BUILD.as_secs(),
        "check_s": budget::MAX_CHECK.as_secs(),
        "wait_s": budget::MAX_WAIT.as_secs(),
        "clock_s": budget::MAX_CLOCK.as_secs(),
        "cpu_s": limits.cpu.as_secs(),
        "attempt_memory_mib": Limits::ATTEMPT_MIB,
        "memory_mib": limits.memory_mib,
        "socket_mib": limits.socket_mib,
        "sockets": limits.sockets,
        "data_mib": limits.data_mib,
        "processes": limits.processes,
        "processors": (limits.processors < usize::MAX).then_some(limits.processors),
        "descriptors": limits.files,
        "file_mib": limits.file_mib,
        "disk_mib": limits.scratch_mib,
        "disk_files": limits.scratch_files,
        "output_mib": limits.output_mib,
    })
}

/// What it has cost, and how much memory that was, in MiB, if it is known.
pub fn cost(cost: &Cost, memory_mib: Option<u64>) -> Value {
    json!({
        "wall_ms": milliseconds(cost.wall),
        "own_ms": milliseconds(cost.own),
        "cpu_ms": milliseconds(cost.cpu),
        "memory_mib": memory_mib,
    })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What did not come along, with the names of the first of it.
fn left_behind(left: &LeftBehind) -> Value {
    let one = |(path, why): &(PathBuf, &str)| json!({ "path": escaped(path.as_os_str().as_bytes()), "why": why });
    json!({ "count": left.count, "first": left.first.iter().map(one).collect::<Vec<_>>() })
}

fn checked(checked: &Checked, grade: &Grade) -> Value {
    let (failure, fault) = match &checked.outcome {
        Outcome::Passed => (None, None),
        Outcome::Failed(failure) => (Some(failure), None),
        Outcome::Fault(fault) => (None, Some(harmless(fault))),
    };
    json!({
        "name": checked.check.name,
        "claim": checked.check.claim,
        "verdict": checked.verdict(),
        "points": checked.points(),
        "of": checked.check.points,
        "steps": event_log::steps(&checked.events),
        "failure": failure.map(|failure| json!({
            "kind": kind(failure.kind),
            "what": harmless(&failure.what),
            "expected": failure.expected.as_ref().map(shown),
            "got": failure.got.as_ref().map(shown),
            "why": failure.why.iter().map(|why| harmless(why)).collect::<Vec<_>>(),
            "last_words": written(&failure.last_words),
        })),
        "fault": fault,
        "hint": if checked.verdict() == Verdict::Fail { hints::hint(checked) } else { checked.check.hint },
        // With a secret seed they are what others are asked, too.
        "drawn": grade.seed.number().map(|_| &checked.drawn),
        "stopped": checked.stopped,
        "took_ms": milliseconds(checked.took),
    })
}

/// The word for a kind of failure.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Wrong => "wrong",
        Kind::Hangs => "hangs",
        Kind::Spins => "spins",
        Kind::Ended => "ended",
        Kind::Limit => "limit",
    }
}

fn shown(shown: &Shown) -> Value {
    match shown {
        Shown::Words(words) => json!({ "words": harmless(words) }),
        Shown::Bytes(bytes) => {
            let kept = &bytes[..bytes.len().min(MAX_WRITTEN)];
            json!({ "bytes": hexadecimal::encode(kept), "len": bytes.len(), "text": escaped(kept) })
        }
    }
}

/// The end of what a program wrote, as text of several lines.
fn written(bytes: &[u8]) -> String {
    readable(&bytes[bytes.len().saturating_sub(MAX_WRITTEN)..])
}
