//! One system call, as it stands in a trace.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EpollEvents, Errno, MessageFlags, PollEvents, Ready, SocketOption, SocketType, StatusFlags, Syscall};

/// How many bytes of a buffer a trace keeps.
pub const DATA_LIMIT: usize = 4096;

/// A word that is nearly always known when the program is built.
pub type Word = Cow<'static, str>;

/// A system call: what went in and, once it has returned, what came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Which one it is.
    pub name: Syscall,
    /// The descriptor it acts on, if it acts on one.
    pub fd: Option<RawFd>,
    /// What went in, by the names of the man page, in its order.
    pub args: Vec<(Word, Value)>,
    /// What the call wrote besides the data: an address, a flag, an option's value.
    pub out: Vec<(Word, Value)>,
    /// The bytes that were sent or received.
    pub data: Option<Data>,
    /// Where they stood in several buffers, one behind the other: the length of each.
    pub pieces: Vec<usize>,
    /// What it returned, once it has: in C's way, -1 for an error.
    pub ret: Option<i64>,
    /// The error.
    pub errno: Option<Errno>,
    /// The socket's queues after it returned.
    pub queues: Option<Queues>,
    /// Of one that a timer ended: how long that was, as a class, `about 1 s`.
    pub after: Option<Word>,
    /// How often it was made in a row, each time with the same result.
    pub times: u64,
}

/// An argument or a result of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number, or 1 and 0 for yes and no.
    Number(i64),
    /// A constant's name (`AF_INET`), or another word. Nothing is decided by it.
    Word(Word),
    /// A time, in whole milliseconds.
    Time(Duration),
    /// Flags of a send or a receive.
    Flags(MessageFlags),
    /// Events of `poll(2)`.
    Events(PollEvents),
    /// Flags of an open file description.
    Status(StatusFlags),
    /// Events of `epoll(7)`.
    EpollEvents(EpollEvents),
    /// What an `epoll_wait(2)` reported, in its order.
    Ready(Vec<Ready>),
    /// An option's name.
    Option(SocketOption),
    /// A socket's type.
    Type(SocketType),
    /// An error's number, where it is a value: of `SO_ERROR`, of a report from the error queue.
    Errno(Errno),
    /// An address as the kernel has it. The stage replaces it by a name.
    Address(SocketAddr),
    /// A process or a thread by the kernel's number. The stage replaces it by a name.
    Process(i32),
    /// The name of a socket of `unix(7)`: a path as the program gave it, or an abstract name, which begins with NUL.
    Path(String),
    /// Who a peer is, `struct ucred` of `unix(7)`. The stage replaces it by a name.
    Credentials(Credentials),
}

/// A process and whose it is, `struct ucred` of `unix(7)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Its number.
    pub pid: i32,
    /// The user.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
}

/// The first bytes of a buffer, and how many there were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// At most [`DATA_LIMIT`] bytes, or, of a frame, all of them.
    #[serde(with = "hexadecimal")]
    pub bytes: Vec<u8>,
    /// The true length.
    pub len: usize,
}

/// What the kernel holds for one socket, in bytes, where it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queues {
    /// Received and not read yet. For datagrams: the size of the first one.
    pub recv: Option<u32>,
    /// Sent and not acknowledged yet.
    pub send: Option<u32>,
    /// Accepted from the program and not sent yet; a part of `send`.
    pub unsent: Option<u32>,
}

impl Call {
    /// A call that is about to be made.
    pub fn new(name: Syscall, fd: Option<RawFd>) -> Call {
        Call {
            name,
            fd,
            args: Vec::new(),
            out: Vec::new(),
            data: None,
            pieces: Vec::new(),
            ret: None,
            errno: None,
            queues: None,
            after: None,
            times: 1,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl Into<Value>) -> Call {
        self.args.push((name.into(), value.into()));
        self
    }

    /// Adds the bytes that are to be sent.
    #[must_use]
    pub fn sending(mut self, bytes: &[u8]) -> Call {
        self.data = Some(Data::new(bytes));
        self.arg("len", bytes.len())
    }

    /// Adds the bytes of several buffers that are to be sent.
    #[must_use]
    pub fn sending_all(mut self, buffers: &[&[u8]]) -> Call {
        self.pieces = buffers.iter().map(|buffer| buffer.len()).collect();
        self.sending(&buffers.concat())
    }

    /// The buffers that it sends, as far as the trace keeps them, each with its true length.
    pub fn buffers(&self) -> Vec<(&[u8], usize)> {
        let (mut rest, mut buffers) = (self.bytes(), Vec::new());
        for len in &self.pieces {
            let (buffer, behind) = rest.split_at((*len).min(rest.len()));
            buffers.push((buffer, *len));
            rest = behind;
        }
        buffers
    }

    /// Notes what the call wrote besides its data.
    pub fn wrote(&mut self, name: &'static str, value: impl Into<Value>) {
        self.out.push((name.into(), value.into()));
    }

    /// Notes how many bytes the call said it moved.
    pub fn returned(&mut self, len: usize) {
        self.ret = Some(i64::try_from(len).unwrap_or(i64::MAX));
    }

    /// Notes that the call returned `len`, and the bytes that it put into `buf`.
    ///
    /// `len` may be more than the buffer holds: the true length of a datagram that was cut.
    pub fn received(&mut self, len: usize, buf: &[u8]) {
        self.returned(len);
        self.data = Some(Data::new(&buf[..len.min(buf.len())]));
    }

    /// Notes that the call failed.
    pub fn failed(&mut self, error: &io::Error) {
        self.ret = Some(-1);
        self.errno = Some(Errno::of(error));
    }

    /// An argument by its name in the man page.
    pub fn get_arg(&self, name: &str) -> Option<&Value> {
        self.args.iter().find(|(is, _)| is == name).map(|(_, value)| value)
    }

    /// What the call wrote, by its name in the man page.
    pub fn get_out(&self, name: &str) -> Option<&Value> {
        self.out.iter().find(|(is, _)| is == name).map(|(_, value)| value)
    }

    /// The flags of a send or a receive.
    pub fn flags(&self) -> MessageFlags {
        match self.get_arg("flags") {
            Some(Value::Flags(flags)) => *flags,
            _ => MessageFlags::default(),
        }
    }

    /// The events that a poll found.
    pub fn ready(&self) -> PollEvents {
        match self.get_out("revents") {
            Some(Value::Events(events)) => *events,
            _ => PollEvents::default(),
        }
    }

    /// The flags of an open file description that it found.
    pub fn status_flags(&self) -> Option<StatusFlags> {
        match self.get_out("status") {
            Some(Value::Status(flags)) => Some(*flags),
            _ => None,
        }
    }

    /// What an `epoll_wait` reported, in its order.
    pub fn reported(&self) -> &[Ready] {
        match self.get_out("events") {
            Some(Value::Ready(ready)) => ready,
            _ => &[],
        }
    }

    /// The events that an `epoll_ctl` asks for, and how they are to be reported.
    pub fn watched_for(&self) -> EpollEvents {
        match self.get_arg("events") {
            Some(Value::EpollEvents(events)) => *events,
            _ => EpollEvents::default(),
        }
    }

    /// The option that it sets or asks for.
    pub fn option(&self) -> Option<SocketOption> {
        match self.get_arg("optname") {
            Some(Value::Option(option)) => Some(*option),
            _ => None,
        }
    }

    /// The type of the socket that it makes.
    pub fn socket_type(&self) -> Option<SocketType> {
        match self.get_arg("type") {
            Some(Value::Type(kind)) => Some(*kind),
            _ => None,
        }
    }

    /// How long a poll may wait.
    pub fn timeout(&self) -> Option<Duration> {
        match self.get_arg("timeout") {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    /// The bytes sent or received, as far as the trace keeps them.
    pub fn bytes(&self) -> &[u8] {
        self.data.as_ref().map_or(&[], |data| &data.bytes)
    }

    /// Whether another call went as this one did, apart from how often.
    pub fn is_like(&self, other: &Call) -> bool {
        (self.name, self.fd, self.ret, self.errno) == (other.name, other.fd, other.ret, other.errno)
            && (&self.args, &self.out, &self.data) == (&other.args, &other.out, &other.data)
    }

    /// Whether it returned because its time was over.
    pub fn has_run_out(&self) -> bool {
        // A poll says so by finding nothing ready.
        matches!(self.errno, Some(Errno::EAGAIN | Errno::EINPROGRESS | Errno::EALREADY))
            || self.name.polls() && self.ret == Some(0)
    }

    /// Whether it sends on a socket.
    pub fn sends(&self) -> bool {
        self.name.sends()
    }

    /// Whether its data goes out, rather than comes in.
    pub fn takes_data(&self) -> bool {
        self.name.takes_data()
    }
}

impl Data {
    /// Keeps the first bytes of `bytes`.
    pub fn new(bytes: &[u8]) -> Data {
        Data { bytes: bytes[..bytes.len().min(DATA_LIMIT)].to_vec(), len: bytes.len() }
    }

    /// All bytes of a frame, which is no longer than the wire's MTU allows.
    pub fn whole(frame: &[u8]) -> Data {
        Data { bytes: frame.to_vec(), len: frame.len() }
    }
}

impl Value {
    /// The word, if it is one, or the path.
    pub fn as_word(&self) -> Option<&str> {
        match self {
            Value::Word(word) => Some(word),
            Value::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it says nothing: no flag, no protocol, no byte.
    pub fn is_nothing(&self) -> bool {
        match self {
            Value::Number(number) => *number == 0,
            Value::Word(word) => word == "0",
            Value::Flags(flags) => flags.is_empty(),
            _ => false,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Value {
        Value::Number(on.into())
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Value {
        Value::Word(word.into())
    }
}

impl From<String> for Value {
    fn from(word: String) -> Value {
        Value::Word(word.into())
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Value {
        Value::Time(time)
    }
}

impl From<MessageFlags> for Value {
    fn from(flags: MessageFlags) -> Value {
        Value::Flags(flags)
    }
}

impl From<PollEvents> for Value {
    fn from(events: PollEvents) -> Value {
        Value::Events(events)
    }
}

impl From<StatusFlags> for Value {
    fn from(flags: StatusFlags) -> Value {
        Value::Status(flags)
    }
}

impl From<EpollEvents> for Value {
    fn from(events: EpollEvents) -> Value {
        Value::EpollEvents(events)
    }
}

impl From<Vec<Ready>> for Value {
    fn from(ready: Vec<Ready>) -> Value {
        Value::Ready(ready)
    }
}

impl From<SocketOption> for Value {
    fn from(option: SocketOption) -> Value {
        Value::Option(option)
    }
}

impl From<SocketType> for Value {
    fn from(kind: SocketType) -> Value {
        Value::Type(kind)
    }
}

impl From<Errno> for Value {
    fn from(errno: Errno) -> Value {
        Value::Errno(errno)
    }
}

impl From<SocketAddr> for Value {
    fn from(address: SocketAddr) -> Value {
        Value::Address(address)
    }
}

/// Bytes as hexadecimal digits, in JSON and on the channel to the stage.
pub mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const DIGITS: &[u8; 16] = b"0123456789abcdef";

    /// Two digits a byte.
    pub fn encode(bytes: &[u8]) -> String {
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            text.push(DIGITS[usize::from(byte >> 4)].into());
            text.push(DIGITS[usize::from(byte & 15)].into());
        }
        text
    }

    /// The bytes again, or `None` where `text` is no sequence of pairs of digits.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
    }

    /// Writes bytes as a string of two digits a byte, for `#[serde(with)]`.
    ///
    /// # Errors
    /// That of the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&encode(bytes))
    }

    /// Reads what [`serialize`] wrote.
    ///
    /// # Errors
    /// That of the deserializer, and a string that is not hexadecimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        decode(&text).ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::hexadecimal::{decode, encode};
    use super::*;

    proptest! {
        #[test]
        fn hexadecimal_digits_give_the_bytes_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_no_pair_of_digits_is_refused(text in ".{0,9}") {
            let digits = text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(decode(&text).is_some(), digits);
        }

        #[test]
        fn a_call_passes_the_channel_unchanged(
            data in proptest::collection::vec(any::<u8>(), 0..5000),
            ret in any::<i64>(),
        ) {
            let mut call = Call::new(Syscall::Send, Some(3)).sending(&data).arg("flags", MessageFlags(libc::MSG_MORE));
            call.ret = Some(ret);
            let text = serde_json::to_string(&call).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Call>(&text).expect("a call"), call);
        }
    }

    #[test]
    fn several_buffers_are_one_run_of_bytes_and_known_apart() {
        let call = Call::new(Syscall::SendMsg, Some(3)).sending_all(&[b"head", b"", &[7; DATA_LIMIT]]);
        assert_eq!(call.data.as_ref().map(|data| data.len), Some(4 + DATA_LIMIT));
        let buffers = call.buffers();
        assert_eq!(buffers[..2], [(&b"head"[..], 4), (&b""[..], 0)]);
        assert_eq!((buffers[2].0.len(), buffers[2].1), (DATA_LIMIT - 4, DATA_LIMIT));
    }

    #[test]
    fn a_trace_keeps_the_beginning_of_a_long_buffer_and_its_true_length() {
        let data = Data::new(&[7; DATA_LIMIT + 1]);
        assert_eq!((data.bytes.len(), data.len), (DATA_LIMIT, DATA_LIMIT + 1));
    }
}
