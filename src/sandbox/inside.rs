//! The last steps of the program's process before it becomes the program.

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use landlock::{RulesetCreated, RulesetCreatedAttr, RulesetStatus};
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit, setsid};
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::thread::{
    CapabilitySet, CapabilitySets, CpuSet, capabilities, sched_getaffinity, sched_setaffinity, set_capabilities,
    set_no_new_privs,
};
use seccompiler::BpfProgram;

use super::config::{Layer, Layers, Limits};
use super::fault::{Fault, Step};
use super::identity::{self, Identity};
use crate::sys;

/// What the process takes with it.
pub struct ChildSetup<'a> {
    pub layers: Layers,
    pub limits: &'a Limits,
    pub identity: Identity,
    pub group: Entry<'a>,
    pub rules: Option<RulesetCreated>,
    pub filters: &'a [BpfProgram],
    pub scratch: &'a Path,
    pub standard: [OwnedFd; 3],
}

/// How the process gets into its control group.
pub enum Entry<'a> {
    /// It has none.
    None,
    /// By writing there.
    ToWrite(&'a OwnedFd),
    /// It was made in it.
    Made,
}

/// What is told when only `execve` is left to do. A fault may follow; if the process becomes the program, nothing does.
pub const PREPARED: &[u8] = b"\n";

/// Becomes the program. Returns only if that fails.
pub fn become_the_program(
    argv: &[OsString],
    env: &[(String, String)],
    setup: ChildSetup<'_>,
    mut tell: impl Write,
) -> Fault {
    match prepare(setup) {
        Ok(()) => {}
        Err(fault) => return fault,
    }
    let Some((program, arguments)) = argv.split_first() else {
        return Fault::new("execve", "there is no program");
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(env.iter().map(|(name, value)| (name, value)));
    if let Err(error) = tell.write_all(PREPARED) {
        return Err::<(), _>(error).step("write").expect_err("an error");
    }
    let failed: Result<(), _> = Err(command.exec());
    failed.step(&format!("execve({})", program.display())).expect_err("an error")
}

fn prepare(setup: ChildSetup<'_>) -> Result<(), Fault> {
    let [input, output, errors] = &setup.standard;
    setsid().step("setsid")?;
    rustix::stdio::dup2_stdin(input.as_fd()).step("dup2")?;
    rustix::stdio::dup2_stdout(output.as_fd()).step("dup2")?;
    rustix::stdio::dup2_stderr(errors.as_fd()).step("dup2")?;
    sys::children::close_at_exec(3).step("close_range")?;
    for signal in (1..32).filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal)) {
        sys::default_action(signal).step("signal")?;
    }
    sys::unblock_signals().step("sigprocmask")?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::chdir(setup.scratch).step("chdir")?;
    match setup.group {
        Entry::None => {}
        Entry::ToWrite(group) => {
            rustix::io::write(group, b"0").of(Layer::Cgroup, "enter the memory group")?;
        }
        Entry::Made if setup.layers.has(Layer::Names) => hide_group()?,
        Entry::Made => {}
    }
    if setup.layers.has(Layer::Limits) {
        // In a user namespace of its own the kernel counts only the program's processes, else all of the user's,
        // RLIMIT_NPROC of getrlimit(2).
        let others = if setup.layers.has(Layer::User) { 0 } else { identity::running_tasks(setup.identity)? };
        limit(setup.limits, others)?;
        keep_to_processors(setup.limits.processors)?;
    }
    if let Some((user, group)) = setup.identity.given {
        identity::change_to(user, group)?;
    }
    // After the change of user, which takes it back.
    set_parent_process_death_signal(Some(Signal::KILL)).step("prctl(PR_SET_PDEATHSIG)")?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_no_new_privs(true).step("prctl(PR_SET_NO_NEW_PRIVS)")?;
    if let Some(rules) = setup.rules {
        let fault = |why: &str| Fault { layer: Some(Layer::Landlock), ..Fault::new("landlock_restrict_self", why) };
        let done = rules.no_new_privs(false).restrict_self().map_err(|error| fault(&error.to_string()))?;
        // The crate does what the kernel can, and goes on where it thinks that this is nothing.
        if done.ruleset == RulesetStatus::NotEnforced {
            return Err(fault("nothing is enforced, though the kernel has it"));
        }
    }
    set_capabilities(None, sets).of(Layer::User, "capset")?;
    for filter in setup.filters {
        seccompiler::apply_filter(filter).map_err(|error| Fault {
            layer: Some(Layer::Seccomp),
            ..Fault::new("load the filter", error.to_string())
        })?;
    }
    Ok(())
}

/// From now on the group that this process is in is the root of all that it sees of groups.
fn hide_group() -> Result<(), Fault> {
    let ours = capabilities(None).of(Layer::Names, "capget")?;
    let raised = CapabilitySets { effective: ours.effective | (ours.permitted & CapabilitySet::SYS_ADMIN), ..ours };
    set_capabilities(None, raised).of(Layer::Names, "capset")?;
    sys::unshare(libc::CLONE_NEWCGROUP).of(Layer::Names, "unshare(CLONE_NEWCGROUP)")
}

/// Lets this process, and what it starts, use only so many of the processors that it may use now: neighbours, from any
/// one on, so that programs of several sandboxes do not crowd on the same.
fn keep_to_processors(most: usize) -> Result<(), Fault> {
    let ours = sched_getaffinity(None).of(Layer::Limits, "sched_getaffinity")?;
    let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| ours.is_set(*cpu)).collect();
    if all.len() <= most {
        return Ok(());
    }
    let mut random = [0; 8];
    sys::retry_on_intr(|| getrandom(&mut random, GetRandomFlags::empty())).of(Layer::Limits, "getrandom")?;
    let first = u64::from_ne_bytes(random) as usize % all.len();
    let mut few = CpuSet::new();
    all.iter().cycle().skip(first).take(most).for_each(|cpu| few.set(*cpu));
    sched_setaffinity(None, &few).of(Layer::Limits, "sched_setaffinity")
}

/// Sets the limits. `others` is how many processes and threads that are not the program's count against its own.
fn limit(limits: &Limits, others: u64) -> Result<(), Fault> {
    const MIB: u64 = 1 << 20;
    let cpu = limits.cpu.as_secs().max(1);
    let same = |value| (value, value);
    let table = [
        // A process that does not end at the first signal ends at the second.
        (Resource::Cpu, (cpu, cpu + 1)),
        (Resource::Fsize, same(limits.file_mib * MIB)),
        (Resource::Nofile, same(limits.files)),
        (Resource::Nproc, same(limits.processes + others)),
        (Resource::Core, same(0)),
        (Resource::Memlock, same(0)),
        (Resource::Msgqueue, same(0)),
        (Resource::Nice, same(0)),
        (Resource::Rtprio, same(0)),
        (Resource::Stack, same(8 * MIB)),
    ];
    let data = limits.data_mib.map(|data| (Resource::Data, same(data * MIB)));
    for (resource, (soft, hard)) in table.into_iter().chain(data) {
        // What was lowered outside cannot be raised here.
        let at_most = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Rlimit { current: Some(soft.min(at_most)), maximum: Some(hard.min(at_most)) };
        setrlimit(resource, limit).of(Layer::Limits, &format!("setrlimit({resource:?})"))?;
    }
    Ok(())
}
