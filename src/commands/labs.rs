//! `socklab labs`: the table of contents.

use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use clap::Args;
use serde_json::json;
use socklab::course::labs::{Row, rows};
use socklab::output;
use socklab::view::text::{WIDTH, wrapped};

#[derive(Debug, Args)]
pub struct Arguments {
    /// One JSON object a lab
    #[arg(long)]
    json: bool,
}

/// Prints the labs by chapter.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let text = if arguments.json { as_json() } else { as_text() };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn as_text() -> String {
    let strong = Style::new().bold();
    let rows = rows();
    let column = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut chapter = None;
    for row in &rows {
        if chapter != Some(row.chapter) {
            chapter = Some(row.chapter);
            let title = row.chapter.title();
            text += &format!("{}{strong}{title}{strong:#}\n", if text.is_empty() { "" } else { "\n" });
        }
        for (index, line) in wrapped(&row.question, WIDTH - column - 8).iter().enumerate() {
            text += &match index {
                0 => format!("  {strong}{:02}{strong:#}  {:column$}  {line}\n", row.number, row.name),
                _ => format!("      {:column$}  {line}\n", ""),
            };
        }
    }
    text
}

fn as_json() -> String {
    let line = |row: Row| {
        let fields = json!({
            "number": row.number, "name": row.name, "question": row.question, "chapter": row.chapter.title(),
            "program": row.program(), "folder": row.folder(), "wire": row.wire,
        });
        format!("{fields}\n")
    };
    rows().into_iter().map(line).collect()
}
