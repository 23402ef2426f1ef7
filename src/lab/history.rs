//! A prompt at a terminal that remembers what was typed, for a role whose user types much.

use rustix::process::{Signal, getpid, kill_process};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::stage::LONGEST_TEXT;
use crate::{output, sys};

/// The line editor, and the lines of this run.
pub(super) struct History {
    editor: Option<DefaultEditor>,
}

impl History {
    pub fn new() -> History {
        let editor = DefaultEditor::new();
        if let Err(error) = &editor {
            output::complain(format_args!("this terminal remembers no lines: {error}"));
        }
        History { editor: editor.ok() }
    }

    /// The next line. `None` at the end of the input: Ctrl-D. Ctrl-C ends the program, as it does elsewhere.
    pub fn prompt(&mut self, prompt: &str) -> Option<String> {
        match self.editor.as_mut()?.readline(prompt) {
            Ok(line) if line.len() <= LONGEST_TEXT => {
                // A line that cannot be remembered is a line all the same.
                let _ = self.editor.as_mut()?.add_history_entry(&line);
                Some(line)
            }
            Ok(line) => {
                output::complain(format_args!("a line of {} bytes is too long: {LONGEST_TEXT} at most", line.len()));
                Some(String::new())
            }
            Err(ReadlineError::Interrupted) => {
                let _ = sys::default_action(libc::SIGINT);
                let _ = kill_process(getpid(), Signal::INT);
                None
            }
            Err(ReadlineError::Eof) => None,
            Err(error) => {
                output::complain(format_args!("the next line cannot be read: {error}"));
                None
            }
        }
    }
}
