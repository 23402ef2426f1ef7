//! A grade as a student reads it: what is right, and the story of the first thing that is wrong.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::judge::diary::Diary;
use crate::judge::failure::{Failure, Shown};
use crate::judge::grade::{Checked, Grade, Outcome, Verdict};
use crate::judge::{choices, grade};
use crate::view::text::{cut, escaped, wrapped};

const RIGHT: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const WRONG: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const UNSURE: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const STRONG: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

const WIDTH: usize = 100;

/// So many steps of a story are told: its first ones and its last ones.
const STEPS: usize = 30;

/// So many lines of what a program wrote last are shown.
const LAST_LINES: usize = 8;

/// What a report says besides the grade.
pub struct Told<'a> {
    /// The exercise's title.
    pub title: &'a str,
    /// Where to read on.
    pub page: &'a str,
    /// The words with which the program was judged, before `--check`: `just grade 30`.
    pub command: &'a str,
    /// What stands behind them: `-- python3 server.py`, or nothing.
    pub behind: &'a str,
    /// Tell all that failed, and not only the first.
    pub all: bool,
    /// How many lines there are for the report, where it must not scroll.
    pub lines: Option<usize>,
}

/// The report, with colours; whoever prints it takes these out where they are not wanted.
pub fn text(grade: &Grade, told: &Told<'_>) -> String {
    let mut report = String::new();
    let program = escaped(grade.program.join(" ").as_bytes());
    let _ = writeln!(report, "{STRONG}{} {}{STRONG:#}: {}\n", grade.exercise, told.title, cut(&program, 60));
    if let Some(output) = &grade.build {
        let _ = writeln!(report, "  {WRONG}it cannot be built{WRONG:#}\n");
        block(&mut report, output.as_bytes(), 40);
        report.push('\n');
    }
    for checked in &grade.checks {
        report.push_str(&line(checked));
    }
    let failed = grade.checks.iter().filter(|checked| checked.verdict() != Verdict::Pass);
    let told_of = if told.all { usize::MAX } else { 1 };
    for checked in failed.take(told_of) {
        report.push('\n');
        report.push_str(&story(grade, checked, told));
    }
    report.push('\n');
    report.push_str(&summary(grade));
    report
}

fn line(checked: &Checked) -> String {
    let (style, mark) = match checked.verdict() {
        Verdict::Pass => (RIGHT, "✓"),
        Verdict::Fail => (WRONG, "✗"),
        Verdict::CannotTell => (UNSURE, "?"),
    };
    let check = &checked.check;
    let points = match checked.verdict() {
        Verdict::CannotTell => "-".to_owned(),
        _ => checked.points().to_string(),
    };
    format!("  {style}{mark}{style:#} {points:>3} of {:>2}  {:<24} {}\n", check.points, check.name, check.claim)
}

fn story(grade: &Grade, checked: &Checked, told: &Told<'_>) -> String {
    let check = &checked.check;
    let mut report = String::new();
    let _ = writeln!(report, "  {STRONG}{}{STRONG:#}: it {}\n", check.name, check.claim);
    let steps = Diary::steps(&checked.events);
    let most = told.lines.map_or(STEPS, |lines| lines.saturating_sub(grade.checks.len() + 22).max(6));
    for (number, step) in (1..).zip(&steps) {
        if steps.len() > most && number == most / 2 + 1 {
            let _ = writeln!(report, "       …  {} more steps", steps.len() - most);
        }
        if steps.len() <= most || number <= most / 2 || number > steps.len() - most / 2 {
            for (index, line) in wrapped(step, WIDTH - 12).iter().enumerate() {
                let number = if index == 0 { number.to_string() } else { String::new() };
                let _ = writeln!(report, "    {number:>4}  {line}");
            }
        }
    }
    report.push('\n');
    match &checked.outcome {
        Outcome::Failed(failure) => report.push_str(&failed(failure)),
        Outcome::Fault(fault) => {
            let _ = writeln!(
                report,
                "    {UNSURE}We cannot tell: a fault of ours.{UNSURE:#} {}",
                escaped(fault.as_bytes())
            );
            let _ = writeln!(report, "    It is no zero. Judge again; if it stays so, ask whoever runs this judge.");
        }
        Outcome::Passed => {}
    }
    if checked.verdict() == Verdict::Fail {
        if let Some((sentence, name)) = &grade.behaves_like {
            paragraph(&mut report, "likely", &format!("{sentence} ({name})"));
        }
        paragraph(&mut report, "hint", check.hint);
        paragraph(&mut report, "page", told.page);
    }
    let case = if checked.shrunk { format!(" --case {}", choices::written(&checked.drawn)) } else { String::new() };
    let again = format!("{} --check {} --seed {}{case}{}", told.command, check.name, grade.seed, told.behind);
    let _ = writeln!(report, "    {QUIET}again{QUIET:#}     {}", again.trim_end());
    report
}

fn failed(failure: &Failure) -> String {
    let mut report = String::new();
    for line in wrapped(&failure.what, WIDTH - 8) {
        let _ = writeln!(report, "    {WRONG}{line}{WRONG:#}");
    }
    let both = [("expected", &failure.expected), ("got", &failure.got)];
    for (word, shown) in both {
        if let Some(shown) = shown {
            let _ = writeln!(report, "    {word:<9} {}", told(shown));
        }
    }
    if let (Some(Shown::Bytes(expected)), Some(Shown::Bytes(got))) = (&failure.expected, &failure.got)
        && !got.is_empty()
    {
        let same = expected.iter().zip(got).take_while(|(expected, got)| expected == got).count();
        // Behind the quotation mark, below the first byte that differs.
        let column = escaped(&expected[..same]).width() + 1;
        if column < SHOWN {
            let _ = writeln!(report, "    {:9} {:column$}{WRONG}^{WRONG:#} byte {same}", "", "");
        }
    }
    report.push('\n');
    for why in &failure.why {
        for line in wrapped(&escaped(why.as_bytes()).replace("\\\"", "\""), WIDTH - 8) {
            let _ = writeln!(report, "    {line}");
        }
    }
    if !failure.last_words.is_empty() {
        let _ = writeln!(report, "    its last words on standard error:");
        block(&mut report, &failure.last_words, LAST_LINES);
    }
    if !failure.why.is_empty() || !failure.last_words.is_empty() {
        report.push('\n');
    }
    report
}

/// So many columns of bytes are shown.
const SHOWN: usize = 70;

fn told(shown: &Shown) -> String {
    match shown {
        Shown::Words(words) => cut(&escaped(words.as_bytes()).replace("\\\"", "\""), WIDTH - 16),
        Shown::Bytes(bytes) if bytes.is_empty() => "nothing".to_owned(),
        Shown::Bytes(bytes) => {
            let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
            format!("{}  {} {unit}", crate::view::text::quoted_within(bytes, bytes.len(), SHOWN), bytes.len())
        }
    }
}

fn paragraph(report: &mut String, word: &str, text: &str) {
    for (index, line) in wrapped(text, WIDTH - 16).iter().enumerate() {
        let word = if index == 0 { word } else { "" };
        let _ = writeln!(report, "    {QUIET}{word:<9}{QUIET:#} {line}");
    }
}

/// The last lines of what a program wrote, so that no byte of it moves a cursor.
fn block(report: &mut String, bytes: &[u8], most: usize) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let lines = if lines.last().is_some_and(|last| last.is_empty()) { &lines[..lines.len() - 1] } else { &lines[..] };
    for line in &lines[lines.len().saturating_sub(most)..] {
        let line = escaped(line).replace("\\\"", "\"").replace("\\t", "  ");
        let _ = writeln!(report, "      {QUIET}│{QUIET:#} {}", cut(&line, WIDTH - 10));
    }
}

fn summary(grade: &Grade) -> String {
    let mut report = String::new();
    let verdict = grade.verdict();
    let (style, word) = match verdict {
        Verdict::Pass => (RIGHT, "pass"),
        Verdict::Fail => (WRONG, "fail"),
        Verdict::CannotTell => (UNSURE, "can't tell"),
    };
    let points = match grade.points() {
        Some(points) => format!("{points} of {} points", grade.of()),
        None if verdict == grade::Verdict::CannotTell => "no grade: a check could not be applied".to_owned(),
        None => format!("{} of the exercise's checks applied: no grade", grade.checks.len()),
    };
    let _ = writeln!(report, "  {style}{word}{style:#}  {points}");
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        report,
        "  {QUIET}judge {version}, seed {}, Linux {}, protection: {}{QUIET:#}",
        grade.seed, grade.kernel, grade.protection
    );
    report
}
