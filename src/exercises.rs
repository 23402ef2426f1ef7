//! The exercises, as `build.rs` has found them.

use anyhow::Result;
use socklab::judge::{Exercise, Misconception};

use crate::commands::Mistyped;

include!(concat!(env!("OUT_DIR"), "/exercises.rs"));

/// An exercise's folder.
#[derive(Debug)]
pub struct Folder {
    /// `30`, `30-client`.
    pub id: &'static str,
    /// Its lab's folder: `30-struct-header`.
    pub lab: &'static str,
    /// Makes the list of its checks.
    pub exercise: fn() -> Exercise,
    /// All its files, by their paths in it.
    pub files: &'static [(&'static str, &'static [u8])],
}

impl Folder {
    /// The file at this path.
    pub fn file(&self, path: &str) -> Option<&'static str> {
        let (_, bytes) = self.files.iter().find(|(is, _)| *is == path)?;
        std::str::from_utf8(bytes).ok()
    }

    /// The files below a folder, by their paths in that.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> + use<> {
        let prefix = format!("{folder}/");
        self.files.iter().filter_map(move |(path, bytes)| Some((path.strip_prefix(&prefix)?, *bytes)))
    }

    /// What the task is called: the heading of its page, without the number.
    pub fn title(&self) -> &'static str {
        let heading = self.file("README.md").and_then(|page| page.lines().next()).unwrap_or_default();
        heading.split_once(": ").map_or(heading, |(_, title)| title)
    }

    /// Where it lies in the project: `labs/30-struct-header/exercise`.
    pub fn place(&self) -> String {
        let suffix = self.id.split_once('-').map(|(_, word)| format!("-{word}")).unwrap_or_default();
        format!("labs/{}/exercise{suffix}", self.lab)
    }

    /// The page of the task.
    pub fn task(&self) -> String {
        format!("{}/README.md", self.place())
    }

    /// The page of its lab.
    pub fn page(&self) -> String {
        format!("docs/labs/{}.md", self.lab)
    }

    /// The languages in which there are starters.
    pub fn languages(&self) -> Vec<&'static str> {
        let mut languages: Vec<&str> =
            self.below("starters").filter_map(|(path, _)| path.split_once('/')).map(|(language, _)| language).collect();
        languages.dedup();
        languages
    }

    /// The language that a person means by `word`, if there is a starter in it: python, or py.
    pub fn language(&self, word: &str) -> Result<&'static str> {
        let mut files = self.below("starters").filter_map(|(path, _)| path.split_once('/'));
        let found = files.find(|(language, file)| *language == word || file.rsplit('.').next() == Some(word));
        found.map(|(language, _)| language).ok_or_else(|| {
            let (id, languages) = (self.id, self.languages().join(", "));
            Mistyped(format!("exercise {id} has no starter in {word:?}; there are {languages}")).into()
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

    /// The wrong programs: what they are, and their files.
    pub fn wrong(&self) -> Vec<(Misconception, &'static str)> {
        let read = |(path, bytes): (&'static str, &'static [u8])| {
            Some((Misconception::read(path, std::str::from_utf8(bytes).ok()?)?, path))
        };
        self.below("wrong").filter_map(read).collect()
    }
}

/// All exercises, in the order of their labs.
pub fn all() -> &'static [Folder] {
    ALL
}

/// The exercise that a person means by `word`: 30, 30-client, struct-header.
pub fn find(word: &str) -> Result<&'static Folder> {
    let word = word.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let padded = if word.split('-').next().is_some_and(|number| number.len() == 1) {
        format!("0{word}")
    } else {
        word.to_owned()
    };
    let named = |folder: &&Folder| folder.id == padded || folder.lab == word || folder.lab.get(3..) == Some(word);
    all().iter().find(named).ok_or_else(|| {
        let ids: Vec<&str> = all().iter().map(|folder| folder.id).collect();
        Mistyped(format!("there is no exercise {word:?}; there are {}", ids.join(", "))).into()
    })
}
