//! What a connection of ours receives, and expects to receive.

use std::rc::Rc;

use super::send::BLOCKED_SAMPLES;
use super::{Connection, HOLD};
use crate::judge::context::WaitOutcome;
use crate::judge::failure::{Done, Kind, Stop};
use crate::judge::peer::base::{byte_count, counted};

/// The most bytes that are received for a report, or while a certain answer is expected.
const MAX_RECEIVED: usize = 2 * 1024 * 1024;

/// The size of the buffer of one `recv`.
const RECEIVE_BUFFER: usize = 64 * 1024;

impl Connection {
    /// Expects exactly these bytes next, in any number of pieces.
    ///
    /// # Errors
    /// A failure, if other bytes come, or fewer.
    pub fn expect(&mut self, bytes: &[u8]) -> Done {
        let line_end = if self.ignored.contains(&b'\n') { ", with or without a newline" } else { "" };
        self.peer.step(&format!("expects {}{line_end}", counted(bytes)));
        let (got, stopped) = self.take(bytes.len(), |got| !bytes.starts_with(got))?;
        if got == bytes {
            return Ok(());
        }
        let what = unexpected(stopped.as_ref(), got.is_empty(), self.is_server);
        let failure = match &stopped {
            Some(stopped) => self.peer.context.unmet(stopped, what),
            None => self.peer.context.failure(Kind::Wrong, what, None),
        };
        // What else has come helps to see what went wrong.
        let mut all = got;
        all.extend(self.take_received()?);
        Err(failure.between(bytes, all).into())
    }

    /// Expects exactly these bytes, and that nothing comes behind them before the attempt waits for more.
    ///
    /// # Errors
    /// A failure, if other bytes come, or more, or fewer.
    pub fn expect_just(&mut self, bytes: &[u8]) -> Done {
        self.expect(bytes)?;
        self.wait_for_rest()?;
        let more = self.take_received()?;
        if more.is_empty() {
            return Ok(());
        }
        let failure = self.peer.context.failure(Kind::Wrong, "it sends more than it must", None);
        Err(failure.between(bytes, [bytes, &more].concat()).into())
    }

    /// Waits until something has come, and leaves it unread.
    ///
    /// # Errors
    /// A failure, if nothing comes.
    pub fn expect_unread(&mut self) -> Done {
        self.peer.step("waits for the answer, and does not read it");
        match self.peer.wait_readable()? {
            WaitOutcome::Ready => Ok(()),
            other => Err(self.peer.context.unmet(&other, "it does not answer").into()),
        }
    }

    /// Receives exactly `len` bytes, whatever they are.
    ///
    /// # Errors
    /// A failure, if fewer come.
    pub fn receive(&mut self, len: usize) -> Done<Vec<u8>> {
        self.peer.step(&format!("reads {}", byte_count(len)));
        match self.take(len, |_| false)? {
            (got, None) => Ok(got),
            (got, Some(stopped)) => {
                let failure = self.peer.context.unmet(&stopped, format!("fewer than {} came", byte_count(len)));
                Err(failure.between(byte_count(len), got).into())
            }
        }
    }

    /// Receives a frame: four bytes that hold a length in network order, and so many bytes, of which `limit` are the
    /// most. Returns these.
    ///
    /// # Errors
    /// A failure, if fewer bytes come, or the length is larger.
    pub fn receive_frame(&mut self, limit: usize) -> Done<Vec<u8>> {
        self.peer.step("reads four bytes of length, and as many bytes as they say");
        let header = self.take_all(4, "four bytes of length, and as many bytes as they say")?;
        let length = header.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length > limit {
            let failure = self.peer.context.failure(Kind::Wrong, "it announces more than it may send", None);
            let got = [header, self.take_received()?].concat();
            return Err(failure.between(format!("a length of at most {limit}"), got).into());
        }
        self.take_all(length, &byte_count(length))
    }

    /// Takes exactly `len` bytes, whatever they are. `expected` describes them in a report.
    fn take_all(&mut self, len: usize, expected: &str) -> Done<Vec<u8>> {
        let (got, stopped) = self.take(len, |_| false)?;
        let Some(stopped) = stopped else { return Ok(got) };
        let what = unexpected(Some(&stopped), got.is_empty(), self.is_server);
        Err(self.peer.context.unmet(&stopped, what).between(expected, got).into())
    }

    /// Receives until the attempt closes the connection, at most `limit` bytes.
    ///
    /// # Errors
    /// A failure, if it does not close it, or more come.
    pub fn receive_to_end(&mut self, limit: usize) -> Done<Vec<u8>> {
        self.peer.step("reads until the program closes the connection");
        let mut got = std::mem::take(&mut self.pending);
        while got.len() <= limit {
            match self.receive_some()? {
                Ok(bytes) if bytes.is_empty() => return Ok(got),
                Ok(bytes) => got.extend(bytes),
                Err(stopped) => {
                    let failure = self.peer.context.unmet(&stopped, "it does not close the connection");
                    return Err(failure.between("the end of the stream", got).into());
                }
            }
        }
        let failure = self.peer.context.failure(Kind::Wrong, "it sends without end", None);
        Err(failure.between(format!("at most {limit} bytes"), format!("{} bytes and more", got.len())).into())
    }

    /// Expects that the attempt closes its side, by FIN or RST, and sends nothing more before.
    ///
    /// # Errors
    /// A failure, if it does not.
    pub fn expect_end(&mut self) -> Done {
        self.peer.step("expects the end of the stream");
        if self.pending.is_empty() {
            match self.receive_some()? {
                Ok(bytes) if bytes.is_empty() => return Ok(()),
                Ok(bytes) => self.pending = bytes,
                Err(stopped) => {
                    let failure = self.peer.context.unmet(&stopped, "it does not close the connection");
                    return Err(failure.between("the end of the stream", "nothing").into());
                }
            }
        }
        let failure = self.peer.context.failure(Kind::Wrong, "it sends more than it must", None);
        Err(failure.between("the end of the stream", std::mem::take(&mut self.pending)).into())
    }

    /// Expects that the attempt closes its side with FIN, not RST, and sends nothing more before.
    ///
    /// # Errors
    /// A failure, if it does not.
    pub fn expect_fin(&mut self) -> Done {
        self.expect_end()?;
        if !self.reset.get() {
            return Ok(());
        }
        let what = "it breaks the connection off instead of closing it";
        Err(self.peer.context.failure(Kind::Wrong, what, None).between("FIN", "RST").into())
    }

    /// Expects that nothing comes: waits until the attempt waits for more in a call on this socket, or has slept
    /// elsewhere for longer than a second, and nothing has been received.
    ///
    /// # Errors
    /// A failure, if bytes have come, or the attempt has closed the connection.
    pub fn expect_nothing(&mut self) -> Done {
        self.peer.step("expects nothing yet");
        self.wait_for_rest()?;
        self.assert_nothing_received("it answers too early, or too much")
    }

    /// Waits until the attempt has done what it does by itself with all that was sent.
    fn wait_for_rest(&self) -> Done {
        // One that slept for so long is at rest, although it may wake up again and again; and one that spins has had
        // its time: that it spins is another check's subject.
        let waited = self.wait_for_reader()?;
        if !matches!(waited, WaitOutcome::Ready | WaitOutcome::Ended) || self.peer.context.clock.has_spun() {
            return Ok(());
        }
        match self.peer.context.settle() {
            Err(Stop::Failed(failure)) if failure.kind == Kind::Spins => Ok(()),
            settled => settled,
        }
    }

    /// Sends nothing for longer than a second, while the attempt must go on waiting for `rest`: what is to come, in
    /// words for a report. A program that takes what has come by a certain time for the whole is found out by it.
    ///
    /// # Errors
    /// A failure, if bytes come meanwhile, or the attempt closes the connection.
    pub fn hold_back(&mut self, rest: &str) -> Done {
        let context = Rc::clone(&self.peer.context);
        self.peer.step(&format!("holds {rest} back for {} ms", HOLD.as_millis()));
        *context.unsent.borrow_mut() = Some(rest.to_owned());
        // Its time runs from when it has read what is there.
        self.wait_for_reader_or_sleep(BLOCKED_SAMPLES)?;
        self.assert_nothing_received("it answers too early, or too much")?;
        context.pass_time(HOLD)?;
        // One whose time was over, and that got no processor yet, does now what it is going to do.
        self.wait_for_reader_or_sleep(BLOCKED_SAMPLES)?;
        self.assert_nothing_received("it answers too early: it did not go on waiting")?;
        context.is_patient.set(true);
        *context.unsent.borrow_mut() = None;
        Ok(())
    }

    fn assert_nothing_received(&mut self, answers: &str) -> Done {
        let received = self.take_received()?;
        if received.is_empty() && !self.peer.is_readable() {
            return Ok(());
        }
        let what = if received.is_empty() { "it closed the connection" } else { answers };
        let failure = self.peer.context.failure(Kind::Wrong, what, None);
        let failure = match received.is_empty() {
            true => failure.between("nothing", "the end of the stream"),
            false => failure.between("nothing", received),
        };
        Err(failure.into())
    }

    /// Takes what has been received by now, without waiting.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn take_received(&mut self) -> Done<Vec<u8>> {
        while self.pending.len() < MAX_RECEIVED && self.peer.is_readable() {
            let Some(bytes) = self.receive_now() else { break };
            self.pending.extend(bytes);
        }
        Ok(std::mem::take(&mut self.pending))
    }

    /// Takes `len` bytes, or fewer where `enough` says so. The second value says why fewer were taken; `Ready` there
    /// means the end of the stream.
    fn take(&mut self, len: usize, enough: impl Fn(&[u8]) -> bool) -> Done<(Vec<u8>, Option<WaitOutcome>)> {
        let mut stopped = None;
        while self.pending.len() < len && !enough(&self.pending) {
            match self.receive_some()? {
                Ok(bytes) if bytes.is_empty() => stopped = Some(WaitOutcome::Ready),
                Ok(bytes) => self.pending.extend(bytes),
                Err(waited) => stopped = Some(waited),
            }
            if stopped.is_some() {
                break;
            }
        }
        let rest = self.pending.split_off(len.min(self.pending.len()));
        Ok((std::mem::replace(&mut self.pending, rest), stopped))
    }

    /// Waits for the next bytes; none at the end of the stream, also when the connection was reset.
    fn receive_some(&self) -> Done<Result<Vec<u8>, WaitOutcome>> {
        loop {
            match self.peer.wait_readable()? {
                WaitOutcome::Ready => match self.receive_now() {
                    Some(bytes) if bytes.is_empty() => {}
                    received => return Ok(Ok(received.unwrap_or_default())),
                },
                other => return Ok(Err(other)),
            }
        }
    }

    /// Receives what is there, without the bytes that are to be passed over. `None` at the end of the stream.
    fn receive_now(&self) -> Option<Vec<u8>> {
        let mut buf = vec![0; RECEIVE_BUFFER];
        let len = self.peer.call(|socket| socket.recv(&mut buf));
        self.reset.set(len.is_err());
        buf.truncate(len.unwrap_or(0));
        let is_end = buf.is_empty();
        buf.retain(|byte| !self.ignored.contains(byte));
        (!is_end).then_some(buf)
    }
}

/// What is wrong with an answer that is not the expected one: why it `stopped`, if it did, whether `nothing` of it
/// came, and whether we are the server.
fn unexpected(stopped: Option<&WaitOutcome>, nothing: bool, is_server: bool) -> String {
    let (answering, answer, not) = match is_server {
        false => ("answering", "its answer", "it does not answer"),
        true => ("sending", "what it sends", "it does not send what it must"),
    };
    match (stopped, nothing) {
        (Some(WaitOutcome::Ready), true) => format!("it closed the connection instead of {answering}"),
        (Some(WaitOutcome::Ready), false) => format!("it closed the connection in the middle of {answer}"),
        (Some(WaitOutcome::Ended), true) => format!("it ended instead of {answering}"),
        (Some(WaitOutcome::Ended), false) => format!("it ended in the middle of {answer}"),
        (Some(_), true) => not.to_owned(),
        (Some(_), false) => format!("{answer} stops in the middle"),
        (None, _) => format!("{answer} is not what it must be"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::snapshot::ProcessSnapshot;

    #[test]
    fn what_is_wrong_depends_on_what_stopped_the_answer_and_on_whether_any_of_it_came() {
        let asleep = WaitOutcome::Asleep(ProcessSnapshot::default());
        let spins = WaitOutcome::Spins(ProcessSnapshot::default());
        let said = |stopped: Option<&WaitOutcome>, nothing| unexpected(stopped, nothing, false);
        assert_eq!(said(Some(&WaitOutcome::Ready), true), "it closed the connection instead of answering");
        assert_eq!(said(Some(&WaitOutcome::Ready), false), "it closed the connection in the middle of its answer");
        assert_eq!(said(Some(&WaitOutcome::Ended), true), "it ended instead of answering");
        assert_eq!(said(Some(&WaitOutcome::Ended), false), "it ended in the middle of its answer");
        for stopped in [asleep, spins] {
            assert_eq!(said(Some(&stopped), true), "it does not answer");
            assert_eq!(said(Some(&stopped), false), "its answer stops in the middle");
        }
        assert_eq!(said(None, false), "its answer is not what it must be");
    }

    #[test]
    fn a_client_that_we_serve_sends_and_does_not_answer() {
        let said = |stopped, nothing| unexpected(stopped, nothing, true);
        assert_eq!(said(Some(&WaitOutcome::Ready), true), "it closed the connection instead of sending");
        assert_eq!(said(Some(&WaitOutcome::Ended), false), "it ended in the middle of what it sends");
        assert_eq!(said(None, true), "what it sends is not what it must be");
    }
}
