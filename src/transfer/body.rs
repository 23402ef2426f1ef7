//! A file's bytes on their way, from file to socket and from socket to file: they never enter this process's memory.

use std::io::{self, SeekFrom};

use super::Progress;
use super::digest::FileDigest;
use super::error::TransferError;
use crate::file::{File, SplicePipe};
use crate::socket::Socket;

/// How many bytes are asked for at once. Between two steps the other end may interrupt, and progress is shown.
const STEP: usize = SplicePipe::MOST_ROOM;

/// Sends the bytes of `file` from `from` to `size`, sendfile(2). After each step `goes_on` is asked; false where it was
/// before all were sent.
pub(super) fn send(
    conn: &Socket,
    file: &File,
    (from, size): (u64, u64),
    digest: &mut FileDigest,
    mut goes_on: impl FnMut(u64) -> io::Result<bool>,
) -> Result<bool, TransferError> {
    let here = |error| TransferError::Here("the file cannot be read".to_owned(), error);
    go_to(file, from).map_err(here)?;
    digest.advance(from).map_err(here)?;
    let mut at = from;
    while at < size {
        let len = file.send_file(conn, step(at, size)).map_err(TransferError::Connection)?;
        if len == 0 {
            let why = format!("it became shorter while it was sent: {at} of its {size} bytes were there");
            return Err(TransferError::Unwilling(why));
        }
        at += len as u64;
        digest.advance(at).map_err(here)?;
        if !goes_on(at).map_err(TransferError::Connection)? && at < size {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Receives the bytes from `from` to `size` and writes them to `file`, splice(2), through a pipe: the room that they
/// have in between.
pub(super) fn receive(
    conn: &Socket,
    file: &File,
    (from, size): (u64, u64),
    digest: &mut FileDigest,
    progress: Progress<'_>,
) -> Result<(), TransferError> {
    let here = |error| TransferError::Here("the file cannot be written".to_owned(), error);
    go_to(file, from).map_err(here)?;
    digest.advance(from).map_err(here)?;
    if from == size {
        return Ok(());
    }
    let mut pipe = SplicePipe::with_room(STEP).map_err(here)?;
    let mut at = from;
    while at < size {
        let len = pipe.fill_from(conn, step(at, size)).map_err(TransferError::Connection)?;
        if len == 0 {
            return Err(TransferError::Left(at, size));
        }
        file.take_all_from(&mut pipe).map_err(here)?;
        at += len as u64;
        digest.advance(at).map_err(here)?;
        progress(at, size);
    }
    Ok(())
}

/// A file that has just been opened is at its beginning.
fn go_to(file: &File, place: u64) -> io::Result<()> {
    if place > 0 {
        file.seek(SeekFrom::Start(place))?;
    }
    Ok(())
}

fn step(at: u64, size: u64) -> usize {
    usize::try_from(size - at).map_or(STEP, |rest| rest.min(STEP))
}
