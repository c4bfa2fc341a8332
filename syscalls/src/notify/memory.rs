//! Another process's memory, copied once.

use crate::errno::{Errno, checked};
use crate::process::Pid;

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
