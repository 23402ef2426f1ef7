//! One direction of a TCP connection, as far as its frames tell.

use super::packet::Numbers;

/// What one end of a connection has sent, and what has been handed to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    /// Its first sequence number.
    pub first: Option<u32>,
    /// The number behind the last one that it has sent.
    end: Option<u32>,
    /// The number behind the last one of its that was handed on.
    delivered: Option<u32>,
    /// Whether it has said goodbye.
    pub said_goodbye: bool,
    /// The last number that it has acknowledged.
    acknowledged: Option<u32>,
    /// The last number that its peer has acknowledged, as it has been told.
    told: Option<u32>,
    /// When it last sent something that has to be acknowledged, in milliseconds.
    sent: Option<u64>,
    /// When something was last handed to it that it has to acknowledge, and when anything was, in milliseconds.
    owes: Option<u64>,
    heard: Option<u64>,
}

impl Flow {
    /// Learns of a segment with so many bytes that was sent at `now`. Whether it had all been sent before, and for how
    /// many milliseconds a timer that sends it now can have run.
    pub fn sends(&mut self, numbers: Numbers, len: usize, now: u64) -> (bool, Option<u64>) {
        if numbers.syn && self.first != Some(numbers.seq) {
            *self = Flow { first: Some(numbers.seq), owes: self.owes, heard: self.heard, ..Flow::default() };
        }
        let takes = len as u32 + u32::from(numbers.syn) + u32::from(numbers.fin);
        let end = numbers.seq.wrapping_add(takes);
        let again = takes > 0 && self.end.is_some_and(|known| !is_behind(end, known));
        // A delayed acknowledgement waits since there is something to acknowledge; a retransmission since the last
        // sign of life.
        let since = if takes == 0 { self.owes } else { self.sent.max(self.heard) };
        self.said_goodbye |= numbers.fin;
        self.acknowledged = numbers.ack.or(self.acknowledged);
        if takes > 0 {
            self.sent = Some(now);
            self.end = self.end.filter(|known| !is_behind(end, *known)).or(Some(end));
        }
        (again, since.map(|since| now.saturating_sub(since)))
    }

    /// Whether all that `ack` adds to what it has acknowledged is the goodbye of its peer, and it has not said goodbye
    /// itself. Linux delays that (`tcp_fin` in `net/ipv4/tcp_input.c`), and no `recv` hastens it.
    pub fn adds_only_a_goodbye(&self, ack: Option<u32>, peer: &Flow) -> bool {
        let before = |end: u32| self.acknowledged == Some(end.wrapping_sub(1));
        peer.said_goodbye && !self.said_goodbye && ack.is_some() && ack == peer.end && peer.end.is_some_and(before)
    }

    /// Learns that a segment of its was handed on.
    pub fn arrived(&mut self, numbers: Numbers, len: usize) {
        let end = numbers.seq.wrapping_add(len as u32 + u32::from(numbers.syn) + u32::from(numbers.fin));
        self.delivered = self.delivered.filter(|known| !is_behind(end, *known)).or(Some(end));
    }

    /// Whether all that a segment says was handed on before.
    pub fn has_delivered(&self, numbers: Numbers, len: usize) -> bool {
        let end = numbers.seq.wrapping_add(len as u32 + u32::from(numbers.syn) + u32::from(numbers.fin));
        self.delivered.is_some_and(|known| !is_behind(end, known))
    }

    /// Whether it has been told that all that a segment of its says was received.
    pub fn knows_of(&self, numbers: Numbers, len: usize) -> bool {
        let end = numbers.seq.wrapping_add(len as u32 + u32::from(numbers.syn) + u32::from(numbers.fin));
        self.told.is_some_and(|told| !is_behind(end, told))
    }

    /// Learns that a segment was handed to it at `now`.
    pub fn hears(&mut self, numbers: Numbers, len: usize, now: u64) {
        self.heard = Some(now);
        self.told = self.told.filter(|told| numbers.ack.is_none_or(|ack| !is_behind(ack, *told))).or(numbers.ack);
        if len > 0 || numbers.syn || numbers.fin {
            self.owes = Some(now);
        }
    }
}

/// Whether a sequence number comes behind another one, RFC 9293, 3.4.
fn is_behind(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) as i32 > 0
}
