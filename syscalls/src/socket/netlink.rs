//! One question to the kernel and its one answer: `netlink(7)`.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use super::message::{self, flag};
use crate::errno::{Errno, checked_int};

/// The size of `struct nlmsghdr`, and the flag of a request.
pub(super) const HEADER: usize = 16;
pub(super) const REQUEST: u16 = 1;

/// Sends `question` on a new socket of `protocol`, and returns how much of `reply` is the answer.
///
/// # Errors
/// Those of `socket(2)`, `sendmsg(2)` and `recvmsg(2)`.
pub(super) fn ask(protocol: libc::c_int, question: &[u8], reply: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the call takes numbers only.
    let number = checked_int(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the kernel has just given this descriptor, and nobody else knows it.
    let socket = unsafe { OwnedFd::from_raw_fd(number) };
    message::send(socket.as_fd(), &[], question, &[], 0)?;
    // The kernel answers before the call that asked returns.
    let got = message::receive(socket.as_fd(), &mut [0; 12], reply, &mut [], flag::DONTWAIT)?;
    Ok(got.length.min(reply.len()))
}
