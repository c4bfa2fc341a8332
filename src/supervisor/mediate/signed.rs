//! Files that must be signed, where calls come near them.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use syscalls::Errno;
use syscalls::at::{self, OpenHow};
use syscalls::file::{self, FileType};
use syscalls::notify::NotifyId;

use super::caller::Caller;
use super::open::{Open, own_name, reopen};
use super::resolve::{Entry, KEPT, Object, RealPath};
use super::{Mediator, Outcome};
use crate::profile::abs_path::AbsPath;
use crate::supervisor::trusted::{Admission, Concern, Trusted};

/// What the log names as the rule, where a signature is.
const STAYS: &str = "what is signed stays as it was signed";
const NOT_VERIFIED: &str = "what must be signed is verified first";

/// What an object is to those who ask for signatures.
pub(super) enum Needed {
    /// It need not be signed, or is known to go through: as it is, or as this copy.
    Nothing(Option<Arc<OwnedFd>>),
    Signature(Signed),
}

/// A file that must be signed before it is let through.
pub(super) struct Signed {
    trusted: Arc<Trusted>,
    concern: Concern,
    call: NotifyId,
}

impl Mediator {
    /// What must be signed about `object`, to which `path` led from descriptor `directory`.
    pub(super) fn needed(&self, caller: Caller, directory: i32, path: &CStr, object: &Object) -> Needed {
        let (Some(trusted), RealPath::Path(real)) = (&self.trusted, &object.real) else { return Needed::Nothing(None) };
        if object.status.kind == FileType::Directory {
            return Needed::Nothing(None);
        }
        match trusted.known(real, &object.status) {
            Some(Admission::Copy(copy)) => return Needed::Nothing(Some(copy)),
            Some(Admission::Itself) => return Needed::Nothing(None),
            Some(Admission::Refused) | None => {}
        }
        // Without a link on the way the real path ends as the text does.
        let typed = || if ends_with(real, path) { None } else { self.typed_path(caller, directory, path) };
        match trusted.concern(real, typed) {
            Some(concern) => Needed::Signature(Signed { trusted: Arc::clone(trusted), concern, call: caller.id }),
            None => Needed::Nothing(None),
        }
    }

    /// The path as it was asked for, without a look at what is there.
    fn typed_path(&self, caller: Caller, directory: i32, path: &CStr) -> Option<AbsPath> {
        let text = path.to_bytes();
        if text.first() == Some(&b'/') {
            return AbsPath::new(text);
        }
        Some(self.resolver.links.directory_name(caller, directory)?.join(text))
    }

    /// Refuses to change a file that is signed.
    ///
    /// # Errors
    /// `EPERM`.
    pub(super) fn check_unsigned(&self, caller: Caller, real: &AbsPath, object: &Object) -> Result<(), Errno> {
        self.check_file_unsigned(caller, real, &object.file, &object.status)
    }

    /// [`Self::check_unsigned`] for what an entry names: a symbolic link itself, or a directory with all that lies beneath.
    ///
    /// # Errors
    /// `EPERM`.
    pub(super) fn check_entry_unsigned(&self, caller: Caller, entry: &Entry) -> Result<(), Errno> {
        if self.trusted.is_none() {
            return Ok(());
        }
        let found = at::open(Some(entry.directory.as_fd()), &entry.name, &KEPT);
        // Nothing there, or nothing to be had: the call itself says so.
        let Ok(found) = found else { return Ok(()) };
        let status = file::status(found.as_fd())?;
        match &self.trusted {
            Some(trusted) if status.kind == FileType::Directory && trusted.keeps_in_place(&entry.real) => {
                trusted.refused_change(&entry.real);
                self.recorder.refused(caller.id, entry.real.as_bytes(), STAYS);
                Err(Errno::NOT_PERMITTED)
            }
            Some(_) | None => self.check_file_unsigned(caller, &entry.real, &found, &status),
        }
    }

    /// Refuses a new entry at `path` that would speak for a file that is signed.
    ///
    /// # Errors
    /// `EPERM`.
    pub(super) fn check_free(&self, caller: Caller, path: &AbsPath) -> Result<(), Errno> {
        match &self.trusted {
            Some(trusted) if trusted.keeps_free(path) => {
                trusted.refused_change(path);
                self.recorder.refused(caller.id, path.as_bytes(), STAYS);
                Err(Errno::NOT_PERMITTED)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether all that must be signed beneath the directory `from` still must be when it becomes `to`.
    pub(super) fn stays_signed(&self, from: &AbsPath, to: &AbsPath) -> bool {
        self.trusted.as_ref().is_none_or(|trusted| trusted.keeps_tree(from, to))
    }

    fn check_file_unsigned(
        &self,
        caller: Caller,
        real: &AbsPath,
        found: &OwnedFd,
        status: &file::Status,
    ) -> Result<(), Errno> {
        let Some(trusted) = &self.trusted else { return Ok(()) };
        if !trusted.keeps(real, status, found) {
            return Ok(());
        }
        trusted.refused_change(real);
        self.recorder.refused_writing(caller.id, real.as_bytes(), STAYS);
        Err(Errno::NOT_PERMITTED)
    }
}

impl Signed {
    /// Does `act` with the object, and the copy that stands for it, once it is let through. What was not looked at before
    /// takes a while, which is the caller's time.
    pub(super) fn admit(
        self,
        object: Object,
        act: impl FnOnce(Object, Option<Arc<OwnedFd>>) -> Outcome + Send + 'static,
    ) -> Outcome {
        Outcome::Slow(Box::new(move || match self.trusted.admit(&self.concern, &object.file) {
            Ok(Admission::Copy(copy)) => act(object, Some(copy)),
            Ok(Admission::Itself) => act(object, None),
            Ok(Admission::Refused) => {
                self.trusted.recorder().refused(self.call, self.concern.real().as_bytes(), NOT_VERIFIED);
                Outcome::Fail(Errno::NOT_PERMITTED)
            }
            Err(errno) => Outcome::Fail(errno),
        }))
    }
}

/// Whether `real` ends with the names of `path`.
fn ends_with(real: &AbsPath, path: &CStr) -> bool {
    let text = path.to_bytes();
    let text = text.strip_prefix(b"./").unwrap_or(text);
    match real.as_bytes().strip_suffix(text) {
        Some(rest) => text.first() == Some(&b'/') && rest.is_empty() || rest.ends_with(b"/"),
        None => false,
    }
}

/// Opens the object, or the copy that stands for it.
pub(super) fn reopen_as(open: &Open, object: Object, copy: Option<Arc<OwnedFd>>) -> Outcome {
    match copy {
        Some(copy) => reopen_copy(open, &copy),
        None => reopen(open, object.file, &object.status),
    }
}

/// Opens a copy in memory as if it were the file: nothing can be written to it.
fn reopen_copy(open: &Open, copy: &OwnedFd) -> Outcome {
    let flags = (open.flags & OpenHow::NON_BLOCKING) | OpenHow::READ_ONLY | OpenHow::CLOSE_ON_EXEC;
    match at::open(None, &own_name(copy), &OpenHow { flags, mode: 0, resolve: 0 }) {
        Ok(file) => Outcome::HandOver { file, close_on_exec: open.has(OpenHow::CLOSE_ON_EXEC), alone: false },
        Err(errno) => Outcome::Fail(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_links_is_recognised_by_its_end() {
        let ends = |real: &str, text: &CStr| ends_with(&AbsPath::new(real.as_bytes()).unwrap(), text);
        assert!(ends("/a/b", c"b") && ends("/a/b", c"./b") && ends("/a/b", c"a/b") && ends("/a/b", c"/a/b"));
        assert!(!ends("/a/b", c"/b") && !ends("/a/xb", c"b") && !ends("/a/b", c"c") && !ends("/a/b", c"../a/b"));
    }
}
