//! Whose the addresses of a scene are, and the names that take their place in its trace.

use std::net::SocketAddr;
use std::os::fd::RawFd;

use super::roles::{Actor, Roles};
use super::watched_socket::WatchedSocket;
use crate::probe;
use crate::trace::{Call, Syscall, Value};

impl Roles<'_, '_> {
    /// Puts names in the place of the addresses in a role's call.
    pub fn name_all(&self, role: usize, call: &mut Call) {
        for (_, value) in &mut call.args {
            if let Value::Address(address) = value {
                *value = self.names.of_given(*address).into();
            }
        }
        for (_, value) in &mut call.out {
            if let Value::Address(address) = value {
                *value = self.names.of(*address, self.actors[role].home).into();
            }
        }
    }

    /// Learns the address that a call gave to a socket.
    pub(super) fn learn(&mut self, role: usize, call: &Call) {
        let actor = &mut self.actors[role];
        let number = if call.name == Syscall::Accept { call.ret.map(|fd| fd as RawFd) } else { call.fd };
        let Some(watched) = number.and_then(|number| actor.sockets.get_mut(&number)) else { return };
        let Some(address) = probe::own_address(&watched.socket).filter(|address| address.port() != 0) else { return };
        let is_new = !std::mem::replace(&mut watched.named, true);
        if is_new && !matches!(call.name, Syscall::Accept | Syscall::Bind) {
            // The kernel chose its port, which another socket may have or have had.
            self.names.learn_anew(address, &actor.name, actor.home);
        } else {
            self.names.learn(address, &actor.name, actor.home);
        }
    }

    /// Free-running there are no copies of sockets to ask. A peer that a call names can only be another role's.
    pub(super) fn guess(&mut self, role: usize, call: &Call) {
        let others: Vec<&str> = self.actors.iter().map(|actor| actor.name.as_str()).collect();
        let other = if others.len() == 2 { others[1 - role] } else { "another" };
        for (_, value) in &call.out {
            if let Value::Address(address) = value
                && address.ip().is_loopback()
            {
                self.names.learn(*address, other, address.ip());
            }
        }
    }

    /// Learns whose an address is that a frame shows before its call has returned.
    pub(super) fn learn_of(&mut self, address: SocketAddr) {
        let owner = self.actors.iter().position(|actor| actor.has(address));
        // Free-running there are no copies of sockets to ask. A role that is alone on its host is the only candidate.
        let mut there = self.actors.iter().enumerate().filter(|(_, actor)| actor.home == address.ip());
        let alone = there.next().filter(|_| self.free && there.next().is_none()).map(|(index, _)| index);
        let Some(owner) = owner.or(alone).map(|index| &mut self.actors[index]) else { return };
        match owner.unnamed(address) {
            Some(watched) => {
                watched.named = true;
                self.names.learn_anew(address, &owner.name, address.ip());
            }
            None => self.names.learn(address, &owner.name, address.ip()),
        }
    }
}

impl Actor {
    /// Whether a socket of its has this address, as its peers see it.
    fn has(&self, address: SocketAddr) -> bool {
        let own = |watched: &WatchedSocket| {
            probe::own_address(&watched.socket).is_some_and(|own| own.port() == address.port())
        };
        address.port() != 0 && self.home == address.ip() && self.sockets.values().any(own)
    }

    /// The socket of its that has this address and no name for it yet.
    fn unnamed(&mut self, address: SocketAddr) -> Option<&mut WatchedSocket> {
        let has_port = |watched: &&mut WatchedSocket| {
            probe::own_address(&watched.socket).is_some_and(|own| own.port() == address.port())
        };
        self.sockets.values_mut().filter(|watched| !watched.named).find(has_port)
    }
}
