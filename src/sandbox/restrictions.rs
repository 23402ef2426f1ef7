//! The restrictions that a process puts on itself and its children: Landlock and seccomp.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};

use super::config::Layer;
use super::fault::{Fault, Step};
use super::message::{Note, Plan};
use crate::sys;

/// The version of Landlock that has all that is wanted here: files, TCP ports, and the scope of signals.
const WHOLE: i32 = 6;

/// The rules for files, signals and, where there is no network of its own, ports.
///
/// # Errors
/// A fault of [`Layer::Landlock`] where the kernel has none.
pub fn landlock(plan: &Plan, scratch: &Path) -> Result<(RulesetCreated, Option<Note>), Fault> {
    let version = sys::children::landlock_version().of(Layer::Landlock, "landlock_create_ruleset")?;
    let note = (version < WHOLE).then(|| Note {
        layer: Layer::Landlock,
        why: format!("version {version} of it: signals are bounded from version {WHOLE} on"),
    });
    let rules = rules(plan, scratch)
        .map_err(|why| Fault { layer: Some(Layer::Landlock), ..Fault::new("make Landlock's rules", why) })?;
    Ok((rules, note))
}

fn rules(plan: &Plan, scratch: &Path) -> Result<RulesetCreated, String> {
    let say = |error: landlock::RulesetError| error.to_string();
    let all = AccessFs::from_all(ABI::V6);
    let read = AccessFs::from_read(ABI::V6);
    let mut rules = Ruleset::default().handle_access(all).map_err(say)?;
    rules = rules.scope(Scope::Signal | Scope::AbstractUnixSocket).map_err(say)?;
    let has_network = plan.layers.has(Layer::Network);
    if !has_network {
        rules = rules.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp).map_err(say)?;
    }
    let mut rules = rules.create().map_err(say)?;
    let allow = |rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>| -> Result<_, String> {
        let Ok(fd) = PathFd::new(path) else { return Ok(rules) };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(ABI::V6) };
        rules.add_rule(PathBeneath::new(fd, access)).map_err(say)
    };
    if plan.layers.has(Layer::Files) {
        rules = allow(rules, Path::new("/"), read)?;
        rules = allow(rules, Path::new("/tmp"), all)?;
    } else {
        let usual = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"].map(Path::new);
        for path in usual.into_iter().chain(plan.visible.iter().map(Path::new)) {
            for (path, whole) in without_hidden(path, &plan.hidden) {
                rules = allow(rules, &path, if whole { read } else { AccessFs::ReadDir.into() })?;
            }
        }
    }
    for device in ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"] {
        rules = allow(rules, Path::new(device), all)?;
    }
    if plan.layers.has(Layer::Files) {
        rules = allow(rules, Path::new("/dev/shm"), all)?;
    }
    rules = allow(rules, scratch, all)?;
    if !has_network {
        rules = rules.add_rule(NetPort::new(plan.port, AccessNet::BindTcp | AccessNet::ConnectTcp)).map_err(say)?;
    }
    Ok(rules)
}

/// What may be read for a path to be read without what is hidden: whole files and folders, and folders of which only
/// the names may be read, since something in them is hidden.
fn without_hidden(path: &Path, hidden: &[OsString]) -> Vec<(PathBuf, bool)> {
    let Ok(real) = fs::canonicalize(path) else { return Vec::new() };
    let (mut found, mut paths) = (Vec::new(), vec![real]);
    while let Some(path) = paths.pop() {
        if hidden.iter().any(|one| path.starts_with(one)) {
            continue;
        }
        let is_whole = !hidden.iter().any(|one| Path::new(one).starts_with(&path));
        if !is_whole {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            // A link needs no rule: what counts is where it leads.
            let entries = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
            paths.extend(entries.map(|entry| entry.path()));
        }
        found.push((path, is_whole));
    }
    found
}

/// System calls that are refused with `EPERM`: they reach beyond a program's own processes and files.
///
/// All calls up to [`NEWEST`] were gone through. What stays open acts on what is the program's own: its memory
/// (`mseal`, `map_shadow_stack`, `process_madvise`), its files (`file_setattr`, `setxattrat`), its restrictions
/// (`landlock_…`, `seccomp`, `lsm_…_self_attr`); or is watched by the kernel alone, as `kill`, `sched_setattr` and
/// `ioprio_set`, which `tests/attacks/reach_init.py` tries on init.
const REFUSED: &[i64] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_vhangup,
    libc::SYS_lookup_dcookie,
    // Where the memory of others lies.
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Both write out what others have written, on all of the machine's disks. Files of a sandbox are in memory.
    libc::SYS_sync,
    libc::SYS_syncfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// `open_tree_attr(2)` of Linux 6.15, which `libc` does not have. The number is the same on all machines.
const OPEN_TREE_ATTR: i64 = 467;

/// System calls that are not there (`ENOSYS`): programs that use them fall back to others. Flags of `clone3` are in
/// memory, where a filter cannot look; what `io_setup` hands out is counted for the machine as a whole.
const ABSENT: &[i64] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_setup,
    libc::SYS_memfd_secret,
    STATMOUNT,
    LISTMOUNT,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// They tell of mounts (Linux 6.8), and `libc` does not have them. The numbers are the same on all machines.
const STATMOUNT: i64 = 457;
const LISTMOUNT: i64 = 458;

/// The newest system call that was looked at, `file_setattr` of Linux 6.17. What a newer kernel has besides is not
/// there, until somebody has looked at it. The number is the same on all machines.
const NEWEST: u32 = 469;

/// What `prctl(2)` calls the groups of processes that share a core: who makes one keeps others from its other half.
const PR_SCHED_CORE: i64 = 62;

/// The protocol that goes on top of a TCP connection, in the kernel: TLS for example.
const TCP_ULP: i64 = 31;

/// The filters, to be loaded one after the other.
///
/// # Errors
/// A fault of [`Layer::Seccomp`] on a machine that `seccompiler` does not know.
pub fn seccomp(plan: &Plan) -> Result<Vec<BpfProgram>, Fault> {
    filters(plan).map_err(|why| Fault { layer: Some(Layer::Seccomp), ..Fault::new("make the filters", why) })
}

fn filters(plan: &Plan) -> Result<Vec<BpfProgram>, String> {
    let say = |error: seccompiler::BackendError| error.to_string();
    let is = |argument, value: i64| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value as u64).map_err(say)
    };
    let is_not = |argument, value: i32| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value as u64).map_err(say)
    };
    let is_given =
        |argument| SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0).map_err(say);
    let has = |argument, bit: i32| {
        let bit = bit as u32 as u64;
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), bit).map_err(say)
    };
    let rule = |conditions| SeccompRule::new(conditions).map_err(say);
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    if !plan.layers.has(Layer::Processes) {
        refused.insert(libc::SYS_ptrace, Vec::new());
        // The priorities of the judge and of init, if they have its user. With a process namespace it does not see the
        // one, and the other has capabilities.
        for call in [
            libc::SYS_sched_setaffinity,
            libc::SYS_sched_setscheduler,
            libc::SYS_sched_setparam,
            libc::SYS_sched_setattr,
        ] {
            refused.insert(call, vec![rule(vec![is_not(0, 0)?])?]);
        }
        const IOPRIO_WHO_PROCESS: i32 = 1;
        for (call, process) in
            [(libc::SYS_setpriority, libc::PRIO_PROCESS as i32), (libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS)]
        {
            refused.insert(call, vec![rule(vec![is_not(0, process)?])?, rule(vec![is_not(1, 0)?])?]);
        }
    }
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let others = families.into_iter().map(|family| is_not(0, family)).collect::<Result<_, _>>()?;
    let sockets = vec![
        rule(others)?,
        rule(vec![is(0, libc::AF_NETLINK.into())?, is_not(2, libc::NETLINK_ROUTE)?])?,
        rule(vec![has(1, libc::SOCK_RAW)?, is_not(0, libc::AF_NETLINK)?])?,
    ];
    refused.insert(libc::SYS_socket, sockets);
    // Limits of others: init may have the same user. 0 is the caller, as in setrlimit(3); a filter does not know the
    // caller's number, so one that gives its own is refused, too. Reading is free.
    refused.insert(libc::SYS_prlimit64, vec![rule(vec![is_not(0, 0)?, is_given(2)?])?]);
    refused.insert(libc::SYS_prctl, vec![rule(vec![is(0, PR_SCHED_CORE)?])?]);
    let namespaces = [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    let clones = namespaces.into_iter().map(|flag| rule(vec![has(0, flag)?])).collect::<Result<_, _>>()?;
    refused.insert(libc::SYS_clone, clones);
    // Typing into a terminal, and talking to the console.
    const TIOCLINUX: i64 = 0x541C;
    let terminals = vec![rule(vec![is(1, libc::TIOCSTI as i64)?])?, rule(vec![is(1, TIOCLINUX)?])?];
    refused.insert(libc::SYS_ioctl, terminals);
    let absent = ABSENT.iter().map(|call| (*call, Vec::new())).collect();
    // Of the Internet's sockets TCP and UDP, each by its number or as what a type stands for. The others answer as
    // where the kernel has no such protocol: Go, which listens on Multipath TCP if there is one, goes on with TCP.
    let mut unknown: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let mut other = vec![is(0, family.into())?];
        for protocol in [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP] {
            other.push(is_not(2, protocol)?);
        }
        let rules: &mut Vec<SeccompRule> = unknown.entry(libc::SYS_socket).or_default();
        rules.push(rule(other)?);
        // All types but 1 and 2 have one of these bits; a raw one is refused above.
        for bit in [4, 8] {
            rules.push(rule(vec![is(0, family.into())?, has(1, bit)?])?);
        }
    }
    unknown.insert(libc::SYS_socketpair, vec![rule(vec![is_not(0, libc::AF_UNIX)?])?]);
    unknown.insert(libc::SYS_setsockopt, vec![rule(vec![is(1, libc::IPPROTO_TCP.into())?, is(2, TCP_ULP)?])?]);
    [(refused, libc::EPERM), (absent, libc::ENOSYS), (unknown, libc::EPROTONOSUPPORT)]
        .into_iter()
        .map(|(rules, errno)| {
            let arch: TargetArch = std::env::consts::ARCH.try_into().map_err(say)?;
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch);
            let program: BpfProgram = filter.map_err(say)?.try_into().map_err(say)?;
            Ok(if errno == libc::ENOSYS { up_to_the_newest(program) } else { program })
        })
        .collect()
}

/// What is newer than [`NEWEST`] is not there; neither are the x32 calls of x86-64, whose numbers are higher still.
fn up_to_the_newest(program: BpfProgram) -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER: u16 = 0x25;
    const RETURN: u16 = 0x06;
    const FAIL: u32 = 0x0005_0000;
    let prefix = [
        sock_filter { code: LOAD_WORD, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_GREATER, jt: 0, jf: 1, k: NEWEST },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: FAIL | libc::ENOSYS as u32 },
    ];
    prefix.into_iter().chain(program).collect()
}
