//! Entries of directories: made, removed, renamed, linked.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked, checked_int};

/// An entry of an open directory.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    pub directory: BorrowedFd<'e>,
    pub name: &'e CStr,
}

/// `unlinkat(2)`. `flags` is 0 or `AT_REMOVEDIR`.
///
/// # Errors
/// Those of `unlinkat(2)`.
pub fn remove(entry: Entry<'_>, flags: i32) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated and outlives the call.
    checked_int(unsafe { libc::unlinkat(entry.directory.as_raw_fd(), entry.name.as_ptr(), flags) }).map(drop)
}

/// `renameat2(2)`.
///
/// # Errors
/// Those of `renameat2(2)`.
pub fn rename(from: Entry<'_>, to: Entry<'_>, flags: u32) -> Result<(), Errno> {
    let (old, new) = (from.directory.as_raw_fd(), to.directory.as_raw_fd());
    // SAFETY: both names are NUL-terminated and outlive the call.
    checked(unsafe { libc::syscall(libc::SYS_renameat2, old, from.name.as_ptr(), new, to.name.as_ptr(), flags) })
        .map(drop)
}

/// `linkat(2)` without following: `to` becomes another name of `from`.
///
/// # Errors
/// Those of `linkat(2)`.
pub fn link(from: Entry<'_>, to: Entry<'_>) -> Result<(), Errno> {
    let (old, new) = (from.directory.as_raw_fd(), to.directory.as_raw_fd());
    // SAFETY: both names are NUL-terminated and outlive the call.
    checked_int(unsafe { libc::linkat(old, from.name.as_ptr(), new, to.name.as_ptr(), 0) }).map(drop)
}

/// `linkat(2)` through `/proc/self/fd`: `to` becomes another name of an open file, one without a name (`O_TMPFILE`)
/// included.
///
/// # Errors
/// Those of `linkat(2)`.
pub fn link_open(file_path: &CStr, to: Entry<'_>) -> Result<(), Errno> {
    let new = to.directory.as_raw_fd();
    // SAFETY: both names are NUL-terminated and outlive the call.
    checked_int(unsafe {
        libc::linkat(libc::AT_FDCWD, file_path.as_ptr(), new, to.name.as_ptr(), libc::AT_SYMLINK_FOLLOW)
    })
    .map(drop)
}

/// `symlinkat(2)`.
///
/// # Errors
/// Those of `symlinkat(2)`.
pub fn symlink(target: &CStr, entry: Entry<'_>) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated and outlive the call.
    checked_int(unsafe { libc::symlinkat(target.as_ptr(), entry.directory.as_raw_fd(), entry.name.as_ptr()) }).map(drop)
}

/// `mkdirat(2)`.
///
/// # Errors
/// Those of `mkdirat(2)`.
pub fn make_directory(entry: Entry<'_>, mode: u32) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated and outlives the call.
    checked_int(unsafe { libc::mkdirat(entry.directory.as_raw_fd(), entry.name.as_ptr(), mode) }).map(drop)
}

/// `mknodat(2)`.
///
/// # Errors
/// Those of `mknodat(2)`.
pub fn make_node(entry: Entry<'_>, mode: u32, device: u64) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated and outlives the call.
    checked_int(unsafe { libc::mknodat(entry.directory.as_raw_fd(), entry.name.as_ptr(), mode, device) }).map(drop)
}

/// `umask(2)`: sets the mask of new files and returns the one before. It belongs to the whole process.
pub fn set_umask(mask: u32) -> u32 {
    // SAFETY: the call takes a number and always succeeds.
    unsafe { libc::umask(mask) }
}
