//! `seccomp(2)`: loads a compiled filter.

use crate::abi::SockFilter;
use crate::errno::{Errno, checked};

/// `struct sock_fprog` of `include/uapi/linux/filter.h`.
#[repr(C)]
pub(crate) struct SockFprog {
    pub(crate) length: u16,
    pub(crate) filter: *const SockFilter,
}

const SECCOMP_SET_MODE_FILTER: libc::c_uint = 1;

/// `seccomp(2)` with `SECCOMP_SET_MODE_FILTER`: every system call of the calling thread, and of all it starts, goes
/// through `filter` from here on. Needs no_new_privs. Does not allocate.
///
/// # Errors
/// `EINVAL` for a program the kernel's checker refuses or one over 4096 instructions, `EACCES` without no_new_privs.
pub fn load(filter: &[SockFilter]) -> Result<(), Errno> {
    let length = u16::try_from(filter.len()).map_err(|_| Errno::INVALID)?;
    let program = SockFprog { length, filter: filter.as_ptr() };
    // SAFETY: `program` and the instructions it points to outlive the call; `length` counts exactly those instructions.
    checked(unsafe { libc::syscall(libc::SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0_u32, std::ptr::from_ref(&program)) })
        .map(drop)
}

/// Whether the kernel has filters at all: asking for one at address zero fails with `EFAULT` there and only there
/// (`seccomp(2)`).
pub fn available() -> bool {
    let none = std::ptr::null::<SockFprog>();
    // SAFETY: the kernel checks the pointer itself and answers EFAULT; nothing is installed.
    let answer = checked(unsafe { libc::syscall(libc::SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0_u32, none) });
    answer == Err(Errno(libc::EFAULT))
}
