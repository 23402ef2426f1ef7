//! What is heard of the packets on an attempt's host, for a capture.
//!
//! It is bounded, whatever the program sends to itself: what is beyond the bound is counted by the kernel, and said.

use std::cell::Cell;
use std::io::Read;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use socket2::Socket;

use super::event_log::EventLog;
use crate::sys;
use crate::trace::error_name;

/// The most frames of one check that are kept, and the most bytes of them.
const MAX_FRAMES: u32 = 5_000;
const MAX_BYTES: usize = 8 << 20;

/// The largest frame on the attempt's loopback, in bytes: an IP packet and an Ethernet header.
const MAX_FRAME: usize = 65_536 + 14;

/// Hears the packets of one attempt's host.
pub struct Overhearing {
    packets: Socket,
    frames: Cell<u32>,
    bytes: Cell<usize>,
}

impl Overhearing {
    /// Listens with this socket.
    pub fn new(packets: Socket) -> Overhearing {
        // From the first question on the kernel stamps packets. There was none yet: ENOENT.
        let _ = sys::stamp_of_last_packet(packets.as_fd());
        Overhearing { packets, frames: Cell::new(0), bytes: Cell::new(0) }
    }

    /// Logs the packets that have passed since the last call, as far as they are kept.
    pub fn log(&self, log: &EventLog, program: SocketAddr) {
        let mut frame = [0; MAX_FRAME];
        while self.frames.get() < MAX_FRAMES && self.bytes.get() < MAX_BYTES {
            let Ok(len) = (&self.packets).read(&mut frame) else { return };
            self.frames.set(self.frames.get() + 1);
            self.bytes.set(self.bytes.get() + len);
            let at = sys::stamp_of_last_packet(self.packets.as_fd()).unwrap_or_default();
            log.add_frame(&frame[..len], program, self.frames.get(), at);
        }
    }

    /// Logs the last packets, and how many have passed that are not kept, if there are any.
    pub fn finish(&self, log: &EventLog, program: SocketAddr) {
        // Asked before the rest is read: what comes meanwhile is kept, and not missing.
        let seen = sys::packets_seen(self.packets.as_fd());
        self.log(log, program);
        let left = match seen.map(|seen| seen.saturating_sub(self.frames.get())) {
            Ok(0) => return,
            Ok(left) => left.to_string(),
            Err(error) => format!("{}: nobody knows how many", error_name(&error)),
        };
        let bound = format!("of a check it keeps {MAX_FRAMES}, or {} MiB", MAX_BYTES >> 20);
        log.step(format!("{left} more frames passed, which the capture does not have: {bound}"));
    }
}
