//! How a connection of ours sends.

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::{Connection, HOLD};
use crate::judge::context::{CheckContext, SAMPLE_EVERY, WaitOutcome};
use crate::judge::failure::{Done, Failure, Kind};
use crate::judge::peer::base::{byte_count, counted, quoted};
use crate::judge::snapshot::ProcessSnapshot;
use crate::probe;
use crate::sandbox::Sandbox;
use crate::trace::error_name;
use crate::view::text;

/// The most pieces whose bytes a step shows, and the columns of each.
const MAX_PIECES_SHOWN: usize = 8;
const MAX_PIECE_COLUMNS: usize = 12;

/// How often the kernel is asked whether the attempt has read what was sent.
const ASK_EVERY: Duration = Duration::from_micros(100);

/// Samples with every thread asleep after which the attempt is taken not to read on now.
pub(super) const BLOCKED_SAMPLES: u32 = 5;

/// The same, after which a kernel that keeps an acknowledgement back has sent it: it does so for at most 200 ms.
const ACKNOWLEDGED_SAMPLES: u32 = 50;

/// How long a program that was seen to spin is waited for when it has read all.
const TIME_OF_A_SPINNER: Duration = Duration::from_millis(50);

/// Samples with every thread asleep in no call on its socket, after which it is taken to go on so: as many as a piece
/// is held back for.
const HOLD_SAMPLES: u32 = (HOLD.as_millis() / SAMPLE_EVERY.as_millis()) as u32;

impl Connection {
    /// Sends all of these bytes, in as few pieces as the kernel takes.
    ///
    /// # Errors
    /// A failure, if the attempt closes the connection or stops reading before all is sent.
    pub fn send(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("sends {}", counted(bytes)));
        self.send_all(bytes)
    }

    /// Sends each piece once the attempt has read the one before it and waits for more in a call on this socket. One
    /// that sleeps elsewhere, or without having read it, gets the next piece after more than a second of that.
    ///
    /// # Errors
    /// As [`send`](Connection::send).
    pub fn send_in_pieces(&self, pieces: &[&[u8]]) -> Done {
        let step = format!("sends {} pieces, each when the one before has been read: {}", pieces.len(), listed(pieces));
        self.peer.step(&step);
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.wait_for_reader()?;
            }
            self.send_all(piece)?;
        }
        Ok(())
    }

    /// Sends these bytes one by one, each once the attempt has read the one before it and waits for more.
    ///
    /// # Errors
    /// As [`send`](Connection::send).
    pub fn send_byte_by_byte(&self, bytes: &[u8]) -> Done {
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        self.send_in_pieces(&pieces)
    }

    /// Sends these bytes until all are sent or the attempt closes the connection, which it may. Returns how many
    /// bytes were sent.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_until_closed(&self, bytes: &[u8]) -> Done<usize> {
        self.peer.step(&format!("sends {}, as far as the program takes them", counted(bytes)));
        let mut sent = 0;
        while sent < bytes.len() {
            match self.send_some(&bytes[sent..])? {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Sends these bytes again and again, reading nothing, until the attempt stops reading because its own sends
    /// block; at most 256 KiB, and fewer if it closes the connection. Returns how many bytes were sent.
    ///
    /// All of them are then in the attempt's receive queue, which has room left: a FIN or RST that
    /// follows will reach it. Where its sends block, more than 16 KiB lie unread: whatever part of its answer a blocked
    /// send has taken, it has to read again, and to send again.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_until_blocked(&self, bytes: &[u8]) -> Done<usize> {
        const MAX_SENT: usize = 256 * 1024;
        /// Of as many as fill a segment: a program finds no part of them.
        const BLOCK: usize = 500;
        /// More than the usual buffers of one recv, of up to 16 KiB, and fewer than the next larger one.
        const UNREAD: usize = 20 * 1024;
        self.peer.step(&format!("sends {} again and again, reading nothing, until the program waits", quoted(bytes)));
        let block = bytes.repeat((BLOCK / bytes.len().max(1)).max(1));
        let (mut sent, mut most, mut is_blocked) = (0, MAX_SENT, false);
        while sent < most && !bytes.is_empty() {
            let rest = &block[sent % bytes.len()..];
            match self.send_now(rest) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut has_room = |_: &mut Sandbox| Ok(probe::ready(self.peer.fd(), PollFlags::OUT));
                    match self.wait_until(ACKNOWLEDGED_SAMPLES, &mut has_room)? {
                        WaitOutcome::Ready => continue,
                        _ => break,
                    }
                }
                Err(_) => break,
            }
            let is_last = is_blocked && sent >= most;
            let mut gets_on = |sandbox: &mut Sandbox| {
                self.acknowledge_now();
                let Some(taken) = sandbox.taken(self.theirs, self.ours)? else { return Ok(true) };
                let came = taken.came >= self.sent.get();
                Ok(match (is_blocked, is_last) {
                    (false, _) => came && taken.unread == 0,
                    (true, false) => came,
                    (true, true) => (taken.unread as usize) < UNREAD,
                })
            };
            match (self.wait_until(BLOCKED_SAMPLES, &mut gets_on)?, is_last) {
                (WaitOutcome::Ready, false) => {}
                // It was not blocked for good.
                (WaitOutcome::Ready, true) => (is_blocked, most) = (false, MAX_SENT),
                _ if is_blocked => break,
                _ => (is_blocked, most) = (true, sent + UNREAD),
            }
        }
        self.peer.context.log.step(format!("{} went", byte_count(sent)));
        Ok(sent)
    }

    fn send_all(&self, bytes: &[u8]) -> Done {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.send_some(&bytes[sent..])? {
                Ok(count) => sent += count,
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(())
    }

    /// Sends what the kernel takes at once; waits for room if that is nothing, and then returns 0.
    fn send_some(&self, bytes: &[u8]) -> Done<Result<usize, Failure>> {
        let context = &self.peer.context;
        match self.send_now(bytes) {
            Ok(count) => Ok(Ok(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match context.wait(Some((self.peer.fd(), PollFlags::OUT)), |_| Ok(false))? {
                    WaitOutcome::Ready => Ok(Ok(0)),
                    other => Ok(Err(context.unmet(&other, "it no longer reads what our side sends"))),
                }
            }
            Err(error) => {
                let what = format!("it closed the connection while our {} was sending", self.peer.name);
                let failure = context.failure(Kind::Wrong, what, None);
                Ok(Err(failure.between("all of it read", format!("send fails: {}", error_name(&error)))))
            }
        }
    }

    /// Sends what the kernel takes without blocking, and counts it.
    fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.peer.call(|socket| socket.send_with_flags(bytes, libc::MSG_DONTWAIT))?;
        self.sent.set(self.sent.get() + count as u64);
        Ok(count)
    }

    /// Acknowledges what has come: a program that sends must not be blocked for a while by an acknowledgement that the
    /// kernel keeps back.
    fn acknowledge_now(&self) {
        // Where the kernel refuses, it acknowledges by and by.
        let _ = rustix::net::sockopt::set_tcp_quickack(self.peer.fd(), true);
    }

    /// Waits until the attempt has accepted the connection, has read all that we have sent and waits for more in a
    /// call on this socket. What follows finds it there.
    ///
    /// One that spins, or sleeps elsewhere, is not waited for without end, and does not fail by it.
    ///
    /// # Errors
    /// A fault of ours, or a failure if the attempt's time is over.
    pub fn settle(&self) -> Done {
        self.peer.step("waits until the program has read all and waits for more");
        self.wait_for_reader().map(drop)
    }

    /// Waits until the attempt waits: for more on this socket, or asleep elsewhere, as in a send that blocks.
    ///
    /// # Errors
    /// As [`settle`](Connection::settle).
    pub fn settle_or_block(&self) -> Done {
        self.peer.step("reads nothing until the program waits");
        self.wait_for_reader_or_sleep(BLOCKED_SAMPLES).map(drop)
    }

    /// Waits until the attempt has read all that we have sent and waits for more, in a call on this socket.
    ///
    /// One that sleeps elsewhere may look at its socket by and by; or it sleeps for a while, and takes what has come by
    /// then for the whole. So it is waited for more than a second: once, for the first kind goes on waiting then.
    pub(super) fn wait_for_reader(&self) -> Done<WaitOutcome> {
        let context = &self.peer.context;
        let samples = if context.is_patient.get() { BLOCKED_SAMPLES } else { HOLD_SAMPLES };
        let waited = self.wait_for_reader_or_sleep(samples)?;
        if matches!(waited, WaitOutcome::Asleep(_)) {
            context.is_patient.set(true);
        }
        Ok(waited)
    }

    /// As [`wait_for_reader`](Connection::wait_for_reader), until so many samples find it asleep elsewhere.
    pub(super) fn wait_for_reader_or_sleep(&self, samples: u32) -> Done<WaitOutcome> {
        let (mut last_look, mut interval, mut read) = (None::<Instant>, ASK_EVERY, None::<Instant>);
        let spins = self.peer.context.clock.has_spun();
        self.wait_until(samples, &mut |sandbox| {
            let Some(taken) = sandbox.taken(self.theirs, self.ours)? else { return Ok(true) };
            if taken.unread > 0 || taken.came < self.sent.get() {
                return Ok(false);
            }
            // No process has it open: it waits to be accepted, or was closed, which has been heard then.
            if taken.inode == 0 {
                return Ok(self.peer.is_readable());
            }
            // One that was seen to spin waits in no call. It has what was sent, and time to answer.
            if spins && read.get_or_insert_with(Instant::now).elapsed() >= TIME_OF_A_SPINNER {
                return Ok(true);
            }
            // A look takes longer than a question: a program that does not wait at once is looked at less and less.
            if last_look.is_some_and(|last| last.elapsed() < interval) {
                return Ok(false);
            }
            (last_look, interval) = (Some(Instant::now()), SAMPLE_EVERY.min(interval * 2));
            Ok(ProcessSnapshot::take(sandbox)?.waits_on(taken.inode))
        })
    }

    fn wait_until(&self, samples: u32, holds: &mut dyn FnMut(&mut Sandbox) -> Done<bool>) -> Done<WaitOutcome> {
        wait_until(&self.peer.context, samples, holds)
    }
}

/// Waits until `holds` does, or so many samples have found the attempt asleep.
pub(super) fn wait_until(
    context: &CheckContext,
    samples: u32,
    holds: &mut dyn FnMut(&mut Sandbox) -> Done<bool>,
) -> Done<WaitOutcome> {
    let usual = context.hang_samples.replace(samples);
    let waited = context.wait_asking_every(ASK_EVERY, None, holds);
    context.hang_samples.set(usual);
    waited
}

/// The first pieces, each quoted: `"he", "llo"`.
fn listed(pieces: &[&[u8]]) -> String {
    let mut list = String::new();
    for piece in pieces.iter().take(MAX_PIECES_SHOWN) {
        let comma = if list.is_empty() { "" } else { ", " };
        let _ = write!(list, "{comma}{}", text::quoted_within(piece, piece.len(), MAX_PIECE_COLUMNS));
    }
    if pieces.len() > MAX_PIECES_SHOWN { list + ", …" } else { list }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_listed_up_to_the_eighth() {
        assert_eq!(listed(&[b"he", b"llo"]), r#""he", "llo""#);
        assert_eq!(listed(&[b"a".as_slice(); 8]).matches('a').count(), 8);
        assert!(listed(&[b"a".as_slice(); 9]).ends_with(r#""a", …"#));
    }

    #[test]
    fn a_long_piece_is_cut() {
        assert_eq!(listed(&[b"abcdefghijklmnop"]), r#""abcdefghijkl…""#);
    }
}
