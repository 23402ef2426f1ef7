//! Processes and threads that a role makes: each is a party of its own in the trace, `server/1`.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, WaitOptions, getpid};
use rustix::thread::gettid;

use crate::probe;
use crate::stage::panic_text;
use crate::sys;
use crate::trace::recorder::traced;
use crate::trace::{Call, For, Status, Syscall, Value, Wait, error_name, recorder};

/// What [`fork`] returned, seen from either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// This is the child: where its role's function returns, it ends.
    Child,
    /// This is the parent, and the child has this number.
    Parent(Pid),
}

thread_local! {
    /// How many processes and threads this thread has made.
    static MADE: Cell<u32> = const { Cell::new(0) };
}

/// The number of the process or thread that this thread makes next.
fn next_number() -> u32 {
    MADE.get() + 1
}

/// Splits this role in two processes, `fork(2)`: it returns in both. The child has copies of all descriptors and of all
/// memory; a socket is closed when both have closed it. It does not end with its parent.
///
/// # Errors
///
/// That of `fork(2)`: `EAGAIN` at the limit of processes; `EINVAL` for a role that has threads.
pub fn fork() -> io::Result<Forked> {
    let own = recorder::with(|recorder| recorder.branch()).flatten();
    let number = next_number();
    traced(Call::new(Syscall::Fork, None), Wait::Never, |call| match sys::fork()? {
        sys::Forked::Child => {
            MADE.set(0);
            recorder::with(|recorder| recorder.be_child(number, own));
            Ok(Forked::Child)
        }
        sys::Forked::Parent(pid) => {
            MADE.set(number);
            call.ret = Some(pid.as_raw_nonzero().get().into());
            call.wrote("pid", Value::Process(pid.as_raw_nonzero().get()));
            Ok(Forked::Parent(pid))
        }
    })
}

/// Waits for the end of a child, of this one or of any, and takes its exit status: `waitpid(2)`. Until that is done, a
/// child that has ended is a zombie.
///
/// # Errors
///
/// That of `waitpid(2)`: `ECHILD` where there is no such child.
pub fn wait_for_child(child: Option<Pid>) -> io::Result<(Pid, Status)> {
    let ended = waitpid(child, WaitOptions::empty(), Wait::Readable(For::Child))?;
    ended.ok_or_else(|| io::Error::other("waitpid returned without a child"))
}

/// The same of any child that has ended already, `WNOHANG`. `None` while all of them live.
///
/// # Errors
///
/// That of `waitpid(2)`: `ECHILD` where there is no child.
pub fn reap_child() -> io::Result<Option<(Pid, Status)>> {
    waitpid(None, WaitOptions::NOHANG, Wait::Never)
}

fn waitpid(child: Option<Pid>, options: WaitOptions, wait: Wait) -> io::Result<Option<(Pid, Status)>> {
    let which = child.map_or(Value::Number(-1), |child| Value::Process(child.as_raw_nonzero().get()));
    let flags = if options.contains(WaitOptions::NOHANG) { "WNOHANG" } else { "0" };
    let call = Call::new(Syscall::WaitPid, None).arg("pid", which).arg("flags", flags);
    traced(call, wait, |call| {
        let ended = sys::retry_on_intr(|| match child {
            Some(_) => rustix::process::waitpid(child, options),
            None => rustix::process::wait(options),
        });
        let Some((pid, status)) = ended? else { return Ok(None) };
        call.ret = Some(pid.as_raw_nonzero().get().into());
        call.wrote("pid", Value::Process(pid.as_raw_nonzero().get()));
        call.wrote("wstatus", status.as_raw());
        Ok(Some((pid, Status::of_kernel(status.as_raw()))))
    })
}

/// How many children of this process are zombies: state `Z` in `/proc/PID/stat`, `proc(5)`, which `ps` shows, too.
pub fn zombies() -> usize {
    let own = getpid().as_raw_nonzero().get();
    probe::processes(|stat| stat.parent == own && stat.state == 'Z').len()
}

type ThreadBody = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// A thread that this role has started.
#[derive(Debug)]
pub struct Thread {
    handle: thread::JoinHandle<()>,
    tid: Pid,
}

/// Starts a thread of this role, `pthread_create(3)`. It has the role's memory and its descriptors, not copies of them,
/// and ends with the role.
///
/// # Errors
///
/// That of `pthread_create(3)`: `EAGAIN` at the limit of threads.
pub fn start_thread(body: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<Thread> {
    let own = recorder::with(|recorder| recorder.branch()).flatten();
    let number = next_number();
    let Some(make_recorder) = recorder::with(|recorder| recorder.for_thread(number, own)).flatten() else {
        return Err(io::Error::other("here a role has one thread"));
    };
    // Where no thread is made, what the body has is dropped after the call.
    let (hand_over, body_comes) = mpsc::channel::<ThreadBody>();
    let thread = traced(Call::new(Syscall::PthreadCreate, None), Wait::Never, |call| {
        let (tells, told) = mpsc::channel();
        let run = move || {
            // Whoever started us waits for it.
            let _ = tells.send(gettid());
            recorder::install(make_recorder());
            let result = catch_unwind(AssertUnwindSafe(|| body_comes.recv().map_or(Ok(()), |body| body())));
            let ends = match &result {
                Ok(result) => result.as_ref().copied().map_err(error_name),
                Err(panic) => Err(format!("panicked: {}", panic_text(&**panic))),
            };
            recorder::with(|recorder| recorder.ends(ends));
            recorder::uninstall();
            if let Err(panic) = result {
                resume_unwind(panic);
            }
        };
        let handle = thread::Builder::new().spawn(run)?;
        let tid = told.recv().map_err(io::Error::other)?;
        MADE.set(number);
        call.wrote("thread", Value::Process(tid.as_raw_nonzero().get()));
        Ok(Thread { handle, tid })
    })?;
    hand_over.send(Box::new(body)).map_err(|_| io::Error::other("the thread has ended"))?;
    Ok(thread)
}

impl Thread {
    /// Waits until the thread has ended, `pthread_join(3)`.
    ///
    /// # Errors
    ///
    /// The thread has panicked.
    pub fn join(self) -> io::Result<()> {
        let call = Call::new(Syscall::PthreadJoin, None).arg("thread", Value::Process(self.tid.as_raw_nonzero().get()));
        traced(call, Wait::Readable(For::Thread), |_| {
            self.handle.join().map_err(|_panic| io::Error::other("the thread panicked"))
        })
    }
}
