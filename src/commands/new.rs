//! `socklab new`: a lab that compiles, with everything that belongs to it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use socklab::course::checkout::checkout;
use socklab::course::labs::{Row, rows, with_rows};
use socklab::lab::Chapter;
use socklab::output;

use super::Mistyped;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number: 2 to stand between 1 and 3
    #[arg(value_parser = clap::value_parser!(u32).range(1..=99))]
    number: u32,
    /// Its name, in small letters and hyphens: udp-no-server
    name: String,
    /// The question that it answers
    #[arg(long, default_value = "What happens?")]
    question: String,
    /// The chapter that it stands in
    #[arg(long, default_value = "Datagrams", value_parser = chapter)]
    chapter: Chapter,
}

/// The longest question, in bytes: it stands in one line of code.
const MAX_QUESTION: usize = 100;

const PROGRAM: &str = include_str!("new/main.rs.txt");
const CLAIMS: &str = include_str!("new/claims.rs.txt");
const NUMBERED_PROGRAM: &str = include_str!("new/program.rs.txt");
const PAGE: &str = include_str!("new/page.md.txt");
const LESSON: &str = include_str!("new/lesson.toml.txt");
const PYTHON: [(&str, &str); 2] =
    [("server.py", include_str!("new/server.py.txt")), ("client.py", include_str!("new/client.py.txt"))];

/// Writes the lab's files, and its row in `labs/README.md`: all of it, or nothing.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some(checkout) = checkout() else {
        bail!("a new lab is made in a checkout of this project: run this in its folder");
    };
    check(arguments)?;
    let (number, name) = (arguments.number, &arguments.name);
    let folder = format!("{number:02}-{name}");
    let mut files = vec![
        (format!("labs/{folder}/main.rs"), PROGRAM),
        (format!("labs/{folder}/claims.rs"), CLAIMS),
        (format!("labs/{folder}/lesson.toml"), LESSON),
        (format!("docs/labs/{folder}.md"), PAGE),
        (format!("programs/src/bin/lab-{folder}.rs"), NUMBERED_PROGRAM),
    ];
    files.extend(PYTHON.map(|(name, text)| (format!("labs/{folder}/python/{name}"), text)));
    let mut text = String::new();
    let mut written = Vec::new();
    let made = files.iter().try_for_each(|(path, template)| {
        let file = checkout.join(path);
        write_new(&file, &filled_in(template, arguments))?;
        written.push(file);
        text += &format!("wrote {path}\n");
        Ok(())
    });
    made.and_then(|()| add_row(&checkout, arguments)).inspect_err(|_| {
        written.iter().for_each(|file| drop(fs::remove_file(file)));
        // Gone if it is empty, as one that was just made is.
        let lab = checkout.join("labs").join(&folder);
        let _ = fs::remove_dir(lab.join("python")).and_then(|()| fs::remove_dir(lab));
    })?;
    text += "added it to labs/README.md\n";
    text += &format!("now: just lab {number:02}, write the lab, then just bless {number:02}\n");
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Adds the lab's row to the table of contents.
fn add_row(checkout: &Path, arguments: &Arguments) -> Result<()> {
    let (number, name, question) = (arguments.number, arguments.name.clone(), arguments.question.clone());
    let mut all = rows();
    all.push(Row { number, name, question, chapter: arguments.chapter, wire: false });
    all.sort_by_key(|row| (row.chapter, row.number));
    let table = checkout.join("labs/README.md");
    let before = fs::read_to_string(&table).with_context(|| format!("read {}", table.display()))?;
    let after = with_rows(&before, &all);
    output::write_file(&table, after.as_bytes()).with_context(|| format!("write {}", table.display()))
}

/// Reads a chapter's title.
fn chapter(title: &str) -> Result<Chapter, String> {
    let titles: Vec<&str> = Chapter::ALL.iter().map(|chapter| chapter.title()).collect();
    let found = Chapter::ALL.into_iter().find(|chapter| chapter.title().eq_ignore_ascii_case(title));
    found.ok_or_else(|| format!("there is no such chapter; there are: {}", titles.join(", ")))
}

fn check(arguments: &Arguments) -> Result<()> {
    let name = &arguments.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) || name.starts_with('-') {
        bail!(Mistyped(format!(
            "invalid name for a lab {name:?}: write small letters, digits and hyphens, at most 40"
        )));
    }
    let question = &arguments.question;
    if question.is_empty() || question.len() > MAX_QUESTION || question.contains(['|', '"', '\\', '\n']) {
        bail!(Mistyped(format!(
            "invalid question {question:?}: one line of at most {MAX_QUESTION} bytes, without quotation marks, bars \
             and backslashes"
        )));
    }
    if let Some(row) = rows().iter().find(|row| row.number == arguments.number || row.name == *name) {
        bail!(Mistyped(format!("there is a lab {} already", row.folder())));
    }
    Ok(())
}

fn filled_in(template: &str, arguments: &Arguments) -> String {
    let mut words = arguments.name.replace('-', " ");
    words[..1].make_ascii_uppercase();
    template
        .replace("@NUMBER@", &arguments.number.to_string())
        .replace("@NN@", &format!("{:02}", arguments.number))
        .replace("@NAME@", &arguments.name)
        .replace("@WORDS@", &words)
        .replace("@CHAPTER@", &format!("{:?}", arguments.chapter))
        .replace("@QUESTION@", &arguments.question)
}

/// Writes a file that must not be there yet: whole, or not at all.
pub fn write_new(path: &Path, text: &str) -> Result<()> {
    if path.exists() {
        bail!(Mistyped(format!("{} is there already", path.display())));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    let written = fs::write(path, text).with_context(|| format!("write {}", path.display()));
    written.inspect_err(|_| drop(fs::remove_file(path)))
}
