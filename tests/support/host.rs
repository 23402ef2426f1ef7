//! A host of a test's own for programs that talk to each other by hand.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{Lab, Running, finish, fixture, has_private_hosts, wait_until};

/// A network namespace, in which every port is free and nothing else happens. Where there can be none, this machine's
/// loopback.
pub struct Host {
    private: Option<(Running, OwnedFd)>,
    port: u16,
}

impl Host {
    pub fn open() -> Host {
        if !has_private_hosts() {
            return Host { private: None, port: free_port() };
        }
        Host::keep(&mut fixture("private-host"))
    }

    /// A private host whose kernel chooses ports from `first` to `last` only. It takes private hosts.
    pub fn with_ports(first: u16, last: u16) -> Host {
        Host::keep(fixture("private-host").arg(format!("{first} {last}")))
    }

    fn keep(command: &mut Command) -> Host {
        let mut keeper = Running(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts"));
        let mut line = String::new();
        BufReader::new(keeper.0.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "there is no private host");
        let pidfd = pidfd_open(Pid::from_child(&keeper.0), PidfdFlags::empty()).expect("a pidfd");
        Host { private: Some((keeper, pidfd)), port: 9000 }
    }

    /// The port for the server of a test; the two behind it are free as well.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`, the server's.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Has a program start on this host.
    pub fn enter<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let Some((_, pidfd)) = &self.private else { return command };
        let pidfd = pidfd.as_raw_fd();
        let enter = move || {
            // SAFETY: the call touches no memory of ours, and the descriptor is open for as long as the host is.
            match unsafe { libc::setns(pidfd, libc::CLONE_NEWUSER | libc::CLONE_NEWNET) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: between fork and exec there is this one system call, and no allocation.
        unsafe { command.pre_exec(enter) }
    }

    /// A role by hand, at the server's port.
    pub fn role(&self, lab: &Lab, role: &str) -> Command {
        let mut command = lab.command();
        command.args([role, "--address", &self.address()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.enter(&mut command);
        command
    }

    /// Starts a server and waits until its port is taken, in the kernel's own table.
    pub fn start_server(&self, command: &mut Command, table: &str) -> Running {
        self.start_server_at(self.port, command, table)
    }

    /// The same for a server at another port.
    pub fn start_server_at(&self, port: u16, command: &mut Command, table: &str) -> Running {
        let mut server = Running(command.spawn().expect("the server starts"));
        let row = format!("0100007F:{port:04X} ");
        wait_until(&format!("port {port} is bound"), || {
            if let Some(status) = server.0.try_wait().expect("a status") {
                panic!("the server has ended: {status}");
            }
            self.table(table).contains(&row)
        });
        server
    }

    /// Runs a client whose user types `lines` and then Ctrl-D.
    pub fn type_to_client(&self, lab: &Lab, lines: &str) -> Output {
        let mut client = self.role(lab, "client").spawn().expect("the client starts");
        client.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("the lines are typed");
        finish(client)
    }

    /// A table of its network: `/proc/net/NAME`, as programs on it see it.
    pub fn table(&self, name: &str) -> String {
        let of = self.private.as_ref().map_or("self".to_owned(), |(keeper, _)| keeper.0.id().to_string());
        fs::read_to_string(format!("/proc/{of}/net/{name}")).expect("a table")
    }
}

/// The first of three ports of this machine that are free for TCP and UDP.
fn free_port() -> u16 {
    let at = |port: u16| (Ipv4Addr::LOCALHOST, port);
    let is_free = |port: u16| TcpListener::bind(at(port)).is_ok() && UdpSocket::bind(at(port)).is_ok();
    let by_the_kernel = || Some(TcpListener::bind(at(0)).ok()?.local_addr().ok()?.port());
    let mut tries = std::iter::repeat_with(by_the_kernel).take(100).flatten();
    tries.find(|first| *first < u16::MAX - 2 && (*first..first + 3).all(is_free)).expect("three free ports")
}
