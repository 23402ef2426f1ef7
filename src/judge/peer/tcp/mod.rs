//! TCP peers: a connection with the attempt, and a listener that the attempt connects to.

mod receive;
mod send;

use std::cell::Cell;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use self::send::{BLOCKED_SAMPLES, wait_until};
use super::base::Peer;
use crate::judge::context::{CheckContext, WaitOutcome};
use crate::judge::failure::{Done, Kind, Stop};
use crate::judge::gate::Gate;
use crate::sandbox::Sandbox;
use crate::socket::{Address, Type};
use crate::trace::error_name;

/// For how long a piece is held back: longer than a second, for which a program may wait to take what has come by then
/// for the whole.
const HOLD: Duration = Duration::from_millis(1300);

/// The backlog of our listener.
const BACKLOG: i32 = 128;

/// A TCP connection with the attempt.
pub struct Connection {
    peer: Peer,
    /// Bytes that were received and not yet asked for.
    pending: Vec<u8>,
    ours: SocketAddr,
    theirs: SocketAddr,
    /// How many bytes we have sent.
    sent: Cell<u64>,
    /// Whether the attempt has ended the connection with RST.
    reset: Cell<bool>,
    /// Whether the attempt is the client: it asks, and we answer.
    is_server: bool,
    /// Bytes that are passed over where they come.
    ignored: &'static [u8],
}

impl Connection {
    fn new(peer: Peer, ours: SocketAddr, theirs: SocketAddr, is_server: bool) -> Connection {
        let (sent, reset) = (Cell::new(0), Cell::new(false));
        Connection { peer, pending: Vec::new(), ours, theirs, sent, reset, is_server, ignored: b"" }
    }

    /// Connects to the attempt.
    pub(in crate::judge) fn open(context: &Rc<CheckContext>, name: &str) -> Done<Connection> {
        Connection::connect(Peer::open(context, name, Type::STREAM)?, "connects")
    }

    /// Connects to the attempt with small segments and a small receive buffer. The attempt's own buffers then stay
    /// small, too: some tens of kilobytes fill all that is between the two.
    pub(in crate::judge) fn open_narrow(context: &Rc<CheckContext>, name: &str) -> Done<Connection> {
        let peer = Peer::open(context, name, Type::STREAM)?;
        make_narrow(&peer).map_err(|error| Stop::ours("setsockopt", &error))?;
        Connection::connect(peer, "connects, with small buffers")
    }

    fn connect(peer: Peer, step: &str) -> Done<Connection> {
        let (context, name) = (&peer.context, &peer.name);
        peer.step(step);
        if let Err(error) = peer.call(|socket| socket.connect(&Address::from(context.address()))) {
            let why = match error.raw_os_error() {
                Some(libc::EINPROGRESS | libc::EAGAIN | libc::ETIMEDOUT) => {
                    "nobody answers; is the queue full of those who wait to be accepted?".to_owned()
                }
                _ => error_name(&error).to_string(),
            };
            let what = format!("our {name} cannot connect: {why}");
            return Err(context.failure(Kind::Wrong, what, None).into());
        }
        let (ours, theirs) = (peer.own_address()?, context.address());
        Ok(Connection::new(peer, ours, theirs, false))
    }

    /// Passes over these bytes wherever they come from now on: for a check whose subject they are not.
    pub fn ignoring(mut self, bytes: &'static [u8]) -> Connection {
        self.ignored = bytes;
        self
    }

    /// Gives the connection a large receive buffer, whatever it had before.
    ///
    /// # Errors
    /// A fault of ours, if the kernel refuses.
    pub fn enlarge_receive_buffer(&self) -> Done {
        const LARGE_BUFFER: usize = 256 * 1024;
        self.peer.must("setsockopt", |socket| socket.set_recv_buffer_size(LARGE_BUFFER))
    }

    /// Sends FIN and goes on receiving: `shutdown(2)` with `SHUT_WR`. The attempt's kernel has it when this returns.
    ///
    /// # Errors
    /// A fault of ours, or a failure if the attempt's time is over.
    pub fn half_close(&self) -> Done {
        self.peer.step("says that it will send nothing more");
        // On a connection that the attempt has reset, this direction is closed already.
        let _ = self.peer.call(|socket| socket.shutdown(Shutdown::Write));
        let mut has_fin = |sandbox: &mut Sandbox| {
            let taken = sandbox.taken(self.theirs, self.ours)?;
            Ok(taken.is_none_or(|taken| taken.has_fin))
        };
        wait_until(&self.peer.context, BLOCKED_SAMPLES, &mut has_fin).map(drop)
    }

    /// Closes the connection with FIN: what has come and was not expected is read before.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn leave(mut self) -> Done {
        self.take_received()?;
        self.close();
        Ok(())
    }

    /// Closes the connection: FIN, or RST if received bytes are unread.
    pub fn close(self) {
        self.peer.step("closes the connection");
        drop(self.peer);
    }

    /// Closes the connection with RST, by `SO_LINGER` with a time of 0. The attempt's kernel has it when this returns:
    /// on a busy machine packets of two connections, or of two processors, overtake one another.
    ///
    /// # Errors
    /// A fault of ours, or a failure if the attempt's time is over.
    pub fn reset(self) -> Done {
        let Connection { peer, theirs, ours, .. } = self;
        peer.step("breaks the connection off (RST)");
        peer.must("setsockopt", |socket| socket.set_linger(Some(Duration::ZERO)))?;
        let context = Rc::clone(&peer.context);
        drop(peer);
        let mut is_gone = |sandbox: &mut Sandbox| Ok(sandbox.taken(theirs, ours)?.is_none());
        wait_until(&context, BLOCKED_SAMPLES, &mut is_gone).map(drop)
    }
}

/// Gives a socket that is not connected yet small segments and a small receive buffer, in bytes; and a send buffer that
/// does not wait for acknowledgements.
fn make_narrow(peer: &Peer) -> io::Result<()> {
    const SEGMENT: u32 = 536;
    const BUFFER: usize = 4096;
    let fd = peer.fd();
    let socket = socket2::SockRef::from(&fd);
    socket.set_tcp_mss(SEGMENT)?;
    socket.set_send_buffer_size(16 * BUFFER)?;
    peer.call(|socket| socket.set_recv_buffer_size(BUFFER))
}

/// A listening socket of ours, on the exercise's port, for an attempt that is a client.
pub struct Listener {
    peer: Peer,
}

impl Listener {
    pub(in crate::judge) fn open(context: &Rc<CheckContext>, name: &str) -> Done<Listener> {
        Listener::listen(Peer::open(context, name, Type::STREAM)?, "listens")
    }

    /// As [`open`](Listener::open), with small segments and small buffers for its connections.
    pub(in crate::judge) fn open_narrow(context: &Rc<CheckContext>, name: &str) -> Done<Listener> {
        let peer = Peer::open(context, name, Type::STREAM)?;
        make_narrow(&peer).map_err(|error| Stop::ours("setsockopt", &error))?;
        Listener::listen(peer, "listens, with small buffers")
    }

    fn listen(peer: Peer, step: &str) -> Done<Listener> {
        let context = Rc::clone(&peer.context);
        peer.step(step);
        peer.must("setsockopt", |socket| socket.set_reuse_address(true))?;
        peer.bind(context.address())?;
        peer.must("listen", |socket| socket.listen(BACKLOG))?;
        Ok(Listener { peer })
    }

    /// Closes it: from now on the port is free.
    pub fn close(self) {
        self.peer.step("leaves the port");
        drop(self.peer);
    }

    /// Waits for the attempt to connect.
    ///
    /// # Errors
    /// A failure, if it does not.
    pub fn accept(&self) -> Done<Connection> {
        let context = &self.peer.context;
        self.peer.step("waits for a connection");
        context.await_at_gate(Gate::Connect);
        match self.peer.wait_readable()? {
            WaitOutcome::Ready => {}
            other => {
                let what = format!("it does not connect to port {}", context.address().port());
                return Err(context.unmet(&other, what).between("a connection", "none").into());
            }
        }
        context.note_ready();
        let (socket, from) = self.peer.must("accept", |socket| socket.accept())?;
        let theirs = from.as_socket().ok_or_else(|| Stop::Fault("a caller has no internet address".to_owned()))?;
        let peer = Peer::of(context, &self.peer.name, socket);
        peer.must("setsockopt", |socket| socket.set_tcp_nodelay(true))?;
        Ok(Connection::new(peer, context.address(), theirs, true))
    }
}
