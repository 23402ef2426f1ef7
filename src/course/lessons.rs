//! What a lab's page needs besides the lab: how long it takes, what it builds on, and the predictions that it asks for.
//!
//! These are the `lesson.toml` files in the labs' folders, as `build.rs` has found them. A lab may lack one.

use std::fmt;

use serde::Deserialize;

include!(concat!(env!("OUT_DIR"), "/lessons.rs"));

/// The most predictions that a page asks for: more are a test, and no longer a beginning.
const MOST_PREDICTIONS: usize = 4;

/// A lab's lesson.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// How many minutes it takes to read the core of the page and to run its command.
    pub minutes: u32,
    /// The numbers of the labs that the page takes for granted.
    #[serde(default)]
    pub builds_on: Vec<u32>,
    /// What the reader is to predict before running the lab.
    #[serde(rename = "predict")]
    pub predictions: Vec<Prediction>,
    /// The Python programs beside the page, if they differ from the usual.
    #[serde(default)]
    pub python: Python,
}

/// A question with a definite answer, to be answered before the lab is run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The question: one paragraph of Markdown.
    pub question: String,
    /// What one can choose from; empty where the answer is free.
    #[serde(default)]
    pub choices: Vec<String>,
    /// The answer; one of the choices, if there are any.
    pub answer: String,
    /// Why it is so, in a sentence or two.
    pub why: String,
}

/// Which scene the lab's Python programs play.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Python {
    /// The number of the scene.
    pub scene: u32,
}

impl Default for Python {
    fn default() -> Self {
        Python { scene: 1 }
    }
}

/// A `lesson.toml` that cannot be used, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The lab's folder.
    folder: String,
    /// What is wrong.
    why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "labs/{}/lesson.toml: {}", self.folder, self.why)
    }
}

impl std::error::Error for Fault {}

/// The lesson of the lab in this folder, `03-udp-truncation`; `None` where the lab has none.
///
/// # Errors
/// Its `lesson.toml` cannot be used; the message says why.
pub fn of(folder: &str) -> Result<Option<Lesson>, Fault> {
    ALL.iter().find(|(is, _)| *is == folder).map(|(folder, text)| parse(folder, text)).transpose()
}

/// The folders of the labs that have a lesson, in the order of their numbers.
pub fn folders() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(folder, _)| *folder)
}

fn parse(folder: &str, text: &str) -> Result<Lesson, Fault> {
    let fault = |why: String| Fault { folder: folder.to_owned(), why };
    let lesson: Lesson = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
    lesson.check().map_err(fault)?;
    Ok(lesson)
}

impl Lesson {
    fn check(&self) -> Result<(), String> {
        if !(1..=60).contains(&self.minutes) {
            return Err(format!("minutes = {}: a page takes 1 to 60", self.minutes));
        }
        if self.predictions.is_empty() || self.predictions.len() > MOST_PREDICTIONS {
            return Err(format!("{} predictions: a page has 1 to {MOST_PREDICTIONS}", self.predictions.len()));
        }
        self.predictions.iter().try_for_each(Prediction::check)
    }
}

impl Prediction {
    fn check(&self) -> Result<(), String> {
        let texts = [&self.question, &self.answer, &self.why].into_iter().chain(&self.choices);
        if let Some(text) = texts.into_iter().find(|text| text.trim().is_empty() || text.contains('\n')) {
            return Err(format!("{:?}: {text:?} is not one line of text", self.question));
        }
        if !self.choices.is_empty() && !self.choices.contains(&self.answer) {
            return Err(format!("{:?}: the answer {:?} is none of the choices", self.question, self.answer));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::labs;

    const LESSON: &str = r#"
        minutes = 12
        builds_on = [1, 2]
        [[predict]]
        question = "How much?"
        choices = ["1 byte", "5 bytes"]
        answer = "5 bytes"
        why = "There is room."
        [[predict]]
        question = "Who?"
        answer = "the kernel"
        why = "It must."
    "#;

    #[test]
    fn a_lesson_is_read() {
        let lesson = parse("03-a", LESSON).expect("a lesson");
        assert_eq!((lesson.minutes, lesson.builds_on.as_slice(), lesson.python.scene), (12, &[1, 2][..], 1));
        let choices: Vec<usize> = lesson.predictions.iter().map(|one| one.choices.len()).collect();
        assert_eq!(choices, [2, 0]);
        let other = parse("03-a", &(LESSON.to_owned() + "\n[python]\nscene = 2\n")).expect("a lesson");
        assert_eq!(other.python.scene, 2);
    }

    #[test]
    fn a_fault_is_told_and_where_it_is() {
        for (from, to, says) in [
            ("minutes = 12", "minutes = 0", "1 to 60"),
            ("minutes = 12", "", "minutes"),
            ("minutes = 12", "minutes = \"12\"", "minutes"),
            ("builds_on", "build_on", "build_on"),
            ("why = \"It must.\"", "", "why"),
            ("\"5 bytes\"\n", "\"6 bytes\"\n", "none of the choices"),
            ("\"How much?\"", "\"\"", "not one line"),
            ("\"It must.\"", "\"It\\nmust.\"", "not one line"),
            ("[[predict]]", "[[predicts]]", "predict"),
        ] {
            let fault = parse("03-a", &LESSON.replace(from, to)).expect_err(to).to_string();
            assert!(fault.starts_with("labs/03-a/lesson.toml: ") && fault.contains(says), "{to}: {fault}");
        }
    }

    #[test]
    fn every_lesson_can_be_used_and_builds_on_labs() {
        let rows = labs::rows();
        for folder in folders() {
            let lesson = of(folder).unwrap_or_else(|fault| panic!("{fault}")).expect("a lesson");
            for number in &lesson.builds_on {
                let is_a_lab = rows.iter().any(|row| row.number == *number && row.folder() != folder);
                assert!(is_a_lab, "labs/{folder}/lesson.toml builds on {number}, which is no other lab");
            }
        }
    }
}
