//! Sockets of IPv4 and IPv6: connected, bound and made to listen as the policy's `network` says.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, OwnedFd};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use syscalls::Errno;
use syscalls::at::OpenHow;
use syscalls::file;
use syscalls::socket::{self, Family, Type, address};

use super::network::{Network, Settled, Wanted};
use crate::plan::explain::explain;
use crate::plan::{Operation, Verdict, decide};
use crate::profile::host::Listen;
use crate::supervisor::mediate::Outcome;
use crate::supervisor::mediate::caller::Caller;

/// Sockets that are kept in mind; of those before, the account names the port they got.
const MOST_ANYWHERE: usize = 1024;

/// Sockets that were bound to whatever port was free, by their cookies.
#[derive(Debug, Default)]
pub(super) struct Anywhere(Mutex<BTreeSet<u64>>);

impl Anywhere {
    fn add(&self, socket: &OwnedFd) {
        let Ok(cookie) = socket::cookie(socket.as_fd()) else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_ANYWHERE {
            // Cookies only grow: the first is the oldest socket.
            all.pop_first();
        }
        all.insert(cookie);
    }

    fn has(&self, socket: &OwnedFd) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        socket::cookie(socket.as_fd()).is_ok_and(|cookie| all.contains(&cookie))
    }
}

impl Network {
    /// Answers `connect(2)`.
    pub(super) fn connect(
        self: &Arc<Self>,
        caller: Caller,
        socket: OwnedFd,
        family: Family,
        bytes: &[u8],
    ) -> Result<Outcome, Errno> {
        let udp = match socket::kind(socket.as_fd())? {
            Type::Datagram => true,
            Type::Stream => false,
            // Somebody outside made it and handed it in: no rule is about raw packets.
            Type::Packets | Type::Other => return Err(Errno::ACCESS),
        };
        let Some(address) = destination(family, udp, bytes)? else {
            // Takes the peer off (connect(2), AF_UNSPEC): the next one is decided about like the first.
            self.check_still_waits(caller)?;
            return socket::connect(socket.as_fd(), &[0; 16]).map(|()| Outcome::Return(0));
        };
        let wanted = Wanted { address, udp, probe: udp };
        let settled = self.settle(caller, wanted)?;
        self.check_still_waits(caller)?;
        match settled {
            Settled::At(real) => Ok(self.reach(socket, family, wanted, real)),
            Settled::NameServer(own) => {
                self.know(&socket, family == Family::Inet6, udp)?;
                Ok(self.reach(socket, family, wanted, own))
            }
            Settled::Closed(own) => {
                socket::connect(socket.as_fd(), &address::encode(&shaped(family, own)?)).map(|()| Outcome::Return(0))
            }
            Settled::Asked(ask) => {
                let network = Arc::clone(self);
                Ok(Outcome::Asked(Box::new(move || match ask() {
                    Ok(real) => Outcome::Slow(Box::new(move || network.reach(socket, family, wanted, real))),
                    Err(errno) => Outcome::Fail(errno),
                })))
            }
            Settled::Later(find) => {
                let network = Arc::clone(self);
                Ok(Outcome::Slow(Box::new(move || match find() {
                    Ok(real) => network.reach(socket, family, wanted, real),
                    Err(errno) => Outcome::Fail(errno),
                })))
            }
        }
    }

    /// Connects to `real` in the place of what was wanted.
    fn reach(&self, socket: OwnedFd, family: Family, wanted: Wanted, real: SocketAddr) -> Outcome {
        let Ok(shaped) = shaped(family, real) else { return Outcome::Fail(Errno::FAMILY) };
        let bytes = address::encode(&shaped);
        if !wanted.udp {
            return connect_stream(socket, bytes);
        }
        if real != wanted.address && self.senders.show(&socket, real, wanted.address).is_err() {
            return Outcome::Fail(Errno::ACCESS);
        }
        returned(socket::connect(socket.as_fd(), &bytes))
    }

    /// Answers `bind(2)`. Port 0 is any free one: nobody can connect to it, since `listen(2)` asks again.
    pub(super) fn bind(
        &self,
        caller: Caller,
        socket: &OwnedFd,
        family: Family,
        bytes: &[u8],
    ) -> Result<Outcome, Errno> {
        let wanted = match (family, address::family(bytes).ok_or(Errno::INVALID)?) {
            // inet(7) takes no family for INADDR_ANY.
            (Family::Inet, address::AF_INET | address::AF_UNSPEC) => {
                SocketAddr::V4(address::decode_v4(bytes).ok_or(Errno::INVALID)?)
            }
            (Family::Inet6, address::AF_INET6) => address::decode(bytes).ok_or(Errno::INVALID)?,
            _ => return Err(Errno::FAMILY),
        };
        self.check_still_waits(caller)?;
        if !(wanted.port() == 0 && self.connects()) {
            self.check_may_listen(caller, wanted, wanted.port())?;
        }
        socket::bind(socket.as_fd(), &address::encode(&wanted))?;
        if wanted.port() == 0 {
            self.anywhere.add(socket);
        }
        Ok(Outcome::Return(0))
    }

    /// Answers `listen(2)` for the address that the socket really has.
    pub(super) fn listen(&self, caller: Caller, socket: &OwnedFd, backlog: i32) -> Result<Outcome, Errno> {
        let own = socket::own_address(socket.as_fd())?;
        // The next run would get another port.
        let told = if self.anywhere.has(socket) { 0 } else { own.port() };
        self.check_may_listen(caller, own, told)?;
        socket::listen(socket.as_fd(), backlog).map(|()| Outcome::Return(0))
    }

    /// `told` is the port that the program wanted, for the account.
    fn check_may_listen(&self, caller: Caller, address: SocketAddr, told: u16) -> Result<(), Errno> {
        let ip = address.ip().to_canonical();
        let place: Option<IpAddr> = (!ip.is_loopback()).then_some(ip);
        let operation = Operation::Listen(Listen { address: place, port: address.port() });
        let verdict = decide(&self.plan, &operation);
        self.recorder.decided(caller.id, slice::from_ref(&operation), &verdict, false);
        match verdict {
            Verdict::Allow(_) if address.port() != 0 => Ok(()),
            verdict @ (Verdict::Allow(_) | Verdict::Ask(_) | Verdict::Deny(_)) => {
                let told = Operation::Listen(Listen { address: place, port: told });
                self.account.denied(|| explain(&self.plan, &told, &verdict));
                Err(Errno::ACCESS)
            }
        }
    }
}

/// Where a `connect(2)` goes; `None` for nowhere any more.
///
/// # Errors
/// `EINVAL` and `EAFNOSUPPORT` as the kernel would answer.
fn destination(family: Family, udp: bool, bytes: &[u8]) -> Result<Option<SocketAddr>, Errno> {
    match (family, address::family(bytes).ok_or(Errno::INVALID)?) {
        (_, address::AF_UNSPEC) => Ok(None),
        (Family::Inet, address::AF_INET) | (Family::Inet6, address::AF_INET6) => {
            address::decode(bytes).map(Some).ok_or(Errno::INVALID)
        }
        (Family::Inet6, address::AF_INET) if udp => address::decode(bytes).map(Some).ok_or(Errno::INVALID),
        _ => Err(Errno::FAMILY),
    }
}

/// `address` as a socket of `family` takes it (RFC 4291, section 2.5.5.2).
///
/// # Errors
/// `EAFNOSUPPORT` for an IPv6 address and a socket of IPv4.
pub(super) fn shaped(family: Family, address: SocketAddr) -> Result<SocketAddr, Errno> {
    match (family, address) {
        (Family::Inet6, SocketAddr::V4(v4)) => {
            Ok(SocketAddr::V6(SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0)))
        }
        (Family::Inet6, SocketAddr::V6(_)) | (Family::Inet, SocketAddr::V4(_)) => Ok(address),
        _ => Err(Errno::FAMILY),
    }
}

/// `connect(2)` of a stream. A blocking one begins without waiting, since on most ways it is over at once; what is left of
/// it only its caller waits for.
fn connect_stream(socket: OwnedFd, bytes: Vec<u8>) -> Outcome {
    let fd = socket.as_fd();
    let flags = match file::status_flags(fd) {
        Ok(flags) if flags & OpenHow::NON_BLOCKING == 0 => flags,
        Ok(_) => return returned(socket::connect(fd, &bytes)),
        Err(errno) => return Outcome::Fail(errno),
    };
    let begun = file::set_status_flags(fd, flags | OpenHow::NON_BLOCKING);
    let begun = match begun.and_then(|()| socket::connect(fd, &bytes)) {
        // The second call takes the outcome of the connection that was begun, when there is one by now.
        Err(Errno::IN_PROGRESS) => socket::connect(fd, &bytes),
        begun => begun,
    };
    match (begun, file::set_status_flags(fd, flags)) {
        (_, Err(errno)) => Outcome::Fail(errno),
        (Err(Errno::IN_PROGRESS | Errno::ALREADY), Ok(())) => {
            Outcome::Slow(Box::new(move || returned(socket::connect(socket.as_fd(), &bytes))))
        }
        (settled, Ok(())) => returned(settled),
    }
}

fn returned(result: Result<(), Errno>) -> Outcome {
    match result {
        Ok(()) => Outcome::Return(0),
        Err(errno) => Outcome::Fail(errno),
    }
}
