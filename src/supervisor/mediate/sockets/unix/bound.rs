//! The sockets that the program bound, to which it may connect.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use syscalls::Errno;
use syscalls::file;
use syscalls::limits::{self, Resource};
use syscalls::process::own_id;

/// How many there are before it is looked for the first time which of them are gone.
const FEW: usize = 64;

/// Sockets that the program bound, for as long as they have a name. Each is held open: the number of a file is given to another
/// once nobody has it.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Bound(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By device and number.
    held: HashMap<(u64, u64), OwnedFd>,
    /// How many may be held before it is looked again which of them are gone.
    enough: usize,
}

impl Bound {
    /// Remembers the socket's file `made`, if there is one.
    ///
    /// # Errors
    /// Those of `fstat(2)`.
    pub(super) fn add(&self, made: Option<OwnedFd>) -> Result<(), Errno> {
        let Some(made) = made else { return Ok(()) };
        let identity = file::status(made.as_fd())?.identity;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.held.len() >= state.enough.max(FEW) {
            state.held.retain(|_, held| file::status(held.as_fd()).is_ok_and(|status| !status.is_unlinked));
            state.enough = state.held.len().saturating_mul(2);
        }
        if has_room(state.held.len()) {
            state.held.insert(identity, made);
        }
        Ok(())
    }

    pub(super) fn has(&self, identity: (u64, u64)) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).held.contains_key(&identity)
    }
}

/// Whether one more than `count` may be held: half of the descriptors that this process may have are for everything else.
fn has_room(count: usize) -> bool {
    let enough = |limit: Result<u64, Errno>| limit.is_ok_and(|limit| (count as u64) < limit / 2);
    enough(limits::limit_of(own_id(), Resource::OpenFiles)) || enough(limits::raise(Resource::OpenFiles))
}
