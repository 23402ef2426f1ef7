//! Our side of the wire: peers that talk to an attempt, and expect something of it.
//!
//! Each verb is a step of the check's story; the calls that it makes stand behind it in the transcript. A peer that
//! waits lets the program go on, and sees when it will not.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use rustix::event::PollFlags;

use super::failure::{Done, Failure, Kind, Shown, Stop};
use super::ground::{Ground, Woke};
use crate::probe;
use crate::sandbox::Sandbox;
use crate::socket::{Address, Socket, Type};
use crate::trace::error_name;
use crate::view::text;

/// The largest answer that a peer reads while it expects a certain one, in bytes.
const MOST: usize = 16 * 1024 * 1024;

/// How many bytes of a step's data are shown, in columns.
const SHOWN: usize = 40;

/// What all peers have.
struct Peer {
    ground: Rc<Ground>,
    name: String,
    socket: Socket,
}

impl Peer {
    fn make(ground: &Rc<Ground>, name: &str, kind: Type) -> Done<Peer> {
        let made = ground.sandbox.borrow().socket(kind).map_err(|error| Stop::ours("socket", &error))?;
        // So long a connect waits at most: on a host of its own it is answered at once, or not at all.
        made.set_write_timeout(Some(Duration::from_secs(3))).map_err(|error| Stop::ours("setsockopt", &error))?;
        if kind == Type::STREAM {
            made.set_tcp_nodelay(true).map_err(|error| Stop::ours("setsockopt", &error))?;
        }
        let socket = ground.diary.by(name, || Socket::given(made, kind));
        Ok(Peer { ground: Rc::clone(ground), name: name.to_owned(), socket })
    }

    /// Small buffers and segments, while the socket is not connected yet.
    fn narrow(&self) -> io::Result<()> {
        const SEGMENT: u32 = 536;
        const BUFFER: usize = 4096;
        let fd = self.fd();
        let socket = socket2::SockRef::from(&fd);
        socket.set_tcp_mss(SEGMENT)?;
        socket.set_send_buffer_size(BUFFER)?;
        self.calls(|socket| socket.set_recv_buffer_size(BUFFER))
    }

    /// Makes one call under the peer's name.
    fn calls<T>(&self, call: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        self.ground.diary.by(&self.name, || call(&self.socket))
    }

    /// The same where the attempt cannot make it fail.
    fn ours<T>(&self, what: &str, call: impl FnOnce(&Socket) -> io::Result<T>) -> Done<T> {
        self.calls(call).map_err(|error| Stop::ours(what, &error))
    }

    fn step(&self, text: &str) {
        self.ground.diary.step(format!("our {} {text}", self.name));
    }

    fn readable(&self) -> Done<Woke> {
        self.ground.wait(Some((self.fd(), PollFlags::IN)), |_| Ok(false))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.descriptor()
    }

    fn is_readable(&self) -> bool {
        probe::ready(self.fd(), PollFlags::IN)
    }

    /// Tells the address which the kernel gave us, under the peer's name.
    fn own_address(&self) -> Done<SocketAddr> {
        let own = self.ours("getsockname", |socket| socket.local_addr())?;
        let own = own.as_socket().ok_or_else(|| Stop::Fault("a socket of ours has no internet address".to_owned()))?;
        self.ground.diary.call_it(own, format!("{}:port", self.name));
        Ok(own)
    }
}

/// A TCP connection with the attempt.
pub struct Connection {
    peer: Peer,
    /// What has come and was not asked for yet.
    pending: Vec<u8>,
    /// Its two addresses.
    ours: SocketAddr,
    theirs: SocketAddr,
    /// How many bytes we have sent on it.
    sent: Cell<u64>,
    /// Whether it came to its end by a reset.
    reset: Cell<bool>,
    /// Whether we are the server of it, and the attempt asks.
    is_server: bool,
}

impl Connection {
    /// Connects to the attempt.
    pub(super) fn open(ground: &Rc<Ground>, name: &str) -> Done<Connection> {
        Connection::by(Peer::make(ground, name, Type::STREAM)?, "connects")
    }

    /// Connects to the attempt, with small segments and a small receive buffer, by which the attempt's own buffers stay
    /// small as well: some tens of kilobytes fill all that is between the two.
    pub(super) fn open_narrow(ground: &Rc<Ground>, name: &str) -> Done<Connection> {
        let peer = Peer::make(ground, name, Type::STREAM)?;
        peer.narrow().map_err(|error| Stop::ours("setsockopt", &error))?;
        Connection::by(peer, "connects, with small buffers")
    }

    fn by(peer: Peer, step: &str) -> Done<Connection> {
        let (ground, name) = (&peer.ground, &peer.name);
        peer.step(step);
        if let Err(error) = peer.calls(|socket| socket.connect(&Address::from(ground.address()))) {
            let why = match error.raw_os_error() {
                Some(libc::EINPROGRESS | libc::EAGAIN | libc::ETIMEDOUT) => {
                    "nobody answers; is the queue full of those who wait to be accepted?".to_owned()
                }
                _ => error_name(&error).to_string(),
            };
            let what = format!("our {name} cannot connect: {why}");
            return Err(ground.failure(Kind::Wrong, what, None).into());
        }
        let (ours, theirs) = (peer.own_address()?, ground.address());
        Ok(Connection {
            peer,
            pending: Vec::new(),
            ours,
            theirs,
            sent: Cell::new(0),
            reset: Cell::new(false),
            is_server: false,
        })
    }

    /// Sends all of these bytes, in as few pieces as the kernel takes.
    pub fn send(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("sends {}", counted(bytes)));
        self.send_all(bytes)
    }

    /// Sends each piece once the attempt has read the one before it.
    pub fn send_in_pieces(&self, pieces: &[&[u8]]) -> Done {
        let mut shown = String::new();
        for piece in pieces.iter().take(8) {
            let comma = if shown.is_empty() { "" } else { ", " };
            let _ = write!(shown, "{comma}{}", text::quoted_within(piece, piece.len(), 12));
        }
        let more = if pieces.len() > 8 { ", …" } else { "" };
        self.peer
            .step(&format!("sends {} pieces, each when the one before has been read: {shown}{more}", pieces.len()));
        for piece in pieces {
            self.send_all(piece)?;
            self.until(|sandbox| Ok(!self.unread(sandbox)?))?;
        }
        Ok(())
    }

    /// Sends these bytes one by one.
    pub fn send_byte_by_byte(&self, bytes: &[u8]) -> Done {
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        self.send_in_pieces(&pieces)
    }

    /// Sends bytes, of which the attempt may read as few as it likes: no failure if it closes meanwhile. Returns how
    /// many went.
    pub fn send_what_goes(&self, bytes: &[u8]) -> Done<usize> {
        self.peer.step(&format!("sends {}, as far as the program takes them", counted(bytes)));
        let mut sent = 0;
        while sent < bytes.len() {
            match self.some(&bytes[sent..])? {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Sends these bytes again and again, reading nothing, until the attempt no longer reads, because it waits for room
    /// to answer; at most 512 KiB, and fewer if it closes meanwhile. Nothing is under way then but what lies in its
    /// receive queue, where there is room left: a goodbye or a reset will reach it. Returns how many went.
    pub fn send_until_it_waits(&self, bytes: &[u8]) -> Done<usize> {
        const MOST: usize = 512 * 1024;
        self.peer.step(&format!("sends {} again and again, reading nothing, until the program waits", quoted(bytes)));
        let block = bytes.repeat(4096 / bytes.len().max(1) + 1);
        let mut sent = 0;
        while sent < MOST && !bytes.is_empty() {
            let rest = &block[sent % bytes.len()..];
            match self.goes(rest) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
            if !self.until(|sandbox| Ok(!self.unsent() && !self.unread(sandbox)?))? {
                break;
            }
        }
        self.peer.ground.diary.step(format!("{} went", number_of(sent)));
        Ok(sent)
    }

    /// From now on it has room for much, whatever it had before.
    pub fn makes_room(&self) -> Done {
        self.peer.ours("setsockopt", |socket| socket.set_recv_buffer_size(256 * 1024))
    }

    fn send_all(&self, bytes: &[u8]) -> Done {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.some(&bytes[sent..])? {
                Ok(count) => sent += count,
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(())
    }

    /// Sends as much as goes at once; waits for room before.
    fn some(&self, bytes: &[u8]) -> Done<Result<usize, Failure>> {
        let ground = &self.peer.ground;
        match self.goes(bytes) {
            Ok(count) => Ok(Ok(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match ground.wait(Some((self.peer.fd(), PollFlags::OUT)), |_| Ok(false))? {
                    Woke::Ready => Ok(Ok(0)),
                    other => Ok(Err(ground.unmet(&other, "it no longer reads what our side sends"))),
                }
            }
            Err(error) => {
                let what = format!("it closed the connection while our {} was sending", self.peer.name);
                let failure = ground.failure(Kind::Wrong, what, None);
                Ok(Err(failure.between("all of it read", format!("send fails: {}", error_name(&error)))))
            }
        }
    }

    /// Sends what goes without waiting, and counts it.
    fn goes(&self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.peer.calls(|socket| socket.send_with_flags(bytes, libc::MSG_DONTWAIT))?;
        self.sent.set(self.sent.get() + count as u64);
        Ok(count)
    }

    /// Whether something of ours lies in the attempt's socket, and was not read yet.
    fn unread(&self, sandbox: &Sandbox) -> Done<bool> {
        let taken = sandbox.taken(self.theirs, self.ours)?;
        // What is on its way, on a busy machine, has not come yet.
        Ok(taken.is_some_and(|taken| taken.unread > 0 || taken.came < self.sent.get()))
    }

    /// Whether something that we have sent was not acknowledged yet.
    fn unsent(&self) -> bool {
        probe::queues(self.peer.fd()).send.is_some_and(|bytes| bytes > 0)
    }

    /// Waits until this holds. False if the attempt sleeps, and will not change it now.
    fn until(&self, holds: impl Fn(&Sandbox) -> Done<bool>) -> Done<bool> {
        const NOT_NOW: u32 = 5;
        let ground = &self.peer.ground;
        let patience = ground.patience.replace(NOT_NOW);
        let waited = ground.wait_in_steps_of(Duration::from_micros(100), None, &mut |sandbox| holds(sandbox));
        ground.patience.set(patience);
        Ok(matches!(waited?, Woke::Ready))
    }

    /// Expects exactly these bytes next, in whatever pieces they come.
    pub fn expect(&mut self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("expects {}", counted(bytes)));
        let (got, woke) = self.take(bytes.len(), |got| !bytes.starts_with(got))?;
        if got == bytes {
            return Ok(());
        }
        let (answering, answer, not) = match self.is_server {
            false => ("answering", "its answer", "it does not answer"),
            true => ("sending", "what it sends", "it does not send what it must"),
        };
        let what = match (&woke, got.is_empty()) {
            (Some(Woke::Ready), true) => format!("it closed the connection instead of {answering}"),
            (Some(Woke::Ready), false) => format!("it closed the connection in the middle of {answer}"),
            (Some(Woke::Ended), true) => format!("it ended instead of {answering}"),
            (Some(Woke::Ended), false) => format!("it ended in the middle of {answer}"),
            (Some(_), true) => not.to_owned(),
            (Some(_), false) => format!("{answer} stops in the middle"),
            (None, _) => format!("{answer} is not what it must be"),
        };
        let failure = match &woke {
            Some(woke) => self.peer.ground.unmet(woke, what),
            None => self.peer.ground.failure(Kind::Wrong, what, None),
        };
        // What else has come helps to see what went wrong.
        let mut all = got;
        all.extend(self.what_is_there()?);
        Err(failure.between(bytes, all).into())
    }

    /// Reads exactly so many bytes, whatever they are.
    pub fn receive(&mut self, len: usize) -> Done<Vec<u8>> {
        self.peer.step(&format!("reads {}", number_of(len)));
        match self.take(len, |_| false)? {
            (got, None) => Ok(got),
            (got, Some(woke)) => {
                let failure = self.peer.ground.unmet(&woke, format!("fewer than {} came", number_of(len)));
                Err(failure.between(number_of(len), got).into())
            }
        }
    }

    /// Reads until the attempt says goodbye, at most `limit` bytes.
    pub fn receive_to_the_end(&mut self, limit: usize) -> Done<Vec<u8>> {
        self.peer.step("reads until the program closes the connection");
        let mut got = std::mem::take(&mut self.pending);
        while got.len() <= limit {
            match self.more()? {
                Ok(bytes) if bytes.is_empty() => return Ok(got),
                Ok(bytes) => got.extend(bytes),
                Err(woke) => {
                    let failure = self.peer.ground.unmet(&woke, "it does not close the connection");
                    return Err(failure.between("the end of the stream", got).into());
                }
            }
        }
        let failure = self.peer.ground.failure(Kind::Wrong, "it sends without end", None);
        Err(failure.between(format!("at most {limit} bytes"), format!("{} bytes and more", got.len())).into())
    }

    /// Expects that the attempt closes its side, and sends nothing more before.
    pub fn expect_end(&mut self) -> Done {
        self.peer.step("expects the end of the stream");
        if self.pending.is_empty() {
            match self.more()? {
                Ok(bytes) if bytes.is_empty() => return Ok(()),
                Ok(bytes) => self.pending = bytes,
                Err(woke) => {
                    let failure = self.peer.ground.unmet(&woke, "it does not close the connection");
                    return Err(failure.between("the end of the stream", "nothing").into());
                }
            }
        }
        let failure = self.peer.ground.failure(Kind::Wrong, "it sends more than it must", None);
        Err(failure.between("the end of the stream", std::mem::take(&mut self.pending)).into())
    }

    /// The same, and that the attempt says goodbye (FIN) and does not break the connection off (RST).
    pub fn expect_goodbye(&mut self) -> Done {
        self.expect_end()?;
        if !self.reset.get() {
            return Ok(());
        }
        let failure = self.peer.ground.failure(Kind::Wrong, "it breaks the connection off instead of closing it", None);
        Err(failure.between("a goodbye (FIN)", "a reset (RST)").into())
    }

    /// Expects that the attempt sends nothing: it comes to rest, and nothing is there.
    pub fn expect_nothing(&mut self) -> Done {
        self.peer.step("expects nothing yet");
        self.peer.ground.settle()?;
        let there = self.what_is_there()?;
        if there.is_empty() && !self.peer.is_readable() {
            return Ok(());
        }
        let what = if there.is_empty() { "it closed the connection" } else { "it answers too early, or too much" };
        let got = if there.is_empty() { "the end of the stream".into() } else { there.into() };
        let mut failure = self.peer.ground.failure(Kind::Wrong, what, None).between("nothing", "");
        failure.got = Some(got);
        Err(failure.into())
    }

    /// Says goodbye in our direction only, `shutdown(2)` with `SHUT_WR`.
    pub fn half_close(&self) -> Done {
        self.peer.step("says that it will send nothing more");
        // A connection that the attempt has reset is closed in that direction already.
        let _ = self.peer.calls(|socket| socket.shutdown(Shutdown::Write));
        Ok(())
    }

    /// Closes the connection: FIN, or RST where something lies unread.
    pub fn close(self) {
        self.peer.step("closes the connection");
        let Peer { ground, name, socket } = self.peer;
        ground.diary.by(&name, || drop(socket));
    }

    /// Breaks the connection off: RST, by `SO_LINGER` with no time.
    pub fn reset(self) -> Done {
        self.peer.step("breaks the connection off (RST)");
        self.peer.ours("setsockopt", |socket| socket.set_linger(Some(Duration::ZERO)))?;
        let Peer { ground, name, socket } = self.peer;
        ground.diary.by(&name, || drop(socket));
        Ok(())
    }

    /// What has come by now.
    pub fn what_is_there(&mut self) -> Done<Vec<u8>> {
        while self.pending.len() < MOST && self.peer.is_readable() {
            match self.more()? {
                Ok(bytes) if !bytes.is_empty() => self.pending.extend(bytes),
                _ => break,
            }
        }
        Ok(std::mem::take(&mut self.pending))
    }

    /// Takes `len` bytes, or fewer where `enough` says so. With it what kept us from taking more; `Ready` is the end of
    /// the stream.
    fn take(&mut self, len: usize, enough: impl Fn(&[u8]) -> bool) -> Done<(Vec<u8>, Option<Woke>)> {
        let mut stopped = None;
        while self.pending.len() < len && !enough(&self.pending) {
            match self.more()? {
                Ok(bytes) if bytes.is_empty() => stopped = Some(Woke::Ready),
                Ok(bytes) => self.pending.extend(bytes),
                Err(woke) => stopped = Some(woke),
            }
            if stopped.is_some() {
                break;
            }
        }
        let rest = self.pending.split_off(len.min(self.pending.len()));
        Ok((std::mem::replace(&mut self.pending, rest), stopped))
    }

    /// The bytes that come next; none at the end of the stream, or of the connection.
    fn more(&self) -> Done<Result<Vec<u8>, Woke>> {
        match self.peer.readable()? {
            Woke::Ready => {
                let mut buf = vec![0; 64 * 1024];
                // A connection that was reset has come to its end, too.
                let len = self.peer.calls(|socket| socket.recv(&mut buf));
                self.reset.set(len.is_err());
                buf.truncate(len.unwrap_or(0));
                Ok(Ok(buf))
            }
            other => Ok(Err(other)),
        }
    }
}

/// A port of ours at which an attempt that is a client finds us.
pub struct Listener {
    peer: Peer,
}

impl Listener {
    pub(super) fn open(ground: &Rc<Ground>, name: &str) -> Done<Listener> {
        let peer = Peer::make(ground, name, Type::STREAM)?;
        peer.step("listens");
        peer.ours("setsockopt", |socket| socket.set_reuse_address(true))?;
        peer.ours("bind", |socket| socket.bind(&Address::from(ground.address())))?;
        peer.ours("listen", |socket| socket.listen(128))?;
        Ok(Listener { peer })
    }

    /// Waits for the attempt to connect.
    pub fn accept(&self) -> Done<Connection> {
        let ground = &self.peer.ground;
        self.peer.step("waits for a connection");
        match self.peer.readable()? {
            Woke::Ready => {}
            other => {
                let failure = ground.unmet(&other, format!("it does not connect to port {}", ground.address().port()));
                return Err(failure.between("a connection", "none").into());
            }
        }
        ground.has_started();
        let (socket, from) = self.peer.ours("accept", |socket| socket.accept())?;
        let theirs = from.as_socket().ok_or_else(|| Stop::Fault("a caller has no internet address".to_owned()))?;
        let peer = Peer { ground: Rc::clone(ground), name: self.peer.name.clone(), socket };
        peer.ours("setsockopt", |socket| socket.set_tcp_nodelay(true))?;
        let ours = ground.address();
        Ok(Connection {
            peer,
            pending: Vec::new(),
            ours,
            theirs,
            sent: Cell::new(0),
            reset: Cell::new(false),
            is_server: true,
        })
    }

    /// Whether the attempt has connected and was not accepted yet.
    pub fn is_called(&self) -> bool {
        self.peer.is_readable()
    }
}

/// A UDP socket of ours.
pub struct Datagrams {
    peer: Peer,
    /// Where it sends to: the attempt, once that is known.
    to: Option<SocketAddr>,
    /// Whether it sends to whoever was heard last, as a server does.
    answers: bool,
    heard: Option<SocketAddr>,
    /// When the datagram that it took last had come.
    came: Option<SystemTime>,
    /// So long after that an answer is still one.
    prompt: Option<Duration>,
}

impl Datagrams {
    /// One that talks to an attempt which is a server.
    pub(super) fn towards(ground: &Rc<Ground>, name: &str) -> Done<Datagrams> {
        let peer = Peer::make(ground, name, Type::DGRAM)?;
        let mut any = ground.address();
        any.set_port(0);
        peer.ours("bind", |socket| socket.bind(&Address::from(any)))?;
        peer.own_address()?;
        let to = Some(ground.address());
        Ok(Datagrams { peer, to, answers: false, heard: None, came: None, prompt: None })
    }

    /// One that an attempt which is a client finds at the exercise's port.
    pub(super) fn at_the_port(ground: &Rc<Ground>, name: &str) -> Done<Datagrams> {
        let peer = Peer::make(ground, name, Type::DGRAM)?;
        peer.ours("bind", |socket| socket.bind(&Address::from(ground.address())))?;
        Ok(Datagrams { peer, to: None, answers: true, heard: None, came: None, prompt: None })
    }

    /// From where the datagram came that was taken last.
    pub fn heard_from(&self) -> Option<SocketAddr> {
        self.heard
    }

    /// From now on it sends to this address.
    pub fn aim_at(&mut self, address: Option<SocketAddr>) {
        self.to = address;
    }

    /// Says how long the attempt waits for an answer.
    pub fn must_answer_within(&mut self, time: Duration) {
        // The kernel notes when a datagram came from the first time on that it is asked.
        let _ = probe::came(self.peer.fd());
        self.prompt = Some(time);
    }

    /// Sends a datagram.
    pub fn send(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("sends a datagram of {}", counted(bytes)));
        self.send_now(bytes)
    }

    /// Sends the same datagram again and again, so many times, until one comes; whether one has come.
    pub fn send_until_one_comes(&self, bytes: &[u8], every: Duration, times: usize) -> Done<bool> {
        let every_ms = every.as_millis();
        self.peer.step(&format!("sends a datagram of {} every {every_ms} ms, until one comes", counted(bytes)));
        for _ in 0..times {
            self.send_now(bytes)?;
            self.peer.ground.let_pass(every)?;
            if self.has_one() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends the answer to the datagram that it took last. If that had waited for longer than the attempt waits, it is
    /// a fault of ours: the machine did not let us answer.
    pub fn answer(&self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("answers with a datagram of {}", counted(bytes)));
        self.send_now(bytes)?;
        self.was_prompt()
    }

    fn was_prompt(&self) -> Done {
        let late = self.came.and_then(|came| came.elapsed().ok()).unwrap_or_default();
        if self.prompt.is_none_or(|prompt| late <= prompt) {
            return Ok(());
        }
        let late = late.as_millis();
        Err(Stop::Fault(format!("the machine let our {} answer after {late} ms only", self.peer.name)))
    }

    fn send_now(&self, bytes: &[u8]) -> Done {
        let to = self.to.ok_or_else(|| Stop::Fault("a check answers before it was asked".to_owned()))?;
        match self.peer.calls(|socket| socket.send_to(bytes, &Address::from(to))) {
            Ok(_) => Ok(()),
            // Told of an earlier datagram, to which nobody listened.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(Stop::ours("sendto", &error)),
        }
    }

    /// Sends an answer, and is gone before the attempt can have it: the next datagram that comes finds nobody.
    pub fn answer_and_be_gone(self, bytes: &[u8]) -> Done {
        self.peer.step(&format!("answers with a datagram of {}, and is gone at once", counted(bytes)));
        // A socket that is connected with itself takes datagrams from itself alone, and may still send anywhere.
        let own = Address::from(self.peer.ground.address());
        self.peer.ours("connect", |socket| socket.connect(&own))?;
        self.send_now(bytes)?;
        self.was_prompt()?;
        let Peer { ground, name, socket } = self.peer;
        ground.diary.by(&name, || drop(socket));
        Ok(())
    }

    /// Closes the socket: nobody has its port any more.
    pub fn close(self) {
        self.peer.step("closes its socket");
        let Peer { ground, name, socket } = self.peer;
        ground.diary.by(&name, || drop(socket));
    }

    /// Expects a datagram with exactly these bytes.
    pub fn expect(&mut self, bytes: &[u8]) -> Done {
        self.expect_but(bytes, |_| false)
    }

    /// The same, where some others that may come before are passed over.
    pub fn expect_but(&mut self, bytes: &[u8], passed_over: impl Fn(&[u8]) -> bool) -> Done {
        const MANY: usize = 20;
        self.peer.step(&format!("expects a datagram of {}", counted(bytes)));
        let mut got = self.next(|| format!("a datagram of {}", counted(bytes)))?;
        for _ in 0..MANY {
            if got == bytes {
                return Ok(());
            }
            if !passed_over(&got) {
                break;
            }
            got = self.next(|| format!("a datagram of {}", counted(bytes)))?;
        }
        let failure = self.peer.ground.failure(Kind::Wrong, "the datagram is not what it must be", None);
        Err(failure.between(of_datagram(bytes), of_datagram(&got)).into())
    }

    /// Expects a datagram with each of these contents, in whatever order.
    pub fn expect_all(&mut self, all: &[Vec<u8>]) -> Done {
        self.peer.step(&format!("expects {} datagrams, in whatever order", all.len()));
        let mut missing: Vec<&Vec<u8>> = all.iter().collect();
        while let Some(first) = missing.first() {
            let count = all.len() - missing.len();
            let got = self.next(|| format!("a datagram of {}, after {count} others", counted(first)))?;
            let Some(at) = missing.iter().position(|bytes| **bytes == got) else {
                let failure = self.peer.ground.failure(Kind::Wrong, "a datagram is not what it must be", None);
                return Err(failure.between(first.as_slice(), got).into());
            };
            missing.remove(at);
        }
        Ok(())
    }

    /// Takes the next datagram, whatever it is.
    pub fn receive(&mut self) -> Done<Vec<u8>> {
        self.peer.step("waits for a datagram");
        self.next(|| "a datagram".to_owned())
    }

    fn next(&mut self, expected: impl Fn() -> String) -> Done<Vec<u8>> {
        match self.peer.readable()? {
            Woke::Ready => self.take(),
            other => {
                let failure = self.peer.ground.unmet(&other, "no datagram comes");
                Err(failure.between(expected(), "nothing").into())
            }
        }
    }

    fn take(&mut self) -> Done<Vec<u8>> {
        let mut buf = vec![0; 65_536];
        let (len, from) = self.peer.ours("recvfrom", |socket| socket.recv_from(&mut buf))?;
        self.heard = from.as_socket();
        if self.prompt.is_some() {
            self.came = probe::came(self.peer.fd());
        }
        if self.answers {
            self.to = self.heard;
        }
        buf.truncate(len);
        Ok(buf)
    }

    /// Expects that no datagram comes: the attempt comes to rest, and none is there.
    pub fn expect_nothing(&mut self) -> Done {
        self.peer.step("expects no datagram");
        self.peer.ground.settle()?;
        if !self.peer.is_readable() {
            return Ok(());
        }
        let got = self.take()?;
        let failure = self.peer.ground.failure(Kind::Wrong, "it sends a datagram that nobody asked for", None);
        Err(failure.between("nothing", of_datagram(&got)).into())
    }

    /// Whether a datagram is there.
    pub fn has_one(&self) -> bool {
        self.peer.is_readable()
    }
}

/// What a datagram holds; an empty one is not nothing.
fn of_datagram(bytes: &[u8]) -> Shown {
    if bytes.is_empty() { "a datagram of 0 bytes".into() } else { bytes.into() }
}

/// `5 bytes: "hello"`
fn counted(bytes: &[u8]) -> String {
    match bytes.len() {
        0 => "0 bytes".to_owned(),
        len => format!("{}: {}", number_of(len), quoted(bytes)),
    }
}

fn quoted(bytes: &[u8]) -> String {
    text::quoted_within(bytes, bytes.len(), SHOWN)
}

fn number_of(len: usize) -> String {
    if len == 1 { "1 byte".to_owned() } else { format!("{len} bytes") }
}
