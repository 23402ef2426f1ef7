//! A grade as a student reads it: a line a check, and the story of the first one that fails.

mod failure;
mod screen;
mod story;

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::judge::failure::Kind;
use crate::judge::grade::{self, Checked, Grade, Outcome, Verdict};
use crate::judge::last_words;
use crate::view::text::{cut, escaped, harmless, readable, wrapped, wrapped_below};

pub use screen::screen;

const RIGHT: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const WRONG: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const UNSURE: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const STRONG: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

/// The most columns of a report, and those of one that is for no terminal.
pub const WIDTH: usize = 100;

/// The columns in which the claims begin.
const CLAIM_COLUMN: usize = 40;

/// The most steps, lines of last words and lines of a build that a report has.
const MAX_STEPS: usize = 30;
const MAX_LAST_WORDS: usize = 8;
const MAX_BUILD: usize = 40;

/// What a report says besides the grade.
pub struct ReportOptions<'a> {
    /// The exercise's title.
    pub title: &'a str,
    /// Where to read on.
    pub page: &'a str,
    /// The command that judges the program again, up to `--check`: `just grade 30`.
    pub command: &'a str,
    /// The rest of that command: `-- python3 server.py`, or nothing.
    pub behind: &'a str,
    /// What comes next for a program that passes, a sentence each.
    pub next: &'a [String],
    /// Show the story of each check that fails, not only of the first.
    pub all: bool,
    /// The columns that it may take.
    pub columns: usize,
}

/// The report, with colours. The caller removes them where they are not wanted.
pub fn text(grade: &Grade, options: &ReportOptions<'_>) -> String {
    let width = options.columns;
    let mut report = vec![heading(grade, options), String::new()];
    if grade.unfit.is_some() {
        report.extend(unfit(grade, width));
        report.push(String::new());
        report.extend(build_output(grade, MAX_BUILD, width));
    } else {
        if grade.gate.is_none() {
            report.extend(list(grade, width));
            report.push(String::new());
        }
        let stories = stories(grade).into_iter().take(if options.all { usize::MAX } else { 1 });
        for (index, checked) in stories.enumerate() {
            report.extend((index > 0).then(String::new));
            report.extend(story::whole(grade, checked, options, MAX_STEPS, MAX_LAST_WORDS));
        }
    }
    if report.last().is_some_and(|last| !last.is_empty()) {
        report.push(String::new());
    }
    report.extend(left_behind(grade, width));
    report.push(verdict(grade));
    report.extend(beyond_bounds(grade, width));
    report.extend(what_next(grade, options));
    report.extend(about_judge(grade, width));
    report.join("\n") + "\n"
}

/// The story of one check that does not pass, with all its steps; of how many there are the one with this number.
pub fn whole_story(grade: &Grade, number: usize, options: &ReportOptions<'_>) -> String {
    let rows = match stories(grade).get(number) {
        Some(checked) => story::whole(grade, checked, options, usize::MAX, usize::MAX),
        None if grade.unfit.is_some() => {
            [unfit(grade, options.columns), build_output(grade, usize::MAX, options.columns)].concat()
        }
        None => Vec::new(),
    };
    rows.join("\n") + "\n"
}

/// The checks that have a story: those that do not pass; the first one alone if nothing else was applied.
pub fn stories(grade: &Grade) -> Vec<&Checked> {
    let most = if grade.gate.is_some() { 1 } else { usize::MAX };
    let is_story = |checked: &&Checked| grade.unfit.is_none() && checked.verdict() != Verdict::Pass;
    grade.checks.iter().filter(is_story).take(most).collect()
}

/// Exercise, title and program, in one row.
fn heading(grade: &Grade, options: &ReportOptions<'_>) -> String {
    let name = format!("{} {}", grade.exercise, options.title);
    let program = harmless(&grade.program.join(" "));
    let room = options.columns.saturating_sub(2).min(WIDTH);
    let name = cut(&name, room);
    let rest = cut(&program, room.saturating_sub(name.len()).clamp(1, 60));
    if rest == "…" { format!("{STRONG}{name}{STRONG:#}") } else { format!("{STRONG}{name}{STRONG:#}: {rest}") }
}

/// Why there is nothing to judge.
fn unfit(grade: &Grade, width: usize) -> Vec<String> {
    let what = grade.unfit.as_ref().map(|unfit| harmless(&unfit.what)).unwrap_or_default();
    wrapped(&what, room(width, 2)).into_iter().map(|line| format!("  {WRONG}{line}{WRONG:#}")).collect()
}

/// What the build wrote, from the first error on: at most `most` rows.
fn build_output(grade: &Grade, most: usize, width: usize) -> Vec<String> {
    /// The most rows that one line takes.
    const MOST_OF_ONE: usize = 3;
    let output = grade.unfit.as_ref().map_or("", |unfit| unfit.output.as_str());
    let lines: Vec<String> = last_words::lines(output.as_bytes()).into_iter().map(readable).collect();
    let rows_of = |line: &String| {
        let untabbed = line.replace('\t', "    ");
        let is_short = untabbed.width() <= room(width, 10);
        let rows = if is_short { vec![untabbed] } else { wrapped_below(&untabbed, room(width, 10)) };
        if rows.len() > MOST_OF_ONE { vec![cut(line, room(width, 10))] } else { rows }
    };
    let rows: Vec<Vec<String>> = lines.iter().map(rows_of).collect();
    let is_error = |line: &String| line.to_ascii_lowercase().contains("error");
    let all = rows.iter().map(Vec::len).sum::<usize>();
    let first = if all <= most { 0 } else { lines.iter().position(is_error).unwrap_or(0) };
    let rows: Vec<String> = rows[first..].concat();
    let mut shown: Vec<String> = rows.iter().take(most).map(|row| format!("      {QUIET}│{QUIET:#} {row}")).collect();
    if let Some(last) = shown.last_mut().filter(|_| rows.len() > most) {
        *last = format!("      {QUIET}│ … {} lines more{QUIET:#}", rows.len() + 1 - most);
    }
    shown
}

/// A row or more for each check.
fn list(grade: &Grade, width: usize) -> Vec<String> {
    grade.checks.iter().flat_map(|checked| line(checked, width)).collect()
}

/// One line on what of the folder did not come along, if there is any.
fn left_behind(grade: &Grade, width: usize) -> Option<String> {
    let left = &grade.left_behind;
    let told = |(path, why): &(PathBuf, &str)| format!("{} ({why})", escaped(path.as_os_str().as_bytes()));
    let names: Vec<String> = left.first.iter().map(told).collect();
    let more = if left.count > names.len() as u64 { ", …" } else { "" };
    let line = format!("{} left behind: {}{more}", left.count, names.join(", "));
    (left.count > 0).then(|| format!("  {QUIET}{}{QUIET:#}", cut(&line, room(width, 2))))
}

/// The rows of one check: its verdict, its points and what it claims.
fn line(checked: &Checked, width: usize) -> Vec<String> {
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
    let mut claim = wrapped(check.claim, width.saturating_sub(CLAIM_COLUMN).max(20)).into_iter();
    let (name, first) = (check.name, claim.next().unwrap_or_default());
    let row = format!("  {style}{mark}{style:#} {points:>3} of {:>2}  {name:<24} {first}", check.points);
    [row].into_iter().chain(claim.map(|line| format!("{:CLAIM_COLUMN$}{line}", ""))).collect()
}

/// The verdict on the whole.
fn verdict(grade: &Grade) -> String {
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
    format!("  {style}{word}{style:#}  {points}")
}

/// The checks in which it reached the bounds of what it may have.
fn beyond_bounds(grade: &Grade, width: usize) -> Vec<String> {
    let reached =
        |checked: &&Checked| matches!(&checked.outcome, Outcome::Failed(failure) if failure.kind == Kind::Limit);
    let reached: Vec<&str> = grade.checks.iter().filter(reached).map(|checked| checked.check.name).collect();
    if reached.is_empty() {
        return Vec::new();
    }
    let told = format!("it reached the bounds of what it may have: {}", reached.join(", "));
    wrapped(&told, room(width, 2)).into_iter().map(|row| format!("  {row}")).collect()
}

/// What comes next for a program that passes.
fn what_next(grade: &Grade, options: &ReportOptions<'_>) -> Vec<String> {
    if grade.points().is_none() || grade.verdict() != Verdict::Pass {
        return Vec::new();
    }
    let rows = options.next.iter().flat_map(|sentence| wrapped(sentence, room(options.columns, 2)));
    rows.map(|row| format!("  {row}")).collect()
}

/// What was true of the judge.
fn about_judge(grade: &Grade, width: usize) -> Vec<String> {
    let version = env!("CARGO_PKG_VERSION");
    let around = if grade.sandboxed_by_caller { ", in a sandbox of the caller's" } else { "" };
    let told = format!(
        "judge {version}, seed {}, Linux {}, protection: {}{around}",
        grade.seed, grade.kernel, grade.protection
    );
    wrapped(&told, room(width, 2)).into_iter().map(|row| format!("  {QUIET}{row}{QUIET:#}")).collect()
}

/// A word, and beside it a text of any length.
fn paragraph(word: &str, text: &str, width: usize) -> Vec<String> {
    let row = |(index, line): (usize, String)| {
        let word = if index == 0 { word } else { "" };
        format!("    {QUIET}{word:<9}{QUIET:#} {line}")
    };
    wrapped(text, room(width, 16)).into_iter().enumerate().map(row).collect()
}

/// The columns beside those that are taken: a few at the least.
fn room(width: usize, taken: usize) -> usize {
    width.saturating_sub(taken).max(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::judge::failure::Failure;
    use crate::judge::{Check, Exercise, Seed, Unfit};

    fn plain(report: &str) -> String {
        anstream::adapter::strip_str(report).to_string()
    }

    fn options(columns: usize) -> ReportOptions<'static> {
        let command = "just grade 98";
        ReportOptions { title: "a task", page: "docs/x.md", command, behind: "", next: &[], all: false, columns }
    }

    /// A grade of this number of checks, of which the last one fails.
    fn grade(checks: usize, failure: Failure) -> Grade {
        let exercise = (0..checks).fold(Exercise::on_port(9), |exercise, _| {
            exercise.check("some-check", 1, "does what it must, whatever comes", "Think of it.", |_| Ok(()))
        });
        let applied = |(index, check): (usize, &Check)| Checked {
            check: *check,
            outcome: match index + 1 == checks {
                true => Outcome::Failed(Box::new(failure.clone())),
                false => Outcome::Passed,
            },
            ..Checked::unapplied(*check, Outcome::Passed)
        };
        let unfit = Unfit { what: String::new(), output: String::new(), tier: 2, protection: String::new() };
        let mut grade = Grade::unfit("98", &exercise, vec!["python3".into()], Seed::of_number(1), unfit);
        (grade.unfit, grade.checks) = (None, exercise.checks.iter().enumerate().map(applied).collect());
        grade
    }

    fn caret_is_below(expected: &[u8], got: &[u8]) -> (String, usize) {
        let failure = Failure::new(Kind::Wrong, "it answers something else").between(expected, got);
        let report = plain(&text(&grade(2, failure), &options(WIDTH)));
        let lines: Vec<&str> = report.lines().collect();
        let at = lines.iter().position(|line| line.contains("^ byte")).expect("a caret");
        let column = lines[at].chars().position(|c| c == '^').expect("a caret");
        (
            lines[at - 1].chars().skip(column).collect(),
            lines[at].split(' ').next_back().unwrap_or("").parse().unwrap_or(0),
        )
    }

    #[test]
    fn the_caret_stands_below_the_first_byte_that_differs() {
        assert_eq!(caret_is_below(b"HELLO", b"HELlo").1, 3);
        assert!(caret_is_below(b"HELLO", b"HELlo").0.starts_with("lo"));
        assert!(caret_is_below(b"\x00\x00\x00\x05HI", b"\x00\x00\x00\x05hi").0.starts_with("hi"));
        let (long, mut other) = ([b'a'; 5000], [b'a'; 5000]);
        other[4000] = b'X';
        let (below, byte) = caret_is_below(&long, &other);
        assert!(below.starts_with("Xaaa"), "{below}");
        assert_eq!(byte, 4000);
    }

    proptest! {
        #[test]
        fn a_report_stays_on_its_screen(
            lines in 5usize..60,
            columns in 20usize..140,
            checks in 1usize..30,
            words in proptest::collection::vec(any::<u8>(), 0..900),
        ) {
            let failure = Failure { last_words: words.clone(), ..Failure::new(Kind::Wrong, "it does not") };
            let failure = failure.between("a line", words);
            let report = screen(&grade(checks, failure), &options(columns), lines, 0);
            prop_assert!(report.lines().count() <= lines);
            for line in plain(&report).lines() {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
        }
    }
}
