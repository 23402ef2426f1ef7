//! Hosts: network namespaces of our own, or this machine's loopback where there can be none.
//!
//! A private host has its own loopback, ports, TIME-WAIT table and settings, and nothing outside can reach it. It is
//! made with `unshare(2)` and goes away with the last process in it: there is nothing to tidy up.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use rustix::process::{getegid, geteuid};
use rustix::rand::{GetRandomFlags, getrandom};
use socket2::{Domain, Socket, Type};

use super::limits::Attempted;
use crate::sys::{self, Setting};
use crate::trace::error_name;
use crate::wire::{self, Plan, Script, Wire};

/// Which hosts a run asks for.
#[derive(Clone, Debug)]
pub enum Choice {
    /// Private ones where the machine allows it.
    Best,
    /// This machine's loopback, with free ports in place of the classic ones.
    Loopback,
    /// Two private ones and a wire between them.
    Wire(Plan),
}

/// The hosts of a stage.
pub enum Hosts {
    /// A user namespace of our own, in which network namespaces can be made.
    Private {
        /// Whether nothing has happened in the present network namespace: else the next scene gets another one.
        fresh: bool,
    },
    /// The same, for two hosts with a wire.
    Wired {
        /// As of [`Hosts::Private`].
        fresh: bool,
        /// What was asked of the wire. A scene's own plan comes before it.
        plan: Plan,
    },
    /// This machine's loopback, and why.
    Loopback(NoPrivateHost),
}

/// Why there is no private host.
#[derive(Debug)]
pub enum NoPrivateHost {
    /// It was asked for.
    Asked,
    /// A step was refused.
    Refused {
        /// What was attempted: `unshare(CLONE_NEWUSER)`, `write to /proc/self/uid_map`.
        step: &'static str,
        /// What it failed with.
        error: io::Error,
    },
}

impl fmt::Display for NoPrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPrivateHost::Asked => write!(f, "asked for"),
            NoPrivateHost::Refused { step, error } => write!(f, "{step}: {}", error_name(error)),
        }
    }
}

/// Settings of a host, so that every machine tells the same story: the files under `/proc/sys/net` and what they hold.
const SETTINGS: [(&str, &str); 16] = [
    ("ipv6/conf/all/disable_ipv6", "1"),
    ("ipv4/tcp_congestion_control", "reno"),
    ("ipv4/tcp_rmem", "4096 131072 6291456"),
    ("ipv4/tcp_wmem", "4096 16384 4194304"),
    // Timestamps are this machine's clock, without an offset of each connection's own.
    ("ipv4/tcp_timestamps", "2"),
    // No probe sends a lost tail again within milliseconds: on a held wire it would go off by chance.
    ("ipv4/tcp_early_retrans", "0"),
    // How many answers in a row make a connection interactive, so that acknowledgements wait for data to ride on: 3
    // from Linux 5.1 on, 1 again from 6.0 on, a setting since 6.7.
    ("ipv4/tcp_pingpong_thresh", "1"),
    // How many SYNs are repeated after the same time, before each wait is twice the one before: a setting since 6.5.
    ("ipv4/tcp_syn_linear_timeouts", "4"),
    // No receiver waits up to a millisecond to answer several segments at once.
    ("ipv4/tcp_comp_sack_nr", "0"),
    // A large send goes in bursts, each of which ends in PSH. Their size shall not depend on the round trip.
    ("ipv4/tcp_min_tso_segs", "64"),
    // One datagram more than this is in a queue of unix(7) before its sender waits.
    ("unix/max_dgram_qlen", "10"),
    ("ipv4/ip_local_port_range", "32768 60999"),
    // Loopback's errors are not rationed; those that cross a wire shall not be either.
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_msgs_per_sec", "100000"),
    ("ipv4/icmp_msgs_burst", "100000"),
    // Hosts that are made from here have a table of TCP connections of their own (Linux 6.1). The machine's has many
    // times as many rows, and each look at the kernel's timers reads every one.
    ("ipv4/tcp_child_ehash_entries", "4096"),
];

impl Hosts {
    /// Enters a user namespace in which this process, though an ordinary user outside, may make hosts.
    ///
    /// Call it before this process has threads. Where it is refused, the process goes on on the machine's loopback.
    pub fn open(choice: Choice) -> Hosts {
        match choice {
            Choice::Loopback => Hosts::Loopback(NoPrivateHost::Asked),
            Choice::Best | Choice::Wire(_) => match (enter_user_namespace().and_then(|()| new_network()), choice) {
                (Ok(()), Choice::Wire(plan)) => Hosts::Wired { fresh: true, plan },
                (Ok(()), _) => Hosts::Private { fresh: true },
                (Err(refused), _) => Hosts::Loopback(refused),
            },
        }
    }

    /// What was asked of the wire, where there is one.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Hosts::Wired { plan, .. } => Some(&plan.script),
            Hosts::Private { .. } | Hosts::Loopback(_) => None,
        }
    }

    /// The settings, files under `/proc/sys/net`, that have another value here than the labs were made with, and cannot
    /// be given it: on the machine's own loopback, where the kernel does not know the setting, or where it is
    /// read-only.
    pub fn unpinned(&self) -> Vec<String> {
        let private = !matches!(self, Hosts::Loopback(_));
        let has_it = |(file, value): &&(&str, &str)| {
            let path = format!("/proc/sys/net/{file}");
            let is_there =
                || fs::read_to_string(&path).is_ok_and(|is| is.split_whitespace().eq(value.split_whitespace()));
            (private && fs::write(&path, value).is_ok()) || is_there()
        };
        SETTINGS.iter().filter(|setting| !has_it(setting)).map(|(file, _)| (*file).to_owned()).collect()
    }

    /// Prepares hosts on which nothing has happened, and says at which address the port that a lab calls `port` is. A
    /// wire does what `scene` says, and then what was asked for. A private host without a wire has these settings
    /// besides those of all hosts: files under `/proc/sys/net` and what they hold.
    ///
    /// # Errors
    /// The step that failed, with its remedy: the namespace, its loopback, or the wire.
    pub fn prepare(
        &mut self,
        port: u16,
        scene: &Plan,
        settings: &[(&str, &str)],
    ) -> io::Result<(SocketAddr, Option<Wire>)> {
        if let Hosts::Private { fresh } | Hosts::Wired { fresh, .. } = self
            && !std::mem::take(fresh)
        {
            sys::unshare(libc::CLONE_NEWNET).attempted("unshare(CLONE_NEWNET)")?;
        }
        match self {
            Hosts::Private { .. } => {
                settle_in_with(&[&SETTINGS, settings].concat())?;
                Ok((SocketAddr::from((Ipv4Addr::LOCALHOST, port)), None))
            }
            Hosts::Wired { plan, .. } => {
                // What is ours of the wire is in a third namespace: no role sees it, and nothing else is there.
                settle_in()?;
                let wire = Wire::lay(scene.and(plan), settle_in).attempted("make a wire")?;
                Ok((SocketAddr::from((wire::ADDRESSES[1], port)), Some(wire)))
            }
            Hosts::Loopback(_) => Ok((SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)), None)),
        }
    }
}

/// A user namespace whose one user is this process's own, under a number that is not root's: what a role executes there
/// has no capabilities, and port 80 is as closed to it as to anybody.
pub(crate) fn enter_user_namespace() -> Result<(), NoPrivateHost> {
    const INSIDE: u32 = 1000;
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    step("unshare(CLONE_NEWUSER)", sys::unshare(libc::CLONE_NEWUSER))?;
    // An ordinary user may map a group only after giving up setgroups(2), user_namespaces(7).
    step("write to /proc/self/setgroups", fs::write("/proc/self/setgroups", "deny"))?;
    step("write to /proc/self/uid_map", fs::write("/proc/self/uid_map", format!("{INSIDE} {user} 1")))?;
    step("write to /proc/self/gid_map", fs::write("/proc/self/gid_map", format!("{INSIDE} {group} 1")))
}

pub(crate) fn new_network() -> Result<(), NoPrivateHost> {
    step("unshare(CLONE_NEWNET)", sys::unshare(libc::CLONE_NEWNET))
}

/// Gives this network namespace its settings and its loopback.
fn settle_in() -> io::Result<()> {
    settle_in_with(&SETTINGS)
}

/// The same with other settings: files under `/proc/sys/net` and what they shall hold.
pub(crate) fn settle_in_with(settings: &[(&str, &str)]) -> io::Result<()> {
    for (file, value) in settings {
        // Some containers show /proc/sys read-only. The labs set what they depend on themselves.
        let _ = fs::write(format!("/proc/sys/net/{file}"), value);
    }
    sys::set_interface("lo", Setting::Up).attempted("set the loopback up")
}

fn step(step: &'static str, result: io::Result<()>) -> Result<(), NoPrivateHost> {
    result.map_err(|error| NoPrivateHost::Refused { step, error })
}

/// How many ports in a row a lab may use: the server's is the first.
pub(super) const PORTS: u16 = 5;

/// A port that is free for TCP and UDP alike, as are those behind it. They lie below the ports that the kernel hands
/// out by itself, so that no connection can be given one meanwhile, and no `connect` to one can meet itself.
fn free_port() -> io::Result<u16> {
    free_ports()
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no port between 20000 and 32000 is free"))
}

/// All such ports, each found to be free when it is asked for.
pub(crate) fn free_ports() -> impl Iterator<Item = u16> {
    // Two programs begin far from each other. Their own numbers would not do: in two containers they may be the same.
    let mut drawn = [0; 2];
    let begin = match getrandom(&mut drawn, GetRandomFlags::NONBLOCK) {
        Ok(_) => u16::from_ne_bytes(drawn),
        Err(_) => (std::process::id() % 2_000 * 97 % 2_000) as u16,
    };
    let first = 20_000 + begin % 2_000 * PORTS;
    // Without SO_REUSEADDR, which the standard library sets: what an earlier scene has left in TIME-WAIT counts.
    let taken = |port: u16| {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into();
        [Type::STREAM, Type::DGRAM]
            .into_iter()
            .any(|kind| Socket::new(Domain::IPV4, kind, None).and_then(|socket| socket.bind(&at)).is_err())
    };
    (first..32_000).step_by(PORTS.into()).filter(move |port| !(*port..port + PORTS).any(taken))
}
