//! Memory that nobody can change any more, and whether anybody can change a file now.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::errno::{Errno, checked_int};

/// `MFD_NOEXEC_SEAL` of `linux/memfd.h`, since Linux 6.3.
const NO_EXEC_SEAL: libc::c_uint = 8;

/// `F_SETSIG` of `asm-generic/fcntl.h`.
const SET_SIGNAL: libc::c_int = 10;

/// `memfd_create(2)`: an empty file in memory that is called `name`, can be sealed, and never executed.
///
/// # Errors
/// Those of `memfd_create(2)`.
pub fn memory(name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | NO_EXEC_SEAL;
    // SAFETY: `name` is a valid NUL-terminated string for the length of the call, which a CStr guarantees.
    let fd = checked_int(unsafe { libc::memfd_create(name.as_ptr(), flags) })?;
    // SAFETY: memfd_create(2) has just returned this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `F_ADD_SEALS` of `fcntl(2)`: the content of `memory` stays as it is, whoever opens it and how.
///
/// # Errors
/// `EBUSY` when a writable mapping of it is left; those of `fcntl(2)`.
pub fn seal(memory: BorrowedFd<'_>) -> Result<(), Errno> {
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: this command takes a number.
    checked_int(unsafe { libc::fcntl(memory.as_raw_fd(), libc::F_ADD_SEALS, seals) }).map(drop)
}

/// `F_SETLEASE` of `fcntl(2)`, taken and given back: whether nobody has the file open for writing, or mapped so. `file` is
/// open for reading only.
///
/// # Errors
/// `EACCES` for a file of another user, `EINVAL` on a filesystem without leases; those of `fcntl(2)`.
pub fn nobody_writes(file: BorrowedFd<'_>) -> Result<bool, Errno> {
    // Whoever opens the file for writing in between makes a signal, which is ignored unless somebody handles it.
    // SAFETY: this command takes a number.
    checked_int(unsafe { libc::fcntl(file.as_raw_fd(), SET_SIGNAL, libc::SIGURG) })?;
    // SAFETY: this command takes a number.
    match checked_int(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) }) {
        Ok(_) => {
            // SAFETY: this command takes a number.
            checked_int(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) })?;
            Ok(true)
        }
        Err(Errno::TRY_AGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}
