//! What a role's process may have, `setrlimit(2)`.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::trace::recorder::traced;
use crate::trace::{Call, Syscall, Value, Wait};

/// How many descriptors this process may have open at once, `RLIMIT_NOFILE`: no new one gets this number or a larger
/// one. No more than the hard limit, which only root raises.
///
/// # Errors
///
/// That of `setrlimit(2)`: not to be expected.
pub fn limit_descriptors(most: u64) -> io::Result<()> {
    let hard = getrlimit(Resource::Nofile).maximum;
    let current = hard.map_or(most, |hard| most.min(hard));
    limit(Resource::Nofile, "RLIMIT_NOFILE", current, i64::try_from(current).unwrap_or(i64::MAX))
}

/// From now on this process gets at most so many MiB of address space more than the bytes that it has, `RLIMIT_AS`.
///
/// # Errors
///
/// That of `setrlimit(2)`.
pub fn limit_address_space(has: u64, more: u32) -> io::Result<()> {
    let current = has + (u64::from(more) << 20);
    limit(Resource::As, "RLIMIT_AS", current, format!("{more} MiB more than there is"))
}

/// Sets the soft limit, which the trace has as `shown`.
fn limit(resource: Resource, name: &'static str, current: u64, shown: impl Into<Value>) -> io::Result<()> {
    let limit = Rlimit { current: Some(current), ..getrlimit(resource) };
    let call = Call::new(Syscall::SetRLimit, None).arg("resource", name).arg("rlim_cur", shown);
    traced(call, Wait::Never, |_| Ok(setrlimit(resource, limit)?))
}
