//! What reads a stranger's bytes and is reached by no other way: for `fuzz/`, and for the test of its corpora.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;

use crate::netlink::inet_diag;
use crate::sandbox::{FromInit, new_archive, read_message, unpack as lay};

/// Lays an archive into a folder.
///
/// # Errors
/// Those of a sandbox that is given this archive.
pub fn unpack(archive: &[u8], folder: &Path) -> io::Result<()> {
    let mut memory: File = new_archive()?;
    memory.write_all(archive)?;
    lay(memory.as_fd(), folder, None)
}

/// Reads a message of init's to the judge; whether it is one.
pub fn read_init_message(bytes: &[u8]) -> bool {
    read_message::<FromInit>(bytes).is_ok()
}

/// Reads a row of the kernel's table of sockets, with each of its attributes; whether it is one.
pub fn read_netlink_row(bytes: &[u8]) -> bool {
    let row = inet_diag::Row::read(bytes);
    row.is_ok_and(|row| (0..=8).filter_map(|kind| row.attribute(kind)).all(|body| body.len() <= bytes.len()))
}
