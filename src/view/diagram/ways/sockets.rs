//! The sockets of a scene: their names, what went through each, and how it ended.

use std::collections::{HashMap, VecDeque};

use crate::trace::{Call, Errno, Event, SocketOption, SocketType, Syscall, Value, What};

/// One socket, from the call that made it.
#[derive(Default)]
pub(super) struct Socket<'a> {
    /// The role, or which of its processes and threads used it last.
    pub role: &'a str,
    pub stream: bool,
    /// Whether it is one of `unix(7)`, whose name only a bind gives.
    pub unix: bool,
    /// Whether its connection is one of records, `SOCK_SEQPACKET`.
    pub records: bool,
    /// Whether it is one that another role has made, and passed on.
    pub passed: bool,
    /// The other one of a pair, which was made at the same time.
    pub twin: Option<usize>,
    /// The name of its address, and the event since which it has it.
    pub local: Option<(String, usize)>,
    /// The peers that connect gave it, and since when.
    pub peers: Vec<(String, usize)>,
    /// A stream's connect that succeeded or has begun to: the events of its beginning and its return.
    pub connected: Option<(usize, usize)>,
    /// The event of a connect that was refused.
    pub refused: Option<usize>,
    pub listens: Option<usize>,
    /// The listener that it was accepted from, the peer's name, and the event.
    pub accepted: Option<(usize, String, usize)>,
    pub sends: Vec<Moved<'a>>,
    /// The parts of a datagram that waits for more, `MSG_MORE`.
    begun: Option<Moved<'a>>,
    pub receives: Vec<Moved<'a>>,
    /// Where a receive found the end of the stream.
    pub ends: Vec<usize>,
    /// Errors that a call reported.
    pub errors: Vec<(usize, Errno)>,
    /// Reports that were read from the error queue.
    pub reports: Vec<usize>,
    /// Whether an unconnected socket hears of errors, too.
    pub asks_for_errors: bool,
    /// Whether a close throws away and resets.
    pub lingers_not: bool,
    pub shut_write: Option<usize>,
    pub shut_read: Option<usize>,
    pub closed: Option<usize>,
    /// Whether something went through it that has no position here.
    pub unclear: bool,
}

/// What one call moved.
pub(super) struct Moved<'a> {
    /// The event in which the call began, and that in which it returned.
    pub began: usize,
    pub at: usize,
    pub len: usize,
    /// The beginning of it.
    pub bytes: &'a [u8],
    /// Of a datagram: where it went, or came from.
    pub other: Option<&'a str>,
    /// Of a receive: how much it had room for.
    pub room: usize,
}

impl Socket<'_> {
    /// Whether it has this name and is open, at an event.
    pub fn has(&self, name: &str, at: usize) -> bool {
        let is_it = self.local.as_ref().is_some_and(|(local, since)| is_called(local, name) && *since < at);
        is_it && self.closed.is_none_or(|closed| closed > at)
    }

    /// The peer that it is connected to, at an event.
    pub fn peer(&self, at: usize) -> Option<&str> {
        self.peers.iter().rev().find(|(_, since)| *since < at).map(|(peer, _)| peer.as_str())
    }
}

/// Whether a socket with this address is reached by that one: it is the same, or every one of its host.
pub(super) fn is_called(local: &str, name: &str) -> bool {
    let port = local.strip_prefix("0.0.0.0:").or_else(|| local.strip_prefix("[::]:"));
    local == name || port.is_some_and(|port| port_of(name) == port)
}

/// Whether the peer that accept gave is the socket with this address: an IPv6 listener has an IPv4 address as
/// `[::ffff:127.0.0.1]`.
pub(super) fn is_peer(accepted: &str, local: &str) -> bool {
    let is_mapped = accepted.starts_with("[::ffff:") && !local.starts_with('[');
    accepted == local || is_mapped && port_of(accepted) == port_of(local)
}

fn port_of(address: &str) -> &str {
    address.rsplit(':').next().unwrap_or_default()
}

/// Reads the sockets off a scene's events.
pub(super) fn of<'a>(events: &[&'a Event]) -> Vec<Socket<'a>> {
    let mut reader = Reader::default();
    for (at, event) in events.iter().enumerate() {
        let Some(role) = event.actor() else { continue };
        match &event.what {
            What::Begin(call) => {
                let socket = reader.socket(role, call);
                reader.begun.insert(role, (at, socket));
            }
            What::Call(call) => {
                let begun = reader.begun.remove(role);
                let (began, socket) = begun.unwrap_or_else(|| (at, reader.socket(role, call)));
                reader.call(role, call, socket, began, at);
                if begun.is_some()
                    && let Some(index) = socket
                {
                    reader.let_go(index, at);
                }
            }
            What::Exit(_) => {
                let fds: Vec<i32> = reader.open.keys().filter(|(of, _)| *of == role).map(|(_, fd)| *fd).collect();
                fds.into_iter().for_each(|fd| reader.close(role, fd, at));
            }
            _ => {}
        }
    }
    reader.sockets
}

#[derive(Default)]
struct Reader<'a> {
    sockets: Vec<Socket<'a>>,
    open: HashMap<(&'a str, i32), usize>,
    /// Whose descriptors a thread has.
    threads: HashMap<&'a str, &'a str>,
    /// The calls that have begun and not returned: since when, and on which socket. Until it returns, a call has its
    /// socket, whatever another thread does with the number.
    begun: HashMap<&'a str, (usize, Option<usize>)>,
    /// What was passed on and has not been received: which socket, if it is one.
    passed: VecDeque<Option<usize>>,
    /// How many addresses of each role the kernel chose: they are named in this order.
    chosen: HashMap<String, usize>,
}

impl<'a> Reader<'a> {
    /// A process has closed a socket: nobody has it any more, or another one still does.
    fn close(&mut self, process: &'a str, fd: i32, at: usize) {
        if let Some(index) = self.open.remove(&(process, fd)) {
            self.let_go(index, at);
        }
    }

    /// Notes that a socket is closed, unless a process or a call has it.
    fn let_go(&mut self, index: usize, at: usize) {
        let calls = self.begun.values().filter_map(|(_, socket)| *socket);
        if !self.open.values().copied().chain(calls).any(|held| held == index) {
            self.sockets[index].closed.get_or_insert(at);
        }
    }

    /// The socket of a call that begins now.
    fn socket(&self, actor: &'a str, call: &Call) -> Option<usize> {
        let process = self.threads.get(actor).copied().unwrap_or(actor);
        call.fd.and_then(|fd| self.open.get(&(process, fd)).copied())
    }

    /// A process or a thread that has been made has its maker's sockets.
    fn divides(&mut self, process: &'a str, call: &'a Call) {
        if let Some(thread) = call.get_out("thread").and_then(Value::as_word) {
            self.threads.insert(thread, process);
        } else if let Some(child) = call.get_out("pid").and_then(Value::as_word) {
            let has: Vec<(i32, usize)> =
                self.open.iter().filter(|((of, _), _)| *of == process).map(|((_, fd), index)| (*fd, *index)).collect();
            self.open.extend(has.into_iter().map(|(fd, index)| ((child, fd), index)));
        }
    }

    fn call(&mut self, actor: &'a str, call: &'a Call, index: Option<usize>, began: usize, at: usize) {
        let role = self.threads.get(actor).copied().unwrap_or(actor);
        if call.name.makes_an_actor() {
            self.divides(role, call);
        }
        let made = call.ret.filter(|ret| *ret >= 0 && call.name.opens()).and_then(|ret| i32::try_from(ret).ok());
        if let (Some(fd), Syscall::DupFd, Some(index)) = (made, call.name, index) {
            self.open.insert((role, fd), index);
            return;
        }
        if let Some(fd) = made {
            let socket = match (call.name, index) {
                (Syscall::Accept, Some(listener)) => {
                    let peer = call.get_out("addr").and_then(Value::as_word).unwrap_or_default().to_owned();
                    let local = self.sockets[listener].local.clone();
                    let Socket { stream, unix, records, .. } = self.sockets[listener];
                    Socket {
                        role,
                        stream,
                        unix,
                        records,
                        local,
                        accepted: Some((listener, peer, at)),
                        ..Socket::default()
                    }
                }
                _ => {
                    let unix = call.get_arg("domain").and_then(Value::as_word) == Some("AF_UNIX");
                    let records = call.socket_type() == Some(SocketType::SeqPacket);
                    let stream = records || call.socket_type() == Some(SocketType::Stream);
                    Socket { role, stream, unix, records, ..Socket::default() }
                }
            };
            self.open.insert((role, fd), self.sockets.len());
            self.sockets.push(socket);
            return;
        }
        if call.name == Syscall::SocketPair {
            self.pair(role, call);
        }
        let Some(index) = index else { return };
        if call.name.sends() || call.name.receives() {
            self.sockets[index].role = actor;
        }
        let good = call.errno.is_none();
        self.pass(role, call);
        let address = || call.get_arg("addr").and_then(Value::as_word).unwrap_or_default().to_owned();
        match call.name {
            Syscall::Bind if good && address().ends_with(":0") => self.choose(index, at),
            Syscall::Bind if good => self.sockets[index].local = Some((address(), at)),
            Syscall::Listen if good => {
                self.choose(index, at);
                self.sockets[index].listens = Some(at);
            }
            Syscall::Connect => {
                // An IPv6 address is called by itself.
                let ip = address();
                let ip = ip.rsplit_once(':').map(|(ip, _)| ip).filter(|ip| ip.starts_with('['));
                self.choose_of(ip, index, at);
                let socket = &mut self.sockets[index];
                if !socket.stream || good || call.errno == Some(Errno::EINPROGRESS) {
                    socket.peers.push((address(), at));
                    socket.connected = Some((began, at));
                } else if call.errno == Some(Errno::ECONNREFUSED) {
                    socket.peers.push((address(), at));
                    socket.refused = Some(at);
                }
            }
            Syscall::Shutdown if good => {
                let how = call.get_arg("how").and_then(Value::as_word).unwrap_or_default();
                let socket = &mut self.sockets[index];
                if how != "SHUT_RD" {
                    socket.shut_write.get_or_insert(at);
                }
                if how != "SHUT_WR" {
                    socket.shut_read.get_or_insert(at);
                }
            }
            Syscall::SetSockOpt if good => {
                let socket = &mut self.sockets[index];
                let value = call.get_arg("optval");
                match call.option() {
                    Some(SocketOption::Linger) => {
                        socket.lingers_not = value.and_then(Value::as_word) == Some("{l_onoff=1, l_linger=0}");
                    }
                    Some(SocketOption::RecvErr) => socket.asks_for_errors = !value.is_some_and(Value::is_nothing),
                    _ => {}
                }
            }
            Syscall::GetSockOpt => {
                if let Some(Value::Errno(errno)) = call.get_out("optval").filter(|_| good)
                    && errno.0 != 0
                {
                    self.sockets[index].errors.push((at, *errno));
                }
            }
            Syscall::Close => call.fd.into_iter().for_each(|fd| self.close(role, fd, at)),
            name if name.sends() => {
                if !self.sockets[index].stream {
                    self.choose(index, at);
                }
                self.sockets[index].moves(call, began, at);
            }
            name if name.receives() || name == Syscall::Read => self.sockets[index].moves(call, began, at),
            _ => {}
        }
    }

    /// Notes two sockets that are connected to each other: `[3, 4]`.
    fn pair(&mut self, role: &'a str, call: &Call) {
        let sv = call.get_out("sv").and_then(Value::as_word).unwrap_or_default();
        let numbers = sv.trim_matches(['[', ']']).split(", ").filter_map(|number| number.parse().ok());
        let (first, records) = (self.sockets.len(), call.socket_type() == Some(SocketType::SeqPacket));
        for (twin, fd) in [first + 1, first].into_iter().zip(numbers) {
            self.open.insert((role, fd), self.sockets.len());
            let stream = call.socket_type() != Some(SocketType::Datagram);
            self.sockets.push(Socket { role, stream, unix: true, records, twin: Some(twin), ..Socket::default() });
        }
    }

    /// Notes a descriptor that is passed on, `SCM_RIGHTS` of `unix(7)`: its bytes are another role's affair then.
    fn pass(&mut self, role: &'a str, call: &Call) {
        let number = |value: Option<&Value>| i32::try_from(value?.as_number()?).ok();
        if let Some(fd) = number(call.get_arg("SCM_RIGHTS")).filter(|_| call.errno.is_none()) {
            let index = self.open.get(&(role, fd)).copied();
            self.passed.push_back(index);
            if let Some(index) = index {
                self.sockets[index].unclear = true;
            }
        }
        if let Some(fd) = number(call.get_out("SCM_RIGHTS"))
            && let Some(index) = self.passed.pop_front().flatten()
        {
            let Socket { stream, ref local, ref accepted, .. } = self.sockets[index];
            let (local, accepted) = (local.clone(), accepted.clone());
            self.open.insert((role, fd), self.sockets.len());
            self.sockets.push(Socket { role, stream, local, accepted, passed: true, ..Socket::default() });
        }
    }

    /// Gives a socket that has no address yet the next name of its role's, as the stage does.
    fn choose(&mut self, index: usize, at: usize) {
        self.choose_of(None, index, at);
    }

    /// The same for a socket with this IP address, where that stands in place of its role.
    fn choose_of(&mut self, ip: Option<&str>, index: usize, at: usize) {
        let Socket { role, local: None, unix: false, .. } = self.sockets[index] else { return };
        let whose = ip.unwrap_or_else(|| role.split('/').next().unwrap_or(role));
        let count = self.chosen.entry(whose.to_owned()).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{whose}:port") } else { format!("{whose}:port{count}") };
        self.sockets[index].local = Some((name, at));
    }
}

impl<'a> Socket<'a> {
    /// Notes what a call sent or received, or how it failed.
    fn moves(&mut self, call: &'a Call, began: usize, at: usize) {
        if let Some(errno) = call.errno {
            self.errors.push((at, errno));
            return;
        }
        if call.flags().contains(libc::MSG_ERRQUEUE) {
            self.reports.push(at);
            return;
        }
        // What is only looked at stays there.
        if !call.sends() && call.flags().contains(libc::MSG_PEEK) {
            return;
        }
        let Some(ret) = call.ret.and_then(|ret| usize::try_from(ret).ok()) else { return };
        self.unclear |= call.flags().contains(libc::MSG_OOB) || call.times != 1 && ret > 0;
        let number = |name| call.get_arg(name).and_then(Value::as_number).and_then(|len| usize::try_from(len).ok());
        let room = number("len").unwrap_or(usize::MAX);
        let word = |value: Option<&'a Value>| value.and_then(Value::as_word);
        let is_many = matches!(call.name, Syscall::SendMmsg | Syscall::RecvMmsg);
        if self.stream {
            self.unclear |= is_many;
            let moved = Moved { began, at, len: ret, bytes: call.bytes(), other: None, room };
            match (call.sends(), ret) {
                (true, _) => self.sends.push(moved),
                // An empty record looks like the end.
                (false, 0) if room > 0 && !self.records => self.ends.push(at),
                (false, _) => self.receives.push(moved),
            }
            return;
        }
        let from = call.get_out("src_addr").or_else(|| call.get_out("msg_name"));
        let other = if call.sends() { word(call.get_arg("dest_addr")) } else { word(from) };
        let whole = call.data.as_ref().map_or(0, |data| data.len);
        let one = [(call.bytes(), whole)];
        let buffers = if is_many { call.buffers() } else { one.to_vec() };
        let many = buffers.into_iter().take(if is_many { ret } else { 1 });
        let moved = many.map(|(bytes, len)| Moved { began, at, len, bytes, other, room });
        for moved in moved {
            if !call.sends() {
                self.receives.push(moved);
                continue;
            }
            // Parts are one datagram with the send that completes it. It begins with the bytes of the first.
            let whole = match self.begun.take() {
                Some(first) => Moved { began: moved.began, at: moved.at, len: first.len + moved.len, ..first },
                None => moved,
            };
            if call.flags().contains(libc::MSG_MORE) {
                self.begun = Some(whole);
            } else {
                self.sends.push(whole);
            }
        }
    }
}
