//! A descriptor whose close is written down.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::sys;
use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Wait};

/// An open descriptor. Dropping it makes `close`, and records what that returned.
pub(super) struct Descriptor(Option<OwnedFd>);

impl Descriptor {
    pub fn new(fd: OwnedFd) -> Descriptor {
        Descriptor(Some(fd))
    }

    /// A call on it that is about to be made.
    pub fn call(&self, name: Syscall) -> Call {
        Call::new(name, Some(self.as_fd().as_raw_fd()))
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_ref().expect("a descriptor is open until it is dropped").as_fd()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        let call = self.call(Syscall::Close);
        if let Some(fd) = self.0.take() {
            // What close returns stands in the trace; the descriptor is gone in any case, close(2).
            let _ = traced(call, Wait::Never, |_| sys::close(fd));
        }
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
