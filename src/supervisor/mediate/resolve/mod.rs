//! Where a path of the caller's leads: one resolution, to an object or to an entry of a directory.
//!
//! The kernel walks a path in one call wherever it means the same for both processes. `/proc/self` and the links of
//! `/proc/PID/fd` mean whoever walks them (`proc(5)`), so a path that comes near them is walked here, name by name.

pub(super) mod spelling;
mod straight;
mod walk;

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::sync::OnceLock;

use syscalls::Errno;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::{self, FileType, Status};
use syscalls::process::Pid;
use syscalls::signal;

pub(super) use self::straight::{Straight, is_plain};
use self::walk::Walk;
use super::caller::{self, Caller, DELETED, Links, PATH_MAX};
use crate::profile::abs_path::AbsPath;

/// The object a name has, a symbolic link itself included.
pub(super) const KEPT: OpenHow =
    OpenHow { flags: OpenHow::PATH | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_FOLLOW, mode: 0, resolve: 0 };

/// Something that exists, open without access.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) file: OwnedFd,
    pub(super) status: Status,
    pub(super) real: RealPath,
}

/// A name in a directory, whether or not something has it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) directory: OwnedFd,
    /// The last component as the caller wrote it, slashes at its end included: they mean something to `rename(2)`.
    pub(super) name: CString,
    pub(super) real: AbsPath,
}

/// What a decision is about, as it was looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held<'h> {
    Entry(&'h Entry),
    Object(&'h Object),
}

impl<'h> Held<'h> {
    pub(super) fn object(&self) -> Option<&'h Object> {
        match self {
            Self::Entry(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// What the kernel calls an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RealPath {
    /// A pipe, a socket or memory: nothing that a path leads to, so nothing a policy names.
    Nameless,
    Path(AbsPath),
}

/// Whether the last component is followed when it is a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// Walks paths for callers.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) links: Links,
    /// The processes around the program, whose `/proc` is nobody's business.
    outside: Vec<Pid>,
}

impl Resolver {
    pub(super) fn new(outside: Vec<Pid>) -> Self {
        Self { links: Links::default(), outside }
    }

    /// The object that `path` leads to from descriptor `directory` of `caller`. `resolve` are the caller's own
    /// `RESOLVE_*` flags.
    ///
    /// # Errors
    /// Those the kernel would give the caller.
    pub(super) fn object(
        &self,
        caller: Caller,
        directory: i32,
        path: &CStr,
        last: Last,
        resolve: u64,
    ) -> Result<Object, Errno> {
        self.object_from(caller, base(caller, directory, path, resolve)?, path, last, resolve)
    }

    /// The same from a directory that is open already; `None` stands for the root of an absolute path.
    fn object_from(
        &self,
        caller: Caller,
        base: Option<OwnedFd>,
        path: &CStr,
        last: Last,
        resolve: u64,
    ) -> Result<Object, Errno> {
        let no_follow = if last == Last::Keep { OpenHow::NO_FOLLOW } else { 0 };
        let flags = OpenHow::PATH | OpenHow::CLOSE_ON_EXEC | no_follow;
        let wanted = OpenHow { flags, mode: 0, resolve: resolve | how::NO_MAGICLINKS };
        match open_again(base.as_ref(), path, &wanted) {
            Ok(found) => {
                if file::is_in_proc(found.as_fd())? {
                    self.walk_object(caller, base, path, last, resolve)
                } else {
                    Object::new(found)
                }
            }
            Err(Errno::LOOP) if resolve & (how::NO_SYMLINKS | how::NO_MAGICLINKS) == 0 => {
                self.walk_object(caller, base, path, last, resolve)
            }
            Err(errno) => {
                // A missing name beneath /proc/self is missing for this process, and perhaps not for the caller.
                let is_missing = matches!(errno, Errno::NOT_FOUND | Errno::NOT_DIRECTORY | Errno::ACCESS);
                let may_link = is_missing && resolve & how::NO_SYMLINKS == 0;
                let may_be_proc = path.to_bytes().windows(4).any(|part| part == b"/fd/")
                    || may_link && goes_by_link(base.as_ref(), path, &wanted);
                if may_be_proc { self.walk_object(caller, base, path, last, resolve) } else { Err(errno) }
            }
        }
    }

    /// The entry that `path` names from descriptor `directory` of `caller`; everything before the last component is
    /// followed.
    ///
    /// # Errors
    /// Those the kernel would give the caller.
    pub(super) fn entry(&self, caller: Caller, directory: i32, path: &CStr, resolve: u64) -> Result<Entry, Errno> {
        self.entry_of(caller, base(caller, directory, path, resolve)?, path, resolve)
    }

    /// The entry that the text of a symbolic link in `directory` names.
    ///
    /// # Errors
    /// As [`Self::entry`].
    pub(super) fn entry_from(&self, caller: Caller, directory: &OwnedFd, target: &CStr) -> Result<Entry, Errno> {
        let absolute = target.to_bytes().first() == Some(&b'/');
        let base = if absolute { None } else { Some(directory.try_clone().map_err(|_| Errno::TRY_AGAIN)?) };
        self.entry_of(caller, base, target, 0)
    }

    fn entry_of(&self, caller: Caller, base: Option<OwnedFd>, path: &CStr, resolve: u64) -> Result<Entry, Errno> {
        let text = path.to_bytes();
        if text.is_empty() {
            return Err(Errno::NOT_FOUND);
        }
        let trimmed = text.len() - text.iter().rev().take_while(|&&byte| byte == b'/').count();
        let start = text[..trimmed].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (above, name) = if trimmed == 0 { (&b"/"[..], &b"."[..]) } else { (&text[..start], &text[start..]) };
        let above = if above.is_empty() { b"." } else { above };
        let above = CString::new(above).map_err(|_| Errno::INVALID)?;
        let parent = self.object_from(caller, base, &above, Last::Follow, resolve)?;
        if parent.status.kind != FileType::Directory {
            return Err(Errno::NOT_DIRECTORY);
        }
        let RealPath::Path(real) = parent.real else { return Err(Errno::NOT_FOUND) };
        let name = CString::new(name).map_err(|_| Errno::INVALID)?;
        let real = real.join(plain_name(&name));
        Ok(Entry { directory: parent.file, name, real })
    }

    fn walk_object(
        &self,
        caller: Caller,
        base: Option<OwnedFd>,
        path: &CStr,
        last: Last,
        resolve: u64,
    ) -> Result<Object, Errno> {
        let start = match base {
            Some(base) => base,
            None => root()?,
        };
        let (found, by_link) = Walk::new(self, caller, start, resolve)?.run(path.to_bytes(), last)?;
        // Memory files and files without a name have a text that looks like a path.
        let object = if by_link { Object::open_as(found) } else { Object::new(found) }?;
        // A second /proc, mounted elsewhere, has no name for the caller.
        let elsewhere = matches!(&object.real, RealPath::Path(real) if !is_in_proc(real));
        if elsewhere && file::is_in_proc(object.file.as_fd())? { Err(Errno::ACCESS) } else { Ok(object) }
    }
}

impl Resolver {
    /// Only processes of the run: a signal of this process reaches them and, but for the two around them, no other.
    /// `/proc` has a directory for every thread as well, and that of a thread shows its process.
    fn check_inside(&self, caller: Caller, pid: Pid) -> Result<(), Errno> {
        let process = caller::process_of(pid).map_err(|_| Errno::NOT_FOUND)?;
        if self.outside.contains(&process) {
            return Err(Errno::ACCESS);
        }
        caller.looking(|| signal::may_signal(process)).map_err(|errno| match errno {
            Errno::NO_SUCH_PROCESS => Errno::NOT_FOUND,
            _ => Errno::ACCESS,
        })
    }
}

impl Entry {
    /// Reads again where the directory is.
    ///
    /// # Errors
    /// `ENOENT` when no path leads there any more.
    pub(super) fn look_again(&mut self) -> Result<(), Errno> {
        self.real = self.path_now()?;
        Ok(())
    }

    /// Whether the path is still what it was at the last look.
    ///
    /// # Errors
    /// As [`Self::look_again`].
    pub(super) fn is_in_place(&self) -> Result<bool, Errno> {
        Ok(self.path_now()? == self.real)
    }

    fn path_now(&self) -> Result<AbsPath, Errno> {
        match real_path(&self.directory)? {
            RealPath::Path(directory) if !file::status(self.directory.as_fd())?.is_unlinked => {
                Ok(directory.join(plain_name(&self.name)))
            }
            RealPath::Path(_) | RealPath::Nameless => Err(Errno::NOT_FOUND),
        }
    }
}

/// A last component without a slash at its end.
fn plain_name(name: &CStr) -> &[u8] {
    let name = name.to_bytes();
    name.strip_suffix(b"/").unwrap_or(name)
}

impl Object {
    /// What is open as `file`: a descriptor of the caller's.
    pub(super) fn open_as(file: OwnedFd) -> Result<Self, Errno> {
        let mut object = Self::new(file)?;
        if object.status.is_unlinked && matches!(&object.real, RealPath::Path(real) if is_memory(real)) {
            object.real = RealPath::Nameless;
        }
        Ok(object)
    }

    fn new(file: OwnedFd) -> Result<Self, Errno> {
        let status = file::status(file.as_fd())?;
        let mut real = real_path(&file)?;
        if let RealPath::Path(path) = &real {
            if let Some(before) = path.as_bytes().strip_suffix(DELETED).and_then(AbsPath::new) {
                // A file may really be called so. One that lost its name while it was looked at is judged by that name.
                if !is_at(path, &status) {
                    real = RealPath::Path(before);
                }
            }
        }
        Ok(Self { file, status, real })
    }
}

/// Whether `path` still leads to the file of `status`.
fn is_at(path: &AbsPath, status: &Status) -> bool {
    let found = CString::new(path.as_bytes()).map_err(|_| Errno::INVALID).and_then(|path| at::open(None, &path, &KEPT));
    found.and_then(|found| file::status(found.as_fd())).is_ok_and(|found| found.identity == status.identity)
}

fn root() -> Result<OwnedFd, Errno> {
    file::open_path(c"/")
}

/// What a path starts from; an absolute one starts nowhere but at the root, which is the same for both, unless its flags
/// say otherwise.
fn base(caller: Caller, directory: i32, path: &CStr, resolve: u64) -> Result<Option<OwnedFd>, Errno> {
    let absolute = path.to_bytes().first() == Some(&b'/') && resolve & how::SCOPED == 0;
    if absolute { Ok(None) } else { caller.directory(directory).map(Some) }
}

pub(super) fn real_path(file: &OwnedFd) -> Result<RealPath, Errno> {
    // The way there is looked up once: most of what the link of a descriptor costs is that.
    static OWN: OnceLock<Option<OwnedFd>> = OnceLock::new();
    let own = OWN.get_or_init(|| file::open_path(c"/proc/self/fd").ok());
    let (mut digits, mut buffer) = ([0; 12], [0; PATH_MAX]);
    let text = match (own, caller::decimal(file.as_raw_fd(), &mut digits)) {
        (Some(own), Some(name)) => at::read_link(own.as_fd(), name, &mut buffer)?,
        _ => file::real_path(file.as_fd(), &mut buffer)?,
    };
    Ok(AbsPath::new(text).map_or(RealPath::Nameless, RealPath::Path))
}

pub(super) fn is_in_proc(path: &AbsPath) -> bool {
    let path = path.as_bytes();
    path == b"/proc" || path.starts_with(b"/proc/")
}

/// Memory, which never had a name.
fn is_memory(real: &AbsPath) -> bool {
    let path = real.as_bytes();
    path.starts_with(b"/memfd:") || path.starts_with(b"/dev/zero") || path.starts_with(b"/SYSV")
}

/// Whether a symbolic link is on the way that may lead to what each process has for itself: `/proc` is another mount.
fn goes_by_link(base: Option<&OwnedFd>, path: &CStr, wanted: &OpenHow) -> bool {
    let fails_with = |resolve, errno| {
        let narrower = OpenHow { resolve: wanted.resolve | resolve, ..*wanted };
        matches!(open_again(base, path, &narrower), Err(found) if found == errno)
    };
    let starts_in_proc = || base.is_some_and(|base| file::is_in_proc(base.as_fd()).unwrap_or(true));
    fails_with(how::NO_SYMLINKS, Errno::LOOP) && (fails_with(how::NO_XDEV, Errno::OTHER_FILESYSTEM) || starts_in_proc())
}

/// Opens, and tries again when a rename somewhere kept the kernel from following a `..` safely (`openat2(2)`, `EAGAIN`).
fn open_again(base: Option<&OwnedFd>, path: &CStr, wanted: &OpenHow) -> Result<OwnedFd, Errno> {
    const MOST: usize = 32;
    let base = base.map(AsFd::as_fd);
    let races = wanted.resolve & (how::BENEATH | how::IN_ROOT) != 0 && wanted.resolve & how::CACHED == 0;
    for _ in 0..if races { MOST } else { 0 } {
        match at::open(base, path, wanted) {
            Err(Errno::TRY_AGAIN) => {}
            answered => return answered,
        }
    }
    at::open(base, path, wanted)
}
