//! Files whose every system call is written down, as those of a `Socket` are.
//!
//! A [`Folder`] is held open, and what a peer names is looked for beneath it: the kernel refuses each path that leads
//! out, and each link (`openat2(2)`). A [`File`] is a regular file: a FIFO or a device in its place is refused, and is
//! not waited for.
//!
//! Invariant: as of `Socket`, one method is one system call and one event, but for those that say otherwise.

mod descriptor;
mod flags;
mod folder;
mod names;
mod opened;
mod pipe;

pub use folder::{Entry, Folder};
pub use names::plain_name;
pub use opened::File;
pub use pipe::SplicePipe;
