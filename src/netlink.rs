//! Messages to the kernel and its answers, `netlink(7)`: for whoever asks and for whoever changes something.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, Protocol, Socket, Type};

/// The size of `nlmsghdr`: length, kind, flags, number and sender.
const HEAD: usize = 16;

/// No answer is longer: a table comes in several.
const LONGEST: usize = 32 << 10;

/// Opens the kernel of this network namespace to messages of one protocol. It stays that namespace's.
pub fn open(protocol: libc::c_int) -> io::Result<OwnedFd> {
    let protocol = Some(Protocol::from(protocol));
    Ok(Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW.cloexec(), protocol)?.into())
}

/// Sends one message and hands over what answers it: one answer, row by row a table (`NLM_F_DUMP`), or nothing where
/// only an acknowledgement was asked for (`NLM_F_ACK`). What the kernel refuses is an error.
///
/// Never waits: the kernel has answered when the message has been sent, and goes on with a table when it is read.
pub fn ask(
    kernel: &impl AsFd,
    kind: u16,
    flags: libc::c_int,
    body: &[u8],
    mut each: impl FnMut(&[u8]),
) -> io::Result<()> {
    let kernel = kernel.as_fd();
    let mut message = Vec::with_capacity(HEAD + body.len());
    message.extend((HEAD as u32 + body.len() as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
    message.extend([0; 8]); // number and sender: one question at a time
    message.extend(body);
    send(kernel, &message, SendFlags::empty())?;
    let is_table = flags & libc::NLM_F_DUMP == libc::NLM_F_DUMP;
    let mut buffer = vec![0; if is_table { LONGEST } else { 8192 }];
    while !take(kernel, &mut buffer, &mut each)? && is_table {}
    Ok(())
}

/// Takes what has come, and hands over the bodies of its answers. Whether it ends a table.
fn take(kernel: BorrowedFd<'_>, buffer: &mut [u8], each: &mut impl FnMut(&[u8])) -> io::Result<bool> {
    let (_, len) = recv(kernel, &mut *buffer, RecvFlags::TRUNC)?;
    let mut rest = buffer.get(..len).ok_or_else(is_cut)?;
    while !rest.is_empty() {
        let kind = i32::from(u16::from_ne_bytes(rest.get(4..6).ok_or_else(is_cut)?.try_into().map_err(|_| is_cut())?));
        let len = number(rest, 0)? as usize;
        let body = rest.get(HEAD..len).ok_or_else(is_cut)?;
        match kind {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => match number(body, 0)? as i32 {
                0 => {} // the acknowledgement
                error => return Err(io::Error::from_raw_os_error(-error)),
            },
            _ => each(body),
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// The number of four bytes that stands there in an answer.
pub fn number(answer: &[u8], at: usize) -> io::Result<u32> {
    let bytes = answer.get(at..at + 4).ok_or_else(is_cut)?;
    Ok(u32::from_ne_bytes(bytes.try_into().map_err(|_| is_cut())?))
}

/// What is wrong with an answer that is shorter than it should be.
pub fn is_cut() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// `SOCK_DIAG_BY_FAMILY`, and `TCP_LISTEN` of `<net/tcp_states.h>`.
    const KIND: u16 = 20;
    const LISTEN: u32 = 10;

    /// Asks for the IPv4 sockets of a protocol that are in one state: the local ports of those.
    fn ports(protocol: libc::c_int, state: u32) -> io::Result<Vec<u16>> {
        let mut question = vec![libc::AF_INET as u8, protocol as u8, 0, 0];
        question.extend((1u32 << state).to_ne_bytes());
        question.resize(56, 0);
        let mut ports = Vec::new();
        let each = |row: &[u8]| ports.push(u16::from_be_bytes([row[4], row[5]]));
        ask(&open(libc::NETLINK_SOCK_DIAG)?, KIND, libc::NLM_F_DUMP, &question, each)?;
        Ok(ports)
    }

    #[test]
    fn a_table_comes_whole_however_many_answers_it_takes() {
        // A row is some hundred bytes: several answers.
        let listeners: Vec<TcpListener> =
            (0..200).map(|_| TcpListener::bind("127.0.0.1:0").expect("a listener")).collect();
        let all = ports(libc::IPPROTO_TCP, LISTEN).expect("a table");
        for listener in &listeners {
            let port = listener.local_addr().expect("an address").port();
            assert_eq!(all.iter().filter(|one| **one == port).count(), 1, "{port} of {all:?}");
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_an_error() {
        let none = |body: &[u8]| panic!("an answer: {body:?}");
        let kernel = open(libc::NETLINK_SOCK_DIAG).expect("a netlink socket");
        let error = ask(&kernel, KIND, 0, &[], none).expect_err("no question");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        // The next question is answered for itself.
        let error = ask(&kernel, 9999, 0, &[0; 56], none).expect_err("no kind of question");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn an_answer_that_is_cut_is_told() {
        assert_eq!(number(&[1, 0, 0], 0).expect_err("too short").kind(), io::ErrorKind::UnexpectedEof);
    }
}
