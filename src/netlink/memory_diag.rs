//! What the sockets of a network namespace hold in the kernel's memory: `sock_diag(7)` for each kind of socket.

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::AsFd;

use super::inet_diag::{self, ANY_STATE, INET_DIAG_SKMEMINFO, SOCK_DIAG_BY_FAMILY};
use super::{ask, attribute, number_at};

/// A kind of socket whose memory the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TCP and UDP, of both families. The kernel walks the table of connections, which all namespaces share.
    Inet,
    /// Unix sockets.
    Unix,
    /// Netlink sockets.
    Netlink,
}

/// `unix_diag_req` of `<linux/unix_diag.h>`.
#[repr(C)]
struct UnixQuestion {
    family: u8,
    protocol: u8,
    padding: u16,
    states: u32,
    inode: u32,
    show: u32,
    cookie: [u32; 2],
}

/// `unix_diag_msg`.
#[repr(C)]
struct UnixMessage {
    family: u8,
    kind: u8,
    state: u8,
    padding: u8,
    inode: u32,
    cookie: [u32; 2],
}

/// `netlink_diag_req` of `<linux/netlink_diag.h>`.
#[repr(C)]
struct NetlinkQuestion {
    family: u8,
    protocol: u8,
    padding: u16,
    inode: u32,
    show: u32,
    cookie: [u32; 2],
}

/// `netlink_diag_msg`.
#[repr(C)]
struct NetlinkMessage {
    family: u8,
    kind: u8,
    protocol: u8,
    state: u8,
    port: u32,
    remote_port: u32,
    remote_group: u32,
    inode: u32,
    cookie: [u32; 2],
}

/// How many bytes of the kernel's memory all sockets of a kind hold together, in the namespace that `kernel` was opened
/// in: what waits to be read or sent, and what is set aside for that.
///
/// # Errors
/// Those of [`ask`]: `ENOENT` where the kernel does not tell it of this kind.
pub fn held(kernel: &impl AsFd, kind: Kind) -> io::Result<u64> {
    let mut sum = 0;
    let mut add = |question: &[u8], head: usize, wanted: u16| {
        let take = |row: &[u8]| sum += of_row(row.get(head..).unwrap_or_default(), wanted);
        ask(kernel, SOCK_DIAG_BY_FAMILY, libc::NLM_F_DUMP, question, take)
    };
    match kind {
        Kind::Inet => {
            let memory = 1 << (INET_DIAG_SKMEMINFO - 1);
            for family in [libc::AF_INET, libc::AF_INET6] {
                for protocol in [libc::IPPROTO_TCP, libc::IPPROTO_UDP] {
                    let question = inet_diag::list_with(family, protocol, ANY_STATE, memory);
                    add(&question, inet_diag::HEAD, INET_DIAG_SKMEMINFO)?;
                }
            }
        }
        Kind::Unix => {
            const UDIAG_SHOW_MEMINFO: u32 = 0x20;
            const UNIX_DIAG_MEMINFO: u16 = 5;
            let mut question = vec![0; size_of::<UnixQuestion>()];
            question[0] = libc::AF_UNIX as u8;
            put(&mut question, offset_of!(UnixQuestion, states), ANY_STATE);
            put(&mut question, offset_of!(UnixQuestion, show), UDIAG_SHOW_MEMINFO);
            add(&question, size_of::<UnixMessage>(), UNIX_DIAG_MEMINFO)?;
        }
        Kind::Netlink => {
            const EVERY_PROTOCOL: u8 = 255;
            const NDIAG_SHOW_MEMINFO: u32 = 1;
            const NETLINK_DIAG_MEMINFO: u16 = 0;
            let mut question = vec![0; size_of::<NetlinkQuestion>()];
            question[..2].copy_from_slice(&[libc::AF_NETLINK as u8, EVERY_PROTOCOL]);
            put(&mut question, offset_of!(NetlinkQuestion, show), NDIAG_SHOW_MEMINFO);
            add(&question, size_of::<NetlinkMessage>(), NETLINK_DIAG_MEMINFO)?;
        }
    }
    Ok(sum)
}

fn put(question: &mut [u8], at: usize, number: u32) {
    question[at..at + size_of::<u32>()].copy_from_slice(&number.to_ne_bytes());
}

/// What one socket holds. The places of the numbers are `SK_MEMINFO_…` of `<linux/sock_diag.h>`.
fn of_row(attributes: &[u8], wanted: u16) -> u64 {
    const RMEM_ALLOC: usize = 0;
    const WMEM_ALLOC: usize = 2;
    const FWD_ALLOC: usize = 4;
    const WMEM_QUEUED: usize = 5;
    const OPTMEM: usize = 6;
    const BACKLOG: usize = 7;
    let Some(numbers) = attribute(attributes, wanted) else { return 0 };
    // They are the kernel's ints, of which one can be below zero for a moment.
    let number = |at: usize| number_at(numbers, at * size_of::<u32>()).map_or(0, |one| one.cast_signed().max(0) as u64);
    // What is on its way is counted as queued, too.
    let to_send = number(WMEM_ALLOC).max(number(WMEM_QUEUED));
    number(RMEM_ALLOC) + to_send + number(FWD_ALLOC) + number(OPTMEM) + number(BACKLOG)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::UdpSocket;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::netlink::open;

    #[test]
    fn the_structures_have_the_sizes_that_the_kernel_gives_them() {
        assert_eq!((size_of::<UnixQuestion>(), size_of::<UnixMessage>()), (24, 16));
        assert_eq!((size_of::<NetlinkQuestion>(), size_of::<NetlinkMessage>()), (20, 28));
    }

    #[test]
    fn what_waits_to_be_read_is_held() {
        let kernel = open(libc::NETLINK_SOCK_DIAG).expect("a netlink socket");
        let reader = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let writer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (mut one, _other) = UnixStream::pair().expect("a pair");
        for _ in 0..3 {
            writer.send_to(&[0; 10_000], reader.local_addr().expect("an address")).expect("sent");
            one.write_all(&[0; 10_000]).expect("written");
        }
        for kind in [Kind::Inet, Kind::Unix] {
            match held(&kernel, kind) {
                Ok(bytes) => assert!(bytes >= 30_000, "{kind:?}: {bytes}"),
                // A kernel may be built without it.
                Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ENOENT), "{kind:?}: {error}"),
            }
        }
    }
}
