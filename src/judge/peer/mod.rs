//! Our side of the wire: peers that talk to an attempt, and expect something of it.
//!
//! Each method is a step of the check's story; the calls that it makes follow it in the transcript. While a peer waits,
//! the program runs; the wait ends when the program can no longer meet the expectation.

mod base;
mod tcp;
mod udp;

pub use self::tcp::{Connection, Listener};
pub use self::udp::{Arrival, InTime, UdpPeer};
