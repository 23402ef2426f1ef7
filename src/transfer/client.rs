//! The client's end.

use std::io::{self, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use super::TransferError::{self, Here, Refused, Unwilling};
use super::digest::{Algorithm, Digest};
use super::message::{Answer, Request, Sums, bytes, receive, receive_exactly, send};
use super::store::{Incoming, check_name, digest_of};
use super::{Progress, body};
use crate::file::{File, Folder};
use crate::socket::Socket;

/// The most bytes of a list that are taken.
const LONGEST_LIST: u64 = 64 << 20;

/// How files are to be transferred.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The digest by which they are compared.
    pub algorithm: Algorithm,
    /// Whether a file that has the name already is replaced.
    pub replace: bool,
    /// Whether the server is a classic one, which is sent a file unasked, and says nothing.
    pub classic: bool,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It has come over: its bytes, and how many of them had come before.
    Moved {
        /// The bytes of the whole file.
        size: u64,
        /// How many of them an earlier transfer had moved.
        before: u64,
        /// Whether the source has grown meanwhile; then this is its beginning.
        has_grown: bool,
    },
    /// The other end has the same file already: it was compared by its digest.
    Same,
    /// So many bytes were sent to a server that does not say what becomes of them.
    Unanswered(u64),
}

/// A file of the server's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Its name.
    pub filename: String,
    /// Its bytes.
    pub filesize: u64,
}

/// A connection to a server.
pub struct Client<'a> {
    conn: &'a Socket,
    folder: &'a Folder,
    options: Options,
    /// Whether the next thing on the connection is a request.
    in_step: bool,
}

impl<'a> Client<'a> {
    /// Over this connection; files that are got come to `folder`.
    pub fn new(conn: &'a Socket, folder: &'a Folder, options: Options) -> Client<'a> {
        Client { conn, folder, options, in_step: true }
    }

    /// Whether more can be asked for over this connection.
    pub fn is_in_step(&self) -> bool {
        self.in_step
    }

    /// Sends a file. The server has the whole of it on its disk when this returns.
    ///
    /// # Errors
    /// Why it has not.
    pub fn put(&mut self, path: &Path, progress: Progress<'_>) -> Result<Done, TransferError> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Unwilling(format!("{}: no name in UTF-8", path.display())))?;
        check_name(name).map_err(Unwilling)?;
        let here = |error| Here(path.display().to_string(), error);
        // Neither a FIFO nor a terminal is waited for.
        if !std::fs::metadata(path).map_err(here)?.is_file() {
            return Err(Unwilling(format!("{}: no regular file", path.display())));
        }
        let file = File::open_path(path).map_err(here)?;
        let size = file.size().map_err(here)?;
        if self.options.classic {
            return self.put_unasked(name, &file, size, progress);
        }
        match self.put_open(name, &file, size, false, progress) {
            // What the server had from before is no beginning of this file: an older one had the name.
            Err((Refused(why), before)) if before > 0 && self.in_step => {
                file.seek(SeekFrom::Start(0)).map_err(here)?;
                let again = self.put_open(name, &file, size, true, progress);
                // A server that has left after its answer meant something else.
                again.map_err(|(again, _)| if again.says_nothing() { Refused(why) } else { again })
            }
            done => done.map_err(|(why, _)| why),
        }
    }

    /// Sends a file as the classic clients do.
    fn put_unasked(
        &mut self,
        name: &str,
        file: &File,
        size: u64,
        progress: Progress<'_>,
    ) -> Result<Done, TransferError> {
        self.in_step = false;
        let (filename, filesize) = (Some(name.to_owned()), Some(size.cast_signed()));
        send(self.conn, &Request { cmd: "put".to_owned(), filename, filesize, ..Request::default() })?;
        body::send(self.conn, file, (0, size), &mut Digest::new(Algorithm::None), |at| {
            progress(at, size);
            Ok(true)
        })?;
        self.in_step = true;
        Ok(Done::Unanswered(size))
    }

    /// Sends a file that the server wants, and hears what became of it. With an error, how much it had from before.
    fn put_open(
        &mut self,
        name: &str,
        file: &File,
        size: u64,
        afresh: bool,
        progress: Progress<'_>,
    ) -> Result<Done, (TransferError, u64)> {
        let algorithm = self.options.algorithm;
        let request = Request {
            cmd: "put".to_owned(),
            filename: Some(name.to_owned()),
            filesize: Some(size.cast_signed()),
            digest: Some(algorithm.name().to_owned()),
            replace: self.options.replace,
            afresh,
            ..Request::default()
        };
        let answer = self.ask(&request).map_err(|why| (why, 0))?;
        if !answer.ok {
            let is_as_long = answer.sums != Sums::default();
            let same = is_as_long && digest_of(file, size, algorithm).map_err(|why| (why, 0))? == answer.sums;
            return if same { Ok(Done::Same) } else { Err((Refused(answer.reason()), 0)) };
        }
        let before = bytes(answer.offset).unwrap_or(0);
        self.in_step = false;
        let sums = self.send_body(file, (before.min(size), size), progress).map_err(|why| (why, before))?;
        let answer = receive::<Answer>(self.conn).and_then(|answer| answer.ok_or(TransferError::Left(size, size)));
        let answer = answer.map_err(|why| (why, before))?;
        self.in_step = true;
        if !answer.ok {
            return Err((Refused(answer.reason()), before));
        }
        if !sums.are_as(&answer.sums) {
            return Err((Unwilling("the server has stored something else: its digest is another one".to_owned()), 0));
        }
        let here = |error| (Here(name.to_owned(), error), before);
        // Files of the kernel's own, as in /proc, have no size, and are not empty.
        let has_grown = file.size().map_err(here)? > size || size == 0 && file.read(&mut [0]).map_err(here)? > 0;
        Ok(Done::Moved { size, before, has_grown })
    }

    /// Sends the bytes of a file and their digest, unless the server interrupts: then it says why.
    fn send_body(&mut self, file: &File, span: (u64, u64), progress: Progress<'_>) -> Result<Sums, TransferError> {
        let algorithm = self.options.algorithm;
        let mut digest = Digest::new(algorithm);
        let goes_on = |at| {
            progress(at, span.1);
            Ok(self.conn.unread()? == 0)
        };
        match body::send(self.conn, file, span, &mut digest, goes_on) {
            Ok(true) => {
                let sums = Sums::of(algorithm, digest.finish());
                send(self.conn, &sums)?;
                Ok(sums)
            }
            Ok(false) => Err(self.reason_of_the_server().unwrap_or(TransferError::Left(0, span.1))),
            // A server that leaves may have said why.
            Err(TransferError::Connection(error)) => {
                Err(self.reason_of_the_server().unwrap_or(TransferError::Connection(error)))
            }
            Err(error) => Err(error),
        }
    }

    fn reason_of_the_server(&self) -> Option<TransferError> {
        let answer = receive::<Answer>(self.conn).ok().flatten()?;
        Some(Refused(answer.reason()))
    }

    /// Fetches a file. When this returns, the whole of it is in the folder.
    ///
    /// # Errors
    /// Why it is not.
    pub fn get(&mut self, name: &str, progress: Progress<'_>) -> Result<Done, TransferError> {
        check_name(name).map_err(Unwilling)?;
        let is_free = self.folder.open_file(name).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if !is_free && !self.options.replace {
            return Err(Unwilling(format!("{name}: there is a file of this name already")));
        }
        match self.get_new(name, false, progress) {
            Err((Unwilling(_), before)) if before > 0 && self.in_step => self.get_new(name, true, progress),
            done => done,
        }
        .map_err(|(why, _)| why)
    }

    fn get_new(&mut self, name: &str, afresh: bool, progress: Progress<'_>) -> Result<Done, (TransferError, u64)> {
        let plain = |why| (why, 0);
        let mut incoming = Incoming::begin(self.folder, name, self.options.replace, true).map_err(plain)?;
        let algorithm = self.options.algorithm;
        // What was left by an earlier transfer is this file's beginning only if a digest says so.
        if incoming.offset > 0 && (afresh || algorithm == Algorithm::None) {
            incoming.start_afresh().map_err(plain)?;
        }
        let request = Request {
            cmd: "get".to_owned(),
            filename: Some(name.to_owned()),
            digest: Some(algorithm.name().to_owned()),
            offset: Some(incoming.offset.cast_signed()),
            ..Request::default()
        };
        let answer = match self.ask(&request) {
            Ok(answer) if answer.ok => answer,
            refused => {
                if incoming.offset == 0 {
                    incoming.discard();
                }
                return Err(plain(refused.map_or_else(|why| why, |answer| Refused(answer.reason()))));
            }
        };
        self.in_step = false;
        let (Some(size), offset) = (bytes(answer.filesize), bytes(answer.offset).unwrap_or(0)) else {
            return Err(plain(Unwilling(format!("{name}: the server names no size"))));
        };
        // It is shorter than what is here, and comes from its beginning.
        if offset == 0 && incoming.offset > 0 {
            incoming.start_afresh().map_err(plain)?;
        }
        if offset > size || offset != incoming.offset {
            return Err(plain(Unwilling(format!("{name}: the server begins at another byte than it was asked to"))));
        }
        incoming.check_room(size).map_err(plain)?;
        self.receive(incoming, size, progress).map_err(|why| (why, offset))?;
        Ok(Done::Moved { size, before: offset, has_grown: false })
    }

    fn receive(&mut self, mut incoming: Incoming<'_>, size: u64, progress: Progress<'_>) -> Result<(), TransferError> {
        let sums = incoming.fill(self.conn, size, self.options.algorithm, progress)?;
        let promised = receive::<Sums>(self.conn)?.ok_or(TransferError::Left(size, size))?;
        self.in_step = true;
        if sums.are_as(&promised) { incoming.finish() } else { Err(incoming.refuse()) }
    }

    /// The files of the server's folder, in the order of their names.
    ///
    /// # Errors
    /// Why there is no list.
    pub fn list(&mut self) -> Result<Vec<Listed>, TransferError> {
        let answer = self.ask(&Request { cmd: "ls".to_owned(), ..Request::default() })?;
        if !answer.ok {
            return Err(Refused(answer.reason()));
        }
        self.in_step = false;
        let size = bytes(answer.filesize).filter(|size| *size <= LONGEST_LIST);
        let size = size.ok_or_else(|| Unwilling("the server names no size that a list can have".to_owned()))?;
        let body = receive_exactly(self.conn, size)?;
        self.in_step = true;
        let lines = serde_json::Deserializer::from_slice(&body).into_iter::<Listed>();
        lines.collect::<Result<Vec<Listed>, _>>().map_err(|error| Unwilling(format!("no list: {error}")))
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, TransferError> {
        self.in_step = false;
        send(self.conn, request)?;
        let answer = receive::<Answer>(self.conn)?.ok_or(TransferError::Left(0, 0))?;
        self.in_step = true;
        Ok(answer)
    }
}
