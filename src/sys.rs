//! The few system calls that no crate of ours wraps.
//!
//! Invariant: this is the only module with `unsafe`. Each function makes the one call that its documentation names, or
//! says which ones it makes. Whatever arguments a caller passes, none of them is unsound.

pub mod children;
mod interfaces;
mod process;
mod semaphore;
mod signals;
mod sockets;
mod wait;

use std::io;

pub use interfaces::{Setting, make_tap, set_interface, set_neighbour};
pub use process::{
    Forked, close_inherited, die_with, exit_now, fork, fork_into, page_size, unshare, voluntary_switches,
};
pub use semaphore::Semaphore;
pub use signals::{
    catch_signal, default_action, ignore_signal, set_alarm, signals_caught, signals_to_read, unblock_signals,
};
pub use sockets::{
    IntRequest, bind_packet, close, ioctl_int, memory_info, named_by, option, packets_seen, recv_from_into, recv_into,
    recv_many, recv_message, send_many, set_option, set_status_flags, stamp_of_last_packet, tcp_info, unix_address,
};
pub use wait::{retry_on_intr, select_readable, wait_for, wait_until_readable};

/// What a call returned, or for -1 the error in `errno(3)`.
///
/// A function rather than a macro around the call: so `unsafe` and its `SAFETY:` stay where the call is.
fn check<T: PartialEq + From<i8>>(returned: T) -> io::Result<T> {
    if returned == T::from(-1) { Err(io::Error::last_os_error()) } else { Ok(returned) }
}
