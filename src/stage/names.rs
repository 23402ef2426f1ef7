//! Names for what the kernel chooses: a port that is another one at every run is `client:port` in every trace.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::host::PORTS;

/// The names of a scene's addresses.
#[derive(Default)]
pub struct Names {
    /// The hosts' own addresses on a wire, and the roles that live there.
    hosts: Vec<(IpAddr, Vec<String>)>,
    known: HashMap<SocketAddr, String>,
    /// The same of one end of a connection, by its address and its peer's: two connections of a host may have one
    /// port, if their peers differ.
    connections: HashMap<(SocketAddr, SocketAddr), String>,
    /// Where the lab's own ports begin, and the number that the first of them has in the lab.
    ports_of_lab: Option<(SocketAddr, u16)>,
    /// How many ports of each role have a name.
    ports: HashMap<String, u32>,
}

impl Names {
    /// Learns where the lab's own ports begin, and their first number. The first one is the server's.
    pub fn set_ports(&mut self, server: SocketAddr, number: u16) {
        self.ports_of_lab = Some((server, number));
        self.known.insert(server, format!("server:{number}"));
    }

    /// The number that a port has in the lab, if it is one of the lab's own.
    fn number(&self, address: SocketAddr) -> Option<u16> {
        let (first, number) = self.ports_of_lab.filter(|(first, _)| first.ip() == address.ip())?;
        let behind = address.port().checked_sub(first.port()).filter(|behind| *behind < PORTS)?;
        Some(number + behind)
    }

    /// Learns that a role lives on a host, other than the loopback's.
    pub fn settle(&mut self, role: &str, host: IpAddr) {
        match self.hosts.iter_mut().find(|(known, _)| *known == host) {
            Some((_, roles)) => roles.push(role.to_owned()),
            None => self.hosts.push((host, vec![role.to_owned()])),
        }
    }

    /// Learns that a socket of a role on the host `home` has this address.
    pub fn learn(&mut self, address: SocketAddr, role: &str, home: IpAddr) {
        let address = as_peers_see(address, home);
        if address.port() == 0 || self.known.contains_key(&address) {
            return;
        }
        if let Some(number) = self.number(address) {
            self.known.insert(address, format!("{role}:{number}"));
            return;
        }
        self.name(address, role);
    }

    /// Learns that a socket which has had no address has this one now, and this peer, if it is connected. A port that
    /// the kernel has given out before, to a socket with another peer or to one that is closed, gets a new name: which
    /// ports coincide differs from run to run.
    pub fn learn_anew(&mut self, address: SocketAddr, peer: Option<SocketAddr>, role: &str, home: IpAddr) {
        let seen = as_peers_see(address, home);
        if address.port() != 0 && self.known.contains_key(&seen) && self.number(seen).is_none() {
            self.name(seen, role);
        } else {
            self.learn(address, role, home);
        }
        if let (Some(peer), Some(name)) = (peer, self.known.get(&seen)) {
            self.connections.insert((seen, peer), name.clone());
        }
    }

    /// Gives an address the next name of the role's.
    fn name(&mut self, address: SocketAddr, role: &str) {
        let count = self.ports.entry(role.to_owned()).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{role}:port") } else { format!("{role}:port{count}") };
        self.known.insert(address, name);
    }

    /// What an address that a program gave is called: it is the same at every run, if it has no name.
    pub fn of_given(&self, address: SocketAddr) -> String {
        let unnamed = || match self.number(address) {
            Some(number) => format!("{}:{number}", address.ip()),
            None => address.to_string(),
        };
        self.known.get(&address).cloned().unwrap_or_else(unnamed)
    }

    /// What an address that the kernel gave to a socket on the host `home` is called.
    pub fn of(&self, address: SocketAddr, home: IpAddr) -> String {
        match self.known.get(&as_peers_see(address, home)) {
            Some(name) => name.clone(),
            None if self.number(address).is_some() => self.of_given(address),
            None if address.port() == 0 => format!("{}:0", address.ip()),
            None if address.ip().is_loopback() || self.roles_of(address.ip()).is_some() => "another:port".to_owned(),
            None => address.to_string(),
        }
    }

    /// What the far end of a connection is called, whose near end has the address `own` on the host `home`.
    pub fn of_peer(&self, address: SocketAddr, own: Option<SocketAddr>, home: IpAddr) -> String {
        let connection = own.and_then(|own| self.connections.get(&(address, own)));
        connection.cloned().unwrap_or_else(|| self.of(address, home))
    }

    /// What an address that stands in a frame is called. Without a port, as in a later fragment, it is the role's whose
    /// host it is, if there is one only.
    pub fn of_end(&self, address: SocketAddr) -> String {
        match self.roles_of(address.ip()) {
            Some([role]) if address.port() == 0 => role.clone(),
            _ if address.port() == 0 => address.ip().to_string(),
            _ => self.of(address, address.ip()),
        }
    }

    fn roles_of(&self, host: IpAddr) -> Option<&[String]> {
        self.hosts.iter().find(|(known, _)| *known == host).map(|(_, roles)| roles.as_slice())
    }

    /// The ports of all addresses that have a name.
    pub fn numbers(&self) -> Vec<u16> {
        self.known.keys().map(SocketAddr::port).collect()
    }
}

/// A socket that the kernel bound by itself has no address of its own yet, only a port; its peers see its host's.
fn as_peers_see(address: SocketAddr, home: IpAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(home, address.port()),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_the_kernel_gives_out_twice_has_two_names() {
        let (home, port) = (IpAddr::from([127, 0, 0, 1]), SocketAddr::from(([127, 0, 0, 1], 40_000)));
        let server = |number| SocketAddr::from(([127, 0, 0, 1], number));
        let mut names = Names::default();
        names.set_ports(server(8081), 8081);
        names.learn_anew(port, Some(server(8081)), "client", home);
        names.learn(port, "client", home);
        assert_eq!(names.of(port, home), "client:port");
        names.learn_anew(port, Some(server(8082)), "client", home);
        assert_eq!(names.of(port, home), "client:port2");
        // Whichever server accepts last, each connection keeps its name.
        assert_eq!(names.of_peer(port, Some(server(8081)), home), "client:port");
        assert_eq!(names.of_peer(port, Some(server(8082)), home), "client:port2");
        assert_eq!(names.of_peer(port, None, home), "client:port2");
        names.learn_anew(server(8081), None, "client", home);
        assert_eq!(names.of(server(8081), home), "server:8081");
    }
}
