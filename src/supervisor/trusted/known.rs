//! What was found out about files, for as long as they stay what they were.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use syscalls::file::Status;

use super::Admission;
use super::look::Looked;
use crate::profile::abs_path::AbsPath;

/// Files that are remembered; past these each open is looked at.
const MOST: usize = 10_000;

/// Two changes within this time may leave the same times behind: the kernel's clock for files is coarse
/// (`current_time` of `fs/inode.c`), and some filesystems count in seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// What a file is and when it was changed. The time of change is one that nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) identity: (u64, u64),
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Files by what they are, and those that must not be changed.
#[derive(Debug, Default)]
pub(super) struct Known {
    files: RwLock<BTreeMap<(u64, u64), File>>,
    kept: RwLock<Kept>,
}

/// Files that must not be changed, by what they are and by where each was found.
#[derive(Debug, Default)]
struct Kept {
    paths: BTreeMap<(u64, u64), AbsPath>,
    identities: BTreeMap<AbsPath, (u64, u64)>,
}

#[derive(Debug)]
struct File {
    path: AbsPath,
    stamp: Stamp,
    /// Its verified content, where somebody may write to the file itself.
    copy: Option<Arc<OwnedFd>>,
}

impl Stamp {
    pub(super) fn of(status: &Status) -> Self {
        let Status { identity, size, modified, changed, .. } = *status;
        Self { identity, size, modified, changed }
    }

    /// Whether a change from `now` on leaves other times behind.
    fn is_settled(&self, now: SystemTime) -> bool {
        let latest = u64::try_from(self.changed.0.max(self.modified.0)).unwrap_or(u64::MAX);
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        now.checked_sub(SETTLED).is_some_and(|before| before.as_secs() > latest)
    }
}

impl Known {
    /// How the file of `stamp` at `path` goes through, when it is known to.
    pub(super) fn admission(&self, path: &AbsPath, stamp: &Stamp) -> Option<Admission> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let file = files.get(&stamp.identity).filter(|file| file.stamp == *stamp && file.path == *path)?;
        Some(file.copy.as_ref().map_or(Admission::Itself, |copy| Admission::Copy(Arc::clone(copy))))
    }

    /// Remembers that what was `looked` at goes through, unless it could change unseen.
    pub(super) fn remember(&self, path: &AbsPath, looked: &Looked, verified: bool, now: SystemTime) {
        if !looked.stamp.is_settled(now) || looked.is_being_written {
            return;
        }
        let copy = looked.copy.clone().filter(|_| verified);
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let Looked { stamp, .. } = *looked;
        if files.len() < MOST || files.contains_key(&stamp.identity) {
            files.insert(stamp.identity, File { path: path.clone(), stamp, copy });
        }
    }

    /// Forgets what is known of the file with `identity`.
    pub(super) fn forget(&self, identity: (u64, u64)) {
        self.files.write().unwrap_or_else(PoisonError::into_inner).remove(&identity);
    }

    /// From now on the file with `identity` at `path` is not to be changed, under none of its names.
    pub(super) fn keep_from_change(&self, identity: (u64, u64), path: &AbsPath) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.paths.insert(identity, path.clone());
        kept.identities.insert(path.clone(), identity);
    }

    /// Whether the file with `identity` is not to be changed.
    pub(super) fn is_kept(&self, identity: (u64, u64)) -> bool {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = kept.paths.get(&identity).cloned() else { return false };
        drop(kept);
        self.is_still_kept(identity, &path)
    }

    /// Whether a file that is not to be changed lies at `path`.
    pub(super) fn is_kept_at(&self, path: &AbsPath) -> bool {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let Some(&identity) = kept.identities.get(path) else { return false };
        drop(kept);
        self.is_still_kept(identity, path)
    }

    /// Whether a file that is not to be changed lies beneath the directory `path`.
    pub(super) fn is_above_kept(&self, path: &AbsPath) -> bool {
        loop {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            // No name is empty, and none holds a lower byte: whatever lies beneath comes from here on.
            let start = AbsPath::new(&[path.as_bytes(), b"/\x01"].concat());
            let found =
                start.and_then(|start| kept.identities.range(start..).next().map(|(path, &id)| (path.clone(), id)));
            drop(kept);
            match found.filter(|(found, _)| found.is_within(path)) {
                None => return false,
                Some((found, identity)) if self.is_still_kept(identity, &found) => return true,
                Some(_) => {}
            }
        }
    }

    /// Whether the file is still there: somebody outside may have removed it since, and another has its number.
    fn is_still_kept(&self, identity: (u64, u64), path: &AbsPath) -> bool {
        if is_at(path, identity) {
            return true;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.paths.remove(&identity);
        kept.identities.remove(path);
        false
    }
}

/// Whether the file with `identity`, perhaps a link, lies at `path`. What cannot be looked at may.
fn is_at(path: &AbsPath, identity: (u64, u64)) -> bool {
    match fs::symlink_metadata(OsStr::from_bytes(path.as_bytes())) {
        Ok(found) => (found.dev(), found.ino()) == identity,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_just_changed_is_not_remembered() {
        let stamp = Stamp { identity: (1, 2), size: 3, modified: (100, 0), changed: (1000, 5) };
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(!stamp.is_settled(at(999)) && !stamp.is_settled(at(1000)) && !stamp.is_settled(at(1002)));
        assert!(stamp.is_settled(at(1003)));
        assert!(!Stamp { modified: (5000, 0), ..stamp }.is_settled(at(1003)));
        assert!(!Stamp { changed: (-1, 0), modified: (-1, 0), ..stamp }.is_settled(at(1003)));
    }
}
