//! Bounds how many threads do something at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A counting semaphore.
pub struct Semaphore(Arc<State>);

/// The right to go on. It is given back when it is dropped.
pub struct Permit(Arc<State>);

struct State {
    free: Mutex<usize>,
    returned: Condvar,
}

impl Semaphore {
    /// A semaphore that hands out at most `count` permits at once.
    pub fn new(count: usize) -> Semaphore {
        Semaphore(Arc::new(State { free: Mutex::new(count), returned: Condvar::new() }))
    }

    /// Takes a permit; blocks while none is free.
    pub fn acquire(&self) -> Permit {
        let State { free, returned } = &*self.0;
        let mut free = returned.wait_while(lock(free), |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Permit(Arc::clone(&self.0))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *lock(&self.0.free) += 1;
        self.0.returned.notify_one();
    }
}

/// Locks a mutex, also one whose last holder panicked: what it guards here is never left half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_permit_is_free_again_once_it_is_dropped() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire();
        let (acquired, is_acquired) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _second = semaphore.acquire();
                acquired.send(()).expect("a receiver");
            });
            assert!(is_acquired.recv_timeout(Duration::from_millis(20)).is_err());
            drop(permit);
            assert!(is_acquired.recv_timeout(Duration::from_secs(30)).is_ok());
        });
    }
}
