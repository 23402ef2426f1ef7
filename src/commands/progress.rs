//! `socklab progress`: what is done, and what is left.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use socklab::course::progress::{Best, PROGRESS};
use socklab::course::work::Work;
use socklab::course::{exercises, labs};
use socklab::output;
use socklab::view::text::harmless;
use unicode_width::UnicodeWidthStr;

const RIGHT: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const STRONG: Style = Style::new().bold();

/// Prints a row for each exercise, and the sum.
pub fn run() -> Result<ExitCode> {
    let work = Work::of_environment();
    let progress = work.progress()?;
    let rows: Vec<_> = exercises::all().iter().map(|folder| (folder, progress.of(folder.id))).collect();
    let id = column(rows.iter().map(|(folder, _)| folder.id), "exercise");
    let title = column(rows.iter().map(|(folder, _)| folder.title()), "title");
    let heading = format!("{:<id$}  {:<title$}  {:>9}  {:>5}  {:>5}", "exercise", "title", "points", "tries", "hints");
    let mut text = format!("{STRONG}{heading}{STRONG:#}\n");
    let (mut points, mut of, mut passed) = (0, 0, 0);
    for (folder, best) in &rows {
        let all = (folder.exercise)().points();
        // What an exercise was worth when it was judged, it is worth.
        let best_of = if best.of == 0 { all } else { best.of };
        (points, of, passed) = (points + best.points, of + best_of, passed + u32::from(best.passed));
        let hints = format!("{} of {}", best.hints, folder.hints().len());
        let gap = " ".repeat(title - folder.title().width());
        let row = format!(
            "{:<id$}  {}{gap}  {:>9}  {:>5}  {hints:>6}  {}",
            folder.id,
            folder.title(),
            if best.tries == 0 { "-".to_owned() } else { format!("{}/{best_of}", best.points) },
            best.tries,
            state(best, &work.folder(folder.id)),
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    let exercises = rows.len();
    let sum = format!("{points} of {of} points, {passed} of {exercises} exercises passed");
    let _ = writeln!(text, "\n{STRONG}{sum}{STRONG:#}");
    let labs = labs::rows();
    let run = labs.iter().filter(|row| progress.labs.contains(&row.number)).count();
    let _ = writeln!(text, "{run} of {} labs run: just labs shows which, just next what comes next", labs.len());
    let is_here = |id: &str| exercises::all().iter().any(|folder| folder.id == id);
    for id in progress.exercises.keys().filter(|id| !is_here(id)) {
        let _ = writeln!(text, "{PROGRESS} knows of an exercise {} that is not here", harmless(id));
    }
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// How far an exercise is, whose folder is this one.
pub fn state(best: &Best, folder: &Path) -> String {
    match best {
        Best { passed: true, gave_up: true, .. } => format!("{RIGHT}✓ passed{RIGHT:#}, with the solution seen"),
        Best { passed: true, .. } => format!("{RIGHT}✓ passed{RIGHT:#}"),
        Best { gave_up: true, .. } => "given up".to_owned(),
        _ if folder.is_dir() => "begun".to_owned(),
        _ => String::new(),
    }
}

fn column<'a>(texts: impl Iterator<Item = &'a str>, heading: &str) -> usize {
    texts.map(UnicodeWidthStr::width).chain([heading.len()]).max().unwrap_or_default()
}
