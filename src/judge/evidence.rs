//! What a failure must look like for a misconception to be its cause: a list of terms that must all hold of it.
//!
//! `hangs, in recv, got nothing` is such a list. The words of terms stand in docs/writing-exercises.md.

use super::failure::{Failure, Kind, Shown, Sleeps};
use crate::sandbox::How;

/// Terms that must all hold of a failure. None at all hold of no failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(Vec<Term>);

/// One thing that must hold of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Kind(Kind),
    /// It ended with this exit code, or with any but 0.
    Exit(Option<i32>),
    /// It was killed by this signal.
    Signal(String),
    Sleeps(Sleeps),
    /// Whether bytes lie unread in a socket of its.
    Unread(bool),
    Got(Got),
    /// A text contains these bytes.
    Text(Where, Vec<u8>),
}

/// What came, against what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Nothing,
    /// A beginning of what was expected, and not all of it.
    Less,
    /// What was expected, and something behind it.
    More,
    /// What was expected, and only zero bytes behind it.
    Zeros,
    /// All but the newline at the end.
    NoNewline,
    /// The same but for the case of letters.
    Unchanged,
    /// So many bytes.
    Bytes(usize),
}

/// In which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    What,
    Expected,
    Got,
    Why,
    /// In what the program printed.
    Says,
}

const WORDS: [(&str, Term); 24] = [
    ("wrong", Term::Kind(Kind::Wrong)),
    ("hangs", Term::Kind(Kind::Hangs)),
    ("spins", Term::Kind(Kind::Spins)),
    ("ended", Term::Kind(Kind::Ended)),
    ("limit", Term::Kind(Kind::Limit)),
    ("exit 0", Term::Exit(Some(0))),
    ("exit 1", Term::Exit(Some(1))),
    ("exit 2", Term::Exit(Some(2))),
    ("exit nonzero", Term::Exit(None)),
    ("in recv", Term::Sleeps(Sleeps::Recv)),
    ("in send", Term::Sleeps(Sleeps::Send)),
    ("in accept", Term::Sleeps(Sleeps::Accept)),
    ("in poll", Term::Sleeps(Sleeps::Poll)),
    ("in sleep", Term::Sleeps(Sleeps::Sleep)),
    ("in stdin", Term::Sleeps(Sleeps::Stdin)),
    ("in wait", Term::Sleeps(Sleeps::Wait)),
    ("unread", Term::Unread(true)),
    ("all read", Term::Unread(false)),
    ("got nothing", Term::Got(Got::Nothing)),
    ("got less", Term::Got(Got::Less)),
    ("got more", Term::Got(Got::More)),
    ("got zeros", Term::Got(Got::Zeros)),
    ("got no newline", Term::Got(Got::NoNewline)),
    ("got unchanged", Term::Got(Got::Unchanged)),
];

const PLACES: [(&str, Where); 5] = [
    ("what", Where::What),
    ("expected", Where::Expected),
    ("got", Where::Got),
    ("why", Where::Why),
    ("says", Where::Says),
];

impl Evidence {
    /// Reads terms, separated by commas.
    ///
    /// # Errors
    /// Which one is unknown.
    pub fn read(text: &str) -> Result<Evidence, String> {
        let terms = split(text).into_iter().map(|term| Term::read(term).ok_or_else(|| format!("{term:?} is no term")));
        terms.collect::<Result<_, _>>().map(Evidence)
    }

    /// Whether all terms hold of this failure.
    pub fn holds(&self, failure: &Failure) -> bool {
        !self.0.is_empty() && self.0.iter().all(|term| term.holds(failure))
    }
}

/// The terms between the commas that stand outside of quotation marks.
fn split(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let terms = text.split(|character: char| {
        quoted ^= character == '"';
        character == ',' && !quoted
    });
    terms.map(str::trim).filter(|term| !term.is_empty()).collect()
}

impl Term {
    fn read(text: &str) -> Option<Term> {
        if let Some((_, term)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Some(term.clone());
        }
        if let Some(count) = text.strip_prefix("got ").and_then(|rest| rest.strip_suffix(" bytes")) {
            return Some(Term::Got(Got::Bytes(count.replace(',', "").parse().ok()?)));
        }
        if text.starts_with("SIG") && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return Some(Term::Signal(text.to_owned()));
        }
        let (place, words) = text.split_once(' ')?;
        let (_, place) = PLACES.iter().find(|(word, _)| *word == place)?;
        let words = words.strip_prefix('"')?.strip_suffix('"')?;
        Some(Term::Text(*place, unescaped(words)?))
    }

    fn holds(&self, failure: &Failure) -> bool {
        let (seen, how) = (&failure.seen, failure.seen.ending.as_ref());
        match self {
            Term::Kind(kind) => failure.kind == *kind,
            Term::Exit(code) => matches!(how, Some(How::Exited(is)) if code.map_or(*is != 0, |code| *is == code)),
            Term::Signal(name) => matches!(how, Some(How::Killed(signal)) if signal == name),
            Term::Sleeps(sleeps) => seen.sleeps.contains(sleeps),
            Term::Unread(unread) => seen.unread == Some(*unread),
            Term::Got(got) => got.holds(failure),
            Term::Text(place, words) => match place {
                Where::What => holds_bytes(failure.what.as_bytes(), words),
                Where::Expected => failure.expected.as_ref().is_some_and(|shown| contains(shown, words)),
                Where::Got => failure.got.as_ref().is_some_and(|shown| contains(shown, words)),
                Where::Why => failure.why.iter().any(|why| holds_bytes(why.as_bytes(), words)),
                Where::Says => holds_bytes(&seen.printed, words),
            },
        }
    }
}

impl Got {
    fn holds(self, failure: &Failure) -> bool {
        let (Some(expected), Some(got)) = (&failure.expected, &failure.got) else { return false };
        match (self, expected, got) {
            (Got::Nothing, _, Shown::Words(words)) => words == "nothing",
            (Got::Nothing, _, Shown::Bytes(got)) => got.is_empty(),
            (Got::Bytes(count), _, Shown::Bytes(got)) => got.len() == count,
            (_, Shown::Bytes(expected), Shown::Bytes(got)) => match self {
                Got::Less => !got.is_empty() && got.len() < expected.len() && expected.starts_with(got),
                Got::More => {
                    let behind = got.strip_prefix(expected.as_slice()).unwrap_or_default();
                    behind.iter().any(|byte| *byte != 0)
                }
                Got::Zeros => {
                    let behind = got.strip_prefix(expected.as_slice()).unwrap_or_default();
                    !behind.is_empty() && behind.iter().all(|byte| *byte == 0)
                }
                Got::NoNewline => expected.strip_suffix(b"\n") == Some(got),
                Got::Unchanged => expected != got && expected.eq_ignore_ascii_case(got),
                Got::Nothing | Got::Bytes(_) => false,
            },
            _ => false,
        }
    }
}

fn contains(shown: &Shown, words: &[u8]) -> bool {
    match shown {
        Shown::Words(text) => holds_bytes(text.as_bytes(), words),
        Shown::Bytes(bytes) => holds_bytes(bytes, words),
    }
}

/// The bytes that words in quotation marks stand for: `\r`, `\n`, `\\` and `\x00` are one each.
fn unescaped(words: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = words.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (escaped, behind) = rest.split_first()?;
        rest = behind;
        bytes.push(match escaped {
            b'r' => b'\r',
            b'n' => b'\n',
            b'\\' => b'\\',
            b'x' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                rest = behind;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

fn holds_bytes(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len().max(1)).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::failure::Seen;

    fn holds(terms: &str, failure: &Failure) -> bool {
        Evidence::read(terms).expect("terms").holds(failure)
    }

    fn between(expected: &[u8], got: &[u8]) -> Failure {
        Failure::new(Kind::Wrong, "it is wrong").between(expected, got)
    }

    #[test]
    fn what_came_is_told_from_what_was_expected() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "got nothing"),
            (b"HEL", "got less"),
            (b"HELLO\n!", "got more"),
            (b"HELLO\n\0\0", "got zeros"),
            (b"HELLO", "got no newline"),
            (b"hello\n", "got unchanged"),
        ];
        for (got, term) in cases {
            assert!(holds(term, &between(b"HELLO\n", got)), "{term}");
            assert!(!holds(term, &between(b"HELLO\n", b"other")), "{term}");
        }
        assert!(holds("got 3 bytes", &between(b"HELLO", b"abc")));
    }

    #[test]
    fn all_terms_must_hold_and_none_at_all_hold_of_nothing() {
        let seen = Seen { sleeps: vec![Sleeps::Recv], unread: Some(true), ..Seen::default() };
        let failure = Failure { seen, ..Failure::new(Kind::Hangs, "it does not answer") };
        assert!(holds(r#"hangs, in recv, unread, what "not, answer""#.replace(", a", " a").as_str(), &failure));
        assert!(!holds("hangs, in accept", &failure));
        assert!(!holds("", &failure));
        assert!(Evidence::read("hangs, somehow").is_err());
    }

    #[test]
    fn words_may_have_bytes_that_nobody_can_type() {
        assert!(holds(r#"got "O\r\n""#, &between(b"HELLO\n", b"HELLO\r\n")));
        assert!(holds(r#"got "\x00\xff""#, &between(b"", b"\x00\xff")));
        assert!(Evidence::read(r#"got "\q""#).is_err() && Evidence::read(r#"got "\x0""#).is_err());
    }

    #[test]
    fn commas_in_quotation_marks_part_nothing() {
        assert_eq!(split(r#"hangs, got "a, b", in recv"#), ["hangs", r#"got "a, b""#, "in recv"]);
    }
}
