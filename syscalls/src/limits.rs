//! Resource limits, `getrlimit(2)`.

use crate::errno::{Errno, checked_int};
use crate::process::Pid;

/// A limited resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Bytes of address space, each process.
    AddressSpace,
    /// Bytes of a core dump.
    CoreDump,
    /// Seconds of processor time, each process.
    CpuTime,
    /// Bytes of a file that is written to.
    FileSize,
    /// One above the highest descriptor, each process.
    OpenFiles,
    /// Processes and threads of the user; not enforced for the host's root.
    Processes,
}

/// The number of a resource, in the type that the C library has for it.
macro_rules! number {
    ($resource:expr) => {
        match $resource {
            Resource::AddressSpace => libc::RLIMIT_AS,
            Resource::CoreDump => libc::RLIMIT_CORE,
            Resource::CpuTime => libc::RLIMIT_CPU,
            Resource::FileSize => libc::RLIMIT_FSIZE,
            Resource::OpenFiles => libc::RLIMIT_NOFILE,
            Resource::Processes => libc::RLIMIT_NPROC,
        }
    };
}

/// `setrlimit(2)`: soft and hard limit become `value`, or stay at the present hard limit where that is lower.
/// Does not allocate.
///
/// # Errors
/// Those of `setrlimit(2)`.
pub fn limit(resource: Resource, value: u64) -> Result<(), Errno> {
    let resource = number!(resource);
    let mut present = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `present` is a valid structure for the kernel to fill, and lives through the call.
    checked_int(unsafe { libc::getrlimit(resource, &raw mut present) })?;
    let value = value.min(present.rlim_max);
    let wanted = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: `wanted` outlives the call and is only read.
    checked_int(unsafe { libc::setrlimit(resource, &raw const wanted) }).map(drop)
}

/// `setrlimit(2)`: the soft limit becomes as high as the hard one, and is answered.
///
/// # Errors
/// Those of `setrlimit(2)`.
pub fn raise(resource: Resource) -> Result<u64, Errno> {
    let resource = number!(resource);
    let mut present = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `present` is a valid structure for the kernel to fill, and lives through the call.
    checked_int(unsafe { libc::getrlimit(resource, &raw mut present) })?;
    present.rlim_cur = present.rlim_max;
    // SAFETY: `present` outlives the call and is only read.
    checked_int(unsafe { libc::setrlimit(resource, &raw const present) })?;
    Ok(present.rlim_cur)
}

/// `prlimit(2)`: the soft limit of `process`, which may be a thread of it; `u64::MAX` without one.
///
/// # Errors
/// Those of `prlimit(2)`: `EPERM` for a process of another user, `ESRCH` when it is gone.
pub fn limit_of(process: Pid, resource: Resource) -> Result<u64, Errno> {
    let mut present = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a null pointer means that nothing is set; `present` is a valid structure for the kernel to fill, and lives
    // through the call.
    checked_int(unsafe { libc::prlimit(process.number(), number!(resource), std::ptr::null(), &raw mut present) })?;
    Ok(present.rlim_cur)
}
