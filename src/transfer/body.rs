//! A file's bytes on their way, from file to socket and from socket to file. Without a digest they never enter this
//! process's memory; with one they are in it once, and are read, computed and passed on while they are near.

use std::io::{self, SeekFrom};
use std::sync::mpsc::sync_channel;
use std::thread;

use super::Progress;
use super::digest::{Digest, PIECE, room_for};
use super::error::TransferError;
use super::message::send_all;
use crate::file::{File, SplicePipe};
use crate::socket::Socket;
use crate::trace::recorder;

/// How many bytes are asked for at once where none enters this process. Between two steps the other end may interrupt,
/// and progress is shown.
const STEP: usize = SplicePipe::MOST_ROOM;

/// How many pieces there are: one is received, the others wait to be written.
const PIECES: usize = 4;

/// Has a piece's first bytes written, and gives one back that can be filled.
type Write<'a> = &'a mut dyn FnMut(Vec<u8>, usize) -> io::Result<Vec<u8>>;

/// Sends the bytes of `file` from `from` to `size`, by sendfile(2), or by read(2) and send(2) where a digest is
/// computed. After each step `goes_on` is asked; false where it was before all were sent.
pub(super) fn send(
    conn: &Socket,
    file: &File,
    (from, size): (u64, u64),
    digest: &mut Digest,
    mut goes_on: impl FnMut(u64) -> io::Result<bool>,
) -> Result<bool, TransferError> {
    let here = |error| TransferError::Here("the file cannot be read".to_owned(), error);
    go_to(file, from, digest).map_err(here)?;
    let (mut at, mut piece) = (from, if digest.is_none() { Vec::new() } else { room_for(size - from) });
    while at < size {
        let len = if digest.is_none() {
            file.send_file(conn, step(at, size, STEP)).map_err(TransferError::Connection)?
        } else {
            let len = file.read(&mut piece[..step(at, size, PIECE)]).map_err(here)?;
            digest.update(&piece[..len]);
            send_all(conn, &piece[..len])?;
            len
        };
        if len == 0 {
            let why = format!("it became shorter while it was sent: {at} of its {size} bytes were there");
            return Err(TransferError::Unwilling(why));
        }
        at += len as u64;
        if !goes_on(at).map_err(TransferError::Connection)? && at < size {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Receives the bytes from `from` to `size` and writes them to `file`: all that have come, whatever ends it.
pub(super) fn receive(
    conn: &Socket,
    file: &File,
    (from, size): (u64, u64),
    digest: &mut Digest,
    progress: Progress<'_>,
) -> Result<(), TransferError> {
    go_to(file, from, digest).map_err(|error| TransferError::Here("the file cannot be read".to_owned(), error))?;
    if from == size {
        return Ok(());
    }
    if digest.is_none() {
        return splice(conn, file, (from, size), progress);
    }
    write_beside(file, size - from, |write| {
        let (mut at, mut piece) = (from, room_for(size - from));
        while at < size {
            let len = conn.recv(&mut piece[..step(at, size, PIECE)]).map_err(TransferError::Connection)?;
            if len == 0 {
                return Err(TransferError::Left(at, size));
            }
            digest.update(&piece[..len]);
            piece = write(piece, len).map_err(cannot_write)?;
            at += len as u64;
            progress(at, size);
        }
        Ok(())
    })
}

/// Receives them by splice(2), through a pipe: the room that they have in between.
fn splice(conn: &Socket, file: &File, (from, size): (u64, u64), progress: Progress<'_>) -> Result<(), TransferError> {
    let (mut at, mut pipe) = (from, SplicePipe::with_room(STEP).map_err(cannot_write)?);
    while at < size {
        let len = pipe.fill_from(conn, step(at, size, STEP)).map_err(TransferError::Connection)?;
        if len == 0 {
            return Err(TransferError::Left(at, size));
        }
        file.take_all_from(&mut pipe).map_err(cannot_write)?;
        at += len as u64;
        progress(at, size);
    }
    Ok(())
}

/// Writes what `receive` hands over, by hand on a thread of its own: to write a file's bytes takes as long as all else
/// that is done to them. A file of one piece is not worth a thread; in a demo one acts at a time.
fn write_beside(
    file: &File,
    len: u64,
    receive: impl FnOnce(Write<'_>) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    let here: Write<'_> = &mut |piece, len| file.write_all(&piece[..len]).map(|()| piece);
    let recorder = recorder::with(|recorder| recorder.beside()).flatten();
    let Some(recorder) = recorder.filter(|_| len > PIECE as u64) else { return receive(here) };
    let (full, to_write) = sync_channel::<(Vec<u8>, usize)>(PIECES);
    let (empty, to_fill) = sync_channel(PIECES);
    // Memory is taken for a piece when something comes to it.
    (1..PIECES).for_each(|_| drop(empty.send(room_for(len))));
    let write = move || {
        recorder::install(recorder());
        for (piece, len) in to_write {
            file.write_all(&piece[..len])?;
            // Whoever receives may have ended, and needs none.
            let _ = empty.send(piece);
        }
        Ok(())
    };
    thread::scope(|scope| {
        // No room for one more thread: it takes longer, and that is all.
        let Ok(thread) = thread::Builder::new().spawn_scoped(scope, write) else { return receive(here) };
        let received = receive(&mut |piece, len| {
            full.send((piece, len)).map_err(io::Error::other)?;
            to_fill.recv().map_err(io::Error::other)
        });
        drop(full);
        // An error of its own is why nothing more was received.
        let written: io::Result<()> = thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread has ended")));
        written.map_err(cannot_write)?;
        received
    })
}

fn cannot_write(error: io::Error) -> TransferError {
    TransferError::Here("the file cannot be written".to_owned(), error)
}

/// From the beginning, where a file is that has just been opened, to another place. A digest is one of all the bytes.
fn go_to(file: &File, place: u64, digest: &mut Digest) -> io::Result<()> {
    if digest.is_none() && place > 0 {
        file.seek(SeekFrom::Start(place))?;
    }
    digest.read(file, place)
}

fn step(at: u64, size: u64, most: usize) -> usize {
    usize::try_from(size - at).map_or(most, |rest| rest.min(most))
}
