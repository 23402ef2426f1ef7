//! Exit codes, as the README lists them.

/// All went as the lab means it to.
pub const OK: u8 = 0;
/// A role failed.
pub const FAILED: u8 = 1;
/// The command line is not understood. The same as clap's.
pub const USAGE: u8 = 2;
/// The port is taken.
pub const PORT_TAKEN: u8 = 3;
/// Nobody listens there.
pub const NOBODY_THERE: u8 = 4;
/// A role died of a signal or a panic.
pub const DIED: u8 = 5;
/// A role hung, roles wait for each other where the lab does not mean them to, or the machine was too slow for a scene.
pub const HUNG: u8 = 6;
/// This machine lacks something that was asked for.
pub const LACKING: u8 = 7;
/// An attempt was judged, and does not pass.
pub const FAILS: u8 = 8;
/// The judge cannot tell: a fault of its own.
pub const CANNOT_TELL: u8 = 9;
