//! A server that sends as much as its clients ask for, as they read it.

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

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    let mut clients: Vec<Client> = Vec::new();
    loop {
        let mut fds = vec![ready::Fd { fd: listener.as_raw_fd(), events: ready::IN, revents: 0 }];
        for client in &clients {
            let events = if client.size.is_none() { ready::IN } else { ready::OUT };
            fds.push(ready::Fd { fd: client.conn.as_raw_fd(), events, revents: 0 });
        }
        ready::wait(&mut fds)?;
        let mut is_ready = fds[1..].iter().map(|fd| fd.revents != 0);
        clients.retain_mut(|client| is_ready.next() != Some(true) || client.act());
        if fds[0].revents != 0 {
            let (conn, _) = listener.accept()?;
            conn.set_nonblocking(true)?;
            clients.push(Client { conn, question: Vec::new(), size: None, sent: 0 });
        }
    }
}

/// One client: what of its question has come, what it asks for, and how much of that it has been sent.
struct Client {
    conn: TcpStream,
    question: Vec<u8>,
    size: Option<usize>,
    sent: usize,
}

impl Client {
    /// Does what can be done without waiting. Returns whether there is more to do.
    fn act(&mut self) -> bool {
        let done = match self.size {
            None => self.read(),
            Some(size) => self.write(size),
        };
        match done {
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            // This client is gone; the others are not.
            done => done.unwrap_or(false),
        }
    }

    fn read(&mut self) -> io::Result<bool> {
        let mut piece = [0; 100];
        let len = self.conn.read(&mut piece)?;
        self.question.extend(&piece[..len]);
        if let Some(digits) = self.question.strip_suffix(b"\n") {
            self.size = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            return Ok(self.size.is_some());
        }
        Ok(len > 0)
    }

    fn write(&mut self, size: usize) -> io::Result<bool> {
        let upto = size.min(self.sent + 16 * 1024);
        let piece: Vec<u8> = (self.sent..upto).map(|at| b'a' + (at % 26) as u8).collect();
        self.sent += self.conn.write(&piece)?;
        Ok(self.sent < size)
    }
}
