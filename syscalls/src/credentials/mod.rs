//! Users and capabilities: `credentials(7)`, `capabilities(7)`.

pub mod thread;

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked, checked_int};

/// Bits of a capability set: bit N is capability number N of `include/uapi/linux/capability.h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySet(pub u64);

/// `struct __user_cap_header_struct` and `struct __user_cap_data_struct`, version 3.
#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct CapData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const _: () = assert!(size_of::<[CapData; 2]>() == 24);

/// Arguments of prctl(2), which takes each at the width of a register.
const ONE: libc::c_ulong = 1;
const UNUSED: libc::c_ulong = 0;
const CLEAR_ALL: libc::c_ulong = 4;

const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// Above the last capability that any kernel has; the bounding set is asked for each number up to here.
const CAPABILITY_NUMBERS: u32 = 64;

/// `geteuid(2)`.
pub fn effective_user() -> u32 {
    // SAFETY: the call has no arguments and always succeeds.
    unsafe { libc::geteuid() }
}

/// `getuid(2)`.
pub fn real_user() -> u32 {
    // SAFETY: the call has no arguments and always succeeds.
    unsafe { libc::getuid() }
}

/// `getsockopt(2)` with `SO_PEERCRED` on a connected Unix socket: the effective user of whoever called `listen(2)` at the
/// other end. Does not allocate.
///
/// # Errors
/// Those of `getsockopt(2)`.
pub fn peer_user(socket: BorrowedFd<'_>) -> Result<u32, Errno> {
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let size = size_of::<libc::ucred>();
    let mut length = libc::socklen_t::try_from(size).map_err(|_| Errno::INVALID)?;
    // SAFETY: the kernel writes at most `length` bytes, the size of `peer`; both outlive the call.
    checked_int(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    })?;
    if usize::try_from(length) == Ok(size) { Ok(peer.uid) } else { Err(Errno::INVALID) }
}

/// `prctl(2)` with `PR_SET_NO_NEW_PRIVS`: no `execve(2)` grants more than the thread has. Does not allocate.
///
/// # Errors
/// Those of `prctl(2)`.
pub fn set_no_new_privs() -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, ONE, UNUSED, UNUSED, UNUSED) }).map(drop)
}

/// Leaves the calling thread, and all it starts, no capability but `kept`: bounding, ambient, inheritable, permitted
/// and effective set. Whoever may not shrink the bounding set has none that no_new_privs would let it use.
/// Does not allocate.
///
/// # Errors
/// `EPERM` when `kept` names a capability the thread does not have.
pub fn keep_capabilities(kept: CapabilitySet) -> Result<(), Errno> {
    shrink_bounding_set(kept)?;
    set_capabilities(kept, kept, kept)
}

/// The same for a thread that executes nothing: `permitted` are not effective until it raises them.
///
/// # Errors
/// As [`keep_capabilities`], for either set.
pub fn keep_capabilities_permitting(kept: CapabilitySet, permitted: CapabilitySet) -> Result<(), Errno> {
    shrink_bounding_set(CapabilitySet::default())?;
    set_capabilities(kept, CapabilitySet(kept.0 | permitted.0), CapabilitySet::default())
}

/// Takes everything but `kept` from the calling thread's bounding set, which all it starts inherits: what was taken here need
/// not be taken there again. Does not allocate.
pub fn limit_bounding_set(kept: CapabilitySet) {
    for number in (0..CAPABILITY_NUMBERS).filter(|number| kept.0 >> number & 1 == 0) {
        let change = |request| {
            // SAFETY: both requests take numbers only.
            checked_int(unsafe { libc::prctl(request, libc::c_ulong::from(number), UNUSED, UNUSED, UNUSED) })
        };
        // Every removal copies the thread's credentials, so what is not there is not removed.
        let gone = change(libc::PR_CAPBSET_READ).and_then(|is_there| match is_there {
            0 => Ok(0),
            _ => change(libc::PR_CAPBSET_DROP),
        });
        if gone.is_err() {
            // EINVAL: past the kernel's last capability. EPERM: not root, so there is nothing to lose.
            break;
        }
    }
}

fn shrink_bounding_set(kept: CapabilitySet) -> Result<(), Errno> {
    limit_bounding_set(kept);
    // SAFETY: the call takes numbers only.
    let cleared = checked_int(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, CLEAR_ALL, UNUSED, UNUSED, UNUSED) });
    if cleared.is_err_and(|errno| errno != Errno::INVALID) { cleared.map(drop) } else { Ok(()) }
}

fn set_capabilities(
    effective: CapabilitySet,
    permitted: CapabilitySet,
    inheritable: CapabilitySet,
) -> Result<(), Errno> {
    let half = |set: CapabilitySet, shift: u32| u32::try_from(set.0 >> shift & u64::from(u32::MAX)).unwrap_or(0);
    let data = [0, 32].map(|shift| CapData {
        effective: half(effective, shift),
        permitted: half(permitted, shift),
        inheritable: half(inheritable, shift),
    });
    let header = CapHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    // SAFETY: version 3 makes the kernel read one header and two data structures; both outlive the call.
    checked(unsafe { libc::syscall(libc::SYS_capset, std::ptr::from_ref(&header), data.as_ptr()) }).map(drop)
}

/// Numbers of `include/uapi/linux/capability.h`.
pub mod number {
    pub const CHOWN: u32 = 0;
    pub const DAC_OVERRIDE: u32 = 1;
    pub const DAC_READ_SEARCH: u32 = 2;
    pub const FOWNER: u32 = 3;
    pub const FSETID: u32 = 4;
    pub const KILL: u32 = 5;
    pub const SETGID: u32 = 6;
    pub const SETUID: u32 = 7;
    pub const NET_BIND_SERVICE: u32 = 10;
    pub const SYS_PTRACE: u32 = 19;
}
