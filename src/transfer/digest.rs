//! The digest of a file, computed beside its transfer.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::file::File;
use crate::sys;

/// How many bytes are read for it at once: what a processor's cache holds.
const PIECE: usize = 256 << 10;

/// Below this many bytes a thread costs more than it saves.
const SMALL: u64 = 1 << 20;

/// How many bytes another thread is told of at once: to wake it takes longer than to read on a little.
const AT_ONCE: u64 = 4 << 20;

/// How many times that a transfer may be ahead of its digest. It waits then: what has just been moved is read again
/// while it is near, and where the digest is the slower one, all lasts as long as it does anyway.
const AHEAD: usize = 4;

/// How a digest is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Not at all: the transfer is compared by its size only.
    None,
    /// BLAKE3, the fastest.
    #[default]
    Blake3,
    /// SHA-256, FIPS 180-4.
    Sha256,
    /// MD5, RFC 1321: it finds accidents, and nothing that somebody has made on purpose.
    Md5,
}

impl Algorithm {
    /// All of them, the fastest first.
    pub(super) const ALL: [Algorithm; 4] = [Algorithm::None, Algorithm::Blake3, Algorithm::Sha256, Algorithm::Md5];

    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::None => "none",
            Algorithm::Blake3 => "blake3",
            Algorithm::Sha256 => "sha256",
            Algorithm::Md5 => "md5",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(name: &str) -> Result<Algorithm, String> {
        let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        found.ok_or_else(|| format!("no digest {name:?} is known here: blake3, sha256, md5 or none"))
    }
}

/// A digest that is being computed.
enum State {
    None,
    Blake3(Box<blake3::Hasher>),
    Sha256(Sha256),
    Md5(Md5),
}

impl State {
    fn new(algorithm: Algorithm) -> State {
        match algorithm {
            Algorithm::None => State::None,
            Algorithm::Blake3 => State::Blake3(Box::default()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Md5 => State::Md5(Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            State::None => {}
            State::Blake3(state) => drop(state.update(bytes)),
            State::Sha256(state) => state.update(bytes),
            State::Md5(state) => state.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            State::None => String::new(),
            State::Blake3(state) => state.finalize().to_hex().to_string(),
            State::Sha256(state) => format!("{:x}", state.finalize()),
            State::Md5(state) => format!("{:x}", state.finalize()),
        }
    }
}

/// The digest of a file's first bytes, which follows a transfer: it reads them again, from the memory in which the
/// kernel has them still. So a transfer need not bring them through this process.
pub(super) struct FileDigest<'a> {
    file: &'a File,
    /// So many bytes are there, and so many of them are in the digest, or another thread was told of them.
    there: u64,
    done: u64,
    work: Work,
}

enum Work {
    /// In this thread, when it is asked for.
    Here(State, Vec<u8>),
    /// In another one, which is told how far it may read.
    Beside(SyncSender<u64>, JoinHandle<io::Result<State>>),
}

impl FileDigest<'_> {
    /// Of a file of which `size` bytes are to come.
    pub(super) fn start(file: &File, size: u64, algorithm: Algorithm) -> io::Result<FileDigest<'_>> {
        let state = State::new(algorithm);
        if algorithm == Algorithm::None || size < SMALL {
            return Ok(FileDigest { file, there: 0, done: 0, work: Work::Here(state, Vec::new()) });
        }
        let (sender, receiver) = sync_channel(AHEAD);
        let its_file = file.as_fd().try_clone_to_owned()?;
        let thread = thread::Builder::new().name("digest".to_owned());
        let work = match thread.spawn(move || follow(&its_file, state, &receiver)) {
            Ok(thread) => Work::Beside(sender, thread),
            // No room for one more thread: it takes longer, and that is all.
            Err(_) => Work::Here(State::new(algorithm), Vec::new()),
        };
        Ok(FileDigest { file, there: 0, done: 0, work })
    }

    /// The first `end` bytes are there. Waits where the digest is far behind.
    pub(super) fn advance(&mut self, end: u64) -> io::Result<()> {
        self.there = end;
        match &self.work {
            Work::Beside(..) if end < self.done + AT_ONCE => Ok(()),
            _ => self.go_on(),
        }
    }

    fn go_on(&mut self) -> io::Result<()> {
        match &mut self.work {
            Work::Here(State::None, _) => {}
            Work::Here(state, piece) => {
                read_on(&|buf, at| self.file.read_at(buf, at), state, piece, self.done, self.there)?;
            }
            // A thread that has ended has an error, which `finish` tells.
            Work::Beside(sender, _) => drop(sender.send(self.there)),
        }
        self.done = self.there;
        Ok(())
    }

    /// The digest, in hexadecimal digits.
    pub(super) fn finish(mut self) -> io::Result<String> {
        self.go_on()?;
        match self.work {
            Work::Here(state, _) => Ok(state.finish()),
            Work::Beside(sender, thread) => {
                drop(sender);
                let state = thread.join().map_err(|_| io::Error::other("the digest's thread has ended"))?;
                Ok(state?.finish())
            }
        }
    }
}

/// Reads on each time that there is more, until nobody can say so any more.
fn follow(file: &OwnedFd, mut state: State, ends: &Receiver<u64>) -> io::Result<State> {
    let (mut done, mut piece) = (0, Vec::new());
    let read = |buf: &mut [u8], at| Ok(sys::retry_on_intr(|| rustix::io::pread(file, &mut *buf, at))?);
    while let Ok(end) = ends.recv() {
        read_on(&read, &mut state, &mut piece, done, end)?;
        done = end;
    }
    Ok(state)
}

fn read_on(
    read_at: &dyn Fn(&mut [u8], u64) -> io::Result<usize>,
    state: &mut State,
    piece: &mut Vec<u8>,
    mut at: u64,
    end: u64,
) -> io::Result<()> {
    piece.resize(PIECE.min(usize::try_from(end).unwrap_or(PIECE)).max(piece.len()), 0);
    while at < end {
        let most = usize::try_from(end - at).unwrap_or(PIECE).min(piece.len());
        let len = read_at(&mut piece[..most], at)?;
        if len == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter meanwhile"));
        }
        state.update(&piece[..len]);
        at += len as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Folder;

    /// An empty file, which goes with the folder.
    fn new_file() -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Folder::open(folder.path()).and_then(|folder| folder.create("a")).expect("a file");
        (folder, file)
    }

    /// From the standards' own examples: FIPS 180-4's and RFC 1321's of "abc", and BLAKE3's of nothing.
    #[test]
    fn digests_are_those_of_the_standards() {
        let of = |algorithm, bytes: &[u8]| {
            let (_folder, file) = new_file();
            file.write_all(bytes).expect("written");
            let mut digest = FileDigest::start(&file, bytes.len() as u64, algorithm).expect("a digest");
            digest.advance(bytes.len() as u64).expect("read");
            digest.finish().expect("a digest")
        };
        assert_eq!(of(Algorithm::Md5, b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of(Algorithm::Sha256, b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(of(Algorithm::Blake3, b""), blake3::hash(b"").to_hex().to_string());
        assert_eq!(of(Algorithm::None, b"abc"), "");
        let large = vec![7; 3 << 20];
        assert_eq!(of(Algorithm::Blake3, &large), blake3::hash(&large).to_hex().to_string());
        assert_eq!(of(Algorithm::Sha256, &large), format!("{:x}", Sha256::digest(&large)));
    }

    #[test]
    fn a_digest_follows_a_transfer_in_steps_of_any_size() {
        let bytes: Vec<u8> = (0..9 << 20).map(|n: u32| (n % 251) as u8).collect();
        let (_folder, file) = new_file();
        let mut digest = FileDigest::start(&file, bytes.len() as u64, Algorithm::Blake3).expect("a digest");
        let (mut at, mut steps) = (0, [1, 4 << 20, 0, (4 << 20) - 1, 7, 1 << 20].into_iter());
        while at < bytes.len() {
            let step = steps.next().unwrap_or(300_000).min(bytes.len() - at);
            file.write_all(&bytes[at..at + step]).expect("written");
            at += step;
            digest.advance(at as u64).expect("read");
        }
        assert_eq!(digest.finish().expect("a digest"), blake3::hash(&bytes).to_hex().to_string());
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        for size in [10, 2 << 20] {
            let (_folder, file) = new_file();
            file.truncate(5).expect("five bytes");
            let mut digest = FileDigest::start(&file, size, Algorithm::Md5).expect("a digest");
            let advanced = digest.advance(size);
            assert!(advanced.and_then(|()| digest.finish()).is_err(), "{size}");
        }
    }
}
