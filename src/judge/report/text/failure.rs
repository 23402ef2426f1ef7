//! A failure as a student reads it.

use unicode_width::UnicodeWidthStr;

use super::{QUIET, WRONG, room};
use crate::judge::failure::{Failure, Shown};
use crate::judge::last_words;
use crate::view::text::{cut, escaped, harmless, quoted_within, readable, wrapped, wrapped_below};

/// How many equal bytes are shown before a difference that comes too late for one line.
const BYTES_BEFORE: usize = 8;

/// What was wrong.
pub fn what(failure: &Failure, width: usize) -> Vec<String> {
    let rows = wrapped(&harmless(&failure.what), room(width, 8)).into_iter();
    rows.map(|row| format!("    {WRONG}{row}{WRONG:#}")).collect()
}

/// What was expected, what came, and a caret below the first byte that differs.
pub fn comparison(failure: &Failure, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let columns = room(width, 30);
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
        let row = |(index, line): (usize, &String)| format!("    {:<9} {line}", if index == 0 { word } else { "" });
        rows.extend(lines.iter().enumerate().map(row));
    }
    if let Some(same) = same {
        // Behind the quotation mark, below the first byte that differs.
        let column = column + 1 + usize::from(from > 0);
        rows.push(format!("    {:9} {:column$}{WRONG}^{WRONG:#} byte {same}", "", ""));
    }
    rows
}

/// Words, or bytes; of bytes those from number `from` on.
fn shown(shown: &Shown, from: usize, width: usize) -> Vec<String> {
    match shown {
        Shown::Words(words) => wrapped(&harmless(words), room(width, 16)),
        Shown::Bytes(bytes) if bytes.is_empty() => vec!["nothing".to_owned()],
        Shown::Bytes(bytes) => {
            let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
            let (rest, before) = (&bytes[from.min(bytes.len())..], if from > 0 { "…" } else { "" });
            vec![format!("{before}{}  {} {unit}", quoted_within(rest, rest.len(), room(width, 30)), bytes.len())]
        }
    }
}

/// At most `most` lines of what a program wrote, those that matter most, below a row that says what they are. No byte
/// of them moves a cursor. What says what went wrong is shown to its end.
pub fn last_lines(bytes: &[u8], most: usize, width: usize) -> Vec<String> {
    /// The most rows that one line takes.
    const MOST_OF_ONE: usize = 3;
    let text: Vec<String> = last_words::lines(bytes).into_iter().map(readable).collect();
    let (chosen, mut in_part) = last_words::chosen(&text, most);
    let mut rows = Vec::new();
    for line in chosen {
        let untabbed = line.replace('\t', "    ");
        let most = if last_words::is_message(line) { MOST_OF_ONE } else { 1 };
        let is_short = untabbed.width() <= room(width, 10);
        let mut pieces = if is_short { vec![untabbed.clone()] } else { wrapped_below(&untabbed, room(width, 10)) };
        if pieces.len() > most {
            in_part = true;
            pieces = vec![cut(&untabbed, room(width, 10))];
        }
        rows.extend(pieces.iter().map(|piece| format!("      {QUIET}│{QUIET:#} {piece}")));
    }
    if !rows.is_empty() {
        let in_part = if in_part { ", in part" } else { "" };
        rows.insert(0, format!("    its last words on standard error{in_part}:"));
    }
    rows
}
