//! UDP peers: a socket that talks to the attempt, as its client or as its server.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::base::{Peer, counted};
use crate::judge::context::{CheckContext, WaitOutcome};
use crate::judge::failure::{Done, Kind, Shown, Stop};
use crate::judge::gate::Gate;
use crate::probe;
use crate::socket::{Address, Type};

/// The most datagrams that are skipped while a certain one is expected.
const MAX_SKIPPED: usize = 20;

/// A receive buffer into which every datagram fits, in bytes.
const RECEIVE_BUFFER: usize = 65_536;

/// A UDP socket of ours.
pub struct UdpPeer {
    peer: Peer,
    /// Where it sends to, once that is known.
    destination: Option<SocketAddr>,
    /// Whether it sends to the address from which the last datagram came, as a server does.
    is_server: bool,
    /// Where the last datagram that it took came from.
    last_sender: Option<SocketAddr>,
    /// When the kernel received that datagram; known where `answer_within` is set.
    last_arrival: Option<SystemTime>,
    /// How long after that an answer is still in time.
    answer_within: Option<Duration>,
}

impl UdpPeer {
    fn new(peer: Peer, destination: Option<SocketAddr>, is_server: bool) -> UdpPeer {
        UdpPeer { peer, destination, is_server, last_sender: None, last_arrival: None, answer_within: None }
    }

    /// A socket on any port, which sends to the attempt.
    pub(in crate::judge) fn client(context: &Rc<CheckContext>, name: &str) -> Done<UdpPeer> {
        let peer = Peer::open(context, name, Type::DGRAM)?;
        let mut any = context.address();
        any.set_port(0);
        peer.bind(any)?;
        peer.own_address()?;
        Ok(UdpPeer::new(peer, Some(context.address()), false))
    }

    /// A socket on the exercise's port, which answers an attempt that is a client.
    pub(in crate::judge) fn server(context: &Rc<CheckContext>, name: &str) -> Done<UdpPeer> {
        let peer = Peer::open(context, name, Type::DGRAM)?;
        peer.bind(context.address())?;
        Ok(UdpPeer::new(peer, None, true))
    }

    /// Where the last datagram that was taken came from.
    pub fn last_sender(&self) -> Option<SocketAddr> {
        self.last_sender
    }

    /// Sends to this address from now on.
    pub fn set_destination(&mut self, address: Option<SocketAddr>) {
        self.destination = address;
    }

    /// Holds our side to a time: an [`answer`](UdpPeer::answer) that is sent longer than `time` after the question
    /// has arrived is a fault of ours, as the attempt may have given up.
    pub fn require_answer_within(&mut self, time: Duration) {
        // The kernel notes the time of arrival of datagrams from the first such question on.
        let _ = probe::recv_timestamp(self.peer.fd());
        self.answer_within = Some(time);
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// A fault of ours only: it is no error if no socket is bound to the destination.
    pub fn send(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("sends a datagram of {}", counted(bytes)));
        self.send_now(bytes)
    }

    /// Sends the same datagram at most `times` times, one `every` so often, until a datagram comes. Returns whether
    /// one has come.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_until_received(&self, bytes: &[u8], every: Duration, times: usize) -> Done<bool> {
        let every_ms = every.as_millis();
        self.peer.step(&format!("sends a datagram of {} every {every_ms} ms, until one comes", counted(bytes)));
        for _ in 0..times {
            self.send_now(bytes)?;
            self.peer.context.pass_time(every)?;
            if self.has_datagram() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Answers the datagram that was taken last.
    ///
    /// # Errors
    /// A fault of ours, if the answer is later than [`require_answer_within`](UdpPeer::require_answer_within) allows:
    /// the machine did not let us answer. A failure, if it is the attempt that keeps the machine busy.
    pub fn answer(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("answers with a datagram of {}", counted(bytes)));
        self.send_now(bytes)?;
        self.check_answer_time()
    }

    /// Answers as [`answer`](UdpPeer::answer) does, and closes the socket before the attempt can have the answer: no
    /// socket takes the next datagram.
    ///
    /// # Errors
    /// As [`answer`](UdpPeer::answer).
    pub fn answer_and_close(self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("answers with a datagram of {}, and is gone at once", counted(bytes)));
        // A socket that is connected to itself receives from itself only, and may still send anywhere.
        let own = Address::from(self.peer.context.address());
        self.peer.must("connect", |socket| socket.connect(&own))?;
        self.send_now(bytes)?;
        self.check_answer_time()?;
        self.peer.close();
        Ok(())
    }

    /// Closes the socket: its port is free.
    pub fn close(self) {
        self.peer.step("closes its socket");
        self.peer.close();
    }

    /// Expects a datagram with exactly these bytes.
    ///
    /// # Errors
    /// A failure, if another one comes, or none.
    pub fn expect(&mut self, bytes: &[u8]) -> Done {
        self.expect_skipping(bytes, |_| false)
    }

    /// Expects a datagram with exactly these bytes. At most 20 others that may `skip` may come before.
    ///
    /// # Errors
    /// A failure, if another one comes, or none.
    pub fn expect_skipping(&mut self, bytes: &[u8], skip: impl Fn(&[u8]) -> bool) -> Done {
        self.peer.step(&format!("expects a datagram of {}", counted(bytes)));
        *self.peer.context.wanted.borrow_mut() = Some(bytes.to_vec());
        let mut got = self.next(|| format!("a datagram of {}", counted(bytes)))?;
        for _ in 0..MAX_SKIPPED {
            if got == bytes {
                *self.peer.context.wanted.borrow_mut() = None;
                return Ok(());
            }
            if !skip(&got) {
                break;
            }
            got = self.next(|| format!("a datagram of {}", counted(bytes)))?;
        }
        let failure = self.peer.context.failure(Kind::Wrong, "the datagram is not what it must be", None);
        Err(failure.between(shown(bytes), shown(&got)).into())
    }

    /// Expects a datagram with each of these contents, in any order.
    ///
    /// # Errors
    /// A failure, if another one comes, or too few.
    pub fn expect_in_any_order(&mut self, all: &[Vec<u8>]) -> Done {
        self.peer.step(&format!("expects {} datagrams, in whatever order", all.len()));
        let mut missing: Vec<&Vec<u8>> = all.iter().collect();
        while let Some(first) = missing.first() {
            let count = all.len() - missing.len();
            let got = self.next(|| format!("a datagram of {}, after {count} others", counted(first)))?;
            let Some(at) = missing.iter().position(|bytes| **bytes == got) else {
                let failure = self.peer.context.failure(Kind::Wrong, "a datagram is not what it must be", None);
                return Err(failure.between(first.as_slice(), got).into());
            };
            missing.remove(at);
        }
        Ok(())
    }

    /// Takes the next datagram, whatever it is.
    ///
    /// # Errors
    /// A failure, if none comes.
    pub fn receive(&mut self) -> Done<Vec<u8>> {
        self.peer.step("waits for a datagram");
        self.next(|| "a datagram".to_owned())
    }

    /// Expects that no datagram comes: waits until the attempt sleeps, and none has been received.
    ///
    /// # Errors
    /// A failure, if one has come.
    pub fn expect_nothing(&mut self) -> Done {
        self.peer.step("expects no datagram");
        self.peer.context.settle()?;
        if !self.peer.is_readable() {
            return Ok(());
        }
        let got = self.take()?;
        let failure = self.peer.context.failure(Kind::Wrong, "it sends a datagram that nobody asked for", None);
        Err(failure.between("nothing", shown(&got)).into())
    }

    /// Whether a datagram is in the receive queue.
    pub fn has_datagram(&self) -> bool {
        self.peer.is_readable()
    }

    fn send_now(&self, bytes: &[u8]) -> Done {
        let to = self.destination.ok_or_else(|| Stop::Fault("a check answers before it was asked".to_owned()))?;
        match self.peer.call(|socket| socket.send_to(bytes, &Address::from(to))) {
            Ok(_) => Ok(()),
            // It reports on an earlier datagram, for which no socket was bound.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(Stop::ours("sendto", &error)),
        }
    }

    fn check_answer_time(&self) -> Done {
        let late = self.last_arrival.and_then(|arrival| arrival.elapsed().ok()).unwrap_or_default();
        if self.answer_within.is_none_or(|within| late <= within) {
            return Ok(());
        }
        let late = late.as_millis();
        Err(self.peer.context.late(format!("our {} answer after {late} ms only", self.peer.name)))
    }

    /// Waits for the next datagram, and takes it.
    fn next(&mut self, expected: impl Fn() -> String) -> Done<Vec<u8>> {
        let context = &self.peer.context;
        if self.is_server {
            context.await_at_gate(Gate::Send);
        }
        match self.peer.wait_readable()? {
            WaitOutcome::Ready => {
                context.note_ready();
                self.take()
            }
            other => {
                let failure = self.peer.context.unmet(&other, "no datagram comes");
                Err(failure.between(expected(), "nothing").into())
            }
        }
    }

    fn take(&mut self) -> Done<Vec<u8>> {
        let mut buf = vec![0; RECEIVE_BUFFER];
        let (len, from) = self.peer.must("recvfrom", |socket| socket.recv_from(&mut buf))?;
        self.last_sender = from.as_socket();
        if self.answer_within.is_some() {
            self.last_arrival = probe::recv_timestamp(self.peer.fd());
        }
        if self.is_server {
            self.destination = self.last_sender;
        }
        buf.truncate(len);
        Ok(buf)
    }
}

/// A datagram in a report: an empty one is something, not nothing.
fn shown(bytes: &[u8]) -> Shown {
    if bytes.is_empty() { "a datagram of 0 bytes".into() } else { bytes.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_datagram_is_not_shown_as_nothing() {
        assert_eq!(shown(b""), Shown::Words("a datagram of 0 bytes".to_owned()));
        assert_eq!(shown(b"\0"), Shown::Bytes(vec![0]));
    }
}
