//! The restrictions that a process puts on itself and its children: Landlock and seccomp.

use std::collections::BTreeMap;
use std::path::Path;

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
        for path in ["/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"] {
            rules = allow(rules, Path::new(path), read)?;
        }
        for path in &plan.visible {
            rules = allow(rules, Path::new(path), read)?;
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

/// System calls that are refused with `EPERM`: they reach beyond a program's own processes and files.
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
];

/// `open_tree_attr(2)` of Linux 6.15, which `libc` does not have. The number is the same on all machines.
const OPEN_TREE_ATTR: i64 = 467;

/// System calls that are not there (`ENOSYS`): programs that use them fall back to others. Flags of `clone3` are in
/// memory, where a filter cannot look.
const ABSENT: &[i64] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

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
    let has = |argument, bit: i32| {
        let bit = bit as u32 as u64;
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), bit).map_err(say)
    };
    let rule = |conditions| SeccompRule::new(conditions).map_err(say);
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    if !plan.layers.has(Layer::Processes) {
        refused.insert(libc::SYS_ptrace, Vec::new());
    }
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let others = families.into_iter().map(|family| is_not(0, family)).collect::<Result<_, _>>()?;
    let sockets = vec![
        rule(others)?,
        rule(vec![is(0, libc::AF_NETLINK.into())?, is_not(2, libc::NETLINK_ROUTE)?])?,
        rule(vec![has(1, libc::SOCK_RAW)?, is_not(0, libc::AF_NETLINK)?])?,
    ];
    refused.insert(libc::SYS_socket, sockets);
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
    [(refused, libc::EPERM), (absent, libc::ENOSYS)]
        .into_iter()
        .map(|(rules, errno)| {
            let arch: TargetArch = std::env::consts::ARCH.try_into().map_err(say)?;
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch);
            let program: BpfProgram = filter.map_err(say)?.try_into().map_err(say)?;
            Ok(with_one_numbering(program))
        })
        .collect()
}

/// The x32 calls of x86-64 have numbers of their own, which no rule names: they are not there.
fn with_one_numbering(program: BpfProgram) -> BpfProgram {
    if cfg!(not(target_arch = "x86_64")) {
        return program;
    }
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32: u32 = 0x4000_0000;
    const FAIL: u32 = 0x0005_0000;
    let prefix = [
        sock_filter { code: LOAD_WORD, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_GREATER_OR_EQUAL, jt: 0, jf: 1, k: X32 },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: FAIL | libc::ENOSYS as u32 },
    ];
    prefix.into_iter().chain(program).collect()
}
