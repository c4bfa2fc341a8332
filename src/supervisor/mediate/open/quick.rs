//! What plainly may be opened: most opens are that.
//!
//! Where no symbolic link is on the way, the text of a path says what it leads to. So the text is decided about first, and
//! the kernel then opens nothing but what has that path. Whatever is not plain is left to the longer way.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::slice;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use syscalls::Errno;
use syscalls::abi::Syscall;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::{self, FileType};

use super::super::caller::{Caller, DELETED};
use super::super::resolve::{Last, RealPath, Straight, is_in_proc, is_plain, real_path};
use super::super::{Mediator, Outcome};
use super::{Open, access};
use crate::plan::{Access, Operation, Verdict};
use crate::profile::abs_path::AbsPath;

/// Mounts that are remembered at the same time.
const MOST: usize = 64;

/// Which of the program's mounts are of `/proc`. A mount's number is never another's, so this stays true.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Mounts(Mutex<Vec<(u64, bool)>>);

impl Mounts {
    fn is_proc(&self, mount: Option<u64>, file: &OwnedFd) -> Option<bool> {
        let find = || file::is_in_proc(file.as_fd()).ok();
        let Some(mount) = mount else { return find() };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_proc)) = known.iter().find(|(known, _)| *known == mount) {
            return Some(*is_proc);
        }
        let is_proc = find()?;
        if known.len() >= MOST {
            known.clear();
        }
        known.push((mount, is_proc));
        Some(is_proc)
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
        with_operations(access, !is_there, real, |operations| {
            let verdict = self.plain_verdict(operations).filter(|_| !self.is_replaced(operations));
            if let Some(verdict) = &verdict {
                self.recorder.decided(caller.id, operations, verdict, !is_there);
            }
            verdict.is_some()
        })
    }

    /// Whether an open with `flags` may be left to the kernel by [`Self::open_by_kernel`]: it makes nothing, and asks for content.
    pub(in crate::supervisor::mediate) fn may_go_on_plainly(&self, flags: u64) -> bool {
        let other = OpenHow::PATH | OpenHow::CREATE | OpenHow::TEMPORARY_FILE & !OpenHow::DIRECTORY;
        self.kernel_complete && flags & other == 0
    }

    /// Leaves an open that is made `now` to the kernel and records it, where [`Self::is_plainly_allowed`] would.
    pub(in crate::supervisor::mediate) fn open_by_kernel(
        &self,
        (caller, now): (Caller, Instant),
        call: Syscall,
        (directory, path): (i32, &CStr),
        flags: u64,
    ) -> Option<Outcome> {
        let last = if flags & OpenHow::NO_FOLLOW == 0 { Last::Follow } else { Last::Keep };
        let Straight { real, is_there } = self.resolver.straight(caller, directory, path, last)?;
        let record = |found: Option<(&[Operation], &Verdict<'_>)>| {
            let made = (caller.thread, call, now);
            let recorded = self.recorder.left_to_kernel(made, (path, flags), found, || self.describe(caller));
            if recorded.is_ok() { Outcome::GoOnRecorded } else { Outcome::Fail(Errno::IO) }
        };
        if !is_there {
            return Some(record(None));
        }
        with_operations(access(flags), false, real, |operations| {
            let verdict = self.plain_verdict(operations).filter(|_| !self.is_replaced(operations))?;
            Some(record(Some((operations, &verdict))))
        })
    }

    /// Whether programs get something else in the place of the file that `operations` are about.
    fn is_replaced(&self, operations: &[Operation]) -> bool {
        let path = operations.first().and_then(Operation::path);
        path.is_some_and(|path| self.network.instead_of(path).is_some())
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
        if !plain || self.is_to_be_signed(&operation) || self.network.instead_of(real).is_some() {
            return None;
        }
        let file = self.open_plain(base.as_ref(), open, real)?;
        self.check_still_waits(caller).ok()?;
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
        // A second /proc, mounted elsewhere, shows this process and not the caller. And while the kernel walked, a directory on
        // the way may have got another name and another content.
        if self.mounts.is_proc(after.mount, &file)? || real_path(&file).ok()? != RealPath::Path(real.clone()) {
            return None;
        }
        if !open.has(OpenHow::NON_BLOCKING) {
            // Without a signal for the file's news, which open(2) starts for none.
            file::set_status_flags(file.as_fd(), open.flags & !OpenHow::ASYNC).ok()?;
        }
        Some(file)
    }
}

/// Does `act` with what an open comes to that asks for `access` to what has the path `real`, or makes it.
fn with_operations<R>(access: Access, makes: bool, real: AbsPath, act: impl FnOnce(&[Operation]) -> R) -> R {
    // Nearly every open is one operation, which needs no list.
    match (access.read, access.write || makes) {
        (true, false) => act(&[Operation::Read(real)]),
        (true, true) => act(&[Operation::Read(real.clone()), Operation::Write(real)]),
        (false, _) => act(&[Operation::Write(real)]),
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
