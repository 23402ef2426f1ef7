//! A script being played: what becomes of each frame.

use std::time::Duration;

use super::script::{FaultKind, FrameKind, Pick, Script, Which, bits, time};
use crate::splitmix::{STEP, mix};
use crate::trace::{Fate, Frame, Proto, TcpFlags, Word};

/// What shall be done to one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Whether it is passed on, dropped, duplicated or corrupted. Not `Held`: that is `hold`.
    pub fate: Fate,
    /// How long it is kept before. `None`: not at all.
    pub hold: Option<Hold>,
}

/// How long a frame is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// In words, behind "held".
    pub text: Word,
    /// How long at most.
    pub time: Duration,
    /// Whether it goes on as soon as the next one in its direction has passed.
    pub until_next: bool,
}

/// A script being played: what its rules have met so far.
#[derive(Debug, Default)]
pub struct Faults {
    script: Script,
    met: Vec<u32>,
}

impl Faults {
    /// A script of whose rules none has met a frame.
    pub fn new(script: Script) -> Faults {
        let met = vec![0; script.rules.len()];
        Faults { script, met }
    }

    /// How long a frame takes to pass, where the rate is limited.
    pub fn passage(&self, frame: &Frame) -> Option<Duration> {
        let bits = frame.bytes.len as u64 * 8;
        self.script.rate.map(|rate| Duration::from_nanos((bits * 1_000_000_000).div_ceil(rate)))
    }

    /// The wire's speed in words, behind "held".
    pub fn speed(&self) -> String {
        self.script.rate.map_or_else(String::new, |rate| format!("at {}", bits(rate)))
    }

    /// What shall be done to the next frame. Of several faults that would change it or lose it, the first one in the
    /// script holds; delays add up.
    pub fn apply(&mut self, frame: &Frame) -> Action {
        let mut action = Action { fate: Fate::Passed, hold: None };
        for (index, (rule, met)) in self.script.rules.iter().zip(&mut self.met).enumerate() {
            if !rule.which.matches(frame) {
                continue;
            }
            *met += 1;
            let picked = match &rule.which.pick {
                Pick::All => true,
                // By itself a number is the frame's own; behind a sender or a kind it counts those.
                Pick::Numbers(numbers) => {
                    let counted = rule.which.from.is_some() || rule.which.kind.is_some();
                    let number = if counted { *met } else { frame.number };
                    numbers.iter().any(|range| range.contains(&number))
                }
                Pick::Chance(percent) => throw(self.script.seed, index as u64, u64::from(*met)) < percent / 100.0,
            };
            if !picked {
                continue;
            }
            rule.done.set(rule.done.get() + 1);
            let fate = match rule.kind {
                FaultKind::Drop => Fate::Dropped,
                FaultKind::Duplicate => Fate::Duplicated,
                FaultKind::Corrupt => Fate::Corrupted,
                FaultKind::Reorder => {
                    let text = "until the next one has passed".into();
                    let limit = Duration::from_millis(10);
                    action.hold = Some(Hold { text, time: limit, until_next: true });
                    continue;
                }
                FaultKind::Delay(delay) => {
                    let longer = delay + action.hold.map_or(Duration::ZERO, |hold| hold.time);
                    let text = time(longer).into();
                    action.hold = Some(Hold { text, time: longer, until_next: false });
                    continue;
                }
            };
            if action.fate == Fate::Passed {
                action.fate = fate;
            }
        }
        action
    }
}

impl Which {
    fn matches(&self, frame: &Frame) -> bool {
        let sender = frame.sender();
        let flags = frame.flags();
        let is_of = |kind| match kind {
            FrameKind::Data => frame.payload.len > 0 && matches!(frame.proto, Proto::Tcp(_) | Proto::Udp),
            FrameKind::Syn => flags.contains(TcpFlags::SYN),
            FrameKind::Fin => flags.contains(TcpFlags::FIN),
            FrameKind::Rst => flags.contains(TcpFlags::RST),
            FrameKind::Ack => flags == TcpFlags::ACK && frame.payload.len == 0,
            FrameKind::Tcp => matches!(frame.proto, Proto::Tcp(_)),
            FrameKind::Udp => frame.proto == Proto::Udp,
            FrameKind::Icmp => matches!(frame.proto, Proto::Icmp { .. }),
            FrameKind::Arp => matches!(frame.proto, Proto::Arp(_)),
            FrameKind::Fragment => frame.fragment.is_some(),
        };
        self.from.as_deref().is_none_or(|from| sender == Some(from)) && self.kind.is_none_or(is_of)
    }
}

/// A number from 0 up to 1 that depends on these three and on nothing else.
fn throw(seed: u64, rule: u64, met: u64) -> f64 {
    let mixed = mix(seed ^ rule.rotate_left(32) ^ met.wrapping_mul(STEP));
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests;
