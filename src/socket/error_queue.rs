//! Reports from the error queue, `IP_RECVERR` of `ip(7)`.

use std::io;

use socket2::Socket;

use super::Address;
use crate::sys;

/// What became of a datagram: `struct sock_extended_err`, and whose it was.
#[derive(Debug)]
pub struct Report {
    /// How many bytes of the lost datagram's payload are in the buffer.
    pub len: usize,
    /// Where the datagram was sent.
    pub destination: Address,
    /// The error, as a number of `errno(3)`.
    pub errno: i32,
    /// The source of the report: 2 is an ICMP message.
    pub origin: u8,
    /// The ICMP message's type: 3 is "destination unreachable".
    pub kind: u8,
    /// The ICMP message's code: 3 is "port unreachable".
    pub code: u8,
}

impl Report {
    pub(super) fn origin_name(&self) -> String {
        match i32::from(self.origin) {
            0 => "SO_EE_ORIGIN_NONE".to_owned(),
            1 => "SO_EE_ORIGIN_LOCAL".to_owned(),
            2 => "SO_EE_ORIGIN_ICMP".to_owned(),
            other => other.to_string(),
        }
    }
}

/// Makes the call and takes the report out of its control message.
pub(super) fn receive(socket: &Socket, buf: &mut [u8]) -> io::Result<Report> {
    let mut control = [0u8; 256];
    let message = sys::recv_message(socket, buf, &mut control, libc::MSG_ERRQUEUE)?;
    let (len, destination) = (message.len, message.address);
    let error = extended_error(&control[..message.control_len])
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a message on the error queue without a report"))?;
    let [errno @ .., origin, kind, code] = error;
    Ok(Report { len, destination: destination.into(), errno: i32::from_ne_bytes(errno), origin, kind, code })
}

/// The first seven bytes of a `sock_extended_err` (`u32 errno; u8 origin, type, code`) behind a `cmsghdr`
/// (`size_t len; int level, type`), which is how `cmsg(3)` lays out the one message that this queue carries.
fn extended_error(control: &[u8]) -> Option<[u8; 7]> {
    let word = size_of::<usize>();
    let level = i32::from_ne_bytes(control.get(word..word + 4)?.try_into().ok()?);
    let kind = i32::from_ne_bytes(control.get(word + 4..word + 8)?.try_into().ok()?);
    if (level, kind) != (libc::IPPROTO_IP, libc::IP_RECVERR) {
        return None;
    }
    control.get(word + 8..word + 15)?.try_into().ok()
}
