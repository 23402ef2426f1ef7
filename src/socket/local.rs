//! What sockets of `unix(7)` do besides: pairs, descriptors that are passed on, and who the peer is.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::{Domain, Socket, Type, domain_name, type_name};
use crate::sys;
use crate::trace::recorder::{traced, traced_opening};
use crate::trace::{Call, Credentials, MessageFlags, SocketOption, Syscall, Value, Wait};

/// A descriptor that came over a socket, `SCM_RIGHTS` of `unix(7)`. Whoever receives it says what it is; dropping it
/// closes it.
#[derive(Debug)]
pub struct Passed(Option<OwnedFd>);

impl Passed {
    /// The socket that it is, of this type, of the internet family.
    pub fn into_socket(self, ty: Type) -> Socket {
        Socket::from_inner(self.into_descriptor().into(), ty == Type::STREAM)
    }

    /// The descriptor itself.
    pub(crate) fn into_descriptor(mut self) -> OwnedFd {
        self.0.take().expect("a descriptor is there until it is taken")
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        if let Some(fd) = self.0.take() {
            let call = Call::new(Syscall::Close, Some(fd.as_raw_fd()));
            // What close returns stands in the trace; the descriptor is gone in any case, close(2).
            let _ = traced(call, Wait::Never, |_| sys::close(fd));
        }
    }
}

impl Socket {
    /// Makes two sockets that are connected to each other and have no name, `socketpair(2)` with `SOCK_CLOEXEC`.
    ///
    /// # Errors
    /// That of `socketpair(2)`: `EMFILE` with too many open files.
    pub fn pair(ty: Type) -> io::Result<(Socket, Socket)> {
        let call = Call::new(Syscall::SocketPair, None)
            .arg("domain", domain_name(Domain::UNIX))
            .arg("type", type_name(ty))
            .arg("protocol", 0);
        traced(call, Wait::Never, |call| {
            let (one, other) = socket2::Socket::pair(Domain::UNIX, ty, None)?;
            call.wrote("sv", format!("[{}, {}]", one.as_raw_fd(), other.as_raw_fd()));
            let local = |inner| {
                let mut socket = Socket::from_inner(inner, ty == Type::STREAM);
                socket.local = Some(ty);
                socket
            };
            Ok((local(one), local(other)))
        })
    }

    /// Sends bytes to the connected peer, and an open file or socket with them: `sendmsg(2)` with `SCM_RIGHTS` of
    /// `unix(7)`. The sender's own descriptor stays as it is.
    ///
    /// # Errors
    /// That of `sendmsg(2)`: as [`send`](Socket::send); `ETOOMANYREFS` with too many descriptors under way.
    pub fn send_descriptor(&self, buf: &[u8], descriptor: impl AsFd) -> io::Result<usize> {
        let descriptor = descriptor.as_fd();
        let call = self
            .call(Syscall::SendMsg)
            .sending_all(&[buf])
            .arg("SCM_RIGHTS", descriptor.as_raw_fd())
            .arg("flags", MessageFlags(0));
        traced(call, self.wait_to_send(0), |call| {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let descriptors = [descriptor];
            control.push(SendAncillaryMessage::ScmRights(&descriptors));
            let len = sendmsg(&*self.inner, &[IoSlice::new(buf)], &mut control, SendFlags::empty())?;
            call.returned(len);
            Ok(len)
        })
    }

    /// Receives bytes, and the descriptor that came with them, if one did: `recvmsg(2)` with `MSG_CMSG_CLOEXEC`.
    ///
    /// # Errors
    /// That of `recvmsg(2)`: as [`recv`](Socket::recv).
    pub fn recv_descriptor(&self, buf: &mut [u8]) -> io::Result<(usize, Option<Passed>)> {
        let flags = libc::MSG_CMSG_CLOEXEC;
        let call = self.call(Syscall::RecvMsg).arg("len", buf.len()).arg("flags", MessageFlags(flags));
        let received = |call: &mut Call| {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let got = recvmsg(&*self.inner, &mut [IoSliceMut::new(buf)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
            let passed = control.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                _ => None,
            });
            call.received(got.bytes, buf);
            let flags = [(ReturnFlags::TRUNC, libc::MSG_TRUNC), (ReturnFlags::CTRUNC, libc::MSG_CTRUNC)];
            let flags = flags.into_iter().filter(|(flag, _)| got.flags.contains(*flag));
            call.wrote("msg_flags", MessageFlags(flags.fold(0, |flags, (_, flag)| flags | flag)));
            if let Some(passed) = &passed {
                call.wrote("SCM_RIGHTS", passed.as_raw_fd());
            }
            Ok((got.bytes, passed))
        };
        let wait = self.wait_to_receive(0);
        let (len, passed) = traced_opening(call, wait, received, |(_, passed)| passed.as_ref().map(AsFd::as_fd))?;
        Ok((len, passed.map(|passed| Passed(Some(passed)))))
    }

    /// Which process the peer is, and whose: `SO_PEERCRED` of `unix(7)`. It is the one that called `connect`, `listen`
    /// or `socketpair`, whoever has the socket now.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: not to be expected of a connected socket.
    pub fn peer_credentials(&self) -> io::Result<Credentials> {
        traced(self.asking(SocketOption::PeerCred), Wait::Never, |call| {
            let peer = socket_peercred(&*self.inner)?;
            let (pid, uid, gid) = (peer.pid.as_raw_nonzero().get(), peer.uid.as_raw(), peer.gid.as_raw());
            let credentials = Credentials { pid, uid, gid };
            call.wrote("optval", Value::Credentials(credentials));
            Ok(credentials)
        })
    }
}
