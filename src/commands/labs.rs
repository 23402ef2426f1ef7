//! `socklab labs`: the table of contents, and how far somebody has come in it.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use socklab::course::exercises::ExerciseFolder;
use socklab::course::labs::{Row, rows};
use socklab::course::lessons;
use socklab::course::progress::Progress;
use socklab::course::work::Work;
use socklab::lab::Chapter;
use socklab::output;
use socklab::view::text::{WIDTH, wrapped};

use super::Mistyped;

const STRONG: Style = Style::new().bold();
const DONE: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this chapter, by its number
    chapter: Option<usize>,
    /// One JSON object a lab
    #[arg(long)]
    json: bool,
}

/// Prints the labs by chapter.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let rows = rows();
    let mut chapters: Vec<Chapter> = rows.iter().map(|row| row.chapter).collect();
    chapters.dedup();
    let numbered: Vec<(usize, Chapter)> = (1..).zip(chapters).collect();
    let wanted = |number: usize| arguments.chapter.is_none_or(|only| only == number);
    let chosen: Vec<(usize, Chapter)> = numbered.iter().copied().filter(|(number, _)| wanted(*number)).collect();
    if chosen.is_empty() {
        let titles = numbered.iter().map(|(number, chapter)| format!("\n  {number}  {}", chapter.title()));
        let given = arguments.chapter.unwrap_or_default();
        return Err(Mistyped(format!("there is no chapter {given}; there are{}", titles.collect::<String>())).into());
    }
    let of = |chapter: Chapter| rows.iter().filter(move |row| row.chapter == chapter);
    let text: String = match arguments.json {
        true => chosen.iter().flat_map(|(_, chapter)| of(*chapter)).map(as_json).collect(),
        false => {
            let work = Work::of_environment();
            // A list of labs is worth having whatever stands in that file.
            let progress = work.progress().unwrap_or_else(|error| {
                output::complain(format_args!("socklab: {error:#}"));
                Progress::default()
            });
            let part = |&(number, chapter): &(usize, Chapter)| {
                let heading = format!("{STRONG}{number}  {}{STRONG:#}\n", chapter.title());
                of(chapter).fold(heading, |text, row| text + &as_text(row, &progress, &work))
            };
            let parts: Vec<String> = chosen.iter().map(part).collect();
            parts.join("\n")
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Number and name, what was done, and the question below.
fn as_text(row: &Row, progress: &Progress, work: &Work) -> String {
    let run = if progress.labs.contains(&row.number) { format!("{DONE}✓ run{DONE:#}") } else { String::new() };
    let exercises: Vec<String> = row.exercises().map(|folder| exercise(folder, progress, work)).collect();
    let minutes = minutes(row).map_or_else(String::new, |minutes| format!("{minutes} min"));
    let told: Vec<String> = [run, exercises.join(", ")].into_iter().filter(|part| !part.is_empty()).collect();
    let heading = format!("  {STRONG}{:02}{STRONG:#}  {:<20}{minutes:>6}  {}", row.number, row.name, told.join("  "));
    let mut text = heading.trim_end().to_owned() + "\n";
    for line in wrapped(&row.question, WIDTH - 6) {
        text += &format!("      {line}\n");
    }
    text
}

/// How long its page takes, if that is known.
fn minutes(row: &Row) -> Option<u32> {
    lessons::of(&row.folder()).ok().flatten().map(|lesson| lesson.minutes)
}

/// An exercise, and how far somebody is with it.
fn exercise(folder: &ExerciseFolder, progress: &Progress, work: &Work) -> String {
    let id = folder.id;
    if progress.has_passed(id) {
        format!("{DONE}✓ exercise {id} passed{DONE:#}")
    } else if work.folder(id).is_dir() {
        format!("exercise {id} begun")
    } else {
        format!("exercise {id}")
    }
}

fn as_json(row: &Row) -> String {
    let exercises: Vec<&str> = row.exercises().map(|folder| folder.id).collect();
    let fields = json!({
        "number": row.number, "name": row.name, "question": row.question, "chapter": row.chapter.title(),
        "program": row.program(), "folder": row.folder(), "wire": row.wire,
        "exercises": exercises, "minutes": minutes(row),
    });
    format!("{fields}\n")
}
