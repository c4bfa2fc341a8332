//! `seccomp_unotify(2)`: system calls of another process, received, looked into and answered.

mod memory;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::abi::SockFilter;
use crate::errno::{Errno, checked, checked_int};
use crate::process::Pid;
use crate::seccomp::SockFprog;

pub use self::memory::{Memory, read_memory, write_memory};

/// The descriptor on which system calls arrive.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// The cookie of one notification (`seccomp_notif.id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotifyId(u64);

/// One system call of a thread that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub struct Notification {
    pub id: NotifyId,
    /// The thread that made the call.
    pub thread: Pid,
    pub number: i32,
    pub arguments: [u64; 6],
}

/// What waits at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// No process is left that could call. From then on [`Listener::receive`] does not wait any more.
    Abandoned,
    /// A call that nobody has received.
    Call,
    Nothing,
}

/// `struct seccomp_data` and `struct seccomp_notif` of `include/uapi/linux/seccomp.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct SeccompData {
    number: i32,
    arch: u32,
    instruction_pointer: u64,
    arguments: [u64; 6],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct SeccompNotif {
    id: u64,
    pid: u32,
    flags: u32,
    data: SeccompData,
}

#[repr(C)]
struct SeccompNotifResp {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

#[repr(C)]
struct SeccompNotifAddfd {
    id: u64,
    flags: u32,
    source: u32,
    target: u32,
    target_flags: u32,
}

const _: () = assert!(size_of::<SeccompNotif>() == 80);
const _: () = assert!(size_of::<SeccompNotifResp>() == 24);
const _: () = assert!(size_of::<SeccompNotifAddfd>() == 24);

const IOCTL_RECV: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const IOCTL_SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;
const IOCTL_ID_VALID: libc::Ioctl = 0x4008_2102_u32 as libc::Ioctl;
const IOCTL_ADDFD: libc::Ioctl = 0x4018_2103_u32 as libc::Ioctl;
const IOCTL_SET_FLAGS: libc::Ioctl = 0x4008_2104_u32 as libc::Ioctl;
const USER_NOTIF_FLAG_CONTINUE: u32 = 1;
const USER_NOTIF_FD_SYNC_WAKE_UP: libc::c_ulong = 1;
const ADDFD_FLAG_SEND: u32 = 1 << 1;
const SET_MODE_FILTER: libc::c_uint = 1;
const FILTER_FLAG_NEW_LISTENER: libc::c_uint = 1 << 3;
/// `include/uapi/linux/pidfd.h`, since Linux 6.9.
const PIDFD_THREAD: libc::c_uint = libc::O_EXCL.unsigned_abs();
/// Once received, only a fatal signal interrupts the caller (Linux 5.19). Not `1 << 4`, which is `TSYNC_ESRCH`.
const FILTER_FLAG_WAIT_KILLABLE_RECV: libc::c_uint = 1 << 5;

/// Loads `filter` for the calling thread and returns the number of the descriptor on which its calls arrive. The
/// descriptor belongs to this process, which closes it when it becomes the program. Does not allocate.
///
/// # Errors
/// `EBUSY` when a filter with a listener is already there, `EINVAL` before Linux 5.19.
pub fn load_with_listener(filter: &[SockFilter]) -> Result<i32, Errno> {
    let length = u16::try_from(filter.len()).map_err(|_| Errno::INVALID)?;
    let program = SockFprog { length, filter: filter.as_ptr() };
    let flags = FILTER_FLAG_NEW_LISTENER | FILTER_FLAG_WAIT_KILLABLE_RECV;
    // SAFETY: `program` and the instructions it points to outlive the call; `length` counts exactly those instructions.
    let fd =
        checked(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, std::ptr::from_ref(&program)) })?;
    i32::try_from(fd).map_err(|_| Errno::INVALID)
}

impl Listener {
    /// A descriptor that [`load_with_listener`] made.
    pub fn new(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// `SECCOMP_IOCTL_NOTIF_SET_FLAGS` with `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`: caller and receiver take turns on one
    /// processor (Linux 6.6).
    ///
    /// # Errors
    /// `EINVAL` on an older kernel.
    pub fn wake_up_synchronously(&self) -> Result<(), Errno> {
        // SAFETY: the request takes a number.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), IOCTL_SET_FLAGS, USER_NOTIF_FD_SYNC_WAKE_UP) }).map(drop)
    }

    /// `SECCOMP_IOCTL_NOTIF_RECV`: waits for the next call.
    ///
    /// # Errors
    /// `ENOENT` when the caller was killed meanwhile or no process is left that could call, `EINTR` for a signal.
    pub fn receive(&self) -> Result<Notification, Errno> {
        // The kernel refuses a structure that is not zeroed.
        let mut notif = SeccompNotif::default();
        // SAFETY: `notif` is writable, of the size the request number says, and lives through the call.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), IOCTL_RECV, &raw mut notif) })?;
        let thread = i32::try_from(notif.pid).ok().and_then(Pid::new).ok_or(Errno::NO_SUCH_PROCESS)?;
        Ok(Notification { id: NotifyId(notif.id), thread, number: notif.data.number, arguments: notif.data.arguments })
    }

    /// `poll(2)`: what [`Listener::receive`] would find now.
    pub fn pending(&self) -> Pending {
        let mut entry = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: `entry` is one writable structure, as the count says, and lives through the call.
        let ready = checked_int(unsafe { libc::poll(&raw mut entry, 1, 0) });
        match ready {
            Ok(_) if entry.revents & libc::POLLHUP != 0 => Pending::Abandoned,
            Ok(_) if entry.revents & libc::POLLIN != 0 => Pending::Call,
            Ok(_) | Err(_) => Pending::Nothing,
        }
    }

    /// `SECCOMP_IOCTL_NOTIF_ID_VALID`: whether the caller still waits. What was read about it before this is its own.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn still_waits(&self, id: NotifyId) -> Result<(), Errno> {
        // SAFETY: the request reads the eight bytes of the cookie, which outlives the call.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), IOCTL_ID_VALID, &raw const id.0) }).map(drop)
    }

    /// Lets the kernel carry the call out itself.
    ///
    /// # Errors
    /// `ENOENT` when the caller is gone.
    pub fn go_on(&self, id: NotifyId) -> Result<(), Errno> {
        self.respond(&SeccompNotifResp { id: id.0, value: 0, error: 0, flags: USER_NOTIF_FLAG_CONTINUE })
    }

    /// Answers the call with `outcome`: its return value, or its error.
    ///
    /// # Errors
    /// `ENOENT` when the caller is gone.
    pub fn answer(&self, id: NotifyId, outcome: Result<i64, Errno>) -> Result<(), Errno> {
        let (value, error) = match outcome {
            Ok(value) => (value, 0),
            Err(Errno(number)) => (0, -number),
        };
        self.respond(&SeccompNotifResp { id: id.0, value, error, flags: 0 })
    }

    /// `SECCOMP_IOCTL_NOTIF_ADDFD` with `SECCOMP_ADDFD_FLAG_SEND`: the caller gets a duplicate of `file`, and its call
    /// returns that descriptor's number.
    ///
    /// # Errors
    /// `ENOENT` when the caller is gone, `EMFILE` when its table is full, `EBADF` for a descriptor of `O_PATH`.
    pub fn hand_over(&self, id: NotifyId, file: BorrowedFd<'_>, close_on_exec: bool) -> Result<(), Errno> {
        let source = u32::try_from(file.as_raw_fd()).map_err(|_| Errno::INVALID)?;
        let target_flags = if close_on_exec { libc::O_CLOEXEC.unsigned_abs() } else { 0 };
        let add = SeccompNotifAddfd { id: id.0, flags: ADDFD_FLAG_SEND, source, target: 0, target_flags };
        // SAFETY: the request reads `add`, which outlives the call and has the size the request number says.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), IOCTL_ADDFD, &raw const add) }).map(drop)
    }

    /// `SECCOMP_IOCTL_NOTIF_ADDFD`: the caller gets a duplicate of `file`, whose number this answers with, and waits on. So this
    /// process can close `file` before the caller goes on: of a file open for writing or a FIFO, one descriptor more can be
    /// noticed, as `ETXTBSY` or as the other end.
    ///
    /// # Errors
    /// As [`Listener::hand_over`].
    pub fn add(&self, id: NotifyId, file: BorrowedFd<'_>, close_on_exec: bool) -> Result<i64, Errno> {
        let source = u32::try_from(file.as_raw_fd()).map_err(|_| Errno::INVALID)?;
        let target_flags = if close_on_exec { libc::O_CLOEXEC.unsigned_abs() } else { 0 };
        let add = SeccompNotifAddfd { id: id.0, flags: 0, source, target: 0, target_flags };
        // SAFETY: the request reads `add`, which outlives the call and has the size the request number says.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), IOCTL_ADDFD, &raw const add) }).map(i64::from)
    }

    fn respond(&self, response: &SeccompNotifResp) -> Result<(), Errno> {
        let response = std::ptr::from_ref(response).cast_mut();
        // SAFETY: the request reads the response, which outlives the call and has the size the request number says;
        // the kernel writes nothing to it.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), IOCTL_SEND, response) }).map(drop)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `pidfd_open(2)` and `pidfd_getfd(2)`: a duplicate of descriptor `number` of `thread`, which may have descriptors of its
/// own (`CLONE_FILES`) and outlive the thread that its process began with.
///
/// # Errors
/// `EPERM` without ptrace access to the thread, `EBADF` when it has no such descriptor. Before Linux 6.9 `ENOENT` or
/// `EINVAL` for another than the first thread of its process.
pub fn descriptor_of(thread: Pid, number: i32) -> Result<OwnedFd, Errno> {
    let open = |flags: libc::c_uint| {
        // SAFETY: the call takes numbers only.
        checked(unsafe { libc::syscall(libc::SYS_pidfd_open, thread.number(), flags) })
    };
    let pidfd = match open(PIDFD_THREAD) {
        Err(Errno::INVALID) => open(0)?,
        opened => opened?,
    };
    let pidfd = i32::try_from(pidfd).map_err(|_| Errno::INVALID)?;
    // SAFETY: pidfd_open(2) has just returned this descriptor, so nobody else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    // SAFETY: the call takes numbers only.
    let fd = checked(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), number, 0_u32) })?;
    let fd = i32::try_from(fd).map_err(|_| Errno::INVALID)?;
    // SAFETY: pidfd_getfd(2) has just returned this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
