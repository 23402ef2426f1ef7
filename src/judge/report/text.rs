//! A grade as a student reads it: what is right, and the story of the first thing that is wrong.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::judge::event_log;
use crate::judge::failure::{Failure, Shown};
use crate::judge::grade::{Checked, Grade, Outcome, Verdict};
use crate::judge::{choices, grade};
use crate::view::text::{cut, escaped, quoted_within, wrapped};

const RIGHT: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const WRONG: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const UNSURE: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const STRONG: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

const WIDTH: usize = 100;

/// Steps, last words, and whether it is brief: the whole report, and shorter and shorter ones.
const MEASURES: [(usize, usize, bool); 9] = [
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
    /// The lines and columns that there are for the report, where it must not scroll.
    pub screen: Option<(usize, usize)>,
}

/// How much is told, from all to as little as it takes to stay on a screen.
struct Measure {
    /// Steps of a story: its first ones and its last ones.
    steps: usize,
    /// Lines of what a program wrote last.
    last_words: usize,
    /// A line for all checks that pass, and one for those whose story is not told.
    brief: bool,
    width: usize,
}

/// The report, with colours; whoever prints it takes these out where they are not wanted.
pub fn text(grade: &Grade, told: &Told<'_>) -> String {
    let width = told.screen.map_or(WIDTH, |(_, columns)| columns.clamp(40, WIDTH));
    let of = |(steps, last_words, brief)| report(grade, told, &Measure { steps, last_words, brief, width });
    let Some((lines, columns)) = told.screen else { return of(MEASURES[0]) };
    let fits = |report: &String| report.lines().count() <= lines;
    let report = MEASURES.into_iter().map(of).find(fits).unwrap_or_else(|| of(MEASURES[MEASURES.len() - 1]));
    report.lines().take(lines).map(|line| clipped(line, columns) + "\n").collect()
}

fn report(grade: &Grade, told: &Told<'_>, measure: &Measure) -> String {
    let mut report = String::new();
    let program = escaped(grade.program.join(" ").as_bytes());
    let _ = writeln!(report, "{STRONG}{} {}{STRONG:#}: {}\n", grade.exercise, told.title, cut(&program, 60));
    if let Some(output) = &grade.build {
        let _ = writeln!(report, "  {WRONG}it cannot be built{WRONG:#}\n");
        block(&mut report, output.as_bytes(), measure.last_words * 5, measure.width);
        report.push('\n');
        report.push_str(&summary(grade));
        return report;
    }
    let (passed, rest): (Vec<&Checked>, Vec<&Checked>) =
        grade.checks.iter().partition(|checked| checked.verdict() == Verdict::Pass);
    if measure.brief {
        let _ = writeln!(report, "  {RIGHT}✓{RIGHT:#} {} of {} checks pass", passed.len(), grade.checks.len());
        let names: Vec<&str> = rest.iter().map(|checked| checked.check.name).collect();
        if !names.is_empty() {
            let _ = writeln!(report, "  {WRONG}✗{WRONG:#} {}", names.join(", "));
        }
    } else {
        grade.checks.iter().for_each(|checked| report.push_str(&line(checked, measure.width)));
    }
    for checked in rest.into_iter().take(if told.all { usize::MAX } else { 1 }) {
        report.push('\n');
        report.push_str(&story(grade, checked, told, measure));
    }
    report.push('\n');
    report.push_str(&summary(grade));
    report
}

/// A line of at most so many columns. Colours take none.
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

/// Where the claims begin, in columns.
const CLAIM: usize = 40;

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
    let mut claim = wrapped(check.claim, width.saturating_sub(CLAIM).max(20)).into_iter();
    let (name, first) = (check.name, claim.next().unwrap_or_default());
    let rest: String = claim.map(|line| format!("{:CLAIM$}{line}\n", "")).collect();
    format!("  {style}{mark}{style:#} {points:>3} of {:>2}  {name:<24} {first}\n{rest}", check.points)
}

fn story(grade: &Grade, checked: &Checked, told: &Told<'_>, measure: &Measure) -> String {
    let (most, width) = (measure.steps, measure.width);
    let check = &checked.check;
    let mut report = String::new();
    let _ = writeln!(report, "  {STRONG}{}{STRONG:#}: it {}\n", check.name, check.claim);
    let steps = event_log::steps(&checked.events);
    for (number, step) in (1..).zip(&steps) {
        if steps.len() > most && number == most / 2 + 1 {
            let _ = writeln!(report, "       …  {} more steps", steps.len() - most);
        }
        if steps.len() <= most || number <= most / 2 || number > steps.len() - most / 2 {
            for (index, line) in wrapped(step, width - 12).iter().enumerate() {
                let number = if index == 0 { number.to_string() } else { String::new() };
                let _ = writeln!(report, "    {number:>4}  {line}");
            }
        }
    }
    report.push('\n');
    match &checked.outcome {
        Outcome::Failed(failure) => report.push_str(&failed(failure, measure)),
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
            paragraph(&mut report, "likely", &format!("it looks as if {sentence} ({name})"), width);
        }
        paragraph(&mut report, "hint", check.hint, width);
        paragraph(&mut report, "page", told.page, width);
    }
    let case = if checked.shrunk { format!(" --case {}", choices::written(&checked.drawn)) } else { String::new() };
    let again = format!("{} --check {} --seed {}{case}{}", told.command, check.name, grade.seed, told.behind);
    let _ = writeln!(report, "    {QUIET}again{QUIET:#}     {}", again.trim_end());
    report
}

fn failed(failure: &Failure, measure: &Measure) -> String {
    let width = measure.width;
    let mut report = String::new();
    for line in wrapped(&failure.what, width - 8) {
        let _ = writeln!(report, "    {WRONG}{line}{WRONG:#}");
    }
    let shown = width - 30;
    // Bytes are shown from the beginning, or, where they differ late, from somewhat before that.
    let same = match (&failure.expected, &failure.got) {
        (Some(Shown::Bytes(expected)), Some(Shown::Bytes(got))) if !got.is_empty() => {
            Some(expected.iter().zip(got).take_while(|(expected, got)| expected == got).count())
        }
        _ => None,
    };
    let (from, column) = match (same, &failure.expected) {
        (Some(same), Some(Shown::Bytes(expected))) => {
            let column = |from: usize| escaped(&expected[from..same]).width();
            let from = if column(0) < shown { 0 } else { same.saturating_sub(LEAD) };
            (from, column(from))
        }
        _ => (0, 0),
    };
    for (word, what) in [("expected", &failure.expected), ("got", &failure.got)] {
        if let Some(what) = what {
            let _ = writeln!(report, "    {word:<9} {}", self::shown(what, from, width));
        }
    }
    if let Some(same) = same {
        // Behind the quotation mark, below the first byte that differs.
        let column = column + 1 + usize::from(from > 0);
        let _ = writeln!(report, "    {:9} {:column$}{WRONG}^{WRONG:#} byte {same}", "", "");
    }
    report.push('\n');
    for why in &failure.why {
        for line in wrapped(&escaped(why.as_bytes()).replace("\\\"", "\""), width - 8) {
            let _ = writeln!(report, "    {line}");
        }
    }
    if !failure.last_words.is_empty() {
        let _ = writeln!(report, "    its last words on standard error:");
        block(&mut report, &failure.last_words, measure.last_words, width);
    }
    if !failure.why.is_empty() || !failure.last_words.is_empty() {
        report.push('\n');
    }
    report
}

/// So many bytes are shown before a difference that comes late.
const LEAD: usize = 8;

/// Words, or bytes from this one on.
fn shown(shown: &Shown, from: usize, width: usize) -> String {
    match shown {
        Shown::Words(words) => cut(&escaped(words.as_bytes()).replace("\\\"", "\""), width - 16),
        Shown::Bytes(bytes) if bytes.is_empty() => "nothing".to_owned(),
        Shown::Bytes(bytes) => {
            let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
            let (rest, before) = (&bytes[from.min(bytes.len())..], if from > 0 { "…" } else { "" });
            format!("{before}{}  {} {unit}", quoted_within(rest, rest.len(), width - 30), bytes.len())
        }
    }
}

fn paragraph(report: &mut String, word: &str, text: &str, width: usize) {
    for (index, line) in wrapped(text, width - 16).iter().enumerate() {
        let word = if index == 0 { word } else { "" };
        let _ = writeln!(report, "    {QUIET}{word:<9}{QUIET:#} {line}");
    }
}

/// The last lines of what a program wrote, so that no byte of it moves a cursor.
fn block(report: &mut String, bytes: &[u8], most: usize, width: usize) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let lines = if lines.last().is_some_and(|last| last.is_empty()) { &lines[..lines.len() - 1] } else { &lines[..] };
    for line in &lines[lines.len().saturating_sub(most)..] {
        let line = escaped(line).replace("\\\"", "\"").replace("\\t", "  ");
        let _ = writeln!(report, "      {QUIET}│{QUIET:#} {}", cut(&line, width - 10));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::judge::failure::Kind;
    use crate::judge::{Check, Exercise};

    fn plain(report: &str) -> String {
        anstream::adapter::strip_str(report).to_string()
    }

    fn told(screen: Option<(usize, usize)>) -> Told<'static> {
        Told { title: "a task", page: "docs/x.md", command: "just grade 98", behind: "", all: false, screen }
    }

    /// A grade of so many checks, of which the last one fails.
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
            events: Vec::new(),
            drawn: Vec::new(),
            shrunk: false,
            took: Duration::ZERO,
            stopped: 0,
        };
        let mut grade = Grade::unbuilt("98", &exercise, vec!["python3".into()], 1, String::new());
        (grade.build, grade.checks) = (None, exercise.checks.iter().enumerate().map(applied).collect());
        grade
    }

    fn caret_is_below(expected: &[u8], got: &[u8]) -> (String, usize) {
        let failure = Failure::new(Kind::Wrong, "it answers something else").between(expected, got);
        let report = plain(&text(&grade(2, failure), &told(None)));
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
            let report = text(&grade(checks, failure), &told(Some((lines, columns))));
            prop_assert!(report.lines().count() <= lines);
            for line in plain(&report).lines() {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
        }
    }
}
