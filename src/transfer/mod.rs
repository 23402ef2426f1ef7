//! Files over a connection, whole or not at all: the protocol, the store that keeps only whole files, and both ends.
//!
//! A message is a header in JSON behind its length, four bytes, the least significant first, as the classic upload
//! programs send it. A client sends a [`Request`]; each [`Answer`] says whether it is granted:
//!
//! ```text
//! put   client  {"cmd": "put", "filename": "a.jpg", "filesize": 9000, "digest": "blake3"}
//!       server  {"ok": true, "offset": 0}            how much it has already of a transfer that was cut off
//!       client  9000 bytes, then {"blake3": "…"}     the digest of all of them, computed while they were sent
//!       server  {"ok": true, "blake3": "…"}          stored under its name, and on the disk
//! get   client  {"cmd": "get", "filename": "a.jpg", "offset": 0, "digest": "blake3"}
//!       server  {"ok": true, "filesize": 9000, "offset": 0}, 9000 bytes, {"blake3": "…"}
//! ls    client  {"cmd": "ls"}
//!       server  {"ok": true, "filesize": 120}, 120 bytes: an object a line
//! ```
//!
//! A request to put that names no `digest` is a classic client's: it gets no answer, ever, as it expects.
//!
//! Invariants: under its final name a file is whole, and was compared with its digest; no name leads out of the folder;
//! no more memory is taken for a large file than for a small one.

mod body;
mod client;
mod digest;
mod error;
mod message;
mod roles;
mod server;
mod store;

pub use client::{Client, Done, Options};
pub use digest::Algorithm;
pub use error::TransferError;
pub use message::{Answer, Request, Sums};
pub use roles::{client, server};
pub use server::serve;
pub use store::check_name;

/// Called with the bytes of a file that have been moved, and with how many there are in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);
