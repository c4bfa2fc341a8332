//! Processes: started, replaced, waited for. Also the process settings of `prctl(2)`.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::errno::{Errno, checked, checked_int};
use crate::signal::Signal;

/// A process id, always above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pid(i32);

/// Which side of a `fork(2)` this is.
#[derive(Debug)]
pub enum Side {
    Child,
    Parent(Pid),
}

/// What `waitpid(2)` tells of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Exited(u8),
    Killed(Signal),
    Stopped(Signal),
}

/// Strings as `execve(2)` takes them: pointers that end with a null pointer, made before the fork.
#[derive(Debug)]
pub struct StringList {
    // Owns what `pointers` points into; a CString's bytes stay where they are when the vector or the list moves.
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

/// A thread, whatever becomes of its number (`pidfd_open(2)`).
#[derive(Debug)]
pub struct ThreadHandle(OwnedFd);

impl ThreadHandle {
    /// `pidfd_open(2)` with `PIDFD_THREAD` (Linux 6.9): the thread that has this number now.
    ///
    /// # Errors
    /// `ESRCH` when there is none, `EINVAL` on an older kernel.
    pub fn open(thread: Pid) -> Result<Self, Errno> {
        // PIDFD_THREAD is O_EXCL (linux/pidfd.h).
        // SAFETY: the call takes numbers only.
        let fd = checked(unsafe { libc::syscall(libc::SYS_pidfd_open, thread.0, libc::O_EXCL) })?;
        let fd = i32::try_from(fd).map_err(|_| Errno::INVALID)?;
        // SAFETY: pidfd_open(2) has just returned this descriptor, so nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// `poll(2)`: whether the thread has not ended, so that its number is still its own.
    pub fn is_alive(&self) -> bool {
        let mut entry = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: `entry` is one writable structure, as the count says, and lives through the call.
        let ready = checked_int(unsafe { libc::poll(&raw mut entry, 1, 0) });
        ready == Ok(0)
    }
}

impl Pid {
    /// The id `number`, if that can be a process.
    pub fn new(number: i32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    pub fn number(self) -> i32 {
        self.0
    }
}

impl StringList {
    pub fn new(strings: Vec<CString>) -> Self {
        let mut pointers: Vec<_> = strings.iter().map(|string| string.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Self { _strings: strings, pointers }
    }
}

/// `uname(2)`: the running kernel's release, such as `6.12.9`.
pub fn kernel_release() -> String {
    let mut names = std::mem::MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: `names` is writable memory of the size the kernel fills, and lives through the call.
    if checked_int(unsafe { libc::uname(names.as_mut_ptr()) }).is_err() {
        return String::new();
    }
    // SAFETY: uname(2) succeeded, so it has filled the whole structure.
    let names = unsafe { names.assume_init() };
    let bytes = names.release.iter().flat_map(|character| character.to_ne_bytes()).take_while(|&byte| byte != 0);
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// `getpid(2)`.
pub fn own_id() -> Pid {
    // SAFETY: the call has no arguments and always succeeds.
    Pid(unsafe { libc::getpid() })
}

/// `gettid(2)`: the calling thread.
pub fn own_thread() -> Pid {
    // SAFETY: the call has no arguments and always succeeds.
    Pid(unsafe { libc::gettid() })
}

/// `getppid(2)`; `None` when the parent is outside this process's PID namespace.
pub fn parent_id() -> Option<Pid> {
    // SAFETY: the call has no arguments and always succeeds.
    Pid::new(unsafe { libc::getppid() })
}

/// `getpgid(2)`.
///
/// # Errors
/// Those of `getpgid(2)`.
pub fn process_group(pid: Pid) -> Result<Pid, Errno> {
    // SAFETY: the call takes a number only.
    checked_int(unsafe { libc::getpgid(pid.0) }).map(Pid)
}

/// `fork(2)`. The caller has one thread only, so that the child may do whatever the parent may.
///
/// # Errors
/// `EAGAIN` or `ENOMEM` when there can be no more processes.
pub fn fork() -> Result<Side, Errno> {
    // SAFETY: nono starts no thread before its last fork, so no lock can be held by a thread the child lacks.
    match checked_int(unsafe { libc::fork() })? {
        0 => Ok(Side::Child),
        pid => Ok(Side::Parent(Pid(pid))),
    }
}

/// `execve(2)`; returns only when it failed. Does not allocate.
pub fn execute(path: &CStr, arguments: &StringList, environment: &StringList) -> Errno {
    // SAFETY: both lists end with a null pointer and point to NUL-terminated strings that they own (StringList::new);
    // `path` is NUL-terminated.
    unsafe { libc::execve(path.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr()) };
    Errno::last()
}

/// `_exit(2)`: ends the process at once, without running destructors. Does not allocate.
pub fn exit_now(status: u8) -> ! {
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::_exit(libc::c_int::from(status)) }
}

/// `waitpid(2)` for any child, without waiting: the next one that ended or stopped, if there is one.
///
/// # Errors
/// `ECHILD` when there is no child.
pub fn next_change() -> Result<Option<(Pid, Change)>, Errno> {
    wait_any(libc::WNOHANG | libc::WUNTRACED)
}

/// `waitpid(2)` for any child: waits until one ends.
///
/// # Errors
/// `ECHILD` when there is no child.
pub fn wait_for_end() -> Result<Option<(Pid, Change)>, Errno> {
    wait_any(0)
}

/// `ptrace(2)` with `PTRACE_DETACH`: `pid` goes on with `signal`, and is traced no more.
///
/// # Errors
/// `ESRCH` when the calling thread does not trace it.
pub fn stop_tracing(pid: Pid, signal: Signal) -> Result<(), Errno> {
    // SAFETY: the request takes numbers only: the signal is in the place of a pointer.
    checked(unsafe { libc::ptrace(libc::PTRACE_DETACH, pid.0, 0_usize, libc::c_long::from(signal.0)) }).map(drop)
}

fn wait_any(options: libc::c_int) -> Result<Option<(Pid, Change)>, Errno> {
    let mut status = 0;
    // SAFETY: `status` is writable and lives through the call.
    let pid = match checked_int(unsafe { libc::waitpid(-1, &raw mut status, options) }) {
        Err(Errno::INTERRUPTED) | Ok(0) => return Ok(None),
        other => other?,
    };
    let change = if libc::WIFSTOPPED(status) {
        Change::Stopped(Signal(libc::WSTOPSIG(status)))
    } else if libc::WIFSIGNALED(status) {
        Change::Killed(Signal(libc::WTERMSIG(status)))
    } else {
        Change::Exited(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX))
    };
    Ok(Some((Pid(pid), change)))
}

/// `prctl(2)` with `PR_SET_PDEATHSIG`: the signal that comes when the parent thread ends. Does not allocate.
///
/// # Errors
/// Those of `prctl(2)`.
pub fn set_parent_death_signal(signal: Signal) -> Result<(), Errno> {
    set(libc::PR_SET_PDEATHSIG, libc::c_ulong::from(signal.0.unsigned_abs()))
}

/// `prctl(2)` with `PR_SET_CHILD_SUBREAPER`: orphans among the descendants become children of this process.
///
/// # Errors
/// Those of `prctl(2)`.
pub fn adopt_orphans() -> Result<(), Errno> {
    set(libc::PR_SET_CHILD_SUBREAPER, 1)
}

/// `prctl(2)` with `PR_SET_DUMPABLE`: without it there is no core dump, and no other process of the user may look into this
/// one's memory. Does not allocate.
///
/// # Errors
/// Those of `prctl(2)`.
pub fn set_dumpable(dumpable: bool) -> Result<(), Errno> {
    set(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable))
}

/// `prctl(2)` with `PR_SET_NAME`: what the calling thread is called, in the first thread the process as well
/// (`proc_pid_comm(5)`). More than 15 bytes are cut.
///
/// # Errors
/// Those of `prctl(2)`.
pub fn set_name(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads `name` up to its NUL byte, and it lives through the call.
    checked_int(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) }).map(drop)
}

fn set(option: libc::c_int, value: libc::c_ulong) -> Result<(), Errno> {
    const UNUSED: libc::c_ulong = 0;
    // SAFETY: the three options used here take numbers only, each of the width of a register.
    checked_int(unsafe { libc::prctl(option, value, UNUSED, UNUSED, UNUSED) }).map(drop)
}
