//! What plainly may be opened: most opens are that.
//!
//! Where no symbolic link is on the way, the text of a path says what it leads to. So the text is decided about first, and
//! the kernel then opens nothing but what has that path. Whatever is not plain is left to the longer way.

use std::os::fd::{AsFd, OwnedFd};
use std::slice;
use std::sync::{Mutex, PoisonError};

use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::{self, FileType, Filesystem};

use super::super::caller::{Caller, DELETED};
use super::super::resolve::{Last, RealPath, Straight, is_in_proc, is_plain, real_path};
use super::super::{Mediator, Outcome};
use super::Open;
use crate::plan::{Operation, Verdict};
use crate::profile::abs_path::AbsPath;

/// Mounts that are remembered at the same time.
const MOST: usize = 64;

/// What filesystems the program's mounts are of. A mount's number is never another's, so this stays true.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Mounts(Mutex<Vec<(u64, Filesystem)>>);

impl Mounts {
    fn filesystem(&self, mount: Option<u64>, file: &OwnedFd) -> Option<Filesystem> {
        let find = || file::filesystem(file.as_fd()).ok();
        let Some(mount) = mount else { return find() };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, filesystem)) = known.iter().find(|(known, _)| *known == mount) {
            return Some(*filesystem);
        }
        let filesystem = find()?;
        if known.len() >= MOST {
            known.clear();
        }
        known.push((mount, filesystem));
        Some(filesystem)
    }
}

impl Mediator {
    /// Whether the policy allows what the text of the path names, and no symbolic link leads elsewhere. The kernel's rules say
    /// the same when it carries the open out, of whatever the path leads to by then.
    pub(super) fn is_plainly_allowed(&self, caller: Caller, open: &Open) -> bool {
        if open.from_memory || open.has(OpenHow::TEMPORARY_FILE) {
            return false;
        }
        // What makes nothing and follows no link is about what its name says, or fails.
        let last = if open.has(OpenHow::CREATE) { Last::Follow } else { open.last() };
        let Some(Straight { real, is_there }) = self.resolver.straight(caller, open.directory, &open.path, last) else {
            return false;
        };
        if !is_there && !open.has(OpenHow::CREATE) {
            // Nothing is there to decide about: the kernel's own answer.
            return true;
        }
        let access = open.access();
        let (one, both);
        // Nearly every open is one operation, which needs no list.
        let operations = match (access.read, access.write || !is_there) {
            (true, false) => {
                one = Operation::Read(real);
                slice::from_ref(&one)
            }
            (true, true) => {
                both = [Operation::Read(real.clone()), Operation::Write(real)];
                &both[..]
            }
            (false, _) => {
                one = Operation::Write(real);
                slice::from_ref(&one)
            }
        };
        let mut verdicts = operations.iter().map(|operation| self.verdict(operation));
        let Some(verdict @ Verdict::Allow(_)) = verdicts.next() else { return false };
        let plainly = verdicts.all(|verdict| matches!(verdict, Verdict::Allow(_)))
            && !self.is_to_be_signed(operations.first())
            && operations.first().and_then(Operation::path).is_none_or(|real| self.network.instead_of(real).is_none());
        if plainly {
            self.recorder.decided(caller.id, operations, &verdict, !is_there);
        }
        plainly
    }

    /// Opens a file or directory for reading, where the policy allows it by its path and nobody has to be asked about it;
    /// `None` for any other open, which has changed nothing.
    pub(super) fn read_plainly(&self, caller: Caller, open: &Open) -> Option<Outcome> {
        let changes = open.access().write || open.flags & (OpenHow::CREATE | OpenHow::EXCLUSIVE) != 0;
        if changes || open.from_memory || !is_plain(open.path.to_bytes()) {
            return None;
        }
        let absolute = open.path.to_bytes().first() == Some(&b'/');
        let base = if absolute { None } else { Some(caller.directory(open.directory).ok()?) };
        let operation = Operation::Read(named(base.as_ref(), open)?);
        let verdict = self.verdict(&operation);
        let real = operation.path()?;
        let allowed = matches!(verdict, Verdict::Allow(_)) && !is_in_proc(real);
        // Whether another spelling is the same takes a look.
        let plain = allowed && self.spellings.closing(&self.plan, &operation).is_none();
        if !plain || self.is_to_be_signed(Some(&operation)) || self.network.instead_of(real).is_some() {
            return None;
        }
        let file = self.open_plain(base.as_ref(), open, real)?;
        self.recorder.decided(caller.id, slice::from_ref(&operation), &verdict, false);
        Some(Outcome::HandOver { file, close_on_exec: open.has(OpenHow::CLOSE_ON_EXEC), alone: false })
    }

    /// What has the path `real`, when it is a file or a directory.
    fn open_plain(&self, base: Option<&OwnedFd>, open: &Open, real: &AbsPath) -> Option<OwnedFd> {
        let base = base.map(AsFd::as_fd);
        // Opening a FIFO or a device may wait, and somebody may notice.
        let before = file::sight(base, &open.path).ok()?;
        if !matches!(before.kind, FileType::Regular | FileType::Directory) {
            return None;
        }
        // Whoever holds a lease on the file may take his time to give it back (fcntl(2)), which the longer way waits for.
        let flags = open.flags | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_TERMINAL | OpenHow::NON_BLOCKING;
        let wanted = OpenHow { flags, mode: 0, resolve: how::NO_SYMLINKS };
        let file = at::open(base, &open.path, &wanted).ok()?;
        let after = file::sight(Some(file.as_fd()), c"").ok()?;
        if after.kind != before.kind || after.identity != before.identity {
            return None;
        }
        match self.mounts.filesystem(after.mount, &file)? {
            // A second /proc, mounted elsewhere, shows this process and not the caller.
            Filesystem::Proc => return None,
            Filesystem::NamesAsLookedUp => {}
            Filesystem::Other => {
                if real_path(&file).ok()? != RealPath::Path(real.clone()) {
                    return None;
                }
            }
        }
        if !open.has(OpenHow::NON_BLOCKING) {
            // Without a signal for the file's news, which open(2) starts for none.
            file::set_status_flags(file.as_fd(), open.flags & !OpenHow::ASYNC).ok()?;
        }
        Some(file)
    }
}

/// The path that the text of `open` is, from `base`.
fn named(base: Option<&OwnedFd>, open: &Open) -> Option<AbsPath> {
    let text = open.path.to_bytes();
    let Some(base) = base else { return AbsPath::new(text) };
    match real_path(base).ok()? {
        RealPath::Path(directory) if !directory.as_bytes().ends_with(DELETED) => Some(directory.join(text)),
        RealPath::Path(_) | RealPath::Nameless => None,
    }
}
