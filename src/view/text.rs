//! Bytes and words as a person reads them.

use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::trace::{Credentials, For, Value, Waiting};

/// The widest line of a transcript, in columns.
pub const WIDTH: usize = 100;

/// How much of a buffer a transcript shows, in columns.
const SHOWN: usize = 48;

/// Bytes in quotation marks: text as it is, everything else as `\x` and two digits. Of `len` bytes only the first
/// ones may be known; a long text is cut, and ends in `…`.
pub fn quoted(bytes: &[u8], len: usize) -> String {
    quoted_within(bytes, len, SHOWN)
}

/// The same with at most `shown` columns between the quotation marks, and one for `…`.
pub fn quoted_within(bytes: &[u8], len: usize, shown: usize) -> String {
    let fits = |end: &usize| escaped(&bytes[..*end]).width() <= shown;
    let mut end = (0..=bytes.len().min(shown)).rev().find(fits).unwrap_or(0);
    if end == len {
        return format!("\"{}\"", escaped(bytes));
    }
    // Cut between two characters, where there are characters.
    let begin = end.saturating_sub(3);
    end = (begin..=end).rev().find(|end| bytes.get(*end).is_none_or(|byte| byte & 0xC0 != 0x80)).unwrap_or(end);
    format!("\"{}…\"", escaped(&bytes[..end]))
}

/// Bytes as hexadecimal digits: of `len` bytes as many as fit, and `…` for the others.
pub fn digits(bytes: &[u8], len: usize) -> String {
    let shown = bytes.len().min(SHOWN / 4);
    let mut digits: Vec<String> = bytes[..shown].iter().map(|byte| format!("{byte:02x}")).collect();
    digits.extend((shown < len).then(|| "…".to_owned()));
    digits.join(" ")
}

/// Whether a character is not seen, but makes a terminal show others in another order: U+202E and its like.
pub fn turns_text(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bytes with what is no printable text as escapes.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => text.extend(['\\', character]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                other if other.is_control() || turns_text(other) => {
                    for byte in other.to_string().bytes() {
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
                other => text.push(other),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// What a program wrote, as text for an eye: quotation marks, backslashes, tabs and the ends of lines as they are, all
/// else that is no printable text as escapes.
pub fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => text.push(character),
                '\r' => text.push_str("\\r"),
                other if other.is_control() || turns_text(other) => {
                    for byte in other.to_string().bytes() {
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
                other => text.push(other),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A line that a program printed or a user typed, with what could move a terminal's cursor made visible.
pub fn harmless(line: &str) -> String {
    line.chars()
        .map(|character| match character {
            '\t' => ' '.to_string(),
            other if other.is_control() || turns_text(other) => other.escape_default().to_string(),
            other => other.to_string(),
        })
        .collect()
}

/// A text of several lines in which nothing but the ends of its lines moves a terminal's cursor.
pub fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// An argument or a result of a call, as the trace writes it: `MSG_PEEK|MSG_DONTWAIT`, `500 ms`.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Word(word) => word.to_string(),
        Value::Time(time) => format!("{} ms", time.as_millis()),
        Value::Flags(flags) => flags.to_string(),
        Value::Events(events) => events.to_string(),
        Value::Status(flags) => flags.to_string(),
        Value::EpollEvents(events) => events.to_string(),
        Value::Ready(ready) => ready.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Value::Option(option) => option.to_string(),
        Value::Type(kind) => kind.to_string(),
        Value::Errno(errno) => errno.to_string(),
        Value::Address(address) => address.to_string(),
        Value::Process(pid) => pid.to_string(),
        Value::Path(path) => path.clone(),
        Value::Credentials(Credentials { pid, uid, gid }) => format!("{{pid={pid}, uid={uid}, gid={gid}}}"),
    }
}

/// The same where nothing moves a terminal's cursor, and the name of a socket stands in quotation marks.
pub fn shown(shown: &Value) -> String {
    let text = value(shown);
    match shown {
        Value::Path(_) => quoted(text.as_bytes(), text.len()),
        _ => harmless(&text),
    }
}

/// What a role waits in, after "waits": `in recv(4) for data or FIN`.
pub fn waits_in(waiting: &Waiting) -> String {
    let fd = waiting.fd.map(|fd| fd.to_string()).unwrap_or_default();
    format!("in {}({fd}) for {}", waiting.call, waits_for(waiting))
}

/// What a role waits for, after "waits for".
pub fn waits_for(waiting: &Waiting) -> String {
    let what = match waiting.waits_for {
        For::Datagram => "a datagram",
        For::Data => "data or FIN",
        For::LocalData => "data, or the peer's close",
        For::Connection => "a connection",
        For::Handshake => "the peer's answer",
        For::Room => "room in the send buffer",
        For::PeerRoom => "room in the peer's queue",
        For::Readiness => "any of its descriptors to be ready",
        For::Time => "the end of its time",
        For::Pipe => "the command's output, or its end",
        For::Child => "the end of a child",
        For::Thread => "the end of a thread",
        For::Post => "another thread's sem_post",
    };
    if waiting.timed && waiting.waits_for != For::Time {
        format!("{what}, or the end of its time")
    } else {
        what.to_owned()
    }
}

/// For how long the kernel remembers a connection yet, to the nearest ten seconds.
pub fn remembered_for(time: Duration) -> String {
    match (time.as_secs() + 5) / 10 {
        6 => "about a minute".to_owned(),
        tens => format!("about {tens}0 s"),
    }
}

/// A text of at most `width` columns: a longer one ends in `…`.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        if short.width() + character.to_string().width() >= width {
            break;
        }
        short.push(character);
    }
    short.truncate(short.trim_end().len());
    short + "…"
}

/// Splits a text into lines of at most `width` columns, between words where there are any.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            line.truncate(line.trim_end().len());
            lines.push(String::new());
        } else if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            let line = lines.last_mut().expect("there is a line");
            if line.width() + character.to_string().width() > width {
                lines.push(character.to_string());
            } else {
                line.push(character);
            }
        }
    }
    lines
}

/// As [`wrapped`], with the line's indentation before each row.
pub fn wrapped_below(line: &str, width: usize) -> Vec<String> {
    let text = line.trim_start_matches(' ');
    let indent = (line.len() - text.len()).min(width / 2);
    wrapped(text, width - indent).into_iter().map(|row| format!("{:indent$}{row}", "")).collect()
}

/// Splits a line with colours into rows of at most `width` columns; colours take none.
pub fn folded(line: &str, width: usize) -> Vec<String> {
    let (mut rows, mut columns, mut in_colour, mut colour) = (vec![String::new()], 0, false, String::new());
    for character in line.chars() {
        if character == '\u{1b}' {
            in_colour = true;
            colour.clear();
        }
        let row = rows.last_mut().expect("there is a row");
        if in_colour {
            colour.push(character);
            row.push(character);
            in_colour = character != 'm';
            continue;
        }
        let own = character.to_string().width();
        if columns + own > width && columns > 0 {
            rows.push(format!("{colour}{character}"));
            columns = own;
        } else {
            row.push(character);
            columns += own;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_stays_text_and_other_bytes_become_escapes() {
        assert_eq!(quoted("héllo\n".as_bytes(), 7), "\"héllo\\n\"");
        assert_eq!(quoted(&[6, 0, 0, 0, b'h'], 5), "\"\\x06\\x00\\x00\\x00h\"");
        assert_eq!(quoted(&"你".as_bytes()[..2], 2), "\"\\xe4\\xbd\"");
        assert_eq!(quoted(b"say \"hi\" \\", 10), "\"say \\\"hi\\\" \\\\\"");
    }

    #[test]
    fn an_indented_line_stays_indented() {
        assert_eq!(wrapped_below("  one two", 6), ["  one", "  two"]);
        assert_eq!(wrapped_below("          x", 6), ["   x"]);
        assert_eq!(wrapped_below("", 6), [""]);
    }

    #[test]
    fn a_coloured_line_is_folded_and_keeps_its_colour() {
        assert_eq!(folded("\x1b[1mabcd\x1b[0mef", 3), ["\x1b[1mabc", "\x1b[1md\x1b[0mef"]);
        assert_eq!(folded("", 3), [""]);
    }

    #[test]
    fn what_a_program_wrote_is_read_as_it_wrote_it() {
        assert_eq!(readable("say \"hé\" \\n\n\tagain".as_bytes()), "say \"hé\" \\n\n\tagain");
        assert_eq!(readable(b"\x1b[2J\xff\r\n\0"), "\\x1b[2J\\xff\\r\n\\x00");
    }

    #[test]
    fn a_long_buffer_is_cut_between_characters() {
        let text = "你".repeat(100);
        let shown = quoted(text.as_bytes(), text.len());
        assert!(shown.ends_with("你…\""), "{shown}");
    }

    #[test]
    fn bytes_that_nobody_knows_are_shown_as_digits_and_cut() {
        assert_eq!(digits(&[0, 0xff, b'h'], 3), "00 ff 68");
        assert_eq!(digits(&[7; 12], 12), ["07"; 12].join(" "));
        assert_eq!(digits(&[7; 13], 13), ["07"; 12].join(" ") + " …");
        assert_eq!(digits(&[7; 2], 3), "07 07 …");
        assert_eq!(digits(&[], 0), "");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked(text in any_text(), width in 2usize..120) {
            for line in wrapped(&text, width) {
                prop_assert!(line.width() <= width, "{line:?}");
            }
        }

        #[test]
        fn wrapping_loses_and_adds_nothing_but_spaces(text in any_text(), width in 2usize..120) {
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&wrapped(&text, width).concat()), letters(&text));
        }

        #[test]
        fn a_text_that_is_cut_fits_and_says_so(text in any_text(), width in 1usize..60) {
            let short = cut(&text, width);
            prop_assert!(short.width() <= width, "{short:?}");
            prop_assert_eq!(short.ends_with('…'), text.width() > width);
        }

        #[test]
        fn what_is_shown_of_a_buffer_moves_no_cursor_and_fits(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = quoted(&bytes, bytes.len());
            prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
            prop_assert!(shown.width() <= SHOWN + 3, "{shown:?}");
        }

        #[test]
        fn what_is_shown_of_a_buffer_tells_different_buffers_apart(
            a in proptest::collection::vec(any::<u8>(), 0..10),
            b in proptest::collection::vec(any::<u8>(), 0..10),
        ) {
            prop_assert_eq!(a == b, quoted(&a, a.len()) == quoted(&b, b.len()));
        }

        #[test]
        fn a_printed_line_moves_no_cursor(text in any::<String>()) {
            prop_assert!(!harmless(&text).chars().any(char::is_control));
        }
    }

    /// Words of all kinds, wide characters among them, with single spaces between them.
    fn any_text() -> impl Strategy<Value = String> {
        proptest::collection::vec("[a-z]{1,30}|[你好é]{1,9}|[!-~]{1,3}", 1..20).prop_map(|words| words.join(" "))
    }
}
