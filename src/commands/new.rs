//! `socklab new`: a lab that compiles, with everything that belongs to it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{Mistyped, contents, programs};

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
    #[arg(long, default_value = "Datagrams")]
    chapter: String,
}

const PROGRAM: &str = include_str!("new/main.rs.txt");
const CLAIMS: &str = include_str!("new/claims.rs.txt");
const PAGE: &str = include_str!("new/page.md.txt");

/// Writes the lab's files, and its rows in `Cargo.toml` and `labs/README.md`.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some(checkout) = programs::checkout() else {
        bail!("a new lab is made in a checkout: cargo run -q -- new {} {}", arguments.number, arguments.name);
    };
    check(arguments)?;
    let (number, name) = (arguments.number, &arguments.name);
    let folder = format!("{number:02}-{name}");
    let files = [
        (format!("labs/{folder}/main.rs"), PROGRAM),
        (format!("labs/{folder}/claims.rs"), CLAIMS),
        (format!("docs/labs/{folder}.md"), PAGE),
    ];
    for (path, template) in files {
        write_new(&checkout.join(&path), &filled_in(template, arguments))?;
        println!("wrote {path}");
    }
    let registry = checkout.join("Cargo.toml");
    insert(&registry, |text| with_program(text, &folder))?;
    insert(&checkout.join("labs/README.md"), |text| with_row(text, arguments, &folder))?;
    println!("added it to Cargo.toml and labs/README.md");
    println!("now: just lab {number:02}, write the lab, then just bless");
    Ok(ExitCode::SUCCESS)
}

fn check(arguments: &Arguments) -> Result<()> {
    let name = &arguments.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) || name.starts_with('-') {
        bail!(Mistyped(format!("{name:?} is no name for a lab: small letters, digits and hyphens, at most 40")));
    }
    for text in [&arguments.question, &arguments.chapter] {
        if text.contains(['|', '"', '\\', '\n']) {
            bail!(Mistyped(format!(
                "{text:?} would break the table: no quotation marks, bars, backslashes or line ends"
            )));
        }
    }
    if let Some(row) = contents::rows().iter().find(|row| row.number == arguments.number || row.name == *name) {
        bail!(Mistyped(format!("there is a lab {} already", row.folder())));
    }
    Ok(())
}

fn filled_in(template: &str, arguments: &Arguments) -> String {
    let words = arguments.name.replace('-', " ");
    template
        .replace("@NUMBER@", &arguments.number.to_string())
        .replace("@NN@", &format!("{:02}", arguments.number))
        .replace("@NAME@", &arguments.name)
        .replace("@WORDS@", &words)
        .replace("@QUESTION@", &arguments.question)
}

/// Writes a file that must not be there yet.
pub fn write_new(path: &Path, text: &str) -> Result<()> {
    if path.exists() {
        bail!(Mistyped(format!("{} is there already", path.display())));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

fn insert(path: &Path, change: impl Fn(&str) -> String) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    fs::write(path, change(&text)).with_context(|| format!("write {}", path.display()))
}

/// `Cargo.toml` with a `[[bin]]` more, in the order of the labs' numbers.
fn with_program(text: &str, folder: &str) -> String {
    let entry = format!("[[bin]]\nname = \"lab-{folder}\"\npath = \"labs/{folder}/main.rs\"\ntest = false\n");
    let later = text.match_indices("[[bin]]\nname = \"lab-").find(|(at, start)| &text[at + start.len()..] > folder);
    match later {
        Some((at, _)) => format!("{}{entry}\n{}", &text[..at], &text[at..]),
        None => format!("{}\n\n{entry}", text.trim_end()),
    }
}

/// The table of contents with a row more, in its chapter, in the order of the labs' numbers.
fn with_row(text: &str, arguments: &Arguments, folder: &str) -> String {
    let Arguments { number, name, question, chapter } = arguments;
    let row = format!("| [{number:02}]({folder}/main.rs) | [{name}](../docs/labs/{folder}.md) | {question} |");
    let mut lines: Vec<&str> = text.trim_end().lines().collect();
    let heading = format!("## {chapter}");
    let Some(start) = lines.iter().position(|line| *line == heading) else {
        return format!("{}\n\n{heading}\n\n| lab | page | the question |\n|---|---|---|\n{row}\n", text.trim_end());
    };
    let in_chapter = lines[start..].iter().skip(1).position(|line| line.starts_with("## "));
    let end = in_chapter.map_or(lines.len(), |length| start + 1 + length);
    let is_later = |line: &&str| line.starts_with("| [") && **line > *row.as_str();
    let rows = lines[start..end].iter().rposition(|line| line.starts_with('|')).map_or(end, |last| start + last + 1);
    let at = lines[start..end].iter().position(is_later).map_or(rows, |place| start + place);
    lines.insert(at, &row);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(number: u32, name: &str, chapter: &str) -> Arguments {
        Arguments { number, name: name.into(), question: "Why?".into(), chapter: chapter.into() }
    }

    #[test]
    fn a_program_stands_between_its_neighbours() {
        let text = "[[bin]]\nname = \"lab-01-a\"\n\n[[bin]]\nname = \"lab-03-c\"\n";
        let more = with_program(text, "02-b");
        let (a, b, c) = (more.find("01-a"), more.find("name = \"lab-02-b"), more.find("03-c"));
        assert!(a < b && b < c, "{more}");
        assert!(with_program(text, "09-z").trim_end().ends_with("test = false"));
    }

    #[test]
    fn a_row_stands_in_its_chapter_and_in_order() {
        let text = "# The labs\n\n## One\n\n| lab |\n|---|\n| [01](a) |\n| [03](c) |\n\n## Two\n\n| lab |\n|---|\n";
        let more = with_row(text, &arguments(2, "b", "One"), "02-b");
        let order = ["[01]", "[02]", "[03]", "## Two"].map(|what| more.find(what).expect(what));
        assert!(order.is_sorted(), "{more}");
        assert!(with_row(text, &arguments(9, "z", "Two"), "09-z").trim_end().ends_with("| Why? |"));
        assert!(with_row(text, &arguments(9, "z", "Three"), "09-z").contains("## Three\n\n| lab |"));
    }
}
