//! The address of a socket or of its peer.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use socket2::SockAddr;

use crate::sys;
use crate::trace::{Value, recorder};

/// An address as `bind(2)`, `connect(2)` and `recvfrom(2)` use it.
///
/// Shown in a demo it has a name that is the same at every run (`client:port`); by hand it is shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(SockAddr);

impl Address {
    /// The address of a socket of `unix(7)`: a path, or a name that begins with NUL, which is an abstract one. How long
    /// it may be is left to the kernel.
    ///
    /// # Errors
    /// `InvalidInput` for one that is longer than any address, and for a path with a NUL byte in it.
    pub fn of_path(path: impl AsRef<Path>) -> io::Result<Address> {
        let name = path.as_ref().as_os_str().as_bytes();
        if !name.starts_with(&[0]) && name.contains(&0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path has a NUL byte in it"));
        }
        sys::unix_address(name).map(Address)
    }

    /// The name that a socket of `unix(7)` is bound to: a path, or an abstract name, which begins with NUL.
    pub fn as_path(&self) -> Option<String> {
        let abstract_name = || Some([b"\0", self.0.as_abstract_namespace()?].concat());
        let name = self.0.as_pathname().map(|path| path.as_os_str().as_bytes().to_vec()).or_else(abstract_name)?;
        Some(String::from_utf8_lossy(&name).into_owned())
    }

    pub(super) fn as_sock_addr(&self) -> &SockAddr {
        &self.0
    }

    /// The internet address, if it is one.
    pub fn as_socket(&self) -> Option<SocketAddr> {
        self.0.as_socket()
    }

    pub(super) fn value(&self) -> Value {
        match (self.as_socket(), self.as_path()) {
            (Some(address), _) => address.into(),
            (None, Some(path)) => Value::Path(path),
            (None, None) => "unnamed".into(),
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
            None => f.write_str(self.as_path().as_deref().unwrap_or("an unnamed socket")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_an_abstract_name_come_back_as_they_were_given() {
        for name in ["a.sock", "folder/a.sock", "\0abstract", &"n".repeat(107)] {
            assert_eq!(Address::of_path(name).expect("an address").as_path().as_deref(), Some(name));
        }
    }

    #[test]
    fn no_address_is_made_of_what_no_address_has_room_for_or_of_a_path_with_a_nul_byte() {
        for name in ["a\0b".to_owned(), "n".repeat(1000), format!("\0{}", "n".repeat(1000))] {
            let error = Address::of_path(&name).expect_err("no address");
            assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::InvalidInput, None), "{name:?}");
        }
    }
}
