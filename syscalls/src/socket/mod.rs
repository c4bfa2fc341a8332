//! Sockets that another process made and this one acts on: `socket(7)`, `unix(7)`.

pub mod address;
pub mod diagnosis;
pub mod message;
mod netlink;
pub mod route;

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked_int};

/// The families that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Inet,
    Inet6,
    Netlink,
    Other,
    Unix,
}

/// The types that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Datagram,
    Other,
    Packets,
    Stream,
}

/// `AF_UNIX`, as an address begins with it.
pub const AF_UNIX: u16 = 1;

/// `getsockopt(2)` with `SO_DOMAIN`.
///
/// # Errors
/// `ENOTSOCK` when the descriptor is no socket.
pub fn family(socket: BorrowedFd<'_>) -> Result<Family, Errno> {
    Ok(match option(socket, libc::SO_DOMAIN, [0; 4]).map(i32::from_ne_bytes)? {
        libc::AF_INET => Family::Inet,
        libc::AF_INET6 => Family::Inet6,
        libc::AF_UNIX => Family::Unix,
        libc::AF_NETLINK => Family::Netlink,
        _ => Family::Other,
    })
}

/// `getsockopt(2)` with `SO_TYPE`.
///
/// # Errors
/// `ENOTSOCK` when the descriptor is no socket.
pub fn kind(socket: BorrowedFd<'_>) -> Result<Type, Errno> {
    Ok(match option(socket, libc::SO_TYPE, [0; 4]).map(i32::from_ne_bytes)? {
        libc::SOCK_DGRAM => Type::Datagram,
        libc::SOCK_SEQPACKET => Type::Packets,
        libc::SOCK_STREAM => Type::Stream,
        _ => Type::Other,
    })
}

/// `getsockopt(2)` with `SO_COOKIE`: a number that no other socket of the network namespace ever has.
///
/// # Errors
/// `ENOTSOCK` when the descriptor is no socket.
pub fn cookie(socket: BorrowedFd<'_>) -> Result<u64, Errno> {
    option(socket, libc::SO_COOKIE, [0; 8]).map(u64::from_ne_bytes)
}

fn option<const SIZE: usize>(
    socket: BorrowedFd<'_>,
    name: libc::c_int,
    mut value: [u8; SIZE],
) -> Result<[u8; SIZE], Errno> {
    let mut length = libc::socklen_t::try_from(SIZE).map_err(|_| Errno::INVALID)?;
    // SAFETY: `value` is writable for the bytes that `length` says, and both outlive the call.
    checked_int(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value.as_mut_ptr().cast(), &raw mut length)
    })?;
    Ok(value)
}

/// `getsockname(2)` of an IPv4 or IPv6 socket: port 0 while it is not bound.
///
/// # Errors
/// Those of `getsockname(2)`; `EAFNOSUPPORT` for another family.
pub fn own_address(socket: BorrowedFd<'_>) -> Result<SocketAddr, Errno> {
    let mut bytes = [0_u8; 128];
    let mut length: libc::socklen_t = 128;
    // SAFETY: `bytes` is writable for the length given with it, and both outlive the call.
    checked_int(unsafe { libc::getsockname(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut length) })?;
    let length = usize::try_from(length).unwrap_or(0).min(bytes.len());
    address::decode(&bytes[..length]).ok_or(Errno::FAMILY)
}

/// `fcntl(2)`: whether calls on an open file do not wait.
///
/// # Errors
/// Those of `fcntl(2)`.
pub fn is_non_blocking(socket: BorrowedFd<'_>) -> Result<bool, Errno> {
    // SAFETY: this command takes no argument.
    let flags = checked_int(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) })?;
    Ok(flags & libc::O_NONBLOCK != 0)
}

/// `poll(2)`: whether each of `sockets` has something to read, once one of them has, or after `milliseconds`; without
/// end for -1.
///
/// # Errors
/// Those of `poll(2)`.
pub fn readable(sockets: &[BorrowedFd<'_>], milliseconds: i32) -> Result<Vec<bool>, Errno> {
    let entry = |socket: &BorrowedFd<'_>| libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut entries: Vec<libc::pollfd> = sockets.iter().map(entry).collect();
    let count = libc::nfds_t::try_from(entries.len()).map_err(|_| Errno::INVALID)?;
    // SAFETY: `entries` are as many writable structures as `count` says, and live through the call.
    checked_int(unsafe { libc::poll(entries.as_mut_ptr(), count, milliseconds) })?;
    Ok(entries.iter().map(|entry| entry.revents != 0).collect())
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
    connect(socket, &unix_address(path)?)
}

/// `listen(2)`.
///
/// # Errors
/// Those of `listen(2)`.
pub fn listen(socket: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// `struct sockaddr_un` with its closing NUL.
///
/// # Errors
/// `ENAMETOOLONG` past 107 bytes.
pub fn unix_address(path: &[u8]) -> Result<Vec<u8>, Errno> {
    const LONGEST: usize = 107;
    if path.len() > LONGEST {
        return Err(Errno::NAME_TOO_LONG);
    }
    let mut bytes = AF_UNIX.to_ne_bytes().to_vec();
    bytes.extend_from_slice(path);
    bytes.push(0);
    Ok(bytes)
}
