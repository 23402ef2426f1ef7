//! One attempt while one check is applied: what a check's function works with.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;

use super::choices::scattered;
use super::failure::{Done, Failure, Kind, Shown, Stop};
use super::ground::{Ground, Woke};
use super::peer::{Connection, Datagrams, Listener};
use super::run::Turn;
use crate::sandbox::{Ending, HostSocket, How, Input, Program, Transport};
use crate::view::text;

/// How often the kernel is asked whether the port is open: a question takes some tens of microseconds.
const ASK_EVERY: Duration = Duration::from_micros(200);

/// An attempt on a host of its own, on which nothing has happened yet.
pub struct Attempt {
    ground: Rc<Ground>,
    argv: Vec<OsString>,
    env: Vec<(String, String)>,
    starting: Option<Turn>,
    /// How many bytes of its standard output were expected already.
    read: usize,
}

impl Attempt {
    pub(super) fn new(ground: Rc<Ground>, argv: Vec<OsString>, env: Vec<(String, String)>, starting: Turn) -> Attempt {
        Attempt { ground, argv, env, starting: Some(starting), read: 0 }
    }

    /// Starts a server, and waits until its TCP socket listens on the exercise's port.
    pub fn listens(&mut self) -> Done {
        self.start("")?;
        self.opens(Transport::Tcp)
    }

    /// Starts a server, and waits until its UDP socket is bound to the exercise's port.
    pub fn is_bound(&mut self) -> Done {
        self.start("")?;
        self.opens(Transport::Udp)
    }

    /// Starts a client, at whose standard input these lines are typed, and then end of file.
    pub fn runs_with(&mut self, lines: &[&str]) -> Done {
        let typed: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.start(&typed)?;
        // What it does next is for the peers to see.
        self.starting = None;
        Ok(())
    }

    fn start(&mut self, typed: &str) -> Done {
        let address = self.ground.address();
        let mut env = self.env.clone();
        env.push(("HOST".to_owned(), address.ip().to_string()));
        env.push(("PORT".to_owned(), address.port().to_string()));
        let input = if typed.is_empty() { Input::Nothing } else { Input::Lines(typed.as_bytes().to_vec()) };
        let named = |argument: &OsString| match argument.to_str() {
            Some(text) if text.contains('{') => {
                let text = text.replace("{host}", &address.ip().to_string());
                text.replace("{port}", &address.port().to_string()).into()
            }
            _ => argument.clone(),
        };
        let argv: Vec<OsString> = self.argv.iter().map(named).collect();
        let what = if typed.is_empty() { "starts".to_owned() } else { format!("starts, with {} typed", shown(typed)) };
        self.ground.diary.step(format!("the program {what}"));
        self.ground.begins_anew();
        self.read = 0;
        // What lies in the scratch folder is the attempt's own: no fault of ours if that cannot be executed.
        let own = argv.first().is_some_and(|program| program.as_encoded_bytes().starts_with(b"."));
        let started = self.ground.sandbox.borrow_mut().start(&Program { argv, env, input });
        match started {
            Err(fault) if own && fault.step.starts_with("execve") => {
                Err(Failure::new(Kind::Ended, format!("the program cannot be started: {}", fault.why)).into())
            }
            started => Ok(started?),
        }
    }

    /// Waits until the port is open, as the kernel's tables show it: nobody connects to find out.
    fn opens(&mut self, transport: Transport) -> Done {
        let port = self.ground.address().port();
        let open = |socket: &HostSocket| {
            let ready = socket.transport == transport && socket.local.port() == port;
            ready && (transport == Transport::Udp || socket.state == "LISTEN")
        };
        let woke = self
            .ground
            .wait_in_steps_of(ASK_EVERY, None, &mut |sandbox| Ok(sandbox.waiting_sockets()?.iter().any(open)))?;
        self.starting = None;
        if matches!(woke, Woke::Ready) {
            self.ground.has_started();
            return Ok(());
        }
        let verb = if transport == Transport::Tcp { "listens on TCP" } else { "is bound to UDP" };
        let mut failure = self.ground.unmet(&woke, format!("nothing {verb} port {port}"));
        let others: Vec<String> = self.ground.sandbox.borrow_mut().sockets()?.iter().map(instead).collect();
        if !others.is_empty() {
            failure.got = Some(others.join("; ").into());
            failure.expected = Some(format!("a socket that {verb} port {port}").into());
        }
        Err(failure.into())
    }

    /// Where the attempt is, if it is a server: its host, and the exercise's port.
    pub fn address(&self) -> SocketAddr {
        self.ground.address()
    }

    /// A client of ours, which connects to the attempt.
    pub fn connect(&self, name: &str) -> Done<Connection> {
        Connection::open(&self.ground, name)
    }

    /// A client of ours with small buffers and segments, which the attempt cannot send much to before it must wait.
    pub fn connect_narrow(&self, name: &str) -> Done<Connection> {
        Connection::open_narrow(&self.ground, name)
    }

    /// A server of ours, which listens on the exercise's port.
    pub fn listen(&self, name: &str) -> Done<Listener> {
        Listener::open(&self.ground, name)
    }

    /// A UDP client of ours.
    pub fn datagrams(&self, name: &str) -> Done<Datagrams> {
        Datagrams::towards(&self.ground, name)
    }

    /// A UDP server of ours, at the exercise's port.
    pub fn datagram_server(&self, name: &str) -> Done<Datagrams> {
        Datagrams::at_the_port(&self.ground, name)
    }

    /// Expects this line next on the program's standard output.
    ///
    /// Many languages hold output back until the program ends, so let it end before: see [`ends`](Attempt::ends).
    pub fn expect_line(&mut self, line: &str) -> Done {
        self.ground.diary.step(format!("it must print {}", text::quoted_within(line.as_bytes(), line.len(), 60)));
        let got = self.next_line(&format!("the line {line:?}"))?;
        if got == line.as_bytes() {
            return Ok(());
        }
        let failure = self.ground.failure(Kind::Wrong, "it prints something else", None);
        let shown = |line: &[u8]| if line.is_empty() { Shown::from("an empty line") } else { line.into() };
        Err(failure.between(shown(line.as_bytes()), shown(&got)).into())
    }

    /// The next line of the program's standard output, without its end.
    pub fn next_line(&mut self, expected: &str) -> Done<Vec<u8>> {
        let from = self.read;
        let end = |kept: &[u8]| kept.get(from..)?.iter().position(|byte| *byte == b'\n').map(|end| from + end);
        let woke = self.ground.wait(None, |sandbox| Ok(end(&sandbox.output().stdout.kept).is_some()))?;
        let kept = self.ground.sandbox.borrow().output().stdout.kept.clone();
        let Some(end) = end(&kept) else {
            let rest = kept.get(from..).unwrap_or_default().to_vec();
            let failure = self.ground.unmet(&woke, "it does not print what it must");
            let failure = failure.between(expected, "nothing");
            return Err(
                Failure { got: (!rest.is_empty()).then(|| rest.into()).or(failure.got.clone()), ..failure }.into()
            );
        };
        self.read = end + 1;
        Ok(kept[from..end].to_vec())
    }

    /// Expects exactly these bytes next on the program's standard output, before it ends.
    pub fn expect_output(&mut self, bytes: &[u8]) -> Done {
        self.ground.diary.step(format!("it must print {}", text::quoted_within(bytes, bytes.len(), 60)));
        let from = self.read;
        let there = |kept: &[u8]| kept.len() >= from + bytes.len();
        let woke = self.ground.wait(None, |sandbox| Ok(there(&sandbox.output().stdout.kept)))?;
        let got = self.ground.sandbox.borrow().output().stdout.kept.get(from..).unwrap_or_default().to_vec();
        if got.starts_with(bytes) {
            self.read = from + bytes.len();
            return Ok(());
        }
        let failure = match woke {
            Woke::Ready => self.ground.failure(Kind::Wrong, "it prints something else", None),
            other => self.ground.unmet(&other, "it does not print all that it must"),
        };
        Err(failure.between(bytes, got).into())
    }

    /// Expects that the program prints nothing more until it ends, or comes to rest.
    pub fn expect_no_more_lines(&mut self) -> Done {
        self.ground.diary.step("it must print nothing more");
        self.ground.settle()?;
        let rest = self.ground.sandbox.borrow().output().stdout.kept.get(self.read..).unwrap_or_default().to_vec();
        if rest.is_empty() {
            return Ok(());
        }
        let failure = self.ground.failure(Kind::Wrong, "it prints more than it must", None);
        Err(failure.between("nothing", rest).into())
    }

    /// Waits for the program's end.
    pub fn ends(&mut self) -> Done<Ending> {
        self.ground.diary.step("the program must end by itself");
        match self.ground.wait(None, |_| Ok(false))? {
            Woke::Ended => {}
            other => return Err(self.ground.unmet(&other, "it does not end").into()),
        }
        self.ground.ended().ok_or_else(|| Stop::Fault("a program ended, and nobody knows how".to_owned()))
    }

    /// Waits for the program's end, and expects this exit code.
    pub fn ends_with(&mut self, code: i32) -> Done {
        let ending = self.ends()?;
        if ending.how == How::Exited(code) && ending.limit.is_none() {
            return Ok(());
        }
        let failure = self.ground.failure(Kind::Ended, "it does not end as it must", None);
        Err(failure.between(format!("exit code {code}"), super::sight::how_it_ended(&ending)).into())
    }

    /// Waits for the program's end, and expects an exit code that says that it did not do what it was asked for.
    pub fn ends_with_an_error(&mut self) -> Done {
        let ending = self.ends()?;
        if matches!(ending.how, How::Exited(code) if code != 0) && ending.limit.is_none() {
            return Ok(());
        }
        let failure = self.ground.failure(Kind::Ended, "it does not end as it must", None);
        Err(failure.between("an exit code other than 0", super::sight::how_it_ended(&ending)).into())
    }

    /// Expects that the program is still there, once it has come to rest.
    pub fn still_runs(&mut self) -> Done {
        self.ground.diary.step("the program must still be there");
        self.ground.settle()?;
        match self.ground.ended() {
            None => Ok(()),
            Some(_) => Err(self.ground.failure(Kind::Ended, "it is no longer there", None).into()),
        }
    }

    /// Waits until the program sleeps, having done all that it can do by itself.
    pub fn settles(&self) -> Done {
        self.ground.settle()
    }

    /// Does nothing for so long: for checks whose subject is time.
    pub fn lets_pass(&self, time: Duration) -> Done {
        self.ground.diary.step(format!("our side waits for {} ms", time.as_millis()));
        self.ground.let_pass(time)
    }

    /// Kills the program, as a person does who restarts it. Its host, with all its connections, stays.
    pub fn is_killed(&mut self) -> Done {
        self.ground.diary.step("the program is killed");
        self.ground.sandbox.borrow_mut().kill_program()?;
        Ok(())
    }

    /// Sends the program a signal.
    pub fn gets(&mut self, signal: Signal) -> Done {
        self.ground.diary.step(format!("the program gets {signal:?}"));
        self.ground.sandbox.borrow_mut().signal(signal)?;
        Ok(())
    }

    /// Expects that the program's port is its own: a second server that would share it (`SO_REUSEPORT`), and is of the
    /// same user, as the kernel demands of those who share, cannot have it.
    pub fn shares_its_port_with_nobody(&self) -> Done {
        self.ground.diary.step("our second server tries to listen on the same port, with SO_REUSEPORT");
        let fault = |call: &str| {
            let call = call.to_owned();
            move |error: std::io::Error| Stop::ours(&call, &error)
        };
        let address = self.ground.address();
        let listens = |socket: &HostSocket| socket.state == "LISTEN" && socket.local.port() == address.port();
        let theirs = self.sockets()?.into_iter().find(listens);
        let second = self.ground.sandbox.borrow().socket(socket2::Type::STREAM).map_err(fault("socket"))?;
        let ours = rustix::fs::fstat(&second).map_err(|errno| fault("fstat")(errno.into()))?.st_uid;
        if let (0, Some(theirs)) = (ours, theirs) {
            let owner = rustix::fs::Uid::from_raw(theirs.owner);
            rustix::fs::fchown(&second, Some(owner), None).map_err(|errno| fault("fchown")(errno.into()))?;
        }
        second.set_reuse_port(true).map_err(fault("setsockopt"))?;
        let shared = second.bind(&address.into()).and_then(|()| second.listen(1));
        match shared {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Ok(()),
            Err(error) => Err(Stop::ours("bind", &error)),
            Ok(()) => {
                let what = "a second server can listen on its port while it is there";
                Err(self.ground.failure(Kind::Wrong, what, None).between("EADDRINUSE", "both listen").into())
            }
        }
    }

    /// The sockets of the host, the program's and ours.
    pub fn sockets(&self) -> Done<Vec<HostSocket>> {
        Ok(self.ground.sandbox.borrow_mut().sockets()?)
    }

    /// How much processor time the program uses, while nobody asks anything of it, must be next to nothing.
    pub fn is_idle(&self) -> Done {
        self.ground.diary.step("the program must rest while nobody asks anything of it");
        self.ground.settle()
    }

    /// From now on the program may sleep for so long before an answer, at the most.
    pub fn may_take(&self, time: Duration) {
        let looks = u32::try_from(time.as_millis() / 10).unwrap_or(u32::MAX);
        self.ground.patience.set(looks.max(super::ground::PATIENCE));
    }

    /// Says what our side still has to send, for the report of a hang.
    pub fn owes(&self, what: Option<&str>) {
        *self.ground.owed.borrow_mut() = what.map(str::to_owned);
    }

    /// A remark in the story.
    pub fn remark(&self, text: &str) {
        self.ground.diary.step(text);
    }

    /// A failure that this check has found by itself, with what is known of the program.
    pub fn failure(&self, what: &str) -> Failure {
        self.ground.failure(Kind::Wrong, what, None)
    }

    /// A number that the seed decides.
    pub fn number(&self, range: RangeInclusive<usize>) -> usize {
        let (first, last) = range.into_inner();
        self.ground.choices.borrow_mut().draw(first as u64..=last as u64) as usize
    }

    /// Small letters, so many; the seed decides which.
    pub fn word(&self, len: usize) -> String {
        self.of(b"abcdefghijklmnopqrstuvwxyz", len).into_iter().map(char::from).collect()
    }

    /// Bytes of every kind, so many; the seed decides which.
    pub fn bytes(&self, len: usize) -> Vec<u8> {
        let all: Vec<u8> = (0..=255).collect();
        self.of(&all, len)
    }

    fn of(&self, alphabet: &[u8], len: usize) -> Vec<u8> {
        let which = self.ground.choices.borrow_mut().draw(0..=u64::from(u32::MAX));
        // The simplest choice is the plainest text.
        let index = |at: usize| if which == 0 { at } else { scattered(which, at as u64) as usize };
        (0..len).map(|at| alphabet[index(at) % alphabet.len()]).collect()
    }
}

/// What a socket is, for a student who expects another one.
fn instead(socket: &HostSocket) -> String {
    let place = socket.local;
    match (socket.transport, socket.state) {
        (Transport::Tcp, "LISTEN") => format!("a TCP socket that listens on {place}"),
        (Transport::Tcp, state) => format!("a TCP socket at {place}, {state}"),
        (Transport::Udp, _) => format!("a UDP socket bound to {place}"),
    }
}

fn shown(typed: &str) -> String {
    text::quoted_within(typed.as_bytes(), typed.len(), 40)
}
