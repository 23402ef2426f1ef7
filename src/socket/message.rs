//! A datagram with what the kernel says about it, `recvmsg(2)`.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{MaybeUninitSlice, MsgHdrMut, SockAddr, Socket};

use super::Received;
use crate::sys;

/// Makes the call.
pub(super) fn receive(socket: &Socket, buf: &mut [u8]) -> io::Result<Received> {
    let mut control = [0u8; 64];
    let mut from = SockAddr::from(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    let (len, truncated, control_len) = {
        let mut parts = [MaybeUninitSlice::new(sys::uninit(buf))];
        let control: &mut [MaybeUninit<u8>] = sys::uninit(&mut control);
        let mut message = MsgHdrMut::new().with_addr(&mut from).with_buffers(&mut parts).with_control(control);
        let len = socket.recvmsg(&mut message, 0)?;
        (len, message.flags().is_truncated(), message.control_len())
    };
    let lost_before = overflow(&control[..control_len.min(control.len())]).unwrap_or(0);
    Ok(Received { len, truncated, from: from.into(), lost_before })
}

/// The number that `SO_RXQ_OVFL` puts behind a `cmsghdr` (`size_t len; int level, type`). While nothing was lost there
/// is no such message.
fn overflow(control: &[u8]) -> Option<u32> {
    let word = size_of::<usize>();
    let number = |at: usize| control.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let is_ours = number(word)? == libc::SOL_SOCKET as u32 && number(word + 4)? == libc::SO_RXQ_OVFL as u32;
    number(word + 8).filter(|_| is_ours)
}
