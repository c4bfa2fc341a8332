//! Modes, owners, times, extended attributes and lengths, changed on the caller's behalf on the object that was looked up.
//!
//! Landlock has no right for most of these, so none of them is ever left to the kernel.

use std::ffi::CString;
use std::os::fd::AsFd;

use syscalls::Errno;
use syscalls::at::attributes::{self as raw, Time};
use syscalls::file::FileType;

use super::caller::Caller;
use super::change::At;
use super::open::{SET_ID, own_name};
use super::resolve::{Held, Last, Object, RealPath};
use super::{Decided, Kind, Mediator, Outcome};
use crate::approval::{AskedOperation, Change};
use crate::plan::Operation;
use crate::profile::abs_path::AbsPath;

/// `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH` of the `*at` calls.
pub(super) const NO_FOLLOW: i32 = 0x100;
pub(super) const EMPTY_PATH: i32 = 0x1000;

/// Which object is meant.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// A descriptor that gives access to its file.
    Descriptor(i32),
    /// Any descriptor, one of `O_PATH` too (`AT_EMPTY_PATH`).
    Object(i32),
    Path {
        at: At,
        last: Last,
    },
}

/// What is to change.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    Extended { name: CString, value: Vec<u8>, flags: i32 },
    ExtendedRemoved { name: CString },
    Length(i64),
    Mode(u32),
    Owner { user: u32, group: u32 },
    Times(Option<[Time; 2]>),
}

impl Attribute {
    fn shown(&self) -> Change {
        match self {
            Self::Extended { name, .. } => Change::Attribute { name: name.as_bytes().to_vec() },
            Self::ExtendedRemoved { name } => Change::AttributeRemoved { name: name.as_bytes().to_vec() },
            Self::Length(length) => Change::Length(*length),
            Self::Mode(mode) => Change::Mode(*mode),
            Self::Owner { user, group } => Change::Owner { user: *user, group: *group },
            Self::Times(_) => Change::Times,
        }
    }
}

impl Decided {
    /// The same with another error for a refusal.
    fn refusing_with(self, errno: Errno) -> Self {
        match self {
            Self::Refuse(Errno::ACCESS) => Self::Refuse(errno),
            Self::Act | Self::Ask(_) | Self::KernelDoes | Self::Refuse(_) => self,
        }
    }
}

impl Subject {
    /// The subject of an `*at` call with `flags`.
    ///
    /// # Errors
    /// `EINVAL` for flags that such calls do not have.
    pub(super) fn new(at: At, flags: i32) -> Result<Self, Errno> {
        if flags & !(NO_FOLLOW | EMPTY_PATH) != 0 {
            return Err(Errno::INVALID);
        }
        if at.path.is_empty() && flags & EMPTY_PATH != 0 {
            return Ok(Self::Object(at.directory));
        }
        let last = if flags & NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
        Ok(Self::Path { at, last })
    }
}

impl Mediator {
    /// Answers a change of an attribute.
    pub(super) fn attribute(&self, caller: Caller, subject: &Subject, attribute: Attribute) -> Outcome {
        if let Subject::Path { at, .. } = subject {
            self.recorder.looked_at(caller.id, &at.path, None);
        }
        self.try_attribute(caller, subject, attribute).unwrap_or_else(Outcome::Fail)
    }

    fn try_attribute(&self, caller: Caller, subject: &Subject, attribute: Attribute) -> Result<Outcome, Errno> {
        let (object, typed) = match subject {
            Subject::Descriptor(number) => {
                caller.check_not_path_only(*number)?;
                (self.descriptor(caller, *number)?, CString::default())
            }
            Subject::Object(number) => (self.descriptor(caller, *number)?, CString::default()),
            Subject::Path { at, last } if !at.path.is_empty() => {
                match self.resolver.object(caller, at.directory, &at.path, *last, 0) {
                    Ok(object) => (object, at.path.clone()),
                    Err(errno) if matches!(attribute, Attribute::Length(_)) => return self.unresolved(errno),
                    Err(errno) => return Err(errno),
                }
            }
            Subject::Path { .. } => return Err(Errno::NOT_FOUND),
        };
        let lends = lends_power(&object, &attribute);
        let RealPath::Path(real) = &object.real else {
            if lends {
                return Err(Errno::NOT_PERMITTED);
            }
            // A pipe, a socket or memory that the caller holds is the caller's.
            return apply(&object, &attribute).map(|()| Outcome::Return(0));
        };
        if let Attribute::Length(_) = attribute {
            check_has_length(object.status.kind)?;
        }
        // `/dev/null` is written to by every program, and is everybody's: what it is stays as it is.
        let is_device = matches!(object.status.kind, FileType::BlockDevice | FileType::CharacterDevice);
        let is_shared = is_device && !real.as_bytes().starts_with(b"/dev/pts/");
        let kept = match (lends, is_shared && !matches!(attribute, Attribute::Length(_))) {
            (true, _) => Some("no file is left behind that lends its owner's power to others"),
            (false, true) => Some("a device is everybody's, and stays as it is"),
            (false, false) => None,
        };
        if let Some(why) = kept {
            self.refuse(caller, format!("change the mode or an attribute of {real}"), real.as_bytes(), why);
            return Err(Errno::NOT_PERMITTED);
        }
        self.check_unsigned(caller, real, &object)?;
        let operations = [Operation::Write(real.clone())];
        // A length is a matter of writing, which the kernel mediates; EPERM is what chmod(2) has for files of others.
        let kind = if matches!(attribute, Attribute::Length(_)) { Kind::Entry } else { Kind::Attribute };
        let shown = attribute.shown();
        let wish = |_: &AbsPath, _| AskedOperation::Change(shown.clone());
        let decided = self.decide(caller, &operations, (&typed, &wish), &[Held::Object(&object)], kind);
        let decided = if kind == Kind::Attribute { decided.refusing_with(Errno::NOT_PERMITTED) } else { decided };
        if let (Decided::Act, Attribute::Length(_)) = (&decided, &attribute) {
            // It waits for whoever holds a lease on the file (fcntl(2)).
            return Ok(Outcome::Slow(Box::new(move || match apply_within(caller, &object, &attribute) {
                Ok(()) => Outcome::Return(0),
                Err(errno) => Outcome::Fail(errno),
            })));
        }
        self.carry_out(caller, decided, move || apply_within(caller, &object, &attribute))
    }
}

/// What `truncate(2)` says of anything but files it says to everybody.
fn check_has_length(kind: FileType) -> Result<(), Errno> {
    match kind {
        FileType::Regular => Ok(()),
        FileType::Directory => Err(Errno::IS_DIRECTORY),
        FileType::BlockDevice | FileType::CharacterDevice | FileType::Fifo | FileType::Socket | FileType::Symlink => {
            Err(Errno::INVALID)
        }
    }
}

/// A file that lends its owner's power to whoever starts it would do so after the run as well: one with a set-id bit, or
/// with what a security module keeps with a file, its capabilities included. On a directory the set-id bits say only which
/// group new files have.
fn lends_power(object: &Object, attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Mode(mode) => object.status.kind == FileType::Regular && u64::from(*mode) & SET_ID != 0,
        Attribute::Extended { name, .. } => name.to_bytes().starts_with(b"security."),
        Attribute::ExtendedRemoved { .. } | Attribute::Length(_) | Attribute::Owner { .. } | Attribute::Times(_) => {
            false
        }
    }
}

/// [`apply`] within the caller's limits, which this process does not have.
fn apply_within(caller: Caller, object: &Object, attribute: &Attribute) -> Result<(), Errno> {
    if let (Attribute::Length(length), FileType::Regular) = (attribute, object.status.kind) {
        caller.check_length(object.status.size, u64::try_from(*length).unwrap_or(0))?;
    }
    apply(object, attribute)
}

fn apply(object: &Object, attribute: &Attribute) -> Result<(), Errno> {
    match attribute {
        Attribute::Extended { name, value, flags } => raw::set_extended(&own_name(&object.file), name, value, *flags),
        Attribute::ExtendedRemoved { name } => raw::remove_extended(&own_name(&object.file), name),
        Attribute::Length(length) => raw::set_length(&own_name(&object.file), *length),
        Attribute::Mode(mode) => raw::set_mode(object.file.as_fd(), *mode),
        Attribute::Owner { user, group } => raw::set_owner(object.file.as_fd(), *user, *group),
        Attribute::Times(times) => raw::set_times(object.file.as_fd(), times.as_ref()),
    }
}
