//! What TCP and UDP peers share: a socket on the attempt's host, whose calls are logged under the peer's name.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::judge::context::{ASK_EVERY, CheckContext, WaitOutcome};
use crate::judge::failure::{Done, Kind, Stop};
use crate::probe;
use crate::sandbox::Closed;
use crate::socket::{Address, Socket, Type};
use crate::view::text;

/// The most columns that the data of one step take in the story.
const MAX_DATA_COLUMNS: usize = 40;

/// The longest that a `connect` of ours waits: on a host of its own it is answered at once, or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest that a child of ours may hold a socket that we have closed: a bound, not a measure.
const MAX_HELD: Duration = Duration::from_secs(10);

/// What all peers have.
pub(super) struct Peer {
    pub(super) context: Rc<CheckContext>,
    pub(super) name: String,
    /// There until it is closed.
    socket: Option<Socket>,
}

impl Peer {
    /// A peer with a new socket on the attempt's host.
    pub(super) fn open(context: &Rc<CheckContext>, name: &str, kind: Type) -> Done<Peer> {
        let made = context.sandbox.borrow().socket(kind).map_err(|error| Stop::ours("socket", &error))?;
        made.set_write_timeout(Some(CONNECT_TIMEOUT)).map_err(|error| Stop::ours("setsockopt", &error))?;
        if kind == Type::STREAM {
            made.set_tcp_nodelay(true).map_err(|error| Stop::ours("setsockopt", &error))?;
        }
        let socket = context.log.as_peer(name, || Socket::given(made, kind));
        Ok(Peer::of(context, name, socket))
    }

    /// A peer that has this socket.
    pub(super) fn of(context: &Rc<CheckContext>, name: &str, socket: Socket) -> Peer {
        Peer { context: Rc::clone(context), name: name.to_owned(), socket: Some(socket) }
    }

    fn socket(&self) -> &Socket {
        self.socket.as_ref().expect("a peer has its socket until it is dropped")
    }

    /// Makes one call, logged under the peer's name.
    pub(super) fn call<T>(&self, call: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        self.context.log.as_peer(&self.name, || call(self.socket()))
    }

    /// Makes a call that the attempt cannot make fail: an error is a fault of ours.
    pub(super) fn must<T>(&self, what: &str, call: impl FnOnce(&Socket) -> io::Result<T>) -> Done<T> {
        self.call(call).map_err(|error| Stop::ours(what, &error))
    }

    /// Binds the socket to an address of the attempt's host. On a host of its own nobody but the attempt can have taken
    /// it.
    pub(super) fn bind(&self, address: SocketAddr) -> Done {
        match self.call(|socket| socket.bind(&Address::from(address))) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && self.context.has_private_host() => {
                let what = match address.port() {
                    0 => "it has taken all ports of its host: our side can have none".to_owned(),
                    port => format!("it has taken port {port}, which is our side's"),
                };
                Err(self.context.failure(Kind::Wrong, what, None).into())
            }
            Err(error) => Err(Stop::ours("bind", &error)),
        }
    }

    /// Adds a step to the story.
    pub(super) fn step(&self, text: &str) {
        self.context.log.step(format!("our {} {text}", self.name));
    }

    /// Waits until something can be received.
    pub(super) fn wait_readable(&self) -> Done<WaitOutcome> {
        self.context.wait(Some((self.fd(), PollFlags::IN)), |_| Ok(false))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket().descriptor()
    }

    pub(super) fn is_readable(&self) -> bool {
        probe::ready(self.fd(), PollFlags::IN)
    }

    /// The address that the kernel chose for us. From now on the log calls it by the peer's name.
    pub(super) fn own_address(&self) -> Done<SocketAddr> {
        let own = self.must("getsockname", |socket| socket.local_addr())?;
        let own = own.as_socket().ok_or_else(|| Stop::Fault("a socket of ours has no internet address".to_owned()))?;
        self.context.log.name_address(own, format!("{}:port", self.name));
        Ok(own)
    }

    /// Closes the socket, and waits until it is closed: a child that we start for another check or another attempt
    /// has a copy of it for a moment. As long its port is taken, and no FIN is sent.
    fn close_for_all(&mut self, socket: Socket) -> Done {
        let closed = Closed::later(socket.descriptor()).map_err(|error| Stop::ours("fstat", &error))?;
        self.context.log.as_peer(&self.name, || drop(socket));
        let (Some(closed), began) = (closed, Instant::now()) else { return Ok(()) };
        while self.context.sandbox.borrow().is_held(&closed)? {
            if began.elapsed() > MAX_HELD {
                let longest = MAX_HELD.as_secs();
                return Err(Stop::Fault(format!("a child of ours has had our socket for {longest} s")));
            }
            self.context.poll(None, ASK_EVERY)?;
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take()
            && let Err(stop) = self.close_for_all(socket)
        {
            self.context.note_trouble(stop);
        }
    }
}

/// `5 bytes: "hello"`
pub(super) fn counted(bytes: &[u8]) -> String {
    match bytes.len() {
        0 => "0 bytes".to_owned(),
        len => format!("{}: {}", byte_count(len), quoted(bytes)),
    }
}

pub(super) fn quoted(bytes: &[u8]) -> String {
    text::quoted_within(bytes, bytes.len(), MAX_DATA_COLUMNS)
}

pub(super) fn byte_count(len: usize) -> String {
    if len == 1 { "1 byte".to_owned() } else { format!("{len} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_before_they_are_quoted() {
        assert_eq!(counted(b""), "0 bytes");
        assert_eq!(counted(b"\0"), r#"1 byte: "\x00""#);
        assert_eq!(counted(b"hello"), r#"5 bytes: "hello""#);
    }

    #[test]
    fn data_of_any_size_stay_within_their_columns() {
        for len in [39, 40, 41, 4096] {
            let shown = quoted(&vec![b'a'; len]);
            assert!(shown.chars().count() <= MAX_DATA_COLUMNS + "\"…\"".chars().count(), "{len}: {shown}");
        }
    }
}
