//! One attempt while one check is applied: what a check's function works with.

mod expect;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;

use super::choices::scattered;
use super::context::{ASK_EVERY, CheckContext, HANG_SAMPLES, SAMPLE_EVERY, WaitOutcome};
use super::failure::{Done, Failure, Kind};
use super::gate::Gate;
use super::peer::{Connection, Listener, UdpPeer};
use super::semaphore::Permit;
use crate::sandbox::{HostSocket, Input, Program, Sandbox, Transport};
use crate::trace::TcpState;
use crate::view::text;

/// The most columns that typed lines take in the story.
const MAX_TYPED_COLUMNS: usize = 40;

/// An attempt on a host of its own, on which nothing has happened yet.
pub struct Attempt {
    context: Rc<CheckContext>,
    argv: Vec<OsString>,
    env: Vec<(String, String)>,
    /// What `PORT` says, if that is not where the host's port is.
    told_port: Option<u16>,
    /// Held until the first program has started.
    permit: Option<Permit>,
    /// How many bytes of its standard output were expected already.
    read: usize,
}

/// Starting the program, and ending it.
impl Attempt {
    pub(super) fn new(
        context: Rc<CheckContext>,
        argv: Vec<OsString>,
        env: Vec<(String, String)>,
        told_port: Option<u16>,
        permit: Permit,
    ) -> Attempt {
        Attempt { context, argv, env, told_port, permit: Some(permit), read: 0 }
    }

    /// Sets an environment variable for the program that is started next.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Starts a server, and waits until a TCP socket of its host listens on the exercise's port.
    ///
    /// # Errors
    /// A failure, if none does.
    pub fn start_tcp_server(&mut self) -> Done {
        self.launch("")?;
        self.wait_for_port(Transport::Tcp)
    }

    /// Starts a server, and waits until a UDP socket of its host is bound to the exercise's port.
    ///
    /// # Errors
    /// A failure, if none is.
    pub fn start_udp_server(&mut self) -> Done {
        self.launch("")?;
        self.wait_for_port(Transport::Udp)
    }

    /// Starts a client. Its standard input is these lines, and then end of file.
    ///
    /// # Errors
    /// A failure, if it cannot be started.
    pub fn start_client(&mut self, lines: &[&str]) -> Done {
        let typed: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.launch(&typed)?;
        // What it does next is for the peers to see.
        self.permit = None;
        Ok(())
    }

    /// Starts the program with an empty standard input, and waits for nothing: for a server that must not get its port.
    ///
    /// # Errors
    /// A failure, if it cannot be started.
    pub fn start(&mut self) -> Done {
        self.start_client(&[])
    }

    fn launch(&mut self, typed: &str) -> Done {
        let address = self.context.address();
        let port = self.told_port.unwrap_or(address.port());
        let (host, port) = (address.ip().to_string(), port.to_string());
        let filled_in = |argument: &OsString| match argument.to_str() {
            Some(text) if text.contains('{') => text.replace("{host}", &host).replace("{port}", &port).into(),
            _ => argument.clone(),
        };
        let argv: Vec<OsString> = self.argv.iter().map(filled_in).collect();
        let mut env = self.env.clone();
        env.extend([("HOST".to_owned(), host.clone()), ("PORT".to_owned(), port.clone())]);
        let input = if typed.is_empty() { Input::Nothing } else { Input::Lines(typed.as_bytes().to_vec()) };
        let quoted = || text::quoted_within(typed.as_bytes(), typed.len(), MAX_TYPED_COLUMNS);
        let how = if typed.is_empty() { String::new() } else { format!(", with {} typed", quoted()) };
        self.context.log.step(format!("the program starts{how}"));
        self.context.note_start();
        self.read = 0;
        let started = self.context.sandbox.borrow_mut().start(&Program { argv, env, input });
        match started {
            // Whichever program it names: that it cannot be executed is no fault of ours.
            Err(fault) if fault.is_unexecutable() => {
                let what = format!("the program cannot be started: {}", fault.why_unexecutable());
                Err(Failure::new(Kind::Ended, what).into())
            }
            started => Ok(started?),
        }
    }

    /// Waits until the kernel's tables show the port open: no connection is made to find out.
    fn wait_for_port(&mut self, transport: Transport) -> Done {
        let port = self.context.address().port();
        let verb = if transport == Transport::Tcp { "listens on TCP" } else { "is bound to UDP" };
        self.context.await_at_gate(if transport == Transport::Tcp { Gate::Listen } else { Gate::Bind });
        let open = |socket: &HostSocket| {
            let ready = socket.transport == transport && socket.local.port() == port;
            ready && (transport == Transport::Udp || socket.state == TcpState::Listen)
        };
        let mut is_open = |sandbox: &mut Sandbox| Ok(sandbox.waiting_sockets()?.iter().any(open));
        let waited = self.context.wait_asking_every(ASK_EVERY, None, &mut is_open)?;
        self.permit = None;
        if matches!(waited, WaitOutcome::Ready) {
            self.context.note_ready();
            return Ok(());
        }
        let mut failure = self.context.unmet(&waited, format!("nothing {verb} port {port}, which PORT names"));
        let others = self.context.sockets_of_program()?;
        if !others.is_empty() {
            failure.got = Some(others.iter().map(described).collect::<Vec<_>>().join("; ").into());
            failure.expected = Some(format!("a socket that {verb} port {port}").into());
        }
        Err(failure.into())
    }

    /// Kills the program, as a person does who restarts it. Its host, with all its connections, stays.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn kill(&mut self) -> Done {
        self.context.log.step("the program is killed");
        self.context.sandbox.borrow_mut().kill_program()?;
        Ok(())
    }

    /// Sends the program a signal.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_signal(&mut self, signal: Signal) -> Done {
        self.context.log.step(format!("the program gets {signal:?}"));
        self.context.sandbox.borrow_mut().signal(signal)?;
        Ok(())
    }

    /// Waits until the program has accepted all connections that were made with it.
    ///
    /// # Errors
    /// A failure, if it does not.
    pub fn expect_accepted(&self) -> Done {
        self.context.log.step("the program must accept the connection");
        let port = self.context.address().port();
        let waits = |socket: &HostSocket| {
            let listens = socket.state == TcpState::Listen && socket.local.port() == port;
            listens && socket.transport == Transport::Tcp && socket.recv_queue > 0
        };
        let mut none_waits = |sandbox: &mut Sandbox| Ok(!sandbox.waiting_sockets()?.iter().any(waits));
        match self.context.wait_asking_every(ASK_EVERY, None, &mut none_waits)? {
            WaitOutcome::Ready => Ok(()),
            other => Err(self.context.unmet(&other, "it does not accept the next connection").into()),
        }
    }

    /// Lets the program sleep for at most `time` before an answer. At most one second is the rule; a shorter time
    /// changes nothing.
    pub fn allow_sleep(&self, time: Duration) {
        let samples = u32::try_from(time.as_millis() / SAMPLE_EVERY.as_millis()).unwrap_or(u32::MAX);
        self.context.hang_samples.set(samples.max(HANG_SAMPLES));
    }

    /// Waits until the program sleeps, having done all that it can do by itself; or has ended.
    ///
    /// # Errors
    /// A failure, if it uses CPU without end.
    pub fn settle(&self) -> Done {
        self.context.settle()
    }

    /// Does nothing for `time`, while the program runs: for checks whose subject is time.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn pass_time(&self, time: Duration) -> Done {
        self.context.log.step(format!("our side waits for {} ms", time.as_millis()));
        self.context.pass_time(time)
    }
}

/// The attempt's host, and our peers on it.
impl Attempt {
    /// The exercise's port on the attempt's host: where the attempt is, if it is a server.
    pub fn address(&self) -> SocketAddr {
        self.context.address()
    }

    /// The sockets of the host, the program's and ours.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn sockets(&self) -> Done<Vec<HostSocket>> {
        Ok(self.context.sandbox.borrow_mut().sockets()?)
    }

    /// Connects a TCP client of ours to the attempt.
    ///
    /// # Errors
    /// A failure, if the attempt does not let it.
    pub fn connect(&self, name: &str) -> Done<Connection> {
        Connection::open(&self.context, name)
    }

    /// Connects a TCP client of ours with small buffers and segments: after some tens of kilobytes the attempt's sends
    /// block.
    ///
    /// # Errors
    /// A failure, if the attempt does not let it.
    pub fn connect_narrow(&self, name: &str) -> Done<Connection> {
        Connection::open_narrow(&self.context, name)
    }

    /// Opens a TCP server of ours, which listens on the exercise's port.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn listen(&self, name: &str) -> Done<Listener> {
        Listener::open(&self.context, name)
    }

    /// Opens a TCP server of ours whose connections have small buffers and segments: after some tens of kilobytes the
    /// attempt's sends block.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn listen_narrow(&self, name: &str) -> Done<Listener> {
        Listener::open_narrow(&self.context, name)
    }

    /// Opens a UDP client of ours, which sends to the exercise's port.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn open_udp_client(&self, name: &str) -> Done<UdpPeer> {
        UdpPeer::client(&self.context, name)
    }

    /// Opens a UDP server of ours, bound to the exercise's port.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn open_udp_server(&self, name: &str) -> Done<UdpPeer> {
        UdpPeer::server(&self.context, name)
    }
}

/// For the report.
impl Attempt {
    /// Says what our side has still to send, for the report of a hang; `None` for nothing.
    pub fn set_unsent(&self, what: Option<&str>) {
        *self.context.unsent.borrow_mut() = what.map(str::to_owned);
    }

    /// Adds a remark to the story.
    pub fn remark(&self, text: &str) {
        self.context.log.step(text);
    }

    /// A failure that the check has found by itself, with what is known of the program.
    pub fn failure(&self, what: &str) -> Failure {
        self.context.failure(Kind::Wrong, what, None)
    }
}

/// Random choices: the only ones that a check may make. The seed decides, `--case` replays them.
impl Attempt {
    /// A number of this range.
    pub fn number(&self, range: RangeInclusive<usize>) -> usize {
        let (first, last) = range.into_inner();
        self.context.choices.borrow_mut().draw(first as u64..=last as u64) as usize
    }

    /// A word of `len` small letters.
    pub fn word(&self, len: usize) -> String {
        self.drawn_from(b"abcdefghijklmnopqrstuvwxyz", len).into_iter().map(char::from).collect()
    }

    /// `len` bytes, of any value.
    pub fn bytes(&self, len: usize) -> Vec<u8> {
        let all: Vec<u8> = (0..=255).collect();
        self.drawn_from(&all, len)
    }

    fn drawn_from(&self, alphabet: &[u8], len: usize) -> Vec<u8> {
        let which = self.context.choices.borrow_mut().draw(0..=u64::from(u32::MAX));
        // The simplest choice is the plainest text.
        let index = |at: usize| if which == 0 { at } else { scattered(which, at as u64) as usize };
        (0..len).map(|at| alphabet[index(at) % alphabet.len()]).collect()
    }
}

/// A socket in words, for a report that another one was expected.
fn described(socket: &HostSocket) -> String {
    let place = socket.local;
    match (socket.transport, socket.state) {
        (Transport::Tcp, TcpState::Listen) => format!("a TCP socket that listens on {place}"),
        (Transport::Tcp, state) => format!("a TCP socket at {place}, {state}"),
        (Transport::Udp, _) => format!("a UDP socket bound to {place}"),
    }
}
