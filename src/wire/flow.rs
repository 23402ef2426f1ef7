//! One direction of a TCP connection, as far as its frames tell.

use super::packet::Numbers;
use super::{GAP, LONG};

/// What one end of a connection has sent, and what has been handed to it.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Its first sequence number.
    pub first: Option<u32>,
    /// The number behind the last one that it has sent.
    end: Option<u32>,
    /// The number up to which all of its bytes were delivered, and the ranges delivered behind a gap.
    whole: Option<u32>,
    beyond: Vec<(u32, u32)>,
    /// The last number that its peer has acknowledged.
    heard_of: Option<u32>,
    /// By how much, in powers of 2, it scales the windows of its segments.
    pub scale: u8,
    /// Whether it has sent FIN.
    pub fin_sent: bool,
    /// The last number that it has acknowledged.
    acknowledged: Option<u32>,
    /// When it last sent something that has to be acknowledged, and when data, in milliseconds.
    sent: Option<u64>,
    sent_data: Option<u64>,
    /// When it last sent a probe, which asks for an answer and has no data, in milliseconds.
    probed: Option<u64>,
    /// When something was last handed to it that it has to acknowledge, and when anything was but a probe, in
    /// milliseconds: a probe is answered, and restarts no timer (`tcp_validate_incoming` of `net/ipv4/tcp_input.c`).
    owes: Option<u64>,
    heard: Option<u64>,
    /// The number behind the last one that it was handed.
    heard_end: Option<u32>,
}

impl Flow {
    /// Records a segment of `len` bytes sent at `now` (ms). Returns whether it is a retransmission, and for how long
    /// (ms) a timer behind it can have run.
    pub fn sends(&mut self, numbers: Numbers, len: usize, now: u64) -> (bool, Option<u64>) {
        if numbers.syn && self.first != Some(numbers.seq) {
            *self = Flow {
                first: Some(numbers.seq),
                owes: self.owes,
                heard: self.heard,
                heard_end: self.heard_end,
                ..Flow::default()
            };
        }
        if numbers.syn {
            // RFC 7323 scales by 14 at most.
            self.scale = numbers.scale.unwrap_or(0).min(14);
        }
        let end = end_of(numbers, len);
        let takes = end.wrapping_sub(numbers.seq);
        let again = takes > 0 && self.end.is_some_and(|known| !is_behind(end, known));
        let is_probe = is_probe(numbers, len, self.end);
        // A delayed acknowledgement waits since there is something to acknowledge; a retransmission and a probe since
        // the last sign of life. Of a SYN there is none before its answer.
        let since = match (takes, numbers.syn) {
            _ if is_probe => self.sent.max(self.heard).max(self.probed),
            (0, _) => self.owes,
            (_, true) => self.sent,
            (_, false) => self.sent.max(self.heard),
        };
        if is_probe {
            self.probed = Some(now);
        }
        self.fin_sent |= numbers.fin;
        self.acknowledged = numbers.ack.or(self.acknowledged);
        if len > 0 {
            self.sent_data = Some(now);
        }
        if takes > 0 {
            self.sent = Some(now);
            self.end = self.end.filter(|known| !is_behind(end, *known)).or(Some(end));
        }
        (again, since.map(|since| now.saturating_sub(since)))
    }

    /// Whether data sent at `now` (ms) comes [`LONG`] or more after what this end has to acknowledge, or [`GAP`] or
    /// more after what it sent before: then the kernel treats it in another way. What happened before `passed`, when
    /// time was last let pass, does not count. Nor does it matter how long the first is ago if this end has sent data
    /// since: that was its answer, in time or not.
    pub fn sends_late(&self, now: u64, passed: u64) -> bool {
        let is_after = |since: Option<u64>, limit| since.is_some_and(|since| since >= passed && now >= since + limit);
        let is_answered = self.sent_data > self.owes;
        !is_answered && is_after(self.owes, LONG) || is_after(self.sent, GAP)
    }

    /// Whether data delivered at `now` comes [`GAP`] or more after what was delivered before, since `passed`; in ms.
    pub fn hears_late(&self, now: u64, passed: u64) -> bool {
        self.owes.is_some_and(|since| since >= passed && now >= since + GAP)
    }

    /// The number behind its FIN, if it has sent one.
    pub fn fin_end(&self) -> Option<u32> {
        self.end.filter(|_| self.fin_sent)
    }

    /// Whether `ack` adds only the peer's FIN, which ends before `peers_fin_end`, to what this end has acknowledged,
    /// and this end has sent no FIN itself. Linux delays that ACK (`tcp_fin` in `net/ipv4/tcp_input.c`), and no `recv`
    /// hastens it.
    pub fn adds_only_the_fin(&self, ack: Option<u32>, peers_fin_end: Option<u32>) -> bool {
        let adds_it = |end: u32| ack == Some(end) && self.acknowledged == Some(end.wrapping_sub(1));
        !self.fin_sent && peers_fin_end.is_some_and(adds_it)
    }

    /// Whether `ack` is more than it has acknowledged.
    pub fn acknowledges_more(&self, ack: Option<u32>) -> bool {
        ack.is_some_and(|ack| self.acknowledged.is_none_or(|known| is_behind(ack, known)))
    }

    /// Records that a segment of this end was delivered.
    pub fn arrived(&mut self, numbers: Numbers, len: usize) {
        let end = end_of(numbers, len);
        self.beyond.push((numbers.seq, end));
        while let Some(index) = self.beyond.iter().position(|(from, _)| !self.has_gap_before(*from)) {
            let (_, end) = self.beyond.swap_remove(index);
            self.whole = self.whole.filter(|whole| !is_behind(end, *whole)).or(Some(end));
        }
    }

    /// Whether a segment is the next one that its receiver wants, or begins before that and ends behind it.
    pub fn is_next(&self, numbers: Numbers, len: usize) -> bool {
        let new = self.whole.is_none_or(|whole| is_behind(end_of(numbers, len), whole));
        new && !self.has_gap_before(numbers.seq)
    }

    fn has_gap_before(&self, seq: u32) -> bool {
        self.whole.is_some_and(|whole| is_behind(seq, whole))
    }

    /// Whether all that a segment says was handed on before.
    pub fn has_delivered(&self, numbers: Numbers, len: usize) -> bool {
        self.whole.is_some_and(|whole| !is_behind(end_of(numbers, len), whole))
    }

    /// Whether its sender has been handed the acknowledgement of all that a segment says. An acknowledgement of a SYN
    /// does not count: a listener without room throws it away.
    pub fn is_acknowledged(&self, numbers: Numbers, len: usize) -> bool {
        covers(self.heard_of, numbers, len)
    }

    /// Records that a segment was delivered to this end at `now` (ms).
    pub fn hears(&mut self, numbers: Numbers, len: usize, now: u64) {
        if !is_probe(numbers, len, self.heard_end) {
            self.heard = Some(now);
        }
        let end = end_of(numbers, len);
        self.heard_end = self.heard_end.filter(|known| !numbers.syn && !is_behind(end, *known)).or(Some(end));
        if let Some(ack) = numbers.ack
            && self.heard_of.is_none_or(|known| is_behind(ack, known))
        {
            self.heard_of = Some(ack);
        }
        if len > 0 || numbers.syn || numbers.fin {
            self.owes = Some(now);
        }
    }
}

/// Whether a segment, which is no SYN, lies wholly before `known`.
pub fn covers(known: Option<u32>, numbers: Numbers, len: usize) -> bool {
    !numbers.syn && known.is_some_and(|known| !is_behind(end_of(numbers, len), known))
}

/// Whether a segment is a probe, of a window or of whether the peer is alive: it has nothing, and a number `before`
/// which all was sent. RFC 9293, 3.8.4 and 3.8.6.1.
fn is_probe(numbers: Numbers, len: usize, before: Option<u32>) -> bool {
    let takes_none = len == 0 && !numbers.syn && !numbers.fin;
    takes_none && before.is_some_and(|before| is_behind(before, numbers.seq))
}

/// The number behind the last one that a segment with `len` bytes of payload takes.
pub fn end_of(numbers: Numbers, len: usize) -> u32 {
    numbers.seq.wrapping_add(len as u32 + u32::from(numbers.syn) + u32::from(numbers.fin))
}

/// Whether a sequence number comes behind another one, RFC 9293, 3.4.
fn is_behind(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) as i32 > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::class_of_time;

    fn segment(seq: u32) -> Numbers {
        Numbers { seq, ack: Some(1), ..Numbers::default() }
    }

    /// One whose first number is `first`, with a handshake behind it.
    fn open(first: u32, now: u64) -> Flow {
        let mut flow = Flow::default();
        let syn = Numbers { seq: first, syn: true, ..Numbers::default() };
        flow.sends(syn, 0, now);
        flow.arrived(syn, 0);
        flow
    }

    fn acknowledge(flow: &mut Flow, ack: u32, now: u64) {
        flow.hears(Numbers { ack: Some(ack), ..Numbers::default() }, 0, now);
    }

    #[test]
    fn a_number_is_behind_the_half_of_all_numbers_before_it() {
        assert!(is_behind(1, 0) && is_behind(0, u32::MAX) && is_behind(0x7fff_ffff, 0));
        assert!(!is_behind(0, 0) && !is_behind(0, 1) && !is_behind(u32::MAX, 0));
    }

    #[test]
    fn a_new_connection_on_the_same_ports_has_nothing_behind_it() {
        let mut flow = open(100, 0);
        flow.sends(segment(101), 50, 10);
        acknowledge(&mut flow, 151, 10);
        let syn = Numbers { seq: 120, syn: true, ..Numbers::default() };
        assert!(!flow.sends(syn, 0, 20).0);
        assert_eq!((flow.first, flow.is_acknowledged(segment(121), 5)), (Some(120), false));
        assert!(flow.sends(syn, 0, 1020).0, "the same SYN is one that was sent before");
    }

    #[test]
    fn a_retransmission_has_the_time_since_the_last_sign_of_life() {
        let mut flow = open(100, 0);
        flow.sends(segment(101), 5, 1000);
        assert_eq!(flow.sends(segment(101), 5, 1205), (true, Some(205)));
        assert_eq!(flow.sends(segment(101), 5, 1610), (true, Some(405)));
        acknowledge(&mut flow, 106, 4000);
        flow.sends(segment(106), 5, 4000);
        assert_eq!(flow.sends(segment(106), 5, 4201), (true, Some(201)));
    }

    #[test]
    fn a_probe_has_the_time_since_the_last_sign_of_life_or_the_probe_before_it() {
        let mut flow = open(100, 0);
        flow.sends(segment(101), 5, 1000);
        acknowledge(&mut flow, 106, 1000);
        assert_eq!(flow.sends(segment(105), 0, 1200), (false, Some(200)));
        assert_eq!(flow.sends(segment(105), 0, 1600), (false, Some(400)));
        acknowledge(&mut flow, 106, 1600);
        assert_eq!(flow.sends(segment(105), 0, 2400), (false, Some(800)));
        // No probe: an acknowledgement, of what came long ago.
        flow.hears(segment(1), 5, 3000);
        assert_eq!(flow.sends(segment(106), 0, 3040), (false, Some(40)));
    }

    #[test]
    fn what_is_acknowledged_is_what_has_been_heard_of_and_no_more() {
        let mut flow = open(u32::MAX - 10, 0);
        acknowledge(&mut flow, 5, 0);
        acknowledge(&mut flow, u32::MAX, 0); // an old one, overtaken
        assert!(flow.is_acknowledged(segment(u32::MAX - 3), 9) && !flow.is_acknowledged(segment(0), 6));
        flow.sends(Numbers { ack: Some(7), ..segment(0) }, 0, 0);
        assert!(flow.acknowledges_more(Some(8)) && !flow.acknowledges_more(Some(7)) && !flow.acknowledges_more(None));
    }

    #[test]
    fn what_comes_soon_after_a_sign_of_life_is_no_timers_of_200_ms() {
        let mut flow = open(100, 0);
        flow.sends(segment(101), 5, 1000);
        flow.hears(segment(1), 0, 1400);
        assert_eq!(flow.sends(segment(101), 5, 1403), (true, Some(3)));
    }

    #[test]
    fn a_first_syn_keeps_the_time_that_it_took() {
        let mut flow = open(100, 0);
        let syn = Numbers { seq: 100, syn: true, ..Numbers::default() };
        assert_eq!(flow.sends(syn, 0, 1010), (true, Some(1010)));
        assert_eq!(flow.sends(syn, 0, 3030), (true, Some(2020)));
    }

    #[test]
    fn classes_are_told_in_their_order() {
        let classes: Vec<&str> = (0..9_000).map(class_of_time).collect();
        let mut told = classes.clone();
        told.dedup();
        let mut once = told.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(told.len(), once.len(), "a class comes back: {told:?}");
        let timers =
            [(1, "a few ms"), (40, "about 40 ms"), (208, "about 200 ms"), (1024, "about 1 s"), (9000, "8 s or more")];
        for (millis, name) in timers {
            assert_eq!(class_of_time(millis), name);
        }
    }

    #[test]
    fn an_answer_is_late_and_what_comes_behind_an_answer_is_not() {
        let mut server = open(0, 100);
        server.hears(segment(1), 1, 100);
        assert!(!server.sends_late(100 + LONG - 1, 0));
        assert!(server.sends_late(100 + LONG, 0), "nothing was sent in answer");
        server.sends(segment(1), 1, 110);
        assert!(!server.sends_late(100 + LONG, 0), "the answer was in time");
        server.hears(segment(2), 1, 140);
        assert!(server.sends_late(140 + LONG, 0), "that answered something earlier");
        server.sends(segment(2), 1, 150);
        assert!(!server.sends_late(150 + GAP - 1, 0));
        assert!(server.sends_late(150 + GAP, 0), "a pause between two sends");
    }

    proptest! {
        /// Wherever the numbers begin, and where they wrap, a connection is told in the same way.
        #[test]
        fn nothing_depends_on_where_the_numbers_begin(
            first in any::<u32>(),
            segments in proptest::collection::vec((0u32..60, 1usize..20, any::<bool>()), 1..30),
        ) {
            let (mut here, mut there) = (open(first, 0), open(0, 0));
            for (from, len, arrives) in segments {
                let (one, other) = (segment(first.wrapping_add(1 + from)), segment(1 + from));
                prop_assert_eq!(here.sends(one, len, 7), there.sends(other, len, 7));
                prop_assert_eq!(here.is_next(one, len), there.is_next(other, len));
                prop_assert_eq!(here.is_acknowledged(one, len), there.is_acknowledged(other, len));
                if arrives {
                    acknowledge(&mut here, one.seq, 7);
                    acknowledge(&mut there, other.seq, 7);
                    here.arrived(one, len);
                    there.arrived(other, len);
                }
            }
        }

        /// A segment is the next one exactly if it brings a byte to those that are there without a gap.
        #[test]
        fn the_next_one_is_the_one_that_fills_or_goes_on(
            first in any::<u32>(),
            segments in proptest::collection::vec((0u32..40, 1usize..10), 1..40),
        ) {
            let mut flow = open(first, 0);
            let mut there = std::collections::BTreeSet::new();
            for (from, len) in segments {
                let whole = (0..).find(|byte| !there.contains(byte)).expect("a byte");
                let brings = from <= whole && whole < from + len as u32;
                let one = segment(first.wrapping_add(1 + from));
                prop_assert_eq!(flow.is_next(one, len), brings);
                flow.arrived(one, len);
                there.extend(from..from + len as u32);
            }
        }

        /// A segment was sent before exactly if it ends no further than all that were sent.
        #[test]
        fn what_was_sent_before_is_known(
            first in any::<u32>(),
            segments in proptest::collection::vec((0u32..90, 1usize..20), 1..30),
        ) {
            let mut flow = open(first, 0);
            let mut furthest = 0;
            for (from, len) in segments {
                let end = from + len as u32;
                prop_assert_eq!(flow.sends(segment(first.wrapping_add(1 + from)), len, 0).0, end <= furthest);
                furthest = furthest.max(end);
            }
        }
    }
}
