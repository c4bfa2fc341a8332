//! Entries made, removed, renamed and linked on the caller's behalf, by the directories that were looked up.

mod moves;
mod order;
mod rights;

use std::ffi::CString;
use std::os::fd::AsFd;

use syscalls::Errno;
use syscalls::at::change::{self, Entry as RawEntry};
use syscalls::file::FileType;

pub(super) use self::moves::{Brought, Moves};
use self::moves::{brought, leads_to};
pub(super) use self::order::check_new;
pub(super) use self::rights::granted_paths_may_move;
use super::caller::Caller;
use super::open::own_name;
use super::resolve::{Entry, Held, KEPT, Last, Object, RealPath};
use super::{Decided, Kind, Mediator, Outcome, asking};
use crate::approval::Change as Shown;
use crate::plan::{Access, Operation};
use crate::profile::abs_path::AbsPath;

/// `AT_SYMLINK_FOLLOW` and `AT_EMPTY_PATH` of `linkat(2)`.
const SYMLINK_FOLLOW: i32 = 0x400;
const EMPTY_PATH: i32 = 0x1000;
/// `RENAME_NOREPLACE`, `RENAME_EXCHANGE` and `RENAME_WHITEOUT` of `renameat2(2)`.
const NO_REPLACE: u32 = 1;
const EXCHANGE: u32 = 2;
const WHITEOUT: u32 = 4;

/// A path and the descriptor it starts from.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) directory: i32,
    pub(super) path: CString,
}

/// What is to happen to one entry.
#[derive(Clone, Debug)]
pub(super) enum Change {
    MakeDirectory { mode: u32 },
    MakeNode { mode: u32, device: u64 },
    Remove { flags: i32 },
    Symlink { target: CString },
}

/// What a question about a hard link shows at either path.
const LINK: [fn(AbsPath) -> Shown; 2] = [Shown::LinkTo, Shown::LinkFrom];

impl Change {
    fn shown(&self) -> Shown {
        match self {
            Self::MakeDirectory { .. } => Shown::Directory,
            Self::MakeNode { mode, .. } => Shown::Node(*mode),
            Self::Remove { .. } => Shown::Remove,
            Self::Symlink { target } => Shown::Symlink { target: target.as_bytes().to_vec() },
        }
    }
}

impl Mediator {
    /// Answers a call that makes or removes one entry.
    pub(super) fn change(&self, caller: Caller, at: &At, what: &Change) -> Outcome {
        self.recorder.looked_at(caller.id, &at.path, None);
        self.try_change(caller, at, what).unwrap_or_else(Outcome::Fail)
    }

    fn try_change(&self, caller: Caller, at: &At, what: &Change) -> Result<Outcome, Errno> {
        let entry = match self.resolver.entry(caller, at.directory, &at.path, 0) {
            Ok(entry) => entry,
            Err(errno) => return self.unresolved(errno),
        };
        let (operations, held) = ([Operation::Write(entry.real.clone())], [Held::Entry(&entry)]);
        self.check_order(&operations, &held, || order::check_change(&entry, what))?;
        match what {
            Change::Remove { .. } => self.check_entry_unsigned(caller, &entry)?,
            Change::MakeDirectory { .. } | Change::MakeNode { .. } | Change::Symlink { .. } => {
                self.check_free(caller, &entry.real)?;
            }
        }
        if let Change::Symlink { target } = what {
            let brought = || Brought::Link { to: leads_to(target.to_bytes(), &entry), from: None };
            self.check_not_above_closed(caller, &entry, brought)?;
        }
        let wish = asking::change(|_| what.shown());
        let decided = self.decide(caller, &operations, (&at.path, &wish), &held, Kind::Entry);
        if matches!(decided, Decided::KernelDoes) {
            // It applies the mask itself.
            return Ok(Outcome::GoOn);
        }
        let mask = match what {
            Change::MakeDirectory { .. } | Change::MakeNode { .. } => caller.umask()?,
            Change::Remove { .. } | Change::Symlink { .. } => 0,
        };
        self.check_still_waits(caller)?;
        let what = what.clone();
        self.carry_out_change(caller, decided, move || carry_out(&entry, &what, mask))
    }

    /// Answers a rename.
    pub(super) fn rename(&self, caller: Caller, from: &At, to: &At, flags: u32) -> Outcome {
        self.recorder.looked_at(caller.id, &from.path, None);
        self.try_rename(caller, from, to, flags).unwrap_or_else(Outcome::Fail)
    }

    fn try_rename(&self, caller: Caller, from: &At, to: &At, flags: u32) -> Result<Outcome, Errno> {
        let exclude_each_other = flags & EXCHANGE != 0 && flags & (NO_REPLACE | WHITEOUT) != 0;
        if exclude_each_other || flags & !(NO_REPLACE | EXCHANGE | WHITEOUT) != 0 {
            return Err(Errno::INVALID);
        }
        let (mut old, mut new) = match self.entries(caller, from, to) {
            Ok(both) => both,
            Err(errno) => return self.unresolved(errno),
        };
        let _alone = self.alone_with(&mut [&mut old, &mut new])?;
        let operations = [Operation::Write(old.real.clone()), Operation::Write(new.real.clone())];
        self.check_order(&operations, &[Held::Entry(&old), Held::Entry(&new)], || {
            order::check_rename(&old, &new, flags)
        })?;
        self.check_move(caller, &old, &new)?;
        if flags & EXCHANGE == 0 {
            self.check_entry_unsigned(caller, &new)?;
        } else {
            self.check_move(caller, &new, &old)?;
        }
        self.check_gains_nothing(caller, &operations, &old.real, &new.real)?;
        if flags & EXCHANGE != 0 {
            self.check_gains_nothing(caller, &operations, &new.real, &old.real)?;
        }
        let words: [fn(AbsPath) -> Shown; 2] = match flags & EXCHANGE {
            0 => [Shown::RenameTo, Shown::RenameFrom],
            _ => [Shown::Exchange; 2],
        };
        let held = [Held::Entry(&old), Held::Entry(&new)];
        let decided = {
            let wish = asking::both(&old.real, &new.real, words);
            self.decide(caller, &operations, (&from.path, &wish), &held, Kind::Entry)
        };
        self.carry_out_alone(caller, decided, vec![old, new], move |both| match both {
            [old, new] => change::rename(raw(old), raw(new), flags),
            _ => Err(Errno::INVALID),
        })
    }

    /// Refuses to give what is signed another name, and to bring anything out of reach of a rule about where it is, or into
    /// reach of one that would have kept it from being made there.
    fn check_move(&self, caller: Caller, from: &Entry, to: &Entry) -> Result<(), Errno> {
        self.check_not_above_closed(caller, to, || brought(from, to))?;
        self.check_entry_unsigned(caller, from)?;
        self.check_free(caller, &to.real)?;
        // A directory takes what lies in it along, out of reach of rules about where that was.
        self.check_tree(caller, from, to)
    }

    fn entries(&self, caller: Caller, from: &At, to: &At) -> Result<(Entry, Entry), Errno> {
        let old = self.resolver.entry(caller, from.directory, &from.path, 0)?;
        Ok((old, self.resolver.entry(caller, to.directory, &to.path, 0)?))
    }

    /// Answers a hard link.
    pub(super) fn link(&self, caller: Caller, from: &At, to: &At, flags: i32) -> Outcome {
        self.recorder.looked_at(caller.id, &from.path, None);
        self.try_link(caller, from, to, flags).unwrap_or_else(Outcome::Fail)
    }

    fn try_link(&self, caller: Caller, from: &At, to: &At, flags: i32) -> Result<Outcome, Errno> {
        if flags & !(SYMLINK_FOLLOW | EMPTY_PATH) != 0 {
            return Err(Errno::INVALID);
        }
        let by_descriptor = flags & EMPTY_PATH != 0 && from.path.is_empty();
        if by_descriptor || flags & SYMLINK_FOLLOW != 0 {
            let object = if by_descriptor {
                self.descriptor(caller, from.directory)?
            } else {
                self.resolver.object(caller, from.directory, &from.path, Last::Follow, 0)?
            };
            let kind = if by_descriptor && !self.only_kernel_knows { Kind::Descriptor } else { Kind::Entry };
            return self.link_object(caller, from, object, to, kind);
        }
        let mut old = self.resolver.entry(caller, from.directory, &from.path, 0)?;
        let mut new = match self.resolver.entry(caller, to.directory, &to.path, 0) {
            Ok(new) => new,
            // What is to get another name is looked up first.
            Err(errno) => return Err(order::check_there(&old).err().unwrap_or(errno)),
        };
        let _alone = self.alone_with(&mut [&mut old, &mut new])?;
        let operations = [Operation::Write(old.real.clone()), Operation::Write(new.real.clone())];
        self.check_order(&operations, &[Held::Entry(&old), Held::Entry(&new)], || {
            order::check_there(&old).and_then(|()| check_new(&new))
        })?;
        // A symbolic link has hard links as well.
        self.check_not_above_closed(caller, &new, || brought(&old, &new))?;
        self.check_free(caller, &new.real)?;
        self.check_entry_unsigned(caller, &old)?;
        self.check_gains_nothing(caller, &operations, &old.real, &new.real)?;
        let held = [Held::Entry(&old), Held::Entry(&new)];
        let decided = {
            let wish = asking::both(&old.real, &new.real, LINK);
            self.decide(caller, &operations, (&from.path, &wish), &held, Kind::Entry)
        };
        self.carry_out_alone(caller, decided, vec![old, new], move |both| match both {
            [old, new] => change::link(raw(old), raw(new)),
            _ => Err(Errno::INVALID),
        })
    }

    /// Answers a hard link of what is open already, or was found through symbolic links.
    fn link_object(&self, caller: Caller, from: &At, object: Object, to: &At, kind: Kind) -> Result<Outcome, Errno> {
        let mut new = self.resolver.entry(caller, to.directory, &to.path, 0)?;
        let _alone = self.alone_with(&mut [&mut new])?;
        let object = Object::open_as(object.file)?;
        let operations = [link_source(&object), Some(Operation::Write(new.real.clone()))];
        let operations: Vec<Operation> = operations.into_iter().flatten().collect();
        self.check_order(&operations, &[Held::Object(&object), Held::Entry(&new)], || check_new(&new))?;
        let is_link = object.status.kind == FileType::Symlink;
        let brought = || if is_link { Brought::Link { to: None, from: None } } else { Brought::Nothing };
        self.check_not_above_closed(caller, &new, brought)?;
        self.check_free(caller, &new.real)?;
        if let RealPath::Path(real) = &object.real {
            self.check_unsigned(caller, real, &object)?;
        }
        if let RealPath::Path(real) = &object.real {
            self.check_gains_nothing(caller, &operations, real, &new.real)?;
        }
        let held = [Held::Object(&object), Held::Entry(&new)];
        let decided = {
            let wish = |path: &AbsPath, open| match &object.real {
                RealPath::Path(real) => asking::both(real, &new.real, LINK)(path, open),
                RealPath::Nameless => asking::change(|_| Shown::File(Access::NONE))(path, open),
            };
            self.decide(caller, &operations, (&from.path, &wish), &held, kind)
        };
        let own_name = own_name(&object.file);
        self.carry_out_alone(caller, decided, vec![new], move |entries| {
            // Held for as long as it is named by its descriptor.
            let _held = &object;
            entries.first().map_or(Err(Errno::INVALID), |new| change::link_open(&own_name, raw(new)))
        })
    }

    /// Carries a decision out with a call that returns nothing.
    pub(super) fn carry_out(
        &self,
        caller: Caller,
        decided: Decided,
        act: impl FnOnce() -> Result<(), Errno> + Send + 'static,
    ) -> Result<Outcome, Errno> {
        match decided {
            Decided::Act => act().map(|()| Outcome::Return(0)),
            Decided::Ask(questions) => Ok(self.ask(caller, questions, move || match act() {
                Ok(()) => Outcome::Return(0),
                Err(errno) => Outcome::Fail(errno),
            })),
            Decided::KernelDoes => Ok(Outcome::GoOn),
            Decided::Refuse(errno) => Err(errno),
        }
    }

    /// The object that descriptor `number` of the caller is.
    ///
    /// # Errors
    /// `EBADF` when it has none.
    pub(super) fn descriptor(&self, caller: Caller, number: i32) -> Result<Object, Errno> {
        Object::open_as(caller.directory(number)?)
    }

    /// Refuses to move a directory out of reach of a rule about something in it.
    fn check_tree(&self, caller: Caller, entry: &Entry, to: &Entry) -> Result<(), Errno> {
        let is_directory = || match syscalls::at::open(Some(entry.directory.as_fd()), &entry.name, &KEPT) {
            Ok(file) => !syscalls::file::status(file.as_fd()).is_ok_and(|status| status.kind != FileType::Directory),
            Err(_) => false,
        };
        if self.stays_closed(entry, &to.real) || !is_directory() {
            return Ok(());
        }
        self.refuse_moving(caller, &entry.real);
        Err(Errno::ACCESS)
    }

    /// Refuses a new entry that would bring its own content to a closed path, or lead it elsewhere.
    fn check_not_above_closed<'b>(
        &self,
        caller: Caller,
        entry: &Entry,
        brought: impl FnOnce() -> Brought<'b>,
    ) -> Result<(), Errno> {
        let errno = if self.is_above_closed(entry) {
            Errno::ACCESS
        } else {
            match self.brings_to_closed(entry, brought) {
                None => return Ok(()),
                // Programs copy instead, and each file is decided about.
                Some(Brought::Directory(_)) => Errno::OTHER_FILESYSTEM,
                Some(Brought::Link { .. } | Brought::Nothing) => Errno::ACCESS,
            }
        };
        self.refuse_moving(caller, &entry.real);
        Err(errno)
    }

    fn refuse_moving(&self, caller: Caller, path: &AbsPath) {
        let why = "what is denied, or must be signed, lies beneath by its name";
        self.refuse(caller, format!("move or replace {path}"), path.as_bytes(), why);
    }
}

/// The permission to give a file another name is that to write to it, as for the name it has.
fn link_source(object: &Object) -> Option<Operation> {
    match &object.real {
        RealPath::Path(real) if object.status.kind != FileType::Symlink => Some(Operation::Write(real.clone())),
        RealPath::Path(_) | RealPath::Nameless => None,
    }
}

fn carry_out(entry: &Entry, what: &Change, mask: u32) -> Result<(), Errno> {
    match what {
        Change::MakeDirectory { mode } => change::make_directory(raw(entry), mode & !mask),
        Change::MakeNode { mode, device } => change::make_node(raw(entry), mode & !mask, *device),
        Change::Remove { flags } => change::remove(raw(entry), *flags),
        Change::Symlink { target } => change::symlink(target, raw(entry)),
    }
}

fn raw(entry: &Entry) -> RawEntry<'_> {
    RawEntry { directory: entry.directory.as_fd(), name: &entry.name }
}
