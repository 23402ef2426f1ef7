//! What the threads of a role share, and what each has of its own.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::process::getpid;
use rustix::thread::gettid;

use crate::sys;
use crate::trace::recorder::traced;
use crate::trace::{Call, For, Syscall, Value, Wait};

/// The number of this process, `getpid(2)`: the same in all of its threads.
pub fn process_id() -> i32 {
    number(Syscall::GetPid, || getpid().as_raw_nonzero().get())
}

/// The number of this thread, `gettid(2)`.
pub fn thread_id() -> i32 {
    number(Syscall::GetTid, || gettid().as_raw_nonzero().get())
}

fn number(which: Syscall, ask: impl FnOnce() -> i32) -> i32 {
    let asked = traced(Call::new(which, None), Wait::Never, |call| {
        let number = ask();
        call.ret = Some(number.into());
        call.wrote("pid", Value::Process(number));
        Ok(number)
    });
    asked.expect("a process has a number")
}

/// A queue from some threads to others, with a semaphore that counts what is in it.
pub struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    filled: sys::Semaphore,
}

impl<T> Queue<T> {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// That of `sem_init(3)`.
    pub fn new() -> io::Result<Queue<T>> {
        Ok(Queue { items: Mutex::default(), filled: sys::Semaphore::new()? })
    }

    /// Puts something in at the end, and counts it: `sem_post(3)`. The thread that has waited longest is woken.
    ///
    /// # Errors
    ///
    /// That of `sem_post(3)`.
    pub fn put(&self, item: T) -> io::Result<()> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
        traced(Call::new(Syscall::SemPost, None), Wait::Never, |_| self.filled.post())
    }

    /// Waits until something is in it, `sem_wait(3)`, and takes it out.
    ///
    /// # Errors
    ///
    /// That of `sem_wait(3)`.
    pub fn take(&self) -> io::Result<T> {
        traced(Call::new(Syscall::SemWait, None), Wait::Perhaps(For::Post), |_| self.filled.wait())?;
        let item = self.items.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        item.ok_or_else(|| io::Error::other("the semaphore counted more than was put in"))
    }
}
