//! What decides the numbers that checks draw: a number that the grade tells, or an instructor's secret, which it does
//! not.
//!
//! A number of a check is HMAC-SHA-256, RFC 2104, of the exercise, the check and a count, keyed by the seed. So nobody
//! can tell the next number from those before it, one check's from another one's, or the seed from any of them.

use std::fmt;
use std::io;

use hmac::{Hmac, Mac};
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::Sha256;

use crate::sys::retry_on_intr;
use crate::trace::hexadecimal;

/// The sizes of a secret, in bytes: shorter ones could be guessed, and longer ones have no use.
pub const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=4096;

/// How many bytes of its hash a grade tells of a secret.
const FINGERPRINT: usize = 8;

/// Decides the numbers that checks draw.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    key: Vec<u8>,
    told: Told,
}

/// What a grade tells of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// All of it: with the same number the same numbers are drawn.
    Number(u64),
    /// By which secret it was drawn, and not what that is.
    Fingerprint(String),
}

impl Seed {
    /// The seed that a number is.
    pub fn of_number(number: u64) -> Seed {
        Seed { key: number.to_be_bytes().to_vec(), told: Told::Number(number) }
    }

    /// 64 bits of the kernel's, `getrandom(2)`: nobody can guess them.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn random() -> io::Result<Seed> {
        let mut bytes = [0; 8];
        // So few bytes come all at once.
        retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty()))?;
        Ok(Seed::of_number(u64::from_ne_bytes(bytes)))
    }

    /// A seed that no grade tells. With `name`, a student's or a date, it is another one for each name.
    ///
    /// # Errors
    /// A sentence for the user, if the secret is too short or too long.
    pub fn of_secret(secret: &[u8], name: Option<&str>) -> Result<Seed, String> {
        let (least, most) = SECRET_BYTES.into_inner();
        if !SECRET_BYTES.contains(&secret.len()) {
            return Err(format!("a secret seed has {least} to {most} bytes, and this one has {}", secret.len()));
        }
        let key = match name {
            Some(name) => keyed(secret, &[b"for", name.as_bytes()]),
            None => keyed(secret, &[b"for all"]),
        };
        let fingerprint = hexadecimal::encode(&keyed(secret, &[b"fingerprint"])[..FINGERPRINT]);
        Ok(Seed { key: key.to_vec(), told: Told::Fingerprint(fingerprint) })
    }

    /// The number that it is; `None` of a secret.
    pub fn number(&self) -> Option<u64> {
        match self.told {
            Told::Number(number) => Some(number),
            Told::Fingerprint(_) => None,
        }
    }

    /// What shows which secret it is; `None` of a number.
    pub fn fingerprint(&self) -> Option<&str> {
        match &self.told {
            Told::Number(_) => None,
            Told::Fingerprint(fingerprint) => Some(fingerprint),
        }
    }

    /// The numbers of one check.
    pub fn numbers(&self, exercise: &str, check: &str) -> Numbers {
        Numbers(keyed(&self.key, &[b"numbers", exercise.as_bytes(), check.as_bytes()]))
    }
}

/// What a person reads: `2027`, or `secret (fingerprint 0badcafe…)`.
impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.told {
            Told::Number(number) => write!(f, "{number}"),
            Told::Fingerprint(fingerprint) => write!(f, "secret (fingerprint {fingerprint})"),
        }
    }
}

/// Without the key.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told.fmt(f)
    }
}

/// Numbers without end, each known by its count.
#[derive(Clone)]
pub struct Numbers([u8; 32]);

impl Numbers {
    /// The number of this count.
    pub fn at(&self, count: u64) -> u64 {
        let hash = keyed(&self.0, &[&count.to_be_bytes()]);
        hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// Without the key.
impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

/// HMAC-SHA-256 of these words, each behind its length: no two lists of words are the same message.
fn keyed(key: &[u8], words: &[&[u8]]) -> [u8; 32] {
    let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("a key of HMAC may have any length") };
    for word in words {
        hash.update(&(word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    hash.finalize().into_bytes().into()
}

/// Reads a seed as a person types it, or as a grade tells it: decimal digits.
///
/// # Errors
/// A sentence for the user, if this is none.
pub fn read(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        "a seed is a whole number below 2^64, as a grade tells it: with the same seed the checks draw the same numbers"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"sixteen bytes...";

    #[test]
    fn the_same_seed_draws_the_same_numbers_in_every_version() {
        // As Python's hmac computes them.
        let numbers = Seed::of_number(2027).numbers("30", "split-anywhere");
        assert_eq!([numbers.at(0), numbers.at(1)], [322_494_422_471_567_748, 12_729_256_929_150_406_344]);
    }

    #[test]
    fn words_of_a_message_keep_their_borders() {
        assert_ne!(keyed(b"key", &[b"ab", b"c"]), keyed(b"key", &[b"a", b"bc"]));
        assert_ne!(keyed(b"key", &[b"abc"]), keyed(b"key", &[b"abc", b""]));
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let mut hash = Hmac::<Sha256>::new_from_slice(b"Jefe").expect("a key");
        hash.update(b"what do ya want for nothing?");
        let first = hash.finalize().into_bytes();
        assert_eq!(first[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn random_seeds_differ_and_have_64_bits() {
        let seeds: Vec<u64> = (0..64).filter_map(|_| Seed::random().expect("getrandom").number()).collect();
        assert!(seeds.iter().any(|seed| *seed > u64::MAX / 2));
        assert!(seeds.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(seeds.iter().fold(0, |any, seed| any | seed), u64::MAX);
        assert_eq!(seeds.iter().fold(u64::MAX, |all, seed| all & seed), 0);
    }

    #[test]
    fn a_secret_is_told_by_its_fingerprint_and_is_another_seed_for_each_name() {
        let of = |name| Seed::of_secret(SECRET, name).expect("a secret");
        let (all, ada, bob) = (of(None), of(Some("ada")), of(Some("bob")));
        assert_eq!(all.number(), None);
        assert_eq!(all.fingerprint(), ada.fingerprint());
        let first = |seed: &Seed| seed.numbers("30", "one-message").at(0);
        assert!(first(&all) != first(&ada) && first(&ada) != first(&bob) && first(&all) != first(&bob));
        for told in [format!("{ada:?}"), ada.to_string()] {
            assert!(!told.contains("sixteen"), "{told}");
        }
        let other = Seed::of_secret(b"sixteen bytes, 2", None).expect("a secret");
        assert_ne!(other.fingerprint(), all.fingerprint());
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        assert!(Seed::of_secret(b"fifteen bytes..", None).is_err());
        assert!(Seed::of_secret(&[7; 4097], None).is_err());
    }

    #[test]
    fn a_seed_is_read_as_it_is_told() {
        for number in [0, 1, 2027, 1 << 53, u64::MAX] {
            assert_eq!(read(&Seed::of_number(number).to_string()), Ok(number));
        }
        for wrong in ["", "x", "-1", "0x10", "18446744073709551616", "1.5"] {
            assert!(read(wrong).expect_err(wrong).contains("with the same seed"), "{wrong}");
        }
    }
}
