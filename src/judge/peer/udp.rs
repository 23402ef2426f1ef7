//! UDP peers: a socket that talks to the attempt, as its client or as its server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::PollFlags;
use rustix::net::{SendFlags, sendto};

use super::base::{Peer, counted};
use crate::judge::context::{ASK_EVERY, CheckContext, SAMPLE_EVERY, WaitOutcome};
use crate::judge::failure::{Done, Failure, Kind, Shown, Sleeps, Stop};
use crate::judge::gate::Gate;
use crate::judge::snapshot::ProcessSnapshot;
use crate::probe;
use crate::sandbox::{HostSocket, Sandbox, Transport};
use crate::socket::{Address, Type};

/// The most datagrams that are skipped while a certain one is expected.
const MAX_SKIPPED: usize = 20;

/// A receive buffer into which every datagram fits, in bytes.
const RECEIVE_BUFFER: usize = 65_536;

/// Samples with every thread asleep in no call on a socket, after which the attempt is taken to go on so: for one that
/// has not been waited for yet, and for one that has.
const NAP_SAMPLES: u32 = 130;
const REST_SAMPLES: u32 = 5;

/// For how long nothing must come where that is the subject.
const HOLD: Duration = Duration::from_millis(1300);

/// Bytes in a receive queue, as the kernel counts them, that are more than one small datagram.
const SEVERAL_UNREAD: u32 = 5000;

/// The longest that a datagram of ours is on its way, or that the kernel takes to note when datagrams come.
const MAX_ON_ITS_WAY: Duration = Duration::from_secs(10);

/// When a datagram came: between these two moments.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    not_before: Instant,
    not_after: Instant,
}

impl Arrival {
    /// The moment that the kernel has noted, by the clock that nobody sets.
    fn of_stamp(stamp: SystemTime) -> Arrival {
        let (before, now, after) = (Instant::now(), SystemTime::now(), Instant::now());
        let age = now.duration_since(stamp).unwrap_or_default();
        let ago = |moment: Instant| moment.checked_sub(age).unwrap_or(moment);
        Arrival { not_before: ago(before), not_after: ago(after) }
    }

    /// How long after this one the other one came: never less than it was.
    pub fn until(&self, later: &Arrival) -> Duration {
        later.not_after.saturating_duration_since(self.not_before)
    }

    /// The same, but never more than it was.
    fn at_least_until(&self, later: &Arrival) -> Duration {
        later.not_before.saturating_duration_since(self.not_after)
    }

    /// How long ago that was.
    pub fn elapsed(&self) -> Duration {
        self.not_before.elapsed()
    }
}

/// What came of a wait in which the attempt had to do something in time.
#[derive(Debug)]
pub enum InTime {
    /// A datagram, and when it came.
    Datagram(Vec<u8>, Arrival),
    /// The attempt has ended.
    Ended,
    /// It has slept for so long, and nothing came: what is known of it.
    Slept(Duration, Box<Failure>),
}

/// A UDP socket of ours.
pub struct UdpPeer {
    peer: Peer,
    /// Where it sends to, once that is known.
    destination: Option<SocketAddr>,
    /// Whether it sends to the address from which the last datagram came, as a server does.
    is_server: bool,
    /// Where the last datagram that it took came from.
    last_sender: Option<SocketAddr>,
    /// When the kernel received that datagram; known of a server's.
    last_arrival: Option<Arrival>,
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
        note_arrivals(&peer)?;
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
        self.answer_within = Some(time);
    }

    /// When the last datagram came that was taken. Known of a server's only.
    pub fn last_arrival(&self) -> Option<Arrival> {
        self.last_arrival
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// A fault of ours only: it is no error if no socket is bound to the destination.
    pub fn send(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("sends a datagram of {}", counted(bytes)));
        self.send_now(bytes)
    }

    /// Sends a datagram, and is gone before the attempt can answer it: no socket takes the answer.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_and_close(self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("sends a datagram of {}, and is gone at once", counted(bytes)));
        let own = Address::from(self.peer.own_address()?);
        self.receive_from(&own)?;
        self.send_now(bytes)?;
        drop(self.peer);
        Ok(())
    }

    /// Sends these datagrams without a pause. Returns whether several of them were unread when the last one was sent:
    /// where the attempt is quicker than we are, they are not.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_at_once(&self, all: &[Vec<u8>]) -> Done<bool> {
        self.peer.step(&format!("sends {} datagrams without a pause", all.len()));
        let to = self.destination.ok_or_else(|| Stop::Fault("a check answers before it was asked".to_owned()))?;
        for bytes in all {
            // Not in the transcript, which would take longer than the call.
            sendto(self.peer.fd(), bytes, SendFlags::empty(), &to)
                .map_err(|errno| Stop::ours("sendto", &errno.into()))?;
        }
        let sockets = self.peer.context.sandbox.borrow_mut().waiting_sockets()?;
        self.let_it_arrive()?;
        let queues =
            sockets.iter().filter(|socket| socket.transport == Transport::Udp && socket.local.port() == to.port());
        Ok(queues.map(|socket| socket.recv_queue).max() > Some(SEVERAL_UNREAD))
    }

    /// Takes only what this address sends, from now on.
    fn receive_from(&self, address: &Address) -> Done {
        self.peer.must("connect", |socket| socket.connect(address))
    }

    /// Sends the same datagram again and again, one `every` so often, until a datagram comes. Returns whether one has
    /// come before `time` of the attempt's own was over, and how far apart two of ours were at most: the machine may be
    /// busy.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_until_received(&self, bytes: &[u8], every: Duration, time: Duration) -> Done<(bool, Duration)> {
        let every_ms = every.as_millis();
        self.peer.step(&format!("sends a datagram of {} every {every_ms} ms, until one comes", counted(bytes)));
        let clock = &self.peer.context.clock;
        let (began, mut last, mut apart) = (clock.own(), Instant::now(), Duration::ZERO);
        while clock.own().saturating_sub(began) < time && self.peer.context.ended().is_none() {
            self.send_now(bytes)?;
            apart = apart.max(last.elapsed());
            last = Instant::now();
            self.peer.context.pass_time(every)?;
            if self.has_datagram() {
                return Ok((true, apart.max(last.elapsed())));
            }
        }
        // It may have sent one, and ended.
        Ok((self.has_datagram(), apart))
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
        self.receive_from(&own)?;
        self.send_now(bytes)?;
        self.check_answer_time()?;
        drop(self.peer);
        Ok(())
    }

    /// Closes the socket: its port is free.
    pub fn close(self) {
        self.peer.step("closes its socket");
        drop(self.peer);
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
        self.expect_nearly(bytes, |got, bytes| got == bytes, skip)
    }

    /// Expects a datagram that `is_right` takes for these bytes: what is wrong with it otherwise is another check's
    /// subject. At most 20 others that may `skip` may come before.
    ///
    /// # Errors
    /// A failure, if another one comes, or none.
    pub fn expect_nearly(
        &mut self,
        bytes: &[u8],
        is_right: impl Fn(&[u8], &[u8]) -> bool,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Done {
        self.peer.step(&format!("expects a datagram of {}", counted(bytes)));
        *self.peer.context.wanted.borrow_mut() = Some(bytes.to_vec());
        let mut got = self.next(|| format!("a datagram of {}", counted(bytes)))?;
        for _ in 0..MAX_SKIPPED {
            if is_right(&got, bytes) {
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
        self.expect_all(all, |got, bytes| got == bytes, false)
    }

    /// Expects a datagram that `is_right` takes for each of these, in any order; some of them may come again.
    ///
    /// # Errors
    /// A failure, if another one comes, or too few.
    pub fn expect_all_nearly(&mut self, all: &[Vec<u8>], is_right: impl Fn(&[u8], &[u8]) -> bool) -> Done {
        self.expect_all(all, is_right, true)
    }

    fn expect_all(&mut self, all: &[Vec<u8>], is_right: impl Fn(&[u8], &[u8]) -> bool, may_repeat: bool) -> Done {
        self.peer.step(&format!("expects {} datagrams, in whatever order", all.len()));
        let mut missing: Vec<&Vec<u8>> = all.iter().collect();
        let mut repeated = 0;
        while let Some(first) = missing.first() {
            let count = all.len() - missing.len();
            let got = self.next(|| format!("a datagram of {}, after {count} others", counted(first)))?;
            if let Some(at) = missing.iter().position(|bytes| is_right(&got, bytes)) {
                missing.remove(at);
                continue;
            }
            repeated += 1;
            if !may_repeat || repeated > all.len() || !all.iter().any(|bytes| is_right(&got, bytes)) {
                let failure = self.peer.context.failure(Kind::Wrong, "a datagram is not what it must be", None);
                return Err(failure.between(first.as_slice(), got).into());
            }
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

    /// Takes the next datagram, or notes that the attempt has ended, or that it has slept for longer than `patience`
    /// since the last one came.
    ///
    /// Only sleep counts: that which we have seen, or the time between the two datagrams less that in which the machine
    /// let the attempt wait.
    ///
    /// # Errors
    /// A failure, if the attempt does neither.
    pub fn receive_in_time(&mut self, patience: Duration) -> Done<InTime> {
        self.peer.step("waits for a datagram");
        if self.is_server {
            self.peer.context.await_at_gate(Gate::Send);
        }
        let (last, before) = (self.last_arrival, self.peer.context.sandbox.borrow_mut().tally()?);
        let (mut slept, mut asleep_at) = (Duration::ZERO, None::<Instant>);
        let mut last_look = None::<Instant>;
        let readable = Some((self.peer.fd(), PollFlags::IN));
        let waited = self.peer.context.wait(readable, |sandbox| {
            if last_look.is_some_and(|last| last.elapsed() < SAMPLE_EVERY) {
                return Ok(false);
            }
            let before = Instant::now();
            let asleep = sandbox.tally()?.asleep;
            if let Some(since) = asleep_at.filter(|_| asleep) {
                slept += before.saturating_duration_since(since);
            }
            asleep_at = asleep.then(Instant::now);
            last_look = Some(Instant::now());
            Ok(slept > patience)
        })?;
        if self.peer.is_readable() {
            self.peer.context.note_ready();
            let bytes = self.take()?;
            let arrival = self.last_arrival.ok_or_else(|| Stop::Fault("a datagram came at no time".to_owned()))?;
            let after = self.peer.context.sandbox.borrow_mut().tally()?;
            let kept_waiting = (after.delayed + after.on_disk).saturating_sub(before.delayed + before.on_disk);
            let apart = last.map(|last| last.at_least_until(&arrival)).unwrap_or_default();
            let slept = apart.saturating_sub(kept_waiting);
            if slept <= patience {
                return Ok(InTime::Datagram(bytes, arrival));
            }
            return Ok(InTime::Slept(slept, Box::new(Failure::new(Kind::Hangs, "it slept for too long"))));
        }
        match waited {
            WaitOutcome::Ready => {
                let context = &self.peer.context;
                let snapshot = ProcessSnapshot::take(&mut context.sandbox.borrow_mut())?;
                let failure = context.failure(Kind::Hangs, "it sleeps for too long", Some(&snapshot));
                Ok(InTime::Slept(slept, Box::new(failure)))
            }
            WaitOutcome::Ended => Ok(InTime::Ended),
            other => Err(self.peer.context.unmet(&other, "no datagram comes").into()),
        }
    }

    /// Expects that no datagram comes: waits until the attempt has taken what was sent and waits for more in a call on
    /// a socket, or has slept elsewhere for longer than a second, and none has been received.
    ///
    /// # Errors
    /// A failure, if one has come.
    pub fn expect_nothing(&mut self) -> Done {
        self.peer.step("expects no datagram");
        self.wait_for_rest()?;
        if !self.peer.is_readable() {
            return Ok(());
        }
        let got = self.take()?;
        let failure = self.peer.context.failure(Kind::Wrong, "it sends a datagram that nobody asked for", None);
        Err(failure.between("nothing", shown(&got)).into())
    }

    /// Expects that no datagram comes for longer than a second, however the attempt waits meanwhile.
    ///
    /// # Errors
    /// A failure, if one comes.
    pub fn expect_silence(&mut self) -> Done {
        self.peer.step(&format!("expects no datagram for {} ms", HOLD.as_millis()));
        self.wait_for_rest()?;
        if !self.peer.is_readable() {
            self.peer.context.pass_time(HOLD)?;
        }
        self.expect_nothing()
    }

    /// Waits until a datagram has come, or none will: the attempt has taken what was sent to it, and waits for more in
    /// a call on a socket.
    ///
    /// One that sleeps elsewhere may look at its socket by and by; or it will send after a pause. So it is waited for
    /// more than a second: once, for the first kind goes on then.
    ///
    /// # Errors
    /// A failure, if it does not come to rest.
    pub fn wait_for_rest(&self) -> Done {
        let context = &self.peer.context;
        let samples = if context.is_patient.get() { REST_SAMPLES } else { NAP_SAMPLES };
        let usual = context.hang_samples.replace(samples);
        let readable = Some((self.peer.fd(), PollFlags::IN));
        let (mut last_look, mut interval) = (None::<Instant>, ASK_EVERY);
        let waited = context.wait_asking_every(ASK_EVERY, readable, &mut |sandbox| {
            // A look takes longer than a question: a program that does not wait at once is looked at less and less.
            if last_look.is_some_and(|last| last.elapsed() < interval) {
                return Ok(false);
            }
            (last_look, interval) = (Some(Instant::now()), SAMPLE_EVERY.min(interval * 2));
            waits_for_datagram(sandbox)
        });
        context.hang_samples.set(usual);
        match waited? {
            WaitOutcome::Asleep(_) => context.is_patient.set(true),
            WaitOutcome::Spins(snapshot) => {
                return Err(context.failure(Kind::Spins, "it does not come to rest", Some(&snapshot)).into());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a datagram is in the receive queue.
    pub fn has_datagram(&self) -> bool {
        self.peer.is_readable()
    }

    fn send_now(&self, bytes: &[u8]) -> Done {
        let to = self.destination.ok_or_else(|| Stop::Fault("a check answers before it was asked".to_owned()))?;
        match self.peer.call(|socket| socket.send_to(bytes, &Address::from(to))) {
            // It may report on an earlier datagram, for which no socket was bound.
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(Stop::ours("sendto", &error)),
            _ => self.let_it_arrive(),
        }
    }

    /// Waits until the kernel has delivered what was sent: the next datagram, of whichever socket, comes after it.
    fn let_it_arrive(&self) -> Done {
        let sent = Instant::now();
        while probe::packets_under_way_anywhere() {
            if sent.elapsed() > MAX_ON_ITS_WAY {
                return Err(Stop::Fault("the kernel does not deliver a datagram".to_owned()));
            }
            thread::yield_now();
        }
        Ok(())
    }

    fn check_answer_time(&self) -> Done {
        let late = self.last_arrival.map(|arrival| arrival.elapsed()).unwrap_or_default();
        let slowest = &self.peer.context.slowest_answer;
        slowest.set(slowest.get().max(late));
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
        if self.is_server {
            self.last_arrival = probe::recv_timestamp(self.peer.fd()).map(Arrival::of_stamp);
            self.destination = self.last_sender;
        }
        buf.truncate(len);
        Ok(buf)
    }
}

/// Whether the program has taken all datagrams of one of its sockets, and waits for more in a call on it.
fn waits_for_datagram(sandbox: &mut Sandbox) -> Done<bool> {
    let sockets = sandbox.sockets()?;
    let look = ProcessSnapshot::take(sandbox)?;
    let awaited = |socket: &&HostSocket| {
        socket.transport == Transport::Udp && socket.recv_queue == 0 && look.waits_on(socket.inode)
    };
    Ok(!look.sleeps().contains(&Sleeps::Sleep) && sockets.iter().any(|socket| awaited(&socket)))
}

/// Has the kernel note when datagrams come. It begins a little after it was asked to, for all sockets of the machine: a
/// datagram to ourselves shows when it has.
fn note_arrivals(peer: &Peer) -> Done {
    let fault = |error: io::Error| Stop::ours("ask when a datagram came", &error);
    // Before there was a datagram there is no answer.
    let _ = probe::recv_timestamp(peer.fd());
    let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(fault)?;
    own.set_read_timeout(Some(MAX_ON_ITS_WAY)).map_err(fault)?;
    let _ = probe::recv_timestamp(own.as_fd());
    let (address, began) = (own.local_addr().map_err(fault)?, Instant::now());
    while began.elapsed() < MAX_ON_ITS_WAY {
        own.send_to(b"", address).map_err(fault)?;
        let sent = SystemTime::now();
        // A moment later: else the kernel's answer would be as early where it takes the present for it.
        while sent.elapsed().unwrap_or_default().is_zero() {
            thread::yield_now();
        }
        own.recv(&mut []).map_err(fault)?;
        if probe::recv_timestamp(own.as_fd()).is_some_and(|stamp| stamp <= sent) {
            return Ok(());
        }
        thread::yield_now();
    }
    Err(Stop::Fault("the kernel does not note when datagrams come".to_owned()))
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
