//! The labs. `build.rs` finds them, one folder a lab; number, name, port, chapter and question stand in the lab's own
//! `lab()`, and the table of contents is made from there.

use super::Mistyped;
use super::exercises::{self, ExerciseFolder};
use crate::lab::{Chapter, Lab};

/// A lab as the build found it: its folder's name, and the function that describes it.
struct Found {
    folder: &'static str,
    lab: fn() -> Lab,
}

include!(concat!(env!("OUT_DIR"), "/labs.rs"));

/// A lab's row in the table of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The lab's number, unique in the course. Two digits or more in its folder's name.
    pub number: u32,
    /// Its short name, as in the folder: `udp-no-server`.
    pub name: String,
    /// The question that it answers, which ends in a question mark.
    pub question: String,
    /// The chapter under which the table of contents lists it.
    pub chapter: Chapter,
    /// Whether its demo always has two hosts and a wire: then it needs private hosts.
    pub wire: bool,
}

impl Row {
    /// The name of its folder: `05-udp-no-server`.
    pub fn folder(&self) -> String {
        format!("{:02}-{}", self.number, self.name)
    }

    /// The name of its program: `lab-05-udp-no-server`.
    pub fn program(&self) -> String {
        format!("lab-{}", self.folder())
    }

    /// The path of its page.
    pub fn page(&self) -> String {
        format!("docs/labs/{}.md", self.folder())
    }

    /// Its exercises.
    pub fn exercises(&self) -> impl Iterator<Item = &'static ExerciseFolder> + use<> {
        exercises::of_lab(self.number)
    }

    fn of(lab: &Lab) -> Row {
        Row {
            number: lab.number(),
            name: lab.name().to_owned(),
            question: lab.question().to_owned(),
            chapter: lab.chapter(),
            wire: lab.needs_a_wire(),
        }
    }

    /// `| [05](…) | [udp-no-server](…) | Nobody listens: … |`
    fn as_markdown(&self) -> String {
        let (folder, wire) = (self.folder(), if self.wire { " *wire*" } else { "" });
        format!(
            "| [{:02}]({folder}/main.rs) | [{}](../docs/labs/{folder}.md){wire} | {} |",
            self.number, self.name, self.question
        )
    }
}

/// The rows of all labs, by chapter and number.
pub fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = ALL.iter().map(|found| Row::of(&(found.lab)())).collect();
    rows.sort_by_key(|row| (row.chapter, row.number));
    rows
}

/// The row of the lab that a person means by `word`: its number, its name, or both as its folder has them.
///
/// # Errors
/// There is no such lab; the message names those that are spelt alike.
pub fn find_row(word: &str) -> Result<Row, Mistyped> {
    let rows = rows();
    let number = word.parse::<u32>().ok();
    let is_meant = |row: &&Row| number == Some(row.number) || row.name == word || row.folder() == word;
    rows.iter()
        .find(is_meant)
        .cloned()
        .ok_or_else(|| Mistyped(format!("there is no lab {word:?}{}; `just labs` lists all", nearest(word, &rows))))
}

/// The lab that a person means by `word`.
///
/// # Errors
/// As [`find_row`].
pub fn find(word: &str) -> Result<Lab, Mistyped> {
    let folder = find_row(word)?.folder();
    let found = ALL.iter().find(|found| found.folder == folder);
    found.map(|found| (found.lab)()).ok_or_else(|| Mistyped(format!("the folder of lab {folder} has another name")))
}

/// The table of contents `readme` with these rows in place of its own. A chapter that it lacks is added at its end.
pub fn with_rows(readme: &str, rows: &[Row]) -> String {
    let mut lines: Vec<String> = readme.trim_end().lines().map(str::to_owned).collect();
    for chapter in Chapter::ALL {
        let mut table = rows.iter().filter(|row| row.chapter == chapter).map(Row::as_markdown).peekable();
        let heading = format!("## {}", chapter.title());
        let start = lines.iter().position(|line| *line == heading).unwrap_or_else(|| {
            if table.peek().is_some() {
                lines.extend(["", &heading, "", "| lab | page | the question |", "|---|---|---|"].map(str::to_owned));
            }
            lines.iter().rposition(|line| *line == heading).unwrap_or(lines.len())
        });
        let end = lines[start..]
            .iter()
            .skip(1)
            .position(|line| line.starts_with("## "))
            .map_or(lines.len(), |n| start + 1 + n);
        let is_row = |line: &String| line.starts_with("| [");
        let first = lines[start..end].iter().rposition(|line| line.starts_with("|---")).map_or(end, |n| start + n + 1);
        let last = first + lines[first..end].iter().take_while(|line| is_row(line)).count();
        lines.splice(first..last, table);
    }
    lines.join("\n") + "\n"
}

fn nearest(word: &str, rows: &[Row]) -> String {
    let mut near: Vec<(f64, &Row)> = rows.iter().map(|row| (likeness(word, row), row)).collect();
    near.retain(|(likeness, _)| *likeness > 0.7);
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = near.iter().take(3).map(|(_, row)| format!("{:02} {}", row.number, row.name)).collect();
    if names.is_empty() { String::new() } else { format!(" (did you mean {}?)", names.join(", or ")) }
}

fn likeness(word: &str, row: &Row) -> f64 {
    let whole = strsim::jaro_winkler(word, &row.name);
    let part = row.name.split('-').map(|part| strsim::jaro_winkler(word, part)).fold(0.0, f64::max);
    whole.max(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_is_found_by_number_and_by_name() {
        for word in ["5", "05", "udp-no-server", "05-udp-no-server"] {
            assert_eq!(find(word).expect(word).number(), 5);
        }
    }

    #[test]
    fn a_misspelt_name_gets_its_neighbours() {
        let error = find_row("udp-noserver").expect_err("no such lab").to_string();
        assert!(error.contains("05 udp-no-server"), "{error}");
    }

    #[test]
    fn folders_are_named_after_their_labs() {
        for found in ALL {
            assert_eq!(Row::of(&(found.lab)()).folder(), found.folder);
        }
        let mut numbers: Vec<u32> = rows().iter().map(|row| row.number).collect();
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "two labs have one number: {numbers:?}");
    }

    #[test]
    fn the_table_of_contents_has_each_row_in_its_chapter_and_in_order() {
        let row = |number, name: &str, chapter| {
            let (name, question) = (name.to_owned(), "Why?".to_owned());
            Row { number, name, question, chapter, wire: false }
        };
        let rows = [row(1, "a", Chapter::Datagrams), row(2, "b", Chapter::Datagrams), row(30, "h", Chapter::Framing)];
        let old = "# The labs\n\n## Datagrams\n\nAn introduction.\n\n| lab |\n|---|\n| [01](x) |\n| [99](gone) |\n";
        let new = with_rows(old, &rows);
        let order = ["An introduction", "[01](01-a/", "[02](02-b/", "## Framing", "[30](30-h/"];
        assert!(order.map(|what| new.find(what).expect(what)).is_sorted(), "{new}");
        assert!(!new.contains("[99]"), "{new}");
        assert_eq!(with_rows(&new, &rows), new);
    }
}
