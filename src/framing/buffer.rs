//! Bytes that have come and are not yet taken.

use std::ops::Range;

/// They stand in one piece, at `start..end` of a longer one, so that a message is a slice. Where there is no more room
/// behind them they are moved to the front; and unless twice as many bytes were taken before, the whole becomes twice
/// as long. So only few bytes are moved, whatever the sizes of messages and pieces.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    #[inline]
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    #[inline]
    pub fn push(&mut self, piece: &[u8]) {
        self.space(piece.len()).copy_from_slice(piece);
        self.filled(piece.len());
    }

    #[inline]
    pub fn space(&mut self, len: usize) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.bytes.len() - self.end < len {
            self.make_room(len);
        }
        &mut self.bytes[self.end..self.end + len]
    }

    #[inline]
    pub fn filled(&mut self, len: usize) {
        assert!(len <= self.bytes.len() - self.end, "{len} bytes in a space of {}", self.bytes.len() - self.end);
        self.end += len;
    }

    /// The bytes at `part` of those that are unread; those before `next` are read by that.
    #[inline]
    pub fn take(&mut self, part: Range<usize>, next: usize) -> &[u8] {
        let taken = &self.bytes[self.start..self.end][part];
        self.start += next;
        taken
    }

    #[cold]
    fn make_room(&mut self, len: usize) {
        let unread = self.end - self.start;
        let is_worth_it = self.start >= 2 * unread;
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, unread);
        let least = unread + len;
        if !is_worth_it || self.bytes.len() < least {
            self.bytes.resize(least.max(2 * self.bytes.len()), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn what_is_pushed_comes_out_in_order_and_memory_stays_small() {
        let mut buffer = Buffer::default();
        let (mut next_in, mut next_out) = (0u8, 0u8);
        for turn in 0..10_000 {
            for _ in 0..turn % 97 {
                buffer.push(&[next_in]);
                next_in = next_in.wrapping_add(1);
            }
            while buffer.unread().len() > 1 + turn % 31 {
                let taken = buffer.take(1..2, 2);
                assert_eq!(taken, [next_out.wrapping_add(1)]);
                next_out = next_out.wrapping_add(2);
            }
        }
        assert!(buffer.bytes.len() <= 512, "{}", buffer.bytes.len());
    }

    #[test]
    fn a_heap_that_is_taken_one_by_one_is_not_moved_each_time() {
        let mut buffer = Buffer::default();
        buffer.push(&[7; 1000]);
        let size = buffer.bytes.len();
        for _ in 0..500 {
            buffer.take(0..1, 1);
            buffer.push(&[7]);
        }
        assert!(buffer.bytes.len() <= 2 * size, "{}", buffer.bytes.len());
        assert_eq!(buffer.unread(), [7; 1000]);
    }
}
