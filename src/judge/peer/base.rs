//! What TCP and UDP peers share: a socket on the attempt's host, whose calls are logged under the peer's name.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use rustix::event::PollFlags;

use crate::judge::context::{CheckContext, WaitOutcome};
use crate::judge::failure::{Done, Kind, Stop};
use crate::probe;
use crate::socket::{Address, Socket, Type};
use crate::view::text;

/// The most columns that the data of one step take in the story.
const MAX_DATA_COLUMNS: usize = 40;

/// The longest that a `connect` of ours waits: on a host of its own it is answered at once, or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What all peers have.
pub(super) struct Peer {
    pub(super) context: Rc<CheckContext>,
    pub(super) name: String,
    pub(super) socket: Socket,
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
        Ok(Peer { context: Rc::clone(context), name: name.to_owned(), socket })
    }

    /// Makes one call, logged under the peer's name.
    pub(super) fn call<T>(&self, call: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        self.context.log.as_peer(&self.name, || call(&self.socket))
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
        self.socket.descriptor()
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

    /// Closes the socket.
    pub(super) fn close(self) {
        let Peer { context, name, socket } = self;
        context.log.as_peer(&name, || drop(socket));
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
