//! The table of contents: what `labs/README.md` says, read when the program is built.

use anyhow::Result;

use super::Mistyped;

const TABLE: &str = include_str!("../../labs/README.md");

/// One lab's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub number: u32,
    pub name: String,
    pub question: String,
    pub chapter: String,
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
}

/// All labs, in the order of the table.
pub fn rows() -> Vec<Row> {
    let mut chapter = String::new();
    let mut rows = Vec::new();
    for line in TABLE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut chapter);
        }
        rows.extend(row(line, &chapter));
    }
    rows
}

/// `| [05](…) | [udp-no-server](…) | Nobody listens: … |`; a lab on a wire: `| [23](…) | [nagle](…) *wire* | … |`
fn row(line: &str, chapter: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| [")?.split(" | ");
    let number = cells.next()?.split(']').next()?.parse().ok()?;
    let page = cells.next()?;
    let name = page.strip_prefix('[')?.split(']').next()?.to_owned();
    let question = cells.next()?.trim_end_matches(" |").to_owned();
    Some(Row { number, name, question, chapter: chapter.to_owned(), wire: page.ends_with(" *wire*") })
}

/// The lab that a person means by `word`: its number, its name, or both as its folder has them.
pub fn find(word: &str) -> Result<Row> {
    let rows = rows();
    let number = word.parse::<u32>().ok();
    let is_meant = |row: &&Row| number == Some(row.number) || row.name == word || row.folder() == word;
    match rows.iter().find(is_meant) {
        Some(row) => Ok(row.clone()),
        None => {
            Err(Mistyped(format!("there is no lab {word:?}{}: `just labs` lists them", nearest(word, &rows))).into())
        }
    }
}

fn nearest(word: &str, rows: &[Row]) -> String {
    let mut near: Vec<(f64, &Row)> = rows.iter().map(|row| (likeness(word, row), row)).collect();
    near.retain(|(likeness, _)| *likeness > 0.7);
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = near.iter().take(3).map(|(_, row)| format!("{:02} {}", row.number, row.name)).collect();
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(", or ")) }
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
    fn a_row_is_read_from_its_line() {
        let line = "| [05](05-udp-no-server/main.rs) | [udp-no-server](../docs/x.md) | Nobody listens: who? |";
        let row = row(line, "Datagrams").expect("a row");
        assert_eq!(row.program(), "lab-05-udp-no-server");
        assert_eq!((row.question.as_str(), row.chapter.as_str()), ("Nobody listens: who?", "Datagrams"));
    }

    #[test]
    fn a_lab_is_found_by_number_and_by_name() {
        for word in ["5", "05", "udp-no-server", "05-udp-no-server"] {
            assert_eq!(find(word).expect(word).number, 5);
        }
    }

    #[test]
    fn a_misspelt_name_gets_its_neighbours() {
        let error = find("udp-noserver").expect_err("no such lab").to_string();
        assert!(error.contains("05 udp-no-server"), "{error}");
    }
}
