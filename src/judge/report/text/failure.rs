//! A failure as a student reads it.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::{Extent, QUIET, WRONG};
use crate::judge::failure::{Failure, Shown};
use crate::judge::last_words;
use crate::view::text::{cut, escaped, harmless, quoted_within, readable, wrapped};

/// How many equal bytes are shown before a difference that comes too late for one line.
const BYTES_BEFORE: usize = 8;

/// What was wrong, what was expected and came instead, and what was known of the program; with its last words, unless
/// they have been told.
pub fn described(failure: &Failure, extent: &Extent, with_last_words: bool) -> String {
    let width = extent.width;
    let mut report = String::new();
    for line in wrapped(&harmless(&failure.what), width - 8) {
        let _ = writeln!(report, "    {WRONG}{line}{WRONG:#}");
    }
    compare(&mut report, failure, width);
    report.push('\n');
    for why in &failure.why {
        for line in wrapped(&harmless(why), width - 8) {
            let _ = writeln!(report, "    {line}");
        }
    }
    let with_last_words = with_last_words && !failure.last_words.is_empty();
    if with_last_words {
        let (lines, left_out) = last_lines(&failure.last_words, extent.max_last_words, width);
        let in_part = if left_out { ", in part" } else { "" };
        let _ = writeln!(report, "    its last words on standard error{in_part}:");
        report.extend(lines.into_iter().map(|line| line + "\n"));
    }
    if !failure.why.is_empty() || with_last_words {
        report.push('\n');
    }
    report
}

/// What was expected, what came, and a caret below the first byte that differs.
fn compare(report: &mut String, failure: &Failure, width: usize) {
    let columns = width - 30;
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
            let from = if column(0) < columns { 0 } else { same.saturating_sub(BYTES_BEFORE) };
            (from, column(from))
        }
        _ => (0, 0),
    };
    for (word, what) in [("expected", &failure.expected), ("got", &failure.got)] {
        let lines = what.as_ref().map_or_else(Vec::new, |what| shown(what, from, width));
        for (index, line) in lines.iter().enumerate() {
            let _ = writeln!(report, "    {:<9} {line}", if index == 0 { word } else { "" });
        }
    }
    if let Some(same) = same {
        // Behind the quotation mark, below the first byte that differs.
        let column = column + 1 + usize::from(from > 0);
        let _ = writeln!(report, "    {:9} {:column$}{WRONG}^{WRONG:#} byte {same}", "", "");
    }
}

/// Words, or bytes; of bytes those from number `from` on.
fn shown(shown: &Shown, from: usize, width: usize) -> Vec<String> {
    match shown {
        Shown::Words(words) => wrapped(&harmless(words), width - 16),
        Shown::Bytes(bytes) if bytes.is_empty() => vec!["nothing".to_owned()],
        Shown::Bytes(bytes) => {
            let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
            let (rest, before) = (&bytes[from.min(bytes.len())..], if from > 0 { "…" } else { "" });
            vec![format!("{before}{}  {} {unit}", quoted_within(rest, rest.len(), width - 30), bytes.len())]
        }
    }
}

/// At most `most` lines of what a program wrote, those that matter most, and whether others are left out. No byte of
/// it moves a cursor. What says what went wrong is shown to its end.
pub fn last_lines(bytes: &[u8], most: usize, width: usize) -> (Vec<String>, bool) {
    /// The most lines of the screen that one line takes.
    const MOST_OF_ONE: usize = 3;
    let text: Vec<String> = last_words::lines(bytes).into_iter().map(readable).collect();
    let (chosen, mut left_out) = last_words::chosen(&text, most);
    let mut shown = Vec::new();
    for line in chosen {
        let untabbed = line.replace('\t', "    ");
        let rows = if last_words::is_message(line) { MOST_OF_ONE } else { 1 };
        let mut pieces = wrapped(&untabbed, width - 10);
        if pieces.len() > rows {
            left_out = true;
            pieces = vec![cut(&untabbed, width - 10)];
        }
        shown.extend(pieces.iter().map(|piece| format!("      {QUIET}│{QUIET:#} {piece}")));
    }
    (shown, left_out)
}

/// At most the last `max_lines` of what a build wrote.
pub fn block(report: &mut String, bytes: &[u8], max_lines: usize, width: usize) {
    let lines = last_words::lines(bytes);
    for line in &lines[lines.len().saturating_sub(max_lines)..] {
        let line = readable(line).replace('\t', "    ");
        let _ = writeln!(report, "      {QUIET}│{QUIET:#} {}", cut(&line, width - 10));
    }
}
