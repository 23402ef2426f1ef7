//! What a role says, asks and waits for: to its user by hand, to the stage in a demo.

use crate::trace::recorder;

/// Prints a line for the role's user. Use it through `say!`.
pub fn say(text: &str) {
    recorder::with(|recorder| recorder.say(text));
}

/// Remarks something on what just happened. Shown in transcripts only.
pub fn note(text: &str) {
    recorder::with(|recorder| recorder.note(text));
}

/// Pauses until `text` holds: in a demo, until all other roles wait, pause or have ended; by hand, until Enter is
/// pressed.
pub fn meet(text: &str) {
    recorder::with(|recorder| recorder.meet(text));
}

/// Asks the role's user for a line. `None` when there are no more.
pub fn prompt(text: &str) -> Option<String> {
    recorder::with(|recorder| recorder.prompt(text)).flatten()
}
