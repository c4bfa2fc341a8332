//! Changes of directories, one at a time.
//!
//! What a rename or a link may do depends on two paths, and on what lies beneath them; both change with every other rename. So
//! each is decided about and carried out before the next change is, by paths that were read since the last one. What has one
//! path is looked at and used through one descriptor, and only waits for its turn.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::at;
use syscalls::file::{self, FileType};

use crate::profile::abs_path::AbsPath;
use crate::supervisor::mediate::caller::{Caller, PATH_MAX};
use crate::supervisor::mediate::resolve::{Entry, KEPT};
use crate::supervisor::mediate::{Decided, Mediator, Outcome};

/// How long a change waits for others. A file system that does not answer keeps no more than its own callers for good.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most changes take less than this.
const SOON: Duration = Duration::from_micros(100);

/// Held from the last look at the paths until the change is made.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Moves(Mutex<()>);

/// What a change brings beneath a new entry.
#[derive(Debug)]
pub(in crate::supervisor::mediate) enum Brought<'b> {
    /// All that is in the directory that was here.
    Directory(&'b Entry),
    /// What a symbolic link leads `to`, where its text says what that is, and the one that there was before.
    Link {
        to: Option<AbsPath>,
        from: Option<&'b Entry>,
    },
    Nothing,
}

/// What has a name: its kind and identity. Nothing, for a name that nothing has.
type Seen = Option<(FileType, (u64, u64))>;

impl Moves {
    /// Keeps every other change away for as long as what this answers with lives.
    ///
    /// # Errors
    /// `EBUSY` when another one takes too long.
    pub(in crate::supervisor::mediate) fn alone(&self) -> Result<MutexGuard<'_, ()>, Errno> {
        let began = Instant::now();
        loop {
            match self.0.try_lock() {
                Ok(alone) => return Ok(alone),
                // There is nothing in it that could be half done.
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => return Err(Errno::BUSY),
                Err(TryLockError::WouldBlock) if began.elapsed() < SOON => thread::yield_now(),
                Err(TryLockError::WouldBlock) => thread::sleep(SOON),
            }
        }
    }
}

impl Mediator {
    /// Keeps other changes away and reads again where the directories of `entries` are; nothing where the kernel decides by
    /// itself.
    ///
    /// # Errors
    /// Those of [`Moves::alone`] and [`Entry::look_again`].
    pub(super) fn alone_with(&self, entries: &mut [&mut Entry]) -> Result<Option<MutexGuard<'_, ()>>, Errno> {
        if self.kernel_complete {
            return Ok(None);
        }
        let alone = self.moves.alone()?;
        entries.iter_mut().try_for_each(|entry| entry.look_again())?;
        Ok(Some(alone))
    }

    /// [`Self::carry_out`] for any other call that changes entries of directories: what is made by its path meanwhile is made where
    /// that was looked up.
    pub(in crate::supervisor::mediate) fn carry_out_change(
        &self,
        caller: Caller,
        decided: Decided,
        act: impl FnOnce() -> Result<(), Errno> + Send + 'static,
    ) -> Result<Outcome, Errno> {
        let moves = Arc::clone(&self.moves);
        self.carry_out(caller, decided, move || {
            let _alone = moves.alone()?;
            act()
        })
    }

    /// Carries out what was decided about `entries` while nothing else was changed; after a question only if they still are
    /// what was shown.
    pub(super) fn carry_out_alone(
        &self,
        caller: Caller,
        decided: Decided,
        entries: Vec<Entry>,
        act: impl FnOnce(&[Entry]) -> Result<(), Errno> + Send + 'static,
    ) -> Result<Outcome, Errno> {
        let moves = Arc::clone(&self.moves);
        if matches!(decided, Decided::Act) {
            return act(&entries).map(|()| Outcome::Return(0));
        }
        let shown: Vec<Seen> = entries.iter().map(seen).collect();
        self.carry_out(caller, decided, move || {
            let _alone = moves.alone()?;
            for (entry, shown) in entries.iter().zip(shown) {
                if !entry.is_in_place()? || seen(entry) != shown {
                    return Err(Errno::BUSY);
                }
            }
            act(&entries)
        })
    }
}

/// What `from` brings along when it becomes `to`.
pub(super) fn brought<'b>(from: &'b Entry, to: &Entry) -> Brought<'b> {
    let found = at::open(Some(from.directory.as_fd()), &from.name, &KEPT);
    match found.and_then(|found| file::status(found.as_fd())).map(|status| status.kind) {
        Ok(FileType::Directory) => Brought::Directory(from),
        Ok(FileType::Symlink) => {
            let mut buffer = [0; PATH_MAX];
            let target = at::read_link(from.directory.as_fd(), &from.name, &mut buffer).ok();
            Brought::Link { to: target.and_then(|target| leads_to(target, to)), from: Some(from) }
        }
        Ok(_) | Err(Errno::NOT_FOUND) => Brought::Nothing,
        // It may be anything.
        Err(_) => Brought::Link { to: None, from: None },
    }
}

/// What a symbolic link with the text `target` leads to as `entry`, if that can be told by the text.
pub(super) fn leads_to(target: &[u8], entry: &Entry) -> Option<AbsPath> {
    let mut names = target.split(|&byte| byte == b'/').skip_while(|name| matches!(*name, b"" | b"." | b".."));
    if names.any(|name| name == b"..") {
        return None;
    }
    Some(entry.real.parent().unwrap_or_else(AbsPath::root).join_or_absolute(target))
}

fn seen(entry: &Entry) -> Seen {
    let found = at::open(Some(entry.directory.as_fd()), &entry.name, &KEPT).ok()?;
    let status = file::status(found.as_fd()).ok()?;
    Some((status.kind, status.identity))
}
