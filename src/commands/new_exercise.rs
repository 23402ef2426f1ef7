//! `socklab new-exercise`: an exercise that runs, to be changed by its author.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use socklab::course::checkout::checkout;
use socklab::course::labs::find_row;
use socklab::output;

use super::Mistyped;
use super::new::write_new;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number or name
    lab: String,
    /// A word for it, where its lab has another exercise: client makes 30-client
    word: Option<String>,
    /// What is to be built: a struct-header server
    #[arg(long)]
    title: String,
}

/// Where each file goes, and what is in it.
const FILES: [(&str, &str); 15] = [
    ("README.md", include_str!("new_exercise/README.md.txt")),
    ("contract.md", include_str!("new_exercise/contract.md.txt")),
    ("hints.md", include_str!("new_exercise/hints.md.txt")),
    ("checks.rs", include_str!("new_exercise/checks.rs.txt")),
    ("starters/python/server.py", include_str!("new_exercise/starters/server.py.txt")),
    ("starters/rust/server.rs", include_str!("new_exercise/starters/server.rs.txt")),
    ("starters/c/server.c", include_str!("new_exercise/starters/server.c.txt")),
    ("solutions/python/server.py", include_str!("new_exercise/solutions/server.py.txt")),
    ("solutions/rust/server.rs", include_str!("new_exercise/solutions/server.rs.txt")),
    ("solutions/c/server.c", include_str!("new_exercise/solutions/server.c.txt")),
    ("wrong/answers-the-same.py", include_str!("new_exercise/wrong/answers-the-same.py.txt")),
    ("wrong/closes-without-an-answer.py", include_str!("new_exercise/wrong/closes-without-an-answer.py.txt")),
    ("wrong/ends-lines-with-two-bytes.py", include_str!("new_exercise/wrong/ends-lines-with-two-bytes.py.txt")),
    ("wrong/forgets-the-line-feed.py", include_str!("new_exercise/wrong/forgets-the-line-feed.py.txt")),
    ("wrong/waits-for-the-end.py", include_str!("new_exercise/wrong/waits-for-the-end.py.txt")),
];

/// Writes the exercise's files. Nothing else is to be told of it: the next build finds them.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some(checkout) = checkout() else {
        bail!("a new exercise is made in a checkout of this project: run this in its folder");
    };
    let lab = find_row(&arguments.lab)?;
    let suffix = match &arguments.word {
        Some(word) => format!("-{}", plain(word)?),
        None => String::new(),
    };
    let title = arguments.title.trim();
    if title.is_empty() || title.len() > 60 || title.contains(['\n', '|', ':']) {
        return Err(Mistyped(format!(
            "invalid title {title:?}: write one line of at most 60 characters, without colons and bars"
        ))
        .into());
    }
    let (id, folder) = (format!("{:02}{suffix}", lab.number), format!("labs/{}/exercise{suffix}", lab.folder()));
    if checkout.join(&folder).exists() {
        return Err(Mistyped(format!("{folder} is there already; another one of this lab needs a word")).into());
    }
    // All of its files, or none: a build finds an exercise by its folder.
    let new = checkout.join(format!("labs/{}/.exercise{suffix}.new", lab.folder()));
    let written = write_files(&new, &|template| {
        template.replace("@ID@", &id).replace("@LAB@", &lab.folder()).replace("@TITLE@", title)
    });
    let made =
        written.and_then(|()| fs::rename(&new, checkout.join(&folder)).with_context(|| format!("make {folder}")));
    made.inspect_err(|_| drop(fs::remove_dir_all(&new)))?;
    let wrote: String = FILES.iter().map(|(name, _)| format!("wrote {folder}/{name}\n")).collect();
    output::print(&format!(
        "{wrote}now: just soak-judge {id} --runs 1 --language all, then make it yours: docs/writing-exercises.md\n\
         last: just matrix judges its programs and writes its table into docs/exercises.md, which CI compares\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn write_files(folder: &Path, filled_in: &dyn Fn(&str) -> String) -> Result<()> {
    FILES.iter().try_for_each(|(name, template)| write_new(&folder.join(name), &filled_in(template)))
}

fn plain(word: &str) -> Result<&str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if word.is_empty() || word.len() > 20 || !word.chars().all(plain) {
        return Err(Mistyped(format!(
            "invalid word for an exercise {word:?}: write small letters and digits, at most 20"
        ))
        .into());
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use socklab::course::languages::with_starters;
    use socklab::judge::Misconception;

    use super::*;

    #[test]
    fn a_new_exercise_has_all_that_the_tests_ask_of_one() {
        let below = |folder: &str| FILES.iter().filter(|(name, _)| name.starts_with(folder)).collect::<Vec<_>>();
        for language in with_starters() {
            for what in ["starters", "solutions"] {
                assert_eq!(below(&format!("{what}/{}/", language.name)).len(), 1, "{what} in {}", language.name);
            }
        }
        let wrong = below("wrong/");
        assert!(wrong.len() >= 5, "{wrong:?}");
        for (name, text) in wrong {
            assert!(Misconception::read(name, text).is_ok_and(|one| one.fails == ["one-line"]), "{name}");
        }
        let hints = include_str!("new_exercise/hints.md.txt");
        let is_hint = |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        assert!(hints.lines().filter(is_hint).count() >= 4, "{hints}");
    }
}
