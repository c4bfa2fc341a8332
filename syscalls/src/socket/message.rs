//! Messages with an address and control data: `sendmsg(2)`, `recvmsg(2)`.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked};

/// Flags of messages, `include/linux/socket.h`.
pub mod flag {
    pub const DONTWAIT: i32 = libc::MSG_DONTWAIT;
    pub const NOSIGNAL: i32 = libc::MSG_NOSIGNAL;
    pub const TRUNCATED: i32 = libc::MSG_TRUNC;
    pub const CONTROL_TRUNCATED: i32 = libc::MSG_CTRUNC;
    pub const WAIT_FOR_ONE: i32 = libc::MSG_WAITFORONE;
    pub const ERROR_QUEUE: i32 = libc::MSG_ERRQUEUE;
    pub const ZEROCOPY: i32 = 0x400_0000;
}

/// What a received message was like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Received {
    pub length: usize,
    /// Bytes of the sender's address and of control data that were filled.
    pub address: usize,
    pub control: usize,
    /// `MSG_TRUNC` and its like.
    pub flags: i32,
}

/// `sendmsg(2)` with one piece of data. `address` and `control` may be empty.
///
/// # Errors
/// Those of `sendmsg(2)`.
pub fn send(socket: BorrowedFd<'_>, address: &[u8], data: &[u8], control: &[u8], flags: i32) -> Result<usize, Errno> {
    let mut piece = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let mut header = empty_header();
    if !address.is_empty() {
        header.msg_name = address.as_ptr().cast_mut().cast();
        header.msg_namelen = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::INVALID)?;
    }
    header.msg_iov = &raw mut piece;
    header.msg_iovlen = 1;
    if !control.is_empty() {
        header.msg_control = control.as_ptr().cast_mut().cast();
        header.msg_controllen = converted(control.len())?;
    }
    // SAFETY: `header` points to `piece`, and both point to slices that the kernel only reads, with their lengths; all of
    // them outlive the call.
    let sent = checked(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, flags) as libc::c_long })?;
    Ok(usize::try_from(sent).unwrap_or(0))
}

/// `recvmsg(2)` into one piece of memory. `control` may be empty.
///
/// # Errors
/// Those of `recvmsg(2)`.
pub fn receive(
    socket: BorrowedFd<'_>,
    address: &mut [u8],
    data: &mut [u8],
    control: &mut [u8],
    flags: i32,
) -> Result<Received, Errno> {
    let mut piece = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    let mut header = empty_header();
    header.msg_name = address.as_mut_ptr().cast();
    header.msg_namelen = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::INVALID)?;
    header.msg_iov = &raw mut piece;
    header.msg_iovlen = 1;
    if !control.is_empty() {
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = converted(control.len())?;
    }
    // SAFETY: `header` points to `piece`, and both point to slices that are writable for the lengths given with them; all
    // of them outlive the call.
    let got = checked(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) as libc::c_long })?;
    Ok(Received {
        length: usize::try_from(got).unwrap_or(0),
        address: usize::try_from(header.msg_namelen).unwrap_or(0).min(address.len()),
        control: converted::<_, usize>(header.msg_controllen)?.min(control.len()),
        flags: header.msg_flags,
    })
}

/// The length of control data: `size_t` in one C library, `socklen_t` in another.
fn converted<F, T: TryFrom<F>>(length: F) -> Result<T, Errno> {
    T::try_from(length).map_err(|_| Errno::INVALID)
}

fn empty_header() -> libc::msghdr {
    // SAFETY: the structure has numbers and pointers only, for which zero is a value.
    unsafe { std::mem::zeroed() }
}
