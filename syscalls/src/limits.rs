//! Resource limits, `getrlimit(2)`.

use crate::errno::{Errno, checked_int};

/// A limited resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Bytes of address space, each process.
    AddressSpace,
    /// Bytes of a core dump.
    CoreDump,
    /// Seconds of processor time, each process.
    CpuTime,
    /// One above the highest descriptor, each process.
    OpenFiles,
    /// Processes and threads of the user; not enforced for the host's root.
    Processes,
}

/// `setrlimit(2)`: soft and hard limit become `value`, or stay at the present hard limit where that is lower.
/// Does not allocate.
///
/// # Errors
/// Those of `setrlimit(2)`.
pub fn limit(resource: Resource, value: u64) -> Result<(), Errno> {
    let resource = match resource {
        Resource::AddressSpace => libc::RLIMIT_AS,
        Resource::CoreDump => libc::RLIMIT_CORE,
        Resource::CpuTime => libc::RLIMIT_CPU,
        Resource::OpenFiles => libc::RLIMIT_NOFILE,
        Resource::Processes => libc::RLIMIT_NPROC,
    };
    let mut present = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `present` is a valid structure for the kernel to fill, and lives through the call.
    checked_int(unsafe { libc::getrlimit(resource, &raw mut present) })?;
    let value = value.min(present.rlim_max);
    let wanted = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: `wanted` outlives the call and is only read.
    checked_int(unsafe { libc::setrlimit(resource, &raw const wanted) }).map(drop)
}
