//! Scripts: what a wire shall do to frames besides handing them on, as a lab or a person writes it.
//!
//! A line of a script is a flag of the command line without its dashes: `drop client:data:2`, `delay 10ms`.

use std::cell::Cell;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use super::MTU;

/// The longest that a frame can be kept.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// The slowest wire, in bits a second: it takes a second and a half for a full frame.
const SLOWEST: u64 = 8_000;

/// How a wire is, and which of its frames fare differently.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The largest IP packet, in bytes, where it is not the usual one.
    mtu: Option<u16>,
    /// How many bits a second pass in each direction, where that is limited.
    pub(super) rate: Option<u64>,
    /// Whether receivers say which later bytes they have.
    sack: bool,
    /// Where the throws of the dice begin.
    pub seed: u64,
    pub(super) rules: Vec<Rule>,
}

/// What is done to which frames.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) kind: FaultKind,
    pub(super) which: Which,
    /// The line that it was written as.
    line: String,
    /// How often it was done. Shared by the scenes of a run.
    pub(super) done: Rc<Cell<u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Drop,
    Duplicate,
    Corrupt,
    /// Keep it until the next one in its direction has passed.
    Reorder,
    Delay(Duration),
}

/// Which frames: `3`, `client:data:2`, `server:5%`, or nothing at all for every frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Which {
    pub(super) from: Option<String>,
    pub(super) kind: Option<FrameKind>,
    pub(super) pick: Pick,
}

/// Of those that match, which.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Pick {
    #[default]
    All,
    Numbers(Vec<RangeInclusive<u32>>),
    /// Each with this probability, in percent.
    Chance(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Data,
    Syn,
    Fin,
    Rst,
    Ack,
    Tcp,
    Udp,
    Icmp,
    Arp,
    Fragment,
}

const FRAME_KINDS: [(&str, FrameKind); 10] = [
    ("data", FrameKind::Data),
    ("syn", FrameKind::Syn),
    ("fin", FrameKind::Fin),
    ("rst", FrameKind::Rst),
    ("ack", FrameKind::Ack),
    ("tcp", FrameKind::Tcp),
    ("udp", FrameKind::Udp),
    ("icmp", FrameKind::Icmp),
    ("arp", FrameKind::Arp),
    ("fragment", FrameKind::Fragment),
];

/// How to name frames, for messages.
const WHICH: &str = "say which frames by a number (3), a sender and a kind (client:data:2), or a share of them \
                     (server:5%); kinds are data, syn, fin, rst, ack, tcp, udp, icmp, arp, fragment";

impl Script {
    /// Reads a script, a line for each rule.
    ///
    /// # Errors
    /// The first line that cannot be read, with what to write in its place.
    pub fn of(lines: &[&str]) -> Result<Script, String> {
        let mut script = Script::default();
        for line in lines {
            script.add(line)?;
        }
        Ok(script)
    }

    /// Adds a line: `drop 3`, `delay 10ms:client:data`, `mtu 576`. Of two sizes or rates the later one holds.
    ///
    /// # Errors
    /// What is wrong with the line, and what to write in its place.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "mtu" => self.mtu = Some(mtu(rest)?),
            "rate" => self.rate = Some(rate(rest)?),
            "sack" if rest.is_empty() => self.sack = true,
            _ => {
                let (kind, which) = match word {
                    "drop" => (FaultKind::Drop, rest),
                    "duplicate" => (FaultKind::Duplicate, rest),
                    "corrupt" => (FaultKind::Corrupt, rest),
                    "reorder" => (FaultKind::Reorder, rest),
                    "delay" => {
                        let (time, which) = rest.split_once(':').unwrap_or((rest, ""));
                        (FaultKind::Delay(delay(time)?), which)
                    }
                    _ => {
                        return Err(format!(
                            "unknown fault {word:?}: write drop, duplicate, corrupt, reorder, delay, mtu, rate or sack"
                        ));
                    }
                };
                let rule = Rule { kind, which: which.parse()?, line: line.to_owned(), done: Rc::default() };
                self.rules.push(rule);
            }
        }
        Ok(())
    }

    /// This script, and then another one.
    #[must_use]
    pub fn and(&self, other: &Script) -> Script {
        Script {
            mtu: other.mtu.or(self.mtu),
            rate: other.rate.or(self.rate),
            sack: other.sack || self.sack,
            seed: other.seed,
            rules: [&self.rules[..], &other.rules].concat(),
        }
    }

    /// The largest IP packet, in bytes.
    pub fn mtu(&self) -> u16 {
        self.mtu.unwrap_or(MTU)
    }

    /// Whether receivers say which later bytes they have, RFC 2018: where nothing befalls frames, as on any Linux, and
    /// where it was asked for. Else senders count acknowledgements to learn of a loss: with SACK, RACK compares the
    /// microseconds between two sends with the round trip, and what it finds is chance.
    pub fn sack(&self) -> bool {
        self.sack || self.rules.iter().all(|rule| matches!(rule.kind, FaultKind::Delay(_)))
    }

    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        self.mtu.is_none() && self.rate.is_none() && !self.sack && self.rules.is_empty()
    }

    /// Whether dice are thrown.
    pub fn is_random(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.which.pick, Pick::Chance(_)))
    }

    /// A sender in it that is none of these roles.
    pub fn stranger(&self, roles: &[&str]) -> Option<&str> {
        let senders = self.rules.iter().filter_map(|rule| rule.which.from.as_deref());
        senders.into_iter().find(|from| !roles.contains(from))
    }

    /// The lines that no frame has met.
    pub fn idle(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.done.get() == 0).map(|rule| rule.line.as_str())
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.rules.iter().map(|rule| rule.line.clone()).collect();
        lines.extend(self.mtu.map(|mtu| format!("mtu {mtu}")));
        lines.extend(self.rate.map(|rate| format!("rate {}", bits(rate))));
        lines.extend(self.sack.then(|| "sack".to_owned()));
        if self.is_random() {
            lines.push(format!("seed {}", self.seed));
        }
        f.write_str(&lines.join(", "))
    }
}

impl std::str::FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Which, String> {
        let mut which = Which::default();
        for part in text.split(':').filter(|part| !part.is_empty()) {
            let new = if let Some(percent) = part.strip_suffix('%') {
                let chance = percent.parse().ok().filter(|chance| (0.0..=100.0).contains(chance));
                let chance = chance.ok_or_else(|| format!("invalid share {part:?}: write 0% to 100%"))?;
                std::mem::replace(&mut which.pick, Pick::Chance(chance)) == Pick::All
            } else if part.starts_with(|first: char| first.is_ascii_digit()) {
                let numbers = part.split(',').map(numbers).collect::<Option<Vec<_>>>();
                let numbers =
                    numbers.ok_or_else(|| format!("invalid frame number {part:?}: they begin with 1: {WHICH}"))?;
                std::mem::replace(&mut which.pick, Pick::Numbers(numbers)) == Pick::All
            } else if let Some((_, kind)) = FRAME_KINDS.iter().find(|(name, _)| *name == part) {
                which.kind.replace(*kind).is_none()
            } else {
                which.from.replace(part.to_owned()).is_none()
            };
            if !new {
                return Err(format!("{text:?} names two senders, two kinds or two numbers: {WHICH}"));
            }
        }
        Ok(which)
    }
}

/// `3`, or `3-5`.
fn numbers(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (1 <= first && first <= last).then_some(first..=last)
}

fn mtu(text: &str) -> Result<u16, String> {
    // RFC 791: every module must be able to forward a packet of 68 bytes. Linux has no IPv4 on less.
    let size = text.parse().ok().filter(|size| *size >= 68);
    size.ok_or_else(|| format!("invalid MTU {text:?}: write 68 to 65535, in bytes"))
}

fn rate(text: &str) -> Result<u64, String> {
    let units = [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];
    let read =
        units.iter().find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*factor));
    read.filter(|bits| *bits >= SLOWEST)
        .ok_or_else(|| format!("invalid rate {text:?}: write 64kbit, 10mbit or 1gbit; 8kbit is the least"))
}

fn delay(text: &str) -> Result<Duration, String> {
    let units = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];
    let read =
        units.iter().find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*factor));
    read.map(Duration::from_micros)
        .filter(|delay| *delay <= LONGEST_DELAY && !delay.is_zero())
        .ok_or_else(|| format!("invalid delay {text:?}: write 500us, 10ms or 1s; 5s is the most"))
}

/// A time in words: `10 ms`.
pub(super) fn time(time: Duration) -> String {
    match time.as_micros() {
        micros if micros % 1_000_000 == 0 => format!("{} s", micros / 1_000_000),
        micros if micros % 1_000 == 0 => format!("{} ms", micros / 1_000),
        micros => format!("{micros} µs"),
    }
}

/// A rate as a person writes it: `10mbit`.
pub(super) fn bits(rate: u64) -> String {
    let units = [(1_000_000_000, "gbit"), (1_000_000, "mbit"), (1_000, "kbit")];
    let unit = units.into_iter().find(|(factor, _)| rate.is_multiple_of(*factor));
    unit.map_or_else(|| format!("{rate}bit"), |(factor, name)| format!("{}{name}", rate / factor))
}

#[cfg(test)]
mod tests;
