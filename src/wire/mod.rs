//! The wire: two hosts joined by our own process, which forwards every frame and sees it.
//!
//! Invariant: a frame is handed on as it came, byte for byte, also where it cannot be taken apart.

mod faults;
mod flow;
mod headers;
mod layers;
mod link;
mod packet;
mod rtnetlink;
mod script;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

pub use faults::{Action, Faults, Hold};
use flow::Flow;
pub use layers::take_apart;
pub use link::{ADDRESSES, LinkKind, enter};
pub use packet::{Numbers, Packet};
use rustix::time::{ClockId, clock_gettime};
pub use script::Script;

use crate::trace::{ArpMessage, Data, Fate, Frame, Host, Proto, Word, class_of_time};

/// The usual largest IP packet on Ethernet, in bytes.
pub const MTU: u16 = 1500;

/// Whether receivers may say which later bytes they have, RFC 2018: a setting of a host.
const SACK: &str = "/proc/sys/net/ipv4/tcp_sack";

/// The shortest time for which Linux delays an acknowledgement, in milliseconds: `TCP_DELACK_MIN`.
const SHORTEST_DELAY: u64 = 39;

/// How a wire is to be laid.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How it is made, or whichever way this machine allows.
    pub kind: Option<LinkKind>,
    /// Whether the hosts have to ask for each other's hardware address, by ARP, before they can send.
    pub needs_arp: bool,
    /// What it does to frames.
    pub script: Script,
}

impl Plan {
    /// This plan, and then another one.
    #[must_use]
    pub fn and(&self, other: &Plan) -> Plan {
        Plan {
            kind: other.kind.or(self.kind),
            needs_arp: self.needs_arp || other.needs_arp,
            script: self.script.and(&other.script),
        }
    }
}

/// A wire between two hosts, and what it knows of the connections over it.
pub struct Wire {
    link: link::Link,
    buffer: Vec<u8>,
    /// The ends of TCP connections, by their own address and their peer's.
    flows: HashMap<(SocketAddr, SocketAddr), Flow>,
    /// When each host last asked for a hardware address, in milliseconds, while it has no answer.
    asked: [Option<u64>; 2],
    faults: Faults,
    /// How many frames have been numbered.
    count: u32,
    /// When the last frame that each host has sent will be through, where the rate is limited.
    busy_until: [Option<Instant>; 2],
    /// Frames that were sent and not handed on yet.
    kept: Vec<Kept>,
    /// When a frame last moved, in milliseconds, unless time was let pass since.
    moved: Option<u64>,
    /// When time was last let pass, in milliseconds.
    passed: u64,
    /// Whether a round trip took longer than by itself: the kernel's timers, which follow it, may run for longer.
    late: bool,
    /// Whether the machine was too slow for what the kernel does to be the same at every run.
    slow: bool,
}

/// A reply later than this, in milliseconds, voids the scene: Linux enters pingpong mode, and delays ACKs, only if the
/// application replies within 40 ms (`tcp_event_data_sent` in `net/ipv4/tcp_output.c`). Between any two frames it makes
/// the round trip long.
const LONG: u64 = 30;

/// A frame that has waited for us for this long, in milliseconds, has come late: it makes the round trip longer, and
/// with it, threefold, the time until its sender repeats what is lost.
const LATE: u64 = 60;

/// A longer gap, in milliseconds, between two frames, or between two segments with data in one direction, voids the
/// scene: the kernel's timers of 200 ms send what was corked, and it acknowledges at once after a pause of that length.
const GAP: u64 = 150;

/// A frame that a host has sent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The host that sent it: 0 or 1.
    pub from: usize,
    /// All of it, from its Ethernet header on, without a frame check sequence.
    pub bytes: Vec<u8>,
    /// What could be parsed of it.
    pub packet: Packet,
    /// Whether it is a TCP segment all of which its host had sent before.
    pub again: bool,
    /// Whether it is an acknowledgement that only a timer sends: of a FIN and nothing else, or of what came
    /// [`SHORTEST_DELAY`] ago or earlier.
    pub delayed: bool,
    /// Whether it is the acknowledgement of a FIN and nothing else: the timer that sends it runs for milliseconds.
    pub only_acks_fin: bool,
    /// If a timer sent it: for how many milliseconds that can have run.
    pub timer_ms: Option<u64>,
    /// When it was sent, in milliseconds of [`millis`], where it says so.
    pub sent_ms: Option<u64>,
}

/// A frame that waits for its time.
pub struct Kept {
    /// The frame as its host sent it.
    pub seen: Seen,
    /// What a trace will tell of it when it arrives. `None` for one that a timer sent while a role could act: it has
    /// not set out yet, and does so when no role can.
    pub frame: Option<Frame>,
    due: Instant,
    /// For how long it is kept.
    hold: Duration,
    /// Whether it goes on as soon as the next one from its host has passed.
    until_next: bool,
}

impl Wire {
    /// Makes two hosts, each given its settings by `settle_in`, and a wire between them.
    ///
    /// This process must be in a network namespace of its own, and be allowed to make more; it is back in it after.
    ///
    /// # Errors
    /// The step that failed: a namespace, the device (`EPERM`, `ENOENT` without `/dev/net/tun`), or a setting.
    pub fn lay(plan: Plan, settle_in: fn() -> io::Result<()>) -> io::Result<Wire> {
        let (mtu, needs_arp) = (plan.script.mtu(), plan.needs_arp);
        let sack = plan.script.sack();
        // Where settings cannot be changed, this one stays as it is, like all the others.
        let settle_in = || settle_in().map(|()| drop(fs::write(SACK, if sack { "1" } else { "0" })));
        let lay = |kind| link::Link::lay(kind, mtu, needs_arp, &settle_in);
        let link = match plan.kind {
            Some(kind) => lay(kind)?,
            None => lay(LinkKind::Tap).or_else(|_| lay(LinkKind::Veth))?,
        };
        Ok(Wire {
            link,
            buffer: vec![0; link::LARGEST_FRAME],
            flows: HashMap::new(),
            asked: [None; 2],
            faults: Faults::new(plan.script),
            count: 0,
            busy_until: [None; 2],
            kept: Vec::new(),
            moved: None,
            passed: 0,
            late: false,
            slow: false,
        })
    }

    /// Whether all of a retransmission has been acknowledged to its sender, or would have been, had held frames been
    /// forwarded exactly when due: then it is needless.
    pub fn is_acknowledged(&self, seen: &Seen) -> bool {
        let Some((flow, numbers, len)) = self.flow_of(seen).filter(|_| seen.again) else { return false };
        let ends = (seen.packet.from, seen.packet.to);
        let is_overdue = |kept: &Kept| {
            let (from, to) = (kept.seen.packet.from, kept.seen.packet.to);
            let (says, hold) = (kept.seen.packet.numbers, kept.hold.as_millis() as u64);
            let (known, time) = match kept.frame {
                Some(_) if (to, from) == ends => (says.and_then(|says| says.ack), hold),
                // Its first copy: an acknowledgement takes the same time back.
                Some(_) if (from, to) == ends => {
                    (says.map(|says| flow::end_of(says, kept.seen.packet.payload.len())), 2 * hold)
                }
                _ => return false,
            };
            let is_there = kept.seen.sent_ms.zip(seen.sent_ms).is_some_and(|(sent, again)| sent + time <= again);
            is_there && flow::covers(known, numbers, len)
        };
        flow.is_acknowledged(numbers, len) || self.kept.iter().any(is_overdue)
    }

    /// Whether all of a frame that was sent again was handed on before.
    pub fn has_delivered(&self, seen: &Seen) -> bool {
        seen.again && self.flow_of(seen).is_some_and(|(flow, numbers, len)| flow.has_delivered(numbers, len))
    }

    fn flow_of(&self, seen: &Seen) -> Option<(&Flow, Numbers, usize)> {
        let ends = (seen.packet.from?, seen.packet.to?);
        Some((self.flows.get(&ends)?, seen.packet.numbers?, seen.packet.payload.len()))
    }

    /// How it was made.
    pub fn kind(&self) -> LinkKind {
        self.link.kind
    }

    /// A host's network namespace.
    pub fn host(&self, index: usize) -> BorrowedFd<'_> {
        self.link.host(index)
    }

    /// Does something in a host's network namespace, and comes back: for what is to be opened there.
    ///
    /// # Errors
    /// That of `act`, or of `setns(2)`.
    pub fn within<T>(&self, index: usize, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.link.within(index, act)
    }

    /// Where frames come out: readable when there is one.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.link.end(0), self.link.end(1)]
    }

    /// The next frame that a host has sent, if there is one. Never waits.
    ///
    /// # Errors
    /// That of the read from the host's device.
    pub fn take(&mut self, from: usize) -> io::Result<Option<Seen>> {
        let Some(len) = self.link.take(from, &mut self.buffer)? else { return Ok(None) };
        self.moves();
        let bytes = self.buffer[..len].to_vec();
        let packet = packet::parse(&bytes);
        let (mut again, mut delayed, mut only_acks_fin, mut timer_ms, mut sent_ms) = (false, false, false, None, None);
        if let (Some(numbers), Some(from), Some(to)) = (packet.numbers, packet.from, packet.to) {
            let peers_fin_end = self.flows.get(&(to, from)).and_then(Flow::fin_end);
            let flow = self.flows.entry((from, to)).or_default();
            let only_acknowledges = only_acknowledges(numbers) && packet.payload.is_empty();
            let adds_only_the_fin = flow.adds_only_the_fin(numbers.ack, peers_fin_end);
            let adds = flow.acknowledges_more(numbers.ack);
            sent_ms = time_of(numbers);
            let now = sent_ms.unwrap_or_else(millis);
            self.slow |= !packet.payload.is_empty() && flow.sends_late(now, self.passed);
            (again, timer_ms) = flow.sends(numbers, packet.payload.len(), now);
            only_acks_fin = only_acknowledges && adds_only_the_fin;
            delayed = only_acks_fin || only_acknowledges && adds && timer_ms >= Some(SHORTEST_DELAY);
        }
        self.late |= sent_ms.is_some_and(|sent| millis().saturating_sub(sent) >= LATE);
        if packet.is_question() {
            let last = self.asked[from].replace(millis());
            again = last.is_some();
            timer_ms = last.map(|last| millis().saturating_sub(last));
        }
        Ok(Some(Seen { from, bytes, packet, again, delayed, only_acks_fin, timer_ms, sent_ms }))
    }

    /// What shall become of a frame that sets out.
    pub fn apply(&mut self, frame: &Frame) -> Action {
        let mut action = self.faults.apply(frame);
        let Some(passage) = self.faults.passage(frame) else { return action };
        let text = self.faults.speed();
        let busy_until = &mut self.busy_until[usize::from(frame.dir.0 == Host::B)];
        let now = Instant::now();
        let through = busy_until.filter(|until| *until > now).unwrap_or(now) + passage;
        *busy_until = Some(through);
        // One that is held for longer by a fault says so; else its speed holds it.
        let hold = action.hold.get_or_insert(Hold { text: text.into(), time: Duration::ZERO, until_next: false });
        hold.time += through - now;
        action
    }

    /// Hands a frame to the other host. Whether that one answers, if it does, without a timer.
    ///
    /// Linux delays the acknowledgement of a FIN (`tcp_fin` in `net/ipv4/tcp_input.c`), unless the host has sent
    /// FIN itself, for then the connection ends with it, or unless something before it is missing, or it has come
    /// before. What was corrupted it does not answer at all.
    ///
    /// # Errors
    /// That of the write to the other host's device. A frame for which it has no room is lost instead.
    pub fn pass(&mut self, seen: &Seen, fate: Fate) -> io::Result<bool> {
        let now = self.moves();
        self.link.give(1 - seen.from, &seen.bytes)?;
        if seen.packet.proto == Proto::Arp(Some(ArpMessage::Answer)) {
            self.asked[1 - seen.from] = None;
        }
        if fate == Fate::Duplicated {
            self.link.give(1 - seen.from, &seen.bytes)?;
        }
        if fate == Fate::Corrupted {
            return Ok(false);
        }
        let Packet { numbers: Some(numbers), from: Some(from), to: Some(to), payload, .. } = &seen.packet else {
            return Ok(true);
        };
        let sender = self.flows.entry((*from, *to)).or_default();
        let is_next = sender.is_next(*numbers, payload.len());
        sender.arrived(*numbers, payload.len());
        let receiver = self.flows.entry((*to, *from)).or_default();
        self.slow |= !payload.is_empty() && receiver.hears_late(now, self.passed);
        receiver.hears(*numbers, payload.len(), now);
        Ok(!numbers.fin || receiver.fin_sent || !is_next)
    }

    /// Notes that a frame moves, and when.
    fn moves(&mut self) -> u64 {
        let now = millis();
        let gap = self.moved.map_or(0, |then| now.saturating_sub(then));
        self.late |= gap >= LONG;
        self.slow |= gap >= GAP;
        self.moved = Some(now);
        now
    }

    /// Notes that time was let pass: what comes next may come late.
    pub fn lets_time_pass(&mut self) {
        self.moved = None;
        self.passed = millis();
    }

    /// Notes that the machine was too slow.
    pub fn notes_slowness(&mut self) {
        self.slow = true;
    }

    /// Whether the machine was too slow for what the kernel does to be the same at every run.
    pub fn was_slow(&self) -> bool {
        self.slow
    }

    /// Keeps a frame that a timer sent until no role can act. Of several acknowledgements of a connection, the last one
    /// says it all: those that it overtakes are given back.
    pub fn hold_back(&mut self, seen: Seen) -> Vec<Seen> {
        let overtaken = self.overtake(&seen);
        self.kept.push(Kept { seen, frame: None, due: Instant::now(), hold: Duration::ZERO, until_next: false });
        overtaken
    }

    /// Keeps a frame that has set out.
    pub fn keep(&mut self, seen: Seen, frame: Frame, hold: &Hold) {
        let due = Instant::now() + hold.time;
        self.kept.push(Kept { seen, frame: Some(frame), due, hold: hold.time, until_next: hold.until_next });
    }

    /// The next frame whose time has come, while no role can act.
    pub fn due(&mut self) -> Option<Kept> {
        let now = Instant::now();
        let first = self.kept.iter().enumerate().min_by_key(|(index, kept)| (kept.due, *index));
        let (index, _) = first.filter(|(_, kept)| kept.due <= now)?;
        let kept = self.kept.remove(index);
        // Its sender may have taken it for lost meanwhile.
        self.late |= kept.frame.is_some() && now - kept.due >= Duration::from_millis(LATE);
        Some(kept)
    }

    /// A frame that was to be kept until the next one from its host had passed.
    pub fn let_through_behind(&mut self, from: usize) -> Option<Kept> {
        let index = self.kept.iter().position(|kept| kept.until_next && kept.seen.from == from)?;
        Some(self.kept.remove(index))
    }

    /// How long it is until the next frame that is on its way arrives, if there is one.
    pub fn next_arrival(&self) -> Option<Duration> {
        let on_the_way = self.kept.iter().filter(|kept| kept.frame.is_some());
        on_the_way.map(|kept| kept.due.saturating_duration_since(Instant::now())).min()
    }

    /// Takes out what was held back and is needless now: acknowledgements where `next` says the same and more.
    pub fn overtake(&mut self, next: &Seen) -> Vec<Seen> {
        let ends = |seen: &Seen| (seen.packet.from, seen.packet.to);
        let needless =
            |kept: &mut Kept| kept.frame.is_none() && kept.seen.only_acknowledges() && ends(&kept.seen) == ends(next);
        self.kept.extract_if(.., needless).map(|kept| kept.seen).collect()
    }

    /// Takes out the acknowledgements from one address to another that were held back.
    pub fn let_go_of(&mut self, from: SocketAddr, to: SocketAddr) -> Vec<Seen> {
        let is_meant =
            |kept: &mut Kept| kept.frame.is_none() && kept.seen.only_acknowledges() && kept.seen.is_from(from, to);
        self.kept.extract_if(.., is_meant).map(|kept| kept.seen).collect()
    }

    /// Whether a host has asked for a hardware address and may ask again: it does after a second, three times in all
    /// (`arp(7)`).
    pub fn any_host_asks(&self) -> bool {
        const LONGEST: u64 = 1_500;
        let now = millis();
        self.asked.iter().flatten().any(|asked| now.saturating_sub(*asked) < LONGEST)
    }

    /// Whether any TCP connection of either host has a timer running that will move data, as `probe` judges a table.
    pub fn any_table(&mut self, judge: impl Fn(&str) -> bool) -> bool {
        !self.flows.is_empty() && (0..2).any(|host| self.link.connections(host).is_ok_and(|table| judge(&table)))
    }

    /// A frame that sets out as a trace tells it, with the next number, and with sequence numbers counted from the
    /// beginning of the connection. One that a timer sent after late frames is not what it would have been.
    pub fn describe(&mut self, seen: &Seen, name: impl Fn(SocketAddr) -> String, by_timer: bool) -> Frame {
        let packet = &seen.packet;
        let (mut seq, mut ack) = (None, None);
        let mut remark = packet.remark.clone();
        if let (Some(numbers), Some(from), Some(to)) = (packet.numbers, packet.from, packet.to) {
            let first = |from, to| self.flows.get(&(from, to)).and_then(|flow| flow.first);
            // A reset that answers a first SYN has no number of its own.
            seq = Some(numbers.seq.wrapping_sub(first(from, to).unwrap_or(numbers.seq)));
            let theirs = first(to, from);
            ack = numbers.ack.map(|ack| theirs.map_or(0, |theirs| ack.wrapping_sub(theirs)));
            remark = remark.or_else(|| theirs.and_then(|theirs| numbers.has_besides(theirs)));
        }
        self.slow |= by_timer && self.late;
        self.count += 1;
        Frame {
            number: self.count,
            dir: if seen.from == 0 { (Host::A, Host::B) } else { (Host::B, Host::A) },
            from: packet.from.map(&name),
            to: packet.to.map(&name),
            proto: packet.proto,
            fragment: packet.fragment,
            seq,
            ack,
            payload: Data::new(&seen.bytes[packet.payload.clone()]),
            bytes: Data::whole(&seen.bytes),
            remark,
            by_timer,
            after: seen.timer_ms.filter(|_| by_timer).map(|millis| class_of_time(millis).into()),
            held: None,
            fate: Fate::Passed,
            layers: Vec::new(),
        }
    }

    /// How much more a segment's sender can take, in words. Neither a reset nor a SYN says what matters later.
    pub fn window_of(&self, seen: &Seen) -> Option<Word> {
        let numbers = seen.packet.numbers.filter(|numbers| !numbers.syn && !numbers.rst)?;
        let flow = self.flows.get(&(seen.packet.from?, seen.packet.to?))?;
        Some(format!("window {}", u32::from(numbers.window) << flow.scale).into())
    }

    /// An acknowledgement that was overtaken, as a trace tells it: it has no number.
    pub fn describe_overtaken(&mut self, seen: &Seen, name: impl Fn(SocketAddr) -> String) -> Frame {
        let frame = self.describe(seen, name, false);
        self.count -= 1;
        let after = seen.timer_ms.map(|millis| class_of_time(millis).into());
        Frame { number: 0, by_timer: true, after, fate: Fate::Overtaken, ..frame }
    }
}

/// A frame of another link than ours, as a trace tells it: without sequence numbers, of which only one who has seen a
/// connection begin can make something.
pub fn overheard(number: u32, bytes: &[u8], dir: (Host, Host), name: impl Fn(SocketAddr) -> String) -> Frame {
    let packet = packet::parse(bytes);
    Frame {
        number,
        dir,
        from: packet.from.map(&name),
        to: packet.to.map(&name),
        proto: packet.proto,
        fragment: packet.fragment,
        seq: None,
        ack: None,
        payload: Data::new(&bytes[packet.payload]),
        bytes: Data::whole(bytes),
        remark: packet.remark,
        by_timer: false,
        after: None,
        held: None,
        fate: Fate::Passed,
        layers: Vec::new(),
    }
}

/// Where a frame of another link is going, if it says so.
pub fn destination(bytes: &[u8]) -> Option<SocketAddr> {
    packet::parse(bytes).to
}

/// This machine's clock, in milliseconds: the one that TCP's timestamps show (`tcp_timestamps` 2 in the kernel's
/// `ip-sysctl`).
pub fn millis() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// When a segment was sent, by the kernel's own clock. `None` where it does not say, or cannot be meant: timestamps
/// with an offset of their own.
fn time_of(numbers: Numbers) -> Option<u64> {
    const LONGEST_AGO: u32 = 3_600_000;
    let now = millis();
    let age = (now as u32).wrapping_sub(numbers.clock?);
    (age < LONGEST_AGO).then(|| now.saturating_sub(age.into()))
}

/// The options of a connection's first segment, in words.
pub fn offers(seen: &Seen) -> Option<Word> {
    seen.packet.numbers.filter(|numbers| numbers.syn)?;
    packet::offers(&seen.bytes)
}

fn only_acknowledges(numbers: Numbers) -> bool {
    !numbers.syn && !numbers.fin && !numbers.rst && numbers.ack.is_some()
}

impl Seen {
    /// Whether it goes from one address to another.
    pub fn is_from(&self, from: SocketAddr, to: SocketAddr) -> bool {
        self.packet.from == Some(from) && self.packet.to == Some(to)
    }

    /// Whether it may be what a timer sends: an acknowledgement and nothing else, or what was sent before.
    pub fn may_be_a_timers(&self) -> bool {
        self.only_acknowledges() || self.again
    }

    /// Whether it can have been brought about by something that happened at `time`, in milliseconds, or later.
    pub fn is_since(&self, time: u64) -> bool {
        self.sent_ms.is_none_or(|sent| sent >= time)
    }

    /// Changes its last byte: of the payload, if it has one. The checksums stay as they are.
    pub fn corrupt(&mut self) {
        if let Some(last) = self.bytes.last_mut() {
            *last ^= 1;
        }
    }

    /// Whether it is a TCP acknowledgement and nothing else.
    pub fn only_acknowledges(&self) -> bool {
        self.packet.payload.is_empty() && self.packet.numbers.is_some_and(only_acknowledges)
    }
}
