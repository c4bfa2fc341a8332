//! Another process's memory, copied once.

use std::ffi::CString;
use std::os::fd::{AsRawFd as _, OwnedFd};

use crate::at::{self, OpenHow};
use crate::errno::{Errno, checked};
use crate::process::Pid;

/// The memory that a thread had when this was opened (`proc_pid_mem(5)`). With another program the thread gets another memory,
/// and this one is empty once nobody has it any more.
#[derive(Debug)]
pub struct Memory(OwnedFd);

impl Memory {
    /// Opens the memory of `thread` for reading.
    ///
    /// # Errors
    /// `EACCES` without ptrace access, `ENOENT` or `ESRCH` when the thread is gone.
    pub fn open(thread: Pid) -> Result<Self, Errno> {
        let path = CString::new(format!("/proc/{}/mem", thread.number())).map_err(|_| Errno::INVALID)?;
        let how = OpenHow { flags: OpenHow::READ_ONLY | OpenHow::CLOSE_ON_EXEC, mode: 0, resolve: 0 };
        at::open(None, &path, &how).map(Self)
    }

    /// `pread(2)`: copies up to `buffer.len()` bytes from `address`, fewer when the memory ends before that. It reads as a
    /// debugger does, also what the thread itself may not.
    ///
    /// # Errors
    /// `EIO` when nothing is mapped at `address`.
    pub fn read(&self, address: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
        let Ok(address) = libc::off64_t::try_from(address) else { return Err(Errno::FAULT) };
        let (fd, start, length) = (self.0.as_raw_fd(), buffer.as_mut_ptr(), buffer.len());
        // The C library's own function is a point of cancellation (`pthreads(7)`), which takes it as long as a short copy.
        // SAFETY: `buffer` is writable for the length given with it.
        let copied = checked(unsafe { libc::syscall(libc::SYS_pread64, fd, start, length, address) })?;
        Ok(usize::try_from(copied).unwrap_or(0))
    }
}

/// `process_vm_readv(2)`: copies up to `buffer.len()` bytes from `address` in the memory of `thread`'s process; fewer when
/// the memory ends before that.
///
/// # Errors
/// `EFAULT` when nothing is mapped at `address`, `EPERM` without ptrace access, `ESRCH` when the process is gone.
pub fn read_memory(thread: Pid, address: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
    let Ok(address) = usize::try_from(address) else { return Err(Errno(libc::EFAULT)) };
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: buffer.len() };
    // SAFETY: `local` describes exactly `buffer`, which is writable and outlives the call. The kernel checks `remote`
    // against the other process's memory; nothing of this process is read through it.
    let copied = checked(unsafe {
        libc::process_vm_readv(thread.number(), &raw const local, 1, &raw const remote, 1, 0) as libc::c_long
    })?;
    Ok(usize::try_from(copied).unwrap_or(0))
}

/// `process_vm_writev(2)`: copies `bytes` to `address` in the memory of `thread`'s process, which must be writable there.
/// Fewer are copied when the memory ends before that.
///
/// # Errors
/// `EFAULT` when nothing writable is mapped at `address`, `EPERM` without ptrace access, `ESRCH` when the process is gone.
pub fn write_memory(thread: Pid, address: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let Ok(address) = usize::try_from(address) else { return Err(Errno(libc::EFAULT)) };
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: bytes.len() };
    // SAFETY: `local` describes exactly `bytes`, which are only read and outlive the call. The kernel checks `remote`
    // against the other process's memory; nothing of this process is written through it.
    let copied = checked(unsafe {
        libc::process_vm_writev(thread.number(), &raw const local, 1, &raw const remote, 1, 0) as libc::c_long
    })?;
    Ok(usize::try_from(copied).unwrap_or(0))
}
