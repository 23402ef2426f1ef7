//! An echo server for a thousand clients, in one process.

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
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

/// What errno(3) calls EMFILE and ENFILE: no descriptor is left, of this process's or of all.
const SHORT: [i32; 2] = [24, 23];

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    listener.set_nonblocking(true)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut is_full = false;
    loop {
        // While no descriptor is left the listener would be ready again and again.
        let events = if is_full { 0 } else { ready::IN };
        let mut fds = vec![ready::Fd { fd: listener.as_raw_fd(), events, revents: 0 }];
        for client in &clients {
            // While something is to be sent, nothing more is read.
            let events = if client.rest.is_empty() { ready::IN } else { ready::OUT };
            fds.push(ready::Fd { fd: client.conn.as_raw_fd(), events, revents: 0 });
        }
        ready::wait(&mut fds)?;
        let mut is_ready = fds[1..].iter().map(|fd| fd.revents != 0);
        let before = clients.len();
        clients.retain_mut(|client| is_ready.next() != Some(true) || client.act());
        is_full &= clients.len() == before;
        if fds[0].revents != 0 {
            match listener.accept() {
                Ok((conn, _)) => {
                    conn.set_nonblocking(true)?;
                    clients.push(Client { conn, rest: Vec::new() });
                }
                Err(error) => is_full = error.raw_os_error().is_some_and(|errno| SHORT.contains(&errno)),
            }
        }
    }
}

/// One client, and what is still to be sent to it: at most what one read gave.
struct Client {
    conn: TcpStream,
    rest: Vec<u8>,
}

impl Client {
    /// Does what can be done without waiting. Returns whether the client is still there.
    fn act(&mut self) -> bool {
        match self.echo() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            // This client is gone; the others are not.
            done => done.unwrap_or(false),
        }
    }

    fn echo(&mut self) -> io::Result<bool> {
        if self.rest.is_empty() {
            let mut piece = [0; 16_384];
            let len = self.conn.read(&mut piece)?;
            self.rest = piece[..len].to_vec();
            if len == 0 {
                return Ok(false);
            }
        }
        let sent = self.conn.write(&self.rest)?;
        self.rest.drain(..sent);
        Ok(true)
    }
}
