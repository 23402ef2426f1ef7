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
        let actor = &self.actors[role];
        // Of a connection both ends are known, and the far end's name depends on both.
        let accepted = call.ret.filter(|_| call.name == Syscall::Accept).and_then(|fd| RawFd::try_from(fd).ok());
        let watched = accepted.and_then(|number| actor.sockets.get(&number));
        let own = watched.and_then(|watched| probe::own_address(&watched.socket));
        for (_, value) in &mut call.out {
            if let Value::Address(address) = value {
                *value = self.names.of_peer(*address, own, actor.home).into();
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
        let asks_for_any = || call.args.iter().any(|(_, value)| matches!(value, Value::Address(to) if to.port() == 0));
        let kernel_chose = match call.name {
            Syscall::Accept => false,
            Syscall::Bind => asks_for_any(),
            _ => true,
        };
        if is_new && kernel_chose {
            // Another socket may have this port, or have had it.
            self.names.learn_anew(address, probe::peer_address(&watched.socket), &actor.name, actor.home);
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
                let peer = probe::peer_address(&watched.socket);
                self.names.learn_anew(address, peer, &owner.name, address.ip());
            }
            None => self.names.learn(address, &owner.name, address.ip()),
        }
    }
}

impl Actor {
    /// Whether a socket of its has this address, as its peers see it.
    fn has(&self, address: SocketAddr) -> bool {
        let is_bound = |watched: &WatchedSocket| has_port(watched, address.port());
        address.port() != 0 && self.home == address.ip() && self.sockets.values().any(is_bound)
    }

    /// The socket of its that has this address and no name for it yet.
    fn unnamed(&mut self, address: SocketAddr) -> Option<&mut WatchedSocket> {
        self.sockets.values_mut().find(|watched| !watched.named && has_port(watched, address.port()))
    }
}

/// Whether a socket is bound to this port.
fn has_port(watched: &WatchedSocket, port: u16) -> bool {
    probe::own_address(&watched.socket).is_some_and(|own| own.port() == port)
}
