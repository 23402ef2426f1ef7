//! The channel between a role and the stage: one message a packet, on a descriptor far above the role's own.

use std::cell::RefCell;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{Resource, getrlimit};
use rustix::thread::sched_yield;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::limits::{Attempted, PREFERRED_ROLE_END};
use crate::sys;
use crate::trace::{Call, Probe, Wait};

/// The descriptor of a role's end of the channel: [`PREFERRED_ROLE_END`], or the last one that the limit allows. The
/// stage and its roles, which are forked from it, have one answer.
pub fn role_end() -> RawFd {
    static ROLE_END: OnceLock<RawFd> = OnceLock::new();
    *ROLE_END.get_or_init(|| {
        let last = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(1);
        RawFd::try_from(last).map_or(PREFERRED_ROLE_END, |last| last.min(PREFERRED_ROLE_END))
    })
}

/// The first descriptor of those that a role's processes and threads have for their channels, and no call of its own
/// gets.
pub fn first_of_ours() -> RawFd {
    const OURS: RawFd = 64;
    (role_end() - OURS).max(3)
}

/// Whether a descriptor of a role's is one of the stage's channels. Of a call whose first argument is an address, the
/// number that this gives is neither small nor one of these few.
pub fn is_ours(descriptor: RawFd) -> bool {
    (first_of_ours()..=role_end()).contains(&descriptor)
}

/// A message's largest size in bytes: the longest text with every byte as JSON's `\u0000`, and ample room.
const LARGEST: usize = 8 * LONGEST_TEXT;

/// The longest line or remark that a role may have printed, in bytes.
pub const LONGEST_TEXT: usize = 16 * 1024;

/// What a role tells the stage.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToStage {
    /// It is about to act, at a time of `CLOCK_MONOTONIC` in nanoseconds.
    Next(Act, u64),
    /// Its call has returned. A socket that the call made comes along.
    Done(Call, u64),
    /// It has started a program, whose kill pipe comes along. The other end is held by the process with this id.
    KillPipe(i32),
    /// It asks what an address is called.
    Name(SocketAddr),
    /// It is about to make a process or a thread, and asks for a channel for it.
    Branch,
}

/// What a role is about to do.
#[derive(Debug, Serialize, Deserialize)]
pub enum Act {
    Call(Box<Call>, Wait),
    /// Nothing more: it has made a call without leave.
    Made(Box<Call>),
    Say(String),
    /// What it has found out about a command that it has started.
    Found(Probe, RawFd),
    Note(String),
    Meet(String),
    Prompt(String),
    /// Its first step, as a thread.
    Begin,
    /// To end: as it should, or with an error in words.
    End(Result<(), String>),
}

/// What the stage answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToRole {
    Go,
    Line(Option<String>),
    Name(String),
    /// The channel that it has asked for comes along, if there is one.
    Channel,
}

/// Two ends of a new channel: a pair of `SOCK_SEQPACKET` sockets, `unix(7)`.
///
/// # Errors
/// Those of `socketpair(2)`.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message, and a descriptor with it if there is one. Waits while the channel is full.
///
/// # Errors
/// Those of `sendmsg(2)` but `EINTR`.
pub fn send(channel: impl AsFd, message: &impl Serialize, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    send_with(channel, message, descriptor, SendFlags::NOSIGNAL)
}

/// Sends one message, if the channel has room for it: a role that takes no answers must not stop the stage.
///
/// # Errors
/// Those of `sendmsg(2)` but `EINTR`; `EAGAIN` when the channel is full.
pub fn send_at_once(
    channel: impl AsFd,
    message: &impl Serialize,
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    send_with(channel, message, descriptor, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}

fn send_with(
    channel: impl AsFd,
    message: &impl Serialize,
    descriptor: Option<BorrowedFd<'_>>,
    flags: SendFlags,
) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    let began = Instant::now();
    loop {
        match sys::retry_on_intr(|| sendmsg(&channel, &[IoSlice::new(&bytes)], &mut control, flags)) {
            // A role may have set itself a limit that is lower than what this user's other programs have on its way.
            Err(rustix::io::Errno::TOOMANYREFS) if began.elapsed() < TOO_MANY_ON_THEIR_WAY => sched_yield(),
            sent => return Ok(sent.map(drop)?),
        }
    }
}

/// How long a send waits for the descriptors that all of this user's programs have sent, and that nobody has received:
/// they may not be more than a sender's limit on open ones, `ETOOMANYREFS` of `unix(7)`.
const TOO_MANY_ON_THEIR_WAY: Duration = Duration::from_secs(10);

/// Waits for one message, and the descriptor that came with it. `None` when the other end is gone.
///
/// # Errors
/// Those of `recvmsg(2)` but `EINTR`, and a message that is none of ours.
pub fn receive<T: DeserializeOwned>(channel: impl AsFd) -> io::Result<Option<(T, Option<OwnedFd>)>> {
    thread_local! {
        // Kept from message to message: clearing it each time would cost more than the message.
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; LARGEST]);
    }
    BUFFER.with_borrow_mut(|bytes| receive_into(bytes, channel))
}

fn receive_into<T: DeserializeOwned>(bytes: &mut [u8], channel: impl AsFd) -> io::Result<Option<(T, Option<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        sys::retry_on_intr(|| recvmsg(&channel, &mut [IoSliceMut::new(bytes)], &mut control, RecvFlags::CMSG_CLOEXEC));
    let received = match received {
        // The socket that came along could not be given a number.
        Ok(received) if received.flags.contains(ReturnFlags::CTRUNC) => {
            return Err(rustix::io::Errno::MFILE).attempted("recvmsg");
        }
        Ok(received) => received.bytes,
        Err(rustix::io::Errno::CONNRESET) => 0,
        Err(error) => return Err(error.into()),
    };
    if received == 0 {
        return Ok(None);
    }
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(Some((serde_json::from_slice(&bytes[..received])?, descriptor)))
}
