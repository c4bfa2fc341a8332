//! What the kernel says of a change before it asks whether the program may make it: what would fail for everybody fails with
//! the same error here, and was not refused.

use std::os::fd::AsFd as _;

use syscalls::{Errno, at};

use super::{Change, EXCHANGE, NO_REPLACE};
use crate::plan::{Operation, Verdict};
use crate::supervisor::mediate::Mediator;
use crate::supervisor::mediate::resolve::{Entry, Held, KEPT};

impl Mediator {
    /// Checks with `possible` where the policy does not allow `operations` already. Where it does, the call itself has the
    /// kernel's answer.
    ///
    /// # Errors
    /// Those of `possible`.
    pub(in crate::supervisor::mediate) fn check_order(
        &self,
        operations: &[Operation],
        held: &[Held<'_>],
        possible: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let is_allowed = |operation: &Operation| matches!(self.verdict_in_call(operation, held), Verdict::Allow(_));
        if operations.iter().all(is_allowed) { Ok(()) } else { possible() }
    }
}

/// Whether what an entry is to become is possible.
///
/// # Errors
/// `EEXIST` for a new one that is there, `ENOENT` for an old one that is not, and those of looking it up.
pub(super) fn check_change(entry: &Entry, what: &Change) -> Result<(), Errno> {
    match what {
        Change::Remove { flags: 0 } if check_there(entry).is_ok() && asks_for_directory(entry) => {
            Err(Errno::IS_DIRECTORY)
        }
        Change::Remove { .. } => check_there(entry),
        Change::MakeDirectory { .. } => check_missing(entry),
        Change::MakeNode { .. } | Change::Symlink { .. } => check_new(entry),
    }
}

/// Whether a rename with `flags` is possible.
///
/// # Errors
/// `ENOENT` and `EEXIST` as `renameat2(2)` has them, and those of looking up.
pub(super) fn check_rename(old: &Entry, new: &Entry, flags: u32) -> Result<(), Errno> {
    check_there(old)?;
    if flags & EXCHANGE != 0 {
        check_there(new)
    } else if flags & NO_REPLACE != 0 {
        check_missing(new)
    } else {
        Ok(())
    }
}

/// Checks that something has the name.
///
/// # Errors
/// `ENOENT`, and those of looking it up.
pub(super) fn check_there(entry: &Entry) -> Result<(), Errno> {
    at::open(Some(entry.directory.as_fd()), &entry.name, &KEPT).map(drop)
}

/// Checks that nothing has the name, which a slash may follow.
///
/// # Errors
/// `EEXIST`, and those of looking it up.
fn check_missing(entry: &Entry) -> Result<(), Errno> {
    match check_there(entry) {
        Err(Errno::NOT_FOUND) => Ok(()),
        Ok(()) | Err(Errno::NOT_DIRECTORY) => Err(Errno::EXISTS),
        Err(errno) => Err(errno),
    }
}

/// [`check_missing`] for what is no directory.
///
/// # Errors
/// `ENOENT` also for a name with a slash behind it.
pub(in crate::supervisor::mediate) fn check_new(entry: &Entry) -> Result<(), Errno> {
    check_missing(entry)?;
    if asks_for_directory(entry) { Err(Errno::NOT_FOUND) } else { Ok(()) }
}

fn asks_for_directory(entry: &Entry) -> bool {
    entry.name.to_bytes().ends_with(b"/")
}
