//! Files as objects: opened without access, told apart, named.

pub mod names;
pub mod sealed;

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::at::{self, OpenHow, resolve};
use crate::errno::{Errno, checked, checked_int};

/// `S_IFMT` kinds of `inode(7)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    BlockDevice,
    CharacterDevice,
    Directory,
    Fifo,
    Regular,
    Socket,
    Symlink,
}

/// What `fstat(2)` tells of an open file.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    pub kind: FileType,
    /// What a device file stands for (`st_rdev`).
    pub device: u64,
    /// Permission bits, `07777`.
    pub mode: u32,
    pub owner: u32,
    /// Device and inode number: what the file is, whatever it is called.
    pub identity: (u64, u64),
    /// It has no name any more, or never had one.
    pub is_unlinked: bool,
    /// In bytes.
    pub size: u64,
    /// When the content was changed last, as whoever may write to it likes to have it: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When anything about it was changed last. Nobody sets it.
    pub changed: (i64, i64),
}

/// What `statx(2)` tells of a file that is about to be opened, and of one that was.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub kind: FileType,
    /// As [`Status::identity`] tells files apart, in other numbers.
    pub identity: (u64, u64),
    /// The mount that the file was found in: a number that is given once (Linux 6.8).
    pub mount: Option<u64>,
}

/// `open(2)` with `O_PATH`: the object a path leads to, symbolic links followed, without access to its content.
///
/// # Errors
/// Those of `open(2)`.
pub fn open_path(path: &CStr) -> Result<OwnedFd, Errno> {
    // SAFETY: `path` is a valid NUL-terminated string for the length of the call, which a CStr guarantees.
    let fd = checked_int(unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) })?;
    // SAFETY: open(2) has just returned this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `openat2(2)` with `O_PATH` and `RESOLVE_NO_SYMLINKS`: the object of a path on which there is no symbolic link, so that the
/// path, if it has no `..`, is the real one.
///
/// # Errors
/// Those of `openat2(2)`: `ELOOP` when there is a symbolic link; `ENOENT` and `ENOTDIR` when there is none before the part
/// that is missing; `ENOSYS` before Linux 5.6.
pub fn open_path_without_links(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = u64::from((libc::O_PATH | libc::O_CLOEXEC).unsigned_abs());
    at::open(None, path, &OpenHow { flags, mode: 0, resolve: resolve::NO_SYMLINKS })
}

/// [`open_path_without_links`] of what is to be a directory: anything else is found without being opened, and nothing has to
/// be closed again.
///
/// # Errors
/// `ENOTDIR` for anything else, also where it stands on the way; others as [`open_path_without_links`].
pub fn find_directory_without_links(path: &CStr) -> Result<(), Errno> {
    let flags = u64::from((libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC).unsigned_abs());
    at::open(None, path, &OpenHow { flags, mode: 0, resolve: resolve::NO_SYMLINKS }).map(drop)
}

/// `readlink(2)`, for whether there is a symbolic link: what it leads to is not read.
///
/// # Errors
/// `EINVAL` when there is something else, `ENOENT` or `ENOTDIR` when there is nothing; those of `readlink(2)`.
pub fn find_link(path: &CStr) -> Result<(), Errno> {
    let mut byte = 0_u8;
    // SAFETY: `path` is a valid NUL-terminated string for the length of the call, which a CStr guarantees, and `byte` is
    // writable for the one byte that the length allows.
    checked(unsafe { libc::readlink(path.as_ptr(), (&raw mut byte).cast(), 1) as libc::c_long }).map(drop)
}

/// `open(2)` for reading what must be a regular file: does not wait for a FIFO and takes no terminal.
///
/// # Errors
/// Those of `open(2)`.
pub fn open_read(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: `path` is a valid NUL-terminated string for the length of the call, which a CStr guarantees.
    let fd = checked_int(unsafe { libc::open(path.as_ptr(), flags) })?;
    // SAFETY: open(2) has just returned this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `fstat(2)`.
///
/// # Errors
/// Those of `fstat(2)`.
pub fn status(fd: BorrowedFd<'_>) -> Result<Status, Errno> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` is writable memory of the size the kernel fills, and lives through the call.
    checked_int(unsafe { libc::fstat(fd.as_raw_fd(), stat.as_mut_ptr()) })?;
    // SAFETY: fstat(2) succeeded, so it has filled the whole structure.
    let stat = unsafe { stat.assume_init() };
    let kind = kind(stat.st_mode);
    Ok(Status {
        kind,
        device: stat.st_rdev,
        mode: stat.st_mode & 0o7777,
        owner: stat.st_uid,
        identity: (stat.st_dev, stat.st_ino),
        is_unlinked: stat.st_nlink == 0,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: (stat.st_mtime, stat.st_mtime_nsec),
        changed: (stat.st_ctime, stat.st_ctime_nsec),
    })
}

/// `S_IFMT` of a mode.
fn kind(mode: libc::mode_t) -> FileType {
    match mode & libc::S_IFMT {
        libc::S_IFBLK => FileType::BlockDevice,
        libc::S_IFCHR => FileType::CharacterDevice,
        libc::S_IFDIR => FileType::Directory,
        libc::S_IFIFO => FileType::Fifo,
        libc::S_IFLNK => FileType::Symlink,
        libc::S_IFSOCK => FileType::Socket,
        _ => FileType::Regular,
    }
}

/// `statx(2)` of a path relative to `directory`, of `directory` itself where the path is empty. A symbolic link at the end is
/// not followed.
///
/// # Errors
/// Those of `statx(2)`.
pub fn sight(directory: Option<BorrowedFd<'_>>, path: &CStr) -> Result<Sight, Errno> {
    let directory = directory.map_or(libc::AT_FDCWD, |directory| directory.as_raw_fd());
    let flags = libc::AT_SYMLINK_NOFOLLOW | if path.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
    let mask = libc::STATX_TYPE | libc::STATX_INO | libc::STATX_MNT_ID_UNIQUE;
    let mut about = std::mem::MaybeUninit::<libc::statx>::uninit();
    // Not by the C library's function: the standard library may name that as one that need not be there, and what is linked
    // statically then has none.
    // SAFETY: `path` is NUL-terminated, and `about` is writable memory of the size the kernel fills; both outlive the call.
    checked(unsafe { libc::syscall(libc::SYS_statx, directory, path.as_ptr(), flags, mask, about.as_mut_ptr()) })?;
    // SAFETY: statx(2) succeeded, so it has filled the whole structure.
    let about = unsafe { about.assume_init() };
    let device = u64::from(about.stx_dev_major) << 32 | u64::from(about.stx_dev_minor);
    let mount = (about.stx_mask & libc::STATX_MNT_ID_UNIQUE != 0).then_some(about.stx_mnt_id);
    Ok(Sight { kind: kind(libc::mode_t::from(about.stx_mode)), identity: (device, about.stx_ino), mount })
}

/// `fcntl(2)`, `F_GETFL`: the flags of an open file.
///
/// # Errors
/// Those of `fcntl(2)`.
pub fn status_flags(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    // SAFETY: this command takes no argument.
    let flags = checked_int(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    Ok(u64::from(flags.unsigned_abs()))
}

/// `fcntl(2)`, `F_SETFL`: gives an open file those of `flags` that can be changed, and takes the others that can be from it.
///
/// # Errors
/// Those of `fcntl(2)`.
pub fn set_status_flags(fd: BorrowedFd<'_>, flags: u64) -> Result<(), Errno> {
    let flags = i32::try_from(flags).map_err(|_| Errno::INVALID)?;
    // SAFETY: this command takes a number.
    checked_int(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) }).map(drop)
}

/// `fstatfs(2)`: whether an open file belongs to a `/proc`, wherever that is mounted.
///
/// # Errors
/// Those of `fstatfs(2)`.
pub fn is_in_proc(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(magic(fd)? == i128::from(libc::PROC_SUPER_MAGIC))
}

/// `f_type` of `statfs(2)`, which has a sign in one C library and none in the other.
fn magic(fd: BorrowedFd<'_>) -> Result<i128, Errno> {
    let mut about = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `about` is writable memory of the size the kernel fills, and lives through the call.
    match checked_int(unsafe { libc::fstatfs(fd.as_raw_fd(), about.as_mut_ptr()) }) {
        // The server of a FUSE filesystem, whom the kernel asks, may not know this call; every other filesystem does.
        Err(Errno::NO_SYSCALL) => return Ok(libc::FUSE_SUPER_MAGIC.into()),
        answered => answered?,
    };
    // SAFETY: fstatfs(2) succeeded, so it has filled the whole structure.
    let about = unsafe { about.assume_init() };
    Ok(about.f_type.into())
}

/// The path the kernel has for an open file (`/proc/self/fd/N`, see `proc_pid_fd(5)`), written into `buffer`.
///
/// # Errors
/// Those of `readlink(2)`; `ENAMETOOLONG` when the path fills the buffer.
pub fn real_path<'b>(fd: BorrowedFd<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    let mut link = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = [0_u8; 10];
    let mut number = fd.as_raw_fd().unsigned_abs();
    let mut count = 0_usize;
    loop {
        digits[count] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        count += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for (place, digit) in digits[..count].iter().rev().enumerate() {
        link[14 + place] = *digit;
    }
    // SAFETY: `link` ends with NUL bytes, since at most 10 of the 12 places after the slash are digits; `buffer` is
    // writable for the length given with it.
    let length = checked(unsafe {
        libc::readlink(link.as_ptr().cast(), buffer.as_mut_ptr().cast(), buffer.len()) as libc::c_long
    })?;
    let length = usize::try_from(length).unwrap_or(0);
    if length == buffer.len() {
        return Err(Errno(libc::ENAMETOOLONG));
    }
    Ok(&buffer[..length])
}

/// `access(2)` with `X_OK`: whether the calling user may execute the file.
///
/// # Errors
/// Those of `access(2)`.
pub fn may_execute(path: &CStr) -> Result<(), Errno> {
    // SAFETY: `path` is a valid NUL-terminated string for the length of the call, which a CStr guarantees.
    checked_int(unsafe { libc::access(path.as_ptr(), libc::X_OK) }).map(drop)
}

/// `chdir(2)`.
///
/// # Errors
/// Those of `chdir(2)`.
pub fn change_directory(path: &CStr) -> Result<(), Errno> {
    // SAFETY: `path` is a valid NUL-terminated string for the length of the call, which a CStr guarantees.
    checked_int(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

/// `close_range(2)` with `CLOSE_RANGE_CLOEXEC`: no descriptor from `first` on outlives the next `execve(2)`.
///
/// # Errors
/// Those of `close_range(2)`; `ENOSYS` before Linux 5.9, `EINVAL` before 5.11.
pub fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 1 << 2;
    // SAFETY: the call takes numbers only, and closes nothing before the program is replaced.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, CLOSE_RANGE_CLOEXEC) }).map(drop)
}

/// `F_SETOWN` of `fcntl(2)` with 0: nobody is signalled any more for the news of what is open as `number`, which other processes
/// may have open as well. A number that is not open, or without access, has no news.
///
/// # Errors
/// Those of `fcntl(2)`, but for `EBADF`.
pub fn disown(number: RawFd) -> Result<(), Errno> {
    // SAFETY: this command takes a number, and changes nothing that this process holds by a type.
    match checked_int(unsafe { libc::fcntl(number, libc::F_SETOWN, 0) }) {
        Ok(_) | Err(Errno::BAD_DESCRIPTOR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// `flock(2)`: an exclusive lock on the open file, until every descriptor of it is closed. Without `wait` it fails at once
/// where somebody else has it.
///
/// # Errors
/// `EAGAIN` when somebody else has it, `EINTR` for a signal.
pub fn lock(fd: BorrowedFd<'_>, wait: bool) -> Result<(), Errno> {
    let operation = if wait { libc::LOCK_EX } else { libc::LOCK_EX | libc::LOCK_NB };
    // SAFETY: the call takes numbers only, and `fd` is open as long as it is borrowed.
    checked_int(unsafe { libc::flock(fd.as_raw_fd(), operation) }).map(drop)
}

/// `sync_file_range(2)` with `SYNC_FILE_RANGE_WRITE`: the file's content is on its way to the disk. Nothing is promised before it is
/// synced, and so an error is left for that to tell.
pub fn begin_writing(fd: BorrowedFd<'_>) {
    // SAFETY: the call takes numbers only, and `fd` is open as long as it is borrowed.
    let _ = unsafe { libc::sync_file_range(fd.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

/// `pipe2(2)` with `O_CLOEXEC`: the reading end, then the writing end.
///
/// # Errors
/// Those of `pipe2(2)`.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = [0_i32; 2];
    // SAFETY: `ends` has room for the two descriptors that pipe2(2) writes.
    checked_int(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: pipe2(2) has just returned this descriptor, so nobody else owns it.
    let read = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: as above, for the other end.
    let write = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    Ok((read, write))
}

/// `memfd_create(2)`: a file without a name that holds `bytes`, and that nobody can change any more.
///
/// # Errors
/// Those of `memfd_create(2)`, `write(2)` and `fcntl(2)`.
pub fn sealed(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    // SAFETY: the name is a valid NUL-terminated string for the length of the call.
    let fd = checked_int(unsafe { libc::memfd_create(c"nono".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) })?;
    // SAFETY: memfd_create(2) has just returned this descriptor, so nobody else owns it.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[write(file.as_fd(), rest)?.min(rest.len())..];
    }
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: this command takes a number.
    checked_int(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
    Ok(file)
}

/// `write(2)`, once: for short records into a pipe, which are written whole (`pipe(7)`, `PIPE_BUF`).
///
/// # Errors
/// Those of `write(2)`.
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: `bytes` is readable for the length given with it.
    let written = checked(unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) as libc::c_long })?;
    Ok(usize::try_from(written).unwrap_or(0))
}

/// `read(2)`, again when a signal interrupted it.
///
/// # Errors
/// Those of `read(2)`.
pub fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: `buffer` is writable for the length given with it.
        let got =
            checked(unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) as libc::c_long });
        match got {
            Err(Errno::INTERRUPTED) => {}
            other => return other.map(|length| usize::try_from(length).unwrap_or(0)),
        }
    }
}
