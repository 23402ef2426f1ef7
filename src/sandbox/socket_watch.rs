//! A watch over the memory of a host's sockets: no limit of a process counts it, and of control groups only some do.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::Limit;
use super::config::{Layer, Limits};
use super::fault::{Fault, Step};
use super::message::Note;
use crate::netlink::memory_diag::{self, Kind};
use crate::sys;

/// The time between two looks.
const EVERY: Duration = Duration::from_millis(50);

/// So many looks in a row may fail: a table can change each time that it is read.
const MOST_FAILURES: u32 = 20;

/// Where the kernel tells how many sockets this namespace has, and what all of TCP and UDP hold on this machine.
const OVERVIEW: &str = "/proc/net/sockstat";

/// The watch over one host.
pub struct SocketWatch {
    /// Opened in the host's namespace.
    kernel: OwnedFd,
    /// Kinds of sockets whose memory this kernel tells.
    kinds: Vec<Kind>,
    failures: u32,
    next: Instant,
}

/// What `/proc/net/sockstat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Overview {
    /// Sockets of this namespace.
    sockets: u64,
    /// Memory of TCP and UDP, of all namespaces together, in pages.
    pages: u64,
}

impl SocketWatch {
    /// Begins to watch, with what this kernel does not tell as a note.
    ///
    /// # Errors
    /// A fault for what the kernel refuses.
    pub fn begin(kernel: OwnedFd) -> Result<(SocketWatch, Option<Note>), Fault> {
        // Of TCP and UDP sockets every kernel tells it, and that is the longest table.
        let (mut kinds, mut silent) = (vec![Kind::Inet], Vec::new());
        for kind in [Kind::Unix, Kind::Netlink] {
            match memory_diag::held(&kernel, kind) {
                Ok(_) => kinds.push(kind),
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => silent.push(format!("{kind:?}")),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => kinds.push(kind),
                Err(error) => return Err(error).step("ask what sockets hold"),
            }
        }
        let note = (!silent.is_empty()).then(|| Note {
            layer: Layer::Limits,
            why: format!("the kernel does not tell what sockets of these kinds hold: {}", silent.join(", ")),
        });
        Ok((SocketWatch { kernel, kinds, failures: 0, next: Instant::now() + EVERY }, note))
    }

    /// The time until the next look.
    pub fn rest(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Looks, if it is time: the limit that the host's sockets have met.
    ///
    /// # Errors
    /// A fault where the kernel cannot be asked, again and again.
    pub fn look(&mut self, limits: &Limits) -> Result<Option<Limit>, Fault> {
        if !self.rest().is_zero() {
            return Ok(None);
        }
        self.next = Instant::now() + EVERY;
        match self.met(limits) {
            Ok(met) => {
                self.failures = 0;
                Ok(met)
            }
            Err(_) if self.failures < MOST_FAILURES => {
                self.failures += 1;
                Ok(None)
            }
            Err(error) => Err(error).step("ask what sockets hold"),
        }
    }

    fn met(&self, limits: &Limits) -> io::Result<Option<Limit>> {
        let bound = limits.socket_mib << 20;
        // Without /proc there is no overview, and all is asked for.
        let overview = fs::read_to_string(OVERVIEW).ok().and_then(|text| Overview::read(&text));
        if overview.is_some_and(|overview| overview.sockets > limits.sockets) {
            return Ok(Some(Limit::Sockets));
        }
        // What the whole machine does not hold, this host does not either.
        let inet_may = overview.is_none_or(|overview| overview.pages * sys::page_size() > bound);
        let mut held = 0;
        for kind in &self.kinds {
            if *kind != Kind::Inet || inet_may {
                held += memory_diag::held(&self.kernel, *kind)?;
            }
        }
        Ok((held > bound).then_some(Limit::SocketMemory))
    }
}

impl Overview {
    fn read(text: &str) -> Option<Overview> {
        let number = |line: &str, name: &str| {
            let mut words = line.split_whitespace().skip_while(|word| *word != name);
            words.nth(1)?.parse::<u64>().ok()
        };
        let line = |start: &str| text.lines().find(|line| line.starts_with(start));
        let memory = |start: &str| line(start).and_then(|line| number(line, "mem"));
        Some(Overview { sockets: number(line("sockets:")?, "used")?, pages: memory("TCP:")? + memory("UDP:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overview_is_read_as_the_kernel_writes_it() {
        let text =
            "sockets: used 15\nTCP: inuse 1 orphan 0 tw 0 alloc 19 mem 442\nUDP: inuse 0 mem 3\nUDPLITE: inuse 0\n";
        assert_eq!(Overview::read(text), Some(Overview { sockets: 15, pages: 445 }));
        assert_eq!(Overview::read(""), None);
        let here = fs::read_to_string(OVERVIEW).expect("an overview");
        assert!(Overview::read(&here).is_some(), "{here}");
    }
}
