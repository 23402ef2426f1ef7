//! Roles that loop for ever: they do the same few things again and again, with the same results, and never wait.

use crate::trace::What;

/// How many times in a row the same things must be done to count as a loop.
const ROUNDS: usize = 3;

/// The most things in one round of a loop.
const MAX_LENGTH: usize = 8;

/// What was done last, and by which role.
#[derive(Default)]
pub(super) struct LoopDetector(Vec<(usize, String)>);

impl LoopDetector {
    /// Notes that a role did this.
    pub fn note(&mut self, role: usize, what: &What) {
        if self.0.len() >= 2 * ROUNDS * MAX_LENGTH {
            self.0.drain(..ROUNDS * MAX_LENGTH);
        }
        self.0.push((role, format!("{what:?}")));
    }

    /// Whether a role was the last one to do anything, and has done the same things over and over.
    pub fn loops_forever(&self, role: usize) -> bool {
        let repeats = |length: usize| {
            let Some(begin) = self.0.len().checked_sub(ROUNDS * length) else { return false };
            let last = &self.0[begin..];
            last.iter().all(|(whose, _)| *whose == role) && last.iter().zip(&last[length..]).all(|(a, b)| a == b)
        };
        (1..=MAX_LENGTH).any(repeats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(texts: &[&str]) -> LoopDetector {
        let mut rounds = LoopDetector::default();
        for text in texts {
            rounds.note(0, &What::Print { text: (*text).to_owned() });
        }
        rounds
    }

    #[test]
    fn the_same_two_things_three_times_over_are_rounds() {
        assert!(rounds(&["once", "a", "b", "a", "b", "a", "b"]).loops_forever(0));
        assert!(!rounds(&["a", "b", "a", "b"]).loops_forever(0));
        assert!(!rounds(&["a", "b", "a", "b", "a", "c"]).loops_forever(0));
    }

    #[test]
    fn rounds_are_those_of_one_role() {
        let mut rounds = rounds(&["a", "a"]);
        rounds.note(1, &What::Print { text: "a".to_owned() });
        assert!(!rounds.loops_forever(0) && !rounds.loops_forever(1));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let texts: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert!(rounds(&texts).0.len() <= 2 * ROUNDS * MAX_LENGTH);
    }
}
