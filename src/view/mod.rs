//! Views of a trace: as text, as JSON.
//!
//! Invariant: a view reads events and nothing else. It knows of no stage and no socket.

pub mod capture;
mod collapse;
pub mod diagram;
pub mod json;
pub mod text;
mod transcript;

pub use collapse::Collapse;
pub use transcript::Transcript;
