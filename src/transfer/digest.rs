//! The digest of a file, computed of the bytes that pass.

use std::fmt;
use std::io;
use std::str::FromStr;

use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::file::File;

/// How many bytes are read at once: so many stay in a processor's cache until they are in the digest and have been
/// passed on. With half as many, the two threads of a receiver take a tenth more of its time.
pub(super) const PIECE: usize = 512 << 10;

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
pub(super) enum Digest {
    None,
    Blake3(Box<blake3::Hasher>),
    Sha256(Sha256),
    Md5(Md5),
}

impl Digest {
    pub(super) fn new(algorithm: Algorithm) -> Digest {
        match algorithm {
            Algorithm::None => Digest::None,
            Algorithm::Blake3 => Digest::Blake3(Box::default()),
            Algorithm::Sha256 => Digest::Sha256(Sha256::new()),
            Algorithm::Md5 => Digest::Md5(Md5::new()),
        }
    }

    /// Whether nobody asks for one, so that nobody need have the bytes.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Digest::None)
    }

    /// These bytes are the next ones.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Digest::None => {}
            Digest::Blake3(state) => drop(state.update(bytes)),
            Digest::Sha256(state) => state.update(bytes),
            Digest::Md5(state) => state.update(bytes),
        }
    }

    /// The next bytes are those that a file has where its last read ended: so many.
    pub(super) fn read(&mut self, file: &File, len: u64) -> io::Result<()> {
        let (mut piece, mut rest) = (room_for(len), len);
        while rest > 0 && !self.is_none() {
            let most = piece.len().min(usize::try_from(rest).unwrap_or(PIECE));
            let len = file.read(&mut piece[..most])?;
            if len == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter meanwhile"));
            }
            self.update(&piece[..len]);
            rest -= len as u64;
        }
        Ok(())
    }

    /// The digest, in hexadecimal digits.
    pub(super) fn finish(self) -> String {
        match self {
            Digest::None => String::new(),
            Digest::Blake3(state) => state.finalize().to_hex().to_string(),
            Digest::Sha256(state) => format!("{:x}", state.finalize()),
            Digest::Md5(state) => format!("{:x}", state.finalize()),
        }
    }
}

/// As much of a file of so many bytes as is in memory at once.
pub(super) fn room_for(len: u64) -> Vec<u8> {
    vec![0; usize::try_from(len).map_or(PIECE, |len| len.min(PIECE))]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these bytes, of which none was read, in a folder with which it goes.
    fn file_of(bytes: &[u8]) -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a"), bytes).expect("written");
        let file = File::open_path(folder.path().join("a")).expect("a file");
        (folder, file)
    }

    /// From the standards' own examples: FIPS 180-4's and RFC 1321's of "abc", and BLAKE3's of nothing.
    #[test]
    fn digests_are_those_of_the_standards() {
        let of = |algorithm, bytes: &[u8]| {
            let (_folder, file) = file_of(bytes);
            let mut digest = Digest::new(algorithm);
            digest.read(&file, bytes.len() as u64).expect("read");
            digest.finish()
        };
        assert_eq!(of(Algorithm::Md5, b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of(Algorithm::Sha256, b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(of(Algorithm::Blake3, b""), blake3::hash(b"").to_hex().to_string());
        assert_eq!(of(Algorithm::None, b"abc"), "");
        let large: Vec<u8> = (0..3 << 20).map(|n: u32| (n % 251) as u8).collect();
        assert_eq!(of(Algorithm::Blake3, &large), blake3::hash(&large).to_hex().to_string());
        assert_eq!(of(Algorithm::Sha256, &large), format!("{:x}", Sha256::digest(&large)));
    }

    #[test]
    fn a_digest_goes_on_where_the_last_read_ended() {
        let (_folder, file) = file_of(b"the first\nof two\n");
        let mut digest = Digest::new(Algorithm::Blake3);
        digest.read(&file, 9).expect("read");
        digest.update(b"\nof two\n");
        assert_eq!(digest.finish(), blake3::hash(b"the first\nof two\n").to_hex().to_string());
        let mut rest = Digest::new(Algorithm::Md5);
        rest.read(&file, 8).expect("read");
        assert!(rest.read(&file, 1).is_err(), "a file that became shorter");
    }
}
