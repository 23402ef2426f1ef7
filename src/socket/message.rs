//! A datagram with what the kernel says about it, `recvmsg(2)`.

use std::io;

use socket2::Socket;

use super::Received;
use crate::sys;

/// Makes the call.
pub(super) fn receive(socket: &Socket, buf: &mut [u8]) -> io::Result<Received> {
    let mut control = [0u8; 64];
    let message = sys::recv_message(socket, buf, &mut control, 0)?;
    let lost_before = overflow(&control[..message.control_len]).unwrap_or(0);
    Ok(Received { len: message.len, truncated: message.truncated, from: message.address.into(), lost_before })
}

/// The number that `SO_RXQ_OVFL` puts behind a `cmsghdr` (`size_t len; int level, type`). While nothing was lost there
/// is no such message.
fn overflow(control: &[u8]) -> Option<u32> {
    let word = size_of::<usize>();
    let number = |at: usize| control.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let is_ours = number(word)? == libc::SOL_SOCKET as u32 && number(word + 4)? == libc::SO_RXQ_OVFL as u32;
    number(word + 8).filter(|_| is_ours)
}
