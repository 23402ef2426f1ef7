//! `socklab new-exercise`: an exercise that runs, to be changed by its author.

use std::process::ExitCode;

use anyhow::{Result, bail};
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
const FILES: [(&str, &str); 10] = [
    ("README.md", include_str!("new_exercise/README.md.txt")),
    ("hints.md", include_str!("new_exercise/hints.md.txt")),
    ("checks.rs", include_str!("new_exercise/checks.rs.txt")),
    ("starters/python/server.py", include_str!("new_exercise/starters/server.py.txt")),
    ("starters/rust/server.rs", include_str!("new_exercise/starters/server.rs.txt")),
    ("starters/c/server.c", include_str!("new_exercise/starters/server.c.txt")),
    ("solutions/python/server.py", include_str!("new_exercise/solutions/server.py.txt")),
    ("solutions/rust/server.rs", include_str!("new_exercise/solutions/server.rs.txt")),
    ("solutions/c/server.c", include_str!("new_exercise/solutions/server.c.txt")),
    ("wrong/answers-the-same.py", include_str!("new_exercise/wrong/answers-the-same.py.txt")),
];

/// Writes the exercise's files. Nothing else is to be told of it: the next build finds them.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some(checkout) = checkout() else {
        bail!("a new exercise is made in a checkout: cargo run -q -- new-exercise {}", arguments.lab);
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
    let mut told = String::new();
    for (name, template) in FILES {
        let text = template.replace("@ID@", &id).replace("@LAB@", &lab.folder()).replace("@TITLE@", title);
        write_new(&checkout.join(&folder).join(name), &text)?;
        told += &format!("wrote {folder}/{name}\n");
    }
    told +=
        &format!("now: just soak-judge {id} --runs 1 --language all, then make it yours: docs/writing-exercises.md\n");
    output::print(&told)?;
    Ok(ExitCode::SUCCESS)
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
