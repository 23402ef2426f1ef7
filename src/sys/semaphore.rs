//! A semaphore of one process.

use std::cell::UnsafeCell;
use std::io;
use std::mem;

use super::check;

/// A number of things that are there to be taken, `sem_overview(7)`. It stays where it was made: threads that wait have
/// its address.
pub struct Semaphore(Box<UnsafeCell<libc::sem_t>>);

// SAFETY: a `sem_t` is made to be used by several threads at once, and all of our calls go through a shared pointer.
unsafe impl Send for Semaphore {}
// SAFETY: as above.
unsafe impl Sync for Semaphore {}

impl Semaphore {
    /// One at which nothing is there yet, `sem_init(3)`.
    ///
    /// # Errors
    /// None for the number 0.
    pub fn new() -> io::Result<Semaphore> {
        // SAFETY: a `sem_t` is plain bytes, and `sem_init` writes all that it reads later.
        let semaphore = Semaphore(Box::new(UnsafeCell::new(unsafe { mem::zeroed() })));
        // SAFETY: the pointer is to memory of ours that lives as long as the semaphore, and does not move.
        check(unsafe { libc::sem_init(semaphore.0.get(), 0, 0) })?;
        Ok(semaphore)
    }

    /// Adds one, and wakes a thread that waits, `sem_post(3)`.
    ///
    /// # Errors
    /// `EOVERFLOW` at the largest number.
    pub fn post(&self) -> io::Result<()> {
        // SAFETY: it was made by `sem_init`, and lives as long as `self`.
        check(unsafe { libc::sem_post(self.0.get()) }).map(drop)
    }

    /// Takes one, and waits until there is one, `sem_wait(3)`.
    ///
    /// # Errors
    /// None but `EINTR`, after which it waits again.
    pub fn wait(&self) -> io::Result<()> {
        loop {
            // SAFETY: as above.
            match check(unsafe { libc::sem_wait(self.0.get()) }) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                waited => return waited.map(drop),
            }
        }
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        // SAFETY: nobody waits at it, since nobody has it any more. All that it may return is `EINVAL`, for none.
        unsafe { libc::sem_destroy(self.0.get()) };
    }
}
