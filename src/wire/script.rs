//! Scripts: what a wire shall do to frames besides handing them on, as a lab or a person writes it.
//!
//! A line of a script is a flag of the command line without its dashes: `drop client:data:2`, `delay 10ms`.

use std::cell::Cell;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use super::MTU;
use crate::trace::{Fate, Frame, Word};

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
    rate: Option<u64>,
    /// Whether receivers say which later bytes they have.
    sack: bool,
    /// Where the throws of the dice begin.
    pub seed: u64,
    rules: Vec<Rule>,
}

/// What is done to which frames.
#[derive(Clone, Debug)]
pub struct Rule {
    deed: Deed,
    which: Which,
    /// The line that it was written as.
    line: String,
    /// How often it was done. Shared by the scenes of a run.
    done: Rc<Cell<u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Drop,
    Duplicate,
    Corrupt,
    /// Keep it until the next one in its direction has passed.
    Reorder,
    Delay(Duration),
}

/// Which frames: `3`, `client:data:2`, `server:5%`, or nothing at all for every frame.
#[derive(Clone, Debug, Default, PartialEq)]
struct Which {
    from: Option<String>,
    kind: Option<Kind>,
    pick: Pick,
}

/// Of those that match, which.
#[derive(Clone, Debug, Default, PartialEq)]
enum Pick {
    #[default]
    All,
    Numbers(Vec<RangeInclusive<u32>>),
    /// Each with this probability, in percent.
    Chance(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
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

const KINDS: [(&str, Kind); 10] = [
    ("data", Kind::Data),
    ("syn", Kind::Syn),
    ("fin", Kind::Fin),
    ("rst", Kind::Rst),
    ("ack", Kind::Ack),
    ("tcp", Kind::Tcp),
    ("udp", Kind::Udp),
    ("icmp", Kind::Icmp),
    ("arp", Kind::Arp),
    ("fragment", Kind::Fragment),
];

/// How to name frames, for messages.
const WHICH: &str = "say which frames by a number (3), a sender and a kind (client:data:2), or a share of them \
                     (server:5%); kinds are data, syn, fin, rst, ack, tcp, udp, icmp, arp, fragment";

impl Script {
    /// Reads a script, a line for each rule.
    pub fn of(lines: &[&str]) -> Result<Script, String> {
        let mut script = Script::default();
        for line in lines {
            script.add(line)?;
        }
        Ok(script)
    }

    /// Adds a line: `drop 3`, `delay 10ms:client:data`, `mtu 576`. Of two sizes or rates the later one holds.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "mtu" => self.mtu = Some(mtu(rest)?),
            "rate" => self.rate = Some(rate(rest)?),
            "sack" if rest.is_empty() => self.sack = true,
            _ => {
                let (deed, which) = match word {
                    "drop" => (Deed::Drop, rest),
                    "duplicate" => (Deed::Duplicate, rest),
                    "corrupt" => (Deed::Corrupt, rest),
                    "reorder" => (Deed::Reorder, rest),
                    "delay" => {
                        let (time, which) = rest.split_once(':').unwrap_or((rest, ""));
                        (Deed::Delay(delay(time)?), which)
                    }
                    _ => return Err(format!("{word:?} is nothing that a wire does")),
                };
                let rule = Rule { deed, which: which.parse()?, line: line.to_owned(), done: Rc::default() };
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
        self.sack || self.rules.iter().all(|rule| matches!(rule.deed, Deed::Delay(_)))
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
                let chance = chance.ok_or_else(|| format!("{part:?} is no share of the frames: 0% to 100%"))?;
                std::mem::replace(&mut which.pick, Pick::Chance(chance)) == Pick::All
            } else if part.starts_with(|first: char| first.is_ascii_digit()) {
                let numbers = part.split(',').map(numbers).collect::<Option<Vec<_>>>();
                let numbers = numbers.ok_or_else(|| format!("{part:?} is no number of a frame, 1 or more: {WHICH}"))?;
                std::mem::replace(&mut which.pick, Pick::Numbers(numbers)) == Pick::All
            } else if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == part) {
                which.kind.replace(*kind).is_none()
            } else {
                which.from.replace(part.to_owned()).is_none()
            };
            if !new {
                return Err(format!("{text:?} says the same thing twice: {WHICH}"));
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
    size.ok_or_else(|| format!("{text:?} is no size of a packet: an MTU is 68 to 65535 bytes"))
}

fn rate(text: &str) -> Result<u64, String> {
    let units = [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];
    let read =
        units.iter().find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*factor));
    read.filter(|bits| *bits >= SLOWEST)
        .ok_or_else(|| format!("{text:?} is no speed of a wire: write 64kbit, 10mbit or 1gbit; 8kbit is the least"))
}

fn delay(text: &str) -> Result<Duration, String> {
    let units = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];
    let read =
        units.iter().find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*factor));
    read.map(Duration::from_micros)
        .filter(|delay| *delay <= LONGEST_DELAY && !delay.is_zero())
        .ok_or_else(|| format!("{text:?} is no delay: write 500us, 10ms or 1s; 5s is the most"))
}

/// A time in words: `10 ms`.
fn time(time: Duration) -> String {
    match time.as_micros() {
        micros if micros % 1_000_000 == 0 => format!("{} s", micros / 1_000_000),
        micros if micros % 1_000 == 0 => format!("{} ms", micros / 1_000),
        micros => format!("{micros} µs"),
    }
}

/// A rate as a person writes it: `10mbit`.
fn bits(rate: u64) -> String {
    let units = [(1_000_000_000, "gbit"), (1_000_000, "mbit"), (1_000, "kbit")];
    let unit = units.into_iter().find(|(factor, _)| rate.is_multiple_of(*factor));
    unit.map_or_else(|| format!("{rate}bit"), |(factor, name)| format!("{}{name}", rate / factor))
}

/// What shall be done to one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub fate: Fate,
    pub hold: Option<Hold>,
}

/// How long a frame is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// In words, behind "held".
    pub text: Word,
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
    pub fn judge(&mut self, frame: &Frame) -> Sentence {
        let mut sentence = Sentence { fate: Fate::Passed, hold: None };
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
            let fate = match rule.deed {
                Deed::Drop => Fate::Lost,
                Deed::Duplicate => Fate::Doubled,
                Deed::Corrupt => Fate::Corrupted,
                Deed::Reorder => {
                    let text = "until the next one has passed".into();
                    let limit = Duration::from_millis(10);
                    sentence.hold = Some(Hold { text, time: limit, until_next: true });
                    continue;
                }
                Deed::Delay(delay) => {
                    let longer = delay + sentence.hold.map_or(Duration::ZERO, |hold| hold.time);
                    let text = time(longer).into();
                    sentence.hold = Some(Hold { text, time: longer, until_next: false });
                    continue;
                }
            };
            if sentence.fate == Fate::Passed {
                sentence.fate = fate;
            }
        }
        sentence
    }
}

impl Which {
    fn matches(&self, frame: &Frame) -> bool {
        let sender = frame.from.as_deref().and_then(|from| from.split(':').next());
        let is_of = |kind| match kind {
            Kind::Data => frame.payload.len > 0 && matches!(frame.proto.as_ref(), "TCP" | "UDP"),
            Kind::Syn => has(frame, "SYN"),
            Kind::Fin => has(frame, "FIN"),
            Kind::Rst => has(frame, "RST"),
            Kind::Ack => frame.proto == "TCP" && frame.flags == "ACK" && frame.payload.len == 0,
            Kind::Tcp => frame.proto == "TCP",
            Kind::Udp => frame.proto == "UDP",
            Kind::Icmp => frame.proto == "ICMP",
            Kind::Arp => frame.proto == "ARP",
            Kind::Fragment => frame.remark.as_deref().is_some_and(|remark| remark.contains("fragment")),
        };
        self.from.as_deref().is_none_or(|from| sender == Some(from)) && self.kind.is_none_or(is_of)
    }
}

fn has(frame: &Frame, flag: &str) -> bool {
    frame.proto == "TCP" && frame.flags.split(',').any(|one| one == flag)
}

/// A number from 0 up to 1 that depends on these three and on nothing else: splitmix64.
fn throw(seed: u64, rule: u64, met: u64) -> f64 {
    let mut mixed = seed ^ rule.rotate_left(32) ^ met.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::{Data, Host};

    /// A frame with this number, sender, protocol, flags and payload.
    fn frame(number: u32, from: &str, proto: &str, flags: &str, payload: &[u8]) -> Frame {
        Frame {
            number,
            dir: (Host::A, Host::B),
            from: Some(format!("{from}:port")),
            to: None,
            proto: proto.to_owned().into(),
            flags: flags.to_owned().into(),
            seq: None,
            ack: None,
            payload: Data::new(payload),
            bytes: Data::new(&[0; 100]),
            remark: None,
            by_timer: false,
            after: None,
            held: None,
            layers: Vec::new(),
            fate: Fate::Passed,
        }
    }

    /// The client's and the server's segments of a short conversation.
    fn conversation() -> Vec<Frame> {
        let segments = [
            ("client", "SYN", ""),
            ("server", "SYN,ACK", ""),
            ("client", "ACK", ""),
            ("client", "PSH,ACK", "hello"),
            ("server", "ACK", ""),
            ("server", "PSH,ACK", "HELLO"),
            ("client", "PSH,ACK", "bye"),
            ("client", "FIN,ACK", ""),
            ("server", "RST,ACK", ""),
        ];
        let numbered = segments.into_iter().zip(1..);
        numbered.map(|((from, flags, text), number)| frame(number, from, "TCP", flags, text.as_bytes())).collect()
    }

    /// The numbers of the frames that are lost by `drop WHICH`.
    fn lost(which: &str, frames: &[Frame]) -> Vec<u32> {
        let mut faults = Faults::new(Script::of(&[&format!("drop {which}")]).expect("a script"));
        let is_lost = |frame: &&Frame| faults.judge(frame).fate == Fate::Lost;
        frames.iter().filter(is_lost).map(|frame| frame.number).collect()
    }

    #[test]
    fn each_way_of_saying_which_means_these_frames() {
        let ways: [(&str, &[u32]); 17] = [
            ("", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
            ("3", &[3]),
            ("3,5", &[3, 5]),
            ("3-5", &[3, 4, 5]),
            ("1,3-4,9", &[1, 3, 4, 9]),
            ("99", &[]),
            ("client", &[1, 3, 4, 7, 8]),
            ("client:2", &[3]),
            ("client:data", &[4, 7]),
            ("client:data:2", &[7]),
            ("data:2-3", &[6, 7]),
            ("syn", &[1, 2]),
            ("server:syn", &[2]),
            ("fin", &[8]),
            ("rst", &[9]),
            ("ack", &[3, 5]),
            ("tcp:1-2", &[1, 2]),
        ];
        for (which, numbers) in ways {
            assert_eq!(lost(which, &conversation()), numbers, "{which:?}");
        }
        for which in ["udp", "icmp", "arp", "fragment", "server:data:2"] {
            assert_eq!(lost(which, &conversation()), [0; 0], "{which:?}");
        }
    }

    #[test]
    fn kinds_that_are_no_tcp_are_told_by_protocol_and_remark() {
        let remark = Some("last fragment, from byte 1480 on".into());
        let others = [
            frame(1, "client", "UDP", "", b"hello"),
            frame(2, "server", "ICMP", "port unreachable", b"hello"),
            Frame { from: None, ..frame(3, "", "ARP", "", b"who") },
            Frame { remark, ..frame(4, "client", "IPv4", "", b"rest") },
        ];
        for (which, number) in [("udp", 1), ("data", 1), ("icmp", 2), ("arp", 3), ("fragment", 4)] {
            assert_eq!(lost(which, &others), [number], "{which:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_word_that_makes_none() {
        let wrong = [
            "lose 3",
            "drop 0",
            "drop 5-3",
            "drop 3-",
            "drop 3,,4",
            "drop 3x",
            "drop 4294967296",
            "drop 101%",
            "drop -1%",
            "drop NaN%",
            "drop inf%",
            "drop x%",
            "drop 3:5%",
            "drop syn:fin",
            "drop client:server",
            "drop 3:4",
            "delay",
            "delay 10",
            "delay 0ms",
            "delay 6s",
            "delay -1ms",
            "delay 99999999999999999999s",
            "delay 18446744073709551615s",
            "mtu",
            "mtu 67",
            "mtu 65536",
            "mtu 1500 bytes",
            "rate 1bit",
            "rate 7kbit",
            "rate 10",
            "rate 99999999999gbit",
            "sack off",
        ];
        for line in wrong {
            let error = Script::of(&[line]).expect_err(line);
            let word = line.split_once(' ').map_or("", |(_, rest)| rest).split(':').next().unwrap_or_default();
            let quoted = error.contains(&format!("{:?}", line.split(' ').next().unwrap_or_default()));
            assert!(error.contains(word) || quoted, "{line}: {error}");
        }
    }

    #[test]
    fn the_first_of_several_fates_holds_and_delays_add_up() {
        let script = ["duplicate 1-2", "drop 2-3", "delay 10ms", "delay 500us:3", "reorder 4"];
        let mut faults = Faults::new(Script::of(&script).expect("a script"));
        let told: Vec<(Fate, String)> = conversation()[..4]
            .iter()
            .map(|frame| faults.judge(frame))
            .map(|sentence| (sentence.fate, sentence.hold.map_or_else(String::new, |hold| hold.text.into_owned())))
            .collect();
        let told: Vec<(Fate, &str)> = told.iter().map(|(fate, text)| (*fate, text.as_str())).collect();
        let last = (Fate::Passed, "until the next one has passed");
        assert_eq!(told, [(Fate::Doubled, "10 ms"), (Fate::Doubled, "10 ms"), (Fate::Lost, "10500 µs"), last]);
    }

    #[test]
    fn a_rule_that_met_no_frame_is_idle() {
        let script = Script::of(&["drop 3", "duplicate server:data:9", "mtu 576"]).expect("a script");
        let mut faults = Faults::new(script.clone());
        for frame in conversation() {
            faults.judge(&frame);
        }
        assert_eq!(script.idle().collect::<Vec<_>>(), ["duplicate server:data:9"]);
    }

    #[test]
    fn a_later_script_comes_behind_an_earlier_one_and_its_sizes_hold() {
        let first = Script::of(&["mtu 576", "rate 1mbit", "drop 1", "sack"]).expect("a script");
        let second = Script::of(&["drop 2", "mtu 1000"]).expect("a script");
        let both = first.and(&second);
        assert_eq!(both.to_string(), "drop 1, drop 2, mtu 1000, rate 1mbit, sack");
        assert!(both.sack());
        assert_eq!(first.and(&Script::default()).to_string(), first.to_string());
    }

    #[test]
    fn a_slow_wire_takes_its_time_for_each_byte() {
        let faults = Faults::new(Script::of(&["rate 64kbit"]).expect("a script"));
        let passage = faults.passage(&frame(1, "client", "UDP", "", b""));
        assert_eq!(passage, Some(Duration::from_micros(12_500)), "100 bytes at 64,000 bits a second");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(
            word in "drop|delay|duplicate|reorder|corrupt|mtu|rate|",
            rest in "\\PC{0,20}",
        ) {
            let _ = Script::of(&[&format!("{word} {rest}")]);
        }

        #[test]
        fn what_was_read_is_written_so_that_it_is_read_the_same(
            mtu in 68u16..,
            kbit in 8u64..10_000_000,
            millis in 1u64..=5000,
            first in 1u32..100,
            more in 0u32..100,
        ) {
            let lines = [
                format!("drop client:data:{first}-{}", first + more),
                format!("delay {millis}ms:server"),
                format!("mtu {mtu}"),
                format!("rate {kbit}kbit"),
            ];
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let script = Script::of(&lines).expect("a script");
            let written = script.to_string();
            let again = Script::of(&written.split(", ").collect::<Vec<_>>()).expect("a script");
            prop_assert_eq!(again.to_string(), written);
            prop_assert_eq!((script.mtu(), script.rate), (mtu, Some(kbit * 1000)));
        }

        #[test]
        fn numbers_and_ranges_pick_what_they_say(ranges in proptest::collection::vec((1u32..30, 0u32..5), 1..5)) {
            let parts: Vec<String> = ranges.iter().map(|(from, more)| format!("{from}-{}", from + more)).collect();
            let frames: Vec<Frame> = (1..40).map(|number| frame(number, "client", "UDP", "", b"hi")).collect();
            let picked = |number: &u32| ranges.iter().any(|(from, more)| (*from..=from + more).contains(number));
            let expected: Vec<u32> = (1..40).filter(picked).collect();
            prop_assert_eq!(lost(&parts.join(","), &frames), expected);
        }

        /// The dice fall as often as they shall, the same way for the same seed, and another way for another one.
        #[test]
        fn a_share_is_that_share(seed in any::<u64>(), percent in 0u32..=100) {
            let share = f64::from(percent) / 100.0;
            let fall = |seed| (0..4000).filter(|met| throw(seed, 0, *met) < share).collect::<Vec<_>>();
            let fallen = fall(seed);
            prop_assert!((fallen.len() as f64 / 40.0 - f64::from(percent)).abs() < 5.0, "{} of 4000", fallen.len());
            prop_assert_eq!(&fallen, &fall(seed));
            if (1..100).contains(&percent) {
                prop_assert_ne!(fallen, fall(seed.wrapping_add(1)));
            }
        }
    }
}
