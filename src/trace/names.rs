//! What has a name in C, or in an RFC, as a type: calls, options, flags, states, signals.

use std::fmt;
use std::os::fd::RawFd;

use serde::{Deserialize, Serialize};

/// An enum each of whose members has one name, which `Display` gives.
macro_rules! named {
    ($(#[$about:meta])* $enum:ident { $($member:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $enum {
            $(#[doc = concat!("`", $name, "`")] $member,)*
        }

        impl $enum {
            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $($enum::$member => $name,)*
                }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named! {
    /// A system call that a role makes, or a function of the C library that stands for several. Its name is C's. Of one
    /// that moves bytes, those on files and those on sockets are two.
    Syscall {
        Socket = "socket",
        Bind = "bind",
        Listen = "listen",
        Accept = "accept",
        Connect = "connect",
        SocketPair = "socketpair",
        GetSockName = "getsockname",
        GetPeerName = "getpeername",
        Recv = "recv",
        RecvFrom = "recvfrom",
        RecvMsg = "recvmsg",
        RecvMmsg = "recvmmsg",
        Send = "send",
        SendTo = "sendto",
        SendMsg = "sendmsg",
        SendMmsg = "sendmmsg",
        Read = "read",
        Write = "write",
        GetSockOpt = "getsockopt",
        SetSockOpt = "setsockopt",
        Fcntl = "fcntl",
        DupFd = "fcntl",
        Ioctl = "ioctl",
        Poll = "poll",
        Select = "select",
        EpollCreate1 = "epoll_create1",
        EpollCtl = "epoll_ctl",
        EpollWait = "epoll_wait",
        Shutdown = "shutdown",
        Close = "close",
        System = "system",
        PosixSpawnp = "posix_spawnp",
        SigAction = "sigaction",
        SetITimer = "setitimer",
        SetRLimit = "setrlimit",
        Kill = "kill",
        Fork = "fork",
        WaitPid = "waitpid",
        PthreadCreate = "pthread_create",
        PthreadJoin = "pthread_join",
        SemPost = "sem_post",
        SemWait = "sem_wait",
        GetPid = "getpid",
        GetTid = "gettid",
        OpenAt = "openat",
        OpenAt2 = "openat2",
        ReadFile = "read",
        PRead = "pread64",
        WriteFile = "write",
        FStat = "fstat",
        FStatAt = "fstatat",
        FChmodAt = "fchmodat",
        LSeek = "lseek",
        FTruncate = "ftruncate",
        FSync = "fsync",
        FLock = "flock",
        RenameAt2 = "renameat2",
        LinkAt = "linkat",
        UnlinkAt = "unlinkat",
        MkdirAt = "mkdirat",
        SymlinkAt = "symlinkat",
        MknodAt = "mknodat",
        ReadDir = "readdir",
        Sendfile = "sendfile",
        Pipe2 = "pipe2",
        Splice = "splice",
        SpliceToFile = "splice",
    }
}

impl Syscall {
    /// Whether it receives on a socket: `recv(2)`, the calls beside it, `read(2)`, and `splice(2)` into a pipe.
    pub fn receives(self) -> bool {
        use Syscall::*;
        matches!(self, Recv | RecvFrom | RecvMsg | RecvMmsg | Read | Splice)
    }

    /// Whether it sends on a socket: `send(2)`, the calls beside it, `write(2)` and `sendfile(2)`.
    pub fn sends(self) -> bool {
        use Syscall::*;
        matches!(self, Send | SendTo | SendMsg | SendMmsg | Write | Sendfile)
    }

    /// Whether its data comes in: from a socket, or from a file.
    pub fn gives_data(self) -> bool {
        self.receives() || matches!(self, Syscall::ReadFile | Syscall::PRead)
    }

    /// Whether its data goes out: to a socket, or to a file.
    pub fn takes_data(self) -> bool {
        self.sends() || self == Syscall::WriteFile
    }

    /// Whether it is a file's or a folder's affair.
    pub fn is_on_a_file(self) -> bool {
        use Syscall::*;
        let opens_or_moves =
            matches!(self, OpenAt | OpenAt2 | ReadFile | PRead | WriteFile | FStat | LSeek | FTruncate);
        let names = matches!(
            self,
            RenameAt2 | LinkAt | UnlinkAt | MkdirAt | SymlinkAt | MknodAt | ReadDir | FStatAt | FChmodAt
        );
        opens_or_moves || names || matches!(self, FSync | FLock | SpliceToFile)
    }

    /// Whether it makes a process or a thread.
    pub fn makes_an_actor(self) -> bool {
        matches!(self, Syscall::Fork | Syscall::PthreadCreate)
    }

    /// Whether it waits for the end of a process or a thread that its caller has made.
    pub fn waits_for_an_actor(self) -> bool {
        matches!(self, Syscall::WaitPid | Syscall::PthreadJoin)
    }

    /// Whether it returns a descriptor of a socket.
    pub fn opens(self) -> bool {
        matches!(self, Syscall::Socket | Syscall::Accept | Syscall::DupFd)
    }

    /// Whether it waits for descriptors to become ready, for a time at most.
    pub fn polls(self) -> bool {
        matches!(self, Syscall::Poll | Syscall::EpollWait)
    }

    /// Whether it is a call of `epoll(7)`.
    pub fn is_of_epoll(self) -> bool {
        matches!(self, Syscall::EpollCreate1 | Syscall::EpollCtl | Syscall::EpollWait)
    }
}

named! {
    /// What a command that a role has started does, seen from outside while it sleeps.
    CommandState {
        Reads = "read",
        Writes = "write",
        HasLeftAProgram = "left",
    }
}

named! {
    /// A state of a TCP connection, in the words of RFC 9293.
    TcpState {
        Established = "ESTABLISHED",
        SynSent = "SYN-SENT",
        SynReceived = "SYN-RECEIVED",
        FinWait1 = "FIN-WAIT-1",
        FinWait2 = "FIN-WAIT-2",
        TimeWait = "TIME-WAIT",
        Closed = "CLOSED",
        CloseWait = "CLOSE-WAIT",
        LastAck = "LAST-ACK",
        Listen = "LISTEN",
        Closing = "CLOSING",
    }
}

impl TcpState {
    /// The state that the kernel gives by this number, `<net/tcp_states.h>`.
    pub fn of_kernel(number: u8) -> Option<TcpState> {
        use TcpState::*;
        let states = [
            Established,
            SynSent,
            SynReceived,
            FinWait1,
            FinWait2,
            TimeWait,
            Closed,
            CloseWait,
            LastAck,
            Listen,
            Closing,
            // One that the kernel has not made a socket of yet, TCP_NEW_SYN_RECV.
            SynReceived,
        ];
        states.get(usize::from(number).checked_sub(1)?).copied()
    }
}

named! {
    /// What the stage concluded about roles.
    Finding {
        EveryoneWaits = "everyone waits",
        NobodyIsLeft = "nobody is left",
        RoleGoesRound = "a role goes round",
        TimerRuns = "a timer runs",
        RoleHangs = "a role hangs",
    }
}

named! {
    /// An option of a socket, `socket(7)`, `ip(7)`, `ipv6(7)`, `tcp(7)`.
    SocketOption {
        AttachFilter = "SO_ATTACH_FILTER",
        Error = "SO_ERROR",
        KeepAlive = "SO_KEEPALIVE",
        Linger = "SO_LINGER",
        MemInfo = "SO_MEMINFO",
        PeerCred = "SO_PEERCRED",
        RcvBuf = "SO_RCVBUF",
        RcvTimeo = "SO_RCVTIMEO",
        ReuseAddr = "SO_REUSEADDR",
        ReusePort = "SO_REUSEPORT",
        RxqOvfl = "SO_RXQ_OVFL",
        SndBuf = "SO_SNDBUF",
        SndTimeo = "SO_SNDTIMEO",
        Type = "SO_TYPE",
        RecvErr = "IP_RECVERR",
        V6Only = "IPV6_V6ONLY",
        Cork = "TCP_CORK",
        Info = "TCP_INFO",
        KeepCnt = "TCP_KEEPCNT",
        KeepIdle = "TCP_KEEPIDLE",
        KeepIntvl = "TCP_KEEPINTVL",
        MaxSeg = "TCP_MAXSEG",
        NoDelay = "TCP_NODELAY",
        QuickAck = "TCP_QUICKACK",
        UserTimeout = "TCP_USER_TIMEOUT",
    }
}

impl SocketOption {
    /// The protocol level at which it is set, by C's name.
    pub fn level(self) -> &'static str {
        use SocketOption::*;
        match self {
            RecvErr => "IPPROTO_IP",
            V6Only => "IPPROTO_IPV6",
            Cork | Info | KeepCnt | KeepIdle | KeepIntvl | MaxSeg | NoDelay | QuickAck | UserTimeout => "IPPROTO_TCP",
            AttachFilter | Error | KeepAlive | Linger | MemInfo | PeerCred | RcvBuf | RcvTimeo | ReuseAddr
            | ReusePort | RxqOvfl | SndBuf | SndTimeo | Type => "SOL_SOCKET",
        }
    }
}

named! {
    /// The type of a socket, `socket(2)`.
    SocketType {
        Stream = "SOCK_STREAM",
        Datagram = "SOCK_DGRAM",
        SeqPacket = "SOCK_SEQPACKET",
        Raw = "SOCK_RAW",
        Rdm = "SOCK_RDM",
        Other = "another type",
    }
}

/// Defines a set of bits as the kernel takes them, shown by their names in C, in this order; `0` for none.
macro_rules! bits {
    ($(#[$about:meta])* $set:ident { $($bit:ident)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $set(pub i32);

        impl $set {
            /// Whether all of these bits are set.
            pub fn contains(self, bits: i32) -> bool {
                self.0 & bits == bits
            }
        }

        impl fmt::Display for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let names = joined(&[$((libc::$bit, stringify!($bit))),*], self.0);
                f.write_str(if names.is_empty() { "0" } else { &names })
            }
        }
    };
}

bits! {
    /// Flags of `send(2)` and `recv(2)`.
    MessageFlags {
        MSG_PEEK MSG_TRUNC MSG_DONTWAIT MSG_WAITALL MSG_MORE MSG_OOB MSG_ERRQUEUE MSG_CTRUNC MSG_CMSG_CLOEXEC
    }
}

impl MessageFlags {
    /// Whether none is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

bits! {
    /// Flags of an open file description, `F_GETFL` of `fcntl(2)`. Of the access modes only `O_RDWR` has a name here:
    /// every socket has it.
    StatusFlags { O_RDWR O_APPEND O_NONBLOCK }
}

bits! {
    /// Events of `epoll(7)`, and how they are to be reported.
    EpollEvents { EPOLLIN EPOLLOUT EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLONESHOT EPOLLET }
}

/// Events of `poll(2)`, as the bits that the kernel takes. Shown by their names in C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollEvents(pub i16);

impl PollEvents {
    /// Whether all of these bits are set, as `libc::POLLIN`.
    pub fn contains(self, events: i16) -> bool {
        self.0 & events == events
    }
}

impl fmt::Display for PollEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(i32, &str); 5] = [
            (libc::POLLIN as i32, "POLLIN"),
            (libc::POLLOUT as i32, "POLLOUT"),
            (libc::POLLERR as i32, "POLLERR"),
            (libc::POLLHUP as i32, "POLLHUP"),
            (libc::POLLRDHUP as i32, "POLLRDHUP"),
        ];
        f.write_str(&joined(&NAMES, self.0.into()))
    }
}

/// A descriptor that an `epoll_wait` reported, and what it is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Its number.
    pub fd: RawFd,
    /// What it is ready for.
    pub events: EpollEvents,
}

impl Ready {
    /// Whether all of these bits are set, as `libc::EPOLLIN`.
    pub fn is(self, events: i32) -> bool {
        self.events.contains(events)
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fd, self.events)
    }
}

/// The names of the bits that are set, in the order of the table.
fn joined(names: &[(i32, &'static str)], bits: i32) -> String {
    let set: Vec<&str> = names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    set.join("|")
}

/// A signal as `signal(7)` calls it, or `signal` and the number for one without a name.
pub fn signal_name(number: i32) -> String {
    const NAMES: [&str; 31] = [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    let name = usize::try_from(number - 1).ok().and_then(|index| NAMES.get(index));
    name.map_or_else(|| format!("signal {number}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_shown_by_their_names() {
        assert_eq!(MessageFlags(libc::MSG_PEEK | libc::MSG_DONTWAIT).to_string(), "MSG_PEEK|MSG_DONTWAIT");
        assert_eq!(MessageFlags(0).to_string(), "0");
        assert_eq!(StatusFlags(libc::O_RDWR | libc::O_NONBLOCK).to_string(), "O_RDWR|O_NONBLOCK");
        assert_eq!(PollEvents(libc::POLLOUT | libc::POLLERR).to_string(), "POLLOUT|POLLERR");
        assert_eq!(EpollEvents(libc::EPOLLIN | libc::EPOLLET).to_string(), "EPOLLIN|EPOLLET");
        assert_eq!(Ready { fd: 5, events: EpollEvents(libc::EPOLLOUT) }.to_string(), "5 EPOLLOUT");
    }

    #[test]
    fn a_role_that_dies_of_a_rare_signal_is_told_by_its_name() {
        assert_eq!(signal_name(libc::SIGBUS), "SIGBUS");
        assert_eq!(signal_name(libc::SIGKILL), "SIGKILL");
        assert_eq!(signal_name(34), "signal 34");
    }
}
