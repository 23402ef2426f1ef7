//! A grade as a student reads it: a line a check, and the story of the first one that fails.

mod failure;

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::judge::event_log::{self, StoryLine};
use crate::judge::failure::{Failure, Kind};
use crate::judge::grade::{Checked, Grade, Outcome, Verdict};
use crate::judge::last_words;
use crate::judge::wrong::Likely;
use crate::judge::{choices, grade};
use crate::view::text::{cut, escaped, harmless, readable, wrapped};

const RIGHT: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const WRONG: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const UNSURE: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const STRONG: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

/// The columns of a report for which nothing else is asked.
const WIDTH: usize = 100;

/// The columns in which the claims begin.
const CLAIM_COLUMN: usize = 40;

/// The most lines of a report that one line of the program's output takes.
const MOST_ROWS_OF_A_LINE: usize = 2;

/// From the whole report to the shortest one: steps, last words, and whether it is brief, as in [`Extent`].
const EXTENTS: [(usize, usize, bool); 9] = [
    (30, 8, false),
    (16, 8, false),
    (8, 4, false),
    (16, 8, true),
    (8, 4, true),
    (6, 3, true),
    (4, 2, true),
    (2, 2, true),
    (0, 2, true),
];

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
    /// Show the story of each check that fails, not only of the first.
    pub all: bool,
    /// The lines and columns of the screen, where the report must not scroll.
    pub screen: Option<(usize, usize)>,
}

/// How much a report shows.
struct Extent {
    /// The most steps of a story: half of them its first ones, half its last ones.
    max_steps: usize,
    /// The most lines of the end of standard error.
    max_last_words: usize,
    /// One line for all checks that pass and one for all others, in place of a line each.
    brief: bool,
    /// Columns.
    width: usize,
}

/// The report, with colours. The caller removes them where they are not wanted.
pub fn text(grade: &Grade, options: &ReportOptions<'_>) -> String {
    let width = options.screen.map_or(WIDTH, |(_, columns)| columns.clamp(40, WIDTH));
    let of = |(max_steps, max_last_words, brief)| {
        report(grade, options, &Extent { max_steps, max_last_words, brief, width })
    };
    let Some((lines, columns)) = options.screen else { return of(EXTENTS[0]) };
    let fits = |report: &String| report.lines().count() <= lines;
    let report = EXTENTS.into_iter().map(of).find(fits).unwrap_or_else(|| of(EXTENTS[EXTENTS.len() - 1]));
    report.lines().take(lines).map(|line| clipped(line, columns) + "\n").collect()
}

fn report(grade: &Grade, options: &ReportOptions<'_>, extent: &Extent) -> String {
    let mut report = String::new();
    let program = harmless(&grade.program.join(" "));
    let _ = writeln!(report, "{STRONG}{} {}{STRONG:#}: {}\n", grade.exercise, options.title, cut(&program, 60));
    if let Some(unfit) = &grade.unfit {
        for line in wrapped(&harmless(&unfit.what), extent.width.saturating_sub(2)) {
            let _ = writeln!(report, "  {WRONG}{line}{WRONG:#}");
        }
        report.push('\n');
        failure::block(&mut report, unfit.output.as_bytes(), extent.max_last_words * 5, extent.width);
        report.push('\n');
        left_behind(grade, &mut report, extent);
        report.push_str(&summary(grade));
        return report;
    }
    let (passed, rest): (Vec<&Checked>, Vec<&Checked>) =
        grade.checks.iter().partition(|checked| checked.verdict() == Verdict::Pass);
    if extent.brief {
        let _ = writeln!(report, "  {RIGHT}✓{RIGHT:#} {} of {} checks pass", passed.len(), grade.checks.len());
        let names: Vec<&str> = rest.iter().map(|checked| checked.check.name).collect();
        if !names.is_empty() {
            let _ = writeln!(report, "  {WRONG}✗{WRONG:#} {}", names.join(", "));
        }
    } else {
        grade.checks.iter().for_each(|checked| report.push_str(&line(checked, extent.width)));
    }
    for checked in rest.into_iter().take(if options.all { usize::MAX } else { 1 }) {
        report.push('\n');
        report.push_str(&story(grade, checked, options, extent));
    }
    report.push('\n');
    left_behind(grade, &mut report, extent);
    report.push_str(&summary(grade));
    report
}

/// One line on what of the folder did not come along, if there is any.
fn left_behind(grade: &Grade, report: &mut String, extent: &Extent) {
    let left = &grade.left_behind;
    if left.count == 0 {
        return;
    }
    let told = |(path, why): &(PathBuf, &str)| format!("{} ({why})", escaped(path.as_os_str().as_bytes()));
    let names: Vec<String> = left.first.iter().map(told).collect();
    let more = if left.count > names.len() as u64 { ", …" } else { "" };
    let line = format!("{} left behind: {}{more}", left.count, names.join(", "));
    let _ = writeln!(report, "  {QUIET}{}{QUIET:#}", cut(&line, extent.width.saturating_sub(2)));
}

/// The beginning of a line that fits into `columns`. Colours take none.
fn clipped(line: &str, columns: usize) -> String {
    let (mut kept, mut width, mut in_colour) = (String::new(), 0, false);
    for character in line.chars() {
        if character == '\u{1b}' || in_colour {
            in_colour = character != 'm';
            kept.push(character);
            continue;
        }
        width += character.to_string().width();
        if width <= columns {
            kept.push(character);
        }
    }
    kept
}

/// The line of one check: its verdict, its points and what it claims.
fn line(checked: &Checked, width: usize) -> String {
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
    let rest: String = claim.map(|line| format!("{:CLAIM_COLUMN$}{line}\n", "")).collect();
    format!("  {style}{mark}{style:#} {points:>3} of {:>2}  {name:<24} {first}\n{rest}", check.points)
}

/// What happened in a check that did not pass, why it did not, and how to apply it again.
fn story(grade: &Grade, checked: &Checked, options: &ReportOptions<'_>, extent: &Extent) -> String {
    let (check, width) = (&checked.check, extent.width);
    let mut report = String::new();
    let _ = writeln!(report, "  {STRONG}{}{STRONG:#}: it {}\n", check.name, check.claim);
    let mut story = event_log::story(&checked.events);
    let repeats = matches!(&checked.outcome, Outcome::Failed(failure) if repeats_last_words(&mut story, failure));
    numbered_steps(&mut report, &story, extent);
    report.push('\n');
    match &checked.outcome {
        Outcome::Failed(failure) => report.push_str(&failure::described(failure, extent, !repeats)),
        Outcome::Fault(fault) => {
            let _ = writeln!(report, "    {UNSURE}We cannot tell: a fault of ours.{UNSURE:#} {}", harmless(fault));
            let _ = writeln!(report, "    It is no zero. Judge again; if it stays so, ask whoever runs this judge.");
        }
        Outcome::Passed => {}
    }
    if checked.verdict() == Verdict::Fail {
        for (index, Likely { name, sentence }) in grade.likely.iter().enumerate() {
            let (word, how) = if index == 0 { ("likely", "it looks") } else { ("", "and also") };
            paragraph(&mut report, word, &format!("{how} as if {sentence} ({name})"), width);
        }
        paragraph(&mut report, "hint", check.hint, width);
        paragraph(&mut report, "page", options.page, width);
    }
    // Without a seed that may be told, the numbers themselves.
    let seed = grade.seed.number().map(|number| format!(" --seed {number}"));
    let case = (checked.shrunk || seed.is_none()).then(|| format!(" --case {}", choices::written(&checked.drawn)));
    let (seed, case) = (seed.unwrap_or_default(), case.unwrap_or_default());
    let again = format!("{} --check {}{seed}{case}{}", options.command, check.name, options.behind);
    let _ = writeln!(report, "    {QUIET}again{QUIET:#}     {}", again.trim_end());
    report
}

/// Whether the story has all of a program's last words. If the program has ended, they are shown below the story, and
/// the lines at the end of the story that are among them are taken out of it.
fn repeats_last_words(story: &mut Vec<StoryLine>, failure: &Failure) -> bool {
    let ended = matches!(failure.kind, Kind::Ended | Kind::Limit);
    let is_complaint = |line: &StoryLine| matches!(line, StoryLine::Complained(_) | StoryLine::LeftOut(_));
    if ended {
        // Behind them there is only the program's end.
        let end = story.iter().rposition(|line| !matches!(line, StoryLine::Step(_))).map_or(0, |last| last + 1);
        let rest = story.split_off(end);
        while story.last().is_some_and(is_complaint) {
            story.pop();
        }
        story.extend(rest);
        return false;
    }
    let has = |line: &str| story.iter().any(|told| matches!(told, StoryLine::Complained(text) if text == line));
    last_words::lines(&failure.last_words).into_iter().all(|line| has(&readable(line)))
}

/// The steps with their numbers, and what the program wrote between them. Of more lines than [`Extent::max_steps`],
/// those in the middle are only counted.
fn numbered_steps(report: &mut String, story: &[StoryLine], extent: &Extent) {
    let most = extent.max_steps;
    let mut number = 0;
    for (index, line) in story.iter().enumerate() {
        number += usize::from(matches!(line, StoryLine::Step(_)));
        if story.len() > most && index == most / 2 {
            let _ = writeln!(report, "       …  {} more steps", story.len() - most);
        }
        if story.len() <= most || index < most / 2 || index >= story.len() - most / 2 {
            report.extend(story_rows(line, number, extent.width).into_iter().map(|row| row + "\n"));
        }
    }
}

/// One line of a story, wrapped.
fn story_rows(line: &StoryLine, number: usize, width: usize) -> Vec<String> {
    let beside = |word: &str, text: &str| {
        let rows = wrapped(text, width - 18);
        let row = |(index, row): (usize, &String)| {
            let word = if index == 0 { word } else { "" };
            format!("          {QUIET}{word:<7}│{QUIET:#} {row}")
        };
        rows.iter().enumerate().map(row).collect()
    };
    let said = |text: &str| cut(&harmless(text), MOST_ROWS_OF_A_LINE * (width - 18));
    match line {
        StoryLine::Step(text) => {
            let number = |index| if index == 0 { number.to_string() } else { String::new() };
            let rows = wrapped(text, width - 12);
            rows.iter().enumerate().map(|(index, row)| format!("    {:>4}  {row}", number(index))).collect()
        }
        StoryLine::Printed(text) => beside("prints", &said(text)),
        StoryLine::Complained(text) => beside("stderr", &said(text)),
        StoryLine::LeftOut(count) => beside("", &format!("… {count} more lines")),
    }
}

/// A word, and beside it a text of any length.
fn paragraph(report: &mut String, word: &str, text: &str, width: usize) {
    for (index, line) in wrapped(text, width - 16).iter().enumerate() {
        let word = if index == 0 { word } else { "" };
        let _ = writeln!(report, "    {QUIET}{word:<9}{QUIET:#} {line}");
    }
}

/// The verdict on the whole, and what was true of the judge.
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
    let reached =
        |checked: &&Checked| matches!(&checked.outcome, Outcome::Failed(failure) if failure.kind == Kind::Limit);
    let reached: Vec<&str> = grade.checks.iter().filter(reached).map(|checked| checked.check.name).collect();
    if !reached.is_empty() {
        let _ = writeln!(report, "  it reached the bounds of what it may have: {}", reached.join(", "));
    }
    let version = env!("CARGO_PKG_VERSION");
    let around = if grade.sandboxed_by_caller { ", in a sandbox of the caller's" } else { "" };
    let _ = writeln!(
        report,
        "  {QUIET}judge {version}, seed {}, Linux {}, protection: {}{around}{QUIET:#}",
        grade.seed, grade.kernel, grade.protection
    );
    report
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;
    use crate::judge::{Check, Exercise, Seed, Unfit};

    fn plain(report: &str) -> String {
        anstream::adapter::strip_str(report).to_string()
    }

    fn options(screen: Option<(usize, usize)>) -> ReportOptions<'static> {
        ReportOptions { title: "a task", page: "docs/x.md", command: "just grade 98", behind: "", all: false, screen }
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
        let report = plain(&text(&grade(2, failure), &options(None)));
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
            let report = text(&grade(checks, failure), &options(Some((lines, columns))));
            prop_assert!(report.lines().count() <= lines);
            for line in plain(&report).lines() {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
        }
    }
}
