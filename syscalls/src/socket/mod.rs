//! Sockets that another process made and this one acts on: `socket(7)`, `unix(7)`.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked_int};

/// The families that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Netlink,
    Other,
    Unix,
}

/// `AF_UNIX`, as an address begins with it.
pub const AF_UNIX: u16 = 1;

/// `getsockopt(2)` with `SO_DOMAIN`.
///
/// # Errors
/// `ENOTSOCK` when the descriptor is no socket.
pub fn family(socket: BorrowedFd<'_>) -> Result<Family, Errno> {
    let mut domain: libc::c_int = 0;
    let mut length: libc::socklen_t = 4;
    // SAFETY: `domain` is writable for the four bytes that `length` says, and both outlive the call.
    checked_int(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_DOMAIN,
            (&raw mut domain).cast(),
            &raw mut length,
        )
    })?;
    Ok(match domain {
        libc::AF_UNIX => Family::Unix,
        libc::AF_NETLINK => Family::Netlink,
        _ => Family::Other,
    })
}

/// `getsockname(2)`: whether an IPv4 or IPv6 socket is bound to a port.
///
/// # Errors
/// Those of `getsockname(2)`.
pub fn has_port(socket: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut address = [0_u8; 128];
    let mut length: libc::socklen_t = 128;
    // SAFETY: `address` is writable for the length given with it, and both outlive the call.
    checked_int(unsafe { libc::getsockname(socket.as_raw_fd(), address.as_mut_ptr().cast(), &raw mut length) })?;
    // The port stands behind the family in both, `struct sockaddr_in` and `struct sockaddr_in6`.
    Ok(address[2..4] != [0, 0])
}

/// `connect(2)` to an address in the kernel's own form.
///
/// # Errors
/// Those of `connect(2)`.
pub fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let length = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::INVALID)?;
    // SAFETY: `address` is readable for the length given with it, and the kernel checks its contents.
    checked_int(unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), length) }).map(drop)
}

/// `bind(2)` to an address in the kernel's own form.
///
/// # Errors
/// Those of `bind(2)`.
pub fn bind(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let length = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::INVALID)?;
    // SAFETY: `address` is readable for the length given with it, and the kernel checks its contents.
    checked_int(unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), length) }).map(drop)
}

/// [`connect`] to a Unix socket by its path.
///
/// # Errors
/// Those of `connect(2)`; `ENAMETOOLONG` past 107 bytes.
pub fn connect_path(socket: BorrowedFd<'_>, path: &[u8]) -> Result<(), Errno> {
    connect(socket, &address(path)?)
}

/// [`bind`] of a Unix socket to a path.
///
/// # Errors
/// Those of `bind(2)`; `ENAMETOOLONG` past 107 bytes.
pub fn bind_path(socket: BorrowedFd<'_>, path: &[u8]) -> Result<(), Errno> {
    bind(socket, &address(path)?)
}

/// `listen(2)`.
///
/// # Errors
/// Those of `listen(2)`.
pub fn listen(socket: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// `fchmod(2)`: a Unix socket that is bound later gives its file this mode, less the umask.
///
/// # Errors
/// Those of `fchmod(2)`.
pub fn set_mode(socket: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::fchmod(socket.as_raw_fd(), mode) }).map(drop)
}

/// `struct sockaddr_un` with its closing NUL.
fn address(path: &[u8]) -> Result<Vec<u8>, Errno> {
    const LONGEST: usize = 107;
    if path.len() > LONGEST {
        return Err(Errno::NAME_TOO_LONG);
    }
    let mut bytes = AF_UNIX.to_ne_bytes().to_vec();
    bytes.extend_from_slice(path);
    bytes.push(0);
    Ok(bytes)
}
