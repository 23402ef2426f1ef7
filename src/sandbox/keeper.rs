//! The keeper: the process that leaves for namespaces of its own and starts init there.
//!
//! It is a fresh program, not a fork of the owner: what the owner has in memory is not here, and it has one thread.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior, setsid};
use rustix::thread::{CapabilitySet, capabilities};

use super::cgroup::{self, Version};
use super::config::Layer;
use super::fault::{Fault, Step};
use super::identity::{Identity, change_to};
use super::init;
use super::message::{self, FromInit, Plan, ToInit};
use crate::stage::host;
use crate::sys::{self, Forked};

/// The argument by which a program knows that it is a keeper.
pub const ARGUMENT: &str = "__keeper";

/// The longest that the owner may take to send its configuration.
const PATIENCE: Duration = Duration::from_secs(10);

/// Programs run under this user id and the keeper's process id, where the keeper may choose: no two living sandboxes
/// have the same.
const FIRST_USER: u32 = 1_900_000_000;

/// Settings of a sandbox's host: files under `/proc/sys/net` and what they hold.
const SETTINGS: [(&str, &str); 6] = [
    ("ipv4/tcp_congestion_control", "reno"),
    // What programs find with getsockopt is what most machines have; what buffers may grow to is less.
    ("ipv4/tcp_rmem", "4096 131072 1048576"),
    ("ipv4/tcp_wmem", "4096 16384 1048576"),
    ("ipv4/ip_local_port_range", "32768 60999"),
    // Servers may have any port, 80 for example.
    ("ipv4/ip_unprivileged_port_start", "0"),
    ("ipv4/icmp_ratelimit", "0"),
];

/// Is the keeper, if this process was started as one.
///
/// A program that opens sandboxes calls this first thing in its `main`, before it has threads.
pub fn keeper() -> Option<ExitCode> {
    // Whoever started this program may have ignored the ends of children, which execve(2) hands on: then nobody can
    // wait for one, neither the owner nor init. The call fails for no signal that this is.
    let _ = sys::default_action(libc::SIGCHLD);
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != ARGUMENT) || arguments.next().is_some() {
        return None;
    }
    let Ok(channel) = take_channel() else { return Some(ExitCode::FAILURE) };
    Some(match keep(channel) {
        Ok(()) => ExitCode::SUCCESS,
        Err((channel, fault)) => {
            // An owner that is gone needs no report.
            let _ = message::send(&channel, &FromInit::Fault(fault), &[]);
            ExitCode::FAILURE
        }
    })
}

/// The channel was our standard input, which is empty from now on.
fn take_channel() -> Result<OwnedFd, Fault> {
    let channel = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).step("take the channel")?;
    let nowhere = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty());
    rustix::stdio::dup2_stdin(&nowhere.step("open /dev/null")?).step("dup2")?;
    Ok(channel)
}

fn keep(channel: OwnedFd) -> Result<(), (OwnedFd, Fault)> {
    let prepared = || {
        // Ctrl-C in the owner's terminal is for the owner.
        setsid().step("setsid")?;
        // What is laid out has the modes that are written here, whatever the owner's mask.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let received = message::receive(&channel, PATIENCE).step("receive the configuration")?;
        let Some((ToInit::Prepare(plan), mut files)) = received else {
            return Err(Fault::new("receive the configuration", "something else came"));
        };
        let identity = leave(&plan)?;
        let forked = fork(&plan, &mut files)?;
        Ok((plan, files, identity, forked))
    };
    match prepared() {
        Ok((plan, files, identity, Forked::Child)) => init::serve(channel, *plan, files, identity),
        Ok((plan, .., Forked::Parent(_))) => {
            // Init has its own: when it is gone, the owner shall see that.
            drop(channel);
            let group = plan.group;
            while !matches!(sys::children::reap(true), Err(error) if error.raw_os_error() == Some(libc::ECHILD)) {}
            if let Some(group) = group {
                cgroup::tidy(Path::new(&group.folder));
            }
            Ok(())
        }
        Err(fault) => Err((channel, fault)),
    }
}

/// Makes init. The last of the files is the entry of its control group, if there is one: in version 2 it is made there,
/// in version 1 it enters by itself.
fn fork(plan: &Plan, files: &mut Vec<OwnedFd>) -> Result<Forked, Fault> {
    let is_made_there = plan.group.as_ref().is_some_and(|group| group.version == Version::Two && group.has_keep);
    match is_made_there.then(|| files.pop()).flatten() {
        Some(entry) => sys::fork_into(entry.as_fd()).of(Layer::Cgroup, "make init in its group"),
        None => sys::fork().step("fork"),
    }
}

/// Leaves for namespaces of its own, as far as the plan says.
fn leave(plan: &Plan) -> Result<Identity, Fault> {
    let identity = if plan.layers.has(Layer::User) { separate_user(plan)? } else { Identity { given: None } };
    for (layer, flag, step) in [
        (Layer::Ipc, libc::CLONE_NEWIPC, "unshare(CLONE_NEWIPC)"),
        (Layer::Names, libc::CLONE_NEWUTS, "unshare(CLONE_NEWUTS)"),
        (Layer::Network, libc::CLONE_NEWNET, "unshare(CLONE_NEWNET)"),
        (Layer::Processes, libc::CLONE_NEWPID, "unshare(CLONE_NEWPID)"),
    ] {
        if plan.layers.has(layer) {
            sys::unshare(flag).of(layer, step)?;
        }
    }
    if plan.layers.has(Layer::Names) {
        rustix::system::sethostname(b"sandbox").of(Layer::Names, "sethostname")?;
        // The program sees the group that it is in from this process's group on: of the machine's names there is none.
        // In version 2 no process can be made in a group beside that one from then on: there the program's does it.
        if !plan.group.as_ref().is_some_and(|group| group.version == Version::Two) {
            sys::unshare(libc::CLONE_NEWCGROUP).of(Layer::Names, "unshare(CLONE_NEWCGROUP)")?;
        }
    }
    if plan.layers.has(Layer::Network) {
        host::settle_in_with(&SETTINGS).of(Layer::Network, "set lo up")?;
    }
    Ok(identity)
}

/// Gives the program a user of its own: as root another user id, otherwise a user namespace.
fn separate_user(plan: &Plan) -> Result<Identity, Fault> {
    let of = |step: &'static str| move |fault: Fault| Fault { step: step.to_owned(), ..fault };
    let id = FIRST_USER + std::process::id();
    if geteuid().is_root() && is_mapped(id) {
        let ours = capabilities(None).of(Layer::User, "capget")?.effective;
        if ours.contains(CapabilitySet::SYS_ADMIN | CapabilitySet::SETUID | CapabilitySet::SETGID) {
            hand_over(plan, id)?;
            return Ok(Identity { given: Some((id, id)) });
        }
        // Root without the right to make namespaces makes them as an ordinary user.
        if ours.contains(CapabilitySet::SETUID | CapabilitySet::SETGID) {
            hand_over(plan, id)?;
            change_to(id, id).map_err(of("become an ordinary user"))?;
            set_dumpable_behavior(DumpableBehavior::Dumpable).of(Layer::User, "prctl(PR_SET_DUMPABLE)")?;
            // Where no namespace is asked for, that is all. Init is such a user, too: it looks at its own.
            let namespaces = [Layer::Network, Layer::Processes, Layer::Files, Layer::Ipc, Layer::Names];
            if !namespaces.into_iter().any(|layer| plan.layers.has(layer)) {
                return Ok(Identity { given: None });
            }
        }
    }
    host::enter_user_namespace().map_err(|refused| match refused {
        crate::stage::NoPrivateHost::Refused { step, error } => {
            Err::<(), _>(error).of(Layer::User, step).expect_err("an error")
        }
        crate::stage::NoPrivateHost::Asked => Fault::new("enter a user namespace", "it was not asked for"),
    })?;
    Ok(Identity { given: None })
}

/// Gives the scratch folder to the program's user, where it lies outside.
fn hand_over(plan: &Plan, id: u32) -> Result<(), Fault> {
    let Some(scratch) = &plan.scratch else { return Ok(()) };
    std::os::unix::fs::chown(scratch, Some(id), Some(id)).of(Layer::User, "give the scratch folder away")
}

/// Whether this user id exists here: in a container's user namespace most do not.
fn is_mapped(id: u32) -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(|word| word.parse::<u64>().unwrap_or(0));
        let (first, _, count) = (numbers.next(), numbers.next(), numbers.next());
        first.zip(count).is_some_and(|(first, count)| (first..first + count).contains(&u64::from(id)))
    })
}
