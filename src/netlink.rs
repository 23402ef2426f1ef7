//! Messages to the kernel and its answers, `netlink(7)`: questions about sockets, and changes to interfaces.

pub mod inet_diag;
pub mod memory_diag;

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use libc::nlmsghdr;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, SendFlags, getsockname, recv, send};
use socket2::{Domain, Protocol, Socket, Type};

use crate::sys::retry_on_intr;

/// The most bytes that the kernel sends at a time: a table comes in several datagrams.
const MAX_TABLE_DATAGRAM: usize = 32 << 10;
const MAX_DATAGRAM: usize = 8 << 10;

/// The most times that a table is asked for, when it changes each time while the kernel writes it down.
const MAX_ATTEMPTS: usize = 8;

/// Opens the kernel of this network namespace to messages of one protocol, `NETLINK_…` of `netlink(7)`. The socket
/// stays that namespace's, whichever process has it.
///
/// # Errors
/// `EPROTONOSUPPORT` where the kernel does not have the protocol.
pub fn open(protocol: libc::c_int) -> io::Result<OwnedFd> {
    let protocol = Some(Protocol::from(protocol));
    Ok(Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW.cloexec(), protocol)?.into())
}

/// Sends one message and passes the bodies of its answers to `each`: one answer, row by row a table (`NLM_F_DUMP`), or
/// none where only an acknowledgement was asked for (`NLM_F_ACK`).
///
/// Never waits: the kernel has answered when the message has been sent, and goes on with a table when it is read. A
/// table that changed while the kernel wrote it down (`NLM_F_DUMP_INTR`) is asked for again; `each` sees only a whole
/// one. Answers to earlier messages are skipped.
///
/// # Errors
/// What the kernel answers; `Interrupted` for a table that changed every time; `UnexpectedEof` for an answer that is
/// cut short. Nothing of the answer is left in the socket then.
pub fn ask(
    kernel: &impl AsFd,
    kind: u16,
    flags: libc::c_int,
    body: &[u8],
    mut each: impl FnMut(&[u8]),
) -> io::Result<()> {
    let kernel = kernel.as_fd();
    for _ in 0..MAX_ATTEMPTS {
        let number = next_number();
        let message = message(kind, flags, number, body);
        retry_on_intr(|| send(kernel, &message, SendFlags::empty()))?;
        // The kernel has given the socket its port, at the latest when it sent.
        let port = SocketAddrNetlink::try_from(getsockname(kernel)?)?.pid();
        let request = Request { number, port, is_table: flags & libc::NLM_F_DUMP == libc::NLM_F_DUMP };
        let answer = receive(kernel, request)?;
        if !answer.has_changed {
            answer.rows().for_each(&mut each);
            return Ok(());
        }
    }
    Err(io::Error::new(io::ErrorKind::Interrupted, "the table changed each time that it was read"))
}

/// A number that tells the answers to one message from those to another, `nlmsg_seq`.
fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The bytes of a message: `nlmsghdr` and body.
fn message(kind: u16, flags: libc::c_int, number: u32, body: &[u8]) -> Vec<u8> {
    let len = size_of::<nlmsghdr>() + body.len();
    let mut message = Vec::with_capacity(len);
    message.extend((len as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
    message.extend(number.to_ne_bytes());
    message.extend(0u32.to_ne_bytes()); // from the kernel's point of view, the socket's port says who asks
    message.extend(body);
    message
}

/// What tells the answers to a message from others.
#[derive(Clone, Copy)]
struct Request {
    number: u32,
    port: u32,
    is_table: bool,
}

/// What has come in answer to one message.
#[derive(Default)]
struct Answer {
    /// The bodies, one behind the other, and where each one ends.
    bodies: Vec<u8>,
    ends: Vec<usize>,
    /// Whether the table changed while the kernel wrote it down: rows may be missing, or there twice.
    has_changed: bool,
    is_complete: bool,
}

/// Receives all of an answer.
fn receive(kernel: BorrowedFd<'_>, request: Request) -> io::Result<Answer> {
    let mut buffer = vec![0; if request.is_table { MAX_TABLE_DATAGRAM } else { MAX_DATAGRAM }];
    let mut answer = Answer::default();
    let mut result = Ok(());
    while !answer.is_complete {
        let (_, len) = match retry_on_intr(|| recv(kernel, &mut buffer[..], RecvFlags::TRUNC | RecvFlags::DONTWAIT)) {
            Ok(received) => received,
            // After an error nothing more need be there.
            Err(Errno::AGAIN) if result.is_err() => break,
            Err(error @ (Errno::AGAIN | Errno::BADF)) => return Err(error.into()),
            // ENOBUFS: the socket had no room for a datagram. The next one comes all the same.
            Err(error) => {
                result = result.and(Err(error.into()));
                continue;
            }
        };
        let taken = buffer.get(..len).ok_or_else(is_cut).and_then(|datagram| answer.take(datagram, request));
        // The first error is the one to report, but what is left of a table is read, so that the next answer is whole.
        result = result.and(taken);
        if result.is_err() && !request.is_table {
            break;
        }
    }
    result.map(|()| answer)
}

impl Answer {
    /// Takes what one datagram says in answer to this request.
    fn take(&mut self, datagram: &[u8], request: Request) -> io::Result<()> {
        let mut rest = datagram;
        while !rest.is_empty() {
            let len = number_at(rest, offset_of!(nlmsghdr, nlmsg_len))? as usize;
            let kind = short_at(rest, offset_of!(nlmsghdr, nlmsg_type))?;
            let flags = short_at(rest, offset_of!(nlmsghdr, nlmsg_flags))?;
            let number = number_at(rest, offset_of!(nlmsghdr, nlmsg_seq))?;
            let port = number_at(rest, offset_of!(nlmsghdr, nlmsg_pid))?;
            let body = rest.get(size_of::<nlmsghdr>()..len).ok_or_else(is_cut)?;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            if (number, port) != (request.number, request.port) {
                continue;
            }
            self.has_changed |= i32::from(flags) & libc::NLM_F_DUMP_INTR != 0;
            self.is_complete |= !request.is_table;
            match i32::from(kind) {
                libc::NLMSG_NOOP => {}
                libc::NLMSG_OVERRUN => return Err(io::Error::from_raw_os_error(libc::ENOBUFS)),
                // The end of a table may say that the kernel could not go on, an acknowledgement that it did not.
                libc::NLMSG_DONE | libc::NLMSG_ERROR => {
                    self.is_complete = true;
                    match number_at(body, 0).map(u32::cast_signed) {
                        Ok(0) => {}
                        Ok(error) => return Err(io::Error::from_raw_os_error(error.saturating_neg())),
                        Err(_) if i32::from(kind) == libc::NLMSG_DONE => {}
                        Err(cut) => return Err(cut),
                    }
                }
                _ => {
                    self.bodies.extend(body);
                    self.ends.push(self.bodies.len());
                }
            }
        }
        Ok(())
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bodies[start..*end])
    }
}

/// The number of four bytes at this offset of an answer.
///
/// # Errors
/// [`is_cut`] where the answer ends before.
pub fn number_at(answer: &[u8], at: usize) -> io::Result<u32> {
    let bytes = answer.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(is_cut)?;
    Ok(u32::from_ne_bytes(*bytes))
}

/// The number of two bytes at this offset of an answer.
fn short_at(answer: &[u8], at: usize) -> io::Result<u16> {
    let bytes = answer.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(is_cut)?;
    Ok(u16::from_ne_bytes(*bytes))
}

/// The payload of one attribute of several, `rtattr` of `rtnetlink(7)`: length, kind, payload.
pub fn attribute(attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    const HEAD: usize = size_of::<[u16; 2]>();
    let mut rest = attributes;
    while let Some(&[len_low, len_high, kind_low, kind_high]) = rest.first_chunk::<HEAD>() {
        let len = usize::from(u16::from_ne_bytes([len_low, len_high]));
        if u16::from_ne_bytes([kind_low, kind_high]) == wanted {
            return rest.get(HEAD..len);
        }
        rest = rest.get(len.max(HEAD).next_multiple_of(4)..)?;
    }
    None
}

/// The error for an answer that is shorter than it should be.
pub fn is_cut() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const KIND: u16 = inet_diag::SOCK_DIAG_BY_FAMILY;

    /// `TCP_LISTEN` of `<net/tcp_states.h>`.
    const LISTEN: u32 = 10;

    /// Asks for the IPv4 sockets of a protocol that are in one state: the local ports of those.
    fn ports(protocol: libc::c_int, state: u32) -> io::Result<Vec<u16>> {
        let question = inet_diag::list(libc::AF_INET, protocol, 1 << state);
        let mut ports = Vec::new();
        let each = |row: &[u8]| ports.push(inet_diag::Row::read(row).expect("a row").local.port());
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
        assert_eq!(number_at(&[1, 0, 0], 0).expect_err("too short").kind(), io::ErrorKind::UnexpectedEof);
    }

    const TABLE: Request = Request { number: 7, port: 70, is_table: true };

    /// An answer, or a part of one, as a kernel sends it.
    fn datagram(kind: i32, flags: i32, request: Request, body: &[u8]) -> Vec<u8> {
        let mut bytes = message(kind as u16, flags, request.number, body);
        bytes[offset_of!(nlmsghdr, nlmsg_pid)..][..4].copy_from_slice(&request.port.to_ne_bytes());
        bytes
    }

    /// What is made of these datagrams, and how many are left after that.
    fn received(datagrams: &[Vec<u8>]) -> (io::Result<Answer>, usize) {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        let (ours, kernels) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::empty(), None).expect("a pair");
        for datagram in datagrams {
            send(&kernels, datagram, SendFlags::empty()).expect("sent");
        }
        let answer = receive(ours.as_fd(), TABLE);
        let mut buffer = [0; 100];
        (answer, (0..).take_while(|_| recv(&ours, &mut buffer[..], RecvFlags::DONTWAIT).is_ok()).count())
    }

    fn done(flags: i32) -> Vec<u8> {
        datagram(libc::NLMSG_DONE, flags, TABLE, &0i32.to_ne_bytes())
    }

    #[test]
    fn answers_to_another_message_are_skipped() {
        let others = [Request { number: 6, ..TABLE }, Request { port: 71, ..TABLE }];
        let mut all: Vec<Vec<u8>> = others.map(|other| datagram(libc::NLMSG_DONE, 0, other, &[0; 4])).into();
        all.extend([datagram(20, 0, TABLE, b"row 1"), datagram(20, 0, others[0], b"not ours"), done(0)]);
        let (answer, left) = received(&all);
        let answer = answer.expect("an answer");
        assert_eq!((answer.rows().collect::<Vec<_>>(), left), (vec![&b"row 1"[..]], 0));
    }

    #[test]
    fn a_table_that_changed_while_it_was_written_down_is_noticed() {
        let (answer, _) = received(&[datagram(20, libc::NLM_F_DUMP_INTR, TABLE, b"row"), done(0)]);
        assert!(answer.expect("an answer").has_changed);
        let (answer, _) = received(&[datagram(20, 0, TABLE, b"row"), done(0)]);
        assert!(!answer.expect("an answer").has_changed);
    }

    #[test]
    fn after_an_error_inside_a_table_the_rest_of_it_is_read() {
        let mut cut = datagram(20, 0, TABLE, b"a row that is cut");
        cut.truncate(20);
        let (answer, left) = received(&[cut, datagram(20, 0, TABLE, b"row"), done(0)]);
        assert_eq!(answer.map(|_| ()).expect_err("it is cut").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(left, 0);
    }

    #[test]
    fn a_table_that_the_kernel_could_not_end_is_an_error() {
        let end = datagram(libc::NLMSG_DONE, 0, TABLE, &(-libc::ENOMEM).to_ne_bytes());
        let (answer, _) = received(&[datagram(20, 0, TABLE, b"row"), end]);
        assert_eq!(answer.map(|_| ()).expect_err("it has no end").raw_os_error(), Some(libc::ENOMEM));
    }

    #[test]
    fn a_kernel_that_does_not_answer_is_an_error_and_no_wait() {
        let (answer, _) = received(&[]);
        assert_eq!(answer.map(|_| ()).expect_err("nothing came").kind(), io::ErrorKind::WouldBlock);
    }
}
