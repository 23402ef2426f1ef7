//! `epoll(7)`: the kernel keeps the list of descriptors that a program waits for.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::{Socket, timespec};
use crate::sys;
use crate::trace::recorder::{traced, traced_opening};
use crate::trace::{Call, EpollEvents, For, Ready, Syscall, Wait};

/// A list in the kernel of the sockets that are watched, and what for. Dropping it closes its descriptor.
///
/// A socket that is closed leaves the list by itself, as long as nobody else has it open.
pub struct Epoll {
    epoll: Option<OwnedFd>,
    /// The room for what one wait reports, kept for the next one.
    room: RefCell<Vec<Event>>,
}

impl Epoll {
    /// Makes an empty list, `epoll_create1(2)` with `EPOLL_CLOEXEC`.
    ///
    /// # Errors
    /// That of `epoll_create1(2)`: `EMFILE` with too many open files.
    pub fn new() -> io::Result<Epoll> {
        let make = |call: &mut Call| {
            let epoll = epoll::create(CreateFlags::CLOEXEC)?;
            call.ret = Some(epoll.as_raw_fd().into());
            Ok(epoll)
        };
        traced_opening(Call::new(Syscall::EpollCreate1, None), Wait::Never, make, |epoll| Some(epoll.as_fd()))
            .map(|epoll| Epoll { epoll: Some(epoll), room: RefCell::default() })
    }

    /// Has a socket watched for these events, `EPOLL_CTL_ADD` of `epoll_ctl(2)`: `libc::EPOLLIN`, `libc::EPOLLOUT`;
    /// with `libc::EPOLLET` at the edges only. Errors and a peer that has left are reported without being asked for.
    ///
    /// # Errors
    /// That of `epoll_ctl(2)`: `EEXIST` for a socket that is watched already.
    pub fn add(&self, socket: &Socket, events: i32) -> io::Result<()> {
        self.control("EPOLL_CTL_ADD", socket, Some(events), |flags, data| {
            epoll::add(self.fd(), socket.descriptor(), data, flags)
        })
    }

    /// Changes what a socket is watched for, `EPOLL_CTL_MOD` of `epoll_ctl(2)`.
    ///
    /// # Errors
    /// That of `epoll_ctl(2)`: `ENOENT` for a socket that is not watched.
    pub fn modify(&self, socket: &Socket, events: i32) -> io::Result<()> {
        self.control("EPOLL_CTL_MOD", socket, Some(events), |flags, data| {
            epoll::modify(self.fd(), socket.descriptor(), data, flags)
        })
    }

    /// Watches a socket no more, `EPOLL_CTL_DEL` of `epoll_ctl(2)`.
    ///
    /// # Errors
    /// That of `epoll_ctl(2)`: `ENOENT` for a socket that is not watched.
    pub fn remove(&self, socket: &Socket) -> io::Result<()> {
        self.control("EPOLL_CTL_DEL", socket, None, |_, _| epoll::delete(self.fd(), socket.descriptor()))
    }

    /// Waits until any of its sockets is ready, `epoll_wait(2)`, no longer than this, and with `None` for ever. Returns
    /// at most so many of those that are; none when the time is over.
    ///
    /// # Errors
    /// That of `epoll_wait(2)`; `InvalidInput` for a time that the kernel cannot count.
    pub fn wait(&self, most: usize, timeout: Option<Duration>) -> io::Result<Vec<Ready>> {
        let mut call = self.call(Syscall::EpollWait).arg("maxevents", most);
        let wait = match timeout {
            None => Wait::Readable(For::Readiness),
            Some(Duration::ZERO) => Wait::Never,
            Some(_) => Wait::Until(For::Readiness),
        };
        if let Some(timeout) = timeout {
            call = call.arg("timeout", timeout);
        }
        traced(call, wait, |call| {
            let timeout = timeout.map(timespec).transpose()?;
            let mut events = self.room.borrow_mut();
            events.clear();
            if events.capacity() != most {
                *events = Vec::with_capacity(most);
            }
            epoll::wait(self.fd(), rustix::buffer::spare_capacity(&mut *events), timeout.as_ref())?;
            let ready: Vec<Ready> = events.iter().map(one).collect();
            call.returned(ready.len());
            if !ready.is_empty() {
                call.wrote("events", ready.clone());
            }
            Ok(ready)
        })
    }

    fn control(
        &self,
        op: &'static str,
        socket: &Socket,
        events: Option<i32>,
        make: impl FnOnce(EventFlags, EventData) -> rustix::io::Result<()>,
    ) -> io::Result<()> {
        let mut call = self.call(Syscall::EpollCtl).arg("op", op).arg("fd", socket.number());
        if let Some(events) = events {
            call = call.arg("events", EpollEvents(events));
        }
        let flags = EventFlags::from_bits_retain(events.unwrap_or(0) as u32);
        let data = EventData::new_u64(socket.number() as u64);
        traced(call, Wait::Never, |_| Ok(make(flags, data)?))
    }

    fn call(&self, name: Syscall) -> Call {
        Call::new(name, Some(self.fd().as_raw_fd()))
    }

    fn fd(&self) -> &OwnedFd {
        self.epoll.as_ref().expect("it is open until it is dropped")
    }
}

/// What the kernel reports of one socket.
fn one(event: &Event) -> Ready {
    let (flags, data) = (event.flags, event.data);
    Ready { fd: data.u64() as i32, events: EpollEvents(flags.bits() as i32) }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        let call = self.call(Syscall::Close);
        if let Some(epoll) = self.epoll.take() {
            // What close returns stands in the trace; the descriptor is gone in any case, close(2).
            let _ = traced(call, Wait::Never, |_| sys::close(epoll));
        }
    }
}

impl fmt::Debug for Epoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.epoll.fmt(f)
    }
}
