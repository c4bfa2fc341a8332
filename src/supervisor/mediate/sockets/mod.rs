//! Sockets: connected, bound, made to listen and written to on the caller's behalf, on the caller's own socket.
//!
//! The address is behind a pointer and the socket behind a number, and another thread may change both. So both are taken
//! once, and the call is made here on what was taken.

mod control;
mod header;
mod inet;
pub(super) mod network;
mod receive;
mod send;
mod senders;
mod unix;

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

use syscalls::Errno;
use syscalls::socket::{self, Family};

use super::caller::Caller;
use super::{Mediator, Outcome};

pub(super) use self::unix::{Bound, named};

/// `sizeof(struct sockaddr_storage)`: the kernel takes no longer address.
const LONGEST_ADDRESS: u32 = 128;

/// `sizeof(struct sockaddr_un)`.
const LONGEST_UNIX_ADDRESS: usize = 110;

/// What the address of a Unix socket says.
enum UnixAddress {
    /// A name that no path leads to.
    Abstract,
    /// No name: what the kernel makes of it is about no file and no other socket.
    Nameless,
    Path(CString),
}

impl Mediator {
    /// Answers `connect(2)`.
    pub(super) fn connect(&self, caller: Caller, number: i32, address: u64, length: u32) -> Outcome {
        let answered = || {
            let bytes = copied(caller, address, length)?;
            let socket = caller.duplicate(number)?;
            match socket::family(socket.as_fd())? {
                Family::Unix => self.connect_unix(caller, socket, &bytes),
                Family::Netlink => {
                    self.check_still_waits(caller)?;
                    socket::connect(socket.as_fd(), &bytes).map(|()| Outcome::Return(0))
                }
                family @ (Family::Inet | Family::Inet6) => self.network.connect(caller, socket, family, &bytes),
                Family::Other => Err(Errno::ACCESS),
            }
        };
        answered().unwrap_or_else(Outcome::Fail)
    }

    /// Answers `bind(2)`.
    pub(super) fn bind(&self, caller: Caller, number: i32, address: u64, length: u32) -> Outcome {
        let answered = || {
            let bytes = copied(caller, address, length)?;
            let socket = caller.duplicate(number)?;
            match socket::family(socket.as_fd())? {
                Family::Unix => self.bind_unix(caller, socket, &bytes),
                Family::Netlink => {
                    self.check_still_waits(caller)?;
                    socket::bind(socket.as_fd(), &bytes).map(|()| Outcome::Return(0))
                }
                family @ (Family::Inet | Family::Inet6) => self.network.bind(caller, &socket, family, &bytes),
                Family::Other => Err(Errno::ACCESS),
            }
        };
        answered().unwrap_or_else(Outcome::Fail)
    }

    /// Answers `listen(2)`: a TCP socket that was not bound would get a port that no rule has seen.
    pub(super) fn listen(&self, caller: Caller, number: i32, backlog: i32) -> Outcome {
        let answered = || {
            let socket: OwnedFd = caller.duplicate(number)?;
            self.check_still_waits(caller)?;
            match socket::family(socket.as_fd())? {
                Family::Unix => socket::listen(socket.as_fd(), backlog).map(|()| Outcome::Return(0)),
                Family::Inet | Family::Inet6 => self.network.listen(caller, &socket, backlog),
                Family::Netlink | Family::Other => Err(Errno::ACCESS),
            }
        };
        answered().unwrap_or_else(Outcome::Fail)
    }
}

fn copied(caller: Caller, address: u64, length: u32) -> Result<Vec<u8>, Errno> {
    if length > LONGEST_ADDRESS {
        return Err(Errno::INVALID);
    }
    caller.bytes(address, usize::try_from(length).unwrap_or(0))
}

/// `struct sockaddr_un` of `unix(7)`: a family of two bytes, then a path that may lack its NUL.
fn unix_address(bytes: &[u8]) -> UnixAddress {
    let Some((family, path)) = bytes.split_first_chunk::<2>() else { return UnixAddress::Nameless };
    if u16::from_ne_bytes(*family) != socket::AF_UNIX || bytes.len() > LONGEST_UNIX_ADDRESS {
        return UnixAddress::Nameless;
    }
    match path.first() {
        None => UnixAddress::Nameless,
        Some(0) => UnixAddress::Abstract,
        Some(_) => {
            let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
            CString::new(path.get(..end).unwrap_or_default()).map_or(UnixAddress::Nameless, UnixAddress::Path)
        }
    }
}
