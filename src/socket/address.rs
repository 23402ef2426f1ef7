//! The address of a socket or of its peer.

use std::fmt;
use std::net::SocketAddr;

use socket2::SockAddr;

use crate::trace::{Value, recorder};

/// An address as `bind(2)`, `connect(2)` and `recvfrom(2)` use it.
///
/// Shown in a demo it has a name that is the same at every run (`client:port`); by hand it is shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(SockAddr);

impl Address {
    pub(super) fn as_sock_addr(&self) -> &SockAddr {
        &self.0
    }

    /// The internet address, if it is one.
    pub fn as_socket(&self) -> Option<SocketAddr> {
        self.0.as_socket()
    }

    pub(super) fn value(&self) -> Value {
        match self.as_socket() {
            Some(address) => address.into(),
            None => "unnamed".into(),
        }
    }
}

impl From<SockAddr> for Address {
    fn from(address: SockAddr) -> Address {
        Address(address)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address(address.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_socket() {
            Some(address) => f.write_str(&recorder::with(|r| r.name(address)).unwrap_or_else(|| address.to_string())),
            None => f.write_str("an unnamed socket"),
        }
    }
}
