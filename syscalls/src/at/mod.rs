//! System calls that take a directory and a name, so that what was looked up once is what is acted on.

pub mod attributes;
pub mod change;

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::errno::{Errno, checked};

/// `struct open_how` of `openat2(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHow {
    /// `O_*`.
    pub flags: u64,
    /// Permission bits of a file that is created; zero otherwise.
    pub mode: u64,
    /// `RESOLVE_*`.
    pub resolve: u64,
}

const _: () = assert!(size_of::<OpenHow>() == 24);

/// `O_*` of `open(2)`, for this architecture.
impl OpenHow {
    pub const ACCESS_MODE: u64 = flag(libc::O_ACCMODE);
    pub const ASYNC: u64 = flag(libc::O_ASYNC);
    pub const CLOSE_ON_EXEC: u64 = flag(libc::O_CLOEXEC);
    pub const CREATE: u64 = flag(libc::O_CREAT);
    pub const DIRECTORY: u64 = flag(libc::O_DIRECTORY);
    pub const EXCLUSIVE: u64 = flag(libc::O_EXCL);
    /// `O_LARGEFILE` of the kernel, which `open(2)` adds on every 64-bit machine; the C library's own is 0 there.
    #[cfg(target_arch = "x86_64")]
    pub const LARGE_FILE: u64 = 0o100_000;
    #[cfg(target_arch = "aarch64")]
    pub const LARGE_FILE: u64 = 0o400_000;
    pub const NON_BLOCKING: u64 = flag(libc::O_NONBLOCK);
    pub const NO_FOLLOW: u64 = flag(libc::O_NOFOLLOW);
    pub const NO_TERMINAL: u64 = flag(libc::O_NOCTTY);
    pub const PATH: u64 = flag(libc::O_PATH);
    pub const READ_ONLY: u64 = flag(libc::O_RDONLY);
    /// `O_TMPFILE`, which holds `O_DIRECTORY`.
    pub const TEMPORARY_FILE: u64 = flag(libc::O_TMPFILE);
    pub const TRUNCATE: u64 = flag(libc::O_TRUNC);
    /// Every flag there is (`VALID_OPEN_FLAGS` of the kernel): `open(2)` ignores others, `openat2(2)` refuses them.
    pub const VALID: u64 = 0x7f_ffc3;
    pub const WRITE_ONLY: u64 = flag(libc::O_WRONLY);
}

/// Every flag is positive.
const fn flag(value: libc::c_int) -> u64 {
    value.unsigned_abs() as u64
}

/// `RESOLVE_*` of `openat2(2)`.
pub mod resolve {
    pub const NO_XDEV: u64 = 0x01;
    pub const NO_MAGICLINKS: u64 = 0x02;
    pub const NO_SYMLINKS: u64 = 0x04;
    pub const BENEATH: u64 = 0x08;
    pub const IN_ROOT: u64 = 0x10;
    pub const CACHED: u64 = 0x20;
    /// Both that keep a path beneath where it starts; together they are refused.
    pub const SCOPED: u64 = BENEATH | IN_ROOT;
    /// Every flag there is.
    pub const VALID: u64 = 0x3f;
}

/// `openat2(2)` relative to `directory`; `None` stands for this process's own working directory.
///
/// # Errors
/// Those of `openat2(2)`.
pub fn open(directory: Option<BorrowedFd<'_>>, path: &CStr, how: &OpenHow) -> Result<OwnedFd, Errno> {
    let directory = directory.map_or(libc::AT_FDCWD, |directory| directory.as_raw_fd());
    // SAFETY: `path` is NUL-terminated and `how` has the size that is given with it; both outlive the call.
    let fd = checked(unsafe {
        libc::syscall(libc::SYS_openat2, directory, path.as_ptr(), std::ptr::from_ref(how), size_of::<OpenHow>())
    })?;
    let fd = i32::try_from(fd).map_err(|_| Errno::INVALID)?;
    // SAFETY: openat2(2) has just returned this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `readlinkat(2)`: the text of a symbolic link, written into `buffer`. An empty `name` reads the link that is open as
/// `directory`.
///
/// # Errors
/// `EINVAL` when it is no symbolic link, `ENAMETOOLONG` when the text fills the buffer.
pub fn read_link<'b>(directory: BorrowedFd<'_>, name: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    let directory = directory.as_raw_fd();
    // SAFETY: `name` is NUL-terminated, and `buffer` is writable for the length given with it.
    let length = checked(unsafe {
        libc::readlinkat(directory, name.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) as libc::c_long
    })?;
    let length = usize::try_from(length).unwrap_or(0);
    if length == buffer.len() { Err(Errno(libc::ENAMETOOLONG)) } else { Ok(&buffer[..length]) }
}
