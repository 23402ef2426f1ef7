//! One direction of a TCP connection, as far as its frames tell.

use super::packet::Numbers;

/// The least time after which Linux sends data again, in milliseconds: `TCP_RTO_MIN`.
const SHORTEST: u64 = 200;

/// What one end of a connection has sent, and what has been handed to it.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Its first sequence number.
    pub first: Option<u32>,
    /// The number behind the last one that it has sent.
    end: Option<u32>,
    /// The number behind the last one of its that was handed on.
    delivered: Option<u32>,
    /// The number behind the last one up to which all of its were handed on, and what was handed on behind a gap.
    whole: Option<u32>,
    beyond: Vec<(u32, u32)>,
    /// The number up to which its peer has acknowledged.
    acknowledged: Option<u32>,
    /// How often in a row a timer has sent the same again.
    repeats: u32,
    /// Whether it has said goodbye.
    pub said_goodbye: bool,
    /// When it last sent something that has to be acknowledged, in milliseconds.
    sent: Option<u64>,
    /// When something was last handed to it that it has to acknowledge, and when anything was, in milliseconds.
    owes: Option<u64>,
    heard: Option<u64>,
}

impl Flow {
    /// Learns of a segment with so many bytes that was sent at `now`. Whether it had all been sent before, and for how
    /// many milliseconds a timer that sends it now can have run.
    ///
    /// A retransmission waits for 200 ms, and each time for twice as long, besides a round trip that it has measured:
    /// what this machine's load has made of that one is left out.
    pub fn sends(&mut self, numbers: Numbers, len: usize, now: u64) -> (bool, Option<u64>) {
        if numbers.syn && self.first != Some(numbers.seq) {
            *self = Flow { first: Some(numbers.seq), owes: self.owes, heard: self.heard, ..Flow::default() };
        }
        let end = end_of(numbers, len);
        let takes = end.wrapping_sub(numbers.seq);
        let again = takes > 0 && self.end.is_some_and(|known| !is_behind(end, known));
        // A delayed acknowledgement waits since there is something to acknowledge; a retransmission since the last
        // sign of life.
        let since = if takes == 0 { self.owes } else { self.sent.max(self.heard) };
        self.said_goodbye |= numbers.fin;
        if takes > 0 {
            self.sent = Some(now);
            self.end = self.end.filter(|known| !is_behind(end, *known)).or(Some(end));
        }
        let mut millis = since.map(|since| now.saturating_sub(since));
        if again && !numbers.syn && millis >= Some(SHORTEST) {
            let plain = SHORTEST << self.repeats.min(16);
            millis = millis.map(|millis| if (plain..plain * 5 / 2).contains(&millis) { plain } else { millis });
            self.repeats += 1;
        }
        (again, millis)
    }

    /// Learns that a segment of its was handed on.
    pub fn arrived(&mut self, numbers: Numbers, len: usize) {
        let end = end_of(numbers, len);
        self.delivered = self.delivered.filter(|known| !is_behind(end, *known)).or(Some(end));
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
        let end = end_of(numbers, len);
        self.delivered.is_some_and(|known| !is_behind(end, known))
    }

    /// Learns that a segment was handed to it at `now`.
    pub fn hears(&mut self, numbers: Numbers, len: usize, now: u64) {
        self.heard = Some(now);
        if let Some(ack) = numbers.ack
            && self.acknowledged.is_none_or(|known| is_behind(ack, known))
        {
            self.acknowledged = Some(ack);
            self.repeats = 0;
        }
        if len > 0 || numbers.syn || numbers.fin {
            self.owes = Some(now);
        }
    }
}

/// The number behind the last one that a segment with so many bytes takes.
fn end_of(numbers: Numbers, len: usize) -> u32 {
    numbers.seq.wrapping_add(len as u32 + u32::from(numbers.syn) + u32::from(numbers.fin))
}

/// Whether a sequence number comes behind another one, RFC 9293, 3.4.
fn is_behind(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) as i32 > 0
}
