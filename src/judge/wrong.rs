//! Named misconceptions: programs that are wrong in a way that people are wrong.
//!
//! Each begins with three comments of its language: `wrong:` and a sentence that says what the program takes for
//! granted; `fails:` and the names of all checks that it fails; `shows:` and what its failure in the first of these
//! checks looks like, as [`Evidence`](super::evidence::Evidence).

use super::evidence::Evidence;
use super::grade::{Checked, Grade, Likely};

/// The word that stands in `fails:` for all checks, of a program that does not get through the gate.
pub const GATE: &str = "gate";

/// The most misconceptions that are named at once.
const MOST_LIKELY: usize = 3;

/// A wrong program of ours: what it gets wrong, and which checks show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misconception {
    /// Its file's name without the ending: `one-recv-one-message`.
    pub name: String,
    /// "one recv is taken for one message"
    pub sentence: String,
    /// The checks that it fails.
    pub fails: Vec<String>,
    /// What its failure in the first of these checks looks like.
    pub shows: Evidence,
    /// The names of misconceptions that nobody can have besides this one.
    pub never_with: Vec<String>,
}

impl Misconception {
    /// Reads the comments at the beginning of a program.
    ///
    /// # Errors
    /// Which of them is missing, or cannot be read.
    pub fn read(file: &str, program: &str) -> Result<Misconception, String> {
        let remark = |word: &str| {
            let lines = program.lines().take(20).map(|line| line.trim_start_matches(['#', '/', '*', ' ', ';']));
            let found = lines.filter_map(|line| line.strip_prefix(word)?.strip_prefix(':'));
            let text = found.map(str::trim).collect::<Vec<_>>().join(" ");
            if text.is_empty() { Err(format!("{file} has no remark {word}:")) } else { Ok(text) }
        };
        let names = |text: String| -> Vec<String> {
            text.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let fails = names(remark("fails")?);
        let never_with = names(remark("never with").unwrap_or_default());
        let name = file.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default().to_owned();
        let shows = remark("shows").unwrap_or_default();
        let shows = Evidence::read(&shows).map_err(|why| format!("{file}: shows: {why}"))?;
        Ok(Misconception { name, sentence: remark("wrong")?, fails, shows, never_with })
    }

    /// The first of its checks in the exercise's order, if it is one that fails and all the others fail, too.
    fn first_of<'a>(&self, failed: &[&'a Checked]) -> Option<&'a Checked> {
        let all_fail = self.fails.iter().all(|name| failed.iter().any(|checked| checked.check.name == name));
        failed.iter().find(|checked| self.explains(checked)).filter(|_| all_fail).copied()
    }

    /// Whether nobody can have both.
    fn excludes(&self, other: &Misconception) -> bool {
        self.never_with.contains(&other.name) || other.never_with.contains(&self.name)
    }

    fn explains(&self, checked: &Checked) -> bool {
        self.fails.iter().any(|name| name == checked.check.name)
    }

    /// Whether it explains a failure: the first of all its checks, which all fail, looks as it says.
    fn fits(&self, first: &Checked, failed: &[&Checked]) -> bool {
        let is_first = self.first_of(failed).is_some_and(|of_its| of_its.check.name == first.check.name);
        is_first && first.failure().is_some_and(|failure| self.shows.holds(failure))
    }
}

/// What an attempt seems to get wrong: the misconception that the first failing check shows, and then those that show
/// in what it leaves unexplained. Nothing for a check of which several misconceptions of different names could be the
/// cause. Where no check passes, only one that explains them all: an unfinished program looks like many mistakes.
pub fn likely(all: &[Misconception], grade: &Grade) -> Vec<Likely> {
    if let (Some(_), Some(first)) = (grade.gate, grade.checks.first()) {
        let at_gate = all.iter().filter(|one| one.fails == [GATE]);
        let fits = |one: &&Misconception| first.failure().is_some_and(|failure| one.shows.holds(failure));
        return only_one(at_gate.filter(fits).collect()).map(told).into_iter().collect();
    }
    let failed: Vec<&Checked> = grade.checks.iter().filter(|checked| checked.failure().is_some()).collect();
    let (mut found, mut unexplained) = (Vec::<&Misconception>::new(), failed.clone());
    while let Some(first) = unexplained.first().copied() {
        let fits: Vec<&Misconception> = all
            .iter()
            .filter(|one| one.fits(first, &failed) && !found.iter().any(|other| one.excludes(other)))
            .collect();
        let cause = only_one(without_parts_of_others(&fits)).filter(|cause| !is_two_others(cause, &fits, all, &failed));
        match cause {
            Some(cause) => {
                found.push(cause);
                unexplained.retain(|checked| !cause.explains(checked));
            }
            // Without a cause of what the story tells, others would be taken for that.
            None if found.is_empty() => break,
            None => drop(unexplained.remove(0)),
        }
        if found.len() == MOST_LIKELY {
            break;
        }
    }
    let explains_all = |one: &Misconception| failed.iter().all(|checked| one.explains(checked));
    if failed.len() == grade.checks.len() && !found.first().is_some_and(|one| explains_all(one)) {
        found.clear();
    }
    found.into_iter().map(told).collect()
}

fn told(one: &Misconception) -> Likely {
    Likely { name: one.name.clone(), sentence: one.sentence.clone() }
}

/// The only one, or the first one where all have the same name: the same misconception in several languages.
fn only_one(several: Vec<&Misconception>) -> Option<&Misconception> {
    let (first, others) = several.split_first()?;
    others.iter().all(|other| other.name == first.name).then_some(first)
}

/// Those whose checks are not part of another one's: that explains more.
fn without_parts_of_others<'a>(all: &[&'a Misconception]) -> Vec<&'a Misconception> {
    let is_part = |one: &Misconception, of: &Misconception| {
        one.fails.len() < of.fails.len() && one.fails.iter().all(|name| of.fails.contains(name))
    };
    all.iter().filter(|one| !all.iter().any(|other| is_part(one, other))).copied().collect()
}

/// Whether two others, each of which fits as well, together fail the same checks as this one: then it may be those.
fn is_two_others(cause: &Misconception, fit: &[&Misconception], all: &[Misconception], failed: &[&Checked]) -> bool {
    let within = |one: &Misconception| {
        one.name != cause.name
            && one.fails.len() < cause.fails.len()
            && one.fails.iter().all(|name| cause.fails.contains(name))
    };
    fit.iter().filter(|one| within(one)).any(|one| {
        let rest = |checked: &&&Checked| cause.explains(checked) && !one.explains(checked);
        let Some(next) = failed.iter().find(rest) else { return true };
        all.iter()
            .filter(|other| within(other) && other.fits(next, failed) && !one.excludes(other))
            .any(|other| cause.fails.iter().all(|name| one.fails.contains(name) || other.fails.contains(name)))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judge::exercise::{Check, Exercise};
    use crate::judge::failure::{Failure, Kind};
    use crate::judge::grade::{Outcome, Unfit};
    use crate::judge::seed::Seed;

    #[test]
    fn remarks_are_read_in_every_language() {
        for head in [
            "# wrong: a\n# fails: x, y\n# shows: hangs\n",
            "// wrong: a\n// fails: x,\n// fails: y\n// shows: hangs\n",
            "/* wrong: a\n * fails: x y\n * shows: hangs */\n",
        ] {
            let head = head.replace(" */", "");
            let read = Misconception::read("wrong/some-name.py", &head).expect("remarks");
            assert_eq!((read.name.as_str(), read.sentence.as_str()), ("some-name", "a"));
            assert_eq!(read.fails, ["x", "y"]);
        }
        assert!(Misconception::read("a.py", "# wrong: a\n").is_err());
        let unknown = Misconception::read("a.py", "# wrong: a\n# fails: x\n# shows: hangs, sings\n");
        assert!(unknown.is_err_and(|why| why.contains("sings")));
    }

    fn misconception(name: &str, fails: &str, shows: &str) -> Misconception {
        Misconception::read(name, &format!("# wrong: {name}\n# fails: {fails}\n# shows: {shows}\n")).expect("remarks")
    }

    /// A grade in which these checks, of `a` to `e`, have failed in these ways.
    fn grade(failed: &[(&'static str, Kind)]) -> Grade {
        let mut exercise = Exercise::on_port(9000);
        for name in ["a", "b", "c", "d", "e"] {
            exercise.checks.push(Check { name, claim: "does it", points: 20, hint: "", run: |_| Ok(()) });
        }
        let unfit = Unfit { what: String::new(), output: String::new(), tier: 3, protection: String::new() };
        let mut grade = Grade::unfit("30", &exercise, Vec::new(), Seed::of_number(1), unfit);
        grade.unfit = None;
        for checked in &mut grade.checks {
            checked.took = Duration::from_millis(1);
            checked.outcome = match failed.iter().find(|(name, _)| *name == checked.check.name) {
                Some((_, kind)) => Outcome::Failed(Box::new(Failure::new(*kind, "it is wrong"))),
                None => Outcome::Passed,
            };
        }
        grade
    }

    fn names(all: &[Misconception], failed: &[(&'static str, Kind)]) -> Vec<String> {
        likely(all, &grade(failed)).into_iter().map(|one| one.name).collect()
    }

    use Kind::{Ended, Hangs, Spins};

    #[test]
    fn a_cause_is_named_only_if_the_failure_looks_like_it() {
        let all = [misconception("hanger", "b, c", "hangs")];
        assert_eq!(names(&all, &[("b", Hangs), ("c", Ended)]), ["hanger"]);
        assert!(names(&all, &[("b", Ended), ("c", Hangs)]).is_empty());
        assert!(names(&all, &[("b", Hangs)]).is_empty());
        // What the story tells is another failure.
        assert!(names(&all, &[("a", Hangs), ("b", Hangs), ("c", Hangs)]).is_empty());
    }

    #[test]
    fn several_mistakes_are_named_as_several() {
        let all = [misconception("hanger", "a, b", "hangs"), misconception("ender", "c", "ended")];
        assert_eq!(names(&all, &[("a", Hangs), ("b", Hangs), ("c", Ended)]), ["hanger", "ender"]);
        assert_eq!(names(&all, &[("a", Hangs), ("b", Hangs), ("c", Spins), ("d", Spins)]), ["hanger"]);
    }

    #[test]
    fn where_nothing_passes_only_a_cause_of_everything_is_named() {
        let all = [misconception("most", "a, b, c, d", "hangs"), misconception("rest", "e", "hangs")];
        let failed = ["a", "b", "c", "d", "e"].map(|name| (name, Hangs));
        assert!(names(&all, &failed).is_empty());
        assert_eq!(names(&all, &failed[..4]), ["most"]);
        assert_eq!(names(&[misconception("whole", "a, b, c, d, e", "hangs")], &failed), ["whole"]);
    }

    #[test]
    fn of_several_causes_with_different_names_none_is_named() {
        let all = [misconception("one", "a, b", "hangs"), misconception("other", "a, c", "hangs")];
        assert!(names(&all, &[("a", Hangs), ("b", Hangs), ("c", Hangs)]).is_empty());
        assert_eq!(names(&all, &[("a", Hangs), ("b", Hangs)]), ["one"]);
    }

    #[test]
    fn what_nobody_can_have_at_once_is_no_other_cause() {
        let whole = misconception("whole", "a, b", "hangs");
        let first = misconception("first", "a", "hangs\n# never with: second");
        let all = [whole, first, misconception("second", "b", "hangs")];
        assert_eq!(names(&all, &[("a", Hangs), ("b", Hangs)]), ["whole"]);
        assert_eq!(names(&all[1..], &[("a", Hangs), ("b", Hangs)]), ["first"]);
    }

    #[test]
    fn one_that_two_others_together_look_like_is_not_named() {
        let whole = misconception("whole", "a, b", "hangs");
        let parts = [misconception("first", "a", "hangs"), misconception("second", "b", "hangs")];
        let all = [&[whole][..], &parts].concat();
        assert!(names(&all, &[("a", Hangs), ("b", Hangs)]).is_empty());
        assert_eq!(names(&all, &[("a", Hangs), ("b", Ended)]), ["whole"]);
    }
}
