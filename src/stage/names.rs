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
        let of_host = |first: IpAddr| first == address.ip() || address.ip().is_unspecified();
        let (first, number) =
            self.ports_of_lab.filter(|(first, _)| of_host(first.ip()) || is_named_by_its_ip(address.ip()))?;
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
            self.known.insert(address, format!("{}:{number}", whose(address, role)));
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

    /// Learns that a program has bound a socket to this port. If it is none of the lab's, it is called what it is.
    pub fn learn_chosen(&mut self, address: SocketAddr) {
        let of_lab = |(first, _): (SocketAddr, u16)| (first.port()..first.port() + PORTS).contains(&address.port());
        if !self.ports_of_lab.is_some_and(of_lab) {
            self.known.entry(address).or_insert_with(|| address.to_string());
        }
    }

    /// Gives an address the next name of the role's.
    fn name(&mut self, address: SocketAddr, role: &str) {
        let whose = whose(address, role);
        let count = self.ports.entry(whose.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{whose}:port") } else { format!("{whose}:port{count}") };
        self.known.insert(address, name);
    }

    /// What an address that a program gave is called: it is the same at every run, if it has no name.
    pub fn of_given(&self, address: SocketAddr) -> String {
        let unnamed = || match self.number(address) {
            Some(number) => format!("{}:{number}", with_brackets(address.ip())),
            None => address.to_string(),
        };
        self.known.get(&address).cloned().unwrap_or_else(unnamed)
    }

    /// What an address that the kernel gave to a socket on the host `home` is called.
    pub fn of(&self, address: SocketAddr, home: IpAddr) -> String {
        // A socket that was bound to a lab's port on every address of the host says so.
        let of_lab = self.number(as_peers_see(address, home)).filter(|_| address.ip().is_unspecified());
        if let Some(number) = of_lab {
            return format!("{}:{number}", with_brackets(address.ip()));
        }
        // An IPv4 peer as an IPv6 socket has it.
        if let IpAddr::V6(ip) = address.ip()
            && let Some(ipv4) = ip.to_ipv4_mapped()
        {
            let name = self.of(SocketAddr::new(ipv4.into(), address.port()), home);
            let port = name.rsplit(':').next().unwrap_or_default();
            return format!("[{ip}]:{port}");
        }
        match self.known.get(&as_peers_see(address, home)) {
            Some(name) => name.clone(),
            None if self.number(address).is_some() => self.of_given(address),
            None if address.port() == 0 => address.to_string(),
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

/// What stands before a port: its role's name, or, of a host's IPv6 addresses, which one it is.
fn whose(address: SocketAddr, role: &str) -> String {
    if is_named_by_its_ip(address.ip()) { with_brackets(address.ip()) } else { role.to_owned() }
}

/// Whether an address is called by its IP address, and not by its role's name.
fn is_named_by_its_ip(ip: IpAddr) -> bool {
    ip.is_ipv6()
}

/// An IP address as it stands before a port.
fn with_brackets(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
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
    fn an_ipv6_address_is_called_by_itself() {
        let home = IpAddr::from([127, 0, 0, 1]);
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let mut names = Names::default();
        names.set_ports(at("127.0.0.1:20000"), 8080);
        assert_eq!(names.of_given(at("[::1]:20000")), "[::1]:8080");
        names.learn(at("[::]:20000"), "server", home);
        assert_eq!(names.of(at("[::]:20000"), home), "[::]:8080");
        names.learn_anew(at("[::1]:40000"), None, "client", home);
        names.learn_anew(at("127.0.0.1:40001"), None, "client", home);
        let seen = ["[::1]:40000", "[::ffff:127.0.0.1]:40001", "[::]:0"].map(|text| names.of(at(text), home));
        assert_eq!(seen, ["[::1]:port", "[::ffff:127.0.0.1]:port", "[::]:0"]);
    }

    #[test]
    fn a_socket_on_every_address_of_its_host_says_so_where_the_port_is_the_labs() {
        let home = IpAddr::from([127, 0, 0, 1]);
        let mut names = Names::default();
        names.set_ports(SocketAddr::from((home, 20_000)), 8080);
        assert_eq!(names.of(SocketAddr::from(([0, 0, 0, 0], 20_000)), home), "0.0.0.0:8080");
        assert_eq!(names.of_given(SocketAddr::from(([0, 0, 0, 0], 20_000))), "0.0.0.0:8080");
        assert_eq!(names.of(SocketAddr::from((home, 20_000)), home), "server:8080");
    }

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
