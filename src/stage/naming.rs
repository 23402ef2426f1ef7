//! Whose the addresses of a scene are, and the names that take their place in its trace.

use std::net::SocketAddr;
use std::os::fd::RawFd;

use rustix::process::{getgid, getuid};

use super::roles::{Actor, Roles};
use super::watched_socket::WatchedSocket;
use crate::probe;
use crate::trace::{Call, Credentials, Status, Syscall, Value};

impl Roles<'_, '_> {
    /// Puts names in the place of the addresses in a role's call.
    pub fn name_all(&self, role: usize, call: &mut Call) {
        for (_, value) in &mut call.args {
            match value {
                Value::Address(address) => *value = self.names.of_given(*address).into(),
                Value::Process(number) => *value = self.name_of_process(*number).1.into(),
                _ => {}
            }
        }
        for (_, value) in &mut call.out {
            if let Value::Process(number) = value {
                let (index, name) = self.name_of_process(*number);
                *value = name.into();
                // pthread_create returns 0, and writes which thread it is.
                if call.name != Syscall::PthreadCreate {
                    call.ret = Some(index);
                }
            }
        }
        let actor = &self.actors[role];
        // Of a connection both ends are known, and the far end's name depends on both.
        let accepted = call.ret.filter(|_| call.name == Syscall::Accept).and_then(|fd| RawFd::try_from(fd).ok());
        let watched = accepted.and_then(|number| self.sockets_of(role).get(&number));
        let own = watched.and_then(|watched| probe::own_address(&watched.socket));
        for (_, value) in &mut call.out {
            match value {
                Value::Address(address) => *value = self.names.of_peer(*address, own, actor.home).into(),
                Value::Credentials(credentials) => *value = self.name_of(*credentials).into(),
                _ => {}
            }
        }
    }

    /// The process or thread with this number that is an actor: which of its parent's it is, and its name.
    fn name_of_process(&self, number: i32) -> (i64, String) {
        let actor = self.actors.iter().rev().find(|actor| actor.player.has_number(number));
        let name = actor.map_or_else(|| "another process".to_owned(), |actor| actor.name.clone());
        let index = name.rsplit('/').next().and_then(|index| index.parse().ok());
        (index.unwrap_or(0), name)
    }

    /// Notes which child or thread a role has waited for.
    pub(super) fn note_waited_for(&mut self, call: &Call) {
        let number = match call.get_out("pid").or(call.get_arg("thread")) {
            Some(Value::Process(number)) if call.errno.is_none() => *number,
            _ => return,
        };
        let waited_for = self.actors.iter_mut().rev().find(|actor| actor.player.has_number(number));
        let Some(actor) = waited_for else { return };
        actor.is_waited_for = true;
        if let Some(Value::Number(status)) = call.get_out("wstatus") {
            actor.player.has_ended_with(Status::of_kernel(*status as i32));
        }
    }

    /// What a peer is called: the role whose process it is, and whether it has the roles' own user and group.
    fn name_of(&self, peer: Credentials) -> String {
        let (_, owner) = self.name_of_process(peer.pid);
        let whose = |is_own: bool, id: u32| if is_own { "own".to_owned() } else { id.to_string() };
        let (uid, gid) = (peer.uid == getuid().as_raw(), peer.gid == getgid().as_raw());
        format!("{{pid={owner}, uid={}, gid={}}}", whose(uid, peer.uid), whose(gid, peer.gid))
    }

    /// Learns the address that a call gave to a socket.
    pub(super) fn learn(&mut self, role: usize, call: &Call) {
        let number = if call.name == Syscall::Accept { call.ret.map(|fd| fd as RawFd) } else { call.fd };
        let (role, home) = (self.actors[role].process, self.actors[role].home);
        let actor = &mut self.actors[role];
        let Some(watched) = number.and_then(|number| actor.sockets.get_mut(&number)) else { return };
        let Some(address) = probe::own_address(&watched.socket).filter(|address| address.port() != 0) else { return };
        let is_new = !std::mem::replace(&mut watched.named, true);
        let asks_for_any = || call.args.iter().any(|(_, value)| matches!(value, Value::Address(to) if to.port() == 0));
        let kernel_chose = match call.name {
            Syscall::Accept => false,
            Syscall::Bind => asks_for_any(),
            _ => true,
        };
        if call.name == Syscall::Bind && !kernel_chose {
            self.names.learn_chosen(address);
        }
        if is_new && kernel_chose {
            // Another socket may have this port, or have had it.
            self.names.learn_anew(address, probe::peer_address(&watched.socket), &actor.role, home);
        } else {
            self.names.learn(address, &actor.role, home);
        }
    }

    /// Free-running there are no copies of sockets to ask. A peer that a call names can only be another role's.
    pub(super) fn guess(&mut self, role: usize, call: &Call) {
        let own = &self.actors[role].role;
        let roles = self.actors.iter().filter(|actor| actor.parent.is_none() && actor.role != *own);
        let others: Vec<&str> = roles.map(|actor| actor.role.as_str()).collect();
        let other = if let [other] = others[..] { other } else { "another" };
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
        let roles = self.actors.iter().enumerate().filter(|(_, actor)| actor.parent.is_none());
        let mut there = roles.filter(|(_, actor)| actor.home == address.ip());
        let alone = there.next().filter(|_| self.free && there.next().is_none()).map(|(index, _)| index);
        let Some(owner) = owner.or(alone).map(|index| &mut self.actors[index]) else { return };
        match owner.unnamed(address) {
            Some(watched) => {
                watched.named = true;
                let peer = probe::peer_address(&watched.socket);
                self.names.learn_anew(address, peer, &owner.role, address.ip());
            }
            None => self.names.learn(address, &owner.role, address.ip()),
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
