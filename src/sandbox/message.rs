//! The channel between a sandbox's owner and its init: one message a packet, one answer a question, and descriptors
//! beside them. Nothing that a program writes ever gets here.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::archive::Excess;
use super::cgroup::Version;
use super::config::{Layer, Layers, Limits};
use super::fault::Fault;
use super::proc::Look;
use super::tally::Tally;
use super::{Ending, Limit, Remains};
use crate::sys::{retry_on_intr, wait_until_readable};

/// A message's largest size in bytes: what a socket's buffer takes (`net.core.wmem_default`), and room for the kernel.
pub const LARGEST: usize = 160 * 1024;

/// The most bytes that the words of a command have together: they fit into a message, and into what `execve(2)` takes.
pub const MOST_BYTES_OF_WORDS: usize = 64 << 10;
/// The most words of a command.
pub const MOST_WORDS: usize = 1024;

/// The most descriptors beside a message: a program's standard input, output and error.
const MOST_DESCRIPTORS: usize = 3;

/// What init is told or asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToInit {
    /// The first message. The archive comes along, if there is one, and then the entry of the program's
    /// control group and that of init's, if there are such.
    Prepare(Box<Plan>),
    /// Comes with the three standard descriptors.
    Start {
        #[serde(with = "words")]
        argv: Vec<OsString>,
        env: Vec<(String, String)>,
    },
    /// A new socket of this kind, please.
    Socket(SocketKind),
    Look,
    Tally,
    Signal(i32),
    /// Kill the program and all that it started, for this reason if there is one.
    Kill(Option<Limit>),
    /// Put what is in the scratch folder into the file that comes along.
    Pack,
    Close,
}

/// A kind of socket.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum SocketKind {
    Stream,
    Datagram,
    /// The one that hears every IPv4 packet of the host, `packet(7)`, if the plan asked for it.
    Packets,
}

/// What is to be prepared.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    pub layers: Layers,
    pub limits: Limits,
    /// What is shown besides `/usr`.
    #[serde(with = "words")]
    pub visible: Vec<OsString>,
    /// What is not shown, also where something that is shown contains it.
    #[serde(with = "words")]
    pub hidden: Vec<OsString>,
    /// The scratch folder, where the sandbox has no files of its own.
    pub scratch: Option<OsString>,
    /// Bytes of the archive, if there is one.
    pub archive: Option<u64>,
    pub port: u16,
    /// Whether a socket of [`SocketKind::Packets`] will be asked for: only now there is the right to open one.
    pub capture: bool,
    pub group: Option<GroupPlan>,
}

/// The control group of the program.
#[derive(Debug, Serialize, Deserialize)]
pub struct GroupPlan {
    /// The last of owner and keeper removes it.
    pub folder: OsString,
    pub version: Version,
    /// Whether init has one, too.
    pub has_keep: bool,
}

/// What init answers, and the one thing that it tells unasked: an end.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromInit {
    /// Comes with a socket that answers questions about this host's sockets.
    Ready(Vec<Note>),
    Fault(Fault),
    Started,
    Socket,
    Look(Look),
    Tally(Tally),
    Done,
    Remains(Remains),
    /// The bytes of the files that were packed, or why there are none.
    Packed(Result<u64, Excess>),
    Ended(Ending),
}

/// Something that holds less than it might, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Note {
    pub layer: Layer,
    pub why: String,
}

/// Sends one message with descriptors.
///
/// # Errors
/// `InvalidInput` for one that is too long, `EPIPE` when the other end is gone.
pub fn send(channel: impl AsFd, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too long: a message takes 160 KiB"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    retry_on_intr(|| sendmsg(&channel, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// A message and the descriptors that came with it.
pub type Received<T> = (T, Vec<OwnedFd>);

/// Waits for one message, at most `at_most`. `None` when the other end is gone.
///
/// # Errors
/// `ETIMEDOUT` when the time is over, and what `serde_json` says of a message that is none.
pub fn receive<T: DeserializeOwned>(channel: impl AsFd, at_most: Duration) -> io::Result<Option<Received<T>>> {
    if !wait_until_readable(&channel, at_most)? {
        return Err(io::Error::from_raw_os_error(libc::ETIMEDOUT));
    }
    let mut bytes = vec![0; LARGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut receive = || recvmsg(&channel, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC);
    let received = match retry_on_intr(&mut receive) {
        Ok(received) => received.bytes,
        Err(Errno::CONNRESET) => 0,
        Err(error) => return Err(error.into()),
    };
    if received == 0 {
        return Ok(None);
    }
    let descriptors = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
        _ => Vec::new(),
    });
    let descriptors = descriptors.collect();
    Ok(Some((read(&bytes[..received])?, descriptors)))
}

/// Reads the bytes of one message.
///
/// # Errors
/// What `serde_json` says of bytes that are none.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Words of any bytes as hexadecimal digits: as numbers, JSON would make four bytes of one.
mod words {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::trace::hexadecimal;

    pub fn serialize<S: Serializer>(words: &[OsString], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(words.iter().map(|word| hexadecimal::encode(word.as_bytes())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<OsString>, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        let word = |word: String| hexadecimal::decode(&word).map(OsString::from_vec);
        words.into_iter().map(|text| word(text).ok_or_else(|| D::Error::custom("not hexadecimal"))).collect()
    }
}
