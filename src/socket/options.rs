//! Options of any socket by their names: those that are numbers.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use super::Socket;
use crate::sys;
use crate::trace::recorder::traced;
use crate::trace::{SocketOption, Wait};

impl Socket {
    /// What the kernel has for an option that is a number, or yes and no: `getsockopt(2)`.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: `ENOPROTOOPT` or `EOPNOTSUPP` for one that the socket does not have; `Unsupported`,
    /// without a call, for one that is no number.
    pub fn option(&self, option: SocketOption) -> io::Result<i32> {
        let (level, name) = numbers(option)?;
        traced(self.asking(option), Wait::Never, |call| {
            let value = sys::option(self.inner.as_fd(), level, name)?;
            call.wrote("optval", value);
            Ok(value)
        })
    }

    /// Sets such an option, `setsockopt(2)`.
    ///
    /// # Errors
    /// That of `setsockopt(2)`: `ENOPROTOOPT` for one that the socket does not have, or that can only be asked for;
    /// `Unsupported` as of [`option`](Socket::option).
    pub fn set_option(&self, option: SocketOption, value: i32) -> io::Result<()> {
        let (level, name) = numbers(option)?;
        self.set(option, value, || sys::set_option(self.inner.as_fd(), level, name, value))
    }

    /// How long close waits for what is not sent yet, `SO_LINGER` of `socket(7)`; `None`: it does not wait.
    ///
    /// # Errors
    /// That of `getsockopt(2)`: not to be expected of an open socket.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        traced(self.asking(SocketOption::Linger), Wait::Never, |call| {
            let time = self.inner.linger()?;
            call.wrote("optval", linger_value(time));
            Ok(time)
        })
    }
}

/// `SO_LINGER` as `setsockopt(2)` and `getsockopt(2)` have it.
pub(super) fn linger_value(time: Option<Duration>) -> String {
    format!("{{l_onoff={}, l_linger={}}}", i32::from(time.is_some()), time.map_or(0, |time| time.as_secs()))
}

/// The numbers of an option's level and of its name, as C has them.
fn numbers(option: SocketOption) -> io::Result<(i32, i32)> {
    Ok(match option {
        SocketOption::Error => (libc::SOL_SOCKET, libc::SO_ERROR),
        SocketOption::RcvBuf => (libc::SOL_SOCKET, libc::SO_RCVBUF),
        SocketOption::ReuseAddr => (libc::SOL_SOCKET, libc::SO_REUSEADDR),
        SocketOption::ReusePort => (libc::SOL_SOCKET, libc::SO_REUSEPORT),
        SocketOption::RxqOvfl => (libc::SOL_SOCKET, libc::SO_RXQ_OVFL),
        SocketOption::SndBuf => (libc::SOL_SOCKET, libc::SO_SNDBUF),
        SocketOption::Type => (libc::SOL_SOCKET, libc::SO_TYPE),
        SocketOption::RecvErr => (libc::IPPROTO_IP, libc::IP_RECVERR),
        SocketOption::V6Only => (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
        SocketOption::Cork => (libc::IPPROTO_TCP, libc::TCP_CORK),
        SocketOption::KeepCnt => (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
        SocketOption::KeepIdle => (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
        SocketOption::KeepIntvl => (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
        SocketOption::MaxSeg => (libc::IPPROTO_TCP, libc::TCP_MAXSEG),
        SocketOption::NoDelay => (libc::IPPROTO_TCP, libc::TCP_NODELAY),
        SocketOption::QuickAck => (libc::IPPROTO_TCP, libc::TCP_QUICKACK),
        SocketOption::UserTimeout => (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
        _ => return Err(io::ErrorKind::Unsupported.into()),
    })
}
