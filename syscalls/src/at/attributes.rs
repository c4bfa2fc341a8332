//! What a file says about itself: mode, owner, times, extended attributes, length. Every call is on an open object.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked, checked_int};

/// A time for `utimensat(2)`, seconds and nanoseconds; `UTIME_NOW` and `UTIME_OMIT` stand in the latter.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    pub seconds: i64,
    pub nanoseconds: i64,
}

const _: () = assert!(size_of::<Time>() == size_of::<libc::timespec>());

/// `fchmodat2(2)` with `AT_EMPTY_PATH` (Linux 6.6), on an `O_PATH` descriptor too.
///
/// # Errors
/// Those of `fchmodat2(2)`; `EOPNOTSUPP` for a symbolic link.
pub fn set_mode(object: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    const SYS_FCHMODAT2: libc::c_long = 452;
    // SAFETY: the empty path is NUL-terminated and outlives the call.
    checked(unsafe { libc::syscall(SYS_FCHMODAT2, object.as_raw_fd(), c"".as_ptr(), mode, libc::AT_EMPTY_PATH) })
        .map(drop)
}

/// `fchownat(2)` with `AT_EMPTY_PATH`; `u32::MAX` leaves an id as it is.
///
/// # Errors
/// Those of `fchownat(2)`.
pub fn set_owner(object: BorrowedFd<'_>, user: u32, group: u32) -> Result<(), Errno> {
    // SAFETY: the empty path is NUL-terminated and outlives the call.
    checked_int(unsafe { libc::fchownat(object.as_raw_fd(), c"".as_ptr(), user, group, libc::AT_EMPTY_PATH) }).map(drop)
}

/// `utimensat(2)` with `AT_EMPTY_PATH`: access and modification time; `None` sets both to now.
///
/// # Errors
/// Those of `utimensat(2)`.
pub fn set_times(object: BorrowedFd<'_>, times: Option<&[Time; 2]>) -> Result<(), Errno> {
    let times = times.map_or(std::ptr::null(), |times| times.as_ptr().cast::<libc::timespec>());
    // SAFETY: the empty path is NUL-terminated; `times` is null or points to two structures of the layout that the
    // kernel reads (the assertion above), which outlive the call.
    checked_int(unsafe { libc::utimensat(object.as_raw_fd(), c"".as_ptr(), times, libc::AT_EMPTY_PATH) }).map(drop)
}

/// `setxattr(2)` by a path, which for an open object is its `/proc/self/fd` name.
///
/// # Errors
/// Those of `setxattr(2)`.
pub fn set_extended(path: &CStr, name: &CStr, value: &[u8], flags: i32) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated, `value` is readable for the length given with it, and all outlive the call.
    checked_int(unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), flags) })
        .map(drop)
}

/// `removexattr(2)` by a path, which for an open object is its `/proc/self/fd` name.
///
/// # Errors
/// Those of `removexattr(2)`.
pub fn remove_extended(path: &CStr, name: &CStr) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated and outlive the call.
    checked_int(unsafe { libc::removexattr(path.as_ptr(), name.as_ptr()) }).map(drop)
}

/// `truncate(2)` by a path, which for an open object is its `/proc/self/fd` name.
///
/// # Errors
/// Those of `truncate(2)`.
pub fn set_length(path: &CStr, length: i64) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and outlives the call.
    checked_int(unsafe { libc::truncate(path.as_ptr(), length) }).map(drop)
}
