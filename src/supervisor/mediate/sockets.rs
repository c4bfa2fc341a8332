//! Unix sockets: connected, bound and made to listen on the caller's behalf, on the caller's own socket.
//!
//! The address is behind a pointer and the socket behind a number, and another thread may change both. So both are taken
//! once, and the call is made here on what was taken.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use syscalls::Errno;
use syscalls::file::{self, FileType};
use syscalls::socket::{self, Family};

use super::caller::Caller;
use super::resolve::{Last, Object, RealPath};
use super::{Decided, Kind, Mediator, Outcome};
use crate::plan::Operation;

/// `AT_FDCWD` of `openat(2)`.
const CURRENT: i32 = -100;
/// `sizeof(struct sockaddr_storage)`: the kernel takes no longer address.
const LONGEST_ADDRESS: u32 = 128;

/// Sockets that are remembered at once; of more, the program connects to those that the policy names.
const MOST_BOUND: usize = 128;

/// Sockets that the program bound. Each is held open: the number of a file is given to another once nobody has it.
#[derive(Debug, Default)]
pub(super) struct Bound(Mutex<Vec<OwnedFd>>);

/// Where a caller wants to connect or bind.
enum Address {
    /// A name that no path leads to, or none at all.
    Abstract,
    Other,
    Path(CString),
}

impl Mediator {
    /// Answers `connect(2)`.
    pub(super) fn connect(&self, caller: Caller, number: i32, address: u64, length: u32) -> Outcome {
        self.try_connect(caller, number, address, length).unwrap_or_else(Outcome::Fail)
    }

    fn try_connect(&self, caller: Caller, number: i32, address: u64, length: u32) -> Result<Outcome, Errno> {
        let bytes = copied(caller, address, length)?;
        let socket = caller.duplicate(number)?;
        match (socket::family(socket.as_fd())?, parse(&bytes)) {
            (Family::Unix, Address::Path(path)) => self.connect_path(caller, socket, &path),
            // The scope of abstract names holds for the program and not for this process, which is outside.
            (Family::Unix, Address::Abstract) => Err(Errno::NOT_PERMITTED),
            (Family::Netlink, _) => {
                self.check_still_waits(caller)?;
                socket::connect(socket.as_fd(), &bytes).map(|()| Outcome::Return(0))
            }
            (Family::Unix | Family::Inet | Family::Inet6 | Family::Other, _) => Err(Errno::ACCESS),
        }
    }

    fn connect_path(&self, caller: Caller, socket: OwnedFd, path: &CString) -> Result<Outcome, Errno> {
        let object = self.resolver.object(caller, CURRENT, path, Last::Follow, 0)?;
        if object.status.kind != FileType::Socket {
            return Err(Errno::CONNECTION_REFUSED);
        }
        let RealPath::Path(real) = &object.real else { return Err(Errno::ACCESS) };
        let decided = if self.bound.has(object.status.identity) {
            self.check_still_waits(caller)?;
            Decided::Act
        } else {
            self.decide(caller, &[Operation::UnixConnect(real.clone())], path, Some(&object), Kind::Socket)
        };
        let act = move || connect_object(&socket, &object);
        match decided {
            // A full backlog makes connect(2) wait.
            Decided::Act => Ok(Outcome::Slow(Box::new(move || match act() {
                Ok(()) => Outcome::Return(0),
                Err(errno) => Outcome::Fail(errno),
            }))),
            other @ (Decided::Ask(_) | Decided::KernelDoes | Decided::Refuse(_)) => self.carry_out(caller, other, act),
        }
    }

    /// Answers `bind(2)`.
    pub(super) fn bind(&self, caller: Caller, number: i32, address: u64, length: u32) -> Outcome {
        self.try_bind(caller, number, address, length).unwrap_or_else(Outcome::Fail)
    }

    fn try_bind(&self, caller: Caller, number: i32, address: u64, length: u32) -> Result<Outcome, Errno> {
        let bytes = copied(caller, address, length)?;
        let socket = caller.duplicate(number)?;
        match (socket::family(socket.as_fd())?, parse(&bytes)) {
            (Family::Unix, Address::Path(path)) => self.bind_path(caller, socket, &path),
            (Family::Unix, Address::Abstract) | (Family::Netlink, _) => {
                self.check_still_waits(caller)?;
                socket::bind(socket.as_fd(), &bytes).map(|()| Outcome::Return(0))
            }
            (Family::Unix, Address::Other) => Err(Errno::INVALID),
            // On its own socket and by its own call, so that Landlock has its say about the port.
            (Family::Inet | Family::Inet6, _) if self.may_listen() => Ok(Outcome::GoOn),
            (Family::Inet | Family::Inet6 | Family::Other, _) => Err(Errno::ACCESS),
        }
    }

    fn bind_path(&self, caller: Caller, socket: OwnedFd, path: &CString) -> Result<Outcome, Errno> {
        let entry = self.resolver.entry(caller, CURRENT, path, 0)?;
        let mask = caller.umask()?;
        let decided = self.decide(caller, &[Operation::Write(entry.real.clone())], path, None, Kind::Socket);
        let bound = Arc::clone(&self.bound);
        self.carry_out(caller, decided, move || {
            let mut name = format!("/proc/self/fd/{}/", entry.directory.as_raw_fd()).into_bytes();
            name.extend_from_slice(entry.name.to_bytes());
            // The new file takes the socket's own mode, less the mask of this process, which is empty.
            socket::set_mode(socket.as_fd(), 0o777 & !mask)?;
            socket::bind_path(socket.as_fd(), &name)?;
            let made = syscalls::at::open(Some(entry.directory.as_fd()), &entry.name, &super::resolve::KEPT)?;
            bound.add(made);
            Ok(())
        })
    }

    /// Answers `listen(2)`: a TCP socket that was not bound would get a port that no rule has seen.
    pub(super) fn listen(&self, caller: Caller, number: i32, backlog: i32) -> Outcome {
        let answered = (|| {
            let socket = caller.duplicate(number)?;
            self.check_still_waits(caller)?;
            match socket::family(socket.as_fd())? {
                Family::Unix => socket::listen(socket.as_fd(), backlog).map(|()| Outcome::Return(0)),
                Family::Inet | Family::Inet6
                    if self.may_listen() && socket::own_address(socket.as_fd())?.port() != 0 =>
                {
                    socket::listen(socket.as_fd(), backlog).map(|()| Outcome::Return(0))
                }
                Family::Inet | Family::Inet6 | Family::Netlink | Family::Other => Err(Errno::ACCESS),
            }
        })();
        answered.unwrap_or_else(Outcome::Fail)
    }
}

impl Bound {
    fn add(&self, socket: OwnedFd) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|socket| file::status(socket.as_fd()).is_ok_and(|status| !status.is_unlinked));
        if held.len() < MOST_BOUND {
            held.push(socket);
        }
    }

    fn has(&self, identity: (u64, u64)) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().any(|socket| file::status(socket.as_fd()).is_ok_and(|status| status.identity == identity))
    }
}

fn connect_object(socket: &OwnedFd, object: &Object) -> Result<(), Errno> {
    socket::connect_path(socket.as_fd(), super::open::own_name(&object.file).to_bytes())
}

fn copied(caller: Caller, address: u64, length: u32) -> Result<Vec<u8>, Errno> {
    if length > LONGEST_ADDRESS {
        return Err(Errno::INVALID);
    }
    caller.bytes(address, usize::try_from(length).unwrap_or(0))
}

/// `struct sockaddr_un` of `unix(7)`: a family of two bytes, then a path that may lack its NUL.
fn parse(bytes: &[u8]) -> Address {
    let Some((family, path)) = bytes.split_first_chunk::<2>() else { return Address::Other };
    if u16::from_ne_bytes(*family) != socket::AF_UNIX {
        return Address::Other;
    }
    match path.first() {
        None | Some(0) => Address::Abstract,
        Some(_) => {
            let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
            CString::new(&path[..end]).map_or(Address::Other, Address::Path)
        }
    }
}
