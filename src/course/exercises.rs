//! The exercises, as `build.rs` has found them.

use super::{Mistyped, languages};
use crate::judge::{Exercise, Misconception};

include!(concat!(env!("OUT_DIR"), "/exercises.rs"));

/// An exercise: its checks, and all files of its folder.
#[derive(Debug)]
pub struct ExerciseFolder {
    /// `30`, `30-client`.
    pub id: &'static str,
    /// Its lab's folder: `30-struct-header`.
    pub lab: &'static str,
    /// Makes the list of its checks.
    pub exercise: fn() -> Exercise,
    /// All its files, by their paths in it.
    pub files: &'static [(&'static str, &'static [u8])],
}

impl ExerciseFolder {
    /// The text of the file at this path; `None` where there is no such file, or it is not UTF-8.
    pub fn file(&self, path: &str) -> Option<&'static str> {
        let (_, bytes) = self.files.iter().find(|(is, _)| *is == path)?;
        std::str::from_utf8(bytes).ok()
    }

    /// The files below a folder, by their paths in that.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> + use<> {
        let prefix = format!("{folder}/");
        self.files.iter().filter_map(move |(path, bytes)| Some((path.strip_prefix(&prefix)?, *bytes)))
    }

    /// The name of the task: the heading of its page, without the number.
    pub fn title(&self) -> &'static str {
        let heading = self.file("README.md").and_then(|page| page.lines().next()).unwrap_or_default();
        heading.split_once(": ").map_or(heading, |(_, title)| title)
    }

    /// Its path in the project: `labs/30-struct-header/exercise`.
    pub fn place(&self) -> String {
        let suffix = self.id.split_once('-').map(|(_, word)| format!("-{word}")).unwrap_or_default();
        format!("labs/{}/exercise{suffix}", self.lab)
    }

    /// The path of the task's page.
    pub fn task(&self) -> String {
        format!("{}/README.md", self.place())
    }

    /// The path of its lab's page.
    pub fn page(&self) -> String {
        format!("docs/labs/{}.md", self.lab)
    }

    /// The names of the languages in which it has starters.
    pub fn languages(&self) -> Vec<&'static str> {
        let mut languages: Vec<&str> =
            self.below("starters").filter_map(|(path, _)| path.split_once('/')).map(|(language, _)| language).collect();
        languages.dedup();
        languages
    }

    /// The names of its starters' files: `server.py`, `server.c`.
    pub fn starters(&self) -> Vec<&'static str> {
        self.below("starters").map(|(path, _)| path.rsplit('/').next().unwrap_or(path)).collect()
    }

    /// The name of the language that a person means by `word`: python, or py.
    ///
    /// # Errors
    /// There is no starter in it; the message lists those that there are.
    pub fn language(&self, word: &str) -> Result<&'static str, Mistyped> {
        let name = languages::find(word).map_or(word, |language| language.name);
        self.languages().into_iter().find(|language| *language == name).ok_or_else(|| {
            let (id, languages) = (self.id, self.languages().join(", "));
            let other = "a program in any other language is judged as well";
            Mistyped(format!(
                "exercise {id} has no starter in {word:?}; there are {languages}; {other}: {}",
                self.task()
            ))
        })
    }

    /// The hints, from a nudge to nearly the answer: the items of a numbered list.
    pub fn hints(&self) -> Vec<String> {
        let mut hints: Vec<String> = Vec::new();
        for line in self.file("hints.md").unwrap_or_default().lines() {
            let text = line.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok()).map(|(_, text)| text);
            match (text, hints.last_mut()) {
                (Some(text), _) => hints.push(text.to_owned()),
                (None, Some(hint)) => hint.extend(["\n", line.strip_prefix("   ").unwrap_or(line)]),
                (None, None) => {}
            }
        }
        hints.iter().map(|hint| hint.trim_end().to_owned()).collect()
    }

    /// The wrong programs: what each gets wrong, and its path in `wrong/`.
    pub fn wrong(&self) -> Vec<(Misconception, &'static str)> {
        let read = |(path, bytes): (&'static str, &'static [u8])| {
            Some((Misconception::read(path, std::str::from_utf8(bytes).ok()?).ok()?, path))
        };
        self.below("wrong").filter_map(read).collect()
    }
}

/// All exercises, in the order of their labs.
pub fn all() -> &'static [ExerciseFolder] {
    ALL
}

/// The exercises of the lab with this number.
pub fn of_lab(number: u32) -> impl Iterator<Item = &'static ExerciseFolder> {
    let is_of_it = move |folder: &&ExerciseFolder| {
        folder.lab.split('-').next().and_then(|digits| digits.parse::<u32>().ok()) == Some(number)
    };
    all().iter().filter(is_of_it)
}

/// The exercise that a person means by `word`: 30, 30-client, struct-header.
///
/// # Errors
/// There is no such exercise; the message lists all.
pub fn find(word: &str) -> Result<&'static ExerciseFolder, Mistyped> {
    let word = word.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let padded = if word.split('-').next().is_some_and(|number| number.len() == 1) {
        format!("0{word}")
    } else {
        word.to_owned()
    };
    let named =
        |folder: &&ExerciseFolder| folder.id == padded || folder.lab == word || folder.lab.get(3..) == Some(word);
    all().iter().find(named).ok_or_else(|| {
        let ids: Vec<&str> = all().iter().map(|folder| folder.id).collect();
        Mistyped(format!("there is no exercise {word:?}; there are {}", ids.join(", ")))
    })
}
