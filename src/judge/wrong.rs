//! Named misconceptions: programs that are wrong in a way that people are wrong.
//!
//! Each begins with two comments of its language: `wrong:` and a sentence that says what the program takes for granted,
//! and `fails:` and the names of all checks that it fails.

use super::grade::{Checked, Verdict};

/// A wrong program of ours: what it gets wrong, and which checks show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misconception {
    /// Its file's name without the ending: `one-recv-one-message`.
    pub name: String,
    /// "one recv is taken for one message"
    pub sentence: String,
    /// The checks that it fails.
    pub fails: Vec<String>,
}

impl Misconception {
    /// Reads the two comments at the beginning of a program; `None` if one is missing.
    pub fn read(file: &str, program: &str) -> Option<Misconception> {
        let remark = |word: &str| {
            let lines = program.lines().take(20).map(|line| line.trim_start_matches(['#', '/', '*', ' ', ';']));
            lines.filter_map(|line| line.strip_prefix(word)).map(str::trim).collect::<Vec<_>>().join(" ")
        };
        let (sentence, fails) = (remark("wrong:"), remark("fails:"));
        let fails: Vec<String> = fails.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let name = file.rsplit('/').next()?.split('.').next()?.to_owned();
        (!sentence.is_empty() && !fails.is_empty()).then_some(Misconception { name, sentence, fails })
    }

    /// Whether these are the checks that it fails.
    pub fn fails_these(&self, checks: &[Checked]) -> bool {
        checks.iter().all(|checked| {
            let fails = self.fails.iter().any(|name| name == checked.check.name);
            match checked.verdict() {
                Verdict::Pass => !fails,
                Verdict::Fail => fails,
                Verdict::CannotTell => false,
            }
        })
    }
}

/// The one that fails the same checks as this attempt does; `None` if several of different names do. The same
/// misconception in several languages has one name.
pub fn matching<'a>(all: &'a [Misconception], checks: &[Checked]) -> Option<&'a Misconception> {
    // If every check fails, any reason is possible.
    if checks.iter().all(|checked| checked.verdict() != Verdict::Pass) {
        return None;
    }
    let mut like = all.iter().filter(|one| one.fails_these(checks));
    like.next().filter(|first| like.all(|other| other.name == first.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_read_in_every_language() {
        for head in
            ["# wrong: a\n# fails: x, y\n", "// wrong: a\n// fails: x,\n// fails: y\n", "/* wrong: a\n * fails: x y\n"]
        {
            let read = Misconception::read("wrong/some-name.py", head).expect("remarks");
            assert_eq!((read.name.as_str(), read.sentence.as_str()), ("some-name", "a"));
            assert_eq!(read.fails, ["x", "y"]);
        }
        assert_eq!(Misconception::read("a.py", "# wrong: a\n"), None);
    }
}
