//! A failure as a student reads it.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::{Extent, QUIET, WRONG};
use crate::judge::failure::{Failure, Shown};
use crate::view::text::{cut, escaped, harmless, quoted_within, wrapped};

/// How many equal bytes are shown before a difference that comes too late for one line.
const BYTES_BEFORE: usize = 8;

/// What was wrong, what was expected and came instead, and what was known of the program.
pub fn described(failure: &Failure, extent: &Extent) -> String {
    let width = extent.width;
    let mut report = String::new();
    for line in wrapped(&harmless(&failure.what), width - 8) {
        let _ = writeln!(report, "    {WRONG}{line}{WRONG:#}");
    }
    compare(&mut report, failure, width);
    report.push('\n');
    for why in &failure.why {
        for line in wrapped(&escaped(why.as_bytes()).replace("\\\"", "\""), width - 8) {
            let _ = writeln!(report, "    {line}");
        }
    }
    if !failure.last_words.is_empty() {
        let _ = writeln!(report, "    its last words on standard error:");
        block(&mut report, &failure.last_words, extent.max_last_words, width);
    }
    if !failure.why.is_empty() || !failure.last_words.is_empty() {
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
        if let Some(what) = what {
            let _ = writeln!(report, "    {word:<9} {}", shown(what, from, width));
        }
    }
    if let Some(same) = same {
        // Behind the quotation mark, below the first byte that differs.
        let column = column + 1 + usize::from(from > 0);
        let _ = writeln!(report, "    {:9} {:column$}{WRONG}^{WRONG:#} byte {same}", "", "");
    }
}

/// Words, or bytes; of bytes those from number `from` on.
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

/// At most the last `max_lines` of what a program wrote, escaped: no byte of it moves a cursor.
pub fn block(report: &mut String, bytes: &[u8], max_lines: usize, width: usize) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let lines = if lines.last().is_some_and(|last| last.is_empty()) { &lines[..lines.len() - 1] } else { &lines[..] };
    for line in &lines[lines.len().saturating_sub(max_lines)..] {
        let line = escaped(line).replace("\\\"", "\"").replace("\\t", "  ");
        let _ = writeln!(report, "      {QUIET}│{QUIET:#} {}", cut(&line, width - 10));
    }
}
