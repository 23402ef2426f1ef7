//! A grade as a person reads it, as JSON, and as JUnit's XML.

mod json;
mod junit;
mod text;
mod transcript;

pub use json::{json, kind, not_judged};
pub use junit::junit;
pub use text::{ReportOptions, WIDTH, screen, stories, text, whole_story};
pub use transcript::{pcapng, transcript, transcript_of};
