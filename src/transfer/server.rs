//! The server's end.

use std::io;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::TransferError::{self, Framing, Here, Left, Unwilling};
use super::body;
use super::digest::{Algorithm, Digest};
use super::message::{Answer, Request, Sums, bytes, receive, send, send_all};
use super::store::{Incoming, check_name, digest_of};
use crate::file::Folder;
use crate::socket::Socket;

/// How long a client may go on sending what is not wanted any more.
const LINGER: Duration = Duration::from_secs(10);

/// The most files that a list has.
const LONGEST_LIST: usize = 100_000;

/// Serves one client until it leaves: files come to the folder, and go from it. What becomes of each request is
/// reported in a line.
///
/// # Errors
/// Why the connection is of no more use. The client was told, if it listens.
pub fn serve(conn: &Socket, folder: &Folder, report: &mut dyn FnMut(&str)) -> Result<(), TransferError> {
    let mut session = Session { conn, folder, report };
    loop {
        let request = match receive::<Request>(conn) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(error) => {
                if matches!(error, Framing(_)) {
                    session.tell_and_linger(&error);
                }
                return Err(error);
            }
        };
        // A command is looked for in this list, and not among the program's own names.
        match request.cmd.as_str() {
            "put" => session.put(&request)?,
            "get" => session.get(&request)?,
            "ls" => session.list()?,
            other => session.refuse(&Unwilling(format!("there is no command {other:?}: put, get or ls")))?,
        }
    }
}

struct Session<'a> {
    conn: &'a Socket,
    folder: &'a Folder,
    report: &'a mut dyn FnMut(&str),
}

impl<'a> Session<'a> {
    /// Says no. The next message is a request again.
    fn refuse(&mut self, why: &TransferError) -> Result<(), TransferError> {
        self.answer_no(Answer::refusal(why))
    }

    fn answer_no(&mut self, answer: Answer) -> Result<(), TransferError> {
        (self.report)(&format!("refused: {}", answer.error.as_deref().unwrap_or_default()));
        send(self.conn, &answer)
    }

    fn put(&mut self, request: &Request) -> Result<(), TransferError> {
        let (incoming, size) = match self.begin(request) {
            Ok(begun) => begun,
            // A classic client's file follows, whatever is said.
            Err((why, _)) if request.is_classic() => return Err(why),
            Err((why, sums)) => {
                return self.answer_no(Answer { sums, ..Answer::refusal(why) });
            }
        };
        if !request.is_classic() {
            send(self.conn, &Answer { offset: Some(incoming.offset.cast_signed()), ..Answer::ok() })?;
        }
        let (name, offset) = (incoming.name().to_owned(), incoming.offset);
        match self.receive(incoming, size, request)? {
            Ok(sums) => {
                let rest = if offset > 0 { format!(", the first {offset} from before") } else { String::new() };
                (self.report)(&format!("{name}: {size} bytes, stored{rest}"));
                if request.is_classic() { Ok(()) } else { send(self.conn, &Answer { sums, ..Answer::ok() }) }
            }
            Err(why) if request.is_classic() => Err(why),
            Err(why) => self.refuse(&why),
        }
    }

    /// Whether a file may come, before any of it does. With what is refused, the digest of an equally long file that
    /// has the name: it may be the same.
    fn begin(&self, request: &Request) -> Result<(Incoming<'a>, u64), (TransferError, Sums)> {
        let plain = |why| (why, Sums::default());
        let name = request.name().map_err(plain)?;
        let size = bytes(request.filesize)
            .ok_or_else(|| plain(Unwilling(format!("{name}: no size is named that a file can have"))))?;
        let algorithm = request.algorithm().map_err(plain)?;
        let replace = request.replace || request.is_classic();
        check_name(name).map_err(|why| plain(Unwilling(why)))?;
        if let Some(sums) = self.taken(name, size, algorithm).filter(|_| !replace) {
            return Err((Unwilling(format!("{name}: there is a file of this name already")), sums));
        }
        let mut incoming = Incoming::begin(self.folder, name, replace, !request.is_classic()).map_err(plain)?;
        // What was left by an earlier transfer is this file's beginning only if a digest says so.
        if incoming.offset > 0 && (request.afresh || incoming.offset > size || algorithm == Algorithm::None) {
            incoming.start_afresh().map_err(plain)?;
        }
        incoming.check_room(size).map_err(plain)?;
        Ok((incoming, size))
    }

    /// If the name is taken: the digest of the file that has it, where it has this size.
    fn taken(&self, name: &str, size: u64, algorithm: Algorithm) -> Option<Sums> {
        let file = match self.folder.open_file(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            // A link or a folder has a name, too.
            opened => opened.ok().filter(|file| file.size().is_ok_and(|there| there == size)),
        };
        Some(file.and_then(|file| digest_of(&file, size, algorithm).ok()).unwrap_or_default())
    }

    /// Receives a file and stores it. Outside: the stream is of no more use. Inside: the file is not stored.
    fn receive(
        &mut self,
        mut incoming: Incoming<'_>,
        size: u64,
        request: &Request,
    ) -> Result<Result<Sums, TransferError>, TransferError> {
        let sums = match incoming.fill(self.conn, size, request.algorithm()?, &mut |_, _| {}) {
            Ok(sums) => sums,
            Err(error) => {
                // Its room is free again before the client hears of it.
                drop(incoming);
                if matches!(error, Here(..)) && !request.is_classic() {
                    self.tell_and_linger(&error);
                }
                return Err(error);
            }
        };
        let promised = match request.is_classic() {
            true => sums.clone(),
            false => receive::<Sums>(self.conn)?.ok_or(Left(size, size))?,
        };
        let named_before = request.sums == Sums::default() || sums.are_as(&request.sums);
        if !named_before || !sums.are_as(&promised) {
            return Ok(Err(incoming.refuse()));
        }
        Ok(incoming.finish().map(|()| sums))
    }

    fn get(&mut self, request: &Request) -> Result<(), TransferError> {
        let opened = request.name().and_then(|name| {
            check_name(name).map_err(Unwilling)?;
            let here = |error| Here(format!("{name} cannot be sent"), error);
            let file = match self.folder.open_file(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Unwilling(format!("{name}: there is no file of this name")));
                }
                opened => opened.map_err(here)?,
            };
            let size = file.size().map_err(here)?;
            Ok((name, file, size, request.algorithm()?))
        });
        let (name, file, size, algorithm) = match opened {
            Ok(opened) => opened,
            Err(why) => return self.refuse(&why),
        };
        let mut digest = Digest::new(algorithm);
        let offset = bytes(request.offset).filter(|offset| *offset <= size).unwrap_or(0);
        let filesize = Some(size.cast_signed());
        send(self.conn, &Answer { filesize, offset: Some(offset.cast_signed()), ..Answer::ok() })?;
        // The client may have asked for the next file already.
        body::send(self.conn, &file, (offset, size), &mut digest, |_| Ok(true))?;
        send(self.conn, &Sums::of(algorithm, digest.finish()))?;
        let rest = if offset > 0 { format!(", without its first {offset}") } else { String::new() };
        (self.report)(&format!("{name}: {size} bytes, sent{rest}"));
        Ok(())
    }

    fn list(&mut self) -> Result<(), TransferError> {
        let entries = match self.folder.list() {
            Ok(entries) if entries.len() <= LONGEST_LIST => entries,
            Ok(entries) => return self.refuse(&Unwilling(format!("{} files are too many for a list", entries.len()))),
            Err(error) => return self.refuse(&Here("the folder cannot be read".to_owned(), error)),
        };
        let mut body = Vec::new();
        // What cannot be asked for is not in the list: an unfinished file, a name that is not UTF-8.
        let names = entries.iter().filter_map(|entry| Some((entry.name.to_str()?, entry.size)));
        for (name, size) in names.filter(|(name, _)| check_name(name).is_ok()) {
            let line = serde_json::json!({"filename": name, "filesize": size});
            body.extend_from_slice(format!("{line}\n").as_bytes());
        }
        send(self.conn, &Answer { filesize: Some(body.len() as i64), ..Answer::ok() })?;
        send_all(self.conn, &body)?;
        (self.report)(&format!("a list, {} bytes", body.len()));
        Ok(())
    }

    /// Says why no more of a file is wanted, and takes what the client has sent until it stops: a socket that is closed
    /// with unread bytes resets its connection, and the reason would be lost.
    fn tell_and_linger(&self, why: &TransferError) {
        // If it cannot be told, the connection has gone, and there is nothing left to do for it.
        let told = send(self.conn, &Answer::refusal(why)).is_ok() && self.conn.shutdown(Shutdown::Write).is_ok();
        let (until, mut rest) = (Instant::now() + LINGER, vec![0; 64 << 10]);
        while told && Instant::now() < until && self.conn.recv(&mut rest).is_ok_and(|len| len > 0) {}
    }
}
