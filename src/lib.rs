//! Labs about sockets: real programs on a stage of real kernels' sockets, with everything that happens written down.
//!
//! Read [`lab`] for what a lab is made of, and `ARCHITECTURE.md` for the house as a whole.

// What is printed goes through `output`: these panic where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(target_os = "linux"))]
compile_error!(
    "socklab shows what Linux does with sockets, and needs it; elsewhere, use a virtual machine or a container"
);

// Labs and exercises are programs over this library, and are compiled into it.
extern crate self as socklab;

mod beneath;
pub mod clients;
pub mod course;
pub mod file;
pub mod framing;
#[doc(hidden)]
pub mod fuzzing;
pub mod judge;
pub mod lab;
mod netlink;
pub mod output;
pub mod prelude;
pub mod probe;
pub mod sandbox;
pub mod screen;
pub mod socket;
mod splitmix;
pub mod stage;
mod sys;
pub mod trace;
pub mod transfer;
pub mod view;
pub mod wire;
