//! The names of error numbers, `errno(3)`.

use std::io;

macro_rules! names {
    ($($name:ident)*) => {
        /// The name of an error number (`ECONNREFUSED`), or `errno` and the number for one that sockets do not meet.
        pub fn errno_name(number: i32) -> String {
            $(if number == libc::$name { return stringify!($name).to_owned(); })*
            format!("errno {number}")
        }
    };
}

names! {
    EPERM ENOENT ESRCH EINTR EIO EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST ENODEV ENOTDIR EISDIR EINVAL
    ENFILE EMFILE ENOTTY EFBIG ENOSPC ESPIPE EROFS EPIPE ENAMETOOLONG ENOSYS ENOTSOCK EDESTADDRREQ EMSGSIZE
    EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT EOPNOTSUPP EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
    ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTUNREACH EALREADY EINPROGRESS
}

/// The name of an error's number, or the error's own words where it has none.
pub fn error_name(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), errno_name)
}

/// What the kernel's manual says about an error, without the number that Rust appends.
pub fn error_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}
