//! Who is shown as the sender of datagrams, where what was written to stands for another address.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use syscalls::Errno;
use syscalls::socket;

/// Sockets whose senders are shown by other addresses, and addresses of each. The oldest are forgotten.
const MOST_SOCKETS: usize = 1024;
const MOST_SENDERS: usize = 64;

/// Datagram sockets that have sent to an address that stands for another: what answers is to look like what was written to.
#[derive(Debug, Default)]
pub(super) struct Senders {
    used: AtomicBool,
    /// By the socket's cookie: pairs of who really sends, and who is shown.
    shown: Mutex<BTreeMap<u64, Vec<(SocketAddr, SocketAddr)>>>,
}

impl Senders {
    /// Shows what `real` sends to `socket` as coming from `shown`.
    ///
    /// # Errors
    /// Those of `getsockopt(2)`.
    pub(super) fn show(&self, socket: &OwnedFd, real: SocketAddr, shown: SocketAddr) -> Result<(), Errno> {
        let cookie = socket::cookie(socket.as_fd())?;
        let mut all = self.locked();
        if !all.contains_key(&cookie) && all.len() >= MOST_SOCKETS {
            // Cookies only grow: the first is the oldest socket.
            all.pop_first();
        }
        let pairs = all.entry(cookie).or_default();
        pairs.retain(|(known, _)| *known != real);
        if pairs.len() >= MOST_SENDERS {
            pairs.remove(0);
        }
        pairs.push((real, shown));
        self.used.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether any socket has such senders.
    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// Whether `socket` has such senders.
    pub(super) fn has(&self, socket: &OwnedFd) -> bool {
        socket::cookie(socket.as_fd()).is_ok_and(|cookie| self.locked().contains_key(&cookie))
    }

    /// Who is shown in the place of `real`.
    pub(super) fn shown(&self, socket: &OwnedFd, real: SocketAddr) -> SocketAddr {
        let Ok(cookie) = socket::cookie(socket.as_fd()) else { return real };
        let is_it = |(known, _): &&(SocketAddr, SocketAddr)| {
            known.port() == real.port() && known.ip().to_canonical() == real.ip().to_canonical()
        };
        let all = self.locked();
        all.get(&cookie).and_then(|pairs| pairs.iter().find(is_it)).map_or(real, |(_, shown)| *shown)
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<(SocketAddr, SocketAddr)>>> {
        // Every change of the map is whole, so a panic elsewhere leaves it usable.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
