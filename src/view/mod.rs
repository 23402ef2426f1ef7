//! Views of a trace: as text, as JSON.
//!
//! Invariant: a view reads events and nothing else. It knows of no stage and no socket.

mod brief;
pub mod capture;
pub mod diagram;
pub mod json;
pub mod text;
mod transcript;

pub use brief::Brief;
pub use transcript::Transcript;
