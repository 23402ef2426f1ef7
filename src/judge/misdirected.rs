//! What a program wrote to the wrong place: it printed what it should have sent, or the other way round.

use super::context::CheckContext;
use super::event_log::{ERRORS, PROGRAM, since_last_send};
use super::failure::{Failure, Shown, Stop};
use crate::trace::{Event, What};
use crate::view::text;

/// The fewest bytes of text by which an answer is known again.
const FEWEST_BYTES: usize = 2;

/// The most columns of it that are told.
const MAX_COLUMNS: usize = 40;

/// Adds to a failure that what did not come was written elsewhere.
pub fn told(stop: Stop, context: &CheckContext, events: &[Event]) -> Stop {
    let Stop::Failed(mut failure) = stop else { return stop };
    let wanted = match &failure.expected {
        Some(Shown::Bytes(bytes)) => Some(bytes.clone()),
        _ => context.wanted.take(),
    };
    let words = wanted.as_deref().and_then(longest_text).filter(|_| nothing_came(&failure));
    if let Some(words) = words {
        let place = elsewhere(&words, since_last_send(events), context.is_about_output.get());
        let quoted = text::quoted_within(words.as_bytes(), words.len(), MAX_COLUMNS);
        failure.why.splice(0..0, place.map(|(did, not)| format!("it {did} {quoted} and did not {not} it")));
    }
    Stop::Failed(failure)
}

fn nothing_came(failure: &Failure) -> bool {
    match &failure.got {
        None => true,
        Some(Shown::Bytes(bytes)) => bytes.is_empty(),
        Some(Shown::Words(words)) => words == "nothing",
    }
}

/// The longest piece of text in these bytes, if it is long enough to be known again.
fn longest_text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let pieces = text.split(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER).map(str::trim);
    let longest = pieces.max_by_key(|piece| piece.len())?;
    (longest.len() >= FEWEST_BYTES).then(|| longest.to_owned())
}

/// Where these words were written in place of where they belong: what the program did, and what it did not.
fn elsewhere(words: &str, events: &[Event], is_about_output: bool) -> Option<(&'static str, &'static str)> {
    let wrote = |role: &str| {
        let is = |event: &&Event| event.role.as_deref() == Some(role);
        let has = |event: &Event| matches!(&event.what, What::Print { text } if text.contains(words));
        events.iter().filter(is).any(has)
    };
    let sent = || {
        let has = |bytes: &[u8]| bytes.windows(words.len()).any(|piece| piece == words.as_bytes());
        let data = |event: &Event| match &event.what {
            What::Call(call) => call.data.as_ref().is_some_and(|data| has(&data.bytes)),
            _ => false,
        };
        events.iter().any(data)
    };
    match is_about_output {
        true if wrote(ERRORS) => Some(("wrote to its standard error", "print")),
        true if sent() => Some(("sent", "print")),
        false if wrote(PROGRAM) => Some(("printed", "send")),
        false if wrote(ERRORS) => Some(("wrote to its standard error", "send")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_longest_text() {
        assert_eq!(longest_text(b"\x00\x00\x00\x05ABCDE").as_deref(), Some("ABCDE"));
        assert_eq!(longest_text("a\nlonger é\n".as_bytes()).as_deref(), Some("longer é"));
        assert_eq!(longest_text(b"\x00\x01A\xff"), None);
        assert_eq!(longest_text(b""), None);
    }
}
