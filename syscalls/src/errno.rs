//! The error of a system call.

use std::fmt;
use std::io;

/// An error number, see `errno(3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    pub const ACCESS: Self = Self(libc::EACCES);
    pub const ADDRESS_IN_USE: Self = Self(libc::EADDRINUSE);
    /// A connection is being made already.
    pub const ALREADY: Self = Self(libc::EALREADY);
    pub const BAD_DESCRIPTOR: Self = Self(libc::EBADF);
    pub const BROKEN_PIPE: Self = Self(libc::EPIPE);
    pub const BUSY: Self = Self(libc::EBUSY);
    pub const CHILD: Self = Self(libc::ECHILD);
    pub const CONNECTION_REFUSED: Self = Self(libc::ECONNREFUSED);
    pub const EXISTS: Self = Self(libc::EEXIST);
    /// `EAFNOSUPPORT`.
    pub const FAMILY: Self = Self(libc::EAFNOSUPPORT);
    pub const FAULT: Self = Self(libc::EFAULT);
    pub const FILE_TOO_BIG: Self = Self(libc::EFBIG);
    pub const HOST_UNREACHABLE: Self = Self(libc::EHOSTUNREACH);
    pub const IN_PROGRESS: Self = Self(libc::EINPROGRESS);
    pub const INTERRUPTED: Self = Self(libc::EINTR);
    pub const INVALID: Self = Self(libc::EINVAL);
    pub const IO: Self = Self(libc::EIO);
    pub const IS_DIRECTORY: Self = Self(libc::EISDIR);
    pub const LOOP: Self = Self(libc::ELOOP);
    pub const MESSAGE_TOO_LONG: Self = Self(libc::EMSGSIZE);
    pub const NAME_TOO_LONG: Self = Self(libc::ENAMETOOLONG);
    pub const NOT_DIRECTORY: Self = Self(libc::ENOTDIR);
    pub const NOT_EXECUTABLE: Self = Self(libc::ENOEXEC);
    pub const NOT_FOUND: Self = Self(libc::ENOENT);
    pub const NOT_PERMITTED: Self = Self(libc::EPERM);
    pub const NO_BUFFERS: Self = Self(libc::ENOBUFS);
    pub const NO_DEVICE: Self = Self(libc::ENXIO);
    pub const NO_TERMINAL: Self = Self(libc::ENOTTY);
    pub const NO_SUCH_PROCESS: Self = Self(libc::ESRCH);
    pub const NO_SYSCALL: Self = Self(libc::ENOSYS);
    /// `EXDEV`, also of a path that leaves what it must stay in.
    pub const OTHER_FILESYSTEM: Self = Self(libc::EXDEV);
    /// `ERESTARTSYS` of the kernel: the call is made again after a signal's handler, or fails with `EINTR`, as the handler
    /// asks for (`SA_RESTART`). No program sees it.
    pub const RESTART: Self = Self(512);
    pub const TOO_MANY_FILES: Self = Self(libc::EMFILE);
    pub const TOO_BIG: Self = Self(libc::E2BIG);
    pub const TRY_AGAIN: Self = Self(libc::EAGAIN);

    /// The calling thread's `errno`. Does not allocate.
    pub fn last() -> Self {
        Self(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }
}

/// What the system calls the error, such as `Permission denied`. Allocates.
impl fmt::Display for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.0).to_string();
        // std appends ` (os error N)`, which says nothing to a user.
        out.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

impl std::error::Error for Errno {}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.0)
    }
}

/// A system call's result: -1 means that `errno` says why.
pub(crate) fn checked(result: libc::c_long) -> Result<libc::c_long, Errno> {
    if result == -1 { Err(Errno::last()) } else { Ok(result) }
}

/// The same for a wrapper of the C library, which returns an `int`.
pub(crate) fn checked_int(result: libc::c_int) -> Result<libc::c_int, Errno> {
    if result == -1 { Err(Errno::last()) } else { Ok(result) }
}
