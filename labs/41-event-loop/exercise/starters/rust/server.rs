//! An echo server for a thousand clients, in one process. The task is in TASK.md.

use std::env;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

/// poll(2), which the standard library does not have: waits until one of these sockets is ready.
mod ready {
    use std::ffi::{c_int, c_short, c_ulong};
    use std::io;

    pub const IN: c_short = 1;
    pub const OUT: c_short = 4;

    /// A socket, what it is waited for, and what it is ready for.
    #[repr(C)]
    pub struct Fd {
        pub fd: c_int,
        pub events: c_short,
        pub revents: c_short,
    }

    unsafe extern "C" {
        fn poll(fds: *mut Fd, count: c_ulong, timeout: c_int) -> c_int;
    }

    pub fn wait(fds: &mut [Fd]) -> io::Result<()> {
        // SAFETY: the kernel writes to these, and to nothing else.
        match unsafe { poll(fds.as_mut_ptr(), fds.len() as c_ulong, -1) } {
            ..0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let mut fds = vec![ready::Fd { fd: listener.as_raw_fd(), events: ready::IN, revents: 0 }];
        ready::wait(&mut fds)?;
        if fds[0].revents != 0 {
            let (_conn, client) = listener.accept()?;
            println!("{client} comes");
            // Make it non-blocking, and wait for it, too: until it can be read from, or be written to (ready::OUT).
            let _ = ready::OUT;
        }
    }
}
