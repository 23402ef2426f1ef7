//! Error numbers and their names, `errno(3)`.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// The number of an error, `errno(3)`. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Errno(pub i32);

macro_rules! names {
    ($($name:ident)*) => {
        impl Errno {
            $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: Errno = Errno(libc::$name);)*

            /// Its name in C, for those that sockets meet.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $(libc::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

names! {
    EPERM ENOENT ESRCH EINTR EIO EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST EXDEV ENODEV ENXIO ENOTDIR EISDIR
    EINVAL ENFILE EMFILE ENOTTY EFBIG ENOSPC ESPIPE EROFS EPIPE ENAMETOOLONG ENOSYS ENOTEMPTY ELOOP EDQUOT ENOTSOCK
    EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EAFNOSUPPORT EADDRINUSE
    EADDRNOTAVAIL ENETDOWN ENETUNREACH ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED
    EHOSTUNREACH EALREADY EINPROGRESS
}

impl Errno {
    /// No error: what `SO_ERROR` gives where none is pending.
    pub const NONE: Errno = Errno(0);

    /// The number of an error. One that the kernel has not given, since the call was refused before it was made, is
    /// `EINVAL`.
    pub fn of(error: &io::Error) -> Errno {
        error.raw_os_error().map_or(Errno::EINVAL, Errno)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.0) {
            (Some(name), _) => f.pad(name),
            (None, 0) => f.pad("0"),
            (None, number) => write!(f, "errno {number}"),
        }
    }
}

/// The name of an error's number, or the error's own words where it has none.
pub fn error_name(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno(number).to_string())
}
