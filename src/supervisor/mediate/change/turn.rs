//! One change of a directory at a time, of those that this process carries out.

use std::sync::{Arc, Mutex, PoisonError};

/// Whoever takes it changes entries alone: meanwhile a path leads where it led, but for what other programs do.
#[derive(Clone, Debug, Default)]
pub(in crate::supervisor::mediate) struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// Does `act` when nobody else has the turn.
    pub(super) fn take<R>(&self, act: impl FnOnce() -> R) -> R {
        let _held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act()
    }
}
