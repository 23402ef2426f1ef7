//! What happened in a check that did not pass, in parts that a report puts together.

use super::failure;
use super::{QUIET, ReportOptions, STRONG, UNSURE, WRONG, paragraph, room};
use crate::judge::choices;
use crate::judge::event_log::{self, StoryLine};
use crate::judge::failure::{Failure, Kind};
use crate::judge::grade::Likely;
use crate::judge::grade::{Checked, Grade, Outcome, Verdict};
use crate::judge::hints;
use crate::judge::last_words;
use crate::view::text::{cut, harmless, readable, wrapped};

/// The most rows that one line of the program's output takes.
const MOST_ROWS_OF_A_LINE: usize = 2;

/// The parts of a story, in their order. Each is made of rows of the screen.
pub struct Story<'a> {
    grade: &'a Grade,
    checked: &'a Checked,
    options: &'a ReportOptions<'a>,
    lines: Vec<StoryLine>,
    repeats_last_words: bool,
}

/// All of it, with at most so many steps and lines of last words.
pub fn whole(
    grade: &Grade,
    checked: &Checked,
    options: &ReportOptions<'_>,
    max_steps: usize,
    max_last_words: usize,
) -> Vec<String> {
    let story = Story::of(grade, checked, options);
    let why = [story.why(), story.last_words(max_last_words)].concat();
    let help = [story.likely(), story.hint(), story.page(), story.again()].concat();
    let failure = [story.what(), story.comparison()].concat();
    let parts = [story.claim(None), story.steps(max_steps), failure, why, help];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&String::new())
}

impl<'a> Story<'a> {
    pub fn of(grade: &'a Grade, checked: &'a Checked, options: &'a ReportOptions<'a>) -> Story<'a> {
        let mut lines = event_log::story(&checked.events);
        let repeats = matches!(&checked.outcome, Outcome::Failed(failure) if repeats_last_words(&mut lines, failure));
        Story { grade, checked, options, lines, repeats_last_words: repeats }
    }

    fn width(&self) -> usize {
        self.options.columns
    }

    fn failure(&self) -> Option<&Failure> {
        self.checked.failure()
    }

    /// What the program would do if it passed; and which of how many stories this is.
    pub fn claim(&self, which: Option<(usize, usize)>) -> Vec<String> {
        if let Some(gate) = self.grade.gate {
            return self.gate(gate.claim());
        }
        let which = which.map(|(number, of)| format!(" ({number} of {of})")).unwrap_or_default();
        let name = format!("{}{which}:", self.checked.check.name);
        let rows = wrapped(&format!("{name} it {}", self.checked.check.claim), room(self.width(), 2));
        // What is strong is the name alone.
        let strong = |row: String| match row.strip_prefix(&name) {
            Some(rest) => format!("  {STRONG}{}{STRONG:#}:{rest}", name.trim_end_matches(':')),
            None => format!("  {row}"),
        };
        rows.into_iter().map(strong).collect()
    }

    /// What it must do before anything else is looked at.
    fn gate(&self, claim: &str) -> Vec<String> {
        let others = match self.grade.checks.len() {
            1 => "the check needs that first".to_owned(),
            count => format!("the {count} checks need that first"),
        };
        let rows = wrapped(&format!("it {claim}"), room(self.width(), 4)).into_iter();
        let rows = rows.chain(wrapped(&others, room(self.width(), 4))).map(|row| format!("    {row}"));
        let mut rows: Vec<String> = rows.collect();
        rows[0].replace_range(..4, &format!("  {WRONG}✗{WRONG:#} "));
        rows
    }

    /// The steps with their numbers, and what the program wrote between them. Of more than `most` lines those in the
    /// middle are only counted.
    pub fn steps(&self, most: usize) -> Vec<String> {
        let (count, mut rows) = (self.lines.len(), Vec::new());
        for (index, (number, line)) in self.numbered().enumerate() {
            if count > most && index == most / 2 {
                let hidden = &self.lines[index..count - most / 2];
                rows.push(format!("       …  {} more", counted(hidden)));
            }
            if count <= most || index < most / 2 || index >= count - most / 2 {
                rows.extend(story_rows(line, number, self.width()));
            }
        }
        rows
    }

    /// As many of the last steps as fit into so many rows, and a row that counts those before.
    pub fn last_steps(&self, rows: usize) -> Vec<String> {
        let all: Vec<Vec<String>> =
            self.numbered().map(|(number, line)| story_rows(line, number, self.width())).collect();
        if all.iter().map(Vec::len).sum::<usize>() <= rows {
            return all.concat();
        }
        let mut kept = Vec::new();
        let mut left = rows.saturating_sub(1);
        for rows in all.iter().rev().take_while(|rows| {
            let fits = rows.len() <= left;
            left = left.saturating_sub(if fits { rows.len() } else { left });
            fits
        }) {
            kept.push(rows.clone());
        }
        if kept.is_empty() {
            return Vec::new();
        }
        let before = &self.lines[..all.len() - kept.len()];
        kept.push(vec![format!("       …  {} before", counted(before))]);
        kept.reverse();
        kept.concat()
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &StoryLine)> {
        let mut number = 0;
        self.lines.iter().map(move |line| {
            number += usize::from(matches!(line, StoryLine::Step(_)));
            (number, line)
        })
    }

    /// What is wrong, in a sentence.
    pub fn what(&self) -> Vec<String> {
        match &self.checked.outcome {
            Outcome::Failed(failure) => failure::what(failure, self.width()),
            Outcome::Fault(fault) => {
                let rows = wrapped(&harmless(fault), room(self.width(), 4)).into_iter().map(|row| format!("    {row}"));
                let said = format!("    {UNSURE}We cannot tell: a fault of ours.{UNSURE:#}");
                let advice = "It is no zero. Judge again; if it stays so, ask whoever runs this judge.";
                let advice = wrapped(advice, room(self.width(), 4)).into_iter().map(|row| format!("    {row}"));
                [said].into_iter().chain(rows).chain(advice).collect()
            }
            Outcome::Passed => Vec::new(),
        }
    }

    /// What was expected and what came.
    pub fn comparison(&self) -> Vec<String> {
        self.failure().map(|failure| failure::comparison(failure, self.width())).unwrap_or_default()
    }

    /// What was known of the program.
    pub fn why(&self) -> Vec<String> {
        let why = self.failure().map_or(&[][..], |failure| &failure.why);
        let rows = why.iter().flat_map(|why| wrapped(&harmless(why), room(self.width(), 8)));
        rows.map(|row| format!("    {row}")).collect()
    }

    /// Its last words, unless the story has them all: at most so many lines.
    pub fn last_words(&self, most: usize) -> Vec<String> {
        match self.failure() {
            Some(failure) if !self.repeats_last_words => failure::last_lines(&failure.last_words, most, self.width()),
            _ => Vec::new(),
        }
    }

    /// What the program seems to get wrong, if it is this story that shows it.
    pub fn likely(&self) -> Vec<String> {
        let first = self.grade.checks.iter().find(|checked| checked.verdict() == Verdict::Fail);
        if first.is_none_or(|first| first.check.name != self.checked.check.name) {
            return Vec::new();
        }
        let told = |(index, Likely { name, sentence }): (usize, &Likely)| {
            let (word, how) = if index == 0 { ("likely", "it looks") } else { ("", "and also") };
            paragraph(word, &format!("{how} as if {sentence} ({name})"), self.width())
        };
        self.grade.likely.iter().enumerate().flat_map(told).collect()
    }

    /// One thing to think of.
    pub fn hint(&self) -> Vec<String> {
        match hints::hint(self.checked) {
            "" => Vec::new(),
            hint => paragraph("hint", hint, self.width()),
        }
    }

    /// Where to read on.
    pub fn page(&self) -> Vec<String> {
        if self.failure().is_none() { Vec::new() } else { paragraph("page", self.options.page, self.width()) }
    }

    /// The command that applies the check again. It is not broken where it is long: somebody may copy it.
    pub fn again(&self) -> Vec<String> {
        vec![format!("    {QUIET}again{QUIET:#}     {}", self.command())]
    }

    /// The same where nothing wider than the screen is shown whole.
    pub fn again_wrapped(&self) -> Vec<String> {
        paragraph("again", &self.command(), self.width())
    }

    fn command(&self) -> String {
        let (grade, options) = (self.grade, self.options);
        // Without a seed that may be told, the numbers themselves.
        let seed = grade.seed.number().map(|number| format!(" --seed {number}"));
        let shown = self.checked.shrunk || seed.is_none();
        let case = shown.then(|| format!(" --case {}", choices::written(&self.checked.drawn)));
        let (seed, case) = (seed.unwrap_or_default(), case.unwrap_or_default());
        let again = format!("{} --check {}{seed}{case}{}", options.command, self.checked.check.name, options.behind);
        again.trim_end().to_owned()
    }
}

/// "1 step", "7 steps", or what there is where no step is.
fn counted(lines: &[StoryLine]) -> String {
    let steps = lines.iter().filter(|line| matches!(line, StoryLine::Step(_))).count();
    match (steps, lines.len()) {
        (0, 1) => "1 line".to_owned(),
        (0, lines) => format!("{lines} lines"),
        (1, _) => "1 step".to_owned(),
        (steps, _) => format!("{steps} steps"),
    }
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

/// One line of a story, wrapped.
fn story_rows(line: &StoryLine, number: usize, width: usize) -> Vec<String> {
    let beside = |word: &str, text: &str| {
        let rows = wrapped(text, room(width, 20));
        let row = |(index, row): (usize, &String)| {
            let word = if index == 0 { word } else { "" };
            format!("          {QUIET}{word:<7}│{QUIET:#} {row}")
        };
        rows.iter().enumerate().map(row).collect()
    };
    let said = |text: &str| cut(&harmless(text), MOST_ROWS_OF_A_LINE * room(width, 20));
    match line {
        StoryLine::Step(text) => {
            let number = |index| if index == 0 { number.to_string() } else { String::new() };
            let rows = wrapped(&harmless(text), room(width, 12));
            rows.iter().enumerate().map(|(index, row)| format!("    {:>4}  {row}", number(index))).collect()
        }
        StoryLine::Printed(text) => beside("prints", &said(text)),
        StoryLine::Complained(text) => beside("stderr", &said(text)),
        StoryLine::LeftOut(count) => beside("", &format!("… {count} more lines")),
    }
}
